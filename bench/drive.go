package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// sample is one variant in one round. Latencies are in milliseconds.
type sample struct {
	PerSecond float64 `json:"per_second"`
	Mean      float64 `json:"mean_ms"`
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
	P95       float64 `json:"p95_ms,omitempty"`
	P999      float64 `json:"p99_9_ms,omitempty"`
	WAL       float64 `json:"wal_bytes,omitempty"` // written per operation
	Count     int     `json:"count"`

	// CPU time of an operation in microseconds, where it is accounted for.
	ServerCPU   float64 `json:"server_cpu_us,omitempty"`
	PostgresCPU float64 `json:"postgres_cpu_us,omitempty"`
}

func (s sample) cpu() float64 { return s.ServerCPU + s.PostgresCPU }

func (s sample) rate() float64 { return s.PerSecond }

// typical is the latency a ratio is made of: what else the machine does moves a mean much more.
func (s sample) typical() float64 { return s.P50 }

// variant is one thing that is measured.
type variant struct {
	name     string
	clients  int
	baseline bool // what ours is measured against
	run      func(ctx context.Context, clients int, slice time.Duration) (sample, error)
}

// series is a variant with what it showed, round by round.
type series struct {
	Name     string   `json:"name"`
	Clients  int      `json:"clients"`
	Baseline bool     `json:"baseline"`
	Rounds   []sample `json:"rounds"`
	Median   sample   `json:"median"`
}

// interleave lets variants take turns, so that what else the machine does hits all of them alike. Each
// round begins with another one, and none is counted before every one has run for a moment.
func interleave(ctx context.Context, w *world, variants []variant) ([]*series, error) {
	all := make([]*series, len(variants))
	for i, v := range variants {
		all[i] = &series{Name: v.name, Clients: v.clients, Baseline: v.baseline}
		if _, err := v.run(ctx, v.clients, w.slice/4); err != nil {
			return nil, err
		}
	}
	for round := range w.rounds {
		for i := range variants {
			at := (i + round) % len(variants)
			s, err := variants[at].run(ctx, variants[at].clients, w.slice)
			if err != nil {
				return nil, err
			}
			all[at].Rounds = append(all[at].Rounds, s)
		}
	}
	for _, s := range all {
		s.Median = medianSample(s.Rounds)
	}
	return all, nil
}

// medianSample takes the median of each figure by itself.
func medianSample(rounds []sample) sample {
	of := func(pick func(sample) float64) float64 {
		values := make([]float64, len(rounds))
		for i, s := range rounds {
			values[i] = pick(s)
		}
		return median(values)
	}
	return sample{
		PerSecond: of(func(s sample) float64 { return s.PerSecond }),
		Mean:      of(func(s sample) float64 { return s.Mean }),
		P50:       of(func(s sample) float64 { return s.P50 }),
		P99:       of(func(s sample) float64 { return s.P99 }),
		WAL:       of(func(s sample) float64 { return s.WAL }),
		Count:     int(of(func(s sample) float64 { return float64(s.Count) })),

		ServerCPU:   of(func(s sample) float64 { return s.ServerCPU }),
		PostgresCPU: of(func(s sample) float64 { return s.PostgresCPU }),
	}
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	switch {
	case n == 0:
		return 0
	case n%2 == 1:
		return sorted[n/2]
	default:
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
}

// worker is one client: do is one operation, done gives back what it holds.
type worker struct {
	do   func() error
	done func()
}

// closedLoop runs clients side by side, each starting its next operation when the last one is answered.
// Connections are made before the clock starts.
func closedLoop(ctx context.Context, clients int, slice time.Duration, open func(client int) (worker, error)) (sample, error) {
	workers := make([]worker, clients)
	for i := range workers {
		var err error
		if workers[i], err = open(i); err != nil {
			return sample{}, err
		}
		if workers[i].done != nil {
			defer workers[i].done()
		}
	}
	took := make([][]time.Duration, clients)
	failed := make([]error, clients)
	var running sync.WaitGroup
	started := time.Now()
	end := started.Add(slice)
	for i := range workers {
		running.Go(func() {
			for now := time.Now(); now.Before(end) && ctx.Err() == nil; {
				if failed[i] = workers[i].do(); failed[i] != nil {
					return
				}
				after := time.Now()
				took[i] = append(took[i], after.Sub(now))
				now = after
			}
		})
	}
	running.Wait()
	elapsed := time.Since(started)
	if err := errors.Join(append(failed, ctx.Err())...); err != nil {
		return sample{}, err
	}
	return summarize(slices.Concat(took...), elapsed), nil
}

func summarize(took []time.Duration, elapsed time.Duration) sample {
	if len(took) == 0 {
		return sample{}
	}
	slices.Sort(took)
	var sum time.Duration
	for _, d := range took {
		sum += d
	}
	at := func(q float64) float64 { return ms(took[int(q*float64(len(took)-1))]) }
	return sample{
		PerSecond: float64(len(took)) / elapsed.Seconds(), Mean: ms(sum) / float64(len(took)),
		P50: at(0.50), P99: at(0.99), Count: len(took),
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
