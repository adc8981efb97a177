package traffic

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

var errNotSent = errors.New("no connection was free in time")

// Latencies are kept from a microsecond to two minutes, to three digits.
const (
	shortest, longest = 1, 120_000_000
	digits            = 3
)

// Report is what became of a run, so far.
type Report struct {
	mu     sync.Mutex
	warmup time.Duration
	lasted time.Duration
	due    float64 // requests that are to be sent
	kinds  map[string]*tally
	all    *tally
	late   *hdrhistogram.Histogram
}

// tally counts requests of a kind.
type tally struct {
	answered, refused, failed, unsent, withoutRetry int64
	statuses                                        map[int]int64
	took                                            *hdrhistogram.Histogram // of what was answered
	sum                                             time.Duration
}

func newTally() *tally {
	return &tally{statuses: map[int]int64{}, took: hdrhistogram.New(shortest, longest, digits)}
}

func newReport(steps []Step, warmup time.Duration) *Report {
	r := &Report{warmup: warmup, kinds: map[string]*tally{}, all: newTally(), late: hdrhistogram.New(shortest, longest, digits)}
	var lasting time.Duration
	for _, s := range steps {
		r.due += s.Rate * s.Lasting.Seconds()
		lasting += s.Lasting
	}
	if lasting > 0 {
		r.due *= float64(lasting-warmup) / float64(lasting)
	}
	return r
}

// note counts o, and has each told of it.
func (r *Report) note(o Outcome, each func(Outcome)) {
	if o.Due < r.warmup {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	of := r.kinds[o.Kind]
	if of == nil {
		of = newTally()
		r.kinds[o.Kind] = of
	}
	of.note(o)
	r.all.note(o)
	if o.Sent > 0 {
		record(r.late, o.Sent-o.Due)
	}
	if each != nil {
		each(o)
	}
}

func (t *tally) note(o Outcome) {
	switch {
	case errors.Is(o.Err, errNotSent):
		t.unsent++
		return
	case o.Err != nil:
		t.failed++
		return
	case o.Reply.answered():
		t.answered++
		t.sum += o.Took
		record(t.took, o.Took)
	case o.Reply.refused():
		t.refused++
		if !o.Reply.RetryAfter {
			t.withoutRetry++
		}
	default:
		t.failed++
	}
	t.statuses[o.Reply.Status]++
}

func record(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(d.Microseconds(), shortest), longest)) // it is in range
}

func (r *Report) end(lasted time.Duration) { r.lasted = lasted - r.warmup }

// Kind is what became of all requests of one kind. Latencies are those of what was answered, in milliseconds, since each was due.
type Kind struct {
	Kind      string  `json:"kind"`
	Count     int64   `json:"count"`
	Answered  int64   `json:"answered"`
	Refused   int64   `json:"refused"` // 429 and 503
	Failed    int64   `json:"failed"`  // any other status, or none
	Unsent    int64   `json:"unsent"`  // for want of a connection, until nobody waited any more
	PerSecond float64 `json:"per_second"`
	Mean      float64 `json:"mean_ms"`
	P50       float64 `json:"p50_ms"`
	P95       float64 `json:"p95_ms"`
	P99       float64 `json:"p99_ms"`
	P999      float64 `json:"p99_9_ms"`
	Max       float64 `json:"max_ms"`

	// WithoutRetryAfter are the refusals that did not say when to try again.
	WithoutRetryAfter int64         `json:"refused_without_retry_after"`
	Statuses          map[int]int64 `json:"statuses"`
}

func (t *tally) kind(name string, lasted time.Duration) Kind {
	at := func(q float64) float64 { return float64(t.took.ValueAtQuantile(q)) / 1000 }
	k := Kind{
		Kind: name, Count: t.answered + t.refused + t.failed + t.unsent, Answered: t.answered, Refused: t.refused, Failed: t.failed, Unsent: t.unsent,
		WithoutRetryAfter: t.withoutRetry, Statuses: map[int]int64{},
	}
	for status, n := range t.statuses {
		k.Statuses[status] = n
	}
	if lasted > 0 {
		k.PerSecond = float64(t.answered) / lasted.Seconds()
	}
	if t.answered > 0 {
		k.Mean = t.sum.Seconds() * 1000 / float64(t.answered)
		k.P50, k.P95, k.P99, k.P999, k.Max = at(50), at(95), at(99), at(99.9), float64(t.took.Max())/1000
	}
	return k
}

// All is every request together.
func (r *Report) All() Kind {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all.kind("all", r.lasted)
}

// Kinds are those that were asked for, by name.
func (r *Report) Kinds() []Kind {
	r.mu.Lock()
	defer r.mu.Unlock()
	kinds := make([]Kind, 0, len(r.kinds))
	for name, t := range r.kinds {
		kinds = append(kinds, t.kind(name, r.lasted))
	}
	slices.SortFunc(kinds, func(a, b Kind) int { return int(b.Count - a.Count) })
	return kinds
}

// Lateness is how late requests left, at the 99th of a hundred, in milliseconds: what of the latencies may be this program's own, where
// there was a connection.
func (r *Report) Lateness() float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return float64(r.late.ValueAtQuantile(99)) / 1000
}
