package httpapi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/identity"
)

// session is a credential that stays the same, as a client's does.
func (b *bundle) session(user string) (credential []string, id uuid.UUID) {
	b.t.Helper()
	id = uuid.New()
	token, err := b.issuer.Issue(identity.Grant{UserID: uuid.MustParse(user), Role: identity.Authenticated, SessionID: id, TTL: time.Hour})
	require.NoError(b.t, err)
	return []string{"Authorization", "Bearer " + token}, id
}

// counters is an answer's version without the position of the log.
func counters(a answer) string {
	parts := strings.Split(a.header.Get("Vital-Version"), ".")
	return strings.Join(parts[:min(len(parts), 4)], ".")
}

func fromMemory(a answer) bool { return strings.Contains(a.header.Get("Server-Timing"), "cache;dur=") }

// warm asks until the answer comes from memory.
func (b *bundle) warm(credential []string) answer {
	b.t.Helper()
	var got answer
	require.Eventually(b.t, func() bool {
		got = b.get("/v1/context", credential...)
		return got.status == 200 && fromMemory(got)
	}, 30*time.Second, 5*time.Millisecond)
	return got
}

func TestContextMemory_ServesTheSameBytes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	asAda, _ := b.session(ada)
	asBob, _ := b.session(bob)
	cold := b.get("/v1/context", asAda...)
	require.False(t, fromMemory(cold))
	warm := b.warm(asAda)
	require.Equal(t, cold.body, warm.body)
	require.Equal(t, cold.header.Get("ETag"), warm.header.Get("ETag"))
	require.Equal(t, counters(cold), counters(warm))
	require.Equal(t, "private, no-cache", warm.header.Get("Cache-Control"))
	require.Equal(t, 304, b.get("/v1/context", append(asAda, "If-None-Match", warm.header.Get("ETag"))...).status)
	require.Contains(t, b.get("/v1/context", asBob...).body, bob)
	require.Equal(t, 404, b.get("/v1/context", append(asAda, "Vital-Tenant", "bolt")...).status)
	require.Contains(t, b.get("/v1/context", asAda...).body, ada)
}

// TestContextMemory_EveryChangeIsSeen: whatever a context shows, a change of it is in the next answers, by whichever
// way it was made.
func TestContextMemory_EveryChangeIsSeen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ change, shows string }{
		"the tenant's name":               {"update organizations set name = 'changed' where slug = 'acme'", `"name":"changed"`},
		"the configuration":               {`update tenant_configurations set ui_config = '{"theme":"changed"}' where tenant_id = '` + tenantA + `'`, `"changed"`},
		"an app":                          {"insert into tenant_apps (tenant_id, app_key, app_name, app_route) values ('" + tenantA + "', 'changed', 'x', '/x')", `"app_key":"changed"`},
		"a flag's definition":             {"insert into feature_flags (flag_key) values ('changed')", `"flag_key":"changed"`},
		"an override":                     {"insert into tenant_feature_flags (tenant_id, feature_flag_id, config) select '" + tenantA + "', id, '{\"changed\":1}' from feature_flags where flag_key = 'one'", `changed`},
		"the user's profile":              {"update profiles set full_name = 'changed' where id = '" + dana + "'", `"full_name":"changed"`},
		"the membership":                  {"update user_tenants set role = 'admin' where user_id = '" + dana + "' and tenant_id = '" + tenantA + "'", `"role":"admin"`},
		"another tenant's name in a list": {"update organizations set name = 'changed' where slug = 'bolt'", `"name":"changed"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			asDana, _ := b.session(dana)
			require.NotContains(t, strings.ReplaceAll(b.warm(asDana).body, " ", ""), c.shows)
			b.db.Exec(t, c.change)
			require.Eventually(t, func() bool {
				return strings.Contains(strings.ReplaceAll(b.get("/v1/context", asDana...).body, " ", ""), c.shows)
			}, 30*time.Second, 5*time.Millisecond)
			b.warm(asDana)
		})
	}
}

func TestContextMemory_EndsWithWhatItRestsOn(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]string{
		"the membership": "delete from user_tenants where user_id = '" + dana + "' and tenant_id = '" + tenantA + "'",
		"the tenant":     "update organizations set lifecycle_state = 'suspended' where slug = 'acme'",
		"the session":    "insert into vital.revoked_sessions (session_id, expires_at) values ('SESSION', now() + interval '1 hour')",
		"the user":       "delete from profiles where id = '" + dana + "'",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			asDana, session := b.session(dana)
			b.warm(asDana)
			b.db.Exec(t, strings.ReplaceAll(end, "SESSION", session.String()))
			require.Eventually(t, func() bool { return b.get("/v1/context", asDana...).status >= 400 }, 30*time.Second, 5*time.Millisecond)
		})
	}
}

// TestContextMemory_MinVersion: who has seen a version sees nothing older, and who asks for one that never was is told.
func TestContextMemory_MinVersion(t *testing.T) {
	t.Parallel()
	b := setup(t)
	asAda, _ := b.session(ada)
	version := b.warm(asAda).header.Get("Vital-Version")
	least := func(v string) answer { return b.get("/v1/context", append(asAda, "Vital-Min-Version", v)...) }
	require.True(t, fromMemory(least(version)))
	parts := strings.Split(version, ".")
	parts[1] = "999999"
	require.Equal(t, 412, least(strings.Join(parts, ".")).status)
	for _, wrong := range []string{"1", "a.b.c.d", "1.2.3.4.5.6", "1.2.3.-4", "-"} {
		require.Equal(t, 422, least(wrong).status, wrong)
	}
	for range 20 {
		b.db.Exec(t, "update organizations set name = name || 'x' where slug = 'acme'")
		raised := b.text("select version::text from vital.versions where scope = 'tenant' and key = '" + tenantA + "'")
		parts[1] = raised
		got := least(strings.Join(parts, "."))
		require.Equal(t, 200, got.status, got.body)
		require.Equal(t, raised, strings.Split(got.header.Get("Vital-Version"), ".")[1])
	}
}

// TestContextMemory_OwnWriteIsSeen: what this server has written is in its next answer.
func TestContextMemory_OwnWriteIsSeen(t *testing.T) {
	t.Parallel()
	b := setupWrites(t)
	asAda, _ := b.session(ada)
	b.warm(asAda)
	for range 20 {
		theme := uuid.NewString()
		wrote := b.sendWith("PATCH", "/api/tenants/"+tenantA+"/config", `{"ui_config":{"custom":{"mark":"`+theme+`"}}}`, asAda...)
		require.Equal(t, 200, wrote.status, wrote.body)
		require.Contains(t, b.get("/v1/context", asAda...).body, theme)
	}
}
