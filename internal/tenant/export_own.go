package tenant

import (
	"context"

	"github.com/google/uuid"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
)

// BeginOwnExport notes in the tenant's audit log that the caller takes its data out, and returns the tenant: who is no owner of it, nor a super admin,
// is refused, and so is who gives no reason. turn is asked first whether the tenant's data may be taken out now; where it refuses, nothing is noted.
func BeginOwnExport(ctx context.Context, db *postgres.DB, change Write, turn func(uuid.UUID) error) (tenantID uuid.UUID, err error) {
	if change.Caller.UserID == uuid.Nil {
		return tenantID, fault.New(fault.UserRequired, "A signed-in user is required here.", "Send the access token of a user; an API key alone stands for nobody.")
	}
	reference, err := Reference(change.Caller, change.Tenant)
	if err != nil {
		return tenantID, err
	}
	err = db.Transact(ctx, change.Caller, reference, "OwnExportBegin", func(tx *postgres.Tx) error {
		if err := tx.QueryRow(ctx, writeQueries.Get("OwnExportRecord"), change.Reason).Scan(&tenantID); err != nil {
			return err
		}
		return turn(tenantID)
	})
	return tenantID, err
}
