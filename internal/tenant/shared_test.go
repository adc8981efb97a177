package tenant_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/cache"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
)

// TestShared_Global: every document shows something of the flags' definitions, so that one who reads Redis directly
// must not find those from before a change.
func TestShared_Global(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	address := pgtest.Redis(t)
	db := s.Open(t, postgres.Config{})
	shared, err := tenant.OpenShared(db, tenant.SharedConfig{URL: address, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	follower := tenant.Follow(db, cache.Source{Risen: shared.Risen})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { follower.Run(ctx); close(ended) }()
	t.Cleanup(func() { stop(); <-ended; shared.Close() })
	require.Eventually(t, follower.Whole, 30*time.Second, time.Millisecond)

	options := rueidis.MustParseURL(address)
	options.DisableCache = true
	direct, err := rueidis.NewClient(options)
	require.NoError(t, err)
	t.Cleanup(direct.Close)
	stored := func() string {
		text, err := direct.Do(t.Context(), direct.B().Get().Key("tenant:"+acme+":config").Build()).ToString()
		require.True(t, err == nil || rueidis.IsRedisNil(err), err)
		return text
	}
	contexts := tenant.NewContexts(db, follower, 1<<20, shared)
	read := func(contexts *tenant.Contexts) {
		_, _, err := contexts.Read(t.Context(), identity.Caller{Role: identity.Authenticated, UserID: uuid.MustParse(olga)}, acme, tenant.Version{})
		require.NoError(t, err)
	}
	filled := func() bool { // by one that remembers nothing: a Redis that was slow once is asked again
		read(tenant.NewContexts(db, follower, 1<<20, shared))
		return stored() != ""
	}
	require.Eventually(t, filled, 30*time.Second, 10*time.Millisecond)

	s.Exec(t, `insert into feature_flags (flag_key) values ('shared_flag')`)
	require.Eventually(t, func() bool { return stored() == "" }, 30*time.Second, time.Millisecond)
	require.Eventually(t, filled, 30*time.Second, 10*time.Millisecond)
	require.Contains(t, stored(), "shared_flag")

	t.Log("one read while documents are being dropped shares its own behind that")
	read(contexts)
	require.NoError(t, direct.Do(t.Context(), direct.B().Arbitrary("CLIENT", "PAUSE").Args("300", "ALL").Build()).Error())
	s.Exec(t, `insert into feature_flags (flag_key) values ('later_flag')`)
	require.Eventually(t, func() bool { return shared.Stat().Pending > 0 }, 30*time.Second, time.Millisecond)
	read(contexts)
	require.Eventually(t, func() bool { return strings.Contains(stored(), "later_flag") }, 30*time.Second, 10*time.Millisecond)

	evicted := shared.Stat().Evictions
	s.Exec(t, `select pg_notify('vital_change', 'global:00000000-0000-0000-0000-000000000000:99999')`)
	s.Exec(t, `select pg_notify('vital_change', 'self:`+olga+`:99999')`)
	time.Sleep(300 * time.Millisecond)
	require.Equal(t, evicted, shared.Stat().Evictions, "what was forged drops nothing")
	require.NotEmpty(t, stored())
}
