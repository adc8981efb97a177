package tenant

import (
	"context"
	_ "embed"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/cache"
	"github.com/vital-db/vital/internal/fair"
	"github.com/vital-db/vital/internal/postgres"
)

//go:embed throttle.sql
var throttleText string

var throttleQueries = database.ParseQueries(throttleText)

// Throttles are what tenants may take of the server: requests_per_second and concurrent_requests of their limits,
// remembered until they change.
type Throttles struct {
	db     *postgres.DB
	memory *cache.Memory[uuid.UUID, fair.Limits]
}

// throttleBytes is about what one tenant's take beside an entry.
const throttleBytes = scopeBytes + 32

// NewThrottles remembers at most about bytes of them.
func NewThrottles(db *postgres.DB, follower *cache.Follower, bytes uint64) *Throttles {
	return &Throttles{db: db, memory: cache.NewMemory[uuid.UUID, fair.Limits](follower, bytes)}
}

// Recall returns a tenant's where they are remembered and still true.
func (t *Throttles) Recall(tenantID uuid.UUID) (fair.Limits, bool) { return t.memory.Recall(tenantID) }

// Read returns a tenant's, from the database where they are not remembered. A tenant without a configuration has none.
func (t *Throttles) Read(ctx context.Context, tenantID uuid.UUID) (fair.Limits, error) {
	return t.memory.Get(ctx, tenantID, func(ctx context.Context) (loaded cache.Loaded[fair.Limits], err error) {
		var version int64
		work := &postgres.Work{Name: "ThrottlesRead"}
		work.Query(throttleQueries.Get("Throttles"), func(rows pgx.Rows) error {
			_, err := pgx.ForEachRow(rows, []any{&loaded.Value.PerSecond, &loaded.Value.AtOnce, &version}, func() error { return nil })
			return err
		}, tenantID)
		err = t.db.Look(ctx, work)
		loaded.Versions = []cache.Change{{Scope: cache.Scope{Kind: cache.Tenant, Key: tenantID}, Version: version}}
		loaded.Bytes = throttleBytes
		return loaded, err
	})
}
