package rest

// This file is the tree a query string is parsed into: what was asked for, before anything is known of
// the database.

// Query is a parsed query string.
type Query struct {
	// Canonical is the query string with its parameters sorted by name and encoded anew.
	Canonical string
	// Params are the arguments of a function called with GET, in the order given.
	Params []Param
	// Ranges are limit and offset, by their embed path ("limit" is the root's, "clients.limit" an embed's).
	Ranges map[string]Range
	// Orders, Logic and Filters each say at which level of the embedding they apply.
	Orders  []OrderAt
	Logic   []LogicAt
	Filters []FilterAt
	// Columns is the parameter columns; nil when it is absent.
	Columns []string
	// Select is the parameter select; a lone * when it is absent.
	Select []SelectItem
	// OnConflict is the parameter on_conflict; nil when it is absent.
	OnConflict []string
	// FilterFields are the names of all filter parameters as they stand in the query string.
	FilterFields map[string]bool
}

// Param is one argument of a function, by name.
type Param struct{ Name, Value string }

// Path leads from the root to an embedded level: clients.projects.name=eq.1 has [clients projects].
type Path []string

// OrderAt, LogicAt and FilterAt are a part of the query and the level it applies to.
type (
	OrderAt struct {
		Path  Path
		Terms []OrderTerm
	}
	LogicAt struct {
		Path Path
		Tree Logic
	}
	FilterAt struct {
		Path   Path
		Filter Filter
	}
)

// Range is the window of rows asked for: Offset rows are passed over, then at most Limit follow.
type Range struct {
	Offset int64
	Limit  int64 // Unlimited when there is no limit; may be negative as given, which the request refuses
}

// Unlimited is the Limit of a Range without one.
const Unlimited int64 = -1 << 62

// Field is a column (or a computed field), with the steps into its JSON.
type Field struct {
	Name string
	JSON []JSONStep
}

// JSONStep is -> or ->> and the key or index behind it.
type JSONStep struct {
	AsText  bool // ->>
	IsIndex bool
	Operand string // a key, or an index with its sign: +0, -1
}

// SelectKind tells the three things a select list can hold apart.
type SelectKind int

// The kinds of select items.
const (
	SelectField    SelectKind = iota // alias:name->path::cast.agg()::cast
	SelectRelation                   // alias:name!hint!inner(…)
	SelectSpread                     // ...name!hint!inner(…)
)

// SelectItem is one item of a select list. Name is "*" for all columns.
type SelectItem struct {
	Kind  SelectKind
	Alias string // "" for none

	// Of a field.
	Field         Field
	Cast          string
	Aggregate     string // sum, avg, max, min, count; "" for none
	AggregateCast string

	// Of a relation or spread.
	Relation string
	Hint     string
	Join     string // "", inner or left
	Items    []SelectItem
}

// OrderTerm is one term of order. Relation is "" unless the term is relation(field).
type OrderTerm struct {
	Relation  string
	Field     Field
	Direction string // "", asc or desc
	Nulls     string // "", first or last
}

// Logic is a tree of and/or over filters. A leaf has Filter set.
type Logic struct {
	Filter  *Filter
	Negated bool
	Or      bool // else and
	Terms   []Logic
}

// Filter is a condition on one field.
type Filter struct {
	Field   Field
	Negated bool
	// Op is the operator as written: eq gt gte lt lte like ilike match imatch (these take Quantifier),
	// neq cs cd ov sl sr nxr nxl adj, in, is, isdistinct, fts plfts phfts wfts.
	Op         string
	Quantifier string   // "", any or all
	Language   string   // of the full text search operators, "" for the default
	Value      string   // of is: null, not_null, true, false, unknown in lower case
	Values     []string // of in
}
