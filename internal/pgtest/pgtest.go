// Package pgtest gives every test a migrated database of its own, cloned from a template on a private
// server that lives as long as the test binary. It may be imported from _test.go files only.
package pgtest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // pgtestdb opens databases by driver name
	"github.com/peterldowns/pgtestdb"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/localpg"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/schema"
)

// loginPassword is that of vital_api and vital_service on the test server.
const loginPassword = "test-login-password"

// server is the one of this test binary, started by the first test that needs it.
var server struct {
	once sync.Once
	pg   *localpg.Server
	dir  string
	url  *url.URL
	err  error
}

// Main runs the tests and then stops the server they shared. Call it from TestMain.
func Main(m *testing.M) {
	code := m.Run()
	if server.pg != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		if err := server.pg.Stop(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "stop test server:", err)
		}
		cancel()
		os.RemoveAll(server.dir)
	}
	os.Exit(code)
}

// start finds the server of VITAL_TEST_DATABASE_URL (a superuser's address), else starts one that
// forgoes durability.
func start() {
	if address := os.Getenv("VITAL_TEST_DATABASE_URL"); address != "" {
		server.url, server.err = url.Parse(address)
		return
	}
	if server.dir, server.err = os.MkdirTemp("", "vital-pgtest-"); server.err != nil {
		return
	}
	server.pg, server.err = localpg.Open(context.Background(), localpg.Config{
		DataDir: server.dir,
		Log:     slog.New(slog.DiscardHandler),
		Settings: map[string]string{
			"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "autovacuum": "off", "jit": "off",
			"max_connections": "300", "shared_buffers": "64MB",
			"wal_keep_size": "1GB", // while a standby is copied from it
		},
	})
	if server.err != nil {
		return
	}
	if server.url, server.err = url.Parse(server.pg.SuperuserURL("postgres")); server.err == nil {
		server.err = trustEverybody(filepath.Join(server.dir, "postgres", "pg_hba.conf"))
	}
}

// trustEverybody lets the shared server ask nobody for a password: with the race detector a client takes longer to answer for
// one than a test takes for all else, and every test connects a dozen times.
func trustEverybody(hba string) error {
	const everybody = "local all all trust\nhost all all 127.0.0.1/32 trust\nhost replication all 127.0.0.1/32 trust\n" //nolint:dupword // of all users, to all databases
	if err := os.WriteFile(hba, []byte(everybody), 0o600); err != nil {
		return err
	}
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, server.url.String())
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "select pg_reload_conf()")
	return err
}

// ServerURL returns the superuser's address of the shared server, on database name.
func ServerURL(t testing.TB, name string) string {
	t.Helper()
	server.once.Do(start)
	require.NoError(t, server.err, "start test server")
	u := *server.url
	u.Path = "/" + name
	return u.String()
}

// Database is one test's own.
type Database struct {
	Name       string
	URL        string // as superuser: for setting up and for looking behind the policies
	APIURL     string // as vital_api
	ServiceURL string // as vital_service
}

// New clones a migrated database for t and drops it afterwards, unless t failed.
func New(t testing.TB) *Database {
	t.Helper()
	u, err := url.Parse(ServerURL(t, "postgres"))
	require.NoError(t, err)
	password, _ := u.User.Password()
	config := pgtestdb.Custom(t, pgtestdb.Config{
		DriverName: "pgx", Host: u.Hostname(), Port: u.Port(), User: u.User.Username(), Password: password,
		Database: "postgres", Options: "sslmode=disable",
		TestRole: &pgtestdb.Role{Username: "vital_test_superuser", Password: loginPassword, Capabilities: "SUPERUSER"},
	}, migrator{})
	as := func(user, password string) string {
		return fmt.Sprintf("postgres://%s:%s@%s:%s/%s?sslmode=disable", user, password, config.Host, config.Port, config.Database)
	}
	d := &Database{
		Name:       config.Database,
		URL:        as(config.User, config.Password),
		APIURL:     as("vital_api", loginPassword),
		ServiceURL: as("vital_service", loginPassword),
	}
	// The privileges of a database itself are not cloned with it.
	d.Exec(t, "revoke temporary on database "+pgx.Identifier{d.Name}.Sanitize()+" from public")
	return d
}

// Connect opens a superuser's connection that ends with t.
func (d *Database) Connect(t testing.TB) *pgx.Conn {
	t.Helper()
	return connect(t, d.URL)
}

// ConnectAPI opens a connection as the server's own login.
func (d *Database) ConnectAPI(t testing.TB) *pgx.Conn {
	t.Helper()
	return connect(t, d.APIURL)
}

func connect(t testing.TB, address string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), address)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// Exec runs statements as superuser.
func (d *Database) Exec(t testing.TB, text string, args ...any) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), d.URL)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	_, err = conn.Exec(context.Background(), text, args...)
	require.NoError(t, err)
}

// Open opens the pools a server would, with config's own wishes.
func (d *Database) Open(t testing.TB, config postgres.Config) *postgres.DB {
	t.Helper()
	config.URL = cmp.Or(config.URL, d.APIURL)
	config.ServiceURL = cmp.Or(config.ServiceURL, d.ServiceURL)
	config.MaxConns = cmp.Or(config.MaxConns, 4)
	db, err := postgres.Open(context.Background(), config)
	require.NoError(t, err)
	t.Cleanup(db.Close)
	return db
}

// migrator makes the template; its hash covers every SQL file of the binary.
type migrator struct{}

func (migrator) Hash() (string, error) {
	sum := sha256.New()
	sum.Write([]byte(database.Roles))
	for _, files := range []fs.FS{database.Migrations, database.Objects} {
		err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := fs.ReadFile(files, path)
			sum.Write([]byte(path))
			sum.Write(text)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

func (migrator) Migrate(ctx context.Context, _ *sql.DB, config pgtestdb.Config) error {
	m, err := schema.NewMigrator(schema.Config{DatabaseURL: config.URL()})
	if err != nil {
		return err
	}
	if _, err := m.Up(ctx); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, config.URL())
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, login := range []string{"vital_api", "vital_service"} {
		if _, err := conn.Exec(ctx, "alter role "+login+" password '"+loginPassword+"'"); err != nil {
			return err
		}
	}
	return nil
}
