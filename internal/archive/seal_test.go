package archive_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/archive"
	"github.com/vital-db/vital/internal/envelope"
	"github.com/vital-db/vital/internal/fault"
)

// sealed takes acme out, sealed with a key.
func sealed(t *testing.T, conn *pgx.Conn, key *envelope.Key, dir string) *archive.Manifest {
	t.Helper()
	m, err := archive.Export{Dir: dir, Tenant: acme, Seal: key}.Run(context.Background(), conn)
	require.NoError(t, err)
	return m
}

func requireCode(t *testing.T, code fault.Code, err error) {
	t.Helper()
	require.Equal(t, code, fault.CodeOf(err), "%v", err)
}

// A sealed archive holds what one in clear does, and shows none of it without the key.
func TestExport_Sealed(t *testing.T) {
	t.Parallel()
	_, conn := setup(t)
	clearDir, dir := export(t, conn, acme, nil), filepath.Join(t.TempDir(), "sealed")
	key := envelope.NewKey(acme)
	m := sealed(t, conn, key, dir)
	require.Equal(t, key.ID, *m.KeyID)
	clear, err := archive.Open(clearDir, nil)
	require.NoError(t, err)
	require.False(t, clear.Sealed())

	a, err := archive.Open(dir, nil)
	require.NoError(t, err)
	require.True(t, a.Sealed())
	requireCode(t, fault.KeyUnavailable, a.Verify())
	requireCode(t, fault.KeyUnavailable, a.Unlock(envelope.NewKey(acme)))
	wrongTenant := *key
	wrongTenant.Tenant = bolt
	requireCode(t, fault.KeyUnavailable, a.Unlock(&wrongTenant))
	require.NoError(t, a.Unlock(key))
	require.NoError(t, a.Verify())
	require.Equal(t, clear.Rows(), a.Rows())
	for i := range a.Tables {
		require.Equal(t, lines(t, clear, i), lines(t, a, i))
		if a.Tables[i].Rows > 0 {
			require.NotEqual(t, clear.Tables[i].SHA256, a.Tables[i].SHA256, "a hash that anybody can make tells what was hashed")
		}
	}
	err = filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == "manifest.json" {
			return err
		}
		text, err := os.ReadFile(path)
		require.NotContains(t, string(text), "ada@acme.test")
		require.NotEqual(t, "\x1f\x8b", string(text[:2]), "%s is not even compressed in clear", path)
		return err
	})
	require.NoError(t, err)

	out := filepath.Join(t.TempDir(), "out")
	copied, err := a.CopyClear(out, nil)
	require.NoError(t, err)
	require.Nil(t, copied.KeyID)
	require.Equal(t, clear.Tables, copied.Tables, "what comes out is what would have been written in clear")
	again, err := archive.Open(out, nil)
	require.NoError(t, err)
	require.NoError(t, again.Verify())
	_, err = a.CopyClear(out, nil)
	requireCode(t, fault.ArchiveFailed, err)
}

func lines(t *testing.T, a *archive.Archive, i int) (all []string) {
	t.Helper()
	require.NoError(t, a.Each(&a.Tables[i], func(line []byte) error {
		all = append(all, string(line))
		return nil
	}))
	return all
}

func TestOpen_SealedTampering(t *testing.T) {
	t.Parallel()
	_, conn := setup(t)
	key := envelope.NewKey(acme)
	for name, tamper := range map[string]func(agents, prompts string) error{
		"cut": func(agents, _ string) error {
			info, err := os.Stat(agents)
			require.NoError(t, err)
			return os.Truncate(agents, info.Size()-1)
		},
		"swapped": func(agents, prompts string) error { return os.Rename(prompts, agents) },
		"in clear": func(agents, _ string) error {
			return os.WriteFile(agents, []byte("\x1f\x8b\x08\x00 a file in clear, as one might put it in the place of a sealed one"), 0o600)
		},
		"gone": func(agents, _ string) error { return os.Remove(agents) },
	} {
		dir := filepath.Join(t.TempDir(), "sealed")
		sealed(t, conn, key, dir)
		file := func(table string) string { return filepath.Join(dir, "tables", "public."+table+".jsonl.gz.sealed") }
		require.NoError(t, tamper(file("agents"), file("prompts")), name)
		a, err := archive.Open(dir, nil)
		require.NoError(t, err)
		require.NoError(t, a.Unlock(key))
		requireCode(t, fault.ArchiveInvalid, a.Verify())
	}
}

// What an export in clear has left behind where it was broken off is not in the sealed one that goes on there.
func TestExport_SealedAfterClear(t *testing.T) {
	t.Parallel()
	_, conn := setup(t)
	dir := filepath.Join(t.TempDir(), "archive")
	require.NoError(t, os.Rename(export(t, conn, acme, nil), dir+".partial"))
	key := envelope.NewKey(acme)
	sealed(t, conn, key, dir)
	require.NoError(t, os.Rename(dir, dir+".partial"))
	other := envelope.NewKey(acme) // the former was destroyed meanwhile
	sealed(t, conn, other, dir)
	files, err := os.ReadDir(filepath.Join(dir, "tables"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		require.True(t, strings.HasSuffix(file.Name(), ".sealed"), file.Name())
	}
	a, err := archive.Open(dir, nil)
	require.NoError(t, err)
	require.NoError(t, a.Unlock(other))
	require.NoError(t, a.Verify())
}
