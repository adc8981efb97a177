package isolation_test

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/pgtest"
)

// list returns the first column of a query about the catalog.
func list(t *testing.T, conn *pgx.Conn, text string) []string {
	t.Helper()
	rows, err := conn.Query(context.Background(), text)
	require.NoError(t, err)
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return found
}

// TestCatalog_None runs queries that name offenders. Each has a companion that must find something: a
// query whose condition matches nothing at all would prove nothing.
func TestCatalog_None(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Connect(t)
	for _, c := range []struct{ rule, offenders, subjects string }{
		{
			"row-level security is enabled and forced on every table",
			`select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
				and not (relrowsecurity and relforcerowsecurity)`,
			"select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')",
		},
		{
			"a view applies the policies of who asks",
			`select oid::regclass::text from pg_class where relnamespace in ('public'::regnamespace, 'vital'::regnamespace)
				and relkind in ('v', 'm') and (relkind = 'm' or not coalesce(reloptions @> '{security_invoker=true}', false))`,
			"select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'v'",
		},
		{
			"a policy is for named roles and one command",
			"select polname from pg_policy where 0 = any (polroles) or polcmd = '*' or not polpermissive",
			"select polname from pg_policy",
		},
		{
			"a policy says in words what may be written",
			"select polname from pg_policy where polcmd in ('a', 'w') and polwithcheck is null",
			"select polname from pg_policy where polcmd = 'w'",
		},
		{
			"TRUNCATE, REFERENCES and TRIGGER are the owner's alone",
			`select c.relname || ' to ' || a.grantee::regrole from pg_class c, aclexplode(c.relacl) a
				where c.relnamespace in ('public'::regnamespace, 'vital'::regnamespace, 'auth'::regnamespace)
				and a.privilege_type in ('TRUNCATE', 'REFERENCES', 'TRIGGER') and a.grantee <> c.relowner`,
			"select c.relname from pg_class c, aclexplode(c.relacl) a where a.privilege_type = 'TRUNCATE' and a.grantee = c.relowner",
		},
		{
			"anon, PUBLIC and the server's login have no privilege on any relation or column",
			`select relation || ': ' || grantee from (` + grants + `) g where grantee in ('-', 'anon', 'vital_api')`,
			`select relation from (` + grants + `) g where grantee = 'authenticated'`,
		},
		{
			"of schema vital, tenants reach the one view that applies their policies",
			`select relation from (` + grants + `) g where grantee = 'authenticated' and relation ~ '^(vital|auth)\.' and relation <> 'vital.tenant_settings'`,
			`select relation from (` + grants + `) g where relation = 'vital.tenant_settings'`,
		},
		{
			"only the sealer has a privilege on the seal keys",
			`select grantee from (` + grants + `) g where relation = 'vital.seal_keys' and grantee <> 'vital_sealer'`,
			"select relname from pg_class where oid = 'vital.seal_keys'::regclass and relowner = 'vital_sealer'::regrole",
		},
		{
			"whoever bypasses the policies owns functions only",
			`select oid::regclass::text from pg_class where relowner in ('vital_definer'::regrole, 'service_role'::regrole)`,
			"select proname from pg_proc where proowner = 'vital_definer'::regrole",
		},
		{
			"the logins and the roles of requests own nothing",
			`select d.classid::regclass::text from pg_shdepend d join pg_database b on b.oid = d.dbid or d.dbid = 0
				where b.datname = current_database() and d.deptype = 'o'
				and d.refobjid in ('vital_api'::regrole, 'vital_service'::regrole, 'anon'::regrole, 'authenticated'::regrole)`,
			"select d.classid::regclass::text from pg_shdepend d where d.deptype = 'o' and d.refobjid = 'vital_owner'::regrole",
		},
	} {
		require.NotEmpty(t, list(t, conn, c.subjects), "%s: the catalog has no subject of this rule", c.rule)
		require.Empty(t, list(t, conn, c.offenders), c.rule)
	}
}

// grants are the privileges on relations and columns of our schemas, by name of the grantee; '-' is PUBLIC.
const grants = `
	select c.oid::regclass::text as plain, n.nspname || '.' || c.relname as relation, a.grantee::regrole::text as grantee, a.privilege_type
	from pg_class c
	join pg_namespace n on n.oid = c.relnamespace and n.nspname in ('public', 'vital', 'auth')
	cross join lateral (
		select x.grantee, x.privilege_type from aclexplode(c.relacl) x
		union all
		select x.grantee, x.privilege_type from pg_attribute k, aclexplode(k.attacl) x where k.attrelid = c.oid
	) a`

// helper is a function of ours called once a statement, and fine in a policy in this form alone.
var (
	helper   = regexp.MustCompile(`\( SELECT (vital|public)\.[a-z_]+\(\) AS [a-z_]+\)`)
	bareCall = regexp.MustCompile(`\b(vital|public|auth)\.[a-z_]+\(|\bSELECT\b|current_setting`)
)

func TestCatalog_HelpersOncePerStatement(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Connect(t)
	_, err := conn.Exec(context.Background(), "set search_path = ''")
	require.NoError(t, err)
	expressions := list(t, conn, `
		select polname || ': ' || concat_ws(' / ', pg_catalog.pg_get_expr(polqual, polrelid), pg_catalog.pg_get_expr(polwithcheck, polrelid))
		from pg_catalog.pg_policy order by polname`)
	require.NotEmpty(t, expressions)
	wrapped := 0
	for _, expression := range expressions {
		rest := strings.ReplaceAll(helper.ReplaceAllString(expression, "?"), "( SELECT now() AS now)", "?")
		wrapped += len(helper.FindAllString(expression, -1))
		require.NotRegexp(t, bareCall, rest, "a helper outside (select f()): it would run for every row")
	}
	require.Greater(t, wrapped, len(expressions)/2)
	require.Regexp(t, bareCall, "(tenant_id = vital.writable_tenant_id())", "the pattern finds what it is for")
}

func TestCatalog_DefinerFunctions(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Connect(t)
	rows, err := conn.Query(context.Background(), `
		select n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', p.proowner::regrole::text,
			p.prosecdef, coalesce(array_to_string(p.proconfig, ';'), ''),
			coalesce((select bool_or(a.grantee = 0) from aclexplode(p.proacl) a), p.proacl is null),
			has_function_privilege('anon', p.oid, 'execute') or has_function_privilege('authenticated', p.oid, 'execute')
		from pg_proc p join pg_namespace n on n.oid = p.pronamespace
		where n.nspname in ('public', 'vital', 'auth')`)
	require.NoError(t, err)
	var function, owner, config string
	var definer, everybody, tenants bool
	definers := 0
	_, err = pgx.ForEachRow(rows, []any{&function, &owner, &definer, &config, &everybody, &tenants}, func() error {
		if owner != "vital_owner" || definer { // auth's two are as Supabase has them: invoker, for everybody
			require.False(t, everybody, "%s is executable by PUBLIC", function)
		}
		if !definer {
			require.NotContains(t, []string{"vital_definer", "vital_sealer"}, owner, "%s belongs to a definer role for nothing", function)
			return nil
		}
		require.Equal(t, "search_path=pg_catalog, pg_temp", config, function)
		if owner == "vital_owner" { // it makes and drops tables, which takes their owner
			require.False(t, tenants, "%s is a tenant's to call", function)
		} else {
			require.Contains(t, []string{"vital_definer", "vital_sealer"}, owner, function)
		}
		definers++
		return nil
	})
	require.NoError(t, err)
	require.NotZero(t, definers)
}

// TestCatalog_PublicFunctions: what PUBLIC may execute is what a role with nothing can reach.
func TestCatalog_PublicFunctions(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Connect(t)
	require.Empty(t, list(t, conn, `
		select p.oid::regprocedure::text from pg_proc p
		where p.pronamespace in ('public'::regnamespace, 'vital'::regnamespace, 'auth'::regnamespace)
		and (p.proacl is null or exists (select from aclexplode(p.proacl) a where a.grantee = 0))
		and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')`))
}

func TestCatalog_Indexes(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Connect(t)
	const leads = `exists (
		select from pg_index i
		where i.indrelid = k.relation and i.indisvalid and i.indpred is null
		and (select array_agg(x.n order by x.o) from unnest(i.indkey::int2[]) with ordinality x(n, o) where x.o <= cardinality(k.columns))
			@> k.columns)`
	const foreign = `(select conrelid, conkey, conname::text from pg_constraint where contype = 'f'
		and connamespace = 'public'::regnamespace and conparentid = 0) k(relation, columns, name)`
	require.NotEmpty(t, list(t, conn, "select name from "+foreign))
	require.Empty(t, list(t, conn, "select name from "+foreign+" where not "+leads), "a foreign key without an index that begins with it")

	const deciding = `(select c.oid, array[a.attnum], c.relname || '.' || a.attname
		from pg_class c join pg_attribute a on a.attrelid = c.oid
		where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
		and (a.attname in ('tenant_id', 'organization_id') or a.attname = 'id' and c.relname in ('organizations', 'users', 'profiles'))
	) k(relation, columns, name)`
	require.NotEmpty(t, list(t, conn, "select name from "+deciding))
	require.Empty(t, list(t, conn, "select name from "+deciding+" where not "+leads), "a policy's column without an index that begins with it")
}
