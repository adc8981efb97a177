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
	"github.com/vital-db/vital/internal/perf"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
)

const (
	adaID = "a0000000-0000-4000-8000-000000000001" // admin of A
	bobID = "b0000000-0000-4000-8000-000000000001" // admin of B
	dana  = "d0000000-0000-4000-8000-000000000001" // member of A
	root  = "f0000000-0000-4000-8000-000000000001" // super admin
)

const people = `
insert into organizations (id, name, slug, tenant_type, tenant_key) values
  ('aaaaaaaa-0000-4000-8000-000000000000', 'Acme', 'acme', 'digital_health', 'acme'),
  ('bbbbbbbb-0000-4000-8000-000000000000', 'Bolt', 'bolt', 'pharmaceuticals', 'bolt');
insert into users (id, organization_id, email) values
  ('` + adaID + `', 'aaaaaaaa-0000-4000-8000-000000000000', 'ada@acme.test'), ('` + bobID + `', 'bbbbbbbb-0000-4000-8000-000000000000', 'bob@bolt.test'),
  ('` + dana + `', 'aaaaaaaa-0000-4000-8000-000000000000', 'dana@acme.test'), ('` + root + `', '` + platform + `', 'root@platform.test');
insert into profiles (id, email, full_name, role) select id, email, email, case when email like 'root%' then 'super_admin' else 'user' end from users;
insert into user_tenants (tenant_id, user_id, role) values
  ('aaaaaaaa-0000-4000-8000-000000000000', '` + adaID + `', 'admin'), ('aaaaaaaa-0000-4000-8000-000000000000', '` + dana + `', 'member'),
  ('bbbbbbbb-0000-4000-8000-000000000000', '` + bobID + `', 'admin');`

// TestStatistics counts a hundred loads and some that stand for more, as each of those who may or may not see them.
func TestStatistics(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, people+`
		insert into query_performance (tenant_id, query_name, query_type, duration_us, execution_time_ms, cache_hit)
			select 'aaaaaaaa-0000-4000-8000-000000000000', 'tenant_context', 'tenant_context', n * 1000, n, n <= 25 from generate_series(1, 100) n;
		insert into query_performance (tenant_id, query_name, duration_us, weight, success, error_code) values
			('bbbbbbbb-0000-4000-8000-000000000000', 'agents.select', 2500, 99, true, null),
			('bbbbbbbb-0000-4000-8000-000000000000', 'agents.select', 1234567, 1, false, 'statement_timeout');
		insert into query_performance (tenant_id, query_name, execution_time_ms, created_at) values
			('`+platform+`', 'tenant_context', 7, now() - interval '2 hours'), ('`+platform+`', 'old', 7, now() - interval '3 days');`)
	db := d.Open(t, postgres.Config{})
	of := func(user string) string {
		t.Helper()
		var lines []string
		work := &postgres.Work{Name: "Stats", Member: true}
		work.Query("select concat_ws(' ', s.query_name, avg_time_ms, max_time_ms, min_time_ms, total_executions, cache_hit_rate, p50_time_ms, p95_time_ms, p99_time_ms, error_rate) from public.get_query_performance_stats(24) s",
			func(rows pgx.Rows) (err error) { lines, err = pgx.CollectRows(rows, pgx.RowTo[string]); return err })
		err := db.InTenant(context.Background(), identity.Caller{UserID: uuid.MustParse(user), Role: identity.Authenticated}, "", work)
		require.NoError(t, err)
		return strings.Join(lines, "\n")
	}
	const contextOfA, agentsOfB = "tenant_context 50.50 100 1 100 25.00 50.0 95.0 99.0 0.00", "agents.select 14.82 1235 3 100 0.00 2.50 2.50 2.50 1.00"
	require.Equal(t, contextOfA, of(adaID))
	require.Equal(t, agentsOfB, of(bobID))
	require.Empty(t, of(dana), "a member sees nobody's")
	require.Equal(t, "tenant_context 50.07 100 1 101 24.75 50.0 95.0 99.0 0.00\n"+agentsOfB, of(root))

	by := func(what string) (labels []string) {
		t.Helper()
		err := db.AsService(context.Background(), "Statistics", func(tx pgx.Tx) error {
			stats, err := perf.Statistics(context.Background(), tx, time.Now().Add(-time.Hour), time.Now().Add(time.Minute), what)
			for _, s := range stats {
				label := s.Label
				if s.Tenant != nil {
					label = *s.Tenant
				}
				labels = append(labels, fmt.Sprintf("%s %d", label, s.Loads))
			}
			return err
		})
		require.NoError(t, err)
		return labels
	}
	require.Equal(t, []string{"acme 100", "bolt 100"}, by("tenant"))
	require.Equal(t, []string{"tenant_context 100", "agents.select 100"}, by("type"))
	require.Equal(t, []string{"statement_timeout 1"}, by("code"))
	require.Equal(t, []string{"all 200"}, by("all"))
	_, err := perf.Statistics(context.Background(), nil, time.Now(), time.Now(), "colour")
	require.Equal(t, fault.Usage, fault.CodeOf(err))
}

// TestLog_ByOthers: members record their own loads in their own tenant, as the assessment's dashboard does, and no others; nor
// do they say when it was, or as how many it counts.
func TestLog_ByOthers(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, people)
	db := d.Open(t, postgres.Config{})
	try := func(user, text string) error {
		work := &postgres.Work{Name: "Insert", Writes: true}
		work.Query(text, nil)
		return db.InTenant(context.Background(), identity.Caller{UserID: uuid.MustParse(user), Role: identity.Authenticated}, "", work)
	}
	insert := func(tenant uuid.UUID, user string) string {
		return fmt.Sprintf("insert into public.query_performance_log (tenant_id, user_id, query_type, duration_ms, success) values ('%s', '%s', 'agents', 12, true)", tenant, user)
	}
	call := func(tenant any, user string) string {
		return fmt.Sprintf("select public.log_query_performance('agents', %s, '%s', 12, 3)", tenant, user)
	}
	require.NoError(t, try(dana, insert(tenantA, dana)))
	require.NoError(t, try(dana, call("'"+tenantA.String()+"'", dana)))
	require.NoError(t, try(root, insert(uuid.MustParse(platform), root)))
	for _, refused := range []string{insert(tenantB, dana), insert(tenantA, adaID), insert(uuid.MustParse(platform), dana), call("'"+tenantB.String()+"'", dana), call("null", dana)} {
		require.Equal(t, fault.PermissionDenied, fault.CodeOf(try(dana, refused)), refused)
	}
	for column, value := range map[string]string{"created_at": "now() - interval '2 days'", "weight": "2", "steps": "'[]'", "duration_us": "1"} {
		text := fmt.Sprintf("insert into public.query_performance (tenant_id, user_id, query_name, %s) values ('%s', '%s', 'x', %s)", column, tenantA, dana, value)
		require.Equal(t, fault.PermissionDenied, fault.CodeOf(try(dana, text)), column)
	}
	require.Equal(t, []string{"3"}, rows(t, d, "select count(*)::text from query_performance"))
}

// TestWhy plants a failure in one user, one tenant and everybody, and a slow load, and asks what is said of each.
func TestWhy(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, people+`
		insert into query_performance (tenant_id, user_id, query_name, duration_us, success, error_code, error_message, request_id, created_at, steps)
		select case u.email when 'bob@bolt.test' then 'bbbbbbbb-0000-4000-8000-000000000000' else 'aaaaaaaa-0000-4000-8000-000000000000' end::uuid, u.id, q.name,
			case when bad and q.name = 'slow.select' then 3000000 else 2000 end, not bad or q.name = 'slow.select', case when bad and q.name <> 'slow.select' then 'broken' end,
			case when bad then 'It is broken.' end, concat_ws('-', left(u.email, 3), q.name, m), now() - make_interval(mins => 60 - m),
			case when bad then '[{"step": "authenticate", "duration_us": 20}, {"step": "RestRead", "duration_us": 1800, "code": "broken"}]'::jsonb end
		from users u cross join generate_series(1, 50) m
		cross join (values ('one', 'dana@acme.test'), ('tenants', '%@acme.test'), ('all', '%'), ('slow.select', '%')) q (name, whose)
		cross join lateral (select m > 30 and u.email like q.whose as bad) b
		where u.email not like 'root%';
		insert into feature_flags (flag_key) values ('dark');
		update feature_flag_versions set created_at = now() - interval '30 minutes';
		insert into vital.server_starts (version, schema_version, started_at) values ('1.2.3', 14, now() - interval '31 minutes'), ('1.2.4', 14, now() - interval '10 minutes');`)
	db := d.Open(t, postgres.Config{})
	why := func(request string) (found []perf.Lineage) {
		t.Helper()
		err := db.AsService(context.Background(), "Why", func(tx pgx.Tx) (err error) {
			found, err = perf.Why(context.Background(), tx, request, time.Second)
			return err
		})
		require.NoError(t, err)
		return found
	}
	for request, want := range map[string]struct{ verdict, scope string }{
		"dan-one-50": {"failed", "user"}, "dan-tenants-50": {"failed", "tenant"}, "dan-all-50": {"failed", "everybody"}, "bob-all-40": {"failed", "everybody"},
		"dan-slow.select-50": {"slow", "everybody"}, "ada-one-50": {"well", ""}, "bob-tenants-50": {"well", ""},
	} {
		found := why(request)
		require.Len(t, found, 1, request)
		line := found[0]
		require.Equal(t, want.verdict, line.Verdict, request)
		require.Equal(t, want.scope, line.Scope, request)
		if line.Verdict == "well" {
			continue
		}
		require.WithinDuration(t, time.Now().Add(-29*time.Minute), *line.Since, 15*time.Second, request)
		require.Len(t, line.Load.Steps, 2)
		require.Equal(t, "broken", line.Load.Steps[1].Code)
		var before []string
		for _, c := range line.Before {
			if c.Kind == "flag" || c.Kind == "deploy" {
				before = append(before, c.Kind+" "+c.What)
			}
		}
		require.Equal(t, []string{"flag dark version 1", "deploy server of version 1.2.3 started"}, before, "%s: the latest first, and nothing from after it began", request)
	}
	err := db.AsService(context.Background(), "Why", func(tx pgx.Tx) error {
		_, err := perf.Why(context.Background(), tx, "no-such", time.Second)
		return err
	})
	require.Equal(t, fault.NotFound, fault.CodeOf(err))
}

// TestWhy_OneAfterTheOther: what fails for a tenant, and later for everybody, meets one user before the next. It is told alike
// whichever of them is asked about, the first, who failed alone, too; and each time by itself.
func TestWhy_OneAfterTheOther(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, people+`
		insert into query_performance (tenant_id, user_id, query_name, duration_us, success, error_code, request_id, created_at)
		select u.organization_id, u.id, q.name, case when bad and q.name = 'slow' then 3000000 else 2000 end, not bad or q.name = 'slow', case when bad and q.name <> 'slow' then 'broken' end,
			concat_ws('-', left(u.email, 3), q.name, m), date_trunc('hour', now()) - interval '1 hour' + make_interval(mins => m, secs => case left(u.email, 3) when 'ada' then 0 when 'dan' then 10 else 20 end)
		from users u cross join generate_series(1, 50) m cross join (values ('failing'), ('slow')) q (name)
		cross join lateral (select m between 21 and 25 and u.email like '%@acme.test' or m > 40 as bad) b
		where u.email not like 'root%';`)
	db := d.Open(t, postgres.Config{})
	began := func(minute int) time.Time {
		return time.Now().Truncate(time.Hour).Add(-time.Hour + time.Duration(minute)*time.Minute)
	}
	for request, want := range map[string]struct {
		scope                 string
		since                 time.Time
		loads, users, tenants int64
	}{
		"ada-failing-21": {"tenant", began(21), 10, 2, 1}, "dan-failing-23": {"tenant", began(21), 10, 2, 1}, "dan-failing-25": {"tenant", began(21), 10, 2, 1},
		"ada-failing-41": {"everybody", began(41), 30, 3, 2}, "bob-failing-50": {"everybody", began(41), 30, 3, 2},
		"ada-slow-21": {"tenant", began(21), 10, 2, 1}, "ada-slow-41": {"everybody", began(41), 30, 3, 2},
	} {
		err := db.AsService(context.Background(), "Why", func(tx pgx.Tx) error {
			found, err := perf.Why(context.Background(), tx, request, time.Second)
			require.NoError(t, err, request)
			line := found[0]
			require.Equal(t, want.scope, line.Scope, request)
			require.WithinDuration(t, want.since, *line.Since, 0, request)
			for _, r := range line.Reach {
				if r.Scope == want.scope {
					require.Equal(t, []int64{want.loads, want.users, want.tenants}, []int64{r.Loads, r.Users, r.Tenants}, request)
					require.Equal(t, want.scope == "tenant", r.NextGood != nil, request)
				}
			}
			return nil
		})
		require.NoError(t, err)
	}
}

// TestWhy_Overlap: a load that had begun before the change that made it fail names that change, and is not told apart from
// those that failed with it by one that began at the same time and still fared well.
func TestWhy_Overlap(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, people+`
		insert into query_performance (tenant_id, user_id, query_name, duration_us, success, error_code, request_id, created_at)
		select u.organization_id, u.id, 'x', l.ms * 1000, l.code is null, l.code, l.id, now() - interval '10 minutes' + make_interval(secs => l.at)
		from (values ('early', 'ada%', 0, 2000, 'broken'), ('well', 'dan%', 0.2, 100, null), ('late', 'dan%', 1.5, 100, 'broken'), ('last', 'bob%', 1.6, 100, 'broken'),
			('mended', 'ada%', 2.5, 1000, null), ('still', 'dan%', 2.6, 100, 'broken')) l (id, who, at, ms, code)
		join users u on u.email like l.who;
		insert into feature_flags (flag_key) values ('dark');
		update feature_flag_versions set created_at = now() - interval '10 minutes' + interval '1 second';`)
	db := d.Open(t, postgres.Config{})
	for _, request := range []string{"early", "late", "last"} {
		err := db.AsService(context.Background(), "Why", func(tx pgx.Tx) error {
			found, err := perf.Why(context.Background(), tx, request, time.Second)
			require.NoError(t, err)
			require.Equal(t, "everybody", found[0].Scope, request)
			require.Contains(t, fmt.Sprint(found[0].Before), "flag dark version 1", request)
			return nil
		})
		require.NoError(t, err)
	}
}
