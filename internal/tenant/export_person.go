package tenant

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
)

// BeginPersonExport notes in the audit logs that the caller takes out what is theirs. turn is asked first whether they may now; where it refuses,
// nothing is noted.
func BeginPersonExport(ctx context.Context, db *postgres.DB, change Write, turn func() error) error {
	if change.Caller.UserID == uuid.Nil {
		return fault.New(fault.UserRequired, "A signed-in user is required here.", "Send the access token of a user; an API key alone stands for nobody.")
	}
	return db.Transact(ctx, change.Caller, "", "PersonExportBegin", func(tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, writeQueries.Get("PersonExportRecord"), change.Caller.UserID, change.Reason); err != nil {
			return err
		}
		return turn()
	})
}

// RecordPersonExport notes in the audit logs that an operator takes out what is one person's.
func RecordPersonExport(ctx context.Context, tx pgx.Tx, user uuid.UUID, reason string) error {
	if _, err := tx.Exec(ctx, writeQueries.Get("PersonExportRecord"), user, reason); err != nil {
		return fmt.Errorf("note that data is taken out: %w", err)
	}
	return nil
}
