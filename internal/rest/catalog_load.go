package rest

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
)

//go:embed catalog.sql
var catalogText string

var catalogQueries = database.ParseQueries(catalogText)

// loader reads a catalog within one transaction; the first error ends it.
type loader struct {
	ctx     context.Context //nolint:containedctx // a loader lives for one call
	tx      pgx.Tx
	exposed []string
	catalog *Catalog
	// directly are the foreign keys; keyed are all keys, to be found again in views.
	directly []*Relationship
	keyed    []key
}

// loadCatalog reads what the exposed schemas hold. Views of searched schemas are looked through too.
func loadCatalog(ctx context.Context, tx pgx.Tx, exposed, searched []string) (*Catalog, error) {
	if _, err := tx.Exec(ctx, catalogQueries.Get("EmptySearchPath")); err != nil {
		return nil, fmt.Errorf("empty search path: %w", err)
	}
	l := &loader{ctx: ctx, tx: tx, exposed: exposed, catalog: &Catalog{
		tables: map[Name]*Table{}, routines: map[Name][]*Routine{}, representations: map[[2]string]string{},
		handlers: builtinHandlers(), timeouts: map[string]string{}, schemas: map[string]string{}, types: map[string]string{},
		roles: map[string]bool{}, loaded: time.Now(), plans: newRememberedPlans(),
	}}
	for _, step := range []func() error{
		l.tables, l.computedFields, l.keys, func() error { return l.views(append(slices.Clone(exposed), searched...)) },
		l.relationships, l.routines, l.representations, l.handlers, l.roles, l.schemas,
		func() error { return l.types(append(slices.Clone(exposed), searched...)) },
	} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("load catalog: %w", err)
		}
	}
	return l.catalog, nil
}

// each runs a query and hands every row, as T by its column names, to use.
func each[T any](l *loader, query string, use func(T), args ...any) error {
	rows, err := l.tx.Query(l.ctx, catalogQueries.Get(query), args...)
	if err != nil {
		return fmt.Errorf("%s: %w", query, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[T])
	if err != nil {
		return fmt.Errorf("%s: %w", query, err)
	}
	for _, row := range found {
		use(row)
	}
	return nil
}

func (l *loader) tables() error {
	type row struct {
		Schema, Name, Description                string
		IsView, Insertable, Updatable, Deletable bool
		IsForeign                                bool
		Columns                                  []*Column
	}
	return each(l, "Tables", func(r row) {
		t := &Table{
			Name: Name{r.Schema, r.Name}, Description: r.Description, IsView: r.IsView,
			Insertable: r.Insertable, Updatable: r.Updatable, Deletable: r.Deletable,
			Columns: r.Columns, columns: make(map[string]*Column, len(r.Columns)), foreign: r.IsForeign,
		}
		for _, c := range r.Columns {
			t.columns[c.Name] = c
		}
		l.catalog.tables[t.Name] = t
	}, l.exposed)
}

func (l *loader) computedFields() error {
	type row struct {
		TableSchema, TableName, Name, Type string
		IsForeign                          bool
	}
	return each(l, "ComputedFields", func(r row) {
		t, ok := l.catalog.tables[Name{r.TableSchema, r.TableName}]
		if !ok {
			return
		}
		if t.computed == nil {
			t.computed = map[string]*Column{}
		}
		t.computed[r.Name] = &Column{Name: r.Name, Nominal: r.Type, Type: r.Type, foreign: r.IsForeign}
	}, l.exposed)
}

// key is a primary or foreign key of a table.
type key struct {
	IsForeign                bool
	Name                     string
	TableID                  int64
	TableSchema, TableName   string
	TargetID                 int64
	TargetSchema, TargetName string
	Columns                  []string
	ColumnNumbers            []int16
	TargetColumns            []string
	TargetNumbers            []int16
	IsUnique                 bool
}

func (k *key) table() Name  { return Name{k.TableSchema, k.TableName} }
func (k *key) target() Name { return Name{k.TargetSchema, k.TargetName} }

func (l *loader) keys() error {
	return each(l, "Keys", func(k key) {
		l.keyed = append(l.keyed, k)
		if !k.IsForeign {
			if t, ok := l.catalog.tables[k.table()]; ok {
				t.PrimaryKey = slices.Sorted(slices.Values(k.Columns))
			}
			return
		}
		r := &Relationship{
			table: k.table(), target: k.target(), self: k.TableID == k.TargetID,
			cardinality: manyToOne, constraint: k.Name,
		}
		if k.IsUnique {
			r.cardinality = oneToOne
		}
		for i, column := range k.Columns {
			r.columns = append(r.columns, [2]string{column, k.TargetColumns[i]})
		}
		l.directly = append(l.directly, r)
	})
}

func (l *loader) relationships() error {
	primaryKeys := map[Name][]string{}
	for _, k := range l.keyed {
		if !k.IsForeign {
			primaryKeys[k.table()] = k.Columns
		}
	}
	for name, t := range l.catalog.tables {
		primaryKeys[name] = t.PrimaryKey
	}
	type row struct {
		Schema, Name, TableSchema, TableName, TargetSchema, TargetName string
		Single, IsForeign                                              bool
	}
	var calculated []*Relationship
	err := each(l, "ComputedRelationships", func(r row) {
		table, target := Name{r.TableSchema, r.TableName}, Name{r.TargetSchema, r.TargetName}
		calculated = append(calculated, &Relationship{
			table: table, target: target, self: table == target, cardinality: computed,
			function: Name{r.Schema, r.Name}, single: r.Single, foreign: r.IsForeign,
		})
	})
	l.catalog.relations = indexRelationships(completeRelationships(l.directly, primaryKeys), calculated, l.exposed)
	return err
}

func (l *loader) routines() error {
	type row struct {
		Schema, Name, Description string
		Params                    []RoutineParam
		ReturnSchema, ReturnName  string
		SetOf, Composite          bool
		Volatility                string
		Variadic                  bool
		Isolation, Timeout        string
		IsForeign                 bool
	}
	err := each(l, "Routines", func(r row) {
		name := Name{r.Schema, r.Name}
		l.catalog.routines[name] = append(l.catalog.routines[name], &Routine{
			Name: name, Description: r.Description, Params: r.Params, returns: Name{r.ReturnSchema, r.ReturnName},
			setOf: r.SetOf, composite: r.Composite, volatility: r.Volatility, variadic: r.Variadic,
			isolation: r.Isolation, timeout: r.Timeout, foreign: r.IsForeign,
		})
	}, l.exposed)
	for _, overloads := range l.catalog.routines {
		slices.SortFunc(overloads, func(a, b *Routine) int {
			return cmp.Or(cmp.Compare(len(a.Params), len(b.Params)), cmp.Compare(a.Description, b.Description),
				slices.CompareFunc(a.Params, b.Params, func(x, y RoutineParam) int {
					return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.Type, y.Type))
				}))
		})
	}
	return err
}

func (l *loader) representations() error {
	type row struct{ Source, Target, Function string }
	return each(l, "Representations", func(r row) {
		l.catalog.representations[[2]string{r.Source, r.Target}] = r.Function
	})
}

func (l *loader) handlers() error {
	type row struct {
		MediaType, FunctionSchema, FunctionName, TargetSchema, TargetName string
		IsCast                                                            bool
	}
	return each(l, "Handlers", func(r row) {
		media := parseMediaType(r.MediaType)
		h := handler{kind: byFunction, function: Name{r.FunctionSchema, r.FunctionName}, cast: r.IsCast, media: media}
		if media.kind == mediaAny {
			h.media = mediaType{kind: mediaOctets}
		}
		key := handlerKey{target: Name{r.TargetSchema, r.TargetName}, media: media.String()}
		if key.target == (Name{"pg_catalog", "anyelement"}) {
			key.target = Name{}
		} else {
			h.target = key.target
		}
		l.catalog.handlers[key] = h
	}, l.exposed)
}

func (l *loader) roles() error {
	type row struct{ Role, Timeout string }
	return each(l, "Roles", func(r row) {
		l.catalog.roles[r.Role] = true
		if r.Timeout != "" {
			l.catalog.timeouts[r.Role] = r.Timeout
		}
	})
}

func (l *loader) schemas() error {
	type row struct{ Name, Description string }
	return each(l, "Schemas", func(r row) { l.catalog.schemas[r.Name] = r.Description }, l.exposed)
}

// types reads what values can be cast to, by all the names PostgreSQL has for it. The first schema that has a
// name wins, behind PostgreSQL's own.
func (l *loader) types(schemas []string) error {
	maps.Copy(l.catalog.types, map[string]string{ // the grammar's own names, which no type carries
		"int": "integer", "dec": "numeric", "decimal": "numeric", "float": "double precision", "char": "character(1)",
	})
	type row struct{ Name, Formatted, Qualified string }
	return each(l, "Types", func(r row) {
		for _, name := range [...]string{r.Name, r.Formatted} {
			if _, taken := l.catalog.types[name]; !taken {
				l.catalog.types[name] = r.Qualified
			}
		}
	}, schemas)
}

// Summary says how much a catalog holds, for the log.
func (c *Catalog) Summary() map[string]int {
	relationships := 0
	for list := range maps.Values(c.relations) {
		relationships += len(list)
	}
	return map[string]int{"relations": len(c.tables), "relationships": relationships, "functions": len(c.routines)}
}
