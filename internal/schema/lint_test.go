package schema_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/schema"
)

// linted are the problems of SQL as a migration of a database in which agents and tools are large: "line lint", and what they say.
func linted(t *testing.T, d *pgtest.Database, text string) (found []string, problems []schema.Problem) {
	t.Helper()
	plan, err := next(t, schema.Config{DatabaseURL: d.URL}, text).Plan(context.Background())
	require.NoError(t, err)
	for _, p := range plan.Problems {
		require.NotEmpty(t, p.Hint, p.Lint)
		require.Equal(t, p.Lint == "dynamic_sql" || p.Lint == "body_unread", p.Level == schema.LintWarning, p.Lint)
		found = append(found, string(rune('0'+p.Line-2))+" "+p.Lint) // the migration's own lines come first
	}
	return found, plan.Problems
}

// lintCases are SQL and what is found in it, by its line; nothing else is.
func requireLinted(t *testing.T, cases []struct {
	name, sql string
	finds     []string
},
) {
	t.Helper()
	d := pgtest.New(t)
	execute(t, d.Connect(t), large)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			found, problems := linted(t, d, c.sql)
			require.Equal(t, c.finds, found, problems)
		})
	}
}

// TestLint_Blocks: what a DO block runs is looked at as if it stood by itself.
func TestLint_Blocks(t *testing.T) { //nolint:tparallel // its cases share a database
	t.Parallel()
	block := func(lines ...string) string { return "do $$\nbegin\n" + strings.Join(lines, "\n") + "\nend $$;" }
	requireLinted(t, []struct {
		name, sql string
		finds     []string
	}{
		{"table without row security", block("create table public.fresh (id uuid primary key);"), []string{"3 table_without_row_security"}},
		{"closed table", block("create table public.fresh (id uuid primary key);", "alter table public.fresh enable row level security;", "alter table public.fresh force row level security;",
			"create policy p on public.fresh using (id = (select public.get_user_tenant_id()));"), nil},
		{"column in use", block("if true then", "  alter table public.agents drop column model;", "end if;"), []string{"4 dropped_in_use"}},
		{"column of nobody's", block("if true then", "  alter table public.prompts drop column metadata;", "end if;"), nil},
		{"index", block("create index late on public.agents (name);"), []string{"3 index_not_concurrent"}},
		{"small index", block("create index late on public.prompts (title);"), nil},
		{"lock", block("perform 1;", "lock table public.agents;"), []string{"4 lock_held"}},
		{"lock beside which others write", block("lock table public.agents in row exclusive mode;"), nil},
		{"grant to everybody", block("grant select on public.agents to public;"), []string{"3 granted_to_public"}},
		{"grant to a role", block("grant select on public.agents to service_role;"), nil},
		{"several lines", block("for i in 1..3 loop", "  update public.prompts set title = title;", "  alter table", "    public.agents rename to helpers;", "end loop;"), []string{"5 renamed_in_use"}},
		{"handler", block("begin", "  null;", "exception when others then", "  reset role;", "end;"), []string{"6 role_changed"}},
		{"end of the transaction", block("commit;"), []string{"3 transaction_ended"}},
		{"rollback", block("rollback;"), []string{"3 transaction_ended"}},
		{"function", block("create function public.f() returns int language sql security definer return 1;"), []string{"3 definer_without_search_path"}},
		{"sound function", block("create function public.f() returns int language sql security definer set search_path = pg_catalog, pg_temp return 1;"), nil},
		{"fields of a variable", "do $$\ndeclare\n  t public.prompts;\n  c public.agents;\nbegin\n  t.title := 'x'; c.name := 'y';\n  truncate public.agents;\nend $$;", []string{"7 dropped_in_use"}},
		{"allowed", "-- lint: allow dropped_in_use\n" + block("truncate public.agents;"), nil},
		{"another language", "do language plpython3u $$ pass $$;", []string{"1 body_unread"}},
		{"no PL/pgSQL", "do $$ begin nothing at all end $$;", []string{"1 body_unread"}},
		{"in quotes", "do '\nbegin\n  truncate public.agents;\nend';", []string{"3 dropped_in_use"}},
	})
}

// TestLint_Dynamic: what EXECUTE runs is looked at where it can be seen, and where not, that is said.
func TestLint_Dynamic(t *testing.T) { //nolint:tparallel // its cases share a database
	t.Parallel()
	block := func(line string) string {
		return "do $$\ndeclare t text := 'agents'; r record;\nbegin\n" + line + "\nend $$;"
	}
	requireLinted(t, []struct {
		name, sql string
		finds     []string
	}{
		{"constant", block("execute 'grant select on public.agents to public';"), []string{"4 granted_to_public"}},
		{"sound constant", block("execute 'grant select on public.agents to service_role';"), nil},
		{"constants put together", block("execute 'drop table ' || 'public.agents' || ' cascade';"), []string{"4 dropped_in_use"}},
		{"constants of format", block("execute format('drop table %I.%I', 'public', 'agents');"), []string{"4 dropped_in_use"}},
		{"constants of format by number", block("execute format('drop table %2$I.%1$I', 'agents', 'public');"), []string{"4 dropped_in_use"}},
		{"constant that is no SQL", block("execute 'grunt';"), []string{"4 unreadable"}},
		{"variable", block("execute t;"), []string{"4 dynamic_sql"}},
		{"name", block("execute 'drop table ' || quote_ident(t);"), []string{"4 dynamic_sql"}},
		{"kind that is harmful whatever it names", block("execute format('alter table %I disable row level security', t);"), []string{"4 dynamic_sql", "4 row_security_off"}},
		{"kind that is harmful whatever it names, put together", block("execute 'grant select on ' || t || ' to public';"), []string{"4 granted_to_public", "4 dynamic_sql"}},
		{"comment", block("execute format('comment on table public.%I is %L', t, t);"), nil},
		{"rows", block("execute format('update public.%I set title = %L', t, t);"), nil},
		{"loop", block("for r in execute 'select ' || t loop null; end loop;"), nil},
		{"loop over what cannot be seen", block("for r in execute t loop null; end loop;"), []string{"4 dynamic_sql"}},
		{"allowed", "-- lint: allow dynamic_sql\n" + block("execute t;"), nil},
	})
}

// TestLint_Functions: of what a function does when it is called, no lock and no row matters, but what it opens.
func TestLint_Functions(t *testing.T) { //nolint:tparallel // its cases share a database
	t.Parallel()
	plpgsql := func(options, line string) string {
		return "create function public.f(t text) returns void language plpgsql " + options + " set search_path = pg_catalog, pg_temp as $$\nbegin\n" + line + "\nend $$;"
	}
	sql := func(line string) string {
		return "create function public.f(t text) returns void language sql as $$\n" + line + "\n$$;"
	}
	requireLinted(t, []struct {
		name, sql string
		finds     []string
	}{
		{"locks and rows", plpgsql("", "lock table public.agents; truncate public.agents; create index late on public.agents (name); create table public.fresh (id uuid);"), nil},
		{"locks and rows in SQL", sql("truncate public.agents; drop table public.agents;"), nil},
		{"end of its own transaction", strings.Replace(strings.Replace(plpgsql("", "commit;"), "function", "procedure", 1), "returns void ", "", 1), nil},
		{"grant to everybody", plpgsql("", "grant select on public.agents to public;"), []string{"3 granted_to_public"}},
		{"grant to everybody in SQL", sql("select 1;\ngrant select on public.agents to public;"), []string{"3 granted_to_public"}},
		{"grant to a role in SQL", sql("grant select on public.agents to service_role;"), nil},
		{"row security", plpgsql("", "alter table public.agents disable row level security;"), []string{"3 row_security_off"}},
		{"row security put on", plpgsql("", "alter table public.agents enable row level security;"), nil},
		{"constant", plpgsql("", "execute 'alter table public.agents no force row level security';"), []string{"3 row_security_off"}},
		{"text of its caller, with its owner's rights", plpgsql("security definer", "execute t;"), []string{"3 dynamic_sql"}},
		{"text of its caller within a name", plpgsql("security definer", "execute 'select * from ' || t;"), []string{"3 dynamic_sql"}},
		{"text of its caller as a value of format", plpgsql("security definer", "execute format('select * from x where y = %s', t);"), []string{"3 dynamic_sql"}},
		{"quoted, with its owner's rights", plpgsql("security definer", "execute format('select * from %I where y = %L', t, t) || ' and z = ' || quote_literal(t);"), nil},
		{"a relation's name, with its owner's rights", plpgsql("security definer", "execute format('select * from %s', t::regclass);"), nil},
		{"text of its caller, with its caller's rights", plpgsql("", "execute t;"), nil},
		{"fields of an argument", "create function public.f(a public.agents, inout b public.prompts) language plpgsql as $$\nbegin\na.name := 'x'; b.title := 'y';\ngrant select on public.agents to public;\nend $$;",
			[]string{"4 granted_to_public"}},
		{"fields of a trigger's row", "create function public.f() returns trigger language plpgsql as $$\nbegin\nnew.name := 'x';\nexecute 'grant select on public.agents to public';\nreturn new; end $$;",
			[]string{"4 granted_to_public"}},
		{"fields that nobody declares", plpgsql("", "x.y := 1;"), []string{"1 body_unread"}},
		{"no PL/pgSQL", plpgsql("", "nothing at all"), []string{"1 body_unread"}},
		{"no SQL", sql("nothing at all"), []string{"1 body_unread"}},
		{"atomic body", "create function public.f() returns int language sql begin atomic select 1; end;", nil},
	})
}

// TestLint_Openings: views and policies that let through what they should not, before they are applied.
func TestLint_Openings(t *testing.T) { //nolint:tparallel // its cases share a database
	t.Parallel()
	requireLinted(t, []struct {
		name, sql string
		finds     []string
	}{
		{"view that reads as its owner", "create view public.v as select * from public.agents;", []string{"1 view_without_invoker"}},
		{"view that is told to", "create view public.v with (security_invoker = off) as select * from public.agents;", []string{"1 view_without_invoker"}},
		{"view made anew without", "create or replace view public.v with (security_barrier) as select * from public.agents;", []string{"1 view_without_invoker"}},
		{"view that no longer does not", "alter view public.query_performance_log reset (security_invoker);", []string{"1 view_without_invoker"}},
		{"view that reads as its reader", "create view public.v with (security_invoker = true) as select * from public.agents;", nil},
		{"in another word", "create view public.v with (security_invoker = on) as select * from public.agents;", nil},
		{"in no word", "create view public.v with (security_invoker) as select * from public.agents;", nil},
		{"as a number", "create view public.v with (security_invoker = 1) as select * from public.agents;", nil},
		{"afterwards", "create view public.v as select 1; alter view public.v set (security_invoker = true);", nil},
		{"dropped again", "create view public.v as select 1; drop view public.v;", nil},
		{"of this session", "create temporary view v as select 1;", nil},
		{"allowed view", "-- lint: allow view_without_invoker\ncreate view public.v as select 1;", nil},
		{"materialized view", "create materialized view public.v as select * from public.agents;", []string{"1 materialized_view_exposed"}},
		{"materialized view of ours", "create materialized view vital.v as select * from public.agents;", nil},
		{"true policy", "create policy p on public.agents using (true);", []string{"1 policy_always_true"}},
		{"true check", "create policy p on public.agents for insert with check (true);", []string{"1 policy_always_true"}},
		{"true in other words", "create policy p on public.agents using (1 = 1);", []string{"1 policy_always_true"}},
		{"true as text", "create policy p on public.agents using ('on'::boolean);", []string{"1 policy_always_true"}},
		{"true in a subquery", "create policy p on public.agents using ((select true));", []string{"1 policy_always_true"}},
		{"or true", "create policy p on public.agents using (tenant_id is null or true);", []string{"1 policy_always_true"}},
		{"compared with itself", "create policy p on public.agents using (tenant_id = tenant_id);", []string{"1 policy_always_true"}},
		{"policy that becomes true", "alter policy agents_select_member on public.agents using (true);", []string{"1 policy_always_true"}},
		{"altered policy that calls", "alter policy agents_select_member on public.agents using (tenant_id = get_user_tenant_id());", []string{"1 policy_calls_for_each_row"}},
		{"compared with the caller's", "create policy p on public.agents using (tenant_id = (select public.get_user_tenant_id()) and true);", nil},
		{"false", "create policy p on public.agents using (false);", nil},
		{"narrowing", "create policy p on public.agents as restrictive using (true);", nil},
		{"for operators", "create policy p on public.agents to service_role using (true);", nil},
		{"for operators and others", "create policy p on public.agents to service_role, authenticated using (true);", []string{"1 policy_always_true"}},
		{"privilege of what is to come", "alter default privileges in schema public grant select on tables to public;", []string{"1 granted_to_public"}},
		{"privilege of what is to come, for a role", "alter default privileges in schema public grant select on tables to service_role;", nil},
		{"lock", "lock table public.agents in share mode;", []string{"1 lock_held"}},
		{"lock of what is empty", "lock table public.prompts;", nil},
		{"lock beside which others write", "lock table public.agents in share update exclusive mode;", nil},
	})
}

// TestUp_LintWarnings: what could not be looked at is said and ends nothing.
func TestUp_LintWarnings(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	var log strings.Builder
	config := schema.Config{DatabaseURL: d.URL, Log: slog.New(slog.NewTextHandler(&log, nil))}
	const block = "do $$ declare t text := 'comment on schema vital is ''x'''; begin execute t; end $$;"
	_, err := next(t, config, block).Up(context.Background())
	require.NoError(t, err)
	require.Contains(t, log.String(), "lint=dynamic_sql")
	require.Equal(t, "x", one[string](t, d.Connect(t), "select obj_description('vital'::regnamespace)"))

	_, err = next(t, schema.Config{DatabaseURL: pgtest.New(t).URL}, block+"\ngrant select on public.agents to public;").Up(context.Background())
	require.Equal(t, fault.MigrationRefused, fault.CodeOf(err))
	require.NotContains(t, fault.From(err).Detail, "dynamic_sql")
}
