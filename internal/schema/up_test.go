package schema_test

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/schema"
)

// appliedFiles is what the database says has been applied to it, with the transaction that said so.
const appliedFiles = "select path || ' ' || sha256 || ' ' || xmin from vital.applied_files order by path"

// copyFS copies the binary's SQL into a file system that a test may change.
func copyFS(t *testing.T, from fs.FS) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	require.NoError(t, fs.WalkDir(from, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(from, name)
		files[name] = &fstest.MapFile{Data: text}
		return err
	}))
	return files
}

// forget makes the database believe that the files were applied with other text.
func forget(t *testing.T, conn *pgx.Conn, paths ...string) {
	t.Helper()
	for _, path := range paths {
		tag, err := conn.Exec(context.Background(), "update vital.applied_files set sha256 = 'edited' where path = $1", path)
		require.NoError(t, err)
		require.EqualValues(t, 1, tag.RowsAffected(), path)
	}
}

func TestUp_FreshThenNothing(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	address := freshDatabase(t)
	migrations, err := fs.Glob(database.Migrations, "migrations/*.sql")
	require.NoError(t, err)

	entries, err := migrator(t, address).Status(ctx)
	require.NoError(t, err)
	for _, entry := range entries {
		require.Equal(t, "pending", entry.Status, entry.Path)
	}

	first := up(t, address)
	require.Len(t, first.Migrations, len(migrations))
	require.Len(t, first.Objects, len(entries)-len(migrations))
	require.EqualValues(t, len(migrations), first.Version)
	require.Equal(t, schema.LatestVersion(), first.Version)

	entries, err = migrator(t, address).Status(ctx)
	require.NoError(t, err)
	for _, entry := range entries {
		require.Equal(t, "applied", entry.Status, entry.Path)
	}

	conn := connect(t, address)
	filesBefore, dumpBefore := column[string](t, conn, appliedFiles), dump(t, address)
	key := one[string](t, conn, "select string_agg(id, ' ') from vital.seal_keys")
	require.NotEmpty(t, key)
	second := up(t, address)
	require.Equal(t, schema.Result{Version: first.Version}, second)
	require.Equal(t, filesBefore, column[string](t, conn, appliedFiles))
	require.Equal(t, dumpBefore, dump(t, address))
	require.Equal(t, key, one[string](t, conn, "select string_agg(id, ' ') from vital.seal_keys"))
}

// TestUp_NothingToDoWritesNothing counts the second run's writes on a server of its own.
func TestUp_NothingToDoWritesNothing(t *testing.T) {
	t.Parallel()
	address := emptyDatabase(t, ownServer(t))
	up(t, address)
	conn := connect(t, address)
	const nextTransaction = "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
	before := one[int64](t, conn, nextTransaction)
	up(t, address)
	require.Equal(t, before, one[int64](t, conn, nextTransaction), "a run with nothing to do takes no transaction id")
}

func TestUp_MigrationChanged(t *testing.T) {
	t.Parallel()
	address := freshDatabase(t)
	up(t, address)
	conn := connect(t, address)
	forget(t, conn, "migrations/0003_create_registry.sql", "policies/agents.sql", "roles.sql")
	before := column[string](t, conn, appliedFiles)

	_, err := migrator(t, address).Up(context.Background())
	require.Equal(t, fault.MigrationChanged, fault.CodeOf(err))
	require.Contains(t, fault.From(err).Message, "0003_create_registry.sql")
	require.Equal(t, before, column[string](t, conn, appliedFiles), "nothing was done, roles and objects included")
}

func TestUp_SchemaAhead(t *testing.T) {
	t.Parallel()
	address := freshDatabase(t)
	up(t, address)
	conn := connect(t, address)
	execute(t, conn, "insert into vital.migrations (version_id, is_applied) values ($1, true)", schema.LatestVersion()+1)
	execute(t, conn, "drop policy agents_select_member on agents")
	forget(t, conn, "policies/agents.sql", "roles.sql")
	filesBefore, dumpBefore := column[string](t, conn, appliedFiles), dump(t, address)

	_, err := migrator(t, address).Up(context.Background())
	require.Equal(t, fault.SchemaAhead, fault.CodeOf(err))
	_, err = migrator(t, address).Status(context.Background())
	require.Equal(t, fault.SchemaAhead, fault.CodeOf(err))
	require.Equal(t, filesBefore, column[string](t, conn, appliedFiles))
	require.Equal(t, dumpBefore, dump(t, address))
}

func TestUp_MigrationFails(t *testing.T) {
	t.Parallel()
	address := freshDatabase(t)
	migrations := copyFS(t, database.Migrations)
	last := len(migrations) // 1, 2, 3 … without a gap
	broken := fmt.Sprintf("%04d_break.sql", last+1)
	migrations["migrations/"+broken] = &fstest.MapFile{Data: []byte(
		"-- +goose Up\ncreate table public.half_done (id uuid);\ncreate table public.broken (id no_such_type);\n")}
	m, err := schema.NewMigratorFrom(schema.Config{DatabaseURL: address}, migrations, nil)
	require.NoError(t, err)

	_, err = m.Up(context.Background())
	require.Equal(t, fault.MigrationFailed, fault.CodeOf(err))
	require.Contains(t, fault.From(err).Message, broken)
	require.Contains(t, fault.From(err).Detail, "no_such_type")
	conn := connect(t, address)
	require.False(t, one[bool](t, conn, "select to_regclass('public.half_done') is not null"))
	require.False(t, one[bool](t, conn, "select to_regclass('vital.migrations') is not null"), "nothing was kept, of those before it either")

	mended := up(t, address)
	require.Len(t, mended.Migrations, last)
	require.NotEmpty(t, mended.Objects)
	require.Len(t, column[string](t, conn, "select path from vital.applied_files where path like 'migrations/%'"), last)

	// The same where the database was migrated before.
	before := dump(t, address)
	_, err = next(t, schema.Config{DatabaseURL: address}, "create table vital.half_done (id uuid); create table vital.broken (id no_such_type);").Up(context.Background())
	require.Equal(t, fault.MigrationFailed, fault.CodeOf(err))
	require.Equal(t, before, dump(t, address))
}

func TestUp_CompletesAKilledRun(t *testing.T) {
	t.Parallel()
	address := freshDatabase(t)
	migrations := copyFS(t, database.Migrations)
	last := len(migrations) // 1, 2, 3 … without a gap
	one, two := fmt.Sprintf("%04d_one.sql", last+1), fmt.Sprintf("%04d_two.sql", last+2)
	add := func(name, table string) *schema.Migrator {
		migrations["migrations/"+name] = &fstest.MapFile{Data: []byte("-- +goose Up\ncreate table vital." + table + " (id uuid);\n")}
		m, err := schema.NewMigratorFrom(schema.Config{DatabaseURL: address}, migrations, nil)
		require.NoError(t, err)
		return m
	}
	_, err := add(one, "made_once").Up(context.Background())
	require.NoError(t, err)
	conn := connect(t, address)
	// Killed after the first of two had committed and before its checksum was kept.
	execute(t, conn, "delete from vital.applied_files where path in ('migrations/"+one+"', 'policies/tools.sql')")

	m := add(two, "made_later")
	entries, err := m.Status(context.Background())
	require.NoError(t, err)
	for _, name := range []string{"migrations/" + one, "migrations/" + two, "policies/tools.sql"} {
		require.Contains(t, entries, schema.Entry{Path: name, Status: "pending"})
	}
	result, err := m.Up(context.Background())
	require.NoError(t, err)
	require.Equal(t, []string{two}, result.Migrations)
	require.Equal(t, []string{"policies/tools.sql"}, result.Objects)
	entries, err = m.Status(context.Background())
	require.NoError(t, err)
	require.False(t, slices.ContainsFunc(entries, func(e schema.Entry) bool { return e.Status != "applied" }))

	// The same where nothing else is missing.
	execute(t, conn, "delete from vital.applied_files where path = 'migrations/"+two+"'")
	again, err := m.Up(context.Background())
	require.NoError(t, err)
	require.Equal(t, schema.Result{Version: result.Version}, again)
	entries, err = m.Status(context.Background())
	require.NoError(t, err)
	require.Contains(t, entries, schema.Entry{Path: "migrations/" + two, Status: "applied"})
}

func TestNewMigrator_RefusesBadSources(t *testing.T) {
	t.Parallel()
	gap := copyFS(t, database.Migrations)
	delete(gap, "migrations/0004_create_records.sql")
	unknown := copyFS(t, database.Objects)
	unknown["objects/views/lost.sql"] = &fstest.MapFile{Data: []byte("-- after: nowhere.sql\nselect 1;")}
	circle := copyFS(t, database.Objects)
	circle["objects/views/a.sql"] = &fstest.MapFile{Data: []byte("-- after: b.sql\nselect 1;")}
	circle["objects/views/b.sql"] = &fstest.MapFile{Data: []byte("-- after: a.sql\nselect 1;")}
	for name, c := range map[string]struct {
		migrations, objects fs.FS
		says                string
	}{
		"Gap":          {migrations: gap, says: "0005_create_internals.sql: a number is missing"},
		"UnknownAfter": {objects: unknown, says: path.Join("views", "nowhere.sql")},
		"Circle":       {objects: circle, says: "depends on itself"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := schema.NewMigratorFrom(schema.Config{}, c.migrations, c.objects)
			require.ErrorContains(t, err, c.says)
		})
	}
}
