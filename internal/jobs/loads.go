package jobs

import (
	"context"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/vital-db/vital/internal/perf"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
)

// rollLoads makes the partitions of records of loads that are missing, and drops those that are too old.
type rollLoads struct{}

// Kind is river's.
func (rollLoads) Kind() string { return "loads_roll" }

// roller does so, and says what it did.
type roller struct {
	river.WorkerDefaults[rollLoads]

	service *postgres.Service
	days    int
	log     *slog.Logger
}

// Work is river's.
func (r *roller) Work(ctx context.Context, _ *river.Job[rollLoads]) error {
	return r.service.AsService(ctx, "LoadsRoll", func(tx pgx.Tx) error {
		rolled, err := perf.Roll(ctx, tx, r.days)
		for _, p := range rolled {
			r.log.Log(ctx, rolledLevel(p.Done), "a partition of records of loads was "+p.Done, "partition", p.Partition)
		}
		return err
	})
}

// rollAccess makes the partitions of records of access that are missing, and drops those that need not be kept any more.
type rollAccess struct{}

// Kind is river's.
func (rollAccess) Kind() string { return "access_roll" }

// accessRoller does so, and says what it did.
type accessRoller struct {
	river.WorkerDefaults[rollAccess]

	service *postgres.Service
	log     *slog.Logger
}

// Work is river's.
func (r *accessRoller) Work(ctx context.Context, _ *river.Job[rollAccess]) error {
	return r.service.AsService(ctx, "AccessRoll", func(tx pgx.Tx) error {
		done, err := tenant.RollAccess(ctx, tx)
		for _, p := range done {
			r.log.Log(ctx, rolledLevel(p.Done), "a partition of records of access was "+p.Done, "partition", p.Partition)
		}
		return err
	})
}

// rolledLevel is how loudly it is said what became of a partition: that one is made is the usual course, that records are gone is not.
func rolledLevel(done string) slog.Level {
	if done == "dropped" {
		return slog.LevelInfo
	}
	return slog.LevelDebug
}
