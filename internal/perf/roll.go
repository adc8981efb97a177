package perf

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Rolled is what was done with a partition of query_performance.
type Rolled struct {
	Partition string
	Done      string // made or dropped
}

// Roll makes the partitions of today and the days to come, and drops those of more than days ago.
func Roll(ctx context.Context, tx pgx.Tx, days int) ([]Rolled, error) {
	rows, err := tx.Query(ctx, logQueries.Get("Roll"), days)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Rolled])
}
