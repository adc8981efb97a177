package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/vital-db/vital/internal/population"
	"github.com/vital-db/vital/internal/traffic"
)

const (
	nameSignIn  = "sign-in with a password"
	nameRefresh = "refresh of a session"
)

// measureSignIn lets people sign in and refresh their sessions, each from an address of their own: from one it has limits.
func measureSignIn(ctx context.Context, w *world) (_ *result, err error) {
	stage, err := w.setCrowd(ctx, saturationTenants, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stage.server.stop()) }()
	s := &signIns{address: stage.server.address, users: stage.shape.Tenants * stage.shape.Members}
	pid := stage.server.cmd.Process.Pid
	var variants []variant
	for _, clients := range []int{1, 2, 16} {
		variants = append(variants,
			variant{nameSignIn, clients, false, w.accounted(pid, s.run(s.password))},
			variant{nameRefresh, clients, false, w.accounted(pid, s.run(s.refresh))})
	}
	r := &result{}
	if r.Series, err = interleave(ctx, w, variants); err != nil {
		return nil, err
	}
	r.note("A password is hashed with argon2id (19 MiB, two passes), as many at a time as there are cores; a refresh takes one transaction.")
	r.ratio("sign-in, p50 of one client, ms", information, 0, r.find(nameSignIn, 1).Median.P50)
	r.ratio("sign-ins a second, 16 clients", information, 0, r.find(nameSignIn, 16).Median.PerSecond)
	r.ratio("refresh, p50 of one client, ms", information, 0, r.find(nameRefresh, 1).Median.P50)
	r.ratio("refreshes a second, 16 clients", information, 0, r.find(nameRefresh, 16).Median.PerSecond)
	r.plots = []plot{{Title: "p50, 1 client", Unit: "ms", Bars: r.bars(1, func(s sample) float64 { return s.P50 })}}
	return r, nil
}

// signIns are users who come one after the other.
type signIns struct {
	address string
	users   int
	next    atomic.Int64
}

// session is what of an answer goes into the next request.
type session struct {
	RefreshToken string `json:"refresh_token"`
}

// run is a variant's run; a client keeps its session.
func (s *signIns) run(do func(*traffic.Client, *session) error) func(context.Context, int, time.Duration) (sample, error) {
	return func(ctx context.Context, clients int, slice time.Duration) (sample, error) {
		return closedLoop(ctx, clients, slice, func(int) (worker, error) {
			c, err := traffic.Dial(s.address, nil)
			if err != nil {
				return worker{}, err
			}
			mine := &session{}
			if err := s.password(c, mine); err != nil {
				return worker{}, err
			}
			return worker{do: func() error { return do(c, mine) }, done: func() { c.Close() }}, nil
		})
	}
}

// password signs the next user in.
func (s *signIns) password(c *traffic.Client, mine *session) error {
	n := int(s.next.Add(1))%s.users + 1
	return s.ask(c, mine, n, "password", map[string]string{"email": population.Email(n), "password": crowdPassword})
}

func (s *signIns) refresh(c *traffic.Client, mine *session) error {
	return s.ask(c, mine, int(s.next.Add(1))%s.users+1, "refresh_token", map[string]string{"refresh_token": mine.RefreshToken})
}

func (s *signIns) ask(c *traffic.Client, mine *session, from int, grant string, body map[string]string) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	c.Request = traffic.WithHeader(traffic.Post(s.address, "/auth/v1/token?grant_type="+grant, "", string(text)), "X-Forwarded-For", traffic.AddressOf(from))
	answer, err := c.Body()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", grant, err, answer)
	}
	return json.Unmarshal(answer, mine)
}
