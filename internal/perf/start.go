package perf

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/postgres"
)

// RecordStart keeps that a server was started, and forgets what is older than a year.
func RecordStart(ctx context.Context, service *postgres.Service, version string, schemaVersion int64) error {
	return service.AsService(ctx, "ServerStartWrite", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, logQueries.Get("ServerStartWrite"), version, schemaVersion); err != nil {
			return fmt.Errorf("record the start: %w", err)
		}
		_, err := tx.Exec(ctx, logQueries.Get("ServerStartsForget"))
		return err
	})
}
