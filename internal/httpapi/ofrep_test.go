package httpapi_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/cache"
	"github.com/vital-db/vital/internal/feature"
	"github.com/vital-db/vital/internal/httpapi"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/signin"
	"github.com/vital-db/vital/internal/tenant"
)

// remember has config keep contexts and flags of db in memory, as a server does.
func remember(t testing.TB, config *httpapi.Config, db *postgres.DB) {
	t.Helper()
	follower := tenant.Follow(db, cache.Source{})
	config.Changes = follower
	config.Contexts = tenant.NewContexts(db, follower, 1<<20, nil)
	config.Flags = tenant.NewEvaluator(db, follower, 1<<20)
	config.Throttles = tenant.NewThrottles(db, follower, 1<<20)
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { follower.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
}

const evaluatePath = "/ofrep/v1/evaluate/flags"

// evaluate posts an evaluation, with headers given in pairs.
func (b *bundle) evaluate(path, body string, headers ...string) answer {
	b.t.Helper()
	return b.sendWith(http.MethodPost, path, body, headers...)
}

func (b *bundle) bearer(user string) []string {
	return []string{"Authorization", "Bearer " + b.token(user, "")}
}

func TestOFREP_TenantsHaveTheirOwnValues(t *testing.T) {
	t.Parallel()
	b := setupSignIn(t)
	keyA, _ := b.tenantKey(tenantA)
	keyB, _ := b.tenantKey(tenantB)
	for name, credential := range map[string][]string{
		"ada": b.bearer(ada), "ada's context names B": b.bearer(ada), "key of A": {"Authorization", "Bearer " + keyA}, "key of A in X-API-Key": {"X-API-Key", keyA},
	} {
		got := b.evaluate(evaluatePath+"/two", `{"context":{"targetingKey":"x","tenant":{"id":"`+tenantB+`"},"tenant_id":"`+tenantB+`"}}`, credential...)
		require.Equal(t, 200, got.status, name)
		require.JSONEq(t, `{"key":"two","value":false,"variant":"off","reason":"STATIC"}`, got.body, name)
	}
	for name, credential := range map[string][]string{
		"bob": b.bearer(bob), "dana in B": append(b.bearer(dana), "Vital-Tenant", "bolt"), "key of B": {"Authorization", "Bearer " + keyB},
	} {
		got := b.evaluate(evaluatePath+"/two", `{}`, credential...)
		require.JSONEq(t, `{"key":"two","value":true,"variant":"on","reason":"TARGETING_MATCH","metadata":{"secret_of_b":1}}`, got.body, name)
	}
	for name, credential := range map[string][]string{
		"ada in B": append(b.bearer(ada), "Vital-Tenant", "bolt"), "key of A in B": {"X-API-Key", keyA, "Vital-Tenant", tenantB},
	} {
		got := b.evaluate(evaluatePath, `{}`, credential...)
		require.Equal(t, 403, got.status, name)
		require.NotContains(t, got.body, "two", name)
	}
	require.Equal(t, 401, b.evaluate(evaluatePath, `{}`).status)
	require.Equal(t, 401, b.evaluate(evaluatePath, `{}`, "X-API-Key", identity.NewTenantKey()).status)
}

func TestOFREP_Errors(t *testing.T) {
	t.Parallel()
	b := setupSignIn(t)
	for _, c := range []struct{ path, body, want string }{
		{"/nothing%2Fö", `{}`, `404 nothing/ö FLAG_NOT_FOUND`},
		{"/one", `{"context":[1]}`, `400 one INVALID_CONTEXT`},
		{"/one", `{"context":"x"}`, `400 one INVALID_CONTEXT`},
		{"/one", `nonsense`, `400 one PARSE_ERROR`},
		{"/one", `{"context":` + strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 41), `400 one INVALID_CONTEXT`},
		{"", `{"context":7}`, `400  INVALID_CONTEXT`},
	} {
		got := b.evaluate(evaluatePath+c.path, c.body, b.bearer(ada)...)
		answer := got.decode(t)
		key, _ := answer["key"].(string)
		require.Equal(t, c.want, strings.Join([]string{itoa(got.status), key, answer["errorCode"].(string)}, " "), got.body)
	}
	got := b.evaluate(evaluatePath+"/one", `{"context":{"x":"`+strings.Repeat("x", 200<<10)+`"}}`, b.bearer(ada)...)
	require.Equal(t, 413, got.status)
}

func itoa(n int) string { text, _ := json.Marshal(n); return string(text) }

func TestOFREP_Validator(t *testing.T) {
	t.Parallel()
	b := setupSignIn(t)
	key, _ := b.tenantKey(tenantA)
	const body = `{"context":{"targetingKey":"x"}}`
	asAda := b.bearer(ada)
	first := b.evaluate(evaluatePath, body, asAda...)
	etag := first.header.Get("ETag")
	require.NotEmpty(t, etag)
	again := func(body string, headers ...string) int {
		return b.evaluate(evaluatePath, body, append(headers, "If-None-Match", etag)...).status
	}
	require.Equal(t, 304, again(body, asAda...))
	require.Equal(t, 200, again(`{"context":{"targetingKey":"y"}}`, asAda...), "another context")
	require.Equal(t, 200, again(body, b.bearer(dana)...), "another user")
	require.Equal(t, 200, again(body, b.bearer(bob)...), "another tenant")
	require.Equal(t, 200, again(body, "X-API-Key", key), "another credential")
	b.db.Exec(t, "insert into tenant_feature_flags (tenant_id, feature_flag_id, enabled) select '"+tenantB+"', id, true from feature_flags where flag_key = 'one'")
	time.Sleep(100 * time.Millisecond)
	require.Equal(t, 304, again(body, asAda...), "another tenant's change")
	b.db.Exec(t, "insert into tenant_feature_flags (tenant_id, feature_flag_id, enabled, expires_at) select '"+tenantA+"', id, true, now() + interval '1 second' from feature_flags where flag_key = 'two'")
	require.Eventually(t, func() bool { return again(body, asAda...) == 200 }, 30*time.Second, 5*time.Millisecond, "the own tenant's change")
	changed := b.evaluate(evaluatePath, body, asAda...)
	require.Contains(t, changed.body, `"key":"two","value":true`)
	etag = changed.header.Get("ETag")
	require.Eventually(t, func() bool { return again(body, asAda...) == 200 }, 30*time.Second, 20*time.Millisecond, "an override runs out by itself")
	require.Contains(t, b.evaluate(evaluatePath, body, asAda...).body, `"key":"two","value":false`)
}

func (b *bundle) streamOf(credential ...string) string {
	b.t.Helper()
	var bulk struct {
		Streams []struct {
			Type     string
			Endpoint struct{ RequestURI string }
		} `json:"eventStreams"`
	}
	got := b.evaluate(evaluatePath, `{}`, credential...)
	require.NoError(b.t, json.Unmarshal([]byte(got.body), &bulk), got.body)
	require.Len(b.t, bulk.Streams, 1)
	require.Equal(b.t, "sse", bulk.Streams[0].Type)
	return bulk.Streams[0].Endpoint.RequestURI
}

// waitFor reads lines until one begins with prefix; "" stands for the end of the stream.
func waitFor(t *testing.T, lines <-chan string, prefix string) string {
	t.Helper()
	timeout := time.After(10 * time.Second)
	for {
		select {
		case line, open := <-lines:
			if !open && prefix == "" {
				return ""
			}
			require.True(t, open, "the stream ended before %q", prefix)
			if prefix != "" && strings.HasPrefix(line, prefix) {
				return line
			}
		case <-timeout:
			t.Fatalf("nothing came that begins with %q", prefix)
		}
	}
}

func quiet(t *testing.T, lines <-chan string) {
	t.Helper()
	for {
		select {
		case line, open := <-lines:
			require.True(t, open, "the stream ended")
			require.False(t, strings.HasPrefix(line, "data:"), line)
		case <-time.After(300 * time.Millisecond):
			return
		}
	}
}

// TestOFREP_Rollback: five changes by two writers, and one back, each seen by a client that listens; versions and
// audit say all of it.
func TestOFREP_Rollback(t *testing.T) {
	t.Parallel()
	b := setupSignIn(t)
	lines := b.listen(b.streamOf(b.bearer(ada)...))
	waitFor(t, lines, "retry:")
	quiet(t, lines)
	super := identity.Caller{Role: identity.Authenticated, UserID: uuid.MustParse(root)}
	bySuper := func(statement string, args ...any) {
		work := &postgres.Work{Name: "Test", Writes: true}
		work.Query(statement, nil, args...)
		require.NoError(t, b.pool.InTenant(t.Context(), super, "", work))
	}
	value := func() string {
		got := b.evaluate(evaluatePath+"/one", `{}`, b.bearer(ada)...)
		return got.decode(t)["variant"].(string)
	}
	for i := range 5 {
		enabled := i%2 == 1
		if i%2 == 0 {
			bySuper("select set_feature_flag('one', jsonb_build_object('default_enabled', $1::boolean), null, $2)", enabled, "change "+itoa(i))
		} else {
			b.db.Exec(t, "update feature_flags set default_enabled = "+itoa(i)+" % 2 = 1 where flag_key = 'one'")
		}
		waitFor(t, lines, `data: {"type":"refetchEvaluation"`)
		require.Equal(t, map[bool]string{true: "on", false: "off"}[enabled], value())
	}
	bySuper("select rollback_feature_flag('one', 1, 'it was better')")
	waitFor(t, lines, `data: {"type":"refetchEvaluation"`)
	require.Equal(t, "on", value())
	quiet(t, lines)

	require.Equal(t, "1 true\n2 false\n3 true\n4 false\n5 true\n6 false\n7 true it was better", b.text(`
		select string_agg(concat_ws(' ', v.version, v.config ->> 'default_enabled', case when v.version = 7 then v.reason end), E'\n' order by v.version)
		from feature_flag_versions v join feature_flags f on f.id = v.feature_flag_id where f.flag_key = 'one'`))
	require.Equal(t, "6", b.text("select count(*)::text from organization_audit_log where changes -> 'new' ? 'default_enabled' and action = 'updated'"))
}

func (b *bundle) text(query string) (text string) {
	b.t.Helper()
	require.NoError(b.t, b.db.Connect(b.t).QueryRow(b.t.Context(), query).Scan(&text))
	return text
}

func TestOFREP_StreamsAreOneTenants(t *testing.T) {
	t.Parallel()
	b := setupSignIn(t)
	ofA, ofB := b.listen(b.streamOf(b.bearer(ada)...)), b.listen(b.streamOf(b.bearer(bob)...))
	waitFor(t, ofA, "retry:")
	waitFor(t, ofB, "retry:")
	b.db.Exec(t, "update tenant_feature_flags set enabled = false where tenant_id = '"+tenantB+"'")
	waitFor(t, ofB, "data:")
	quiet(t, ofA)
	b.db.Exec(t, "update feature_flags set is_active = false where flag_key = 'one'") // the kill switch
	waitFor(t, ofA, "data:")
	waitFor(t, ofB, "data:")
	require.JSONEq(t, `{"key":"one","reason":"DISABLED"}`, b.evaluate(evaluatePath+"/one", `{}`, b.bearer(ada)...).body)
}

func TestOFREP_StreamsEnd(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(b *signInBundle, session uuid.UUID, key uuid.UUID){
		"the tenant is suspended": func(b *signInBundle, _, _ uuid.UUID) {
			b.db.Exec(b.t, "update organizations set lifecycle_state = 'suspended' where slug = 'acme'")
		},
		"the membership ends": func(b *signInBundle, _, _ uuid.UUID) {
			b.db.Exec(b.t, "delete from user_tenants where user_id = '"+dana+"'")
		},
		"the membership is paused": func(b *signInBundle, _, _ uuid.UUID) {
			b.db.Exec(b.t, "update user_tenants set status = 'suspended' where user_id = '"+dana+"'")
		},
		"the session is revoked": func(b *signInBundle, session, _ uuid.UUID) {
			b.db.Exec(b.t, "insert into vital.revoked_sessions (session_id, expires_at) values ('"+session.String()+"', now() + interval '1 hour')")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setupSignIn(t)
			session := uuid.New()
			token, err := b.issuer.Issue(identity.Grant{UserID: uuid.MustParse(dana), Role: identity.Authenticated, SessionID: session, TTL: time.Hour})
			require.NoError(t, err)
			credential := []string{"Authorization", "Bearer " + token}
			uri := b.streamOf(credential...)
			lines := b.listen(uri)
			waitFor(t, lines, "retry:")
			end(b, session, uuid.Nil)
			waitFor(t, lines, "")
			require.GreaterOrEqual(t, b.evaluate(evaluatePath, `{}`, credential...).status, 400)
			require.GreaterOrEqual(t, b.get(uri).status, 400, "the stream's token is good for nothing now")
		})
	}
	t.Run("the key is revoked", func(t *testing.T) {
		t.Parallel()
		b := setupSignIn(t)
		key, id := b.tenantKey(tenantA)
		lines := b.listen(b.streamOf("X-API-Key", key))
		waitFor(t, lines, "retry:")
		require.NoError(t, b.pool.AsService(t.Context(), "Test", func(tx pgx.Tx) error { return signin.RevokeAPIKey(t.Context(), tx, id) }))
		waitFor(t, lines, "")
		require.Equal(t, 401, b.evaluate(evaluatePath, `{}`, "X-API-Key", key).status)
	})
	t.Run("the token expires", func(t *testing.T) {
		t.Parallel()
		b := setupSignIn(t)
		token, err := b.issuer.Issue(identity.Grant{UserID: uuid.MustParse(dana), Role: identity.Authenticated, SessionID: uuid.New(), TTL: 2 * time.Second})
		require.NoError(t, err)
		lines := b.listen(b.streamOf("Authorization", "Bearer "+token))
		waitFor(t, lines, "retry:")
		waitFor(t, lines, "")
	})
}

func TestOFREP_Usage(t *testing.T) {
	t.Parallel()
	b := setupSignIn(t)
	var config httpapi.Config
	remember(t, &config, b.pool)
	flags := config.Flags
	caller := identity.Caller{Role: identity.Authenticated, UserID: uuid.MustParse(ada)}
	mine, err := flags.Flags(t.Context(), caller, "", tenant.Version{})
	require.NoError(t, err)
	for range 3 {
		mine.Evaluate("one", feature.Context{}, time.Now())
		mine.Evaluate("missing", feature.Context{}, time.Now())
	}
	for range mine.EvaluateAll(feature.Context{}, time.Now()) {
	}
	require.NoError(t, flags.WriteUsage(t.Context()))
	mine.Evaluate("one", feature.Context{}, time.Now())
	require.NoError(t, flags.WriteUsage(t.Context()))
	require.Equal(t, "one on 5\ntwo off 1", b.text(`
		select string_agg(concat_ws(' ', f.flag_key, u.variant, u.evaluations), E'\n' order by f.flag_key)
		from tenant_feature_flag_usage u join feature_flags f on f.id = u.feature_flag_id where u.tenant_id = '`+tenantA+`'`))
	require.Equal(t, "0", b.text("select count(*)::text from tenant_feature_flag_usage where tenant_id <> '"+tenantA+"'"))
}

// TestOFREP_MemoryKeepsWhatHasNotChanged: a change is looked up, and only what it is about is read anew.
func TestOFREP_MemoryKeepsWhatHasNotChanged(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	ran := map[string]int{}
	b := setup(t, func(_ *httpapi.Config, pg *postgres.Config) {
		pg.OnQuery = func(_ context.Context, q postgres.Query) {
			mu.Lock()
			defer mu.Unlock()
			ran[q.Name+" "+q.Code()]++
		}
	})
	asAda, asBob := b.bearer(ada), b.bearer(bob)
	value := func(credential []string) bool {
		return b.evaluate(evaluatePath+"/two", `{}`, credential...).decode(t)["value"].(bool)
	}
	times := func(name string) int {
		mu.Lock()
		defer mu.Unlock()
		return ran[name]
	}
	require.Eventually(t, func() bool { // from memory
		before := times("FlagContextRead ") + times("FlagDefinitionsRead ")
		require.False(t, value(asAda))
		require.True(t, value(asBob))
		return times("FlagContextRead ")+times("FlagDefinitionsRead ") == before
	}, 30*time.Second, 5*time.Millisecond)
	definitions, contexts := times("FlagDefinitionsRead "), times("FlagContextRead ")
	b.db.Exec(t, "update tenant_feature_flags set enabled = false where tenant_id = '"+tenantB+"'")
	require.Eventually(t, func() bool { return !value(asBob) }, 30*time.Second, time.Millisecond)
	require.False(t, value(asAda))
	require.Equal(t, contexts+1, times("FlagContextRead "), "bob's alone: %v", ran)
	require.Equal(t, definitions, times("FlagDefinitionsRead "))
	require.Positive(t, times("VersionsRead "), ran)
}
