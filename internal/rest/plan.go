package rest

// This file holds what a request is turned into when it meets the catalog: plans, which the sql files write
// as statements.

// readPlan is one level of what is read: a relation, what is wanted of it, and what is embedded into it.
type readPlan struct {
	name     string // as the request calls it
	alias    string // as the answer calls it, "" for name
	hint     string
	join     string // inner or left
	depth    int
	source   Name          // relation to read from
	as       string        // what columns are qualified with, "" for the source itself
	table    *Table        // nil when what is read is no table
	parent   *readPlan     // nil for the root
	toParent *Relationship // how it hangs on its parent

	fields   []selected
	where    []logic
	order    []ordering
	window   Range
	children []*readPlan
	embeds   []*embed // what of the children is selected, in their order

	spread spreadKind
	// Of a spread of many: what is ordered by must be selected below where it is aggregated.
	extras      []extraSelected
	spreadOrder []ordering

	embedAs string // name of this level within its parent, unique in the statement
}

func (p *readPlan) shownAs() string {
	if p.alias != "" {
		return p.alias
	}
	return p.name
}

type spreadKind int

const (
	notSpread spreadKind = iota
	spreadOne
	spreadMany
)

// column is a field that has met the catalog.
type column struct {
	name      string
	json      []JSONStep
	toJSON    bool // convert before stepping into it
	nominal   string
	base      string
	vector    bool   // convert with to_tsvector
	language  string // of vector
	transform string // function to apply to it, or to a value for it
	fallback  *string
	wholeRow  bool // stands for the row, in count()
}

// selected is one item of a select list.
type selected struct {
	column        column
	cast          string
	aggregate     string
	aggregateCast string
	alias         string
}

type extraSelected struct {
	relation string // embedAs of the child it is from, "" for this level
	selected selected
}

// embed is how a child shows in its parent.
type embed struct {
	child  *readPlan
	object bool // one object, else a list
	empty  bool // nothing of it is selected
	spread []spreadColumn
}

type spreadColumn struct {
	name          string
	aggregate     string
	aggregateCast string
	alias         string
}

// logic is a condition: a leaf with filter or embedded set, or terms.
type logic struct {
	filter   *filter
	embedded *readPlan // the leaf asks whether there is one
	negated  bool
	or       bool
	terms    []logic
}

type filter struct {
	column column
	Filter
}

type ordering struct {
	relation  string // embedAs of the child it is from
	column    column
	direction string
	nulls     string
}

// mutatePlan is a change of rows.
type mutatePlan struct {
	action     action
	table      *Table
	columns    []column
	payload    *payload
	where      []logic
	returning  []string // "*" for all
	resolution string   // merge-duplicates, ignore-duplicates
	conflict   []string
	defaults   bool
}

// callPlan is a call of a function.
type callPlan struct {
	routine   *Routine
	params    []RoutineParam // those that are given
	payload   *payload
	direct    map[string][]string // values by parameter, where they do not come as JSON
	returning []string            // nil for all
}
