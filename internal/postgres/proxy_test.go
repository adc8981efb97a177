package postgres_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"
)

// proxy stands between the server's tenant pool and the database. It counts who speaks in turn, keeps
// what the client says, and can be told to break the line.
type proxy struct {
	listener net.Listener
	target   string

	mu       sync.Mutex
	lines    []net.Conn
	turns    int  // times the client began to speak
	client   bool // the client spoke last
	said     bytes.Buffer
	breakAt  string // when the client says this, it is handed on but the answer is not
	mute     bool   // the line is not broken then, only silent
	answerTo bool   // false once the line is broken
}

// newProxy returns a proxy and the address that leads through it.
func newProxy(t *testing.T, address string) (*proxy, string) {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{listener: listener, target: u.Host, answerTo: true}
	go p.serve()
	t.Cleanup(p.down)
	u.Host = listener.Addr().String()
	return p, u.String()
}

func (p *proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		p.lines = append(p.lines, client, server)
		p.mu.Unlock()
		go p.carry(client, server, true)
		go p.carry(server, client, false)
	}
}

func (p *proxy) carry(from, to net.Conn, client bool) {
	buffer := make([]byte, 1<<16)
	for {
		n, err := from.Read(buffer)
		if n > 0 && p.note(buffer[:n], client) {
			if _, err := to.Write(buffer[:n]); err != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	from.Close()
	to.Close()
}

// note records what was said and returns whether to hand it on.
func (p *proxy) note(said []byte, client bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !client {
		p.client = false
		if !p.answerTo && p.mute {
			return false
		}
		if !p.answerTo {
			go p.hangUp() // the answer is there, so what was asked for has been done
			return false
		}
		return true
	}
	if !p.client {
		p.turns++
	}
	p.client = true
	p.said.Write(said)
	if p.breakAt != "" && bytes.Contains(said, []byte(p.breakAt)) {
		p.answerTo = false
	}
	return true
}

// breakBehind makes the line break when the client next says text.
func (p *proxy) breakBehind(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.breakAt = text
}

// muteBehind lets nothing more through to the client when it next says text.
func (p *proxy) muteBehind(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.breakAt, p.mute = text, true
}

// hangUp breaks every line there is and lets new ones through again.
func (p *proxy) hangUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, line := range p.lines {
		line.Close()
	}
	p.lines, p.breakAt, p.mute, p.answerTo = nil, "", false, true
}

// down breaks every line and takes no new one.
func (p *proxy) down() {
	p.listener.Close()
	p.hangUp()
}

// reset forgets what was said so far.
func (p *proxy) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.turns, p.client = 0, false
	p.said.Reset()
}

// heard is what a client said: in how many turns, which texts it had parsed, how often it had executed.
type heard struct {
	turns    int
	parsed   []string
	executed int
	synced   int
}

func (p *proxy) heard(t *testing.T) heard {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	got := heard{turns: p.turns}
	backend := pgproto3.NewBackend(bytes.NewReader(p.said.Bytes()), io.Discard)
	for {
		message, err := backend.Receive()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return got
		}
		require.NoError(t, err)
		switch message := message.(type) {
		case *pgproto3.Parse:
			got.parsed = append(got.parsed, message.Query)
		case *pgproto3.Execute:
			got.executed++
		case *pgproto3.Sync:
			got.synced++
		case *pgproto3.Query:
			got.parsed = append(got.parsed, message.String)
		}
	}
}
