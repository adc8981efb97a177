package schema_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/schema"
)

func TestUp_ReappliesWhatChanged(t *testing.T) {
	t.Parallel()
	address := freshDatabase(t)
	up(t, address)
	conn := connect(t, address)
	fresh := dump(t, address)
	for _, c := range []struct {
		changed string
		applied []string
	}{
		{"policies/agents.sql", []string{"policies/agents.sql"}},
		{"triggers/organizations.sql", []string{"triggers/organizations.sql"}},
		{"views/vital_tenant_settings.sql", []string{"views/vital_tenant_settings.sql", "views/tenant_full_config.sql"}},
		{"functions/vital_build_context.sql", []string{
			"functions/vital_build_context.sql", "functions/vital_caller_context.sql",
			"functions/get_user_tenant_context.sql", "functions/get_user_tenant_context_optimized.sql",
		}},
	} {
		forget(t, conn, c.changed)
		result := up(t, address)
		require.ElementsMatch(t, c.applied, result.Objects)
		require.Equal(t, c.changed, result.Objects[0], "what others come after goes first")
		require.Empty(t, result.Migrations)
	}
	// The order of grants is the only thing that may differ.
	require.ElementsMatch(t, strings.Split(fresh, "\n"), strings.Split(dump(t, address), "\n"))
}

func TestUp_EveryObjectCanBeReapplied(t *testing.T) {
	t.Parallel()
	address := freshDatabase(t)
	first := up(t, address)
	conn := connect(t, address)
	fresh := dump(t, address)
	execute(t, conn, "update vital.applied_files set sha256 = 'edited' where path not like 'migrations/%'")
	require.Equal(t, first.Objects, up(t, address).Objects)
	require.ElementsMatch(t, strings.Split(fresh, "\n"), strings.Split(dump(t, address), "\n"))
}

func TestUp_BrokenObject(t *testing.T) {
	t.Parallel()
	address := freshDatabase(t)
	up(t, address)
	conn := connect(t, address)
	objects := copyFS(t, database.Objects)
	objects["objects/functions/vital_fine.sql"] = &fstest.MapFile{Data: []byte(
		"create function vital.fine() returns int language sql as 'select 1';")}
	objects["objects/policies/agents.sql"].Data = append(objects["objects/policies/agents.sql"].Data,
		"-- für später\nselect 1;\ngrant select\n  on public.no_such_table to anon;\nselect 'ü', no_such_column;\n"...)
	objects["objects/views/broken.sql"] = &fstest.MapFile{Data: []byte(
		"-- Größe\ncreate view vital.broken with (security_invoker = true) as\nselect 'ü' as a, no_such_column as b;\n")}
	m, err := schema.NewMigratorFrom(schema.Config{DatabaseURL: address}, nil, objects)
	require.NoError(t, err)
	filesBefore, dumpBefore := column[string](t, conn, appliedFiles), dump(t, address)

	_, err = m.Up(context.Background())
	require.Equal(t, fault.ObjectFailed, fault.CodeOf(err))
	require.Contains(t, fault.From(err).Message, "views/broken.sql")
	require.Contains(t, fault.From(err).Detail, `column "no_such_column" does not exist (SQLSTATE 42703), line 3 column 18`)
	require.Equal(t, filesBefore, column[string](t, conn, appliedFiles), "nothing of the batch was kept")
	require.Equal(t, dumpBefore, dump(t, address), "nothing of the batch was kept")

	delete(objects, "objects/views/broken.sql")
	m, err = schema.NewMigratorFrom(schema.Config{DatabaseURL: address}, nil, objects)
	require.NoError(t, err)
	_, err = m.Up(context.Background())
	require.Contains(t, fault.From(err).Message, "policies/agents.sql")
	require.Equal(t, dumpBefore, dump(t, address), "policies already dropped are back")
}

func TestUp_PolicyFileStatesAllThereAre(t *testing.T) {
	t.Parallel()
	address := freshDatabase(t)
	up(t, address)
	conn := connect(t, address)
	fresh := dump(t, address)
	execute(t, conn, `
		create policy by_hand on agents for select to anon using (true);
		grant select, truncate on agents to anon;
		grant update (name) on agents to public;
		drop policy agents_delete_member on agents;
		alter table agents no force row level security;
		alter table agents disable row level security`)
	forget(t, conn, "policies/agents.sql")
	require.Equal(t, []string{"policies/agents.sql"}, up(t, address).Objects)
	require.ElementsMatch(t, strings.Split(fresh, "\n"), strings.Split(dump(t, address), "\n"))
}

// lockWaiters counts the sessions that wait for a lock on relation.
const lockWaiters = "select count(*) from pg_locks where relation = $1::regclass and not granted"

func TestUp_WaitsForAReader(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	address := freshDatabase(t)
	up(t, address)
	conn, reader := connect(t, address), connect(t, address)
	// The whole batch goes back each time, what came before the busy table too.
	forget(t, conn, "policies/agents.sql", "policies/tenant_apps.sql")
	execute(t, reader, "begin; select count(*) from tenant_apps")

	var log strings.Builder
	m, err := schema.NewMigrator(schema.Config{
		DatabaseURL: address, LockTimeout: time.Second, Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	require.NoError(t, err)
	type outcome struct {
		result schema.Result
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		result, err := m.Up(ctx)
		done <- outcome{result, err}
	}()
	for one[int](t, conn, lockWaiters, "tenant_apps") == 0 {
		require.NoError(t, ctx.Err(), "nobody waits for the table")
	}
	// The first reader keeps its lock all along, so these can get through only because the migrator,
	// in whose queue they stand, lets go.
	_, err = conn.Exec(ctx, "select count(*) from tenant_apps")
	require.NoError(t, err)
	_, err = conn.Exec(ctx, "select count(*) from agents")
	require.NoError(t, err)
	execute(t, reader, "rollback")

	got := <-done
	require.NoError(t, got.err)
	require.Equal(t, []string{"policies/agents.sql", "policies/tenant_apps.sql"}, got.result.Objects)
	require.Contains(t, log.String(), "a table is in use, trying again")
}

func TestUp_GivesUpOnATableInUse(t *testing.T) {
	t.Parallel()
	address := freshDatabase(t)
	up(t, address)
	conn, reader := connect(t, address), connect(t, address)
	forget(t, conn, "policies/tenant_apps.sql")
	execute(t, reader, "begin; select count(*) from tenant_apps")
	m, err := schema.NewMigrator(schema.Config{DatabaseURL: address, LockTimeout: 10 * time.Millisecond})
	require.NoError(t, err)
	_, err = m.Up(context.Background())
	require.Equal(t, fault.MigrationLocked, fault.CodeOf(err))
	require.Contains(t, fault.From(err).Hint, "pg_stat_activity")
	require.Empty(t, column[int](t, conn, "select pid from pg_locks where relation = 'tenant_apps'::regclass and mode = 'AccessExclusiveLock'"))
}

func TestUp_TwoAtOnce(t *testing.T) {
	t.Parallel()
	address := freshDatabase(t)
	results, errs := make([]schema.Result, 2), make(chan error, 2)
	for i := range results {
		m := migrator(t, address)
		go func() {
			var err error
			results[i], err = m.Up(context.Background())
			errs <- err
		}()
	}
	require.NoError(t, <-errs)
	require.NoError(t, <-errs)
	worker, other := results[0], results[1]
	if len(worker.Migrations) == 0 {
		worker, other = other, worker
	}
	require.NotEmpty(t, worker.Migrations)
	require.NotEmpty(t, worker.Objects)
	require.Equal(t, schema.Result{Version: worker.Version}, other, "one works, the other finds nothing left to do")
	keys := column[string](t, connect(t, address), "select id from vital.seal_keys")
	require.Len(t, keys, 1)
}

// TestUp_ManyDatabasesAtOnce sets up two databases of one cluster whose roles nobody has made yet.
func TestUp_ManyDatabasesAtOnce(t *testing.T) {
	t.Parallel()
	server := ownServer(t)
	const count = 4
	var migrators []*schema.Migrator
	for range count {
		migrators = append(migrators, migrator(t, emptyDatabase(t, server)))
	}
	errs := make(chan error, count)
	for _, m := range migrators {
		go func() {
			_, err := m.Up(context.Background())
			errs <- err
		}()
	}
	for range count {
		require.NoError(t, <-errs)
	}
	members := column[string](t, connect(t, server), `
		select r.rolname || ' in ' || g.rolname from pg_auth_members m
		join pg_roles r on r.oid = m.member join pg_roles g on g.oid = m.roleid
		where r.rolname like 'vital%' order by 1`)
	require.Equal(t, []string{"vital_api in anon", "vital_api in authenticated", "vital_service in service_role"}, members)
}

// TestUp_FunctionChangesOwner: a function whose file names another owner than the database has is handed
// over, since only its owner may replace it.
func TestUp_FunctionChangesOwner(t *testing.T) {
	t.Parallel()
	address := freshDatabase(t)
	up(t, address)
	conn := connect(t, address)
	_, err := conn.Exec(context.Background(), "alter function vital.schema_version() owner to vital_owner")
	require.NoError(t, err)
	forget(t, conn, "functions/vital_schema_version.sql")
	require.Equal(t, []string{"functions/vital_schema_version.sql"}, up(t, address).Objects)
	var owner string
	require.NoError(t, conn.QueryRow(context.Background(),
		"select proowner::regrole::text from pg_proc where oid = 'vital.schema_version()'::regprocedure").Scan(&owner))
	require.Equal(t, "vital_definer", owner)
}
