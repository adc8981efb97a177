package perf_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
)

// TestLoadStats counts loads of two tenants in each way, as each of those who may or may not see them.
func TestLoadStats(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, people+`
		insert into query_performance (tenant_id, query_name, query_type, duration_us, cache_hit)
			select 'aaaaaaaa-0000-4000-8000-000000000000', 'tenant_context', 'tenant_context', n * 1000, n <= 25 from generate_series(1, 100) n;
		insert into query_performance (tenant_id, query_name, duration_us, weight, success, error_code) values
			('aaaaaaaa-0000-4000-8000-000000000000', 'agents.select', 9000, 1, false, null),
			('bbbbbbbb-0000-4000-8000-000000000000', 'agents.select', 2500, 199, true, null),
			('bbbbbbbb-0000-4000-8000-000000000000', 'agents.select', 1234567, 1, false, 'statement_timeout'),
			('cccccccc-0000-4000-8000-000000000000', 'agents.select', 1000, 1, true, null);
		insert into query_performance (tenant_id, query_name, duration_us, created_at) values
			('aaaaaaaa-0000-4000-8000-000000000000', 'old', 7, now() - interval '3 days');`)
	db := d.Open(t, postgres.Config{})
	ask := func(user, text string) (lines []string, err error) {
		work := &postgres.Work{Name: "LoadStats", Member: true}
		work.Query(text, func(rows pgx.Rows) (err error) { lines, err = pgx.CollectRows(rows, pgx.RowTo[string]); return err })
		return lines, db.InTenant(context.Background(), identity.Caller{UserID: uuid.MustParse(user), Role: identity.Authenticated}, "", work)
	}
	of := func(user, arguments string) []string {
		t.Helper()
		lines, err := ask(user, "select concat_ws(' ', label, loads, total_time_ms, avg_time_ms, p50_time_ms, p99_time_ms, max_time_ms, cache_hit_rate, error_rate) from public.get_load_stats("+arguments+")")
		require.NoError(t, err)
		return lines
	}
	const tenantAID, tenantBID = "'aaaaaaaa-0000-4000-8000-000000000000'", "'bbbbbbbb-0000-4000-8000-000000000000'"
	ofA := []string{"tenant_context 100 5050.0 50.50 50.0 99.0 100.000 25.00 0.00", "agents.select 1 9.0 9.00 9.00 9.00 9.000 0.00 100.00"}
	ofB := []string{"agents.select 200 1732.0 8.66 2.50 2.50 1234.567 0.00 0.50"}
	require.Equal(t, ofA, of(adaID, ""))
	require.Equal(t, ofA, of(adaID, "24, 'query', "+tenantAID))
	require.Empty(t, of(adaID, "24, 'query', "+tenantBID), "naming another tenant shows nothing of it")
	require.Equal(t, ofB, of(bobID, ""))
	require.Empty(t, of(dana, ""), "a member sees nobody's")
	require.Equal(t, ofA, of(root, "24, 'query', "+tenantAID), "a super admin sees of one tenant what its admins see")
	require.Len(t, of(root, ""), 2)
	require.Equal(t, []string{"unknown 1 9.0 9.00 9.00 9.00 9.000 0.00 100.00"}, of(adaID, "24, 'code'"))
	require.Equal(t, []string{"statement_timeout 1 1234.6 1234.57 1230 1230 1234.567 0.00 100.00"}, of(root, "24, 'code', "+tenantBID))
	require.Equal(t, []string{"all 200 1732.0 8.66 2.50 2.50 1234.567 0.00 0.50"}, of(bobID, "24, 'all'"))
	for _, wrong := range []string{"0", "8785", "null", "24, 'tenant'", "24, null"} {
		_, err := ask(adaID, "select label from public.get_load_stats("+wrong+")")
		require.Equal(t, fault.Invalid, fault.CodeOf(err), wrong)
	}

	const tenants = "select concat_ws(' ', coalesce(slug, '-'), loads, total_time_ms, p50_time_ms, max_time_ms, cache_hit_rate, error_rate) from public.get_tenant_load_stats("
	lines, err := ask(root, tenants+")")
	require.NoError(t, err)
	require.Equal(t, []string{"bolt 200 1732.0 2.50 1234.567 0.00 0.50", "acme 101 5059.0 50.0 100.000 24.75 0.99", "- 1 1.0 1.00 1.000 0.00 0.00"}, lines)
	for _, user := range []string{adaID, dana} {
		_, err := ask(user, tenants+")")
		require.Equal(t, fault.PermissionDenied, fault.CodeOf(err))
	}
	_, err = ask(root, tenants+"0)")
	require.Equal(t, fault.Invalid, fault.CodeOf(err))
}
