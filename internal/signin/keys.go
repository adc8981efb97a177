package signin

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
)

// signerMemory is how long a process goes on signing with the key it read last. A rotated one verifies
// for longer than a token lives, so nothing is lost by signing with it for a moment more.
const signerMemory = 30 * time.Second

// signingKeys are the ES256 keys of this installation: one signs, the next one is published ahead, former
// ones verify until their last token has expired. So a rotation signs nobody out, here or elsewhere.
type signingKeys struct {
	db   *postgres.Service
	seal cipher.AEAD
	now  func() time.Time

	mu      sync.Mutex
	current *signingKey
	readAt  time.Time
}

type signingKey struct {
	kid     string
	private *ecdsa.PrivateKey
}

func newSigningKeys(config Config) (*signingKeys, error) {
	seal, err := keySeal(config.KEK)
	if err != nil {
		return nil, err
	}
	return &signingKeys{db: config.DB, seal: seal, now: config.Now}, nil
}

func keySeal(kek []byte) (cipher.AEAD, error) {
	key, err := deriveKey(kek, "signing keys")
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make cipher: %w", err)
	}
	return cipher.NewGCM(block)
}

// ensure makes the first two keys. Of processes that start at once, one does.
func (k *signingKeys) ensure(ctx context.Context) error {
	return k.db.AsService(ctx, "SigningKeysEnsure", func(tx pgx.Tx) error {
		var kid string
		var sealed []byte
		err := tx.QueryRow(ctx, queries.Get("SigningKeyCurrent")).Scan(&kid, &sealed)
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("SigningKeysLock")); err != nil {
			return fmt.Errorf("lock signing keys: %w", err)
		}
		err = tx.QueryRow(ctx, queries.Get("SigningKeyCurrent")).Scan(&kid, &sealed)
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("SigningKeyDropNext")); err != nil {
			return fmt.Errorf("drop next key: %w", err)
		}
		return errors.Join(addSigningKey(ctx, tx, k.seal, "current"), addSigningKey(ctx, tx, k.seal, "next"))
	})
}

func addSigningKey(ctx context.Context, tx pgx.Tx, seal cipher.AEAD, state string) error {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make signing key: %w", err)
	}
	kid := uuid.NewString()
	public, err := publicJWK(kid, private)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return fmt.Errorf("encode signing key: %w", err)
	}
	nonce := make([]byte, seal.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	sealed := seal.Seal(nonce, nonce, der, []byte(kid))
	if _, err := tx.Exec(ctx, queries.Get("SigningKeyAdd"), kid, state, public, sealed); err != nil {
		return fmt.Errorf("store signing key: %w", err)
	}
	return nil
}

func publicJWK(kid string, private *ecdsa.PrivateKey) (string, error) {
	point, err := private.PublicKey.Bytes() // 4, x, y
	if err != nil {
		return "", fmt.Errorf("encode public key: %w", err)
	}
	half := 1 + (len(point)-1)/2
	jwk, err := json.Marshal(map[string]any{
		"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "key_ops": []string{"verify"}, "ext": true, "kid": kid,
		"x": base64.RawURLEncoding.EncodeToString(point[1:half]), "y": base64.RawURLEncoding.EncodeToString(point[half:]),
	})
	return string(jwk), err
}

func openSigningKey(seal cipher.AEAD, kid string, sealed []byte) (*signingKey, error) {
	if len(sealed) < seal.NonceSize() {
		return nil, badKEK(nil)
	}
	der, err := seal.Open(nil, sealed[:seal.NonceSize()], sealed[seal.NonceSize():], []byte(kid))
	if err != nil {
		return nil, badKEK(err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("decode signing key: %w", err)
	}
	private, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("signing key is not an EC key")
	}
	return &signingKey{kid: kid, private: private}, nil
}

func badKEK(err error) error {
	return fault.Wrap(err, fault.ConfigInvalid, "The signing keys were sealed with another key-encryption key.",
		"Restore the file of VITAL_KEK_FILE (of the private server: its secret kek), or make new keys: vital key rotate signing")
}

// signer returns the key that signs now. It may ask the database, so it is called before a transaction
// begins and never within one: transactions that wait for each other's connections would wait for ever.
func (k *signingKeys) signer(ctx context.Context) (*signingKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.current != nil && k.now().Sub(k.readAt) < signerMemory {
		return k.current, nil
	}
	var kid string
	var sealed []byte
	err := k.db.AsService(ctx, "SigningKeyRead", func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, queries.Get("SigningKeyCurrent")).Scan(&kid, &sealed)
	})
	if err != nil {
		return nil, err
	}
	if k.current == nil || k.current.kid != kid {
		if k.current, err = openSigningKey(k.seal, kid, sealed); err != nil {
			return nil, err
		}
	}
	k.readAt = k.now()
	return k.current, nil
}

// JWKS returns the keys that verify access tokens of this installation, as a JWKS document.
func JWKS(ctx context.Context, db *postgres.Service) ([]byte, error) {
	keys := []json.RawMessage{}
	err := db.AsService(ctx, "SigningKeysPublished", func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, queries.Get("SigningKeyPublished"))
		if err != nil {
			return err
		}
		keys, err = pgx.CollectRows(rows, pgx.RowTo[json.RawMessage])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read signing keys: %w", err)
	}
	if keys == nil {
		keys = []json.RawMessage{}
	}
	return json.Marshal(map[string]any{"keys": keys})
}

// JWKS returns the keys that verify this service's access tokens.
func (s *Service) JWKS(ctx context.Context) ([]byte, error) { return JWKS(ctx, s.config.DB) }

// RotateSigningKey lets the next key sign, which everybody knows already, and makes another next one. The
// former one verifies for grace more, at least as long as its tokens live unless grace is 0: then it, and
// every token of it, is refused as soon as servers have read the keys again. Where the keys cannot be
// opened with kek, both are made anew. It returns the id of the key that signs now.
func RotateSigningKey(ctx context.Context, tx pgx.Tx, kek []byte, grace time.Duration) (string, error) {
	seal, err := keySeal(kek)
	if err != nil {
		return "", err
	}
	if _, err := tx.Exec(ctx, queries.Get("SigningKeysLock")); err != nil {
		return "", fmt.Errorf("lock signing keys: %w", err)
	}
	if _, err := tx.Exec(ctx, queries.Get("SigningKeyRetireCurrent"), grace); err != nil {
		return "", fmt.Errorf("retire key: %w", err)
	}
	var kid string
	var sealed []byte
	err = tx.QueryRow(ctx, queries.Get("SigningKeyNext")).Scan(&kid, &sealed)
	if err == nil {
		_, err = openSigningKey(seal, kid, sealed)
	}
	step := "SigningKeyPromote"
	if err != nil {
		step = "SigningKeyDropNext"
	}
	if _, err := tx.Exec(ctx, queries.Get(step)); err != nil {
		return "", fmt.Errorf("promote key: %w", err)
	}
	if err != nil {
		if err := addSigningKey(ctx, tx, seal, "current"); err != nil {
			return "", err
		}
	}
	if err := addSigningKey(ctx, tx, seal, "next"); err != nil {
		return "", err
	}
	if _, err := tx.Exec(ctx, queries.Get("SigningKeyPrune")); err != nil {
		return "", fmt.Errorf("prune keys: %w", err)
	}
	err = tx.QueryRow(ctx, queries.Get("SigningKeyCurrent")).Scan(&kid, &sealed)
	return kid, err
}

// SigningKeyGrace is how long a rotated key must go on verifying for no session to be lost.
const SigningKeyGrace = revokedFor
