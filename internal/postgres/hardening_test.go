package postgres_test

import (
	"context"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/postgres"
)

// TestHardening_RevokedFromPublic asks the catalog for every function that lets one tenant's SQL see,
// disturb or outlive another's: nobody but those who need it may run it.
func TestHardening_RevokedFromPublic(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	b.exec("create extension dblink; create extension pg_stat_statements")
	b.exec("grant temporary on database " + b.Name + " to public")
	open := b.reachable() // as PostgreSQL has it: that is what the next step is for
	require.Contains(t, open, "vital_api TEMPORARY")
	require.Contains(t, open, "anon dblink_exec(text,text)")
	require.Contains(t, open, "authenticated pg_stat_statements(boolean)")
	_, err := b.super.Exec(context.Background(), database.Roles) // as the migrator runs it
	require.NoError(t, err)
	require.Empty(t, b.reachable())
}

// reachable lists the dangerous functions and views that a request's role or the login itself can use.
func (b *bundle) reachable() []string {
	b.t.Helper()
	rows, err := b.super.Query(context.Background(), `
		select r.rolname || ' ' || p.oid::regprocedure
		from pg_proc p
		left join pg_depend d on d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
		left join pg_extension e on d.refclassid = 'pg_extension'::regclass and e.oid = d.refobjid
		cross join pg_roles r
		where r.rolname in ('anon', 'authenticated', 'vital_api')
		and (e.extname in ('dblink', 'pg_stat_statements')
			or p.pronamespace = 'pg_catalog'::regnamespace and p.proname ~ '^(lo_|pg_advisory_|pg_try_advisory_|pg_stat_get_|(loread|lowrite|pg_lock_status|pg_relation_size|pg_database_size|pg_current_wal_lsn|pg_xact_commit_timestamp|pg_xact_commit_timestamp_origin|pg_last_committed_xact|pg_terminate_backend|pg_cancel_backend|pg_prepared_statement)$)')
		and has_function_privilege(r.oid, p.oid, 'execute')
		union all
		select rolname || ' TEMPORARY' from pg_roles
		where rolname in ('anon', 'authenticated', 'vital_api') and has_database_privilege(oid, current_database(), 'temporary')`)
	require.NoError(b.t, err)
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(b.t, err)
	return found
}

// TestHardening_Denied tries each for real, in a request and as the bare login.
func TestHardening_Denied(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	b.exec("create extension dblink; create extension pg_stat_statements")
	_, err := b.super.Exec(context.Background(), database.Roles)
	require.NoError(t, err)
	pid := one[string](b, "select pg_backend_pid()::text")
	for _, text := range []string{
		"create temporary table t (n int)", "select 1 as n into temporary t",
		"select lo_creat(-1)::text", "select lo_from_bytea(0, 'x')::text", "select lo_create(0)::text", "select lo_import('/etc/passwd')::text",
		"select lo_get(1)::text", "select lo_put(1, 0, 'x')", "select lo_unlink(1)::text", "select lo_open(1, 1)::text", "select loread(0, 1)::text", "select lowrite(0, 'x')::text",
		"select pg_advisory_lock(1)", "select pg_try_advisory_lock(1)::text", "select pg_advisory_xact_lock(1)", "select pg_advisory_unlock(1)::text",
		"select query from pg_stat_get_activity(null)", "select query from pg_stat_activity", "select count(*)::text from pg_stat_replication",
		"select pg_stat_get_backend_activity(n) from pg_stat_get_backend_idset() n", "select pg_stat_get_backend_pid(1)::text", "select pg_stat_get_backend_userid(1)::text",
		"select n_live_tup from pg_stat_user_tables", "select count(*) from pg_locks", "select pg_stat_get_live_tuples('public.agents'::regclass)",
		"select pg_relation_size('public.agents'::regclass)", "select pg_total_relation_size('public.agents'::regclass)", "select pg_database_size(current_database())", "select pg_current_wal_lsn()",
		"select pg_xact_commit_timestamp('3')::text", "select * from pg_xact_commit_timestamp_origin('3')", "select * from pg_last_committed_xact()",
		"select pg_terminate_backend(" + pid + ")::text", "select pg_cancel_backend(" + pid + ")::text",
		"select name from pg_prepared_statement()", "select name from pg_prepared_statements",
		"select query from public.pg_stat_statements", "select query from public.pg_stat_statements(true)", "select public.pg_stat_statements_reset()::text",
		"select public.dblink_connect('host=127.0.0.1')", "select * from public.dblink('host=127.0.0.1', 'select ''x''') as t(n text)", "select public.dblink_exec('x', 'select 1')",
	} {
		for _, prelude := range [][]string{{}, {"reset role"}, {"commit"}} {
			_, err := b.run(eve, append(slices.Clone(prelude), text)...)
			requireState(t, err, "42501", text, prelude)
		}
	}
	b.requireBob()
}

// TestHardening_Needed: the roles that need one of these still have it.
func TestHardening_Needed(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	err := b.db.AsService(context.Background(), "Test", func(tx pgx.Tx) error {
		_, err := tx.Exec(context.Background(), "select pg_advisory_xact_lock(1), count(*) from pg_stat_activity")
		return err
	})
	require.NoError(t, err)
}

// TestHardening_Login: nothing is set for the server's login or its database, which would be in force
// before the first statement.
func TestHardening_Login(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	require.Equal(t, 0, one[int](b, "select count(*)::int from pg_db_role_setting s join pg_roles r on r.oid = s.setrole where r.rolname like 'vital\\_%' and r.rolname not like '%test%'"))
	require.Equal(t, []string{"anon", "authenticated"}, one[[]string](b, `
		select array_agg(g.rolname::text order by 1) from pg_auth_members m join pg_roles g on g.oid = m.roleid join pg_roles r on r.oid = m.member where r.rolname = 'vital_api'`))
	require.Equal(t, []string{"service_role"}, one[[]string](b, `
		select array_agg(g.rolname::text order by 1) from pg_auth_members m join pg_roles g on g.oid = m.roleid join pg_roles r on r.oid = m.member where r.rolname = 'vital_service'`))
	require.Equal(t, 0, one[int](b, `
		select count(*)::int from pg_roles r where rolname in ('anon', 'authenticated', 'vital_api', 'vital_sealer', 'vital_owner', 'vital_service')
		and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication or rolinherit)`))
}
