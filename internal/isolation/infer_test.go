package isolation_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/pgtest"
)

// strangers are databases as others build them. auth.uid and auth.jwt are as Supabase defines them.
const supabase = `
create schema app;
create or replace function auth.uid() returns uuid language sql stable as $$
  select coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''), (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'))::uuid $$;
create or replace function auth.jwt() returns jsonb language sql stable as $$
  select coalesce(nullif(current_setting('request.jwt.claim', true), ''), nullif(current_setting('request.jwt.claims', true), ''))::jsonb $$;
create table app.organizations (id uuid primary key, name text);
create table app.profiles (id uuid primary key references auth.users, full_name text);
create table app.memberships (org_id uuid references app.organizations, user_id uuid references auth.users, role text, primary key (org_id, user_id));
create table app.documents (id uuid primary key, org_id uuid references app.organizations, author uuid references auth.users, title text, public boolean);
create table app.notes (id uuid primary key, org_id uuid, title text);
create table app.claimed (id uuid primary key, org_id uuid);
create table app.forged (id uuid primary key, org_id uuid);
create table app.helped (id uuid primary key, org_id uuid);
create table app.authored (id uuid primary key, org_id uuid);
create function app.my_orgs() returns setof uuid language sql stable security definer set search_path = '' as $$
  select org_id from app.memberships where user_id = (select auth.uid()) $$;
create policy a on app.organizations using (id in (select org_id from app.memberships where user_id = auth.uid()));
create policy a on app.profiles using (id = auth.uid());
create policy a on app.memberships using (user_id = auth.uid());
create policy a on app.documents using (exists (select 1 from app.memberships m where m.org_id = documents.org_id and m.user_id = auth.uid()));
create policy a on app.notes using (exists (select 1 from app.memberships m where m.org_id = org_id and m.user_id = auth.uid()));
create policy a on app.claimed using (org_id = (auth.jwt() -> 'app_metadata' ->> 'org_id')::uuid);
create policy a on app.forged using (org_id = (auth.jwt() -> 'user_metadata' ->> 'org_id')::uuid);
create policy a on app.helped using (org_id in (select app.my_orgs()));
create policy a on app.authored using (org_id in (select org_id from app.documents where author = auth.uid()))`

func TestInfer_Supabase(t *testing.T) {
	t.Parallel()
	found, verdicts := infer(t, supabase)
	require.Equal(t, "org_id", found.TenantColumn)
	require.Equal(t, "app.organizations", found.TenantTable)
	require.Equal(t, []isolation.Membership{{Relation: "app.memberships", Tenant: "org_id", User: "user_id"}}, found.Memberships)
	require.Empty(t, found.TenantSettings())
	require.Equal(t, []string{
		"org_id is the tenant a row belongs to, in 7 tables",
		"a row of app.memberships makes the user in user_id a member of the tenant in org_id",
		"the claim app_metadata.org_id of the verified token is the caller's tenant",
	}, found.Assumed)
	for table, proved := range map[string]bool{
		"organizations": true, "profiles": true, "memberships": true, "documents": true, "claimed": true, "helped": true,
		"notes":    false, // org_id is the membership's own: every member of anything reads every note
		"forged":   false,
		"authored": false, // an author's documents make nobody a member
	} {
		require.Equal(t, proved, verdicts["app."+table].Proved, "%s: %s", table, verdicts["app."+table].Reason)
	}
}

const settings = `
create schema app;
create table app.accounts (id bigint primary key);
create table app.users (id bigint primary key, account_id bigint references app.accounts);
create function app.current_account() returns bigint language plpgsql stable as $$ begin return nullif(current_setting('app.account_id', true), '')::bigint; end $$;
create function app.account() returns bigint stable return (select app.current_account());
create function app.branching() returns bigint language plpgsql stable as $$ begin if random() > 1 then return 1; end if; return current_setting('app.account_id')::bigint; end $$;
create function app.constant() returns bigint language sql stable as 'select 1::bigint';
create function app.unpinned() returns bigint language sql stable as $$ select account_id from app.users where id = current_setting('app.user_id')::bigint $$;
create function app.pinned() returns bigint language sql stable set search_path = '' as $$ select account_id from app.users where id = current_setting('app.user_id')::bigint $$;
create function app.unfiltered() returns bigint language sql stable set search_path = '' as $$ select account_id from app.users limit 1 $$;
do $$
declare
  source text;
begin
  foreach source in array '{current_account,account,branching,constant,unpinned,pinned,unfiltered}'::text[] loop
    execute format('create table app.by_%s (id bigint primary key, account_id bigint, note text)', source);
    execute format('create policy a on app.by_%s using (account_id = app.%s())', source, source);
  end loop;
end
$$;
create table app.direct (id bigint primary key, account_id bigint, note text);
create policy a on app.direct using ((account_id)::text = current_setting('app.account_id', true));
create policy a on app.users using (id = current_setting('app.user_id', true)::bigint)`

func TestInfer_Settings(t *testing.T) {
	t.Parallel()
	found, verdicts := infer(t, settings)
	require.Equal(t, "account_id", found.TenantColumn)
	require.Equal(t, []string{"app.account_id"}, found.TenantSettings())
	require.Equal(t, isolation.MyUser, found.Settings["app.user_id"])
	require.Contains(t, found.Assumed, "current_setting('app.account_id') is set by the server to the caller's tenant, and by nobody else")
	for table, proved := range map[string]bool{
		"direct": true, "users": true, "by_current_account": true, "by_account": true, "by_pinned": true,
		"by_branching": false, "by_constant": false, "by_unpinned": false, "by_unfiltered": false,
	} {
		require.Equal(t, proved, verdicts["app."+table].Proved, "%s: %s", table, verdicts["app."+table].Reason)
	}
}

func TestInfer_Nothing(t *testing.T) {
	t.Parallel()
	found, verdicts := infer(t, "create schema app; create table app.things (id int primary key); create policy a on app.things using (id > 0)")
	require.Empty(t, found.TenantColumn)
	require.Empty(t, found.Assumed)
	require.False(t, verdicts["app.things"].Proved)
}

// infer builds a database, guesses, and asks of each of its tables what may be read.
func infer(t *testing.T, schema string) (isolation.Inference, map[string]isolation.Implication) {
	t.Helper()
	ctx := context.Background()
	conn := pgtest.New(t).Connect(t)
	_, err := conn.Exec(ctx, schema)
	require.NoError(t, err)
	_, err = conn.Exec(ctx, `
		do $$
		declare
		  r record;
		begin
		  for r in select oid::regclass as name from pg_class where relnamespace = 'app'::regnamespace and relkind = 'r' loop
		    execute format('alter table %s enable row level security', r.name);
		  end loop;
		end
		$$`)
	require.NoError(t, err)
	read, err := isolation.ReadDatabase(ctx, conn, "authenticated", []string{"app"})
	require.NoError(t, err)
	found := isolation.Infer(read)
	verdicts := map[string]isolation.Implication{}
	for _, guard := range read.Guards {
		verdicts[guard.Relation], err = guard.Proves("select", found.Ground(guard.Relation))
		require.NoError(t, err)
	}
	return found, verdicts
}
