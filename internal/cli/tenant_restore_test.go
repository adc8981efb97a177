package cli_test

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/pgtest"
)

// TestTenantRestore is an operator's way through: take out, damage, compare, try, put back, copy.
func TestTenantRestore(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, `insert into organizations (name, slug, tenant_type, tenant_key) values ('Acme', 'acme', 'digital_health', 'acme'), ('Bolt', 'bolt', 'clinic', 'bolt');
		insert into users (id, email) values ('a0000000-0000-4000-8000-000000000001', 'ada@acme.test');
		insert into agents (tenant_id, name, slug) select id, 'Agent', 'agent' from organizations where slug in ('acme', 'bolt')`)
	dir := filepath.Join(t.TempDir(), "acme")
	run := func(args ...string) result {
		return vital(t, []string{"VITAL_DATABASE_URL=" + d.URL, "VITAL_DATA_DIR=" + t.TempDir()}, append([]string{"tenant"}, args...)...)
	}
	name := func() (name string) {
		require.NoError(t, d.Connect(t).QueryRow(t.Context(), "select a.name from agents a join organizations o on o.id = a.tenant_id where o.slug = 'acme'").Scan(&name))
		return name
	}
	ok(t, run("export", "acme", "--out", dir, "--reason", "before"))
	got := run("diff", "acme", "--from", dir)
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "Nobody vouches for the archive")
	got = run("diff", "acme", "--from", dir, "--unsigned")
	ok(t, got)
	require.Contains(t, got.out, "acme is as it was at")

	d.Exec(t, "update agents set name = 'Damaged'")
	got = run("diff", "acme", "--from", dir, "--unsigned", "--table", "agents")
	require.Equal(t, 3, got.code)
	require.Regexp(t, `public\.agents +\S+ +name +"Agent" +"Damaged"`, got.out)
	got = run("diff", "acme", "--from", dir, "--unsigned", "--table", "agents", "--json")
	require.Equal(t, 3, got.code)
	require.True(t, json.Valid([]byte(got.out)), got.out)

	for _, args := range [][]string{
		{"restore", "acme", "--from", dir, "--unsigned", "--yes"},
		{"restore", "acme", "--reason", "x"},
		{"restore", "acme", "--from", "nowhere", "--reason", "x"},
		{"restore", "acme", "--from", dir, "--unsigned", "--reason", "x"},
		{"restore", "acme", "--from", dir, "--unsigned", "--as", "x", "--tables", "agents", "--reason", "x"},
		{"clone", "acme", "--as", "x", "--reason", "x"},
	} {
		require.Equal(t, 2, run(args...).code, args)
	}
	got = run("restore", "bolt", "--from", dir, "--unsigned", "--reason", "x", "--yes")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "archive_mismatch")
	got = run("restore", "acme", "--from", dir, "--unsigned", "--dry-run")
	ok(t, got)
	require.Regexp(t, `public\.agents +0 +1 +0`, got.out)
	require.Equal(t, "Damaged", name())
	got = run("restore", "acme", "--from", dir, "--unsigned", "--reason", "a mistake", "--yes")
	ok(t, got)
	require.Contains(t, got.out, "restored acme to what it was at")
	require.Equal(t, "Agent", name())
	ok(t, run("diff", "acme", "--from", dir, "--unsigned"))

	got = run("clone", "acme", "--as", "sandbox", "--owner", "ada@acme.test", "--reason", "to try")
	ok(t, got)
	require.Contains(t, got.out, "tenant sandbox made")
	got = run("clone", "acme", "--as", "sandbox", "--owner", "ada@acme.test", "--reason", "to try")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "conflict")
	ok(t, run("restore", "acme", "--from", dir, "--unsigned", "--as", "acme-then", "--reason", "to look"))
	var copies, exports int
	require.NoError(t, d.Connect(t).QueryRow(t.Context(), `select (select count(*) from organizations where slug in ('sandbox', 'acme-then')),
		(select count(*) from organization_audit_log a join organizations o on o.id = a.organization_id where o.slug = 'acme' and a.action = 'exported')`).Scan(&copies, &exports))
	require.Equal(t, []int{2, 3}, []int{copies, exports}, "a copy is taken out, too")
}

// TestTenantRestore_Backup: a backup of the whole database serves one tenant alone, one that is gone, too.
func TestTenantRestore_Backup(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, `insert into organizations (name, slug, tenant_type, tenant_key) values ('Acme', 'acme', 'digital_health', 'acme'), ('Bolt', 'bolt', 'clinic', 'bolt');
		insert into agents (tenant_id, name, slug) select id, 'Agent', 'agent' from organizations where slug in ('acme', 'bolt')`)
	backups := t.TempDir()
	run := func(args ...string) result {
		return vital(t, []string{"VITAL_DATABASE_URL=" + d.URL, "VITAL_DATA_DIR=" + t.TempDir()}, append(args, "--backup-dir", backups)...)
	}
	ok(t, run("migrate", "backup"))
	d.Exec(t, "update agents set name = 'Damaged'")
	got := run("tenant", "restore", "acme", "--from", "2001-01-01", "--reason", "x", "--yes")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "backup_failed")
	got = run("tenant", "restore", "acme", "--from", time.Now().UTC().Add(time.Minute).Format(time.RFC3339), "--reason", "a mistake", "--yes")
	ok(t, got)
	var acme, bolt string
	require.NoError(t, d.Connect(t).QueryRow(t.Context(), `select max(a.name) filter (where o.slug = 'acme'), max(a.name) filter (where o.slug = 'bolt') from agents a join organizations o on o.id = a.tenant_id`).Scan(&acme, &bolt))
	require.Equal(t, []string{"Agent", "Damaged"}, []string{acme, bolt})
}
