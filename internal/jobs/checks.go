package jobs

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/consistency"
	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/schema"
)

//go:embed jobs.sql
var queryText string

var queries = database.ParseQueries(queryText)

// finding is one that must be mended, as it is kept.
type finding struct {
	Check  string `json:"check"`
	Object string `json:"object"`
	Detail string `json:"detail"`
}

// check is one of those that are run daily. Drift is not among them: it takes a database to compare with, which service_role may not make.
type check struct {
	name string
	run  func(context.Context, pgx.Tx) ([]finding, error)
}

var checks = []check{
	{"schema", func(ctx context.Context, tx pgx.Tx) (found []finding, err error) {
		columns, err := schema.Validate(ctx, tx)
		for _, c := range columns {
			if !c.OK() {
				found = append(found, finding{c.Status, "public." + c.Table + "." + c.Column, c.Issue})
			}
		}
		return found, err
	}},
	{"rls", func(ctx context.Context, tx pgx.Tx) (found []finding, err error) {
		findings, err := isolation.Check(ctx, tx.Conn(), isolation.VitalScope())
		for _, f := range findings {
			if f.Level == isolation.Error {
				found = append(found, finding{f.Check, f.Object, f.Detail})
			}
		}
		return found, err
	}},
	{"data", func(ctx context.Context, tx pgx.Tx) (found []finding, err error) {
		results, err := consistency.Check(ctx, tx)
		for _, r := range results {
			if r.Status == consistency.Fail {
				found = append(found, finding{r.Check, r.Check, r.Message})
			}
		}
		return found, err
	}},
}

// runChecks is the plan to run them all.
type runChecks struct{}

// Kind is river's.
func (runChecks) Kind() string { return "checks_run" }

// checker runs the checks, whichever server is planned to.
type checker struct {
	river.WorkerDefaults[runChecks]

	service *postgres.Service
	every   time.Duration
	log     *slog.Logger
}

// keptFindings bounds what is kept of one run.
const keptFindings = 100

// Work is river's. A server that starts runs no checks that another has run since they were due.
func (c *checker) Work(ctx context.Context, _ *river.Job[runChecks]) error {
	err := c.runDue(ctx)
	if err != nil && ctx.Err() == nil {
		c.log.Error("the daily checks could not be run", "error", err)
	}
	return err
}

func (c *checker) runDue(ctx context.Context) error {
	due := false
	err := c.service.AsService(ctx, "ChecksDue", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, queries.Get("CheckRunsForget")); err != nil {
			return fmt.Errorf("forget old runs: %w", err)
		}
		return tx.QueryRow(ctx, queries.Get("ChecksDue"), c.every-c.every/24).Scan(&due)
	})
	if err != nil || !due {
		return err
	}
	for _, one := range checks {
		if err := c.run(ctx, one); err != nil {
			return err
		}
	}
	return nil
}

// run runs one check and keeps what came of it. One that cannot be run is kept as such.
func (c *checker) run(ctx context.Context, one check) error {
	started := time.Now()
	var found []finding
	failed := c.service.AsService(ctx, "CheckRun", func(tx pgx.Tx) (err error) {
		found, err = one.run(ctx, tx)
		return err
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	status := "ok"
	switch {
	case failed != nil:
		status, found = "failed", []finding{{"check", one.name, failed.Error()}}
	case len(found) > 0:
		status = "findings"
	}
	details, err := json.Marshal(append([]finding{}, found[:min(len(found), keptFindings)]...))
	if err != nil {
		return fmt.Errorf("write findings: %w", err)
	}
	previous := ""
	err = c.service.AsService(ctx, "CheckRunStore", func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, queries.Get("CheckRunStore"), one.name, status, len(found), string(details), time.Since(started).Milliseconds()).Scan(&previous)
	})
	if err == nil && status != "ok" && previous == "ok" {
		c.log.Error("a check that was good has turned bad", "check", one.name, "status", status, "findings", len(found), "first", found[0].Object+": "+found[0].Detail,
			"hint", "vital check "+one.name)
	}
	return err
}

// CheckRun is what a check came to when it was last run.
type CheckRun struct {
	Check    string
	Status   string // ok, findings or failed
	Findings int
	RanAt    time.Time
}

// LatestChecks returns the latest run of each check.
func LatestChecks(ctx context.Context, service *postgres.Service) (runs []CheckRun, err error) {
	err = service.AsService(ctx, "CheckRunsLatest", func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, queries.Get("CheckRunsLatest"))
		if err != nil {
			return err
		}
		runs, err = pgx.CollectRows(rows, pgx.RowToStructByPos[CheckRun])
		return err
	})
	return runs, err
}
