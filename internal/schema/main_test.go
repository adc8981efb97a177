package schema_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/localpg"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/schema"
)

var discard = slog.New(slog.DiscardHandler)

func TestMain(m *testing.M) { pgtest.Main(m) }

// emptyDatabase makes a database without anything in it on the server of address (a superuser's), and
// returns the superuser's address of it.
func emptyDatabase(t *testing.T, address string) string {
	t.Helper()
	name := "empty_" + strings.ToLower(rand.Text())
	conn := connect(t, address)
	execute(t, conn, "create database "+name)
	t.Cleanup(func() { execute(t, conn, "drop database "+name+" with (force)") })
	u, err := url.Parse(address)
	require.NoError(t, err)
	u.Path = "/" + name
	return u.String()
}

// freshDatabase is an empty database on the server the tests share.
func freshDatabase(t *testing.T) string {
	t.Helper()
	return emptyDatabase(t, pgtest.ServerURL(t, "postgres"))
}

// ownServer starts a server for t alone, for what changes roles, and returns its superuser's address.
func ownServer(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "vital-schema-")
	require.NoError(t, err)
	server, err := localpg.Open(context.Background(), localpg.Config{
		DataDir: dir, Log: slog.New(slog.DiscardHandler),
		Settings: map[string]string{
			"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "shared_buffers": "32MB",
			"autovacuum": "off", // it takes transaction ids of its own
		},
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		require.NoError(t, server.Stop(ctx))
		require.NoError(t, os.RemoveAll(dir))
	})
	return server.SuperuserURL("postgres")
}

func connect(t testing.TB, address string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), address)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func execute(t testing.TB, conn *pgx.Conn, text string, args ...any) {
	t.Helper()
	_, err := conn.Exec(context.Background(), text, args...)
	require.NoError(t, err, text)
}

// one reads the single value of a query.
func one[T any](t testing.TB, conn *pgx.Conn, text string, args ...any) T {
	t.Helper()
	rows, err := conn.Query(context.Background(), text, args...)
	require.NoError(t, err, text)
	value, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	require.NoError(t, err, text)
	return value
}

// column reads a query's only column.
func column[T any](t testing.TB, conn *pgx.Conn, text string, args ...any) []T {
	t.Helper()
	rows, err := conn.Query(context.Background(), text, args...)
	require.NoError(t, err, text)
	values, err := pgx.CollectRows(rows, pgx.RowTo[T])
	require.NoError(t, err, text)
	return values
}

func migrator(t testing.TB, address string) *schema.Migrator {
	t.Helper()
	m, err := schema.NewMigrator(schema.Config{DatabaseURL: address})
	require.NoError(t, err)
	return m
}

func up(t testing.TB, address string) schema.Result {
	t.Helper()
	result, err := migrator(t, address).Up(context.Background())
	require.NoError(t, err)
	return result
}

// volatileLine is what differs between minor versions of pg_dump and says nothing about the schema.
var volatileLine = regexp.MustCompile(`(?m)^(SET \w+ = .*;|SELECT pg_catalog\.set_config\('search_path'.*|\\(un)?restrict .*|-- Dumped (from|by) .*)\n`)

// entryHeader precedes every object and repeats what the statements after it say.
var entryHeader = regexp.MustCompile(`(?m)^--\n(-- .*\n)?--\n`)

var blankLines = regexp.MustCompile(`\n{3,}`)

// dump is the schema of the database at address as pg_dump writes it, owners and grants included,
// without what varies between minor versions. Without names it is public, vital and auth.
func dump(t testing.TB, address string, schemas ...string) string {
	t.Helper()
	bin, err := localpg.FindBinDir("")
	require.NoError(t, err)
	if len(schemas) == 0 {
		schemas = []string{"public", "vital", "auth"}
	}
	args := []string{"--schema-only", "--dbname", address}
	for _, s := range schemas {
		args = append(args, "--schema", s)
	}
	out, err := exec.Command(filepath.Join(bin, "pg_dump"), args...).Output()
	if failed, ok := err.(*exec.ExitError); ok { //nolint:errorlint // Output returns it unwrapped
		require.Fail(t, "pg_dump", string(failed.Stderr))
	}
	require.NoError(t, err)
	text := volatileLine.ReplaceAllString(entryHeader.ReplaceAllString(string(out), ""), "")
	return strings.TrimSpace(blankLines.ReplaceAllString(text, "\n\n")) + "\n"
}

// repository is the root of the source tree.
func repository(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	require.NoError(t, err)
	_, err = os.Stat(filepath.Join(dir, "go.mod"))
	require.NoError(t, err)
	return dir
}

func id(kind, n int) string { return fmt.Sprintf("%08d-0000-0000-0000-%012x", kind, n) }

// firstDifference shows the first line in which two texts differ.
func firstDifference(was, is string) string {
	old, now := strings.Split(was, "\n"), strings.Split(is, "\n")
	for i := range min(len(old), len(now)) {
		if old[i] != now[i] {
			return fmt.Sprintf("line %d\n  was: %s\n  is:  %s", i+1, old[i], now[i])
		}
	}
	return fmt.Sprintf("%d lines, were %d", len(now), len(old))
}

// requireState says that err is a database error of that SQLSTATE.
func requireState(t testing.TB, err error, state string) {
	t.Helper()
	var pgErr *pgconn.PgError
	require.ErrorAs(t, err, &pgErr)
	require.Equal(t, state, pgErr.Code, pgErr.Message)
}
