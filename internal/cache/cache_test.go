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
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/cache"
	"github.com/vital-db/vital/internal/fault"
)

// truth is a database of versions, and who listens to it.
type truth struct {
	mu       sync.Mutex
	versions map[cache.Scope]int64
	heard    func(string)
	lost     func()
	fails    bool
	position int64
	looked   int
	stopped  atomic.Bool // nothing is said of how current what was heard is, as where the process was stopped
}

func (d *truth) source() cache.Source {
	return cache.Source{
		Listen: func(ctx context.Context, heard func(string), current func(time.Time), lost func()) {
			d.mu.Lock()
			d.heard, d.lost = heard, lost
			d.mu.Unlock()
			heard("")
			for ctx.Err() == nil {
				if !d.stopped.Load() {
					current(time.Now())
				}
				time.Sleep(10 * time.Millisecond)
			}
			lost()
		},
		Versions: func(_ context.Context, scopes []cache.Scope, least int64) (found []cache.Change, position int64, err error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.looked++
			if d.fails || d.position < least {
				return nil, 0, errors.New("the database is away")
			}
			for _, s := range scopes {
				found = append(found, cache.Change{Scope: s, Version: d.versions[s]})
			}
			return found, d.position, nil
		},
	}
}

func (d *truth) version(s cache.Scope) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.versions[s]
}

// looks is how often versions were looked up.
func (d *truth) looks() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.looked
}

func (d *truth) hear(payload string) {
	d.mu.Lock()
	heard := d.heard
	d.mu.Unlock()
	heard(payload)
}

func (d *truth) lose() {
	d.mu.Lock()
	lost := d.lost
	d.mu.Unlock()
	lost()
}

// raise commits a change, and notifies where it is not to be kept quiet.
func (d *truth) raise(s cache.Scope, notify bool) int64 {
	d.mu.Lock()
	d.versions[s]++
	version, heard := d.versions[s], d.heard
	d.mu.Unlock()
	if notify {
		heard(fmt.Sprintf("%s:%s:%d", s.Kind, s.Key, version))
	}
	return version
}

func follow(t *testing.T) (*truth, *cache.Follower) {
	t.Helper()
	d := &truth{versions: map[cache.Scope]int64{}}
	f := cache.NewFollower(d.source())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { f.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	require.Eventually(t, f.Whole, 30*time.Second, time.Millisecond)
	return d, f
}

func tenantScope() cache.Scope { return cache.Scope{Kind: "tenant", Key: uuid.New()} }

func memory(t *testing.T, f *cache.Follower) *cache.Memory[string, int64] {
	t.Helper()
	m := cache.NewMemory[string, int64](f, 1<<20)
	return m
}

// reading loads the version of s, counting loads.
func reading(d *truth, s cache.Scope, loads *atomic.Int64) func(context.Context) (cache.Loaded[int64], error) {
	return func(context.Context) (cache.Loaded[int64], error) {
		loads.Add(1)
		v := d.version(s)
		return cache.Loaded[int64]{Value: v, Versions: []cache.Change{{Scope: s, Version: v}}, Bytes: 8}, nil
	}
}

func TestMemory_ServesUntilAVersionRises(t *testing.T) {
	t.Parallel()
	d, f := follow(t)
	m, s, loads := memory(t, f), tenantScope(), &atomic.Int64{}
	get := func() int64 {
		v, err := m.Get(t.Context(), "key", reading(d, s, loads))
		require.NoError(t, err)
		return v
	}
	require.Zero(t, get())
	require.Zero(t, get())
	require.EqualValues(t, 1, loads.Load())
	want := d.raise(s, true)
	require.Eventually(t, func() bool { return get() == want }, 30*time.Second, time.Millisecond)
	require.EqualValues(t, 2, loads.Load())
	require.Equal(t, want, get())
}

func TestMemory_ForgedHintDropsNothing(t *testing.T) {
	t.Parallel()
	d, f := follow(t)
	m, s, loads := memory(t, f), tenantScope(), &atomic.Int64{}
	_, err := m.Get(t.Context(), "key", reading(d, s, loads))
	require.NoError(t, err)
	for range 100 {
		d.hear("tenant:" + s.Key.String() + ":1000000")
	}
	d.hear("tenant:nonsense:1")
	d.hear("garbage")
	require.Eventually(t, func() bool { return d.looks() > 0 }, 30*time.Second, time.Millisecond)
	time.Sleep(20 * time.Millisecond)
	_, err = m.Get(t.Context(), "key", reading(d, s, loads))
	require.NoError(t, err)
	require.EqualValues(t, 1, loads.Load())
	require.Less(t, d.looks(), 50, "hints are gathered")
}

func TestMemory_OthersChangesAreNotLookedUp(t *testing.T) {
	t.Parallel()
	d, f := follow(t)
	m, loads := memory(t, f), &atomic.Int64{}
	_, err := m.Get(t.Context(), "key", reading(d, tenantScope(), loads))
	require.NoError(t, err)
	before := d.looks()
	for range 100 {
		d.raise(tenantScope(), true)
	}
	time.Sleep(20 * time.Millisecond)
	require.LessOrEqual(t, d.looks(), before+1, "that of the position")
}

// TestMemory_ReplicaLacksWhatNobodyLookedAt: nothing rests on a scope that changes, so nobody looks it up; a replica
// that has come to the last position then still shows it as it was, and that is not remembered.
func TestMemory_ReplicaLacksWhatNobodyLookedAt(t *testing.T) {
	t.Parallel()
	d, f := follow(t)
	m, s := memory(t, f), tenantScope()
	lagging := reading(d, s, &atomic.Int64{})
	old, err := lagging(t.Context())
	require.NoError(t, err)
	looks, want := d.looks(), d.raise(s, true)
	got, err := m.Get(t.Context(), "key", func(context.Context) (cache.Loaded[int64], error) { return old, nil })
	require.NoError(t, err)
	require.Equal(t, old.Value, got)
	got, err = m.Get(t.Context(), "key", lagging)
	require.NoError(t, err)
	require.Equal(t, want, got, "it is remembered as it was")
	require.Eventually(t, func() bool { return d.looks() > looks }, 30*time.Second, time.Millisecond, "nobody finds out how far the log is")
}

// TestFollower_RisenOnlyOfWhatWasHeard: who subscribes, or asks for a confirmation, has nothing dropped that is shared.
func TestFollower_RisenOnlyOfWhatWasHeard(t *testing.T) {
	t.Parallel()
	d := &truth{versions: map[cache.Scope]int64{}}
	source := d.source()
	var told atomic.Int64
	source.Risen = func(changes []cache.Change) { told.Add(int64(len(changes))) }
	f := cache.NewFollower(source)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { f.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	require.Eventually(t, f.Whole, 30*time.Second, time.Millisecond)
	s := tenantScope()
	known := cache.Change{Scope: s}
	looks := d.looks()
	defer f.Subscribe(known).Close()
	require.Eventually(t, func() bool { return d.looks() > looks }, 30*time.Second, time.Millisecond)
	require.True(t, f.Confirm(t.Context(), []cache.Change{known}, 0))
	require.False(t, f.Confirm(t.Context(), []cache.Change{known}, 1), "the log has not come that far")
	time.Sleep(20 * time.Millisecond)
	require.Zero(t, told.Load())
	d.raise(s, true)
	require.Eventually(t, func() bool { return told.Load() == 1 }, 30*time.Second, time.Millisecond)
}

// TestMemory_EvictionPassesALoad stops a load between reading and storing while a change passes. What was read
// is the answer of who asked before the change, and must not be remembered.
func TestMemory_EvictionPassesALoad(t *testing.T) {
	t.Parallel()
	d, f := follow(t)
	m, s, loads := memory(t, f), tenantScope(), &atomic.Int64{}
	read, goOn := make(chan struct{}), make(chan struct{})
	answer := make(chan int64, 1)
	go func() {
		v, _ := m.Get(context.Background(), "key", func(ctx context.Context) (cache.Loaded[int64], error) {
			loaded, err := reading(d, s, loads)(ctx)
			close(read)
			<-goOn
			return loaded, err
		})
		answer <- v
	}()
	<-read
	want := d.raise(s, true)
	// Who asks after the change does not get what was read before.
	got, err := m.Get(t.Context(), "key", reading(d, s, loads))
	require.NoError(t, err)
	require.Equal(t, want, got)
	close(goOn)
	require.Zero(t, <-answer)
	got, err = m.Get(t.Context(), "key", reading(d, s, loads))
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestMemory_NothingServedUnheard(t *testing.T) {
	t.Parallel()
	d, f := follow(t)
	m, s, loads := memory(t, f), tenantScope(), &atomic.Int64{}
	get := func() int64 {
		v, err := m.Get(t.Context(), "key", reading(d, s, loads))
		require.NoError(t, err)
		return v
	}
	get()
	d.lose()
	want := d.raise(s, false) // nobody hears it
	require.Equal(t, want, get())
	require.Equal(t, want, get())
	require.EqualValues(t, 3, loads.Load())
	want = d.raise(s, false)
	d.hear("") // listening again
	require.Eventually(t, f.Whole, 30*time.Second, time.Millisecond)
	require.Equal(t, want, get())
	require.Equal(t, want, get())
	require.EqualValues(t, 4, loads.Load())
}

func TestMemory_UnreadableVersionsForget(t *testing.T) {
	t.Parallel()
	d, f := follow(t)
	m, s, loads := memory(t, f), tenantScope(), &atomic.Int64{}
	_, err := m.Get(t.Context(), "key", reading(d, s, loads))
	require.NoError(t, err)
	d.mu.Lock()
	d.fails = true
	d.mu.Unlock()
	want := d.raise(s, true)
	require.Eventually(t, func() bool {
		v, err := m.Get(t.Context(), "key", reading(d, s, loads))
		return err == nil && v == want
	}, 30*time.Second, time.Millisecond)
}

func TestMemory_OwnCommit(t *testing.T) {
	t.Parallel()
	d, f := follow(t)
	m, s, loads := memory(t, f), tenantScope(), &atomic.Int64{}
	get := func() int64 {
		v, err := m.Get(t.Context(), "key", reading(d, s, loads))
		require.NoError(t, err)
		return v
	}
	get()
	want := d.raise(s, false) // not heard yet
	f.Settle(t.Context(), []string{hint(s, want)})
	require.Equal(t, want, get())
	require.Equal(t, want, get())
	require.EqualValues(t, 2, loads.Load())
	// A load that read before the change is not remembered either.
	other, read, goOn := tenantScope(), make(chan struct{}), make(chan struct{})
	done := make(chan struct{})
	go func() {
		_, _ = m.Get(context.Background(), "other", func(ctx context.Context) (cache.Loaded[int64], error) {
			loaded, err := reading(d, other, loads)(ctx)
			close(read)
			<-goOn
			return loaded, err
		})
		close(done)
	}()
	<-read
	want = d.raise(other, false)
	f.Settle(t.Context(), []string{hint(other, want)})
	close(goOn)
	<-done
	v, err := m.Get(t.Context(), "other", reading(d, other, loads))
	require.NoError(t, err)
	require.Equal(t, want, v)
}

// hint is what is notified of a change.
func hint(s cache.Scope, version int64) string {
	return fmt.Sprintf("%s:%s:%d", s.Kind, s.Key, version)
}

// TestMemory_EverythingMayHaveChanged: a hint at very many changes has all looked at, and drops nothing that is true.
func TestMemory_EverythingMayHaveChanged(t *testing.T) {
	t.Parallel()
	d, f := follow(t)
	m, one, other, loads := memory(t, f), tenantScope(), tenantScope(), &atomic.Int64{}
	get := func(key string, s cache.Scope) int64 {
		v, err := m.Get(t.Context(), key, reading(d, s, loads))
		require.NoError(t, err)
		return v
	}
	get("one", one)
	get("other", other)
	want, before := d.raise(one, false), d.looks()
	for range 100 { // anybody can say so
		d.hear("*")
	}
	require.Eventually(t, func() bool { return get("one", one) == want }, 30*time.Second, time.Millisecond)
	get("other", other)
	require.EqualValues(t, 3, loads.Load())
	require.LessOrEqual(t, d.looks()-before, 2)
	require.Zero(t, f.Stat().Forgotten-1, "only at its beginning")

	want = d.raise(other, false)
	f.Settle(t.Context(), []string{"*"})
	require.Equal(t, want, get("other", other))
}

func TestMemory_ErrorsAreNotRemembered(t *testing.T) {
	t.Parallel()
	d, f := follow(t)
	m, s, loads := memory(t, f), tenantScope(), &atomic.Int64{}
	_, err := m.Get(t.Context(), "key", func(context.Context) (cache.Loaded[int64], error) {
		return cache.Loaded[int64]{}, errors.New("no")
	})
	require.Error(t, err)
	_, err = m.Get(t.Context(), "key", func(context.Context) (cache.Loaded[int64], error) { panic("oh") })
	require.ErrorContains(t, err, "oh")
	v, err := m.Get(t.Context(), "key", reading(d, s, loads))
	require.NoError(t, err)
	require.Zero(t, v)
}

func TestMemory_OneLoadForMany(t *testing.T) {
	t.Parallel()
	d, f := follow(t)
	m, s, loads := memory(t, f), tenantScope(), &atomic.Int64{}
	began, goOn := make(chan struct{}, 50), make(chan struct{})
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			_, err := m.Get(context.Background(), "key", func(ctx context.Context) (cache.Loaded[int64], error) {
				began <- struct{}{}
				<-goOn
				return reading(d, s, loads)(ctx)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	<-began
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := m.Get(gone, "key", reading(d, s, loads))
	require.ErrorIs(t, err, context.Canceled)
	close(goOn)
	all.Wait()
	require.EqualValues(t, 1, loads.Load())
}

func TestMemory_ALoadNobodyWaitsForIsStopped(t *testing.T) {
	t.Parallel()
	_, f := follow(t)
	m := memory(t, f)
	began, stopped := make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-began
		cancel()
	}()
	_, err := m.Get(ctx, "key", func(ctx context.Context) (cache.Loaded[int64], error) {
		close(began)
		<-ctx.Done()
		close(stopped)
		return cache.Loaded[int64]{}, ctx.Err()
	})
	require.Equal(t, fault.RequestCancelled, fault.CodeOf(err))
	select {
	case <-stopped:
	case <-time.After(30 * time.Second):
		t.Fatal("it goes on")
	}
}

func TestMemory_Until(t *testing.T) {
	t.Parallel()
	d, f := follow(t)
	m, s, loads := memory(t, f), tenantScope(), &atomic.Int64{}
	load := func(ctx context.Context) (cache.Loaded[int64], error) {
		loaded, err := reading(d, s, loads)(ctx)
		loaded.Until = time.Now().Add(10 * time.Millisecond)
		return loaded, err
	}
	_, _ = m.Get(t.Context(), "key", load)
	time.Sleep(15 * time.Millisecond)
	_, _ = m.Get(t.Context(), "key", load)
	require.EqualValues(t, 2, loads.Load())
}

func TestMemory_Bounded(t *testing.T) {
	t.Parallel()
	d, f := follow(t)
	m, loads := memory(t, f), &atomic.Int64{}
	for i := range 5000 {
		load := reading(d, tenantScope(), loads)
		_, err := m.Get(t.Context(), fmt.Sprint(i), func(ctx context.Context) (cache.Loaded[int64], error) {
			loaded, err := load(ctx)
			loaded.Bytes = 1000
			return loaded, err
		})
		require.NoError(t, err)
	}
	require.EqualValues(t, 1<<20, m.Stat().Bound)
	require.Eventually(t, func() bool {
		s := m.Stat()
		return s.Bytes <= s.Bound && s.Entries < 1000 && int64(s.Entries)+s.Evictions == 5000
	}, 30*time.Second, 10*time.Millisecond)
}

// TestMemory_NeverOlderThanHeard reads and raises at random: whoever asks after a change was heard and looked up
// gets nothing older, and memory ends up true.
func TestMemory_NeverOlderThanHeard(t *testing.T) {
	t.Parallel()
	d, f := follow(t)
	m, loads := memory(t, f), &atomic.Int64{}
	scopes := []cache.Scope{tenantScope(), tenantScope(), tenantScope()}
	var raised [3]atomic.Int64 // by this process, which knows at once
	stop := make(chan struct{})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				i := rand.IntN(len(scopes))
				least := raised[i].Load()
				v, err := m.Get(context.Background(), fmt.Sprint(i), reading(d, scopes[i], loads))
				if err != nil || v < least {
					t.Errorf("got %d after %d was raised (%v)", v, least, err)
					return
				}
			}
		})
	}
	require.Eventually(t, func() bool { return loads.Load() > 0 }, 30*time.Second, time.Millisecond)
	for range 2000 {
		i := rand.IntN(len(scopes))
		version := d.raise(scopes[i], rand.IntN(2) == 0)
		f.Settle(context.Background(), []string{hint(scopes[i], version)})
		raised[i].Store(version)
	}
	close(stop)
	all.Wait()
	for i, s := range scopes {
		v, err := m.Get(t.Context(), fmt.Sprint(i), reading(d, s, loads))
		require.NoError(t, err)
		require.Equal(t, d.version(s), v)
	}
}

func TestSubscription(t *testing.T) {
	t.Parallel()
	d, f := follow(t)
	s := tenantScope()
	sub := f.Subscribe(cache.Change{Scope: s, Version: 0}, cache.Change{Scope: cache.Global, Version: 0})
	defer sub.Close()
	quiet := func() {
		t.Helper()
		select {
		case <-sub.C:
			t.Fatal("nothing has changed")
		case <-time.After(20 * time.Millisecond):
		}
	}
	hears := func() {
		t.Helper()
		select {
		case <-sub.C:
		case <-time.After(30 * time.Second):
			t.Fatal("nothing was heard")
		}
	}
	quiet()
	d.raise(s, true)
	hears()
	d.raise(tenantScope(), true)
	d.hear("tenant:" + s.Key.String() + ":99")
	quiet()
	d.raise(cache.Global, true)
	hears()
	d.hear("")
	hears()
	// What rose between reading and subscribing is told.
	d.raise(s, false)
	late := f.Subscribe(cache.Change{Scope: s, Version: 1})
	defer late.Close()
	select {
	case <-late.C:
	case <-time.After(30 * time.Second):
		t.Fatal("the change before was not told")
	}
}

func BenchmarkMemory_Hit(b *testing.B) {
	d := &truth{versions: map[cache.Scope]int64{}}
	f := cache.NewFollower(d.source())
	go f.Run(b.Context())
	for !f.Whole() {
		time.Sleep(time.Millisecond)
	}
	m := cache.NewMemory[string, int64](f, 1<<20)
	load := reading(d, tenantScope(), &atomic.Int64{})
	b.ReportAllocs()
	for b.Loop() {
		_, _ = m.Get(b.Context(), "key", load)
	}
}

// A process that was stopped finds what it missed lying in the connection, and is asked before it has read it.
func TestMemory_StoppedAndWoken(t *testing.T) {
	t.Parallel()
	d, f := follow(t)
	m, s, loads := memory(t, f), tenantScope(), &atomic.Int64{}
	get := func() int64 {
		v, err := m.Get(t.Context(), "key", reading(d, s, loads))
		require.NoError(t, err)
		return v
	}
	require.Zero(t, get())
	d.stopped.Store(true)
	want := d.raise(s, false) // told, and not heard yet
	time.Sleep(1800 * time.Millisecond)
	require.False(t, f.Whole())
	require.Equal(t, want, get())
	d.stopped.Store(false)
	require.Eventually(t, f.Whole, 30*time.Second, time.Millisecond)
	require.Equal(t, want, get())
	before := loads.Load()
	require.Equal(t, want, get())
	require.Equal(t, before, loads.Load(), "and it remembers again")
}

// What was heard and cannot be looked up is not served for as long as that takes.
func TestMemory_LookHangs(t *testing.T) {
	t.Parallel()
	d := &truth{versions: map[cache.Scope]int64{}}
	source := d.source()
	versions, hang := source.Versions, make(chan struct{})
	source.Versions = func(ctx context.Context, scopes []cache.Scope, least int64) ([]cache.Change, int64, error) {
		if scopes[0] != cache.Global {
			<-hang
		}
		return versions(ctx, scopes, least)
	}
	f := cache.NewFollower(source)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { f.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	require.Eventually(t, f.Whole, 30*time.Second, time.Millisecond)
	m, s, loads := memory(t, f), tenantScope(), &atomic.Int64{}
	_, err := m.Get(t.Context(), "key", reading(d, s, loads))
	require.NoError(t, err)
	want := d.raise(s, true)
	time.Sleep(1800 * time.Millisecond)
	got, err := m.Get(t.Context(), "key", reading(d, s, loads))
	require.NoError(t, err)
	require.Equal(t, want, got)
	close(hang)
	require.Eventually(t, f.Whole, 30*time.Second, time.Millisecond)
}

// What a process has committed is shown to whoever asks afterwards, also while nothing is heard.
func TestMemory_OwnCommitUnheard(t *testing.T) {
	t.Parallel()
	d, f := follow(t)
	m, s := memory(t, f), tenantScope()
	d.lose()
	reading, release := make(chan struct{}), make(chan struct{})
	slow := make(chan int64, 1)
	go func() {
		v, _ := m.Get(t.Context(), "key", func(context.Context) (cache.Loaded[int64], error) {
			v := d.version(s)
			close(reading)
			<-release
			return cache.Loaded[int64]{Value: v, Versions: []cache.Change{{Scope: s, Version: v}}}, nil
		})
		slow <- v
	}()
	<-reading
	want := d.raise(s, false)
	f.Settle(t.Context(), []string{fmt.Sprintf("tenant:%s:%d", s.Key, want)})
	after := make(chan int64, 1)
	go func() {
		v, _ := m.Get(t.Context(), "key", func(context.Context) (cache.Loaded[int64], error) {
			return cache.Loaded[int64]{Value: d.version(s)}, nil
		})
		after <- v
	}()
	select {
	case v := <-after:
		require.Equal(t, want, v)
	case <-time.After(5 * time.Second):
		require.Fail(t, "it waits for a load that began before the commit")
	}
	close(release)
	<-slow
}
