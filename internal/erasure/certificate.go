package erasure

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/fault"
)

// Format is what a certificate says that it is.
const Format = "vital-erasure/1"

// Certificate says what was erased, looked for and found. It holds ids that stand for nobody any more, and no row.
type Certificate struct {
	Format    string      `json:"format"`
	Erasure   uuid.UUID   `json:"erasure"`
	Subject   string      `json:"subject"` // tenant or user
	SubjectID uuid.UUID   `json:"subject_id"`
	People    []uuid.UUID `json:"people"` // users who were erased

	RequestedBy string    `json:"requested_by"`
	RequestedAt time.Time `json:"requested_at"`
	NotBefore   time.Time `json:"not_before"`
	ApprovedBy  string    `json:"approved_by"`
	ApprovedAt  time.Time `json:"approved_at"`
	StartedAt   time.Time `json:"started_at"`
	IssuedAt    time.Time `json:"issued_at"`

	Erased map[string]int64 `json:"erased"` // rows by table
	// Chain is where the tenant's audit chain ended, which is gone with its rows.
	Chain *Chain `json:"audit_chain,omitempty"`
	// KeyDestroyedAt is when the tenant's key was destroyed; missing where it had none.
	KeyDestroyedAt *time.Time `json:"key_destroyed_at,omitempty"`
	// DeadRows is how many versions of rows of the tables were still kept for transactions that are open, after they were cleaned.
	DeadRows int64 `json:"dead_rows"`

	Scan Scan `json:"scan"`
	// Clean says that nothing was found.
	Clean bool `json:"clean"`
	// Backups are those that are known to be there and were made before the erasure: they have what it erased.
	Backups []Backup `json:"backups"`

	Server        string `json:"server"` // version of PostgreSQL
	SchemaVersion int64  `json:"schema_version"`
	// PublicKey is that of the signature; missing where nobody signed.
	PublicKey []byte `json:"public_key,omitempty"`
}

// Backup is one that has what was erased.
type Backup struct {
	File   string    `json:"file"`
	MadeAt time.Time `json:"made_at"`
	// Goes says when it goes by itself.
	Goes string `json:"goes"`
}

// Issue says how an erasure is certified.
type Issue struct {
	Search
	// Key signs. Nobody signs it where it is nil.
	Key     ed25519.PrivateKey
	Backups []Backup
}

// touched are tables that an erasure leaves something in whatever it erases.
var touched = []string{"auth.users", "public.users", "public.profiles", "public.user_tenants", "public.organization_audit_log", "vital.pending_audit", "vital.pending_versions", "vital.versions", "vital.audit_heads"}

// Certify cleans the tables of what Run erased, looks for what is left of it everywhere, and ends the erasure with a signed certificate, which
// may say that something is left. conn is an operator's.
func Certify(ctx context.Context, conn *pgx.Conn, e *Erasure, issue Issue) (*Certificate, error) {
	match := newMatcher(e.ids(), e.Addresses)
	tables, err := vacuum(ctx, conn, match, slices.Concat(touched, slices.Sorted(maps.Keys(e.Erased))))
	if err != nil {
		return nil, err
	}
	scan, err := look(ctx, conn, match, issue.Search)
	if err != nil {
		return nil, err
	}
	c := &Certificate{
		Format: Format, Erasure: e.ID, Subject: e.Subject, SubjectID: e.SubjectID, People: e.People,
		RequestedBy: e.RequestedBy, RequestedAt: e.RequestedAt.UTC(), NotBefore: e.NotBefore.UTC(), ApprovedBy: e.ApprovedBy, ApprovedAt: e.ApprovedAt.UTC(), StartedAt: e.StartedAt.UTC(),
		Erased: e.Erased, KeyDestroyedAt: e.KeyDestroyedAt, Scan: *scan, Clean: len(scan.Left) == 0, Backups: issue.Backups,
	}
	if e.isTenant() {
		c.Chain = &e.Chain
	}
	if issue.Key != nil {
		c.PublicKey, _ = issue.Key.Public().(ed25519.PublicKey) // it is one
	}
	if err := conn.QueryRow(ctx, queries.Get("ServerFacts")).Scan(&c.Server, &c.SchemaVersion, &c.IssuedAt); err != nil {
		return nil, fmt.Errorf("read the server's version: %w", err)
	}
	c.IssuedAt = c.IssuedAt.UTC()
	if err := conn.QueryRow(ctx, queries.Get("DeadRows"), tables).Scan(&c.DeadRows); err != nil {
		return nil, fmt.Errorf("count dead rows: %w", err)
	}
	text, err := c.text()
	if err != nil {
		return nil, err
	}
	var signature []byte
	if issue.Key != nil {
		signature = ed25519.Sign(issue.Key, signed(text))
	}
	if err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, queries.Get("Finish"), e.ID, string(text), signature)
		return err
	}); err != nil {
		return nil, err
	}
	return c, nil
}

// text is the certificate as it is signed: JSON in one line.
func (c *Certificate) text() ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(c); err != nil {
		return nil, fmt.Errorf("write certificate: %w", err)
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), nil
}

// signed are the bytes that a signature is over.
func signed(text []byte) []byte { return append([]byte("vital erasure certificate 1\n"), text...) }

// envelope is a certificate's file.
type envelope struct {
	Certificate json.RawMessage `json:"certificate"`
	Signature   []byte          `json:"signature,omitempty"`
}

// Write is the file of a certificate, from its text and signature as the database keeps them.
func Write(text string, signature []byte) ([]byte, error) {
	var file bytes.Buffer
	encoder := json.NewEncoder(&file)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(envelope{json.RawMessage(text), signature}); err != nil {
		return nil, fmt.Errorf("write certificate: %w", err)
	}
	return file.Bytes(), nil
}

// Open opens the file of a certificate that was signed with trusted; where that is nil, with the key it names itself, which vouches for
// nobody but shows that nothing was changed since. Errors: CertificateInvalid.
func Open(file []byte, trusted ed25519.PublicKey) (*Certificate, error) {
	invalid := func(err error, message string) error {
		return fault.Wrap(err, fault.CertificateInvalid, message, "It was changed or damaged, or is of another server: take the database's, with `vital erasure certificate`.")
	}
	var e envelope
	if err := json.Unmarshal(file, &e); err != nil || len(e.Certificate) == 0 {
		return nil, invalid(err, "This is no certificate of an erasure.")
	}
	var text bytes.Buffer // however it was indented since
	if err := json.Compact(&text, e.Certificate); err != nil {
		return nil, invalid(err, "This is no certificate of an erasure.")
	}
	c := &Certificate{}
	if err := json.Unmarshal(text.Bytes(), c); err != nil || c.Format != Format {
		return nil, invalid(err, "This is no certificate of an erasure.")
	}
	if trusted == nil {
		trusted = c.PublicKey
	}
	if len(trusted) != ed25519.PublicKeySize || !ed25519.Verify(trusted, signed(text.Bytes()), e.Signature) {
		return nil, invalid(nil, "The signature of the certificate is not good.")
	}
	return c, nil
}
