package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/vital-db/vital/internal/traffic"
)

// switches are what a user of several tenants sends to act in one and then in the other.
type switches struct {
	address string
	tenants []uuid.UUID
	named   [][]byte // a context of each, named by a header
	set     [][]byte // each is made the default
	context []byte   // of the default
}

// switching are the switches of the user of token, whose context is body.
func switching(address, token string, body []byte) (*switches, error) {
	var shown struct {
		Tenants []struct{ ID uuid.UUID } `json:"tenants"`
	}
	if err := json.Unmarshal(body, &shown); err != nil {
		return nil, err
	}
	s := &switches{address: address, context: traffic.Get(address, "/v1/context", token)}
	for _, t := range shown.Tenants {
		s.tenants = append(s.tenants, t.ID)
		s.named = append(s.named, traffic.WithHeader(s.context, "Vital-Tenant", t.ID.String()))
		s.set = append(s.set, traffic.Post(address, "/rest/v1/rpc/set_default_tenant", token, fmt.Sprintf(`{"p_tenant_id":"%s"}`, t.ID)))
	}
	if len(s.tenants) < 2 {
		return nil, fmt.Errorf("the user has %d tenants: there is nothing to switch between", len(s.tenants))
	}
	return s, nil
}

// run has clients make another tenant the default, and ask for the context, which must be that tenant's.
func (s *switches) run(ctx context.Context, clients int, slice time.Duration) (sample, error) {
	return closedLoop(ctx, clients, slice, func(int) (worker, error) {
		c, err := traffic.Dial(s.address, nil)
		if err != nil {
			return worker{}, err
		}
		n := 0
		return worker{done: func() { c.Close() }, do: func() error {
			n = (n + 1) % len(s.tenants)
			c.Request = s.set[n]
			if err := c.Do(); err != nil {
				return err
			}
			c.Request = s.context
			body, err := c.Body()
			if err != nil {
				return err
			}
			var shown struct{ Organization struct{ ID uuid.UUID } }
			if err := json.Unmarshal(body, &shown); err != nil {
				return err
			}
			if shown.Organization.ID != s.tenants[n] {
				return fmt.Errorf("the context behind the switch to %s is that of %s", s.tenants[n], shown.Organization.ID)
			}
			return nil
		}}, nil
	})
}

// inTurns is a variant's run: clients that send address one request after the other, and begin anew behind the last.
func inTurns(address string, requests ...[]byte) variantRun {
	return func(ctx context.Context, clients int, slice time.Duration) (sample, error) {
		return closedLoop(ctx, clients, slice, func(n int) (worker, error) {
			c, err := traffic.Dial(address, nil)
			if err != nil {
				return worker{}, err
			}
			return worker{done: func() { c.Close() }, do: func() error {
				n++
				c.Request = requests[n%len(requests)]
				return c.Do()
			}}, nil
		})
	}
}
