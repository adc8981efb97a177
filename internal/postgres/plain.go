package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Plain is a database that keeps its own rules: a transaction takes on a role and some settings, and nothing
// is sealed. It serves databases that are not VITAL's; no tenant of VITAL is reached through it.
type Plain struct {
	pool *pool
}

// OpenPlain connects. Of config it uses URL, MaxConns, AcquireTimeout, OnQuery and Log.
func OpenPlain(ctx context.Context, config Config) (*Plain, error) {
	config = config.withDefaults()
	conns, err := openPool(ctx, config.URL, config.MaxConns, config)
	if err != nil {
		return nil, err
	}
	return &Plain{pool: conns}, nil
}

// Close waits for running work and closes the pool.
func (p *Plain) Close() { p.pool.Close() }

// Run runs work in one transaction with settings, the role among them, in one round trip.
func (p *Plain) Run(ctx context.Context, settings []Setting, work *Work) error {
	return p.pool.run(ctx, time.Now(), uuid.Nil, work, frame{
		enter: func(ctx context.Context, conn *pgx.Conn, t *turn) error {
			if work.Timeout > 0 {
				settings = append(settings, Setting{"statement_timeout", string(p.pool.timeoutText(work.Timeout))})
			}
			return addSettings(ctx, conn, t, settings)
		},
	})
}

// Read runs fn in one transaction as whoever the URL logs in.
func (p *Plain) Read(ctx context.Context, fn func(pgx.Tx) error) error {
	return translate(ctx, pgx.BeginTxFunc(ctx, p.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, fn))
}

// Listen is Service.Listen.
func (p *Plain) Listen(ctx context.Context, channel string, heard func(payload string), current func(at time.Time), lost func()) {
	p.pool.listen(ctx, channel, heard, current, lost)
}
