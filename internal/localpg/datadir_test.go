package localpg_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/localpg"
)

// listing is all there is to see of the files below dir.
func listing(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		found[path] = info.Mode().String() + " " + info.ModTime().String()
		if err == nil && info.Mode().IsRegular() {
			var content []byte
			content, err = os.ReadFile(path)
			found[path] += " " + string(content)
		}
		return err
	}))
	return found
}

func TestOpen_ForeignDirectoryIsNeverTouched(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		file, content string
		code          fault.Code
		says          string
	}{
		"OtherVersion":      {"PG_VERSION", "14\n", fault.DataDirVersion, "PostgreSQL 14"},
		"OldVersionFormat":  {"PG_VERSION", "9.6\n", fault.DataDirVersion, "PostgreSQL 9"},
		"UnreadableVersion": {"PG_VERSION", "what\n", fault.DataDirUnusable, "what"},
		"NotACluster":       {"thesis.txt", "the only copy", fault.DataDirUnusable, "PG_VERSION"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := config(t, resolved(t))
			cluster := filepath.Join(cfg.DataDir, "postgres")
			require.NoError(t, os.MkdirAll(filepath.Join(cluster, "base"), 0o700))
			require.NoError(t, os.WriteFile(filepath.Join(cluster, test.file), []byte(test.content), 0o600))
			before := listing(t, cluster)
			for _, start := range []func() (*localpg.Server, error){
				func() (*localpg.Server, error) { return localpg.Open(t.Context(), cfg) },
				func() (*localpg.Server, error) { return localpg.Attach(t.Context(), cfg) },
			} {
				_, err := start()
				f := requireFault(t, err, test.code)
				require.Contains(t, f.Message, test.says)
				require.Equal(t, before, listing(t, cluster))
			}
		})
	}
}

func TestOpen_EmptyClusterDirectoryIsUsed(t *testing.T) {
	t.Parallel()
	cfg := config(t, resolved(t))
	require.NoError(t, os.Mkdir(filepath.Join(cfg.DataDir, "postgres"), 0o755))
	require.True(t, open(t, cfg).Initialised())
}

func TestOpen_RelativeDataDir(t *testing.T) {
	t.Chdir(resolved(t))
	cfg := config(t, "data")
	stop(t, open(t, cfg))
	require.FileExists(t, filepath.Join("data", "postgres", "PG_VERSION"))
}

func TestOpen_ErrUnusableDataDir(t *testing.T) {
	t.Parallel()
	t.Run("IsAFile", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(resolved(t), "file")
		require.NoError(t, os.WriteFile(file, nil, 0o600))
		for _, dir := range []string{file, filepath.Join(file, "below")} {
			_, err := localpg.Open(t.Context(), config(t, dir))
			require.Contains(t, requireFault(t, err, fault.DataDirUnusable).Message, dir)
		}
	})
	t.Run("LogIsADirectory", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, resolved(t))
		require.NoError(t, os.Mkdir(filepath.Join(cfg.DataDir, "postgres.log"), 0o700))
		_, err := localpg.Open(t.Context(), cfg)
		require.Contains(t, requireFault(t, err, fault.DataDirUnusable).Message, "postgres.log")
	})
	t.Run("PasswordIsGone", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, resolved(t))
		stop(t, open(t, cfg))
		secret := filepath.Join(cfg.DataDir, "secrets", "superuser")
		require.NoError(t, os.Rename(secret, secret+".backup"))
		_, err := localpg.Open(t.Context(), cfg)
		require.Contains(t, requireFault(t, err, fault.DataDirUnusable).Message, secret)
		require.NoFileExists(t, secret, "no new one is made: the cluster would not know it")

		require.NoError(t, os.WriteFile(secret, []byte("wrong\n"), 0o600))
		_, err = localpg.Open(t.Context(), cfg)
		require.Contains(t, requireFault(t, err, fault.DataDirUnusable).Message, secret)
		require.NotContains(t, err.Error(), "wrong\n")
		require.Empty(t, processes(t, cfg.DataDir))

		require.NoError(t, os.Rename(secret+".backup", secret))
		open(t, cfg)
	})
}

func TestServer_Secret(t *testing.T) {
	t.Parallel()
	cfg := config(t, resolved(t))
	server := open(t, cfg)
	attached, err := localpg.Attach(t.Context(), cfg)
	requireNoError(t, err)
	t.Cleanup(func() { // when no subtest is making one
		left, err := filepath.Glob(filepath.Join(cfg.DataDir, "secrets", ".new-*"))
		require.NoError(t, err)
		require.Empty(t, left)
	})

	t.Run("ConcurrentCreatorsAgree", func(t *testing.T) {
		t.Parallel()
		var group sync.WaitGroup
		var secrets [32]string
		var errs [32]error
		for i := range secrets {
			from := []*localpg.Server{server, attached}[i%2]
			group.Go(func() { secrets[i], errs[i] = from.Secret("jwt") })
		}
		group.Wait()
		for i, secret := range secrets {
			require.NoError(t, errs[i])
			require.Equal(t, secrets[0], secret)
		}
		require.Regexp(t, `^[A-Za-z0-9_-]{43}$`, secrets[0])

		path := filepath.Join(cfg.DataDir, "secrets", "jwt")
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, secrets[0], strings.TrimSpace(string(content)))
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o600), info.Mode())
		info, err = os.Stat(filepath.Dir(path))
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o700), info.Mode().Perm())
	})
	t.Run("NamesDiffer", func(t *testing.T) {
		t.Parallel()
		one, err := server.Secret("one")
		require.NoError(t, err)
		other, err := server.Secret("other")
		require.NoError(t, err)
		require.NotEqual(t, one, other)
	})
	t.Run("ErrName", func(t *testing.T) {
		t.Parallel()
		for _, name := range []string{"", "../postgres.log", "a/b", ".hidden", "Upper", strings.Repeat("x", 65)} {
			_, err := server.Secret(name)
			requireFault(t, err, fault.ConfigInvalid)
		}
	})
	t.Run("ErrEmpty", func(t *testing.T) {
		t.Parallel()
		require.NoError(t, os.WriteFile(filepath.Join(cfg.DataDir, "secrets", "empty"), nil, 0o600))
		_, err := server.Secret("empty")
		requireFault(t, err, fault.DataDirUnusable)
	})
}
