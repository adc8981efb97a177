package cli_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/pgtest"
)

// keysStage is a database with two tenants, and a keyring that was made.
type keysStage struct {
	db   *pgtest.Database
	dir  string
	ring string
}

func newKeysStage(t *testing.T) *keysStage {
	t.Helper()
	s := &keysStage{db: pgtest.New(t), dir: t.TempDir()}
	s.db.Exec(t, auditFixture)
	s.ring = filepath.Join(s.dir, "ring")
	made := vital(t, nil, "keys", "create", s.ring)
	require.Equal(t, 0, made.code, made.err)
	return s
}

func (s *keysStage) run(t *testing.T, args ...string) result {
	t.Helper()
	return vital(t, []string{"VITAL_DATABASE_URL=" + s.db.URL, "VITAL_KEK_FILE=" + s.ring}, args...)
}

func (s *keysStage) ok(t *testing.T, args ...string) result {
	t.Helper()
	got := s.run(t, args...)
	require.Equal(t, 0, got.code, "%s: %s%s", args, got.out, got.err)
	return got
}

type ringStatus struct {
	Current string
	KEKs    []struct {
		ID              string
		Keys, Destroyed int
		InRing          bool    `json:"in_ring"`
		RetiredAt       *string `json:"retired_at"`
	}
}

func (s *keysStage) status(t *testing.T) (status ringStatus) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(s.ok(t, "keys", "status", "--json").out), &status))
	return status
}

func TestKeys(t *testing.T) {
	t.Parallel()
	s := newKeysStage(t)
	info, err := os.Stat(s.ring)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	before, err := os.ReadFile(s.ring)
	require.NoError(t, err)
	got := vital(t, nil, "keys", "create", s.ring)
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "never overwritten")
	text, err := os.ReadFile(s.ring)
	require.NoError(t, err)
	require.Equal(t, before, text)

	first := s.status(t).Current
	require.Contains(t, s.ok(t, "audit", "seal", "--older-than", "0s", "--tenant", "a-co").out, "rows sealed")
	s.ok(t, "audit", "seal", "--older-than", "0s")
	require.Equal(t, 3, s.status(t).KEKs[0].Keys, "with the platform's")
	require.Contains(t, s.ok(t, "audit", "verify").out, "were sealed and opened, 0 sealed and not opened")
	require.NotContains(t, s.ok(t, "audit", "list").out, "(sealed)")
	without := vital(t, []string{"VITAL_DATABASE_URL=" + s.db.URL}, "audit", "verify")
	require.Equal(t, 0, without.code)
	require.Contains(t, without.err, "not checked")

	got = s.run(t, "keys", "retire", first, "--yes")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "is current")
	require.Contains(t, s.ok(t, "keys", "rotate").out, "3 keys wrapped with")
	second := s.status(t).Current
	require.NotEqual(t, first, second)
	require.Contains(t, s.ok(t, "keys", "destroy", "a-co", "--reason", "they asked", "--yes").out, "destroyed on")
	require.Equal(t, 1, s.run(t, "keys", "retire", "nowhere", "--yes").code)
	require.Equal(t, 2, s.run(t, "keys", "retire", first).code, "nobody is there to ask")
	require.Contains(t, s.ok(t, "keys", "retire", first, "--yes").out, "can be opened by nobody")
	require.Contains(t, s.ok(t, "keys", "status").err, "1 destroyed key can still be opened from backups")
	s.ok(t, "keys", "rotate")
	s.ok(t, "keys", "retire", second, "--yes")
	require.NotContains(t, s.ok(t, "keys", "status").err, "can still be opened")
	verified := s.ok(t, "audit", "verify").out
	require.NotContains(t, verified, " 0 erased with their key")
	require.Contains(t, s.ok(t, "audit", "list", "--tenant", "a-co").out, "they asked", "the row that records it")
	require.NotContains(t, s.ok(t, "audit", "export", "--tenant", "b-co").out, `"closed"`)
	text, err = os.ReadFile(s.ring)
	require.NoError(t, err)
	require.NotContains(t, string(text), strings.Fields(string(before[strings.Index(string(before), "key "):]))[2], "the first key is gone from the file")

	// A rotation that was broken off: the ring has a new key, and the database does not know it yet.
	exported := filepath.Join(s.dir, "keys.jsonl")
	s.ok(t, "keys", "export", exported)
	require.Equal(t, 2, s.run(t, "keys", "export", exported).code)
	s.ok(t, "keys", "import", exported, "--reason", "test")
	s.db.Exec(t, "update vital.tenant_keys set kek_id = '"+first+"' where destroyed_at is null")
	got = s.run(t, "keys", "rotate")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.out, "going on with a rotation")
	require.Contains(t, got.err, "cannot be opened")
	require.Contains(t, s.run(t, "keys", "status").err, "cannot be opened with this keyring")
}

// An archive that is sealed opens with the tenant's key, and never again once that is destroyed.
func TestKeys_Archive(t *testing.T) {
	t.Parallel()
	s := newKeysStage(t)
	dir, out := filepath.Join(s.dir, "archive"), filepath.Join(s.dir, "clear")
	export := func(name string, more ...string) result {
		return s.run(t, append([]string{"tenant", "export", name, "--reason", "test"}, more...)...)
	}
	got := export("a-co", "--encrypt", "--out", dir)
	require.Equal(t, 0, got.code, got.err)
	require.Contains(t, got.out, "sealed with the tenant's key")
	require.Equal(t, 0, export("b-co", "--encrypt", "--out", dir+"-b").code)
	s.ok(t, "keys", "open", dir, "--out", out, "--reason", "test")
	require.FileExists(t, filepath.Join(out, "tables", "public.organizations.jsonl.gz"))
	require.Equal(t, 2, s.run(t, "keys", "open", dir, "--reason", "test").code)
	got = vital(t, []string{"VITAL_DATABASE_URL=" + s.db.URL}, "keys", "open", dir, "--out", out+"2", "--reason", "test")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "no keyring")
	s.ok(t, "keys", "destroy", "a-co", "--reason", "test", "--yes")
	got = s.run(t, "keys", "open", dir, "--out", out+"2", "--reason", "test")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "key_destroyed")
	require.Contains(t, got.err, "was destroyed on 20")
	require.NoDirExists(t, out+"2")
	s.ok(t, "keys", "open", dir+"-b", "--out", out+"-b", "--reason", "test")
}

func TestKeys_Keyring(t *testing.T) {
	t.Parallel()
	s := newKeysStage(t)
	for mode, want := range map[os.FileMode]int{0o600: 0, 0o400: 0, 0o640: 0, 0o644: 1, 0o620: 1, 0o606: 1} {
		require.NoError(t, os.Chmod(s.ring, mode))
		got := s.run(t, "keys", "status")
		require.Equal(t, want, got.code, "%o: %s", mode, got.err)
		if want != 0 {
			require.Contains(t, got.err, "chmod 600")
		}
	}
	require.NoError(t, os.Chmod(s.ring, 0o600))
	text, err := os.ReadFile(s.ring)
	require.NoError(t, err)
	database := "VITAL_DATABASE_URL=" + s.db.URL
	environment := []string{database, "VITAL_KEK=" + strings.ReplaceAll(string(text[strings.Index(string(text), "current"):]), "\n", ";")}
	got := vital(t, environment, "audit", "seal", "--older-than", "0s")
	require.Equal(t, 0, got.code, got.err)
	require.Contains(t, s.ok(t, "audit", "verify").out, " 0 sealed and not opened", "the file is the same ring")
	got = vital(t, environment, "keys", "rotate")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "no command can change")
	got = vital(t, append(environment, "VITAL_KEK_FILE="+s.ring), "keys", "status")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "Both")
	secret := base64.StdEncoding.EncodeToString([]byte("a secret of thirty-two bytes, it is.")[:33])
	got = vital(t, []string{database, "VITAL_KEK=current a;key a " + secret}, "keys", "status")
	require.Equal(t, 1, got.code)
	require.NotContains(t, got.err, secret)
	require.Equal(t, 1, vital(t, []string{database}, "keys", "status").code, "there is none")
	require.Equal(t, 1, vital(t, []string{database, "VITAL_AUDIT_SEAL_AFTER=-1s"}, "audit", "list").code)
}
