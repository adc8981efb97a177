package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/vital-db/vital/internal/cache"
	"github.com/vital-db/vital/internal/tenant"
)

// remember has contexts remembered in this process, as the server does, and weighs them.
func (p *populated) remember(ctx context.Context) error {
	follower := tenant.Follow(p.db, cache.Source{})
	following, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { follower.Run(following) })
	p.forget = func() { stop(); running.Wait() }
	for !follower.Whole() {
		time.Sleep(time.Millisecond)
	}
	p.contexts = tenant.NewContexts(p.db, follower, amply, nil)
	read := func(n int) error {
		_, _, err := p.contexts.Read(ctx, admin(n), "", tenant.Version{})
		return err
	}
	if err := read(p.tenants); err != nil { // connects and prepares
		return err
	}
	before := liveBytes()
	for k := range remembered - 1 {
		if err := read(p.spread(k)); err != nil {
			return err
		}
	}
	p.weight = float64(liveBytes()-before) / (remembered - 1)
	if got := p.contexts.Stat().Documents.Entries; got != remembered {
		return fmt.Errorf("%d contexts are remembered, not %d", got, remembered)
	}
	return nil
}

// spread is the k-th of the tenants that are remembered, which lie evenly among all.
func (p *populated) spread(k int) int { return 1 + k*(p.tenants/remembered) }

// evictions is a variant's run: somebody writes to a tenant whose context is remembered, and it takes so long from the commit
// until memory shows it.
func (p *populated) evictions(ctx context.Context, _ int, slice time.Duration) (sample, error) {
	var took []time.Duration
	random := rand.New(rand.NewPCG(17, 19))
	started := time.Now()
	for time.Since(started) < slice && ctx.Err() == nil {
		d, err := p.evict(ctx, p.spread(random.IntN(remembered-1)))
		if err != nil {
			return sample{}, err
		}
		took = append(took, d)
	}
	return summarize(took, time.Since(started)), ctx.Err()
}

func (p *populated) evict(ctx context.Context, n int) (time.Duration, error) {
	look := func() ([]byte, error) {
		read, _, err := p.contexts.Read(ctx, admin(n), "", tenant.Version{})
		if err != nil {
			return nil, err
		}
		var body bytes.Buffer
		_, err = read.WriteTo(&body)
		return body.Bytes(), err
	}
	if _, err := look(); err != nil {
		return 0, err
	}
	painted := colour()
	if err := paint(ctx, p.db, n, painted); err != nil {
		return 0, err
	}
	committed := time.Now()
	for time.Since(committed) < 10*time.Second {
		shown, err := look()
		if err != nil || bytes.Contains(shown, []byte(painted)) {
			return time.Since(committed), err
		}
		time.Sleep(20 * time.Microsecond)
	}
	return 0, fmt.Errorf("tenant %d: memory did not show a write within 10 seconds", n)
}
