package population

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Remove takes away what Load has made and whatever was written for it since, a batch in a transaction, and tells how many tenants are left. What
// the platform's own audit chain says of the flags stays. Broken off, it goes on with the next call.
func Remove(ctx context.Context, conn *pgx.Conn, found Standing, progress func(left int)) error {
	shape := found.Shape
	owned, err := ownedTables(ctx, conn)
	if err != nil {
		return err
	}
	// From the last on, so that the first, which has the shape, goes last.
	for order := shape.order(); len(order) > 0; {
		left := max(0, len(order)-batch)
		if err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return removeTenants(ctx, tx, owned, shape, order[left:]) }); err != nil {
			return refused(err)
		}
		order = order[:left]
		if progress != nil {
			progress(left)
		}
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		for _, name := range []string{"DeleteFlagHistory", "DeleteFlags"} {
			if _, err := tx.Exec(ctx, queries.Get(name), shape.Flags); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		_, err := tx.Exec(ctx, queries.Get("Tell"))
		return err
	})
}

// ownedTable is one whose rows are a tenant's or a user's, as column says.
type ownedTable struct{ statement string }

func ownedTables(ctx context.Context, conn *pgx.Conn) ([]ownedTable, error) {
	rows, err := conn.Query(ctx, queries.Get("Owned"))
	if err != nil {
		return nil, fmt.Errorf("look for tables: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (t ownedTable, err error) {
		var schema, name, column, owner string
		err = row.Scan(&schema, &name, &column, &owner)
		t.statement = strings.NewReplacer("{table}", pgx.Identifier{schema, name}.Sanitize(), "{column}", pgx.Identifier{column}.Sanitize(), "{owner}", owner).
			Replace(queries.Get("DeleteOwned"))
		return t, err
	})
}

func removeTenants(ctx context.Context, tx pgx.Tx, owned []ownedTable, shape *Shape, some []int) error {
	run := func(name string, args ...any) error {
		if _, err := tx.Exec(ctx, queries.Get(name), args...); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	for _, name := range []string{"Quiet", "GoneTable"} {
		if err := run(name); err != nil {
			return err
		}
	}
	if err := run("Gone", tenantIDs(some), shape.members(some)); err != nil {
		return err
	}
	for _, name := range []string{"GoneStatistics", "DeleteTokens"} {
		if err := run(name); err != nil {
			return err
		}
	}
	for _, t := range owned {
		if _, err := tx.Exec(ctx, t.statement); err != nil {
			return fmt.Errorf("take rows away: %w", err)
		}
	}
	for _, name := range []string{"DeleteVersions", "DeleteMemberVersions", "Rehome", "Unprofile", "DeleteProfiles", "DeleteUsers", "DeleteAccounts", "DeleteOrganizations"} {
		if err := run(name); err != nil {
			return err
		}
	}
	return nil
}
