package isolation_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
)

const (
	tenantA  = "00000000-0000-0000-0000-00000000000a"
	tenantB  = "00000000-0000-0000-0000-00000000000b"
	platform = "00000000-0000-0000-0000-000000000001"
)

// users by the name of their column in the matrix.
var users = map[string]string{
	"viewer":    "10000000-0000-0000-0000-000000000001",
	"member":    "10000000-0000-0000-0000-000000000002",
	"admin":     "10000000-0000-0000-0000-000000000003",
	"owner":     "10000000-0000-0000-0000-000000000004",
	"super":     "10000000-0000-0000-0000-000000000005",
	"outsider":  "10000000-0000-0000-0000-000000000006",
	"suspended": "10000000-0000-0000-0000-000000000007", // a suspended member of A, of nothing else
}

// people are tenants A and B beside the platform, and who belongs to them. Foreign keys are taken away,
// and so are the triggers (limits, last owner …), which run before a policy checks a new row: whether a row
// may be written is asked of the policies alone. Those of organizations stay, they make a tenant whole.
const people = `
do $$
declare
  k record;
begin
  for k in select conname, conrelid::regclass as relation from pg_constraint
    where contype = 'f' and connamespace = 'public'::regnamespace and conparentid = 0
  loop
    execute format('alter table %s drop constraint %I', k.relation, k.conname);
  end loop;
end
$$;
insert into organizations (id, name, slug, tenant_type, tenant_key) values
  ('00000000-0000-0000-0000-00000000000a', 'A', 'a', 'digital_health', 'a'),
  ('00000000-0000-0000-0000-00000000000b', 'B', 'b', 'pharmaceuticals', 'b');
insert into users (id, organization_id, email)
select ('10000000-0000-0000-0000-00000000000' || n)::uuid, '00000000-0000-0000-0000-00000000000b', n || '@x.test'
from generate_series(1, 7) n;
insert into profiles (id, email, role)
select id, email, case when email = '5@x.test' then 'super_admin' else 'user' end from users;
insert into user_tenants (tenant_id, user_id, role, status)
select o.id, u.id, case
    when o.slug <> 'a' then 'owner'
    else (array['viewer', 'member', 'admin', 'owner', null, null, 'owner'])[left(u.email, 1)::int]
  end, case when u.email = '7@x.test' then 'suspended' else 'active' end
from organizations o, users u
where o.slug = 'a' and u.email not in ('5@x.test', '6@x.test')
   or o.slug = 'b' and u.email not in ('5@x.test', '7@x.test')
   or o.slug = 'platform' and u.email = '5@x.test';
insert into feature_flags (flag_key, is_active) values ('in_use', true), ('out_of_use', false);
insert into feature_flag_versions (feature_flag_id, version, config) select id, 100, '{}' from feature_flags;
insert into schema_validation_rules (table_name, column_name, data_type) values ('nowhere', 'nothing', 'text');
do $$
declare
  r record;
begin
  for r in select oid::regclass as relation from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relname <> 'organizations'
  loop
    execute format('alter table %s disable trigger user', r.relation);
  end loop;
end
$$`

// relation is one table or view of schema public, seen from outside: r is its alias.
type relation struct {
	name    string
	key     string // identifies a row; readable by whoever may read anything
	tenants string // the tenants a row belongs to
	user    string // the user a row belongs to
	insert  string // into ... : a row of {tenant} and {user}
	set     string // what a harmless update sets, without reading a column
	tenant  string // the column that moves a row to another tenant, if there is one
}

// ofTenant is a relation keyed by tenant_id and id.
func ofTenant(name, insert, set string) relation {
	return relation{
		name: name, key: "r.tenant_id || '/' || r.id", tenants: "array[r.tenant_id]", user: "null",
		insert: insert, set: set, tenant: "tenant_id",
	}
}

// ofUser is such a relation whose rows belong to a user as well.
func ofUser(name, insert, set string) relation {
	r := ofTenant(name, insert, set)
	r.user = "r.user_id"
	return r
}

// ofPlatform is a relation without tenants, keyed by id.
func ofPlatform(name, insert, set string) relation {
	return relation{name: name, key: "r.id::text", tenants: "'{}'::uuid[]", user: "null", insert: insert, set: set}
}

const (
	memberships = "array(select m.tenant_id from public.user_tenants m where m.user_id = r.id)"
	anySlug     = "'x' || replace(gen_random_uuid()::text, '-', '')"
)

var relations = []relation{
	{
		name: "organizations", key: "r.id::text", tenants: "array[r.id]", user: "null", set: "metadata = '{}'",
		insert: "(name, slug, tenant_type, tenant_key) values ('N', " + anySlug + ", 'digital_health', " + anySlug + ")",
	},
	{
		name: "users", key: "r.id::text", tenants: memberships, user: "r.id", set: "email = 'n@x.test'",
		insert: "(id, organization_id, email) values (gen_random_uuid(), {tenant}, 'n@x.test')",
	},
	{
		name: "profiles", key: "r.id::text", tenants: memberships, user: "r.id", set: "full_name = 'N'",
		insert: "(id, tenant_id) values (gen_random_uuid(), {tenant})",
	},
	ofUser("user_tenants", "(tenant_id, user_id) values ({tenant}, gen_random_uuid())", "role = 'owner'"),
	ofTenant("invitations", "(tenant_id, email, token_hash) values ({tenant}, "+anySlug+" || '@x.test', sha256(uuid_send(gen_random_uuid())))", "role = 'owner'"),
	{ // its tenant_id is granted to nobody, so it is not moved
		name: "tenant_configurations", key: "r.tenant_id || '/' || r.id", tenants: "array[r.tenant_id]", user: "null",
		insert: "(tenant_id) values ({tenant})", set: "limits = '{}'",
	},
	ofTenant("tenant_apps", "(tenant_id, app_key, app_name, app_route) values ({tenant}, "+anySlug+", 'N', '/n')", "config = '{}'"),
	ofTenant("tenant_agents", "(tenant_id, agent_tenant_id, agent_id) values ({tenant}, {tenant}, gen_random_uuid())", "display_order = 1"),
	{
		name: "tenant_full_config", key: "r.tenant_id::text", tenants: "array[r.tenant_id]", user: "null",
		insert: "(tenant_id) values ({tenant})", set: "name = 'N'",
	},
	{
		name: "feature_flags", key: "r.id::text", tenants: "'{}'::uuid[]", user: "null",
		insert: "(flag_key) values (" + anySlug + ")", set: "description = 'N'",
	},
	ofPlatform("feature_flag_versions", "(feature_flag_id, version, config) values (gen_random_uuid(), 1, '{}')", "reason = 'N'"),
	ofTenant("tenant_feature_flags", "(tenant_id, feature_flag_id) values ({tenant}, gen_random_uuid())", "enabled = true"),
	ofPlatform("feature_flag_evaluators", "(name, rule) values ("+anySlug+", '{}')", "description = 'N'"),
	ofPlatform("feature_flag_changes", "(feature_flag_id, changes, run_at) values (gen_random_uuid(), '{}', now())", "reason = 'N'"),
	ofTenant("tenant_feature_flag_changes", "(tenant_id, feature_flag_id, changes, run_at) values ({tenant}, gen_random_uuid(), '{}', now())", "reason = 'N'"),
	{
		name: "tenant_feature_flag_usage", key: "r.tenant_id || '/' || r.feature_flag_id", tenants: "array[r.tenant_id]", user: "null",
		insert: "(tenant_id, feature_flag_id, variant, day, evaluations, last_evaluated_at) values ({tenant}, gen_random_uuid(), 'on', current_date, 1, now())",
		set:    "evaluations = 2", tenant: "tenant_id",
	},
	ofTenant("tenant_feature_flag_versions", "(tenant_id, feature_flag_id, version, config) values ({tenant}, gen_random_uuid(), 1, '{}')", "reason = 'N'"),
	ofTenant("agents", "(tenant_id, name, slug) values ({tenant}, 'N', "+anySlug+")", "description = 'N'"),
	ofTenant("tools", "(tenant_id, name, slug) values ({tenant}, 'N', "+anySlug+")", "description = 'N'"),
	ofTenant("tool_categories", "(tenant_id, name, slug) values ({tenant}, 'N', "+anySlug+")", "description = 'N'"),
	ofTenant("prompts", "(tenant_id, title) values ({tenant}, 'N')", "body = 'N'"),
	ofTenant("knowledge", "(tenant_id, title) values ({tenant}, 'N')", "body = 'N'"),
	ofTenant("personas", "(tenant_id, name) values ({tenant}, 'N')", "body = 'N'"),
	ofTenant("jobs_to_be_done", "(tenant_id, title) values ({tenant}, 'N')", "body = 'N'"),
	ofUser("chat_sessions", "(tenant_id, user_id) values ({tenant}, {user})", "title = 'N'"),
	{
		name: "organization_audit_log", key: "r.organization_id || '/' || r.id", tenants: "array[r.organization_id]", user: "null",
		insert: "(organization_id, action, seq, commitment, previous_hash, hash) values ({tenant}, 'forged', (random() * 1e15)::bigint + 1000, '', '', '')", set: "reason = 'N'", tenant: "organization_id",
	},
	ofUser("tool_usage_log", "(tenant_id, tool_tenant_id, tool_id, user_id, success) values ({tenant}, {tenant}, gen_random_uuid(), {user}, true)", "success = false"),
	ofUser("query_performance", "(tenant_id, user_id) values ({tenant}, {user})", "success = false"),
	ofUser("query_performance_log", "(tenant_id, user_id, success) values ({tenant}, {user}, true)", "success = false"),
	ofUser("access_records", "(tenant_id, user_id, acting_role, database_login, action, table_name) values ({tenant}, {user}, 'n', 'n', 'read', 'n')", "request_id = 'N'"),
	ofUser("break_glass", "(tenant_id, user_id, reason, until) values ({tenant}, {user}, 'n', now() + interval '1 hour')", "reason = 'N'"),
	ofPlatform("schema_validation_rules", "(table_name, column_name, data_type) values (gen_random_uuid()::text, 'n', 'text')", "data_type = 'N'"),
}

// seeded are inserted below for each tenant; the other relations have their rows from people and from
// triggers.
var seeded = []string{
	"invitations", "tenant_agents", "tenant_feature_flags", "tenant_feature_flag_versions",
	"feature_flag_evaluators", "feature_flag_changes", "tenant_feature_flag_changes", "tenant_feature_flag_usage", "agents", "tools", "tool_categories",
	"prompts", "knowledge", "personas", "jobs_to_be_done", "chat_sessions", "organization_audit_log", "tool_usage_log", "query_performance",
	"access_records", "break_glass",
}

// bundle is a database with rows of A, B and the platform in every relation, and a server's pools.
type bundle struct {
	*pgtest.Database
	db    *postgres.DB
	super *pgx.Conn // looks behind the policies
	known map[string][]row
}

// row is one row as the superuser sees it.
type row struct {
	key     string
	tenants []string
	user    string
	active  bool
}

// setup makes the bundle and then runs afterwards, say to change a tenant's state.
func setup(t *testing.T, afterwards string) *bundle {
	t.Helper()
	d := pgtest.New(t)
	b := &bundle{Database: d, super: d.Connect(t), known: map[string][]row{}}
	ctx := context.Background()
	_, err := b.super.Exec(ctx, people)
	require.NoError(t, err)
	for _, r := range relations {
		if !slices.Contains(seeded, r.name) {
			continue
		}
		for _, tenant := range []string{tenantA, tenantB, platform} {
			for _, user := range users {
				_, err := b.super.Exec(ctx, "insert into public."+r.name+" "+r.values(tenant, user))
				require.NoError(t, err, r.name)
			}
		}
	}
	_, err = b.super.Exec(ctx, afterwards)
	require.NoError(t, err)
	for _, r := range relations {
		b.known[r.name] = b.read(t, r)
		require.NotEmpty(t, b.known[r.name], "%s has no rows to be protected", r.name)
	}
	b.db = d.Open(t, postgres.Config{})
	return b
}

func (b *bundle) read(t *testing.T, r relation) []row {
	t.Helper()
	active := "false"
	if r.name == "feature_flags" {
		active = "r.is_active"
	}
	text := "select " + r.key + ", (" + r.tenants + ")::text[], coalesce((" + r.user + ")::text, ''), " + active + " from public." + r.name + " r"
	rows, err := b.super.Query(context.Background(), text)
	require.NoError(t, err, r.name)
	known, err := pgx.CollectRows(rows, func(from pgx.CollectableRow) (got row, err error) {
		return got, from.Scan(&got.key, &got.tenants, &got.user, &got.active)
	})
	require.NoError(t, err, r.name)
	return known
}

// values is the rest of an insert statement for a row of tenant and user.
func (r relation) values(tenant, user string) string {
	return strings.NewReplacer("{tenant}", "'"+tenant+"'", "{user}", "'"+user+"'").Replace(r.insert)
}

// actor is somebody in a tenant.
type actor struct {
	name   string // as in users; anon, or service for service_role
	tenant string // the one they act in
}

func (a actor) caller() identity.Caller {
	if a.name == "anon" {
		return identity.Anonymous()
	}
	return identity.Caller{Role: identity.Authenticated, UserID: uuid.MustParse(users[a.name])}
}

// errUndo ends a transaction of AsService that is not to be kept.
var errUndo = errors.New("undo")

// outcome is what one statement did before it was undone.
type outcome struct {
	keys     []string // the first column
	affected int64
	err      error // of the statement
}

// try runs one statement as a and undoes it.
func (b *bundle) try(a actor, text string) outcome {
	var got outcome
	read := func(rows pgx.Rows) error {
		var err error
		got.keys, err = pgx.CollectRows(rows, pgx.RowTo[string])
		got.affected = rows.CommandTag().RowsAffected()
		return err
	}
	ctx := context.Background()
	if a.name == "service" {
		got.err = b.db.AsService(ctx, "Matrix", func(tx pgx.Tx) error {
			rows, err := tx.Query(ctx, text)
			if err == nil {
				err = read(rows)
			}
			return errors.Join(err, errUndo)
		})
		if joined, ok := got.err.(interface{ Unwrap() []error }); ok && len(joined.Unwrap()) == 1 {
			got.err = nil
		}
		return got
	}
	refused := false
	work := &postgres.Work{Name: "Matrix", Writes: true}
	work.Query(text, func(rows pgx.Rows) error {
		err := read(rows)
		refused = err == nil // a reader's own error undoes what was written
		return errors.Join(err, errUndo)
	})
	if got.err = b.db.InTenant(ctx, a.caller(), a.tenant, work); refused {
		got.err = nil
	}
	return got
}
