package pgtest

import (
	"context"
	"errors"
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
	host, stop, err := StartPooler(ServerURL(t, "postgres"), map[string]string{"vital_api": loginPassword, "vital_service": loginPassword}, serverConns)
	require.NoError(t, err, "start pgbouncer")
	t.Cleanup(func() {
		if said, err := stop(); t.Failed() {
			t.Logf("pgbouncer (end: %v) said:\n%s", err, said)
		}
	})
	return &Pooler{host: host, t: t}
}

// StartPooler starts a PgBouncer before the server at an address, with so many connections to it for each of logins, which
// are passwords by name, and database. It returns where it listens; stop ends it and returns what it has said.
func StartPooler(server string, logins map[string]string, serverConns int) (host string, stop func() (said []byte, err error), err error) {
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program = "/usr/sbin/pgbouncer" // not in everybody's PATH
	}
	address, err := url.Parse(server)
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "vital-pooler-")
	if err != nil {
		return "", nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	free, err := poolerPort()
	if err != nil {
		return "", nil, err
	}
	host = free.Addr().String()
	run, err := poolerCommand(program, dir, host, address, logins, serverConns)
	if err = errors.Join(err, free.Close()); err != nil {
		return "", nil, err
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return "", nil, err
	}
	defer log.Close()
	run.Stdout, run.Stderr = log, log
	if err := run.Start(); err != nil {
		return "", nil, err
	}
	stop = func() ([]byte, error) {
		gone := run.Process.Signal(syscall.SIGINT)
		ended := run.Wait() // by our signal, unless it is gone already
		said, err := os.ReadFile(log.Name())
		return said, errors.Join(gone, ended, err, os.RemoveAll(dir))
	}
	for begun := time.Now(); time.Since(begun) < 10*time.Second; time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", host); err == nil {
			return host, stop, conn.Close()
		}
	}
	said, err := stop()
	return "", nil, errors.Join(fmt.Errorf("pgbouncer does not listen: %s", said), err)
}

// poolerCommand writes its files into dir.
func poolerCommand(program, dir, host string, server *url.URL, logins map[string]string, serverConns int) (*exec.Cmd, error) {
	_, port, err := net.SplitHostPort(host)
	if err != nil {
		return nil, err
	}
	users, settings := filepath.Join(dir, "users"), filepath.Join(dir, "pgbouncer.ini")
	var list strings.Builder
	for name, password := range logins {
		fmt.Fprintf(&list, "%q %q\n", name, password)
	}
	if err := os.WriteFile(users, []byte(list.String()), 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile(settings, fmt.Appendf(nil, poolerSettings, server.Hostname(), server.Port(), port, users, serverConns), 0o600); err != nil {
		return nil, err
	}
	run := exec.Command(program, settings)
	run.Dir = dir
	if os.Geteuid() != 0 {
		return run, nil
	}
	uid, gid, err := serverAccount()
	for _, path := range []string{dir, users, settings} {
		err = errors.Join(err, os.Chown(path, uid, gid))
	}
	run.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return run, err
}

var poolerPorts sync.Map // that were given out, so that no two poolers of this process are told the same

// poolerPort listens on a port that is free, below those the system gives to whoever asks for any.
func poolerPort() (net.Listener, error) {
	for range 1000 {
		port := 15000 + rand.IntN(4000)
		if _, given := poolerPorts.LoadOrStore(port, true); given {
			continue
		}
		if listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return listener, nil
		}
	}
	return nil, errors.New("no port is free for a pooler")
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
