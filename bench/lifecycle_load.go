package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/vital-db/vital/internal/traffic"
)

// lifeList is how many rows a list of the load has.
const lifeList = 48

// lifePath asks for them.
var lifePath = "/rest/v1/prompts?" + restQuery + "&limit=" + strconv.Itoa(lifeList)

// mixture is what busy tenants ask for: of ten requests five for a context, four for a list, and one that writes.
type mixture struct {
	address                string
	contexts, lists, write [][]byte // of each tenant
}

func (w *world) mix(address string) (*mixture, error) {
	m := &mixture{address: address}
	for n := 1; n <= lifeBusy; n++ {
		token, err := w.token(n)
		if err != nil {
			return nil, err
		}
		m.contexts = append(m.contexts, traffic.Get(address, "/v1/context", token))
		m.lists = append(m.lists, traffic.Get(address, lifePath, token))
		m.write = append(m.write, traffic.Patch(address, fmt.Sprintf("/rest/v1/agents?tenant_id=eq.%s&slug=eq.agent-%d", tenantID(n), n%lifecycleShape.agents+1), token,
			`{"description":"What this agent is for by now"}`))
		if _, err := readRows(address, lifePath, token, lifeList); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// any is a request of a tenant drawn at random.
func (m *mixture) any(dice *rand.Rand) []byte {
	n := dice.IntN(lifeBusy)
	switch kind := dice.IntN(10); {
	case kind < 5:
		return m.contexts[n]
	case kind < 9:
		return m.lists[n]
	default:
		return m.write[n]
	}
}

// run asks lifeRate times a second, whatever becomes of the requests before, until over is closed. A request that could not be sent when it
// was due, because its connection was waiting, began then.
func (m *mixture) run(ctx context.Context, clients int, over <-chan struct{}) (sample, error) {
	took := make([][]time.Duration, clients)
	failed := make([]error, clients)
	between := time.Duration(float64(time.Second) * float64(clients) / lifeRate)
	started := time.Now()
	var running sync.WaitGroup
	for i := range clients {
		running.Go(func() {
			took[i], failed[i] = m.client(ctx, over, started.Add(between*time.Duration(i)/time.Duration(clients)), between)
		})
	}
	running.Wait()
	return summarize(slices.Concat(took...), time.Since(started)), errors.Join(append(failed, ctx.Err())...)
}

// client is one connection, whose requests are due every so often from first on.
func (m *mixture) client(ctx context.Context, over <-chan struct{}, first time.Time, between time.Duration) (took []time.Duration, err error) {
	c, err := traffic.Dial(m.address, nil)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	dice := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	for due := first; ; due = due.Add(between) {
		began, early := due, time.Until(due)
		select {
		case <-over:
			return took, nil
		case <-ctx.Done():
			return took, nil
		case <-time.After(early):
		}
		if early > 0 {
			began = time.Now() // timers wake late
		}
		c.Request = m.any(dice)
		if err := c.Do(); err != nil {
			return took, err
		}
		took = append(took, time.Since(began))
	}
}
