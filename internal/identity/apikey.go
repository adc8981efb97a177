package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/vital-db/vital/internal/bounded"
	"github.com/vital-db/vital/internal/fault"
)

// An API key is its role's prefix and 256 bits in base64url. It says nothing by itself: what it may do is
// looked up by its hash, and can be taken back.
const (
	anonKeyPrefix    = "vital_anon_"
	serviceKeyPrefix = "vital_service_"
	tenantKeyPrefix  = "vital_tenant_"
	keyTailLength    = 43
	// shownTail is how much of the random part a list shows.
	shownTail = 6

	// keyMemory is how long an anon or a tenant's key once looked up is believed, and so how long a revoked one goes
	// on standing for nobody; what a tenant's key may see is decided by the database besides. A service key bypasses
	// the policies: it is looked up every time.
	keyMemory  = 3 * time.Second
	keyEntries = 1000
)

// Key is what is known of an API key.
type Key struct {
	ID        uuid.UUID
	Role      Role      // Anon or ServiceRole; of a tenant's key Anon
	Tenant    uuid.UUID // zero for a key of no tenant
	Rights    Rights
	ExpiresAt time.Time // zero for never
}

// IsAPIKey reports whether text has the form of an API key, rather than a token's.
func IsAPIKey(text string) bool {
	_, ok := keyTail(text)
	return ok
}

// keyTail is the random part of a key, or reports that text is none.
func keyTail(text string) (string, bool) {
	for _, prefix := range []string{anonKeyPrefix, serviceKeyPrefix, tenantKeyPrefix} {
		if tail, ok := strings.CutPrefix(text, prefix); ok {
			return tail, true
		}
	}
	return "", false
}

// NewAPIKey makes a key of a role, of 32 random bytes or of those given.
func NewAPIKey(role Role, random []byte) (string, error) {
	prefix := anonKeyPrefix
	switch role {
	case Anon:
	case ServiceRole:
		prefix = serviceKeyPrefix
	default:
		return "", fault.New(fault.Invalid, "An API key's role is anon or service_role.", "Users sign in and get tokens.")
	}
	if random == nil {
		random = randomKey()
	}
	if len(random) != sha256.Size {
		return "", fault.New(fault.Invalid, "An API key is made of 32 bytes.", "Leave them out for random ones.")
	}
	return prefix + base64.RawURLEncoding.EncodeToString(random), nil
}

// NewTenantKey makes a key that a server uses for one tenant.
func NewTenantKey() string {
	return tenantKeyPrefix + base64.RawURLEncoding.EncodeToString(randomKey())
}

func randomKey() []byte {
	random := make([]byte, sha256.Size)
	_, _ = rand.Read(random) // never fails
	return random
}

// KeyPrefix is what a list may show of a key.
func KeyPrefix(key string) string {
	return key[:len(key)-keyTailLength+shownTail]
}

// apiKeys looks API keys up, and remembers anon keys for a moment.
type apiKeys struct {
	lookup func(ctx context.Context, hash [sha256.Size]byte) (Key, error)
	now    func() time.Time
	known  bounded.Map[[sha256.Size]byte, knownKey]
}

type knownKey struct {
	key   Key
	until time.Time
}

func newAPIKeys(config Config) *apiKeys {
	return &apiKeys{lookup: config.APIKey, now: config.Now, known: bounded.New[[sha256.Size]byte, knownKey](keyEntries)}
}

// BadAPIKey is the fault of a key that is unknown, expired or revoked.
func BadAPIKey() error {
	return fault.New(fault.APIKeyInvalid, "The API key is not valid: unknown, expired or revoked.",
		"Use a key as `vital key anon` prints it, or make another with `vital key create`.")
}

func (a *apiKeys) caller(ctx context.Context, text string) (Caller, error) {
	tail, _ := keyTail(text)
	if _, ok := decodeSegment(tail); a == nil || !ok || len(tail) != keyTailLength {
		return Caller{}, BadAPIKey()
	}
	key, err := a.find(ctx, digest(text))
	if err != nil {
		return Caller{}, err
	}
	if !key.ExpiresAt.IsZero() && !a.now().Before(key.ExpiresAt) {
		return Caller{}, BadAPIKey()
	}
	caller := Caller{Role: key.Role, SessionID: key.ID, ExpiresAt: key.ExpiresAt, Rights: key.Rights}
	if key.Tenant != uuid.Nil {
		caller.Tenant = key.Tenant.String()
	}
	return caller, nil
}

func (a *apiKeys) find(ctx context.Context, hash [sha256.Size]byte) (Key, error) {
	if known, ok := a.known.Get(hash); ok && a.now().Before(known.until) {
		return known.key, nil
	}
	key, err := a.lookup(ctx, hash)
	if err != nil {
		a.known.Delete(hash)
		return Key{}, err
	}
	if key.Role != Anon && key.Role != ServiceRole || key.Tenant != uuid.Nil && key.Role != Anon {
		return Key{}, BadAPIKey()
	}
	if key.Role == Anon {
		a.known.Set(hash, knownKey{key, a.now().Add(keyMemory)})
	}
	return key, nil
}
