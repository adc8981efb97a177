package archive

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// accounts are the tables that have a row for each user, whichever tenants they are in. A tenant's archive has those of its members.
var accounts = map[string]bool{"public.users": true, "public.profiles": true}

// Scope returns the tables that have rows of tenants, and the names of those that say of no row whose it is.
func Scope(ctx context.Context, tx pgx.Tx) (tables []Table, shared []string, err error) {
	rows, err := tx.Query(ctx, queries.Get("Scope"))
	if err != nil {
		return nil, nil, fmt.Errorf("find tenants' tables: %w", err)
	}
	shared = []string{}
	var t Table
	var columns, types []string
	_, err = pgx.ForEachRow(rows, []any{&t.Schema, &t.Name, &t.TenantColumn, &t.Key, &columns, &types}, func() error {
		found := t
		for i, name := range columns {
			found.Columns = append(found.Columns, Column{name, types[i]})
		}
		switch {
		case accounts[found.String()]:
			found.TenantColumn = ""
			tables = append(tables, found)
		case found.TenantColumn == "":
			shared = append(shared, found.String())
		default:
			tables = append(tables, found)
		}
		t.Columns = nil
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("find tenants' tables: %w", err)
	}
	return tables, shared, nil
}

// statement is the query for a tenant's rows of the table. A table without a primary key is sorted by its columns' text: the same rows are
// in the same order then, too.
func (t Table) statement() string {
	table := pgx.Identifier{t.Schema, t.Name}.Sanitize()
	if t.TenantColumn == "" {
		return strings.ReplaceAll(queries.Get("ReadMembers"), "{table}", table)
	}
	order := "pg_catalog.to_jsonb(t)::text"
	if len(t.Key) > 0 {
		quoted := make([]string, len(t.Key))
		for i, name := range t.Key {
			quoted[i] = "t." + pgx.Identifier{name}.Sanitize()
		}
		order = strings.Join(quoted, ", ")
	}
	return strings.NewReplacer("{table}", table, "{tenant_column}", pgx.Identifier{t.TenantColumn}.Sanitize(), "{order}", order).Replace(queries.Get("Read"))
}
