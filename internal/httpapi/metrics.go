package httpapi

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/vital-db/vital/internal/cache"
	"github.com/vital-db/vital/internal/fair"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/perf"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
	"github.com/vital-db/vital/internal/tracing"
)

// Metrics are those of /metrics. No label takes a value from a request: routes, query names and error
// codes are all written in the source.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	errors   *prometheus.CounterVec
	queries  *prometheus.HistogramVec
	denials  *prometheus.CounterVec
	rejected *prometheus.CounterVec
	findings *prometheus.GaugeVec
	checked  *prometheus.GaugeVec
	jobs     *prometheus.HistogramVec
	followed prometheus.Histogram
	tenants  *busiest // nil where none are shown
}

// buckets reach from a warm answer to the slowest a request may take, in seconds.
var buckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// NewMetrics returns metrics of build version, with the process's own beside them.
func NewMetrics(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "vital_http_request_duration_seconds", Help: "Time to answer a request, by route.", Buckets: buckets,
		}, []string{"route", "method", "status"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vital_errors_total", Help: "Errors answered, by code.",
		}, []string{"code"}),
		queries: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "vital_query_duration_seconds", Help: "Time of a database transaction, waiting for a connection included.", Buckets: buckets,
		}, []string{"name", "result"}),
		denials: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vital_rls_denials_total", Help: "Statements the database refused to a caller, by what refused: a policy or a missing privilege.",
		}, []string{"name", "by"}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vital_fair_rejected_total", Help: "Requests refused because of what their tenant takes: more of them than its rate, than may wait for its turns, or than had theirs in time.",
		}, []string{"reason"}),
		findings: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "vital_check_findings", Help: "What the latest daily check found that must be mended, by check; -1 where it could not be run.",
		}, []string{"check"}),
		checked: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "vital_check_run_timestamp_seconds", Help: "When the check was run last.",
		}, []string{"check"}),
	}
	m.jobs = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "vital_job_duration_seconds", Help: "Time of a background job, by how it ended: ok or failed.", Buckets: buckets,
	}, []string{"job", "result"})
	m.followed = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "vital_change_delay_seconds", Help: "Time from the beginning of a writer's transaction until this server has dropped what it changed.", Buckets: buckets,
	})
	m.registry.MustRegister(m.jobs, m.followed)
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "vital_build_info", Help: "Constant 1, labelled with the version.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	m.registry.MustRegister(m.requests, m.errors, m.queries, m.denials, m.rejected, m.findings, m.checked, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// ShowCheck shows what the latest run of a check came to; findings is negative where it could not be run.
func (m *Metrics) ShowCheck(name string, findings int, ranAt time.Time) {
	m.findings.WithLabelValues(name).Set(float64(findings))
	m.checked.WithLabelValues(name).Set(float64(ranAt.Unix()))
}

// ObserveJob counts one background job.
func (m *Metrics) ObserveJob(kind string, took time.Duration, err error) {
	result := "ok"
	if err != nil {
		result = "failed"
	}
	m.jobs.WithLabelValues(kind, result).Observe(took.Seconds())
}

// ObserveDelay counts how long after a write this server has followed it.
func (m *Metrics) ObserveDelay(delay time.Duration) { m.followed.Observe(delay.Seconds()) }

// ObserveQuery counts one database transaction.
func (m *Metrics) ObserveQuery(q postgres.Query) {
	result := "ok"
	if q.Err != nil {
		result = q.Code()
	}
	m.queries.WithLabelValues(q.Name, result).Observe(q.Duration.Seconds())
	if by := postgres.DeniedBy(q.Err); by != "" {
		m.denials.WithLabelValues(q.Name, by).Inc()
	}
}

// WatchPool adds the connection pool of db.
func (m *Metrics) WatchPool(db *postgres.DB) {
	gauge := func(name, help string, value func(postgres.PoolStat) float64) {
		m.gauge(name, help, nil, func() float64 { return value(db.Stat()) })
	}
	counter := func(name, help string, value func(postgres.PoolStat) float64) {
		m.counter(name, help, nil, func() float64 { return value(db.Stat()) })
	}
	gauge("vital_pool_connections_acquired", "Connections in use.", func(s postgres.PoolStat) float64 { return float64(s.Acquired) })
	gauge("vital_pool_connections_idle", "Connections waiting for work.", func(s postgres.PoolStat) float64 { return float64(s.Idle) })
	gauge("vital_pool_connections_max", "Most connections there may be.", func(s postgres.PoolStat) float64 { return float64(s.Max) })
	counter("vital_pool_waits_total", "Requests that had to wait for a connection.", func(s postgres.PoolStat) float64 { return float64(s.Waited) })
	counter("vital_fair_waits_total", "Of these, those for which a connection was free, and kept for other tenants.", func(s postgres.PoolStat) float64 { return float64(s.HeldBack) })
	gauge("vital_fair_waiting", "Requests that wait for their tenant's turn at a connection.", func(s postgres.PoolStat) float64 { return float64(s.Waiting) })
	counter("vital_pool_wait_seconds_total", "Time requests waited for a connection.", func(s postgres.PoolStat) float64 { return s.WaitTime.Seconds() })
}

// WatchMemory adds what is remembered of the database, by what it is.
func (m *Metrics) WatchMemory(contexts *tenant.Contexts, flags *tenant.Evaluator) {
	for of, stat := range map[string]func() cache.Stat{
		"contexts": func() cache.Stat { return contexts.Stat().Callers }, "documents": func() cache.Stat { return contexts.Stat().Documents },
		"flags": func() cache.Stat { return flags.Stat().Stat },
	} {
		labels := prometheus.Labels{"of": of}
		m.gauge("vital_memory_entries", "What is remembered, about.", labels, func() float64 { return float64(stat().Entries) })
		m.gauge("vital_memory_bytes", "About how many bytes it takes.", labels, func() float64 { return float64(stat().Bytes) })
		m.gauge("vital_memory_bytes_max", "The most bytes it may take.", labels, func() float64 { return float64(stat().Bound) })
		m.counter("vital_memory_evictions_total", "Forgotten to make room for others.", labels, func() float64 { return float64(stat().Evictions) })
		m.counter("vital_memory_hits_total", "Answered from memory.", labels, func() float64 { return float64(stat().Hits) })
		m.counter("vital_memory_misses_total", "Not in memory.", labels, func() float64 { return float64(stat().Misses) })
		m.counter("vital_memory_stale_total", "In memory, and no longer true.", labels, func() float64 { return float64(stat().Stale) })
	}
	m.counter("vital_flag_usage_dropped_total", "Evaluations that were not counted, because too many counts were waiting to be written.", nil,
		func() float64 { return float64(flags.Stat().Dropped) })
	m.gauge("vital_event_streams", "Open event streams.", nil, func() float64 { return float64(openStreams.count()) })
}

// WatchLoads adds the records of loads.
func (m *Metrics) WatchLoads(loads *perf.Log) {
	m.counter("vital_load_records_total", "Records of loads written to query_performance.", nil, func() float64 { return float64(loads.Stat().Written) })
	m.counter("vital_load_dropped_total", "Loads that were to be recorded and could not, because too many records were waiting.", nil, func() float64 { return float64(loads.Stat().Dropped) })
	m.gauge("vital_load_records_waiting", "Records of loads that are not written yet.", nil, func() float64 { return float64(loads.Stat().Waiting) })
}

// WatchTraces adds what becomes of spans; nil is nothing.
func (m *Metrics) WatchTraces(tracer *tracing.Tracer) {
	if tracer == nil {
		return
	}
	m.counter("vital_trace_spans_sent_total", "Spans the collector of traces took.", nil, func() float64 { return float64(tracer.Stat().Sent) })
	m.counter("vital_trace_spans_dropped_total", "Spans that were lost: the collector did not take them, or not soon enough.", nil, func() float64 { return float64(tracer.Stat().Dropped) })
}

// WatchChanges adds how changes are heard of.
func (m *Metrics) WatchChanges(changes *cache.Follower) {
	m.gauge("vital_changes_heard", "1 while changes are heard; 0 while nothing is served from memory.", nil, func() float64 { return number(changes.Whole()) })
	m.counter("vital_changes_hints_total", "Notifications of changes heard; anybody in the database can send one.", nil, func() float64 { return float64(changes.Stat().Hints) })
	m.counter("vital_changes_looks_total", "Looks at versions.", nil, func() float64 { return float64(changes.Stat().Looks) })
	m.counter("vital_changes_forgotten_total", "How often all that was remembered had to be forgotten.", nil, func() float64 { return float64(changes.Stat().Forgotten) })
}

// WatchShared adds what servers share in Redis; nil is nothing.
func (m *Metrics) WatchShared(shared *tenant.Shared) {
	if shared == nil {
		return
	}
	stat := shared.Stat
	m.gauge("vital_redis_up", "1 while Redis answers; 0 while everything is read from the database.", nil, func() float64 { return number(!stat().Down) })
	m.gauge("vital_redis_evictions_pending", "Evictions that are not carried out yet.", nil, func() float64 { return float64(stat().Pending) })
	for _, c := range []struct {
		name, help string
		value      func(cache.RedisStat) int64
	}{
		{"vital_redis_hits_total", "Documents found in Redis that the database said still hold.", func(s cache.RedisStat) int64 { return s.Hits }},
		{"vital_redis_misses_total", "Documents that were not in Redis.", func(s cache.RedisStat) int64 { return s.Misses }},
		{"vital_redis_stale_total", "Documents found in Redis that did not hold any more.", func(s cache.RedisStat) int64 { return s.Stale }},
		{"vital_redis_garbage_total", "Values found in Redis that no server of this database has put there.", func(s cache.RedisStat) int64 { return s.Garbage }},
		{"vital_redis_refused_total", "Documents that were not put into Redis, because another server does or the tenant changed.", func(s cache.RedisStat) int64 { return s.Refused }},
		{"vital_redis_errors_total", "Operations that failed.", func(s cache.RedisStat) int64 { return s.Errors }},
		{"vital_redis_evictions_total", "Documents that were dropped.", func(s cache.RedisStat) int64 { return s.Evictions }},
	} {
		m.counter(c.name, c.help, nil, func() float64 { return float64(c.value(stat())) })
	}
}

// WatchReplicas adds the replicas of db.
func (m *Metrics) WatchReplicas(db *postgres.DB) {
	for i, r := range db.Replicas() {
		labels := prometheus.Labels{"replica": r.Name}
		stat := func() postgres.ReplicaStat { return db.Replicas()[i] }
		m.gauge("vital_replica_up", "1 while the replica answers.", labels, func() float64 { return number(!stat().Down) })
		m.gauge("vital_replica_behind_bytes", "How much of the log it has not replayed, at the last look.", labels, func() float64 { return float64(stat().Behind) })
		m.counter("vital_replica_served_total", "Reads it has answered.", labels, func() float64 { return float64(stat().Served) })
		m.counter("vital_replica_refused_total", "Reads it had not replayed enough for.", labels, func() float64 { return float64(stat().Refused) })
		m.counter("vital_replica_failed_total", "Reads the primary answered because it could not.", labels, func() float64 { return float64(stat().Failed) })
	}
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func (m *Metrics) gauge(name, help string, labels prometheus.Labels, value func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, value))
}

func (m *Metrics) counter(name, help string, labels prometheus.Labels, value func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels}, value))
}

// observeRequest counts a request, with the trace that shows one such where traceID names it.
func (m *Metrics) observeRequest(route, method string, status int, took time.Duration, traceID string) {
	histogram := m.requests.WithLabelValues(route, knownMethod(method), strconv.Itoa(status))
	if traceID == "" {
		histogram.Observe(took.Seconds())
		return
	}
	histogram.(prometheus.ExemplarObserver).ObserveWithExemplar(took.Seconds(), prometheus.Labels{"trace_id": traceID}) //nolint:forcetypeassert // every histogram is one
}

func (m *Metrics) observeError(code fault.Code) { m.errors.WithLabelValues(string(code)).Inc() }

// observeRejection counts err where a tenant was refused because of what it takes.
func (m *Metrics) observeRejection(err error) {
	var rejected *fair.RejectedError
	if errors.As(err, &rejected) {
		m.rejected.WithLabelValues(string(rejected.Reason)).Inc()
	}
}

// knownMethod keeps made-up methods out of the labels.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

// handler serves them; to whoever asks for the format that has them with exemplars, where there are any.
func (m *Metrics) handler(exemplars bool) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: exemplars})
}
