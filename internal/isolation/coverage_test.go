package isolation_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/pgtest"
)

// readMatrix reads the matrix of a database as its operator.
func readMatrix(t *testing.T, d *pgtest.Database, schemas, roles []string) *isolation.Matrix {
	t.Helper()
	m, err := isolation.ReadMatrix(context.Background(), d.Connect(t), schemas, roles)
	require.NoError(t, err)
	return m
}

// find returns the one cell of object, role and command.
func find(t *testing.T, m *isolation.Matrix, object, role, command string) isolation.Cell {
	t.Helper()
	var found []isolation.Cell
	for _, c := range m.Cells {
		if c.Object == object && c.Role == role && c.Command == command {
			found = append(found, c)
		}
	}
	require.Len(t, found, 1, "%s %s %s", object, role, command)
	return found[0]
}

// told is a cell in one line: access, reason, columns, and policies with a ! before restrictive ones.
func told(c isolation.Cell) string {
	text := string(c.Access) + ": " + c.Reason
	if c.Columns != nil {
		text += fmt.Sprintf(" (%s)", strings.Join(c.Columns, " "))
	}
	for _, p := range c.Policies {
		text += " " + map[bool]string{false: "!"}[p.Permissive] + p.Name
	}
	return text
}

func TestReadMatrix_Own(t *testing.T) {
	t.Parallel()
	m := readMatrix(t, pgtest.New(t), nil, nil)
	for _, c := range []struct{ object, role, command, want string }{
		{"public.agents", "anon", "select", "denied: no privilege"},
		{"public.agents", "authenticated", "select", "row-filtered: row-level security agents_select_member"},
		{"public.agents", "authenticated", "insert", "row-filtered: row-level security agents_insert_member"},
		{"public.agents", "authenticated", "truncate", "denied: no privilege"},
		{"public.agents", "service_role", "delete", "allowed: BYPASSRLS"},
		{"public.agents", "service_role", "trigger", "denied: no privilege"},
		{"public.agents", "vital_owner", "select", "denied: no policy for this role and command"},
		{"public.agents", "vital_owner", "truncate", "allowed: privilege"},
		{"public.agents", "vital_api", "select", "denied: no privilege"},
		{"public.profiles", "authenticated", "update", "row-filtered: row-level security (full_name avatar_url preferences) profiles_update_self"},
		{"public.query_performance_log", "authenticated", "insert", "row-filtered: row-level security of what the view reads query_performance_insert_member"},
		{"public.query_performance_log", "authenticated", "update", "denied: no privilege"},
		{"vital.seal_keys", "service_role", "select", "denied: no privilege"},
		{"vital.seal_keys", "vital_sealer", "select", "allowed: row-level security is off"},
		{"public.create_tenant(text, text, text, text, uuid, text, uuid, public.org_lifecycle_state, text)", "anon", "execute", "denied: no privilege"},
		{"public.rls_matrix(text[], text[])", "authenticated", "execute", "allowed: privilege"},
		{"vital.rls_matrix(text[], text[])", "authenticated", "execute", "denied: no privilege"},
		{"auth.uid()", "PUBLIC", "execute", "denied: no USAGE on the schema"},
		{"vital.migrations_id_seq", "authenticated", "usage", "denied: no privilege"},
		{"vital", "authenticated", "create", "denied: no privilege"},
	} {
		require.Equal(t, c.want, told(find(t, m, c.object, c.role, c.command)), "%s %s %s", c.object, c.role, c.command)
	}
	invitations := find(t, m, "public.invitations", "authenticated", "select")
	require.Contains(t, invitations.Columns, "email")
	require.NotContains(t, invitations.Columns, "token_hash")
	update := find(t, m, "public.agents", "authenticated", "update")
	require.Equal(t, "forced", update.RowSecurity)
	require.Contains(t, update.Policies[0].Using, "vital.writable_tenant_id()")
	require.Contains(t, update.Policies[0].Check, "vital.writable_tenant_id()")
	require.Empty(t, find(t, m, "public.agents", "authenticated", "insert").Policies[0].Using)
	definer := find(t, m, "public.rls_matrix(text[], text[])", "anon", "execute")
	require.Equal(t, []string{"definer", "vital_definer", "stable"}, []string{definer.RunsAs, definer.Owner, definer.Volatility})
	require.Equal(t, "invoker", find(t, m, "public.tenant_full_config", "anon", "select").RunsAs)

	var roles []string
	for _, role := range m.Roles {
		roles = append(roles, role.Name)
	}
	require.Equal(t, []string{"anon", "authenticated", "service_role", "vital_api", "vital_service", "vital_owner", "vital_definer", "vital_sealer"}, roles[:8])
	require.Contains(t, roles, isolation.Public)
	require.Equal(t, isolation.Role{Name: "vital_api", Login: true, MemberOf: []string{"anon", "authenticated"}}, m.Roles[3])
}

// TestReadMatrix_Figures compares the figures with what the catalog says by itself.
func TestReadMatrix_Figures(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	f := readMatrix(t, d, nil, nil).Figures
	number := func(text string) (n int) {
		require.NoError(t, d.Connect(t).QueryRow(context.Background(), text).Scan(&n))
		return n
	}
	public := f.Schemas[0]
	require.Equal(t, "public", public.Schema)
	require.Equal(t, number("select count(*) from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"), public.Tables)
	require.Equal(t, []int{public.Tables, public.Tables, public.Tables}, []int{public.RowSecurity, public.Forced, public.Decided})
	require.Zero(t, public.Unfiltered)
	require.Equal(t, number("select count(*) from pg_policies where schemaname = 'public'"), public.Policies)
	require.Equal(t, number("select count(*) from pg_policies where schemaname = 'public' and cmd = 'SELECT'"), public.ByCommand["select"])
	require.Equal(t, number("select count(*) from pg_proc where pronamespace = 'public'::regnamespace and prosecdef"), public.Definer)
	require.Equal(t, &isolation.Assessment{Policies: public.Policies, PoliciesWanted: 30, Tables: public.Tables, TablesWanted: 20}, f.Assessment)
	require.Equal(t, isolation.RoleFigures{Role: "anon", Functions: f.Roles[0].Functions}, f.Roles[0], "anon reaches no relation")
	require.Equal(t, f.Roles[1].Relations, f.Roles[1].RowFiltered, "authenticated reaches nothing past a filter")

	d.Exec(t, "drop policy agents_delete_member on public.agents; alter table public.tools no force row level security; alter table public.prompts disable row level security")
	f = readMatrix(t, d, []string{"public"}, nil).Figures
	require.Equal(t, []int{public.Tables - 1, public.Tables - 2, public.Tables - 2, 1},
		[]int{f.Total.RowSecurity, f.Total.Forced, f.Total.Decided, f.Total.Unfiltered})
}

// TestReadMatrix_Function: the database function answers as the query run from here.
func TestReadMatrix_Function(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	m := readMatrix(t, d, []string{"public", "vital"}, []string{"authenticated", "PUBLIC"})
	conn := d.Connect(t)
	for _, function := range []string{"vital", "public"} {
		var text string
		require.NoError(t, conn.QueryRow(context.Background(), "select json_agg(m) from "+function+".rls_matrix('{public,vital}', '{authenticated,PUBLIC}') m").Scan(&text))
		var cells []isolation.Cell
		require.NoError(t, json.Unmarshal([]byte(text), &cells))
		require.Equal(t, m.Cells, cells)
	}
	for _, call := range []string{"'{nowhere}'", "null, '{nobody}'"} {
		_, err := conn.Exec(context.Background(), "select public.rls_matrix("+call+")")
		var refused *pgconn.PgError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, "VT202", refused.Code)
	}
}

// TestReadMatrix_AnyLogin: the catalog is everybody's, so a login without any privilege reads the same.
func TestReadMatrix_AnyLogin(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, "revoke all on schema vital from vital_api; revoke all on schema public from public")
	got, err := isolation.ReadMatrix(context.Background(), d.ConnectAPI(t), nil, nil)
	require.NoError(t, err)
	require.Equal(t, readMatrix(t, d, nil, nil), got)
}

func TestReadMatrix_UnknownNames(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Connect(t)
	_, err := isolation.ReadMatrix(context.Background(), conn, []string{"public", "no'where"}, []string{"nobody"})
	require.Equal(t, fault.NotFound, fault.From(err).Code)
	require.Contains(t, err.Error(), `schema "no'where" and no role nobody`)
}

// stranger is a database that knows nothing of VITAL, and has of everything one; its roles are the cluster's.
const stranger = `
create role matrix_owner; create role matrix_reader; create role matrix_heir in role matrix_reader;
create role matrix_stiff noinherit in role matrix_reader; create role matrix_bystander; create role matrix_bypass bypassrls;
create schema shop authorization matrix_owner;
create schema "Odd ""one.two" authorization matrix_owner;
set role matrix_owner;
grant usage on schema shop to matrix_reader, matrix_bypass;
create table "Odd ""one.two".t (id int);
create table shop.plain (id int primary key, secret text);
create table shop.filtered (id int, tenant int);
alter table shop.filtered enable row level security;
create policy everybody on shop.filtered using (tenant = 1);
create policy narrow on shop.filtered as restrictive for select to matrix_reader using (id > 0);
create table shop.closed (id int);
alter table shop.closed enable row level security, force row level security;
create policy narrow on shop.closed as restrictive for select using (true);
create table shop.parted (id int) partition by list (id);
create table shop.part partition of shop.parted for values in (1);
alter table shop.parted enable row level security;
create policy nobody on shop.parted for select to matrix_owner using (true);
create view shop.leak as select * from shop.filtered;
create view shop.honest with (security_invoker = on) as select * from shop.filtered;
create view shop.through as select * from shop.honest;
create view shop.part_of as select id from shop.plain;
create view shop.honest_ids with (security_invoker = true) as select id from shop.plain;
create view shop.honest_secrets with (security_invoker = true) as select secret from shop.plain;
create view shop.shut with (security_invoker) as select * from shop.closed;
create view shop.total as select count(*) from shop.plain;
create materialized view shop.kept as select * from shop.filtered;
create sequence shop.numbers;
create function shop.open() returns int language sql as 'select 1';
create procedure shop.work() language sql security definer as 'select 1';
revoke execute on procedure shop.work() from public;
create aggregate shop.adds(int) (sfunc = int4pl, stype = int);
grant select (id), update (secret) on shop.plain to matrix_reader;
grant select, insert, delete on shop.filtered to matrix_reader, matrix_bypass;
grant select on shop.closed, shop.parted, shop.part, shop.leak, shop.honest, shop.through, shop.part_of, shop.honest_ids, shop.honest_secrets, shop.shut, shop.kept to matrix_reader;
grant insert, update on shop.leak, shop.total to matrix_reader;
grant select on shop.total to public;
grant usage on sequence shop.numbers to matrix_reader;
grant select on shop.filtered to matrix_bystander;
reset role`

const noStranger = `
drop schema shop, "Odd ""one.two" cascade;
drop role matrix_heir, matrix_stiff, matrix_reader, matrix_bystander, matrix_bypass, matrix_owner`

// strangeCells are what the matrix must say of it.
var strangeCells = []struct{ object, role, command, want string }{
	{"shop.plain", "matrix_reader", "select", "allowed: row-level security is off (id)"},
	{"shop.plain", "matrix_reader", "update", "allowed: row-level security is off (secret)"},
	{"shop.plain", "matrix_reader", "insert", "denied: no privilege"},
	{"shop.plain", "matrix_heir", "select", "allowed: row-level security is off (id)"},
	{"shop.plain", "matrix_owner", "truncate", "allowed: privilege"},
	{"shop.filtered", "matrix_reader", "select", "row-filtered: row-level security everybody !narrow"},
	{"shop.filtered", "matrix_heir", "select", "row-filtered: row-level security everybody !narrow"},
	{"shop.filtered", "matrix_heir", "insert", "row-filtered: row-level security everybody"},
	{"shop.filtered", "matrix_reader", "update", "denied: no privilege"},
	{"shop.filtered", "matrix_owner", "select", "allowed: owner, and row-level security is not forced"},
	{"shop.filtered", "matrix_bypass", "select", "allowed: BYPASSRLS"},
	{"shop.filtered", "matrix_bystander", "select", "denied: no USAGE on the schema"},
	{"shop.closed", "matrix_reader", "select", "denied: no policy for this role and command !narrow"},
	{"shop.closed", "matrix_owner", "delete", "denied: no policy for this role and command"},
	{"shop.parted", "matrix_reader", "select", "denied: no policy for this role and command"},
	{"shop.part", "matrix_reader", "select", "allowed: row-level security is off"},
	{"shop.leak", "matrix_reader", "select", "allowed: the view reads with the rights of its owner"},
	{"shop.leak", "matrix_reader", "insert", "allowed: the view reads with the rights of its owner"},
	{"shop.honest", "matrix_reader", "select", "row-filtered: row-level security of what the view reads everybody !narrow"},
	{"shop.through", "matrix_reader", "select", "row-filtered: row-level security of what the view reads everybody !narrow"},
	{"shop.part_of", "matrix_reader", "select", "allowed: the view reads with the rights of its owner"},
	{"shop.honest_ids", "matrix_reader", "select", "allowed: no row-level security applies to the role in what the view reads"},
	{"shop.honest_secrets", "matrix_reader", "select", "denied: matrix_reader needs select on shop.plain"},
	{"shop.shut", "matrix_reader", "select", "denied: no policy for this role and command !narrow"},
	{"shop.total", "matrix_reader", "update", "denied: the view does not take it"},
	{"shop.total", "PUBLIC", "select", "denied: no USAGE on the schema"},
	{"shop.kept", "matrix_reader", "select", "allowed: row-level security does not reach a materialized view"},
	{"shop.numbers", "matrix_reader", "usage", "allowed: privilege"},
	{"shop.numbers", "matrix_reader", "update", "denied: no privilege"},
	{"shop.open()", "matrix_reader", "execute", "allowed: privilege"},
	{"shop.open()", "matrix_bystander", "execute", "denied: no USAGE on the schema"},
	{"shop.work()", "matrix_reader", "execute", "denied: no privilege"},
	{"shop.adds(integer)", "matrix_reader", "execute", "allowed: privilege"},
	{"shop", "PUBLIC", "usage", "denied: no privilege"},
}

func TestReadMatrix_Stranger(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, "drop schema vital cascade") // what is left of VITAL here are grants in public
	d.Exec(t, stranger)
	t.Cleanup(func() { d.Exec(t, noStranger) })
	m := readMatrix(t, d, []string{"shop"}, nil)
	for _, c := range strangeCells {
		require.Equal(t, c.want, told(find(t, m, c.object, c.role, c.command)), "%s %s %s", c.object, c.role, c.command)
	}
	require.Equal(t, "tenant = 1", strings.Trim(find(t, m, "shop.filtered", "matrix_reader", "insert").Policies[0].Check, "()"), "USING stands for a missing WITH CHECK")
	require.Equal(t, "partitioned table", find(t, m, "shop.parted", "matrix_reader", "select").Kind)
	require.Equal(t, []string{"procedure", "definer"}, []string{find(t, m, "shop.work()", "matrix_reader", "execute").Kind, find(t, m, "shop.work()", "matrix_reader", "execute").RunsAs})
	var roles []string
	for _, role := range m.Roles {
		roles = append(roles, role.Name)
	}
	require.Equal(t, []string{"matrix_bypass", "matrix_bystander", "matrix_heir", "matrix_owner", "matrix_reader", "PUBLIC"}, roles,
		"without a role's own or inherited privilege it is no column: matrix_stiff must SET ROLE first")
	require.Nil(t, m.Figures.Assessment)
	require.Equal(t, []int{5, 3, 1, 1}, []int{m.Figures.Total.Tables, m.Figures.Total.RowSecurity, m.Figures.Total.Forced, m.Figures.Total.Decided})

	odd := readMatrix(t, d, []string{`Odd "one.two`}, nil)
	require.Equal(t, `"Odd ""one.two"`, odd.Figures.Schemas[0].Schema)
	require.Equal(t, 1, odd.Figures.Schemas[0].Tables)
	require.Equal(t, "allowed: superuser", told(find(t, readMatrix(t, d, []string{"shop"}, []string{"vital_test_superuser"}), "shop.filtered", "vital_test_superuser", "select")))
	requireTruth(t, d, m)
}

// TestReadMatrix_Truth tries each cell of VITAL's own relations and functions.
func TestReadMatrix_Truth(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	requireTruth(t, d, readMatrix(t, d, nil, nil))
}

// requireTruth runs the command of each cell as its role, by a statement that reaches no row, and wants it
// refused exactly where the matrix says that a privilege is missing.
func requireTruth(t *testing.T, d *pgtest.Database, m *isolation.Matrix) {
	t.Helper()
	ctx := context.Background()
	conn := d.Connect(t)
	tried := map[bool]int{}
	for _, c := range m.Cells {
		statement := attempt(t, conn, c)
		if statement == "" || c.Role == isolation.Public {
			continue
		}
		tx, err := conn.Begin(ctx)
		require.NoError(t, err)
		_, err = tx.Exec(ctx, "set local role "+pgx.Identifier{c.Role}.Sanitize())
		require.NoError(t, err)
		_, err = tx.Exec(ctx, statement)
		require.NoError(t, tx.Rollback(ctx))
		var failed *pgconn.PgError
		refused := errors.As(err, &failed) && (failed.Code == "42501" || failed.Code == "55000")
		if refused && strings.Contains(failed.Message, "for function") && !strings.Contains(c.Object, "."+failed.Message[strings.LastIndex(failed.Message, " ")+1:]+"(") {
			continue // a function that another function, a view or a policy calls
		}
		denied := c.Access == isolation.Denied && !strings.HasPrefix(c.Reason, "no policy")
		require.Equal(t, denied, refused, "%s as %s: %s: %v", statement, c.Role, told(c), err)
		tried[denied]++
	}
	require.Greater(t, tried[true], 20)
	require.Greater(t, tried[false], 20)
}

// attempt is a harmless statement that needs the cell's privilege; "" where there is none.
func attempt(t *testing.T, conn *pgx.Conn, c isolation.Cell) string {
	t.Helper()
	column := func() string {
		if c.Columns != nil {
			return pgx.Identifier{c.Columns[0]}.Sanitize()
		}
		var name string
		require.NoError(t, conn.QueryRow(context.Background(), `select quote_ident(attname) from pg_attribute
			where attrelid = $1::text::regclass and attnum > 0 and not attisdropped and attgenerated = '' and attidentity = '' order by attnum limit 1`,
			c.Object).Scan(&name), c.Object)
		return name
	}
	switch {
	case c.Kind == "function" && !strings.Contains(c.Object, "any"):
		var call string
		require.NoError(t, conn.QueryRow(context.Background(), `select case when p.prorettype in ('trigger'::regtype, 'event_trigger'::regtype) then ''
			else format('explain select %s(%s)', p.oid::regproc, (select string_agg('null::' || format_type(a, null), ', ') from unnest(p.proargtypes) a)) end
			from pg_proc p where p.oid = $1::text::regprocedure`, c.Object).Scan(&call), c.Object)
		return call
	case !strings.HasSuffix(c.Kind, "table") && c.Kind != "view":
		return ""
	case c.Command == "select" && c.Columns != nil:
		return "select " + column() + " from " + c.Object + " where false"
	case c.Command == "select":
		return "select from " + c.Object + " where false"
	case c.Command == "insert":
		return "insert into " + c.Object + " (" + column() + ") select null where false"
	case c.Command == "update":
		return "update " + c.Object + " set " + column() + " = default where false"
	case c.Command == "delete":
		return "delete from " + c.Object + " where false"
	case c.Command == "truncate":
		return "truncate " + c.Object
	default:
		return ""
	}
}
