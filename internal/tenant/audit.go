package tenant

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/envelope"
	"github.com/vital-db/vital/internal/fault"
)

//go:embed audit.sql
var auditText string

var auditQueries = database.ParseQueries(auditText)

// AuditEntry is one row of the audit log, with what its chain needs, as `vital audit export` writes it.
type AuditEntry struct {
	OrganizationID uuid.UUID       `json:"organization_id"`
	Tenant         *string         `json:"tenant"`
	Seq            int64           `json:"seq"`
	ID             uuid.UUID       `json:"id"`
	CreatedAt      time.Time       `json:"created_at"`
	Action         string          `json:"action"`
	Entity         *string         `json:"entity"`
	EntityID       *uuid.UUID      `json:"entity_id"`
	ActorID        *uuid.UUID      `json:"actor_id"`
	Actor          *string         `json:"actor"`
	ActorRole      *string         `json:"actor_role"`
	DatabaseRole   string          `json:"database_role"`
	Changes        json.RawMessage `json:"changes"`
	Reason         *string         `json:"reason"`
	RequestID      *string         `json:"request_id"`
	ErasedAt       *time.Time      `json:"erased_at"`
	Salt           *string         `json:"salt"`
	Commitment     string          `json:"commitment"`
	PreviousHash   string          `json:"previous_hash"`
	Hash           string          `json:"hash"`
	// SealedKey is the key of the tenant that changes and reason were sealed with, nil where they were not, and Sealed what became of that:
	// Opened, Closed, ErasedByKey or Damaged.
	SealedKey *uuid.UUID `json:"sealed_key"`
	Sealed    string     `json:"sealed,omitempty"`
}

// AuditFilter narrows what ListAudit finds; what is zero narrows nothing.
type AuditFilter struct {
	Tenant *uuid.UUID
	// Actor is a user's id or address, or a database role.
	Actor  string
	Action string
	Entity string
	// EntityID is the row that was changed.
	EntityID *uuid.UUID
	Since    *time.Time
	Until    *time.Time
	// Limit is the most entries; 0 is all.
	Limit int
	// Ring opens sealed rows; nil opens none.
	Ring *envelope.Ring
	// InOrder lists by place in the chain instead of the newest first.
	InOrder bool
}

// LookAtAudit runs fn in one transaction that only reads, sees one state throughout, and fails rather
// than sees less than everything.
func LookAtAudit(ctx context.Context, conn *pgx.Conn, fn func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, auditQueries.Get("Look")); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, auditQueries.Get("Unfiltered")); err != nil {
			return err
		}
		return fn(tx)
	})
}

// ListAudit hands each entry that filter lets through to each, one at a time.
func ListAudit(ctx context.Context, tx pgx.Tx, filter AuditFilter, each func(AuditEntry) error) error {
	var limit *int
	if filter.Limit > 0 {
		limit = &filter.Limit
	}
	rows, err := tx.Query(ctx, auditQueries.Get("Entries"), filter.Tenant, filter.Actor, filter.Action, filter.Entity,
		filter.Since, filter.Until, limit, filter.InOrder, filter.EntityID)
	if err != nil {
		return auditUnreadable(err)
	}
	defer rows.Close()
	opener := &opener{ring: filter.Ring}
	for rows.Next() {
		var text []byte
		var entry AuditEntry
		var s sealed
		if err := rows.Scan(&text, &s.text, &s.kek, &s.wrapped); err != nil {
			return err
		}
		if err := json.Unmarshal(text, &entry); err != nil {
			return fmt.Errorf("decode audit entry: %w", err)
		}
		if entry.SealedKey != nil {
			s.key = *entry.SealedKey
			opener.fill(&entry, s)
		}
		if err := each(entry); err != nil {
			return err
		}
	}
	return auditUnreadable(rows.Err())
}

// auditUnreadable says who may read the whole log, where the login may not.
func auditUnreadable(err error) error {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || pgErr.Code != "42501" {
		return err
	}
	return fault.Wrap(err, fault.PermissionDenied, "This login cannot read the audit log in full.",
		"Log in as a superuser, or as a role with BYPASSRLS that may read organization_audit_log and schema vital.")
}

// Slugs returns the slugs of tenants, of those that still exist.
func Slugs(ctx context.Context, tx pgx.Tx, tenants []uuid.UUID) (map[uuid.UUID]string, error) {
	ids := make([]string, len(tenants))
	for i, id := range tenants {
		ids[i] = id.String()
	}
	rows, err := tx.Query(ctx, auditQueries.Get("Slugs"), ids)
	if err != nil {
		return nil, err
	}
	slugs := map[uuid.UUID]string{}
	var id uuid.UUID
	var slug string
	_, err = pgx.ForEachRow(rows, []any{&id, &slug}, func() error {
		slugs[id] = slug
		return nil
	})
	return slugs, err
}
