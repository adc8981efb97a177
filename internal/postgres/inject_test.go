package postgres_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
)

// TestInTenant_InjectedContext writes Bob's identity into everything that could carry one.
func TestInTenant_InjectedContext(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	payload := b.bobsPayload() + "." + strings.Repeat("0", 64)
	claims := `{"sub": "` + bobID + `", "role": "authenticated", "app_metadata": {"tenant_id": "` + tenantB + `"}}`
	for _, forged := range []string{
		"set local vital.context = '" + payload + "'", "set session vital.context = '" + payload + "'",
		"select set_config('vital.context', '" + payload + "', false)",
		"do $$ begin perform set_config('vital.context', '" + payload + "', true); end $$",
	} {
		got, err := b.run(eve, forged, readAgents)
		requireFault(t, err, fault.SealRejected, forged)
		require.Empty(t, got)
	}
	for _, ignored := range []string{
		"update pg_settings set setting = '" + payload + "' where name = 'vital.context'",
		"select set_config('request.jwt.claims', '" + claims + "', true)",
		"select set_config('request.jwt.claim.sub', '" + bobID + "', true)",
		"select set_config('vital.user_id', '" + bobID + "', true), set_config('vital.tenant_id', '" + tenantB + "', true)",
		"select set_config('request.headers', '{\"vital-tenant\": \"b\"}', true)",
	} {
		got, err := b.run(eve, ignored, readAgents)
		require.NoError(t, err, ignored)
		require.Equal(t, []string{"agent of A"}, got, ignored)
	}
	b.requireBob()
}

func TestInTenant_InjectedRole(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	for _, role := range []string{
		"service_role", "vital_definer", "vital_owner", "vital_sealer", "vital_service", "vital_test_superuser", "pg_read_all_data",
	} {
		for _, text := range []string{
			"set role " + role, "set local role " + role, "select set_config('role', '" + role + "', true)",
			"set session authorization " + role, "set local session authorization " + role,
			"update pg_settings set setting = '" + role + "' where name = 'role'",
			"reset role; set role " + role, "alter role " + role + " login",
		} {
			for _, prelude := range [][]string{{}, {"commit"}, {"rollback", "begin"}, {"reset role"}} {
				got, err := b.run(eve, append(prelude, text, "select current_user::text")...)
				if err == nil { // not every form is refused; this one has had no effect
					require.Contains(t, text, "pg_settings")
					require.Subset(t, []string{"authenticated", "vital_api"}, got, text)
				}
			}
		}
	}
	b.requireBob()
}

// TestInTenant_OtherTenantByStatement: role and identity being what they are, no form of a statement
// reaches further than another.
func TestInTenant_OtherTenantByStatement(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	for _, text := range []string{
		"select name from only public.agents", "select a.name from public.agents a tablesample system (100)",
		"select name from public.agents where tenant_id = '" + tenantB + "' or true",
		"select (x).name from (select a as x from public.agents a) y", "select unnest(array(select name from public.agents))",
		"with recursive r as (select name from public.agents union select name from r) select name from r",
		"select xmlserialize(content query_to_xml('select name from public.agents', true, false, '') as text)",
		"select xmlserialize(content table_to_xml('public.agents', true, false, '') as text)",
		"select a.name from public.agents a join lateral (select * from public.agents) b on true",
		"select name from public.agents order by (select count(*) from public.agents)", "select name from public.agents for share",
	} {
		got, err := b.run(eve, "set local plan_cache_mode = force_generic_plan", text)
		require.NoError(t, err, text)
		require.NotEmpty(t, got, text)
		require.NotContains(t, strings.Join(got, " "), "agent of B", text)
	}
	for _, text := range []string{"set row_security = off", "set local row_security to off", "select set_config('row_security', 'off', true)"} {
		_, err := b.run(eve, text, readAgents)
		require.Error(t, err, text) // "query would be affected by row-level security": an error, never rows
	}
	// A condition that raises an error with what it sees is asked about one's own rows alone.
	_, err := b.run(eve, "create function pg_temp.leak(text) returns boolean cost 0.0000001 language plpgsql as $$ begin raise notice '%', $1; return true; end $$")
	requireState(t, err, "42501")
	_, err = b.run(eve, "select name from public.agents where (name <> 'agent of B') or 1 / (length(name) - length(name)) > 0 and name <> 'agent of A'")
	require.NoError(t, err, "the policy comes before a condition that may fail")
}

// TestInTenant_ResetRole: behind the role of a request there is a login that reaches nothing.
func TestInTenant_ResetRole(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	rows, err := b.super.Query(context.Background(), `
		select oid::regclass::text from pg_class
		where relnamespace in ('public'::regnamespace, 'vital'::regnamespace, 'auth'::regnamespace) and relkind in ('r', 'p', 'v', 'm', 'S')`)
	require.NoError(t, err)
	relations, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Greater(t, len(relations), 25)
	for _, away := range [][]string{{"reset role"}, {"set role none"}, {"set session authorization default"}, {"commit"}, {"rollback"}, {"commit", "begin"}} {
		for _, relation := range relations {
			_, err := b.run(eve, append(away, "select 'row' from "+relation)...)
			requireState(t, err, "42501", away, relation)
			for _, write := range []string{"delete from " + relation, "insert into " + relation + " default values", "truncate " + relation} {
				_, err := b.run(eve, append(away, write)...)
				require.Error(t, err, write)
			}
		}
		got, err := b.run(eve, append(away, `select p.oid::regprocedure::text from pg_proc p
			where p.pronamespace in ('public'::regnamespace, 'vital'::regnamespace)
			and has_function_privilege('vital_api', p.oid, 'execute')`)...)
		require.NoError(t, err)
		require.Empty(t, got, "functions that the login itself may run")
		_, err = b.run(eve, append(away, "select vital.seal_key()::text")...)
		requireState(t, err, "42501")
		_, err = b.run(eve, append(away, "select public.get_user_tenant_context('"+bobID+"')::text")...)
		requireState(t, err, "42501")
	}
	b.requireBob()
}

func TestInTenant_CreatedObjects(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	for _, text := range []string{
		"create temporary table agents (name text)", "create temp view agents as select 1", "create temp sequence s",
		"create domain pg_temp.uuid as text", "create function pg_temp.now() returns int language sql as 'select 1'",
		"create type pg_temp.text as enum ('a')", "create table public.mine (a int)", "create table vital.mine (a int)", "create table auth.mine (a int)",
		"create view public.mine as select * from public.agents", "create function public.mine() returns int language sql as 'select 1'",
		"create function vital.mine() returns int language sql as 'select 1'", "create schema mine", "create domain public.mine as int",
		"create or replace function vital.identity() returns vital.caller language sql as 'select null'",
		"create policy mine on public.agents using (true)", "alter table public.agents disable row level security",
		"alter policy agents_select_member on public.agents using (true)", "drop policy agents_select_member on public.agents",
		"create rule mine as on select to public.agents do instead select 1", "create trigger mine after insert on public.agents execute function vital.touch_updated_at()",
		"alter role vital_api set vital.context = 'x'", "alter database postgres set row_security = off", "create role mine", "grant service_role to vital_api",
		"create extension dblink", "create extension file_fdw", "create server mine foreign data wrapper none", "create language mine",
		"create publication mine for all tables", "create event trigger mine on ddl_command_start execute function vital.touch_updated_at()",
		"security label on table public.agents is 'x'", "comment on table public.agents is 'x'", "reindex table public.agents",
		"cluster public.agents using agents_pkey", "refresh materialized view public.agents", "alter system set log_statement = 'all'",
		"load 'auto_explain'", "copy public.agents to '/tmp/agents'", "copy public.agents from program 'id'", "lock table vital.versions", "checkpoint",
	} {
		for _, prelude := range [][]string{{}, {"reset role"}, {"commit"}} {
			_, err := b.run(eve, append(prelude, text)...)
			require.Error(t, err, text)
		}
	}
	b.requireBob()
}
