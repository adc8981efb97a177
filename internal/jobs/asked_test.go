package jobs_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/jobs"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
)

// serving has a server do jobs until the returned function is called.
func serving(t *testing.T, d *pgtest.Database, config jobs.Config) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	config.ServiceURL, config.Service = d.ServiceURL, d.Open(t, postgres.Config{}).Service
	go func() { done <- jobs.Run(ctx, config) }()
	return func() {
		cancel()
		require.NoError(t, <-done)
	}
}

// ask calls a function that plans a job, as service_role.
func ask(t *testing.T, db *postgres.DB, text string) (id int64, err error) {
	t.Helper()
	return id, db.AsService(context.Background(), "Ask", func(tx pgx.Tx) error { return tx.QueryRow(context.Background(), text).Scan(&id) })
}

// TestRunCheck: a check that is asked for is run within seconds by a server that can, once for those who ask meanwhile, and again for
// those who ask later; one that the server cannot run is said to be so.
func TestRunCheck(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	db, conn := d.Open(t, postgres.Config{}), d.Connect(t)
	must := func(text string) (id int64) {
		t.Helper()
		id, err := ask(t, db, text)
		require.NoError(t, err)
		return id
	}
	rls, drift := must("select public.run_check('rls')"), must("select public.run_check('drift')")
	require.NotEqual(t, rls, drift)
	require.Equal(t, rls, must("select public.run_check('rls')"), "one that waits is enough")
	ended := func(id int64) string {
		var state string
		var reason *string
		for {
			require.NoError(t, conn.QueryRow(context.Background(), "select state, last_error from public.list_jobs() where id = $1 and finalized_at is not null union all select '', '' limit 1", id).Scan(&state, &reason))
			if state != "" {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		if reason != nil {
			return state + ": " + *reason
		}
		return state
	}
	d.Exec(t, "alter table public.agents no force row level security")
	stop := serving(t, d, jobs.Config{ChecksAfter: time.Hour})
	require.Equal(t, "completed", ended(rls))
	require.Contains(t, ended(drift), "cancelled: ")
	require.Contains(t, ended(drift), "cannot run the check drift")
	require.Contains(t, ended(drift), "`vital check drift`", "what to do instead")
	require.Equal(t, "rls findings 1", value[string](t, conn, "select string_agg(concat_ws(' ', check_name, status, findings), ', ') from vital.check_runs"))
	later := must("select public.run_check('rls')")
	require.NotEqual(t, rls, later)
	require.Equal(t, "completed", ended(later))
	stop()

	stop = serving(t, d, jobs.Config{ChecksAfter: time.Hour, Drift: func(context.Context) ([]jobs.Finding, error) { return nil, nil }})
	require.Equal(t, "completed", ended(must("select public.run_check('drift')")))
	require.Equal(t, 1, value[int](t, conn, "select count(*)::int from vital.check_runs where check_name = 'drift' and status = 'ok'"))
	stop()
}

// TestRun_ChecksAskedFor: the daily ones are run in their turn though others were asked for, or a proof was kept, in the meantime.
func TestRun_ChecksAskedFor(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	conn := d.Connect(t)
	d.Exec(t, `insert into vital.check_runs (check_name, status, duration_ms, ran_at) values
		('rls', 'ok', 1, now() - interval '2 hours'), ('proof', 'ok', 1, now()), ('data', 'ok', 1, now() - interval '23 hours 1 minute')`)
	stop := serving(t, d, jobs.Config{ChecksAfter: time.Millisecond})
	require.Eventually(t, func() bool {
		return value[int](t, conn, "select count(*)::int from vital.check_runs where ran_at > now() - interval '1 hour' and check_name <> 'proof'") == 2
	}, time.Minute, 100*time.Millisecond)
	require.Eventually(t, func() bool {
		return value[int](t, conn, "select count(*)::int from vital.river_job where kind = 'checks_run' and state = 'completed'") == 1
	}, time.Minute, 100*time.Millisecond)
	stop()
	require.Equal(t, "data, proof, schema", value[string](t, conn, "select string_agg(check_name, ', ' order by check_name) from vital.check_runs where ran_at > now() - interval '1 hour'"))
	latest, err := jobs.LatestChecks(context.Background(), d.Open(t, postgres.Config{}).Service)
	require.NoError(t, err)
	require.Len(t, latest, 3, "a proof is not among those that are overdue after a day")
}

// TestMakeWeeklyReport: the report of last week is made once, by the job that servers plan themselves, and refused where there is none to make.
func TestMakeWeeklyReport(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	db, conn := d.Open(t, postgres.Config{}), d.Connect(t)
	const text = "select public.make_weekly_report()"
	_, err := ask(t, db, text)
	require.Equal(t, fault.StateConflict, fault.CodeOf(err), "what was installed this week has no last one")
	d.Exec(t, "update vital.migrations set tstamp = tstamp - interval '14 days'")
	id, err := ask(t, db, text)
	require.NoError(t, err)
	again, err := ask(t, db, text)
	require.NoError(t, err)
	require.Equal(t, id, again)
	stop := serving(t, d, jobs.Config{ChecksAfter: time.Hour})
	require.Eventually(t, func() bool { return value[int](t, conn, "select count(*)::int from public.list_weekly_reports()") == 1 }, time.Minute, 50*time.Millisecond)
	require.Eventually(t, func() bool {
		return value[int](t, conn, "select count(*)::int from vital.river_job where kind = 'week_report' and state = 'completed'") == 1
	}, time.Minute, 50*time.Millisecond)
	stop()
	require.Equal(t, 1, value[int](t, conn, "select count(*)::int from vital.river_job where kind = 'week_report'"), "the server's own plan is the same job")
	require.Equal(t, value[string](t, conn, `select to_char(now() at time zone 'UTC' - interval '7 days', 'IYYY"-W"IW')`), value[string](t, conn, "select week from public.list_weekly_reports()"))
	_, err = ask(t, db, text)
	require.Equal(t, fault.StateConflict, fault.CodeOf(err))
}

// TestMakeWeeklyReport_Present: from the first minute there is a report of this week so far, made anew each time it is asked for; last week's
// comes with it where it is missing, and is not refused for it.
func TestMakeWeeklyReport_Present(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	db, conn := d.Open(t, postgres.Config{}), d.Connect(t)
	_, err := ask(t, db, "select public.make_weekly_report(null)")
	require.Equal(t, fault.Invalid, fault.CodeOf(err))
	stop := serving(t, d, jobs.Config{ChecksAfter: time.Hour})
	made := func() (madeAt time.Time) {
		t.Helper()
		id, err := ask(t, db, "select public.make_weekly_report(true)")
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			return value[int](t, conn, fmt.Sprintf("select count(*)::int from public.list_jobs() where id = %d and state = 'completed'", id)) == 1
		}, time.Minute, 50*time.Millisecond)
		return value[time.Time](t, conn, "select max(made_at) from public.list_weekly_reports() where not is_over")
	}
	first := made()
	const kept = `select string_agg(case r.week when to_char(now() at time zone 'UTC', 'IYYY"-W"IW') then 'this' when to_char(now() at time zone 'UTC' - interval '7 days', 'IYYY"-W"IW') then 'last' end
		|| case when r.is_over then '' else ' so far' end, ', ' order by r.week) from public.list_weekly_reports() r`
	require.Equal(t, "this so far", value[string](t, conn, kept))
	require.Equal(t, 1, value[int](t, conn, "select count(distinct (week, is_over))::int from public.list_gates()"))
	d.Exec(t, "update vital.migrations set tstamp = tstamp - interval '14 days'")
	require.True(t, made().After(first))
	require.Equal(t, "last, this so far", value[string](t, conn, kept))
	stop()
	_, err = ask(t, db, "select public.make_weekly_report()")
	require.Equal(t, fault.StateConflict, fault.CodeOf(err), "last week's is made")
}
