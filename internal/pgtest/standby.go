package pgtest

import (
	"context"
	"errors"
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
	server, dir, err := StartStandby(context.Background(), ServerURL(t, "postgres"), map[string]string{
		"fsync": "off", "shared_buffers": "32MB", "max_connections": "300", "wal_retrieve_retry_interval": "200ms",
	})
	t.Cleanup(func() { os.RemoveAll(dir) })
	require.NoError(t, err, "start standby")
	s := &Standby{t: t, server: server, cluster: filepath.Join(dir, "postgres")}
	t.Cleanup(func() {
		s.Thaw()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, s.server.Stop(ctx))
	})
	return s
}

// StartStandby copies the private server whose superuser primary is the address of into a directory of its own, which the
// caller removes in any case, and starts what follows it.
func StartStandby(ctx context.Context, primary string, settings map[string]string) (_ *localpg.Server, dir string, err error) {
	address, err := url.Parse(primary)
	if err != nil {
		return nil, "", err
	}
	password, _ := address.User.Password()
	if dir, err = os.MkdirTemp("", "vital-standby-"); err != nil {
		return nil, "", err
	}
	if err := os.Mkdir(filepath.Join(dir, "secrets"), 0o700); err != nil {
		return nil, dir, err
	}
	if err := os.WriteFile(filepath.Join(dir, "secrets", "superuser"), []byte(password+"\n"), 0o600); err != nil {
		return nil, dir, err
	}
	if err := copyServer(ctx, dir, primary); err != nil {
		return nil, dir, err
	}
	server, err := localpg.Open(ctx, localpg.Config{DataDir: dir, Log: slog.New(slog.DiscardHandler), Settings: settings})
	return server, dir, err
}

// copyServer runs pg_basebackup, as the account that may run a server.
func copyServer(ctx context.Context, dir, primary string) error {
	bin, err := localpg.FindBinDir("")
	if err != nil {
		return err
	}
	backup := exec.CommandContext(ctx, filepath.Join(bin, "pg_basebackup"), "--dbname="+primary, "--pgdata="+filepath.Join(dir, "postgres"),
		"--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync")
	backup.Dir = os.TempDir()
	if os.Geteuid() == 0 {
		uid, gid, err := serverAccount()
		if err != nil {
			return err
		}
		if err := errors.Join(os.Chown(dir, uid, gid), os.Chmod(dir, 0o755)); err != nil {
			return err
		}
		backup.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	if said, err := backup.CombinedOutput(); err != nil {
		return fmt.Errorf("pg_basebackup: %w: %s", err, said)
	}
	if os.Geteuid() == 0 {
		return os.Chown(dir, 0, 0)
	}
	return nil
}

// serverAccount is who runs a server where we are root, as localpg chooses.
func serverAccount() (uid, gid int, err error) {
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			if uid, err = strconv.Atoi(u.Uid); err != nil {
				return 0, 0, err
			}
			gid, err = strconv.Atoi(u.Gid)
			return uid, gid, err
		}
	}
	return 0, 0, errors.New("no account to run a server as")
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
