package localpg_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/localpg"
)

// fakeInstallation is a directory whose programs only print version.
func fakeInstallation(t *testing.T, version string, programs ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, program := range programs {
		script(t, dir, program, "echo '"+program+" (PostgreSQL) "+version+"'")
	}
	return dir
}

func script(t *testing.T, dir, name, body string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+body+"\n"), 0o755))
}

func TestFindBinDir_Explicit(t *testing.T) {
	t.Parallel()
	real, err := localpg.FindBinDir("")
	require.NoError(t, err)
	found, err := localpg.FindBinDir(real)
	require.NoError(t, err)
	require.Equal(t, real, found)

	found, err = localpg.FindBinDir(fakeInstallation(t, "19beta2", "postgres", "initdb"))
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(found, "initdb"))

	notExecutable := fakeInstallation(t, "17.1", "postgres", "initdb")
	require.NoError(t, os.Chmod(filepath.Join(notExecutable, "initdb"), 0o644))
	for name, test := range map[string]struct{ dir, says string }{
		"TooOld":        {fakeInstallation(t, "14.9", "postgres", "initdb"), "version 14"},
		"NoInitdb":      {fakeInstallation(t, "17.1", "postgres"), "no initdb"},
		"NoPostgres":    {fakeInstallation(t, "17.1", "initdb"), "no postgres"},
		"NotThere":      {filepath.Join(t.TempDir(), "nowhere"), "nowhere"},
		"NotExecutable": {notExecutable, "initdb cannot be executed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := localpg.FindBinDir(test.dir)
			f := requireFault(t, err, fault.PostgresNotFound)
			require.Contains(t, f.Message, test.dir)
			require.Contains(t, f.Message, test.says)
			require.Contains(t, f.Hint, "--pg-bin")

			cfg := config(t, t.TempDir())
			cfg.BinDir = test.dir
			_, err = localpg.Open(t.Context(), cfg)
			requireFault(t, err, fault.PostgresNotFound)
		})
	}
}

// Not parallel: it changes the environment.
func TestFindBinDir_Search(t *testing.T) {
	named := fakeInstallation(t, "99.1", "postgres", "initdb")
	onPath := fakeInstallation(t, "98.1", "postgres", "initdb")
	tooOld := fakeInstallation(t, "14.1", "postgres", "initdb")
	t.Setenv("PATH", tooOld+":"+onPath+":/bin:/usr/bin")
	script(t, tooOld, "pg_config", "exit 1")
	found, err := localpg.FindBinDir("")
	require.NoError(t, err)
	require.Equal(t, onPath, found, "the first on PATH that is new enough")
	script(t, tooOld, "pg_config", "echo "+named)
	found, err = localpg.FindBinDir("")
	require.NoError(t, err)
	require.Equal(t, named, found)
}

func TestNewestFirst(t *testing.T) {
	t.Parallel()
	dirs := []string{"/l/9.6/bin", "/l/15/bin", "/opt/postgresql/bin", "/l/100/bin", "/opt/postgresql@17/bin"}
	localpg.NewestFirst(dirs)
	require.Equal(t, []string{"/l/100/bin", "/opt/postgresql@17/bin", "/l/15/bin", "/l/9.6/bin", "/opt/postgresql/bin"}, dirs)
}

// Not parallel: it changes the environment. An upgrade that installs a newer server beside the old one
// must not make the cluster unusable.
func TestOpen_PrefersTheVersionOfTheCluster(t *testing.T) {
	cfg := config(t, resolved(t))
	stop(t, open(t, cfg))
	newer := fakeInstallation(t, "99.1", "postgres", "initdb")
	script(t, newer, "pg_config", "echo "+newer)
	t.Setenv("PATH", newer+":"+os.Getenv("PATH"))
	found, err := localpg.FindBinDir("")
	require.NoError(t, err)
	require.Equal(t, newer, found)
	server := open(t, cfg)
	require.False(t, server.Initialised())
	stop(t, server)

	cfg.BinDir = newer // named, it is not replaced by one that would fit
	_, err = localpg.Open(t.Context(), cfg)
	requireFault(t, err, fault.DataDirVersion)
}
