package rest

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// How a catalog is kept: changes come in bursts, and anybody may send a notification.
const (
	settleTime    = 100 * time.Millisecond // a burst of changes is one
	betweenLoads  = time.Second
	retryInterval = 5 * time.Second
	doubtAfter    = 30 * time.Second // how old a catalog is before an error lets it be doubted
)

// Reload asks for the catalog to be read anew, soon. It does not wait.
func (e *Engine) Reload() {
	select {
	case e.reload <- struct{}{}:
	default: // it has been asked for
	}
}

// Follow keeps the catalog up to date until ctx ends. Requests never wait for it: they are answered with the
// catalog there is.
func (e *Engine) Follow(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.reload:
		}
		pause(ctx, settleTime)
		e.drain()
		if err := e.Load(ctx); err != nil && ctx.Err() == nil {
			e.config.Log.Warn("the catalog could not be read; the former one is kept", "error", err)
			pause(ctx, retryInterval)
			e.Reload()
		}
		pause(ctx, betweenLoads)
	}
}

func (e *Engine) drain() {
	select {
	case <-e.reload:
	default:
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// reloadAfter asks for a new catalog when an error says that the one at hand may be old.
func (e *Engine) reloadAfter(err error) {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || time.Since(e.catalog.Load().loaded) < doubtAfter {
		return
	}
	switch pgErr.Code {
	case "42P01", "42703", "42883", "42804", "42704": // no such table, column, function; other types
		e.Reload()
	}
}
