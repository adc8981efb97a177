package httpapi_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/open-feature/go-sdk-contrib/providers/ofrep"
	"github.com/open-feature/go-sdk/openfeature"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/feature"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/signin"
	"github.com/vital-db/vital/internal/tenant"
)

const ofrepFlags = `{"flags": {
	"release": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off"},
	"greeting": {"state": "ENABLED", "variants": {"plain": "hello", "bolt": "welcome", "gold": "at your service"}, "defaultVariant": "plain",
		"metadata": {"owner": "growth", "since": 3},
		"targeting": {"if": [{"==": [{"var": "tenant.slug"}, "bolt"]}, "bolt", {"==": [{"var": "plan"}, "gold"]}, "gold"]}},
	"limit": {"state": "ENABLED", "variants": {"low": 10}, "defaultVariant": "low"},
	"ratio": {"state": "ENABLED", "variants": {"half": 0.5}, "defaultVariant": "half"},
	"theme": {"state": "ENABLED", "variants": {"calm": {"accent": "#4F46E5", "radius": 8}}, "defaultVariant": "calm"},
	"retired": {"state": "DISABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"},
	"area/page.v1/50%": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"},
	"bucket": {"state": "ENABLED", "variants": {"tenant": "tenant", "user": "user"}, "defaultVariant": "user",
		"targeting": {"if": [{"!": {"var": "member.user_id"}}, "tenant"]}}
}}`

// setupFlags serves /ofrep/v1 with ofrepFlags.
func setupFlags(t *testing.T) *signInBundle {
	t.Helper()
	b := setupSignIn(t)
	b.importFlags(ofrepFlags)
	return b
}

func (b *bundle) importFlags(file string) {
	b.t.Helper()
	parsed, err := feature.ParseFlagd(strings.NewReader(file))
	require.NoError(b.t, err)
	source, err := parsed.Source()
	require.NoError(b.t, err)
	require.NoError(b.t, b.pool.AsService(context.Background(), "FlagImport", func(tx pgx.Tx) error {
		_, err := tenant.ImportFlags(context.Background(), tx, source, "test")
		return err
	}))
}

// tenantKey makes a key with which a server evaluates flags of a tenant.
func (b *bundle) tenantKey(of string) (key string, id uuid.UUID) {
	b.t.Helper()
	require.NoError(b.t, b.pool.AsService(context.Background(), "KeyCreate", func(tx pgx.Tx) error {
		made, text, err := signin.CreateTenantKey(context.Background(), tx, uuid.MustParse(of), []string{"flags"}, "test", 0)
		key, id = text, made.ID
		return err
	}))
	return key, id
}

// sdk is a client of OpenFeature's SDK that asks b.
func (b *bundle) sdk(options ...ofrep.Option) *openfeature.Client {
	b.t.Helper()
	domain := uuid.NewString()
	require.NoError(b.t, openfeature.SetNamedProviderAndWait(domain, ofrep.NewProvider(b.server.URL, options...)))
	return openfeature.NewClient(domain)
}

func about(attributes map[string]any) openfeature.EvaluationContext {
	return openfeature.NewTargetlessEvaluationContext(attributes)
}

func TestOFREP_SDKEvaluatesEveryType(t *testing.T) {
	t.Parallel()
	b := setupFlags(t)
	key, _ := b.tenantKey(tenantA)
	for name, client := range map[string]*openfeature.Client{
		"a user":      b.sdk(ofrep.WithBearerToken(b.token(ada, ""))),
		"a key":       b.sdk(ofrep.WithBearerToken(key)),
		"a key, bare": b.sdk(ofrep.WithApiKeyAuth(key)),
	} {
		ctx := t.Context()
		on, err := client.BooleanValueDetails(ctx, "release", true, about(nil))
		require.NoError(t, err, name)
		require.Equal(t, []any{false, "off", openfeature.StaticReason}, []any{on.Value, on.Variant, on.Reason}, name)
		text, err := client.StringValueDetails(ctx, "greeting", "x", about(map[string]any{"plan": "gold"}))
		require.NoError(t, err, name)
		require.Equal(t, []any{"at your service", "gold", openfeature.TargetingMatchReason}, []any{text.Value, text.Variant, text.Reason}, name)
		require.Equal(t, openfeature.FlagMetadata{"owner": "growth", "since": 3.0}, text.FlagMetadata, name)
		count, err := client.IntValue(ctx, "limit", 1, about(nil))
		require.NoError(t, err, name)
		require.EqualValues(t, 10, count, name)
		ratio, err := client.FloatValue(ctx, "ratio", 1, about(nil))
		require.NoError(t, err, name)
		require.InDelta(t, 0.5, ratio, 0, name)
		theme, err := client.ObjectValue(ctx, "theme", nil, about(nil))
		require.NoError(t, err, name)
		require.Equal(t, map[string]any{"accent": "#4F46E5", "radius": 8.0}, theme, name)
		off, err := client.BooleanValueDetails(ctx, "retired", true, about(nil))
		require.NoError(t, err, name)
		require.Equal(t, []any{true, "", openfeature.DisabledReason}, []any{off.Value, off.Variant, off.Reason}, name)
		// This client puts a key into the address as it is.
		odd, err := client.BooleanValue(ctx, "area/page.v1/50%25", false, about(nil))
		require.NoError(t, err, name)
		require.True(t, odd, name)
	}
}

func TestOFREP_SDKFailsWithTheDefault(t *testing.T) {
	t.Parallel()
	b := setupFlags(t)
	key, id := b.tenantKey(tenantA)
	yesterday := func() time.Time { return time.Now().Add(-24 * time.Hour) }
	former, err := identity.NewTokenIssuer(identity.IssuerConfig{Secret: []byte(secret), Issuer: "vital", Audience: "authenticated", Now: yesterday})
	require.NoError(t, err)
	expired, err := former.Issue(identity.Grant{UserID: uuid.MustParse(ada), Role: identity.Authenticated, SessionID: uuid.New(), TTL: time.Hour})
	require.NoError(t, err)
	anon, err := b.issuer.Issue(identity.Grant{Role: identity.Anon, TTL: time.Hour})
	require.NoError(t, err)
	fails := func(want openfeature.ErrorCode, client *openfeature.Client, flag string) {
		t.Helper()
		got, err := client.StringValueDetails(t.Context(), flag, "mine", about(nil))
		require.Error(t, err)
		require.Equal(t, []any{"mine", openfeature.ErrorReason, want}, []any{got.Value, got.Reason, got.ErrorCode})
	}
	good := b.sdk(ofrep.WithBearerToken(key))
	fails(openfeature.FlagNotFoundCode, good, "nowhere")
	fails(openfeature.TypeMismatchCode, good, "limit")
	_, err = good.StringValue(t.Context(), "greeting", "mine", about(map[string]any{"deep": deep(40)}))
	require.ErrorContains(t, err, string(openfeature.InvalidContextCode))
	for _, option := range []ofrep.Option{
		ofrep.WithHeader("X-Nothing", "x"), ofrep.WithBearerToken("nonsense"), ofrep.WithBearerToken(expired), ofrep.WithBearerToken(anon),
		ofrep.WithBearerToken(b.serviceKey()),
		ofrep.WithBearerToken(b.token(ada, tenantB)), ofrep.WithBearerToken(b.token(stranger, "")), ofrep.WithBearerToken(b.token(outsider, "")),
	} {
		fails(openfeature.GeneralCode, b.sdk(option), "greeting")
	}
	fails(openfeature.GeneralCode, b.sdk(ofrep.WithBearerToken(key), ofrep.WithHeader("Vital-Tenant", "bolt")), "greeting")

	b.db.Exec(t, "update vital.api_keys set revoked_at = now() where id = $1", id)
	require.Eventually(t, func() bool {
		_, err := good.StringValue(t.Context(), "greeting", "mine", about(nil))
		return err != nil
	}, 30*time.Second, 50*time.Millisecond, "a revoked key is refused")
	user := b.sdk(ofrep.WithBearerToken(b.token(bob, "")))
	_, err = user.StringValue(t.Context(), "greeting", "mine", about(nil))
	require.NoError(t, err)
	b.db.Exec(t, "update organizations set lifecycle_state = 'suspended' where id = $1", tenantB)
	require.Eventually(t, func() bool {
		_, err := user.StringValue(t.Context(), "greeting", "mine", about(nil))
		return err != nil
	}, 30*time.Second, 20*time.Millisecond, "a suspended tenant is refused")
}

func deep(levels int) any {
	var value any = "x"
	for range levels {
		value = []any{value}
	}
	return value
}

func TestOFREP_SDKSeesItsOwnTenant(t *testing.T) {
	t.Parallel()
	b := setupFlags(t)
	keyA, _ := b.tenantKey(tenantA)
	keyB, _ := b.tenantKey(tenantB)
	forged := about(map[string]any{"tenant": map[string]any{"slug": "bolt"}, "tenant.slug": "bolt", "tenant_id": tenantB, "user": map[string]any{"id": bob}})
	for name, c := range map[string]struct {
		client  *openfeature.Client
		context openfeature.EvaluationContext
		want    string
		two     bool
	}{
		"key of A":                {b.sdk(ofrep.WithBearerToken(keyA)), about(nil), "hello", false},
		"key of B":                {b.sdk(ofrep.WithBearerToken(keyB)), about(nil), "welcome", true},
		"user of A":               {b.sdk(ofrep.WithBearerToken(b.token(ada, ""))), about(nil), "hello", false},
		"user of B":               {b.sdk(ofrep.WithBearerToken(b.token(bob, ""))), about(nil), "welcome", true},
		"of both, by the token":   {b.sdk(ofrep.WithBearerToken(b.token(dana, tenantB))), about(nil), "welcome", true},
		"of both, by the header":  {b.sdk(ofrep.WithBearerToken(b.token(dana, "")), ofrep.WithHeader("Vital-Tenant", "bolt")), about(nil), "welcome", true},
		"key of A that claims B":  {b.sdk(ofrep.WithBearerToken(keyA)), forged, "hello", false},
		"user of A that claims B": {b.sdk(ofrep.WithBearerToken(b.token(ada, ""))), forged, "hello", false},
	} {
		text, err := c.client.StringValue(t.Context(), "greeting", "x", c.context)
		require.NoError(t, err, name)
		require.Equal(t, c.want, text, name)
		two, err := c.client.BooleanValueDetails(t.Context(), "two", !c.two, c.context)
		require.NoError(t, err, name)
		require.Equal(t, c.two, two.Value, name)
		_, told := two.FlagMetadata["secret_of_b"]
		require.Equal(t, c.two, told, name)
	}
	bucket, err := b.sdk(ofrep.WithBearerToken(keyA)).StringValue(t.Context(), "bucket", "x", about(nil))
	require.NoError(t, err)
	require.Equal(t, "tenant", bucket, "a key is no member")
	bucket, err = b.sdk(ofrep.WithBearerToken(b.token(ada, ""))).StringValue(t.Context(), "bucket", "x", about(nil))
	require.NoError(t, err)
	require.Equal(t, "user", bucket)
}

// evaluateAll asks for all flags with headers in pairs, and returns where their changes are told besides.
func (b *bundle) evaluateAll(headers ...string) (got answer, stream string) {
	b.t.Helper()
	got = b.do(http.MethodPost, "/ofrep/v1/evaluate/flags", headers...)
	if got.status != http.StatusOK {
		return got, ""
	}
	var body struct {
		EventStreams []struct {
			Endpoint struct{ RequestURI string }
		}
	}
	require.NoError(b.t, json.Unmarshal([]byte(got.body), &body))
	return got, body.EventStreams[0].Endpoint.RequestURI
}

// TestOFREP_NotModifiedKeepsTheStream: a client that is told that nothing has changed goes on with the stream it
// was told before, so that must be one its token may open.
func TestOFREP_NotModifiedKeepsTheStream(t *testing.T) {
	t.Parallel()
	b := setupFlags(t)
	session := uuid.New()
	token := func(ttl time.Duration) []string {
		text, err := b.issuer.Issue(identity.Grant{UserID: uuid.MustParse(ada), Role: identity.Authenticated, SessionID: session, TTL: ttl})
		require.NoError(t, err)
		return bearer(text)
	}
	short, long := token(time.Minute), token(time.Hour)
	first, firstStream := b.evaluateAll(short...)
	again, _ := b.evaluateAll(with(short, "If-None-Match", first.header.Get("ETag"))...)
	require.Equal(t, http.StatusNotModified, again.status)
	next, nextStream := b.evaluateAll(with(long, "If-None-Match", first.header.Get("ETag"))...)
	require.Equal(t, http.StatusOK, next.status, "a token that is good for longer opens another stream")
	require.NotEqual(t, firstStream, nextStream)
}

// TestOFREP_NotModifiedWithoutTheTime: a rule that asks for its flag's key, as most splits do, does not change by
// itself; one that asks for the time does.
func TestOFREP_NotModifiedWithoutTheTime(t *testing.T) {
	t.Parallel()
	b := setupFlags(t)
	key, _ := b.tenantKey(tenantA)
	unchanged := func() bool {
		now, _ := b.evaluateAll(bearer(key)...)
		time.Sleep(1100 * time.Millisecond) // the time in a rule counts seconds
		later, _ := b.evaluateAll(with(bearer(key), "If-None-Match", now.header.Get("ETag"))...)
		return later.status == http.StatusNotModified
	}
	flag := func(rule string) string {
		return `{"flags": {"split": {"state": "ENABLED", "variants": {"a": "a", "b": "b"}, "defaultVariant": "a", "targeting": ` + rule + `}}}`
	}
	b.importFlags(flag(`{"fractional": [{"cat": [{"var": "$flagd.flagKey"}, {"var": "targetingKey"}]}, ["a", 1], ["b", 1]]}`))
	require.True(t, unchanged())
	b.importFlags(flag(`{"if": [{"<": [{"var": "$flagd.timestamp"}, 4102444800]}, "b"]}`))
	require.Eventually(t, func() bool { return !unchanged() }, 30*time.Second, time.Millisecond)
}

func TestOFREP_ToPagesOfOneOrigin(t *testing.T) {
	t.Parallel()
	b := setupFlags(t)
	key, _ := b.tenantKey(tenantA)
	got, _ := b.evaluateAll(with(bearer(key), "Origin", "https://app.test")...)
	require.Equal(t, http.StatusOK, got.status)
	require.Equal(t, "https://app.test", got.header.Get("Access-Control-Allow-Origin"))
	require.Contains(t, got.header.Values("Vary"), "Origin", "what is told to one origin is not another's")
	require.Contains(t, got.header.Values("Vary"), "Authorization, X-API-Key, Vital-Tenant")
}
