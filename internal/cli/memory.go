package cli

import (
	"context"
	"sync"
	"time"

	"github.com/vital-db/vital/internal/cache"
	"github.com/vital-db/vital/internal/httpapi"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
	"github.com/vital-db/vital/internal/tracing"
)

// usageEvery is how often counts of evaluations are written.
const usageEvery = 10 * time.Second

// memory is what a server remembers of the database.
type memory struct {
	changes  *cache.Follower
	contexts *tenant.Contexts
	flags    *tenant.Evaluator
	shared   *tenant.Shared // nil without Redis
	// throttles are nil where tenants do not share.
	throttles *tenant.Throttles
	stop      func()
}

// openMemory remembers contexts and flags, shares what it can in Redis, follows what changes them, and writes how
// often flags are evaluated, until stop is called.
func (a *app) openMemory(ctx context.Context, db *postgres.DB, tracer *tracing.Tracer, metrics *httpapi.Metrics) (m memory, err error) {
	source := cache.Source{Log: a.log, Followed: metrics.ObserveDelay}
	if a.config.RedisURL != "" {
		sharing := tenant.SharedConfig{URL: a.config.RedisURL, Log: a.log}
		if tracer != nil {
			sharing.OnScript = tracer.Script
		}
		if m.shared, err = tenant.OpenShared(db, sharing); err != nil {
			return m, err
		}
		source.Risen = m.shared.Risen
	}
	m.changes = tenant.Follow(db, source)
	half := uint64(a.config.CacheBytes) / 2
	m.contexts = tenant.NewContexts(db, m.changes, half, m.shared)
	m.flags = tenant.NewEvaluator(db, m.changes, half)
	if a.config.Fairness {
		m.throttles = tenant.NewThrottles(db, m.changes, half/8)
	}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { m.changes.Run(ctx) })
	running.Go(func() {
		m.flags.KeepUsage(ctx, usageEvery, func(err error) { a.log.Warn("counts of flag evaluations are not written", "error", err) })
	})
	m.stop = func() {
		cancel()
		running.Wait()
		if m.shared != nil {
			m.shared.Close()
		}
	}
	return m, nil
}
