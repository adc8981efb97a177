package tenant_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
)

// operatorsOnly are functions about the platform and not one tenant.
var operatorsOnly = []string{
	"select count(*)::int from list_check_runs()", "select count(*)::int from list_jobs()", "select count(*)::int from list_weekly_reports()",
	"select count(*)::int from list_gates()", "select count(*)::int from list_erasures()", "select count(*)::int from list_legal_holds()", "select run_check('rls')::int", "select make_weekly_report()::int", "select make_weekly_report(true)::int",
}

// TestOperatorsOnly: super admins and service_role, whatever tenant they act in; and nothing is planned by those refused, who are not told
// either whether what they asked for makes sense.
func TestOperatorsOnly(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	s.Exec(t, "update vital.migrations set tstamp = tstamp - interval '14 days'")
	for _, text := range append([]string{"select run_check('none')", "select run_check(null)"}, operatorsOnly...) {
		for _, user := range []string{olga, ada, ben, vic, cyd, sue, nina, both} {
			refused(t, s, fault.PermissionDenied, user, text)
		}
		work := &postgres.Work{Name: "Test", Writes: true}
		work.Query(text, nil)
		require.Equal(t, fault.PermissionDenied, fault.CodeOf(s.db.InTenant(context.Background(), identity.Anonymous(), "", work)), text)
	}
	require.Zero(t, peek[int](t, s, "select count(*)::int from vital.river_job"))
	refused(t, s, fault.PermissionDenied, ada, "select vital.enqueue_job('check_run')")
	refused(t, s, fault.PermissionDenied, root, "select vital.enqueue_job('check_run')")
	for _, text := range operatorsOnly {
		must[int](t, s, root, "", text)
		must[int](t, s, root, "bolt", text)
		_, err := operate[int](s, text)
		require.NoError(t, err, text)
	}
	refused(t, s, fault.Invalid, root, "select run_check('proof')")
	refused(t, s, fault.Invalid, root, "select run_check(null)")
}

// TestListCheckRuns: the newest first, as they were kept.
func TestListCheckRuns(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	s.Exec(t, `insert into vital.check_runs (check_name, status, findings, duration_ms, details, ran_at) values
		('rls', 'ok', 0, 12, '[]', now() - interval '1 day'),
		('proof', 'findings', 1, 34, '[{"check": "read", "object": "public.agents", "detail": "as admin"}]', now()), ('scale', 'failed', 1, 5, '[]', now() - interval '2 days')`)
	require.Equal(t, []string{"proof findings 1 34 public.agents", "rls ok 0 12", "scale failed 1 5"}, must[[]string](t, s, root, "",
		"select array_agg(concat_ws(' ', check_name, status, findings, duration_ms, details -> 0 ->> 'object') order by n) from list_check_runs() with ordinality as r (id, check_name, status, findings, duration_ms, ran_at, details, n)"))
}

// TestListJobs shows how jobs ended, and nothing of what they were told.
func TestListJobs(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	s.Exec(t, `insert into vital.river_job (kind, args, metadata, state, finalized_at, errors) values
		('flag_changes_apply', '{"secret": 1}', '{"secret": 2}', 'completed', now(), null),
		('loads_roll', '{}', '{}', 'discarded', now(), array['{"error": "first", "trace": "secret"}', '{"error": "second"}']::jsonb[])`)
	require.Equal(t, []string{"loads_roll default discarded 0 25 second", "flag_changes_apply default completed 0 25"}, must[[]string](t, s, root, "",
		"select array_agg(concat_ws(' ', kind, queue, state, attempt, max_attempts, last_error)) from list_jobs()"))
	require.NotContains(t, must[string](t, s, root, "", "select jsonb_agg(to_jsonb(j))::text from list_jobs() j"), "secret")
	for _, column := range []string{"args", "metadata"} {
		require.False(t, peek[bool](t, s, "select has_column_privilege('vital_definer', 'vital.river_job', $1, 'select')", column), column)
	}
}

const usage = "select array_agg(concat_ws(' ', limit_name, coalesce(used::text, '-'), coalesce(allowed::text, '-'), case when is_lower_bound then 'or more' end)) from get_tenant_usage()"

// TestTenantUsage counts what is the caller's tenant's, for its members.
func TestTenantUsage(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	s.Exec(t, `insert into tenant_configurations (tenant_id, limits) values
		('`+acme+`', '{"max_agents": 3, "requests_per_second": 50, "custom": {"x": 1}}'), ('`+bolt+`', '{"max_agents": null, "max_conversations": 20000}')
		on conflict (tenant_id) do update set limits = excluded.limits`)
	own, theirs := s.agent(t, acme, 1), s.agent(t, bolt, 1)
	s.Exec(t, `insert into tenant_agents (tenant_id, agent_tenant_id, agent_id) values ('`+acme+`', '`+acme+`', $1)`, own)
	s.Exec(t, `insert into chat_sessions (tenant_id, user_id) select '`+acme+`', '`+ben+`' from generate_series(1, 10002)`)
	s.Exec(t, `insert into chat_sessions (tenant_id, user_id) select '`+bolt+`', '`+cyd+`' from generate_series(1, 10002)`)
	s.Exec(t, `insert into invitations (tenant_id, email, token_hash, expires_at, revoked_at)
		select '`+acme+`', n || '@new.test', sha256(n::text::bytea), now() + make_interval(days => 2 - n), case n when 1 then now() end from generate_series(0, 2) n`)
	s.tool(t, acme, "adder")
	rest := []string{"agents 1 -", "tools 1 -", "prompts 0 -", "knowledge 0 -", "personas 0 -", "jobs_to_be_done 0 -"}
	known := []string{"max_agents 1 3", "max_conversations 10000 - or more", "requests_per_second - 50", "concurrent_requests - -", "members 6 -"}
	for _, user := range []string{ben, vic} {
		require.Equal(t, append(append([]string{}, known...), rest...), must[[]string](t, s, user, "", usage), "open invitations are admins' to know")
	}
	for _, user := range []string{olga, ada} {
		require.Equal(t, append(append(append([]string{}, known...), "pending_invitations 1 -"), rest...), must[[]string](t, s, user, "", usage))
	}
	ofBolt := []string{"max_agents 0 -", "max_conversations 10002 20000", "requests_per_second - -", "concurrent_requests - -", "members 2 -", "pending_invitations 0 -",
		"agents 1 -", "tools 0 -", "prompts 0 -", "knowledge 0 -", "personas 0 -", "jobs_to_be_done 0 -"}
	require.Equal(t, ofBolt, must[[]string](t, s, cyd, "", usage))
	require.Equal(t, ofBolt, must[[]string](t, s, root, "bolt", usage))
	require.NotEmpty(t, theirs)

	refused(t, s, fault.TenantNotFound, nina, usage)
	refused(t, s, fault.TenantSuspended, sue, usage)
	_, err := as[any](s, ada, "nowhere", usage)
	require.Equal(t, fault.TenantNotFound, fault.CodeOf(err))
	_, err = operate[any](s, usage)
	require.Equal(t, fault.UserRequired, fault.CodeOf(err))
	s.Exec(t, `update tenant_configurations set limits = '{"max_agents": "many"}' where tenant_id = '`+bolt+`'`)
	refused(t, s, fault.Invalid, cyd, usage)
	s.Exec(t, `delete from tenant_configurations where tenant_id = '`+bolt+`'`)
	refused(t, s, fault.TenantUnconfigured, cyd, usage)
}

// TestTenantUsage_EveryLimit: no limit that a trigger holds is left out.
func TestTenantUsage_EveryLimit(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	s.Exec(t, "insert into tenant_configurations (tenant_id) values ('"+acme+"') on conflict do nothing")
	held := peek[[]string](t, s, `select array_agg(distinct trim(trailing E'\\000' from encode(g.tgargs, 'escape'))) from pg_trigger g where g.tgfoid = 'vital.enforce_limit()'::regprocedure`)
	require.NotEmpty(t, held)
	require.Subset(t, must[[]string](t, s, ada, "", "select array_agg(limit_name) from get_tenant_usage()"), held)
}
