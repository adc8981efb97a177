package main

import (
	"context"
	"crypto/md5"
	_ "embed"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/identity"
)

//go:embed load.sql
var loadText string

var loadQueries = database.ParseQueries(loadText)

// shape is how many of everything there are; apps, overrides and agents are per tenant. Tenant n has an
// admin, user n, who is a member of tenant n+1 as well.
type shape struct {
	tenants, flags, apps, overrides, agents int
}

// batch is how many tenants are loaded at a time, so that a person sees it move.
const batch = 25_000

func tenantID(n int) uuid.UUID { return md5.Sum(fmt.Appendf(nil, "tenant %d", n)) }
func userID(n int) uuid.UUID   { return md5.Sum(fmt.Appendf(nil, "user %d", n)) }

// admin is the caller who administers tenant n, their default one.
func admin(n int) identity.Caller {
	return identity.Caller{Role: identity.Authenticated, UserID: userID(n)}
}

// load fills a database with s.
func (w *world) load(s shape) func(context.Context, *pgx.Conn) error {
	return func(ctx context.Context, conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, loadQueries.Get("Flags"), s.flags); err != nil {
			return err
		}
		for first := 1; first <= s.tenants; first += batch {
			last := min(first+batch-1, s.tenants)
			if err := loadTenants(ctx, conn, s, first, last); err != nil {
				return err
			}
			if s.tenants > batch {
				w.progress("%d of %d tenants", last, s.tenants)
			}
		}
		return nil
	}
}

func loadTenants(ctx context.Context, conn *pgx.Conn, s shape, first, last int) error {
	for _, step := range []struct {
		query string
		args  []any
	}{
		{"Organizations", nil}, {"Configurations", nil}, {"Users", nil}, {"Accounts", nil}, {"Profiles", nil}, {"Versions", nil},
		{"Memberships", []any{s.tenants}}, {"Apps", []any{s.apps}}, {"Overrides", []any{s.overrides}}, {"Agents", []any{s.agents}},
	} {
		if _, err := conn.Exec(ctx, loadQueries.Get(step.query), append([]any{first, last}, step.args...)...); err != nil {
			return fmt.Errorf("%s: %w", step.query, err)
		}
	}
	return nil
}
