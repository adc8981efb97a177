package perf_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
)

// TestTimeline counts loads in spans of an hour, as each of those who may or may not see them.
func TestTimeline(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, people+`
		insert into query_performance (tenant_id, query_name, duration_us, cache_hit, created_at)
			select 'aaaaaaaa-0000-4000-8000-000000000000', 'tenant_context', n * 1000, n <= 25, date_trunc('hour', now()) - interval '30 min' from generate_series(1, 100) n;
		insert into query_performance (tenant_id, query_name, duration_us, weight, success, error_code, created_at) values
			('bbbbbbbb-0000-4000-8000-000000000000', 'agents.select', 2500, 99, true, null, date_trunc('hour', now()) - interval '1 hour'),
			('bbbbbbbb-0000-4000-8000-000000000000', 'agents.select', 1234567, 1, false, 'statement_timeout', date_trunc('hour', now())),
			('bbbbbbbb-0000-4000-8000-000000000000', 'agents.select', 1, 1, true, null, date_trunc('hour', now()) - interval '3 hours 1 microsecond'),
			('bbbbbbbb-0000-4000-8000-000000000000', 'agents.select', 1, 1, true, null, date_trunc('hour', now()) + interval '1 hour');`)
	db := d.Open(t, postgres.Config{})
	ask := func(user, text string) (lines []string, err error) {
		work := &postgres.Work{Name: "Timeline", Member: true}
		work.Query(text, func(rows pgx.Rows) (err error) { lines, err = pgx.CollectRows(rows, pgx.RowTo[string]); return err })
		return lines, db.InTenant(context.Background(), identity.Caller{UserID: uuid.MustParse(user), Role: identity.Authenticated}, "", work)
	}
	of := func(user string) string {
		t.Helper()
		lines, err := ask(user, `select concat_ws(' ', extract(epoch from date_trunc('hour', now()) - bucket_start)::integer / 3600, loads, coalesce(p50_time_ms::text, '-'),
			coalesce(p95_time_ms::text, '-'), coalesce(p99_time_ms::text, '-'), coalesce(cache_hit_rate::text, '-'), coalesce(error_rate::text, '-')) from public.get_load_timeline(4, 4)`)
		require.NoError(t, err)
		return strings.Join(lines, "\n")
	}
	const none3, none2, none1, none0 = "3 0 - - - - -\n", "2 0 - - - - -\n", "1 0 - - - - -\n", "0 0 - - - - -"
	require.Equal(t, none3+none2+"1 100 50.0 95.0 99.0 25.00 0.00\n"+none0, of(adaID))
	require.Equal(t, none3+none2+"1 99 2.50 2.50 2.50 0.00 0.00\n"+"0 1 1230 1230 1230 0.00 100.00", of(bobID))
	require.Equal(t, none3+none2+none1+none0, of(dana), "a member sees nobody's")
	require.Contains(t, of(root), "1 199 2.50 91.0 99.0 12.56 0.00\n0 1 1230")

	for user, loads := range map[string]string{root: "100", bobID: "0"} {
		lines, err := ask(user, "select sum(loads)::text from public.get_load_timeline(4, 4, 'aaaaaaaa-0000-4000-8000-000000000000')")
		require.NoError(t, err)
		require.Equal(t, []string{loads}, lines, "a super admin sees one tenant's alone, and naming another's shows nothing of it")
	}
	lines, err := ask(adaID, "select concat_ws(' ', count(*), max(bucket_start) <= now(), max(bucket_start) > now() - interval '15 min', sum(loads)) from public.get_load_timeline()")
	require.NoError(t, err)
	require.Equal(t, []string{"96 t t 100"}, lines)
	for _, odd := range []int{1, 7, 11, 499, 500} {
		lines, err = ask(root, fmt.Sprintf("select concat_ws(' ', count(*), sum(loads)) from public.get_load_timeline(48, %d)", odd))
		require.NoError(t, err)
		require.Equal(t, []string{fmt.Sprintf("%d %d", odd, inSpans(t, db, 48, odd))}, lines, "every load is in one span")
	}
	for _, wrong := range []string{"0, 96", "8785, 96", "null, 96", "24, 0", "24, 501", "24, null"} {
		_, err := ask(adaID, "select loads::text from public.get_load_timeline("+wrong+")")
		require.Equal(t, fault.Invalid, fault.CodeOf(err), wrong)
	}
}

// inSpans is how many loads there are since the first span began, until the last ends.
func inSpans(t *testing.T, db *postgres.DB, hours, spans int) (n int) {
	t.Helper()
	length := time.Duration(float64(hours) * float64(time.Hour) / float64(spans)).Round(time.Microsecond)
	require.NoError(t, db.AsService(context.Background(), "InSpans", func(tx pgx.Tx) error {
		return tx.QueryRow(context.Background(), `select coalesce(sum(weight), 0)::int from query_performance, (select date_bin($1::interval, now(), 'epoch') as last) l
			where created_at >= last - ($2 - 1) * $1::interval and created_at < last + $1::interval`, length, spans).Scan(&n)
	}))
	return n
}
