package httpapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/httpapi"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/rest"
)

// restFixture gives B ten times what A has, and each tenant something of its own that no other may read.
const restFixture = `
insert into prompts (tenant_id, title, body) select '` + tenantA + `', 'prompt ' || n || ' of A', 'belongs to acme' from generate_series(1, 5) n;
insert into prompts (tenant_id, title, body) select '` + tenantB + `', 'prompt ' || n || ' of B', 'secret_of_b' from generate_series(1, 50) n;
insert into personas (tenant_id, name) values ('` + tenantA + `', 'persona of A'), ('` + tenantB + `', 'secret_of_b persona');
create function public.refuse(code text) returns void language plpgsql stable as $$ begin
	raise sqlstate 'PGRST' using message = json_build_object('code', code, 'message', 'no'), detail = '{"status": 418, "headers": {}}';
end $$;
grant execute on function public.refuse to authenticated;
create table public.countries (code text primary key);
insert into public.countries values ('DE');
grant select, insert on public.countries to authenticated, service_role;
create table public.nothing_yet (id int primary key);
grant select on public.nothing_yet to authenticated;
analyze prompts, personas, countries, nothing_yet;
`

// setupRest serves /rest/v1 over a database of two tenants.
func setupRest(t testing.TB, change ...func(*httpapi.Config, *postgres.Config)) *bundle {
	t.Helper()
	var b *bundle
	engine := rest.New(rest.Config{
		Schemas: []string{"public"}, Aggregates: true, Plans: true,
		ReadCatalog: func(ctx context.Context, read func(pgx.Tx) error) error {
			return b.pool.AsService(ctx, "CatalogRead", read)
		},
	})
	b = setup(t, append(change, func(c *httpapi.Config, _ *postgres.Config) { c.Rest = engine })...)
	b.db.Exec(t, writeFixture+restFixture)
	require.NoError(t, engine.Load(context.Background()))
	b.engine = engine
	return b
}

func (b *bundle) serviceKey() string {
	b.t.Helper()
	key, err := b.issuer.Issue(identity.Grant{Role: identity.ServiceRole, TTL: time.Hour})
	require.NoError(b.t, err)
	return key
}

// number reads one number as superuser.
func (b *bundle) number(text string, args ...any) int {
	b.t.Helper()
	var n int
	require.NoError(b.t, b.db.Connect(b.t).QueryRow(context.Background(), text, args...).Scan(&n), text)
	return n
}

func rowsOf(t testing.TB, got answer) []map[string]any {
	t.Helper()
	var rows []map[string]any
	require.NoError(t, json.Unmarshal([]byte(got.body), &rows), got.body)
	return rows
}

// requireRestError checks the shape clients of PostgREST read.
func requireRestError(t testing.TB, got answer, status int, code string) {
	t.Helper()
	require.Equal(t, status, got.status, got.body)
	body := got.decode(t)
	require.Equal(t, code, body["code"], got.body)
	for _, key := range []string{"message", "details", "hint"} {
		require.Contains(t, body, key)
	}
	requireNothingOfB(t, got)
}

// requireNothingOfB wants nothing of tenant B in an answer, its errors and headers included.
func requireNothingOfB(t testing.TB, got answer) {
	t.Helper()
	whole := strings.ToLower(got.body + fmt.Sprint(got.header))
	for _, telling := range []string{"secret_of_b", "bob@bolt.test", "of b\"", "agent of b"} {
		require.NotContains(t, whole, telling)
	}
}

// TestRest_OtherTenantInvisible reads every relation there is as an admin of A, in every way rows are counted.
func TestRest_OtherTenantInvisible(t *testing.T) {
	t.Parallel()
	b := setupRest(t)
	token := bearer(b.token(ada, ""))
	conn := b.db.Connect(t)
	rows, err := conn.Query(context.Background(), `select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'v', 'p') order by 1`)
	require.NoError(t, err)
	relations, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Contains(t, relations, "tenant_full_config")
	for _, relation := range relations {
		t.Run(relation, func(t *testing.T) {
			t.Parallel()
			got := b.get("/rest/v1/"+relation, token...)
			requireNothingOfB(t, got)
			if got.status != http.StatusOK {
				require.Contains(t, []int{403, 404}, got.status, got.body)
				return
			}
			seen := rowsOf(t, got)
			for _, row := range seen {
				if relation != "users" { // whose column names their default tenant
					require.NotEqual(t, tenantB, row["tenant_id"], "%v", row)
				}
			}
			for _, count := range []string{"exact", "planned", "estimated"} {
				for _, path := range []string{relation, relation + "?limit=1"} {
					for _, method := range []string{http.MethodGet, http.MethodHead} {
						got := b.do(method, "/rest/v1/"+path, with(token, "Prefer", "count="+count)...)
						require.Contains(t, []int{200, 206}, got.status, got.body)
						_, total, _ := strings.Cut(got.header.Get("Content-Range"), "/")
						require.Equal(t, fmt.Sprint(len(seen)), total, "%s %s count=%s tells how many there are", method, path, count)
					}
				}
			}
		})
	}
}

func TestRest_Reads(t *testing.T) {
	t.Parallel()
	b := setupRest(t)
	token := bearer(b.token(ada, ""))
	for path, want := range map[string]int{
		"prompts": 5, "prompts?body=like.secret_of*": 0, "prompts?tenant_id=eq." + tenantB: 0, "prompts?or=(tenant_id.eq." + tenantB + ",tenant_id.eq." + tenantA + ")": 5,
		"agents?id=eq." + agentB: 0, "agents?select=name&order=name": 2, "organizations": 1, "tenant_full_config": 1, "tenant_configurations": 1,
		"organizations?select=id,user_tenants(user_id)": 1, "user_tenants?tenant_id=neq." + tenantA: 0, "prompts?select=count()": 1,
		"organizations?select=name,prompts(title)": 1, "organizations?select=name,prompts!inner(title)&prompts.tenant_id=eq." + tenantB: 0,
		"prompts?select=title,...organizations(slug)&slug=eq.bolt": -1,
	} {
		got := b.get("/rest/v1/"+path, token...)
		requireNothingOfB(t, got)
		if want < 0 {
			require.NotEqual(t, http.StatusOK, got.status, path)
			continue
		}
		require.Equal(t, http.StatusOK, got.status, "%s: %s", path, got.body)
		require.Len(t, rowsOf(t, got), want, path)
	}
	require.JSONEq(t, `[{"count": 5}]`, b.get("/rest/v1/prompts?select=count()", token...).body)
	got := b.get("/rest/v1/organizations?select=prompts(count)", token...)
	require.JSONEq(t, `[{"prompts": [{"count": 5}]}]`, got.body)
	require.Equal(t, "private, no-cache", got.header.Get("Cache-Control"))
	require.Contains(t, strings.Join(got.header.Values("Vary"), ", "), "Authorization, Apikey, Vital-Tenant")
	require.Len(t, rowsOf(t, b.get("/rest/v1/prompts", bearer(b.token(bob, ""))...)), 50, "it is there for B")
	requireRestError(t, b.get("/rest/v1/prompts", with(token, "Accept", "application/vnd.pgrst.plan+json")...), 406, "PGRST107")
	for _, schema := range []string{"vital", "auth", "pg_catalog", "information_schema"} {
		requireRestError(t, b.get("/rest/v1/versions", with(token, "Accept-Profile", schema)...), 406, "PGRST106")
	}
	requireRestError(t, b.get("/rest/v1/prompts?select=xmin", token...), 400, "42703")
}

func TestRest_Writes(t *testing.T) {
	t.Parallel()
	b := setupRest(t)
	before := b.number("select count(*)::int from prompts where tenant_id = $1", tenantB)
	promptB := ""
	require.NoError(t, b.db.Connect(t).QueryRow(context.Background(), "select id::text from prompts where tenant_id = $1 limit 1", tenantB).Scan(&promptB))
	row := `{"tenant_id": "` + tenantB + `", "id": "` + promptB + `", "title": "taken", "body": "by ada"}`
	for _, c := range []struct {
		method, path, body, prefer string
		status                     int
	}{
		{"POST", "prompts", row, "return=minimal", 403},
		{"POST", "prompts", row, "resolution=merge-duplicates", 403},
		{"POST", "prompts", row, "resolution=ignore-duplicates", 403},
		{"POST", "prompts", `{"tenant_id": "` + tenantB + `", "title": "planted"}`, "return=representation", 403},
		{"PATCH", "prompts?tenant_id=eq." + tenantB, `{"title": "taken"}`, "count=exact", 204},
		{"PATCH", "prompts?id=eq." + promptB, `{"title": "taken"}`, "return=representation", 200},
		{"PATCH", "prompts?tenant_id=eq." + tenantA, `{"tenant_id": "` + tenantB + `"}`, "return=minimal", 403},
		{"DELETE", "prompts?id=eq." + promptB, "", "count=exact", 204},
		{"DELETE", "prompts?tenant_id=eq." + tenantB, "", "return=representation", 200},
		{"DELETE", "organizations?id=eq." + tenantB, "", "return=minimal", 403},
		{"PATCH", "tenant_configurations?tenant_id=eq." + tenantB, `{"limits": {}}`, "count=exact", 204},
		{"POST", "user_tenants", `{"tenant_id": "` + tenantB + `", "user_id": "` + ada + `", "role": "admin"}`, "return=minimal", 403},
		{"PATCH", "profiles?id=eq." + ada, `{"role": "super_admin"}`, "return=minimal", 403},
	} {
		got := b.send(c.method, "/rest/v1/"+c.path, ada, c.body, "Prefer", c.prefer)
		require.Equal(t, c.status, got.status, "%s %s: %s", c.method, c.path, got.body)
		requireNothingOfB(t, got)
		switch {
		case c.prefer == "count=exact":
			require.Equal(t, "*/0", got.header.Get("Content-Range"), c.path)
		case c.status == 200:
			require.JSONEq(t, `[]`, got.body)
		}
	}
	got := b.send("PUT", "/rest/v1/prompts?tenant_id=eq."+tenantB+"&id=eq."+promptB, ada, row)
	require.Equal(t, 403, got.status, got.body)
	require.Equal(t, before, b.number("select count(*)::int from prompts where tenant_id = $1 and title not in ('taken', 'planted')", tenantB))
	require.Zero(t, b.number("select count(*)::int from user_tenants where tenant_id = $1 and user_id = $2", tenantB, ada))

	own := `{"tenant_id": "` + tenantA + `", "id": "` + promptB + `", "title": "own"}`
	got = b.send("POST", "/rest/v1/prompts?select=title", ada, own, "Prefer", "return=representation")
	require.Equal(t, 201, got.status, "that B has this id is nothing A learns: %s", got.body)
	got = b.send("PATCH", "/rest/v1/prompts?id=eq."+promptB, ada, `{"title": "own too"}`, "Prefer", "return=representation")
	require.Len(t, rowsOf(t, got), 1)
	require.Equal(t, before, b.number("select count(*)::int from prompts where tenant_id = $1 and body = 'secret_of_b'", tenantB))
	got = b.send("POST", "/rest/v1/prompts?select=title", ada, `{"tenant_id": "`+tenantA+`", "title": "kept"}`, "Prefer", "tx=rollback")
	require.Equal(t, 201, got.status)
	require.Empty(t, got.header.Get("Preference-Applied"), "nobody has allowed that")
	require.Equal(t, 1, b.number("select count(*)::int from prompts where title = 'kept'"))

	require.Equal(t, 403, b.send("POST", "/rest/v1/prompts", vic, `{"tenant_id": "`+tenantA+`", "title": "of a viewer"}`).status)
	requireRestError(t, b.send("POST", "/rest/v1/prompts", ada, `{"titel": 1}`), 400, "PGRST204")
}

func TestRest_Root(t *testing.T) {
	t.Parallel()
	b := setupRest(t)
	anonymous, member := b.get("/rest/v1/"), b.get("/rest/v1/", bearer(b.token(ada, ""))...)
	require.Equal(t, http.StatusOK, anonymous.status, anonymous.body)
	require.Equal(t, http.StatusOK, member.status, member.body)
	require.NotContains(t, anonymous.body, `"/prompts"`)
	require.Contains(t, member.body, `"/prompts"`)
	for _, got := range []answer{anonymous, member} {
		requireNothingOfB(t, got)
		for _, internal := range []string{"seal_key", "vital_owner"} {
			require.NotContains(t, got.body, internal)
		}
	}
}

func TestRest_Functions(t *testing.T) {
	t.Parallel()
	b := setupRest(t)
	got := b.get("/rest/v1/rpc/get_user_tenant_context", bearer(b.token(ada, ""))...)
	require.Equal(t, http.StatusOK, got.status, got.body)
	require.Contains(t, got.body, tenantA)
	require.NotContains(t, got.body, tenantB)
	got = b.get("/rest/v1/rpc/get_user_tenant_context?p_user_id="+bob, bearer(b.token(ada, ""))...)
	requireNothingOfB(t, got)
	require.NotContains(t, got.body, tenantB)
	require.Equal(t, `true`, b.get("/rest/v1/rpc/is_tenant_admin", bearer(b.token(ada, ""))...).body)
	require.Equal(t, `false`, b.get("/rest/v1/rpc/is_tenant_admin", bearer(b.token(dana, tenantB))...).body)
	got = b.send("POST", "/rest/v1/rpc/assign_agent", ada, `{"p_agent_id": "`+agentB+`", "p_agent_tenant_id": "`+tenantB+`"}`)
	require.GreaterOrEqual(t, got.status, 400, got.body)
	requireNothingOfB(t, got)
	got = b.send("POST", "/rest/v1/rpc/toggle_tenant_feature", ada, `{"p_flag_key": "two", "p_enabled": true}`)
	require.Equal(t, http.StatusOK, got.status, got.body)
	require.Equal(t, 1, b.number("select count(*)::int from tenant_feature_flags where tenant_id = $1 and enabled", tenantA))
	requireRestError(t, b.get("/rest/v1/rpc/toggle_tenant_feature?p_flag_key=two&p_enabled=false", bearer(b.token(ada, ""))...), 405, "25006")
	for _, internal := range []string{"seal_key", "rotate_seal_key", "user_id", "caller_context"} {
		got := b.get("/rest/v1/rpc/"+internal, bearer(b.token(ada, ""))...)
		require.Equal(t, 404, got.status, got.body)
	}
}

// TestRest_FlagVersions: who has seen another version of a flag changes nothing, by a filter or by name.
func TestRest_FlagVersions(t *testing.T) {
	t.Parallel()
	b := setupRest(t)
	const one = "/rest/v1/feature_flags?flag_key=eq.one&select=version&version=eq."
	change := func(version, text string) string {
		got := b.send("PATCH", one+version, root, `{"description": "`+text+`"}`, "Prefer", "return=representation")
		require.Equal(t, http.StatusOK, got.status, got.body)
		return got.body
	}
	require.JSONEq(t, `[{"version": 2}]`, change("1", "mine"))
	require.JSONEq(t, `[]`, change("1", "stale"))
	const set = "/rest/v1/rpc/set_feature_flag"
	requireRestError(t, b.send("POST", set, root, `{"p_flag_key": "one", "p_changes": {"owner": "x"}, "p_expected_version": 1}`), 412, "precondition_failed")
	requireRestError(t, b.send("POST", set, root, `{"p_flag_key": "one", "p_changes": {"prerequisites": [{"flag_key": "one", "variants": ["on"]}]}}`), 422, "prerequisite_invalid")
	requireRestError(t, b.send("POST", set, ada, `{"p_flag_key": "one", "p_changes": {}}`), 403, "permission_denied")
	requireRestError(t, b.send("DELETE", "/rest/v1/feature_flags?flag_key=eq.one", root, ""), 409, "23503")
	got := b.get("/rest/v1/rpc/feature_flag_history?p_flag_key=one&select=version,created_by&limit=1", bearer(b.token(root, ""))...)
	require.JSONEq(t, `[{"version": 2, "created_by": "`+root+`"}]`, got.body)

	// A tenant's own: the other one's history and schedule are nobody's business here.
	got = b.get("/rest/v1/rpc/tenant_feature_history?p_flag_key=two", bearer(b.token(ada, ""))...)
	require.JSONEq(t, `[]`, got.body)
	requireRestError(t, b.send("POST", "/rest/v1/rpc/rollback_tenant_feature", ada, `{"p_flag_key": "two", "p_version": 1}`), 404, "not_found")
	got = b.send("POST", "/rest/v1/rpc/schedule_tenant_feature?select=status", bob, `{"p_flag_key": "two", "p_changes": {"enabled": false}, "p_run_at": "2999-01-01"}`)
	require.JSONEq(t, `{"status": "pending"}`, got.body)
	got = b.get("/rest/v1/tenant_feature_flag_changes", bearer(b.token(ada, ""))...)
	require.JSONEq(t, `[]`, got.body)
}

// TestRest_Recorded: the log and the metrics know an error by the code its caller sees, and never by one that
// came with the request.
func TestRest_Recorded(t *testing.T) {
	t.Parallel()
	b := setupRest(t)
	token := bearer(b.token(ada, ""))
	requireRestError(t, b.get("/rest/v1/nowhere", token...), 404, "PGRST205")
	requireRestError(t, b.get("/rest/v1/prompts?version=eq.x", token...), 400, "22P02")
	requireRestError(t, b.get("/rest/v1/rpc/refuse?code=anything", token...), 418, "anything")
	require.Eventually(t, func() bool { return strings.Count(b.log.String(), `"msg":"request"`) == 3 }, 30*time.Second, 10*time.Millisecond)
	for _, code := range []string{"PGRST205", "22P02", "PGRST"} {
		require.Contains(t, b.log.String(), `"code":"`+code+`"`)
		require.Contains(t, b.get("/metrics").body, `vital_errors_total{code="`+code+`"} 1`)
	}
	for _, text := range []string{b.log.String(), b.get("/metrics").body} {
		require.NotContains(t, text, "internal\"")
		require.NotContains(t, text, "anything")
	}
}

// TestRest_Denials: what the database refuses a caller is counted by what refused it.
func TestRest_Denials(t *testing.T) {
	t.Parallel()
	b := setupRest(t)
	require.Equal(t, 403, b.send("POST", "/rest/v1/prompts", ada, `{"tenant_id": "`+tenantB+`", "title": "theirs"}`).status)
	require.Equal(t, 403, b.send("PATCH", "/rest/v1/users?id=eq."+tenantB, ada, `{"email": "x@y.test"}`).status)
	for _, by := range []string{"policy", "privilege"} {
		require.Regexp(t, `vital_rls_denials_total\{by="`+by+`",name="[A-Za-z]+"\} 1\n`, b.get("/metrics").body)
	}
}

func TestRest_Callers(t *testing.T) {
	t.Parallel()
	b := setupRest(t)
	anon, err := b.issuer.Issue(identity.Grant{Role: identity.Anon, TTL: time.Hour})
	require.NoError(t, err)
	hs256 := map[string]any{"alg": "HS256", "typ": "JWT"}
	key := b.serviceKey()
	for _, c := range []struct {
		name    string
		headers []string
		status  int
		code    string
	}{
		{"nobody", nil, 401, "42501"},
		{"anonymous key", []string{"Apikey", anon}, 401, "42501"},
		{"expired", bearer(sign(hs256, claims(map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}), secret)), 401, "token_expired"},
		{"wrong secret", bearer(sign(hs256, claims(nil), "another secret that is long enough too")), 401, "token_bad_signature"},
		{"wrong secret of a service key", bearer(sign(hs256, map[string]any{"role": "service_role", "exp": time.Now().Add(time.Hour).Unix()}, "another secret that is long enough too")), 401, "token_bad_signature"},
		{"alg none", bearer(sign(map[string]any{"alg": "none"}, claims(nil), secret)), 401, "token_algorithm"},
		{"unknown role", bearer(sign(hs256, claims(map[string]any{"role": "postgres"}), secret)), 401, "token_bad_claims"},
		{"owner as a role", bearer(sign(hs256, claims(map[string]any{"role": "vital_owner"}), secret)), 401, "token_bad_claims"},
		{"garbage", bearer("garbage"), 401, "token_malformed"},
		{"garbage as a key", []string{"Apikey", "garbage"}, 401, "token_malformed"},
		{"another's tenant by slug", with(bearer(b.token(ada, "")), "Vital-Tenant", "bolt"), 404, "tenant_not_found"},
		{"another's tenant by id", with(bearer(b.token(ada, "")), "Vital-Tenant", tenantB), 404, "tenant_not_found"},
		{"no such tenant", with(bearer(b.token(ada, "")), "Vital-Tenant", "nowhere"), 404, "tenant_not_found"},
		{"odd tenant", with(bearer(b.token(ada, "")), "Vital-Tenant", "acme' or true --"), 400, "tenant_reference_invalid"},
		{"a seal's separator", with(bearer(b.token(ada, "")), "Vital-Tenant", "acme.authenticated"), 400, "tenant_reference_invalid"},
		{"empty tenant", with(bearer(b.token(ada, "")), "Vital-Tenant", " "), 400, "tenant_reference_invalid"},
		{"two tenants", with(bearer(b.token(ada, "")), "Vital-Tenant", "acme", "Vital-Tenant", "bolt"), 400, "tenant_reference_invalid"},
		{"service key from a page", with(bearer(key), "Origin", "https://evil.test"), 403, "origin_not_allowed"},
		{"service key as apikey from a page", []string{"Apikey", key, "Origin", "https://evil.test"}, 403, "origin_not_allowed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := b.get("/rest/v1/prompts", c.headers...)
			requireRestError(t, got, c.status, c.code)
			if c.status == http.StatusUnauthorized {
				require.Contains(t, got.header.Get("WWW-Authenticate"), "Bearer")
			}
		})
	}
}

// TestRest_RevokedSession: a session that has ended is refused wherever it asks, also where no policy would ask
// who it is, and where there is no row to ask about.
func TestRest_RevokedSession(t *testing.T) {
	t.Parallel()
	b := setupRest(t)
	session := uuid.New()
	token, err := b.issuer.Issue(identity.Grant{UserID: uuid.MustParse(ada), Role: identity.Authenticated, SessionID: session, TTL: time.Hour})
	require.NoError(t, err)
	paths := []string{"prompts", "countries", "nothing_yet", "feature_flags", "prompts?id=eq." + uuid.NewString(), "prompts?limit=0"}
	for _, path := range paths {
		require.Equal(t, http.StatusOK, b.get("/rest/v1/"+path, bearer(token)...).status, path)
	}
	b.db.Exec(t, "insert into vital.revoked_sessions (session_id, expires_at) values ('"+session.String()+"', now() + interval '1 hour')")
	for _, path := range paths {
		requireRestError(t, b.get("/rest/v1/"+path, bearer(token)...), http.StatusUnauthorized, "session_revoked")
		require.Equal(t, http.StatusUnauthorized, b.get("/rest/v1/"+path, with(bearer(token), "Prefer", "count=exact", "Range", "0-0")...).status, path)
	}
	requireRestError(t, b.sendWith("POST", "/rest/v1/countries", `{"code": "FR"}`, bearer(token)...), http.StatusUnauthorized, "session_revoked")
	require.Equal(t, 1, b.number("select count(*)::int from countries"))
}

func TestRest_ServiceKey(t *testing.T) {
	t.Parallel()
	b := setupRest(t)
	for _, headers := range [][]string{bearer(b.serviceKey()), {"Apikey", b.serviceKey()}, with(bearer(b.serviceKey()), "Apikey", "garbage")} {
		got := b.get("/rest/v1/prompts?select=tenant_id", with(headers, "Prefer", "count=exact")...)
		require.Equal(t, http.StatusOK, got.status, got.body)
		require.Equal(t, "0-54/55", got.header.Get("Content-Range"), "all tenants'")
	}
	got := b.get("/rest/v1/prompts", with(bearer(b.token(ada, "")), "Apikey", b.serviceKey())...)
	require.Len(t, rowsOf(t, got), 5, "Authorization outranks the key")
	requireRestError(t, b.get("/rest/v1/versions", with(bearer(b.serviceKey()), "Accept-Profile", "vital")...), 406, "PGRST106")
	got = b.sendWith("PATCH", "/rest/v1/prompts?title=eq.prompt%201%20of%20B", `{"title": "x"}`, bearer(b.serviceKey())...)
	require.Equal(t, 204, got.status, got.body)
}

func TestRest_TenantStates(t *testing.T) {
	t.Parallel()
	b := setupRest(t)
	got := b.get("/rest/v1/prompts", with(bearer(b.token(dana, "")), "Vital-Tenant", "bolt")...)
	require.Len(t, rowsOf(t, got), 50)
	require.Len(t, rowsOf(t, b.get("/rest/v1/prompts", bearer(b.token(dana, ""))...)), 5)
	for _, state := range []string{"suspended", "archived", "pending"} {
		b.db.Exec(t, `update organizations set lifecycle_state = $1::org_lifecycle_state where slug = 'bolt'`, state)
		for _, headers := range [][]string{bearer(b.token(bob, "")), with(bearer(b.token(dana, "")), "Vital-Tenant", "bolt"), bearer(b.token(dana, tenantB))} {
			got := b.get("/rest/v1/prompts", headers...)
			require.NotContains(t, got.body, "secret_of_b", state)
			if got.status == http.StatusOK {
				require.JSONEq(t, `[]`, got.body)
			}
			got = b.sendWith("POST", "/rest/v1/prompts", `{"tenant_id": "`+tenantB+`", "title": "late"}`, headers...)
			require.GreaterOrEqual(t, got.status, 400, got.body)
		}
		require.Len(t, rowsOf(t, b.get("/rest/v1/prompts", bearer(b.token(dana, ""))...)), 5, "a member's other tenant is not touched")
	}
	require.Zero(t, b.number("select count(*)::int from prompts where title = 'late'"))
}

// TestRest_InjectedHeaders sends what would be a context if anybody believed it.
func TestRest_InjectedHeaders(t *testing.T) {
	t.Parallel()
	b := setupRest(t)
	for _, header := range [][]string{
		{"Role", "service_role"}, {"X-Role", "postgres"}, {"Request.jwt.claims", `{"role":"service_role"}`}, {"X-Tenant-Id", tenantB}, {"X-Forwarded-User", bob},
		{"Prefer", "timezone='; reset role; --"}, {"Prefer", "tx=rollback; count=exact"}, {"Prefer", "params=single-object"}, {"Cookie", "role=service_role; vital.context=x"},
		{"Range", "0-1; select 1"}, {"Accept", `application/vnd.pgrst.object+json;nulls="x'; --"`}, {"X-Request-Id", "'; set role service_role; --"},
		{"Accept-Profile", `public"; set role service_role; --`}, {"If-None-Match", `"'; --`},
	} {
		got := b.get("/rest/v1/prompts", with(bearer(b.token(ada, "")), header...)...)
		requireNothingOfB(t, got)
		require.Less(t, got.status, 500, "%v: %s", header, got.body)
		if got.status == http.StatusOK {
			require.Len(t, rowsOf(t, got), 5, "%v", header)
		}
	}
	for _, query := range []string{
		"select=set_config", "select=pg_sleep", "select=current_user", `select="body", (select body from prompts limit 1)`, "select=body::regrole", "title=eq.x' or '1'='1",
		"order=(select 1)", "limit=1;select 1", "id=in.(select id from prompts)", `select=title:"body"";--"`, "and=(title.eq.x)) or (1.eq.1", "select=vital.seal_key()",
	} {
		got := b.get("/rest/v1/prompts?"+strings.NewReplacer(" ", "%20", ";", "%3B", "'", "%27", `"`, "%22").Replace(query), bearer(b.token(ada, ""))...)
		requireNothingOfB(t, got)
		require.Less(t, got.status, 500, "%s: %s", query, got.body)
	}
}

// TestRest_Concurrency: mixed requests of several callers on two connections, some given up half-way. Every
// answer belongs to its caller, and every connection comes back.
func TestRest_Concurrency(t *testing.T) {
	t.Parallel()
	b := setupRest(t, func(_ *httpapi.Config, pg *postgres.Config) { pg.MaxConns, pg.AcquireTimeout = 2, time.Minute })
	callers := []struct {
		headers []string
		rows    int
		own     string
	}{
		{bearer(b.token(ada, "")), 5, tenantA}, {bearer(b.token(bob, "")), 50, tenantB}, {bearer(b.token(dana, "")), 5, tenantA},
		{with(bearer(b.token(dana, "")), "Vital-Tenant", "bolt"), 50, tenantB}, {nil, -1, ""},
	}
	var wait sync.WaitGroup
	failures := make(chan string, 1000)
	for worker := range 10 {
		random := rand.New(rand.NewPCG(uint64(worker), 7))
		wait.Go(func() {
			for range 20 {
				c := callers[random.IntN(len(callers))]
				if why := b.mixed(random, c.headers, c.rows, c.own); why != "" {
					failures <- why
				}
			}
		})
	}
	wait.Wait()
	close(failures)
	for why := range failures {
		require.Fail(t, "a wrong answer", why)
	}
	require.Eventually(t, func() bool { return b.pool.Stat().Acquired == 0 }, 30*time.Second, 10*time.Millisecond)
	require.Equal(t, 50, b.number("select count(*)::int from prompts where tenant_id = $1 and body = 'secret_of_b'", tenantB))
	require.Zero(t, b.number("select count(*)::int from personas where tenant_id = $1 and name not in ('persona of A', 'made by A')", tenantA))
	require.Zero(t, b.number("select count(*)::int from personas where tenant_id = $1 and name not in ('secret_of_b persona', 'made by B')", tenantB))
}

// TestRest_StreamGivenUp: a caller who goes away in mid-stream leaves no connection behind, and nothing of theirs
// to the next.
func TestRest_StreamGivenUp(t *testing.T) {
	t.Parallel()
	b := setupRest(t, func(_ *httpapi.Config, pg *postgres.Config) { pg.MaxConns = 1 })
	b.db.Exec(t, `insert into prompts (tenant_id, title, body) select '`+tenantA+`', 'long', repeat('x', 10000) from generate_series(1, 2000)`)
	for range 3 {
		ctx, cancel := context.WithCancel(context.Background())
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.server.URL+"/rest/v1/prompts?title=eq.long", nil)
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+b.token(ada, ""))
		response, err := b.server.Client().Do(request)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, response.StatusCode)
		_, err = io.ReadFull(response.Body, make([]byte, 2<<20))
		require.NoError(t, err)
		cancel()
		response.Body.Close()
		require.Eventually(t, func() bool { return b.pool.Stat().Acquired == 0 }, 30*time.Second, 10*time.Millisecond)
		got := b.get("/rest/v1/prompts?select=tenant_id", bearer(b.token(bob, ""))...)
		require.Len(t, rowsOf(t, got), 50)
		require.NotContains(t, got.body, tenantA)
	}
}

// mixed makes one request of a caller and says what is wrong with the answer.
func (b *bundle) mixed(random *rand.Rand, headers []string, rows int, own string) string {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if random.IntN(4) == 0 {
		time.AfterFunc(time.Duration(random.Int64N(int64(4*time.Millisecond))), cancel)
	}
	method, path, body := http.MethodGet, "/rest/v1/prompts?select=tenant_id,body", ""
	switch random.IntN(6) {
	case 0:
		path += "&order=" + []string{"title", "id", "body"}[random.IntN(3)] + "&limit=100"
	case 1:
		path = "/rest/v1/prompts?select=tenant_id,nothing"
	case 2:
		name := map[string]string{tenantA: "made by A", tenantB: "made by B", "": "made by nobody"}[own]
		method, path, body = http.MethodPost, "/rest/v1/personas?select=tenant_id", `{"tenant_id": "`+own+`", "name": "`+name+`"}`
		if own == "" {
			body = `{"tenant_id": "` + tenantA + `", "name": "made by nobody"}`
		}
	case 3:
		path = "/rest/v1/rpc/get_user_tenant_id"
	default:
	}
	request, err := http.NewRequestWithContext(ctx, method, b.server.URL+path, strings.NewReader(body))
	if err != nil {
		return err.Error()
	}
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := b.server.Client().Do(request)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return ""
	}
	return judge(request, response.StatusCode, string(content), rows, own)
}

func judge(request *http.Request, status int, body string, rows int, own string) string {
	other := map[string]string{tenantA: tenantB, tenantB: tenantA}[own]
	wrong := fmt.Sprintf("%s %s of %q: %d %s", request.Method, request.URL, own, status, body)
	switch {
	case status >= 500 || other != "" && strings.Contains(body, other):
		return wrong
	case own == "" && (strings.Contains(body, tenantA) || strings.Contains(body, tenantB)):
		return wrong
	case status == http.StatusOK && strings.Contains(request.URL.Path, "get_user_tenant_id"):
		if own != "" && body != `"`+own+`"` {
			return wrong
		}
	case status == http.StatusOK && strings.Count(body, own) != rows:
		return wrong
	}
	return ""
}
