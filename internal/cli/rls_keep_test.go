package cli_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/pgtest"
)

// TestRLSProve_Kept: what came of a proof of VITAL's own database is kept there, of a copy's as well, by what was attacked and not by what
// it held; of one that flags describe, or that knows nothing of proofs, nothing is.
func TestRLSProve_Kept(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	conn := d.Connect(t)
	runs := func() (lines []string) {
		rows, err := conn.Query(context.Background(), "select concat_ws(' ', check_name, status, findings > 0, duration_ms > 0) from public.list_check_runs() order by ran_at")
		require.NoError(t, err)
		lines, err = pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		return lines
	}
	prove := func(args ...string) result {
		return vital(t, []string{"VITAL_DATABASE_URL=" + d.URL}, append([]string{"rls", "prove"}, args...)...)
	}
	ok(t, prove("--copy"))
	require.Equal(t, []string{"proof ok f t"}, runs())

	d.Exec(t, "create policy open on public.prompts for select to authenticated using (true)")
	require.Contains(t, prove("--copy").err, "its schema is not that of a fresh install", "which proves nothing of it")
	require.Equal(t, 3, prove().code)
	require.Equal(t, []string{"proof ok f t", "proof findings t t"}, runs())
	var kept, keys, leaks int
	var example string
	require.NoError(t, conn.QueryRow(context.Background(), `
		select r.findings, count(distinct k), count(*) filter (where k = 'check' and f ->> 'object' = 'public.prompts'),
			max(f ->> 'detail') filter (where f ->> 'detail' like 'read the whole%' and f ->> 'object' = 'public.prompts')
		from vital.check_runs r, jsonb_array_elements(r.details) f, jsonb_object_keys(f) k where r.status = 'findings' group by r.id`).Scan(&kept, &keys, &leaks, &example))
	require.Equal(t, 3, keys, "check, object and detail")
	require.Positive(t, leaks)
	require.GreaterOrEqual(t, kept, leaks)
	require.Regexp(t, "^read the whole relation, as ", example)

	d.Exec(t, "create schema app; create table app.notes (tenant_id uuid not null, id uuid default gen_random_uuid() primary key)")
	require.NotEqual(t, 1, prove("--schema", "app", "--tenant-column", "tenant_id").code)
	require.Len(t, runs(), 2, "what flags describe is a stranger's")
}
