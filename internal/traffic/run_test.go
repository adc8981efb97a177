package traffic

import (
	"context"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func address(server *httptest.Server) string { return strings.TrimPrefix(server.URL, "http://") }

func asking(server *httptest.Server) func(*rand.Rand) (Order, error) {
	request := Get(address(server), "/", "")
	return func(*rand.Rand) (Order, error) { return Order{Kind: "get", Bytes: request}, nil }
}

// TestRun_CountsWaiting stalls a server once: whoever was due meanwhile has waited, though one connection alone was in its way.
func TestRun_CountsWaiting(t *testing.T) {
	t.Parallel()
	const stall, rate = 200 * time.Millisecond, 500
	var n atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if n.Add(1) == rate/2 {
			time.Sleep(stall)
		}
	}))
	t.Cleanup(server.Close)
	report, err := Run(t.Context(), Config{
		Address: address(server), Steps: []Step{{Rate: rate, Lasting: 2 * time.Second}}, Connections: 1, Next: asking(server),
	})
	require.NoError(t, err)
	all := report.All()
	require.EqualValues(t, 2*rate, all.Answered)
	// A tenth of the run's requests were due while it stalled; a client that sends the next when the last is answered would have seen one.
	require.Greater(t, all.P95, 50.0)
	require.Greater(t, all.P99, 150.0)
	require.GreaterOrEqual(t, all.Max, 199.0)
	require.Less(t, all.P50, 100.0)
}

// TestRun_KeepsItsRate whatever the answers take, and sends what it can while they are out.
func TestRun_KeepsItsRate(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(100 * time.Millisecond) }))
	t.Cleanup(server.Close)
	var atSecond [2]int
	report, err := Run(t.Context(), Config{
		Address: address(server), Steps: []Step{{100, time.Second}, {200, time.Second}}, Connections: 64, Next: asking(server),
		Each: func(o Outcome) { atSecond[min(1, int(o.Due/time.Second))]++ },
	})
	require.NoError(t, err)
	require.Equal(t, [2]int{100, 200}, atSecond)
	require.InDelta(t, 100, report.All().P50, 40)
	require.EqualValues(t, 300, report.All().Answered)
}

func TestRun_TellsRefusalsApart(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		switch n.Add(1) % 4 {
		case 0:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
		case 1:
			w.WriteHeader(http.StatusTooManyRequests)
		case 2:
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(server.Close)
	report, err := Run(t.Context(), Config{Address: address(server), Steps: []Step{{200, time.Second}}, Connections: 4, Next: asking(server)})
	require.NoError(t, err)
	all := report.All()
	require.EqualValues(t, []int64{50, 100, 50, 50}, []int64{all.Answered, all.Refused, all.Failed, all.WithoutRetryAfter})
	require.EqualValues(t, 50, all.Statuses[503])
	require.Len(t, report.Kinds(), 1)
}

// TestRun_GivesUp on what could not be sent until nobody waited for it.
func TestRun_GivesUp(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-over:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(over) })
	began := time.Now()
	report, err := Run(t.Context(), Config{
		Address: address(server), Steps: []Step{{100, time.Second}}, Connections: 2, Timeout: 200 * time.Millisecond, Next: asking(server),
	})
	require.NoError(t, err)
	all := report.All()
	require.Zero(t, all.Answered)
	require.EqualValues(t, 100, all.Failed+all.Unsent)
	require.Less(t, time.Since(began), 3*time.Second, "nobody is waited for who is gone")
}

func TestRun_Ends(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := Run(ctx, Config{Address: address(server), Steps: []Step{{10, time.Hour}}, Next: asking(server)})
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestParseMix(t *testing.T) {
	t.Parallel()
	mix, err := ParseMix("context=3, list=1")
	require.NoError(t, err)
	counts, random := map[string]int{}, rand.New(rand.NewPCG(1, 1))
	for range 10_000 {
		counts[mix.draw(random)]++
	}
	require.Len(t, counts, 2)
	require.InDelta(t, 7500, counts[KindContext], 200)
	for _, bad := range []string{"", "context", "context=x", "nothing=1", "context=0", "context=-1,list=2"} {
		_, err := ParseMix(bad)
		require.Error(t, err, bad)
	}
}
