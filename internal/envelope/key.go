package envelope

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"hash"

	"github.com/google/uuid"

	"github.com/vital-db/vital/internal/fault"
)

// Key is a tenant's: whatever is sealed with it opens for this tenant and under this id alone.
type Key struct {
	Tenant, ID uuid.UUID

	secret []byte
}

// NewKey makes a random key of a tenant.
func NewKey(tenant uuid.UUID) *Key {
	return &Key{Tenant: tenant, ID: uuid.New(), secret: random(keyBytes)}
}

// context binds what is sealed to a purpose, the tenant, the key and a place. Each part has a fixed length or is the last.
func (k *Key) context(purpose string, place ...byte) []byte {
	return append(append(append([]byte(purpose+"\n"), k.Tenant[:]...), k.ID[:]...), place...)
}

// derive is a key of the tenant's for one purpose.
func (k *Key) derive(salt []byte, purpose string, length int) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, k.secret, salt, purpose, length)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	return key, nil
}

// recordVersion is the first byte of a sealed record: AES-256-GCM with a random nonce before what is sealed. vital.seal_audit knows it, and
// RecordOverhead.
const recordVersion = 1

// RecordOverhead is by how many bytes a sealed record is longer: version, nonce and tag.
const RecordOverhead = 1 + 12 + 16

// Records seals and opens records, with a key that is derived once.
type Records struct {
	key  *Key
	seal func(plain, context []byte) []byte
	open func(sealed, context []byte) ([]byte, error)
}

// Records are what the key seals a row at a time.
func (k *Key) Records() (*Records, error) {
	secret, err := k.derive(nil, "vital records 1", keyBytes)
	if err != nil {
		return nil, err
	}
	aead, err := gcm(secret)
	if err != nil {
		return nil, err
	}
	return &Records{
		key:  k,
		seal: func(plain, context []byte) []byte { return aead.Seal([]byte{recordVersion}, nil, plain, context) }, //nolint:gosec // it makes a nonce of its own
		open: func(sealed, context []byte) ([]byte, error) { return aead.Open(nil, nil, sealed, context) },
	}, nil
}

// Seal seals the record of a row.
func (r *Records) Seal(row uuid.UUID, plain []byte) []byte {
	return r.seal(plain, r.key.context("vital record", row[:]...))
}

// Open opens what Seal has sealed of the same row. Errors: KeyDamaged.
func (r *Records) Open(row uuid.UUID, sealed []byte) ([]byte, error) {
	if len(sealed) >= RecordOverhead && sealed[0] == recordVersion {
		if plain, err := r.open(sealed[1:], r.key.context("vital record", row[:]...)); err == nil {
			return plain, nil
		}
	}
	return nil, fault.Wrap(errUnopened, fault.KeyDamaged, fmt.Sprintf("What was sealed of row %s is not what is there.", row), "It was changed or damaged since: take it from a backup.")
}

// Digest hashes so that only who has the key can tell what was hashed: a hash alone would let anybody try what they suspect.
func (k *Key) Digest() (hash.Hash, error) {
	secret, err := k.derive(nil, "vital digest 1", keyBytes)
	if err != nil {
		return nil, err
	}
	return hmac.New(sha256.New, secret), nil
}
