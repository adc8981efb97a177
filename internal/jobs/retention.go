package jobs

import (
	"context"
	"log/slog"

	"github.com/riverqueue/river"

	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
)

// letGo lets rows go that are kept no longer.
type letGo struct{}

// Kind is river's.
func (letGo) Kind() string { return "rows_retain" }

// retainer does so, and says what it did.
type retainer struct {
	river.WorkerDefaults[letGo]

	service *postgres.Service
	log     *slog.Logger
}

// Work is river's. What is not done when its time is over is done the next time: each batch stands for itself.
func (r *retainer) Work(ctx context.Context, _ *river.Job[letGo]) error {
	gone, err := tenant.Retention{Service: r.service}.Run(ctx)
	rows, tables := map[string]int64{}, []string{}
	for _, g := range gone {
		if g.Problem != "" {
			r.log.WarnContext(ctx, "rows that are kept no longer could not go", "table", g.Table, "problem", g.Problem, "hint", "vital retention run --dry-run")
			continue
		}
		if rows[g.Table] == 0 {
			tables = append(tables, g.Table)
		}
		rows[g.Table] += g.Rows
	}
	for _, table := range tables {
		r.log.InfoContext(ctx, "rows that are kept no longer went", "table", table, "rows", rows[table])
	}
	return err
}
