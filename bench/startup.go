package main

import (
	"context"
	"fmt"
	"time"

	"github.com/vital-db/vital/internal/traffic"
)

// measureStartup starts servers, one after the other, until each is ready and has answered.
func measureStartup(ctx context.Context, w *world) (*result, error) {
	sizes := []int{few, w.most()}
	name := func(n int) string { return thousands(n) + " tenants" }
	var variants []variant
	heaps := make([]float64, len(sizes))
	for i, n := range sizes {
		d, err := w.database(ctx, fmt.Sprintf("bench_%d", n), w.populateWith(scaleShape(n)))
		if err != nil {
			return nil, err
		}
		variants = append(variants, variant{name(n), 1, n == few, w.starting(d, &heaps[i])})
	}
	measured, err := interleave(ctx, w, variants)
	if err != nil {
		return nil, err
	}
	r := &result{Series: measured}
	for i, n := range sizes {
		r.note("With %s, once it has answered one context, the server takes %.0f MB.", name(n), heaps[i]/1e6)
	}
	small, large := r.find(name(few), 1).Median, r.find(name(w.most()), 1).Median
	r.ratio("start of `vital serve` until its first answer, ms, "+name(w.most()), atMost, 1000, large.typical())
	r.ratio("the same, over "+name(few), atMost, 1.2, large.typical()/small.typical())
	r.plots = []plot{{Title: "Start of vital serve until its first answer", Unit: "ms", Bars: r.bars(1, sample.typical)}}
	return r, nil
}

// starting is a variant's run: a server is started, asked for one context, and ended, again and again.
func (w *world) starting(d *target, resident *float64) func(context.Context, int, time.Duration) (sample, error) {
	return func(ctx context.Context, _ int, slice time.Duration) (sample, error) {
		token, err := w.token(someone)
		if err != nil {
			return sample{}, err
		}
		var took []time.Duration
		began := time.Now()
		for len(took) == 0 || time.Since(began) < slice {
			started := time.Now()
			server, err := w.serve(ctx, d)
			if err != nil {
				return sample{}, err
			}
			_, err = traffic.Ask(server.address, traffic.Get(server.address, "/v1/context", token))
			took = append(took, time.Since(started))
			if err == nil {
				*resident, err = server.resident()
			}
			if stopped := server.stop(); err == nil {
				err = stopped
			}
			if err != nil {
				return sample{}, err
			}
		}
		return summarize(took, time.Since(began)), nil
	}
}
