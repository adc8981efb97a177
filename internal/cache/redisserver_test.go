package cache_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"
)

// redisServer is a real one, of one test.
type redisServer struct {
	dir, url string
	args     []string
	process  *exec.Cmd
}

// startRedis starts a server on a socket of its own, and ends it with t.
func startRedis(t *testing.T, args ...string) *redisServer {
	t.Helper()
	s := newRedis(t, args...)
	s.start(t)
	return s
}

// newRedis is one that is not started yet.
func newRedis(t *testing.T, args ...string) *redisServer {
	t.Helper()
	dir, err := os.MkdirTemp("", "vital-redis-") // t.TempDir is too long for a socket
	require.NoError(t, err)
	socket := filepath.Join(dir, "s")
	s := &redisServer{dir: dir, url: "unix://" + socket,
		args: append([]string{"--port", "0", "--unixsocket", socket, "--dir", dir, "--save", "", "--loglevel", "warning"}, args...)}
	t.Cleanup(func() {
		s.kill()
		_ = os.RemoveAll(dir)
	})
	return s
}

// startCluster starts a cluster of one node, which has every slot.
func startCluster(t *testing.T) *redisServer {
	t.Helper()
	ports := [2]int{}
	for i := range ports {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		ports[i] = l.Addr().(*net.TCPAddr).Port
		require.NoError(t, l.Close())
	}
	s := newRedis(t, "--port", fmt.Sprint(ports[0]), "--bind", "127.0.0.1", "--cluster-enabled", "yes", "--cluster-port", fmt.Sprint(ports[1]))
	s.start(t)
	direct := s.connect(t)
	require.NoError(t, direct.Do(t.Context(), direct.B().ClusterAddslotsrange().StartSlotEndSlot().StartSlotEndSlot(0, 16383).Build()).Error())
	require.Eventually(t, func() bool {
		text, err := direct.Do(t.Context(), direct.B().ClusterInfo().Build()).ToString()
		return err == nil && strings.Contains(text, "cluster_state:ok")
	}, 30*time.Second, 10*time.Millisecond)
	s.url = fmt.Sprintf("redis://127.0.0.1:%d", ports[0])
	return s
}

func (s *redisServer) start(t *testing.T) {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	require.NoError(t, err, "redis-server is missing: `.ci/require redis` installs it (Debian: apt-get install redis-server; macOS: brew install redis)")
	s.process = exec.CommandContext(context.Background(), program, s.args...)
	output := &strings.Builder{}
	s.process.Stdout, s.process.Stderr = output, output
	require.NoError(t, s.process.Start())
	require.Eventually(t, func() bool {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "unix", filepath.Join(s.dir, "s"))
		if err != nil {
			return false
		}
		defer conn.Close()
		answer := make([]byte, 1)
		_, _ = conn.Write([]byte("PING\r\n"))
		_, err = conn.Read(answer)
		return err == nil && (answer[0] == '+' || answer[0] == '-')
	}, 30*time.Second, 10*time.Millisecond, "redis-server does not start")
}

func (s *redisServer) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	require.NoError(t, s.process.Process.Signal(sig))
}

func (s *redisServer) kill() {
	if s.process != nil {
		_ = s.process.Process.Kill()
		_ = s.process.Wait()
		s.process = nil
	}
}

// connect opens a plain client, as an application beside VITAL has one.
func (s *redisServer) connect(t *testing.T) rueidis.Client {
	t.Helper()
	options := rueidis.MustParseURL("unix://" + filepath.Join(s.dir, "s"))
	options.DisableCache, options.ForceSingleClient = true, true
	client, err := rueidis.NewClient(options)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}
