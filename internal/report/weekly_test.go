package report_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/report"
	"github.com/vital-db/vital/internal/tenant"
)

// thursday is in week 10 of 2026, which began on 2 March.
var thursday = time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)

// wellWeeks are two weeks in which all went well: a tenant that has what it needs, loads, and checks every day.
const wellWeeks = `
insert into organizations (id, name, slug, tenant_type, tenant_key, created_at) values ('aaaaaaaa-0000-4000-8000-000000000000', 'Acme', 'acme', 'digital_health', 'acme', '2026-02-01Z');
insert into users (id, organization_id, email) values ('a0000000-0000-4000-8000-000000000001', 'aaaaaaaa-0000-4000-8000-000000000000', 'ada@acme.test');
insert into profiles (id, email, full_name) values ('a0000000-0000-4000-8000-000000000001', 'ada@acme.test', 'Ada');
insert into user_tenants (tenant_id, user_id, role) values ('aaaaaaaa-0000-4000-8000-000000000000', 'a0000000-0000-4000-8000-000000000001', 'admin');
insert into tenant_configurations (tenant_id) values ('aaaaaaaa-0000-4000-8000-000000000000') on conflict do nothing;
insert into tenant_apps (tenant_id, app_key, app_name, app_route) values ('aaaaaaaa-0000-4000-8000-000000000000', 'chat', 'Chat', '/chat') on conflict do nothing;
insert into query_performance (tenant_id, query_name, duration_us, cache_hit, created_at)
  select 'aaaaaaaa-0000-4000-8000-000000000000', 'tenant_context', 100000, n % 10 > 0, d + make_interval(mins => n)
  from generate_series('2026-02-23Z'::timestamptz, '2026-03-08Z', '1 day') d, generate_series(1, 100) n;
insert into vital.check_runs (check_name, status, duration_ms, ran_at)
  select c, 'ok', 10, d from generate_series('2026-02-22 23:00Z'::timestamptz, '2026-03-08 23:00Z', '1 day') d, unnest('{schema,rls,data}'::text[]) c;
insert into vital.gate_approvals (gate, approved_by, approved_at) select g, 'Ada', '2026-02-01Z' from unnest($1::text[]) g;`

var facts = report.Facts{WriteRoutes: []string{"PATCH /a", "POST /b"}}

// approvable are the gates that are signed off.
func approvable(t *testing.T, tx pgx.Tx) (gates []string) {
	t.Helper()
	all, err := report.Gates(context.Background(), tx, facts, thursday.Add(-time.Hour), thursday)
	require.NoError(t, err)
	for _, g := range all {
		if g.Measure == "" {
			require.Equal(t, report.Pending, g.Status)
			gates = append(gates, g.Gate.Gate)
		}
	}
	return gates
}

// asService runs fn as the server does, on a database of its own in which two weeks went well.
func asService(t *testing.T, fn func(d *pgtest.Database, service func(func(pgx.Tx)))) {
	t.Helper()
	d := pgtest.New(t)
	db := d.Open(t, postgres.Config{})
	service := func(work func(pgx.Tx)) {
		require.NoError(t, db.AsService(context.Background(), "Report", func(tx pgx.Tx) error { work(tx); return nil }))
	}
	var gates []string
	service(func(tx pgx.Tx) { gates = approvable(t, tx) })
	require.NotEmpty(t, gates)
	for _, statement := range strings.SplitAfter(wellWeeks, ";\n") {
		if strings.Contains(statement, "$1") {
			d.Exec(t, statement, gates)
		} else {
			d.Exec(t, statement)
		}
	}
	d.Exec(t, "update organizations set created_at = '2026-02-01Z'; update vital.migrations set tstamp = '2026-02-01'")
	fn(d, service)
}

// TestWeekly plants each thing that can go wrong into a week that went well, and reads what the report says of it.
func TestWeekly(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		plant   string
		status  report.Status
		reasons []string // beginnings
		next    string
	}{
		"nothing": {"", report.OnTrack, nil, ""},
		"a slow week": {"update query_performance set duration_us = 200000 where created_at >= '2026-03-02Z'", report.AtRisk,
			[]string{"Tenant context load time, 95 of 100: 200 where it was 100"}, ""},
		"too slow": {"update query_performance set duration_us = 900000 where created_at >= '2026-02-20Z'", report.AtRisk,
			[]string{"95 of 100 contexts load in less than half a second (≤ 500 ms): 900 ms"}, "vital perf explain context"},
		"one load over a second": {"update query_performance set duration_us = 1000000 where ctid = (select max(ctid) from query_performance where created_at >= '2026-03-04Z' and created_at < '2026-03-05Z')", report.AtRisk,
			[]string{"The tenant context loads in less than a second"}, "vital perf slow"},
		"a failing tenant": {"update query_performance set success = false, error_code = 'tenant_unconfigured' where created_at >= '2026-03-04Z'", report.Blocked,
			[]string{"The tenant context loads in less than a second", "All data loading works"}, "vital perf slow --failed"},
		"callers rightly refused": {"update query_performance set success = false, error_code = 'token_expired' where created_at >= '2026-03-04Z' and cache_hit", report.OnTrack, nil, ""},
		"a denial": {"update query_performance set success = false, error_code = '42501', query_name = 'agents.select' where ctid = (select max(ctid) from query_performance where created_at < '2026-03-05Z' and created_at >= '2026-03-04Z')",
			report.AtRisk, []string{"No statement is denied by a policy or a missing privilege (0 denials): 1 denials (most often agents.select)"}, "vital rls explain"},
		"jobs that are slow and fail": {"insert into query_performance (tenant_id, query_name, query_type, duration_us, success, error_code, weight, created_at) select '00000000-0000-0000-0000-000000000001', 'job.X', 'job', 9000000, n > 5, case when n <= 5 then 'internal' end, 100, '2026-03-04Z' from generate_series(1, 10) n",
			report.OnTrack, nil, ""},
		"a job that is denied": {"insert into query_performance (tenant_id, query_name, query_type, success, error_code, created_at) values ('00000000-0000-0000-0000-000000000001', 'job.X', 'job', false, '42501', '2026-03-04Z')",
			report.AtRisk, []string{"No statement is denied by a policy or a missing privilege (0 denials): 1 denials (most often job.X)"}, "--jobs"},
		"memory that is of no use": {"update query_performance set cache_hit = false where created_at >= '2026-02-20Z'", report.AtRisk, []string{"More than 70 of 100 contexts"}, "vital cache stats"},
		"findings of isolation":    {"update vital.check_runs set status = 'findings', findings = 2 where check_name = 'rls' and ran_at > '2026-03-04Z'", report.Blocked, []string{"The lints of isolation find nothing, daily (0 findings): 2 findings"}, "vital check rls"},
		"a schema that drifted":    {"update vital.check_runs set status = 'findings', findings = 1 where check_name = 'schema' and ran_at > '2026-03-04Z'", report.Blocked, []string{"Schema validation passes"}, "vital check schema"},
		"inconsistent data":        {"update vital.check_runs set status = 'findings', findings = 1 where check_name = 'data' and ran_at > '2026-03-04Z'", report.AtRisk, []string{"Data consistency checks pass"}, "vital fix data"},
		"a check that cannot run":  {"update vital.check_runs set status = 'failed', findings = 1 where check_name = 'rls' and ran_at > '2026-03-04Z'", report.AtRisk, []string{"The lints of isolation find nothing, daily (0 findings): the check itself could not be run"}, "vital check rls"},
		"checks that stopped": {"delete from vital.check_runs where ran_at > '2026-03-03Z'", report.AtRisk,
			[]string{"Schema validation passes", "The lints of isolation"}, "vital check schema"},
		"data that was not checked": {"delete from vital.check_runs where check_name = 'data' and ran_at > '2026-03-03Z'", report.AtRisk,
			[]string{"Data consistency is checked daily (≤ 26 hours since): 61 hours since", "Data consistency checks pass"}, "keep one vital serve running"},
		"a tenant without apps": {"delete from tenant_apps where tenant_id = 'aaaaaaaa-0000-4000-8000-000000000000'", report.Blocked, []string{"Every active tenant has what it needs to load (0 tenants lack something): 1 tenants lack something (1 active tenants, first acme)"}, "vital tenant missing"},
		"a table without RLS":   {"alter table prompts no force row level security", report.Blocked, []string{"Every table has row-level security"}, "vital check rls"},
		"nothing recorded":      {"delete from query_performance where created_at >= '2026-03-02Z'", report.AtRisk, []string{"The tenant context loads", "All data loading works"}, "vital perf slow"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asService(t, func(d *pgtest.Database, service func(func(pgx.Tx))) {
				if c.plant != "" {
					d.Exec(t, c.plant)
				}
				var w *report.Weekly
				service(func(tx pgx.Tx) {
					var err error
					w, err = report.ReadWeekly(context.Background(), tx, facts, "2026-W10", thursday)
					require.NoError(t, err)
				})
				require.Equal(t, c.status, w.Status, "%v", w.Reasons)
				for _, reason := range c.reasons {
					require.True(t, strings.Contains("\n"+strings.Join(w.Reasons, "\n"), "\n"+reason), "%s in %q", reason, w.Reasons)
				}
				if c.status == report.OnTrack {
					require.Empty(t, w.Reasons)
				}
				require.Contains(t, strings.Join(w.Plan, "\n"), c.next)
				require.Len(t, w.Days, 4, "the days so far")
				var text, document bytes.Buffer
				require.NoError(t, report.WriteWeeklyJSON(&document, w))
				value, err := jsonschema.UnmarshalJSON(&document)
				require.NoError(t, err)
				require.NoError(t, tenant.CheckSchema("weekly_report", value))
				require.NoError(t, report.WriteWeeklyMarkdown(&text, w))
				require.Contains(t, text.String(), "**Week:** 2026-W10\n**Phase:** ")
				require.Contains(t, text.String(), "**Status:** "+string(c.status)+"\n")
				for _, title := range []string{"Accomplishments", "Key Metrics", "Blockers", "Next Week Plan", "Risks & Mitigation"} {
					require.Contains(t, text.String(), "\n## "+title+"\n")
				}
			})
		})
	}
}

// TestWeekly_Kept: the report of a week that is over is made once, and says ever after what was measured then.
func TestWeekly_Kept(t *testing.T) {
	t.Parallel()
	asService(t, func(d *pgtest.Database, service func(func(pgx.Tx))) {
		monday := time.Date(2026, 3, 9, 0, 30, 0, 0, time.UTC)
		d.Exec(t, "update vital.migrations set tstamp = '2026-03-09 00:10'")
		service(func(tx pgx.Tx) {
			made, err := report.KeepWeekly(context.Background(), tx, facts, monday)
			require.NoError(t, err)
			require.Empty(t, made, "of a week in which nothing was installed there is no report")
		})
		d.Exec(t, "update vital.migrations set tstamp = '2026-03-08 23:00'")
		service(func(tx pgx.Tx) {
			made, err := report.KeepWeekly(context.Background(), tx, facts, monday)
			require.NoError(t, err)
			require.Len(t, made, 1)
			require.Equal(t, "2026-W10", made[0].Week)
			require.Equal(t, report.OnTrack, made[0].Status)
			require.Len(t, made[0].Days, 7)
			again, err := report.KeepWeekly(context.Background(), tx, facts, monday.Add(time.Hour))
			require.NoError(t, err)
			require.Empty(t, again)
			_, err = report.KeepPresent(context.Background(), tx, facts, thursday) // as of a server whose clock is late
			require.NoError(t, err)
			_, err = tx.Exec(context.Background(), "savepoint before")
			require.NoError(t, err)
			_, err = tx.Exec(context.Background(), "update vital.weekly_reports set is_over = false")
			require.ErrorContains(t, err, "The report of 2026-W10 is made, and not made again.")
			_, err = tx.Exec(context.Background(), "rollback to before")
			require.NoError(t, err)
		})
		d.Exec(t, "delete from query_performance")
		service(func(tx pgx.Tx) {
			kept, err := report.ReadWeekly(context.Background(), tx, facts, "2026-W10", monday)
			require.NoError(t, err)
			require.Equal(t, report.OnTrack, kept.Status)
			require.EqualValues(t, 100, kept.Days[0].Loads)
			var text, page, form bytes.Buffer
			require.NoError(t, report.WriteWeeklyJSON(&text, kept))
			var back report.Weekly
			require.NoError(t, json.Unmarshal(text.Bytes(), &back))
			require.Equal(t, *kept, back)
			require.NoError(t, report.WriteWeeklyHTML(&page, kept))
			require.Equal(t, 4, strings.Count(page.String(), "<svg viewBox=\"0 0 560"), "a plot each")
			require.NotContains(t, page.String(), "ZgotmplZ")
			require.NoError(t, report.WriteWeeklyMarkdown(&form, kept))
			require.Contains(t, form.String(), "- Tenant context load time, 95 of 100: 100 ms (Target: ≤ 500 ms), as the week before\n")
			require.Contains(t, form.String(), "- Schema validation: PASS (0 findings) (Target: 0 findings)")
			require.Contains(t, form.String(), "## Blockers\n- None\n")
		})
	})
}

// TestWeekly_Present: how the present week stands is kept as unfinished and made anew as often as it is asked for, is never taken for the
// report of a week, and gives way to that when the week is over, however late that is made.
func TestWeekly_Present(t *testing.T) {
	t.Parallel()
	asService(t, func(d *pgtest.Database, service func(func(pgx.Tx))) {
		ctx := context.Background()
		kept := func() (rows []string) {
			service(func(tx pgx.Tx) {
				found, err := tx.Query(ctx, "select concat_ws(' ', r.week, r.is_over, r.status, jsonb_array_length(r.report -> 'days')) from public.list_weekly_reports() r")
				require.NoError(t, err)
				rows, err = pgx.CollectRows(found, pgx.RowTo[string])
				require.NoError(t, err)
			})
			return rows
		}
		present := func(now time.Time) {
			service(func(tx pgx.Tx) {
				made, err := report.KeepPresent(ctx, tx, facts, now)
				require.NoError(t, err)
				require.Equal(t, now, made.Until)
			})
		}
		gates := func() (week string, isOver bool) {
			service(func(tx pgx.Tx) {
				require.NoError(t, tx.QueryRow(ctx, "select distinct week, is_over from public.list_gates()").Scan(&week, &isOver))
			})
			return week, isOver
		}
		present(thursday)
		require.Equal(t, []string{"2026-W10 f ON_TRACK 4"}, kept())
		d.Exec(t, "update query_performance set duration_us = 900000 where created_at >= '2026-03-06Z'; update vital.weekly_reports set made_at = '2026-03-05 12:00Z'")
		present(thursday.Add(24 * time.Hour))
		require.Equal(t, []string{"2026-W10 f AT_RISK 5"}, kept())
		service(func(tx pgx.Tx) {
			var fresh bool
			require.NoError(t, tx.QueryRow(ctx, "select made_at > '2026-03-06' from vital.weekly_reports").Scan(&fresh))
			require.True(t, fresh, "it says when it was made anew")
			w, err := report.ReadWeekly(ctx, tx, facts, "2026-W10", thursday)
			require.NoError(t, err)
			require.Equal(t, thursday, w.Until, "what is asked for is measured now, and not what was kept so far")
			made, err := report.KeepWeekly(ctx, tx, facts, thursday)
			require.NoError(t, err)
			require.Len(t, made, 1)
			require.Equal(t, "2026-W09", made[0].Week, "a week that is not over is not finished")
		})
		require.Equal(t, []string{"2026-W10 f AT_RISK 5", "2026-W09 t ON_TRACK 7"}, kept())
		week, isOver := gates()
		require.Equal(t, "2026-W10", week)
		require.False(t, isOver)

		service(func(tx pgx.Tx) {
			late := thursday.Add(14 * 24 * time.Hour) // no server ran all the week after
			w, err := report.ReadWeekly(ctx, tx, facts, "2026-W10", late)
			require.NoError(t, err)
			require.Len(t, w.Days, 7, "a week that is over is reported on whole")
			made, err := report.KeepWeekly(ctx, tx, facts, late)
			require.NoError(t, err)
			require.Len(t, made, 2)
			require.Equal(t, "2026-W10", made[0].Week)
			require.Equal(t, w.Until.UTC(), made[0].Until.UTC())
			require.Equal(t, "2026-W11", made[1].Week)
		})
		require.Equal(t, []string{"2026-W11 t AT_RISK 7", "2026-W10 t AT_RISK 7", "2026-W09 t ON_TRACK 7"}, kept())
		_, isOver = gates()
		require.True(t, isOver)
	})
}

// TestWeekly_Names: only weeks there are, and that have begun.
func TestWeekly_Names(t *testing.T) {
	t.Parallel()
	for _, wrong := range []string{"", "2026-W00", "2026-W54", "2025-W53", "2026-W1", "26-W10", "2026-W11x", "2026-W11"} {
		_, err := report.ReadWeekly(context.Background(), nil, facts, wrong, thursday)
		require.Equal(t, fault.Usage, fault.CodeOf(err), wrong)
	}
	require.Equal(t, "2026-W53", report.WeekOf(time.Date(2027, 1, 3, 23, 59, 0, 0, time.UTC)))
	require.Equal(t, "2027-W01", report.WeekOf(time.Date(2027, 1, 4, 0, 0, 0, 0, time.UTC)))
}

// TestSignGate signs, withdraws and signs again, and refuses what cannot be signed.
func TestSignGate(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	db := d.Open(t, postgres.Config{})
	sign := func(gate string, approved bool, by string) error {
		return db.AsService(context.Background(), "GateSign", func(tx pgx.Tx) error {
			return report.SignGate(context.Background(), tx, gate, approved, by, "because")
		})
	}
	standing := func(gate string) (found report.Standing) {
		require.NoError(t, db.AsService(context.Background(), "Gates", func(tx pgx.Tx) error {
			all, err := report.Gates(context.Background(), tx, facts, time.Now().Add(-time.Hour), time.Now().Add(time.Minute))
			for _, g := range all {
				if g.Gate.Gate == gate {
					found = g
				}
			}
			return err
		}))
		return found
	}
	require.Equal(t, report.Pending, standing("week1_backup").Status)
	require.NoError(t, sign("week1_backup", true, "Ada"))
	signed := standing("week1_backup")
	require.Equal(t, report.Passed, signed.Status)
	require.Equal(t, "Ada", signed.ApprovedBy)
	require.Equal(t, "because", signed.Evidence)
	require.NoError(t, sign("week1_backup", false, "Bo"))
	require.Equal(t, report.Pending, standing("week1_backup").Status)
	require.NoError(t, sign("week1_backup", true, "Cy"))
	require.Equal(t, "Cy", standing("week1_backup").ApprovedBy)
	require.Equal(t, fault.NotFound, fault.CodeOf(sign("nonsense", true, "Ada")))
	require.Equal(t, fault.Invalid, fault.CodeOf(sign("rls_denials", true, "Ada")))
	require.Equal(t, fault.Usage, fault.CodeOf(sign("week1_backup", true, " ")))
	require.Error(t, db.AsService(context.Background(), "Forge", func(tx pgx.Tx) error {
		_, err := tx.Exec(context.Background(), "delete from vital.gate_approvals")
		return err
	}), "signatures are only ever added to")
}
