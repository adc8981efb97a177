package localpg_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/localpg"
)

// holdDir names the data directory for which this binary, instead of testing, is an owner to kill.
const holdDir = "LOCALPG_TEST_HOLD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(holdDir); dir != "" {
		hold(dir)
	}
	os.Exit(m.Run())
}

// hold opens the server in dir, prints the superuser's URL and waits to be killed.
func hold(dir string) {
	server, err := localpg.Open(context.Background(), localpg.Config{
		DataDir: dir, Settings: fast(), Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err, fault.From(err).Detail)
		os.Exit(1)
	}
	fmt.Println(server.SuperuserURL("postgres"))
	select {}
}

// fast are settings for servers whose data may be lost with the machine, though not with a process.
func fast() map[string]string {
	return map[string]string{"fsync": "off", "shared_buffers": "16MB", "max_connections": "20"}
}

// config is that of a server in dir; the log is shown when the test fails.
func config(t *testing.T, dir string) localpg.Config {
	t.Helper()
	log := &buffer{}
	t.Cleanup(func() {
		if t.Failed() {
			server, _ := os.ReadFile(filepath.Join(dir, "postgres.log"))
			t.Logf("log:\n%s\npostgres.log:\n%s", log.String(), server)
		}
	})
	return localpg.Config{
		DataDir:  dir,
		Settings: fast(),
		Log:      slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
}

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// open opens a server that is stopped with the test at the latest.
func open(t *testing.T, cfg localpg.Config) *localpg.Server {
	t.Helper()
	server, err := localpg.Open(t.Context(), cfg)
	requireNoError(t, err)
	t.Cleanup(func() { stop(t, server) })
	return server
}

func stop(t *testing.T, server *localpg.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	require.NoError(t, server.Stop(ctx))
}

// requireNoError also shows the detail of a fault.
func requireNoError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		require.NoError(t, err, fault.From(err).Detail)
	}
}

// requireFault returns err as a fault of that code, with a message and a hint.
func requireFault(t *testing.T, err error, code fault.Code) *fault.Error {
	t.Helper()
	require.Error(t, err)
	f := fault.From(err)
	require.Equal(t, code, f.Code, err.Error())
	require.NotEmpty(t, f.Message)
	require.NotEmpty(t, f.Hint)
	return f
}

func execSQL(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	_, err = conn.Exec(t.Context(), sql)
	require.NoError(t, err)
}

// query returns the single text value of sql.
func query(ctx context.Context, url, sql string) (string, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	var value string
	err = conn.QueryRow(ctx, sql).Scan(&value)
	return value, err
}

func requireQuery(t *testing.T, url, sql, want string) {
	t.Helper()
	got, err := query(t.Context(), url, sql)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

// processes lists the running processes that have text in their command line. Dead ones that nobody
// has waited for have no command line.
func processes(t *testing.T, text string) []string {
	t.Helper()
	out, err := exec.Command("ps", "-axww", "-o", "pid=,command=").Output()
	require.NoError(t, err)
	var found []string
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}

// postmaster is the process id of the server in dir.
func postmaster(t *testing.T, dir string) int {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "postgres", "postmaster.pid"))
	require.NoError(t, err)
	first, _, _ := strings.Cut(string(content), "\n")
	pid, err := strconv.Atoi(first)
	require.NoError(t, err)
	return pid
}

// resolved is a temporary directory as processes see it.
func resolved(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	return dir
}

// eventually waits for what is only a matter of time; the limit is for a hang, not for speed.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, 2*time.Minute, 20*time.Millisecond, what)
}

func TestOpen_KeepsDataAndPort(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(resolved(t), "not", "there", "yet")
	cfg := config(t, dir)

	first := open(t, cfg)
	require.True(t, first.Initialised())
	require.True(t, first.Owned())
	port, url := first.Port(), first.SuperuserURL("postgres")
	execSQL(t, url, "create table kept as select 'a row' as word")
	stop(t, first)
	require.Empty(t, processes(t, dir))

	second := open(t, cfg)
	require.False(t, second.Initialised())
	require.Equal(t, port, second.Port())
	require.Equal(t, url, second.SuperuserURL("postgres"))
	requireQuery(t, url, "select word from kept", "a row")
	stop(t, second)
	stop(t, second)
	require.Empty(t, processes(t, dir))
}

func TestOpen_ClusterIsAsPromised(t *testing.T) {
	t.Parallel()
	cfg := config(t, resolved(t))
	cfg.Settings["work_mem"] = "7MB"
	cfg.Settings["shared_buffers"] = "17MB"
	server := open(t, cfg)
	url := server.SuperuserURL("postgres")
	for setting, want := range map[string]string{
		"server_encoding":         "UTF8",
		"data_checksums":          "on",
		"listen_addresses":        "127.0.0.1",
		"unix_socket_directories": "",
		"password_encryption":     "scram-sha-256",
		"logging_collector":       "off",
		"work_mem":                "7MB",
		"shared_buffers":          "17MB", // overrides the default
		"port":                    strconv.Itoa(server.Port()),
	} {
		requireQuery(t, url, "show "+setting, want)
	}
	requireQuery(t, url, "select string_agg(distinct auth_method, ' ') from pg_hba_file_rules", "scram-sha-256")
	entries, err := filepath.Glob(filepath.Join(cfg.DataDir, ".initdb-*"))
	require.NoError(t, err)
	require.Empty(t, entries, "the password file is removed")

	_, err = query(t.Context(), server.URL("postgres", "wrong", "postgres"), "select 1")
	var refusal *pgconn.PgError
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, "28P01", refusal.Code)
}

func TestServer_URL(t *testing.T) {
	t.Parallel()
	server := open(t, config(t, resolved(t)))
	execSQL(t, server.SuperuserURL("postgres"), `create role "a@b/c" login password 'p:w/d@?#%'`)
	execSQL(t, server.SuperuserURL("postgres"), `create database "odd name?"`)
	requireQuery(t, server.URL("a@b/c", "p:w/d@?#%", "odd name?"), "select current_user || ' ' || current_database()", "a@b/c odd name?")
	require.Equal(t, fmt.Sprintf("postgres://u:p@127.0.0.1:%d/d?sslmode=disable", server.Port()), server.URL("u", "p", "d"))
}

func TestOpen_ErrInUse(t *testing.T) {
	t.Parallel()
	cfg := config(t, resolved(t))
	server := open(t, cfg)
	_, err := localpg.Open(t.Context(), cfg)
	f := requireFault(t, err, fault.DataDirInUse)
	require.Contains(t, f.Message, fmt.Sprintf("process %d since", os.Getpid()))
	requireQuery(t, server.SuperuserURL("postgres"), "select 'works'", "works")
}

func TestAttach(t *testing.T) {
	t.Parallel()
	t.Run("UsesTheRunningOne", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, resolved(t))
		owner := open(t, cfg)
		attached, err := localpg.Attach(t.Context(), cfg)
		requireNoError(t, err)
		require.False(t, attached.Owned())
		require.False(t, attached.Initialised())
		require.Equal(t, owner.SuperuserURL("postgres"), attached.SuperuserURL("postgres"))
		stop(t, attached)
		requireQuery(t, owner.SuperuserURL("postgres"), "select 'runs'", "runs")
	})
	t.Run("StartsAndStopsAStoppedOne", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, resolved(t))
		stop(t, open(t, cfg))
		attached, err := localpg.Attach(t.Context(), cfg)
		requireNoError(t, err)
		t.Cleanup(func() { stop(t, attached) })
		require.True(t, attached.Owned())
		requireQuery(t, attached.SuperuserURL("postgres"), "select 'runs'", "runs")
		stop(t, attached)
		require.Empty(t, processes(t, cfg.DataDir))
	})
	t.Run("WaitsForOneThatIsStarting", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, resolved(t))
		var servers [4]*localpg.Server
		var errs [4]error
		var group sync.WaitGroup
		for i := range servers {
			group.Go(func() { servers[i], errs[i] = localpg.Attach(t.Context(), cfg) })
		}
		group.Wait()
		owners := 0
		for i, server := range servers {
			requireNoError(t, errs[i])
			t.Cleanup(func() { stop(t, server) })
			requireQuery(t, server.SuperuserURL("postgres"), "select 'runs'", "runs")
			if server.Owned() {
				owners++
			}
		}
		require.Equal(t, 1, owners)
	})
	t.Run("ErrOwnerDoesNotAnswer", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, resolved(t))
		owner := open(t, cfg)
		lock := filepath.Join(cfg.DataDir, "vital.lock")
		content, err := os.ReadFile(lock)
		require.NoError(t, err)
		starting := strings.Replace(string(content), fmt.Sprintf(`"port":%d`, owner.Port()), `"port":0`, 1)
		require.NoError(t, os.WriteFile(lock, []byte(starting), 0o600))
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		_, err = localpg.Attach(ctx, cfg)
		requireFault(t, err, fault.DataDirInUse)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestOpen_Port(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port

	t.Run("KeptOneTaken", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, resolved(t))
		first := open(t, cfg)
		kept := first.Port()
		stop(t, first)
		squatter, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", kept))
		require.NoError(t, err)
		defer squatter.Close()

		second := open(t, cfg)
		require.NotEqual(t, kept, second.Port())
		requireQuery(t, second.SuperuserURL("postgres"), "select 'runs'", "runs")
		stop(t, second)
		require.NoError(t, squatter.Close())

		third := open(t, cfg)
		require.Equal(t, second.Port(), third.Port(), "the new port is kept")
	})
	cfg := config(t, resolved(t))
	cfg.Port = port
	_, err = localpg.Open(t.Context(), cfg)
	f := requireFault(t, err, fault.ListenFailed)
	require.Contains(t, f.Message, strconv.Itoa(port))

	require.NoError(t, taken.Close())
	server := open(t, cfg)
	require.Equal(t, port, server.Port())
}

func TestOpen_ErrConfig(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*localpg.Config){
		"NoDataDir":     func(c *localpg.Config) { c.DataDir = "" },
		"NoLog":         func(c *localpg.Config) { c.Log = nil },
		"Port":          func(c *localpg.Config) { c.Port = 65536 },
		"FixedSetting":  func(c *localpg.Config) { c.Settings["listen_addresses"] = "*" },
		"NotASetting":   func(c *localpg.Config) { c.Settings["fsync=on; x"] = "off" },
		"CommandOption": func(c *localpg.Config) { c.Settings["-C"] = "port" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := config(t, t.TempDir())
			change(&cfg)
			_, err := localpg.Open(t.Context(), cfg)
			requireFault(t, err, fault.ConfigInvalid)
		})
	}
}

func TestOpen_ErrServerRefusesToStart(t *testing.T) {
	t.Parallel()
	cfg := config(t, resolved(t))
	cfg.Settings["no_such_setting"] = "1"
	_, err := localpg.Open(t.Context(), cfg)
	f := requireFault(t, err, fault.PostgresStart)
	require.Contains(t, f.Detail, "no_such_setting")
	require.Empty(t, processes(t, cfg.DataDir))

	delete(cfg.Settings, "no_such_setting")
	require.False(t, open(t, cfg).Initialised(), "the cluster was complete, and the lock is free")
}
