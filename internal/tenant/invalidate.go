package tenant

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Invalidate makes every server and Redis read a tenant's context anew, for an operator who has changed data behind
// the triggers. The audit log keeps the reason.
func Invalidate(ctx context.Context, tx pgx.Tx, tenantID uuid.UUID, reason string) error {
	return invalidate(ctx, tx, reason, "CacheInvalidate", tenantID)
}

// InvalidateAll is Invalidate for all tenants, and for flag definitions. It costs the same however many there are.
func InvalidateAll(ctx context.Context, tx pgx.Tx, reason string) error {
	return invalidate(ctx, tx, reason, "CachesInvalidate")
}

func invalidate(ctx context.Context, tx pgx.Tx, reason, query string, args ...any) error {
	if _, err := tx.Exec(ctx, writeQueries.Get("ReasonGive"), reason); err != nil {
		return fmt.Errorf("give reason: %w", err)
	}
	if _, err := tx.Exec(ctx, writeQueries.Get(query), args...); err != nil {
		return fmt.Errorf("invalidate: %w", err)
	}
	return nil
}
