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
	"github.com/vital-db/vital/internal/population"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
)

//go:embed scale.sql
var scaleText string

var scaleQueries = database.ParseQueries(scaleText)

// populated is a database of so many tenants, opened as the product opens it.
type populated struct {
	tenants int
	db      *postgres.DB
	wal     *pgxpool.Pool

	contexts *tenant.Contexts // once remember was called
	weight   float64          // bytes of one of them
	forget   func()
}

// scaleShape is what tenants have at every size, with the histories they would have.
func scaleShape(n int) population.Shape {
	return population.Shape{Tenants: n, Members: 1, Flags: 20, Apps: 4, Overrides: 3, Recorded: true}
}

// populate makes and opens a database of n tenants. What one tenant has is the same at every size.
func (w *world) populate(ctx context.Context, n int) (*populated, error) {
	d, err := w.database(ctx, fmt.Sprintf("bench_%d", n), w.populateWith(scaleShape(n)))
	if err != nil {
		return nil, err
	}
	p := &populated{tenants: n}
	if p.db, err = d.open(ctx); err != nil {
		return nil, err
	}
	if p.wal, err = pgxpool.New(ctx, d.superURL); err != nil {
		p.db.Close()
		return nil, err
	}
	return p, nil
}

func (p *populated) close() {
	if p.forget != nil {
		p.forget()
	}
	p.wal.Close()
	p.db.Close()
}

// operation is what one client does once, for tenant n.
type operation func(ctx context.Context, db *postgres.DB, n int) error

// as is a variant's run of op by one client, each time for another of the first among tenants.
func (p *populated) as(op operation, among int) func(context.Context, int, time.Duration) (sample, error) {
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

func (p *populated) walPosition(ctx context.Context) (at float64, err error) {
	err = p.wal.QueryRow(ctx, scaleQueries.Get("Wal")).Scan(&at)
	return at, err
}

// colour makes every write a change.
func colour() string { return fmt.Sprintf("#%06X", rand.IntN(1<<24)) }

func writeAsService(ctx context.Context, db *postgres.DB, n int) error {
	return paint(ctx, db, n, colour())
}

// paint gives tenant n a colour, as service_role.
func paint(ctx context.Context, db *postgres.DB, n int, colour string) error {
	return db.AsService(ctx, "BenchWrite", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, scaleQueries.Get("WriteConfiguration"), tenantID(n), colour)
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

const few, lots = 1000, 1_000_000

// remembered is how many contexts are weighed at either size.
const remembered = 1000

// most is how many tenants the larger database has: lots, unless the run says another number.
func (w *world) most() int {
	if w.tenants > 0 {
		return w.tenants
	}
	return lots
}

func measureScale(ctx context.Context, w *world) (*result, error) {
	small, err := w.populate(ctx, few)
	if err != nil {
		return nil, err
	}
	defer small.close()
	large, err := w.populate(ctx, w.most())
	if err != nil {
		return nil, err
	}
	defer large.close()
	operations := []struct {
		name string
		do   operation
	}{
		{"context read, nothing in memory", readAsAdmin}, {"write by a tenant's admin", writeAsAdmin}, {"write by service_role", writeAsService},
	}
	many := thousands(w.most())
	all, busy, base := "%s, any of "+many, "%s, the same 1,000 of "+many, "%s, any of 1,000"
	var variants []variant
	for _, o := range operations {
		variants = append(variants,
			variant{fmt.Sprintf(base, o.name), 1, true, small.as(o.do, few)},
			variant{fmt.Sprintf(all, o.name), 1, false, large.as(o.do, w.most())},
			variant{fmt.Sprintf(busy, o.name), 1, false, large.as(o.do, few)})
	}
	const evicted = "a write is seen in memory"
	for _, p := range []*populated{small, large} {
		if err := p.remember(ctx); err != nil {
			return nil, err
		}
		name := fmt.Sprintf(base, evicted)
		if p == large {
			name = fmt.Sprintf(all, evicted)
		}
		variants = append(variants, variant{name, 1, p == small, p.evictions})
	}
	measured, err := interleave(ctx, w, variants)
	if err != nil {
		return nil, err
	}
	r := &result{Series: measured}
	r.note("A write changes a tenant's configuration, raises one version and notifies at its commit. A tenant has 20 flags, 3 of them overridden, 4 apps and one admin at either size.")
	for _, o := range operations {
		of := func(format string) sample { return r.find(fmt.Sprintf(format, o.name), 1).Median }
		r.ratio(o.name+": any of "+many+" over 1,000", atMost, 1.2, of(all).typical()/of(base).typical())
		r.ratio(o.name+": the same 1,000 of "+many+" over 1,000", information, 0, of(busy).typical()/of(base).typical())
		r.note("%s: WAL %.0f bytes with 1,000 tenants, %.0f any of %s, %.0f the same 1,000 of them.", o.name, of(base).WAL, of(all).WAL, many, of(busy).WAL)
	}
	r.ratio("from a write's commit until memory shows it: any of "+many+" over 1,000", atMost, 1.2,
		r.find(fmt.Sprintf(all, evicted), 1).Median.typical()/r.find(fmt.Sprintf(base, evicted), 1).Median.typical())
	r.ratio("memory of a remembered context: with "+many+" tenants over 1,000", atMost, 1.2, large.weight/small.weight)
	r.note("A remembered context takes %.0f bytes with 1,000 tenants, and %.0f with %s.", small.weight, large.weight, many)
	r.plots = []plot{{Title: "Latency by number of tenants, 1 client", Unit: "ms", Bars: r.bars(1, sample.typical)}}
	return r, nil
}
