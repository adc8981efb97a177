package rest

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/vital-db/vital/internal/bounded"
)

// TokenVerifier verifies tokens as PostgREST does: any role may be named, all claims are handed to the
// database. It is for serving a database that keeps its own rules; VITAL's own callers are verified by
// package identity.
type TokenVerifier struct {
	// Secret verifies HS256, HS384 and HS512. Without one no token is accepted.
	Secret []byte
	// Audience must be the claim aud, or among it, where the claim is present. Defaults to not checked.
	Audience string
	// AnonymousRole is that of requests without a token, and of tokens without a role; "" refuses them.
	AnonymousRole string

	known bounded.Map[[sha256.Size]byte, verified]
}

// clockSkew is how far the clocks of issuer and server may be apart.
const clockSkew = 30 * time.Second

// verified is what a token has been found to say.
type verified struct {
	role    string
	claims  []byte
	expires time.Time // zero for never
}

// maxVerified bounds how many tokens are remembered.
const maxVerified = 10_000

// NewTokenVerifier returns a verifier that remembers the tokens it has verified, by their hash, until they
// expire.
func NewTokenVerifier(secret []byte, audience, anonymousRole string) *TokenVerifier {
	return &TokenVerifier{
		Secret: secret, Audience: audience, AnonymousRole: anonymousRole,
		known: bounded.New[[sha256.Size]byte, verified](maxVerified),
	}
}

// Verify returns the role and the claims, as JSON, of whoever sends the Authorization header.
func (v *TokenVerifier) Verify(authorization string) (role string, claims []byte, err error) {
	id := sha256.Sum256([]byte(authorization))
	if known, ok := v.known.Get(id); ok && (known.expires.IsZero() || time.Now().Before(known.expires)) {
		return known.role, known.claims, nil
	}
	scheme, token, _ := strings.Cut(strings.TrimSpace(authorization), " ")
	given := map[string]any{}
	if strings.EqualFold(scheme, "bearer") {
		if given, err = v.parse(strings.TrimSpace(token)); err != nil {
			return "", nil, err
		}
	}
	role, named := given["role"].(string)
	if !named {
		role = v.AnonymousRole
	}
	if role == "" {
		e := newError(401, "PGRST302", "Anonymous access is disabled")
		e.Header = map[string]string{"WWW-Authenticate": "Bearer"}
		return "", nil, e
	}
	given["role"] = role
	if claims, err = json.Marshal(given); err != nil {
		return "", nil, err
	}
	v.known.Set(id, verified{role, claims, expiry(given)})
	return role, claims, nil
}

// expiry is when verified claims stop being good; they were found to be.
func expiry(claims map[string]any) time.Time {
	number, ok := claims["exp"].(json.Number)
	if !ok {
		return time.Time{}
	}
	seconds, _ := number.Float64()
	return time.Unix(int64(seconds), 0).Add(clockSkew)
}

func (v *TokenVerifier) parse(token string) (map[string]any, error) {
	if len(v.Secret) == 0 {
		return nil, newError(500, "PGRST300", "Server lacks JWT secret")
	}
	if token == "" {
		return nil, tokenError("PGRST301", "Empty JWT is sent in Authorization header", nil)
	}
	if parts := strings.Count(token, ".") + 1; parts != 3 {
		return nil, tokenError("PGRST301", "Expected 3 parts in JWT; got "+string(rune('0'+min(parts, 9))), nil)
	}
	claims := jwt.MapClaims{}
	parser := jwt.NewParser(jwt.WithoutClaimsValidation(), jwt.WithJSONNumber())
	_, err := parser.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
		if _, symmetric := t.Method.(*jwt.SigningMethodHMAC); !symmetric {
			return nil, errAlgorithm
		}
		return v.Secret, nil
	})
	switch {
	case errors.Is(err, errAlgorithm):
		return nil, tokenError("PGRST301", "Wrong or unsupported encoding algorithm", "JWT is unsecured but expected 'alg' was not 'none'")
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return nil, tokenError("PGRST301", "No suitable key or wrong key type", "None of the keys was able to decode the JWT")
	case err != nil:
		return nil, tokenError("PGRST301", "JWT cryptographic operation failed", nil)
	}
	return claims, v.checkClaims(claims)
}

var errAlgorithm = errors.New("not a symmetric algorithm")

func tokenError(code, message string, details any) error {
	e := newError(401, code, message)
	e.Details = details
	quoted, _ := json.Marshal(message) // a string always can be
	e.Header = map[string]string{"WWW-Authenticate": "Bearer error=\"invalid_token\", error_description=" + string(quoted)}
	return e
}

func (v *TokenVerifier) checkClaims(claims jwt.MapClaims) error {
	now := time.Now()
	for _, check := range []struct {
		name, message string
		good          func(time.Time) bool
	}{
		{"exp", "JWT expired", func(t time.Time) bool { return now.Add(-clockSkew).Before(t) }},
		{"nbf", "JWT not yet valid", func(t time.Time) bool { return !now.Add(clockSkew).Before(t) }},
		{"iat", "JWT issued at future", func(t time.Time) bool { return !now.Add(clockSkew).Before(t) }},
	} {
		raw, present := claims[check.name]
		if !present || raw == nil {
			continue
		}
		number, ok := raw.(json.Number)
		if !ok {
			return tokenError("PGRST303", "The JWT '"+check.name+"' claim must be a number", nil)
		}
		seconds, err := number.Float64()
		if err != nil {
			return tokenError("PGRST303", "The JWT '"+check.name+"' claim must be a number", nil)
		}
		if !check.good(time.Unix(int64(seconds), 0)) {
			return tokenError("PGRST303", check.message, nil)
		}
	}
	return v.checkAudience(claims["aud"])
}

func (v *TokenVerifier) checkAudience(audience any) error {
	var named []string
	switch audience := audience.(type) {
	case nil:
		return nil
	case string:
		named = []string{audience}
	case []any:
		for _, one := range audience {
			text, ok := one.(string)
			if !ok {
				return tokenError("PGRST303", "The JWT 'aud' claim must be a string or an array of strings", nil)
			}
			named = append(named, text)
		}
	default:
		return tokenError("PGRST303", "The JWT 'aud' claim must be a string or an array of strings", nil)
	}
	if v.Audience == "" || len(named) == 0 {
		return nil
	}
	for _, one := range named {
		if one == v.Audience {
			return nil
		}
	}
	return tokenError("PGRST303", "JWT not in audience", nil)
}
