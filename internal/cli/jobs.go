package cli

import (
	"context"
	"time"

	"github.com/vital-db/vital/internal/jobs"
	"github.com/vital-db/vital/internal/postgres"
)

// jobsRetry is how long a server waits until it tries again to begin with background jobs, which takes a
// database it can reach and that is migrated.
const jobsRetry = 10 * time.Second

// keepJobs does background jobs until ctx ends; the returned function waits for that. A server whose jobs
// cannot begin still serves.
func (a *app) keepJobs(ctx context.Context, t *target, service *postgres.Service) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			err := jobs.Run(ctx, jobs.Config{ServiceURL: t.serviceURL, Service: service, Log: a.log})
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
	return func() { <-done }
}
