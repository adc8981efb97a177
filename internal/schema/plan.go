package schema

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Plan is what Up would do to a database.
type Plan struct {
	Version    int64         `json:"version"` // of the schema now
	Latest     int64         `json:"latest"`  // that it would come to
	Migrations []PlannedFile `json:"migrations"`
	Objects    []PlannedFile `json:"objects"`
	Checks     []GuardCheck  `json:"checks"`   // of pre_migration_check(); none in an empty database
	Problems   []Problem     `json:"problems"` // of the pending SQL; any of them would end the migration
	Try        *Try          `json:"try,omitempty"`
}

// PlannedFile is one file that would be applied.
type PlannedFile struct {
	Path string `json:"path"`
	SQL  string `json:"sql"`
}

// Try is how it went on a copy of the database.
type Try struct {
	Seconds float64 `json:"seconds"`
	Data    bool    `json:"data"` // whether the copy had the rows of the database
	Locks   []Lock  `json:"locks"`
}

// Lock is one that is held until the end.
type Lock struct {
	Table string `json:"table"`
	Mode  string `json:"mode"`
	Rows  int64  `json:"rows"` // of the table, as the planner has it
}

// Blocks says whom the lock keeps waiting.
func (l Lock) Blocks() string {
	switch l.Mode {
	case "AccessExclusiveLock":
		return "readers and writers"
	default:
		return "writers"
	}
}

// Plan says what Up would do, and changes nothing.
func (m *Migrator) Plan(ctx context.Context) (Plan, error) {
	s, err := m.connect(ctx)
	if err != nil {
		return Plan{}, err
	}
	defer s.Close(context.WithoutCancel(ctx))
	before, err := readState(ctx, s.Conn)
	if err != nil {
		return Plan{}, operatorFault(err)
	}
	if err := m.checkFrozen(before); err != nil {
		return Plan{}, err
	}
	p := m.pending(before)
	plan := Plan{Version: before.version, Latest: m.latest(), Migrations: []PlannedFile{}, Objects: []PlannedFile{}, Checks: []GuardCheck{}, Problems: []Problem{}}
	for _, file := range p.migrations {
		plan.Migrations = append(plan.Migrations, PlannedFile{file.path(), file.text})
	}
	for _, o := range p.objects {
		plan.Objects = append(plan.Objects, PlannedFile{o.Path, o.SQL})
	}
	if before.version == 0 || p.nothing() {
		return plan, nil
	}
	if plan.Checks, err = m.checkBefore(ctx, s); err != nil {
		return Plan{}, operatorFault(err)
	}
	if plan.Problems, err = m.lint(ctx, s, p); err != nil {
		return Plan{}, operatorFault(err)
	}
	return plan, nil
}

// Try does to the database of m, a copy that may be spoilt, what Up would, and takes it back.
func (m *Migrator) Try(ctx context.Context) (Try, error) {
	s, err := m.connect(ctx)
	if err != nil {
		return Try{}, err
	}
	defer s.Close(context.WithoutCancel(ctx))
	before, err := readState(ctx, s.Conn)
	if err != nil {
		return Try{}, err
	}
	var relations []uint32
	if err := s.QueryRow(ctx, backupQueries.Get("RelationIds")).Scan(&relations); err != nil {
		return Try{}, fmt.Errorf("read relations: %w", err)
	}
	sizes, err := readTableSizes(ctx, s)
	if err != nil {
		return Try{}, err
	}
	if err := m.prepare(ctx, s.Conn, before); err != nil {
		return Try{}, err
	}
	tx, err := s.Begin(ctx)
	if err != nil {
		return Try{}, fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is meant to stay
	started, p := time.Now(), m.pending(before)
	if _, err := m.migrate(ctx, s, tx, p.migrations); err != nil {
		return Try{}, err
	}
	if _, err := m.applyObjects(ctx, tx, p.objects); err != nil {
		return Try{}, err
	}
	if err := m.checkAfter(ctx, tx); err != nil {
		return Try{}, err
	}
	try := Try{Seconds: time.Since(started).Seconds(), Locks: []Lock{}}
	rows, err := tx.Query(ctx, backupQueries.Get("Locks"), relations)
	if err != nil {
		return Try{}, fmt.Errorf("read locks: %w", err)
	}
	var lock Lock
	if _, err := pgx.ForEachRow(rows, []any{&lock.Table, &lock.Mode}, func() error {
		lock.Rows = sizes[lock.Table].rows
		try.Locks = append(try.Locks, lock)
		return nil
	}); err != nil {
		return Try{}, fmt.Errorf("read locks: %w", err)
	}
	return try, nil
}
