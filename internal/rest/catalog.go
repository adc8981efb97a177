package rest

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Name is a schema-qualified name of the database.
type Name struct{ Schema, Name string }

// Catalog is what the engine knows of a database: what may be named in a request, and how it hangs
// together. Every identifier of a statement comes from here or is quoted. It never changes; a newer state is
// a new Catalog.
type Catalog struct {
	tables    map[Name]*Table
	relations map[relationKey][]*Relationship
	routines  map[Name][]*Routine
	// representations are functions that turn a column's type into json, and json or text into it, by the
	// two types.
	representations map[[2]string]string
	handlers        map[handlerKey]handler
	timeouts        map[string]string // statement_timeout of a role, as it was set
	roles           map[string]bool   // that whoever reads the catalog may take on
	loaded          time.Time
	plans           rememberedPlans
	schemas         map[string]string // descriptions of the exposed schemas
	types           map[string]string // what values can be cast to: SQL by the names it may be called
}

// relationKey finds relationships by their origin and the target's schema.
type relationKey struct {
	origin Name
	schema string
}

// Table is a table or a view.
type Table struct {
	Name
	Description                      string
	IsView                           bool
	Insertable, Updatable, Deletable bool
	PrimaryKey                       []string // sorted
	Columns                          []*Column
	foreign                          bool // using it runs functions that are not VITAL's
	columns                          map[string]*Column
	computed                         map[string]*Column // functions of a row that can be read like columns
}

// Column is one of a table.
type Column struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Nullable    bool     `json:"nullable"`
	Type        string   `json:"type"`    // the base type of a domain, without a length
	Nominal     string   `json:"nominal"` // as declared
	MaxLength   *int     `json:"max_length"`
	Default     *string  `json:"default"`
	Enum        []string `json:"enum"`
	foreign     bool     // of a computed field: the function is not VITAL's
}

// Cardinality says how many rows of one side belong to one of the other.
type Cardinality int

// The cardinalities. A computed relationship is a function from a row to rows.
const (
	oneToMany Cardinality = iota
	manyToOne
	oneToOne
	manyToMany
	computed
)

func (c Cardinality) String() string {
	return [...]string{"one-to-many", "many-to-one", "one-to-one", "many-to-many", "computed"}[c]
}

// Relationship leads from a table to another.
type Relationship struct {
	table, target             Name
	self                      bool
	cardinality               Cardinality
	constraint                string
	columns                   [][2]string // of table, of target
	tableIsView, targetIsView bool
	isParent                  bool      // of one-to-one: the key is the target's
	junction                  *junction // of many-to-many
	function                  Name      // of computed
	single                    bool      // of computed: at most one row
	foreign                   bool      // of computed: the function is not VITAL's
}

// junction is the table between two others.
type junction struct {
	table                        Name
	sourceConstraint             string
	targetConstraint             string
	sourceColumns, targetColumns [][2]string // of the source or target, of the junction
}

func (r *Relationship) toOne() bool {
	return r.cardinality == manyToOne || r.cardinality == oneToOne || r.cardinality == computed && r.single
}

// Routine is a function that can be called.
type Routine struct {
	Name
	Description string
	Params      []RoutineParam
	returns     Name
	setOf       bool
	composite   bool
	volatility  string // immutable, stable or volatile
	variadic    bool
	isolation   string // default_transaction_isolation of the function
	timeout     string // statement_timeout of the function
	foreign     bool   // not VITAL's
}

// RoutineParam is an input parameter.
type RoutineParam struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Castable string `json:"castable"` // Type without a length
	Required bool   `json:"required"`
	Variadic bool   `json:"variadic"`
}

func (r *Routine) returnsScalar() bool      { return !r.setOf && !r.composite }
func (r *Routine) returnsSetOfScalar() bool { return r.setOf && !r.composite }
func (r *Routine) returnsVoid() bool {
	return !r.setOf && !r.composite && r.returns == Name{"pg_catalog", "void"}
}

// relation is the name by which what is returned can be embedded from: the row type, else the function's.
func (r *Routine) relation() Name {
	if r.composite {
		return Name{r.Schema, r.returns.Name}
	}
	return r.Name
}

func (c *Catalog) table(n Name) (*Table, error) {
	if t, ok := c.tables[n]; ok {
		return t, nil
	}
	return nil, c.tableNotFound(n)
}

// castType returns the type called name as SQL, "" for no name. Like PostgreSQL it does not mind case.
func (c *Catalog) castType(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	if sql, ok := c.types[strings.ToLower(name)]; ok {
		return sql, nil
	}
	return "", newError(400, "42704", `type "`+strings.ToLower(name)+`" does not exist`)
}

// column returns the column called name, or nil.
func (t *Table) column(name string) *Column {
	if t == nil {
		return nil
	}
	return t.columns[name]
}

// field returns the column or computed field called name, or nil.
func (t *Table) field(name string) *Column {
	if t == nil {
		return nil
	}
	if c, ok := t.columns[name]; ok {
		return c
	}
	return t.computed[name]
}

// findRelationship finds the way from origin to target, which names a table, a view, a constraint, a column
// or a computed relationship; hint tells several ways apart.
func (c *Catalog) findRelationship(schema, origin, target, hint string) (*Relationship, error) {
	var found []*Relationship
	for _, r := range c.relations[relationKey{Name{schema, origin}, schema}] {
		if r.leadsTo(target, hint) {
			found = append(found, r)
		}
	}
	switch len(found) {
	case 0:
		return nil, c.noRelationship(schema, origin, target, hint)
	case 1:
		return found[0], nil
	}
	return nil, ambiguousRelationship(origin, target, found)
}

func (r *Relationship) leadsTo(target, hint string) bool {
	if r.cardinality == computed {
		return target == r.function.Name
	}
	byColumn := func(side int, name string) bool {
		return r.cardinality != manyToMany && len(r.columns) == 1 && r.columns[0][side] == name
	}
	byConstraint := func(name string) bool { return r.cardinality != manyToMany && r.constraint == name }
	switch {
	case r.self && hint == "":
		// One key leads both ways: to the many by the table's name, to the one by the column's.
		return target == r.target.Name && r.cardinality == oneToMany || byColumn(0, target) && r.cardinality == manyToOne
	case r.self:
		return target == r.target.Name && r.cardinality == oneToMany && byColumn(1, hint)
	case hint == "":
		return target == r.target.Name || !r.targetIsView && (byConstraint(target) || byColumn(0, target))
	}
	return target == r.target.Name && (byConstraint(hint) || byColumn(0, hint) || byColumn(1, hint) ||
		r.junction != nil && r.junction.table.Name == hint)
}

// addInverse adds to each relationship the way back, and to each pair of keys of a junction the way through.
func completeRelationships(direct []*Relationship, primaryKeys map[Name][]string) []*Relationship {
	all := append(slices.Clone(direct), throughJunctions(direct, primaryKeys)...)
	for _, r := range direct {
		back := *r
		back.table, back.target = r.target, r.table
		back.tableIsView, back.targetIsView = r.targetIsView, r.tableIsView
		back.columns = swapped(r.columns)
		switch r.cardinality {
		case manyToOne:
			back.cardinality = oneToMany
		case oneToOne:
			back.isParent = !r.isParent
		default:
			continue
		}
		all = append(all, &back)
	}
	return all
}

// throughJunctions finds tables two of whose foreign keys are part of their primary key.
func throughJunctions(direct []*Relationship, primaryKeys map[Name][]string) []*Relationship {
	byTable := map[Name][]*Relationship{}
	for _, r := range direct {
		if r.cardinality == manyToOne {
			byTable[r.table] = append(byTable[r.table], r)
		}
	}
	var found []*Relationship
	for table, keys := range byTable {
		inKey := func(pair [2]string) bool { return slices.Contains(primaryKeys[table], pair[0]) }
		within := func(r *Relationship) bool {
			return !slices.ContainsFunc(r.columns, func(pair [2]string) bool { return !inKey(pair) })
		}
		for _, from := range keys {
			for _, to := range keys {
				if from.constraint == to.constraint || !within(from) || !within(to) {
					continue
				}
				found = append(found, &Relationship{
					table: from.target, target: to.target, self: from.target == to.target, cardinality: manyToMany,
					tableIsView: from.targetIsView, targetIsView: to.targetIsView,
					junction: &junction{table, from.constraint, to.constraint, swapped(from.columns), swapped(to.columns)},
				})
			}
		}
	}
	return found
}

func swapped(pairs [][2]string) [][2]string {
	out := make([][2]string, len(pairs))
	for i, p := range pairs {
		out[i] = [2]string{p[1], p[0]}
	}
	return out
}

// indexRelationships files relationships under where they lead from. A computed one takes the place of those
// to a table of its function's name.
func indexRelationships(found, calculated []*Relationship, exposed []string) map[relationKey][]*Relationship {
	overridden := map[[2]Name]bool{}
	for _, r := range calculated {
		overridden[[2]Name{r.table, r.function}] = true
	}
	index := map[relationKey][]*Relationship{}
	add := func(r *Relationship, schema string) {
		if !slices.Contains(exposed, r.table.Schema) || !slices.Contains(exposed, r.target.Schema) {
			return
		}
		key := relationKey{r.table, schema}
		if r.junction != nil && !slices.Contains(exposed, r.junction.table.Schema) {
			index[key] = slices.Clip(index[key]) // hidden, but where it leads from is known
			return
		}
		index[key] = append(index[key], r)
	}
	for _, r := range found {
		if !overridden[[2]Name{r.table, r.target}] {
			add(r, r.target.Schema)
		}
	}
	for _, r := range calculated {
		add(r, r.function.Schema)
	}
	for _, list := range index {
		slices.SortFunc(list, compareRelationships)
	}
	return index
}

func compareRelationships(a, b *Relationship) int {
	return cmp.Or(
		cmp.Compare(a.target.Schema, b.target.Schema), cmp.Compare(a.target.Name, b.target.Name),
		cmp.Compare(a.cardinality, b.cardinality), cmp.Compare(a.constraint, b.constraint),
		slices.CompareFunc(a.columns, b.columns, func(x, y [2]string) int { return slices.Compare(x[:], y[:]) }),
		cmp.Compare(junctionName(a), junctionName(b)),
	)
}

func junctionName(r *Relationship) string {
	if r.junction == nil {
		return ""
	}
	return r.junction.table.Name + " " + r.junction.sourceConstraint + " " + r.junction.targetConstraint
}
