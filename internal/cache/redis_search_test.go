package cache_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/cache"
	"github.com/vital-db/vital/internal/fault"
)

// TestSearch: every key and value of every kind is handed over, a page at a time where it is large; a tenant's keys are dropped, and no other's.
func TestSearch(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	options, err := rueidis.ParseURL(server.url)
	require.NoError(t, err)
	options.DisableCache = true
	client, err := rueidis.NewClient(options)
	require.NoError(t, err)
	defer client.Close()
	tenant, other := uuid.New(), uuid.New()
	do := func(words ...string) {
		t.Helper()
		require.NoError(t, client.Do(context.Background(), client.B().Arbitrary(words...).Build()).Error())
	}
	for _, id := range []uuid.UUID{tenant, other} {
		do("SET", "tenant:"+id.String()+":config", "{}")
		do("SET", "{tenant:"+id.String()+":config}:lease", "x")
	}
	for i := range 1200 {
		word := strings.Repeat("w", i%7)
		do("RPUSH", "list", word)
		do("HSET", "hash", word+string(rune('a'+i%26))+string(rune('a'+i/26%26))+string(rune('a'+i/676)), word)
	}
	do("RPUSH", "list", "needle-list")
	do("HSET", "hash", "needle-field", "needle-hash")
	do("SADD", "set", "needle-set")
	do("ZADD", "zset", "1", "needle-zset")
	do("XADD", "stream", "*", "needle-name", "needle-stream")
	do("SET", "needle-key", "needle-text")
	found := map[string]bool{}
	keys, err := cache.Search(t.Context(), server.url, func(key string, value []byte) error {
		for _, part := range strings.Fields(key + " " + string(value)) {
			if strings.HasPrefix(part, "needle-") {
				found[part] = true
			}
		}
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, int64(10), keys)
	for _, want := range []string{"list", "field", "hash", "set", "zset", "name", "stream", "key", "text"} {
		require.True(t, found["needle-"+want], want)
	}
	dropped, err := cache.DropTenant(t.Context(), server.url, tenant)
	require.NoError(t, err)
	require.Equal(t, int64(2), dropped)
	keys, err = cache.Search(t.Context(), server.url, func(string, []byte) error { return nil })
	require.NoError(t, err)
	require.Equal(t, int64(8), keys)

	server.kill()
	_, err = cache.Search(t.Context(), server.url, func(string, []byte) error { return nil })
	require.Equal(t, fault.ConfigInvalid, fault.CodeOf(err))
}
