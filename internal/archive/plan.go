package archive

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"

	_ "embed"
)

//go:embed stage.sql
var stageText string

var stageQueries = database.ParseQueries(stageText)

const (
	leftHistory  = "what happened is not made undone"
	leftAccounts = "accounts belong to people"
)

// apart are tables whose rows are a tenant's, or its members', and are never put back: why. A table whose comment says that it is only
// ever appended to is one more.
var apart = map[string]string{
	"public.users":                        leftAccounts,
	"public.profiles":                     leftAccounts,
	"public.organization_audit_log":       leftHistory,
	"public.tenant_feature_flag_versions": leftHistory,
	"public.tenant_feature_flag_usage":    leftHistory,
	"public.tool_usage_log":               leftHistory,
	"public.query_performance":            leftHistory,
	"public.access_records":               leftHistory,
	"public.break_glass":                  "who was let in for a time is not let in again",
	"public.invitations":                  "what was used or taken back must not open again",
	"public.tenant_feature_flag_changes":  "what was due has been done, and would be done again",
}

// kept are columns that a row keeps as it has them now. A tenant's state has moves of its own; versions count on.
var kept = map[string][]string{
	"public.organizations":        {"is_active", "lifecycle_state"},
	"public.tenant_feature_flags": {"version", "updated_at"},
}

// shape is what a table takes.
type shape struct {
	required   []string // neither null nor filled by themselves
	neverNull  []string
	documents  []string // JSON, and never null
	counted    []string // filled by the database alone
	everything []string // generated ones, too
	isRecord   bool
}

// reference is a foreign key.
type reference struct {
	child, parent       string
	deferrable          bool
	columns, referenced []string
	nullable            []string
}

// staged is a table of the database, with what an archive has of it.
type staged struct {
	Table
	shape
	file         *File  // nil where the archive knows no such table
	left         string // why its rows are not put back; "" where they are
	blank        bool   // there were no rows then, and there are none now
	then, doomed string
	columns      []string // which both have, generated ones aside
	ignored      []string // which do not count when rows are compared
}

// plan is how an archive fits into a database.
type plan struct {
	tenant uuid.UUID
	tables []*staged // all that are wanted, those that are put back after what they refer to
	known  map[string]*staged
	refs   []reference
	notes  []string
}

const linesTable = "pg_temp.vital_lines"

// makePlan holds the archive against the database: what does not fit is refused as a whole. Without names, all tables are wanted.
func makePlan(ctx context.Context, tx pgx.Tx, m *Manifest, tenant uuid.UUID, names []string) (*plan, error) {
	p := &plan{tenant: tenant, known: map[string]*staged{}}
	var version int64
	if err := tx.QueryRow(ctx, stageQueries.Get("SchemaVersion")).Scan(&version); err != nil {
		return nil, fmt.Errorf("read schema version: %w", err)
	}
	if m.SchemaVersion > version {
		return nil, mismatch(fmt.Sprintf("The archive is of schema version %d, newer than the database, which has %d.", m.SchemaVersion, version), "Run `vital migrate up` with the vital that wrote it, then try again.")
	}
	tables, _, err := Scope(ctx, tx)
	if err != nil {
		return nil, err
	}
	shapes, err := readShapes(ctx, tx)
	if err != nil {
		return nil, err
	}
	if p.refs, err = readReferences(ctx, tx); err != nil {
		return nil, err
	}
	for i, table := range tables {
		name := table.String()
		s := &staged{Table: table, shape: shapes[name], left: apart[name], then: fmt.Sprintf("pg_temp.vital_then_%d", i), doomed: fmt.Sprintf("pg_temp.vital_doomed_%d", i)}
		if s.left == "" && s.isRecord {
			s.left = leftHistory
		}
		p.known[name] = s
	}
	wanted, err := p.wanted(m, names)
	if err != nil {
		return nil, err
	}
	for _, s := range wanted {
		if err := p.fit(s); err != nil {
			return nil, err
		}
	}
	p.tables, err = p.order(wanted)
	return p, err
}

// wanted finds the tables of the archive that are asked for in the database.
func (p *plan) wanted(m *Manifest, names []string) ([]*staged, error) {
	asked := map[string]bool{}
	for _, name := range names {
		if !strings.Contains(name, ".") {
			name = "public." + name
		}
		if !slices.ContainsFunc(m.Tables, func(f File) bool { return f.String() == name }) {
			return nil, fault.New(fault.Usage, "The archive has no table "+name+".", "Its manifest.json lists the tables, as schema.name.")
		}
		asked[name] = true
	}
	var found []*staged
	for i := range m.Tables {
		file := &m.Tables[i]
		if len(names) > 0 && !asked[file.String()] {
			continue
		}
		s := p.known[file.String()]
		switch {
		case s == nil && file.Rows > 0:
			return nil, mismatch("The archive has rows of "+file.String()+", and the database has no such table of tenants.", "Restore into a database of the archive's schema, or name the tables you want with --tables.")
		case s == nil:
			p.notes = append(p.notes, file.String()+" is in the archive, empty, and not in the database")
			continue
		}
		s.file = file
		found = append(found, s)
	}
	if len(names) == 0 {
		for name, s := range p.known {
			if s.file == nil && s.left == "" {
				p.notes = append(p.notes, name+" is not in the archive: its rows stay as they are")
			}
		}
		slices.Sort(p.notes)
	}
	return found, nil
}

// fit holds one table of the archive against that of the database.
func (p *plan) fit(s *staged) error {
	if !slices.Equal(s.file.Key, s.Key) || s.file.TenantColumn != s.TenantColumn {
		return mismatch("The primary key or the tenant's column of "+s.String()+" is another in the archive.", "Restore into a database of the archive's schema.")
	}
	types := map[string]string{}
	for _, c := range s.Columns {
		types[c.Name] = c.Type
	}
	for _, c := range s.file.Columns {
		switch has, there := types[c.Name]; {
		case !there:
			return mismatch(fmt.Sprintf("The archive has a column %s of %s, and the database has not.", c.Name, s), "Restore into a database of the archive's schema, or name other tables with --tables.")
		case has != c.Type:
			return mismatch(fmt.Sprintf("%s.%s is of type %s in the archive, and %s in the database.", s, c.Name, c.Type, has), "Restore into a database of the archive's schema, or name other tables with --tables.")
		}
		s.columns = append(s.columns, c.Name)
		delete(types, c.Name)
	}
	for _, c := range s.Columns {
		if _, added := types[c.Name]; !added {
			continue
		}
		if slices.Contains(s.required, c.Name) && s.file.Rows > 0 {
			return mismatch(fmt.Sprintf("%s.%s must have a value, and the archive has no such column.", s, c.Name), "Give the column a default, or name other tables with --tables.")
		}
		p.notes = append(p.notes, fmt.Sprintf("%s.%s is newer than the archive: rows keep what they have there, and get its default", s, c.Name))
	}
	s.ignored = slices.DeleteFunc(slices.Clone(s.everything), func(name string) bool { return slices.Contains(s.columns, name) })
	return nil
}

// order puts parents before their children. Keys that can wait for the end of the transaction do.
func (p *plan) order(tables []*staged) ([]*staged, error) {
	waits := map[string]map[string]bool{}
	for _, s := range tables {
		waits[s.String()] = map[string]bool{}
	}
	for _, ref := range p.refs {
		if waits[ref.child] != nil && waits[ref.parent] != nil && ref.child != ref.parent && !ref.deferrable && p.known[ref.parent].left == "" {
			waits[ref.child][ref.parent] = true
		}
	}
	var ordered []*staged
	for len(ordered) < len(tables) {
		before := len(ordered)
		for _, s := range tables {
			if on := waits[s.String()]; on != nil && len(on) == 0 {
				ordered = append(ordered, s)
				delete(waits, s.String())
				for _, other := range waits {
					delete(other, s.String())
				}
			}
		}
		if len(ordered) == before {
			var circle []string
			for name := range waits {
				circle = append(circle, name)
			}
			slices.Sort(circle)
			return nil, mismatch("Tables refer to each other in a circle: "+strings.Join(circle, ", ")+".", "Make one of their foreign keys deferrable, or name other tables with --tables.")
		}
	}
	return ordered, nil
}

// restored are the tables whose rows are put back.
func (p *plan) restored() []*staged {
	return slices.DeleteFunc(slices.Clone(p.tables), func(s *staged) bool { return s.left != "" || s.blank })
}

func (p *plan) isRestored(name string) bool {
	return slices.ContainsFunc(p.tables, func(s *staged) bool { return s.left == "" && !s.blank && s.String() == name })
}

func readShapes(ctx context.Context, tx pgx.Tx) (map[string]shape, error) {
	rows, err := tx.Query(ctx, stageQueries.Get("Shapes"))
	if err != nil {
		return nil, fmt.Errorf("read shapes of tables: %w", err)
	}
	defer rows.Close()
	shapes := map[string]shape{}
	for rows.Next() {
		var t Table
		var s shape
		if err := rows.Scan(&t.Schema, &t.Name, &s.required, &s.neverNull, &s.documents, &s.counted, &s.everything, &s.isRecord); err != nil {
			return nil, fmt.Errorf("read shapes of tables: %w", err)
		}
		shapes[t.String()] = s
	}
	return shapes, rows.Err()
}

func readReferences(ctx context.Context, tx pgx.Tx) (found []reference, err error) {
	rows, err := tx.Query(ctx, stageQueries.Get("References"))
	if err != nil {
		return nil, fmt.Errorf("read foreign keys: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var child, parent Table
		var r reference
		if err := rows.Scan(&child.Schema, &child.Name, &parent.Schema, &parent.Name, &r.deferrable, &r.columns, &r.referenced, &r.nullable); err != nil {
			return nil, fmt.Errorf("read foreign keys: %w", err)
		}
		r.child, r.parent = child.String(), parent.String()
		found = append(found, r)
	}
	return found, rows.Err()
}

func mismatch(message, hint string) error { return fault.New(fault.ArchiveMismatch, message, hint) }
