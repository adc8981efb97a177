package main

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// proxy stands for a network between a client and the database: what the client sends arrives delay
// later, answers pass at once. A round trip costs delay once, however many messages it carries.
type proxy struct {
	listener net.Listener
	target   string
	delay    time.Duration
	open     sync.WaitGroup
}

func startProxy(target string, delay time.Duration) (*proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed by stop
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: listener, target: target, delay: delay}
	p.open.Go(p.accept)
	return p, nil
}

func (p *proxy) address() string { return p.listener.Addr().String() }

func (p *proxy) stop() error {
	err := p.listener.Close()
	p.open.Wait()
	return err
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		p.open.Go(func() { p.carry(client) })
	}
}

func (p *proxy) carry(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.target) //nolint:noctx // loopback
	if err != nil {
		return
	}
	defer server.Close()
	p.open.Go(func() {
		_, _ = io.Copy(client, server) // either side may leave
		client.Close()
		server.Close()
	})
	p.late(server, client)
}

// burst is what one read found, and when.
type burst struct {
	bytes []byte
	due   time.Time
}

// late hands on what from says, each burst delay after it came.
func (p *proxy) late(to io.Writer, from io.Reader) {
	queue := make(chan burst, 64)
	p.open.Go(func() {
		for b := range queue {
			time.Sleep(time.Until(b.due))
			_, _ = to.Write(b.bytes) // the reader notices when a side has left
		}
	})
	defer close(queue)
	for {
		buffer := make([]byte, 16<<10)
		n, err := from.Read(buffer)
		if n > 0 {
			queue <- burst{buffer[:n], time.Now().Add(p.delay)}
		}
		if err != nil {
			return
		}
	}
}
