package cli_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/pgtest"
)

// TestTenantHistory: an operator reads a row's story and brings it back; what is asked wrongly changes nothing.
func TestTenantHistory(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	const agent = "aaaaaaaa-1111-4000-8000-000000000001"
	d.Exec(t, `insert into organizations (id, name, slug, tenant_type, tenant_key) values ('aaaaaaaa-0000-4000-8000-000000000000', 'Acme', 'acme', 'digital_health', 'acme'),
			('bbbbbbbb-0000-4000-8000-000000000000', 'Bolt', 'bolt', 'clinic', 'bolt');
		insert into agents (tenant_id, id, name, slug) select id, '`+agent+`', slug || ' agent', slug from organizations where slug in ('acme', 'bolt');
		update agents set name = 'spoiled ' || slug`)
	run := func(args ...string) result {
		return vital(t, []string{"VITAL_DATABASE_URL=" + d.URL}, append([]string{"tenant", "history"}, args...)...)
	}
	name := func() (name string) {
		require.NoError(t, d.Connect(t).QueryRow(t.Context(), "select name from agents where slug = 'acme'").Scan(&name))
		return name
	}
	var seq int64
	require.NoError(t, d.Connect(t).QueryRow(t.Context(), `select max(a.seq) from organization_audit_log a join organizations o on o.id = a.organization_id
		where o.slug = 'acme' and a.entity = 'agents'`).Scan(&seq))
	back := fmt.Sprint(seq)

	got := run("acme", "--table", "agents", "--id", agent)
	ok(t, got)
	require.Contains(t, got.out, `name: "acme agent" → "spoiled acme"`)
	require.NotContains(t, got.out, "bolt")
	for _, bad := range []struct {
		code int
		says string
		args []string
	}{
		{2, "usage", []string{"acme", "--id", agent}}, {2, "usage", []string{"acme", "--table", "agents", "--id", "x"}}, {1, "not_found", []string{"acme", "--table", "nothing"}},
		{1, "not_found", []string{"acme", "--table", "tools", "--id", agent}}, {1, "tenant_not_found", []string{"none"}}, {2, "usage", []string{"acme", "--reason", "x"}},
		{2, "usage", []string{"acme", "--table", "agents", "--id", agent, "--back", back}}, // no reason
		{2, "usage", []string{"acme", "--back", back, "--reason", "x"}}, {2, "usage", []string{"acme", "--table", "agents", "--id", agent, "--back", "soon", "--reason", "x"}},
		{2, "usage", []string{"acme", "--table", "agents", "--id", agent, "--back", "-1h", "--reason", "x"}},
		{1, "not_found", []string{"acme", "--table", "agents", "--id", agent, "--back", "99999", "--reason", "x"}},
		{2, "--yes", []string{"acme", "--table", "agents", "--id", agent, "--back", fmt.Sprint(seq - 1), "--reason", "x"}}, // deletes, and nobody is there to ask
	} {
		got := run(bad.args...)
		require.Equal(t, bad.code, got.code, "%v: %s", bad.args, got.err)
		require.Contains(t, got.err, bad.says, bad.args)
	}
	got = run("acme", "--table", "agents", "--id", agent, "--back", back, "--dry-run")
	ok(t, got)
	require.Contains(t, got.out, "nothing was changed")
	require.Equal(t, "spoiled acme", name())

	got = run("acme", "--table", "agents", "--id", agent, "--back", back, "--reason", "a mistake", "--json")
	ok(t, got)
	require.Contains(t, got.out, `"applied": true`)
	require.Equal(t, "acme agent", name())
	got = run("acme", "--table", "agents", "--id", agent, "--back", back, "--reason", "again")
	ok(t, got)
	require.Contains(t, got.out, "nothing to do")
	got = run("acme", "--table", "agents", "--id", agent, "--back", fmt.Sprint(seq-1), "--reason", "x", "--yes")
	ok(t, got)
	var left string
	require.NoError(t, d.Connect(t).QueryRow(t.Context(), "select string_agg(name, ',') from agents").Scan(&left))
	require.Equal(t, "spoiled bolt", left)
}

// TestRetentionAndPerson are the ways through the other commands of this kind.
func TestRetentionAndPerson(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, `insert into organizations (name, slug, tenant_type, tenant_key) values ('Acme', 'acme', 'digital_health', 'acme'), ('Bolt', 'bolt', 'clinic', 'bolt');
		insert into users (id, email) values ('d0000000-0000-4000-8000-000000000001', 'dana@both.test');
		insert into user_tenants (tenant_id, user_id) select id, 'd0000000-0000-4000-8000-000000000001' from organizations where slug in ('acme', 'bolt');
		insert into chat_sessions (tenant_id, user_id, title, created_at) select tenant_id, user_id, 'old', now() - interval '1 year' from user_tenants`)
	run := func(args ...string) result { return vital(t, []string{"VITAL_DATABASE_URL=" + d.URL}, args...) }

	dir := filepath.Join(t.TempDir(), "dana")
	require.Equal(t, 2, run("user", "export", "dana@both.test", "--out", dir).code, "no reason")
	require.Contains(t, run("user", "export", "nobody@x.test", "--out", dir, "--reason", "x").err, "user_unknown")
	got := run("user", "export", "dana@both.test", "--out", dir, "--reason", "asked by herself", "--json")
	ok(t, got)
	require.Contains(t, got.out, `"name": "chat_sessions"`)
	require.FileExists(t, filepath.Join(dir, "manifest.json"))
	require.Contains(t, run("user", "export", "dana@both.test", "--out", dir, "--reason", "x").err, "archive_failed")

	set := []string{"retention", "set", "chat_sessions", "--tenant", "acme", "--keep", "30 days", "--reason", "plan"}
	got = run(set...)
	require.Equal(t, 2, got.code, "rows would go, and nobody is there to ask")
	require.Contains(t, run("retention", "list").out, "no rules")
	ok(t, run(append(set, "--yes")...))
	got = run("retention", "list", "--tenant", "acme")
	require.Contains(t, got.out, "public.chat_sessions")
	require.Contains(t, run("retention", "run", "--dry-run").out, "1 row would go")
	got = run("retention", "run")
	ok(t, got)
	require.Contains(t, got.out, "1 row went")
	require.NotContains(t, got.out, "bolt")
	require.Contains(t, run("retention", "remove", "chat_sessions", "--reason", "x").err, "not_found")
	ok(t, run("retention", "remove", "chat_sessions", "--tenant", "acme", "--reason", "x"))
	require.Equal(t, 2, run("retention", "set", "chat_sessions", "--reason", "x").code, "without a time")
}
