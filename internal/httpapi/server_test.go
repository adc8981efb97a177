package httpapi_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/httpapi"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
)

// sign makes a token of any header and claims, signed with key.
func sign(header, claims map[string]any, key string) string {
	part := func(v any) string {
		b, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	message := part(header) + "." + part(claims)
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(message))
	return message + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func claims(change map[string]any) map[string]any {
	c := map[string]any{
		"sub": ada, "role": "authenticated", "aud": "authenticated", "iss": "vital",
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}
	for k, v := range change {
		c[k] = v
	}
	return c
}

func TestAuthenticate_ForgedTokens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	hs256 := map[string]any{"alg": "HS256", "typ": "JWT"}
	require.Equal(t, http.StatusOK, b.get("/v1/context", bearer(sign(hs256, claims(nil), secret))...).status, "the forger's tool works")
	none := sign(map[string]any{"alg": "none"}, claims(nil), secret)
	for _, c := range []struct{ name, token, code string }{
		{"expired", sign(hs256, claims(map[string]any{"exp": time.Now().Add(-time.Minute).Unix()}), secret), "token_expired"},
		{"not yet valid", sign(hs256, claims(map[string]any{"nbf": time.Now().Add(time.Hour).Unix()}), secret), "token_not_yet_valid"},
		{"another key", sign(hs256, claims(nil), "another-secret-of-32-bytes-or-more-!!"), "token_bad_signature"},
		{"alg none", none[:strings.LastIndex(none, ".")+1], "token_algorithm"},
		{"alg of a key set", sign(map[string]any{"alg": "RS256"}, claims(nil), secret), "token_algorithm"},
		{"audience", sign(hs256, claims(map[string]any{"aud": "others"}), secret), "token_wrong_audience"},
		{"issuer", sign(hs256, claims(map[string]any{"iss": "others"}), secret), "token_wrong_issuer"},
		{"role nobody has", sign(hs256, claims(map[string]any{"role": "vital_owner"}), secret), "token_bad_claims"},
		{"subject is no id", sign(hs256, claims(map[string]any{"sub": "' or true --"}), secret), "token_bad_claims"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := b.get("/v1/context", bearer(c.token)...)
			requireProblem(t, got, http.StatusUnauthorized, c.code)
			require.NotContains(t, got.body, c.token)
		})
	}
	t.Run("a tenant claim the user wrote themself counts for nothing", func(t *testing.T) {
		t.Parallel()
		token := sign(hs256, claims(map[string]any{"user_metadata": map[string]any{"tenant_id": tenantB}}), secret)
		got := b.get("/v1/context", bearer(token)...)
		require.Equal(t, http.StatusOK, got.status)
		require.Contains(t, got.body, "acme")
	})
}

func TestAuthenticate_Apikey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	anon := b.key(identity.Anon)
	service := b.key(identity.ServiceRole)
	user := b.token(ada, "")
	require.Equal(t, http.StatusOK, b.get("/v1/context", "apikey", user).status)
	require.Equal(t, http.StatusOK, b.get("/v1/context", "apikey", anon, "Authorization", "Bearer "+user).status, "Authorization outranks apikey")
	requireProblem(t, b.get("/v1/context", "apikey", anon), http.StatusUnauthorized, "user_required")
	requireProblem(t, b.get("/v1/context", "apikey", service), http.StatusUnauthorized, "user_required")
	requireProblem(t, b.get("/v1/context", "apikey", service, "Origin", "https://app.test"), http.StatusForbidden, "origin_not_allowed")
	requireProblem(t, b.get("/v1/context?access_token="+user), http.StatusUnauthorized, "token_missing")
}

func (b *bundle) key(role identity.Role) string {
	token, err := b.issuer.Issue(identity.Grant{Role: role, TTL: time.Hour})
	require.NoError(b.t, err)
	return token
}

func TestOperations(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.JSONEq(t, `{"status":"ok"}`, b.get("/healthz").body)
	ready := b.get("/readyz")
	require.Equal(t, http.StatusOK, ready.status)
	require.Equal(t, "ready", ready.decode(t)["status"])
	require.Equal(t, http.StatusOK, b.get("/").status)
	require.Regexp(t, `<div id="root">|make console`, b.get("/console/", "Accept", "text/html").body, "the page, or how to have it")

	b.get("/v1/context", bearer(b.token(ada, ""))...)
	b.get("/v1/context")
	metrics := b.get("/metrics").body
	require.Contains(t, metrics, `vital_http_request_duration_seconds_count{method="GET",route="GET /v1/context",status="200"} 1`)
	require.Contains(t, metrics, `vital_errors_total{code="token_missing"} 1`)
	require.Contains(t, metrics, `vital_query_duration_seconds_count{name="ContextRead",result="ok"} 1`)
	for _, private := range []string{ada, "acme", b.db.Name} {
		require.NotContains(t, metrics, private, "a label takes values from requests")
	}
}

// TestReadyz_SchemaVersion: a server is not ready before its schema is there, and stays ready when the next version has migrated.
func TestReadyz_SchemaVersion(t *testing.T) {
	t.Parallel()
	t.Run("behind", func(t *testing.T) {
		t.Parallel()
		b := setup(t, func(c *httpapi.Config, _ *postgres.Config) { c.SchemaVersion++ })
		requireProblem(t, b.get("/readyz"), http.StatusServiceUnavailable, "schema_behind")
		require.Equal(t, http.StatusOK, b.get("/healthz").status)
	})
	t.Run("ahead", func(t *testing.T) {
		t.Parallel()
		var known int64
		b := setup(t, func(c *httpapi.Config, _ *postgres.Config) { c.SchemaVersion--; known = c.SchemaVersion })
		ready := b.get("/readyz")
		require.Equal(t, http.StatusOK, ready.status, ready.body)
		require.EqualValues(t, known, ready.decode(t)["server_schema_version"])
		require.EqualValues(t, known+1, ready.decode(t)["schema_version"])
	})
}

func TestRouting(t *testing.T) {
	t.Parallel()
	b := setup(t)
	requireProblem(t, b.get("/nothing"), http.StatusNotFound, "not_found")
	requireProblem(t, b.get("/v1/context/"), http.StatusNotFound, "not_found")
	got := b.do(http.MethodDelete, "/v1/context")
	requireProblem(t, got, http.StatusMethodNotAllowed, "method_not_allowed")
	require.Equal(t, "GET", got.header.Get("Allow"))
	require.Equal(t, "mine-1", b.get("/healthz", "X-Request-Id", "mine-1").header.Get("X-Request-Id"))
	require.NotContains(t, b.get("/healthz", "X-Request-Id", `a" evil=1`).header.Get("X-Request-Id"), "evil")
}

func TestCORS(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *httpapi.Config, _ *postgres.Config) { c.CORSOrigins = []string{"https://app.test"} })
	preflight := b.do(http.MethodOptions, "/v1/context", "Origin", "https://app.test",
		"Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "apikey,authorization,vital-purpose,vital-tenant,x-application,x-client-info")
	require.Equal(t, http.StatusNoContent, preflight.status)
	require.Equal(t, "https://app.test", preflight.header.Get("Access-Control-Allow-Origin"))
	require.Contains(t, preflight.header.Get("Access-Control-Allow-Headers"), "x-application", "a header of the application's own")
	require.Contains(t, preflight.header.Get("Access-Control-Allow-Headers"), "vital-purpose")
	got := b.get("/v1/context", with(bearer(b.token(ada, "")), "Origin", "https://app.test")...)
	require.Equal(t, "https://app.test", got.header.Get("Access-Control-Allow-Origin"))
	require.Contains(t, strings.ToLower(got.header.Get("Access-Control-Expose-Headers")), "etag")
	require.Contains(t, got.header.Values("Vary"), "Origin")
	require.Empty(t, b.get("/v1/context", "Origin", "https://evil.test").header.Get("Access-Control-Allow-Origin"))
	require.Empty(t, setup(t).get("/healthz", "Origin", "https://app.test").header.Get("Access-Control-Allow-Origin"), "off by default")
}

func TestErrors_PoolExhausted(t *testing.T) {
	t.Parallel()
	b := setup(t, func(_ *httpapi.Config, c *postgres.Config) { c.MaxConns, c.AcquireTimeout = 1, 50*time.Millisecond })
	release := b.hold()
	got := b.get("/v1/context", bearer(b.token(ada, ""))...)
	requireProblem(t, got, http.StatusServiceUnavailable, "pool_exhausted")
	require.Equal(t, "1", got.header.Get("Retry-After"))
	release()
	require.Eventually(t, func() bool {
		return b.get("/v1/context", bearer(b.token(ada, ""))...).status == http.StatusOK
	}, 30*time.Second, 20*time.Millisecond)
}

// hold keeps one connection of the tenant pool busy until the returned function is called.
func (b *bundle) hold() (release func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		work := &postgres.Work{Name: "Hold"}
		work.Query("select pg_catalog.pg_sleep(60)", nil)
		_ = b.pool.InTenant(ctx, identity.Caller{Role: identity.Authenticated, UserID: uuid.MustParse(ada)}, "", work)
	}()
	require.Eventually(b.t, func() bool { return b.pool.Stat().Acquired == 1 }, 30*time.Second, 5*time.Millisecond)
	return func() { cancel(); <-done }
}

func TestErrors_RequestTimeout(t *testing.T) {
	t.Parallel()
	b := setup(t, func(h *httpapi.Config, c *postgres.Config) {
		c.MaxConns, c.AcquireTimeout, h.RequestTimeout = 1, time.Minute, 100*time.Millisecond
	})
	defer b.hold()()
	requireProblem(t, b.get("/v1/context", bearer(b.token(ada, ""))...), http.StatusGatewayTimeout, "request_timeout")
}

func TestErrors_RequestCancelled(t *testing.T) {
	t.Parallel()
	b := setup(t, func(_ *httpapi.Config, c *postgres.Config) { c.MaxConns, c.AcquireTimeout = 1, time.Minute })
	release := b.hold()
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.server.URL+"/v1/context", nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+b.token(ada, ""))
	_, err = b.server.Client().Do(request) //nolint:bodyclose // there is no answer
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Eventually(t, func() bool { return strings.Contains(b.log.String(), "request_cancelled") }, 30*time.Second, 10*time.Millisecond)
	release()
	require.Eventually(t, func() bool { return b.pool.Stat().Acquired == 0 }, 30*time.Second, 10*time.Millisecond, "a connection leaked")
}

func TestErrors_DatabaseDown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	token := bearer(b.token(ada, ""))
	require.Equal(t, http.StatusOK, b.get("/v1/context", token...).status)
	// Nobody may connect any more, and whoever is connected is sent away.
	b.admin(fmt.Sprintf(`alter database %q with allow_connections false`, b.db.Name))
	b.admin(`select pg_terminate_backend(pid) from pg_stat_activity where datname = $1`, b.db.Name)
	got := b.get("/v1/context", token...)
	requireProblem(t, got, http.StatusServiceUnavailable, "database_unavailable")
	require.Equal(t, "1", got.header.Get("Retry-After"))
	requireProblem(t, b.get("/readyz"), http.StatusServiceUnavailable, "database_unavailable")
	require.Equal(t, http.StatusOK, b.get("/healthz").status, "the process itself is well")

	b.admin(fmt.Sprintf(`alter database %q with allow_connections true`, b.db.Name))
	require.Equal(t, http.StatusOK, b.get("/v1/context", token...).status, "it is back at once when the database is")
}

func TestLog_NoSecrets(t *testing.T) {
	t.Parallel()
	b := setup(t)
	token := b.token(ada, "")
	b.get("/v1/context?apikey=query-secret", bearer(token)...)
	b.get("/v1/context", bearer(token+"x")...)
	b.get("/v1/context", with(bearer(token), "Vital-Tenant", "bolt")...)
	require.Eventually(t, func() bool { return strings.Count(b.log.String(), `"msg":"request"`) == 3 }, 30*time.Second, 10*time.Millisecond)
	log := b.log.String()
	for _, secretPart := range []string{token[20:60], "query-secret", secret, "secret_of_b", "ada@acme.test"} {
		require.NotContains(t, log, secretPart)
	}
	var line map[string]any
	require.NoError(t, json.Unmarshal([]byte(strings.SplitN(log, "\n", 2)[0]), &line))
	require.Equal(t, ada, line["user"])
	require.Equal(t, tenantA, line["tenant"])
	require.Contains(t, line, "duration_ms")
	require.Contains(t, line, "request_id")
}
