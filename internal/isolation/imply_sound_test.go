package isolation_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/pgtest"
)

// The world of the soundness tests: whatever means "mine" answers tenant A, of the sets A and B.
const (
	tenantC   = "00000000-0000-0000-0000-00000000000c" // not mine
	me        = "10000000-0000-0000-0000-000000000001"
	colleague = "10000000-0000-0000-0000-000000000002"
	somebody  = "10000000-0000-0000-0000-000000000003"
)

// world is a table of every kind of row, the helpers of documents, and a prover's worst enemy: helpers
// and settings that say something else.
const world = `
create table public.grid as
select t as tenant_id, u as user_id, i as id, t as organization_id, b as is_active
from unnest('{A,B,C,P,null}'::text[]) t, unnest('{ME,COLLEAGUE,STRANGER,null}'::text[]) u,
  unnest('{A,B,C,P,ME,COLLEAGUE,STRANGER,null}'::text[]) i, unnest('{true,false,null}'::boolean[]) b;
alter table public.grid alter tenant_id type uuid using tenant_id::uuid, alter user_id type uuid using user_id::uuid,
  alter id type uuid using id::uuid, alter organization_id type uuid using organization_id::uuid;
alter table public.grid add column weight integer default 1, add column query_type text, add column duration_us bigint, add column steps jsonb, add column created_at timestamptz default now();
create table public.documents (like public.grid);
insert into public.documents select distinct on (tenant_id, user_id, is_active) * from public.grid order by tenant_id, user_id, is_active, id;
create table public.memberships (tenant_id uuid, user_id uuid, team uuid, open boolean);
insert into public.memberships values
  ('A', 'ME', 'C', true), ('B', 'ME', 'A', false), ('A', 'COLLEAGUE', 'C', true), ('C', 'STRANGER', 'A', true), ('C', null, 'B', false), (null, 'ME', 'C', null);
create table public.teams (id uuid, tenant_id uuid);
insert into public.teams values ('A', 'C'), ('C', 'A');
create function public.my_tenant() returns uuid stable return 'A'::uuid;
create function public.my_tenants() returns setof uuid stable begin atomic select 'A'::uuid union all select 'B'::uuid; end;
create function public.readable() returns setof uuid stable begin atomic select 'A'::uuid union all select 'P'::uuid; end;
create function public.colleagues() returns setof uuid stable begin atomic select 'ME'::uuid union all select 'COLLEAGUE'::uuid; end;
create function public.is_operator() returns boolean stable return false;
create function public.floor() returns uuid stable return null::uuid;
create function public.other() returns uuid stable return 'C'::uuid;
create function public.others() returns setof uuid stable begin atomic select 'C'::uuid union all select 'A'::uuid; end;
create function public.nothing() returns uuid stable return null::uuid;
create or replace function auth.uid() returns uuid stable return 'ME'::uuid;
create or replace function auth.jwt() returns jsonb stable return
  '{"sub": "ME", "app_metadata": {"tenant_id": "A"}, "user_metadata": {"tenant_id": "C"}, "tenant_id": "C"}'::jsonb;
select set_config('app.tenant', 'A', false), set_config('app.other', 'C', false), set_config('request.jwt.claims', auth.jwt()::text, false)`

// inWorld writes the ids of the world for their names.
var inWorld = strings.NewReplacer(
	"'A'", "'"+tenantA+"'", "'B'", "'"+tenantB+"'", "'C'", "'"+tenantC+"'", "'P'", "'"+platform+"'",
	"{A,B,C,P,", "{"+strings.Join([]string{tenantA, tenantB, tenantC, platform}, ",")+",",
	"'ME'", "'"+me+"'", "'COLLEAGUE'", "'"+colleague+"'", "'STRANGER'", "'"+somebody+"'",
	"ME,COLLEAGUE,STRANGER", me+","+colleague+","+somebody,
	`"ME"`, `"`+me+`"`, `"A"`, `"`+tenantA+`"`, `"C"`, `"`+tenantC+`"`,
).Replace

// enterWorld returns a superuser's connection to a world.
func enterWorld(t *testing.T) *pgx.Conn {
	t.Helper()
	conn := pgtest.New(t).Connect(t)
	_, err := conn.Exec(context.Background(), inWorld(world))
	require.NoError(t, err)
	return conn
}

// mine is the condition under which a row of the world is the caller's as g has it.
func mine(g isolation.Ground) string {
	conditions := []string{fmt.Sprint(g.Global != "")}
	is := func(column string, ids ...string) {
		if column != "" {
			conditions = append(conditions, column+" in ('"+strings.Join(ids, "', '")+"')")
		}
	}
	is(g.TenantColumn, tenantA, tenantB)
	if len(g.Shared) > 0 {
		is(g.TenantColumn, platform)
	}
	is(g.UserColumn, me)
	if g.Colleagues {
		is(g.UserColumn, colleague)
	}
	return strings.Join(conditions, " or ")
}

// leaks evaluates expression over the rows of from, called alias in it: how many rows it lets pass, and
// how many of those are not the caller's.
func leaks(conn *pgx.Conn, expression, from, alias string, g isolation.Ground) (passed, leaked int, err error) {
	err = conn.QueryRow(context.Background(),
		"select count(*), count(*) filter (where ("+mine(g)+") is not true) from "+from+" as "+alias+" where "+expression).Scan(&passed, &leaked)
	return passed, leaked, err
}

// grammar writes expressions of type uuid, set of uuid and boolean, as people write policies and as they
// get them wrong.
type grammar struct{ *rand.Rand }

func (g grammar) of(options ...func() string) string { return options[g.IntN(len(options))]() }

func (g grammar) word(words ...string) string { return words[g.IntN(len(words))] }

// id is a value; depth bounds what it is made of.
func (g grammar) id(depth int) string {
	leaf := func() string {
		return g.word(
			"tenant_id", "tenant_id", "tenant_id", "user_id", "documents.tenant_id", "documents.user_id", "organization_id",
			"public.my_tenant()", "(select public.my_tenant())", "auth.uid()", "(select auth.uid())", "public.floor()", "(select public.floor())",
			"public.other()", "public.nothing()", "'"+tenantA+"'::uuid", "'"+tenantC+"'::uuid", "'"+platform+"'::uuid", "null::uuid",
			"current_setting('app.tenant', true)::uuid", "nullif(current_setting('app.tenant', true), '')::uuid", "current_setting('app.other')::uuid",
			"(auth.jwt() -> 'app_metadata' ->> 'tenant_id')::uuid", "(auth.jwt() -> 'user_metadata' ->> 'tenant_id')::uuid", "(auth.jwt() ->> 'sub')::uuid",
			"(auth.jwt() #>> '{app_metadata,tenant_id}')::uuid", "(auth.jwt() ->> 'tenant_id')::uuid",
			"(current_setting('request.jwt.claims', true)::json ->> 'sub')::uuid",
		)
	}
	if depth == 0 {
		return leaf()
	}
	return g.of(leaf, leaf, leaf,
		func() string { return "coalesce(" + g.id(depth-1) + ", " + g.id(depth-1) + ")" },
		func() string { return "nullif(" + g.id(depth-1) + ", " + g.id(depth-1) + ")" },
		func() string { return "(" + g.id(depth-1) + ")::text::uuid" },
		func() string { return "(case when " + g.boolean(depth-1) + " then " + g.id(depth-1) + " end)" },
		func() string {
			return "(select m." + g.word("tenant_id", "user_id", "team") + g.memberships(depth-1) + " limit 1)"
		},
	)
}

// memberships is the rest of a subquery over memberships m.
func (g grammar) memberships(depth int) string {
	column := func() string {
		return "m." + g.word("tenant_id", "user_id", "user_id", "team")
	}
	condition := func() string {
		return g.of(
			func() string { return column() + " = " + g.id(depth) }, func() string { return column() + " = auth.uid()" },
			func() string { return g.id(depth) + " = " + column() }, func() string { return "m.tenant_id = documents.tenant_id" },
			func() string { return "m.open" }, func() string { return column() + " <> " + g.id(depth) },
			func() string { return column() + " = " + column() }, func() string { return g.boolean(depth) },
		)
	}
	from := g.word(
		" from public.memberships m", " from public.memberships m", " from public.teams t join public.memberships m on (m.user_id = auth.uid())",
		" from public.memberships m left join public.teams t on (m.user_id = auth.uid())", " from public.memberships n, public.memberships m",
		" from public.memberships n join public.memberships m on (n.tenant_id = m.tenant_id)",
		" from public.memberships n join public.memberships m on (n.user_id = auth.uid() and n.tenant_id = m.tenant_id)",
	)
	return from + " where " + condition() + g.word(" and ", " and ", " and ", " or ") + condition()
}

// set is a subquery or an array.
func (g grammar) set(depth int) string {
	query := func() string {
		return g.of(
			func() string {
				return "select " + g.word("public.my_tenants()", "public.readable()", "public.colleagues()", "public.others()")
			},
			func() string { return "select m." + g.word("tenant_id", "user_id", "team") + g.memberships(depth) },
		)
	}
	return g.of(
		func() string { return "(" + query() + ")" },
		func() string { return "(array(" + query() + "))" },
		func() string { return "(array[" + g.id(depth) + ", " + g.id(depth) + "])" },
	)
}

func (g grammar) boolean(depth int) string {
	comparison := func() string {
		d := max(depth-1, 0)
		likely := func() string {
			return g.word("tenant_id = ", "documents.tenant_id = ", "user_id = ") + g.word("public.my_tenant()", "auth.uid()", "(select auth.uid())", "public.other()")
		}
		return g.of(likely, likely, likely,
			func() string { return g.id(d) + " = " + g.id(d) }, func() string { return "tenant_id = " + g.id(d) },
			func() string { return g.id(d) + " = user_id" }, func() string { return g.id(d) + g.word(" <> ", " >= ", " < ") + g.id(d) },
			func() string { return "tenant_id = any " + g.set(d) }, func() string { return g.id(d) + " = any " + g.set(d) },
			func() string { return g.id(d) + g.word(" = all ", " <> any ", " <> all ") + g.set(d) },
			func() string { return g.id(d) + g.word(" in (", " not in (") + g.id(d) + ", " + g.id(d) + ")" },
			func() string {
				return g.id(d) + g.word(" between ", " not between ", " between symmetric ") + g.id(d) + " and 'ffffffff-ffff-ffff-ffff-ffffffffffff'"
			},
			func() string { return g.id(d) + g.word(" is null", " is not null") },
			func() string { return g.id(d) + g.word(" is distinct from ", " is not distinct from ") + g.id(d) },
			func() string {
				return g.word("", "not ") + "exists (select " + g.word("1", "", "count(*)", "m.team") + g.memberships(d) + ")"
			},
			func() string {
				return g.word("true", "false", "null::boolean", "is_active", "public.is_operator()", "(select public.is_operator())")
			},
		)
	}
	if depth == 0 {
		return comparison()
	}
	return g.of(comparison, comparison, comparison,
		func() string { return "(" + g.boolean(depth-1) + " and " + g.boolean(depth-1) + ")" },
		func() string { return "(" + g.boolean(depth-1) + " or " + g.boolean(depth-1) + ")" },
		func() string { return "(not " + g.boolean(depth-1) + ")" },
		func() string { return "coalesce(" + g.boolean(depth-1) + ", " + g.boolean(depth-1) + ")" },
		func() string { return "nullif(" + g.boolean(depth-1) + ", " + g.boolean(depth-1) + ")" },
		func() string {
			return "(" + g.boolean(depth-1) + ")" + g.word(" is true", " is not true", " is false", " is not false", " is unknown", " is not null")
		},
		func() string {
			return "(case when " + g.boolean(depth-1) + " then " + g.boolean(depth-1) + g.word(" end)", " else "+g.boolean(depth-1)+" end)")
		},
		func() string {
			return "(select " + g.boolean(depth-1) + g.word("", g.memberships(depth-1)+" limit 1") + ")"
		},
	)
}

// search generates expressions and asks ground of each as it was written and as Postgres prints it, and
// returns those called proved that let a row of somebody else pass.
func search(t *testing.T, conn *pgx.Conn, ground isolation.Ground, seed uint64, rounds int) (wrong []string, provedCount, passing int) {
	t.Helper()
	ctx := context.Background()
	g := grammar{rand.New(rand.NewPCG(seed, 0))}
	_, err := conn.Exec(ctx, "drop policy if exists generated on public.documents; create policy generated on public.documents using (true)")
	require.NoError(t, err)
	for range rounds {
		expression := g.boolean(3)
		if _, err := conn.Exec(ctx, "alter policy generated on public.documents using ("+expression+")"); err != nil {
			continue // not of one type, or a set where there is none
		}
		var printed string
		err := conn.QueryRow(ctx, `
			select pg_get_expr(polqual, polrelid) from pg_policy, set_config('search_path', '', true) where polname = 'generated'`).Scan(&printed)
		require.NoError(t, err)
		isProved := false
		for _, text := range []string{expression, printed} {
			verdict, err := isolation.Implies(text, ground)
			require.NoError(t, err, text)
			isProved = isProved || verdict.Proved
		}
		if !isProved {
			continue
		}
		provedCount++
		passed, leaked, err := leaks(conn, expression, "public.documents", "documents", ground)
		if err != nil {
			continue // a scalar subquery of two rows refuses as well
		}
		if passed > 0 {
			passing++
		}
		if leaked > 0 {
			wrong = append(wrong, printed)
		}
	}
	return wrong, provedCount, passing
}

// TestImplies_Sound evaluates what is called proved over every kind of row.
func TestImplies_Sound(t *testing.T) {
	t.Parallel()
	conn := enterWorld(t)
	grounds := map[string]isolation.Ground{"of a tenant and a user": documents}
	tenants := documents
	tenants.UserColumn, tenants.Shared = "", nil
	people := documents
	people.TenantColumn, people.Colleagues = "", true
	grounds["of a tenant"], grounds["of a user"] = tenants, people
	for name, ground := range grounds {
		wrong, proved, passing := search(t, conn, ground, 1, 700)
		require.Empty(t, wrong, name)
		t.Logf("rows %s: %d proved, %d of them let rows pass", name, proved, passing)
		require.Greater(t, passing, 10, "%s: hardly anything was put to the test", name)
	}
	// The test finds a ground that is wrong, and so a prover would be.
	mistaken := tenants
	mistaken.Functions = map[string]isolation.Meaning{"public.other": isolation.MyTenant}
	wrong, _, _ := search(t, conn, mistaken, 1, 300)
	require.NotEmpty(t, wrong)
}

// TestImplies_Mutants spoils each of our policies and asks again: what is still proved must still hold.
func TestImplies_Mutants(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	conn := enterWorld(t)
	guards, err := isolation.ReadGuards(ctx, conn, "authenticated", []string{"public"})
	require.NoError(t, err)
	for name, meaning := range isolation.VitalGround("agents").Functions {
		_, err := conn.Exec(ctx, inWorld("create or replace function "+name+"() returns "+answer(name, meaning)))
		require.NoError(t, err, name)
	}
	mutants, survivors := 0, 0
	for _, guard := range guards {
		table := strings.TrimPrefix(guard.Relation, "public.")
		ground := isolation.VitalGround(table)
		ground.Global = ""
		for _, policy := range guard.Policies {
			for _, expression := range []string{policy.Using, policy.Check} {
				if expression == "" || expression == "is_active" || policy.Name == "feature_flag_evaluators_select_member" {
					continue // decides nothing, or is for everybody
				}
				passed, leaked, err := leaks(conn, expression, "public.grid", table, ground)
				require.NoError(t, err)
				require.Zero(t, leaked, policy.Name)
				if !strings.Contains(expression, "super_admin") {
					require.NotZero(t, passed, policy.Name)
				}
				for _, wide := range widened(expression) {
					verdict, err := isolation.Implies(wide, ground)
					require.NoError(t, err, wide)
					require.False(t, verdict.Proved, "%s, spoiled: %s: %s", policy.Name, wide, verdict.Reason)
				}
				for _, mutant := range mutated(expression, ground) {
					mutants++
					verdict, err := isolation.Implies(mutant, ground)
					require.NoError(t, err, mutant)
					if !verdict.Proved {
						continue
					}
					survivors++
					_, leaked, err := leaks(conn, mutant, "public.grid", table, ground)
					require.NoError(t, err, mutant)
					require.Zero(t, leaked, "%s, mutated: %s: %s", policy.Name, mutant, verdict.Reason)
				}
			}
		}
	}
	t.Logf("%d mutants, %d of them still proved, and rightly", mutants, survivors)
	require.Greater(t, mutants, 500)
}

// answer defines a helper in the world.
func answer(name string, meaning isolation.Meaning) string {
	of := func(kind, query string) string { return kind + " language sql stable as $$ " + query + " $$" }
	switch meaning {
	case isolation.MyTenant:
		if strings.HasSuffix(name, "_ids") {
			return of("setof uuid", "select 'A'::uuid union all select 'B'::uuid")
		}
		return of("uuid", "select 'A'::uuid")
	case isolation.MyTenantOrShared:
		return of("setof uuid", "select 'A'::uuid union all select 'P'::uuid")
	case isolation.MyUser:
		return of("uuid", "select 'ME'::uuid")
	case isolation.MyColleague:
		return of("setof uuid", "select 'ME'::uuid union all select 'COLLEAGUE'::uuid")
	case isolation.Operator:
		return of("boolean", "select false")
	default:
		return of("uuid", "select null::uuid")
	}
}

// widened are ways to spoil an expression that always let somebody else's row pass.
func widened(expression string) []string {
	unknown := helper.ReplaceAllString(expression, "(SELECT vital.unknown())")
	return []string{
		"true", "NOT " + expression, expression + " OR true", "true OR " + expression, expression + " OR is_active", "COALESCE(" + expression + ", true)",
		expression + " IS NOT FALSE", expression + " IS NULL", expression + " IS NOT TRUE", "CASE WHEN is_active THEN " + expression + " ELSE true END",
		"CASE WHEN " + expression + " THEN false ELSE true END", unknown, unknown + " AND is_active",
	}
}

// mutated changes one thing of expression at a time.
func mutated(expression string, ground isolation.Ground) []string {
	var mutants []string
	swap := func(old, replacement string) {
		for at := strings.Index(expression, old); at >= 0; {
			mutants = append(mutants, expression[:at]+replacement+expression[at+len(old):])
			next := strings.Index(expression[at+1:], old)
			if next < 0 {
				break
			}
			at += 1 + next
		}
	}
	for _, s := range [][2]string{
		{" = ANY (", " <> ANY ("}, {" = ANY (", " = ALL ("}, {" = ANY (", " <> ALL ("}, {" = ", " <> "}, {" = ", " >= "},
		{" = ", " IS NOT DISTINCT FROM "}, {" >= ", " IS DISTINCT FROM "}, {" >= ", " = "}, {" AND ", " OR "}, {"(tenant_id", "(user_id"}, {"(tenant_id", "(id"},
		{"(user_id", "(tenant_id"}, {"(id", "(tenant_id"}, {"(organization_id", "(user_id"},
	} {
		if !strings.Contains(s[1], "DISTINCT") || !strings.Contains(expression, " ANY ") {
			swap(s[0], s[1])
		}
	}
	if a, b, isPair := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(expression, "("), ")"), " AND "); isPair {
		mutants = append(mutants, a, b)
	}
	for _, call := range helper.FindAllString(expression, -1) {
		for name, meaning := range ground.Functions {
			if strings.Contains(call, "is_super_admin") == (meaning == isolation.Operator) &&
				(strings.Contains(expression, "ANY") || !strings.HasSuffix(name, "_ids")) {
				swap(call, "( SELECT "+name+"())")
			}
		}
	}
	return mutants
}
