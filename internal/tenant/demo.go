package tenant

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/jackc/pgx/v5"
)

//go:embed demo.sql
var demoText string

// CreateDemo makes the demo tenants, users, flags and content. What exists already is left as it is, so
// it can run at every start without undoing what somebody tried out.
func CreateDemo(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, demoText); err != nil {
		return fmt.Errorf("create demo tenants: %w", err)
	}
	return nil
}
