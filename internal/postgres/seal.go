package postgres

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
)

// sealTTL is how long a seal is good. It covers the way to the server and a queue in a pooler, not a
// statement's run: the database judges it against the start of the transaction.
const sealTTL = 30 * time.Second

// sealKey is one HMAC-SHA-256 key in the two padded halves the database keeps.
type sealKey struct {
	id       string
	innerPad [64]byte
	outerPad [64]byte
	position cipher.Block // seals positions
}

// sealer makes the sealed context of a transaction: who the caller is, such that the database can tell
// that this server said so. vital.identity() is its counterpart.
type sealer struct {
	key atomic.Pointer[sealKey]
}

// load reads the newest seal key, which takes a login that may.
func (s *sealer) load(ctx context.Context, from querier) error {
	var key sealKey
	var inner, outer []byte
	err := from.QueryRow(ctx, queries.Get("SealKey")).Scan(&key.id, &inner, &outer)
	if err != nil || copy(key.innerPad[:], inner) != 64 || copy(key.outerPad[:], outer) != 64 {
		return fault.Wrap(err, fault.SealKeyUnavailable, "The key that seals identities cannot be read.",
			"Let VITAL_SERVICE_DATABASE_URL log in as vital_service; `vital migrate up` makes the login and the key.")
	}
	secret := key.mac([]byte("position of the log\x00"))
	if key.position, err = aes.NewCipher(secret[:]); err != nil {
		return fmt.Errorf("make the cipher of positions: %w", err)
	}
	s.key.Store(&key)
	return nil
}

// seal returns the value of vital.context for caller acting in tenant (an id, a slug, or "" for their
// default). now is the database's clock. pid binds the seal to one connection; 0 leaves it unbound, for
// a pooler that hands transactions to any backend.
func (s *sealer) seal(caller identity.Caller, tenant string, now time.Time, pid uint32) string {
	key := s.key.Load()
	b := make([]byte, 0, 256)
	b = append(b, "1."...)
	b = append(b, key.id...)
	b = append(b, '.')
	b = appendID(b, caller.UserID)
	b = append(b, '.')
	b = append(b, tenant...)
	b = append(b, '.')
	b = append(b, caller.Role...)
	b = append(b, '.')
	b = appendID(b, caller.SessionID)
	b = append(b, '.')
	b = strconv.AppendInt(b, now.Add(sealTTL).Unix(), 10)
	b = append(b, '.')
	b = strconv.AppendUint(b, uint64(pid), 10)
	mac := key.mac(b)
	b = append(b, '.')
	return string(hex.AppendEncode(b, mac[:]))
}

// Sign returns a MAC of message under a key that every server of this database has, and nobody else. purpose keeps
// apart what is signed for different ends; none begins like a seal. After a rotation of the key it is another.
func (db *DB) Sign(purpose, message string) [sha256.Size]byte {
	return db.sealer.key.Load().mac([]byte(purpose + "\x00" + message))
}

// SealPosition returns a position such that nobody but the servers of this database can read it, or tell whether two
// are the same: how far the log is says how much all tenants write.
func (db *DB) SealPosition(position LSN) string {
	var block [aes.BlockSize]byte
	_, _ = rand.Read(block[:4]) // it never fails
	binary.BigEndian.PutUint64(block[8:], uint64(position))
	db.sealer.key.Load().position.Encrypt(block[:], block[:])
	return base64.RawURLEncoding.EncodeToString(block[:])
}

// OpenPosition reads what SealPosition has sealed. One that was sealed with another key, or made up, is not readable;
// ok says that it has the form of one.
func (db *DB) OpenPosition(sealed string) (position LSN, readable, ok bool) {
	var block [aes.BlockSize]byte
	if len(sealed) != base64.RawURLEncoding.EncodedLen(len(block)) {
		return 0, false, false
	}
	if _, err := base64.RawURLEncoding.Strict().Decode(block[:], []byte(sealed)); err != nil {
		return 0, false, false
	}
	db.sealer.key.Load().position.Decrypt(block[:], block[:])
	if binary.BigEndian.Uint32(block[4:]) != 0 {
		return 0, false, true
	}
	return LSN(binary.BigEndian.Uint64(block[8:])), true, true
}

// SigningKey names the key that Sign takes now.
func (db *DB) SigningKey() string { return db.sealer.key.Load().id }

func (k *sealKey) mac(message []byte) [sha256.Size]byte {
	inner := sha256.New()
	inner.Write(k.innerPad[:])
	inner.Write(message)
	outer := make([]byte, 0, 64+sha256.Size)
	outer = append(outer, k.outerPad[:]...)
	return sha256.Sum256(inner.Sum(outer))
}

// appendID appends id as text, nothing for the zero id.
func appendID(b []byte, id uuid.UUID) []byte {
	if id == uuid.Nil {
		return b
	}
	return append(b, id.String()...)
}
