package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Snapshot is AsService for reading much: fn sees one state of the database throughout, may write nothing, and no statement of it is ended for taking
// long; ctx bounds it. It keeps a connection of the few there are, and old rows from being cleared away, for as long as it runs: callers see to it
// that few run at once.
func (s *Service) Snapshot(ctx context.Context, name string, fn func(pgx.Tx) error) error {
	started := time.Now()
	var waited time.Duration
	err := s.pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) error {
		waited = time.Since(started)
		return pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, queries.Get("EnterSnapshot")); err != nil {
				return fmt.Errorf("become service_role: %w", err)
			}
			return fn(tx)
		})
	})
	err = translate(ctx, err)
	s.pool.onQuery(ctx, Query{Name: name, Duration: time.Since(started), Waited: waited, Server: s.pool.server, Err: err})
	return err
}
