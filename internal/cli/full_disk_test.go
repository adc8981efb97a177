package cli_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/archive"
	"github.com/vital-db/vital/internal/cli"
	"github.com/vital-db/vital/internal/pgtest"
)

// asProgram makes this test's binary the program, for tests that need one in a process of its own.
const asProgram = "TEST_AS_PROGRAM"

func runAsProgram() int {
	return cli.Run(context.Background(), os.Args[1:], os.Environ(), cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
}

// onFullDisk runs a script of the shell that has the program in $VITAL, and in $DISK a file system of 64 KiB that is there for it alone; grow gives
// that room. What is put into $KEPT stays. It returns what was said, codes included.
func onFullDisk(t *testing.T, environment []string, script string) (said, kept string) {
	t.Helper()
	root, kept := t.TempDir(), t.TempDir()
	self, err := os.Executable()
	require.NoError(t, err)
	disk := filepath.Join(root, "disk")
	require.NoError(t, os.Mkdir(disk, 0o700))
	unshare := []string{"--mount"}
	if os.Geteuid() != 0 {
		unshare = append(unshare, "--user", "--map-root-user")
	}
	run := func(script string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "unshare", append(unshare, "sh", "-c", script)...)
		cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + root, asProgram + "=1", "VITAL=" + self, "DISK=" + disk, "KEPT=" + kept}, environment...)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	const mount = `mount -t tmpfs -o size=64k tmpfs "$DISK"`
	if said, err := run(mount); err != nil {
		t.Skip("a file system that fills up takes unshare(1) and the right to mount: " + said + err.Error())
	}
	said, err = run("set -u\n" + mount + ` || exit 1
grow() { mount -o remount,size=64m "$DISK"; }
vital() { "$VITAL" "$@"; echo "code $?"; }
` + script)
	require.NoError(t, err, said)
	return said, kept
}

// wholeArchive reads an archive in clear, of a tenant or a person: each file is there and what its manifest says. It returns rows by table.
func wholeArchive(t *testing.T, dir string) map[string]int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	require.NoError(t, err)
	var m archive.Manifest
	require.NoError(t, json.Unmarshal(text, &m))
	require.NotEmpty(t, m.Tables)
	require.FileExists(t, filepath.Join(dir, "manifest.sig"))
	rows := map[string]int{}
	for _, file := range m.Tables {
		packed, err := os.Open(filepath.Join(dir, file.File))
		require.NoError(t, err)
		lines, err := gzip.NewReader(packed)
		require.NoError(t, err)
		text, err := io.ReadAll(lines)
		require.NoError(t, err, file.File)
		require.NoError(t, packed.Close())
		sum := sha256.Sum256(text)
		require.Equal(t, file.SHA256, hex.EncodeToString(sum[:]), file.File)
		rows[file.String()] = bytes.Count(text, []byte("\n"))
	}
	return rows
}

// noise is rows of prompts, which gzip makes little smaller.
const noise = `(select string_agg(gen_random_uuid()::text, '') from generate_series(1, 100 + 0 * n))`

// TestExport_FullDisk: an archive that does not fit is not there, and says why; with room it goes on, and is whole.
func TestExport_FullDisk(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, `insert into organizations (id, name, slug, tenant_type, tenant_key) values ('aaaaaaaa-0000-4000-8000-000000000000', 'Acme', 'acme', 'digital_health', 'acme');
		insert into prompts (tenant_id, title, body) select 'aaaaaaaa-0000-4000-8000-000000000000', n::text, `+noise+` from generate_series(1, 100) n;
		insert into users (id, email) values ('a0000000-0000-4000-8000-000000000001', 'ada@acme.test'), ('b0000000-0000-4000-8000-000000000001', 'bob@acme.test');
		insert into profiles (id, email) select id, email from users;
		insert into user_tenants (tenant_id, user_id) select 'aaaaaaaa-0000-4000-8000-000000000000', id from users;
		insert into chat_sessions (tenant_id, user_id, title) select 'aaaaaaaa-0000-4000-8000-000000000000', 'a0000000-0000-4000-8000-000000000001', `+noise+` from generate_series(1, 100) n`)
	key := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(key, []byte(strings.Repeat("A", 43)+"="), 0o600))
	environment := []string{"VITAL_DATABASE_URL=" + d.URL, "VITAL_AUDIT_KEY_FILE=" + key}
	for _, c := range []struct{ name, what, rows string }{
		{"Tenant", "tenant export acme", "public.prompts"},
		{"TenantAsJSON", "tenant export acme --json", "public.prompts"},
		{"User", "user export ada@acme.test", "public.chat_sessions"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			said, kept := onFullDisk(t, environment, `
vital `+c.what+` --reason full --out "$DISK/a"
ls "$DISK"
echo ----
grow
vital `+c.what+` --reason again --out "$DISK/a"
ls "$DISK"
cp -r "$DISK/a" "$KEPT/a"`)
			full, again, _ := strings.Cut(said, "----")
			require.Contains(t, full, "archive_failed")
			require.Contains(t, full, "See that there is room")
			require.Contains(t, full, "code 1")
			require.Contains(t, full, "\na.partial\n")
			require.NotContains(t, full, "\na\n")
			require.Contains(t, again, "code 0\na\n", "and nothing else")
			require.Equal(t, 100, wholeArchive(t, filepath.Join(kept, "a"))[c.rows])
		})
	}
	t.Run("AnotherUser", func(t *testing.T) {
		t.Parallel()
		_, kept := onFullDisk(t, environment, `
vital user export ada@acme.test --reason full --out "$DISK/a"
ls "$DISK/a.partial/tables" > "$KEPT/before"
grow
vital user export bob@acme.test --reason another --out "$DISK/a"
cp -r "$DISK/a" "$KEPT/a"`)
		before, err := os.ReadFile(filepath.Join(kept, "before"))
		require.NoError(t, err)
		require.Contains(t, string(before), "chat_sessions", "it was broken off where bob has nothing")
		files, err := os.ReadDir(filepath.Join(kept, "a", "tables"))
		require.NoError(t, err)
		require.Len(t, files, len(wholeArchive(t, filepath.Join(kept, "a"))), "what was broken off of ada's is in bob's archive")
	})
}

// TestErase_FullDisk: a certificate that does not fit is not there, and says how to have it; it is kept all the same.
func TestErase_FullDisk(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, `insert into organizations (id, name, slug, tenant_type, tenant_key) values ('aaaaaaaa-0000-4000-8000-000000000000', 'Acme', 'acme', 'digital_health', 'acme');
		update vital.settings set erasure_wait = '0'`)
	key := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(key, []byte(strings.Repeat("A", 43)+"="), 0o600))
	for _, args := range [][]string{{"suspend", "acme"}, {"archive", "acme", "--yes"}, {"erase", "acme"}} {
		ok(t, vital(t, []string{"VITAL_DATABASE_URL=" + d.URL}, append(append([]string{"tenant"}, args...), "--reason", "over")...))
	}
	ok(t, vital(t, []string{"VITAL_DATABASE_URL=" + secondOperator(t, d)}, "tenant", "erase", "acme", "--approve"))
	said, kept := onFullDisk(t, []string{"VITAL_DATABASE_URL=" + d.URL, "VITAL_AUDIT_KEY_FILE=" + key}, `
cat /dev/zero > "$DISK/fill" 2> "$KEPT/said"
vital tenant erase acme --run --yes --out "$DISK/certificate.json"
vital erasure certificate aaaaaaaa-0000-4000-8000-000000000000 --out "$DISK/certificate.json"
ls "$DISK"
echo ----
grow
vital erasure certificate aaaaaaaa-0000-4000-8000-000000000000 --out "$DISK/certificate.json"
vital erasure verify "$DISK/certificate.json"
ls "$DISK"`)
	require.Contains(t, kept, "/")
	full, again, _ := strings.Cut(said, "----")
	require.Equal(t, 2, strings.Count(full, "output_failed"), full)
	require.Contains(t, full, "It is kept: `vital erasure certificate ")
	require.Equal(t, 2, strings.Count(full, "code 1"), full)
	require.Contains(t, full, "\nfill\n")
	require.NotContains(t, full, "\ncertificate.json", "half a certificate")
	require.Equal(t, 2, strings.Count(again, "code 0"), again)
	require.Contains(t, again, "the signature is good")
	require.Equal(t, 1, vital(t, []string{"VITAL_DATABASE_URL=" + d.URL}, "erasure", "certificate", "aaaaaaaa-0000-4000-8000-000000000000", "--out", "/dev/full").code, "a device is written to as it is")
}

// TestBackup_FullDisk: a backup that does not fit leaves nothing, whether that is seen beforehand or met.
func TestBackup_FullDisk(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	said, _ := onFullDisk(t, []string{"VITAL_DATABASE_URL=" + d.URL}, `
vital migrate backup --backup-dir "$DISK"
ls -A "$DISK"
echo ----
grow
(ulimit -f 40; vital migrate backup --backup-dir "$DISK")
ls -A "$DISK"`)
	seen, met, _ := strings.Cut(said, "----\n")
	for _, got := range []string{seen, met} {
		require.Contains(t, got, "backup_failed")
		require.True(t, strings.HasSuffix(got, "code 1\n"), "nothing is left: %s", got)
	}
	require.Contains(t, seen, "Make room")
	require.Contains(t, met, "there must be room where it writes")
}
