package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/vital-db/vital/internal/traffic"
)

const (
	eventStreams = 200    // of one tenant, told of each write
	idleStreams  = 10_000 // of as many tenants, told of nothing
	idleClients  = 10_000 // that have asked once
	// eventPatience is how long one write's events may take to arrive.
	eventPatience = 10 * time.Second
)

// measureEvents asks how soon clients hear of a write, and what it takes to keep those who hear of none.
func measureEvents(ctx context.Context, w *world) (_ *result, err error) {
	d, err := w.manyDatabase(ctx)
	if err != nil {
		return nil, err
	}
	server, err := w.serve(ctx, d)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	r := &result{}
	if err := r.tellAll(ctx, w, server); err != nil {
		return nil, err
	}
	if err := r.keepIdle(w, server); err != nil {
		return nil, err
	}
	return r, r.keepConnected(ctx, w, d)
}

// listeners are clients of one server's event streams.
type listeners []*listener

type listener struct {
	conn net.Conn
	in   *bufio.Reader
}

// listen opens a stream and reads its first event.
func listen(address string, request []byte) (*listener, error) {
	conn, err := net.Dial("tcp", address) //nolint:noctx // loopback
	if err != nil {
		return nil, err
	}
	l := &listener{conn: conn, in: bufio.NewReaderSize(conn, 1<<10)}
	_, err = conn.Write(request)
	var status []byte
	if err == nil {
		status, err = l.in.ReadSlice('\n')
	}
	if err == nil && !bytes.HasPrefix(status, []byte("HTTP/1.1 200")) {
		err = fmt.Errorf("no stream: %s", bytes.TrimSpace(status))
	}
	if err == nil {
		_, err = l.event()
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return l, nil
}

// event waits for an event, and returns when it came.
func (l *listener) event() (time.Time, error) {
	for {
		line, err := l.in.ReadSlice('\n')
		if err != nil {
			return time.Time{}, err
		}
		if bytes.HasPrefix(line, []byte("data:")) {
			return time.Now(), nil
		}
	}
}

func (all listeners) close() {
	for _, l := range all {
		l.conn.Close()
	}
}

// arrival is an event that came, or the end of a stream.
type arrival struct {
	at  time.Time
	err error
}

// arrivals are the events of all, until their streams end.
func (all listeners) arrivals() <-chan arrival {
	arrivals := make(chan arrival, len(all))
	for _, l := range all {
		go func() {
			for err := error(nil); err == nil; {
				var a arrival
				a.at, a.err = l.event()
				err = a.err
				arrivals <- a
			}
		}()
	}
	return arrivals
}

// openStreams opens n streams, each of another user's default tenant from the first on; among is how many users there are.
func (w *world) openStreams(address string, n, first, among int) (all listeners, err error) {
	for i := range n {
		token, err := w.token(first + i%among)
		if err != nil {
			return all, err
		}
		l, err := listen(address, traffic.Get(address, "/v1/context/events", token))
		if err != nil {
			return all, fmt.Errorf("stream %d: %w", i+1, err)
		}
		all = append(all, l)
	}
	return all, nil
}

// tellAll writes a tenant's configuration again and again, and times the events of all who listen there.
func (r *result) tellAll(ctx context.Context, w *world, server *process) error {
	all, err := w.openStreams(server.address, eventStreams, someone, 1)
	defer all.close()
	if err != nil {
		return err
	}
	arrivals := all.arrivals()
	writer, err := traffic.Dial(server.address, nil)
	if err != nil {
		return err
	}
	defer writer.Close()
	var sent, acknowledged, written []time.Duration
	for until := time.Now().Add(time.Duration(w.rounds) * w.slice); time.Now().Before(until); {
		if writer.Request, err = w.repaint(server.address, someone); err != nil {
			return err
		}
		began := time.Now()
		if err := writer.Do(); err != nil {
			return err
		}
		done := time.Now()
		written = append(written, done.Sub(began))
		late := time.After(eventPatience)
		for range all {
			select {
			case a := <-arrivals:
				if a.err != nil {
					return a.err
				}
				sent, acknowledged = append(sent, a.at.Sub(began)), append(acknowledged, a.at.Sub(done))
			case <-late:
				return errors.New("not everybody who listens was told of a write")
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		time.Sleep(5 * time.Millisecond) // a write of its own, with a look of its own
	}
	for _, of := range []struct {
		name string
		took []time.Duration
	}{{"the write itself, until it is acknowledged", written}, {"the event, from the write's beginning", sent}, {"the event, from the acknowledgement", acknowledged}} {
		r.Series = append(r.Series, once(of.name, eventStreams, of.took))
	}
	r.note("%d writes by one admin, each told to %d streams of the tenant; no write begins before everybody has heard of the last.", len(written), len(all))
	r.note("Events may arrive before the write is acknowledged: whoever wrote waits until this server shows it.")
	return nil
}

// once is a series of latencies that were measured in one go.
func once(name string, clients int, took []time.Duration) *series {
	s := summarize(took, time.Second)
	s.PerSecond = 0
	return &series{Name: name, Clients: clients, Rounds: []sample{s}, Median: s}
}

// keepIdle opens very many streams, and weighs what the server takes for each.
func (r *result) keepIdle(w *world, server *process) error {
	warm, err := w.openStreams(server.address, 100, 1, 100) // connects and grows what it has once
	warm.close()
	if err != nil {
		return err
	}
	before, after, err := server.weigh(func() (func(), error) {
		all, err := w.openStreams(server.address, idleStreams, 1, cachingTenants)
		return all.close, err
	})
	if err != nil {
		return err
	}
	r.note("%s idle streams of as many users and tenants: the server went from %.0f MB to %.0f, contexts included.", thousands(idleStreams), before/1e6, after/1e6)
	r.ratio("kB of the server for an idle stream", information, 0, (after-before)/1e3/idleStreams)
	return nil
}

// keepConnected opens very many connections to a server of d, asks for one user's context on each, and weighs what the server takes
// to keep them.
func (r *result) keepConnected(ctx context.Context, w *world, d *target) (err error) {
	server, err := w.serve(ctx, d)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	token, err := w.token(someone)
	if err != nil {
		return err
	}
	connect := func(n int) (func(), error) {
		var clients []*traffic.Client
		shut := func() {
			for _, c := range clients {
				c.Close()
			}
		}
		for range n {
			c, err := traffic.Dial(server.address, traffic.Get(server.address, "/v1/context", token))
			if err != nil {
				return shut, err
			}
			clients = append(clients, c)
			if err := c.Do(); err != nil {
				return shut, err
			}
		}
		return shut, nil
	}
	shut, err := connect(100)
	shut()
	if err != nil {
		return err
	}
	before, after, err := server.weigh(func() (func(), error) { return connect(idleClients) })
	if err != nil {
		return err
	}
	r.note("%s idle connections that have asked for a context: the server went from %.0f MB to %.0f.", thousands(idleClients), before/1e6, after/1e6)
	r.ratio("kB of the server for an idle connection", information, 0, (after-before)/1e3/idleClients)
	return nil
}

// weigh is what the server takes before and after what open opens, in bytes.
func (p *process) weigh(open func() (shut func(), err error)) (before, after float64, err error) {
	if before, err = p.resident(); err != nil {
		return 0, 0, err
	}
	shut, err := open()
	defer shut()
	if err != nil {
		return 0, 0, err
	}
	time.Sleep(2 * time.Second)
	after, err = p.resident()
	return before, after, err
}
