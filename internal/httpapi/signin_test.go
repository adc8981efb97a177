package httpapi_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/httpapi"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/schema"
	"github.com/vital-db/vital/internal/signin"
)

const password = "correct horse battery"

// signInBundle is a bundle whose server signs in; ada, bob, dana and root have accounts with that password.
type signInBundle struct {
	*bundle
	signIn *signin.Service
}

func setupSignIn(t *testing.T) *signInBundle {
	t.Helper()
	b := &signInBundle{bundle: &bundle{t: t, db: pgtest.New(t), log: &safeBuffer{}, metrics: httpapi.NewMetrics("test")}}
	b.db.Exec(t, fixture)
	b.pool = b.db.Open(t, postgres.Config{})
	log := slog.New(slog.NewJSONHandler(b.log, nil))
	var err error
	b.signIn, err = signin.New(signin.Config{
		DB: b.pool.Service, KEK: bytes.Repeat([]byte{1}, 32), Issuer: "vital", PublicURL: "http://vital.test", Log: log,
		RedirectOrigins: []string{"https://app.test"}, PasswordMemory: 64,
	})
	require.NoError(t, err)
	require.NoError(t, b.signIn.Start(t.Context()))
	t.Cleanup(b.signIn.Close)
	verifier, err := identity.NewVerifier(identity.Config{
		Secret: []byte(secret), JWKS: b.signIn.JWKS, Issuer: "vital", Audience: "authenticated", APIKey: signin.FindAPIKey(b.pool.Service),
	})
	require.NoError(t, err)
	require.NoError(t, verifier.Start(t.Context()))
	b.issuer, err = identity.NewTokenIssuer(identity.IssuerConfig{Secret: []byte(secret), Issuer: "vital", Audience: "authenticated"})
	require.NoError(t, err)
	config := httpapi.Config{
		DB: b.pool, Verifier: verifier, Metrics: b.metrics, Log: log, SchemaVersion: schema.LatestVersion(), SignIn: b.signIn,
		CORSOrigins: []string{"https://app.test"}, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	}
	remember(t, &config, b.pool)
	b.server = httptest.NewServer(httpapi.New(config))
	t.Cleanup(b.server.Close)
	secretOfAll := password
	for id, email := range map[string]string{ada: "ada@acme.test", bob: "bob@bolt.test", dana: "dana@acme.test", root: "root@platform.test"} {
		_, err := b.signIn.CreateUser(t.Context(), signin.AdminUser{ID: id, Email: email, Password: &secretOfAll, EmailConfirm: true})
		require.NoError(t, err)
	}
	return b
}

// auth sends body as JSON, with headers given in pairs.
func (b *bundle) auth(method, path string, body any, headers ...string) answer {
	b.t.Helper()
	raw, isText := body.(string)
	if !isText {
		encoded, err := json.Marshal(body)
		require.NoError(b.t, err)
		raw = string(encoded)
	}
	request, err := http.NewRequest(method, b.server.URL+path, strings.NewReader(raw))
	require.NoError(b.t, err)
	request.Header.Set("Content-Type", "application/json;charset=UTF-8")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	client := *b.server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := client.Do(request)
	require.NoError(b.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(b.t, err)
	return answer{response.StatusCode, response.Header, string(text)}
}

type object = map[string]any

// session signs in and returns the access and the refresh token.
func (b *signInBundle) session(email string) (access, refresh string) {
	b.t.Helper()
	got := b.auth(http.MethodPost, "/auth/v1/token?grant_type=password", object{"email": email, "password": password})
	require.Equal(b.t, http.StatusOK, got.status, got.body)
	body := got.decode(b.t)
	return body["access_token"].(string), body["refresh_token"].(string)
}

// apiKey makes an opaque key and returns its id with it.
func (b *signInBundle) apiKey(role identity.Role) (string, uuid.UUID) {
	b.t.Helper()
	var made signin.APIKey
	var key string
	require.NoError(b.t, b.pool.AsService(context.Background(), "Key", func(tx pgx.Tx) (err error) {
		made, key, err = signin.CreateAPIKey(context.Background(), tx, role, "test", 0)
		return err
	}))
	return key, made.ID
}

// requireAuthError checks the shape supabase-js reads.
func requireAuthError(t *testing.T, got answer, status int, code string) {
	t.Helper()
	require.Equal(t, status, got.status, got.body)
	require.Equal(t, "no-store", got.header.Get("Cache-Control"))
	body := got.decode(t)
	if got.header.Get("X-Supabase-Api-Version") != "" {
		require.Equal(t, code, body["code"])
		require.NotEmpty(t, body["message"])
		return
	}
	require.InDelta(t, status, body["code"], 0)
	require.Equal(t, code, body["error_code"])
	require.NotEmpty(t, body["msg"])
}

var newShape = []string{"X-Supabase-Api-Version", "2024-01-01"}

func TestSignIn_Errors(t *testing.T) {
	t.Parallel()
	b := setupSignIn(t)
	wrong := object{"email": "ada@acme.test", "password": "wrong"}
	token := "/auth/v1/token?grant_type=password"
	requireAuthError(t, b.auth(http.MethodPost, token, wrong), http.StatusBadRequest, "invalid_credentials")
	got := b.auth(http.MethodPost, token, wrong, newShape...)
	require.Equal(t, "2024-01-01", got.header.Get("X-Supabase-Api-Version"))
	requireAuthError(t, got, http.StatusBadRequest, "invalid_credentials")
	requireAuthError(t, b.auth(http.MethodPost, token, wrong, "X-Supabase-Api-Version", "nonsense!!"), http.StatusBadRequest, "invalid_credentials")
	requireAuthError(t, b.auth(http.MethodPost, token, "{"), http.StatusBadRequest, "bad_json")
	requireAuthError(t, b.auth(http.MethodPost, token, `{"email": 7}`), http.StatusBadRequest, "bad_json")
	requireAuthError(t, b.auth(http.MethodPost, token, `{"email": "`+strings.Repeat("x", 70_000)+`"}`), http.StatusRequestEntityTooLarge, "request_entity_too_large")
	requireAuthError(t, b.auth(http.MethodPost, "/auth/v1/token?grant_type=magic", object{}), http.StatusBadRequest, "invalid_credentials")
	requireAuthError(t, b.auth(http.MethodPost, token, object{"password": "x"}), http.StatusBadRequest, "validation_failed")
	requireAuthError(t, b.auth(http.MethodPost, "/auth/v1/otp", object{}), http.StatusNotFound, "not_found")
	requireAuthError(t, b.get("/auth/v1/user"), http.StatusUnauthorized, "no_authorization")
	requireAuthError(t, b.get("/auth/v1/user", bearer(b.key(identity.Anon))...), http.StatusForbidden, "bad_jwt")
	requireAuthError(t, b.get("/auth/v1/user", bearer("rubbish")...), http.StatusForbidden, "bad_jwt")
	requireAuthError(t, b.get("/auth/v1/user", bearer(b.token(ada, ""))...), http.StatusForbidden, "session_not_found")
	got = b.auth(http.MethodPost, "/auth/v1/signup", object{"email": "x@y.test", "password": "short"}, newShape...)
	requireAuthError(t, got, http.StatusUnprocessableEntity, "weak_password")
	require.Equal(t, object{"reasons": []any{"length"}}, got.decode(t)["weak_password"])
	require.NotContains(t, b.log.String(), "wrong")

	for range 19 {
		got = b.auth(http.MethodPost, token, wrong)
	}
	requireAuthError(t, got, http.StatusTooManyRequests, "over_request_rate_limit")
	require.NotEmpty(t, got.header.Get("Retry-After"))
	owner := b.auth(http.MethodPost, token, object{"email": "ada@acme.test", "password": password}, "X-Forwarded-For", "192.0.2.7")
	require.Equal(t, http.StatusOK, owner.status, "the owner, elsewhere, is not locked out")
	for i := range 21 { // what a client itself says of where it is does not count
		got = b.auth(http.MethodPost, token, wrong, "X-Forwarded-For", fmt.Sprintf("10.0.0.%d, 198.51.100.5", i))
	}
	requireAuthError(t, got, http.StatusTooManyRequests, "over_request_rate_limit")
}

func TestSignIn_Session(t *testing.T) {
	t.Parallel()
	b := setupSignIn(t)
	access, refresh := b.session("ada@acme.test")
	user := b.get("/auth/v1/user", bearer(access)...)
	require.Equal(t, http.StatusOK, user.status)
	require.Equal(t, ada, user.decode(t)["id"])
	require.NotContains(t, user.body, "argon2")
	require.Equal(t, "acme", b.get("/v1/context", bearer(access)...).decode(t)["organization"].(object)["slug"])

	// Nothing of theirs leads anywhere else.
	requireProblem(t, b.get("/v1/context", with(bearer(access), "Vital-Tenant", "bolt")...), http.StatusNotFound, "tenant_not_found")
	put := func(body any) answer { return b.auth(http.MethodPut, "/auth/v1/user", body, bearer(access)...) }
	requireAuthError(t, put(object{"app_metadata": object{"tenant_id": tenantB}}), http.StatusForbidden, "not_admin")
	require.Equal(t, http.StatusOK, put(object{"data": object{"tenant_id": tenantB, "app_metadata": object{"tenant_id": tenantB}}, "role": "service_role"}).status)
	got := b.auth(http.MethodPost, "/auth/v1/token?grant_type=refresh_token", object{"refresh_token": refresh})
	require.Equal(t, http.StatusOK, got.status, got.body)
	access = got.decode(t)["access_token"].(string)
	require.Equal(t, "acme", b.get("/v1/context", bearer(access)...).decode(t)["organization"].(object)["slug"])
	requireAuthError(t, b.get("/auth/v1/admin/users", bearer(access)...), http.StatusForbidden, "not_admin")

	// Signed out: refused at the next request.
	require.Equal(t, http.StatusNoContent, b.auth(http.MethodPost, "/auth/v1/logout?scope=local", "", bearer(access)...).status)
	requireProblem(t, b.get("/v1/context", bearer(access)...), http.StatusUnauthorized, "session_revoked")
	requireAuthError(t, b.get("/auth/v1/user", bearer(access)...), http.StatusForbidden, "session_not_found")

	// So is whoever is no member any more.
	access, _ = b.session("dana@acme.test")
	require.Equal(t, http.StatusOK, b.get("/v1/context", with(bearer(access), "Vital-Tenant", "bolt")...).status)
	b.db.Exec(t, "delete from user_tenants where user_id = $1 and tenant_id = $2", dana, tenantB)
	require.Eventually(t, func() bool {
		return b.get("/v1/context", with(bearer(access), "Vital-Tenant", "bolt")...).status != http.StatusOK
	}, 30*time.Second, 5*time.Millisecond, "a change somebody else made is seen as soon as it is heard of")
	requireProblem(t, b.get("/v1/context", with(bearer(access), "Vital-Tenant", "bolt")...), http.StatusNotFound, "tenant_not_found")
}

func TestSignIn_Invitation(t *testing.T) {
	t.Parallel()
	b := setupSignIn(t)
	conn := b.db.Connect(t)
	var token string
	require.NoError(t, conn.QueryRow(t.Context(), "select token from vital.invite_member($1, 'new@acme.test', 'viewer')", tenantA).Scan(&token))
	got := b.auth(http.MethodPost, "/auth/v1/signup", object{
		"email": "new@acme.test", "password": password, "data": object{"invitation_token": token, "full_name": "Nina"},
		"gotrue_meta_security": object{}, "code_challenge": nil,
	})
	require.Equal(t, http.StatusOK, got.status, got.body)
	context := b.get("/v1/context", bearer(got.decode(t)["access_token"].(string))...).decode(t)
	require.Equal(t, "viewer", context["membership"].(object)["role"])
	require.NotContains(t, b.log.String(), token)
	requireAuthError(t, b.auth(http.MethodPost, "/auth/v1/signup", object{"email": "eve@x.test", "password": password}), http.StatusUnprocessableEntity, "signup_disabled")
}

func TestSignIn_Keys(t *testing.T) {
	t.Parallel()
	b := setupSignIn(t)
	anon, _ := b.apiKey(identity.Anon)
	service, id := b.apiKey(identity.ServiceRole)
	requireProblem(t, b.get("/v1/context", "apikey", anon, "Authorization", "Bearer "+anon), http.StatusUnauthorized, "user_required")
	access, _ := b.session("ada@acme.test")
	require.Equal(t, http.StatusOK, b.get("/v1/context", "apikey", anon, "Authorization", "Bearer "+access).status)
	unknown := anon[:len(anon)-4] + "AAAA"
	require.Equal(t, http.StatusOK, b.get("/v1/context", "apikey", unknown, "Authorization", "Bearer "+access).status, "a user's token outranks")
	requireProblem(t, b.get("/v1/context", "apikey", unknown), http.StatusUnauthorized, "api_key_invalid")
	requireAuthError(t, b.auth(http.MethodPost, "/auth/v1/token?grant_type=password", object{"email": "ada@acme.test", "password": password}, "apikey", unknown),
		http.StatusUnauthorized, "api_key_invalid")

	list := b.get("/auth/v1/admin/users?page=1&per_page=3", "apikey", service, "Authorization", "Bearer "+service)
	require.Equal(t, http.StatusOK, list.status)
	require.Equal(t, "4", list.header.Get("X-Total-Count"))
	require.Equal(t, `</auth/v1/admin/users?page=2&per_page=3>; rel="next", </auth/v1/admin/users?page=2&per_page=3>; rel="last"`, list.header.Get("Link"))
	require.Len(t, list.decode(t)["users"], 3)
	requireAuthError(t, b.get("/auth/v1/admin/users?page=0", bearer(service)...), http.StatusBadRequest, "validation_failed")
	requireAuthError(t, b.get("/auth/v1/admin/users", with(bearer(service), "Origin", "https://app.test")...), http.StatusForbidden, "origin_not_allowed")
	for _, path := range []string{"/auth/v1/admin/users", "/auth/v1/admin/users/" + ada, "/auth/v1/admin/generate_link"} {
		method := http.MethodGet
		if strings.HasSuffix(path, "link") {
			method = http.MethodPost
		}
		requireAuthError(t, b.auth(method, path, object{}, bearer(access)...), http.StatusForbidden, "not_admin")
		requireAuthError(t, b.auth(method, path, object{}, bearer(anon)...), http.StatusForbidden, "not_admin")
		requireAuthError(t, b.auth(method, path, object{}), http.StatusUnauthorized, "no_authorization")
	}
	require.Equal(t, http.StatusOK, b.get("/auth/v1/admin/users", bearer(b.key(identity.ServiceRole))...).status, "a key signed with the secret")

	require.NoError(t, b.pool.AsService(t.Context(), "Key", func(tx pgx.Tx) error { return signin.RevokeAPIKey(t.Context(), tx, id) }))
	requireAuthError(t, b.get("/auth/v1/admin/users", bearer(service)...), http.StatusUnauthorized, "api_key_invalid")
	require.NotContains(t, b.log.String(), service)
}

func TestSignIn_Admin(t *testing.T) {
	t.Parallel()
	b := setupSignIn(t)
	service, _ := b.apiKey(identity.ServiceRole)
	operator := bearer(service)
	made := b.auth(http.MethodPost, "/auth/v1/admin/users", object{"email": "m@x.test", "password": password, "email_confirm": true}, operator...)
	require.Equal(t, http.StatusOK, made.status, made.body)
	path := "/auth/v1/admin/users/" + made.decode(t)["id"].(string)
	require.Equal(t, http.StatusOK, b.auth(http.MethodPut, path, object{"app_metadata": object{"tenant_id": "acme"}}, operator...).status)
	require.Contains(t, b.get(path, operator...).body, `"tenant_id":"acme"`)
	requireAuthError(t, b.get("/auth/v1/admin/users/7", operator...), http.StatusNotFound, "user_not_found")
	access, _ := b.session("m@x.test")
	require.Equal(t, http.StatusOK, b.auth(http.MethodDelete, path, "", operator...).status)
	requireProblem(t, b.get("/v1/context", bearer(access)...), http.StatusUnauthorized, "session_revoked")
	invited := b.auth(http.MethodPost, "/auth/v1/invite", object{"email": "i@x.test"}, operator...)
	require.Equal(t, http.StatusOK, invited.status)
	require.Contains(t, invited.body, "invited_at")
}

func TestSignIn_Links(t *testing.T) {
	t.Parallel()
	b := setupSignIn(t)
	service, _ := b.apiKey(identity.ServiceRole)
	link := func() url.Values {
		got := b.auth(http.MethodPost, "/auth/v1/admin/generate_link", object{"type": "recovery", "email": "ada@acme.test"}, bearer(service)...)
		require.Equal(t, http.StatusOK, got.status, got.body)
		u, err := url.Parse(got.decode(t)["action_link"].(string))
		require.NoError(t, err)
		return u.Query()
	}
	q := link()
	q.Set("redirect_to", "https://app.test/reset")
	require.Equal(t, http.StatusMethodNotAllowed, b.auth(http.MethodHead, "/auth/v1/verify?"+q.Encode(), "").status, "looking ahead uses nothing up")
	got := b.auth(http.MethodGet, "/auth/v1/verify?"+q.Encode(), "")
	require.Equal(t, http.StatusSeeOther, got.status)
	to, err := url.Parse(got.header.Get("Location"))
	require.NoError(t, err)
	require.Equal(t, "https://app.test/reset", to.Scheme+"://"+to.Host+to.Path)
	fragment, err := url.ParseQuery(to.Fragment)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, b.get("/v1/context", bearer(fragment.Get("access_token"))...).status)
	got = b.auth(http.MethodGet, "/auth/v1/verify?"+q.Encode(), "")
	require.Equal(t, http.StatusSeeOther, got.status, "used")
	require.Contains(t, got.header.Get("Location"), "error_code=otp_expired")

	q = link()
	q.Set("redirect_to", "https://evil.test/")
	got = b.auth(http.MethodGet, "/auth/v1/verify?"+q.Encode(), "")
	require.Equal(t, http.StatusOK, got.status, "never to a place nobody allowed")
	require.Empty(t, got.header.Get("Location"))
	requireAuthError(t, b.auth(http.MethodPost, "/auth/v1/verify", object{"type": "recovery", "token_hash": "guess"}), http.StatusForbidden, "otp_expired")
	for _, email := range []string{"ada@acme.test", "nobody@acme.test"} {
		got := b.auth(http.MethodPost, "/auth/v1/recover", object{"email": email})
		require.Equal(t, http.StatusOK, got.status)
		require.JSONEq(t, "{}", got.body)
	}
}

func TestSignIn_Browser(t *testing.T) {
	t.Parallel()
	b := setupSignIn(t)
	got := b.auth(http.MethodOptions, "/auth/v1/token?grant_type=password", "", "Origin", "https://app.test", "Access-Control-Request-Method", "POST",
		"Access-Control-Request-Headers", "apikey,authorization,content-type,x-client-info,x-supabase-api-version")
	require.Equal(t, "https://app.test", got.header.Get("Access-Control-Allow-Origin"))
	require.Contains(t, strings.ToLower(got.header.Get("Access-Control-Allow-Headers")), "x-supabase-api-version")
	got = b.auth(http.MethodPost, "/auth/v1/token?grant_type=password", object{}, "Origin", "https://app.test")
	require.Contains(t, got.header.Get("Access-Control-Expose-Headers"), "X-Supabase-Api-Version")
	require.Empty(t, b.auth(http.MethodOptions, "/auth/v1/user", "", "Origin", "https://evil.test", "Access-Control-Request-Method", "GET").header.Get("Access-Control-Allow-Origin"))

	keys := b.get("/auth/v1/.well-known/jwks.json").decode(t)["keys"].([]any)
	require.Len(t, keys, 2)
	require.NotContains(t, keys[0], "d")
	require.Equal(t, true, b.get("/auth/v1/settings").decode(t)["disable_signup"])
	require.Equal(t, "VITAL", b.get("/auth/v1/health").decode(t)["name"])
}

func TestSignIn_Off(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *httpapi.Config, _ *postgres.Config) { c.SignInOff = "An external issuer rules here." })
	for _, path := range []string{"/auth/v1/token?grant_type=password", "/auth/v1/user", "/auth/v1/.well-known/jwks.json", "/auth/v1/anything"} {
		got := b.auth(http.MethodPost, path, object{"email": "ada@acme.test", "password": password})
		requireAuthError(t, got, http.StatusNotFound, "sign_in_off")
		require.Contains(t, got.body, "An external issuer rules here.")
	}
}

func decode64(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(text)
	require.NoError(t, err)
	return raw
}

// A token of another issuer's key, and one that grants itself more, are refused.
func TestSignIn_ForgedTokens(t *testing.T) {
	t.Parallel()
	b := setupSignIn(t)
	access, _ := b.session("ada@acme.test")
	part := strings.Split(access, ".")
	var claims map[string]any
	require.NoError(t, json.Unmarshal(decode64(t, part[1]), &claims))
	claims["sub"] = bob
	changed := sign(map[string]any{"alg": "HS256"}, claims, "not-the-secret-of-the-tests-of-32-bytes")
	requireProblem(t, b.get("/v1/context", bearer(changed)...), http.StatusUnauthorized, "token_bad_signature")
	forged := part[0] + "." + strings.Split(changed, ".")[1] + "." + part[2]
	requireProblem(t, b.get("/v1/context", bearer(forged)...), http.StatusUnauthorized, "token_bad_signature")
	requireAuthError(t, b.get("/auth/v1/user", bearer(forged)...), http.StatusForbidden, "bad_jwt")
	old := sign(map[string]any{"alg": "HS256"}, map[string]any{
		"sub": ada, "role": "authenticated", "aud": "authenticated", "iss": "vital", "exp": time.Now().Add(-time.Minute).Unix(),
	}, secret)
	requireAuthError(t, b.get("/auth/v1/user", bearer(old)...), http.StatusForbidden, "bad_jwt")
}
