package schema_test

import (
	"context"
	"encoding/json"
	"os"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/schema"
)

// preexisting are the roles of the stand-in and everything that could be changed about them.
const preexisting = `
	select to_jsonb(r)::text from pg_roles r
	where rolname in ('supabase_admin', 'supabase_auth_admin', 'dashboard_user', 'authenticator', 'anon', 'authenticated', 'service_role')
	order by rolname`

const preexistingMembers = `
	select m.member::regrole || ' in ' || m.roleid::regrole || ' ' || m.admin_option from pg_auth_members m
	where m.member::regrole::text not like 'vital%' order by 1`

// TestUp_OnSupabase installs beside an auth schema and roles that are there already.
func TestUp_OnSupabase(t *testing.T) {
	t.Parallel()
	for name, attributes := range map[string]string{
		"AsItComes": "",
		"OtherAttributes": `
			alter role anon inherit connection limit 7;
			alter role authenticated inherit;
			alter role authenticated set statement_timeout = '8s';
			alter role service_role inherit createdb login`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := ownServer(t)
			address := emptyDatabase(t, server)
			conn := connect(t, address)
			standIn, err := os.ReadFile("testdata/supabase.sql")
			require.NoError(t, err)
			execute(t, conn, string(standIn))
			execute(t, conn, attributes)
			roles, members := column[string](t, conn, preexisting), column[string](t, conn, preexistingMembers)
			require.Len(t, roles, 7)
			auth := dump(t, address, "auth")
			require.Contains(t, auth, "ALTER TABLE auth.users OWNER TO supabase_auth_admin")

			up(t, address)
			require.Equal(t, auth, dump(t, address, "auth"), "schema auth is Supabase's")
			require.Equal(t, roles, column[string](t, conn, preexisting))
			require.Equal(t, members, column[string](t, conn, preexistingMembers))
			require.Empty(t, column[string](t, conn, `
				select c.oid::regclass::text from pg_class c
				where c.relnamespace = 'public'::regnamespace and has_table_privilege('anon', c.oid, 'select, insert, update, delete')
				  and c.relkind in ('r', 'p', 'v')`), "default privileges of the platform reach none of our tables")

			execute(t, conn, `
				insert into auth.users (id, email) values ($1, 'ada@example.test')`, id(1, 1))
			execute(t, conn, `
				insert into organizations (id, name, slug, tenant_type, tenant_key) values ('`+id(0, 10)+`', 'A', 'a-co', 'digital_health', 'a');
				insert into users (id, organization_id, email) values ('`+id(1, 1)+`', '`+id(0, 10)+`', 'ada@example.test');
				insert into profiles (id, full_name) values ('`+id(1, 1)+`', 'Ada');
				insert into user_tenants (tenant_id, user_id) values ('`+id(0, 10)+`', '`+id(1, 1)+`');
				alter role vital_api password 'vital_api'; alter role vital_service password 'vital_service';
				alter role authenticator password 'authenticator'`)
			requireSealedContext(t, address)
			requireClaimsContext(t, address, conn)
			requireNoDrift(t, conn, emptyDatabase(t, server))
		})
	}
}

// requireNoDrift compares with what the migrations make of an empty database beside it: what the platform brings is none.
func requireNoDrift(t *testing.T, conn *pgx.Conn, beside string) {
	t.Helper()
	up(t, beside)
	schemas, err := schema.Inventoried(t.Context(), conn)
	require.NoError(t, err)
	require.NotContains(t, schemas, "auth")
	expected, err := schema.ReadInventory(t.Context(), connect(t, beside), schemas)
	require.NoError(t, err)
	actual, err := schema.ReadInventory(t.Context(), conn, schemas)
	require.NoError(t, err)
	require.Empty(t, schema.Compare(expected.WithDeclaredRoles(), actual))
	execute(t, conn, "create role stranger login; grant service_role to stranger")
	actual, err = schema.ReadInventory(t.Context(), conn, schemas)
	require.NoError(t, err)
	drifts := schema.Compare(expected.WithDeclaredRoles(), actual)
	require.Len(t, drifts, 1, "a stranger is none of the platform's")
	require.Equal(t, "stranger in service_role", drifts[0].Object)
}

// requireSealedContext reads a context as the server does.
func requireSealedContext(t *testing.T, address string) {
	t.Helper()
	db, err := postgres.Open(context.Background(), postgres.Config{
		URL: loginAddress(t, address, "vital_api"), ServiceURL: loginAddress(t, address, "vital_service"), MaxConns: 1,
	})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	var body []byte
	work := &postgres.Work{Name: "Context"}
	work.Query("select public.get_user_tenant_context()", func(rows pgx.Rows) error {
		var err error
		body, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[[]byte])
		return err
	})
	caller := identity.Caller{Role: identity.Authenticated, UserID: uuid.MustParse(id(1, 1))}
	require.NoError(t, db.InTenant(context.Background(), caller, "", work))
	requireSlug(t, body, "a-co")
}

// requireClaimsContext reads a context as PostgREST does: refused until the operator decides otherwise.
func requireClaimsContext(t *testing.T, address string, operator *pgx.Conn) {
	t.Helper()
	conn := connect(t, loginAddress(t, address, "authenticator"))
	execute(t, conn, "begin")
	execute(t, conn, "select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)",
		`{"sub": "`+id(1, 1)+`", "role": "authenticated"}`)
	_, err := conn.Exec(context.Background(), "savepoint s; select public.get_user_tenant_context()")
	requireState(t, err, "VT100")
	execute(t, conn, "rollback to s")
	execute(t, operator, "update vital.settings set accept_jwt_claims = true")
	requireSlug(t, one[[]byte](t, conn, "select public.get_user_tenant_context()"), "a-co")
	require.Equal(t, []string{"a-co"}, column[string](t, conn, "select slug from organizations"))
}

func requireSlug(t *testing.T, body []byte, slug string) {
	t.Helper()
	var got struct{ Organization struct{ Slug string } }
	require.NoError(t, json.Unmarshal(body, &got))
	require.Equal(t, slug, got.Organization.Slug)
}
