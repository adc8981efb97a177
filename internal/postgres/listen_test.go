package postgres_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/postgres"
)

// TestListen_Lost: a listener says when it hears nothing any more, and when it hears again.
func TestListen_Lost(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	var mu sync.Mutex
	var events []string
	note := func(s string) { mu.Lock(); events = append(events, s); mu.Unlock() }
	seen := func(want ...string) {
		t.Helper()
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			mu.Lock()
			defer mu.Unlock()
			assert.Equal(c, want, events)
		}, 30*time.Second, 10*time.Millisecond)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		b.db.Listen(ctx, "mine", func(p string) { note("heard " + p) }, func(time.Time) {}, func() { note("lost") })
		close(done)
	}()
	seen("heard ")
	b.exec("notify mine, 'one'")
	seen("heard ", "heard one")
	time.Sleep(1500 * time.Millisecond) // longer than the silence after which the connection is tried
	b.exec("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and (query = 'listen \"mine\"' or query like '-- ping%' and usename = 'vital_service')")
	seen("heard ", "heard one", "lost", "heard ")
	b.exec("notify mine, 'two'")
	seen("heard ", "heard one", "lost", "heard ", "heard two")
	cancel()
	<-done
	seen("heard ", "heard one", "lost", "heard ", "heard two", "lost")
}

// TestListen_Current: a listener to whom nothing is told says again and again that it hears, with hardly a pause: what is
// remembered rests on that.
func TestListen_Current(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Second)
	defer cancel()
	said := 0
	b.db.Listen(ctx, "mine", func(string) {}, func(time.Time) { said++ }, func() {})
	require.Greater(t, said, 6, "in six seconds, where every quarter of one would make 24")
}
