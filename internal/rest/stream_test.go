package rest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const megabyte = 1 << 20

// heapPeak watches the heap until stop is called, which returns by how much it grew at most.
func heapPeak() (stop func() uint64) {
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var most atomic.Uint64
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			most.Store(max(most.Load(), now.HeapInuse))
			select {
			case <-ended:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	return func() uint64 {
		close(ended)
		<-done
		return most.Load() - min(most.Load(), before.HeapInuse)
	}
}

// backends counts what runs in the database beside the one who asks.
func (b *bundle) backends(state string) int {
	return one[int](b, "select count(*)::int from pg_stat_activity where datname = current_database() and usename = 'vital_api' and state = $1", state)
}

const requireIdleWithin = 20 * time.Second

func (b *bundle) requireNothingRuns() {
	b.t.Helper()
	require.Eventually(b.t, func() bool {
		return b.backends("active")+b.backends("idle in transaction")+b.backends("idle in transaction (aborted)") == 0
	}, requireIdleWithin, 20*time.Millisecond, "something still runs")
}

// TestStream_Memory is not parallel: it measures the process's heap.
func TestStream_Memory(t *testing.T) { //nolint:paralleltest // it measures the heap of the whole process
	b := setup(t)
	b.db.Exec(t, `create view api.large as select n, repeat('x', 10000) as padding from generate_series(1, 20000) n; grant select on api.large to anon`)
	require.NoError(t, b.engine.Load(context.Background()))
	b.t.Setenv("TMPDIR", t.TempDir())
	for _, c := range []struct {
		name, path, accept string
		window             string // Content-Range, where it is known before the rows
		least              int64
	}{
		{"Rows", "/large", "", "", 190 * megabyte},
		{"CSV", "/large", "text/csv", "", 190 * megabyte},
		{"SpooledCall", "/rpc/wide?megabytes=100", "", "0-99/*", 90 * megabyte},
	} {
		t.Run(c.name, func(t *testing.T) { //nolint:paralleltest // as above
			var headers []string
			if c.accept != "" {
				headers = []string{"Accept", c.accept}
			}
			stop := heapPeak()
			response, err := b.server.Client().Do(b.request(context.Background(), http.MethodGet, c.path, "", headers...))
			require.NoError(t, err)
			defer response.Body.Close()
			require.Equal(t, http.StatusOK, response.StatusCode)
			n, err := io.Copy(io.Discard, response.Body)
			require.NoError(t, err)
			grown := stop()
			require.Greater(t, n, c.least)
			require.Less(t, grown, uint64(64*megabyte), "an answer of %d MB grew the heap by %d MB", n/megabyte, grown/megabyte)
			require.Equal(t, c.window, response.Header.Get("Content-Range"))
			left, err := filepath.Glob(filepath.Join(os.TempDir(), "vital-answer-*"))
			require.NoError(t, err)
			require.Empty(t, left)
			require.Zero(t, openSpools(t), "no spool is left open")
		})
	}
	b.requireNothingRuns()
}

// openSpools counts files of spools that this process holds, whether or not they still have a name.
func openSpools(t testing.TB) int {
	t.Helper()
	links, err := filepath.Glob("/proc/self/fd/*")
	require.NoError(t, err)
	n := 0
	for _, link := range links {
		target, err := os.Readlink(link)
		if err == nil && filepath.Dir(target) == os.TempDir() && len(filepath.Base(target)) > 13 && filepath.Base(target)[:13] == "vital-answer-" {
			n++
		}
	}
	return n
}

// TestStream_ClientGone: a client that goes away in mid-stream frees its connection, and the statement ends.
func TestStream_ClientGone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.db.Exec(t, `create view api.endless as select n, repeat('x', 1000) as padding from (select generate_series(1, 100000000) as n) s; grant select on api.endless to anon`)
	require.NoError(t, b.engine.Load(context.Background()))
	for range 6 { // more than there are connections
		ctx, cancel := context.WithCancel(context.Background())
		response, err := b.server.Client().Do(b.request(ctx, http.MethodGet, "/endless", ""))
		require.NoError(t, err)
		_, err = io.ReadFull(response.Body, make([]byte, 3*megabyte))
		require.NoError(t, err)
		cancel()
		response.Body.Close()
	}
	b.requireNothingRuns()
	require.Equal(t, 200, b.get("/films").status)
}

// TestStream_ErrorCuts: an error in mid-stream cuts the connection, so that no client takes half for whole.
func TestStream_ErrorCuts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, accept := range []string{"application/json", "text/csv"} {
		response, err := b.server.Client().Do(b.request(context.Background(), http.MethodGet, "/broken", "", "Accept", accept))
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, response.StatusCode, "rows were on their way")
		content, err := io.ReadAll(response.Body)
		response.Body.Close()
		require.True(t, errors.Is(err, io.ErrUnexpectedEOF), "%v after %d bytes", err, len(content))
		require.NotEmpty(t, content)
		require.NotEqual(t, byte(']'), content[len(content)-1])
	}
	requireError(t, b.get("/broken?select=quotient&n=gt.4990&n=lt.5010"), 400, "22012")
	requireError(t, b.get("/broken", "Accept", "application/vnd.pgrst.object+json"), 400, "22012")
	requireError(t, b.get("/broken?order=n&limit=2", "Prefer", "count=exact"), 400, "22012")
	b.requireNothingRuns()
}

// TestStream_Whole: what is streamed and what is kept whole read the same.
func TestStream_Whole(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got := b.get("/broken?select=n&n=lt.5000&order=n")
	require.Equal(t, 200, got.status)
	require.NotEmpty(t, got.header.Get("Etag"), "short enough to be kept whole")
	require.Equal(t, "0-4998/*", got.header.Get("Content-Range"))
	response, err := b.server.Client().Do(b.request(context.Background(), http.MethodGet, "/broken?select=n,padding&n=lt.5000&order=n&offset=10", ""))
	require.NoError(t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Empty(t, response.Header.Get("Content-Range"), "it is not known before the rows, and may not follow them")
	require.Equal(t, byte(']'), content[len(content)-1])
	counted := b.get("/broken?select=n,padding&n=lt.5000&order=n&limit=3000", "Prefer", "count=exact")
	require.Equal(t, 206, counted.status)
	require.Equal(t, "0-2999/"+strconv.Itoa(4999), counted.header.Get("Content-Range"))
}
