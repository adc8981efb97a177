package identity_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
)

// keyTable is what a database holds of API keys.
type keyTable struct {
	keys map[[sha256.Size]byte]identity.Key
	asks int
	down error
}

func (k *keyTable) find(_ context.Context, hash [sha256.Size]byte) (identity.Key, error) {
	k.asks++
	if k.down != nil {
		return identity.Key{}, k.down
	}
	key, ok := k.keys[hash]
	if !ok {
		return key, identity.BadAPIKey()
	}
	return key, nil
}

func (k *keyTable) add(t *testing.T, role identity.Role, expires time.Time) (string, uuid.UUID) {
	t.Helper()
	text, err := identity.NewAPIKey(role, nil)
	require.NoError(t, err)
	id := uuid.New()
	k.keys[sha256.Sum256([]byte(text))] = identity.Key{ID: id, Role: role, ExpiresAt: expires}
	return text, id
}

func setupKeys(t *testing.T) (*testBundle, *keyTable) {
	t.Helper()
	table := &keyTable{keys: map[[sha256.Size]byte]identity.Key{}}
	return setup(t, func(c *identity.Config) { c.APIKey = table.find }), table
}

func TestAPIKey_IsItsRole(t *testing.T) {
	t.Parallel()
	b, table := setupKeys(t)
	anon, id := table.add(t, identity.Anon, time.Time{})
	require.Regexp(t, `^vital_anon_[A-Za-z0-9_-]{43}$`, anon)
	caller, err := b.verify(anon)
	require.NoError(t, err)
	require.Equal(t, identity.Caller{Role: identity.Anon, SessionID: id}, caller)
	service, id := table.add(t, identity.ServiceRole, b.clock.Now().Add(time.Hour))
	require.Regexp(t, `^vital_service_[A-Za-z0-9_-]{43}$`, service)
	caller, err = b.verify(service)
	require.NoError(t, err)
	require.Equal(t, identity.ServiceRole, caller.Role)
	require.Equal(t, id, caller.SessionID)
	require.Equal(t, service[:20], identity.KeyPrefix(service))
	_, err = identity.NewAPIKey(identity.Authenticated, nil)
	requireFault(t, fault.Invalid, err)
}

func TestAPIKey_Refused(t *testing.T) {
	t.Parallel()
	b, table := setupKeys(t)
	good, _ := table.add(t, identity.Anon, time.Time{})
	expiring, _ := table.add(t, identity.ServiceRole, b.clock.Now().Add(time.Minute))
	unknown, err := identity.NewAPIKey(identity.Anon, nil)
	require.NoError(t, err)
	_, err = b.verify(unknown)
	requireFault(t, fault.APIKeyInvalid, err)
	requireSilent(t, unknown, err)
	asks := table.asks
	for _, text := range []string{
		"vital_anon_", good[:len(good)-1], good + "A", good + "=", "vital_anon_" + strings.Repeat("!", 43),
		"vital_anon_vital_service_" + strings.Repeat("A", 43),
	} {
		_, err := b.verify(text)
		requireFault(t, fault.APIKeyInvalid, err)
	}
	require.Equal(t, asks, table.asks, "what has not the form is not looked up")
	_, err = b.verify("vital_service_" + strings.TrimPrefix(good, "vital_anon_"))
	requireFault(t, fault.APIKeyInvalid, err)
	_, err = b.verify(expiring)
	require.NoError(t, err)
	b.clock.Advance(time.Minute)
	_, err = b.verify(expiring)
	requireFault(t, fault.APIKeyInvalid, err)
	_, err = setup(t).verify(good)
	requireFault(t, fault.APIKeyInvalid, err) // where no keys are looked up, none is good
}

// An anon key, which stands for nobody, is believed for seconds; a service key is looked up at every request.
func TestAPIKey_RevokedPromptly(t *testing.T) {
	t.Parallel()
	b, table := setupKeys(t)
	anon, _ := table.add(t, identity.Anon, time.Time{})
	service, _ := table.add(t, identity.ServiceRole, time.Time{})
	for range 3 {
		for _, key := range []string{anon, service} {
			_, err := b.verify(key)
			require.NoError(t, err)
		}
	}
	require.Equal(t, 4, table.asks)
	clear(table.keys)
	_, err := b.verify(service)
	requireFault(t, fault.APIKeyInvalid, err)
	_, err = b.verify(anon)
	require.NoError(t, err)
	b.clock.Advance(3 * time.Second)
	_, err = b.verify(anon)
	requireFault(t, fault.APIKeyInvalid, err)
	table.down = fault.New(fault.DatabaseUnavailable, "Down.", "Wait.")
	_, err = b.verify(service)
	requireFault(t, fault.DatabaseUnavailable, err)
}

// ownKeys is a source of keys other than a URL.
type ownKeys struct {
	asks int
	keys []map[string]any
	err  error
}

func (o *ownKeys) read(context.Context) ([]byte, error) {
	o.asks++
	if o.err != nil {
		return nil, o.err
	}
	return json.Marshal(map[string]any{"keys": append([]map[string]any{}, o.keys...)})
}

func TestKeys_FromAFunction(t *testing.T) {
	t.Parallel()
	next := newEC(t)
	source := &ownKeys{}
	b := setup(t, func(c *identity.Config) { c.JWKSURL, c.JWKS = "", source.read })
	source.keys = []map[string]any{ecJWK("ec", b.ec)}
	started(t, b)
	_, err := b.verify(b.es256(t, nil))
	require.NoError(t, err)
	_, err = b.verify(b.hs256(t, nil))
	require.NoError(t, err, "tokens of the secret stay good")
	require.Equal(t, 1, source.asks)

	// Rotated by another instance: the new key is asked for at once, and then for a while no other.
	source.keys = append(source.keys, ecJWK("next", next))
	_, err = b.verify(b.signedBy(t, "next", next))
	require.NoError(t, err)
	_, err = b.verify(b.es256(t, nil))
	require.NoError(t, err)
	_, err = b.verify(b.signedBy(t, "strange", next))
	requireFault(t, fault.TokenUnknownKey, err)
	require.Equal(t, 2, source.asks)

	// What is gone is refused, and a source that fails takes nothing away.
	b.clock.Advance(time.Minute)
	source.err = errors.New("down")
	_, err = b.verify(b.signedBy(t, "other", next))
	requireFault(t, fault.TokenUnknownKey, err)
	_, err = b.verify(b.es256(t, nil))
	require.NoError(t, err)

	_, err = b.verify(b.es256(t, map[string]any{"role": "service_role"}))
	requireFault(t, fault.TokenBadClaims, err) // a published key never grants it, our own neither
	_, err = identity.NewVerifier(identity.Config{JWKS: source.read, JWKSURL: "https://x.test/jwks"})
	requireFault(t, fault.ConfigInvalid, err)
}
