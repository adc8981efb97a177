package cli

import (
	"context"
	"time"

	"github.com/vital-db/vital/internal/httpapi"
	"github.com/vital-db/vital/internal/jobs"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/schema"
)

// jobsRetry is how long a server waits until it tries again to begin with background jobs, which takes a
// database it can reach and that is migrated.
const jobsRetry = 10 * time.Second

// checksShown is how often the metrics of the daily checks are read anew: another server may have run them.
const checksShown = time.Minute

// showChecks keeps the metrics of the daily checks until ctx ends.
func (a *app) showChecks(ctx context.Context, service *postgres.Service, metrics *httpapi.Metrics) {
	tick := time.NewTicker(checksShown)
	defer tick.Stop()
	for {
		runs, err := jobs.LatestChecks(ctx, service)
		if err != nil && ctx.Err() == nil {
			a.log.Warn("what the daily checks found cannot be read", "error", err)
		}
		for _, run := range runs {
			if run.Status == "failed" {
				run.Findings = -1
			}
			metrics.ShowCheck(run.Check, run.Findings, run.RanAt)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// keepJobs does background jobs until ctx ends; the returned function waits for that. A server whose jobs
// cannot begin still serves.
func (a *app) keepJobs(ctx context.Context, t *target, service *postgres.Service, metrics *httpapi.Metrics) (wait func(), err error) {
	done := make(chan struct{})
	config := jobs.Config{ServiceURL: t.serviceURL, Service: service, LoadDays: a.config.LoadDays, Facts: reportFacts(), SealAfter: a.config.AuditSealAfter, Done: metrics.ObserveJob, Log: a.log}
	if config.Ring, err = a.ringNow(t); err != nil {
		return nil, err
	}
	if t.private != nil { // else the server has no operator's login
		config.Drift = func(ctx context.Context) ([]jobs.Finding, error) { return a.dailyDrift(ctx, t) }
	}
	go func() {
		defer close(done)
		for {
			err := jobs.Run(ctx, config)
			if err != nil && ctx.Err() == nil {
				a.log.Error("background jobs cannot begin, trying again", "error", err, "in", jobsRetry)
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(jobsRetry):
			}
		}
	}()
	return func() { <-done }, nil
}

// dailyDrift is the check of drift as the daily ones keep it.
func (a *app) dailyDrift(ctx context.Context, t *target) (found []jobs.Finding, err error) {
	drifts, err := a.findDrifts(ctx, t, "")
	for _, d := range drifts {
		if d.Severity != schema.Cosmetic {
			found = append(found, jobs.Finding{Check: "drift_" + string(d.Severity), Object: d.Kind + " " + d.Object, Detail: d.Detail()})
		}
	}
	return found, err
}
