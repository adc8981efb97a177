package jobs

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/report"
)

// reportWeek makes the report of the week that is over, and keeps it.
type reportWeek struct {
	// Present asks for that of the present week, so far, too.
	Present bool `json:"present,omitempty"`
}

// Kind is river's.
func (reportWeek) Kind() string { return "week_report" }

// reporter does so. It is asked every hour, so that a server that was down when the week ended makes it late, and does nothing
// where it is made.
type reporter struct {
	river.WorkerDefaults[reportWeek]

	service *postgres.Service
	facts   report.Facts
	log     *slog.Logger
}

// Work is river's.
func (r *reporter) Work(ctx context.Context, planned *river.Job[reportWeek]) error {
	now := time.Now()
	var made []*report.Weekly
	err := r.service.AsService(ctx, "ReportKeep", func(tx pgx.Tx) (err error) {
		if made, err = report.KeepWeekly(ctx, tx, r.facts, now); err != nil || !planned.Args.Present {
			return err
		}
		_, err = report.KeepPresent(ctx, tx, r.facts, now)
		return err
	})
	if err != nil {
		return err
	}
	for _, w := range made {
		r.log.InfoContext(ctx, "the report of a week was made", "week", w.Week, "status", w.Status, "hint", "vital report weekly --week "+w.Week)
	}
	return nil
}
