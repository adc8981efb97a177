package identity

import (
	"bytes"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/vital-db/vital/internal/fault"
)

const (
	// maxUserTTL is Supabase's limit for an access token: one cannot be taken back before it expires.
	maxUserTTL = 7 * 24 * time.Hour
	// maxKeyTTL fits the ten years of a Supabase API key.
	maxKeyTTL      = 10 * 366 * 24 * time.Hour
	maxEmailBytes  = 320
	maxTenantBytes = 255
)

// IssuerConfig says how issued tokens are signed and what they name.
type IssuerConfig struct {
	// Secret signs with HS256. At least 32 bytes; required.
	Secret []byte
	// Issuer is the claim iss. Defaults to none.
	Issuer string
	// Audience is the claim aud of users' tokens; API keys carry none. Defaults to "authenticated".
	Audience string
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
}

// TokenIssuer issues access tokens and API keys with the claims Supabase gives them. It is safe for
// concurrent use.
type TokenIssuer struct {
	secret   []byte
	issuer   string
	audience string
	now      func() time.Time
}

// NewTokenIssuer checks the configuration.
func NewTokenIssuer(config IssuerConfig) (*TokenIssuer, error) {
	if err := validateSecret(config.Secret); err != nil {
		return nil, err
	}
	if config.Audience == "" {
		config.Audience = string(Authenticated)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	return &TokenIssuer{
		secret: bytes.Clone(config.Secret), issuer: config.Issuer, audience: config.Audience, now: config.Now,
	}, nil
}

// Grant is what a token is to say. UserID is required for Authenticated; an API key (Anon,
// ServiceRole) has no user, email or session.
type Grant struct {
	UserID    uuid.UUID
	Email     string
	Role      Role
	Tenant    string // an id or a slug, "" for none; becomes app_metadata.tenant_id
	SessionID uuid.UUID
	TTL       time.Duration // whole seconds count; at most 7 days for a user, 10 years for a key
}

// Issue signs a token for the grant. A grant that Verify would not take back is an invalid fault.
func (i *TokenIssuer) Issue(grant Grant) (string, error) {
	if err := grant.validate(); err != nil {
		return "", err
	}
	now := i.now().Unix()
	c := jwt.MapClaims{"role": grant.Role, "iat": now, "exp": now + int64(grant.TTL/time.Second)}
	if i.issuer != "" {
		c["iss"] = i.issuer
	}
	if grant.Role == Authenticated {
		c["sub"], c["aud"] = grant.UserID, i.audience
		c["user_metadata"] = struct{}{}
	}
	if grant.Email != "" {
		c["email"] = grant.Email
	}
	if grant.SessionID != uuid.Nil {
		c["session_id"] = grant.SessionID
	}
	metadata := map[string]string{}
	if grant.Tenant != "" {
		metadata["tenant_id"] = grant.Tenant
	}
	if grant.Role == Authenticated || grant.Tenant != "" {
		c["app_metadata"] = metadata
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString(i.secret)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return token, nil
}

func (g Grant) validate() error {
	longest := maxKeyTTL
	switch g.Role {
	case Authenticated:
		longest = maxUserTTL
		if g.UserID == uuid.Nil {
			return badGrant("A token of role authenticated needs a user.", "Name the user by id.")
		}
	case Anon, ServiceRole:
		if g.UserID != uuid.Nil || g.Email != "" || g.SessionID != uuid.Nil {
			return badGrant("An API key has no user, email or session.", "Use the role authenticated for a user's token.")
		}
	default:
		return badGrant("A token's role is anon, authenticated or service_role.",
			"Keep roles inside an organization in its membership.")
	}
	if g.TTL < time.Second || g.TTL > longest {
		return badGrant(fmt.Sprintf("A token of role %s lives between a second and %d hours.", g.Role, int(longest.Hours())),
			"Give another time to live.")
	}
	if !plain(g.Tenant, maxTenantBytes) {
		return badGrant("The tenant is not a tenant's id or slug.", "Give the id or the slug as `vital tenant list` shows it.")
	}
	if !plain(g.Email, maxEmailBytes) {
		return badGrant("The email address is not text of at most 320 bytes.", "Correct the address.")
	}
	return nil
}

// plain keeps out what JSON would change on the way (invalid UTF-8) or PostgreSQL refuses (NUL).
func plain(s string, longest int) bool {
	return len(s) <= longest && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' })
}

func badGrant(message, hint string) error { return fault.New(fault.Invalid, message, hint) }
