package pgtest

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Redis starts a Redis server on a socket of its own, ends it with t, and returns its address.
func Redis(t testing.TB) (url string) {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	require.NoError(t, err, "redis-server is missing: `.ci/require redis` installs it (Debian: apt-get install redis-server; macOS: brew install redis)")
	dir, err := os.MkdirTemp("", "vital-redis-") // t.TempDir is too long for a socket
	require.NoError(t, err)
	socket := filepath.Join(dir, "s")
	server := exec.CommandContext(context.Background(), program, "--port", "0", "--unixsocket", socket, "--dir", dir, "--save", "", "--loglevel", "warning")
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
		_ = os.RemoveAll(dir)
	})
	require.Eventually(t, func() bool {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "unix", socket)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, 10*time.Second, 10*time.Millisecond, "redis-server does not start")
	return "unix://" + socket
}
