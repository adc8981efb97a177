package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Service is the operators' way to the database: everything runs as service_role, which no policy
// binds. No request of a tenant goes through it.
type Service struct {
	pool    *pgxpool.Pool
	onQuery func(context.Context, Query)
}

// OpenService connects as a login that may become service_role: vital_service, or an operator's own.
// Of config it uses ServiceURL, OnQuery and Log.
func OpenService(ctx context.Context, config Config) (*Service, error) {
	config = config.withDefaults()
	pool, err := openPool(ctx, config.ServiceURL, 4)
	if err != nil {
		return nil, err
	}
	return &Service{pool: pool, onQuery: config.OnQuery}, nil
}

// Close waits for running work and closes the pool.
func (s *Service) Close() { s.pool.Close() }

// AsService runs fn in one transaction as service_role, for operators and jobs. name says what it is,
// in logs and metrics.
func (s *Service) AsService(ctx context.Context, name string, fn func(pgx.Tx) error) error {
	started := time.Now()
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, queries.Get("EnterService")); err != nil {
			return fmt.Errorf("become service_role: %w", err)
		}
		return fn(tx)
	})
	err = translate(ctx, err)
	s.onQuery(ctx, Query{Name: name, Duration: time.Since(started), Err: err})
	return err
}

// Ready reports whether the database answers and returns the schema version it is at.
func (s *Service) Ready(ctx context.Context) (int64, error) {
	var version int64
	err := s.pool.QueryRow(ctx, queries.Get("SchemaVersion")).Scan(&version)
	return version, translate(ctx, err)
}
