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
	// LockTimeout is a tenth of how long it is tried to get tables that are in use, and bounds how long one attempt waits for them, which is
	// less than a second at most. Defaults to 3s.
	LockTimeout time.Duration
	// Backup, if any, is called before anything is changed in a database that has been migrated before. An error ends the migration.
	Backup func(ctx context.Context) error
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

// Up applies roles, migrations and objects, whichever are missing or changed. But for the roles, which belong to the whole
// server, it is one transaction: whatever happens, the database is as before or as after. What stands in the way is looked
// for before it (pre_migration_check), and what it has come to before it is committed (post_migration_check).
func (m *Migrator) Up(ctx context.Context) (Result, error) {
	s, err := m.connect(ctx)
	if err != nil {
		return Result{}, err
	}
	defer s.Close(context.WithoutCancel(ctx))
	result, err := m.up(ctx, s)
	return result, operatorFault(err)
}

func (m *Migrator) up(ctx context.Context, s *session) (Result, error) {
	if err := m.lock(ctx, s.Conn); err != nil {
		return Result{}, err
	}
	before, err := readState(ctx, s.Conn)
	if err != nil {
		return Result{}, err
	}
	if err := m.checkFrozen(before); err != nil {
		return Result{}, err // before anything is touched, roles included
	}
	pending := m.pending(before)
	if before.version > 0 && !pending.nothing() {
		if err := m.guard(ctx, s, pending); err != nil {
			return Result{}, err
		}
	}
	if err := m.prepare(ctx, s.Conn, before); err != nil {
		return Result{}, err
	}
	deadline := time.Now().Add(10 * m.config.LockTimeout)
	var order taking
	for attempt := 1; ; attempt++ {
		result, err := m.apply(ctx, s, pending, &order)
		if err == nil || !isLockConflict(err) {
			return result, err
		}
		if time.Now().After(deadline) {
			return Result{}, inUseFault(err)
		}
		m.config.Log.Warn("a table is in use, trying again", "attempt", attempt, "error", err)
		select {
		case <-ctx.Done():
			return Result{}, ctx.Err()
		case <-time.After(pauseTime):
		}
	}
}

// pending is what a database has not, or has in another text.
type pending struct {
	migrations []migrationFile
	objects    []object
}

func (p pending) nothing() bool { return len(p.migrations)+len(p.objects) == 0 }

func (m *Migrator) pending(s state) pending {
	p := pending{objects: changedObjects(m.objects, s.files)}
	for _, file := range m.migrations {
		if !s.applied[file.version] || s.files[file.path()] == "" {
			p.migrations = append(p.migrations, file)
		}
	}
	return p
}

// apply is one attempt at what is pending. A lock it does not get in time makes it let go of everything, so readers never
// queue behind it for long.
func (m *Migrator) apply(ctx context.Context, s *session, p pending, order *taking) (result Result, err error) {
	started := time.Now()
	tx, err := s.Begin(ctx)
	if err != nil {
		return Result{}, fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // a no-op once committed
	if err := m.take(ctx, tx, p.objects, order); err != nil {
		return Result{}, err
	}
	if result.Migrations, err = m.migrate(ctx, s, tx, p.migrations); err != nil {
		return Result{}, err
	}
	if result.Objects, err = m.applyObjects(ctx, tx, p.objects); err != nil {
		return Result{}, err
	}
	if err := m.settle(ctx, tx, !p.nothing()); err != nil {
		return Result{}, err
	}
	if err := tx.Commit(ctx); err != nil {
		return Result{}, fmt.Errorf("commit: %w", err)
	}
	result.Version = m.latest()
	if !p.nothing() {
		m.config.Log.Info("migrated", "migrations", len(result.Migrations), "objects", len(result.Objects), "version", result.Version, "took", time.Since(started))
	}
	return result, nil
}

// settle does what depends on the objects that are there now, and looks at what has become of the schema.
func (m *Migrator) settle(ctx context.Context, tx pgx.Tx, changed bool) error {
	if _, there := m.object("functions/vital_rotate_seal_key.sql"); there {
		if err := ensureSealKey(ctx, tx); err != nil {
			return err
		}
	}
	if _, there := m.object("functions/vital_notify_catalog.sql"); there {
		if err := watchCatalog(ctx, tx, changed); err != nil {
			return err
		}
	}
	if !changed {
		return nil
	}
	return m.checkAfter(ctx, tx)
}

// watchCatalog lets servers know of changes to the schema: of this one, and of those to come.
func watchCatalog(ctx context.Context, conn pgx.Tx, changed bool) error {
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
func ensureSealKey(ctx context.Context, tx pgx.Tx) error {
	if err := actAs(ctx, tx, "vital_sealer"); err != nil {
		return err
	}
	var missing bool
	if err := tx.QueryRow(ctx, sql("SealKeyMissing")).Scan(&missing); err != nil {
		return fmt.Errorf("look for a seal key: %w", err)
	}
	if missing {
		if _, err := tx.Exec(ctx, sql("SealKeyCreate")); err != nil {
			return fmt.Errorf("make a seal key: %w", err)
		}
	}
	if _, err := tx.Exec(ctx, sql("ActAsOperator")); err != nil {
		return fmt.Errorf("act as operator: %w", err)
	}
	return nil
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
