package cache_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/cache"
)

// row is what the suite's database holds for a key.
type row struct {
	Key     string    `json:"key"`
	Version int64     `json:"version"`
	Until   time.Time `json:"until,omitzero"`
}

// level is a cache as the suite sees it.
type level interface {
	// get answers through the cache, and reads the database where that is needed.
	get(ctx context.Context, key string, read func(context.Context) (row, error)) (row, error)
	// changed carries out what follows a change of key.
	changed(key string)
	// peek returns what somebody sees who asks the cache alone.
	peek(key string) (row, bool)
}

// harness is a level over a database.
type harness struct {
	level
	db        *truth
	loads     atomic.Int64
	validated bool // each answer is asked for in the database
}

func scopeOf(key string) cache.Scope {
	return cache.Scope{Kind: "tenant", Key: uuid.NewSHA1(uuid.Nil, []byte(key))}
}

func keyOf(tenant any) string { return fmt.Sprintf("tenant:%v:config", tenant) }

func (h *harness) current(key string) row { return row{Key: key, Version: h.db.version(scopeOf(key))} }

func (h *harness) read(key string) func(context.Context) (row, error) {
	return func(context.Context) (row, error) {
		h.loads.Add(1)
		return h.current(key), nil
	}
}

// write changes key, and returns when caches know.
func (h *harness) write(key string) int64 {
	version := h.db.raise(scopeOf(key), false)
	h.changed(key)
	return version
}

func (h *harness) ask(t *testing.T, key string) row {
	t.Helper()
	answer, err := h.get(t.Context(), key, h.read(key))
	require.NoError(t, err)
	require.Equal(t, key, answer.Key)
	return answer
}

// inMemory is the first level.
type inMemory struct {
	follower *cache.Follower
	memory   *cache.Memory[string, row]
	db       *truth
}

func newInMemory(t *testing.T) *inMemory {
	t.Helper()
	db, follower := follow(t)
	memory := cache.NewMemory[string, row](follower, 1<<20)
	return &inMemory{follower, memory, db}
}

func (l *inMemory) get(ctx context.Context, key string, read func(context.Context) (row, error)) (row, error) {
	return l.memory.Get(ctx, key, func(ctx context.Context) (cache.Loaded[row], error) {
		value, err := read(ctx)
		return loadedRow(value), err
	})
}

func loadedRow(value row) cache.Loaded[row] {
	return cache.Loaded[row]{Value: value, Bytes: 64, Until: value.Until,
		Versions: []cache.Change{{Scope: scopeOf(value.Key), Version: value.Version}}}
}

func (l *inMemory) changed(key string) {
	l.follower.Settle(context.Background(), []string{hint(scopeOf(key), l.db.version(scopeOf(key)))})
}

func (l *inMemory) peek(key string) (row, bool) { return l.memory.Recall(key) }

// inRedis is the second level: two instances over one server, and who reads it directly.
type inRedis struct {
	instances [2]*cache.Redis[row]
	next      atomic.Int64
	direct    rueidis.Client
	db        *truth
}

func newInRedis(t *testing.T, server *redisServer) *inRedis {
	t.Helper()
	l := &inRedis{direct: server.connect(t), db: &truth{versions: map[cache.Scope]int64{}}}
	for i := range l.instances {
		l.instances[i], _ = openRedis(t, server)
	}
	return l
}

func (l *inRedis) get(ctx context.Context, key string, read func(context.Context) (row, error)) (row, error) {
	instance := l.instances[int(l.next.Add(1))%len(l.instances)]
	return instance.Get(ctx, key, func(ctx context.Context, known *cache.Loaded[row]) (cache.Loaded[row], bool, error) {
		if known != nil && known.Value.Version == l.db.version(scopeOf(key)) {
			return *known, true, nil
		}
		value, err := read(ctx)
		return loadedRow(value), false, err
	})
}

// changed is carried out by either instance, before the other one has heard of it.
func (l *inRedis) changed(key string) {
	instance := l.instances[rand.IntN(len(l.instances))]
	instance.Evict(key)
	_ = instance.Settle(context.Background())
}

func (l *inRedis) peek(key string) (row, bool) { return peek(l.direct, key) }

// both is memory over Redis, as a server has them.
type both struct {
	memory *inMemory
	redis  *inRedis
}

func newBoth(t *testing.T, server *redisServer) *both {
	t.Helper()
	l := &both{newInMemory(t), newInRedis(t, server)}
	l.redis.db = l.memory.db
	return l
}

func (l *both) get(ctx context.Context, key string, read func(context.Context) (row, error)) (row, error) {
	return l.memory.get(ctx, key, func(ctx context.Context) (row, error) { return l.redis.get(ctx, key, read) })
}

func (l *both) changed(key string) {
	l.memory.changed(key)
	l.redis.changed(key)
}

func (l *both) peek(key string) (row, bool) {
	near, ok := l.memory.peek(key)
	far, also := l.redis.peek(key)
	if ok && (!also || near.Version < far.Version) {
		return near, true
	}
	return far, also
}

// naive is the cache everybody writes first.
type naive struct {
	mu     sync.Mutex
	values map[string]row
}

func (l *naive) get(ctx context.Context, key string, read func(context.Context) (row, error)) (row, error) {
	if value, ok := l.peek(key); ok {
		return value, nil
	}
	value, err := read(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.values[key] = value
	}
	return value, err
}

func (l *naive) changed(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.values, key)
}

func (l *naive) peek(key string) (row, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	value, ok := l.values[key]
	return value, ok
}

func overMemory(t *testing.T) *harness {
	t.Helper()
	l := newInMemory(t)
	return &harness{level: l, db: l.db}
}

func overRedis(t *testing.T) *harness {
	t.Helper()
	l := newInRedis(t, startRedis(t))
	return &harness{level: l, db: l.db, validated: true}
}

func overCluster(t *testing.T) *harness {
	t.Helper()
	l := newInRedis(t, startCluster(t))
	return &harness{level: l, db: l.db, validated: true}
}

func overBoth(t *testing.T) *harness {
	t.Helper()
	l := newBoth(t, startRedis(t))
	return &harness{level: l, db: l.memory.db}
}

// TestConformance holds every level to the same.
func TestConformance(t *testing.T) {
	t.Parallel()
	levels := map[string]func(*testing.T) *harness{
		"Memory": overMemory, "Redis": overRedis, "Cluster": overCluster, "MemoryOverRedis": overBoth,
	}
	cases := map[string]func(*testing.T, *harness){
		"HitAfterFill": hitAfterFill, "ErrorIsNotKept": errorIsNotKept, "ChangePassesLoad": changePassesLoad,
		"OlderFillLosesToNewer": olderFillLosesToNewer, "KeysDoNotMix": keysDoNotMix, "Expires": expires, "Model": model,
	}
	for name, open := range levels {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for name, hold := range cases {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					hold(t, open(t))
				})
			}
		})
	}
}

func hitAfterFill(t *testing.T, h *harness) {
	t.Helper()
	key := keyOf(1)
	_, found := h.peek(key)
	require.False(t, found)
	for range 4 {
		require.Equal(t, h.current(key), h.ask(t, key))
	}
	require.EqualValues(t, 1, h.loads.Load(), "a miss loads, a hit does not")
	remembered, found := h.peek(key)
	require.True(t, found)
	require.Equal(t, h.current(key), remembered)
	want := h.write(key)
	for range 4 {
		require.Equal(t, want, h.ask(t, key).Version)
	}
	require.EqualValues(t, 2, h.loads.Load())
}

func errorIsNotKept(t *testing.T, h *harness) {
	t.Helper()
	key, wrong := keyOf(1), errors.New("wrong")
	for range 3 {
		_, err := h.get(t.Context(), key, func(context.Context) (row, error) { return row{}, wrong })
		require.ErrorIs(t, err, wrong)
		_, found := h.peek(key)
		require.False(t, found)
	}
	require.Equal(t, h.current(key), h.ask(t, key))
	_, found := h.peek(key)
	require.True(t, found, "who failed does not keep others from filling")
}

// stopped begins to get key and stops between reading and storing. The function it returns lets it go on, and returns
// its answer.
func (h *harness) stopped(key string) (goOn func() row) {
	read, proceed, answer := make(chan struct{}), make(chan struct{}), make(chan row, 1)
	go func() {
		value, _ := h.get(context.Background(), key, func(ctx context.Context) (row, error) {
			value, err := h.read(key)(ctx)
			close(read)
			<-proceed
			return value, err
		})
		answer <- value
	}()
	<-read
	return func() row { close(proceed); return <-answer }
}

// passed lets a change pass a load, and returns the version there is and what is remembered then.
func passed(h *harness) (want int64, remembered row, found bool) {
	key := keyOf(1)
	goOn := h.stopped(key)
	want = h.write(key)
	goOn()
	remembered, found = h.peek(key)
	return want, remembered, found
}

// overtaken is passed, with somebody else who loads and stores what there is after the change.
func overtaken(h *harness) (want int64, remembered row, found bool) {
	key := keyOf(1)
	goOn := h.stopped(key)
	want = h.write(key)
	_, _ = h.get(context.Background(), key, h.read(key))
	goOn()
	remembered, found = h.peek(key)
	return want, remembered, found
}

func changePassesLoad(t *testing.T, h *harness) {
	t.Helper()
	want, remembered, found := passed(h)
	require.False(t, found, "remembered version %d, changed to %d while it was read", remembered.Version, want)
	require.Equal(t, want, h.ask(t, keyOf(1)).Version)
}

func olderFillLosesToNewer(t *testing.T, h *harness) {
	t.Helper()
	want, remembered, found := overtaken(h)
	require.True(t, !found || remembered.Version == want, "remembered version %d over %d", remembered.Version, want)
	require.Equal(t, want, h.ask(t, keyOf(1)).Version)
}

// TestNaive shows that the cases above are no formality.
func TestNaive_RemembersWhatIsGone(t *testing.T) {
	t.Parallel()
	for name, race := range map[string]func(*harness) (int64, row, bool){"passed": passed, "overtaken": overtaken} {
		h := &harness{level: &naive{values: map[string]row{}}, db: &truth{versions: map[cache.Scope]int64{}}}
		want, remembered, found := race(h)
		require.True(t, found, name)
		require.Less(t, remembered.Version, want, name)
		require.Less(t, h.ask(t, keyOf(1)).Version, want, "%s: and serves it to whoever asks", name)
	}
}

func keysDoNotMix(t *testing.T, h *harness) {
	t.Helper()
	var all sync.WaitGroup
	for tenant := range 20 {
		for range 3 {
			all.Go(func() {
				key := keyOf(tenant)
				for n := range 5 {
					answer, err := h.get(context.Background(), key, h.read(key))
					if err != nil || answer.Key != key {
						t.Errorf("%s got %v (%v)", key, answer, err)
					}
					if n == 2 && tenant%2 == 0 {
						h.write(key)
					}
					if seen, ok := h.peek(key); ok && seen.Key != key {
						t.Errorf("%s shows %v", key, seen)
					}
				}
			})
		}
	}
	all.Wait()
}

func expires(t *testing.T, h *harness) {
	t.Helper()
	key := keyOf(1)
	brief := func(ctx context.Context) (row, error) {
		value, err := h.read(key)(ctx)
		value.Until = time.Now().Add(50 * time.Millisecond)
		return value, err
	}
	_, err := h.get(t.Context(), key, brief)
	require.NoError(t, err)
	time.Sleep(60 * time.Millisecond)
	_, found := h.peek(key)
	require.False(t, found)
	_, err = h.get(t.Context(), key, brief)
	require.NoError(t, err)
	require.EqualValues(t, 2, h.loads.Load())
}

// model reads and changes at random, at once. Nobody is answered, and nobody sees directly, what is older than the
// last change that was carried out when they began; where each answer is validated, than the last change.
func model(t *testing.T, h *harness) {
	t.Helper()
	const keys = 3
	var carriedOut [keys]atomic.Int64
	stop := make(chan struct{})
	var readers, writers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				i := rand.IntN(keys)
				least := carriedOut[i].Load()
				if seen, found := h.peek(keyOf(i)); found && seen.Version < least {
					t.Errorf("%s shows %d after %d", keyOf(i), seen.Version, least)
				}
				if h.validated {
					least = h.db.version(scopeOf(keyOf(i)))
				}
				answer, err := h.get(context.Background(), keyOf(i), h.read(keyOf(i)))
				if err != nil || answer.Key != keyOf(i) || answer.Version < least {
					t.Errorf("%s got %v after %d (%v)", keyOf(i), answer, least, err)
					return
				}
			}
		})
	}
	for i := range keys {
		writers.Go(func() {
			for range 150 {
				carriedOut[i].Store(h.write(keyOf(i)))
				time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	for i := range keys {
		require.Equal(t, h.db.version(scopeOf(keyOf(i))), h.ask(t, keyOf(i)).Version)
	}
}
