package httpapi

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
)

// bufferBytes is what net/http gathers before it writes to a connection. An answer that is longer leaves in two
// writes or more, each of which costs the server a system call and may wake the reader for half an answer.
const bufferBytes = 4 << 10

// Serve is server.Serve with answers that leave in one write where net/http needs two.
func Serve(server *http.Server, listener net.Listener) error {
	server.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if c, ours := c.(*conn); ours {
			return context.WithValue(ctx, connKey{}, c)
		}
		return ctx
	}
	return server.Serve(connListener{listener})
}

type connKey struct{}

type connListener struct{ net.Listener }

func (l connListener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if tcp, is := accepted.(*net.TCPConn); is {
		return &conn{TCPConn: tcp}, nil
	}
	return accepted, err
}

// conn is a connection that can hold a write back until the next one, and send both at once.
type conn struct {
	*net.TCPConn

	mu      sync.Mutex
	holding bool        // the next write is to be held
	held    *[]byte     // what is held, nil for nothing
	both    [2][]byte   // what is sent at once, here so that nothing is allocated for it
	buffers net.Buffers // of both
}

var heldBytes = sync.Pool{New: func() any { b := make([]byte, 0, bufferBytes); return &b }}

// holdNext holds the next write until the one behind it. Whoever asks for it knows that there will be one; where there
// is none after all, what is held leaves before the connection is read from or its sending side is closed.
func (c *conn) holdNext() {
	c.mu.Lock()
	c.holding = true
	c.mu.Unlock()
}

func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.holding && c.held == nil && len(p) <= bufferBytes {
		c.holding, c.held = false, heldBytes.Get().(*[]byte) //nolint:forcetypeassert // nothing else is in there
		*c.held = append((*c.held)[:0], p...)
		return len(p), nil
	}
	c.holding = false
	if c.held == nil {
		return c.TCPConn.Write(p)
	}
	before := len(*c.held)
	sent, err := c.send(p)
	return max(0, int(sent)-before), err
}

// send writes what is held and then p.
func (c *conn) send(p []byte) (int64, error) {
	c.both = [2][]byte{*c.held, p}
	c.buffers = c.both[:]
	sent, err := c.buffers.WriteTo(c.TCPConn)
	c.both = [2][]byte{}
	heldBytes.Put(c.held)
	c.held = nil
	return sent, err
}

// release sends what is held, unless a write is under way, which does.
func (c *conn) release() error {
	if !c.mu.TryLock() {
		return nil
	}
	defer c.mu.Unlock()
	c.holding = false
	if c.held == nil {
		return nil
	}
	_, err := c.send(nil)
	return err
}

func (c *conn) Read(p []byte) (int, error) {
	if err := c.release(); err != nil {
		return 0, err
	}
	return c.TCPConn.Read(p)
}

func (c *conn) ReadFrom(r io.Reader) (int64, error) {
	if err := c.release(); err != nil {
		return 0, err
	}
	return c.TCPConn.ReadFrom(r)
}

func (c *conn) CloseWrite() error {
	_ = c.release() // it is closed either way
	return c.TCPConn.CloseWrite()
}
