package jobs_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/jobs"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
)

// logged collects what is logged, by several at once.
type logged struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

func value[T any](t *testing.T, conn *pgx.Conn, text string) T {
	t.Helper()
	rows, err := conn.Query(context.Background(), text)
	require.NoError(t, err)
	got, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	require.NoError(t, err)
	return got
}

// TestRun has two servers of one database make what is due and forget what is old, as the service login.
func TestRun(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, `
		insert into feature_flags (flag_key) values ('dark');
		insert into feature_flag_changes (feature_flag_id, changes, run_at)
		select id, jsonb_build_object('description', n), now() + interval '1 s' from feature_flags, generate_series(1, 250) n;
		insert into tenant_feature_flag_usage (tenant_id, feature_flag_id, variant, day, evaluations, last_evaluated_at)
		select '00000000-0000-0000-0000-000000000001', id, n::text, current_date - 100, 1, now() - interval '100 days' from feature_flags, generate_series(1, 6000) n`)
	var log logged
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 2)
	for range 2 {
		db := d.Open(t, postgres.Config{})
		go func() {
			done <- jobs.Run(ctx, jobs.Config{
				ServiceURL: d.ServiceURL, Service: db.Service, FlagChanges: time.Second, Log: slog.New(slog.NewTextHandler(&log, nil)),
			})
		}()
	}
	conn := d.Connect(t)
	require.Eventually(t, func() bool {
		return value[int](t, conn, "select count(*)::int from feature_flag_changes where status <> 'applied'") == 0 &&
			value[int](t, conn, "select count(*)::int from tenant_feature_flag_usage") == 0
	}, time.Minute, 100*time.Millisecond)
	stop()
	require.NoError(t, <-done)
	require.NoError(t, <-done)
	require.Equal(t, 251, value[int](t, conn, "select version from feature_flags"), "each was made once")
	require.Empty(t, log.String())
	require.Equal(t, 0, value[int](t, conn, "select count(*)::int from vital.river_job where state not in ('completed', 'available', 'scheduled')"))
	require.LessOrEqual(t, value[int](t, conn, "select count(*)::int from vital.river_job where state in ('available', 'scheduled')"), 3, "they do not pile up")
}

func TestRun_Unreachable(t *testing.T) {
	t.Parallel()
	err := jobs.Run(context.Background(), jobs.Config{ServiceURL: "postgres://nobody:x@127.0.0.1:1/none"})
	require.Equal(t, fault.DatabaseUnavailable, fault.CodeOf(err))
}

// tables describes river's tables in a schema: columns, constraints and indexes.
const tables = `
select coalesce(string_agg(line, E'\n' order by line), '') from (
	select concat_ws(' ', c.relname, c.relpersistence, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)) as line
	from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
	left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
	where c.relnamespace = $1::text::regnamespace and c.relname like 'river%' and c.relkind = 'r'
	union all
	select concat_ws(' ', n.conrelid::regclass, n.conname, pg_get_constraintdef(n.oid)) from pg_constraint n
	join pg_class c on c.oid = n.conrelid where c.relnamespace = $1::text::regnamespace and c.relname like 'river%'
	union all
	select i.indexdef from pg_indexes i where i.schemaname = $1::text and i.tablename like 'river%'
	union all
	select enumlabel::text from pg_enum e where e.enumtypid = ($1::text || '.river_job_state')::regtype
) x`

// TestTables: our migration makes what river's own migrator does, and says so.
func TestTables(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, "create schema own")
	ctx := context.Background()
	driver, done, err := postgres.OpenJobs(ctx, postgres.Config{ServiceURL: d.URL})
	require.NoError(t, err)
	defer done()
	migrate := func(schema string) *rivermigrate.Migrator[pgx.Tx] {
		migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Schema: schema})
		require.NoError(t, err)
		return migrator
	}
	_, err = migrate("own").Migrate(ctx, rivermigrate.DirectionUp, nil)
	require.NoError(t, err)
	describe := func(schema string) string {
		conn := d.Connect(t)
		_, err := conn.Exec(ctx, "set search_path = "+schema)
		require.NoError(t, err)
		var text string
		require.NoError(t, conn.QueryRow(ctx, tables, schema).Scan(&text))
		return string(bytes.ReplaceAll([]byte(text), []byte(schema+"."), nil))
	}
	require.Equal(t, describe("own"), describe("vital"))
	validated, err := migrate("vital").Validate(ctx, nil)
	require.NoError(t, err)
	require.True(t, validated.OK, validated.Messages)
}

// TestRun_Checks: one of two servers runs the checks, what they find is kept, and a log line says what has turned bad.
func TestRun_Checks(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	conn := d.Connect(t)
	var log logged
	var ended sync.Map
	var drifted atomic.Value
	drifted.Store([]jobs.Finding(nil))
	during := func(until func() bool, message string) {
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error, 2)
		for range 2 {
			db := d.Open(t, postgres.Config{})
			go func() {
				done <- jobs.Run(ctx, jobs.Config{
					ServiceURL: d.ServiceURL, Service: db.Service, ChecksAfter: time.Millisecond, Log: slog.New(slog.NewTextHandler(&log, nil)),
					Drift: func(context.Context) ([]jobs.Finding, error) { return drifted.Load().([]jobs.Finding), nil },
					Done:  func(kind string, _ time.Duration, err error) { ended.Store(kind, err) },
				})
			}()
		}
		require.Eventually(t, until, time.Minute, 100*time.Millisecond, "%s: %s", message, &log)
		stop()
		require.NoError(t, <-done)
		require.NoError(t, <-done)
	}
	runs := func() string {
		return value[string](t, conn, "select coalesce(string_agg(concat_ws(' ', check_name, status, findings, case when status = 'failed' then details::text end), ', ' order by ran_at, check_name), '') from vital.check_runs")
	}
	during(func() bool { return value[int](t, conn, "select count(*)::int from vital.check_runs") >= 4 }, "they were not run")
	require.Equal(t, "schema ok 0, rls ok 0, data ok 0, drift ok 0", runs(), "once, by one of them")
	checked, told := ended.Load("checks_run")
	require.True(t, told, "it is told how a job ended")
	require.Nil(t, checked)
	drifted.Store([]jobs.Finding{{Check: "drift_security", Object: "table public.agents", Detail: "unexpected"}})

	d.Exec(t, `update vital.check_runs set ran_at = ran_at - interval '25 hours';
		insert into vital.check_runs (check_name, status, duration_ms, ran_at) values ('data', 'ok', 1, now() - interval '2 years');
		alter table public.agents alter column name drop not null; alter table public.agents no force row level security;
		insert into public.users (id, email) values (gen_random_uuid(), 'lost@vital.test')`)
	during(func() bool {
		return value[int](t, conn, "select count(*)::int from vital.check_runs where ran_at > now() - interval '1 hour'") >= 4
	}, "they were not run again")
	require.Equal(t, "schema ok 0, rls ok 0, data ok 0, drift ok 0, schema findings 2, rls findings 1, data findings 2, drift findings 1", runs(), "what is older than a year is forgotten")
	require.Equal(t, 4, strings.Count(log.String(), "a check that was good has turned bad"))
	require.Contains(t, log.String(), "public.agents.name: Nullable mismatch: must not allow null")

	latest, err := jobs.LatestChecks(context.Background(), d.Open(t, postgres.Config{}).Service)
	require.NoError(t, err)
	require.Len(t, latest, 4)
	require.Equal(t, "data", latest[0].Check)
	require.Equal(t, 2, latest[0].Findings)
}

// TestRun_JobFails: why a job failed is said once, and the others go on.
func TestRun_JobFails(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, "drop function vital.roll_query_performance(integer, integer, timestamptz) cascade; insert into feature_flags (flag_key) values ('dark')")
	db := d.Open(t, postgres.Config{})
	var log logged
	ended := make(chan string, 100)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- jobs.Run(ctx, jobs.Config{
			ServiceURL: d.ServiceURL, Service: db.Service, FlagChanges: time.Second, Log: slog.New(slog.NewTextHandler(&log, nil)),
			Done: func(kind string, _ time.Duration, err error) { ended <- fmt.Sprintf("%s %t", kind, err == nil) },
		})
	}()
	seen := map[string]bool{}
	for !seen["loads_roll false"] || !seen["flag_changes_apply true"] {
		select {
		case how := <-ended:
			seen[how] = true
		case <-time.After(30 * time.Second):
			t.Fatalf("%v: %s", seen, &log)
		}
	}
	stop()
	require.NoError(t, <-done)
	require.Equal(t, 1, strings.Count(log.String(), "a background job failed"), &log)
	require.Regexp(t, `level=ERROR msg="a background job failed" job=loads_roll error=.*roll_query_performance`, log.String())
}
