package schema

import (
	"context"
	"io/fs"

	"github.com/jackc/pgx/v5"
)

// Problems are those of what m would do to the database of conn.
func Problems(ctx context.Context, m *Migrator, conn *pgx.Conn) ([]Problem, error) {
	before, err := readState(ctx, conn)
	if err != nil {
		return nil, err
	}
	return m.lint(ctx, conn, m.pending(before))
}

// NewMigratorFrom is NewMigrator with other SQL than this binary's; nil stands for the binary's own.
func NewMigratorFrom(config Config, migrations, objects fs.FS) (*Migrator, error) {
	from := embedded
	if migrations != nil {
		from.migrations = migrations
	}
	if objects != nil {
		from.objects = objects
	}
	return newMigrator(config, from)
}

// RequireRoom is what refuses a backup that would fill a disk.
var RequireRoom = requireRoom

// CommitTimes are those of transactions, as far as they are known.
var CommitTimes = commitTimes
