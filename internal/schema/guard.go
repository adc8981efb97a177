package schema

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vital-db/vital/internal/fault"
)

// GuardStatus is what a check before or after a migration came to. A FAIL ends the migration.
type GuardStatus string

// The statuses of pre_migration_check() and post_migration_check().
const (
	GuardOK      GuardStatus = "OK"
	GuardInfo    GuardStatus = "INFO"
	GuardWarning GuardStatus = "WARNING"
	GuardFail    GuardStatus = "FAIL"
)

// GuardCheck is a row of one of them.
type GuardCheck struct {
	Type    string      `json:"check_type"`
	Status  GuardStatus `json:"status"`
	Message string      `json:"message"`
}

// The functions that check, which are asked for as this binary has them.
const (
	preCheckPath  = "functions/pre_migration_check.sql"
	postCheckPath = "functions/post_migration_check.sql"
)

// guard looks for what stands in the way of a migration of a database that is in use, and has it backed up.
func (m *Migrator) guard(ctx context.Context, s *session, p pending) error {
	checks, err := m.checkBefore(ctx, s)
	if err != nil {
		return err
	}
	for _, c := range checks {
		if c.Status == GuardWarning {
			m.config.Log.Warn("before the migration", "check", c.Type, "message", c.Message)
		}
	}
	if err := refusedBy(checks, "Something stands in the way of the migration; nothing was changed."); err != nil {
		return err
	}
	problems, err := m.lint(ctx, s, p)
	if err != nil {
		return err
	}
	if err := m.refusedByLint(problems); err != nil {
		return err
	}
	if m.config.Backup == nil {
		return nil
	}
	return m.config.Backup(ctx)
}

// refusedBy is the error of checks one of which failed, or nil.
func refusedBy(checks []GuardCheck, message string) error {
	var failed []string
	for _, c := range checks {
		if c.Status == GuardFail {
			failed = append(failed, c.Type+": "+c.Message)
		}
	}
	if len(failed) == 0 {
		return nil
	}
	f := fault.New(fault.MigrationRefused, message, "Mend it and run it again; `vital migrate plan` shows every check.")
	f.Detail = strings.Join(failed, "\n")
	return f
}

// object returns one of the objects, if there is one.
func (m *Migrator) object(path string) (object, bool) {
	i := slices.IndexFunc(m.objects, func(o object) bool { return o.Path == path })
	if i < 0 {
		return object{}, false
	}
	return m.objects[i], true
}

// checkBefore asks pre_migration_check() as this binary has it, which the database need not: it is made in a transaction that is
// rolled back.
func (m *Migrator) checkBefore(ctx context.Context, s *session) ([]GuardCheck, error) {
	check, there := m.object(preCheckPath)
	if !there {
		return nil, nil
	}
	tx, err := s.Begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is meant to stay
	for _, statement := range []string{sql("ActAsOwner"), check.SQL, sql("ActAsOperator")} {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return nil, fmt.Errorf("make pre_migration_check: %w", err)
		}
	}
	checks, err := readChecks(ctx, tx, "PreCheck")
	var refused *pgconn.PgError
	if errors.As(err, &refused) && (refused.Code == "VT110" || refused.Code == "42883") { // an older version's idea of who operates
		m.config.Log.Warn("what stands in the way of the migration is not looked for: to the version before, this login is no operator")
		return nil, nil
	}
	return checks, err
}

// checkAfter refuses what a migration has come to, within its transaction.
func (m *Migrator) checkAfter(ctx context.Context, tx pgx.Tx) error {
	if _, there := m.object(postCheckPath); !there {
		return nil
	}
	checks, err := readChecks(ctx, tx, "PostCheck")
	if err != nil {
		return err
	}
	return refusedBy(checks, "What the migration came to is not as it must be; nothing of it was kept.")
}

func readChecks(ctx context.Context, db pgxQuerier, query string) ([]GuardCheck, error) {
	rows, err := db.Query(ctx, sql(query))
	if err != nil {
		return nil, fmt.Errorf("check: %w", err)
	}
	checks, err := pgx.CollectRows(rows, pgx.RowToStructByPos[GuardCheck])
	if err != nil {
		return nil, fmt.Errorf("check: %w", err)
	}
	return checks, nil
}
