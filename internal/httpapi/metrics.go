package httpapi

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
)

// Metrics are those of /metrics. No label takes a value from a request: routes, query names and error
// codes are all written in the source.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	errors   *prometheus.CounterVec
	queries  *prometheus.HistogramVec
	denials  *prometheus.CounterVec
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
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "vital_build_info", Help: "Constant 1, labelled with the version.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	m.registry.MustRegister(m.requests, m.errors, m.queries, m.denials, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

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
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help},
			func() float64 { return value(db.Stat()) }))
	}
	counter := func(name, help string, value func(postgres.PoolStat) float64) {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help},
			func() float64 { return value(db.Stat()) }))
	}
	gauge("vital_pool_connections_acquired", "Connections in use.", func(s postgres.PoolStat) float64 { return float64(s.Acquired) })
	gauge("vital_pool_connections_idle", "Connections waiting for work.", func(s postgres.PoolStat) float64 { return float64(s.Idle) })
	gauge("vital_pool_connections_max", "Most connections there may be.", func(s postgres.PoolStat) float64 { return float64(s.Max) })
	counter("vital_pool_waits_total", "Requests that had to wait for a connection.", func(s postgres.PoolStat) float64 { return float64(s.Waited) })
	counter("vital_pool_wait_seconds_total", "Time requests waited for a connection.", func(s postgres.PoolStat) float64 { return s.WaitTime.Seconds() })
}

func (m *Metrics) observeRequest(route, method string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, knownMethod(method), strconv.Itoa(status)).Observe(took.Seconds())
}

func (m *Metrics) observeError(code fault.Code) { m.errors.WithLabelValues(string(code)).Inc() }

// knownMethod keeps made-up methods out of the labels.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

func (m *Metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
