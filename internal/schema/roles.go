package schema

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vital-db/vital/internal/fault"
)

// rolesPath is the name under which roles.sql is recorded as applied.
const rolesPath = "roles.sql"

// roles are those roles.sql makes sure of.
var roles = []string{
	"anon", "authenticated", "service_role",
	"vital_owner", "vital_definer", "vital_sealer", "vital_api", "vital_service",
}

// prepare makes sure of the roles, the schemas and our own bookkeeping. Roles belong to the whole
// cluster, but the migration lock only to one database: when another database of the cluster is being
// set up at this moment, the two may meet, and the loser tries again.
func (m *Migrator) prepare(ctx context.Context, conn *pgx.Conn, before state) error {
	current, err := m.rolesAreCurrent(ctx, conn, before)
	if err != nil || current {
		return err
	}
	started := time.Now()
	const attempts = 10
	for attempt := 1; ; attempt++ {
		err := m.prepareOnce(ctx, conn)
		if err == nil {
			break
		}
		if !metAnother(err) || attempt == attempts {
			return err
		}
	}
	m.config.Log.Info("set up roles", "took", time.Since(started))
	return nil
}

// RolesScript is prepare as a script for psql: for a superuser who does this one step where the login
// that migrates may not. It leaves behind that the step is done.
func RolesScript() string {
	return "begin;\n" + embedded.roles + "\nset local role vital_owner;\n" + sql("Bookkeeping") + ";\n" +
		strings.NewReplacer("$1", "'"+rolesPath+"'", "$2", "'"+hash(embedded.roles)+"'").Replace(sql("ObjectRecord")) + ";\ncommit;\n"
}

func (m *Migrator) prepareOnce(ctx context.Context, conn *pgx.Conn) error {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin roles: %w", err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // a no-op once committed
	if _, err := tx.Exec(ctx, m.source.roles); err != nil {
		f := roleFault(err)
		f.Detail = databaseDetail(err, m.source.roles)
		return f
	}
	if err := actAs(ctx, tx, "vital_owner"); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, sql("Bookkeeping")); err != nil {
		return fmt.Errorf("create bookkeeping: %w", err)
	}
	if _, err := tx.Exec(ctx, sql("ObjectRecord"), rolesPath, hash(m.source.roles)); err != nil {
		return fmt.Errorf("record roles: %w", err)
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("commit roles: %w", err)
	}
	return nil
}

func (m *Migrator) rolesAreCurrent(ctx context.Context, conn *pgx.Conn, before state) (bool, error) {
	var missing []string
	if err := conn.QueryRow(ctx, sql("MissingRoles"), roles).Scan(&missing); err != nil {
		return false, fmt.Errorf("look for roles: %w", err)
	}
	return len(missing) == 0 && before.files[rolesPath] == hash(m.source.roles), nil
}

// metAnother says whether err is what two writers of the cluster's shared catalogs do to each other:
// a role made twice, a membership granted twice, or "tuple concurrently updated".
func metAnother(err error) bool {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return false
	}
	switch pgErr.Code {
	case "23505", "42710", "40P01":
		return true
	case "XX000":
		return pgErr.Message == "tuple concurrently updated"
	}
	return false
}

func roleFault(err error) *fault.Error {
	return fault.Wrap(err, fault.RoleSetup, "The roles of database/roles.sql cannot be set up with this login.",
		"Have a superuser do this step once (`vital migrate roles | psql`) and grant vital_owner, vital_definer and "+
			"vital_sealer to this login; before PostgreSQL 16 only a superuser may create a role with BYPASSRLS.")
}

// operatorFault tells an operator whose login lacks a privilege outside any migration or object that
// the step of the roles is missing. Other errors stay as they are.
func operatorFault(err error) error {
	var known *fault.Error
	var pgErr *pgconn.PgError
	if errors.As(err, &known) || !errors.As(err, &pgErr) || pgErr.Code != "42501" {
		return err
	}
	f := roleFault(err)
	f.Message = "This login may not migrate this database."
	f.Detail = databaseDetail(err, "")
	return f
}
