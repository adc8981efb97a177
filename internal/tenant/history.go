package tenant

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
)

//go:embed history.sql
var historyText string

var historyQueries = database.ParseQueries(historyText)

// AuditedTable is one whose changes the audit log holds.
type AuditedTable struct {
	Schema, Name string
	// TenantColumn says whose a row is; "" where all are the platform's.
	TenantColumn string
	// Partly says that some changes of its rows are not in the log.
	Partly bool
}

// FindAuditedTable returns the audited table of that name, which may be qualified. Errors: NotFound, which names those there are.
func FindAuditedTable(ctx context.Context, tx pgx.Tx, name string) (AuditedTable, error) {
	rows, err := tx.Query(ctx, historyQueries.Get("AuditedTables"))
	if err != nil {
		return AuditedTable{}, err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[AuditedTable])
	if err != nil {
		return AuditedTable{}, fmt.Errorf("find audited tables: %w", err)
	}
	var found []AuditedTable
	var names []string
	for _, t := range all {
		if name == t.Name || name == t.Schema+"."+t.Name {
			found = append(found, t)
		}
		names = append(names, strings.TrimPrefix(t.Schema+"."+t.Name, "public."))
	}
	if len(found) == 1 {
		// The log names tables without their schema.
		if slices.ContainsFunc(all, func(t AuditedTable) bool { return t.Name == found[0].Name && t.Schema != found[0].Schema }) {
			found[0].Partly = true
		}
		return found[0], nil
	}
	if len(found) > 1 {
		return AuditedTable{}, fault.New(fault.Usage, fmt.Sprintf("There is more than one audited table %s.", name), "Name its schema, too.")
	}
	return AuditedTable{}, fault.New(fault.NotFound, fmt.Sprintf("There is no audited table %s.", name), "Audited are: "+strings.Join(names, ", ")+".")
}

// fill writes the table's name, and the condition for rows of the tenant that is the second parameter, into a query.
func (t AuditedTable) fill(query string, more ...string) string {
	whose := "$2::uuid is not null"
	if t.TenantColumn != "" {
		whose = "t." + pgx.Identifier{t.TenantColumn}.Sanitize() + " = $2::uuid"
	}
	return strings.NewReplacer(append(more, "{table}", pgx.Identifier{t.Schema, t.Name}.Sanitize(), "{whose}", whose)...).Replace(historyQueries.Get(query))
}

// Fields are columns of a row and their values as JSON.
type Fields map[string]json.RawMessage

// RowTarget says which row is to be brought back, and to when.
type RowTarget struct {
	Tenant uuid.UUID
	Table  AuditedTable
	ID     uuid.UUID
	// Before is an entry of the row's: it, and what came after, is undone. Where it is 0, what came after At is.
	Before int64
	At     time.Time
}

// ColumnChange is what becomes of one column.
type ColumnChange struct {
	Column string          `json:"column"`
	Old    json.RawMessage `json:"old"`
	New    json.RawMessage `json:"new"`
}

// RowBack is what it takes to bring a row back.
type RowBack struct {
	Target RowTarget `json:"-"`
	// Do is update, insert or delete; "" where the row is already as it was.
	Do string `json:"do"`
	// Undone are the entries that were walked back, the latest first.
	Undone []int64 `json:"undone"`
	// Changes are the columns that will differ; all of them where the row comes back or goes.
	Changes []ColumnChange `json:"changes"`
	// Kept are columns that the table's own triggers gave another value than the one asked for; known once it is done.
	Kept []ColumnChange `json:"kept,omitempty"`

	now, then Fields // nil where there is no row
	columns   []rowColumn
}

type rowColumn struct {
	name                string
	generated, required bool
}

// rowEntry is one entry of a row's, with values as the table's types.
type rowEntry struct {
	seq            int64
	at             time.Time
	action         string
	erased         bool
	hasOld, hasNew bool // whether there was a row before and after; neither where the row was not changed
	old, new       Fields
}

// PlanRowBack says how a row comes back to what it was, by walking the audit log back from the row as it is, which it locks. Each step must find what
// the entry says it left; where it does not, somebody changed the row past the log, and nothing is guessed. Errors: NotFound, StateConflict.
func PlanRowBack(ctx context.Context, tx pgx.Tx, target RowTarget) (*RowBack, error) {
	if target.Table.Partly {
		return nil, fault.New(fault.StateConflict, fmt.Sprintf("The audit log does not hold every change of %s, so that there is no way back.", target.Table.Name),
			"Read the row's history, and change it by hand.")
	}
	back := &RowBack{Target: target, Undone: []int64{}, Changes: []ColumnChange{}}
	if _, err := tx.Exec(ctx, historyQueries.Get("RowWait")); err != nil {
		return nil, err
	}
	var err error
	if back.columns, err = readRowColumns(ctx, tx, target.Table); err != nil {
		return nil, err
	}
	if back.now, err = lockRow(ctx, tx, target); err != nil {
		return nil, err
	}
	if err := back.walk(ctx, tx); err != nil {
		return nil, err
	}
	return back, back.compare()
}

func readRowColumns(ctx context.Context, tx pgx.Tx, table AuditedTable) ([]rowColumn, error) {
	rows, err := tx.Query(ctx, historyQueries.Get("RowColumns"), pgx.Identifier{table.Schema, table.Name}.Sanitize())
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (c rowColumn, err error) {
		err = row.Scan(&c.name, &c.generated, &c.required)
		return c, err
	})
}

// lockRow returns the row, nil where there is none; nobody changes it until the transaction ends.
func lockRow(ctx context.Context, tx pgx.Tx, target RowTarget) (Fields, error) {
	var text []byte
	err := tx.QueryRow(ctx, target.Table.fill("RowLock"), target.ID, target.Tenant).Scan(&text)
	var pgErr *pgconn.PgError
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, nil
	case errors.As(err, &pgErr) && pgErr.Code == "55P03":
		return nil, fault.Wrap(err, fault.Conflict, "Somebody is changing the row.", "Try again shortly.")
	case err != nil:
		return nil, fmt.Errorf("read row: %w", err)
	}
	var row Fields
	return row, json.Unmarshal(text, &row)
}

// walk undoes entry after entry, from the row as it is.
func (b *RowBack) walk(ctx context.Context, tx pgx.Tx) error {
	t := b.Target
	rows, err := tx.Query(ctx, t.Table.fill("RowEntries"), t.Tenant, t.Table.Name, t.ID)
	if err != nil {
		return outgrown(err)
	}
	defer rows.Close()
	state, met, some := b.now, false, false
	for !met && rows.Next() {
		var e rowEntry
		if err := rows.Scan(&e.seq, &e.at, &e.action, &e.erased, &e.hasOld, &e.hasNew, &e.old, &e.new); err != nil {
			return outgrown(err)
		}
		some = true
		if t.Before == 0 && !e.at.After(t.At) || t.Before > e.seq {
			break
		}
		met = e.seq == t.Before
		if state, err = b.undo(state, e); err != nil {
			return err
		}
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return outgrown(err)
	}
	switch {
	case !some:
		return fault.New(fault.NotFound, fmt.Sprintf("The audit log of this tenant holds nothing of row %s of %s.", t.ID, t.Table.Name),
			"See `vital tenant history` with --table alone for the rows there are; rows of the whole platform are the tenant platform's.")
	case t.Before != 0 && !met:
		return fault.New(fault.NotFound, fmt.Sprintf("Entry %d of the audit log is not about this row.", t.Before), "Take a number that its history shows.")
	}
	b.then = state
	return nil
}

// undo returns the row as it was before an entry, and refuses where the entry does not lead to the row.
func (b *RowBack) undo(state Fields, e rowEntry) (Fields, error) {
	if e.erased {
		return nil, fault.New(fault.StateConflict, fmt.Sprintf("What entry %d changed was erased: there is no way back past it.", e.seq), "Take a later entry.")
	}
	if !e.hasOld && !e.hasNew {
		return state, nil // something was done with the row, and not to it
	}
	b.Undone = append(b.Undone, e.seq)
	if !e.hasNew {
		if state != nil {
			return nil, b.broken(e, "", "deleted the row, and there is one now")
		}
		return e.old, nil
	}
	if state == nil {
		return nil, b.broken(e, "", "left a row, and there is none now")
	}
	for _, column := range sortedColumns(e.new) {
		is, there := state[column]
		switch {
		case !there && (slices.ContainsFunc(b.columns, func(c rowColumn) bool { return c.name == column }) || !e.hasOld):
			// created_at, of tables that log it: no row is compared by it
		case !there:
			return nil, b.broken(e, column, "changed a column that the table does not have any more")
		case string(is) != string(e.new[column]):
			return nil, b.broken(e, column, "left another value than the row has now")
		}
	}
	if !e.hasOld {
		return nil, nil
	}
	before := Fields{}
	for column, value := range state {
		before[column] = value
	}
	for column, value := range e.old {
		if column == "id" || column == b.Target.Table.TenantColumn {
			return nil, b.broken(e, column, "moved the row")
		}
		before[column] = value
	}
	return before, nil
}

func (b *RowBack) broken(e rowEntry, column, what string) error {
	f := fault.New(fault.StateConflict, fmt.Sprintf("Entry %d (%s) %s.", e.seq, e.action, what),
		"The row was changed past the audit log, or its table was: nothing is guessed. `vital audit verify` tells of the log; change the row by hand.")
	if column != "" {
		f.Message = fmt.Sprintf("Column %s: entry %d (%s) %s.", column, e.seq, e.action, what)
	}
	return f
}

// outgrown says that old values do not fit the table as it is.
func outgrown(err error) error {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && strings.HasPrefix(pgErr.Code, "22") {
		return fault.Wrap(err, fault.StateConflict, "A value in the row's history does not fit its table any more: a column has another type by now.", "Change the row by hand.")
	}
	return fmt.Errorf("read row's history: %w", err)
}

func sortedColumns(fields Fields) []string {
	columns := make([]string, 0, len(fields))
	for column := range fields {
		columns = append(columns, column)
	}
	slices.Sort(columns)
	return columns
}
