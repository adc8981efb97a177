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
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				stream, ok := restResponder{&response{ResponseWriter: w}}.Stream(http.StatusOK, nil).(*streamWriter)
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
