package tenant

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
)

// Checkpoint is the end of a chain as it was at a time, signed with a key the database never has. As
// JSON it is one line of the file that is kept outside the database.
type Checkpoint struct {
	Tenant    uuid.UUID `json:"tenant"`
	Seq       int64     `json:"seq"`
	Hash      string    `json:"hash"` // hex
	SignedAt  time.Time `json:"signed_at"`
	PublicKey []byte    `json:"public_key"`
	Signature []byte    `json:"signature"`
}

// message is what is signed.
func (c Checkpoint) message() []byte {
	return fmt.Appendf(nil, "vital audit checkpoint 1\n%s\n%d\n%s\n%d\n", c.Tenant, c.Seq, c.Hash, c.SignedAt.UnixMicro())
}

// problem says what is wrong with the signature, "" when it is that of one of keys.
func (c Checkpoint) problem(keys []ed25519.PublicKey) string {
	if len(c.PublicKey) != ed25519.PublicKeySize || !ed25519.Verify(c.PublicKey, c.message(), c.Signature) {
		return "its signature is not good"
	}
	for _, key := range keys {
		if key.Equal(ed25519.PublicKey(c.PublicKey)) {
			return ""
		}
	}
	return "it is signed with an unknown key, " + base64.StdEncoding.EncodeToString(c.PublicKey)
}

// ParseAuditKey reads an Ed25519 seed of 32 bytes in base64, with either alphabet, padded or not.
func ParseAuditKey(text string) (ed25519.PrivateKey, error) {
	seed, err := decodeBase64(text)
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, fault.Wrap(err, fault.ConfigInvalid, "The audit key is not 32 bytes in base64.", "Make one with `openssl rand -base64 32`.")
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// ParseAuditPublicKey reads an Ed25519 public key in base64.
func ParseAuditPublicKey(text string) (ed25519.PublicKey, error) {
	key, err := decodeBase64(text)
	if err != nil || len(key) != ed25519.PublicKeySize {
		return nil, fault.Wrap(err, fault.ConfigInvalid, "The audit public key is not 32 bytes in base64.", "It is printed by `vital audit checkpoint`.")
	}
	return key, nil
}

func decodeBase64(text string) ([]byte, error) {
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(strings.TrimSpace(text), "="))
	return base64.RawStdEncoding.DecodeString(text)
}

// checkpointBatch bounds one transaction of CheckpointAudit.
const checkpointBatch = 500

// CheckpointAudit signs the ends of all chains that moved since a time, hands them to keep, which puts
// them where no superuser of the database reaches, and keeps them in the database. What keep has taken
// and the database lost in a crash is signed again by the next run. It returns how many there were.
func CheckpointAudit(ctx context.Context, service *postgres.Service, key ed25519.PrivateKey, since time.Time, keep func([]Checkpoint) error) (int, error) {
	total := 0
	for {
		var made []Checkpoint
		var moved []movedHead
		err := service.AsService(ctx, "AuditCheckpoint", func(tx pgx.Tx) (err error) {
			if moved, err = movedHeads(ctx, tx, since); err != nil {
				return err
			}
			if made, err = signHeads(ctx, tx, key, moved); err != nil || len(made) == 0 {
				return err
			}
			return keep(made)
		})
		if err != nil {
			return total, err
		}
		total += len(made)
		if len(moved) < checkpointBatch {
			return total, nil
		}
		since = moved[len(moved)-1].ChangedAt
	}
}

// movedHead is the end of a chain that has no checkpoint yet.
type movedHead struct {
	Tenant    uuid.UUID
	Seq       int64
	Hash      []byte
	ChangedAt time.Time
}

func movedHeads(ctx context.Context, tx pgx.Tx, since time.Time) ([]movedHead, error) {
	rows, err := tx.Query(ctx, auditQueries.Get("MovedHeads"), since, checkpointBatch)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[movedHead])
}

// signHeads makes a checkpoint of each head, but for those another server has signed in the meantime.
func signHeads(ctx context.Context, tx pgx.Tx, key ed25519.PrivateKey, heads []movedHead) (made []Checkpoint, err error) {
	public, _ := key.Public().(ed25519.PublicKey) // it is one
	signedAt := time.Now().UTC().Truncate(time.Microsecond)
	for _, head := range heads {
		c := Checkpoint{Tenant: head.Tenant, Seq: head.Seq, Hash: hex.EncodeToString(head.Hash), SignedAt: signedAt, PublicKey: public}
		c.Signature = ed25519.Sign(key, c.message())
		var added bool
		err := tx.QueryRow(ctx, auditQueries.Get("AddCheckpoint"), c.Tenant, c.Seq, head.Hash, c.SignedAt, c.PublicKey, c.Signature).Scan(&added)
		if err != nil {
			return nil, err
		}
		if added {
			made = append(made, c)
		}
	}
	return made, nil
}
