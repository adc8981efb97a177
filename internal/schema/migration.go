package schema

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	goosedb "github.com/pressly/goose/v3/database"
)

// migrationFile is one frozen migration.
type migrationFile struct {
	name    string
	version int64
	hash    string
}

// path is the name under which it is recorded as applied.
func (f migrationFile) path() string { return path.Join("migrations", f.name) }

// loadMigrations lists the migrations in the order of their numbers.
func loadMigrations(from fs.FS) ([]migrationFile, error) {
	names, err := fs.Glob(from, "migrations/*.sql")
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	var files []migrationFile
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		text, err := fs.ReadFile(from, name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		files = append(files, migrationFile{name: path.Base(name), version: version, hash: hash(string(text))})
	}
	slices.SortFunc(files, func(a, b migrationFile) int { return int(a.version - b.version) })
	for i, file := range files {
		if file.version != int64(i+1) {
			return nil, fmt.Errorf("%s: a number is missing or doubled before it", file.name)
		}
	}
	return files, nil
}

func (m *Migrator) latest() int64 { return int64(len(m.migrations)) }

// LatestVersion is the schema version this binary works with.
func LatestVersion() int64 {
	files, err := loadMigrations(embedded.migrations)
	if err != nil {
		panic(err) // files of this binary; every test loads them
	}
	return int64(len(files))
}

// migrate applies the pending migrations as vital_owner and records their checksums.
func (m *Migrator) migrate(ctx context.Context, conn *pgx.Conn, before state) ([]string, error) {
	if m.complete(before) {
		return nil, nil
	}
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
	files, err := fs.Sub(m.source.migrations, "migrations")
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

// complete says whether every migration is applied and recorded.
func (m *Migrator) complete(s state) bool {
	for _, file := range m.migrations {
		if !s.applied[file.version] || s.files[file.path()] == "" {
			return false
		}
	}
	return true
}

// recordMigrations keeps the checksum of every applied migration that has none yet; a run that was
// killed between a migration and this line is completed by the next.
func (m *Migrator) recordMigrations(ctx context.Context, conn *pgx.Conn) error {
	s, err := readState(ctx, conn)
	if err != nil {
		return err
	}
	for _, file := range m.migrations {
		if s.files[file.path()] != "" || !s.applied[file.version] {
			continue
		}
		if _, err := conn.Exec(ctx, sql("ObjectRecord"), file.path(), file.hash); err != nil {
			return fmt.Errorf("record %s: %w", file.name, err)
		}
	}
	return nil
}
