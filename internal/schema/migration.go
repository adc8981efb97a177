package schema

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"
	goosedb "github.com/pressly/goose/v3/database"
)

// migrationFile is one frozen migration.
type migrationFile struct {
	name    string
	version int64
	text    string
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
		if strings.Contains(string(text), "+goose NO TRANSACTION") {
			return nil, fmt.Errorf("%s: all that is migrated is one transaction; an index on a large table is made concurrently beforehand", name)
		}
		files = append(files, migrationFile{name: path.Base(name), version: version, text: string(text), hash: hash(string(text))})
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

// migrate applies the pending migrations as vital_owner, within tx, and records their checksums.
func (m *Migrator) migrate(ctx context.Context, s *session, tx pgx.Tx, pending []migrationFile) ([]string, error) {
	if len(pending) == 0 {
		return nil, nil
	}
	if _, err := tx.Exec(ctx, sql("LockTimeout"), fmt.Sprint(m.yield().Milliseconds())); err != nil {
		return nil, fmt.Errorf("set lock timeout: %w", err)
	}
	if _, err := tx.Exec(ctx, sql("ActAsOwner")); err != nil {
		return nil, fmt.Errorf("act as vital_owner: %w", err)
	}
	results, err := m.gooseUp(ctx, s)
	if err != nil {
		return nil, err
	}
	var applied []string
	for _, r := range results {
		name := path.Base(r.Source.Path)
		m.config.Log.Info("applied migration", "name", name, "took", r.Duration)
		applied = append(applied, name)
	}
	for _, file := range pending {
		if _, err := tx.Exec(ctx, sql("ObjectRecord"), file.path(), file.hash); err != nil {
			return nil, fmt.Errorf("record %s: %w", file.name, err)
		}
	}
	if _, err := tx.Exec(ctx, sql("ActAsOperator")); err != nil {
		return nil, fmt.Errorf("act as operator: %w", err)
	}
	return applied, nil
}

// gooseUp has goose apply what it has not yet applied.
func (m *Migrator) gooseUp(ctx context.Context, s *session) ([]*goose.MigrationResult, error) {
	db := s.asDB()
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
	if err != nil && isLockConflict(err) {
		return nil, err
	}
	if err != nil {
		return nil, migrationFault(err)
	}
	return results, nil
}
