package tenant

import (
	"context"
	_ "embed"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
)

//go:embed access.sql
var accessText string

var accessQueries = database.ParseQueries(accessText)

// AccessRecord says who has read what of a tenant under HIPAA.
type AccessRecord struct {
	At            time.Time       `json:"at"`
	ID            uuid.UUID       `json:"id"`
	Tenant        *string         `json:"tenant"`
	TenantID      uuid.UUID       `json:"tenant_id"`
	UserID        *uuid.UUID      `json:"user_id"`
	User          *string         `json:"user"`
	SessionID     *uuid.UUID      `json:"session_id"`
	ActingRole    string          `json:"acting_role"`
	DatabaseLogin string          `json:"database_login"`
	BreakGlassID  *uuid.UUID      `json:"break_glass_id"`
	Action        string          `json:"action"`
	Table         string          `json:"table_name"`
	Embedded      []string        `json:"embedded"`
	Filter        json.RawMessage `json:"filter"`
	Rows          *int64          `json:"row_count"`
	ErrorCode     *string         `json:"error_code"`
	RequestID     *string         `json:"request_id"`
}

// AccessFilter narrows what ListAccess finds; what is zero narrows nothing.
type AccessFilter struct {
	// User is an id or an address.
	User string
	// Table was read, or embedded.
	Table        string
	Since, Until *time.Time
	// Limit is the most records; 0 is all.
	Limit int
}

// ListAccess returns the records of a tenant's reads that filter lets through, the latest first.
func ListAccess(ctx context.Context, tx pgx.Tx, tenantID uuid.UUID, filter AccessFilter) ([]AccessRecord, error) {
	var limit *int
	if filter.Limit > 0 {
		limit = &filter.Limit
	}
	rows, err := tx.Query(ctx, accessQueries.Get("AccessList"), tenantID, filter.User, filter.Table, filter.Since, filter.Until, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[AccessRecord])
}

// RolledAccess is what was done with a partition of access_records.
type RolledAccess struct {
	Partition string
	Done      string // made or dropped
}

// RollAccess makes the partitions of this month and those to come, and drops those that need not be kept any more.
func RollAccess(ctx context.Context, tx pgx.Tx) ([]RolledAccess, error) {
	rows, err := tx.Query(ctx, accessQueries.Get("AccessRoll"))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[RolledAccess])
}
