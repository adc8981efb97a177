package perf_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/perf"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
)

// TestJobs_AreNoLoads records on a quiet server ten times as many jobs as loads, some of them failed and slow: figures over loads are of what
// somebody asked for alone, and where queries are listed one by one jobs stand by their name.
func TestJobs_AreNoLoads(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, people+`
		insert into query_performance (tenant_id, query_name, query_type, duration_us, cache_hit, created_at) values
			('`+platform+`', 'tenant_context', 'tenant_context', 1000, true, date_trunc('hour', now())),
			('`+platform+`', 'told', null, 3000, false, date_trunc('hour', now()));
		insert into query_performance (tenant_id, query_name, query_type, duration_us, success, error_code, request_id, created_at)
			select '`+platform+`', 'job.FlagChangesApply', 'job', 900000, n > 2, case when n <= 2 then 'internal' end, case when n = 1 then 'of-a-job' else '' end, date_trunc('hour', now())
			from generate_series(1, 20) n;`)
	db := d.Open(t, postgres.Config{})
	bySuper := func(text string) (lines []string) {
		t.Helper()
		work := &postgres.Work{Name: "Jobs", Member: true}
		work.Query(text, func(rows pgx.Rows) (err error) { lines, err = pgx.CollectRows(rows, pgx.RowTo[string]); return err })
		require.NoError(t, db.InTenant(context.Background(), identity.Caller{UserID: uuid.MustParse(root), Role: identity.Authenticated}, "", work))
		return lines
	}
	const figures = "concat_ws(' ', label, loads, max_time_ms, cache_hit_rate, error_rate)"
	job, loads := " 20 900.000 0.00 10.00", []string{"told 1 3.000 0.00 0.00", "tenant_context 1 1.000 100.00 0.00"}
	require.Equal(t, append([]string{"job.FlagChangesApply" + job}, loads...), bySuper("select "+figures+" from public.get_load_stats(24, 'query')"))
	require.Equal(t, append([]string{"job" + job}, loads...), bySuper("select "+figures+" from public.get_load_stats(24, 'type')"))
	require.Equal(t, []string{"all 2 3.000 50.00 0.00"}, bySuper("select "+figures+" from public.get_load_stats(24, 'all')"))
	require.Empty(t, bySuper("select "+figures+" from public.get_load_stats(24, 'code')"), "no load has failed")
	require.Equal(t, []string{"2 3.000 50.00 0.00"}, bySuper("select concat_ws(' ', loads, max_time_ms, cache_hit_rate, error_rate) from public.get_tenant_load_stats()"))
	require.Equal(t, []string{"2 3.00 50.00 0.00"}, bySuper("select concat_ws(' ', loads, p99_time_ms, cache_hit_rate, error_rate) from public.get_load_timeline(4, 4) order by bucket_start desc limit 1"))
	require.Equal(t, []string{"job.FlagChangesApply", "told", "tenant_context"}, bySuper("select query_name from public.get_query_performance_stats()"))

	require.NoError(t, db.AsService(context.Background(), "Jobs", func(tx pgx.Tx) error {
		since := time.Now().Add(-2 * time.Hour)
		names := func(what perf.Which) (names []string) {
			what.Limit = 3
			records, err := perf.Slowest(context.Background(), tx, since, what)
			require.NoError(t, err)
			for _, r := range records {
				names = append(names, r.Name+" "+r.Code)
			}
			return names
		}
		require.Equal(t, []string{"told ", "tenant_context "}, names(perf.Which{}))
		require.Empty(t, names(perf.Which{Failed: true}))
		require.Equal(t, []string{"job.FlagChangesApply internal", "job.FlagChangesApply internal"}, names(perf.Which{Failed: true, Jobs: true}))
		require.Len(t, names(perf.Which{Jobs: true}), 3)
		require.Empty(t, names(perf.Which{Jobs: true, Tenant: &tenantA}))

		found, err := perf.Why(context.Background(), tx, "of-a-job", time.Minute)
		require.NoError(t, err)
		require.Equal(t, "job.FlagChangesApply failed", found[0].Load.Name+" "+found[0].Verdict)
		return nil
	}))
}

// TestJobs_AreTheServersToSay: what a member records of their own is a load, and cannot be hidden among jobs.
func TestJobs_AreTheServersToSay(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, people)
	db := d.Open(t, postgres.Config{})
	for _, table := range []string{"query_performance", "query_performance_log"} {
		insert := func(kind string) error {
			work := &postgres.Work{Name: "Insert", Writes: true}
			work.Query(fmt.Sprintf("insert into public.%s (tenant_id, user_id, query_type) values ('%s', '%s', '%s')", table, tenantA, dana, kind), nil)
			return db.InTenant(context.Background(), identity.Caller{UserID: uuid.MustParse(dana), Role: identity.Authenticated}, "", work)
		}
		require.NoError(t, insert("jobs"))
		require.Equal(t, fault.PermissionDenied, fault.CodeOf(insert("job")), table)
	}
}
