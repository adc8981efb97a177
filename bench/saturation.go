package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/vital-db/vital/internal/traffic"
)

const (
	saturationTenants     = 1000
	saturationTime        = 5 * time.Second
	saturationConnections = 2000
	saturationClosed      = 32                     // connections of the closed loop that finds the capacity
	saturationTries       = 10                     // at most, until it does not grow
	saturationWindow      = 200 * time.Millisecond // by which recovering is told
	saturationNoise       = 20.0                   // milliseconds of p99 that say nothing
	saturationTimeout     = 5 * time.Second
)

// saturationOffers are how many times its capacity the server is offered.
var saturationOffers = []float64{0.5, 1, 1.5, 2, 3}

// measureSaturation finds what the server can do, offers it less and more, each between two times of half of it, and looks how soon
// it answers as before.
func measureSaturation(ctx context.Context, w *world) (_ *result, err error) {
	// Signing in has limits of its own.
	stage, err := w.setCrowd(ctx, saturationTenants, traffic.Usual.Without(traffic.KindSignIn, traffic.KindRefresh))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stage.server.stop()) }()
	lasting := saturationTime
	if w.lasting > 0 {
		lasting = w.lasting
	}
	s := &saturation{Config: traffic.Config{Address: stage.server.address, Connections: saturationConnections, Timeout: saturationTimeout, Seed: 2, Next: stage.people.Next}, lasting: lasting}
	if err := s.findCapacity(ctx); err != nil {
		return nil, err
	}
	w.progress("the server answers %.0f a second", s.capacity)
	r := &result{caption: fmt.Sprintf("Offered for %s between two times of half the capacity.", lasting)}
	for _, times := range saturationOffers {
		o, err := s.offer(ctx, times)
		if err != nil {
			return nil, err
		}
		r.addOffer(o, s.capacity)
	}
	r.note("A closed loop of %d connections gets %.0f answers a second: the capacity. Beyond, up to %s requests are under way at once; a user waits %s.",
		saturationClosed, s.capacity, thousands(saturationConnections), saturationTimeout)
	r.note("Back is when no p99 of %s is over twice the worst one before, or %.0f ms where that is more, since what was offered fell to half.", saturationWindow, saturationNoise)
	r.plots = []plot{{Title: "p99 of what was answered", Unit: "ms, logarithmic", Log: true, Bars: r.bars(0, func(s sample) float64 { return s.P99 })}}
	return r, nil
}

type saturation struct {
	traffic.Config
	lasting  time.Duration
	capacity float64
}

func (s *saturation) findCapacity(ctx context.Context) error {
	closed := s.Config
	closed.Connections = saturationClosed
	closed.Steps = []traffic.Step{{Lasting: s.lasting}}
	for range saturationTries { // contexts are remembered as they are asked for
		report, err := traffic.Run(ctx, closed)
		if err != nil {
			return err
		}
		now := report.All().PerSecond
		if now == 0 {
			return errors.New("the server answers nothing")
		}
		if grown := now / max(1, s.capacity); grown < 1.05 {
			s.capacity = max(s.capacity, now)
			return nil
		}
		s.capacity = now
		closed.Seed++
	}
	return nil
}

// offered is what became of so many times the capacity.
type offered struct {
	times         float64
	rate          float64
	answered      []time.Duration
	refused, lost int
	silent        int // refusals that did not say when to try again
	before        float64
	back          time.Duration // negative where it was not before the end
	lasting       time.Duration
}

func (s *saturation) offer(ctx context.Context, times float64) (*offered, error) {
	o := &offered{times: times, rate: times * s.capacity, lasting: s.lasting}
	half := traffic.Step{Rate: s.capacity / 2, Lasting: s.lasting}
	before := make([][]time.Duration, int(s.lasting/saturationWindow)+1)
	after := make([][]time.Duration, int(s.lasting/saturationWindow)+1)
	config := s.Config
	config.Steps = []traffic.Step{half, {Rate: o.rate, Lasting: s.lasting}, half}
	config.Each = func(got traffic.Outcome) {
		answered := got.Err == nil && (got.Reply.Status < 300 || got.Reply.Status == 304)
		switch at := got.Due - s.lasting; {
		case at < 0:
			if window := int(-at / saturationWindow); answered && at > -s.lasting/2 { // it is warm
				before[window] = append(before[window], got.Took)
			}
		case at < s.lasting:
			o.note(got, answered)
		default:
			took := got.Took
			if !answered {
				took = math.MaxInt64
			}
			window := min(int((at-s.lasting)/saturationWindow), len(after)-1)
			after[window] = append(after[window], took)
		}
	}
	if _, err := traffic.Run(ctx, config); err != nil {
		return nil, err
	}
	for _, window := range before {
		o.before = max(o.before, p99(window))
	}
	o.back = recovered(after, max(2*o.before, saturationNoise))
	return o, nil
}

func (o *offered) note(got traffic.Outcome, answered bool) {
	switch {
	case answered:
		o.answered = append(o.answered, got.Took)
	case got.Err == nil && (got.Reply.Status == 429 || got.Reply.Status == 503):
		o.refused++
		if !got.Reply.RetryAfter {
			o.silent++
		}
	default:
		o.lost++
	}
}

// p99 is in milliseconds.
func p99(took []time.Duration) float64 {
	return summarize(slices.Clone(took), time.Second).P99
}

// recovered is when the first window began from which on none is over limit milliseconds; negative where the last one is.
func recovered(windows [][]time.Duration, limit float64) time.Duration {
	since := 0
	for i, w := range windows {
		if len(w) > 0 && p99(w) > limit {
			since = i + 1
		}
	}
	if since >= len(windows) {
		return -1
	}
	return time.Duration(since) * saturationWindow
}

func (r *result) addOffer(o *offered, capacity float64) {
	name := fmt.Sprintf("%g times the capacity", o.times)
	all := len(o.answered) + o.refused + o.lost
	got := summarize(o.answered, o.lasting)
	r.Series = append(r.Series, &series{Name: name, Rounds: []sample{got}, Median: got})
	r.note("%s: %.0f a second offered, %.0f answered; of %s requests %.1f %% were refused (%d without Retry-After), %.1f %% lost; the worst p99 of %s before was %.1f ms.",
		name, o.rate, got.PerSecond, thousands(all), 100*float64(o.refused)/float64(all), o.silent, 100*float64(o.lost)/float64(all), saturationWindow, o.before)
	if o.times <= 1 {
		return
	}
	r.ratio(name+": answered, over the capacity", atLeast, 0.9, got.PerSecond/capacity)
	r.ratio(name+": p99 of what was answered, ms", atMost, 750, got.P99)
	r.ratio(name+": share of requests that were neither answered nor refused", atMost, 0.001, float64(o.lost)/float64(all))
	r.ratio(name+": refusals without Retry-After", exactly, 0, float64(o.silent))
	r.ratio(name+": back after, seconds", atMost, 1, o.back.Seconds())
}
