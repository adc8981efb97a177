package isolation

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
)

//go:embed catalog.sql
var catalogText string

var catalogQueries = database.ParseQueries(catalogText)

// catalog is what the live database says of itself.
type catalog struct {
	server    server
	relations []*relation
	functions []function
	sequences []string // quoted names
	byOID     map[uint32]*relation
}

type server struct {
	version, database, operator string
	superuser                   bool
	vital                       bool // VITAL is installed here
}

// relation is a table, a view or what else has rows.
type relation struct {
	oid             uint32
	schema, name    string
	kind            string // as pg_class.relkind
	owner           string
	secured, forced bool
	partition       bool
	columns         []*column
	keys            [][]string // columns of each unique index, the primary key first; those of expressions left out
	foreign         []foreignKey
	checks          []rowCheck
}

type column struct {
	number                      int16
	name, typ, base             string // typ with its modifiers; base is a domain's type, else the type, without
	typtype, category           string
	notNull, hasDefault, always bool // always: written by the database alone
	labels                      []string
	domainChecks                []string
	length                      int // the most characters, 0 for any number
}

type foreignKey struct {
	name       string
	columns    []string
	to         *relation
	references []string
}

type rowCheck struct {
	name    string
	columns []string
	text    string
}

type function struct {
	oid                     uint32
	schema, name, arguments string
	names, types            []string
	defaults                int
	kind                    string
	volatile                bool
	definer, returnsSet     bool
	returns, owner          string
}

func (f *function) quoted() string    { return pgx.Identifier{f.schema, f.name}.Sanitize() }
func (f *function) signature() string { return f.schema + "." + f.name + "(" + f.arguments + ")" }

// label is the relation's name for people, quoted the one for SQL.
func (r *relation) label() string  { return r.schema + "." + r.name }
func (r *relation) quoted() string { return pgx.Identifier{r.schema, r.name}.Sanitize() }
func (r *relation) isTable() bool  { return r.kind == "r" || r.kind == "p" }

func (r *relation) column(name string) *column {
	for _, c := range r.columns {
		if c.name == name {
			return c
		}
	}
	return nil
}

func (r *relation) names(numbers []int16) []string {
	var names []string
	for _, n := range numbers {
		i := slices.IndexFunc(r.columns, func(c *column) bool { return c.number == n })
		if i < 0 {
			return nil // an expression
		}
		names = append(names, r.columns[i].name)
	}
	return names
}

// find returns the relation called name, with or without its schema, or nil.
func (c *catalog) find(name string) *relation {
	for _, r := range c.relations {
		if r.label() == name || r.name == name && !strings.Contains(name, ".") {
			return r
		}
	}
	return nil
}

// readCatalog reads everything of the database, and the sequences of schemas.
func readCatalog(ctx context.Context, conn querier, schemas []string) (*catalog, error) {
	c := &catalog{byOID: map[uint32]*relation{}}
	s := &c.server
	if err := conn.QueryRow(ctx, catalogQueries.Get("Server")).Scan(&s.version, &s.database, &s.operator, &s.superuser, &s.vital); err != nil {
		return nil, fmt.Errorf("read server: %w", err)
	}
	for _, read := range []func(context.Context, querier) error{c.readRelations, c.readColumns, c.readConstraints, c.readKeys} {
		if err := read(ctx, conn); err != nil {
			return nil, err
		}
	}
	var f function
	err := each(ctx, conn, "Functions", []any{&f.oid, &f.schema, &f.name, &f.arguments, &f.names, &f.types, &f.defaults, &f.kind, &f.volatile, &f.definer, &f.returnsSet, &f.returns, &f.owner},
		func() { c.functions = append(c.functions, f); f.names, f.types = nil, nil })
	if err != nil {
		return nil, err
	}
	var schema, name string
	err = each(ctx, conn, "Sequences", []any{&schema, &name}, func() {
		c.sequences = append(c.sequences, pgx.Identifier{schema, name}.Sanitize())
	}, schemas)
	return c, err
}

// querier is a connection or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func each(ctx context.Context, conn querier, query string, into []any, then func(), args ...any) error {
	rows, err := conn.Query(ctx, catalogQueries.Get(query), args...)
	if err == nil {
		_, err = pgx.ForEachRow(rows, into, func() error { then(); return nil })
	}
	if err != nil {
		return fmt.Errorf("read catalog (%s): %w", query, err)
	}
	return nil
}

func (c *catalog) readRelations(ctx context.Context, conn querier) error {
	var r relation
	return each(ctx, conn, "Relations", []any{&r.oid, &r.schema, &r.name, &r.kind, &r.owner, &r.secured, &r.forced, &r.partition}, func() {
		found := r
		c.relations = append(c.relations, &found)
		c.byOID[r.oid] = &found
	})
}

func (c *catalog) readColumns(ctx context.Context, conn querier) error {
	var oid uint32
	var k column
	return each(ctx, conn, "Columns", []any{&oid, &k.number, &k.name, &k.typ, &k.base, &k.typtype, &k.category, &k.notNull, &k.hasDefault, &k.always, &k.labels, &k.domainChecks, &k.length}, func() {
		if r := c.byOID[oid]; r != nil {
			found := k
			r.columns = append(r.columns, &found)
		}
		k.labels, k.domainChecks = nil, nil
	})
}

func (c *catalog) readConstraints(ctx context.Context, conn querier) error {
	var oid, to uint32
	var name, kind, text string
	var columns, references []int16
	return each(ctx, conn, "Constraints", []any{&oid, &name, &kind, &columns, &to, &references, &text}, func() {
		r := c.byOID[oid]
		switch target := c.byOID[to]; {
		case r == nil:
		case kind == "c":
			r.checks = append(r.checks, rowCheck{name, r.names(columns), text})
		case kind == "f" && target != nil:
			r.foreign = append(r.foreign, foreignKey{name, r.names(columns), target, target.names(references)})
		}
		columns, references = nil, nil
	})
}

func (c *catalog) readKeys(ctx context.Context, conn querier) error {
	var oid uint32
	var name string
	var columns []int16
	return each(ctx, conn, "UniqueIndexes", []any{&oid, &name, &columns}, func() {
		if r := c.byOID[oid]; r != nil {
			if names := r.names(columns); names != nil {
				r.keys = append(r.keys, names)
			}
		}
		columns = nil
	})
}
