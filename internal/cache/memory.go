package cache

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vital-db/vital/internal/bounded"
	"github.com/vital-db/vital/internal/fault"
)

// loadTime bounds a load, which goes on for others when the one who began it is gone.
const loadTime = 15 * time.Second

// boardTime is how long others may still share a load after it began.
const boardTime = time.Second

// Loaded is a value, the versions it was made of as the same snapshot of the database had them, and about how many
// bytes it takes.
type Loaded[V any] struct {
	Value    V
	Versions []Change
	Bytes    int
	// Until is when it must be loaded anew whatever is heard; zero for never.
	Until time.Time
}

// Memory remembers values in this process, bounded by their bytes, for as long as none of their versions has risen.
// A key must hold all that a value depends on, who asks included: values of one key are shared.
type Memory[K comparable, V any] struct {
	follower *Follower
	entries  bounded.Map[K, *entry[V]]
	now      func() time.Time

	hits, misses, stale, evictions atomic.Int64

	mu      sync.Mutex
	flights map[K]*flight[V]
}

type entry[V any] struct {
	Loaded[V]
	states []*state
	epoch  int64
}

// flight is a load that is under way.
type flight[V any] struct {
	began  Moment
	at     time.Time
	wanted int // how many wait for it
	cancel context.CancelFunc
	done   chan struct{}
	value  V
	err    error
}

// landed is the end of a load that is over.
var landed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// entryBytes is what an entry takes beside its value.
const entryBytes = 256

// NewMemory makes an empty one of at most bytes.
func NewMemory[K comparable, V any](follower *Follower, bytes uint64) *Memory[K, V] {
	m := &Memory[K, V]{follower: follower, now: time.Now, flights: map[K]*flight[V]{}}
	weigh := func(e *entry[V]) uint32 { return uint32(min(e.Bytes+entryBytes, 1<<30)) }
	m.entries = bounded.Weighed[K](bytes, weigh, func(e *entry[V], evicted bool) {
		follower.release(e.Versions, e.states)
		if evicted {
			m.evictions.Add(1)
		}
	})
	return m
}

// Recall returns the value of key where it is remembered and still true.
func (m *Memory[K, V]) Recall(key K) (V, bool) {
	e, ok := m.entries.Get(key)
	switch {
	case !ok:
		m.misses.Add(1)
	case !m.valid(e):
		m.stale.Add(1)
	default:
		m.hits.Add(1)
		return e.Value, true
	}
	var none V
	return none, false
}

// Peek returns what is remembered of key, whether it is still true or not: for a load that can tell.
func (m *Memory[K, V]) Peek(key K) (Loaded[V], bool) {
	if e, ok := m.entries.Get(key); ok {
		return e.Loaded, true
	}
	return Loaded[V]{}, false
}

// Moment is when a load began.
type Moment struct{ heard, covered, epoch int64 }

// heardAsMuch says whether nothing was heard between m and now.
func (m Moment) heardAsMuch(now Moment) bool { return m.heard == now.heard && m.epoch == now.epoch }

// Now is the moment at which a load begins whose result is offered.
func (m *Memory[K, V]) Now() Moment {
	heard, covered, epoch := m.follower.began()
	return Moment{heard, covered, epoch}
}

// Offer remembers loaded, of a load that began at began and shows the follower's Position, if nothing was heard since that
// it does not show.
func (m *Memory[K, V]) Offer(key K, loaded Loaded[V], began Moment) {
	if states, ok := m.follower.hold(loaded.Versions, began.covered, began.epoch); ok {
		m.entries.Set(key, &entry[V]{loaded, states, began.epoch})
	}
}

// Get returns the value of key, from memory where that is still true, else from load. Those who ask for one key at
// once share one load.
func (m *Memory[K, V]) Get(ctx context.Context, key K, load func(context.Context) (Loaded[V], error)) (V, error) {
	if value, ok := m.Recall(key); ok {
		return value, nil
	}
	return m.await(ctx, key, m.board(ctx, key, load, false))
}

// Refresh is Get from a load that begins now, whatever is remembered or under way.
func (m *Memory[K, V]) Refresh(ctx context.Context, key K, load func(context.Context) (Loaded[V], error)) (V, error) {
	return m.await(ctx, key, m.board(ctx, key, load, true))
}

// board returns the flight to wait for: one that is under way and shows all that was heard, or a new one.
func (m *Memory[K, V]) board(ctx context.Context, key K, load func(context.Context) (Loaded[V], error), anew bool) *flight[V] {
	now := m.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	under := m.flights[key]
	if e, ok := m.entries.Get(key); under == nil && !anew && ok && m.valid(e) { // another has just landed
		return &flight[V]{done: landed, value: e.Value}
	}
	// One that began before a change may not show it. A process that was stopped has not heard of any.
	if anew || under == nil || !under.began.heardAsMuch(now) || time.Since(under.at) > boardTime {
		loading, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadTime)
		under = &flight[V]{done: make(chan struct{}), began: now, at: time.Now(), cancel: cancel}
		m.flights[key] = under
		go m.fly(loading, key, under, load)
	}
	under.wanted++
	return under
}

// await waits for f. A load that nobody waits for any more is stopped.
func (m *Memory[K, V]) await(ctx context.Context, key K, f *flight[V]) (V, error) {
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
	}
	m.mu.Lock()
	if f.wanted--; f.wanted == 0 {
		f.cancel()
		if m.flights[key] == f {
			delete(m.flights, key) // nobody may board it now
		}
	}
	m.mu.Unlock()
	var none V
	return none, fault.Cancelled(context.Cause(ctx), ctx.Err())
}

func (m *Memory[K, V]) valid(e *entry[V]) bool {
	if !m.follower.Whole() || e.epoch != m.follower.epoch.Load() || !e.Until.IsZero() && !m.now().Before(e.Until) {
		return false
	}
	for i, s := range e.states {
		if s.version.Load() > e.Versions[i].Version {
			return false
		}
	}
	return true
}

// fly loads key for everybody who waits, and remembers it if nothing was heard meanwhile that it does not show.
func (m *Memory[K, V]) fly(ctx context.Context, key K, f *flight[V], load func(context.Context) (Loaded[V], error)) {
	defer f.cancel()
	defer func() {
		if p := recover(); p != nil {
			f.err = fmt.Errorf("panic while loading: %v", p)
		}
		m.mu.Lock()
		if m.flights[key] == f {
			delete(m.flights, key)
		}
		m.mu.Unlock()
		close(f.done)
	}()
	loaded, err := load(ctx)
	f.value, f.err = loaded.Value, err
	if err != nil {
		m.entries.Delete(key)
		return
	}
	m.Offer(key, loaded, f.began)
}

// Stat is what a Memory holds, and how often it was asked.
type Stat struct {
	Entries int    // about
	Bytes   uint64 // about
	Bound   uint64 // the most bytes there may be
	// Hits were answered from memory; Misses were not there; Stale were there and no longer true. Evictions made room for others.
	Hits, Misses, Stale, Evictions int64
}

// Stat returns what m holds now.
func (m *Memory[K, V]) Stat() Stat {
	size := m.entries.Size()
	return Stat{
		Entries: size.Entries, Bytes: size.Weight, Bound: size.Bound,
		Hits: m.hits.Load(), Misses: m.misses.Load(), Stale: m.stale.Load(), Evictions: m.evictions.Load(),
	}
}
