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

// Read returns those of tenants, from the database, and remembers them. A tenant without a configuration has none.
func (t *Throttles) Read(ctx context.Context, tenants []uuid.UUID) (map[uuid.UUID]fair.Limits, error) {
	began := t.memory.Now()
	read := make(map[uuid.UUID]cache.Loaded[fair.Limits], len(tenants))
	work := &postgres.Work{Name: "ThrottlesRead"}
	work.Query(throttleQueries.Get("Throttles"), func(rows pgx.Rows) error {
		var id uuid.UUID
		var limits fair.Limits
		var version int64
		_, err := pgx.ForEachRow(rows, []any{&id, &limits.PerSecond, &limits.AtOnce, &version}, func() error {
			read[id] = cache.Loaded[fair.Limits]{
				Value: limits, Bytes: throttleBytes, Versions: []cache.Change{{Scope: cache.Scope{Kind: cache.Tenant, Key: id}, Version: version}},
			}
			return nil
		})
		return err
	}, tenants)
	if err := t.db.Look(ctx, work); err != nil {
		return nil, err
	}
	limits := make(map[uuid.UUID]fair.Limits, len(read))
	for id, loaded := range read {
		t.memory.Offer(id, loaded, began)
		limits[id] = loaded.Value
	}
	return limits, nil
}
