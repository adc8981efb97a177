package tenant

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/google/uuid"

	"github.com/vital-db/vital/internal/envelope"
)

// What became of what was sealed.
const (
	Opened      = "opened"        // with the keyring
	Closed      = "closed"        // the keyring does not have what opens it
	ErasedByKey = "erased_by_key" // its key was destroyed
	Damaged     = "damaged"       // it is not what was sealed
)

// saltBytes is how long salts of audit rows are.
const saltBytes = 16

// auditContent is what a chain commits to, and what is sealed: salt, changes and reason.
func auditContent(salt []byte, changes, reason *string) []byte {
	return append(append(bytes.Clone(salt), framed(changes)...), framed(reason)...)
}

var errContent = errors.New("it is no content of an audit row")

// parseAuditContent is the other way round.
func parseAuditContent(content []byte) (salt []byte, changes, reason *string, err error) {
	if len(content) < saltBytes {
		return nil, nil, nil, errContent
	}
	salt, rest := content[:saltBytes], content[saltBytes:]
	if changes, rest, err = parseFramed(rest); err != nil {
		return nil, nil, nil, err
	}
	if reason, rest, err = parseFramed(rest); err != nil || len(rest) > 0 {
		return nil, nil, nil, errContent
	}
	return salt, changes, reason, nil
}

// parseFramed takes `length:value,`, or `-,` for null, from the front.
func parseFramed(text []byte) (value *string, rest []byte, err error) {
	if rest, null := bytes.CutPrefix(text, []byte("-,")); null {
		return nil, rest, nil
	}
	digits, rest, ok := bytes.Cut(text, []byte{':'})
	n, err := strconv.Atoi(string(digits))
	if !ok || err != nil || n < 0 || n >= len(rest) || rest[n] != ',' || strconv.Itoa(n) != string(digits) {
		return nil, nil, errContent
	}
	found := string(rest[:n])
	return &found, rest[n+1:], nil
}

// sealed is what was sealed of a row, and its key as the database has it.
type sealed struct {
	text    []byte
	key     uuid.UUID
	kek     *string
	wrapped []byte // nil where the key was destroyed
}

// opener opens what was sealed, each key once.
type opener struct {
	ring *envelope.Ring
	keys map[uuid.UUID]openedKey
}

type openedKey struct {
	records *envelope.Records
	err     error
}

// mostOpened bounds how many opened keys are kept.
const mostOpened = 10_000

// open returns what was sealed, or which of Closed, ErasedByKey and Damaged it is; err then says why, of what is damaged.
func (o *opener) open(tenant, row uuid.UUID, s sealed) (content []byte, state string, err error) {
	switch {
	case s.wrapped == nil || s.kek == nil:
		return nil, ErasedByKey, nil
	case o.ring == nil || !o.ring.Has(*s.kek):
		return nil, Closed, nil
	}
	key, found := o.keys[s.key]
	if !found {
		key = o.unwrap(tenant, s)
		if len(o.keys) >= mostOpened || o.keys == nil {
			o.keys = map[uuid.UUID]openedKey{}
		}
		o.keys[s.key] = key
	}
	if key.err != nil {
		return nil, Damaged, key.err
	}
	if content, err = key.records.Open(row, s.text); err != nil {
		return nil, Damaged, err
	}
	return content, Opened, nil
}

func (o *opener) unwrap(tenant uuid.UUID, s sealed) (opened openedKey) {
	key, err := o.ring.Unwrap(tenant, s.key, *s.kek, s.wrapped)
	if err != nil {
		return openedKey{err: err}
	}
	opened.records, opened.err = key.Records()
	return opened
}

// fill gives an entry back what was sealed of it, or says why not.
func (o *opener) fill(entry *AuditEntry, s sealed) {
	content, state, _ := o.open(entry.OrganizationID, entry.ID, s) // verifying says more of what is damaged
	entry.Sealed = state
	if state != Opened {
		return
	}
	salt, changes, reason, err := parseAuditContent(content)
	if err != nil || changes != nil && !json.Valid([]byte(*changes)) {
		entry.Sealed = Damaged
		return
	}
	if changes != nil {
		entry.Changes = json.RawMessage(*changes)
	}
	text := hex.EncodeToString(salt)
	entry.Salt, entry.Reason = &text, reason
}

// lostKey is a key that was destroyed, and the first row it took along.
type lostKey struct {
	seq  int64
	id   uuid.UUID
	rows int
}

// sealed checks what was sealed against the row's commitment, where it can be opened.
func (v *auditVerifier) sealed(row *auditRow) error {
	if row.sealedKey == nil || row.sealed.text == nil || row.changes != nil || row.reason != nil || row.salt != nil || row.erased {
		return v.find(row.tenant, row.seq, &row.id, SealingBroken, "the row is sealed in part, or still holds something in clear, or is marked as erased")
	}
	row.sealed.key = *row.sealedKey
	_, known := v.opener.keys[row.sealed.key]
	content, state, err := v.opener.open(row.tenant, row.id, row.sealed)
	switch state {
	case ErasedByKey:
		v.summary.ErasedByKey++
		lost, found := v.lost[row.sealed.key]
		if !found {
			lost = lostKey{seq: row.seq, id: row.id}
		}
		lost.rows++
		v.lost[row.sealed.key] = lost
		if len(v.lost) > mostOpened {
			return v.endKeys() // nobody destroys so many without a record; say so and hold no more
		}
	case Closed:
		v.summary.Closed++
	case Damaged:
		if v.opener.keys[row.sealed.key].err == nil {
			return v.find(row.tenant, row.seq, &row.id, ContentEdited, "what was sealed of the row was edited: it does not open")
		}
		v.summary.Closed++
		if !known {
			return v.find(row.tenant, row.seq, &row.id, KeyBroken, "the row's key cannot be opened, and is that of more rows perhaps: %v", err)
		}
	case Opened:
		v.summary.Opened++
		if sum := sha256.Sum256(content); !bytes.Equal(sum[:], row.commitment) {
			return v.find(row.tenant, row.seq, &row.id, ContentEdited, "what was sealed of the row is not what the row's commitment says")
		}
	}
	return nil
}

// endKeys reports keys that are gone although no later row of the chain says that they were destroyed.
func (v *auditVerifier) endKeys() error {
	for key, lost := range v.lost {
		err := v.find(v.last.tenant, lost.seq, &lost.id, ErasureUnrecorded, "key %s, with which %d rows were sealed, this one the first, is gone, and no row of the chain records that", key, lost.rows)
		if err != nil {
			return err
		}
	}
	clear(v.lost)
	return nil
}
