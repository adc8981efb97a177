// Package schema brings a database to what this binary expects: roles, ordered migrations, re-creatable
// objects, the first seal key. It connects as the operator, never as the server's own login.
package schema

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	goosedb "github.com/pressly/goose/v3/database"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
)

//go:embed schema.sql
var queryText string

var queries = database.ParseQueries(queryText)

func sql(name string) string { return queries.Get(name) }

// rolesPath is the name under which roles.sql is recorded as applied.
const rolesPath = "roles.sql"

// roles are those roles.sql makes sure of.
var roles = []string{
	"anon", "authenticated", "service_role",
	"vital_owner", "vital_definer", "vital_sealer", "vital_api", "vital_service",
}

// Config says which database to work on.
type Config struct {
	// DatabaseURL is the operator's connection: a superuser, or a role that is a member of vital_owner,
	// vital_definer and vital_sealer once those exist.
	DatabaseURL string
	// LockTimeout is how long one attempt waits for a table lock before it lets readers through and
	// tries again. Defaults to 3s.
	LockTimeout time.Duration
	// Log receives what is done. Defaults to nothing.
	Log *slog.Logger
}

// Migrator brings one database up to date. It is safe to run by several processes at once: one works,
// the others wait and find nothing left to do.
type Migrator struct {
	config  Config
	objects []object
}

// NewMigrator reads the embedded SQL; it does no I/O.
func NewMigrator(config Config) (*Migrator, error) {
	if config.LockTimeout == 0 {
		config.LockTimeout = 3 * time.Second
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	objects, err := loadObjects(database.Objects)
	if err != nil {
		return nil, fmt.Errorf("load objects: %w", err)
	}
	return &Migrator{config: config, objects: objects}, nil
}

// Result is what Up changed.
type Result struct {
	Migrations []string // file names, in the order applied
	Objects    []string // kind/name.sql, in the order applied
	Version    int64    // of the schema now
}

// Up applies roles, migrations and objects, whichever are missing or changed. Migrations run one
// transaction each; the objects run in one together.
func (m *Migrator) Up(ctx context.Context) (Result, error) {
	conn, err := m.connect(ctx)
	if err != nil {
		return Result{}, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := m.lock(ctx, conn); err != nil {
		return Result{}, err
	}
	if err := m.prepare(ctx, conn); err != nil {
		return Result{}, err
	}
	before, err := readState(ctx, conn)
	if err != nil {
		return Result{}, err
	}
	if err := m.checkFrozen(before); err != nil {
		return Result{}, err
	}
	var result Result
	if result.Migrations, err = m.migrate(ctx, conn); err != nil {
		return result, err
	}
	if result.Objects, err = m.apply(ctx, conn, before); err != nil {
		return result, err
	}
	result.Version = LatestVersion()
	return result, ensureSealKey(ctx, conn)
}

// connect opens the operator's connection and refuses a server that is too old.
func (m *Migrator) connect(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.Connect(ctx, m.config.DatabaseURL)
	if err != nil {
		return nil, fault.Wrap(err, fault.DatabaseUnavailable, "The database cannot be reached.",
			"Check --database-url: host, port, user, password and database name.")
	}
	var version int
	if err := conn.QueryRow(ctx, sql("ServerVersion")).Scan(&version); err != nil {
		conn.Close(ctx)
		return nil, fmt.Errorf("read server version: %w", err)
	}
	if version < 150000 {
		conn.Close(ctx)
		return nil, fault.New(fault.UnsupportedPostgres,
			fmt.Sprintf("This server is PostgreSQL %d; VITAL needs 15 or newer.", version/10000),
			"Views that apply the caller's policies exist only since PostgreSQL 15. Upgrade the server.")
	}
	return conn, nil
}

// lock waits until no other process migrates this database. The lock ends with the connection.
func (m *Migrator) lock(ctx context.Context, conn *pgx.Conn) error {
	const patience = 5 * time.Minute
	deadline := time.Now().Add(patience)
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		var got bool
		if err := conn.QueryRow(ctx, sql("TryLock")).Scan(&got); err != nil {
			return fmt.Errorf("take migration lock: %w", err)
		}
		if got {
			return nil
		}
		if time.Now().After(deadline) {
			return fault.New(fault.MigrationLocked, "Another process has been migrating this database for minutes.",
				"Wait for it, or find it in pg_stat_activity and end it.")
		}
		m.config.Log.Info("another process is migrating, waiting")
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// prepare makes sure of the roles, the schemas and our own bookkeeping.
func (m *Migrator) prepare(ctx context.Context, conn *pgx.Conn) error {
	current, err := m.rolesAreCurrent(ctx, conn)
	if err != nil || current {
		return err
	}
	started := time.Now()
	tx, err := conn.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin roles: %w", err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // a no-op once committed
	if _, err := tx.Exec(ctx, database.Roles); err != nil {
		return fault.Wrap(err, fault.RoleSetup, "The roles of database/roles.sql cannot be set up with this login.",
			"Have a superuser run it once: `vital migrate roles | psql` (before PostgreSQL 16 only a superuser may create a role with BYPASSRLS).")
	}
	if err := actAs(ctx, tx, "vital_owner"); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, sql("Bookkeeping")); err != nil {
		return fmt.Errorf("create bookkeeping: %w", err)
	}
	if _, err := tx.Exec(ctx, sql("ObjectRecord"), rolesPath, hash(database.Roles)); err != nil {
		return fmt.Errorf("record roles: %w", err)
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("commit roles: %w", err)
	}
	m.config.Log.Info("set up roles", "took", time.Since(started))
	return nil
}

func (m *Migrator) rolesAreCurrent(ctx context.Context, conn *pgx.Conn) (bool, error) {
	var missing []string
	if err := conn.QueryRow(ctx, sql("MissingRoles"), roles).Scan(&missing); err != nil {
		return false, fmt.Errorf("look for roles: %w", err)
	}
	if len(missing) > 0 {
		return false, nil
	}
	applied, err := appliedFiles(ctx, conn)
	return applied[rolesPath] == hash(database.Roles), err
}

// checkFrozen refuses a database newer than this binary, and a migration edited after it was applied.
func (m *Migrator) checkFrozen(s state) error {
	if s.version > LatestVersion() {
		return aheadFault(s.version)
	}
	for _, file := range migrationFiles() {
		if recorded, applied := s.files[path.Join("migrations", file.name)]; applied && recorded != file.hash {
			return fault.New(fault.MigrationChanged,
				fmt.Sprintf("Migration %s was changed after it was applied here.", file.name),
				"Applied migrations are frozen: restore its text and put the change into a new migration.")
		}
	}
	return nil
}

func aheadFault(version int64) error {
	return fault.New(fault.SchemaAhead,
		fmt.Sprintf("The database is at schema version %d, this binary knows only %d.", version, LatestVersion()),
		"Run the newer binary; an older one would not know what it must keep.")
}

// migrate applies the pending migrations as vital_owner and records their checksums.
func (m *Migrator) migrate(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	config, err := pgx.ParseConfig(m.config.DatabaseURL)
	if err != nil {
		return nil, fmt.Errorf("parse database url: %w", err)
	}
	config.RuntimeParams["lock_timeout"] = fmt.Sprint(m.config.LockTimeout.Milliseconds())
	db := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, "set role vital_owner")
		return err
	}))
	defer db.Close()

	store, err := goosedb.NewStore(goosedb.DialectPostgres, "vital.migrations")
	if err != nil {
		return nil, fmt.Errorf("open migration store: %w", err)
	}
	files, err := fs.Sub(database.Migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("open migrations: %w", err)
	}
	provider, err := goose.NewProvider("", db, files, goose.WithStore(store))
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return nil, migrationFault(err)
	}
	var applied []string
	for _, r := range results {
		name := path.Base(r.Source.Path)
		m.config.Log.Info("applied migration", "name", name, "took", r.Duration)
		applied = append(applied, name)
	}
	return applied, m.recordMigrations(ctx, conn)
}

// recordMigrations keeps the checksum of every applied migration that has none yet; a run that was
// killed between a migration and this line is completed by the next.
func (m *Migrator) recordMigrations(ctx context.Context, conn *pgx.Conn) error {
	s, err := readState(ctx, conn)
	if err != nil {
		return err
	}
	for _, file := range migrationFiles() {
		name := path.Join("migrations", file.name)
		if _, recorded := s.files[name]; recorded || file.version > s.version {
			continue
		}
		if _, err := conn.Exec(ctx, sql("ObjectRecord"), name, file.hash); err != nil {
			return fmt.Errorf("record %s: %w", name, err)
		}
	}
	return nil
}

// apply runs the changed objects in one transaction. A lock it does not get in time makes it let go of
// everything and try again, so readers never queue behind it for long.
func (m *Migrator) apply(ctx context.Context, conn *pgx.Conn, before state) ([]string, error) {
	changed := changedObjects(m.objects, before.files)
	if len(changed) == 0 {
		return nil, nil
	}
	const attempts = 10
	started := time.Now()
	for attempt := 1; ; attempt++ {
		err := m.applyOnce(ctx, conn, changed)
		var pgErr *pgconn.PgError
		if err == nil {
			break
		}
		if !errors.As(err, &pgErr) || pgErr.Code != lockNotAvailable || attempt == attempts {
			return nil, err
		}
		m.config.Log.Warn("a table is in use, trying again", "attempt", attempt, "lock_timeout", m.config.LockTimeout)
	}
	m.config.Log.Info("applied objects", "count", len(changed), "took", time.Since(started))
	names := make([]string, len(changed))
	for i, o := range changed {
		names[i] = o.Path
	}
	return names, nil
}

// lockNotAvailable is the SQLSTATE of a lock_timeout that ran out.
const lockNotAvailable = "55P03"

func (m *Migrator) applyOnce(ctx context.Context, conn *pgx.Conn, changed []object) error {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin objects: %w", err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // a no-op once committed
	if _, err := tx.Exec(ctx, fmt.Sprintf("set local lock_timeout = %d", m.config.LockTimeout.Milliseconds())); err != nil {
		return fmt.Errorf("set lock timeout: %w", err)
	}
	if err := applyObjects(ctx, tx, changed); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("commit objects: %w", err)
	}
	return nil
}

// ensureSealKey makes the first seal key of an installation.
func ensureSealKey(ctx context.Context, conn *pgx.Conn) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if err := actAs(ctx, tx, "vital_sealer"); err != nil {
			return err
		}
		var missing bool
		if err := tx.QueryRow(ctx, sql("SealKeyMissing")).Scan(&missing); err != nil || !missing {
			return err
		}
		_, err := tx.Exec(ctx, sql("SealKeyCreate"))
		return err
	})
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// migrationFile is one frozen migration of this binary.
type migrationFile struct {
	name    string
	version int64
	hash    string
}

func migrationFiles() []migrationFile {
	names, _ := fs.Glob(database.Migrations, "migrations/*.sql") // the pattern is constant and good
	var files []migrationFile
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			panic(err) // a file of this binary; a test loads them all
		}
		text, err := fs.ReadFile(database.Migrations, name)
		if err != nil {
			panic(err)
		}
		files = append(files, migrationFile{name: path.Base(name), version: version, hash: hash(string(text))})
	}
	slices.SortFunc(files, func(a, b migrationFile) int { return int(a.version - b.version) })
	return files
}

// LatestVersion is the schema version this binary works with.
func LatestVersion() int64 {
	files := migrationFiles()
	return files[len(files)-1].version
}
