package cli_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
)

// TestCheckAll: the one command for everything, in text and for machines, on a sound database and one that is not.
func TestCheckAll(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	run := func(code int, args ...string) string {
		t.Helper()
		got := vital(t, nil, append([]string{"check", "all", "--database-url", d.URL}, args...)...)
		require.Equal(t, code, got.code, got.out+got.err)
		return got.out
	}
	require.Regexp(t, `^ok    schema  \d+ columns as the rules have them\nok    drift   no drift\nok    rls     nothing found by \d+ lints\nok    data    \d+ checks of data, nothing found\n$`, run(0))

	d.Exec(t, `alter table public.prompts alter column title drop not null; alter table public.prompts no force row level security;
		insert into public.users (id, email) values (gen_random_uuid(), 'lost@vital.test')`)
	text := run(3)
	for _, line := range []string{
		"fail  schema  2 findings must be mended", "fail  drift   2 findings must be mended", "fail  rls     1 finding must be mended", "fail  data    2 findings must be mended",
		"public.prompts.title: Nullable mismatch: must not allow null", "rls_not_forced", "Users missing profile: 1", "column public.prompts.title",
	} {
		if line == "column public.prompts.title" {
			line = "public.prompts.title: not null"
		}
		require.Contains(t, text, line)
	}
	var findings []map[string]string
	require.NoError(t, json.Unmarshal([]byte(run(3, "--json")), &findings))
	require.Len(t, findings, 7)
	for format, start := range map[string]string{"sarif": "{\n  \"$schema\"", "junit": "<?xml", "markdown": "# vital check all"} {
		require.True(t, strings.HasPrefix(run(3, "--format", format), start), format)
	}
}

func TestCheckSchema(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	at := []string{"VITAL_DATABASE_URL=" + d.URL}
	require.Regexp(t, `^ok  \d{3} columns as the rules have them\n$`, ok(t, vital(t, at, "check", "schema")))
	d.Exec(t, "alter table tools drop column implementation_type cascade")
	got := vital(t, at, "check", "schema")
	require.Equal(t, 3, got.code, got.err)
	require.Contains(t, got.out, "error  schema_missing: A column the product relies on is missing\n")
	require.Contains(t, got.out, "- public.tools.implementation_type: Column does not exist")
	d.Exec(t, "drop function public.validate_multitenancy_schema, public.validate_schema")
	got = vital(t, at, "check", "schema")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "(schema_behind)")
}

// damage makes every check of data that the keys let be damaged fail; what is forbidden is not among them.
const damage = `
set session_replication_role = replica;
insert into auth.users (id, email, created_at) values ('d0000000-0000-4000-8000-000000000001', 'new@vital.test', now());
insert into public.users (id, email, organization_id) values
  ('d0000000-0000-4000-8000-000000000002', 'homeless@vital.test', null),
  ('d0000000-0000-4000-8000-000000000003', 'stray@vital.test', (select id from public.organizations where slug = 'pharma'));
insert into auth.users (id, email) select id, email from public.users where email in ('homeless@vital.test', 'stray@vital.test');
insert into public.profiles (id, email, tenant_id) values ('d0000000-0000-4000-8000-000000000003', 'stray@vital.test', (select id from public.organizations where slug = 'digital-health'));
insert into public.organizations (id, name, slug, tenant_type, tenant_key) values ('d0000000-0000-4000-8000-00000000000a', 'Bare', 'bare', 'pharmaceuticals', 'bare');
insert into public.user_tenants (tenant_id, user_id, role) values ('d0000000-0000-4000-8000-00000000000a', 'd0000000-0000-4000-8000-000000000003', 'member');
insert into public.invitations (tenant_id, email, token_hash, expires_at) values ('d0000000-0000-4000-8000-00000000000a', 'late@vital.test', sha256('x'), now() - interval '1 day');
insert into public.feature_flags (id, flag_key, flag_type, variants, default_variant) values ('d0000000-0000-4000-8000-00000000000f', 'shade', 'string', '{"light": "l"}', 'light');
insert into public.tenant_feature_flags (tenant_id, feature_flag_id, variant) values ('d0000000-0000-4000-8000-00000000000a', 'd0000000-0000-4000-8000-00000000000f', 'gone');
insert into public.tools (tenant_id, id, name, slug) values ('d0000000-0000-4000-8000-00000000000a', 'd0000000-0000-4000-8000-0000000000a1', 'New', 'new-tool');
insert into public.tools (tenant_id, id, name, slug, deprecated, deprecated_at, replacement_tool_tenant_id, replacement_tool_id) values
  ('d0000000-0000-4000-8000-00000000000a', 'd0000000-0000-4000-8000-0000000000a2', 'Old', 'old-tool', true, now(), 'd0000000-0000-4000-8000-00000000000a', 'd0000000-0000-4000-8000-0000000000a1');
insert into public.agents (tenant_id, name, slug, capabilities) values ('d0000000-0000-4000-8000-00000000000a', 'A', 'a', '{other,old-tool}');
set session_replication_role = origin;`

// TestFixData: each check of data from green to red by hand, and each repair from red to green and back again.
func TestFixData(t *testing.T) {
	t.Parallel()
	d := demo(t)
	at := []string{"VITAL_DATABASE_URL=" + d.URL}
	failing := func() []string {
		t.Helper()
		var failed []string
		for _, r := range parsed[[]struct {
			Check  string `json:"check_name"`
			Status string
		}](t, result{out: vital(t, at, "check", "data", "--json").out}) {
			if r.Status != "OK" {
				failed = append(failed, r.Check)
			}
		}
		return failed
	}
	require.Empty(t, failing())
	require.Equal(t, "ok  nothing to repair\n", ok(t, vital(t, at, "fix", "data")))
	d.Exec(t, damage)
	red := []string{
		"orgs_without_config", "orgs_without_apps", "users_without_org", "users_without_profile", "accounts_without_user", "users_outside_org",
		"profiles_outside_tenant", "orgs_without_admin", "overrides_of_unknown_variants", "deprecated_tools_assigned", "invitations_expired",
	}
	require.Equal(t, red, failing())
	shown := vital(t, at, "check", "data")
	require.Equal(t, 3, shown.code)
	require.Regexp(t, `(?m)^FAIL +orgs_without_config +Organizations missing tenant_configurations: 1 *$`, shown.out)
	require.Regexp(t, `(?m)^OK +agents_without_tenant +Agents missing tenant_id: 0 \(tenant_id may not be null\) *$`, shown.out)
	require.NotContains(t, shown.out, "vital.test", "rows are counted, and none is shown")

	before := tables(t, d)
	require.Regexp(t, `(?m)^\d+ rows would be written; run it with --apply$`, ok(t, vital(t, at, "fix", "data", "--tenant", "pharma")))
	require.Equal(t, before, tables(t, d), "a dry run writes nothing")

	// Without a tenant, accounts and users of no tenant are left alone.
	first := ok(t, vital(t, at, "fix", "data", "--apply"))
	require.Equal(t, []string{"users_without_org", "accounts_without_user", "orgs_without_admin"}, failing())
	second := ok(t, vital(t, at, "fix", "data", "accounts_without_user", "users_without_org", "users_without_profile", "--tenant", "pharma", "--apply"))
	require.Equal(t, []string{"orgs_without_admin"}, failing(), "who administers a tenant, somebody must decide")
	require.Equal(t, "ok  nothing to repair\n", ok(t, vital(t, at, "fix", "data", "--tenant", "pharma", "--apply")))
	ok(t, vital(t, at, "audit", "verify"))

	undo := regexp.MustCompile("--undo ([0-9a-f-]{36})")
	ok(t, vital(t, at, "fix", "data", "--undo", undo.FindStringSubmatch(second)[1]))
	ok(t, vital(t, at, "fix", "data", "--undo", undo.FindStringSubmatch(first)[1]))
	require.Equal(t, before, tables(t, d), "an undone repair leaves everything as it was")
	require.Equal(t, red, failing())
}

// TestFixData_Refused: what cannot be undone, or is not there, is said, and writes nothing.
func TestFixData_Refused(t *testing.T) {
	t.Parallel()
	d := demo(t)
	at := []string{"VITAL_DATABASE_URL=" + d.URL}
	d.Exec(t, damage)
	done := ok(t, vital(t, at, "fix", "data", "invitations_expired", "orgs_without_apps", "--apply", "--json"))
	run := parsed[struct{ Run string }](t, result{out: done}).Run
	d.Exec(t, "update public.tenant_apps set app_name = 'Mine' where app_key = 'chat' and tenant_id = 'd0000000-0000-4000-8000-00000000000a'")
	before := tables(t, d)
	for args, want := range map[string]string{
		"--undo " + run: "(state_conflict)",
		"--undo d0000000-0000-4000-8000-000000000009": "(not_found)",
		"--undo x":                   "(usage)",
		"--undo " + run + " --apply": "(usage)",
		"audit_gaps":                 "(usage)",
		"--tenant nowhere":           "(tenant_not_found)",
		"--tenant nowhere --apply":   "(tenant_not_found)",
	} {
		got := vital(t, at, append([]string{"fix", "data"}, strings.Fields(args)...)...)
		require.NotZero(t, got.code, args)
		require.Contains(t, got.err, want, args)
		require.Contains(t, got.err, "hint:", args)
	}
	require.Equal(t, before, tables(t, d))
}

func TestTenantMissing(t *testing.T) {
	t.Parallel()
	d := demo(t)
	at := []string{"VITAL_DATABASE_URL=" + d.URL}
	require.Equal(t, "ok  no tenant lacks anything\n", ok(t, vital(t, at, "tenant", "missing")))
	require.Regexp(t, `(?m)^pharma +tenant_apps +OK +4 *$`, ok(t, vital(t, at, "tenant", "missing", "pharma")))
	d.Exec(t, damage)
	got := vital(t, at, "tenant", "missing")
	require.Equal(t, 3, got.code)
	require.Regexp(t, `(?m)^bare +tenant_configuration +MISSING +0 +No configuration record found *$`, got.out)
	require.NotContains(t, got.out, "pharma")
	got = vital(t, at, "tenant", "missing", "nowhere")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "(tenant_not_found)")
}

// demo is a database with the demo tenants.
func demo(t *testing.T) *pgtest.Database {
	t.Helper()
	d := pgtest.New(t)
	db := d.Open(t, postgres.Config{})
	require.NoError(t, db.AsService(t.Context(), "Demo", func(tx pgx.Tx) error { return tenant.CreateDemo(t.Context(), tx) }))
	return d
}

// tables is what every table of schema public but the audit log holds, without when it was written, and how often.
func tables(t *testing.T, d *pgtest.Database) map[string]string {
	t.Helper()
	held := map[string]string{}
	conn := d.Connect(t)
	rows, err := conn.Query(t.Context(), `select c.relname, (xpath('/row/h/text()', query_to_xml(format(
		$$select string_agg(x, ' ' order by x) as h from (select (to_jsonb(t) - '{updated_at,created_at,version}'::text[])::text as x from public.%I t) x$$, c.relname), false, true, '')))[1]::text
		from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname not in ('organization_audit_log', 'tenant_feature_flag_versions') order by 1`)
	require.NoError(t, err)
	for rows.Next() {
		var name string
		var content *string
		require.NoError(t, rows.Scan(&name, &content))
		if content != nil {
			held[name] = *content
		}
	}
	require.NoError(t, rows.Err())
	return held
}
