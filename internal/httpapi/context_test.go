package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestContext_OK(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got := b.get("/v1/context", bearer(b.token(ada, ""))...)
	require.Equal(t, http.StatusOK, got.status, got.body)
	require.Equal(t, "application/json", got.header.Get("Content-Type"))
	require.Equal(t, "private, no-cache", got.header.Get("Cache-Control"))
	require.Equal(t, "Authorization, Vital-Tenant", strings.Join(got.header.Values("Vary"), ", "))
	require.Regexp(t, `^"[\w-]+"$`, got.header.Get("ETag"))
	require.Contains(t, got.header.Get("Server-Timing"), "db;dur=")

	body := got.decode(t)
	require.Regexp(t, `^`+body["version"].(string)+`\.[\w-]{22}$`, got.header.Get("Vital-Version"), "the counters, and a position of the log")
	require.Equal(t, map[string]any{"id": ada, "email": "ada@acme.test", "full_name": "Ada", "role": "user"}, body["user"])
	organization := body["organization"].(map[string]any)
	for field, want := range map[string]any{
		"id": tenantA, "name": "Acme", "slug": "acme", "tenant_type": "digital_health", "tenant_key": "acme", "is_active": true,
	} {
		require.Equal(t, want, organization[field], field)
	}
	require.Equal(t, "admin", body["membership"].(map[string]any)["role"])
	require.Len(t, body["tenants"], 1)
	config := body["config"].(map[string]any)
	for _, field := range []string{"ui_config", "enabled_features", "enabled_apps", "enabled_agent_tiers", "limits", "compliance_settings", "apps", "features"} {
		require.Contains(t, config, field)
	}
	require.Len(t, config["apps"], 4)
	require.Equal(t, []any{
		map[string]any{"flag_key": "one", "enabled": true, "config": map[string]any{}},
		map[string]any{"flag_key": "two", "enabled": false, "config": map[string]any{}},
	}, config["features"])
	require.NotContains(t, got.body, "bolt")
}

func TestContext_Switch(t *testing.T) {
	t.Parallel()
	b := setup(t)
	slug := func(headers ...string) string {
		got := b.get("/v1/context", headers...)
		require.Equal(t, http.StatusOK, got.status, got.body)
		body := got.decode(t)
		require.Len(t, body["tenants"], 2)
		return body["organization"].(map[string]any)["slug"].(string)
	}
	plain := bearer(b.token(dana, ""))
	require.Equal(t, "acme", slug(plain...), "the default tenant")
	require.Equal(t, "bolt", slug(with(plain, "Vital-Tenant", "bolt")...), "by slug")
	require.Equal(t, "bolt", slug(with(plain, "Vital-Tenant", tenantB)...), "by id")
	require.Equal(t, "bolt", slug(with(plain, "Vital-Tenant", strings.ToUpper(tenantB))...), "by id in capitals")
	claim := bearer(b.token(dana, tenantB))
	require.Equal(t, "bolt", slug(claim...), "by the token's claim")
	require.Equal(t, "acme", slug(with(claim, "Vital-Tenant", "acme")...), "the header outranks the claim")

	got := b.get("/v1/context", with(plain, "Vital-Tenant", "bolt")...)
	require.Contains(t, got.body, "secret_of_b", "B's own override")
	require.NotContains(t, b.get("/v1/context", plain...).body, "secret_of_b")
}

func TestContext_NotModified(t *testing.T) {
	t.Parallel()
	b := setup(t)
	token := bearer(b.token(ada, ""))
	first := b.get("/v1/context", token...)
	etag := first.header.Get("ETag")
	for _, header := range []string{etag, "W/" + etag, `"other", ` + etag, "*"} {
		got := b.get("/v1/context", with(token, "If-None-Match", header)...)
		require.Equal(t, http.StatusNotModified, got.status, header)
		require.Empty(t, got.body)
		require.Equal(t, etag, got.header.Get("ETag"))
		require.Equal(t, "private, no-cache", got.header.Get("Cache-Control"))
	}
	require.Equal(t, http.StatusOK, b.get("/v1/context", with(token, "If-None-Match", `"other"`)...).status)

	b.db.Exec(t, `update tenant_configurations set limits = '{"max_agents": 7}' where tenant_id = '`+tenantA+`'`)
	var changed answer
	require.Eventually(t, func() bool {
		changed = b.get("/v1/context", with(token, "If-None-Match", etag)...)
		return changed.status == http.StatusOK
	}, 30*time.Second, 5*time.Millisecond, "a change somebody else made is seen as soon as it is heard of")
	require.NotEqual(t, first.header.Get("Vital-Version"), changed.header.Get("Vital-Version"))
	require.Contains(t, changed.body, `"max_agents": 7`)

	other := b.get("/v1/context", with(bearer(b.token(bob, "")), "If-None-Match", changed.header.Get("ETag"))...)
	require.Equal(t, http.StatusOK, other.status, "A's tag says nothing about B's context")
}

func TestContext_Head(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got := b.do(http.MethodHead, "/v1/context", bearer(b.token(ada, ""))...)
	require.Equal(t, http.StatusOK, got.status)
	require.Empty(t, got.body)
	require.NotEmpty(t, got.header.Get("ETag"))
}

func TestContext_NamedErrors(t *testing.T) {
	t.Parallel()
	b := setup(t)
	none := "99999999-9999-4999-8999-999999999999"
	for _, c := range []struct {
		name    string
		headers []string
		status  int
		code    string
	}{
		{"no token", nil, 401, "token_missing"},
		{"not bearer", []string{"Authorization", "Basic YTpi"}, 401, "token_malformed"},
		{"garbage", bearer("garbage"), 401, "token_malformed"},
		{"two tokens", with(bearer("a"), "Authorization", "Bearer b"), 401, "token_malformed"},
		{"unknown user", bearer(b.token(stranger, "")), 403, "user_unknown"},
		{"no profile", bearer(b.token(faceless, "")), 409, "user_without_profile"},
		{"no organization", bearer(b.token(homeless, "")), 409, "user_without_organization"},
		{"not a member of the default tenant", bearer(b.token(outsider, "")), 403, "membership_missing"},
		{"another's tenant by slug", with(bearer(b.token(ada, "")), "Vital-Tenant", "bolt"), 404, "tenant_not_found"},
		{"another's tenant by id", with(bearer(b.token(ada, "")), "Vital-Tenant", tenantB), 404, "tenant_not_found"},
		{"another's tenant by claim", bearer(b.token(ada, tenantB)), 404, "tenant_not_found"},
		{"no such tenant by slug", with(bearer(b.token(ada, "")), "Vital-Tenant", "nowhere"), 404, "tenant_not_found"},
		{"no such tenant by id", with(bearer(b.token(ada, "")), "Vital-Tenant", none), 404, "tenant_not_found"},
		{"no such tenant for a super admin", with(bearer(b.token(root, "")), "Vital-Tenant", "nowhere"), 404, "tenant_not_found"},
		{"neither id nor slug", with(bearer(b.token(ada, "")), "Vital-Tenant", "Not A Slug"), 400, "tenant_reference_invalid"},
		{"a seal's separator", with(bearer(b.token(ada, "")), "Vital-Tenant", "acme.authenticated"), 400, "tenant_reference_invalid"},
		{"empty tenant header", with(bearer(b.token(ada, "")), "Vital-Tenant", " "), 400, "tenant_reference_invalid"},
		{"two tenant headers", with(bearer(b.token(ada, "")), "Vital-Tenant", "acme", "Vital-Tenant", "bolt"), 400, "tenant_reference_invalid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := b.get("/v1/context", c.headers...)
			requireProblem(t, got, c.status, c.code)
			require.Empty(t, got.header.Get("ETag"))
			if c.status == http.StatusUnauthorized {
				require.Contains(t, got.header.Get("WWW-Authenticate"), "Bearer")
			}
		})
	}
}

// A tenant that is missing and one that is forbidden must look the same to the byte.
func TestContext_MissingAndForbiddenAlike(t *testing.T) {
	t.Parallel()
	b := setup(t)
	token := bearer(b.token(ada, ""))
	ask := func(tenant string) answer {
		got := b.get("/v1/context", with(token, "Vital-Tenant", tenant, "X-Request-Id", "same")...)
		got.header.Del("Date")
		return got
	}
	require.Equal(t, ask("nowhere"), ask("bolt"))
	require.Equal(t, ask("99999999-9999-4999-8999-999999999999"), ask(tenantB))

	b.db.Exec(t, `update organizations set lifecycle_state = 'suspended' where slug = 'bolt'`)
	require.Equal(t, ask("nowhere"), ask("bolt"), "its state is nothing a stranger learns")
}

func TestContext_TenantStates(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, state := range []string{"pending", "suspended", "archived"} {
		b.db.Exec(t, `update organizations set lifecycle_state = $1::org_lifecycle_state where slug = 'acme'`, state)
		requireProblem(t, b.get("/v1/context", bearer(b.token(ada, ""))...), http.StatusForbidden, "tenant_"+state)
		require.Equal(t, http.StatusOK, b.get("/v1/context", with(bearer(b.token(root, "")), "Vital-Tenant", "acme")...).status,
			"a super admin still gets in")
		require.Equal(t, http.StatusOK, b.get("/v1/context", with(bearer(b.token(dana, "")), "Vital-Tenant", "bolt")...).status,
			"a member's other tenant is not touched")
	}
}

func TestContext_ErrNoConfiguration(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.db.Exec(t, `delete from tenant_configurations where tenant_id = '`+tenantA+`'`)
	requireProblem(t, b.get("/v1/context", bearer(b.token(ada, ""))...), http.StatusConflict, "tenant_unconfigured")
}

func TestContext_ErrMembershipSuspended(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.Equal(t, http.StatusOK, b.get("/v1/context", bearer(b.token(ada, ""))...).status)
	b.db.Exec(t, `update user_tenants set status = 'suspended' where user_id = '`+ada+`'`)
	requireProblem(t, b.get("/v1/context", bearer(b.token(ada, ""))...), http.StatusForbidden, "membership_missing")
}
