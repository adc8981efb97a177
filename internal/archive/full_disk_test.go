package archive_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/archive"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/pgtest"
)

// smallTablespace is a tablespace of 8 MiB of its own, which ends with the test; tables of d that are in it then go back.
func smallTablespace(t *testing.T, d *pgtest.Database) (name string) {
	t.Helper()
	if os.Getenv("VITAL_TEST_DATABASE_URL") != "" {
		t.Skip("a disk that fills up is made on the server's machine, which may be another")
	}
	dir := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o711)) // the server's account has to get there
	if said, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=8m,mode=777", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("a disk that fills up takes the right to mount: %s: %s", err, said)
	}
	t.Cleanup(func() {
		said, err := exec.Command("umount", "--lazy", dir).CombinedOutput()
		require.NoError(t, err, string(said))
	})
	data := dir + "/data"
	require.NoError(t, os.Mkdir(data, 0o700))
	var server string
	require.NoError(t, d.Connect(t).QueryRow(t.Context(), "show data_directory").Scan(&server))
	said, err := exec.Command("sh", "-c", `chown "$(stat -c %u:%g "$1")" "$2"`, "sh", server, data).CombinedOutput()
	require.NoError(t, err, string(said))
	name = "small_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	d.Exec(t, fmt.Sprintf("create tablespace %s location '%s'", name, data))
	t.Cleanup(func() {
		d.Exec(t, "drop table if exists public.filler")
		d.Exec(t, "alter table public.prompts set tablespace pg_default")
		d.Exec(t, "checkpoint") // whose files are unlinked by then
		d.Exec(t, "drop tablespace "+name)
	})
	return name
}

// TestRestore_DatabaseFull: where the database has no room nothing is put back, and that is said; with room the same is.
func TestRestore_DatabaseFull(t *testing.T) {
	t.Parallel()
	d, conn, _ := setUpRestore(t)
	d.Exec(t, "insert into prompts (tenant_id, title, body) select $1, n::text, repeat(gen_random_uuid()::text, 20) from generate_series(1, 2000) n", acme)
	then := openOf(t, conn, acme)
	before := hashes(t, conn, acme)
	d.Exec(t, "delete from prompts where tenant_id = $1", acme)
	space := smallTablespace(t, d)
	d.Exec(t, "alter table prompts set tablespace "+space)
	d.Exec(t, "create table filler (x text) tablespace "+space)
	var err error
	for range 3000 {
		if _, err = conn.Exec(context.Background(), "insert into filler select string_agg(gen_random_uuid()::text, '') from generate_series(1, 200)"); err != nil {
			break
		}
	}
	var pgErr *pgconn.PgError
	require.True(t, errors.As(err, &pgErr), "%v", err)
	require.Equal(t, "53100", pgErr.Code, "the disk is full")
	damaged := hashes(t, conn, acme)

	restore := func() error {
		_, err := archive.Restoration{Archive: then, Tenant: acme, Reason: "deleted by mistake"}.Run(t.Context(), conn)
		return err
	}
	err = restore()
	require.Equal(t, fault.DatabaseFull, fault.CodeOf(err), "%v", err)
	var f *fault.Error
	require.ErrorAs(t, err, &f)
	require.Equal(t, "Make room where it is, and run it again.", f.Hint)
	require.Equal(t, damaged, hashes(t, conn, acme))
	d.Exec(t, "drop table filler")
	require.NoError(t, restore())
	require.Equal(t, before["public.prompts"], hashes(t, conn, acme)["public.prompts"])
}
