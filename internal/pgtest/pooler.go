package pgtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// poolerSettings makes a PgBouncer that hands each transaction to any of a few server connections. It asks no client
// for a password (hundreds at once would do little else), and gives the server the one in its file.
const poolerSettings = `[databases]
* = host=%s port=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %s
unix_socket_dir =
auth_type = trust
auth_file = %s
pool_mode = transaction
default_pool_size = %d
max_client_conn = 2000
query_wait_timeout = 60
log_connections = 0
log_disconnections = 0
`

// Pooler is a PgBouncer in transaction mode before the shared server.
type Pooler struct {
	host string
	t    testing.TB
}

// NewPooler starts one with that many server connections for each login and database; it ends with t.
func NewPooler(t testing.TB, serverConns int) *Pooler {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program = "/usr/sbin/pgbouncer" // not in everybody's PATH
	}
	server, err := url.Parse(ServerURL(t, "postgres"))
	require.NoError(t, err)
	dir, err := os.MkdirTemp("", "vital-pooler-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	free := poolerPort(t)
	p := &Pooler{host: free.Addr().String(), t: t}
	_, port, err := net.SplitHostPort(p.host)
	require.NoError(t, err)
	users, settings := filepath.Join(dir, "users"), filepath.Join(dir, "pgbouncer.ini")
	var logins strings.Builder
	for _, login := range []string{"vital_api", "vital_service"} {
		fmt.Fprintf(&logins, "%q %q\n", login, loginPassword)
	}
	require.NoError(t, os.WriteFile(users, []byte(logins.String()), 0o600))
	require.NoError(t, os.WriteFile(settings, fmt.Appendf(nil, poolerSettings, server.Hostname(), server.Port(), port, users, serverConns), 0o600))
	run := exec.Command(program, settings)
	run.Dir = dir
	if os.Geteuid() == 0 {
		uid, gid := serverAccount(t)
		for _, path := range []string{dir, users, settings} {
			require.NoError(t, os.Chown(path, uid, gid))
		}
		run.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	require.NoError(t, err)
	defer log.Close()
	run.Stdout, run.Stderr = log, log
	require.NoError(t, free.Close())
	require.NoError(t, run.Start(), "start pgbouncer")
	t.Cleanup(func() {
		gone := run.Process.Signal(syscall.SIGINT)
		ended := run.Wait() // by our signal, unless it is gone already
		if said, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("pgbouncer (signal: %v, end: %v) said:\n%s", gone, ended, said)
		}
	})
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", p.host)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}, 10*time.Second, 10*time.Millisecond)
	return p
}

var poolerPorts sync.Map // that were given out, so that no two poolers of this process are told the same

// poolerPort listens on a port that is free, below those the system gives to whoever asks for any.
func poolerPort(t testing.TB) net.Listener {
	t.Helper()
	for range 1000 {
		port := 15000 + rand.IntN(4000)
		if _, given := poolerPorts.LoadOrStore(port, true); given {
			continue
		}
		if listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return listener
		}
	}
	t.Fatal("no port is free for a pooler")
	return nil
}

// URL is address by way of the pooler.
func (p *Pooler) URL(address string) string {
	p.t.Helper()
	u, err := url.Parse(address)
	require.NoError(p.t, err)
	u.Host = p.host
	return u.String()
}

// Connect opens a client's connection that ends with the test.
func (p *Pooler) Connect(address string) *pgx.Conn {
	p.t.Helper()
	config, err := pgx.ParseConfig(p.URL(address))
	require.NoError(p.t, err)
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	conn, err := pgx.ConnectConfig(context.Background(), config)
	require.NoError(p.t, err)
	p.t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}
