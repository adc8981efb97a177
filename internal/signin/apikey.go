package signin

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
)

// APIKey is what is kept of an API key: everything but the key.
type APIKey struct {
	ID         uuid.UUID     `json:"id"`
	Name       string        `json:"name"`
	Role       identity.Role `json:"role"`
	Prefix     string        `json:"prefix"`
	CreatedAt  time.Time     `json:"created_at"`
	ExpiresAt  *time.Time    `json:"expires_at"`
	RevokedAt  *time.Time    `json:"revoked_at"`
	LastUsedAt *time.Time    `json:"last_used_at"`
	Tenant     *string       `json:"tenant"` // slug of the one it acts for
	Rights     []string      `json:"rights"`
}

// CreateAPIKey makes a key of no tenant, which is returned this once. expires is 0 for never.
func CreateAPIKey(ctx context.Context, tx pgx.Tx, role identity.Role, name string, expires time.Duration) (APIKey, string, error) {
	text, err := identity.NewAPIKey(role, nil)
	if err != nil {
		return APIKey{}, "", err
	}
	made, err := storeAPIKey(ctx, tx, newKey{role: role, name: name, text: text, expires: expires})
	return made, text, err
}

// CreateTenantKey makes a key with which a server acts for one tenant, within rights.
func CreateTenantKey(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, rights []string, name string, expires time.Duration) (APIKey, string, error) {
	if known, ok := identity.ParseRights(rights); !ok || known == 0 {
		return APIKey{}, "", fault.New(fault.Invalid, "A tenant's key has rights, and one of these is not known.", "There is one so far: flags.")
	}
	text := identity.NewTenantKey()
	made, err := storeAPIKey(ctx, tx, newKey{role: identity.Anon, name: name, text: text, expires: expires, tenant: &tenant, rights: rights})
	return made, text, err
}

// RotateAPIKey makes a key like an existing one, which goes on for the time of overlap.
func RotateAPIKey(ctx context.Context, tx pgx.Tx, id uuid.UUID, overlap time.Duration) (APIKey, string, error) {
	if overlap < 0 {
		return APIKey{}, "", fault.New(fault.Invalid, "The time both keys are good cannot be less than nothing.", "Give 0 to end the old key at once.")
	}
	var old newKey
	var role string
	err := tx.QueryRow(ctx, queries.Get("APIKeyRotate"), id, overlap).Scan(&old.name, &role, &old.tenant, &old.rights)
	if errors.Is(err, pgx.ErrNoRows) {
		return APIKey{}, "", noSuchKey()
	}
	if err != nil {
		return APIKey{}, "", fmt.Errorf("rotate key: %w", err)
	}
	old.role = identity.Role(role)
	if old.tenant != nil {
		old.text = identity.NewTenantKey()
	} else if old.text, err = identity.NewAPIKey(old.role, nil); err != nil {
		return APIKey{}, "", err
	}
	made, err := storeAPIKey(ctx, tx, old)
	if err == nil && overlap == 0 {
		err = RevokeAPIKey(ctx, tx, id)
	}
	return made, old.text, err
}

// newKey is a key before it is stored.
type newKey struct {
	role       identity.Role
	name, text string
	expires    time.Duration
	tenant     *uuid.UUID
	rights     []string
}

func storeAPIKey(ctx context.Context, tx pgx.Tx, k newKey) (APIKey, error) {
	if k.name == "" || len(k.name) > 100 {
		return APIKey{}, fault.New(fault.Invalid, "An API key has a name of 1 to 100 bytes.", "Say what it is for.")
	}
	if k.expires < 0 {
		return APIKey{}, fault.New(fault.Invalid, "The key would have expired already.", "Give a time ahead, or none.")
	}
	var life *time.Duration
	if k.expires > 0 {
		life = &k.expires
	}
	if k.rights == nil {
		k.rights = []string{}
	}
	rows, err := tx.Query(ctx, queries.Get("APIKeyCreate"), k.name, string(k.role), identity.KeyPrefix(k.text), tokenHash(k.text), life, k.tenant, k.rights)
	if err != nil {
		return APIKey{}, fmt.Errorf("store key: %w", err)
	}
	made, err := pgx.CollectRows(rows, pgx.RowToStructByPos[APIKey])
	if err != nil || len(made) == 0 { // none: it was stored at the same moment by another
		return APIKey{}, err
	}
	return made[0], nil
}

// DefaultAPIKey returns the key of a role that `vital key anon` and `vital key service` print: the same
// one each time, until it is revoked. It is computed from the key-encryption key, so that it can be printed
// again although only its hash is kept.
func DefaultAPIKey(ctx context.Context, tx pgx.Tx, kek []byte, role identity.Role) (string, error) {
	secret, err := deriveKey(kek, "default API keys")
	if err != nil {
		return "", err
	}
	const most = 10_000
	for n := range most {
		mac := hmac.New(sha256.New, secret)
		fmt.Fprintf(mac, "%s %d", role, n)
		text, err := identity.NewAPIKey(role, mac.Sum(nil))
		if err != nil {
			return "", err
		}
		var ended bool
		err = tx.QueryRow(ctx, queries.Get("APIKeyState"), tokenHash(text)).Scan(&ended)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			_, err := storeAPIKey(ctx, tx, newKey{role: role, name: "default", text: text})
			return text, err
		case err != nil:
			return "", fmt.Errorf("read key: %w", err)
		case !ended:
			return text, nil
		}
	}
	return "", fault.New(fault.LimitExceeded, "The default key was revoked too often.", "Make a named one: vital key create")
}

// ListAPIKeys returns all keys, the newest first.
func ListAPIKeys(ctx context.Context, tx pgx.Tx) ([]APIKey, error) {
	rows, err := tx.Query(ctx, queries.Get("APIKeyList"))
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[APIKey])
}

// RevokeAPIKey ends a key. The next request with a service key or for a tenant is refused, an anon key's within seconds.
func RevokeAPIKey(ctx context.Context, tx pgx.Tx, id uuid.UUID) error {
	err := tx.QueryRow(ctx, queries.Get("APIKeyRevoke"), id).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return noSuchKey()
	}
	return err
}

func noSuchKey() error {
	return fault.New(fault.NotFound, "There is no such key, or it is revoked already.", "See vital key list.")
}

// FindAPIKey looks a key up by its hash and notes that it was used, for identity.Config.APIKey.
func FindAPIKey(db *postgres.Service) func(ctx context.Context, hash [sha256.Size]byte) (identity.Key, error) {
	return func(ctx context.Context, hash [sha256.Size]byte) (identity.Key, error) {
		var key identity.Key
		var expires *time.Time
		var tenant *uuid.UUID
		var rights []string
		err := db.AsService(ctx, "APIKeyUse", func(tx pgx.Tx) error {
			return tx.QueryRow(ctx, queries.Get("APIKeyUse"), hash[:]).Scan(&key.ID, &key.Role, &expires, &tenant, &rights)
		})
		if errors.Is(err, pgx.ErrNoRows) {
			return key, identity.BadAPIKey()
		}
		if expires != nil {
			key.ExpiresAt = *expires
		}
		if tenant != nil {
			key.Tenant = *tenant
		}
		key.Rights, _ = identity.ParseRights(rights) // a right this server does not know is none
		return key, err
	}
}
