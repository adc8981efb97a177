package main

import (
	"context"
	_ "embed"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/postgres"
)

//go:embed rls.sql
var rlsText string

var rlsQueries = database.ParseQueries(rlsText)

// rlsShape makes 500,000 agents.
var rlsShape = shape{tenants: 5000, agents: 100}

// rlsSetUp is the order in which the copies are made.
var rlsSetUp = []string{
	"Plain", "PlainRows", "PlainGrant", "Assessment", "AssessmentRows", "AssessmentGrant",
	"UsersOf", "UsersRows", "UsersGrant", "Uid", "UidGrant", "AssessmentEnable", "AssessmentPolicy",
}

func (w *world) rlsDatabase(ctx context.Context) (*target, error) {
	return w.database(ctx, "bench_rls", func(ctx context.Context, conn *pgx.Conn) error {
		if err := w.load(rlsShape)(ctx, conn); err != nil {
			return err
		}
		for _, statement := range []string{"create schema bench", "grant usage on schema bench to authenticated, vital_api"} {
			if _, err := conn.Exec(ctx, statement); err != nil {
				return err
			}
		}
		for _, name := range rlsSetUp {
			if _, err := conn.Exec(ctx, rlsQueries.Get(name)); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	})
}

const (
	nameOurs       = "our policy"
	namePlain      = "no policy, where tenant_id = $1"
	nameAssessment = "the assessment's policy"
)

// measureRLS runs one list query in one kind of transaction, the product's own; only the table's policy
// differs. Each operation is another tenant's.
func measureRLS(ctx context.Context, w *world) (*result, error) {
	d, err := w.rlsDatabase(ctx)
	if err != nil {
		return nil, err
	}
	db, err := d.open(ctx)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	const many = 8
	ours, plain := listing(db, "ListOurs", false, 100), listing(db, "ListPlain", true, 100)
	assessment := listing(db, "ListAssessment", false, 100)
	all, err := interleave(ctx, w, []variant{
		{nameOurs, 1, false, ours}, {namePlain, 1, true, plain}, {nameAssessment, 1, true, assessment},
		{nameOurs, many, false, ours}, {namePlain, many, true, plain}, {nameAssessment, many, true, assessment},
	})
	if err != nil {
		return nil, err
	}
	r := &result{Series: all}
	r.note("%d agents of %d tenants; each operation is a whole transaction (begin, enter, list, commit, in one round trip) of a random tenant and returns its 100 rows.",
		rlsShape.tenants*rlsShape.agents, rlsShape.tenants)
	r.note("The assessment's policy reads a copy of users without policies and an identity nobody verifies; on users itself it recurses without end (42P17).")
	r.ratio("latency over that of the same query without a policy, 1 client", atMost, 1.15,
		r.find(nameOurs, 1).Median.typical()/r.find(namePlain, 1).Median.typical())
	r.ratio(fmt.Sprintf("throughput over the assessment's policy, %d clients", many), information, 0,
		r.find(nameOurs, many).Median.PerSecond/r.find(nameAssessment, many).Median.PerSecond)
	r.plots = []plot{
		{Title: fmt.Sprintf("Lists of 100 rows a second, %d clients", many), Unit: "per second, logarithmic", Log: true, Bars: r.bars(many, sample.rate)},
		{Title: "Latency, 1 client", Unit: "ms, logarithmic", Log: true, Bars: r.bars(1, sample.typical)},
	}
	return r, nil
}

// listing is a variant's run of one list query for random tenants; byTenant hands it the tenant.
func listing(db *postgres.DB, query string, byTenant bool, want int) func(context.Context, int, time.Duration) (sample, error) {
	text := rlsQueries.Get(query)
	return func(ctx context.Context, clients int, slice time.Duration) (sample, error) {
		return closedLoop(ctx, clients, slice, func(client int) (worker, error) {
			random := rand.New(rand.NewPCG(uint64(client), 7))
			return worker{do: func() error {
				n := random.IntN(rlsShape.tenants) + 1
				count := 0
				work := &postgres.Work{Name: query}
				read := func(rows pgx.Rows) error {
					for count = 0; rows.Next(); count++ {
						_ = rows.RawValues()
					}
					return rows.Err()
				}
				if byTenant {
					work.Query(text, read, tenantID(n))
				} else {
					work.Query(text, read)
				}
				if err := db.InTenant(ctx, admin(n), "", work); err != nil {
					return err
				}
				if count != want {
					return fmt.Errorf("%s returned %d rows, not %d", query, count, want)
				}
				return nil
			}}, nil
		})
	}
}
