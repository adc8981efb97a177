package tenant

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/feature"
)

const (
	// usageKept bounds how many counts are kept between two writes; what is beyond is not counted.
	usageKept = 200_000
	// usageBatch is how many are written in one statement.
	usageBatch = 5000
)

// usage counts evaluations until they are written.
type usage struct {
	counts  atomic.Pointer[counts]
	dropped atomic.Int64
}

type counts struct {
	by   sync.Map // evaluated -> *count
	kept atomic.Int64
}

type evaluated struct {
	tenant       uuid.UUID
	key, variant string
}

type count struct{ n, last atomic.Int64 }

func (u *usage) count(tenant uuid.UUID, result *feature.Result, now time.Time) {
	if result.ErrorCode == feature.FlagNotFound {
		return
	}
	c := u.counts.Load()
	if c == nil {
		u.counts.CompareAndSwap(nil, &counts{})
		c = u.counts.Load()
	}
	key := evaluated{tenant, result.Key, result.Variant}
	found, ok := c.by.Load(key)
	if !ok {
		if c.kept.Load() >= usageKept {
			u.dropped.Add(1)
			return
		}
		var loaded bool
		if found, loaded = c.by.LoadOrStore(key, &count{}); !loaded {
			c.kept.Add(1)
		}
	}
	counted := found.(*count) //nolint:forcetypeassert // nothing else is stored
	counted.n.Add(1)
	counted.last.Store(now.UnixNano())
}

// take returns what was counted, and begins anew.
func (u *usage) take() []Evaluations {
	c := u.counts.Swap(&counts{})
	if c == nil {
		return nil
	}
	var batch []Evaluations
	c.by.Range(func(key, value any) bool {
		k, n := key.(evaluated), value.(*count) //nolint:forcetypeassert // nothing else is stored
		batch = append(batch, Evaluations{TenantID: k.tenant, FlagKey: k.key, Variant: k.variant, Count: n.n.Load(), Last: time.Unix(0, n.last.Load())})
		return true
	})
	return batch
}

// WriteUsage writes what was counted since the last time. What cannot be written now is written the next time.
func (e *Evaluator) WriteUsage(ctx context.Context) error {
	batch := e.usage.take()
	for len(batch) > 0 {
		part := batch[:min(len(batch), usageBatch)]
		err := e.db.AsService(ctx, "FlagUsageWrite", func(tx pgx.Tx) error {
			_, err := CountEvaluations(ctx, tx, part)
			return err
		})
		if err != nil {
			e.usage.putBack(batch)
			return err
		}
		batch = batch[len(part):]
	}
	return nil
}

// putBack counts again what could not be written.
func (u *usage) putBack(batch []Evaluations) {
	c := u.counts.Load()
	for _, b := range batch {
		if c.kept.Load() >= usageKept {
			u.dropped.Add(b.Count)
			continue
		}
		found, loaded := c.by.LoadOrStore(evaluated{b.TenantID, b.FlagKey, b.Variant}, &count{})
		if !loaded {
			c.kept.Add(1)
		}
		counted := found.(*count) //nolint:forcetypeassert // nothing else is stored
		counted.n.Add(b.Count)
		for last := counted.last.Load(); last < b.Last.UnixNano() && !counted.last.CompareAndSwap(last, b.Last.UnixNano()); last = counted.last.Load() {
		}
	}
}

// KeepUsage writes what is counted every so often, and once more when ctx ends.
func (e *Evaluator) KeepUsage(ctx context.Context, every time.Duration, failed func(error)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), every)
			defer cancel()
			if err := e.WriteUsage(last); err != nil {
				failed(err)
			}
			return
		case <-tick.C:
			if err := e.WriteUsage(ctx); err != nil && ctx.Err() == nil {
				failed(err)
			}
		}
	}
}
