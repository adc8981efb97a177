package tenant

// Versions is how a follower looks versions up.
var Versions = versions
