// Package identity says who is calling: it verifies access tokens (a shared secret, or the keys an
// issuer publishes as a JWKS), and issues them for the embedded sign-in and the command line.
//
// It decides authentication only. Whether the caller is a member of the tenant they name is for the
// packages above, and for the database again.
package identity

import (
	"time"

	"github.com/google/uuid"
)

// Role is the database role a request runs as. There are exactly three, named as in Supabase.
type Role string

// The roles a token may name.
const (
	Anon          Role = "anon"
	Authenticated Role = "authenticated"
	ServiceRole   Role = "service_role"
)

// Caller is who a verified token, or its absence, says is asking. Only Verify and Anonymous make one.
type Caller struct {
	Role Role
	// UserID is zero for anon and service_role, also where their token has a subject.
	UserID uuid.UUID
	// SessionID is zero when the token names no session (claim session_id). Of an API key it is the key's
	// id, under which the database knows it when it was revoked.
	SessionID uuid.UUID
	// Tenant is the claim app_metadata.tenant_id as the issuer wrote it, an id or a slug, and "" when
	// it is absent. It never comes from user_metadata, which users edit themselves. Of a tenant's API key it is
	// that tenant's id.
	Tenant string
	// Rights are what an API key of a tenant may do there, nothing for anybody else.
	Rights Rights
	// ExpiresAt is zero for Anonymous, and for an API key that never expires.
	ExpiresAt time.Time
}

// Rights are what an API key of a tenant may do.
type Rights uint8

// RightFlags is to evaluate the tenant's flags.
const RightFlags Rights = 1 << iota

// rightNames are the rights as the database and the command line call them.
var rightNames = map[string]Rights{"flags": RightFlags}

// ParseRights reads the names of rights, or reports that one is not known.
func ParseRights(names []string) (rights Rights, ok bool) {
	for _, name := range names {
		right, known := rightNames[name]
		if !known {
			return 0, false
		}
		rights |= right
	}
	return rights, true
}

// Anonymous is the caller of a request without a token.
func Anonymous() Caller { return Caller{Role: Anon} }
