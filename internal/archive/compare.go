package archive

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/postgres"
)

// Comparison is of a tenant as it is and as it was.
type Comparison struct {
	Archive *Archive
	Tenant  uuid.UUID
	// Tables are those to compare, as schema.name; without them, all that the archive has but accounts and records, which only ever grow.
	Tables []string
	// Each is handed every row that is not the same, one after the other. Defaults to nothing.
	Each func(Table, RowDifference) error
	// Progress is told which table is read, of how many. Defaults to nothing.
	Progress func(table string, number, of int)
}

// Difference is what has become of a table's rows since.
type Difference struct {
	Table   string `json:"table"`
	Added   int64  `json:"added"`
	Removed int64  `json:"removed"`
	Changed int64  `json:"changed"`
}

// Same says that there is none.
func (d Difference) Same() bool { return d.Added == 0 && d.Removed == 0 && d.Changed == 0 }

// RowDifference is what has become of one row.
type RowDifference struct {
	Change  string        `json:"change"` // added, removed or changed
	Key     []ColumnValue `json:"key"`
	Columns []ColumnValue `json:"columns"` // those that differ, or all of a row that was added or removed
}

// ColumnValue is a column then and now, as JSON; nil where there was or is no row.
type ColumnValue struct {
	Column string          `json:"column"`
	Then   json.RawMessage `json:"then,omitempty"`
	Now    json.RawMessage `json:"now,omitempty"`
}

// Run says what is no longer as it was, table by table. Nothing but temporary tables is written. Errors: ArchiveInvalid,
// ArchiveMismatch, Usage.
func (c Comparison) Run(ctx context.Context, conn *pgx.Conn) (differences []Difference, notes []string, err error) {
	if c.Progress == nil {
		c.Progress = func(string, int, int) {}
	}
	if err := c.Archive.verifyFor(c.Tenant); err != nil {
		return nil, nil, err
	}
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		return nil, nil, fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is kept
	if _, err := tx.Exec(ctx, queries.Get("SeeEverything")); err != nil {
		return nil, nil, fmt.Errorf("set row_security: %w", err)
	}
	postgres.PaceOf(conn).RestInside(true)
	p, err := makePlan(ctx, tx, &c.Archive.Manifest, c.Tenant, c.Tables)
	if err != nil {
		return nil, nil, err
	}
	tables := slices.DeleteFunc(slices.Clone(p.tables), func(s *staged) bool {
		return s.TenantColumn == "" || len(c.Tables) == 0 && s.left == leftHistory
	})
	slices.SortFunc(tables, func(a, b *staged) int { return bytes.Compare([]byte(a.String()), []byte(b.String())) })
	if err := p.findBlank(ctx, tx, tables); err != nil {
		return nil, nil, err
	}
	if err := p.stage(ctx, tx, c.Archive, tables, c.Progress); err != nil {
		return nil, nil, err
	}
	for _, s := range tables {
		if s.blank {
			differences = append(differences, Difference{Table: s.String()})
			continue
		}
		if s.String() != organizations { // a tenant's state is a difference all the same
			s.ignored = append(s.ignored, kept[s.String()]...)
		}
		found, err := p.count(ctx, tx, s)
		if err != nil {
			return nil, nil, err
		}
		differences = append(differences, found)
		if c.Each != nil && !found.Same() {
			if err := p.each(ctx, tx, s, func(row RowDifference) error { return c.Each(s.Table, row) }); err != nil {
				return nil, nil, err
			}
		}
	}
	return differences, p.notes, nil
}

// count counts what is no longer as it was.
func (p *plan) count(ctx context.Context, tx pgx.Tx, s *staged) (Difference, error) {
	found := Difference{Table: s.String()}
	if err := tx.QueryRow(ctx, s.query("CompareCount"), p.tenant, s.ignored).Scan(&found.Added, &found.Removed, &found.Changed); err != nil {
		return found, refused(err, s.String())
	}
	return found, nil
}

// each hands over what is no longer as it was, a row at a time.
func (p *plan) each(ctx context.Context, tx pgx.Tx, s *staged, each func(RowDifference) error) error {
	rows, err := tx.Query(ctx, s.query("CompareRows"), p.tenant, s.ignored)
	if err != nil {
		return refused(err, s.String())
	}
	defer rows.Close()
	for rows.Next() {
		var then, now []byte
		if err := rows.Scan(&then, &now); err != nil {
			return fmt.Errorf("compare %s: %w", s, err)
		}
		row, err := s.difference(then, now)
		if err != nil {
			return err
		}
		if err := each(row); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return refused(err, s.String())
	}
	return nil
}

// difference is what two states of a row do not have in common.
func (s *staged) difference(then, now []byte) (RowDifference, error) {
	d := RowDifference{Change: "changed", Key: []ColumnValue{}, Columns: []ColumnValue{}}
	was, err := parseRow(then)
	if err != nil {
		return d, err
	}
	is, err := parseRow(now)
	if err != nil {
		return d, err
	}
	switch {
	case then == nil:
		d.Change = "added"
	case now == nil:
		d.Change = "removed"
	}
	for _, name := range s.Key {
		d.Key = append(d.Key, ColumnValue{Column: name, Then: was[name], Now: is[name]})
	}
	for _, name := range s.columns {
		if !slices.Contains(s.Key, name) && !bytes.Equal(was[name], is[name]) {
			d.Columns = append(d.Columns, ColumnValue{Column: name, Then: was[name], Now: is[name]})
		}
	}
	return d, nil
}

// parseRow takes a row of JSON apart; of one that is not there, nothing.
func parseRow(text []byte) (map[string]json.RawMessage, error) {
	if text == nil {
		return map[string]json.RawMessage{}, nil
	}
	row := map[string]json.RawMessage{}
	if err := json.Unmarshal(text, &row); err != nil {
		return nil, fmt.Errorf("read a row: %w", err)
	}
	return row, nil
}

// verifyFor reads the whole archive, and refuses it where it is another tenant's.
func (a *Archive) verifyFor(tenant uuid.UUID) error {
	if a.Tenant.ID != tenant {
		return mismatch("This is the archive of another tenant, "+a.Tenant.Slug+".", "Name that one, or make a new tenant of it with --as.")
	}
	return a.Verify()
}
