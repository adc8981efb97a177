package schema

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/localpg"
)

// restored is the database of a shadow that a dump is restored into.
const restored = "restored"

// inShadow runs fn with the superuser's address of an empty database, on a server that is made for it beside the one of source and thrown
// away: it has the same roles, which nobody can log in as.
func (b Backups) inShadow(ctx context.Context, source *pgx.Conn, fn func(address string) error) (err error) {
	dir, err := os.MkdirTemp("", "vital-shadow-")
	if err != nil {
		return backupFault(err, "No directory can be made for a shadow of the database.", "Look at what TMPDIR names.")
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	shadow, err := localpg.Open(ctx, localpg.Config{
		DataDir: dir, BinDir: b.BinDir, Log: slog.New(slog.DiscardHandler),
		Settings: map[string]string{"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "wal_level": "minimal", "max_wal_senders": "0"},
	})
	if err != nil {
		return fmt.Errorf("start a shadow of the database: %w", err)
	}
	defer func() { err = errors.Join(err, shadow.Stop(context.WithoutCancel(ctx))) }()
	conn, err := pgx.Connect(ctx, shadow.SuperuserURL("postgres"))
	if err != nil {
		return fmt.Errorf("connect to the shadow: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	known, err := collectNames(ctx, conn, "RoleNames")
	if err != nil {
		return err
	}
	statements, err := collectNames(ctx, source, "RoleStatements", known)
	if err != nil {
		return err
	}
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("make the roles of the shadow: %w", err)
		}
	}
	if err := execNamed(ctx, conn, "DatabaseCreate", restored, ""); err != nil {
		return err
	}
	return fn(shadow.SuperuserURL(restored))
}

// bookkeeping are the tables that say what has been applied, and what the schema is held against.
var bookkeeping = []string{"vital.migrations", "vital.applied_files", "public.schema_validation_rules"}

// Shadow runs fn with the superuser's address of a copy of the database, on a server that is thrown away: with its rows where data is
// true, else with those alone that say what has been applied.
func (b Backups) Shadow(ctx context.Context, data bool, fn func(address string) error) (err error) {
	conn, err := pgx.Connect(ctx, b.DatabaseURL)
	if err != nil {
		return unreachable(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	dir, err := os.MkdirTemp("", "vital-dump-")
	if err != nil {
		return backupFault(err, "No directory can be made for a dump of the database.", "Look at what TMPDIR names.")
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	file := filepath.Join(dir, "database"+dumpSuffix)
	args := []string{"--format=custom", "--no-password", "--file=" + file}
	if !data {
		tables, err := collectNames(ctx, conn, "TableNames")
		if err != nil {
			return err
		}
		for _, table := range tables {
			if !slices.Contains(bookkeeping, table) {
				args = append(args, "--exclude-table-data="+table)
			}
		}
	}
	if err := b.run(ctx, b.DatabaseURL, "pg_dump", args...); err != nil {
		return err
	}
	return b.inShadow(ctx, conn, func(address string) error {
		if err := b.run(ctx, address, "pg_restore", "--exit-on-error", "--no-password", file); err != nil {
			return err
		}
		return fn(address)
	})
}

func collectNames(ctx context.Context, conn *pgx.Conn, query string, args ...any) ([]string, error) {
	rows, err := conn.Query(ctx, backupQueries.Get(query), args...)
	if err != nil {
		return nil, fmt.Errorf("read names: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// execNamed runs a statement on what is named, which is an identifier in it.
func execNamed(ctx context.Context, conn pgxQuerier, query, name, other string) error {
	text := strings.NewReplacer("{name}", pgx.Identifier{name}.Sanitize(), "{other}", pgx.Identifier{other}.Sanitize()).Replace(backupQueries.Get(query))
	if _, err := conn.Exec(ctx, text); err != nil {
		return fmt.Errorf("%s %s: %w", query, name, err)
	}
	return nil
}
