package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vital-db/vital/internal/traffic"
)

// neighbourCommand makes this program the clients of a tenant that asks for too much, in a process of their own and at the lowest
// priority: others' clients run on machines of their own, and what is measured is what they cost at the server.
const neighbourCommand = "neighbour"

// neighbour is a tenant that asks for too much.
type neighbour struct {
	token string
	pace  time.Duration // between the requests of a client; 0 is as soon as the last one is answered
	obeys bool          // a client that is refused waits a second, as it is told to
}

// start has the neighbour ask address until stop is called, which tells what it got.
func (n *neighbour) start(ctx context.Context, address string) (stop func() (answered, refused int, err error), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "nice", "-n", "19", self, neighbourCommand, address, n.pace.String(), strconv.FormatBool(n.obeys), n.token)
	lasts, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	var said, complained strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &complained
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return func() (answered, refused int, err error) {
		_ = lasts.Close() // its end tells it to stop
		if err := cmd.Wait(); err != nil {
			return 0, 0, fmt.Errorf("neighbour: %w: %s", err, complained.String())
		}
		_, err = fmt.Sscan(said.String(), &answered, &refused)
		return answered, refused, err
	}, nil
}

// serveNeighbour asks until its input ends, and prints how many requests were answered and refused.
func serveNeighbour(args []string) error {
	if len(args) != 4 {
		return fmt.Errorf("%s takes an address, a pace, whether to obey, and a token", neighbourCommand)
	}
	n := neighbour{token: args[3]}
	var bad [2]error
	n.pace, bad[0] = time.ParseDuration(args[1])
	n.obeys, bad[1] = strconv.ParseBool(args[2])
	if err := errors.Join(bad[:]...); err != nil {
		return err
	}
	over := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(over)
	}()
	var answered, refused atomic.Int64
	failed := make([]error, fairCrowd)
	var asking sync.WaitGroup
	for i := range fairCrowd {
		first := n.pace * time.Duration(i) / fairCrowd // not all at once
		asking.Go(func() { failed[i] = n.ask(args[0], over, first, &answered, &refused) })
	}
	asking.Wait()
	fmt.Fprintln(os.Stdout, answered.Load(), refused.Load())
	return errors.Join(failed...)
}

// ask is one client.
func (n *neighbour) ask(address string, over <-chan struct{}, wait time.Duration, answered, refused *atomic.Int64) error {
	c, err := traffic.Dial(address, traffic.Get(address, restPath, n.token))
	if err != nil {
		return err
	}
	defer c.Close()
	c.Refusable = true
	for {
		select {
		case <-over:
			return nil
		case <-time.After(wait):
		}
		began := time.Now()
		if err := c.Do(); err != nil {
			return err
		}
		wait = max(0, n.pace-time.Since(began))
		if !c.Refused {
			answered.Add(1)
			continue
		}
		refused.Add(1)
		if n.obeys {
			wait = time.Second
		}
	}
}
