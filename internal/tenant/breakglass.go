package tenant

import (
	"context"
	_ "embed"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
)

//go:embed breakglass.sql
var breakGlassText string

var breakGlassQueries = database.ParseQueries(breakGlassText)

// Entry is a super admin's time in a tenant they are no member of.
type Entry struct {
	ID        uuid.UUID  `json:"id"`
	Tenant    string     `json:"tenant"`
	TenantID  uuid.UUID  `json:"tenant_id"`
	UserID    uuid.UUID  `json:"user_id"`
	User      *string    `json:"user"`
	Reason    string     `json:"reason"`
	EnteredAt time.Time  `json:"entered_at"`
	Until     time.Time  `json:"until"`
	EndedAt   *time.Time `json:"ended_at"`
	EndedBy   *uuid.UUID `json:"ended_by"`
	Open      bool       `json:"is_open"`
}

// EnterTenant lets a super admin into a tenant for a time, and returns when that is over. It is permission_denied for anybody
// else, state_conflict for an admin of the tenant, invalid without a reason or for too long.
func EnterTenant(ctx context.Context, tx pgx.Tx, tenantID, userID uuid.UUID, reason string, span time.Duration) (until time.Time, err error) {
	err = tx.QueryRow(ctx, breakGlassQueries.Get("EntryMake"), tenantID, userID, reason, span).Scan(nil, &until)
	return until, err
}

// LeaveTenant ends a super admin's entry before its time. It is not_found where there is none.
func LeaveTenant(ctx context.Context, tx pgx.Tx, tenantID, userID uuid.UUID, reason string) error {
	return tx.QueryRow(ctx, breakGlassQueries.Get("EntryEnd"), tenantID, userID, reason).Scan(nil)
}

// ListEntries returns the entries into a tenant, or into all for nil, the latest first; those that are over only where past asks for them.
func ListEntries(ctx context.Context, tx pgx.Tx, tenantID *uuid.UUID, past bool, limit int) ([]Entry, error) {
	rows, err := tx.Query(ctx, breakGlassQueries.Get("EntryList"), tenantID, past, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Entry])
}

// TheSuperAdmin returns the platform's only super admin, and refuses to choose among several.
func TheSuperAdmin(ctx context.Context, tx pgx.Tx) (id uuid.UUID, email string, err error) {
	rows, err := tx.Query(ctx, breakGlassQueries.Get("SuperAdmins"))
	if err != nil {
		return id, "", err
	}
	found := 0
	_, err = pgx.ForEachRow(rows, []any{&id, &email}, func() error {
		found++
		return nil
	})
	if err == nil && found != 1 {
		err = fault.New(fault.Usage, "Who enters is not clear: the platform has no super admin, or several.", "Name one with --as EMAIL.")
	}
	return id, email, err
}
