package postgres_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/postgres"
)

// whoRan reads what pg_temp.noted wrote down.
const whoRan = "select coalesce(pg_catalog.current_setting('test.ran_as', true), '')"

// shadows are a temporary function that writes down as whom it runs, and temporary things under the names
// that our functions use without a schema.
var shadows = []string{
	`create function pg_temp.noted(anyelement) returns boolean language plpgsql as
		$$ begin perform pg_catalog.set_config('test.ran_as', pg_catalog.concat(pg_catalog.current_setting('test.ran_as', true), ' ', current_user), false); return true; end $$`,
	"create domain pg_temp.uuid as pg_catalog.uuid check (pg_temp.noted(value))",
	"create domain pg_temp.text as pg_catalog.text check (pg_temp.noted(value))",
	"create domain pg_temp.bigint as pg_catalog.int8 check (pg_temp.noted(value))",
	"create domain pg_temp.jsonb as pg_catalog.jsonb check (pg_temp.noted(value))",
	"create domain pg_temp.bytea as pg_catalog.bytea check (pg_temp.noted(value))",
	"create domain pg_temp.boolean as pg_catalog.bool check (pg_temp.noted(value))",
	"create function pg_temp.encode(bytea, text) returns text language plpgsql as $$ begin perform pg_temp.noted(1); return 'x'; end $$",
	"create function pg_temp.sha256(bytea) returns bytea language plpgsql as $$ begin perform pg_temp.noted(1); return '\\x'; end $$",
	"create function pg_temp.pg_backend_pid() returns integer language plpgsql as $$ begin perform pg_temp.noted(1); return 0; end $$",
	"create temporary table seal_keys (id text)", "create temporary table user_tenants (tenant_id uuid, user_id uuid)",
	"create temporary table agents (name text)", "create temporary table users (id uuid)",
	"create temporary view settings as select true as accept_jwt_claims",
}

// TestInTenant_TemporaryShadows: even where TEMP has been granted back, as on a platform that forbids the
// revoke, no temporary object is taken for ours, and none runs as the owner of a definer function.
func TestInTenant_TemporaryShadows(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	b.exec("grant temporary on database " + b.Name + " to public")
	// A definer function without our search path, to see that the trap below catches.
	b.exec(`create function vital.careless() returns text language plpgsql security definer set search_path = '' as
		$$ declare x uuid := '00000000-0000-0000-0000-000000000000'; begin return x::pg_catalog.text; end $$`)
	b.exec("alter function vital.careless() owner to vital_definer")
	b.exec("grant execute on function vital.careless() to authenticated")

	// The types our bodies name resolve when a function is first run on a connection, so the shadows come
	// first: nothing has run on this one but what entering takes.
	_, err := b.run(eve, append(append([]string{"set local search_path = pg_temp, pg_catalog, public"}, shadows...), "select 'made'")...)
	require.NoError(t, err)
	use := `select pg_catalog.concat(vital.user_id(), public.get_user_tenant_id(), public.is_tenant_admin(), public.is_super_admin(),
		vital.admin_tenant_id(), vital.writable_tenant_id(), array(select vital.readable_tenant_ids()), array(select vital.member_tenant_ids()),
		array(select vital.colleague_ids()), (vital.caller_context()).body, public.get_user_tenant_context(), public.get_user_tenant_context_optimized(null))`
	for _, path := range []string{"pg_temp, pg_catalog, public", "''", "pg_catalog", "pg_temp"} {
		ran, err := b.run(eve, "set local search_path = "+path, use, "insert into public.prompts (tenant_id, title) values ('"+tenantA+"', 'T')",
			"update public.tenant_configurations set limits = '{}'", whoRan)
		require.NoError(t, err, path)
		require.NotContains(t, ran[0], "vital_", path)
	}
	b.requireBob()

	ran, err := b.run(eve, "set local search_path = ''", "select vital.careless()", whoRan)
	require.NoError(t, err)
	require.Contains(t, ran[0], "vital_definer", "the trap does not catch what it is for")
}

// TestInTenant_TemporaryShadowsOfPolicies: invoker functions and policies run attacker's code at most as
// the attacker, and decide as they did.
func TestInTenant_TemporaryShadowsOfPolicies(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	b.exec("grant temporary on database " + b.Name + " to public")
	hostile := append([]string{"set local search_path = pg_temp, pg_catalog, public"}, shadows...)
	got, err := b.run(eve, append(hostile, "select name::pg_catalog.text from public.agents")...)
	require.NoError(t, err)
	require.Equal(t, []string{"agent of A"}, got)
	got, err = b.run(eve, "select id::pg_catalog.text from public.organizations")
	require.NoError(t, err)
	require.Equal(t, []string{tenantA}, got)
	b.requireBob()
	require.Equal(t, 0, one[int](b, "select count(*)::int from pg_stat_activity where usename = 'vital_api' and state like 'idle in transaction%' and datname = current_database()"))
	require.NoError(t, b.super.Ping(context.Background()))
}
