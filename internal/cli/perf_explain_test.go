package cli_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/cli"
	"github.com/vital-db/vital/internal/pgtest"
)

// perfDatabase has tenant a with ada and an agent, and tenant b with bo and two.
func perfDatabase(t *testing.T) (*pgtest.Database, func(args ...string) result) {
	t.Helper()
	d := pgtest.New(t)
	d.Exec(t, `insert into organizations (id, name, slug, tenant_type, tenant_key) values ('00000000-0000-0000-0000-00000000000a', 'A', 'a', 'digital_health', 'a'),
			('00000000-0000-0000-0000-00000000000b', 'B', 'b', 'digital_health', 'b');
		insert into users (id, email, organization_id) values ('a0000000-0000-4000-8000-000000000001', 'ada@x.test', '00000000-0000-0000-0000-00000000000a'),
			('a0000000-0000-4000-8000-000000000002', 'bo@x.test', '00000000-0000-0000-0000-00000000000b');
		insert into profiles (id, email) select id, email from users;
		insert into user_tenants (tenant_id, user_id, role) select organization_id, id, 'member' from users;
		insert into agents (tenant_id, name, slug) values ('00000000-0000-0000-0000-00000000000a', 'N', 'n'),
			('00000000-0000-0000-0000-00000000000b', 'M', 'm'), ('00000000-0000-0000-0000-00000000000b', 'O', 'o')`)
	return d, func(args ...string) result {
		return vital(t, []string{"VITAL_DATABASE_URL=" + d.URL}, append([]string{"perf"}, args...)...)
	}
}

func TestPerfExplain(t *testing.T) {
	t.Parallel()
	d, run := perfDatabase(t)
	text := ok(t, run("explain", "select name from agents", "--as", "bo@x.test", "--runs", "2"))
	for _, want := range []string{
		"bo@x.test, role authenticated", "2 rows; rolled back", "public.agents  policies for this role: agents_select_member (select)",
		"on public.agents", "← policy", "SELF", "ESTIMATED", "within functions", "--inner shows their plans",
		"2 rows; ", "3 rows", "whom no policy binds", "median of 2 runs each; other rows are other work",
	} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, text, "\x1b", "no colours in a pipe")
	require.Contains(t, ok(t, run("explain", "select name from agents", "--as", "ada@x.test", "--runs", "0")), "1 row; rolled back")

	text = ok(t, run("explain", "context", "--as", "ada@x.test", "--runs", "1"))
	for _, want := range []string{"Function Scan vital.remembered_context", "vital.read_context(uuid,text,uuid,text) line", "using organizations_pkey on public.organizations", "no table of this plan is bound"} {
		require.Contains(t, text, want)
	}

	e := parsed[map[string]any](t, run("explain", "update agents set name = 'X'", "--as", "bo@x.test", "--json"))
	for _, name := range []string{"statement", "command", "role", "plan", "relations", "policies", "inner", "comparison", "warnings"} {
		require.Contains(t, e, name)
	}
	require.Equal(t, "update", e["command"])
	require.Equal(t, false, e["comparison"].(map[string]any)["made"])

	var out, err safeBuffer
	code := cli.Run(context.Background(), []string{"perf", "explain", "-", "--as", "bo@x.test", "--json"},
		[]string{"VITAL_DATABASE_URL=" + d.URL, "PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()},
		cli.Streams{In: strings.NewReader("select 7\n"), Out: &out, Err: &err})
	require.Equal(t, 0, code, err.String())
	require.Contains(t, out.String(), `"statement": "select 7\n"`)

	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{2, "(usage)", []string{}},
		{2, "(usage)", []string{"context"}},
		{2, "These are 2 statements. (usage)", []string{"select 1; select 2", "--as", "ada@x.test"}},
		{2, "(usage)", []string{"drop table agents", "--as", "ada@x.test"}},
		{2, "(usage)", []string{"-", "--as", "ada@x.test"}},
		{2, "(usage)", []string{"select 1", "--as", "ada@x.test", "--runs", "1000"}},
		{2, "(usage)", []string{"select 1", "--as", "ada@x.test", "--timeout", "0s"}},
		{1, "(invalid)", []string{"select form", "--as", "ada@x.test"}},
		{1, "(user_unknown)", []string{"context", "--as", "nobody@x.test"}},
		{1, "(tenant_not_found)", []string{"context", "--as", "ada@x.test", "--tenant", "b"}},
		{1, "(tenant_not_found)", []string{"context", "--as", "ada@x.test", "--tenant", "nowhere"}},
		{1, "permission denied", []string{"context", "--as", "anon"}},
		{1, "(permission_denied)", []string{"select * from vital.seal_keys", "--as", "ada@x.test"}},
	} {
		got := run(append([]string{"explain"}, c.args...)...)
		require.Equal(t, c.code, got.code, "%v %s", c.args, got.err)
		require.Contains(t, strings.ToLower(got.err), strings.ToLower(c.says), c.args)
		require.Contains(t, got.err, "hint:", c.args)
		require.Empty(t, got.out, c.args)
	}
}

func TestPerfExplain_Stranger(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, `drop schema vital cascade; drop schema public cascade; create schema public; grant usage on schema public to authenticated;
		create table notes (id int primary key, org text); alter table notes enable row level security; grant select on notes to authenticated;
		create policy org on notes using (org = current_setting('app.org', true)); insert into notes values (1, 'x'), (2, 'y')`)
	run := func(args ...string) result {
		return vital(t, []string{"VITAL_DATABASE_URL=" + d.URL}, append([]string{"perf"}, args...)...)
	}
	text := ok(t, run("explain", "select * from notes", "--set", "app.org=x"))
	require.Contains(t, text, "1 row; rolled back")
	require.Contains(t, text, "(notes.org = current_setting('app.org'::text, true)) ← policy")
	require.Contains(t, text, "policy_call_per_row: a policy calls current_setting for each of 2 rows")
	got := run("explain", "context", "--role", "authenticated")
	require.Equal(t, 2, got.code)
	require.Contains(t, got.err, "no VITAL")

	got = run("indexes")
	require.Contains(t, got.err, "policies were not looked at")
	require.Equal(t, 0, got.code, got.err)
	d.Exec(t, `alter table notes add column tenant_id int; create table owners (id int primary key, note int references notes (id))`)
	got = run("indexes")
	require.Equal(t, 3, got.code, got.err)
	for _, want := range []string{"policy_column_unindexed", `CREATE INDEX CONCURRENTLY ON public.notes ("org");`, "foreign_key_unindexed", "CREATE INDEX CONCURRENTLY ON public.owners (note);"} {
		require.Contains(t, got.out, want)
	}
	require.Contains(t, run("indexes", "--format", "sarif").out, `"ruleId": "foreign_key_unindexed"`)
}

func TestPerfIndexes(t *testing.T) {
	t.Parallel()
	d, run := perfDatabase(t)
	text := ok(t, run("indexes"))
	for _, table := range []string{"users", "profiles", "organizations", "tenant_configurations", "tenant_apps", "tenant_feature_flags"} {
		require.Contains(t, text, "public."+table)
	}
	require.NotContains(t, text, "missing")
	require.Contains(t, ok(t, run("indexes", "--table", "agents")), "agents_tenant_id_slug_key")
	got := run("indexes", "--table", "nothing")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "(not_found)")
	found := parsed[map[string]any](t, run("indexes", "--json"))
	for _, name := range []string{"since", "findings", "indexes"} {
		require.Contains(t, found, name)
	}
	got = vital(t, []string{"VITAL_DATABASE_URL=" + d.APIURL}, "perf", "indexes")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "(permission_denied)")
	got = run("statements")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "(extension_missing)")
	require.Equal(t, 2, run("statements", "--limit", "0").code)
}
