package httpapi

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// A client that reads nothing, or ever so little, is given up: the connection of the database that its rows
// come from is everybody's.
func TestStream_SlowReader(t *testing.T) {
	t.Parallel()
	for name, bounds := range map[string]struct{ stall, all time.Duration }{
		"Stalls": {50 * time.Millisecond, time.Hour}, "Drips": {time.Hour, 50 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ended := make(chan error, 1)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				stream, ok := restResponder{&response{ResponseWriter: w, request: r}}.Stream(http.StatusOK, nil).(*streamWriter)
				if !ok {
					ended <- nil
					return
				}
				stream.stall, stream.ends = bounds.stall, time.Now().Add(bounds.all)
				for {
					if _, err := io.WriteString(stream, strings.Repeat("x", 1<<20)); err != nil {
						ended <- err
						return
					}
				}
			}))
			defer server.Close()
			client, err := net.Dial("tcp", server.Listener.Addr().String())
			require.NoError(t, err)
			defer client.Close()
			_, err = io.WriteString(client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			require.NoError(t, err)
			select {
			case err := <-ended:
				require.ErrorContains(t, err, "timeout")
			case <-time.After(30 * time.Second):
				t.Fatal("still being written to")
			}
		})
	}
}

// A client that reads slowly and all the time is sent everything: what the system holds back for it must not take longer to
// make room in than a client may stand still.
func TestStream_SteadyReader(t *testing.T) {
	t.Parallel()
	const sent = 7 << 20
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan error, 1)
	server := NewHTTPServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		stream := restResponder{&response{ResponseWriter: w, request: r}}.Stream(http.StatusOK, nil)
		_, err := io.WriteString(stream, strings.Repeat("x", sent))
		ended <- err
	}))
	go func() { _ = Serve(server, listener) }()
	defer server.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	defer client.Close()
	require.NoError(t, client.(*net.TCPConn).SetReadBuffer(64<<10))
	_, err = io.WriteString(client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	for begun := time.Now(); time.Since(begun) < 15*time.Second; time.Sleep(50 * time.Millisecond) { // 200 kB a second, for three times streamStall
		_, err := io.ReadFull(client, make([]byte, 10<<10))
		require.NoError(t, err)
	}
	_, err = io.CopyN(io.Discard, client, sent/2)
	require.NoError(t, err)
	client.Close()
	<-ended
}

// Nobody takes the places of all others.
func TestStreams_PlacesOfOne(t *testing.T) {
	t.Parallel()
	var places streams
	one, other := uuid.New(), uuid.New()
	for range maxStreamsOfOne {
		require.True(t, places.open(one))
	}
	require.False(t, places.open(one))
	require.True(t, places.open(other))
	places.close(one)
	require.True(t, places.open(one))
	for range maxStreamsOfOne {
		places.close(one)
	}
	places.close(other)
	require.Zero(t, places.all)
	require.Empty(t, places.of)
}
