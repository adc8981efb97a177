package bounded_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/bounded"
)

const (
	wait = 10 * time.Second
	tick = time.Millisecond
)

func TestNew_StaysWithinItsBound(t *testing.T) {
	t.Parallel()
	m := bounded.New[int, string](100)
	m.Set(1, "one")
	value, ok := m.Get(1)
	require.True(t, ok)
	require.Equal(t, "one", value)
	m.Delete(1)
	_, ok = m.Get(1)
	require.False(t, ok)
	for i := range 10_000 {
		m.Set(i, "many")
	}
	require.Eventually(t, func() bool { return m.Size().Entries <= 100 }, wait, tick)
}

func TestWeighed_TellsWhatIsGone(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	gone := map[bool]int{}
	m := bounded.Weighed[string](1000, func(v uint32) uint32 { return v }, func(_ uint32, evicted bool) {
		mu.Lock()
		defer mu.Unlock()
		gone[evicted]++
	})
	m.Set("a", 10)
	require.Eventually(t, func() bool { return m.Size() == bounded.Size{Entries: 1, Weight: 10, Bound: 1000} }, wait, tick)
	m.Delete("a")
	for _, name := range []string{"b", "c", "d", "e"} {
		m.Set(name, 400)
	}
	require.Eventually(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return gone[false] == 1 && gone[true] == 2 && m.Size().Weight <= 1000
	}, wait, tick)
}
