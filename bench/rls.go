package main

import (
	"context"
	_ "embed"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/postgres"
)

//go:embed rls.sql
var rlsText string

var rlsQueries = database.ParseQueries(rlsText)

// rlsListed is how many agents a tenant has, and a list returns.
const rlsListed = 100

// rlsTenants make 10,000, a million and ten million agents.
var rlsTenants = []int{100, 10_000, 100_000}

// rlsSetUp is the order in which what the lists stand beside is made.
var rlsSetUp = []string{"Plain", "PlainGrant", "UsersOf", "UsersRows", "UsersGrant", "Uid", "UidGrant",
	"Assessment", "AssessmentIndex", "AssessmentEnable", "AssessmentPolicy", "AssessmentGrant", "AssessmentAnalyze"}

func (w *world) rlsDatabase(ctx context.Context, tenants int) (*target, error) {
	return w.database(ctx, fmt.Sprintf("bench_rls_%d", tenants), func(ctx context.Context, conn *pgx.Conn) error {
		if err := w.load(shape{tenants: tenants, agents: rlsListed})(ctx, conn); err != nil {
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
	nameVerified   = "no policy, where tenant_id = any (vital.readable_tenant_ids())"
	namePlain      = "no policy, where tenant_id = $1"
	nameAssessment = "the assessment's policy"

	rlsClients = 8
)

// measureRLS runs one list query in one kind of transaction, the product's own; only what binds it to the tenant
// differs. Each operation is another tenant's.
func measureRLS(ctx context.Context, w *world) (*result, error) {
	r := &result{}
	r.note("Each operation is a whole transaction (begin, enter, list, commit, in one round trip) of a random tenant and returns its %d rows.", rlsListed)
	r.note("The assessment's policy reads a copy of users without policies and an identity nobody verifies; on users itself it recurses without end (42P17).")
	curves := map[string]*line{}
	for _, tenants := range rlsTenants {
		if err := r.lists(ctx, w, tenants, curves); err != nil {
			return nil, err
		}
	}
	r.plots = []plot{{
		Title: "A list of 100 rows, 1 client", Unit: "ms", Across: "agents in the table",
		Lines: []line{*curves[nameAssessment], *curves[nameOurs], *curves[namePlain]},
	}}
	return r, nil
}

// lists measures the lists of a platform of that many tenants.
func (r *result) lists(ctx context.Context, w *world, tenants int, curves map[string]*line) error {
	d, err := w.rlsDatabase(ctx, tenants)
	if err != nil {
		return err
	}
	db, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	agents := tenants * rlsListed
	named := func(name string) string { return fmt.Sprintf("%s, %s agents", name, thousands(agents)) }
	list := func(query string, byTenant bool) variantRun {
		return w.accounted(os.Getpid(), listing(db, query, byTenant, tenants))
	}
	variants := []variant{{named(nameAssessment), 1, true, list("ListAssessment", false)}}
	for _, clients := range []int{1, rlsClients} {
		variants = append(variants,
			variant{named(nameOurs), clients, false, list("ListOurs", false)},
			variant{named(nameVerified), clients, true, list("ListVerified", false)},
			variant{named(namePlain), clients, true, list("ListPlain", true)})
	}
	all, err := interleave(ctx, w, variants)
	if err != nil {
		return err
	}
	r.Series = append(r.Series, all...)
	typical := func(name string) float64 { return r.find(named(name), 1).Median.typical() }
	work := func(name string) float64 { return r.find(named(name), 1).Median.PostgresCPU }
	r.ratio(named("latency over the same condition written out"), atMost, 1.05, typical(nameOurs)/typical(nameVerified))
	if work(nameVerified) > 0 {
		r.ratio(named("CPU of Postgres over the same condition written out"), information, 0, work(nameOurs)/work(nameVerified))
	}
	r.ratio(named("latency over a tenant nobody verifies"), atMost, 1.05, typical(nameOurs)/typical(namePlain))
	r.ratio(named("times faster than the assessment's policy"), information, 0, typical(nameAssessment)/typical(nameOurs))
	for _, name := range []string{nameAssessment, nameOurs, namePlain} {
		if curves[name] == nil {
			curves[name] = &line{Name: name, Ours: name == nameOurs}
		}
		measured := r.find(named(name), 1)
		low, high := spread(measured.Rounds, sample.typical)
		curves[name].Points = append(curves[name].Points, point{float64(agents), measured.Median.typical(), low, high})
	}
	return nil
}

// listing is a variant's run of one list query for random ones of tenants; byTenant hands it the tenant.
func listing(db *postgres.DB, query string, byTenant bool, tenants int) variantRun {
	text := rlsQueries.Get(query)
	return func(ctx context.Context, clients int, slice time.Duration) (sample, error) {
		return closedLoop(ctx, clients, slice, func(client int) (worker, error) {
			random := rand.New(rand.NewPCG(uint64(client), 7))
			return worker{do: func() error {
				n := random.IntN(tenants) + 1
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
				if count != rlsListed {
					return fmt.Errorf("%s returned %d rows, not %d", query, count, rlsListed)
				}
				return nil
			}}, nil
		})
	}
}
