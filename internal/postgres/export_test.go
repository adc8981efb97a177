package postgres

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/vital-db/vital/internal/identity"
)

// Seal makes a seal as the server would, at any time and for any backend.
func (db *DB) Seal(caller identity.Caller, tenant string, now time.Time, pid uint32) string {
	return db.sealer.seal(caller, tenant, now, pid)
}

// KeyID names the key the server seals with.
func (db *DB) KeyID() string { return db.sealer.key.Load().id }

// SealTTL is how long a seal is good.
const SealTTL = sealTTL

// StatementNames lists the prepared statements of the connection the pool hands out next.
func (db *DB) StatementNames(ctx context.Context) ([]string, error) {
	conn, err := db.tenants.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	return slices.Sorted(maps.Values(backendOf(conn.Conn()).statements)), nil
}
