package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Service is the operators' way to the database: everything runs as service_role, which no policy
// binds. No request of a tenant goes through it.
type Service struct {
	pool *pool
}

// OpenService connects as a login that may become service_role: vital_service, or an operator's own.
// Of config it uses ServiceURL, AcquireTimeout, StatementTimeout, OnQuery and Log.
func OpenService(ctx context.Context, config Config) (*Service, error) {
	return openService(ctx, config.withDefaults(), serviceConns)
}

const (
	// serviceConns is how many transactions of operators, jobs and sign-ins run at once.
	serviceConns = 4
	// lookConns is how many looks do.
	lookConns = 2
)

func openService(ctx context.Context, config Config, maxConns int32) (*Service, error) {
	conns, err := openPool(ctx, config.ServiceURL, maxConns, config)
	if err != nil {
		return nil, err
	}
	return &Service{pool: conns}, nil
}

// Close waits for running work and closes the pool.
func (s *Service) Close() { s.pool.Close() }

// AsService runs fn in one transaction as service_role, for operators and jobs. name says what it is,
// in logs and metrics.
func (s *Service) AsService(ctx context.Context, name string, fn func(pgx.Tx) error) error {
	started := time.Now()
	var seen Observed
	var waited time.Duration
	err := s.pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) error {
		waited = time.Since(started)
		err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, queries.Get("EnterService")); err != nil {
				return fmt.Errorf("become service_role: %w", err)
			}
			return fn(tx)
		})
		if err == nil && s.pool.onCommit.Load() != nil {
			seen.Raised = readRaised(ctx, conn.Conn())
		}
		return err
	})
	if err == nil {
		s.pool.committed(ctx, seen) // which may need a connection, too
	}
	err = translate(ctx, err)
	s.pool.onQuery(ctx, Query{Name: name, Duration: time.Since(started), Waited: waited, Server: s.pool.server, Err: err})
	return err
}

// Run runs work in one transaction as service_role, in one round trip, as InTenant does for a tenant.
func (s *Service) Run(ctx context.Context, work *Work) error {
	err := s.runFrom(ctx, work, reach{least: work.Least})
	if work.Access == nil {
		return err
	}
	return recordApart(ctx, work, frame{record: recordService}, err, func(apart *Work) error {
		return s.runFrom(ctx, apart, reach{})
	})
}

// Look is Run for reads that requests wait for although they are no tenant's: whether what is remembered still holds. It
// has connections of its own, so that neither operators nor jobs nor sign-ins hold it up.
func (db *DB) Look(ctx context.Context, work *Work) error {
	return db.looks.runFrom(ctx, work, db.replicas.primaryReach(work))
}

func (s *Service) runFrom(ctx context.Context, work *Work, from reach) error {
	return s.pool.run(ctx, time.Now(), uuid.Nil, work, frame{
		scrub:    true,
		observer: "ObserveService",
		record:   recordService,
		enter: func(ctx context.Context, conn *pgx.Conn, t *turn) error {
			enter, err := backendOf(conn).statement(ctx, conn, queries.Get("EnterServiceWork"))
			if err != nil {
				return err
			}
			t.addPrepared(enter, [][]byte{s.pool.timeoutText(work.Timeout), []byte(requestID(ctx))}, nil)
			if err := requirePosition(ctx, conn, t, from); err != nil || work.Access == nil {
				return err
			}
			return requireServiceAccess(ctx, conn, t, work)
		},
	})
}

// Ready reports whether the database answers and returns the schema version it is at.
func (s *Service) Ready(ctx context.Context) (int64, error) {
	var version int64
	err := s.pool.QueryRow(ctx, queries.Get("SchemaVersion")).Scan(&version)
	return version, translate(ctx, err)
}
