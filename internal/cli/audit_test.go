package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/pgtest"
)

const auditFixture = `
	insert into organizations (name, slug, tenant_type, tenant_key) values ('A', 'a-co', 'digital_health', 'a'), ('B', 'b-co', 'digital_health', 'b');
	update tenant_configurations set limits = '{"max_agents": 5}'`

func TestAudit(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, auditFixture)
	dir := t.TempDir()
	key, file := filepath.Join(dir, "audit.key"), filepath.Join(dir, "checkpoints.jsonl")
	require.NoError(t, os.WriteFile(key, []byte("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"), 0o600))
	environment := []string{"VITAL_DATABASE_URL=" + d.URL, "VITAL_AUDIT_KEY_FILE=" + key, "VITAL_AUDIT_CHECKPOINTS=" + file}
	run := func(args ...string) result { return vital(t, environment, append([]string{"audit"}, args...)...) }

	got := run("checkpoint")
	require.Equal(t, 0, got.code, got.err)
	require.Contains(t, got.out, "3 checkpoints signed; public key ")
	require.Contains(t, run("checkpoint").out, "0 checkpoints signed")
	got = run("verify")
	require.Equal(t, 0, got.code, got.err)
	require.Contains(t, got.out, "ok  3 chains, ")
	require.Contains(t, got.out, "6 checkpoints verified", "three in the database, three outside")

	list := run("list", "--tenant", "a-co", "--entity", "tenant_configurations")
	require.Equal(t, 0, list.code, list.err)
	require.Contains(t, list.out, "vital_test_superuser")
	require.NotContains(t, list.out, "b-co")
	var entries []map[string]any
	require.NoError(t, json.Unmarshal([]byte(run("list", "--json", "--limit", "2", "--since", "1h").out), &entries))
	require.Len(t, entries, 2)
	require.Equal(t, 2, run("list", "--since", "yesterday").code)
	require.Equal(t, 1, run("list", "--tenant", "nowhere").code)

	require.Equal(t, 2, run("export").code)
	exported := filepath.Join(dir, "a.jsonl")
	require.Equal(t, 0, run("export", "--tenant", "a-co", "--out", exported).code)
	text, err := os.ReadFile(exported)
	require.NoError(t, err)
	for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		var entry struct{ Seq int }
		require.NoError(t, json.Unmarshal([]byte(line), &entry))
		require.Equal(t, i+1, entry.Seq)
	}
	require.Equal(t, string(text), run("export", "--tenant", "a-co").out)
	require.Equal(t, 2, run("export", "--tenant", "a-co", "--out", exported).code, "a file is never overwritten")

	// Everything is rewritten behind the triggers, checkpoints too: only what is kept outside finds it.
	d.Exec(t, `begin; set local session_replication_role = replica;
		truncate organization_audit_log, vital.audit_heads, vital.audit_checkpoints; commit;
		update tenant_configurations set limits = '{"max_agents": 6}'`)
	got = run("verify", "--tenant", "a-co")
	require.Equal(t, 3, got.code, got.err)
	require.Contains(t, got.out, "checkpoint_broken: tenant a-co, row ")
	require.Contains(t, got.err, "(findings)")
	var report struct {
		Summary  struct{ Findings int }
		Findings []map[string]any
	}
	got = run("verify", "--json")
	require.Equal(t, 3, got.code, got.err)
	require.NoError(t, json.Unmarshal([]byte(got.out), &report))
	require.Len(t, report.Findings, report.Summary.Findings)
	require.NotZero(t, report.Summary.Findings)

	without := vital(t, []string{"VITAL_DATABASE_URL=" + d.URL}, "audit", "verify")
	require.Equal(t, 0, without.code, without.out)
	require.Contains(t, without.err, "no checkpoints kept outside")
	require.Equal(t, 1, vital(t, []string{"VITAL_DATABASE_URL=" + d.URL}, "audit", "checkpoint").code, "there is no key")
	require.Equal(t, 1, run("verify", "--checkpoints", filepath.Join(dir, "nothing")).code)
	require.Equal(t, 1, vital(t, []string{"VITAL_DATABASE_URL=" + d.ServiceURL}, "audit", "verify").code, "who sees less than all verifies nothing")
}

// The private server signs with a secret of its own and keeps checkpoints beside itself, unasked.
func TestAudit_PrivateServer(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	environment := []string{"VITAL_DATA_DIR=" + dir, "VITAL_LISTEN=127.0.0.1:0"}
	server := start(t, environment, "up")
	file := filepath.Join(dir, "audit-checkpoints.jsonl")
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(file)
		return err == nil && strings.Count(string(text), "\n") >= 3
	}, 30*time.Second, 50*time.Millisecond, "no checkpoints were kept: %s", server.err)
	require.Equal(t, 0, server.stop())
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	got := vital(t, environment, "audit", "verify")
	require.Equal(t, 0, got.code, got.out+got.err)
	require.Contains(t, got.out, "6 checkpoints verified")
	require.NotContains(t, got.err, "no checkpoints kept outside")
}
