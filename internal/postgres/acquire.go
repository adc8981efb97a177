package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/vital-db/vital/internal/fair"
	"github.com/vital-db/vital/internal/fault"
)

// lease is a connection of a pool for one user of it, with their turn at having one.
type lease struct {
	taken *pgxpool.Conn
	turn  *fair.Turn // nil where nobody takes turns
}

// Conn is the connection.
func (l *lease) Conn() *pgx.Conn { return l.taken.Conn() }

// Release gives both back.
func (l *lease) Release() {
	l.taken.Release()
	if l.turn != nil {
		l.turn.Done()
	}
}

// acquire takes a connection, waiting no longer than the pool allows. Where tenants take turns, that is for the turn: there is a
// connection then, or it is being made.
func (p *pool) acquire(ctx context.Context) (*lease, error) {
	held := &lease{}
	if p.queue != nil {
		var err error
		if held.turn, err = p.queue.Take(ctx, fair.ClaimOf(ctx), p.acquireTimeout); err != nil {
			return nil, refused(ctx, err)
		}
	}
	waiting, cancel := context.WithTimeout(ctx, p.acquireTimeout)
	defer cancel()
	var err error
	if held.taken, err = p.Acquire(waiting); err == nil {
		return held, nil
	}
	if held.turn != nil {
		held.turn.Done()
	}
	var connectErr *pgconn.ConnectError
	switch {
	case ctx.Err() != nil:
		return nil, err
	case waiting.Err() != nil && !errors.As(err, &connectErr):
		return nil, exhausted(err)
	}
	return nil, unavailable(err)
}

// acquireTimed is acquire, noting how long that took.
func (p *pool) acquireTimed(ctx context.Context, run *attempted) (*lease, error) {
	started := time.Now()
	held, err := p.acquire(ctx)
	run.waited = time.Since(started)
	return held, err
}

// refused is why there was no turn, for the caller: only what is their own tenant's doing is told as that.
func refused(ctx context.Context, err error) error {
	var rejected *fair.RejectedError
	switch {
	case ctx.Err() != nil:
		return err
	case errors.As(err, &rejected):
		return fault.Wrap(err, fault.TenantOverLimit, "Too many requests of yours are in the database, or wait for it.",
			"Wait as long as Retry-After says, and ask for less at once: those of one tenant count together, up to its share or limits.concurrent_requests.")
	}
	return exhausted(err)
}

func exhausted(err error) error {
	return fault.Wrap(err, fault.PoolExhausted, "All database connections are busy.",
		"Try again shortly; if it stays, operators raise the pool's size or find what holds it.")
}
