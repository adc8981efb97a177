package cache

import (
	"context"
	"errors"

	"github.com/redis/rueidis"
)

// errAway says that Redis was not asked.
var errAway = errors.New("redis is not reached")

// Each hands fn everything that is kept, some at a time: garbage are the keys whose values are not ours, or altered. What
// comes and goes meanwhile may be missed.
func (r *Redis[V]) Each(ctx context.Context, fn func(found map[string]Loaded[V], garbage []string) error) error {
	return r.Keys(ctx, func(keys []string) error {
		found, garbage, err := r.Look(ctx, keys)
		if err != nil {
			return err
		}
		return fn(found, garbage)
	})
}

// Keys hands fn every key there is, some at a time.
func (r *Redis[V]) Keys(ctx context.Context, fn func(keys []string) error) error {
	if !r.link.up.Load() {
		return errAway
	}
	masters, err := r.link.masters(ctx)
	for _, node := range masters {
		if err == nil {
			err = r.keysOf(ctx, node, fn)
		}
	}
	return err
}

// Sweep drops what stale names of everything that is kept. What was loaded before it and is not stored yet will not be.
func (r *Redis[V]) Sweep(ctx context.Context, stale func(found map[string]Loaded[V]) ([]string, error)) error {
	if !r.link.up.Load() {
		return errAway
	}
	masters, err := r.link.masters(ctx)
	for _, node := range masters {
		if err == nil {
			err = r.link.dropMatching(ctx, node, leaseOf(r.link.pattern))
		}
	}
	if err != nil {
		return err
	}
	return r.Each(ctx, func(found map[string]Loaded[V], garbage []string) error {
		keys, err := stale(found)
		r.Evict(append(keys, garbage...)...)
		return err
	})
}

func (r *Redis[V]) keysOf(ctx context.Context, node rueidis.Client, fn func([]string) error) error {
	for cursor := uint64(0); ; {
		within, cancel := context.WithTimeout(ctx, patience)
		page, err := node.Do(within, node.B().Scan().Cursor(cursor).Match(r.link.pattern).Count(1000).Build()).AsScanEntry()
		cancel()
		if err != nil {
			return err
		}
		if err := fn(page.Elements); err != nil {
			return err
		}
		if cursor = page.Cursor; cursor == 0 {
			return nil
		}
	}
}

// Look reads keys: those whose values are not ours, or altered, are garbage; one that is gone is left out.
func (r *Redis[V]) Look(ctx context.Context, keys []string) (found map[string]Loaded[V], garbage []string, err error) {
	if !r.link.up.Load() {
		return nil, nil, errAway
	}
	if len(keys) == 0 {
		return nil, nil, nil
	}
	within, cancel := context.WithTimeout(ctx, max(r.link.timeout, patience))
	defer cancel()
	commands := make(rueidis.Commands, len(keys))
	for i, key := range keys {
		commands[i] = r.link.client.B().Get().Key(key).Build()
	}
	found = make(map[string]Loaded[V], len(keys))
	for i, answer := range r.link.client.DoMulti(within, commands...) {
		value, failed := answer.ToString()
		switch {
		case rueidis.IsRedisNil(failed):
		case failed != nil:
			var wrong *rueidis.RedisError
			if !errors.As(failed, &wrong) { // else it is no string
				return nil, nil, failed
			}
			garbage = append(garbage, keys[i])
		default:
			if loaded, err := r.config.Decode(keys[i], []byte(value)); err == nil {
				found[keys[i]] = loaded
			} else {
				garbage = append(garbage, keys[i])
			}
		}
	}
	return found, garbage, nil
}
