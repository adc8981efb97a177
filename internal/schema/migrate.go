// Package schema brings a database to what this binary expects: roles, ordered migrations, re-creatable
// objects, the first seal key. It connects as the operator, never as the server's own login.
package schema

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
)

//go:embed schema.sql
var queryText string

var queries = database.ParseQueries(queryText)

func sql(name string) string { return queries.Get(name) }

// Config says which database to work on.
type Config struct {
	// DatabaseURL is the operator's connection: a superuser, or a role that is a member of vital_owner,
	// vital_definer and vital_sealer once those exist.
	DatabaseURL string
	// LockTimeout is how long one attempt at the objects waits for table locks, all together, before it
	// lets readers through and tries again. Defaults to 3s.
	LockTimeout time.Duration
	// Log receives what is done. Defaults to nothing.
	Log *slog.Logger
}

// Migrator brings one database up to date. It is safe to run by several processes at once: one works,
// the others wait and find nothing left to do.
type Migrator struct {
	config     Config
	source     source
	migrations []migrationFile
	objects    []object
}

// source is the SQL a migrator works from, laid out as in the database directory.
type source struct {
	roles      string
	migrations fs.FS
	objects    fs.FS
}

// embedded is the SQL of this binary.
var embedded = source{roles: database.Roles, migrations: database.Migrations, objects: database.Objects}

// NewMigrator reads the embedded SQL; it does no I/O.
func NewMigrator(config Config) (*Migrator, error) { return newMigrator(config, embedded) }

func newMigrator(config Config, from source) (*Migrator, error) {
	if config.LockTimeout == 0 {
		config.LockTimeout = 3 * time.Second
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	migrations, err := loadMigrations(from.migrations)
	if err != nil {
		return nil, fmt.Errorf("load migrations: %w", err)
	}
	objects, err := loadObjects(from.objects)
	if err != nil {
		return nil, fmt.Errorf("load objects: %w", err)
	}
	return &Migrator{config: config, source: from, migrations: migrations, objects: objects}, nil
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
	result, err := m.up(ctx, conn)
	return result, operatorFault(err)
}

func (m *Migrator) up(ctx context.Context, conn *pgx.Conn) (Result, error) {
	if err := m.lock(ctx, conn); err != nil {
		return Result{}, err
	}
	before, err := readState(ctx, conn)
	if err != nil {
		return Result{}, err
	}
	if err := m.checkFrozen(before); err != nil {
		return Result{}, err // before anything is touched, roles included
	}
	if err := m.prepare(ctx, conn, before); err != nil {
		return Result{}, err
	}
	var result Result
	if result.Migrations, err = m.migrate(ctx, conn, before); err != nil {
		return result, err
	}
	if result.Objects, err = m.apply(ctx, conn, before); err != nil {
		return result, err
	}
	result.Version = m.latest()
	if err := ensureSealKey(ctx, conn); err != nil {
		return result, err
	}
	return result, watchCatalog(ctx, conn, len(result.Migrations)+len(result.Objects) > 0)
}

// watchCatalog lets servers know of changes to the schema: of this one, and of those to come.
func watchCatalog(ctx context.Context, conn *pgx.Conn, changed bool) error {
	var unwatched bool
	if err := conn.QueryRow(ctx, sql("CatalogUnwatched")).Scan(&unwatched); err != nil {
		return fmt.Errorf("look for event trigger: %w", err)
	}
	if unwatched {
		if _, err := conn.Exec(ctx, sql("CatalogWatch")); err != nil {
			return fmt.Errorf("make event trigger: %w", err)
		}
	}
	if changed {
		if _, err := conn.Exec(ctx, sql("CatalogNotify")); err != nil {
			return fmt.Errorf("notify catalogs: %w", err)
		}
	}
	return nil
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

// checkFrozen refuses a database newer than this binary, and a migration edited after it was applied.
func (m *Migrator) checkFrozen(s state) error {
	if s.version > m.latest() {
		return m.aheadFault(s.version)
	}
	for _, file := range m.migrations {
		if recorded, applied := s.files[file.path()]; applied && recorded != file.hash {
			return fault.New(fault.MigrationChanged,
				fmt.Sprintf("Migration %s was changed after it was applied here.", file.name),
				"Applied migrations are frozen: restore its text and put the change into a new migration.")
		}
	}
	return nil
}

func (m *Migrator) aheadFault(version int64) error {
	return fault.New(fault.SchemaAhead,
		fmt.Sprintf("The database is at schema version %d, this binary knows only %d.", version, m.latest()),
		"Run the newer binary; an older one would not know what it must keep.")
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
