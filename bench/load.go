package main

import (
	"context"
	_ "embed"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/population"
)

//go:embed load.sql
var loadText string

var loadQueries = database.ParseQueries(loadText)

// shape is how many of everything there are; apps, overrides and agents are per tenant. Tenant n has an
// admin, user n, who is a member of tenant n+1 as well.
type shape struct {
	tenants, flags, apps, overrides, agents int
}

func tenantID(n int) uuid.UUID { return population.TenantID(n) }
func userID(n int) uuid.UUID   { return population.UserID(n) }

// admin is the caller who administers tenant n, their default one.
func admin(n int) identity.Caller {
	return identity.Caller{Role: identity.Authenticated, UserID: userID(n)}
}

// population is s as `vital bench load` makes it, without the histories that would be measured by nothing.
func (s shape) population() population.Shape {
	return population.Shape{Tenants: s.tenants, Members: 1, Flags: s.flags, Apps: s.apps, Overrides: s.overrides, Agents: s.agents}
}

// load fills a database with s.
func (w *world) load(s shape) func(context.Context, *pgx.Conn) error {
	return w.populateWith(s.population())
}

// populateWith fills a database with s.
func (w *world) populateWith(s population.Shape) func(context.Context, *pgx.Conn) error {
	return func(ctx context.Context, conn *pgx.Conn) error {
		told := 0
		return population.Load(ctx, conn, s, func(done int) {
			if done-told >= 50_000 || done == s.Tenants && told > 0 {
				told = done
				w.progress("%d of %d tenants", done, s.Tenants)
			}
		})
	}
}
