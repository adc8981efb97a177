package schema

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/fault"
)

// Read restores a backup into a server of its own, which is thrown away, and runs fn with the superuser's address of what was the database
// then. Nothing of the database is changed.
func (b Backups) Read(ctx context.Context, backup Backup, fn func(address string) error) error {
	conn, err := pgx.Connect(ctx, b.DatabaseURL)
	if err != nil {
		return unreachable(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return b.inShadow(ctx, conn, func(address string) error {
		if err := b.load(ctx, address, backup, backup.File); err != nil {
			return err
		}
		return fn(address)
	})
}

// Restore puts a backup in the place of the database. It is restored beside it, compared with what was counted when it was made, and
// then takes its name; the database that was there is kept, closed to connections, under the name that is returned. Until
// then nothing is changed but that, for the moment of the swap, nobody can connect; sessions that are open then are ended.
func (b Backups) Restore(ctx context.Context, backup Backup) (kept string, err error) {
	address, err := url.Parse(b.DatabaseURL)
	if err != nil {
		return "", fmt.Errorf("parse database url: %w", err)
	}
	conn, err := pgx.Connect(ctx, b.DatabaseURL)
	if err != nil {
		return "", unreachable(err)
	}
	var name string
	var size int64
	err = conn.QueryRow(ctx, backupQueries.Get("DatabaseSize")).Scan(&name, &size)
	identity, failed := serverIdentity(ctx, conn)
	if err = errors.Join(err, failed, conn.Close(ctx)); err != nil {
		return "", fmt.Errorf("read name: %w", err)
	}
	if backup.Server != identity {
		return "", fault.New(fault.BackupFailed, "This is a backup of a database on another server.", "Name a backup of this database, or restore it by hand, with pg_restore.")
	}
	if backup.Database != name {
		return "", fault.New(fault.BackupFailed, fmt.Sprintf("This is a backup of %s, and the database is %s.", backup.Database, name), "Name a backup of this database, or restore it by hand, with pg_restore.")
	}
	keeper, err := pgx.Connect(ctx, addressOf(address, "postgres"))
	if err != nil {
		return "", backupFault(err, "The database postgres, from which another is made, cannot be reached.", "Let the operator's login connect to it.")
	}
	defer keeper.Close(context.WithoutCancel(ctx))
	stamp := time.Now().UTC().Format("20060102t150405")
	beside := "vital_restore_" + stamp
	if err := createLike(ctx, keeper, name, beside); err != nil {
		return "", err
	}
	kept = name[:min(len(name), 63-len("_before_")-len(stamp))] + "_before_" + stamp
	err = b.restoreBeside(ctx, addressOf(address, beside), backup)
	if err == nil && b.Carry != nil {
		err = b.Carry(ctx, b.DatabaseURL, addressOf(address, beside))
	}
	if err == nil {
		err = swap(ctx, keeper, name, beside, kept)
	}
	if err != nil {
		return "", errors.Join(err, execNamed(context.WithoutCancel(ctx), keeper, "DatabaseDrop", beside, ""))
	}
	return kept, nil
}

// createLike makes a database as closed and as set up as the one it is to take the place of.
func createLike(ctx context.Context, keeper *pgx.Conn, name, beside string) error {
	statements, err := collectNames(ctx, keeper, "DatabaseLike", name, beside)
	if err != nil {
		return err
	}
	for _, statement := range statements {
		if _, err := keeper.Exec(ctx, statement); err != nil {
			err = backupFault(err, "No database like this one can be made to restore into.", "It takes a login that may create databases and owns this one, or a superuser.")
			return errors.Join(err, execNamed(context.WithoutCancel(ctx), keeper, "DatabaseDrop", beside, ""))
		}
	}
	return nil
}

func addressOf(u *url.URL, database string) string {
	other := *u
	other.Path = "/" + database
	query := other.Query()
	query.Del("dbname") // either would win over the path
	query.Del("database")
	other.RawQuery = query.Encode()
	return other.String()
}

// restoreBeside restores backup into the empty database of address, and makes that as closed as roles.sql makes one.
func (b Backups) restoreBeside(ctx context.Context, address string, backup Backup) error {
	b.Log.Info("restoring", "file", backup.File, "rows", backup.Rows())
	if err := b.load(ctx, address, backup, backup.File); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return fmt.Errorf("connect to what was restored: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, embedded.roles); err != nil {
		return roleFault(err)
	}
	return nil
}

// swap gives the database beside the name of the one that is in use, which is kept. Where it fails, the one in use is opened again.
func swap(ctx context.Context, keeper *pgx.Conn, name, beside, kept string) (err error) {
	if err := execNamed(ctx, keeper, "DatabaseClose", name, ""); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, execNamed(context.WithoutCancel(ctx), keeper, "DatabaseOpen", name, ""))
		}
	}()
	if _, err := keeper.Exec(ctx, backupQueries.Get("SessionsEnd"), name); err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	return pgx.BeginFunc(ctx, keeper, func(tx pgx.Tx) error {
		if err := execNamed(ctx, tx, "DatabaseRename", name, kept); err != nil {
			return err
		}
		return execNamed(ctx, tx, "DatabaseRename", beside, name)
	})
}
