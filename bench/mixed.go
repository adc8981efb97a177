package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/population"
	"github.com/vital-db/vital/internal/signin"
	"github.com/vital-db/vital/internal/traffic"
)

const (
	mixedTenants  = 100_000
	mixedMembers  = 10
	mixedTime     = 10 * time.Minute
	mixedBareTime = time.Minute // the bare handler does not change with time
	mixedWarmup   = 5 * time.Second
	crowdPassword = "a password of the measurements"
)

// crowdDatabase has n tenants with ten members each, who can sign in.
func (w *world) crowdDatabase(ctx context.Context, n int) (*target, population.Shape, error) {
	hash, err := signin.HashPassword(crowdPassword)
	if err != nil {
		return nil, population.Shape{}, err
	}
	s := population.Shape{Tenants: n, Members: mixedMembers, Apps: 4, Flags: 20, Overrides: 3, Prompts: 5, Recorded: true, PasswordHash: hash}
	d, err := w.database(ctx, fmt.Sprintf("bench_crowd_%d", n), w.populateWith(s))
	return d, s, err
}

// serveCrowd starts a server that lets people sign in, each from an address of their own.
func (w *world) serveCrowd(ctx context.Context, d *target) (*process, error) {
	file := filepath.Join(w.dir, "kek")
	if err := os.WriteFile(file, []byte(base64.StdEncoding.EncodeToString(make([]byte, 32))+"\n"), 0o600); err != nil {
		return nil, err
	}
	return w.serve(ctx, d, "VITAL_KEK_FILE="+file, "VITAL_TRUSTED_PROXIES=127.0.0.0/8")
}

// people are the users of s, who ask the server at address for mix, nil for what is usual.
func (w *world) people(s population.Shape, address string, mix traffic.Mix) (*traffic.People, error) {
	issuer, err := identity.NewTokenIssuer(identity.IssuerConfig{Secret: []byte(w.secret)})
	if err != nil {
		return nil, err
	}
	return traffic.NewPeople(traffic.Crowd{
		Shape: s, Address: address, Password: crowdPassword, Mix: mix, Exponent: zipfExponent,
		Issue: func(n int) (string, error) {
			return issuer.Issue(identity.Grant{
				UserID: userID(n), Email: population.Email(n), Role: identity.Authenticated, SessionID: uuid.New(), TTL: traffic.TokenTTL,
			})
		},
	})
}

// crowdStage is a server of a crowd's database, and the people who ask it.
type crowdStage struct {
	server *process
	shape  population.Shape
	people *traffic.People
}

// setCrowd has the people of n tenants, or of as many as the run says, ask a server for mix, nil for what is usual.
func (w *world) setCrowd(ctx context.Context, n int, mix traffic.Mix) (*crowdStage, error) {
	if w.tenants > 0 {
		n = w.tenants
	}
	d, shape, err := w.crowdDatabase(ctx, n)
	if err != nil {
		return nil, err
	}
	s := &crowdStage{shape: shape}
	if s.server, err = w.serveCrowd(ctx, d); err != nil {
		return nil, err
	}
	if s.people, err = w.people(shape, s.server.address, mix); err != nil {
		return nil, errors.Join(err, s.server.stop())
	}
	return s, nil
}

// measureMixed asks for what applications ask for at a constant rate, and as often for the same bytes of a handler that does nothing else.
func measureMixed(ctx context.Context, w *world) (_ *result, err error) {
	s, err := w.setCrowd(ctx, mixedTenants, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.server.stop()) }()
	lasting := mixedTime
	if w.lasting > 0 {
		lasting = w.lasting
	}
	w.progress("%.0f requests a second for %s", w.rate, lasting)
	ours, err := traffic.Run(ctx, w.mixed(s.server.address, lasting, s.people.Next))
	if err != nil {
		return nil, err
	}
	bare, err := w.mixedBare(ctx, s.server.address, s.people, min(lasting, mixedBareTime))
	if err != nil {
		return nil, err
	}
	full, err := s.server.resident()
	if err != nil {
		return nil, err
	}
	return mixedResult(w, s.shape, lasting, ours, bare, full), nil
}

func (w *world) mixed(address string, lasting time.Duration, next func(*rand.Rand) (traffic.Order, error)) traffic.Config {
	return traffic.Config{
		Address: address, Steps: []traffic.Step{{Rate: w.rate, Lasting: mixedWarmup + lasting}}, Warmup: mixedWarmup, Seed: 1, Next: next,
	}
}

// mixedBare asks a bare handler for the bytes of one context, as often.
func (w *world) mixedBare(ctx context.Context, address string, people *traffic.People, lasting time.Duration) (_ *traffic.Report, err error) {
	token, err := people.Issue(1)
	if err != nil {
		return nil, err
	}
	body, err := traffic.Ask(address, traffic.Get(address, "/v1/context", token))
	if err != nil {
		return nil, err
	}
	bare, err := w.bare(ctx, body)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, bare.stop()) }()
	request := traffic.Get(bare.address, "/", token)
	return traffic.Run(ctx, w.mixed(bare.address, lasting, func(*rand.Rand) (traffic.Order, error) {
		return traffic.Order{Kind: nameMixedBare, Bytes: request}, nil
	}))
}

const (
	nameMixedAll  = "all together"
	nameMixedBare = "bare net/http, bytes of one context"
)

func mixedResult(w *world, shape population.Shape, lasting time.Duration, ours, bare *traffic.Report, full float64) *result {
	r := &result{caption: fmt.Sprintf("%.0f requests a second for %s.", w.rate, lasting)}
	all := ours.All()
	all.Kind = nameMixedAll
	add := func(k traffic.Kind, baseline bool) {
		r.Series = append(r.Series, &series{Name: k.Kind, Baseline: baseline, Rounds: []sample{kindSample(k)}, Median: kindSample(k)})
	}
	for _, k := range ours.Kinds() {
		add(k, false)
	}
	add(all, false)
	only := bare.All()
	only.Kind = nameMixedBare
	add(only, true)
	r.note("%s tenants with %d members each, drawn by Zipf's law (s = %g); %.0f requests a second for %s, each timed from when it was due.",
		thousands(shape.Tenants), shape.Members, zipfExponent, w.rate, lasting)
	r.note("Of %s requests %s were answered, %d refused, %d failed; sent late by %.2f ms at p99. The server took %.0f MB at the end.",
		thousands(int(all.Count)), thousands(int(all.Answered)), all.Refused, all.Failed+all.Unsent, ours.Lateness(), full/1e6)
	r.ratio("share of requests answered", atLeast, 0.9999, float64(all.Answered)/float64(max(1, all.Count)))
	r.ratio("p50, ms", information, 0, all.P50)
	r.ratio("p95, ms", information, 0, all.P95)
	r.ratio("p99, ms", information, 0, all.P99)
	r.ratio("p99.9, ms", information, 0, all.P999)
	r.ratio("p99 over the bare handler's at the same rate", information, 0, all.P99/only.P99)
	r.plots = []plot{{Title: "p99 since each was due", Unit: "ms, logarithmic", Log: true, Bars: r.bars(0, func(s sample) float64 { return s.P99 })}}
	return r
}

// kindSample is what became of a kind of requests as a sample.
func kindSample(k traffic.Kind) sample {
	return sample{PerSecond: k.PerSecond, Mean: k.Mean, P50: k.P50, P95: k.P95, P99: k.P99, P999: k.P999, Count: int(k.Count)}
}
