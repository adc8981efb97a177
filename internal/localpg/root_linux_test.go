package localpg_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/localpg"
)

func requireRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can run the server as another user")
	}
}

func TestOpen_AsRoot_ServerIsUnprivileged(t *testing.T) {
	t.Parallel()
	requireRoot(t)
	// As mktemp -d makes it: nobody else gets through.
	above := filepath.Join(resolved(t), "above")
	dir := filepath.Join(above, "data")
	require.NoError(t, os.MkdirAll(dir, 0o700))
	cfg := config(t, dir)
	open(t, cfg)

	pid := postmaster(t, dir)
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	owner := mustStat(t, filepath.Join(dir, "postgres")).Uid
	require.NotZero(t, owner)
	require.Contains(t, string(status), fmt.Sprintf("\nUid:\t%[1]d\t%[1]d\t%[1]d\t%[1]d\n", owner))
	require.Contains(t, string(status), "\nGroups:\t \n", "no group of root's is left")

	for _, path := range []string{"secrets", "secrets/superuser", "vital.lock", "postgres.log", "port"} {
		require.Zero(t, mustStat(t, filepath.Join(dir, path)).Uid, path)
	}
	for _, path := range []string{above, dir} {
		require.Equal(t, uint32(0o711), mustStat(t, path).Mode&0o777, path)
	}
}

func TestOpen_ServerInheritsNothing(t *testing.T) {
	t.Parallel()
	requireRoot(t) // of other users' processes the descriptors are not shown
	cfg := config(t, resolved(t))
	open(t, cfg)
	pid := postmaster(t, cfg.DataDir)

	fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	require.NoError(t, err)
	require.NotEmpty(t, fds)
	for _, fd := range fds {
		target, err := os.Readlink(fd)
		require.NoError(t, err)
		require.NotContains(t, target, "vital.lock")
	}
	environment, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	require.NoError(t, err)
	require.NotContains(t, string(environment), "VITAL_")
	group, err := syscall.Getpgid(pid)
	require.NoError(t, err)
	require.Equal(t, pid, group, "a process group of its own")

	sockets, err := os.ReadFile("/proc/net/unix")
	require.NoError(t, err)
	require.NotContains(t, string(sockets), cfg.DataDir)
	lockFile, err := os.ReadFile(filepath.Join(cfg.DataDir, "postgres", "postmaster.pid"))
	require.NoError(t, err)
	lines := strings.Split(string(lockFile), "\n")
	require.Empty(t, strings.TrimSpace(lines[4]), "no socket directory")
	require.Equal(t, "127.0.0.1", lines[5])
}

func TestOpen_AsRoot_ErrClusterOfRoot(t *testing.T) {
	t.Parallel()
	requireRoot(t)
	cfg := config(t, resolved(t))
	cluster := filepath.Join(cfg.DataDir, "postgres")
	stop(t, open(t, cfg))
	require.NoError(t, os.Chown(cluster, 0, 0))
	_, err := localpg.Open(t.Context(), cfg)
	f := requireFault(t, err, fault.DataDirUnusable)
	require.Contains(t, f.Hint, "chown -R postgres "+cluster)
}

func TestOpen_AsRoot_ErrAncestor(t *testing.T) {
	t.Parallel()
	requireRoot(t)
	above, err := os.MkdirTemp("/var/lib", "localpg-test-*") // not below os.TempDir()
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(above) })
	_, err = localpg.Open(t.Context(), config(t, filepath.Join(above, "data")))
	f := requireFault(t, err, fault.DataDirUnusable)
	require.Contains(t, f.Message, above)
	require.Contains(t, f.Hint, "--data-dir")
	require.Equal(t, uint32(0o700), mustStat(t, above).Mode&0o777, "not ours to change")
}

// A data directory that is ours but holds other things is not made accessible behind its owner's back.
func TestOpen_AsRoot_ErrDataDirWithOtherFiles(t *testing.T) {
	t.Parallel()
	requireRoot(t)
	dir, err := os.MkdirTemp("/var/lib", "localpg-test-*")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, os.WriteFile(filepath.Join(dir, "diary"), []byte("dear"), 0o644))
	_, err = localpg.Open(t.Context(), config(t, dir))
	requireFault(t, err, fault.DataDirUnusable)
	require.Equal(t, uint32(0o700), mustStat(t, dir).Mode&0o777)

	require.NoError(t, os.Remove(filepath.Join(dir, "diary")))
	open(t, config(t, dir))
	require.Equal(t, uint32(0o711), mustStat(t, dir).Mode&0o777)
}

func mustStat(t *testing.T, path string) *syscall.Stat_t {
	t.Helper()
	info, err := os.Stat(path)
	require.NoError(t, err)
	return info.Sys().(*syscall.Stat_t)
}
