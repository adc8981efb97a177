package cli

import (
	"context"
	"sync"
	"time"

	"github.com/vital-db/vital/internal/httpapi"
	"github.com/vital-db/vital/internal/jobs"
	"github.com/vital-db/vital/internal/perf"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/schema"
)

// openLoads keeps records of loads, the start of this server first, until stop is called.
func (a *app) openLoads(ctx context.Context, service *postgres.Service, metrics *httpapi.Metrics) (loads *perf.Log, stop func()) {
	loads = perf.NewLog(service, perf.LogConfig{Rate: a.config.LoadRate, Slow: a.config.SlowQuery, Log: a.log})
	metrics.WatchLoads(loads)
	running, cancel := context.WithCancel(context.WithoutCancel(ctx)) // requests that are finished after ctx are recorded, too
	var writing sync.WaitGroup
	writing.Go(func() { loads.Run(running) })
	writing.Go(func() {
		if err := perf.RecordStart(running, service, version(), schema.LatestVersion()); err != nil && running.Err() == nil {
			a.log.Warn("the start of this server is not recorded", "error", err)
		}
	})
	return loads, func() { cancel(); writing.Wait() }
}

// recordJob keeps the load that q was, where a job asked for it.
func recordJob(ctx context.Context, loads *perf.Log, q postgres.Query) {
	if !jobs.Working(ctx) {
		return
	}
	weight := loads.Sample(q.Duration, q.Err != nil)
	if weight == 0 {
		return
	}
	load := perf.Load{At: time.Now().Add(-q.Duration), Type: "job", Name: "job." + q.Name, Duration: q.Duration, Rows: q.Rows, Code: q.Code(), Weight: weight}
	if q.Err != nil {
		load.Message = "The job failed: the server's log says why."
	}
	loads.Record(load)
}
