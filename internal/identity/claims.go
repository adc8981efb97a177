package identity

import (
	"encoding/json"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/vital-db/vital/internal/fault"
)

// claims are the payload's members by their exact names. A member that is null counts as absent.
type claims map[string]json.RawMessage

func (c claims) get(name string) (json.RawMessage, bool) {
	raw, ok := c[name]
	return raw, ok && string(raw) != "null"
}

func badClaims(message, hint string) error {
	return fault.New(fault.TokenBadClaims, message, hint)
}

func wrongType(name, want string) error {
	return badClaims("The access token's claim "+name+" is not "+want+".",
		"Correct what writes this claim at the issuer (a custom claim, a hook, a mapper).")
}

// caller turns a payload whose signature is good into a Caller.
func (v *Verifier) caller(payload []byte, source keySource) (Caller, error) {
	m, ok := members(payload)
	if !ok {
		return Caller{}, malformed("The access token's payload is not a JSON object with distinct members.")
	}
	c := claims(m)
	role, err := c.role(source)
	if err != nil {
		return Caller{}, err
	}
	expires, err := v.checkTimes(c, role)
	if err != nil {
		return Caller{}, err
	}
	if err := v.checkOrigin(c, role, source); err != nil {
		return Caller{}, err
	}
	caller := Caller{Role: role, ExpiresAt: expires}
	if caller.UserID, err = c.subject(role); err != nil {
		return Caller{}, err
	}
	if caller.SessionID, err = c.session(); err != nil {
		return Caller{}, err
	}
	if caller.Tenant, err = c.tenant(); err != nil {
		return Caller{}, err
	}
	return caller, nil
}

// role never lets a published key grant service_role: whoever runs the sign-in service, or finds a
// way to set a claim in it, must not thereby bypass row-level security. Only the secret can.
func (c claims) role(source keySource) (Role, error) {
	raw, ok := c.get("role")
	if !ok {
		return "", badClaims("The access token has no claim role.",
			`Have the issuer add "role": "authenticated" to access tokens (Supabase does; elsewhere as a custom claim).`)
	}
	name, ok := text(raw)
	if !ok {
		return "", wrongType("role", "a string")
	}
	role := Role(name)
	switch role {
	case Anon, Authenticated:
		return role, nil
	case ServiceRole:
		if source == fromSecret {
			return role, nil
		}
		return "", badClaims("The role service_role is accepted only in a key signed with the JWT secret.",
			"Use a service key made by: vital key service. Users' tokens carry the role authenticated.")
	}
	return "", badClaims("The access token's claim role is none of anon, authenticated, service_role.",
		"Keep roles inside an organization in its membership; the token's role is the database role.")
}

func (c claims) subject(role Role) (uuid.UUID, error) {
	raw, ok := c.get("sub")
	if !ok && role != Authenticated {
		return uuid.Nil, nil
	}
	if !ok {
		return uuid.Nil, badClaims("The access token has no claim sub.",
			"A token of role authenticated names its user: sub is the user's id, a uuid.")
	}
	sub, ok := text(raw)
	if !ok {
		return uuid.Nil, wrongType("sub", "a string")
	}
	if role != Authenticated {
		return uuid.Nil, nil
	}
	id, ok := canonicalUUID(sub)
	if !ok {
		return uuid.Nil, badClaims("The access token's claim sub is not a user id.",
			"sub must be the user's uuid. Where the issuer has other ids, map them to uuids in it.")
	}
	return id, nil
}

func (c claims) session() (uuid.UUID, error) {
	raw, ok := c.get("session_id")
	if !ok {
		return uuid.Nil, nil
	}
	s, ok := text(raw)
	if !ok {
		return uuid.Nil, wrongType("session_id", "a string")
	}
	id, ok := canonicalUUID(s)
	if !ok {
		return uuid.Nil, wrongType("session_id", "a uuid")
	}
	return id, nil
}

// tenant never loses a claim that is there but cannot be read: the request would then run in the
// user's default tenant instead of the one the issuer meant.
func (c claims) tenant() (string, error) {
	raw, ok := c.get("app_metadata")
	if !ok {
		return "", nil
	}
	if raw[0] != '{' {
		return "", wrongType("app_metadata", "an object")
	}
	m, ok := members(raw)
	if !ok {
		return "", wrongType("app_metadata", "an object with distinct members")
	}
	if raw, ok = claims(m).get("tenant_id"); !ok {
		return "", nil
	}
	tenant, ok := text(raw)
	if !ok || tenant == "" {
		return "", wrongType("app_metadata.tenant_id", "a non-empty string (a tenant's id or slug)")
	}
	return tenant, nil
}

// canonicalUUID takes only the 36-character form, and not the zero uuid, which stands for nobody.
func canonicalUUID(s string) (uuid.UUID, bool) {
	if len(s) != 36 {
		return uuid.Nil, false
	}
	id, err := uuid.Parse(s)
	return id, err == nil && id != uuid.Nil
}

// checkOrigin checks iss and aud. API keys (anon and service_role, signed with the secret) are exempt:
// Supabase issues them with iss "supabase" and without aud, and whoever holds the secret could write
// any issuer into them. Their types are checked for every token.
func (v *Verifier) checkOrigin(c claims, role Role, source keySource) error {
	var issuer string
	if raw, present := c.get("iss"); present {
		var ok bool
		if issuer, ok = text(raw); !ok {
			return wrongType("iss", "a string")
		}
	}
	audience, ok := c.audience()
	if !ok {
		return wrongType("aud", "a string or a list of strings")
	}
	if role != Authenticated && source == fromSecret {
		return nil
	}
	if v.issuer != "" && issuer != v.issuer {
		return fault.New(fault.TokenWrongIssuer, "The access token was issued by another issuer (iss).",
			"Sign in with this server's issuer, or set VITAL_JWT_ISSUER to the issuer exactly as tokens name it.")
	}
	if v.audience == "" {
		return nil
	}
	for _, a := range audience {
		if a == v.audience {
			return nil
		}
	}
	return fault.New(fault.TokenWrongAudience, "The access token was issued for another audience (aud).",
		"Ask the issuer for a token of this audience, or set VITAL_JWT_AUDIENCE to what tokens carry.")
}

func (c claims) audience() ([]string, bool) {
	raw, ok := c.get("aud")
	if !ok {
		return nil, true
	}
	if one, ok := text(raw); ok {
		return []string{one}, true
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil, false
	}
	many := make([]string, 0, len(list))
	for _, item := range list {
		a, ok := text(item)
		if !ok {
			return nil, false
		}
		many = append(many, a)
	}
	return many, true
}

// checkTimes judges exp, nbf and iat, and returns the expiry, zero for a key without one. A user's
// token must expire.
func (v *Verifier) checkTimes(c claims, role Role) (time.Time, error) {
	expires, err := c.time("exp")
	if err != nil {
		return time.Time{}, err
	}
	if expires.IsZero() && role == Authenticated {
		return time.Time{}, badClaims("The access token never expires (no claim exp).",
			"Have the issuer set exp; an hour is usual.")
	}
	if err := v.checkExpiry(expires); err != nil {
		return time.Time{}, err
	}
	for _, name := range [...]string{"nbf", "iat"} {
		from, err := c.time(name)
		if err != nil {
			return time.Time{}, err
		}
		if v.now().Add(v.leeway).Before(from) {
			return time.Time{}, fault.New(fault.TokenNotYetValid, "The access token is not valid yet ("+name+" is in the future).",
				"Check the clocks of the issuer and of this server.")
		}
	}
	return expires, nil
}

func (v *Verifier) checkExpiry(expires time.Time) error {
	if expires.IsZero() || v.now().Before(expires.Add(v.leeway)) {
		return nil
	}
	return fault.New(fault.TokenExpired, "The access token has expired.", "Refresh the session, or sign in again.")
}

// time reads a NumericDate, whole seconds downwards; zero when absent. A number past the year 9999
// would overflow and come out in the past, or the reverse, so it is refused.
func (c claims) time(name string) (time.Time, error) {
	raw, ok := c.get(name)
	if !ok {
		return time.Time{}, nil
	}
	const lastSecond = 253402300799 // 9999-12-31T23:59:59Z
	var seconds float64
	if json.Unmarshal(raw, &seconds) != nil || seconds < 0 || seconds > lastSecond {
		return time.Time{}, wrongType(name, "a time in seconds since 1970")
	}
	return time.Unix(int64(math.Floor(seconds)), 0), nil
}
