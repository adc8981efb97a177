package schema_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/schema"
)

// next is a migrator with one more migration than this binary has.
func next(t *testing.T, config schema.Config, text string) *schema.Migrator {
	t.Helper()
	migrations := copyFS(t, database.Migrations)
	migrations[fmt.Sprintf("migrations/%04d_next.sql", len(migrations)+1)] = &fstest.MapFile{Data: []byte("-- +goose Up\n-- +goose StatementBegin\n" + text + "\n-- +goose StatementEnd\n")}
	m, err := schema.NewMigratorFrom(config, migrations, nil)
	require.NoError(t, err)
	return m
}

// large makes the planner believe that agents and tools have a million rows.
const large = "update pg_class set reltuples = 1000000 where oid in ('public.agents'::regclass, 'public.tools'::regclass)"

// TestUp_Lint: each kind of SQL that harms a running database is refused, by name and line, and changes nothing.
func TestUp_Lint(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	conn := d.Connect(t)
	execute(t, conn, large)
	const closed = "alter table public.fresh enable row level security; alter table public.fresh force row level security; create policy fresh_select on public.fresh using (tenant_id = (select public.get_user_tenant_id()));"
	for _, c := range []struct{ sql, lint string }{
		{"create index late on public.agents (name);", "index_not_concurrent"},
		{"alter table public.agents add column mood text not null;", "not_null_without_default"},
		{"alter table public.agents alter column description set not null;", "not_null_scans"},
		{"alter table public.agents alter column name type varchar(80);", "type_change_rewrites"},
		{"alter table public.agents add column token uuid default gen_random_uuid();", "default_rewrites"},
		{"alter table public.agents add constraint short check (length(name) < 80);", "constraint_scans"},
		{"alter table public.agents drop column model;", "dropped_in_use"},
		{"drop table public.tools cascade;", "dropped_in_use"},
		{"alter table public.agents rename column name to title;", "renamed_in_use"},
		{"alter table public.agents rename to helpers;", "renamed_in_use"},
		{"create table public.fresh (tenant_id uuid, id uuid, primary key (tenant_id, id));", "table_without_row_security"},
		{"create table public.fresh (tenant_id uuid primary key); alter table public.fresh enable row level security; alter table public.fresh force row level security;", "table_without_policy"},
		{"create table public.fresh (tenant_id uuid, id uuid primary key);" + closed, "tenant_column_without_index"},
		{"create policy more on public.agents using (tenant_id = get_user_tenant_id());", "policy_calls_for_each_row"},
		{"create function public.f() returns int language sql security definer return 1;", "definer_without_search_path"},
		{"grant select on public.agents to public;", "granted_to_public"},
		{"set local lock_timeout = 0;", "lock_without_timeout"},
		{"alter table public.agents no force row level security;", "row_security_off"},
		{"create table public.fresh as select * from public.agents;", "table_without_row_security"},
		{"truncate public.agents;", "dropped_in_use"},
		{"reset role;", "role_changed"},
		{"commit;", "transaction_ended"},
		{"create tabel public.x ();", "unreadable"},
	} {
		m := next(t, schema.Config{DatabaseURL: d.URL}, c.sql)
		plan, err := m.Plan(context.Background())
		require.NoError(t, err)
		require.Len(t, plan.Problems, 1, c.sql)
		require.Equal(t, c.lint, plan.Problems[0].Lint, c.sql)
		require.NotEmpty(t, plan.Problems[0].Hint, c.sql)
		if c.lint != "unreadable" {
			require.Equal(t, 3, plan.Problems[0].Line, c.sql)
		}
	}
	before := dump(t, d.URL)
	_, err := next(t, schema.Config{DatabaseURL: d.URL}, "select 1;\ncreate index late on public.agents (name);").Up(context.Background())
	require.Equal(t, fault.MigrationRefused, fault.CodeOf(err))
	require.Contains(t, fault.From(err).Detail, "_next.sql:4: index_not_concurrent: public.agents has 1000000 rows")
	require.Equal(t, before, dump(t, d.URL))

	for _, sound := range []string{
		"-- lint: allow index_not_concurrent\ncreate index late on public.agents (name);",
		"-- lint: allow table_without_row_security\ncreate table public.fresh (id uuid primary key);",
		"create index small on public.prompts (title);",
		"alter table public.agents add column mood text not null default 'calm';",
		"alter table public.agents add constraint short check (length(name) < 80) not valid;",
		"create table public.fresh (tenant_id uuid, id uuid, primary key (tenant_id, id));" + closed,
		"create table public.fresh (tenant_id uuid, id uuid primary key); create index on public.fresh (tenant_id, id);" + closed,
		"create policy more on public.agents using (tenant_id = (select get_user_tenant_id()));",
		"create function public.f() returns int language sql security definer set search_path = pg_catalog, pg_temp return 1;",
		"grant select on public.agents to service_role;",
	} {
		plan, err := next(t, schema.Config{DatabaseURL: d.URL}, sound).Plan(context.Background())
		require.NoError(t, err)
		require.Empty(t, plan.Problems, sound)
	}
}

// TestUp_OwnMigrationsLint: nothing that this binary would do to an older database of ours is refused.
func TestUp_OwnMigrationsLint(t *testing.T) {
	t.Parallel()
	address := freshDatabase(t)
	few := copyFS(t, database.Migrations)
	for name := range few {
		if name > "migrations/0010" {
			delete(few, name)
		}
	}
	m, err := schema.NewMigratorFrom(schema.Config{DatabaseURL: address}, few, fstest.MapFS{})
	require.NoError(t, err)
	_, err = m.Up(context.Background())
	require.NoError(t, err)
	conn := connect(t, address)
	execute(t, conn, large)
	p, err := schema.Problems(context.Background(), migrator(t, address), conn)
	require.NoError(t, err)
	require.Empty(t, p)
}

// TestUp_Checks: what stands in the way ends a migration before it, and what it has come to before it is committed.
func TestUp_Checks(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	before := dump(t, d.URL)
	_, err := next(t, schema.Config{DatabaseURL: d.URL}, "alter table public.agents alter column name drop not null;").Up(context.Background())
	require.Equal(t, fault.MigrationRefused, fault.CodeOf(err))
	require.Contains(t, fault.From(err).Detail, "schema_validation: Schema issues: 1 (agents.name: Nullable mismatch: must not allow null)")
	require.Equal(t, before, dump(t, d.URL), "nothing was kept")

	objects := copyFS(t, database.Objects)
	objects["objects/functions/pre_migration_check.sql"] = &fstest.MapFile{Data: []byte(`create or replace function public.pre_migration_check() returns table (check_type text, status text, message text)
		language sql set search_path = pg_catalog, pg_temp as $$ values ('weather', 'FAIL', 'It rains.') $$`)}
	m, err := schema.NewMigratorFrom(schema.Config{DatabaseURL: d.URL, Backup: func(context.Context) error { return errors.New("must not be made") }}, nil, objects)
	require.NoError(t, err)
	_, err = m.Up(context.Background())
	require.Equal(t, fault.MigrationRefused, fault.CodeOf(err))
	require.Contains(t, fault.From(err).Detail, "weather: It rains.")
	require.Equal(t, before, dump(t, d.URL))

	failing := next(t, schema.Config{DatabaseURL: d.URL, Backup: func(context.Context) error { return errors.New("no room") }}, "create table vital.later (id uuid);")
	_, err = failing.Up(context.Background())
	require.ErrorContains(t, err, "no room")
	require.Equal(t, before, dump(t, d.URL), "nothing is changed without a backup")
}

// TestPreMigrationCheck names each check, and who may ask.
func TestPreMigrationCheck(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	conn, other := d.Connect(t), d.Connect(t)
	checks := func() map[string]string {
		found := map[string]string{}
		for _, line := range column[string](t, conn, "select check_type || '|' || status || ' ' || message from pre_migration_check()") {
			name, rest, _ := strings.Cut(line, "|")
			found[name] = rest
		}
		return found
	}
	calm := checks()
	require.Len(t, calm, 10)
	require.Equal(t, "OK Locked tables: none", calm["table_locks"])
	require.Regexp(t, `^OK Active sessions: \d+$`, calm["active_sessions"])
	require.Contains(t, calm["data_volume"], "INFO Agents: ")
	execute(t, other, "begin; lock table public.agents in exclusive mode")
	execute(t, other, "alter table public.prompts add constraint later check (title <> 'x') not valid")
	busy := checks()
	require.Equal(t, "WARNING Locked tables: agents, prompts", busy["table_locks"])
	execute(t, other, "commit")
	require.Equal(t, "WARNING Constraints not validated: later on public.prompts", strings.ReplaceAll(checks()["unvalidated_constraints"], " on prompts", " on public.prompts"))

	for _, line := range column[string](t, conn, "select check_type || ' ' || status from post_migration_check()") {
		require.Contains(t, []string{"tenant_id_columns OK", "rls_policies OK", "schema_validation OK", "invalid_indexes OK"}, line)
	}
	execute(t, conn, "set role authenticated")
	_, err := conn.Exec(context.Background(), "select from post_migration_check()")
	requireState(t, err, "VT110")
	_, err = conn.Exec(context.Background(), "select from pre_migration_check()")
	requireState(t, err, "42501")
}

// killed names the database that TestUp_KilledChild migrates until it is killed.
const killed = "VITAL_TEST_KILLED"

// TestUp_KilledChild is no test by itself: it is what TestUp_Killed kills.
func TestUp_KilledChild(t *testing.T) { //nolint:paralleltest // another process
	address := os.Getenv(killed)
	if address == "" {
		t.Skip("what TestUp_Killed runs")
	}
	_, err := next(t, schema.Config{DatabaseURL: address}, "create table vital.half (id uuid); update public.organizations set name = 'half'; select pg_sleep(3);").Up(context.Background())
	t.Log(err)
}

// TestUp_Killed: a process that is killed in the midst of a migration leaves the database as it was, and the next one migrates it.
func TestUp_Killed(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	conn := d.Connect(t)
	before, names := dump(t, d.URL), column[string](t, conn, "select name from organizations")
	child := exec.Command(os.Args[0], "-test.run=^TestUp_KilledChild$")
	child.Env = append(os.Environ(), killed+"="+d.URL)
	require.NoError(t, child.Start())
	sleeping := func() bool {
		return one[bool](t, conn, "select exists (select from pg_stat_activity where datname = current_database() and query like '%pg_sleep(3)%' and pid <> pg_backend_pid())")
	}
	require.Eventually(t, sleeping, time.Minute, 20*time.Millisecond, "it never came to the migration")
	require.NoError(t, child.Process.Kill())
	_ = child.Wait()
	require.Eventually(t, func() bool { return !sleeping() }, time.Minute, 50*time.Millisecond)
	require.Equal(t, before, dump(t, d.URL))
	require.Equal(t, names, column[string](t, conn, "select name from organizations"))
	_, err := next(t, schema.Config{DatabaseURL: d.URL}, "create table vital.whole (id uuid);").Up(context.Background())
	require.NoError(t, err)
}

// TestBackups: made, whole, restored in the place of what was damaged since; a spoilt one changes nothing.
func TestBackups(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	address := emptyDatabase(t, ownServer(t))
	up(t, address)
	execute(t, connect(t, address), "insert into public.tool_categories (tenant_id, name, slug) select '00000000-0000-0000-0000-000000000001', 'N', 'c' || n from generate_series(1, 500) n")
	backups := schema.Backups{DatabaseURL: address, Dir: filepath.Join(t.TempDir(), "backups"), Keep: 2, Log: discard}
	made, err := backups.Make(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 500, made.Tables["public.tool_categories"])
	require.Equal(t, schema.LatestVersion(), made.Version)
	info, err := os.Stat(made.File)
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())

	before := dump(t, address)
	conn := connect(t, address)
	name := one[string](t, conn, "select current_database()::text")
	execute(t, conn, "revoke connect on database "+name+" from public; alter database "+name+" set search_path to public, vital")
	execute(t, conn, "drop table public.tools cascade; delete from public.tool_categories")
	backups.Carry = func(_ context.Context, former, restored string) error {
		of, into := connect(t, former), connect(t, restored)
		require.Zero(t, one[int](t, of, "select count(*)::int from public.tool_categories"), "what is to be replaced")
		require.Equal(t, 500, one[int](t, into, "select count(*)::int from public.tool_categories"), "what is to take its place")
		execute(t, into, "create table public.carried ()")
		return errors.Join(of.Close(ctx), into.Close(ctx))
	}
	kept, err := backups.Restore(ctx, made)
	require.NoError(t, err)
	_, err = conn.Exec(ctx, "select 1")
	require.Error(t, err, "sessions of the database that was there are ended")
	restored := connect(t, address)
	execute(t, restored, "drop table public.carried")
	backups.Carry = nil
	require.Equal(t, 500, one[int](t, restored, "select count(*)::int from public.tool_categories"))
	require.Equal(t, before, dump(t, address))
	require.False(t, one[bool](t, restored, "select datallowconn from pg_database where datname = $1", kept), "what was there is kept, closed")
	require.False(t, one[bool](t, restored, "select has_database_privilege('anon', current_database(), 'temporary')"), "as closed as before")
	require.False(t, one[bool](t, restored, "select has_database_privilege('anon', current_database(), 'connect')"), "the same")
	require.Equal(t, "public, vital", one[string](t, restored, "select current_setting('search_path')"))
	require.NoError(t, restored.Close(ctx))

	// Spoilt, or of another database: nothing is changed, and nothing left behind.
	content, err := os.ReadFile(made.File)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(made.File, content[:len(content)/2], 0o600))
	_, err = backups.Restore(ctx, made)
	require.Equal(t, fault.BackupFailed, fault.CodeOf(err))
	other := made
	other.Database = "another"
	_, err = backups.Restore(ctx, other)
	require.Equal(t, fault.BackupFailed, fault.CodeOf(err))
	other = made
	other.Server = "1"
	_, err = backups.Restore(ctx, other)
	require.ErrorContains(t, err, "on another server")
	again := connect(t, address)
	require.Equal(t, before, dump(t, address))
	require.Zero(t, one[int](t, again, "select count(*)::int from pg_database where datname like 'vital_restore%'"))
	_, err = schema.ReadBackup(filepath.Join(t.TempDir(), "none.dump"))
	require.Equal(t, fault.BackupFailed, fault.CodeOf(err))

	// The newest are kept.
	for range 2 {
		time.Sleep(1100 * time.Millisecond) // they are named by the second
		_, err = backups.Make(ctx)
		require.NoError(t, err)
	}
	all, err := backups.List()
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.NoFileExists(t, made.File)
}

func TestBackups_Room(t *testing.T) {
	t.Parallel()
	require.NoError(t, schema.RequireRoom(t.TempDir(), 1))
	err := schema.RequireRoom(t.TempDir(), 1<<60)
	require.Equal(t, fault.BackupFailed, fault.CodeOf(err))
	require.Contains(t, fault.From(err).Message, "there is room for")
}

// TestTry: on a copy, with and without rows; the database is not touched.
func TestTry(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	address := emptyDatabase(t, ownServer(t))
	up(t, address)
	before := dump(t, address)
	backups := schema.Backups{DatabaseURL: address, Dir: t.TempDir(), Log: discard}
	for _, data := range []bool{false, true} {
		require.NoError(t, backups.Shadow(ctx, data, func(copied string) error {
			conn := connect(t, copied)
			rows := map[bool]int{true: 1}[data]
			require.Equal(t, rows, one[int](t, conn, "select count(*)::int from public.organizations"))
			try, err := next(t, schema.Config{DatabaseURL: copied}, "alter table public.agents add column mood text; create table vital.later (id uuid);").Try(ctx)
			require.NoError(t, err)
			require.Positive(t, try.Seconds)
			require.Equal(t, []schema.Lock{{Table: "public.agents", Mode: "AccessExclusiveLock"}}, try.Locks)
			require.Equal(t, "readers and writers", try.Locks[0].Blocks())
			require.NoError(t, conn.Close(ctx))
			return nil
		}))
	}
	require.Equal(t, before, dump(t, address))
}
