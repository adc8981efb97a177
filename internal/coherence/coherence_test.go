package coherence_test

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/coherence"
	"github.com/vital-db/vital/internal/localpg"
	"github.com/vital-db/vital/internal/schema"
)

const secret = "a-secret-of-the-tests-of-32-bytes-or-more"

// setup builds the binary and starts a database server of this test alone, since it is killed.
func setup(t *testing.T) coherence.Config {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Fatal("redis-server is missing: `.ci/require redis` installs it (Debian: apt-get install redis-server; macOS: brew install redis)")
	}
	dir, err := os.MkdirTemp("", "vital-coherence-")
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log("logs are kept in", dir)
			return
		}
		_ = os.RemoveAll(dir)
	})
	c := coherence.Config{Binary: filepath.Join(dir, "vital"), Dir: dir, DataDir: filepath.Join(dir, "data"), Secret: secret, Log: t.Output()}
	build := exec.Command("go", "build", "-trimpath", "-o", c.Binary, "github.com/vital-db/vital/cmd/vital")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as the Makefile builds it, which is compiled already
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)

	pg, err := localpg.Open(t.Context(), localpg.Config{DataDir: c.DataDir, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = pg.Stop(ctx) // it is thrown away
	})
	c.SuperURL = pg.SuperuserURL("postgres")
	c.APIURL, c.ServiceURL = pg.URL("vital_api", secret, "postgres"), pg.URL("vital_service", secret, "postgres")
	migrator, err := schema.NewMigrator(schema.Config{DatabaseURL: c.SuperURL})
	require.NoError(t, err)
	_, err = migrator.Up(t.Context())
	require.NoError(t, err)
	conn, err := pgx.Connect(t.Context(), c.SuperURL)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	for _, login := range []string{"vital_api", "vital_service"} {
		_, err := conn.Exec(t.Context(), "alter role "+login+" password '"+secret+"'")
		require.NoError(t, err)
	}
	return c
}

// A short run with every kind of fault once. How fast anything is fails nothing.
func TestCoherence_ThroughFaults(t *testing.T) { //nolint:paralleltest // it takes the whole machine
	if testing.Short() {
		t.Skip("it takes half a minute")
	}
	c := setup(t)
	c.Tenants, c.Readers, c.Writers, c.WritePause = 12, 8, 4, 100*time.Millisecond
	c.Lasting, c.Hold, c.Seed = 15*time.Second, 2*time.Second, uint64(time.Now().Unix())
	c.Faults = []string{
		"instance frozen", "listening backends frozen", "Redis restarted with an old state", "instance killed", "Postgres killed",
		"listening connections ended", "forged notifications", "Redis frozen",
	}
	r, err := coherence.Run(t.Context(), c)
	require.NoError(t, err)
	r.Print(t.Output())
	require.Empty(t, r.Violations)
	require.Greater(t, r.Reads, int64(200), "a busy machine makes few")
	require.Greater(t, r.Writes, int64(10))
	for kind, n := range r.Kinds {
		require.Positive(t, n, kind)
	}
	require.GreaterOrEqual(t, len(r.Kinds), 10, "every kind of read was made")
}
