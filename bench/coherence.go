package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/coherence"
)

// What a run is asked for: reads that were checked, and how old an answer may be.
const (
	wantedReads = 2_000_000
	wantedP99   = 50   // ms
	wantedMax   = 2000 // ms
)

// measureCoherence has everything around the caches break, and counts what was answered wrongly: that alone fails a run.
func measureCoherence(ctx context.Context, w *world) (*result, error) {
	d, err := w.database(ctx, "bench_coherence", func(context.Context, *pgx.Conn) error { return nil })
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(w.dir, "coherence")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	got, err := coherence.Run(ctx, coherence.Config{
		Binary: w.binary, Dir: dir, DataDir: filepath.Join(w.dir, "data"), Secret: w.secret,
		SuperURL: d.superURL, APIURL: d.apiURL, ServiceURL: d.serviceURL,
		Tenants: 12, Readers: 16, Writers: 4, WritePause: 150 * time.Millisecond,
		Lasting: cmp.Or(w.lasting, 4*time.Minute), Hold: 3 * time.Second, Seed: w.seed, Log: w.log,
	})
	if err != nil {
		return nil, err
	}
	got.Print(w.log)
	if got.Violated > 0 {
		err = fmt.Errorf("%d answers were wrong; the first: %s", got.Violated, got.Violations[0])
	}
	return coherenceResult(got), err
}

func coherenceResult(got *coherence.Report) *result {
	r := &result{Series: []*series{}, Coherence: got}
	r.note("Seed %d, %.0f s, three servers; %d reads checked, %d writes acknowledged, %d faults.", got.Seed, got.Lasted, got.Reads, got.Writes, len(got.Windows))
	r.ratio("answers that were wrong", exactly, 0, float64(got.Violated))
	r.ratio("reads checked", atLeast, wantedReads, float64(got.Reads))
	r.ratio("answered from memory, in percent of reads", information, 0, 100*float64(got.Remembered)/float64(max(1, got.Reads)))
	r.ratio("staleness of all values, p99, ms", atMost, wantedP99, got.Stale.P99)
	r.ratio("staleness of values that were stale, p99, ms", information, 0, got.Stale.OfP99)
	r.ratio("staleness, longest, ms", atMost, wantedMax, got.Stale.Max)
	r.caption = "One run, every half second; grey: a fault goes on, or all is not back yet."
	longest, p99 := line{Name: "longest", Ours: true}, line{Name: "p99 of stale"}
	for _, m := range got.Over {
		longest.Points = append(longest.Points, point{X: m.At, Y: m.Max})
		p99.Points = append(p99.Points, point{X: m.At, Y: m.OfP99})
	}
	over := plot{Title: "How old values were when they were asked for", Unit: "ms", Across: "seconds", Lines: []line{p99, longest}, Most: wantedMax}
	for _, window := range got.Windows {
		over.Marks = append(over.Marks, mark{window.Fault, window.From, window.To})
	}
	r.plots = []plot{over}
	return r
}
