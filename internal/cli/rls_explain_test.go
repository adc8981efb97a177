package cli_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/pgtest"
)

func TestRLSExplain(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	run := func(args ...string) result {
		return vital(t, []string{"VITAL_DATABASE_URL=" + d.URL}, append([]string{"rls", "explain"}, args...)...)
	}
	const ada, agent, shared = "a0000000-0000-4000-8000-000000000001", "b0000000-0000-4000-8000-000000000001", "b0000000-0000-4000-8000-000000000002"
	d.Exec(t, `insert into organizations (id, name, slug, tenant_type, tenant_key) values ('00000000-0000-0000-0000-00000000000a', 'A', 'a', 'digital_health', 'a'),
			('00000000-0000-0000-0000-00000000000b', 'B', 'b', 'digital_health', 'b');
		insert into users (id, email, organization_id) values ('`+ada+`', 'ada@x.test', '00000000-0000-0000-0000-00000000000a');
		insert into profiles (id, email) select id, email from users;
		insert into user_tenants (tenant_id, user_id, role) select organization_id, id, 'member' from users;
		insert into agents (tenant_id, id, name, slug) values ('00000000-0000-0000-0000-00000000000a', '`+agent+`', 'N', 'n'),
			('00000000-0000-0000-0000-000000000001', '`+shared+`', 'S', 's')`)

	text := ok(t, run("agents", agent, "--as", "ADA@x.test"))
	for _, want := range []string{
		"public.agents tenant_id=00000000-0000-0000-0000-00000000000a,id=" + agent, "of tenant a", "in tenant a (active) as member",
		"* agents_select_member", "true  using", "vital.readable_tenant_ids() = 00000000-0000-0000-0000-00000000000a, 00000000-0000-0000-0000-000000000001",
		"not asked: for update, not select", "verdict    visible: the policy agents_select_member is true", "tried      allowed (agrees, and undone)",
	} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, text, "\x1b", "no colours in a pipe")
	require.Contains(t, ok(t, run("agents", shared, "--as", ada, "--command", "delete")), "verdict    not allowed: the policy agents_delete_member")
	require.Contains(t, ok(t, run("agents", agent, "--as", ada, "--tenant", "b")), "the caller is not a member of b")
	require.Contains(t, ok(t, run("agents", agent, "--as", "anon")), "privilege  missing  anon has no SELECT on public.agents")
	require.Contains(t, ok(t, run("agents", agent, "--role", "service_role")), "no policy is asked: service_role has BYPASSRLS")
	require.Contains(t, ok(t, run("agents", agent, "--as", ada, "--command", "insert")), "then stopped by a constraint: duplicate key")

	e := parsed[map[string]any](t, run("agents", agent, "--as", ada, "--json"))
	for _, name := range []string{"table", "key", "row_tenant", "command", "caller", "privilege", "row_security", "policies", "verdict", "trial"} {
		require.Contains(t, e, name)
	}
	require.Equal(t, []any{true, "policy_granted", "agents_select_member"}, []any{e["verdict"].(map[string]any)["allowed"], e["verdict"].(map[string]any)["decision"], e["verdict"].(map[string]any)["policy"]})

	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{2, "(usage)", []string{"agents"}},
		{2, "(usage)", []string{"agents", agent}},
		{2, "(usage)", []string{"agents", agent, "--as", ada, "--command", "truncate"}},
		{2, "(usage)", []string{"agents", agent, "--as", ada, "--set", "nothing"}},
		{2, "(usage)", []string{"tenant_full_config", agent, "--as", ada}},
		{1, "(user_unknown)", []string{"agents", agent, "--as", "nobody@x.test"}},
		{1, "(tenant_not_found)", []string{"agents", agent, "--as", ada, "--tenant", "nowhere"}},
		{1, "Did you mean agents", []string{"agentz", agent, "--as", ada}},
		{1, "(not_found)", []string{"agents", ada, "--as", ada}},
		{1, "(not_found)", []string{"agents", agent, "--role", "nobody"}},
		{1, "(invalid)", []string{"agents", "x", "--as", ada}},
		{1, "(invalid)", []string{"agents", agent, "--as", ada, "--set", "nothing=1"}},
	} {
		got := run(c.args...)
		require.Equal(t, c.code, got.code, "%v %s", c.args, got.err)
		require.Contains(t, got.err, c.says, c.args)
		require.Contains(t, got.err, "hint:", c.args)
		require.Empty(t, got.out, c.args)
	}
	got := vital(t, []string{"VITAL_DATABASE_URL=" + d.APIURL}, "rls", "explain", "agents", agent, "--as", ada)
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "This login may not read all of public.agents. (permission_denied)")
}

func TestRLSExplain_Stranger(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, `drop schema vital cascade; drop schema public cascade; create schema public; grant usage on schema public to authenticated;
		create table notes (id int primary key, org text); alter table notes enable row level security; grant select, insert on notes to authenticated;
		create policy org on notes using (org = current_setting('app.org', true)); insert into notes values (1, 'x')`)
	run := func(args ...string) result {
		return vital(t, []string{"VITAL_DATABASE_URL=" + d.URL}, append([]string{"rls", "explain", "notes", "1"}, args...)...)
	}
	require.Contains(t, ok(t, run("--set", "app.org=x")), "visible: the policy org is true")
	require.Contains(t, ok(t, run("--set", "app.org=y")), "current_setting('app.org'::text, true) = y")
	require.Contains(t, ok(t, run("--role", "anon")), "privilege  missing")
	got := run("--as", "ada@x.test")
	require.Equal(t, 2, got.code)
	require.Contains(t, got.err, "--set name=value")

	d.Exec(t, `create function mend() returns trigger language plpgsql as $$ begin new.org := 'y'; return new; end $$;
		create trigger mend before insert on notes for each row execute function mend(); grant execute on function mend() to authenticated`)
	got = run("--set", "app.org=y", "--command", "insert")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "(internal)")
	require.Contains(t, got.err, "A trigger may change the row before the policies are asked: mend.")
	require.Contains(t, got.out, "disagrees")
}
