package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/traffic"
)

const (
	fairConns     = 2   // of the server to the database: one for each core, so that a share of them is one of the machine
	fairVictim    = 4   // connections of the victim
	fairRate      = 100 // requests a second of it, in all
	fairTimes     = 50  // of its share is what the neighbour asks for
	fairAllowed   = 20  // requests a second of the neighbour that is held to a rate
	fairNeighbour = restCollector
	fairHeld      = restCollector + 1     // has a rate, and one request at a time
	fairCrowd     = fairTimes * fairConns // clients: fifty times the half that is a share
	fairPace      = time.Second * fairCrowd / (fairTimes * fairAllowed)
	fairSettles   = 200 * time.Millisecond // before anything is measured
)

const (
	nameAlone      = "alone"
	nameUnfair     = "beside 100 clients, VITAL_FAIRNESS=false"
	nameTurns      = "beside 100 clients, taking turns"
	nameRateUnfair = "beside 1,000 requests a second, VITAL_FAIRNESS=false"
	nameRateHeld   = "beside 1,000 requests a second, held to 20"
)

// measureFairness asks what one tenant notices of another that asks for fifty times its share: of the connections, which is half of
// them beside one other tenant, and of a rate it is held to. The neighbour reads 1,000 rows at a time, the victim 48.
func measureFairness(ctx context.Context, w *world) (_ *result, err error) {
	d, err := w.restDatabase(ctx)
	if err != nil {
		return nil, err
	}
	if err := holdNeighbour(ctx, d); err != nil {
		return nil, err
	}
	conns := fmt.Sprintf("VITAL_DATABASE_CONNS=%d", fairConns)
	shared, err := w.serve(ctx, d, conns)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, shared.stop()) }()
	unshared, err := w.serve(ctx, d, conns, "VITAL_FAIRNESS=false")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, unshared.stop()) }()
	tokens := map[int]string{}
	for _, n := range []int{someone, fairNeighbour, fairHeld} {
		if tokens[n], err = w.token(n); err != nil {
			return nil, err
		}
		for _, p := range []*process{shared, unshared} {
			want := restManyRows
			if n == someone {
				want = restRows
			}
			for range 3 { // until it is known whose requests these are, and what they may
				if _, err := readRows(p.address, restPath, tokens[n], want); err != nil {
					return nil, err
				}
			}
		}
	}
	stage := fairStage{w: w, victim: tokens[someone]}
	crowd, rate := &neighbour{token: tokens[fairNeighbour], obeys: true}, &neighbour{token: tokens[fairHeld], pace: fairPace}
	all, err := interleave(ctx, w, []variant{
		{nameAlone, fairVictim, true, stage.beside(shared.address, nil)},
		{nameUnfair, fairVictim, false, stage.beside(unshared.address, crowd)},
		{nameTurns, fairVictim, false, stage.beside(shared.address, crowd)},
		{nameRateUnfair, fairVictim, false, stage.beside(unshared.address, rate)},
		{nameRateHeld, fairVictim, false, stage.beside(shared.address, rate)},
	})
	if err != nil {
		return nil, err
	}
	return fairnessResult(all, &stage), nil
}

// holdNeighbour gives the neighbour that is held as many rows as the other, and limits.
func holdNeighbour(ctx context.Context, d *target) error {
	conn, err := pgx.Connect(ctx, d.superURL)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, restQueries.Get("MorePrompts"), fairHeld, restRows+1, restManyRows); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, restQueries.Get("Hold"), fairHeld, fairAllowed)
	return err
}

// fairStage is who asks beside whom. answered and refused are what became of the neighbours' requests.
type fairStage struct {
	w                 *world
	victim            string
	answered, refused int
}

// beside is a variant's run: the victim asks at a steady pace while the neighbour, if there is one, does what it does.
func (s *fairStage) beside(address string, other *neighbour) func(context.Context, int, time.Duration) (sample, error) {
	return func(ctx context.Context, clients int, slice time.Duration) (took sample, err error) {
		if other == nil {
			return steadily(ctx, address, s.victim, clients, slice)
		}
		stop, err := other.start(ctx, address)
		if err != nil {
			return took, err
		}
		time.Sleep(fairSettles)
		took, err = steadily(ctx, address, s.victim, clients, slice)
		answered, refused, wrong := stop()
		s.answered, s.refused = s.answered+answered, s.refused+refused
		return took, errors.Join(err, wrong)
	}
}

// steadily asks fairRate times a second, whatever becomes of the requests before. A request that could not be sent when it was
// due, because its connection was waiting, began then.
func steadily(ctx context.Context, address, token string, clients int, slice time.Duration) (sample, error) {
	took := make([][]time.Duration, clients)
	failed := make([]error, clients)
	between := time.Duration(float64(time.Second) * float64(clients) / fairRate)
	started := time.Now()
	var running sync.WaitGroup
	for i := range clients {
		running.Go(func() {
			c, err := traffic.Dial(address, traffic.Get(address, restPath, token))
			if err != nil {
				failed[i] = err
				return
			}
			defer c.Close()
			due := started.Add(between * time.Duration(i) / time.Duration(clients))
			end := started.Add(slice)
			for ; due.Before(end) && time.Now().Before(end) && ctx.Err() == nil; due = due.Add(between) {
				began := due
				if early := time.Until(due); early > 0 {
					time.Sleep(early)
					began = time.Now()
				}
				if failed[i] = c.Do(); failed[i] != nil {
					return
				}
				took[i] = append(took[i], time.Since(began))
			}
		})
	}
	running.Wait()
	var all []time.Duration
	for _, t := range took {
		all = append(all, t...)
	}
	return summarize(all, time.Since(started)), errors.Join(append(failed, ctx.Err())...)
}

func fairnessResult(all []*series, s *fairStage) *result {
	r := &result{Series: all}
	r.note("The victim asks for %d rows, %d times a second over %d connections; the server has %d connections to the database.", restRows, fairRate, fairVictim, fairConns)
	r.note("The neighbour asks for %s rows at a time: %d clients, who wait a second when they are told to,",
		thousands(restManyRows), fairCrowd)
	r.note("or %s requests a second, refused or not, %d times the %d it is held to, with one in the database at a time.", thousands(fairTimes*fairAllowed), fairTimes, fairAllowed)
	r.note("Of the neighbours' requests %d were answered and %d refused, in all variants.", s.answered, s.refused)
	of := func(name string) sample { return r.find(name, fairVictim).Median }
	alone := of(nameAlone)
	for _, c := range []struct {
		name, want string
		limit      float64
	}{{nameUnfair, information, 0}, {nameTurns, atMost, 1.25}, {nameRateUnfair, information, 0}, {nameRateHeld, atMost, 1.25}} {
		r.ratio("p99 "+c.name+", over alone", c.want, c.limit, of(c.name).P99/alone.P99)
		r.ratio("p50 "+c.name+", over alone", information, 0, of(c.name).P50/alone.P50)
	}
	r.plots = []plot{{Title: "p99 of the victim", Unit: "ms, logarithmic", Log: true, Bars: r.bars(fairVictim, func(s sample) float64 { return s.P99 })}}
	return r
}
