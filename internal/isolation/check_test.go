package isolation_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/pgtest"
)

const reference = "../../docs/reference/"

// strangers is the scope the cases of docs/reference/lints are checked with where they are not about
// VITAL itself.
var strangers = isolation.Scope{
	Schemas: []string{"public"}, TenantColumns: []string{"tenant_id"}, Roles: []string{"anon", "authenticated"}, Logins: []string{"web"},
}

func TestCheck_CleanInstall(t *testing.T) {
	t.Parallel()
	findings, err := isolation.Check(context.Background(), pgtest.New(t).Connect(t), isolation.VitalScope())
	require.NoError(t, err)
	require.Empty(t, findings)
}

// page is what a test reads of a lint's page: the cases, and what the bad one is found as.
type page struct{ title, level, bad, found, good string }

var pageForm = regexp.MustCompile("(?s)^# ([a-z_]+)\n\n.*Level: \\*\\*([a-z]+)\\*\\*.*" +
	"## What it finds\n.*## Why it matters\n.*## Bad\n\n```sql\n(.*?)```\n\nFound as\n\n```text\n(.*?)```\n\n## Good\n\n```sql\n(.*?)```\n\n## How to mend it\n\n.")

func readPage(t *testing.T, name string) (string, page) {
	t.Helper()
	text, err := os.ReadFile(reference + "lints/" + name + ".md")
	require.NoError(t, err, "a lint without a page")
	parts := pageForm.FindStringSubmatch(string(text))
	require.NotNil(t, parts, "docs/reference/lints/%s.md lacks a part", name)
	return string(text), page{parts[1], parts[2], parts[3], parts[4], parts[5]}
}

// TestCheck_Pages runs the cases of every page: the bad one is found exactly as the page says, the good
// one has nothing that must be mended. Each is rolled back, for roles belong to the whole cluster.
func TestCheck_Pages(t *testing.T) { //nolint:tparallel // the cases share two connections
	t.Parallel()
	ctx := context.Background()
	d := pgtest.New(t)
	vital, stranger := d.Connect(t), connectPlain(t, d)
	setup := regexp.MustCompile("(?s)```sql\n(.*?)```").FindStringSubmatch(readFile(t, "checks.md"))[1]

	databases := strings.NewReplacer(d.Name+"-plain", "app", d.Name, "vital")
	lints, err := isolation.Lints(isolation.VitalScope())
	require.NoError(t, err)
	general, err := isolation.Lints(strangers)
	require.NoError(t, err)
	require.Greater(t, len(general), 25)
	for _, l := range lints {
		conn, scope, before := vital, isolation.VitalScope(), ""
		for _, g := range general {
			if g.Name == l.Name {
				conn, scope, before = stranger, strangers, setup
			}
		}
		check := func(t *testing.T, text string, check func() ([]isolation.Finding, error)) []isolation.Finding {
			t.Helper()
			tx, err := conn.Begin(ctx)
			require.NoError(t, err)
			defer func() { require.NoError(t, tx.Rollback(ctx)) }()
			_, err = tx.Exec(ctx, before+text)
			require.NoError(t, err)
			findings, err := check()
			require.NoError(t, err)
			return findings
		}
		one := func() ([]isolation.Finding, error) { return isolation.CheckOne(ctx, conn, scope, l) }
		all := func() ([]isolation.Finding, error) { return isolation.Check(ctx, conn, scope) }
		t.Run(l.Name, func(t *testing.T) {
			text, p := readPage(t, l.Name)
			require.Equal(t, l.Name, p.title)
			require.Equal(t, string(l.Level), p.level)
			var found strings.Builder
			for _, f := range check(t, p.bad, one) {
				found.WriteString(databases.Replace(f.Object+": "+f.Detail) + "\n")
			}
			if os.Getenv("VITAL_UPDATE") != "" {
				text = strings.Replace(text, "```text\n"+p.found+"```", "```text\n"+found.String()+"```", 1)
				require.NoError(t, os.WriteFile(reference+"lints/"+l.Name+".md", []byte(text), 0o600))
				p.found = found.String()
			}
			require.NotEmpty(t, found.String(), "the bad case is not found")
			require.Equal(t, p.found, found.String())
			for _, f := range check(t, p.good, all) {
				require.NotEqual(t, l.Name, f.Check, "%+v", f)
				require.NotEqual(t, isolation.Error, f.Level, "%+v", f)
			}
		})
	}
}

// connectPlain opens a connection to a database without anything in it.
func connectPlain(t *testing.T, d *pgtest.Database) *pgx.Conn {
	t.Helper()
	name := d.Name + "-plain"
	d.Exec(t, "create database "+pgx.Identifier{name}.Sanitize()+" template template0")
	t.Cleanup(func() { d.Exec(t, "drop database "+pgx.Identifier{name}.Sanitize()+" with (force)") })
	conn, err := pgx.Connect(context.Background(), pgtest.ServerURL(t, name))
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(reference + name)
	require.NoError(t, err)
	return string(text)
}

// Each lint has a page and a row in docs/reference/checks.md, with its level, and there are no others.
func TestCheck_Documented(t *testing.T) {
	t.Parallel()
	lints, err := isolation.Lints(isolation.VitalScope())
	require.NoError(t, err)
	files, err := filepath.Glob(reference + "lints/*.md")
	require.NoError(t, err)
	var want, rows, pages []string
	for _, l := range lints {
		want = append(want, l.Name+" "+string(l.Level))
		pages = append(pages, filepath.Base(l.Doc()))
	}
	for i, file := range files {
		files[i] = filepath.Base(file)
	}
	require.ElementsMatch(t, pages, files)
	for _, found := range regexp.MustCompile("(?m)^\\| \\[`([a-z_]+)`\\]\\(lints/([a-z_]+)\\.md\\) \\| (error|warning|risk) \\|").FindAllStringSubmatch(readFile(t, "checks.md"), -1) {
		require.Equal(t, found[1], found[2])
		rows = append(rows, found[1]+" "+found[3])
	}
	require.ElementsMatch(t, want, rows)
}

// TestCheck_Precise are forms that look like what a lint is for and are not, and those it must not miss.
func TestCheck_Precise(t *testing.T) { //nolint:tparallel // the cases share a connection
	t.Parallel()
	ctx := context.Background()
	d := pgtest.New(t)
	conn := connectPlain(t, d)
	setup := regexp.MustCompile("(?s)```sql\n(.*?)```").FindStringSubmatch(readFile(t, "checks.md"))[1]
	const table = `
		create table docs (tenant_id uuid not null references tenants, id uuid not null, owner uuid, open boolean, primary key (tenant_id, id));
		alter table docs enable row level security;
		grant select, insert, update, delete on docs to authenticated;
		create table members (tenant_id uuid not null references tenants, "user" uuid not null, primary key ("user", tenant_id));
		create index on members (tenant_id);
		alter table members enable row level security;
		create policy own on members for select to authenticated using (tenant_id = (select app.tenant_id()));
		grant select on members to authenticated;`
	for name, c := range map[string]struct {
		plant string
		lint  string
		found []string
	}{
		"a call in a subquery on a table runs for its rows": {
			`create policy p on docs for select to authenticated using (tenant_id in (select m.tenant_id from members m where m."user" = app.tenant_id()))`,
			"policy_call_per_row", []string{"public.docs: p: app.tenant_id() in using"},
		},
		"wrapped again in that subquery it runs once": {
			`create policy p on docs for select to authenticated using (tenant_id in (select m.tenant_id from members m where m."user" = (select app.tenant_id())))`,
			"policy_call_per_row", nil,
		},
		"wrapped, but of the row's own column": {
			`create function app.mine(uuid) returns boolean language sql stable as 'select true';
			create policy p on docs for select to authenticated using ((select app.mine(docs.tenant_id)))`,
			"policy_call_per_row", []string{"public.docs: p: app.mine(uuid) in using"},
		},
		"a set of the caller's": {
			`create function app.all() returns setof uuid language sql stable as 'select null::uuid';
			create policy p on docs for select to authenticated using (tenant_id = any (array(select app.all())) or tenant_id in (select app.all()) or tenant_id in (select x from app.all() x))`,
			"policy_call_per_row", nil,
		},
		"an immutable function costs nothing": {
			`create policy p on docs for select to authenticated using (tenant_id = (select app.tenant_id()) and upper('x') = 'X' and abs(1) = 1)`,
			"policy_call_per_row", nil,
		},
		"a string that looks like a tree": {
			`create policy p on docs for select to authenticated using (tenant_id = (select app.tenant_id()) and '{SUBLINK } {VAR' <> '}')`,
			"policy_call_per_row", nil,
		},
		"the tenant named in a subquery counts": {
			`create policy p on docs for select to authenticated using (exists (select from members m where m.tenant_id = docs.tenant_id));
			create policy q on docs for select to authenticated using (owner = (select app.tenant_id()))`,
			"policies_or_open", nil,
		},
		"another role's policies are not ORed": {
			`create policy p on docs for select to authenticated using (tenant_id = (select app.tenant_id()));
			create policy q on docs for select to anon using (open)`,
			"policies_or_open", nil,
		},
		"another command's policies are not ORed": {
			`create policy p on docs for select to authenticated using (tenant_id = (select app.tenant_id()));
			create policy q on docs for delete to authenticated using (open)`,
			"policies_or_open", nil,
		},
		"for all, beside for select": {
			`create policy p on docs for select to authenticated using (tenant_id = (select app.tenant_id()));
			create policy q on docs to public using (open)`,
			"policies_or_open", []string{"public.docs: q (open) says nothing of a tenant or caller and is ORed with p for authenticated"},
		},
		"an alternative within one policy": {
			`create policy p on docs for select to authenticated using (tenant_id = (select app.tenant_id()) or open)`,
			"policies_or_open", []string{"public.docs: p (((tenant_id = ( SELECT app.tenant_id() AS tenant_id)) OR open)) has an alternative that says nothing of a tenant or caller, for authenticated"},
		},
		"alternatives that each ask": {
			`create policy p on docs for select to authenticated using (tenant_id = (select app.tenant_id()) or (open and owner = (select app.tenant_id())))`,
			"policies_or_open", nil,
		},
		"an alternative within the tenant": {
			`create policy p on docs for select to authenticated using (tenant_id = (select app.tenant_id()) and (open or owner is null))`,
			"policies_or_open", nil,
		},
		"a column that means another table's": {
			`create policy p on docs for select to authenticated using (exists (select from members m where m.tenant_id = tenant_id))`,
			"policy_ignores_row", []string{"public.docs: p: using ((EXISTS ( SELECT FROM public.members m WHERE (m.tenant_id = m.tenant_id)))) for authenticated"},
		},
		"a restrictive policy that names the tenant closes it": {
			`create policy p on docs for select to authenticated using (true);
			create policy q on docs as restrictive to public using (tenant_id = (select app.tenant_id()))`,
			"policy_always_true", nil,
		},
		"a condition that is always true, spelled out": {
			`create policy p on docs for delete to authenticated using (1 = 1)`,
			"policy_always_true", []string{"public.docs: p: using ((1 = 1)) for authenticated"},
		},
		"nobody passes": {
			`create policy p on docs for delete to authenticated using (false)`,
			"policy_always_true", nil,
		},
		"a role no request runs as": {
			`create policy p on docs to pg_monitor using (true)`,
			"policy_always_true", nil,
		},
		"without WITH CHECK the USING holds for the new row": {
			`create policy p on docs for update to authenticated using (tenant_id = (select app.tenant_id()))`,
			"update_moves_tenant", nil,
		},
		"one ORed column of two without an index": {
			`create policy p on docs for select to authenticated using (tenant_id = (select app.tenant_id()) or owner = (select app.tenant_id()))`,
			"policy_column_unindexed", []string{"public.docs: p: tenant_id, owner"},
		},
		"one ANDed column of two with an index": {
			`create policy p on docs for select to authenticated using (tenant_id = (select app.tenant_id()) and (owner = (select app.tenant_id())) and open)`,
			"policy_column_unindexed", nil,
		},
		"recursion over two tables": {
			`create policy p on docs for select to authenticated using (tenant_id in (select m.tenant_id from members m));
			create policy q on members for select to authenticated using (exists (select from docs d where d.tenant_id = members.tenant_id))`,
			"policy_recursion", []string{
				"public.docs: its policy p reads public.members, which leads back", "public.members: its policy q reads public.docs, which leads back",
			},
		},
		"a subquery without a way back": {
			`create policy p on docs for select to authenticated using (tenant_id in (select m.tenant_id from members m))`,
			"policy_recursion", nil,
		},
		"user metadata two functions deep": {
			`create function app.raw() returns jsonb language sql stable as $$ select current_setting('request.jwt.claims', true)::jsonb -> 'user_metadata' $$;
			create function app.claimed() returns uuid language plpgsql stable as $$ begin return app.raw() ->> 'tenant'; end $$;
			create policy p on docs for select to authenticated using (tenant_id = (select app.claimed()))`,
			"policy_user_metadata", []string{"public.docs: p reads user_metadata in app.raw()"},
		},
		"an empty search_path still has pg_temp in front": {
			`create function f() returns int language sql security definer set search_path = '' as 'select 1'`,
			"definer_function_unsafe", []string{`public.f(): search_path ("") does not end in pg_temp, so temporary objects come first`},
		},
		"a helper outside of the schemas, used by a policy": {
			`create function app.definer() returns uuid language sql stable security definer as 'select null::uuid';
			create policy p on docs for select to authenticated using (tenant_id = (select app.definer()))`,
			"definer_function_unsafe", []string{"app.definer(): search_path is the caller's"},
		},
		"a trigger's function cannot be called": {
			`create function f() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as 'begin return null; end'`,
			"definer_function_for_everybody", nil,
		},
		"a view of a view": {
			`create view inner_view as select * from docs;
			create view outer_view with (security_invoker = on) as select * from inner_view;
			create materialized view counted as select count(*) from outer_view;
			grant select on outer_view, counted to authenticated`,
			"materialized_view_exposed", []string{"public.counted: rows of public.docs for authenticated"},
		},
		"a view of nothing that is a tenant's": {
			`create view plain as select 1 as one; grant select on plain to authenticated`,
			"view_without_invoker", nil,
		},
		"one privilege on one column is enough to read": {
			`create view peek as select * from docs; grant select (id) on peek to anon`,
			"view_without_invoker", []string{"public.peek: shows public.docs as postgres, who is bound by no policy, to anon"},
		},
		"a table of no tenant": {
			`create table countries (code text primary key); grant select on countries to authenticated`,
			"rls_disabled", nil,
		},
		"what hangs on a tenant's row, and the tenants": {
			`create unique index on docs (id); create table notes (doc uuid references docs (id)); grant select on notes, tenants to anon`,
			"rls_disabled", []string{"public.notes: no row-level security; reachable by anon", "public.tenants: no row-level security; reachable by anon"},
		},
		"a partition reached by its own name": {
			`create table log (tenant_id uuid not null) partition by list (tenant_id);
			alter table log enable row level security;
			create policy p on log for select to authenticated using (tenant_id = (select app.tenant_id()));
			create table log_rest partition of log default;
			grant select on log, log_rest to authenticated`,
			"rls_disabled", []string{"public.log_rest: no row-level security; reachable by authenticated"},
		},
		"a key of what the database gives out": {
			`create table numbered (tenant_id uuid not null references tenants, id bigint generated always as identity primary key, n serial unique, x uuid unique);
			grant select on numbered to authenticated`,
			"unique_across_tenants", nil,
		},
		"an expression": {
			`create unique index docs_owner on docs (lower(owner::text)); create unique index docs_both on docs (lower(tenant_id::text || owner::text))`,
			"unique_across_tenants", []string{"public.docs: public.docs_owner (CREATE UNIQUE INDEX docs_owner ON public.docs USING btree (lower((owner)::text)))"},
		},
		"the other row's tenant in a column of its own": {
			`create table linked (tenant_id uuid not null, id uuid, doc uuid, doc_tenant_id uuid, primary key (tenant_id, id),
				check (doc_tenant_id = tenant_id or doc_tenant_id = '00000000-0000-0000-0000-000000000001'),
				foreign key (doc_tenant_id, doc) references docs (tenant_id, id))`,
			"foreign_key_across_tenants", nil,
		},
		"the same without a check": {
			`create table linked (tenant_id uuid not null, id uuid, doc uuid, doc_tenant_id uuid, primary key (tenant_id, id),
				constraint to_doc foreign key (doc_tenant_id, doc) references docs (tenant_id, id))`,
			"foreign_key_across_tenants", []string{"public.linked: to_doc: FOREIGN KEY (doc_tenant_id, doc) REFERENCES public.docs(tenant_id, id)"},
		},
		"an owner by inheritance": {
			`create role owners; create role app_login login in role owners; alter table docs owner to owners; grant app_login to authenticated; alter role authenticated inherit`,
			"role_bypasses_rls", []string{"authenticated: owns public.docs"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tx, err := conn.Begin(ctx)
			require.NoError(t, err)
			defer func() { require.NoError(t, tx.Rollback(ctx)) }()
			_, err = tx.Exec(ctx, setup+table+c.plant)
			require.NoError(t, err)
			findings, err := isolation.Check(ctx, conn, strangers)
			require.NoError(t, err)
			var found []string
			for _, f := range findings {
				if f.Check == c.lint {
					found = append(found, f.Object+": "+f.Detail)
				}
			}
			require.Equal(t, c.found, found)
		})
	}
}

func TestFindScope(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	d := pgtest.New(t)
	scope, err := isolation.FindScope(ctx, d.Connect(t), isolation.Scope{})
	require.NoError(t, err)
	require.Equal(t, isolation.VitalScope(), scope)
	scope, err = isolation.FindScope(ctx, d.Connect(t), isolation.Scope{Roles: []string{"anon"}})
	require.NoError(t, err)
	require.False(t, scope.Vital, "what was asked for is looked at, and not VITAL's own")

	conn := connectPlain(t, d)
	usage := func(asked isolation.Scope, message string) {
		t.Helper()
		_, err := isolation.FindScope(ctx, conn, asked)
		require.Equal(t, fault.Usage, fault.From(err).Code)
		require.Contains(t, fault.From(err).Message, message)
	}
	usage(isolation.Scope{}, "schema with tables")
	_, err = conn.Exec(ctx, `create table docs (id int); create schema storage; create table storage.objects (tenant_id uuid)`)
	require.NoError(t, err)
	usage(isolation.Scope{}, "tenant column")
	usage(isolation.Scope{TenantColumns: []string{"docs"}}, `tenant column "docs"`)
	usage(isolation.Scope{Schemas: []string{"nowhere"}}, `"nowhere"`)
	_, err = conn.Exec(ctx, `create table a ("orgId" uuid, account_id uuid); create table b ("orgId" uuid)`)
	require.NoError(t, err)
	usage(isolation.Scope{}, "role that requests run as")
	usage(isolation.Scope{Roles: []string{"nobody"}}, `"nobody"`)
	_, err = conn.Exec(ctx, `grant select on a to authenticated`)
	require.NoError(t, err)
	scope, err = isolation.FindScope(ctx, conn, isolation.Scope{})
	require.NoError(t, err)
	require.Equal(t, isolation.Scope{
		Schemas: []string{"public"}, TenantColumns: []string{"orgId"}, Roles: []string{"authenticated"}, Logins: []string{"vital_api"},
	}, scope)
	_, err = conn.Exec(ctx, `revoke select on a from authenticated; grant select on b to vital_service`)
	require.NoError(t, err)
	scope, err = isolation.FindScope(ctx, conn, isolation.Scope{TenantColumns: []string{"account_id"}})
	require.NoError(t, err)
	require.Equal(t, []string{"vital_service"}, scope.Roles, "a plain application's own login")
}

// TestCheck_LeavesSession: the connection is the caller's, and works on as it did.
func TestCheck_LeavesSession(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	conn := pgtest.New(t).Connect(t)
	_, err := conn.Exec(ctx, "set search_path = vital, public")
	require.NoError(t, err)
	_, err = isolation.Check(ctx, conn, isolation.VitalScope())
	require.NoError(t, err)
	require.Equal(t, []string{"vital, public"}, list(t, conn, "show search_path"))
}
