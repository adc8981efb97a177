package identity_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
)

func TestTokenIssuer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	issuer, err := identity.NewTokenIssuer(identity.IssuerConfig{Secret: b.secret, Issuer: testIssuer, Now: b.clock.Now})
	require.NoError(t, err)
	payload := func(t *testing.T, token string) map[string]any {
		t.Helper()
		raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
		require.NoError(t, err)
		var claims map[string]any
		require.NoError(t, json.Unmarshal(raw, &claims))
		return claims
	}
	now := float64(b.clock.Now().Unix())

	t.Run("User", func(t *testing.T) {
		t.Parallel()
		token, err := issuer.Issue(identity.Grant{
			UserID: b.user, Email: "ada@example.test", Role: identity.Authenticated, Tenant: "acme",
			SessionID: b.session, TTL: time.Hour,
		})
		require.NoError(t, err)
		require.Equal(t, map[string]any{
			"sub": b.user.String(), "role": "authenticated", "aud": "authenticated", "iss": testIssuer,
			"iat": now, "exp": now + 3600, "session_id": b.session.String(), "email": "ada@example.test",
			"app_metadata": map[string]any{"tenant_id": "acme"}, "user_metadata": map[string]any{},
		}, payload(t, token))
		caller, err := b.verify(token)
		require.NoError(t, err)
		require.Equal(t, b.user, caller.UserID)
		require.Equal(t, b.session, caller.SessionID)
		require.Equal(t, "acme", caller.Tenant)
	})
	t.Run("UserWithoutTheRest", func(t *testing.T) {
		t.Parallel()
		token, err := issuer.Issue(identity.Grant{UserID: b.user, Role: identity.Authenticated, TTL: time.Second})
		require.NoError(t, err)
		caller, err := b.verify(token)
		require.NoError(t, err)
		require.Equal(t, identity.Caller{Role: identity.Authenticated, UserID: b.user, ExpiresAt: caller.ExpiresAt}, caller)
	})
	for _, role := range []identity.Role{identity.Anon, identity.ServiceRole} {
		t.Run(string(role), func(t *testing.T) {
			t.Parallel()
			token, err := issuer.Issue(identity.Grant{Role: role, TTL: 10 * 365 * 24 * time.Hour})
			require.NoError(t, err)
			require.Equal(t, map[string]any{
				"role": string(role), "iss": testIssuer, "iat": now, "exp": now + 10*365*24*3600,
			}, payload(t, token))
			caller, err := b.verify(token)
			require.NoError(t, err)
			require.Equal(t, identity.Caller{Role: role, ExpiresAt: caller.ExpiresAt}, caller)
		})
	}
}

func TestTokenIssuer_BadGrants(t *testing.T) {
	t.Parallel()
	issuer, err := identity.NewTokenIssuer(identity.IssuerConfig{Secret: randomBytes(32)})
	require.NoError(t, err)
	user := identity.Grant{UserID: uuid.New(), Role: identity.Authenticated, TTL: time.Hour}
	key := identity.Grant{Role: identity.ServiceRole, TTL: time.Hour}
	change := func(g identity.Grant, f func(*identity.Grant)) identity.Grant { f(&g); return g }
	bad := map[string]identity.Grant{
		"Zero":            {},
		"RoleUnknown":     change(user, func(g *identity.Grant) { g.Role = "postgres" }),
		"UserMissing":     change(user, func(g *identity.Grant) { g.UserID = uuid.Nil }),
		"NoTTL":           change(user, func(g *identity.Grant) { g.TTL = 0 }),
		"NegativeTTL":     change(user, func(g *identity.Grant) { g.TTL = -time.Hour }),
		"SubSecondTTL":    change(user, func(g *identity.Grant) { g.TTL = time.Millisecond }),
		"UserTTLTooLong":  change(user, func(g *identity.Grant) { g.TTL = 8 * 24 * time.Hour }),
		"KeyTTLTooLong":   change(key, func(g *identity.Grant) { g.TTL = 11 * 366 * 24 * time.Hour }),
		"KeyWithUser":     change(key, func(g *identity.Grant) { g.UserID = uuid.New() }),
		"KeyWithEmail":    change(key, func(g *identity.Grant) { g.Email = "a@b.test" }),
		"KeyWithSession":  change(key, func(g *identity.Grant) { g.SessionID = uuid.New() }),
		"TenantBadUTF8":   change(user, func(g *identity.Grant) { g.Tenant = "a\xff" }),
		"TenantNUL":       change(user, func(g *identity.Grant) { g.Tenant = "a\x00" }),
		"TenantLong":      change(user, func(g *identity.Grant) { g.Tenant = strings.Repeat("a", 256) }),
		"EmailLineBreaks": change(user, func(g *identity.Grant) { g.Email = "a@b.test\nBcc: c" }),
	}
	for name, grant := range bad {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token, err := issuer.Issue(grant)
			requireFault(t, fault.Invalid, err)
			require.Empty(t, token)
		})
	}
	for _, secret := range []string{"", "s3cr3t"} {
		_, err := identity.NewTokenIssuer(identity.IssuerConfig{Secret: []byte(secret)})
		requireFault(t, fault.ConfigInvalid, err)
	}
}
