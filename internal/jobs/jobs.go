// Package jobs is the work nobody asks for at the moment: what is due is done, what is old is forgotten. River
// plans it: of all servers of a database one at a time says what is to be run, and whichever is free runs it.
// Each job may be run any number of times, also twice at once.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/vital-db/vital/internal/envelope"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/report"
	"github.com/vital-db/vital/internal/tenant"
)

// schemaName is where river's tables are, made by our own migrations.
const schemaName = "vital"

// Config says where to work and how often.
type Config struct {
	// ServiceURL is the service login's: river's tables are read and written under its own name.
	ServiceURL string
	// Service does the work itself, as service_role.
	Service *postgres.Service
	// FlagChanges is how often scheduled changes of flags are looked for. Defaults to 5s.
	FlagChanges time.Duration
	// FlagUsage is how often old counts of evaluations are forgotten. Defaults to 1h.
	FlagUsage time.Duration
	// Checks is how often schema, rls and data are checked. Defaults to 24h.
	Checks time.Duration
	// ChecksAfter is how long after a start they are run first, if they are due. Defaults to 1min: a server that starts has other things to do.
	ChecksAfter time.Duration
	// Drift looks for drift, which takes an operator's login: the service's may make no database to compare with. Nil, and it is
	// not among the checks.
	Drift func(context.Context) ([]Finding, error)
	// Done is told how each job ended. Defaults to nothing.
	Done func(kind string, took time.Duration, err error)
	// LoadDays is for how many days records of loads are kept. Defaults to 30.
	LoadDays int
	// Ring reads the keyring as it is now, with which older audit rows are sealed. Nil, and none are.
	Ring func(context.Context) (*envelope.Ring, error)
	// SealAfter is how old an audit row is when it is sealed; 0 seals none.
	SealAfter time.Duration
	// Facts are what reports are told of the program.
	Facts report.Facts
	// Log receives what went wrong. Defaults to nothing.
	Log *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.FlagChanges == 0 {
		c.FlagChanges = 5 * time.Second
	}
	if c.FlagUsage == 0 {
		c.FlagUsage = time.Hour
	}
	if c.Checks == 0 {
		c.Checks = 24 * time.Hour
	}
	if c.ChecksAfter == 0 {
		c.ChecksAfter = time.Minute
	}
	if c.LoadDays == 0 {
		c.LoadDays = 30
	}
	if c.Done == nil {
		c.Done = func(string, time.Duration, error) {}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// rollEvery is how often partitions of records of loads are looked after: they are made days ahead.
const rollEvery = 6 * time.Hour

// checksEvery is how often it is looked whether a check is due.
const checksEvery = time.Hour

// sealEvery is how often audit rows that are due are sealed.
const sealEvery = time.Hour

// reportEvery is how often it is looked whether the report of a week is due.
const reportEvery = time.Hour

// retainEvery is how often rows that are kept no longer are let go; the first time some minutes after a start, which has other things to do.
const (
	retainEvery = 6 * time.Hour
	retainAfter = 5 * time.Minute
)

// patience is how long running jobs may take to finish once a stop is asked for.
const patience = 5 * time.Second

// Run does the jobs until ctx ends, and then lets the running ones finish. It fails when it cannot begin.
func Run(ctx context.Context, config Config) error {
	config = config.withDefaults()
	driver, done, err := postgres.OpenJobs(ctx, postgres.Config{ServiceURL: config.ServiceURL})
	if err != nil {
		return err
	}
	defer done()
	client, err := river.NewClient(driver, config.river())
	if err != nil {
		return fmt.Errorf("set up jobs: %w", err)
	}
	unbound := context.WithoutCancel(ctx)
	if err := client.Start(unbound); err != nil {
		return fmt.Errorf("start jobs: %w", err)
	}
	<-ctx.Done()
	stopping, cancel := context.WithTimeout(unbound, patience)
	defer cancel()
	if err := client.Stop(stopping); err != nil {
		stopping, cancel := context.WithTimeout(unbound, patience)
		defer cancel()
		return client.StopAndCancel(stopping)
	}
	return nil
}

// river is how the library is set up. Nobody listens, so it works through a pooler too; its indexes are small
// and not its own to rebuild.
func (c Config) river() *river.Config {
	workers := river.NewWorkers()
	river.AddWorker(workers, &work[applyFlagChanges]{service: c.Service})
	river.AddWorker(workers, &work[forgetFlagUsage]{service: c.Service})
	river.AddWorker(workers, &roller{service: c.Service, days: c.LoadDays, log: c.Log})
	river.AddWorker(workers, &retainer{service: c.Service, log: c.Log})
	river.AddWorker(workers, &accessRoller{service: c.Service, log: c.Log})
	river.AddWorker(workers, &reporter{service: c.Service, facts: c.Facts, log: c.Log})
	river.AddWorker(workers, &sealer{service: c.Service, ring: c.Ring, after: c.SealAfter, log: c.Log})
	checks := &checker{service: c.Service, drift: c.Drift, every: c.Checks, log: c.Log}
	river.AddWorker(workers, checks)
	river.AddWorker(workers, &asked{checker: checks})
	return &river.Config{
		Schema: schemaName, Workers: workers, Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 2}},
		PeriodicJobs: []*river.PeriodicJob{
			every[applyFlagChanges](c.FlagChanges, 0), every[forgetFlagUsage](c.FlagUsage, 0), every[rollLoads](rollEvery, 0), every[rollAccess](rollEvery, 0),
			every[runChecks](min(c.Checks, checksEvery), c.ChecksAfter),
			every[reportWeek](reportEvery, 0), every[sealAudit](sealEvery, 0), every[letGo](retainEvery, retainAfter),
		},
		Middleware: []rivertype.Middleware{river.WorkerMiddlewareFunc(func(ctx context.Context, job *rivertype.JobRow, work func(context.Context) error) error {
			started := time.Now()
			err := work(ctx)
			c.Done(job.Kind, time.Since(started), err)
			if err != nil && !errors.Is(ctx.Err(), context.Canceled) { // the server stops
				c.Log.ErrorContext(ctx, "a background job failed", "job", job.Kind, "error", err)
			}
			return err
		})},
		PollOnly: true, ReindexerSchedule: river.NeverSchedule(),
		CompletedJobRetentionPeriod: time.Hour, JobTimeout: 10 * time.Minute, MaxAttempts: 1, // the next one tries again
		Logger: slog.New(atLeast{slog.LevelWarn, c.Log.Handler()}),
	}
}

// job is what is done in one transaction as service_role; it says whether there is more to do at once.
type job interface {
	river.JobArgs
	name() string
	do(ctx context.Context, tx pgx.Tx) (more bool, err error)
}

// every plans a job: at the start and then at intervals, each time after a delay, unless the one before has not been done yet.
func every[J river.JobArgs](interval, delay time.Duration) *river.PeriodicJob {
	waiting := []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
	}
	return river.NewPeriodicJob(river.PeriodicInterval(interval), func() (river.JobArgs, *river.InsertOpts) {
		var args J
		options := &river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: waiting}}
		if delay > 0 {
			options.ScheduledAt = time.Now().Add(delay)
		}
		return args, options
	}, &river.PeriodicJobOpts{RunOnStart: true})
}

// work runs a job in as many transactions as it takes.
type work[J job] struct {
	river.WorkerDefaults[J]

	service *postgres.Service
}

// Work is river's.
func (w *work[J]) Work(ctx context.Context, planned *river.Job[J]) error {
	for more := true; more; {
		err := w.service.AsService(ctx, planned.Args.name(), func(tx pgx.Tx) (err error) {
			more, err = planned.Args.do(ctx, tx)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Working says that ctx is that of a running job.
func Working(ctx context.Context) bool {
	_, err := river.ClientFromContextSafely[pgx.Tx](ctx)
	return err == nil
}

// applyFlagChanges makes the scheduled changes of flags whose time has come.
type applyFlagChanges struct{}

// Kind is river's.
func (applyFlagChanges) Kind() string { return "flag_changes_apply" }

func (applyFlagChanges) name() string { return "FlagChangesApply" }

func (applyFlagChanges) do(ctx context.Context, tx pgx.Tx) (bool, error) {
	const batch = 100
	applied, failed, err := tenant.ApplyDueFlagChanges(ctx, tx, batch)
	return applied+failed == batch, err
}

// forgetFlagUsage deletes counts of evaluations that are older than they are kept.
type forgetFlagUsage struct{}

// Kind is river's.
func (forgetFlagUsage) Kind() string { return "flag_usage_forget" }

func (forgetFlagUsage) name() string { return "FlagUsageForget" }

func (forgetFlagUsage) do(ctx context.Context, tx pgx.Tx) (bool, error) {
	const batch = 5000
	forgotten, err := tenant.ForgetFlagUsage(ctx, tx, batch)
	return forgotten == batch, err
}

// atLeast hands on what weighs at least so much: river tells of every step it takes.
type atLeast struct {
	level slog.Level
	slog.Handler
}

// Enabled is slog's.
func (h atLeast) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= h.level && h.Handler.Enabled(ctx, level)
}

// WithAttrs is slog's.
func (h atLeast) WithAttrs(attrs []slog.Attr) slog.Handler {
	return atLeast{h.level, h.Handler.WithAttrs(attrs)}
}

// WithGroup is slog's.
func (h atLeast) WithGroup(name string) slog.Handler {
	return atLeast{h.level, h.Handler.WithGroup(name)}
}
