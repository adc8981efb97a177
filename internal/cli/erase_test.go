package cli_test

import (
	"bufio"
	"crypto/rand"
	"encoding/base64"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/pgtest"
)

// secondOperator is a login beside the superuser's, and its address.
func secondOperator(t *testing.T, d *pgtest.Database) string {
	t.Helper()
	name := "vital_test_second_" + uuid.NewString()[:8]
	d.Exec(t, "create role "+name+" login password 'second' in role service_role")
	t.Cleanup(func() { d.Exec(t, "drop role "+name) })
	_, rest, _ := strings.Cut(d.URL, "@")
	return "postgres://" + name + ":second@" + rest
}

// plant has a Redis carry out commands.
func plant(t *testing.T, redis string, commands ...string) {
	t.Helper()
	conn, err := net.Dial("unix", strings.TrimPrefix(redis, "unix://"))
	require.NoError(t, err)
	defer conn.Close()
	answers := bufio.NewReader(conn)
	for _, command := range commands {
		_, err := conn.Write([]byte(command + "\r\n"))
		require.NoError(t, err)
		answer, err := answers.ReadString('\n')
		require.NoError(t, err)
		require.NotContains(t, answer, "ERR")
	}
}

// TestErase: an operator asks, another approves, and the certificate says what is so; each wrong step is told.
func TestErase(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, `insert into organizations (id, name, slug, tenant_type, tenant_key) values ('aaaaaaaa-0000-4000-8000-000000000000', 'Acme', 'acme', 'digital_health', 'acme'), ('bbbbbbbb-0000-4000-8000-000000000000', 'Bolt', 'bolt', 'clinic', 'bolt');
		insert into agents (tenant_id, name, slug) select id, name, slug from organizations where slug in ('acme', 'bolt');
		insert into users (id, email) values ('a0000000-0000-4000-8000-000000000001', 'ada@acme.test');
		insert into profiles (id, email) select id, email from users`)
	key, dir := make([]byte, 32), t.TempDir()
	_, err := rand.Read(key)
	require.NoError(t, err)
	keyFile, out := filepath.Join(dir, "key"), filepath.Join(dir, "certificate.json")
	require.NoError(t, os.WriteFile(keyFile, []byte(base64.StdEncoding.EncodeToString(key)), 0o600))
	redis := pgtest.Redis(t)
	plant(t, redis, "SET tenant:aaaaaaaa-0000-4000-8000-000000000000:config {}", "SET tenant:bbbbbbbb-0000-4000-8000-000000000000:config {}")
	run := func(address string, args ...string) result {
		return vital(t, []string{"VITAL_DATABASE_URL=" + address, "VITAL_AUDIT_KEY_FILE=" + keyFile, "VITAL_DATA_DIR=" + dir, "VITAL_REDIS_URL=" + redis}, args...)
	}
	one := func(args ...string) result { return run(d.URL, args...) }
	second := secondOperator(t, d)
	two := func(args ...string) result { return run(second, args...) }

	for _, step := range []struct {
		says string
		code int
		got  result
	}{
		{"usage", 2, one("tenant", "erase", "acme")},
		{"usage", 2, one("tenant", "erase", "acme", "--approve", "--run")},
		{"only an archived one is erased", 1, one("tenant", "erase", "acme", "--reason", "over")},
		{"is archived", 0, func() result {
			one("tenant", "suspend", "acme", "--reason", "over")
			return one("tenant", "archive", "acme", "--reason", "over", "--yes")
		}()},
		{"There is no such erasure.", 1, one("tenant", "erase", "acme", "--approve")},
		{"30 days", 0, one("erasure", "wait")},
		{"not at all", 0, one("erasure", "wait", "0s", "--reason", "a test")},
		{"another operator: vital tenant erase", 0, one("tenant", "erase", "acme", "--reason", "over")},
		{"not yet", 0, one("tenant", "erase", "acme", "--status")},
		{"It takes two", 1, one("tenant", "erase", "acme", "--approve")},
		{"approved", 0, two("tenant", "erase", "acme", "--approve")},
		{"on legal hold", 0, two("tenant", "hold", "acme", "--reason", "a court asks")},
		{"a legal hold stands in its way", 0, one("erasure", "list")},
		{"This tenant is on legal hold.", 1, one("tenant", "erase", "acme", "--run", "--yes")},
		{"no more", 0, two("tenant", "hold", "acme", "--release", "--reason", "the court has what it wants")},
		{"Nobody is there to ask.", 2, one("tenant", "erase", "acme", "--run")},
		{"permission_denied", 1, two("tenant", "erase", "acme", "--run", "--yes")},
		{"clean  looked at", 0, one("tenant", "erase", "acme", "--run", "--yes", "--out", out)},
		{"the signature is good", 0, one("erasure", "verify", out)},
		{"finished", 0, one("tenant", "erase", "aaaaaaaa-0000-4000-8000-000000000000", "--status")},
		{"clean  looked at", 0, two("erasure", "show", "aaaaaaaa-0000-4000-8000-000000000000")},
		{"tenant_not_found", 1, one("tenant", "show", "acme")},
		{"usage", 2, one("erasure", "show", "acme")},
	} {
		require.Equal(t, step.code, step.got.code, "%s: %s%s", step.says, step.got.out, step.got.err)
		require.Contains(t, step.got.out+step.got.err, step.says)
	}
	file, err := os.ReadFile(out)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(out, []byte(strings.Replace(string(file), `"clean": true`, `"clean": false`, 1)), 0o600))
	require.Contains(t, one("erasure", "verify", out).err, "certificate_invalid")
	d.Exec(t, "create table public.planted as select 'aaaaaaaa-0000-4000-8000-000000000000' as said")
	plant(t, redis, "HSET queue:mail 7 to-aaaaaaaa-0000-4000-8000-000000000000")
	left := one("erasure", "scan", "aaaaaaaa-0000-4000-8000-000000000000")
	require.Equal(t, 3, left.code)
	require.Contains(t, left.out, "public.planted.said")
	require.Contains(t, left.out, "queue:mail")
	require.Contains(t, left.out, "2 Redis keys", "the other tenant's is still there")

	ok(t, one("erasure", "wait", "0s", "--users", "--reason", "a test"))
	ok(t, one("user", "erase", "ada@acme.test", "--reason", "asked for it"))
	ok(t, two("user", "erase", "ada@acme.test", "--approve"))
	require.Contains(t, ok(t, one("user", "erase", "ada@acme.test", "--run", "--yes")), "1 row erased")
	ok(t, one("audit", "verify"))
}
