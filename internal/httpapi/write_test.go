package httpapi_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/pgtest"
)

const (
	vic      = "c0000000-0000-4000-8000-000000000001" // viewer of A
	agentA   = "aaaaaaaa-1111-4000-8000-000000000001"
	agentB   = "bbbbbbbb-1111-4000-8000-000000000001"
	agentP   = "cccccccc-1111-4000-8000-000000000001" // the platform's
	platform = "00000000-0000-0000-0000-000000000001"
)

var regexpReferences = regexp.MustCompile(`"#/components/schemas/([^"]+)"`)

const writeFixture = `
insert into users (id, organization_id, email) values ('` + vic + `', '` + tenantA + `', 'vic@acme.test');
insert into profiles (id, email, full_name) values ('` + vic + `', 'vic@acme.test', 'Vic');
insert into user_tenants (tenant_id, user_id, role) values ('` + tenantA + `', '` + vic + `', 'viewer');
insert into agents (tenant_id, id, name, slug, tier) values
  ('` + tenantA + `', '` + agentA + `', 'Agent of A', 'agent-a', 1), ('` + tenantB + `', '` + agentB + `', 'Agent of B', 'agent-b', 1),
  ('` + platform + `', '` + agentP + `', 'Agent of all', 'agent-p', 1);
`

func setupWrites(t testing.TB) *bundle {
	t.Helper()
	b := setup(t)
	b.db.Exec(t, writeFixture)
	return b
}

// send writes body to path as user; headers are given in pairs.
func (b *bundle) send(method, path, user, body string, headers ...string) answer {
	b.t.Helper()
	return b.sendWith(method, path, body, with(headers, bearer(b.token(user, ""))...)...)
}

func (b *bundle) sendWith(method, path, body string, headers ...string) answer {
	b.t.Helper()
	request, err := http.NewRequest(method, b.server.URL+path, strings.NewReader(body))
	require.NoError(b.t, err)
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := b.server.Client().Do(request)
	require.NoError(b.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(b.t, err)
	return answer{response.StatusCode, response.Header, string(text)}
}

func (b *bundle) patch(user, body string, headers ...string) answer {
	b.t.Helper()
	return b.send(http.MethodPatch, "/api/tenants/acme/config", user, body, headers...)
}

// ask returns one text value of the database, as superuser.
func (b *bundle) ask(query string, args ...any) string {
	b.t.Helper()
	return ask(b.t, b.db, query, args...)
}

func ask(t testing.TB, d *pgtest.Database, query string, args ...any) (value string) {
	t.Helper()
	require.NoError(t, d.Connect(t).QueryRow(t.Context(), query, args...).Scan(&value))
	return value
}

// routes are the five, each with a request that works for whoever may.
var writeRoutes = []struct {
	name, method, path, body string
	operators                bool
}{
	{"config", http.MethodPatch, "/api/tenants/%s/config", `{"ui_config": {"theme": "dark"}}`, false},
	{"toggle", http.MethodPost, "/api/tenants/%s/features/toggle", `{"flag_key": "one", "enabled": false, "reason": "trial"}`, false},
	{"assign", http.MethodPost, "/api/tenants/%s/agents/assign", `{"agent_id": "` + agentP + `", "agent_tenant_id": "` + platform + `"}`, false},
	{"lifecycle", http.MethodPost, "/api/tenants/%s/lifecycle", `{"action": "suspend", "reason": "unpaid"}`, true},
	{"invalidate", http.MethodPost, "/api/cache/invalidate", `{"tenant": "%s"}`, true},
}

func fill(text, tenant string) string {
	if strings.Contains(text, "%s") {
		return fmt.Sprintf(text, tenant)
	}
	return text
}

func TestWrite_Callers(t *testing.T) {
	t.Parallel()
	for _, route := range writeRoutes {
		t.Run(route.name, func(t *testing.T) {
			t.Parallel()
			b := setupWrites(t)
			ask := func(tenant string, headers ...string) answer {
				return b.sendWith(route.method, fill(route.path, tenant), fill(route.body, tenant), headers...)
			}
			as := func(user string) []string { return bearer(b.token(user, "")) }
			before := b.ask("select count(*)::text from organization_audit_log")

			requireProblem(t, ask("acme"), 401, "token_missing")
			requireProblem(t, ask("acme", "apikey", b.key(identity.Anon)), 401, "user_required")
			requireProblem(t, ask("acme", "apikey", b.key(identity.ServiceRole)), 401, "user_required")
			requireProblem(t, ask("acme", bearer(sign(map[string]any{"alg": "HS256", "typ": "JWT"},
				claims(map[string]any{"exp": time.Now().Add(-time.Minute).Unix()}), secret))...), 401, "token_expired")
			for name, user := range map[string]string{"member": dana, "viewer": vic} {
				got := ask("acme", as(user)...)
				requireProblem(t, got, 403, "permission_denied")
				require.Empty(t, got.header.Get("Vital-Version"), name)
			}
			if route.operators {
				requireProblem(t, ask("acme", as(ada)...), 403, "permission_denied")
			}
			requireProblem(t, ask("bolt", as(dana)...), 403, "permission_denied")
			requireProblem(t, ask("Not A Slug", as(ada)...), 400, "tenant_reference_invalid")
			b.db.Exec(t, "update organizations set lifecycle_state = 'suspended' where slug = 'bolt'")
			requireProblem(t, ask("bolt", as(bob)...), 403, "tenant_suspended")
			requireProblem(t, ask("bolt", as(dana)...), 403, "tenant_suspended")

			same := func(tenant, user string) answer {
				got := ask(tenant, with(as(user), "X-Request-Id", "same")...)
				got.header.Del("Date")
				return got
			}
			requireProblem(t, same("bolt", ada), 404, "tenant_not_found")
			require.Equal(t, same("nowhere", ada), same("bolt", ada), "a stranger learns nothing, the state neither")
			require.Equal(t, same("99999999-9999-4999-8999-999999999999", ada), same(tenantB, ada))
			require.Equal(t, before, b.ask("select (count(*) - 1)::text from organization_audit_log"), "only the suspension was done")

			who := ada
			if route.operators {
				who = root
			}
			version := counters(b.get("/v1/context", with(as(root), "Vital-Tenant", "acme")...))
			got := ask("acme", with(as(who), "X-Request-Id", "the-write")...)
			require.Equal(t, 200, got.status, got.body)
			require.NotContains(t, got.body, "secret_of_b")
			require.NotContains(t, got.body, tenantB)
			require.Equal(t, "the-write", b.ask("select request_id from organization_audit_log order by created_at desc, seq desc limit 1"))
			require.Equal(t, who, b.ask("select actor_id::text from organization_audit_log where request_id = 'the-write' limit 1"))
			fresh := counters(b.get("/v1/context", with(as(root), "Vital-Tenant", "acme")...))
			if route.name != "assign" { // which agents are assigned is no part of the context
				require.NotEqual(t, version, fresh, "the version rose")
			}
			if who == root {
				require.Equal(t, fresh, counters(got), "the answer carries the new version")
			} else {
				require.Equal(t, counters(b.get("/v1/context", as(who)...)), counters(got))
			}
		})
	}
}

func TestWrite_SuperAdminAnywhereButArchived(t *testing.T) {
	t.Parallel()
	b := setupWrites(t)
	require.Equal(t, 200, b.send("PATCH", "/api/tenants/"+tenantB+"/config", root, `{"limits": {"max_agents": 7}}`).status)
	b.db.Exec(t, "update organizations set lifecycle_state = 'suspended' where slug = 'bolt'")
	require.Equal(t, 200, b.send("PATCH", "/api/tenants/bolt/config", root, `{"limits": {"max_agents": 8}}`).status)
	b.db.Exec(t, "update organizations set lifecycle_state = 'archived' where slug = 'bolt'")
	requireProblem(t, b.send("PATCH", "/api/tenants/bolt/config", root, `{"limits": {"max_agents": 9}}`), 403, "tenant_archived")
	require.Equal(t, "8", b.ask("select limits ->> 'max_agents' from tenant_configurations where tenant_id = $1", tenantB))
}

func TestConfig_MergePatch(t *testing.T) {
	t.Parallel()
	b := setupWrites(t)
	got := b.patch(ada, `{"ui_config": {"primary_color": "#0F766E", "logo_url": null, "custom": {"a": {"b": 1, "c": 2}}}, "enabled_apps": ["chat"]}`,
		"Content-Type", "application/merge-patch+json", "Vital-Reason", "new brand")
	require.Equal(t, 200, got.status, got.body)
	row := got.decode(t)
	require.Equal(t, map[string]any{"theme": "default", "primary_color": "#0F766E", "custom": map[string]any{"a": map[string]any{"b": 1., "c": 2.}}},
		row["ui_config"], "members are merged, null removes")
	require.Equal(t, []any{"chat"}, row["enabled_apps"], "arrays are replaced")
	require.Equal(t, map[string]any{"max_agents": 100., "max_conversations": 1000.}, row["limits"], "the rest is left")
	require.Equal(t, "new brand", b.ask("select reason from organization_audit_log where entity = 'tenant_configurations' and action = 'updated'"))

	got = b.patch(ada, `{"ui_config": {"custom": {"a": {"b": null}, "d": [1, null]}}, "limits": {"max_conversations": null}}`)
	require.Equal(t, 200, got.status, got.body)
	row = got.decode(t)
	require.Equal(t, map[string]any{"a": map[string]any{"c": 2.}, "d": []any{1., nil}}, row["ui_config"].(map[string]any)["custom"])
	require.Equal(t, map[string]any{"max_agents": 100.}, row["limits"])
	config := b.get("/v1/context", bearer(b.token(ada, ""))...).decode(t)["config"].(map[string]any)
	require.Equal(t, row["ui_config"], config["ui_config"], "the context shows it")

	version, audited := counters(got), b.ask("select count(*)::text from organization_audit_log")
	for _, nothing := range []string{`{}`, `{"ui_config": {"theme": "default"}}`, `{"ui_config": {"logo_url": null}}`} {
		same := b.patch(ada, nothing)
		require.Equal(t, 200, same.status, same.body)
		require.Equal(t, got.header.Get("ETag"), same.header.Get("ETag"))
		require.Equal(t, version, counters(same))
	}
	require.Equal(t, audited, b.ask("select count(*)::text from organization_audit_log"), "no change, no row")
}

func TestConfig_Invalid(t *testing.T) {
	t.Parallel()
	b := setupWrites(t)
	before := b.ask("select to_jsonb(c)::text from tenant_configurations c where tenant_id = $1", tenantA)
	for body, paths := range map[string][]string{
		`{"colour": "red"}`:                                  {"/colour"},
		`{"tenant_id": "` + tenantB + `"}`:                   {"/tenant_id"},
		`{"id": "` + tenantB + `", "updated_at": "now"}`:     {"/id", "/updated_at"},
		`{"ui_config": {"primary_color": "red"}}`:            {"/ui_config/primary_color"},
		`{"ui_config": {"primary_color": "#12345"}}`:         {"/ui_config/primary_color"},
		`{"ui_config": {"primary_color": 4}}`:                {"/ui_config/primary_color"},
		`{"ui_config": {"logo_url": "javascript:alert(1)"}}`: {"/ui_config/logo_url"},
		`{"ui_config": {"logo_url": "//evil.test/x"}}`:       {"/ui_config/logo_url"},
		`{"ui_config": {"font": "x"}}`:                       {"/ui_config/font"},
		`{"ui_config": {"a/b~c": 1}}`:                        {"/ui_config/a~1b~0c"},
		`{"ui_config": {"custom": 1}}`:                       {"/ui_config/custom"},
		`{"ui_config": "dark"}`:                              {"/ui_config"},
		`{"ui_config": null}`:                                {"/ui_config"},
		`{"limits": {"max_agents": -1}}`:                     {"/limits/max_agents"},
		`{"limits": {"max_agents": 1.5}}`:                    {"/limits/max_agents"},
		`{"limits": {"max_agents": "many"}}`:                 {"/limits/max_agents"},
		`{"limits": {"max_agents": 1e30}}`:                   {"/limits/max_agents"},
		`{"limits": {"max_agent": 1}}`:                       {"/limits/max_agent"},
		`{"enabled_agent_tiers": [0, 10]}`:                   {"/enabled_agent_tiers/0", "/enabled_agent_tiers/1"},
		`{"enabled_agent_tiers": [1, 1]}`:                    {"/enabled_agent_tiers"},
		`{"enabled_agent_tiers": {"0": 1}}`:                  {"/enabled_agent_tiers"},
		`{"enabled_features": [""]}`:                         {"/enabled_features/0"},
		`{"enabled_features": [null]}`:                       {"/enabled_features/0"},
		`{"enabled_apps": ["Not A Key"]}`:                    {"/enabled_apps/0"},
		`{"compliance_settings": {"hipaa_enabled": "yes"}}`:  {"/compliance_settings/hipaa_enabled"},
		`{"compliance_settings": {"sox": true}, "limits": 1, "ui_config": {"primary_color": "blue"}}`: {
			"/compliance_settings/sox", "/limits", "/ui_config/primary_color"},
	} {
		got := b.patch(ada, body)
		requireProblem(t, got, 422, "invalid")
		var found []string
		for _, fault := range got.decode(t)["errors"].([]any) {
			found = append(found, fault.(map[string]any)["path"].(string))
			require.NotEmpty(t, fault.(map[string]any)["message"])
		}
		require.Equal(t, paths, found, body)
	}
	for _, body := range []string{``, `null`, `[]`, `"x"`, `{`, `{} {}`, `{} }`, `{"ui_config": {"custom": {"x": "\u0000"}}}`} {
		requireProblem(t, b.patch(ada, body), 422, "invalid")
	}
	requireProblem(t, b.patch(ada, `{}`, "Content-Type", "text/plain"), 422, "invalid")
	requireProblem(t, b.patch(ada, `{}`, "Idempotency-Key", strings.Repeat("x", 256)), 422, "invalid")
	requireProblem(t, b.patch(ada, `{}`, "Vital-Reason", strings.Repeat("x", 1001)), 422, "invalid")
	requireProblem(t, b.patch(ada, `{"ui_config": {"custom": {"x": "`+strings.Repeat("x", 1<<20)+`"}}}`), 413, "body_too_large")
	require.Equal(t, before, b.ask("select to_jsonb(c)::text from tenant_configurations c where tenant_id = $1", tenantA))
}

func TestWrite_Invalid(t *testing.T) {
	t.Parallel()
	b := setupWrites(t)
	for _, c := range []struct{ path, body, want string }{
		{"/api/tenants/acme/features/toggle", `{}`, "/enabled /flag_key"},
		{"/api/tenants/acme/features/toggle", `{"flag_key": "one", "enabled": "yes"}`, "/enabled"},
		{"/api/tenants/acme/features/toggle", `{"flag_key": "", "enabled": true}`, "/flag_key"},
		{"/api/tenants/acme/features/toggle", `{"flag_key": "one", "enabled": true, "config": [1]}`, "/config"},
		{"/api/tenants/acme/features/toggle", `{"flag_key": "one", "enabled": true, "tenant_id": "x"}`, "/tenant_id"},
		{"/api/tenants/acme/agents/assign", `{"agent_id": "x"}`, "/agent_id"},
		{"/api/tenants/acme/agents/assign", `{"agent_id": "` + agentA + `", "action": "steal"}`, "/action"},
		{"/api/tenants/acme/lifecycle", `{"action": "delete", "reason": "x"}`, "/action"},
		{"/api/tenants/acme/lifecycle", `{}`, "/action /reason"},
		{"/api/tenants/acme/lifecycle", `{"action": "suspend", "reason": " "}`, "/reason"},
		{"/api/cache/invalidate", `{}`, ""},
		{"/api/cache/invalidate", `{"key": "user:1"}`, "/key"},
		{"/api/cache/invalidate", `{"key": "tenant:acme:config", "tenant": "acme"}`, ""},
	} {
		got := b.send("POST", c.path, root, c.body)
		requireProblem(t, got, 422, "invalid")
		var found []string
		for _, fault := range got.decode(t)["errors"].([]any) {
			found = append(found, fault.(map[string]any)["path"].(string))
		}
		require.Equal(t, c.want, strings.Join(found, " "), c.body)
	}
	requireProblem(t, b.do("GET", "/api/tenants/acme/config"), 405, "method_not_allowed")
}

func TestConfig_IfMatch(t *testing.T) {
	t.Parallel()
	b := setupWrites(t)
	first := b.patch(ada, `{}`).header.Get("ETag")
	require.Regexp(t, `^"[\w-]+"$`, first)
	got := b.patch(ada, `{"limits": {"max_agents": 5}}`, "If-Match", first)
	require.Equal(t, 200, got.status, got.body)
	second := got.header.Get("ETag")
	require.NotEqual(t, first, second)
	stale := b.patch(ada, `{"limits": {"max_agents": 6}}`, "If-Match", first)
	requireProblem(t, stale, 412, "precondition_failed")
	require.Empty(t, stale.header.Get("ETag"))
	requireProblem(t, b.patch(ada, `{"limits": {"max_agents": 6}}`, "If-Match", "W/"+second), 412, "precondition_failed")
	require.Equal(t, 200, b.patch(ada, `{"limits": {"max_agents": 7}}`, "If-Match", `"x", `+second).status)
	require.Equal(t, 200, b.patch(ada, `{"limits": {"max_agents": 8}}`, "If-Match", "*").status)
}

// Of many who change what they read, exactly one wins; without If-Match every merge is kept.
func TestConfig_LostUpdates(t *testing.T) {
	t.Parallel()
	b := setupWrites(t)
	etag := b.patch(ada, `{}`).header.Get("ETag")
	race := func(n int, headers ...string) map[int]int {
		var mu sync.Mutex
		var group sync.WaitGroup
		statuses := map[int]int{}
		for i := range n {
			group.Go(func() {
				got := b.patch(ada, fmt.Sprintf(`{"ui_config": {"custom": {"key%d": %d}}}`, i, i), headers...)
				mu.Lock()
				defer mu.Unlock()
				statuses[got.status]++
			})
		}
		group.Wait()
		return statuses
	}
	require.Equal(t, map[int]int{200: 1, 412: 11}, race(12, "If-Match", etag))
	require.Equal(t, map[int]int{200: 12}, race(12))
	custom := b.patch(ada, `{}`).decode(t)["ui_config"].(map[string]any)["custom"]
	require.Len(t, custom, 12, "no merge was lost")
}

func TestIdempotency(t *testing.T) {
	t.Parallel()
	b := setupWrites(t)
	body := `{"limits": {"max_agents": 42}}`
	first := b.patch(ada, body, "Idempotency-Key", "k1")
	require.Equal(t, 200, first.status, first.body)
	require.Empty(t, first.header.Get("Idempotent-Replayed"))
	require.Equal(t, 200, b.patch(ada, `{"limits": {"max_agents": 43}}`).status)

	again := b.patch(ada, body, "Idempotency-Key", "k1")
	require.Equal(t, "true", again.header.Get("Idempotent-Replayed"))
	require.Equal(t, first.body, again.body)
	for _, header := range []string{"ETag", "Content-Type"} {
		require.Equal(t, first.header.Get(header), again.header.Get(header), header)
	}
	require.Equal(t, counters(first), counters(again))
	require.Equal(t, "43", b.ask("select limits ->> 'max_agents' from tenant_configurations where tenant_id = $1", tenantA), "it was not done again")

	requireProblem(t, b.patch(ada, `{"limits": {"max_agents": 44}}`, "Idempotency-Key", "k1"), 422, "idempotency_mismatch")
	requireProblem(t, b.send("PATCH", "/api/tenants/"+tenantA+"/config", ada, body, "Idempotency-Key", "k1"), 422, "idempotency_mismatch")

	other := b.send("PATCH", "/api/tenants/acme/config", root, body, "Idempotency-Key", "k1")
	require.Equal(t, 200, other.status, other.body)
	require.Empty(t, other.header.Get("Idempotent-Replayed"), "keys of different users never meet")

	requireProblem(t, b.patch(ada, `{"limits": 1}`, "Idempotency-Key", "k2"), 422, "invalid")
	require.Equal(t, 200, b.patch(ada, `{}`, "Idempotency-Key", "k2").status, "a failed request leaves nothing")

	b.db.Exec(t, "update vital.idempotency_keys set created_at = now() - interval '25 hours'")
	require.Empty(t, b.patch(ada, body, "Idempotency-Key", "k1").header.Get("Idempotent-Replayed"), "a day later it is forgotten")
	require.Equal(t, "1", b.ask("select count(*)::text from vital.idempotency_keys"))

	b.db.Exec(t, "delete from user_tenants where user_id = '"+ada+"'")
	requireProblem(t, b.patch(ada, body, "Idempotency-Key", "k1"), 404, "tenant_not_found")
}

func TestIdempotency_Concurrent(t *testing.T) {
	t.Parallel()
	b := setupWrites(t)
	var group sync.WaitGroup
	answers := make([]answer, 12)
	for i := range answers {
		group.Go(func() { answers[i] = b.patch(ada, `{"limits": {"max_agents": 42}}`, "Idempotency-Key", "same") })
	}
	group.Wait()
	replayed := 0
	for _, got := range answers {
		require.Equal(t, 200, got.status, got.body)
		require.Equal(t, answers[0].body, got.body)
		if got.header.Get("Idempotent-Replayed") == "true" {
			replayed++
		}
	}
	require.Equal(t, len(answers)-1, replayed)
	require.Equal(t, "1", b.ask("select count(*)::text from organization_audit_log where entity = 'tenant_configurations' and action = 'updated'"))
}

func TestToggle(t *testing.T) {
	t.Parallel()
	b := setupWrites(t)
	toggle := func(body string) answer {
		return b.send("POST", "/api/tenants/acme/features/toggle", ada, body)
	}
	features := func() any {
		return b.get("/v1/context", bearer(b.token(ada, ""))...).decode(t)["config"].(map[string]any)["features"].([]any)[0]
	}
	got := toggle(`{"flag_key": "one", "enabled": false, "config": {"share": 3}, "reason": "slow"}`)
	require.Equal(t, 200, got.status, got.body)
	require.Equal(t, map[string]any{"flag_key": "one", "enabled": false, "config": map[string]any{"share": 3.}}, features())
	require.Equal(t, "slow", b.ask("select reason from organization_audit_log where entity = 'tenant_feature_flags' and organization_id = $1", tenantA))
	got = toggle(`{"flag_key": "one", "enabled": null}`)
	require.Equal(t, 200, got.status, got.body)
	require.Equal(t, true, features().(map[string]any)["enabled"])
	requireProblem(t, toggle(`{"flag_key": "nonesuch", "enabled": true}`), 404, "not_found")
}

func TestAssign(t *testing.T) {
	t.Parallel()
	b := setupWrites(t)
	assign := func(body string) answer {
		return b.send("POST", "/api/tenants/acme/agents/assign", ada, body)
	}
	got := assign(`{"agent_id": "` + agentA + `", "config": {"tone": "calm"}}`)
	require.Equal(t, 200, got.status, got.body)
	require.Equal(t, agentA, got.decode(t)["agent_id"])
	got = assign(`{"agent_id": "` + agentP + `", "agent_tenant_id": "` + platform + `"}`)
	require.Equal(t, 200, got.status, got.body)
	same := func(body string) answer {
		got := b.send("POST", "/api/tenants/acme/agents/assign", ada, body, "X-Request-Id", "same")
		got.header.Del("Date")
		return got
	}
	foreign := same(`{"agent_id": "` + agentB + `", "agent_tenant_id": "` + tenantB + `"}`)
	require.GreaterOrEqual(t, foreign.status, 400)
	require.Equal(t, foreign, same(`{"agent_id": "99999999-9999-4999-8999-999999999999", "agent_tenant_id": "`+tenantB+`"}`), "B's agent and none look alike")
	got = assign(`{"agent_id": "` + agentA + `", "action": "unassign"}`)
	require.Equal(t, 200, got.status, got.body)
	require.Equal(t, "1", b.ask("select count(*)::text from tenant_agents where tenant_id = $1", tenantA))
}

func TestLifecycle_Walk(t *testing.T) {
	t.Parallel()
	b := setupWrites(t)
	b.db.Exec(t, "update organizations set lifecycle_state = 'pending' where slug = 'acme'")
	for _, step := range []struct {
		action, state string // state "" for a refused move
	}{
		{"suspend", ""}, {"activate", ""}, {"approve", "active"}, {"approve", ""}, {"activate", ""}, {"suspend", "suspended"},
		{"suspend", ""}, {"approve", ""}, {"activate", "active"}, {"archive", ""}, {"suspend", "suspended"}, {"archive", "archived"},
		{"activate", ""}, {"approve", ""}, {"suspend", ""}, {"archive", ""},
	} {
		got := b.send("POST", "/api/tenants/acme/lifecycle", root, `{"action": "`+step.action+`", "reason": "walk"}`)
		if step.state == "" {
			requireProblem(t, got, 409, "state_conflict")
			continue
		}
		require.Equal(t, 200, got.status, got.body)
		require.Equal(t, step.state, got.decode(t)["lifecycle_state"])
		if step.state != "active" {
			requireProblem(t, b.get("/v1/context", bearer(b.token(ada, ""))...), 403, "tenant_"+step.state)
		}
	}
	require.Equal(t, "approved,suspended,activated,suspended,archived", b.ask(
		"select string_agg(action, ',' order by seq) from organization_audit_log where organization_id = $1 and reason = 'walk'", tenantA))
}

func TestInvalidate(t *testing.T) {
	t.Parallel()
	b := setupWrites(t)
	for _, body := range []string{`{"key": "tenant:` + tenantA + `:config"}`, `{"tenant": "acme"}`} {
		got := b.send("POST", "/api/cache/invalidate", root, body)
		require.Equal(t, 200, got.status, got.body)
		require.JSONEq(t, `{"tenant_id": "`+tenantA+`", "key": "tenant:`+tenantA+`:config"}`, got.body)
	}
	require.Equal(t, "2", b.ask("select count(*)::text from organization_audit_log where action = 'cache_invalidated'"))
}

func TestOpenAPI(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got := b.get("/openapi.json")
	require.Equal(t, 200, got.status)
	var document struct {
		OpenAPI string `json:"openapi"`
		Paths   map[string]map[string]struct {
			OperationID string                     `json:"operationId"`
			Responses   map[string]json.RawMessage `json:"responses"`
		} `json:"paths"`
		Components struct {
			Schemas map[string]json.RawMessage `json:"schemas"`
		} `json:"components"`
	}
	require.NoError(t, json.Unmarshal([]byte(got.body), &document))
	require.Regexp(t, `^3\.1\.`, document.OpenAPI)
	for path, method := range map[string]string{
		"/v1/context": "get", "/api/tenants/{id}/config": "patch", "/api/tenants/{id}/features/toggle": "post",
		"/api/tenants/{id}/agents/assign": "post", "/api/tenants/{id}/lifecycle": "post", "/api/cache/invalidate": "post",
	} {
		operation := document.Paths[path][method]
		require.NotEmpty(t, operation.OperationID, path)
		require.Contains(t, string(operation.Responses["default"]), "#/components/schemas/Problem", path)
		require.NotEmpty(t, operation.Responses["200"], path)
	}
	require.Contains(t, string(document.Components.Schemas["Problem"]), `"hint"`)
	for _, reference := range regexpReferences.FindAllStringSubmatch(got.body, -1) {
		require.Contains(t, document.Components.Schemas, reference[1], "a reference leads nowhere")
	}
	require.NotContains(t, strings.ReplaceAll(got.body, `"#/components/schemas/`, ""), `"#/`, "a reference leads elsewhere")

	page := b.get("/docs")
	require.Equal(t, 200, page.status)
	require.Contains(t, page.header.Get("Content-Type"), "text/html")
	for path := range document.Paths {
		require.Contains(t, page.body, path)
	}
	require.NotRegexp(t, `(src|href)="?(https?:)?//|<script|url\(|@import`, page.body, "the page loads something")
	require.Contains(t, page.header.Get("Content-Security-Policy"), "default-src 'none'")

	schema := b.get("/schemas/tenant_configuration.json")
	require.Equal(t, "application/schema+json", schema.header.Get("Content-Type"))
	require.Contains(t, schema.body, "2020-12")
	requireProblem(t, b.get("/schemas/nothing.json"), 404, "not_found")
	requireProblem(t, b.get("/schemas/..%2Fembed.go"), 404, "not_found")
}

// What is answered is what /openapi.json says is answered, errors included.
func TestOpenAPI_AnswersConform(t *testing.T) {
	t.Parallel()
	b := setupWrites(t)
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(b.get("/openapi.json").body))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("urn:openapi", document))
	conforms := func(schema string, got answer, status int) {
		t.Helper()
		require.Equal(t, status, got.status, got.body)
		compiled, err := compiler.Compile("urn:openapi#/components/schemas/" + schema)
		require.NoError(t, err)
		body, err := jsonschema.UnmarshalJSON(strings.NewReader(got.body))
		require.NoError(t, err)
		require.NoError(t, compiled.Validate(body), got.body)
	}
	conforms("ContextAnswer", b.get("/v1/context", bearer(b.token(ada, ""))...), 200)
	conforms("ContextAnswer", b.get("/v1/context", with(bearer(b.token(root, "")), "Vital-Tenant", "acme")...), 200)
	conforms("ConfigurationRow", b.patch(ada, `{}`), 200)
	conforms("FeatureRow", b.send("POST", "/api/tenants/acme/features/toggle", ada, `{"flag_key": "one", "enabled": null}`), 200)
	conforms("AssignmentRow", b.send("POST", "/api/tenants/acme/agents/assign", ada, `{"agent_id": "`+agentA+`"}`), 200)
	conforms("AssignmentRow", b.send("POST", "/api/tenants/acme/agents/assign", ada, `{"agent_id": "`+agentA+`", "action": "unassign"}`), 200)
	conforms("OrganizationRow", b.send("POST", "/api/tenants/acme/lifecycle", root, `{"action": "suspend", "reason": "x"}`), 200)
	conforms("Invalidation", b.send("POST", "/api/cache/invalidate", root, `{"tenant": "acme"}`), 200)
	conforms("Problem", b.patch(root, `{"limits": 1}`), 422)
	conforms("Problem", b.patch(ada, `{}`), 403)
}
