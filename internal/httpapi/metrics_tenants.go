package httpapi

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
)

// tenantsCounted bounds how many tenants are counted in a minute; those that come later in it are not.
const tenantsCounted = 10_000

// mostShown bounds how many tenants are shown.
const mostShown = 100

// busiest shows the tenants that loaded the most in the last whole minute: a gauge for each, so that no tenant stays among the
// labels that has gone quiet.
type busiest struct {
	shown int
	loads *prometheus.Desc

	mu     sync.Mutex
	began  time.Time
	counts map[uuid.UUID]int64
	last   []tenantLoads
}

type tenantLoads struct {
	tenant uuid.UUID
	loads  int64
}

// ShowTenants shows what the n busiest tenants load, by id; 0 shows none. Call it once, before the server serves.
func (m *Metrics) ShowTenants(n int) {
	if n <= 0 {
		return
	}
	m.tenants = &busiest{
		shown: min(n, mostShown), began: time.Now(), counts: map[uuid.UUID]int64{},
		loads: prometheus.NewDesc("vital_tenant_loads", "Loads of the busiest tenants in the last whole minute.", []string{"tenant"}, nil),
	}
	m.registry.MustRegister(m.tenants)
}

// count counts a load of tenant. b may be nil.
func (b *busiest) count(tenant uuid.UUID, now time.Time) {
	if b == nil || tenant == uuid.Nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turn(now)
	if _, known := b.counts[tenant]; known || len(b.counts) < tenantsCounted {
		b.counts[tenant]++
	}
}

// turn ends the minute, if it is over.
func (b *busiest) turn(now time.Time) {
	since := now.Sub(b.began)
	if since < time.Minute {
		return
	}
	b.last = nil
	if since < 2*time.Minute { // else the last whole minute was quiet
		for tenant, loads := range b.counts {
			b.last = append(b.last, tenantLoads{tenant, loads})
		}
		slices.SortFunc(b.last, func(x, y tenantLoads) int {
			return cmp.Or(cmp.Compare(y.loads, x.loads), slices.Compare(x.tenant[:], y.tenant[:]))
		})
		b.last = slices.Clone(b.last[:min(len(b.last), b.shown)])
	}
	clear(b.counts)
	b.began = now.Add(-(since % time.Minute))
}

// Describe is Prometheus's.
func (b *busiest) Describe(descriptions chan<- *prometheus.Desc) { descriptions <- b.loads }

// Collect is Prometheus's.
func (b *busiest) Collect(metrics chan<- prometheus.Metric) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turn(time.Now())
	for _, t := range b.last {
		metrics <- prometheus.MustNewConstMetric(b.loads, prometheus.GaugeValue, float64(t.loads), t.tenant.String())
	}
}
