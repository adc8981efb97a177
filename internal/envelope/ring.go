// Package envelope seals what is personal so that it can be erased everywhere at once: a ring of key-encryption keys, which no database
// has, wraps a key for each tenant, and that seals records and files. Whoever has lost the tenant's key has lost all of it.
package envelope

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/vital-db/vital/internal/fault"
)

const (
	keyBytes = 32
	// mostKeys bounds a ring, so that a file that is none is not read as one for long.
	mostKeys = 100
)

// KEKName is what a key-encryption key may be called.
var KEKName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// Ring is the key-encryption keys that are in use, one of them current: it wraps what is wrapped anew. It is never changed.
type Ring struct {
	keks    []kek // the oldest first
	current string
	signIn  []byte
}

type kek struct {
	id     string
	secret []byte
}

// NewRing makes a ring of one random key.
func NewRing(now time.Time) *Ring {
	return (&Ring{signIn: random(keyBytes)}).Grow(now)
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

// Grow returns the ring with a new random key, which is current.
func (r *Ring) Grow(now time.Time) *Ring {
	id := now.UTC().Format("20060102") + "-" + hex.EncodeToString(random(4))
	return &Ring{keks: append(slices.Clone(r.keks), kek{id, random(keyBytes)}), current: id, signIn: r.signIn}
}

// Without returns the ring without one of its keys. Errors: NotFound, StateConflict for the current one.
func (r *Ring) Without(id string) (*Ring, error) {
	if !r.Has(id) {
		return nil, fault.New(fault.NotFound, "The keyring has no key-encryption key "+id+".", "See `vital keys status`.")
	}
	if id == r.current {
		return nil, fault.New(fault.StateConflict, "The key-encryption key "+id+" is current.", "Make another one current first: vital keys rotate.")
	}
	keks := slices.DeleteFunc(slices.Clone(r.keks), func(k kek) bool { return k.id == id })
	return &Ring{keks: keks, current: r.current, signIn: r.signIn}, nil
}

// WithoutSignIn returns the ring without what the sign-in derives its keys from.
func (r *Ring) WithoutSignIn() *Ring { return &Ring{keks: r.keks, current: r.current} }

// Current is the name of the key that wraps.
func (r *Ring) Current() string { return r.current }

// Names are the names of all keys, the oldest first.
func (r *Ring) Names() []string {
	names := make([]string, len(r.keks))
	for i, k := range r.keks {
		names[i] = k.id
	}
	return names
}

// Has says whether the ring has a key of that name.
func (r *Ring) Has(id string) bool { return r.find(id) != nil }

func (r *Ring) find(id string) []byte {
	for _, k := range r.keks {
		if k.id == id {
			return k.secret
		}
	}
	return nil
}

// SignIn is what the embedded sign-in derives its keys from, nil where the ring has none. It stays when key-encryption keys come and go, so
// that nobody has to sign in again, and none of them can be computed from it.
func (r *Ring) SignIn() []byte { return r.signIn }

const ringHead = "# Key-encryption keys of VITAL. Whoever has them and a backup of the database can read what is sealed there: keep them apart.\n"

// Text is the ring as ParseRing reads it.
func (r *Ring) Text() []byte {
	var text bytes.Buffer
	text.WriteString(ringHead)
	fmt.Fprintf(&text, "current %s\n", r.current)
	for _, k := range r.keks {
		fmt.Fprintf(&text, "key %s %s\n", k.id, base64.StdEncoding.EncodeToString(k.secret))
	}
	if r.signIn != nil {
		fmt.Fprintf(&text, "sign-in %s\n", base64.StdEncoding.EncodeToString(r.signIn))
	}
	return text.Bytes()
}

// ParseRing reads a ring: lines `current NAME`, `key NAME BASE64` and `sign-in BASE64`, which a semicolon may divide, too, or a single
// secret of 32 bytes or more in base64. No error repeats any of it. Errors: ConfigInvalid.
func ParseRing(text []byte) (*Ring, error) {
	if secret, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(text))); err == nil && len(secret) > 0 {
		return SingleRing(secret)
	}
	r := &Ring{}
	number := 0
	for line := range strings.FieldsFuncSeq(string(text), func(c rune) bool { return c == '\n' || c == ';' }) {
		number++
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if problem := r.parse(strings.Fields(line)); problem != "" {
			return nil, badRing(fmt.Sprintf("line %d %s", number, problem))
		}
	}
	switch {
	case len(r.keks) == 0:
		return nil, badRing("it has no key")
	case !r.Has(r.current):
		return nil, badRing("it does not say which of its keys is current")
	}
	return r, nil
}

// parse takes one line, and says what is wrong with it.
func (r *Ring) parse(words []string) (problem string) {
	switch words[0] {
	case "current":
		if len(words) != 2 || r.current != "" {
			return "names no current key, or a second one"
		}
		r.current = words[1]
	case "key":
		if len(words) != 3 || !KEKName.MatchString(words[1]) {
			return "is not `key NAME BASE64`, with a name of lower-case letters, digits and -"
		}
		secret, err := base64.StdEncoding.DecodeString(words[2])
		if err != nil || len(secret) != keyBytes {
			return "does not hold 32 bytes in base64"
		}
		if r.Has(words[1]) || len(r.keks) == mostKeys {
			return "has a name that another key has, or is one key too many"
		}
		r.keks = append(r.keks, kek{words[1], secret})
	case "sign-in":
		if len(words) != 2 || r.signIn != nil {
			return "is not `sign-in BASE64`, or a second one"
		}
		secret, err := base64.StdEncoding.DecodeString(words[1])
		if err != nil || len(secret) != keyBytes {
			return "does not hold 32 bytes in base64"
		}
		r.signIn = secret
	default:
		return "is neither current, key nor sign-in"
	}
	return ""
}

func badRing(what string) error {
	return fault.New(fault.ConfigInvalid, "The keyring cannot be read: "+what+".", "Restore it from a copy. A new one is made by `vital keys create`, but opens nothing that another has sealed.")
}

// SingleRing is the ring of one secret. Its key and what the sign-in gets are both derived of it, and neither tells the other.
func SingleRing(secret []byte) (*Ring, error) {
	if len(secret) < keyBytes {
		return nil, badRing("a single secret has 32 bytes or more, in base64")
	}
	wrapping, err := hkdf.Key(sha256.New, secret, []byte("vital key-encryption key"), "tenant keys", keyBytes)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	signIn, err := hkdf.Extract(sha256.New, secret, nil)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	name := sha256.Sum256(append([]byte("vital key name"), wrapping...))
	id := "single-" + hex.EncodeToString(name[:4])
	return &Ring{keks: []kek{{id, wrapping}}, current: id, signIn: signIn}, nil
}

// wrapVersion is the first byte of a wrapped key: AES-256-GCM with a random nonce before what is sealed.
const wrapVersion = 1

// Wrap seals a tenant's key with the current key-encryption key, whose name it returns.
func (r *Ring) Wrap(k *Key) (kekID string, wrapped []byte, err error) {
	aead, err := gcm(r.find(r.current))
	if err != nil {
		return "", nil, err
	}
	return r.current, aead.Seal([]byte{wrapVersion}, nil, k.secret, k.context("vital tenant key")), nil //nolint:gosec // it makes a nonce of its own
}

// errUnopened says nothing of what was tried.
var errUnopened = errors.New("it does not open")

// Unwrap opens a tenant's key that was wrapped with the key-encryption key of that name. Errors: KeyUnavailable where the ring has not got
// that, KeyDamaged where it is not what was wrapped for this tenant under this name.
func (r *Ring) Unwrap(tenant, id uuid.UUID, kekID string, wrapped []byte) (*Key, error) {
	secret := r.find(kekID)
	if secret == nil {
		return nil, fault.New(fault.KeyUnavailable, fmt.Sprintf("The key of tenant %s is wrapped with the key-encryption key %q, which is not in the keyring.", tenant, kekID),
			"Give this program the keyring that has it (VITAL_KEK_FILE). Once retired it is gone, and what was sealed is erased.")
	}
	aead, err := gcm(secret)
	if err != nil {
		return nil, err
	}
	k := &Key{Tenant: tenant, ID: id}
	if len(wrapped) > 0 && wrapped[0] == wrapVersion {
		if k.secret, err = aead.Open(nil, nil, wrapped[1:], k.context("vital tenant key")); err == nil && len(k.secret) == keyBytes {
			return k, nil
		}
	}
	return nil, fault.Wrap(errUnopened, fault.KeyDamaged, fmt.Sprintf("The key %s of tenant %s is not what was wrapped.", id, tenant),
		"It was changed or damaged in vital.tenant_keys, or the keyring has another key under that name: take both from a backup.")
}

// gcm is AES-256-GCM that makes a nonce for each message and writes it before.
func gcm(secret []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, fmt.Errorf("set up cipher: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("set up cipher: %w", err)
	}
	return aead, nil
}
