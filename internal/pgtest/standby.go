package pgtest

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/localpg"
)

// Standby is a streaming replica of the shared server, for one test. It is started again when it dies.
type Standby struct {
	t       testing.TB
	server  *localpg.Server
	cluster string
}

// NewStandby copies the shared server and starts what follows it; it ends with t.
func NewStandby(t testing.TB) *Standby {
	t.Helper()
	primary, err := url.Parse(ServerURL(t, "postgres"))
	require.NoError(t, err)
	password, _ := primary.User.Password()
	dir, err := os.MkdirTemp("", "vital-standby-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	require.NoError(t, os.Mkdir(filepath.Join(dir, "secrets"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "secrets", "superuser"), []byte(password+"\n"), 0o600))
	s := &Standby{t: t, cluster: filepath.Join(dir, "postgres")}
	s.copyFrom(dir, primary)
	s.server, err = localpg.Open(context.Background(), localpg.Config{
		DataDir: dir, Log: slog.New(slog.DiscardHandler),
		Settings: map[string]string{"fsync": "off", "shared_buffers": "32MB", "max_connections": "300", "wal_retrieve_retry_interval": "200ms"},
	})
	require.NoError(t, err, "start standby")
	t.Cleanup(func() {
		s.Thaw()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, s.server.Stop(ctx))
	})
	return s
}

// copyFrom runs pg_basebackup, as the account that may run a server.
func (s *Standby) copyFrom(dir string, primary *url.URL) {
	s.t.Helper()
	bin, err := localpg.FindBinDir("")
	require.NoError(s.t, err)
	backup := exec.Command(filepath.Join(bin, "pg_basebackup"), "--dbname="+primary.String(), "--pgdata="+s.cluster,
		"--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync")
	backup.Dir = os.TempDir()
	if os.Geteuid() == 0 {
		uid, gid := serverAccount(s.t)
		require.NoError(s.t, os.Chown(dir, uid, gid))
		require.NoError(s.t, os.Chmod(dir, 0o755))
		backup.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	said, err := backup.CombinedOutput()
	require.NoError(s.t, err, string(said))
	if os.Geteuid() == 0 {
		require.NoError(s.t, os.Chown(dir, 0, 0))
	}
}

// serverAccount is who runs a server where we are root, as localpg chooses.
func serverAccount(t testing.TB) (uid, gid int) {
	t.Helper()
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, err = strconv.Atoi(u.Uid)
			require.NoError(t, err)
			gid, err = strconv.Atoi(u.Gid)
			require.NoError(t, err)
			return uid, gid
		}
	}
	t.Fatal("no account to run a server as")
	return 0, 0
}

// URL is the address of the same database and login at the standby.
func (s *Standby) URL(address string) string {
	s.t.Helper()
	u, err := url.Parse(address)
	require.NoError(s.t, err)
	u.Host = "127.0.0.1:" + strconv.Itoa(s.server.Port())
	return u.String()
}

// Exec runs statements at the standby as superuser, each for itself.
func (s *Standby) Exec(text string, args ...any) {
	s.t.Helper()
	conn, err := pgx.Connect(context.Background(), s.server.SuperuserURL("postgres"))
	require.NoError(s.t, err)
	defer conn.Close(context.Background())
	_, err = conn.Exec(context.Background(), text, args...)
	require.NoError(s.t, err)
}

// Pause has it receive and not replay; Resume lets it go on.
func (s *Standby) Pause() {
	s.t.Helper()
	s.Exec("select pg_wal_replay_pause()")
	require.Eventually(s.t, func() bool { return s.one("select pg_get_wal_replay_pause_state()") == "paused" }, 10*time.Second, 5*time.Millisecond)
}

// Resume lets it replay again.
func (s *Standby) Resume() { s.Exec("select pg_wal_replay_resume()") }

// Promote makes it a server of its own.
func (s *Standby) Promote() {
	s.t.Helper()
	s.Exec("select pg_promote(false)")
	require.Eventually(s.t, func() bool { return s.one("select pg_is_in_recovery()::text") == "false" }, 60*time.Second, 10*time.Millisecond)
}

func (s *Standby) one(text string) (value string) {
	s.t.Helper()
	conn, err := pgx.Connect(context.Background(), s.server.SuperuserURL("postgres"))
	require.NoError(s.t, err)
	defer conn.Close(context.Background())
	require.NoError(s.t, conn.QueryRow(context.Background(), text).Scan(&value))
	return value
}

// Kill ends the server without a word.
func (s *Standby) Kill() {
	s.t.Helper()
	for _, pid := range s.processes() {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may be gone already
	}
}

// Freeze stops all its processes where they are; Thaw lets them go on.
func (s *Standby) Freeze() {
	s.t.Helper()
	for _, pid := range s.processes() {
		_ = syscall.Kill(pid, syscall.SIGSTOP) // it may be gone already
	}
}

// Thaw lets frozen processes go on.
func (s *Standby) Thaw() {
	for _, pid := range s.processes() {
		_ = syscall.Kill(pid, syscall.SIGCONT) // it may be gone already
	}
}

// processes are the server's: first the postmaster, so that no other is begun.
func (s *Standby) processes() []int {
	content, err := os.ReadFile(filepath.Join(s.cluster, "postmaster.pid"))
	if err != nil {
		return nil
	}
	first, _, _ := strings.Cut(string(content), "\n")
	postmaster, err := strconv.Atoi(first)
	require.NoError(s.t, err)
	said, err := exec.Command("ps", "-e", "-o", "pid=,ppid=").Output()
	require.NoError(s.t, err)
	pids := []int{postmaster}
	for line := range strings.Lines(string(said)) {
		var pid, parent int
		if _, err := fmt.Sscan(line, &pid, &parent); err == nil && parent == postmaster {
			pids = append(pids, pid)
		}
	}
	return pids
}
