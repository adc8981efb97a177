package localpg

// NewestFirst is tested alone: which versions are installed differs between machines.
var NewestFirst = newestFirst
