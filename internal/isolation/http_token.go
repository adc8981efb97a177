package isolation

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/vital-db/vital/internal/identity"
)

// described says of credentials what their name does not.
var described = map[string]string{
	"intruder":         "a member of the own tenant, app_metadata.tenant_id of the other",
	"metadata":         "a member of the own tenant, user_metadata.tenant_id of the other",
	"unsigned":         "the other tenant's owner, algorithm none, no signature",
	"wrong key":        "the other tenant's owner, HS256 with a secret of the attacker's",
	"HS256 by JWKS":    "the other tenant's owner, HS256 with the server's published key as the secret",
	"foreign ES256":    "the other tenant's owner, ES256 with a key of the attacker's under the server's kid",
	"own jwk":          "the other tenant's owner, ES256 with a key of the attacker's in the header jwk",
	"kid path":         "the other tenant's owner, HS256 with an empty key, kid /dev/null",
	"expired":          "the other tenant's owner, expired an hour ago",
	"not yet":          "the other tenant's owner, valid from an hour on",
	"audience":         "the other tenant's owner, for another audience",
	"issuer":           "the other tenant's owner, from another issuer",
	"cut":              "the other tenant's owner, the signature cut off",
	"swapped":          "the attacker's signature under the other tenant's owner's claims",
	"super claim":      "a member of the own tenant, role super_admin in app_metadata",
	"service claim":    "the attacker's claims with role service_role, HS256 with a secret of the attacker's",
	"tenant key":       "a key of the own tenant with the right to flags",
	"their tenant key": "a key of the other tenant with the right to flags",
	"no sub":           "role authenticated without a user",
}

// forgeries are the credentials that must not stand for whom they name.
var forgeries = []string{"unsigned", "wrong key", "HS256 by JWKS", "foreign ES256", "own jwk", "kid path", "expired", "not yet",
	"audience", "issuer", "cut", "swapped"}

// signEverybodyIn makes accounts, signs in the members of each role, and forges what can be forged.
func (h *httpSuite) signEverybodyIn(ctx context.Context) error {
	h.credentials["service key"], h.credentials["anon key"] = h.server.ServiceKey, h.server.AnonKey
	h.credentials["revoked key"] = h.server.RevokedKey
	h.credentials["made-up key"], _ = identity.NewAPIKey(identity.ServiceRole, nil)
	people := map[string]string{"super admin": superAdmin, "spare": spares[0], "other spare": spares[1]}
	for _, role := range h.roleNames() {
		people[role], people["their "+role] = h.mine.members[role], h.other.members[role]
	}
	for name, id := range people {
		address := h.mailOf(id)
		made := h.send(ctx, ask{http.MethodPost, "/auth/v1/admin/users", nil,
			fmt.Sprintf(`{"id": %q, "email": %q, "password": %q, "email_confirm": true}`, id, address, password), "service key"})
		if !made.ok() {
			return fmt.Errorf("make the account of %s: %d %s %w", name, made.status, made.body, errors.Join(made.err))
		}
		var err error
		if h.credentials[name], h.refresh[name], err = h.signIn(ctx, id); err != nil {
			return fmt.Errorf("sign in %s: %w", name, err)
		}
	}
	issuer, err := identity.NewTokenIssuer(identity.IssuerConfig{Secret: h.server.Secret, Issuer: h.server.Issuer, Audience: h.server.Audience})
	if err != nil {
		return err
	}
	for i, m := range h.crowd {
		if h.crowd[i].token, err = issuer.Issue(grantOf(m.id, "")); err != nil {
			return fmt.Errorf("make a token: %w", err)
		}
	}
	return h.forge(ctx)
}

func (h *httpSuite) signIn(ctx context.Context, id string) (access, refresh string, err error) {
	got := h.send(ctx, ask{http.MethodPost, "/auth/v1/token?grant_type=password", nil,
		fmt.Sprintf(`{"email": %q, "password": %q}`, h.mailOf(id), password), "nobody"})
	var session struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	if !got.ok() || json.Unmarshal([]byte(got.body), &session) != nil {
		return "", "", fmt.Errorf("status %d: %s %w", got.status, got.body, errors.Join(got.err))
	}
	return session.Access, session.Refresh, nil
}

// mailOf is the address of whoever has id.
func (h *httpSuite) mailOf(id string) string {
	for _, m := range h.crowd {
		if m.id == id {
			return mail(m.w, id)
		}
	}
	return mail(nil, id)
}

func grantOf(user, tenant string) identity.Grant {
	return identity.Grant{UserID: uuid.MustParse(user), Role: identity.Authenticated, Tenant: tenant, SessionID: uuid.New(), TTL: time.Hour}
}

// claims are those of a user's token.
type claims map[string]any

func (h *httpSuite) claimsOf(user string) claims {
	now := time.Now().Unix()
	return claims{"sub": user, "role": "authenticated", "aud": h.server.Audience, "iss": h.server.Issuer, "iat": now, "exp": now + 3600,
		"session_id": uuid.NewString(), "app_metadata": claims{}, "user_metadata": claims{}}
}

func (c claims) with(name string, value any) claims {
	c[name] = value
	return c
}

// forge makes every token an attacker could come with.
func (h *httpSuite) forge(ctx context.Context) error {
	jwks := h.send(ctx, ask{method: http.MethodGet, path: "/auth/v1/.well-known/jwks.json"})
	var published struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal([]byte(jwks.body), &published); err != nil || len(published.Keys) == 0 {
		return fmt.Errorf("read the server's key set: status %d %w", jwks.status, errors.Join(err, jwks.err))
	}
	kid := published.Keys[0]["kid"]
	public, err := json.Marshal(published.Keys[0])
	if err != nil {
		return fmt.Errorf("encode key: %w", err)
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make key: %w", err)
	}
	point, err := private.PublicKey.Bytes()
	if err != nil {
		return fmt.Errorf("encode key: %w", err)
	}
	owner, me, their := h.other.user, h.mine.user, func() claims { return h.claimsOf(h.other.user) }
	secret, hs := hmacBy(h.server.Secret), claims{"alg": "HS256", "typ": "JWT"}
	attackers := hmacBy([]byte("a secret of the attacker's, of 32 bytes or more"))
	hour := time.Now().Add(time.Hour).Unix()
	own := claims{"kty": "EC", "crv": "P-256", "x": segment(point[1:33]), "y": segment(point[33:])}
	for name, token := range map[string]string{
		"intruder":      jws(hs, h.claimsOf(me).with("app_metadata", claims{"tenant_id": h.other.tenant}), secret),
		"metadata":      jws(hs, h.claimsOf(me).with("user_metadata", claims{"tenant_id": h.other.tenant}).with("tenant_id", h.other.tenant).with("org_id", h.other.tenant), secret),
		"super claim":   jws(hs, h.claimsOf(me).with("app_metadata", claims{"role": "super_admin", "roles": []string{"super_admin"}}), secret),
		"unsigned":      jws(claims{"alg": "none", "typ": "JWT"}, their(), func(string) []byte { return nil }),
		"wrong key":     jws(hs, their(), attackers),
		"HS256 by JWKS": jws(claims{"alg": "HS256", "typ": "JWT", "kid": kid}, their(), hmacBy(public)),
		"foreign ES256": jws(claims{"alg": "ES256", "typ": "JWT", "kid": kid}, their(), ecdsaBy(private)),
		"own jwk":       jws(claims{"alg": "ES256", "typ": "JWT", "jwk": own}, their(), ecdsaBy(private)),
		"kid path":      jws(claims{"alg": "HS256", "typ": "JWT", "kid": "../../../../dev/null"}, their(), hmacBy(nil)),
		"expired":       jws(hs, their().with("iat", hour-7200).with("exp", hour-5400), secret),
		"not yet":       jws(hs, their().with("nbf", hour).with("exp", hour+3600), secret),
		"audience":      jws(hs, their().with("aud", "another audience"), secret),
		"issuer":        jws(hs, their().with("iss", "https://another.test"), secret),
		"cut":           jws(hs, their(), func(string) []byte { return nil }),
		"service claim": jws(hs, claims{"role": "service_role", "exp": hour}, attackers),
		"no sub":        jws(hs, withoutSub(h.claimsOf(owner)), secret),
		"their token":   jws(hs, their(), secret), // the same claims, rightly signed: the control of the forgeries
	} {
		h.credentials[name] = token
	}
	mine := jws(hs, h.claimsOf(me), secret)
	h.credentials["swapped"] = signed(hs, their()) + mine[lastDot(mine):]
	return nil
}

func withoutSub(c claims) claims { delete(c, "sub"); return c }

func lastDot(s string) int {
	i := len(s) - 1
	for s[i] != '.' {
		i--
	}
	return i
}

func segment(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// signed is what a signature is made over.
func signed(header, payload claims) string {
	head, _ := json.Marshal(header)  // made of what JSON can hold
	body, _ := json.Marshal(payload) // likewise
	return segment(head) + "." + segment(body)
}

// jws is a token as an attacker would write it, unlike those the identity package lets be written.
func jws(header, payload claims, sign func(string) []byte) string {
	text := signed(header, payload)
	return text + "." + segment(sign(text))
}

func hmacBy(key []byte) func(string) []byte {
	return func(text string) []byte {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(text))
		return mac.Sum(nil)
	}
}

func ecdsaBy(key *ecdsa.PrivateKey) func(string) []byte {
	return func(text string) []byte {
		sum := sha256.Sum256([]byte(text))
		r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
		if err != nil {
			return nil
		}
		signature := make([]byte, 64)
		r.FillBytes(signature[:32])
		s.FillBytes(signature[32:])
		return signature
	}
}
