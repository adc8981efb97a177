package main

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
)

//go:embed waterfall.sql
var waterfallText string

var waterfallQueries = database.ParseQueries(waterfallText)

// waterfall is a variant's run of the seven queries. It is kind to them: a direct connection that is
// kept, prepared statements, no row-level security, no HTTP, and no answer is decoded.
func waterfall(d *target, user, tenant uuid.UUID) func(context.Context, int, time.Duration) (sample, error) {
	steps := []struct {
		query string
		key   uuid.UUID
	}{
		{"Session", user}, {"Profile", user}, {"User", user}, {"Organization", tenant},
		{"Configuration", tenant}, {"Apps", tenant}, {"Flags", tenant},
	}
	return func(ctx context.Context, clients int, slice time.Duration) (sample, error) {
		return closedLoop(ctx, clients, slice, func(int) (worker, error) {
			conn, err := d.asService(ctx)
			if err != nil {
				return worker{}, err
			}
			do := func() error {
				for _, step := range steps {
					if err := readAll(ctx, conn, waterfallQueries.Get(step.query), step.key); err != nil {
						return fmt.Errorf("%s: %w", step.query, err)
					}
				}
				return nil
			}
			return worker{do: do, done: func() { conn.Close(context.WithoutCancel(ctx)) }}, nil
		})
	}
}

// emptyQuery is a variant's run of what a round trip costs by itself.
func emptyQuery(d *target) func(context.Context, int, time.Duration) (sample, error) {
	return func(ctx context.Context, clients int, slice time.Duration) (sample, error) {
		return closedLoop(ctx, clients, slice, func(int) (worker, error) {
			conn, err := d.asService(ctx)
			if err != nil {
				return worker{}, err
			}
			do := func() error { return readAll(ctx, conn, waterfallQueries.Get("Empty"), true) }
			return worker{do: do, done: func() { conn.Close(context.WithoutCancel(ctx)) }}, nil
		})
	}
}

// asService is a connection that acts as service_role from the start.
func (d *target) asService(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.Connect(ctx, d.serviceURL)
	if err != nil {
		return nil, err
	}
	_, err = conn.Exec(ctx, "set role service_role")
	return conn, err
}

// readAll reads every row and fails when there is none: a query that finds nothing measures nothing.
func readAll(ctx context.Context, conn *pgx.Conn, query string, args ...any) error {
	rows, err := conn.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	count, size := 0, 0
	for rows.Next() {
		count++
		for _, value := range rows.RawValues() {
			size += len(value)
		}
	}
	if rows.Err() == nil && (count == 0 || size == 0) {
		return pgx.ErrNoRows
	}
	return rows.Err()
}
