package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/schema"
)

// withCopy runs fn on a copy of the database, which nobody else uses and which is dropped afterwards. A
// database that somebody is connected to cannot be copied; where VITAL is installed, a fresh install stands
// in, if it is of the same schema.
func (a *app) withCopy(ctx context.Context, t *target, schemas []string, fn func(*pgx.Conn) error) (err error) {
	source, err := connectOperator(ctx, t)
	if err != nil {
		return err
	}
	var name string
	var vital, temporary bool
	err = source.QueryRow(ctx, queries.Get("DescribeDatabase")).Scan(&name, &vital, &temporary)
	fingerprint, failed := isolation.Fingerprint(ctx, source, schemas)
	if err = errors.Join(err, failed, source.Close(ctx)); err != nil {
		return fmt.Errorf("look at the database: %w", err)
	}

	fresh := false
	create := func(keeper *pgx.Conn, copied string) (err error) {
		fresh, err = createCopy(ctx, keeper, copied, name, vital, temporary)
		return err
	}
	return a.withDatabase(ctx, t, "vital_copy_", create, func(address string) error {
		if fresh {
			if err := a.installCopy(ctx, address); err != nil {
				return err
			}
		}
		conn, err := pgx.Connect(ctx, address)
		if err != nil {
			return fmt.Errorf("connect to the copy: %w", err)
		}
		defer conn.Close(context.WithoutCancel(ctx))
		if fresh {
			if now, err := isolation.Fingerprint(ctx, conn, schemas); err != nil {
				return err
			} else if now != fingerprint { // what held of another schema would be no proof
				return fault.New(fault.DatabaseUnavailable, "Somebody is connected to "+name+", and its schema is not that of a fresh install, which could stand in for a copy.",
					"Leave out --copy, since what is attacked in place is rolled back; or end the connections.")
			}
			a.note("somebody is connected to " + name + ": a fresh install of the same schema stands in for a copy")
		}
		return fn(conn)
	})
}

// withShadow runs fn on a database that is migrated from scratch beside that of t, and dropped afterwards.
func (a *app) withShadow(ctx context.Context, t *target, fn func(*pgx.Conn) error) error {
	create := func(keeper *pgx.Conn, name string) error {
		if _, err := keeper.Exec(ctx, "create database "+pgx.Identifier{name}.Sanitize()+" template template0"); err != nil {
			return fault.Wrap(err, fault.PermissionDenied, "No database can be made to compare with.", "It takes a login that may create databases; or name another database with --against.")
		}
		return nil
	}
	return a.withDatabase(ctx, t, "vital_shadow_", create, func(address string) error {
		if err := a.installCopy(ctx, address); err != nil {
			return err
		}
		conn, err := pgx.Connect(ctx, address)
		if err != nil {
			return fmt.Errorf("connect to the shadow: %w", err)
		}
		defer conn.Close(context.WithoutCancel(ctx))
		return fn(conn)
	})
}

// withDatabase runs fn with the address of a database that create makes on the server of t, and drops it afterwards.
func (a *app) withDatabase(ctx context.Context, t *target, prefix string, create func(keeper *pgx.Conn, name string) error, fn func(address string) error) (err error) {
	keeper, err := pgx.Connect(ctx, onDatabase(t.operatorURL, "postgres"))
	if err != nil {
		return fault.Wrap(err, fault.DatabaseUnavailable, "The database postgres, from which another is made, cannot be reached.", "Let the operator's login connect to it.")
	}
	defer keeper.Close(context.WithoutCancel(ctx))
	name := prefix + uuid.NewString()[:8]
	if err := create(keeper, name); err != nil {
		return err
	}
	defer func() {
		if _, dropped := keeper.Exec(context.WithoutCancel(ctx), "drop database "+pgx.Identifier{name}.Sanitize()+" with (force)"); dropped != nil {
			err = errors.Join(err, fmt.Errorf("drop the database %s: %w", name, dropped))
		}
	}()
	return fn(onDatabase(t.operatorURL, name))
}

// createCopy copies source, or makes an empty database where that is impossible and a fresh install can take
// its place.
func createCopy(ctx context.Context, keeper *pgx.Conn, copied, source string, vital, temporary bool) (fresh bool, err error) {
	create := "create database " + pgx.Identifier{copied}.Sanitize()
	_, err = keeper.Exec(ctx, create+" template "+pgx.Identifier{source}.Sanitize())
	var refused *pgconn.PgError
	switch inUse := errors.As(err, &refused) && refused.Code == "55006"; {
	case inUse && vital:
		fresh = true
		_, err = keeper.Exec(ctx, create)
	case inUse:
		return false, fault.Wrap(err, fault.DatabaseUnavailable, "The database cannot be copied while somebody is connected to it.",
			"Restore a dump of it (pg_dump --schema-only) and name that with --database-url.")
	}
	if err != nil {
		return false, fault.Wrap(err, fault.PermissionDenied, "No copy of the database can be made.", "It takes a login that may create databases.")
	}
	if !temporary { // the privileges of a database are not copied with it
		_, err = keeper.Exec(ctx, "revoke temporary on database "+pgx.Identifier{copied}.Sanitize()+" from public")
	}
	return fresh, err
}

func (a *app) installCopy(ctx context.Context, address string) error {
	migrator, err := schema.NewMigrator(schema.Config{DatabaseURL: address})
	if err != nil {
		return err
	}
	_, err = migrator.Up(ctx)
	return err
}

// onDatabase is address with another database.
func onDatabase(address, name string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address // whoever connects to it will say
	}
	u.Path = "/" + name
	return u.String()
}
