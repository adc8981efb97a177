package coherence

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// bucket is how finely staleness is kept over time.
const bucket = 500 * time.Millisecond

// stats are one reader's.
type stats struct {
	kinds      map[string]int64
	remembered int64
	all        Histogram
	redis      Histogram
	faults     []Histogram
	redisIn    []Histogram // by fault
	over       []Histogram // by bucket of time
}

func newStats() stats {
	return stats{kinds: map[string]int64{}, faults: make([]Histogram, len(faults)), redisIn: make([]Histogram, len(faults))}
}

// stale counts how old a value was that was asked for at a time.
func (s *stats) stale(r *run, asked time.Time, age time.Duration) {
	s.all.add(age)
	for _, n := range *r.windows.Load() {
		s.faults[n].add(age)
	}
	n := max(0, int(asked.Sub(r.began)/bucket))
	for len(s.over) <= n {
		s.over = append(s.over, Histogram{})
	}
	s.over[n].add(age)
}

func (s *stats) staleRedis(r *run, age time.Duration) {
	s.redis.add(age)
	for _, n := range *r.windows.Load() {
		s.redisIn[n].add(age)
	}
}

// Staleness says how old answers were, in milliseconds: the time for which something newer had been acknowledged,
// anywhere, when they were asked for.
type Staleness struct {
	Values int64 `json:"values"` // that were held against their registers
	Stale  int64 `json:"stale"`
	// The quantiles are of all values; those of Stale ones alone begin with Of.
	P50   float64 `json:"p50_ms"`
	P99   float64 `json:"p99_ms"`
	P9999 float64 `json:"p99_99_ms"`
	OfP50 float64 `json:"stale_p50_ms"`
	OfP99 float64 `json:"stale_p99_ms"`
	Max   float64 `json:"max_ms"`
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func staleness(h *Histogram) Staleness {
	return Staleness{
		Values: h.Count, Stale: h.Count - h.Zero, P50: ms(h.Quantile(0.5)), P99: ms(h.Quantile(0.99)), P9999: ms(h.Quantile(0.9999)),
		OfP50: ms(h.StaleQuantile(0.5)), OfP99: ms(h.StaleQuantile(0.99)), Max: ms(h.Max),
	}
}

// Moment is half a second of a run.
type Moment struct {
	At    float64 `json:"at_s"`
	Reads int64   `json:"values"`
	OfP99 float64 `json:"stale_p99_ms"`
	Max   float64 `json:"max_ms"`
}

// During is what was seen while a fault went on.
type During struct {
	Fault    string           `json:"fault"`
	Times    int              `json:"times"`
	Stale    Staleness        `json:"staleness"`
	Redis    float64          `json:"redis_max_ms"` // of what Redis itself holds
	Failures map[string]int64 `json:"failures,omitempty"`
	Back     float64          `json:"slowest_back_s"`
}

// Report is what a run has seen.
type Report struct {
	Seed       uint64            `json:"seed"`
	Lasted     float64           `json:"lasted_s"`
	Reads      int64             `json:"reads"`
	Kinds      map[string]int64  `json:"reads_by_kind"`
	Remembered int64             `json:"answered_from_memory"`
	Writes     int64             `json:"writes"`
	Unknown    int64             `json:"writes_of_unknown_fate"`
	Violated   int               `json:"violations"`
	Violations []string          `json:"first_violations,omitempty"`
	Failures   map[string]int64  `json:"failures"`
	Examples   map[string]string `json:"failure_examples,omitempty"`
	Calm       map[string]int64  `json:"failures_without_a_fault,omitempty"`
	Stale      Staleness         `json:"staleness"`
	Redis      Staleness         `json:"staleness_of_redis_itself"`
	Faults     []During          `json:"faults"`
	Windows    []Window          `json:"windows"`
	Over       []Moment          `json:"over_time"`
}

func (r *run) report(readers []*reader, writers []*writer, windows []Window) *Report {
	out := &Report{
		Seed: r.config.Seed, Lasted: time.Since(r.began).Seconds(), Kinds: map[string]int64{}, Violated: r.violated, Violations: r.violations,
		Failures: r.failures, Examples: r.examples, Calm: r.within["none"], Windows: windows,
	}
	total := newStats()
	for _, one := range readers {
		total.merge(&one.stats)
	}
	maps.Copy(out.Kinds, total.kinds)
	for _, n := range total.kinds {
		out.Reads += n
	}
	out.Remembered = total.remembered
	for _, w := range writers {
		out.Writes += w.count
		out.Unknown += w.unknown
	}
	out.Stale, out.Redis = staleness(&total.all), staleness(&total.redis)
	for n, f := range faults {
		d := During{Fault: f.name, Stale: staleness(&total.faults[n]), Redis: ms(total.redisIn[n].Max), Failures: r.within[f.name]}
		for _, w := range windows {
			if w.number == n {
				d.Times++
				d.Back = max(d.Back, w.Back)
			}
		}
		if d.Times > 0 {
			out.Faults = append(out.Faults, d)
		}
	}
	slices.SortFunc(out.Faults, func(a, b During) int { return cmp.Compare(b.Stale.Max, a.Stale.Max) })
	for n := range total.over {
		h := &total.over[n]
		out.Over = append(out.Over, Moment{At: (time.Duration(n) * bucket).Seconds(), Reads: h.Count, OfP99: ms(h.StaleQuantile(0.99)), Max: ms(h.Max)})
	}
	return out
}

func (s *stats) merge(other *stats) {
	for kind, n := range other.kinds {
		s.kinds[kind] += n
	}
	s.remembered += other.remembered
	s.all.merge(&other.all)
	s.redis.merge(&other.redis)
	for n := range other.faults {
		s.faults[n].merge(&other.faults[n])
		s.redisIn[n].merge(&other.redisIn[n])
	}
	for len(s.over) < len(other.over) {
		s.over = append(s.over, Histogram{})
	}
	for n := range other.over {
		s.over[n].merge(&other.over[n])
	}
}

// Print writes a report for a person.
func (r *Report) Print(out io.Writer) {
	line := func(format string, args ...any) { fmt.Fprintf(out, "  "+format+"\n", args...) }
	line("%d reads checked in %.0f s (seed %d), %.0f %% of them answered from memory; %d violations", r.Reads, r.Lasted, r.Seed, 100*float64(r.Remembered)/float64(max(1, r.Reads)), r.Violated)
	for _, kind := range slices.Sorted(maps.Keys(r.Kinds)) {
		line("  %9d  %s", r.Kinds[kind], kind)
	}
	line("%d writes, %d more of which nobody knows", r.Writes, r.Unknown)
	line("staleness: %s", r.Stale)
	line("of what Redis itself holds: %s", r.Redis)
	for _, d := range r.Faults {
		line("  %-34s %d times, back after %.2f s at most: %s; Redis itself %.5g ms", d.Fault, d.Times, d.Back, d.Stale, d.Redis)
	}
	for _, what := range slices.Sorted(maps.Keys(r.Failures)) {
		line("  %7d  %s (%d without a fault) %.200s", r.Failures[what], what, r.Calm[what], r.Examples[what])
	}
	for _, v := range r.Violations {
		line("VIOLATION %s", v)
	}
}

func (s Staleness) String() string {
	return fmt.Sprintf("p50 %.3g, p99 %.3g, p99.99 %.4g, max %.5g ms (%.2f %% stale: p50 %.3g, p99 %.4g ms)",
		s.P50, s.P99, s.P9999, s.Max, 100*float64(s.Stale)/float64(max(1, s.Values)), s.OfP50, s.OfP99)
}
