package localpg_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/localpg"
)

// owner is another process that runs a server; it can be killed.
type owner struct {
	cmd    *exec.Cmd
	stderr buffer
	url    string
}

// startOwner starts a process that opens dir. With wait it returns when the server runs.
func startOwner(t *testing.T, dir string, wait bool) *owner {
	t.Helper()
	o := &owner{cmd: exec.Command(os.Args[0])}
	o.cmd.Env = append(os.Environ(), holdDir+"="+dir)
	o.cmd.Stderr = &o.stderr
	o.cmd.WaitDelay = time.Second
	stdout, err := o.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, o.cmd.Start())
	t.Cleanup(o.kill)
	if wait {
		line, err := bufio.NewReader(stdout).ReadString('\n')
		require.NoError(t, err, o.stderr.String())
		o.url = strings.TrimSpace(line)
	}
	return o
}

// kill ends the process at once; it has no chance to clean up.
func (o *owner) kill() {
	_ = o.cmd.Process.Kill()
	_ = o.cmd.Wait()
}

// requireRows checks that the rows committed before a crash are there, and that the server works.
func requireRows(t *testing.T, url string) {
	t.Helper()
	requireQuery(t, url, "select count(*)::text from committed", "1000")
	execSQL(t, url, "insert into committed values (0)")
}

const commitRows = "create table committed as select generate_series(1, 1000) as n"

func TestOpen_AfterOwnerKilled(t *testing.T) {
	t.Parallel()
	t.Run("ServerShutsDown", func(t *testing.T) {
		t.Parallel()
		dir := resolved(t)
		o := startOwner(t, dir, true)
		execSQL(t, o.url, commitRows)
		o.kill()
		server := open(t, config(t, dir))
		require.Equal(t, o.url, server.SuperuserURL("postgres"))
		requireRows(t, server.SuperuserURL("postgres"))
	})
	t.Run("ServerIsKilledToo", func(t *testing.T) {
		t.Parallel()
		dir := resolved(t)
		o := startOwner(t, dir, true)
		execSQL(t, o.url, commitRows)
		client, err := pgx.Connect(t.Context(), o.url)
		require.NoError(t, err)
		defer client.Close(context.Background())
		backend := int(client.PgConn().PID())
		require.NoError(t, syscall.Kill(backend, syscall.SIGSTOP)) // it does not notice, and keeps the memory
		defer syscall.Kill(backend, syscall.SIGCONT)
		require.NoError(t, o.cmd.Process.Signal(syscall.SIGSTOP)) // or it would restart the server
		require.NoError(t, syscall.Kill(postmaster(t, dir), syscall.SIGKILL))
		o.kill()

		log := &buffer{}
		cfg := config(t, dir)
		cfg.Log = slog.New(slog.NewTextHandler(log, nil))
		go func() {
			for t.Context().Err() == nil && !strings.Contains(log.String(), "waiting for an earlier server") {
				time.Sleep(10 * time.Millisecond)
			}
			_ = syscall.Kill(backend, syscall.SIGCONT)
		}()
		requireRows(t, open(t, cfg).SuperuserURL("postgres"))
		require.Contains(t, log.String(), "waiting for an earlier server")
	})
	t.Run("ServerStaysAsAnOrphan", func(t *testing.T) {
		t.Parallel()
		dir := resolved(t)
		first := open(t, config(t, dir))
		stop(t, first)
		pid := startByHand(t, dir)
		server := open(t, config(t, dir))
		require.NotEqual(t, pid, postmaster(t, dir))
		require.Equal(t, first.Port(), server.Port(), "the orphan's own port counts as free")
		requireQuery(t, server.SuperuserURL("postgres"), "select 'runs'", "runs")
	})
}

// keptPort is the port of the last start.
func keptPort(t *testing.T, dir string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "port"))
	require.NoError(t, err)
	return strings.TrimSpace(string(content))
}

// startByHand starts the server in dir with nobody owning it, as an owner leaves it that was killed
// where the kernel does not tell its children, and returns its process id.
func startByHand(t *testing.T, dir string) int {
	t.Helper()
	bin, err := localpg.FindBinDir("")
	require.NoError(t, err)
	cluster := filepath.Join(dir, "postgres")
	cmd := exec.Command(filepath.Join(bin, "postgres"), "-D", cluster, "-c", "unix_socket_directories=", "-c", "fsync=off",
		"-c", "listen_addresses=127.0.0.1", "-p", keptPort(t, dir))
	cmd.Dir = cluster
	info, err := os.Stat(cluster)
	require.NoError(t, err)
	if stat := info.Sys().(*syscall.Stat_t); os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stat.Uid, Gid: stat.Gid}}
	}
	require.NoError(t, cmd.Start())
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGQUIT)
		<-exited
	})
	eventually(t, "the server by hand is ready", func() bool {
		content, _ := os.ReadFile(filepath.Join(cluster, "postmaster.pid"))
		return strings.Contains(string(content), "ready")
	})
	return cmd.Process.Pid
}

func TestOpen_ForeignProcessHasTheOldPID(t *testing.T) {
	t.Parallel()
	dir := resolved(t)
	cfg := config(t, dir)
	stop(t, open(t, cfg))

	// As after a restart of a container: the number in the lock file is now somebody else's.
	bystander := exec.Command("sleep", "600")
	info, err := os.Stat(filepath.Join(dir, "postgres"))
	require.NoError(t, err)
	stat := info.Sys().(*syscall.Stat_t)
	if os.Geteuid() == 0 {
		bystander.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stat.Uid, Gid: stat.Gid}}
	}
	require.NoError(t, bystander.Start())
	t.Cleanup(func() { _ = bystander.Process.Kill(); _ = bystander.Wait() })
	stale := fmt.Sprintf("%d\n%s\n1\n5432\n\n127.0.0.1\n        1         1\nready   \n",
		bystander.Process.Pid, filepath.Join(dir, "postgres"))
	path := filepath.Join(dir, "postgres", "postmaster.pid")
	require.NoError(t, os.WriteFile(path, []byte(stale), 0o600))
	require.NoError(t, os.Chown(path, int(stat.Uid), int(stat.Gid)))

	open(t, cfg)
	require.NoError(t, bystander.Process.Signal(syscall.Signal(0)), "the bystander lives")
}

func TestServer_RestartsAKilledPostmaster(t *testing.T) {
	t.Parallel()
	cfg := config(t, resolved(t))
	server := open(t, cfg)
	url := server.SuperuserURL("postgres")
	execSQL(t, url, commitRows)
	pid := postmaster(t, cfg.DataDir)
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	eventually(t, "the server is back on its port", func() bool {
		now, err := query(t.Context(), url, "select pg_postmaster_start_time()::text")
		return err == nil && now != "" && postmaster(t, cfg.DataDir) != pid
	})
	requireRows(t, url)
	stop(t, server)
	require.Empty(t, processes(t, cfg.DataDir))
}

func TestServer_StopWhileRestarting(t *testing.T) {
	t.Parallel()
	cfg := config(t, resolved(t))
	server := open(t, cfg)
	require.NoError(t, syscall.Kill(postmaster(t, cfg.DataDir), syscall.SIGKILL))
	stop(t, server)
	eventually(t, "the killed server's processes end", func() bool { return len(processes(t, cfg.DataDir)) == 0 })
	open(t, cfg)
}

func TestServer_StopWithoutTime(t *testing.T) {
	t.Parallel()
	cfg := config(t, resolved(t))
	server := open(t, cfg)
	execSQL(t, server.SuperuserURL("postgres"), commitRows)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, server.Stop(ctx))
	require.Empty(t, processes(t, cfg.DataDir))
	requireRows(t, open(t, cfg).SuperuserURL("postgres"))
}

func TestOpen_InterruptedInitdbLeavesNothing(t *testing.T) {
	t.Parallel()
	halfMade := func(dir string) bool {
		found, err := filepath.Glob(filepath.Join(dir, ".initdb-*", "data", "*"))
		require.NoError(t, err)
		return len(found) > 0
	}
	requireNoCluster := func(t *testing.T, dir string) {
		t.Helper()
		require.NoDirExists(t, filepath.Join(dir, "postgres"))
		require.Empty(t, processes(t, dir))
	}
	t.Run("Cancelled", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, resolved(t))
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error)
		go func() {
			_, err := localpg.Open(ctx, cfg)
			result <- err
		}()
		eventually(t, "initdb is at work", func() bool { return halfMade(cfg.DataDir) })
		cancel()
		err := <-result
		require.ErrorIs(t, err, context.Canceled)
		requireFault(t, err, fault.PostgresStart)
		requireNoCluster(t, cfg.DataDir)
		require.False(t, halfMade(cfg.DataDir))
		require.True(t, open(t, cfg).Initialised())
	})
	t.Run("OwnerKilled", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, resolved(t))
		o := startOwner(t, cfg.DataDir, false)
		eventually(t, "initdb is at work", func() bool { return halfMade(cfg.DataDir) })
		o.kill()
		require.NoDirExists(t, filepath.Join(cfg.DataDir, "postgres"))
		require.True(t, open(t, cfg).Initialised())
		require.False(t, halfMade(cfg.DataDir))
	})
}

func TestOpen_CancelledStartLeavesNoProcess(t *testing.T) {
	t.Parallel()
	cfg := config(t, resolved(t))
	stop(t, open(t, cfg))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { // as soon as the server has a process
		for ctx.Err() == nil {
			if _, err := os.Stat(filepath.Join(cfg.DataDir, "postgres", "postmaster.pid")); err == nil {
				cancel()
			}
		}
	}()
	server, err := localpg.Open(ctx, cfg)
	if err == nil {
		stop(t, server) // it was ready before the cancellation was seen
	} else {
		require.ErrorIs(t, err, context.Canceled)
	}
	require.Empty(t, processes(t, cfg.DataDir))
	open(t, cfg)
}
