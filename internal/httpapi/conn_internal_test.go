package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// serveBytes answers with as many bytes as ?n says, in two writes; ?whole=false says no length.
func serveBytes(t *testing.T) (address string) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := NewHTTPServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		if r.URL.Query().Get("whole") != "false" {
			w.Header().Set("Content-Length", strconv.Itoa(n))
		}
		out, text := &response{ResponseWriter: w, request: r}, bytes.Repeat([]byte("x"), n)
		_, _ = out.Write(text[:n/2])
		_, _ = out.Write(text[n/2:])
	}))
	served := make(chan error, 1)
	go func() { served <- Serve(server, listener) }()
	t.Cleanup(func() {
		require.NoError(t, server.Close())
		require.ErrorIs(t, <-served, http.ErrServerClosed)
	})
	return listener.Addr().String()
}

// TestConn_EverySize asks for bodies around every bound on one connection, so that an answer that is held for ever, cut
// or mixed with another is seen.
func TestConn_EverySize(t *testing.T) {
	t.Parallel()
	address := serveBytes(t)
	for _, last := range []string{"keep-alive", "close"} {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		require.NoError(t, err)
		require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
		reader := bufio.NewReader(c)
		ask := func(method string, n int, whole bool, connection string) {
			_, err := fmt.Fprintf(c, "%s /?n=%d&whole=%t HTTP/1.1\r\nHost: x\r\nConnection: %s\r\n\r\n", method, n, whole, connection)
			require.NoError(t, err)
			got, err := http.ReadResponse(reader, &http.Request{Method: method})
			require.NoError(t, err)
			body, err := io.ReadAll(got.Body)
			require.NoError(t, err)
			require.NoError(t, got.Body.Close())
			if method == http.MethodHead {
				n = 0
			}
			require.Equal(t, strings.Repeat("x", n), string(body))
		}
		for _, around := range []int{0, 2048, bufferBytes - 128, bufferBytes, 2 * bufferBytes, 3*bufferBytes - 128, 1 << 20} {
			for n := max(0, around-8); n < around+8; n++ {
				ask(http.MethodGet, n, true, "keep-alive")
				ask(http.MethodHead, n, true, "keep-alive")
				ask(http.MethodGet, n, false, "keep-alive")
			}
		}
		ask(http.MethodGet, 5000, true, last)
		require.NoError(t, c.Close())
	}
}

// TestConn_OneWrite sees in how many pieces an answer arrives at a reader that reads as soon as there is something.
func TestConn_OneWrite(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	accepted := make(chan net.Conn, 1)
	go func() {
		c, _ := connListener{listener}.Accept()
		accepted <- c
	}()
	client, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", listener.Addr().String())
	require.NoError(t, err)
	defer client.Close()
	c, ours := (<-accepted).(*conn)
	require.True(t, ours)
	defer c.Close()
	read := func() string {
		require.NoError(t, client.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
		b := make([]byte, 64)
		n, _ := client.Read(b)
		return string(b[:n])
	}
	write := func(text string) {
		n, err := c.Write([]byte(text))
		require.NoError(t, err)
		require.Len(t, text, n)
	}

	c.holdNext()
	write("head")
	require.Empty(t, read(), "it waits")
	write("body")
	require.Equal(t, "headbody", read(), "both come at once")
	write("next")
	require.Equal(t, "next", read(), "nothing is held that was not asked for")

	c.holdNext()
	write("head")
	require.NoError(t, c.SetReadDeadline(time.Now()))
	_, err = c.Read(make([]byte, 1))
	require.Error(t, err)
	require.Equal(t, "head", read(), "nothing is held while the next request is waited for")

	c.holdNext()
	write("head")
	n, err := c.ReadFrom(strings.NewReader("body"))
	require.NoError(t, err)
	require.EqualValues(t, 4, n)
	require.Eventually(t, func() bool { return read() != "" }, 30*time.Second, time.Millisecond)

	c.holdNext()
	write("head")
	require.NoError(t, c.CloseWrite())
	require.Equal(t, "head", read())
}

// TestConn_Gone: a client that leaves in the midst of an answer leaves nothing behind that another one gets.
func TestConn_Gone(t *testing.T) {
	t.Parallel()
	address := serveBytes(t)
	var asking sync.WaitGroup
	for i := range 8 {
		asking.Go(func() {
			for n := range 200 {
				ctx, cancel := context.WithCancel(t.Context())
				request, _ := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s/?n=%d", address, bufferBytes+i*100+n), nil)
				got, err := http.DefaultClient.Do(request)
				if err != nil {
					t.Error(err)
				} else {
					if n%3 != 0 {
						body, err := io.ReadAll(got.Body)
						if err != nil || len(body) != bufferBytes+i*100+n {
							t.Errorf("%d bytes, %v", len(body), err)
						}
					}
					_ = got.Body.Close()
				}
				cancel()
			}
		})
	}
	asking.Wait()
}
