package postgres

import (
	"context"
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
	var names []string
	for _, prepared := range backendOf(conn.Conn()).statements {
		names = append(names, prepared.Name)
	}
	slices.Sort(names)
	return names, nil
}

// Shapes says how many generated statements the connection the pool hands out next knows, and how many of
// all its statements the server has prepared.
func (db *DB) Shapes(ctx context.Context) (known, prepared int, err error) {
	conn, err := db.tenants.Acquire(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer conn.Release()
	back := backendOf(conn.Conn())
	for element := back.shapes.recent.Front(); element != nil; element = element.Next() {
		if element.Value.(*shape).prepared != nil {
			prepared++
		}
	}
	return back.shapes.recent.Len(), prepared, nil
}

// Owed is how long the connection is still to rest.
func (p *Pace) Owed() time.Duration { return p.owed }
