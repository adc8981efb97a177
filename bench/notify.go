package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vital-db/vital/database"
)

//go:embed notify.sql
var notifyText string

var notifyQueries = database.ParseQueries(notifyText)

// notifyShape has an app for each of those who cross, and an agent for each who writes data.
var notifyShape = shape{tenants: 100, flags: 20, apps: crossing, agents: 1}

const (
	notifyWriters   = 16
	notifyListeners = 3
	// crossing is how many write to two tenants in one transaction, half of them in the other order.
	crossing        = 8
	crossedAtLeast  = 5000
	crossedTime     = time.Minute
	crossedControl  = 5 * time.Second
	deadlockCode    = "40P01"
	namePlainWrites = "a table without triggers"
	nameNotified    = "the same, and a notification"
	nameDataWrites  = "a tenant's data: audited, nothing notified"
	nameContextSet  = "a tenant's configuration: audited, version raised, notified"
)

func (w *world) notifyDatabase(ctx context.Context) (*target, error) {
	return w.database(ctx, "bench_notify", func(ctx context.Context, conn *pgx.Conn) error {
		if err := w.load(notifyShape)(ctx, conn); err != nil {
			return err
		}
		for _, statement := range []string{"create schema bench", "grant usage on schema bench to service_role"} {
			if _, err := conn.Exec(ctx, statement); err != nil {
				return err
			}
		}
		for _, name := range []string{"Plain", "PlainRows", "PlainGrant"} {
			if _, err := conn.Exec(ctx, notifyQueries.Get(name)); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	})
}

// measureNotify asks what telling of changes costs those who commit, and whether it makes them wait in a circle.
func measureNotify(ctx context.Context, w *world) (*result, error) {
	d, err := w.notifyDatabase(ctx)
	if err != nil {
		return nil, err
	}
	byTenant := func(client int) any { return tenantID(client + 1) }
	byNumber := func(client int) any { return client + 1 }
	heard := new(atomic.Int64)
	var variants []variant
	for _, listeners := range []int{0, notifyListeners} {
		named := func(name string) string { return fmt.Sprintf("%s, %d listeners", name, listeners) }
		variants = append(variants,
			variant{named(namePlainWrites), notifyWriters, true, d.writing("WritePlain", byNumber, listeners, heard)},
			variant{named(nameNotified), notifyWriters, true, d.writing("WriteNotified", byNumber, listeners, heard)},
			variant{named(nameDataWrites), notifyWriters, false, d.writing("WriteData", byTenant, listeners, heard)},
			variant{named(nameContextSet), notifyWriters, false, d.writing("WriteContext", byTenant, listeners, heard)})
	}
	r := &result{}
	if r.Series, err = interleave(ctx, w, variants); err != nil {
		return nil, err
	}
	rate := func(name string, listeners int) float64 {
		return r.find(fmt.Sprintf("%s, %d listeners", name, listeners), notifyWriters).Median.PerSecond
	}
	r.note("Each of %d writers commits one update after another, of a tenant of their own, as service_role on a connection of their own. Listeners heard %d notifications.",
		notifyWriters, heard.Load())
	r.ratio("commits of a tenant's data over those of the plain table", information, 0, rate(nameDataWrites, 0)/rate(namePlainWrites, 0))
	r.ratio("commits with a notification over those without, plain table", information, 0, rate(nameNotified, 0)/rate(namePlainWrites, 0))
	r.ratio("commits of configurations over those of data", information, 0, rate(nameContextSet, 0)/rate(nameDataWrites, 0))
	r.ratio(fmt.Sprintf("commits of configurations with %d listeners over those without", notifyListeners), information, 0,
		rate(nameContextSet, notifyListeners)/rate(nameContextSet, 0))
	r.plots = []plot{{Title: "Commits a second, 16 writers", Unit: "per second", Bars: r.bars(notifyWriters, sample.rate)}}
	return r, r.countDeadlocks(ctx, d)
}

// writing is a variant's run of an update by writers while some listen.
func (d *target) writing(query string, key func(client int) any, listeners int, heard *atomic.Int64) func(context.Context, int, time.Duration) (sample, error) {
	return func(ctx context.Context, clients int, slice time.Duration) (_ sample, err error) {
		listening, stop := context.WithCancel(ctx)
		var running sync.WaitGroup
		defer running.Wait()
		defer stop()
		for range listeners {
			conn, err := pgx.Connect(ctx, d.serviceURL)
			if err != nil {
				return sample{}, err
			}
			defer conn.Close(context.WithoutCancel(ctx))
			if _, err := conn.Exec(ctx, notifyQueries.Get("Listen")); err != nil {
				return sample{}, err
			}
			running.Go(func() {
				for {
					if _, err := conn.WaitForNotification(listening); err != nil {
						return
					}
					heard.Add(1)
				}
			})
		}
		return closedLoop(ctx, clients, slice, func(client int) (worker, error) {
			conn, err := d.asService(ctx)
			if err != nil {
				return worker{}, err
			}
			do := func() error { return updateOne(ctx, conn, query, key(client), colour()) }
			return worker{do: do, done: func() { conn.Close(context.WithoutCancel(ctx)) }}, nil
		})
	}
}

type execer interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

func updateOne(ctx context.Context, conn execer, query string, args ...any) error {
	tag, err := conn.Exec(ctx, notifyQueries.Get(query), args...)
	if err == nil && tag.RowsAffected() != 1 {
		return fmt.Errorf("%s: %w", query, pgx.ErrNoRows)
	}
	return err
}

// countDeadlocks has transactions write to two tenants, half of them in the other order. No two of them write the same
// row, so that all they have in common is what the database keeps of the tenants: versions and heads of audit chains.
func (r *result) countDeadlocks(ctx context.Context, d *target) error {
	own := func(worker int) string { return fmt.Sprintf("app-%d", worker+1) }
	done, deadlocks, err := d.cross(ctx, crossedTime, crossedAtLeast, own)
	if err != nil {
		return err
	}
	r.note("%s transactions of %d writers wrote to the same two tenants, half in the other order, each to rows of their own: %d deadlocks.", thousands(done), crossing, deadlocks)
	r.ratio("deadlocks from versions and audit", exactly, 0, float64(deadlocks))
	same := func(int) string { return "app-1" }
	done, deadlocks, err = d.cross(ctx, crossedControl, crossedAtLeast, same)
	r.note("For comparison, the same with rows in common, which deadlock in any Postgres: %d transactions, %d deadlocks.", done, deadlocks)
	return err
}

// cross runs such transactions until there were enough, or time is up.
func (d *target) cross(ctx context.Context, most time.Duration, enough int, app func(worker int) string) (done, deadlocks int, err error) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	var committed, lost atomic.Int64
	failed := make([]error, crossing)
	var running sync.WaitGroup
	for i := range crossing {
		running.Go(func() {
			conn, err := d.asService(ctx)
			if err != nil {
				failed[i] = err
				return
			}
			defer conn.Close(context.WithoutCancel(ctx))
			for committed.Load() < int64(enough) && failed[i] == nil && ctx.Err() == nil {
				err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
					first, second := tenantID(1+i%2), tenantID(2-i%2)
					if err := updateOne(ctx, tx, "WriteApp", first, app(i), colour()); err != nil {
						return err
					}
					return updateOne(ctx, tx, "WriteApp", second, app(i), colour())
				})
				var refused *pgconn.PgError
				switch {
				case err == nil:
					committed.Add(1)
				case errors.As(err, &refused) && refused.Code == deadlockCode:
					lost.Add(1)
				case ctx.Err() == nil:
					failed[i] = err
				}
			}
		})
	}
	running.Wait()
	return int(committed.Load()), int(lost.Load()), errors.Join(failed...)
}
