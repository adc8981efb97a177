package cache_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/cache"
)

// TestFollower_Followed: the delay is told of what was just changed and heard of, not of hints about what is long past, which anybody
// can give.
func TestFollower_Followed(t *testing.T) {
	t.Parallel()
	d := &truth{versions: map[cache.Scope]int64{}}
	source := d.source()
	var mu sync.Mutex
	var delays []time.Duration
	ages := map[cache.Scope]time.Duration{}
	source.Followed = func(delay time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		delays = append(delays, delay)
	}
	versions := source.Versions
	source.Versions = func(ctx context.Context, scopes []cache.Scope, least int64) ([]cache.Change, int64, error) {
		found, position, err := versions(ctx, scopes, least)
		mu.Lock()
		defer mu.Unlock()
		for i := range found {
			found[i].Age = ages[found[i].Scope]
		}
		return found, position, err
	}
	f := cache.NewFollower(source)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { f.Run(ctx) })
	defer running.Wait()
	defer stop()
	require.Eventually(t, f.Whole, 30*time.Second, time.Millisecond)
	memory := cache.NewMemory[cache.Scope, int64](f, 1<<20)
	remember := func(age time.Duration) cache.Scope {
		s := cache.Scope{Kind: cache.Tenant, Key: uuid.New()}
		mu.Lock()
		ages[s] = age
		mu.Unlock()
		_, err := memory.Get(t.Context(), s, func(context.Context) (cache.Loaded[int64], error) {
			return cache.Loaded[int64]{Value: 1, Versions: []cache.Change{{Scope: s}}}, nil
		})
		require.NoError(t, err)
		return s
	}
	just, past := remember(7*time.Millisecond), remember(time.Hour)
	d.raise(past, true)
	d.raise(just, true)
	told := func() []time.Duration {
		mu.Lock()
		defer mu.Unlock()
		return delays
	}
	require.Eventually(t, func() bool { return len(told()) > 0 }, 30*time.Second, time.Millisecond)
	require.Equal(t, 7*time.Millisecond, told()[0])
	require.NotContains(t, told(), time.Hour)
}
