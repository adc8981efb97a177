package cache

import (
	"context"
	"errors"

	"github.com/redis/rueidis"
)

const (
	// keysHeld is how many keys may wait to be dropped. When there are more, everything is.
	keysHeld = 10_000
	// dropped is how many are dropped in one pipeline.
	dropped = 256
)

// evictions is what must still be dropped, guarded by the link's mutex.
type evictions struct {
	number uint64           // of the last eviction
	keys   map[string]asked // to drop
	all    uint64           // the last eviction of everything, 0 when that is done
	done   chan struct{}    // closed and made anew whenever some are
}

// asked is the first and the last eviction of a key that are not done.
type asked struct{ first, last uint64 }

func (l *link) evict(keys []string) {
	l.mu.Lock()
	l.number++
	for _, key := range keys {
		a, again := l.keys[key]
		if !again {
			a.first = l.number
		}
		a.last = l.number
		l.keys[key] = a
	}
	if len(l.keys) > keysHeld {
		clear(l.keys)
		l.all = l.number
	}
	l.mu.Unlock()
	l.awake()
}

func (l *link) evictAll() {
	l.mu.Lock()
	l.number++
	clear(l.keys)
	l.all = l.number
	l.mu.Unlock()
	l.awake()
}

func (l *link) evicting(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, waits := l.keys[key]
	return waits || l.all != 0
}

// pending is how many evictions are not done; that of everything is one.
func (l *link) pending() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.keys) + int(min(l.all, 1))
}

func (l *link) settle(ctx context.Context) error {
	l.mu.Lock()
	until := l.number
	l.mu.Unlock()
	for {
		l.mu.Lock()
		left := l.all != 0
		for _, a := range l.keys {
			left = left || a.first <= until
		}
		done := l.done
		l.mu.Unlock()
		if !left {
			return nil
		}
		select {
		case <-done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// drop carries out what waits, where Redis is there.
func (l *link) drop(ctx context.Context) {
	if l.up.Load() && l.carriedOut(ctx, l.dropKeys(ctx)) {
		l.mu.Lock()
		all := l.all
		l.mu.Unlock()
		if all == 0 || !l.carriedOut(ctx, l.dropAll(ctx)) {
			return
		}
		l.mu.Lock()
		if l.all == all {
			l.all = 0
		} else { // asked for again meanwhile
			l.awake()
		}
		l.tell()
		l.mu.Unlock()
	}
}

// dropKeys drops the keys that wait.
func (l *link) dropKeys(ctx context.Context) error {
	for {
		if more, err := l.dropSome(ctx); err != nil || !more {
			return err
		}
	}
}

// dropSome drops keys that wait, and reports whether there may be more.
func (l *link) dropSome(ctx context.Context) (more bool, err error) {
	l.mu.Lock()
	var keys []string
	var last []uint64
	for key, a := range l.keys {
		if keys, last = append(keys, key), append(last, a.last); len(keys) == dropped {
			break
		}
	}
	l.mu.Unlock()
	if len(keys) == 0 {
		return false, nil
	}
	failures := l.unlink(ctx, keys...)
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, key := range keys {
		a, waits := l.keys[key]
		switch {
		case failures[i] != nil:
			err = failures[i]
			continue
		case !waits: // everything is dropped instead
		case a.last == last[i]:
			delete(l.keys, key)
		default: // asked for again meanwhile
			l.keys[key] = asked{last[i] + 1, a.last}
		}
		l.evicted.Add(1)
	}
	l.tell()
	return true, err
}

// dropAll drops whatever matches: leases first, so that nothing older than this is filled in behind the scan.
func (l *link) dropAll(ctx context.Context) error {
	masters, err := l.masters(ctx)
	for _, pattern := range []string{leaseOf(l.pattern), l.pattern} {
		for _, node := range masters {
			if err == nil {
				err = l.dropMatching(ctx, node, pattern)
			}
		}
	}
	return err
}

// dropMatching drops the keys of one server that match, or whose leases do.
func (l *link) dropMatching(ctx context.Context, node rueidis.Client, pattern string) error {
	for cursor := uint64(0); ; {
		within, cancel := context.WithTimeout(ctx, patience)
		page, err := node.Do(within, node.B().Scan().Cursor(cursor).Match(pattern).Count(1000).Build()).AsScanEntry()
		cancel()
		if err != nil {
			return err
		}
		for i, name := range page.Elements {
			page.Elements[i] = keyOf(name)
		}
		if err := errors.Join(l.unlink(ctx, page.Elements...)...); err != nil {
			return err
		}
		l.evicted.Add(int64(len(page.Elements)))
		if err := l.dropKeys(ctx); err != nil { // what changes now does not wait for the end
			return err
		}
		if cursor = page.Cursor; cursor == 0 {
			return nil
		}
	}
}

// unlink drops keys and their leases.
func (l *link) unlink(ctx context.Context, keys ...string) []error {
	failures := make([]error, len(keys))
	if len(keys) == 0 {
		return failures
	}
	within, cancel := context.WithTimeout(ctx, max(l.timeout, patience))
	defer cancel()
	commands := make(rueidis.Commands, len(keys))
	for i, key := range keys {
		commands[i] = l.client.B().Unlink().Key(key, leaseOf(key)).Build()
	}
	for i, answer := range l.client.DoMulti(within, commands...) {
		failures[i] = answer.Error()
	}
	return failures
}

// carriedOut reports whether err is nil, and takes Redis for away where it is not.
func (l *link) carriedOut(ctx context.Context, err error) bool {
	if err != nil && ctx.Err() == nil {
		l.errors.Add(1)
		l.fail(err)
	}
	return err == nil
}

// tell wakes who waits for evictions. The mutex is held.
func (l *link) tell() {
	close(l.done)
	l.done = make(chan struct{})
}
