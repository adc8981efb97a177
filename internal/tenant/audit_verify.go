package tenant

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/envelope"
)

// AuditFinding is one thing that is not as it must be: of which tenant, at which row, and what.
type AuditFinding struct {
	Tenant uuid.UUID  `json:"tenant"`
	Seq    int64      `json:"seq"`
	ID     *uuid.UUID `json:"id,omitempty"` // nil where there is no such row
	Kind   string     `json:"kind"`
	What   string     `json:"what"`
}

// The kinds of findings. docs/reference/audit.md says what each means.
const (
	RowsMissing       = "rows_missing"
	RowEdited         = "row_edited"
	RowMisplaced      = "row_misplaced"
	ContentEdited     = "content_edited"
	ErasureUnmarked   = "erasure_unmarked"
	ErasureUnrecorded = "erasure_unrecorded"
	SealingBroken     = "sealing_broken"
	KeyBroken         = "key_broken"
	HeadBroken        = "head_broken"
	ChainMissing      = "chain_missing"
	CheckpointBroken  = "checkpoint_broken"
	CheckpointForged  = "checkpoint_forged"
	CheckpointMissing = "checkpoint_missing"
)

// AuditCheck says what is verified, and against what.
type AuditCheck struct {
	// Tenant narrows it to one chain; nil is all.
	Tenant *uuid.UUID
	// Keys are the public keys whose checkpoints count.
	Keys []ed25519.PublicKey
	// Ring opens sealed rows, whose content is checked then; nil opens none, and they are counted.
	Ring *envelope.Ring
	// Kept are the checkpoints kept outside the database, one JSON object a line; nil is none. It must end
	// where it ended before the transaction began: later checkpoints speak of rows it does not see.
	Kept io.Reader
	// Recent is from when on a kept checkpoint may not have reached the database yet; zero is never.
	Recent time.Time
	// Found is told of each finding as it is made.
	Found func(AuditFinding) error
}

// AuditSummary counts what was verified.
type AuditSummary struct {
	Chains      int `json:"chains"`
	Rows        int `json:"rows"`
	Checkpoints int `json:"checkpoints"`
	Findings    int `json:"findings"`
	// Of the rows, those that are sealed: opened and checked, not opened because the key is not at hand, and erased with their key.
	Opened      int `json:"sealed_opened"`
	Closed      int `json:"sealed_unchecked"`
	ErasedByKey int `json:"erased_by_key"`
	// Erased are chains that are gone, or go at the moment, with their tenants: the platform's chain says so.
	Erased int `json:"erased,omitempty"`
}

// auditRow is a row as its columns are, and the checkpoint of its place.
type auditRow struct {
	tenant                                      uuid.UUID
	seq                                         int64
	id                                          uuid.UUID
	action, databaseRole                        string
	actorID, actorRole, entity, entityID        *string
	requestID, changes, reason                  *string
	createdAt                                   int64 // microseconds
	salt, commitment, previousHash, hash        []byte
	erased                                      bool
	sealed                                      sealed
	sealedKey                                   *uuid.UUID
	checkpointHash, checkpointKey, checkpointBy []byte
	checkpointAt                                *int64
}

func (r *auditRow) scan(rows pgx.Rows) error {
	return rows.Scan(&r.tenant, &r.seq, &r.id, &r.action, &r.actorID, &r.actorRole, &r.databaseRole, &r.entity, &r.entityID,
		&r.requestID, &r.createdAt, &r.changes, &r.reason, &r.salt, &r.commitment, &r.previousHash, &r.hash, &r.erased,
		&r.sealed.text, &r.sealedKey, &r.sealed.kek, &r.sealed.wrapped,
		&r.checkpointHash, &r.checkpointKey, &r.checkpointBy, &r.checkpointAt)
}

// auditHash is vital.audit_hash, from the columns alone.
func (r *auditRow) auditHash() []byte {
	seq, created, tenant, id := strconv.FormatInt(r.seq, 10), strconv.FormatInt(r.createdAt, 10), r.tenant.String(), r.id.String()
	commitment := hex.EncodeToString(r.commitment)
	sum := sha256.New()
	sum.Write(r.previousHash)
	for _, value := range []*string{
		&tenant, &seq, &id, &r.action, r.actorID, r.actorRole, &r.databaseRole, r.entity, r.entityID, r.requestID, &created, &commitment,
	} {
		sum.Write(framed(value))
	}
	return sum.Sum(nil)
}

// commit is vital.audit_commitment, from the columns alone.
func (r *auditRow) commit() []byte {
	sum := sha256.Sum256(auditContent(r.salt, r.changes, r.reason))
	return sum[:]
}

// framed is value as `length:value,`, null as `-,`.
func framed(value *string) []byte {
	if value == nil {
		return []byte("-,")
	}
	return fmt.Appendf(nil, "%d:%s,", len(*value), *value)
}

// VerifyAudit recomputes every chain from the columns of its rows, one row at a time, and compares it
// with its head and its checkpoints, those in the database and those kept outside. It calls no function
// of VITAL in the database. tx is one of LookAtAudit.
func VerifyAudit(ctx context.Context, tx pgx.Tx, check AuditCheck) (AuditSummary, error) {
	v := &auditVerifier{
		AuditCheck: check, unrecorded: map[uuid.UUID]int64{}, erased: map[uuid.UUID]bool{}, opener: opener{ring: check.Ring}, lost: map[uuid.UUID]lostKey{},
	}
	for _, part := range []func(context.Context, pgx.Tx) error{v.erasures, v.rows, v.heads, v.lostCheckpoints, v.neverAudited, v.kept} {
		if err := part(ctx, tx); err != nil {
			return v.summary, err
		}
	}
	return v.summary, nil
}

// auditVerifier is one run. It holds one row, and the erasures of one chain that no row has recorded yet.
type auditVerifier struct {
	AuditCheck
	summary    AuditSummary
	last       auditRow
	unrecorded map[uuid.UUID]int64 // erased row -> its place
	opener     opener
	lost       map[uuid.UUID]lostKey // destroyed key -> what it took along
	erased     map[uuid.UUID]bool    // tenants whose chain is gone with them
}

// erasures are tenants that were erased, as rows of the platform's chain say that are verified themselves. One that is there all the same,
// and not being erased, is none.
func (v *auditVerifier) erasures(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, auditQueries.Get("Erased"), v.Tenant)
	if err != nil {
		return auditUnreadable(err)
	}
	var tenant uuid.UUID
	_, err = pgx.ForEachRow(rows, []any{&tenant}, func() error {
		v.erased[tenant] = true
		return nil
	})
	v.summary.Erased = len(v.erased)
	return auditUnreadable(err)
}

func (v *auditVerifier) find(tenant uuid.UUID, seq int64, id *uuid.UUID, kind, format string, args ...any) error {
	v.summary.Findings++
	return v.Found(AuditFinding{tenant, seq, id, kind, fmt.Sprintf(format, args...)})
}

// rows recomputes the chains.
func (v *auditVerifier) rows(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, auditQueries.Get("Rows"), v.Tenant)
	if err != nil {
		return auditUnreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var row auditRow
		if err := row.scan(rows); err != nil {
			return fmt.Errorf("read audit row: %w", err)
		}
		if v.erased[row.tenant] {
			continue
		}
		if row.tenant != v.last.tenant || v.summary.Chains == 0 {
			if err := v.endChain(); err != nil {
				return err
			}
			v.summary.Chains++
			v.last = auditRow{tenant: row.tenant, hash: make([]byte, sha256.Size)}
		}
		v.summary.Rows++
		for _, part := range []func(*auditRow) error{v.place, v.columns, v.content, v.checkpoint} {
			if err := part(&row); err != nil {
				return err
			}
		}
		v.last = row
	}
	if err := rows.Err(); err != nil {
		return auditUnreadable(err)
	}
	return v.endChain()
}

// place checks that the row stands where its number and the row before say.
func (v *auditVerifier) place(row *auditRow) error {
	switch {
	case row.seq == v.last.seq:
		return v.find(row.tenant, row.seq, &row.id, RowMisplaced, "a second row has the same place in the chain")
	case row.seq != v.last.seq+1:
		return v.find(row.tenant, v.last.seq+1, nil, RowsMissing, "%s", missing(v.last.seq+1, row.seq-1))
	case !bytes.Equal(row.previousHash, v.last.hash):
		return v.find(row.tenant, row.seq, &row.id, RowMisplaced, "the row does not follow the one before it: one of them was inserted, moved or edited")
	}
	return nil
}

func missing(from, to int64) string {
	if from == to {
		return fmt.Sprintf("row %d is missing", from)
	}
	return fmt.Sprintf("rows %d to %d are missing", from, to)
}

// columns checks that the row is what its hash says.
func (v *auditVerifier) columns(row *auditRow) error {
	if bytes.Equal(row.auditHash(), row.hash) {
		return nil
	}
	return v.find(row.tenant, row.seq, &row.id, RowEdited, "a column of the row was edited: it does not have the hash it carries")
}

// content checks changes and reason against their commitment, and that erasing them was marked and
// recorded.
func (v *auditVerifier) content(row *auditRow) error {
	v.record(row)
	if row.sealedKey != nil || row.sealed.text != nil {
		return v.sealed(row)
	}
	nothing := row.changes == nil && row.reason == nil && row.salt == nil
	switch {
	case nothing && row.erased:
		v.unrecorded[row.id] = row.seq
		if len(v.unrecorded) > 100_000 {
			return v.endChain() // nobody erases so much without a record; say so and hold no more
		}
		return nil
	case nothing:
		return v.find(row.tenant, row.seq, &row.id, ErasureUnmarked, "changes and reason were erased, and the row is not marked as erased")
	case row.erased:
		return v.find(row.tenant, row.seq, &row.id, ErasureUnmarked, "the row is marked as erased and still holds something")
	case row.salt == nil || !bytes.Equal(row.commit(), row.commitment):
		return v.find(row.tenant, row.seq, &row.id, ContentEdited, "changes or reason were edited: they do not match the row's commitment")
	}
	return nil
}

// record takes note of a row that records an erasure.
func (v *auditVerifier) record(row *auditRow) {
	if row.entity == nil || row.entityID == nil {
		return
	}
	id, err := uuid.Parse(*row.entityID)
	switch {
	case err != nil:
	case row.action == "erased" && *row.entity == "organization_audit_log":
		delete(v.unrecorded, id)
	case row.action == "destroyed" && *row.entity == "tenant_keys":
		delete(v.lost, id)
	}
}

// checkpoint compares the row with the checkpoint the database keeps of its place.
func (v *auditVerifier) checkpoint(row *auditRow) error {
	if row.checkpointAt == nil {
		return nil
	}
	v.summary.Checkpoints++
	c := Checkpoint{
		Tenant: row.tenant, Seq: row.seq, Hash: hex.EncodeToString(row.checkpointHash), SignedAt: time.UnixMicro(*row.checkpointAt),
		PublicKey: row.checkpointKey, Signature: row.checkpointBy,
	}
	if problem := c.problem(v.Keys); problem != "" {
		return v.find(row.tenant, row.seq, &row.id, CheckpointForged, "the checkpoint in the database counts for nothing: %s", problem)
	}
	if !bytes.Equal(row.checkpointHash, row.hash) {
		return v.find(row.tenant, row.seq, &row.id, CheckpointBroken, "the row is not the one that was signed on %s: the chain was rewritten",
			c.SignedAt.UTC().Format(time.RFC3339))
	}
	return nil
}

// endChain reports erasures no later row of the chain has recorded.
func (v *auditVerifier) endChain() error {
	for id, seq := range v.unrecorded {
		err := v.find(v.last.tenant, seq, &id, ErasureUnrecorded, "changes and reason were erased, and no row of the chain records that")
		if err != nil {
			return err
		}
	}
	clear(v.unrecorded)
	return v.endKeys()
}

// heads compares where each chain ends with where it should.
func (v *auditVerifier) heads(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, auditQueries.Get("Heads"), v.Tenant)
	if err != nil {
		return auditUnreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var tenant uuid.UUID
		var headSeq, lastSeq *int64
		var lastID *uuid.UUID
		var headHash, lastHash []byte
		if err := rows.Scan(&tenant, &headSeq, &headHash, &lastSeq, &lastID, &lastHash); err != nil {
			return fmt.Errorf("read audit head: %w", err)
		}
		switch {
		case v.erased[tenant]:
		case headSeq == nil:
			err = v.find(tenant, *lastSeq, lastID, HeadBroken, "the chain has no head")
		case lastSeq == nil && *headSeq > 0:
			err = v.find(tenant, 1, nil, RowsMissing, "the whole chain is gone: %s", missing(1, *headSeq))
		case lastSeq == nil:
		case *headSeq > *lastSeq:
			err = v.find(tenant, *lastSeq+1, nil, RowsMissing, "the end of the chain is gone: %s", missing(*lastSeq+1, *headSeq))
		case *headSeq < *lastSeq:
			err = v.find(tenant, *headSeq+1, nil, HeadBroken, "rows follow the chain's head, which is at %d, or the head was moved", *headSeq)
		case !bytes.Equal(headHash, lastHash):
			err = v.find(tenant, *lastSeq, lastID, HeadBroken, "the chain's head is not the hash of its last row")
		}
		if err != nil {
			return err
		}
	}
	return auditUnreadable(rows.Err())
}

// lostCheckpoints are those of places that are gone.
func (v *auditVerifier) lostCheckpoints(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, auditQueries.Get("LostCheckpoints"), v.Tenant)
	if err != nil {
		return auditUnreadable(err)
	}
	var tenant uuid.UUID
	var seq int64
	_, err = pgx.ForEachRow(rows, []any{&tenant, &seq}, func() error {
		if v.erased[tenant] {
			return nil
		}
		v.summary.Checkpoints++
		return v.find(tenant, seq, nil, CheckpointBroken, "a checkpoint of the database speaks of a row that is gone")
	})
	return auditUnreadable(err)
}

// neverAudited are tenants without a chain: making one is the first thing that is audited.
func (v *auditVerifier) neverAudited(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, auditQueries.Get("NeverAudited"), v.Tenant)
	if err != nil {
		return auditUnreadable(err)
	}
	var tenant uuid.UUID
	_, err = pgx.ForEachRow(rows, []any{&tenant}, func() error {
		if v.erased[tenant] {
			return nil
		}
		return v.find(tenant, 1, nil, ChainMissing, "the tenant has no chain at all; making it was the first row")
	})
	return auditUnreadable(err)
}

// keptBatch is how many kept checkpoints are compared at once.
const keptBatch = 1000

// kept compares the chains with the checkpoints kept outside the database.
func (v *auditVerifier) kept(ctx context.Context, tx pgx.Tx) error {
	if v.Kept == nil {
		return nil
	}
	lines := bufio.NewReader(v.Kept)
	var batch []Checkpoint
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read kept checkpoints: %w", err)
		}
		ended := err != nil
		if line = bytes.TrimSpace(line); len(line) > 0 {
			var c Checkpoint
			if json.Unmarshal(line, &c) != nil {
				if err := v.find(c.Tenant, c.Seq, nil, CheckpointForged, "line %d of the kept checkpoints is none", number); err != nil {
					return err
				}
			} else if (v.Tenant == nil || *v.Tenant == c.Tenant) && !v.erased[c.Tenant] {
				batch = append(batch, c)
			}
		}
		if len(batch) == keptBatch || ended {
			if err := v.compareKept(ctx, tx, batch); err != nil || ended {
				return err
			}
			batch = batch[:0]
		}
	}
}

func (v *auditVerifier) compareKept(ctx context.Context, tx pgx.Tx, batch []Checkpoint) error {
	tenants, seqs := make([]uuid.UUID, len(batch)), make([]int64, len(batch))
	for i, c := range batch {
		tenants[i], seqs[i] = c.Tenant, c.Seq
	}
	rows, err := tx.Query(ctx, auditQueries.Get("Places"), tenants, seqs)
	if err != nil {
		return auditUnreadable(err)
	}
	var place int64
	var id *uuid.UUID
	var rowHash, tableHash []byte
	_, err = pgx.ForEachRow(rows, []any{&place, &id, &rowHash, &tableHash}, func() error {
		c := batch[place-1]
		v.summary.Checkpoints++
		if problem := c.problem(v.Keys); problem != "" {
			return v.find(c.Tenant, c.Seq, id, CheckpointForged, "the kept checkpoint counts for nothing: %s", problem)
		}
		signed := c.SignedAt.UTC().Format(time.RFC3339)
		switch {
		case id == nil:
			return v.find(c.Tenant, c.Seq, nil, CheckpointBroken, "the row that was signed on %s is gone", signed)
		case hex.EncodeToString(rowHash) != c.Hash:
			return v.find(c.Tenant, c.Seq, id, CheckpointBroken, "the row is not the one that was signed on %s: the chain was rewritten", signed)
		case tableHash == nil && !v.Recent.IsZero() && c.SignedAt.After(v.Recent):
			return nil // its transaction may be committing
		case hex.EncodeToString(tableHash) != c.Hash:
			return v.find(c.Tenant, c.Seq, id, CheckpointMissing, "the checkpoint that was signed on %s is gone from the database", signed)
		}
		return nil
	})
	return auditUnreadable(err)
}
