package httpapi_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/postgres"
)

// versioned is a route that takes Vital-Min-Version, and how it says what is wrong.
type versionedRoute struct {
	method, path, body string
	malformed          int
	shape              func(t *testing.T, got answer, code string)
}

func versionedRoutes() map[string]versionedRoute {
	inRest := func(t *testing.T, got answer, code string) {
		t.Helper()
		failed := got.decode(t)
		require.Equal(t, code, failed["code"])
		require.NotEmpty(t, failed["message"])
		require.NotEmpty(t, failed["hint"])
		require.Contains(t, failed, "details")
	}
	inOFREP := func(t *testing.T, got answer, code string) {
		t.Helper()
		failed := got.decode(t)
		require.Equal(t, code, failed["code"])
		require.NotEmpty(t, failed["errorCode"])
		require.NotEmpty(t, failed["errorDetails"])
	}
	return map[string]versionedRoute{
		"context":   {http.MethodGet, "/v1/context", "", 422, func(t *testing.T, got answer, code string) { t.Helper(); requireProblem(t, got, got.status, code) }},
		"rest":      {http.MethodGet, "/rest/v1/organizations?select=name", "", 422, inRest},
		"rest, one": {http.MethodHead, "/rest/v1/organizations?select=name", "", 422, nil},
		"rpc":       {http.MethodPost, "/rest/v1/rpc/get_user_tenant_id", "{}", 422, inRest},
		"a write":   {http.MethodPatch, "/rest/v1/tenant_configurations?tenant_id=eq." + tenantA, `{"ui_config": {}}`, 422, inRest},
		"flags":     {http.MethodPost, evaluatePath, "{}", 400, inOFREP}, // as OFREP has it
		"a flag":    {http.MethodPost, evaluatePath + "/one", "{}", 400, inOFREP},
	}
}

func TestMinVersion(t *testing.T) { //nolint:tparallel // one of them writes
	t.Parallel()
	b := setupRest(t)
	asAda, _ := b.session(ada)
	for name, route := range versionedRoutes() {
		t.Run(name, func(t *testing.T) {
			ask := func(least string) answer {
				return b.sendWith(route.method, route.path, route.body, with(asAda, "Vital-Min-Version", least)...)
			}
			before := b.text("select updated_at::text from tenant_configurations where tenant_id = '" + tenantA + "'")
			for _, wrong := range []string{"1", "a.b.c.d.e", "1.2.3.4.5.6", "1.2.3.4.-5", "1.2.3.4.99999999999999999999", "0.0.0.0.17", "0.0.0.0.AAAAAAAAAAAAAAAAAAAAA!", "-"} {
				got := ask(wrong)
				require.Equal(t, route.malformed, got.status, "%s: %s", wrong, got.body)
				if route.shape != nil {
					route.shape(t, got, "invalid")
				}
			}
			position := b.position(t)
			for _, future := range []uint64{position + 1<<30, 1<<63 - 1} {
				began := time.Now()
				got := ask("0.0.0.0." + b.pool.SealPosition(postgres.LSN(future)))
				require.Equal(t, 412, got.status, got.body)
				if route.shape != nil {
					route.shape(t, got, "version_not_reached")
				}
				require.Less(t, time.Since(began), time.Minute, "it waits for nothing that may never come")
			}
			require.Equal(t, before, b.text("select updated_at::text from tenant_configurations where tenant_id = '"+tenantA+"'"), "what was refused was not done")
			for _, past := range []string{
				"", "0.0.0.0", "0.0.0.0." + b.pool.SealPosition(1), "0.0.0.0." + b.pool.SealPosition(postgres.LSN(position)),
				"0.0.0.0.AAAAAAAAAAAAAAAAAAAAAA", // nobody's, or of a key that was rotated: what is true now is no older
			} {
				require.Less(t, ask(past).status, 300, past)
			}
		})
	}
}

// position is how far the database's log is.
func (b *bundle) position(t *testing.T) uint64 {
	t.Helper()
	position, err := strconv.ParseUint(b.text("select (pg_current_wal_lsn() - '0/0')::text"), 10, 64)
	require.NoError(t, err)
	return position
}

// TestMinVersion_OwnWrite: what a write answers is honoured by every read.
func TestMinVersion_OwnWrite(t *testing.T) {
	t.Parallel()
	b := setupRest(t)
	asAda, _ := b.session(ada)
	b.warm(asAda)
	for i := range 10 {
		mark := "mark-" + strconv.Itoa(i)
		wrote := b.sendWith(http.MethodPatch, "/rest/v1/tenant_configurations?tenant_id=eq."+tenantA, `{"ui_config": {"custom": {"mark": "`+mark+`"}}}`, asAda...)
		require.Less(t, wrote.status, 300, wrote.body)
		version := wrote.header.Get("Vital-Version")
		require.Regexp(t, `^0\.0\.0\.0\.[\w-]{22}$`, version, "a write without counters tells where in the log it is")
		for _, path := range []string{"/v1/context", "/rest/v1/tenant_configurations?select=ui_config"} {
			got := b.get(path, with(asAda, "Vital-Min-Version", version)...)
			require.Equal(t, 200, got.status, got.body)
			require.Contains(t, got.body, mark, path)
			require.GreaterOrEqual(t, b.positionOf(t, got), b.positionOf(t, wrote), path)
		}
		flags := b.evaluate(evaluatePath, "{}", with(asAda, "Vital-Min-Version", version)...)
		require.Equal(t, 200, flags.status, flags.body)
	}
	require.Empty(t, b.get("/rest/v1/organizations?select=name", asAda...).header.Get("Vital-Version"), "a read that asks for nothing is told nothing")
	read := b.get("/rest/v1/organizations?select=name", with(asAda, "Vital-Min-Version", "0.0.0.0")...)
	require.Positive(t, b.positionOf(t, read))
	called := b.sendWith(http.MethodPost, "/rest/v1/rpc/get_user_tenant_id", "{}", asAda...)
	require.Equal(t, 200, called.status)
}

// positionOf is the position of the log in an answer's version.
func (b *bundle) positionOf(t *testing.T, got answer) postgres.LSN {
	t.Helper()
	version := got.header.Get("Vital-Version")
	position, readable, _ := b.pool.OpenPosition(version[strings.LastIndex(version, ".")+1:])
	require.True(t, readable, version)
	return position
}

// TestWarm: the first question after a sign-in, and after a new token, is answered from memory.
func TestWarm(t *testing.T) {
	t.Parallel()
	b := setupSignIn(t)
	var refresh string
	for name, grant := range map[string]func() answer{
		"a password": func() answer {
			return b.auth(http.MethodPost, "/auth/v1/token?grant_type=password", map[string]string{"email": "ada@acme.test", "password": password})
		},
		"a refresh": func() answer {
			return b.auth(http.MethodPost, "/auth/v1/token?grant_type=refresh_token", map[string]string{"refresh_token": refresh})
		},
	} {
		warm := false
		for wait := 50 * time.Millisecond; !warm && wait < 10*time.Second; wait *= 2 { // who asks at once may be quicker
			session := b.auth(http.MethodPost, "/auth/v1/token?grant_type=password", map[string]string{"email": "dana@acme.test", "password": password})
			require.Equal(t, 200, session.status, session.body)
			refresh = session.decode(t)["refresh_token"].(string)
			got := grant()
			require.Equal(t, 200, got.status, got.body)
			time.Sleep(wait)
			first := b.get("/v1/context", bearer(got.decode(t)["access_token"].(string))...)
			require.Equal(t, 200, first.status, first.body)
			warm = fromMemory(first)
		}
		require.True(t, warm, name)
	}
}

// TestWarm_Switch: so is the first one after the switch to another tenant.
func TestWarm_Switch(t *testing.T) {
	t.Parallel()
	b := setupRest(t)
	asDana, _ := b.session(dana)
	for n, wait := 0, 50*time.Millisecond; ; n, wait = n+1, 2*wait {
		to := [...]string{tenantB, tenantA}[n%2]
		switched := b.sendWith(http.MethodPost, "/rest/v1/rpc/set_default_tenant", `{"p_tenant_id": "`+to+`"}`, asDana...)
		require.Equal(t, 200, switched.status, switched.body)
		time.Sleep(wait)
		first := b.get("/v1/context", asDana...)
		require.Equal(t, to, first.decode(t)["organization"].(map[string]any)["id"])
		if fromMemory(first) {
			return
		}
		require.Less(t, wait, 5*time.Second, "it is never warm")
	}
}
