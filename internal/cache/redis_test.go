package cache_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/cache"
	"github.com/vital-db/vital/internal/fault"
)

// signed is how the suite's rows lie in Redis: JSON that anybody can read, with a MAC that only VITAL can make.
type signed struct {
	row
	MAC []byte `json:"mac"`
}

func encodeRow(_ string, l cache.Loaded[row]) ([]byte, error) {
	return json.Marshal(signed{l.Value, macOf(l.Value)})
}

func decodeRow(key string, value []byte) (cache.Loaded[row], error) {
	var s signed
	if err := json.Unmarshal(value, &s); err != nil {
		return cache.Loaded[row]{}, err
	}
	if s.Key != key || !hmac.Equal(s.MAC, macOf(s.row)) {
		return cache.Loaded[row]{}, errors.New("altered")
	}
	return loadedRow(s.row), nil
}

func macOf(r row) []byte {
	mac := hmac.New(sha256.New, []byte("secret"))
	_ = json.NewEncoder(mac).Encode(r)
	return mac.Sum(nil)
}

// logged is a log to look at.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logged) count(text string) int { return strings.Count(l.String(), text) }

const (
	saysDown = "redis is not reached"
	saysBack = "redis is back"
)

// openRedis opens an instance that waits long enough for a busy machine, unless the test is about that.
func openRedis(t *testing.T, server *redisServer, changes ...func(*cache.RedisConfig[row])) (*cache.Redis[row], *logged) {
	t.Helper()
	log := &logged{}
	config := cache.RedisConfig[row]{URL: server.url, Timeout: 5 * time.Second, Encode: encodeRow, Decode: decodeRow,
		Log: slog.New(slog.NewTextHandler(log, nil))}
	for _, change := range changes {
		change(&config)
	}
	r, err := cache.OpenRedis(config)
	require.NoError(t, err)
	t.Cleanup(r.Close)
	return r, log
}

// one is an instance and its database, for what only Redis can do.
type one struct {
	*harness
	server *redisServer
	redis  *cache.Redis[row]
	log    *logged
}

func newOne(t *testing.T, server *redisServer, changes ...func(*cache.RedisConfig[row])) *one {
	t.Helper()
	r, log := openRedis(t, server, changes...)
	l := &inRedis{instances: [2]*cache.Redis[row]{r, r}, db: &truth{versions: map[cache.Scope]int64{}}}
	return &one{&harness{level: l, db: l.db}, server, r, log}
}

func (o *one) eventually(t *testing.T, what func(cache.RedisStat) bool) {
	t.Helper()
	require.Eventually(t, func() bool { return what(o.redis.Stat()) }, 30*time.Second, 10*time.Millisecond)
}

func isUp(s cache.RedisStat) bool      { return !s.Down }
func isSettled(s cache.RedisStat) bool { return !s.Down && s.Pending == 0 }

func peek(direct rueidis.Client, key string) (row, bool) {
	text, err := direct.Do(context.Background(), direct.B().Get().Key(key).Build()).ToString()
	if err != nil {
		return row{}, false
	}
	var value row
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return row{Key: "garbage: " + text}, true
	}
	return value, true
}

func do(t *testing.T, direct rueidis.Client, words ...string) rueidis.RedisMessage {
	t.Helper()
	answer, err := direct.Do(t.Context(), direct.B().Arbitrary(words...).Build()).ToMessage()
	require.True(t, err == nil || rueidis.IsRedisNil(err), "%v: %v", words, err)
	return answer
}

func TestRedis_DownAtStart(t *testing.T) {
	t.Parallel()
	o, key := newOne(t, newRedis(t)), keyOf(1)
	for range 3 {
		require.Equal(t, o.current(key), o.ask(t, key))
	}
	require.EqualValues(t, 3, o.loads.Load())
	require.True(t, o.redis.Stat().Down)
	require.Equal(t, 1, o.log.count(saysDown))
	o.server.start(t)
	o.eventually(t, isUp)
	o.ask(t, key)
	o.ask(t, key)
	require.EqualValues(t, 4, o.loads.Load())
	require.Equal(t, 1, o.log.count(saysDown), o.log)
	require.Equal(t, 1, o.log.count(saysBack), o.log)
}

// TestRedis_OnScript: each script is told of by name to whoever waited for it, with how it ended and nothing it was about.
func TestRedis_OnScript(t *testing.T) {
	t.Parallel()
	type key struct{}
	var mu sync.Mutex
	var told []cache.Script
	o := newOne(t, startRedis(t), func(c *cache.RedisConfig[row]) {
		c.OnScript = func(ctx context.Context, s cache.Script) {
			mu.Lock()
			defer mu.Unlock()
			if ctx.Value(key{}) != nil {
				told = append(told, s)
			}
		}
	})
	get := func(ctx context.Context) {
		_, _ = o.redis.Get(context.WithValue(ctx, key{}, true), keyOf(1), func(context.Context, *cache.Loaded[row]) (cache.Loaded[row], bool, error) {
			if ctx.Err() != nil {
				return cache.Loaded[row]{}, false, ctx.Err()
			}
			return cache.Loaded[row]{Value: row{Key: keyOf(1)}}, false, nil
		})
	}
	get(t.Context())
	gone, leave := context.WithCancel(t.Context())
	leave()
	get(gone)
	do(t, o.server.connect(t), "CONFIG", "SET", "maxmemory", "1")
	get(t.Context())
	var got []string
	for _, s := range told {
		require.Positive(t, s.Duration)
		got = append(got, s.Name+":"+s.Code)
	}
	require.Equal(t, []string{"read:", "fill:", "read:cancelled"}, got[:3])
	require.Contains(t, got[3:], "replace:OOM")
}

func TestRedis_RestartedEmpty(t *testing.T) {
	t.Parallel()
	o, key := newOne(t, startRedis(t)), keyOf(1)
	o.ask(t, key)
	o.server.kill()
	want := o.db.raise(scopeOf(key), false)
	o.redis.Evict(key)
	for range 50 {
		require.Equal(t, want, o.ask(t, key).Version)
	}
	o.eventually(t, func(s cache.RedisStat) bool { return s.Down && s.Pending == 1 })
	require.Equal(t, 1, o.log.count(saysDown), o.log)
	o.server.start(t)
	require.Eventually(t, func() bool {
		o.redis.Evict(keyOf(2)) // what changes meanwhile does not put it off
		return isUp(o.redis.Stat())
	}, 30*time.Second, 10*time.Millisecond)
	o.eventually(t, isSettled)
	require.Equal(t, 1, o.log.count(saysBack), o.log)
	o.loads.Store(0)
	require.Equal(t, want, o.ask(t, key).Version)
	require.Equal(t, want, o.ask(t, key).Version)
	require.EqualValues(t, 1, o.loads.Load())
}

// TestRedis_RestartedWithOldData brings back what was evicted, as a restart from an old dump and a failover to a
// replica that lags do.
func TestRedis_RestartedWithOldData(t *testing.T) {
	t.Parallel()
	o, key := newOne(t, startRedis(t)), keyOf(1)
	o.ask(t, key)
	direct := o.server.connect(t)
	do(t, direct, "SET", "others", "kept")
	do(t, direct, "SAVE")
	want := o.write(key)
	require.NoError(t, o.redis.Settle(t.Context()))
	o.server.kill()
	o.server.start(t)
	// Nobody asks: who reads directly must not depend on it. The old value is there until the restart is noticed.
	require.Eventually(t, func() bool {
		seen, found := peek(direct, key)
		return !found || seen.Version == want
	}, 30*time.Second, 10*time.Millisecond)
	o.eventually(t, isSettled)
	require.Equal(t, want, o.ask(t, key).Version)
	seen, found := peek(direct, key)
	require.True(t, found)
	require.Equal(t, want, seen.Version)
	others := do(t, direct, "GET", "others")
	text, _ := others.ToString()
	require.Equal(t, "kept", text)
}

func TestRedis_Hangs(t *testing.T) {
	t.Parallel()
	o, key := newOne(t, startRedis(t), func(c *cache.RedisConfig[row]) { c.Timeout = 50 * time.Millisecond }), keyOf(1)
	o.eventually(t, isUp)
	require.Eventually(t, func() bool {
		o.ask(t, key)
		_, found := peek(o.server.connect(t), key)
		return found
	}, 30*time.Second, 10*time.Millisecond)
	o.server.signal(t, syscall.SIGSTOP)
	began, failed := time.Now(), o.redis.Stat().Errors
	want := o.db.raise(scopeOf(key), false)
	o.redis.Evict(key) // it hangs, or is kept for later
	o.redis.Evict(keyOf(2))
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			for range 100 {
				asked := keyOf(i%2*2 + 1)
				answer, err := o.get(context.Background(), asked, o.read(asked))
				if err != nil || answer != o.current(asked) {
					t.Errorf("got %v (%v)", answer, err)
				}
			}
		})
	}
	all.Wait()
	require.LessOrEqual(t, o.redis.Stat().Errors-failed, int64(25), "a Redis that hangs is left alone")
	time.Sleep(2*time.Second - time.Since(began))
	require.True(t, o.redis.Stat().Down)
	require.Equal(t, 2, o.redis.Stat().Pending)
	o.server.signal(t, syscall.SIGCONT)
	o.eventually(t, isSettled)
	_, found := peek(o.server.connect(t), key)
	require.False(t, found)
	require.Equal(t, want, o.ask(t, key).Version)
	require.LessOrEqual(t, o.log.count("\n"), 4, o.log) // a busy machine may have hung before, or hang again
}

// TestRedis_UnfinishedEviction asks while an eviction hangs, before anybody has noticed that.
func TestRedis_UnfinishedEviction(t *testing.T) {
	t.Parallel()
	o, key := newOne(t, startRedis(t)), keyOf(1)
	o.ask(t, key)
	goOn := o.stopped(keyOf(2))
	o.server.signal(t, syscall.SIGSTOP)
	o.redis.Evict(key, keyOf(2))
	require.Equal(t, o.current(key), o.ask(t, key))
	goOn()
	require.Equal(t, cache.RedisStat{Misses: 2, Refused: 1, Pending: 2}, o.redis.Stat(), "neither read nor filled")
	o.server.signal(t, syscall.SIGCONT)
	o.eventually(t, isSettled)
	o.loads.Store(0)
	o.ask(t, key)
	o.ask(t, key)
	require.EqualValues(t, 1, o.loads.Load())
}

// TestRedis_EvictedAgain evicts a key while an eviction of it is under way, which may have passed it already.
func TestRedis_EvictedAgain(t *testing.T) {
	t.Parallel()
	o := newOne(t, startRedis(t))
	require.Eventually(t, func() bool {
		before := o.redis.Stat().Evictions
		o.server.signal(t, syscall.SIGSTOP)
		o.redis.Evict(keyOf(1))
		time.Sleep(20 * time.Millisecond) // it is sent
		o.redis.Evict(keyOf(1))
		o.redis.Evict(keyOf(1))
		o.server.signal(t, syscall.SIGCONT)
		_ = o.redis.Settle(context.Background())
		return o.redis.Stat().Evictions-before == 2
	}, 30*time.Second, 10*time.Millisecond)
}

func TestRedis_NotOurs(t *testing.T) {
	t.Parallel()
	o, key, other := newOne(t, startRedis(t)), keyOf(1), keyOf(2)
	direct := o.server.connect(t)
	o.ask(t, key)
	o.ask(t, other)
	ours := do(t, direct, "GET", key)
	text, _ := ours.ToString()
	for name, put := range map[string][]string{
		"garbage": {"SET", key, "garbage"}, "empty": {"SET", key, ""}, "binary": {"SET", key, "\x00\xff"},
		"altered":      {"SET", key, strings.Replace(text, `"version":0`, `"version":7`, 1)},
		"another's":    {"COPY", other, key, "REPLACE"},
		"another type": {"EVAL", "redis.call('DEL', KEYS[1]); return redis.call('RPUSH', KEYS[1], 'x')", "1", key},
	} {
		do(t, direct, put...)
		loads := o.loads.Load()
		require.Equal(t, o.current(key), o.ask(t, key), name)
		require.Equal(t, loads+1, o.loads.Load(), name)
		seen, found := peek(direct, key)
		require.True(t, found && seen == o.current(key), "%s: %v", name, seen)
	}
	require.EqualValues(t, 5, o.redis.Stat().Garbage)
	require.Zero(t, o.redis.Stat().Errors)
}

// TestRedis_Overdue finds a value whose time is over, as with a clock that is behind: the database is not even asked.
func TestRedis_Overdue(t *testing.T) {
	t.Parallel()
	o, key := newOne(t, startRedis(t)), keyOf(1)
	old := o.current(key)
	old.Until = time.Now().Add(-time.Second).UTC().Truncate(time.Second)
	value, err := encodeRow("", loadedRow(old))
	require.NoError(t, err)
	_, err = decodeRow(key, value)
	require.NoError(t, err)
	do(t, o.server.connect(t), "SET", key, string(value))
	require.Equal(t, o.current(key), o.ask(t, key))
	require.Equal(t, cache.RedisStat{Stale: 1}, o.redis.Stat())
	require.Equal(t, o.current(key), o.ask(t, key))
	require.EqualValues(t, 1, o.redis.Stat().Hits)
}

// TestRedis_Flaps works whenever it is tried and fails when it is used: the log says so once.
func TestRedis_Flaps(t *testing.T) {
	t.Parallel()
	o, key := newOne(t, startRedis(t)), keyOf(1)
	do(t, o.server.connect(t), "ACL", "SETUSER", "default", "resetkeys", "~tenant:probe:*", "~{tenant:probe:*")
	for began := time.Now(); time.Since(began) < 3500*time.Millisecond; time.Sleep(5 * time.Millisecond) {
		require.Equal(t, o.current(key), o.ask(t, key))
	}
	errors := o.redis.Stat().Errors
	require.Greater(t, errors, int64(1))
	require.Less(t, errors, int64(10), "tried once a second")
	require.Equal(t, 2, o.log.count("\n"), o.log)
}

func TestRedis_FlushedBetweenMissAndFill(t *testing.T) {
	t.Parallel()
	o, key := newOne(t, startRedis(t)), keyOf(1)
	direct := o.server.connect(t)
	goOn := o.stopped(key)
	do(t, direct, "FLUSHALL")
	require.Equal(t, o.current(key), goOn())
	_, found := peek(direct, key)
	require.False(t, found)
	require.EqualValues(t, 1, o.redis.Stat().Refused)
	// The same for a value that is replaced.
	o.ask(t, key)
	o.db.raise(scopeOf(key), false)
	goOn = o.stopped(key)
	do(t, direct, "FLUSHALL")
	goOn()
	_, found = peek(direct, key)
	require.False(t, found)
	require.EqualValues(t, 2, o.redis.Stat().Refused)
	require.EqualValues(t, 1, o.redis.Stat().Stale)
}

// TestRedis_StaleIsReplaced lets a change pass unheard: what is in Redis is old, and is found out.
func TestRedis_StaleIsReplaced(t *testing.T) {
	t.Parallel()
	o, key := newOne(t, startRedis(t)), keyOf(1)
	direct := o.server.connect(t)
	o.ask(t, key)
	o.db.raise(scopeOf(key), false)
	older := o.stopped(key) // has found version 0, reads version 1
	want := o.db.raise(scopeOf(key), false)
	require.Equal(t, want, o.ask(t, key).Version)
	seen, _ := peek(direct, key)
	require.Equal(t, want, seen.Version)
	require.EqualValues(t, 1, older().Version)
	seen, _ = peek(direct, key)
	require.Equal(t, want, seen.Version, "an older fill does not replace a newer value")
	require.Equal(t, cache.RedisStat{Misses: 1, Stale: 2, Refused: 1}, o.redis.Stat())
	// An eviction passes who would replace.
	o.db.raise(scopeOf(key), false)
	older = o.stopped(key)
	o.write(key)
	older()
	_, found := peek(direct, key)
	require.False(t, found)
}

// TestRedis_LeaseDoesNotOverwrite fills a key that somebody else has written since it was missing.
func TestRedis_LeaseDoesNotOverwrite(t *testing.T) {
	t.Parallel()
	o, key := newOne(t, startRedis(t)), keyOf(1)
	direct := o.server.connect(t)
	older := o.stopped(key)
	do(t, direct, "SET", key, "garbage")
	want := o.db.raise(scopeOf(key), false)
	require.Equal(t, want, o.ask(t, key).Version)
	older()
	seen, _ := peek(direct, key)
	require.Equal(t, want, seen.Version)
}

func TestRedis_OneLease(t *testing.T) {
	t.Parallel()
	o, key := newOne(t, startRedis(t)), keyOf(1)
	direct := o.server.connect(t)
	first := o.stopped(key)
	o.ask(t, key)
	_, found := peek(direct, key)
	require.False(t, found, "who has no lease does not fill")
	first()
	seen, found := peek(direct, key)
	require.True(t, found)
	require.Equal(t, o.current(key), seen)
	left := do(t, direct, "PTTL", key)
	ms, _ := left.AsInt64()
	require.Greater(t, ms, int64(4*60*1000))
	require.LessOrEqual(t, ms, int64(5*60*1000))
	keys := do(t, direct, "KEYS", "*")
	names, _ := keys.AsStrSlice()
	require.Equal(t, []string{key}, names, "no lease is left")
	// A panic gives it back.
	func() {
		defer func() { _ = recover() }()
		_, _ = o.get(t.Context(), keyOf(2), func(context.Context) (row, error) { panic("oh") })
	}()
	o.ask(t, keyOf(2))
	_, found = peek(direct, keyOf(2))
	require.True(t, found)
}

// TestRedis_TooManyEvictions drops everything of ours, and nothing else, when more was evicted in an outage than is kept.
func TestRedis_TooManyEvictions(t *testing.T) {
	t.Parallel()
	o := newOne(t, startRedis(t))
	direct := o.server.connect(t)
	for i := range 3000 {
		do(t, direct, "SET", keyOf(i), "{}")
	}
	do(t, direct, "SET", "{"+keyOf("missing")+"}:lease", "somebody's")
	do(t, direct, "SET", "tenant:1:session", "others'")
	o.server.signal(t, syscall.SIGSTOP)
	for i := range 10_001 {
		o.redis.Evict(keyOf(i))
	}
	require.Less(t, o.redis.Stat().Pending, 10_001, "what waits is bounded")
	o.server.signal(t, syscall.SIGCONT)
	o.eventually(t, isSettled)
	keys := do(t, direct, "KEYS", "*")
	names, _ := keys.AsStrSlice()
	require.Equal(t, []string{"tenant:1:session"}, names)
}

func TestRedis_EvictAll(t *testing.T) {
	t.Parallel()
	o := newOne(t, startRedis(t))
	stopped := o.stopped(keyOf("slow"))
	for i := range 20 {
		o.ask(t, keyOf(i))
	}
	o.redis.EvictAll()
	require.NoError(t, o.redis.Settle(t.Context()))
	stopped()
	names := do(t, o.server.connect(t), "KEYS", "*")
	left, _ := names.AsStrSlice()
	require.Empty(t, left, "a load that began before does not fill")
	o.loads.Store(0)
	o.ask(t, keyOf(1))
	o.ask(t, keyOf(1))
	require.EqualValues(t, 1, o.loads.Load())
}

// TestRedis_Full has no memory left: what is there is read, nothing is added, and it is no outage.
func TestRedis_Full(t *testing.T) {
	t.Parallel()
	o, key := newOne(t, startRedis(t)), keyOf(1)
	direct := o.server.connect(t)
	o.ask(t, key)
	do(t, direct, "CONFIG", "SET", "maxmemory", "1")
	o.ask(t, key)
	require.EqualValues(t, 1, o.redis.Stat().Hits)
	o.ask(t, keyOf(2))
	want := o.db.raise(scopeOf(key), false)
	require.Equal(t, want, o.ask(t, key).Version)
	require.False(t, o.redis.Stat().Down)
	o.redis.Evict(key)
	require.NoError(t, o.redis.Settle(t.Context()))
	_, found := peek(direct, key)
	require.False(t, found)
}

// TestRedis_LeastPrivilege connects as a user who may do what is needed and nothing else. Without INFO it works too, but
// a restart from an old dump goes unnoticed.
func TestRedis_LeastPrivilege(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	direct := server.connect(t)
	do(t, direct, "ACL", "SETUSER", "vital", "on", ">pw", "~tenant:*", "~{tenant:*", "-@all",
		"+hello", "+ping", "+eval", "+evalsha", "+get", "+set", "+del", "+unlink", "+scan", "+info")
	for _, change := range [][]string{{"+info"}, {"-info"}} {
		do(t, direct, append([]string{"ACL", "SETUSER", "vital"}, change...)...)
		o := newOne(t, server, func(c *cache.RedisConfig[row]) { c.URL = strings.Replace(c.URL, "unix://", "unix://vital:pw@", 1) })
		require.False(t, o.redis.Stat().Down, o.log)
		o.ask(t, keyOf(1))
		o.ask(t, keyOf(1))
		require.EqualValues(t, 1, o.redis.Stat().Hits)
		o.redis.EvictAll()
		require.NoError(t, o.redis.Settle(t.Context()))
		_, found := peek(direct, keyOf(1))
		require.False(t, found)
	}
}

func TestRedis_CallerGoes(t *testing.T) {
	t.Parallel()
	o, key := newOne(t, startRedis(t)), keyOf(1)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := o.get(gone, key, o.read(key))
	require.NoError(t, err)
	require.False(t, o.redis.Stat().Down, "that somebody is gone says nothing about Redis")
	require.Zero(t, o.redis.Stat().Errors)
}

func TestRedis_SlotOfScripts(t *testing.T) {
	t.Parallel()
	server := startCluster(t)
	direct := server.connect(t)
	slots := map[int64]bool{}
	for i := range 20 {
		key := do(t, direct, "CLUSTER", "KEYSLOT", keyOf(i))
		lease := do(t, direct, "CLUSTER", "KEYSLOT", "{"+keyOf(i)+"}:lease")
		slot, _ := key.AsInt64()
		other, _ := lease.AsInt64()
		require.Equal(t, slot, other)
		slots[slot] = true
	}
	require.Greater(t, len(slots), 10, "tenants are spread")
}

func TestRedis_Close(t *testing.T) {
	t.Parallel()
	o, key := newOne(t, startRedis(t)), keyOf(1)
	direct := o.server.connect(t)
	o.ask(t, key)
	o.redis.Evict(key)
	o.redis.Close()
	_, found := peek(direct, key)
	require.False(t, found, "what was evicted is dropped before the end")
	require.Equal(t, o.current(key), o.ask(t, key))
	hangs := newOne(t, startRedis(t))
	hangs.server.signal(t, syscall.SIGSTOP)
	hangs.redis.Evict(key)
	hangs.redis.Close() // returns
	require.NotContains(t, o.log.String()+hangs.log.String(), saysDown)
}

func TestOpenRedis_Invalid(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"", "nonsense", "redis:", "redis://", "http://u:hunter2@host", "redis://u:hunter2@host:port", "redis://u:hunter2@host/zero",
		"redis://u:hunter2/@host:1/0", "redis://u:hunter2%zz@host", "unix://u:hunter2@", "redis://u:hunter2@host/0/1", "redis://u:hunter2@host?db=x",
	} {
		_, err := cache.OpenRedis(cache.RedisConfig[row]{URL: address})
		require.Equal(t, fault.ConfigInvalid, fault.CodeOf(err), address)
		require.ErrorContains(t, err, "VITAL_REDIS_URL")
		require.NotContains(t, fmt.Sprintf("%+v", err), "hunter2")
	}
}

// TestRedis_PasswordIsNotLogged talks to a server that refuses, one that quotes what it does not understand included.
func TestRedis_PasswordIsNotLogged(t *testing.T) {
	t.Parallel()
	quotes, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = quotes.Close() })
	go func() {
		for {
			conn, err := quotes.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				lines := bufio.NewScanner(conn)
				for lines.Scan() {
					if strings.HasPrefix(lines.Text(), "*") {
						_, _ = fmt.Fprint(conn, "-ERR unknown command 'AUTH', with args beginning with: 'hunter2'\r\n")
					}
				}
			}()
		}
	}()
	for _, address := range []string{
		"redis://u:hunter2@" + quotes.Addr().String(),
		strings.Replace(startRedis(t, "--requirepass", "another").url, "unix://", "unix://:hunter2@", 1),
		"redis://u:hunter2@127.0.0.1:1",
	} {
		log := &logged{}
		r, err := cache.OpenRedis(cache.RedisConfig[row]{URL: address, Encode: encodeRow, Decode: decodeRow, Log: slog.New(slog.NewTextHandler(log, nil))})
		require.NoError(t, err)
		r.Close()
		require.Equal(t, 1, log.count(saysDown), "%s: %s", address, log)
		require.NotContains(t, log.String(), "hunter2")
		t.Log(log)
	}
}

// TestRedis_NeverReached: what looks at everything says so, too.
func TestRedis_NeverReached(t *testing.T) {
	t.Parallel()
	o := newOne(t, newRedis(t))
	require.Error(t, o.redis.Sweep(t.Context(), func(map[string]cache.Loaded[row]) ([]string, error) { return nil, nil }))
	require.Error(t, o.redis.Each(t.Context(), func(map[string]cache.Loaded[row], []string) error { return nil }))
	_, _, err := o.redis.Look(t.Context(), []string{keyOf(1)})
	require.Error(t, err)
}
