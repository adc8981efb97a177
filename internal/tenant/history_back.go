package tenant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vital-db/vital/internal/fault"
)

// compare fills what is to be done.
func (b *RowBack) compare() error {
	if b.now == nil && b.then == nil {
		return nil
	}
	all := maps.Clone(b.then)
	if all == nil {
		all = Fields{}
	}
	maps.Copy(all, b.now)
	for _, column := range sortedColumns(all) {
		if string(b.now[column]) != string(b.then[column]) {
			b.Changes = append(b.Changes, ColumnChange{Column: column, Old: b.now[column], New: b.then[column]})
		}
	}
	switch {
	case b.then == nil:
		b.Do = "delete"
	case b.now == nil:
		b.Do = "insert"
		for _, c := range b.columns {
			if _, given := b.then[c.name]; c.required && !given {
				return fault.New(fault.StateConflict, fmt.Sprintf("Column %s of the deleted row is not in the audit log, and the table wants it.", c.name),
					"Secrets are never logged: make a new row in its place.")
			}
		}
		return b.know(b.then)
	case len(b.Changes) > 0:
		b.Do = "update"
	}
	return nil
}

// know refuses columns that the table does not have.
func (b *RowBack) know(fields Fields) error {
	for _, column := range sortedColumns(fields) {
		if !slices.ContainsFunc(b.columns, func(c rowColumn) bool { return c.name == column }) {
			return fault.New(fault.StateConflict, fmt.Sprintf("Column %s of the row as it was is not there any more.", column), "Change the row by hand.")
		}
	}
	return nil
}

// Apply does what was planned, in the transaction of an operator, with the reason for the audit log. The row must still be what the plan saw. Triggers,
// audit and versions see a write like any other; what they made of it is in Kept. Errors: Conflict, StateConflict.
func (b *RowBack) Apply(ctx context.Context, tx pgx.Tx, reason string) error {
	if _, err := tx.Exec(ctx, historyQueries.Get("RowReason"), reason); err != nil {
		return err
	}
	again, err := PlanRowBack(ctx, tx, b.Target)
	if err != nil {
		return err
	}
	if !slices.Equal(again.Undone, b.Undone) || !maps.EqualFunc(again.now, b.now, func(x, y json.RawMessage) bool { return string(x) == string(y) }) {
		return fault.New(fault.Conflict, "The row was changed since it was looked at.", "Nothing was changed: look again.")
	}
	if err := b.write(ctx, tx); err != nil {
		return refusedBack(err)
	}
	if _, err := tx.Exec(ctx, historyQueries.Get("RowSettle")); err != nil {
		return refusedBack(err)
	}
	return b.held(ctx, tx)
}

func (b *RowBack) write(ctx context.Context, tx pgx.Tx) error {
	t := b.Target
	if b.Do == "delete" {
		_, err := tx.Exec(ctx, t.Table.fill("RowDelete"), t.ID, t.Tenant)
		return err
	}
	var columns, values, assignments []string
	for _, c := range b.columns {
		_, given := b.then[c.name]
		changes := slices.ContainsFunc(b.Changes, func(change ColumnChange) bool { return change.Column == c.name })
		if !given || !changes || c.generated {
			continue
		}
		name := pgx.Identifier{c.name}.Sanitize()
		columns, values, assignments = append(columns, name), append(values, "r."+name), append(assignments, name+" = r."+name)
	}
	text, err := json.Marshal(b.then)
	if err != nil {
		return fmt.Errorf("write row: %w", err)
	}
	switch {
	case len(columns) == 0:
		return nil
	case b.Do == "insert":
		_, err = tx.Exec(ctx, t.Table.fill("RowInsert", "{columns}", strings.Join(columns, ", "), "{values}", strings.Join(values, ", ")), string(text))
	default:
		_, err = tx.Exec(ctx, t.Table.fill("RowUpdate", "{assignments}", strings.Join(assignments, ", ")), t.ID, t.Tenant, string(text))
	}
	return err
}

// held notes what the table's triggers made otherwise, and refuses where they let nothing through.
func (b *RowBack) held(ctx context.Context, tx pgx.Tx) error {
	is, err := lockRow(ctx, tx, b.Target)
	if err != nil {
		return err
	}
	if (is == nil) != (b.then == nil) {
		return fault.New(fault.StateConflict, "A trigger of the table keeps the row from being brought back.", "Nothing was changed: change the row by hand.")
	}
	stayed := 0
	for _, change := range b.Changes {
		if b.then == nil || string(is[change.Column]) == string(change.New) {
			continue
		}
		if _, compared := is[change.Column]; !compared { // created_at
			continue
		}
		b.Kept = append(b.Kept, ColumnChange{Column: change.Column, Old: change.New, New: is[change.Column]})
		stayed++
	}
	if b.Do == "update" && stayed == len(b.Changes) {
		return fault.New(fault.StateConflict, "Triggers of the table decide every column that would change: "+b.Changes[0].Column+" stays.", "Nothing was changed: this takes another way than writing the row.")
	}
	return nil
}

// refusedBack says what the database has against a row that comes back. Its own words are not shown: they quote rows.
func refusedBack(err error) error {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return err
	}
	switch pgErr.Code {
	case "23503":
		return fault.Wrap(err, fault.StateConflict, fmt.Sprintf("A row that this one refers to is gone, or one refers to it (%s of %s).", pgErr.ConstraintName, pgErr.TableName),
			"Bring that one back, or take it away, first; nothing was changed.")
	case "23505":
		return fault.Wrap(err, fault.StateConflict, fmt.Sprintf("Another row has taken its place (%s of %s).", pgErr.ConstraintName, pgErr.TableName),
			"Change the other one first; nothing was changed.")
	case "23514", "23502":
		return fault.Wrap(err, fault.StateConflict, fmt.Sprintf("The row as it was is not allowed any more (%s of %s).", pgErr.ConstraintName+pgErr.ColumnName, pgErr.TableName),
			"Change the row by hand; nothing was changed.")
	case "55P03":
		return fault.Wrap(err, fault.Conflict, "Somebody is changing the row.", "Nothing was changed: try again shortly.")
	}
	return err
}
