package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/vital-db/vital/internal/perf"
	"github.com/vital-db/vital/internal/report"
)

// dailyChecks is how many checks a server runs daily.
const dailyChecks = 3

// sight is what whoever watches is told, by each command and by all that is watched besides.
type sight struct {
	byQuery, byTenant, byCode map[string]perf.Statistic // tenants by slug
	most                      string                    // the query that took the most time in all
	slowest, failed           []perf.Record
	gates                     []report.Standing
	weekly                    report.Weekly
	cache                     []struct{ Redis map[string]float64 }
	metrics                   metrics
	alerts                    map[string]string // states, by name
	panels                    []shown

	// Of the fault that goes on: its loads that were recorded, the latest first, and what is said of the first of them and of one amid.
	suffered    []perf.Record
	first, amid *perf.Lineage
	window      window
}

// suffering is a fault that goes on.
type suffering struct {
	fault  planted
	window window
}

// look asks everything there is to ask; of is the fault that goes on, nil for none.
func (s *faultStage) look(ctx context.Context, of *suffering) (now *sight, err error) {
	time.Sleep(1500 * time.Millisecond) // records are written every second
	now = &sight{}
	var byQuery, byTenant, byCode []perf.Statistic
	for _, c := range []struct {
		into any
		args []string
	}{
		{&byQuery, []string{"perf", "stats", "--hours", "1", "--json"}},
		{&byTenant, []string{"perf", "stats", "--hours", "1", "--by", "tenant", "--json"}},
		{&byCode, []string{"perf", "stats", "--hours", "1", "--by", "code", "--json"}},
		{&now.slowest, []string{"perf", "slow", "--hours", "1", "--limit", "10000", "--json"}},
		{&now.failed, []string{"perf", "slow", "--hours", "1", "--failed", "--limit", "10000", "--json"}},
		{&now.gates, []string{"report", "gates", "--json"}},
		{&now.weekly, []string{"report", "weekly", "--format", "json"}},
		{&now.cache, []string{"cache", "stats", "--server", "http://" + s.server.address, "--json"}},
	} {
		if err := s.command(ctx, c.into, c.args...); err != nil {
			return nil, err
		}
	}
	now.byQuery, now.byTenant, now.byCode = labelled(byQuery), labelled(byTenant), labelled(byCode)
	if len(byQuery) > 0 {
		now.most = byQuery[0].Label
	}
	if now.metrics, err = s.scrape(ctx); err != nil {
		return nil, err
	}
	if err := s.watched(ctx, now); err != nil {
		return nil, err
	}
	if of != nil && of.fault.query != "" {
		s.world.progress("  the slowest: %s, %.0f ms", now.slowest[0].Name, *now.slowest[0].Duration)
		err = s.explain(ctx, now, of)
	}
	return now, err
}

func labelled(all []perf.Statistic) map[string]perf.Statistic {
	by := map[string]perf.Statistic{}
	for _, one := range all {
		if one.Tenant != nil {
			one.Label = *one.Tenant
		}
		by[one.Label] = one
	}
	return by
}

// explain finds the fault's loads, as who looks for them would, and asks why.
func (s *faultStage) explain(ctx context.Context, now *sight, of *suffering) error {
	records := now.failed
	if of.fault.code == "" {
		records = now.slowest
	}
	for _, record := range records {
		if record.Name == of.fault.query && record.Code == of.fault.code && of.window.covers(record.At) && *record.Duration > 0 {
			now.suffered = append(now.suffered, record)
		}
	}
	if of.fault.code == "" {
		now.suffered = slices.DeleteFunc(now.suffered, func(r perf.Record) bool { return *r.Duration < 1000 })
	}
	slices.SortFunc(now.suffered, func(a, b perf.Record) int { return b.At.Compare(a.At) })
	now.window = of.window
	if len(now.suffered) == 0 {
		return nil // and nothing will name it
	}
	why := func(record perf.Record) (*perf.Lineage, error) {
		var said []perf.Lineage
		if err := s.command(ctx, &said, "perf", "why", record.RequestID, "--json"); err != nil {
			return nil, err
		}
		s.world.progress("  why %s, %s after it was planted: %s", record.Name, record.At.Sub(of.window.from).Round(time.Millisecond), told(said, of.window))
		return &said[0], nil
	}
	var first, amid error
	now.first, first = why(now.suffered[len(now.suffered)-1])
	now.amid, amid = why(now.suffered[len(now.suffered)/2])
	return errors.Join(first, amid)
}

// told is what perf why says, for whoever watches the run.
func told(said []perf.Lineage, of window) string {
	line := said[0]
	text := fmt.Sprintf("%s for %s", line.Verdict, line.Scope)
	if line.Since != nil {
		text += fmt.Sprintf(", since %s after it was planted", line.Since.Sub(of.from).Round(time.Millisecond))
	}
	if len(line.Before) > 0 {
		text += fmt.Sprintf("; before: %s %s", line.Before[0].Kind, line.Before[0].What)
	}
	return text
}

// gates are names of gates.
type gates []string

func (g gates) has(gate string) bool { return slices.Contains(g, gate) }

func (g gates) among(others gates) (both gates) {
	for _, gate := range g {
		if others.has(gate) {
			both = append(both, gate)
		}
	}
	return both
}

// failedGates are those that do not hold.
func (s *sight) failedGates() (failed gates) {
	if s == nil {
		return nil
	}
	for _, g := range s.gates {
		if g.Status == report.Failed {
			failed = append(failed, g.Gate.Gate)
		}
	}
	return failed
}

// gate is how the gate of this name stands.
func (s *sight) gate(name string) report.Standing {
	at := slices.IndexFunc(s.gates, func(g report.Standing) bool { return g.Gate.Gate == name })
	return s.gates[at] // gates are named in the program
}

// metrics are those of a server.
type metrics map[string]*dto.MetricFamily

func (s *faultStage) scrape(ctx context.Context) (metrics, error) {
	return scrapeMetrics(ctx, s.server.address)
}

func scrapeMetrics(ctx context.Context, address string) (metrics, error) {
	text, err := fetch(ctx, "http://"+address+"/metrics")
	if err != nil {
		return nil, err
	}
	defer text.Close()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	return parser.TextToMetricFamilies(text)
}

// fetch asks for what is there, and there must be something.
func fetch(ctx context.Context, url string) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("%s answers %s", url, response.Status), response.Body.Close())
	}
	return response.Body, nil
}

// sum adds what has these labels. Of a histogram it is how many took longer than a second.
func (m metrics) sum(name string, labels map[string]string) (sum float64) {
	for _, metric := range m[name].GetMetric() {
		matching := 0
		for _, l := range metric.GetLabel() {
			if want, asked := labels[l.GetName()]; asked && want == l.GetValue() {
				matching++
			}
		}
		if matching < len(labels) {
			continue
		}
		sum += metric.GetGauge().GetValue() + metric.GetCounter().GetValue() + float64(metric.GetHistogram().GetSampleCount())
		for _, bucket := range metric.GetHistogram().GetBucket() {
			if bucket.GetUpperBound() == 1 {
				sum -= float64(bucket.GetCumulativeCount())
			}
		}
	}
	return sum
}

// written waits until all records are.
func (s *faultStage) written(ctx context.Context) error {
	for range 100 {
		m, err := s.scrape(ctx)
		if err != nil || m.sum("vital_load_records_waiting", nil) == 0 {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return errors.New("records of loads are not written")
}

// checked waits until the server has run its daily checks, as one that runs for a while has.
func (s *faultStage) checked(ctx context.Context) error {
	for range 1800 { // they are shown every minute
		m, err := s.scrape(ctx)
		if err != nil || len(m["vital_check_findings"].GetMetric()) >= dailyChecks {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return errors.New("the daily checks are not run")
}
