package schema

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"

	"github.com/vital-db/vital/internal/fault"
)

// state is what a database says has been applied to it.
type state struct {
	version int64
	applied map[int64]bool
	files   map[string]string // path -> SHA-256, hex
}

func readState(ctx context.Context, conn *pgx.Conn) (state, error) {
	s := state{applied: map[int64]bool{}}
	var exists bool
	if err := conn.QueryRow(ctx, sql("MigrationsTableExists")).Scan(&exists); err != nil {
		return s, fmt.Errorf("look for migrations: %w", err)
	}
	if exists {
		rows, err := conn.Query(ctx, sql("AppliedVersions"))
		if err != nil {
			return s, fmt.Errorf("read applied migrations: %w", err)
		}
		versions, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return s, fmt.Errorf("read applied migrations: %w", err)
		}
		for _, v := range versions {
			s.applied[v] = true
			s.version = max(s.version, v)
		}
	}
	var err error
	s.files, err = appliedFiles(ctx, conn)
	return s, err
}

func appliedFiles(ctx context.Context, conn *pgx.Conn) (map[string]string, error) {
	files := map[string]string{}
	var exists bool
	if err := conn.QueryRow(ctx, sql("BookkeepingExists")).Scan(&exists); err != nil {
		return nil, fmt.Errorf("look for bookkeeping: %w", err)
	}
	if !exists {
		return files, nil
	}
	rows, err := conn.Query(ctx, sql("AppliedFiles"))
	if err != nil {
		return nil, fmt.Errorf("read applied files: %w", err)
	}
	var name, sum string
	_, err = pgx.ForEachRow(rows, []any{&name, &sum}, func() error {
		files[name] = sum
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read applied files: %w", err)
	}
	return files, nil
}

// Entry is one migration or object and whether the database has it as this binary wants it.
type Entry struct {
	Path   string `json:"path"`
	Status string `json:"status"` // applied, pending, changed
}

// Status lists what Up would find: every migration and every object.
func (m *Migrator) Status(ctx context.Context) ([]Entry, error) {
	conn, err := m.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	s, err := readState(ctx, conn.Conn)
	if err != nil {
		return nil, operatorFault(err)
	}
	if s.version > m.latest() {
		return nil, m.aheadFault(s.version)
	}
	var entries []Entry
	for _, file := range m.migrations {
		recorded := s.files[file.path()]
		entries = append(entries, Entry{Path: file.path(), Status: entryStatus(s.applied[file.version], recorded, file.hash)})
	}
	for _, o := range m.objects {
		entries = append(entries, Entry{Path: o.Path, Status: entryStatus(true, s.files[o.Path], o.Hash)})
	}
	return entries, nil
}

func entryStatus(applied bool, recorded, wanted string) string {
	switch {
	case !applied || recorded == "":
		return "pending"
	case recorded != wanted:
		return "changed"
	default:
		return "applied"
	}
}

// migrationFault says which migration failed, with the database's own words as its detail.
func migrationFault(err error) error {
	f := fault.Wrap(err, fault.MigrationFailed, "A migration failed; nothing of it was kept.",
		"Mend what the detail names and run it again.")
	var partial *goose.PartialError
	if errors.As(err, &partial) && partial.Failed != nil {
		f.Message = fmt.Sprintf("Migration %s failed; nothing of it was kept.", path.Base(partial.Failed.Source.Path))
	}
	f.Detail = databaseDetail(err, "")
	return f
}

func objectFault(o object, err error) error {
	f := fault.Wrap(err, fault.ObjectFailed, fmt.Sprintf("%s could not be applied; no object was changed.", o.Path),
		"Mend what the detail names and run it again.")
	f.Detail = databaseDetail(err, o.SQL)
	return f
}

// inUseFault says that some table was in use in every attempt.
func inUseFault(err error) error {
	f := fault.Wrap(err, fault.MigrationLocked, "A table stayed in use; no object was changed.",
		"Run it again in a quieter moment, or find the transaction that holds the table in pg_stat_activity and end it.")
	f.Detail = databaseDetail(err, "")
	return f
}

// databaseDetail renders a database error, with line and column where its position lies in text.
func databaseDetail(err error, text string) string {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return err.Error()
	}
	detail := fmt.Sprintf("%s (SQLSTATE %s)", pgErr.Message, pgErr.Code)
	if n := int(pgErr.Position); n > 0 && n <= len([]rune(text)) {
		before := string([]rune(text)[:n-1])
		line := strings.Count(before, "\n") + 1
		column := utf8.RuneCountInString(before[strings.LastIndex(before, "\n")+1:]) + 1
		detail += fmt.Sprintf(", line %d column %d", line, column)
	}
	if pgErr.Detail != "" {
		detail += ": " + pgErr.Detail
	}
	if pgErr.Hint != "" {
		detail += " " + pgErr.Hint
	}
	return detail
}
