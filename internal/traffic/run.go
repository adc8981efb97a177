package traffic

import (
	"bytes"
	"context"
	"crypto/tls"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// Order is one request, when its turn has come.
type Order struct {
	Kind  string
	Bytes []byte
	// Got is told of the reply, and of its body where Reads is set. Defaults to nothing.
	Got   func(reply Reply, body []byte)
	Reads bool
}

// Step is a rate that is kept for a while; a rate of 0 asks as fast as answers come, on every connection.
type Step struct {
	Rate    float64
	Lasting time.Duration
}

// Config is what is asked of a server.
type Config struct {
	// Address is host:port.
	Address string
	// TLS are settings for https. Defaults to http.
	TLS *tls.Config
	// Steps follow one another without a pause.
	Steps []Step
	// Warmup is for how long at the beginning nothing is counted.
	Warmup time.Duration
	// Connections is how many requests can be under way at once. Defaults to 256.
	Connections int
	// Timeout is how long after it was due a request may take, or begin, before its user is gone. Defaults to 10s.
	Timeout time.Duration
	// Seed is what is asked for when. Defaults to 0.
	Seed uint64
	// Next says what to ask for. It is called by many at once, each with a source of numbers of its own.
	Next func(random *rand.Rand) (Order, error)
	// Each is told of every request that counts, one at a time. Defaults to nothing.
	Each func(Outcome)
}

func (c Config) withDefaults() Config {
	if c.Connections == 0 {
		c.Connections = 256
	}
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Second
	}
	return c
}

// Outcome is what became of one request.
type Outcome struct {
	Kind  string
	Due   time.Duration // when it was to be sent, since the start
	Sent  time.Duration // when it was, since the start; 0 where it was not
	Took  time.Duration // since it was due
	Reply Reply
	Err   error // there was no answer
}

// Run asks until all steps are over. Requests are due at moments that are fixed before the first is sent, and each is timed from the
// moment it was due: one that waited for a connection, because those before it were not answered, has waited as its user would have.
func Run(ctx context.Context, config Config) (*Report, error) {
	config = config.withDefaults()
	r := &run{Config: config, report: newReport(config.Steps, config.Warmup), failed: make(chan error, 1)}
	r.starts = r.moments()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var asking sync.WaitGroup
	r.started = time.Now()
	for i := range config.Connections {
		asking.Go(func() {
			if err := r.ask(ctx, rand.New(rand.NewPCG(config.Seed, uint64(i)))); err != nil { //nolint:gosec // what is asked when is no secret
				select {
				case r.failed <- err:
					cancel()
				default:
				}
			}
		})
	}
	asking.Wait()
	select {
	case err := <-r.failed:
		return nil, err
	default:
	}
	r.report.end(min(time.Since(r.started), r.length()))
	return r.report, ctx.Err()
}

// run is one Run.
type run struct {
	Config

	started time.Time
	starts  []stepStart
	next    atomic.Int64
	report  *Report
	failed  chan error
}

// stepStart is where a step begins, in time and in requests.
type stepStart struct {
	at    time.Duration
	first int64
}

func (r *run) moments() []stepStart {
	starts := make([]stepStart, len(r.Steps)+1)
	for i, s := range r.Steps {
		starts[i+1] = stepStart{starts[i].at + s.Lasting, starts[i].first + int64(s.Rate*s.Lasting.Seconds())}
	}
	return starts
}

func (r *run) length() time.Duration { return r.starts[len(r.Steps)].at }

// due is when request n is to be sent; false when all are.
func (r *run) due(n int64) (time.Duration, bool) {
	for i, s := range r.Steps {
		switch {
		case s.Rate == 0:
			now := time.Since(r.started)
			return now, now < r.length()
		case n < r.starts[i+1].first:
			return r.starts[i].at + time.Duration(float64(n-r.starts[i].first)/s.Rate*float64(time.Second)), true
		}
	}
	return 0, false
}

// ask is one connection: it takes the next request that nobody has, and sends it when it is due.
func (r *run) ask(ctx context.Context, random *rand.Rand) error {
	var c *Client
	defer func() {
		if c != nil {
			c.Close()
		}
	}()
	var body bytes.Buffer
	for ctx.Err() == nil {
		due, more := r.due(r.next.Add(1) - 1)
		if !more {
			return nil
		}
		if !sleep(ctx, time.Until(r.started.Add(due))) {
			return nil
		}
		order, err := r.Next(random)
		if err != nil {
			return err
		}
		o := Outcome{Kind: order.Kind, Due: due, Sent: time.Since(r.started)}
		if o.Sent-due > r.Timeout {
			o.Sent, o.Took, o.Err = 0, o.Sent-due, errNotSent
		} else {
			body.Reset()
			c, o.Reply, o.Err = r.exchange(c, order, due, &body)
			o.Took = time.Since(r.started) - due
		}
		if o.Err == nil && order.Got != nil {
			order.Got(o.Reply, body.Bytes())
		}
		r.report.note(o, r.Each)
	}
	return nil
}

// exchange sends order on c, or on a new connection, and returns the one to go on with.
func (r *run) exchange(c *Client, order Order, due time.Duration, body *bytes.Buffer) (*Client, Reply, error) {
	if c == nil {
		var err error
		if c, err = dial(r.Address, r.TLS, nil); err != nil {
			return nil, Reply{}, err
		}
	}
	into := body
	if !order.Reads {
		into = nil
	}
	err := c.conn.SetDeadline(r.started.Add(due + r.Timeout))
	var reply Reply
	if err == nil {
		reply, err = c.Send(order.Bytes, into)
	}
	if err != nil || reply.closes {
		c.Close()
		c = nil
	}
	return c, reply, err
}

func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
