package jobs

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/consistency"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/schema"
)

//go:embed jobs.sql
var queryText string

var queries = database.ParseQueries(queryText)

// Finding is one that must be mended, as it is kept.
type Finding struct {
	Check  string `json:"check"`
	Object string `json:"object"`
	Detail string `json:"detail"`
}

// check is one of those that are run daily.
type check struct {
	name string
	run  func(context.Context, *postgres.Service) ([]Finding, error)
}

// inTransaction is a check of what service_role sees.
func inTransaction(run func(context.Context, pgx.Tx) ([]Finding, error)) func(context.Context, *postgres.Service) ([]Finding, error) {
	return func(ctx context.Context, service *postgres.Service) (found []Finding, err error) {
		err = service.AsService(ctx, "CheckRun", func(tx pgx.Tx) (err error) {
			found, err = run(ctx, tx)
			return err
		})
		return found, err
	}
}

var checks = []check{
	{"schema", inTransaction(func(ctx context.Context, tx pgx.Tx) (found []Finding, err error) {
		columns, err := schema.Validate(ctx, tx)
		for _, c := range columns {
			if !c.OK() {
				found = append(found, Finding{c.Status, "public." + c.Table + "." + c.Column, c.Issue})
			}
		}
		return found, err
	})},
	{"rls", inTransaction(func(ctx context.Context, tx pgx.Tx) (found []Finding, err error) {
		findings, err := isolation.Check(ctx, tx.Conn(), isolation.VitalScope())
		for _, f := range findings {
			if f.Level == isolation.Error {
				found = append(found, Finding{f.Check, f.Object, f.Detail})
			}
		}
		return found, err
	})},
	{"data", inTransaction(func(ctx context.Context, tx pgx.Tx) (found []Finding, err error) {
		results, err := consistency.Check(ctx, tx)
		for _, r := range results {
			if r.Status == consistency.Fail {
				found = append(found, Finding{r.Check, r.Check, r.Message})
			}
		}
		return found, err
	})},
}

// runChecks is the plan to run them all.
type runChecks struct{}

// Kind is river's.
func (runChecks) Kind() string { return "checks_run" }

// checker runs the checks, whichever server is planned to.
type checker struct {
	river.WorkerDefaults[runChecks]

	service *postgres.Service
	drift   func(context.Context) ([]Finding, error) // nil where it cannot be looked for
	every   time.Duration
	log     *slog.Logger
}

// keptFindings bounds what is kept of one run.
const keptFindings = 100

// Work is river's. A server that starts runs no checks that another has run since they were due, nor does anybody those that were asked
// for in the meantime; it is looked often, so that neither makes a day without.
func (c *checker) Work(ctx context.Context, _ *river.Job[runChecks]) error {
	return c.runDue(ctx)
}

func (c *checker) runDue(ctx context.Context) error {
	all := c.all()
	names := make([]string, len(all))
	for i, one := range all {
		names[i] = one.name
	}
	var due []string
	err := c.service.AsService(ctx, "ChecksDue", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, queries.Get("CheckRunsForget")); err != nil {
			return fmt.Errorf("forget old runs: %w", err)
		}
		rows, err := tx.Query(ctx, queries.Get("ChecksDue"), c.every-c.every/24, names)
		if err != nil {
			return err
		}
		due, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		return err
	}
	for _, one := range all {
		if !slices.Contains(due, one.name) {
			continue
		}
		if err := c.run(ctx, one); err != nil {
			return err
		}
	}
	return nil
}

// all are the checks this server can run.
func (c *checker) all() []check {
	if c.drift == nil {
		return checks
	}
	return append(slices.Clone(checks), check{"drift", func(ctx context.Context, _ *postgres.Service) ([]Finding, error) { return c.drift(ctx) }})
}

// run runs one check and keeps what came of it. One that cannot be run is kept as such.
func (c *checker) run(ctx context.Context, one check) error {
	started := time.Now()
	found, failed := one.run(ctx, c.service)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	status := statusOf(found)
	if failed != nil {
		status, found = "failed", []Finding{{"check", one.name, failed.Error()}}
	}
	previous, err := keepRun(ctx, c.service, one.name, status, found, time.Since(started))
	if err == nil && status != "ok" && previous == "ok" {
		c.log.Error("a check that was good has turned bad", "check", one.name, "status", status, "findings", len(found), "first", found[0].Object+": "+found[0].Detail,
			"hint", "vital check "+one.name)
	}
	return err
}

func statusOf(found []Finding) string {
	if len(found) > 0 {
		return "findings"
	}
	return "ok"
}

// keepRun keeps what came of a run, and returns the status of the one before.
func keepRun(ctx context.Context, service *postgres.Service, name, status string, found []Finding, took time.Duration) (previous string, err error) {
	details, err := json.Marshal(append([]Finding{}, found[:min(len(found), keptFindings)]...))
	if err != nil {
		return "", fmt.Errorf("write findings: %w", err)
	}
	err = service.AsService(ctx, "CheckRunStore", func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, queries.Get("CheckRunStore"), name, status, len(found), string(details), took.Milliseconds()).Scan(&previous)
	})
	return previous, err
}

// KeepProof keeps what a proof of VITAL's own database found among the runs of checks.
func KeepProof(ctx context.Context, service *postgres.Service, found []Finding, took time.Duration) error {
	_, err := keepRun(ctx, service, "proof", statusOf(found), found, took)
	return err
}

// runCheck is the wish of an operator to have one run now, as run_check() plans it.
type runCheck struct {
	Check string `json:"check"`
}

// Kind is river's.
func (runCheck) Kind() string { return "check_run" }

// asked runs a check that was asked for.
type asked struct {
	river.WorkerDefaults[runCheck]

	*checker
}

// Work is river's. What this server cannot run is not tried again: the job says why.
func (a *asked) Work(ctx context.Context, planned *river.Job[runCheck]) error {
	all := a.all()
	i := slices.IndexFunc(all, func(one check) bool { return one.name == planned.Args.Check })
	if i < 0 {
		return river.JobCancel(fault.New(fault.StateConflict, fmt.Sprintf("The server that took this job cannot run the check %[1]s, for want of an operator's login: "+
			"run `vital check %[1]s` with one. The server of `vital up` has its own.", planned.Args.Check), "Run `vital check "+planned.Args.Check+"`."))
	}
	return a.run(ctx, all[i])
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
