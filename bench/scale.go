package main

import (
	"context"
	_ "embed"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
)

//go:embed scale.sql
var scaleText string

var scaleQueries = database.ParseQueries(scaleText)

// population is a database of so many tenants, opened as the product opens it.
type population struct {
	tenants int
	db      *postgres.DB
	wal     *pgxpool.Pool
}

// populate makes and opens a database of n tenants. What one tenant has is the same at every size.
func (w *world) populate(ctx context.Context, n int) (*population, error) {
	d, err := w.database(ctx, fmt.Sprintf("bench_%d", n), w.load(shape{tenants: n, flags: 20, apps: 4, overrides: 3}))
	if err != nil {
		return nil, err
	}
	p := &population{tenants: n}
	if p.db, err = d.open(ctx); err != nil {
		return nil, err
	}
	if p.wal, err = pgxpool.New(ctx, d.superURL); err != nil {
		p.db.Close()
		return nil, err
	}
	return p, nil
}

func (p *population) close() {
	p.wal.Close()
	p.db.Close()
}

// operation is what one client does once, for tenant n.
type operation func(ctx context.Context, db *postgres.DB, n int) error

// as is a variant's run of op by one client, each time for another of the first among tenants.
func (p *population) as(op operation, among int) func(context.Context, int, time.Duration) (sample, error) {
	random := rand.New(rand.NewPCG(11, 13))
	return func(ctx context.Context, clients int, slice time.Duration) (sample, error) {
		before, err := p.walPosition(ctx)
		if err != nil {
			return sample{}, err
		}
		s, err := closedLoop(ctx, clients, slice, func(int) (worker, error) {
			return worker{do: func() error { return op(ctx, p.db, random.IntN(among)+1) }}, nil
		})
		if err != nil {
			return s, err
		}
		after, err := p.walPosition(ctx)
		s.WAL = (after - before) / float64(max(1, s.Count))
		return s, err
	}
}

func (p *population) walPosition(ctx context.Context) (at float64, err error) {
	err = p.wal.QueryRow(ctx, scaleQueries.Get("Wal")).Scan(&at)
	return at, err
}

// colour makes every write a change.
func colour() string { return fmt.Sprintf("#%06X", rand.IntN(1<<24)) }

func writeAsService(ctx context.Context, db *postgres.DB, n int) error {
	return db.AsService(ctx, "BenchWrite", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, scaleQueries.Get("WriteConfiguration"), tenantID(n), colour())
		if err == nil && tag.RowsAffected() != 1 {
			return pgx.ErrNoRows
		}
		return err
	})
}

func writeAsAdmin(ctx context.Context, db *postgres.DB, n int) error {
	work := &postgres.Work{Name: "BenchWrite", Writes: true}
	var written int64
	work.Query(scaleQueries.Get("WriteConfiguration"), func(rows pgx.Rows) error {
		rows.Close()
		written = rows.CommandTag().RowsAffected()
		return rows.Err()
	}, tenantID(n), colour())
	if err := db.InTenant(ctx, admin(n), "", work); err != nil {
		return err
	}
	if written != 1 {
		return fmt.Errorf("tenant %d: %d rows written", n, written)
	}
	return nil
}

func readAsAdmin(ctx context.Context, db *postgres.DB, n int) error {
	got, err := tenant.ReadContext(ctx, db, admin(n), "")
	if err == nil && got.TenantID != tenantID(n) {
		return fmt.Errorf("tenant %d: another tenant's context", n)
	}
	return err
}

const few, lots = 100, 100_000

func measureScale(ctx context.Context, w *world) (*result, error) {
	small, err := w.populate(ctx, few)
	if err != nil {
		return nil, err
	}
	defer small.close()
	large, err := w.populate(ctx, lots)
	if err != nil {
		return nil, err
	}
	defer large.close()
	operations := []struct {
		name string
		do   operation
	}{
		{"context read", readAsAdmin}, {"write by a tenant's admin", writeAsAdmin}, {"write by service_role", writeAsService},
	}
	const all, busy, base = "%s, any of 100,000", "%s, the same 100 of 100,000", "%s, any of 100"
	var variants []variant
	for _, o := range operations {
		variants = append(variants,
			variant{fmt.Sprintf(base, o.name), 1, true, small.as(o.do, few)},
			variant{fmt.Sprintf(all, o.name), 1, false, large.as(o.do, lots)},
			variant{fmt.Sprintf(busy, o.name), 1, false, large.as(o.do, few)})
	}
	measured, err := interleave(ctx, w, variants)
	if err != nil {
		return nil, err
	}
	r := &result{Series: measured}
	r.note("A write changes a tenant's configuration, raises one version and notifies at its commit. A tenant has 20 flags, 3 of them overridden, 4 apps and one admin at either size.")
	for _, o := range operations {
		of := func(format string) sample { return r.find(fmt.Sprintf(format, o.name), 1).Median }
		r.ratio(o.name+": any of 100,000 over 100", atMost, 1.3, of(all).typical()/of(base).typical())
		r.ratio(o.name+": the same 100 of 100,000 over 100", information, 0, of(busy).typical()/of(base).typical())
		r.note("%s: WAL %.0f bytes with 100 tenants, %.0f any of 100,000, %.0f the same 100 of 100,000.", o.name, of(base).WAL, of(all).WAL, of(busy).WAL)
	}
	r.plots = []plot{{Title: "Latency by number of tenants, 1 client", Unit: "ms", Bars: r.bars(1, sample.typical)}}
	return r, nil
}
