package main

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
)

//go:embed faults.sql
var faultsText string

var faultsQueries = database.ParseQueries(faultsText)

// Of all the time, what each of the quiet parts takes and what each fault does.
const (
	quietPart = 1.0 / 15
	faultPart = 1.0 / 6
	// settling is how long what was caught in a fault may go on behind it.
	settling = 3 * time.Second
)

// planted is a fault that is put in and taken away again, and what whoever watches must be told of it.
type planted struct {
	name        string
	plant, lift func(context.Context, *faultStage) error
	// query and code are how its loads are recorded; query is "" where no load is to be touched.
	query, code string
	questions   []question
}

// question is one that is asked while a fault goes on: whether something names it.
type question struct {
	of    string
	named func(before, now *sight) bool
	// watched says that it is asked of a Prometheus.
	watched bool
}

// window is a part of the run.
type window struct{ from, to time.Time }

func (s window) covers(at time.Time) bool { return !at.Before(s.from) && at.Before(s.to) }

// measureFaults puts load on a server, plants one fault after the other with quiet between, and asks those commands, metrics, alerts and
// panels that are there to name it whether they do.
func measureFaults(ctx context.Context, w *world) (_ *result, err error) {
	s, err := w.openFaults(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	r := &result{Series: []*series{}}
	r.note("%d users of %d tenants, %d requests a second, for %s.", len(s.users), faultTenants, len(s.users)*int(userRate), s.lasting())
	if s.prometheus == nil {
		r.note("There is no prometheus here: alerts and panels were not looked at.")
	}
	if err := s.checked(ctx); err != nil {
		return nil, err
	}
	load := s.startLoad(ctx)
	err = s.play(ctx, r)
	err = errors.Join(err, load.stop())
	if err != nil {
		return nil, err
	}
	return r, s.account(ctx, r, load)
}

func (s *faultStage) lasting() time.Duration { return cmp.Or(s.world.lasting, time.Minute) }

// play is the run: quiet, a fault, and so on, and quiet at the end.
func (s *faultStage) play(ctx context.Context, r *result) error {
	part := func(of float64) time.Duration { return time.Duration(of * float64(s.lasting())) }
	if err := s.pass(ctx, settling); err != nil { // everybody has asked once
		return err
	}
	var last *sight
	for _, fault := range faultsPlanted {
		before, err := s.quiet(ctx, r, part(quietPart), last)
		if err != nil {
			return err
		}
		if last, err = s.suffer(ctx, r, fault, part(faultPart), before); err != nil {
			return fmt.Errorf("%s: %w", fault.name, err)
		}
	}
	_, err := s.quiet(ctx, r, part(quietPart), last)
	return err
}

// quiet lets nothing happen, and looks whether something is raised all the same: last is what was seen before.
func (s *faultStage) quiet(ctx context.Context, r *result, lasting time.Duration, last *sight) (*sight, error) {
	if last != nil {
		if err := s.pass(ctx, settling); err != nil {
			return nil, err
		}
	}
	part := window{from: time.Now()}
	s.world.progress("quiet")
	if err := s.pass(ctx, lasting); err != nil {
		return nil, err
	}
	part.to = time.Now()
	now, err := s.look(ctx, nil)
	if err != nil {
		return nil, err
	}
	for _, gate := range now.failedGates() {
		if !last.failedGates().has(gate) {
			s.raised++
			r.note("Raised in quiet: the gate %s, %s.", gate, now.gate(gate).Evidence)
		}
	}
	if last == nil { // else those of the faults before may go on for as long as their ranges are
		for alert := range now.alerts {
			s.raised++
			r.note("Raised in quiet: the alert %s.", alert)
		}
	}
	s.quiets = append(s.quiets, part)
	return now, nil
}

// suffer plants a fault, lets it go on, asks, and takes it away.
func (s *faultStage) suffer(ctx context.Context, r *result, fault planted, lasting time.Duration, before *sight) (now *sight, err error) {
	s.world.progress("%s", fault.name)
	part := window{from: time.Now()}
	if err := fault.plant(ctx, s); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, fault.lift(context.WithoutCancel(ctx), s)) }()
	if err := s.pass(ctx, lasting); err != nil {
		return nil, err
	}
	part.to = time.Now()
	if now, err = s.look(ctx, &suffering{fault, part}); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(now.alerts)) {
		if before.alerts[name] == "" {
			r.note("%s: the alert %s was %s after %s.", fault.name, name, now.alerts[name], time.Since(part.from).Round(time.Second))
		}
	}
	for _, q := range fault.questions {
		if q.watched && s.prometheus == nil {
			continue
		}
		named := 0.0
		if q.named(before, now) {
			named = 1
		}
		r.ratio(fault.name+": "+q.of, atLeast, 1, named)
	}
	return now, nil
}

// pass waits while load goes on.
func (s *faultStage) pass(ctx context.Context, lasting time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(lasting):
		return nil
	}
}

// account compares the records with what was asked for, and looks what went wrong while nothing was planted.
func (s *faultStage) account(ctx context.Context, r *result, load *load) error {
	if err := s.written(ctx); err != nil {
		return err
	}
	last, err := s.look(ctx, nil)
	if err != nil {
		return err
	}
	troubled := 0
	for _, record := range append(last.failed, last.slowest...) {
		bad := record.Code != "" || record.Duration != nil && *record.Duration > 1000
		for _, part := range s.quiets {
			if bad && part.covers(record.At) {
				troubled++
				s.world.progress("in quiet: %s %s %v ms, %s", record.At.Format(time.TimeOnly), record.Name, *record.Duration, record.Code)
			}
		}
	}
	r.ratio("gates that failed, and alerts that were raised, by quiet", exactly, 0, float64(s.raised))
	r.ratio("loads that failed or were slow in quiet", exactly, 0, float64(troubled))
	r.ratio("loads that were to be recorded and were not", exactly, 0, last.metrics.sum("vital_load_dropped_total", nil))
	recorded, asked := int64(0), int64(0)
	for _, name := range loadNames {
		n, row := load.counts[name].Load(), last.byQuery[name]
		recorded, asked = recorded+row.Loads, asked+n
		r.note("%s: %d asked for, the records come to %d.", name, n, row.Loads)
	}
	r.ratio("loads the records come to, over those asked for, at least", atLeast, 0.95, float64(recorded)/float64(asked))
	r.ratio("the same, at most", atMost, 1.05, float64(recorded)/float64(asked))
	return nil
}

// faultDatabase is one in which several tenants work.
func (w *world) faultDatabase(ctx context.Context) (*target, error) {
	return w.database(ctx, "bench_faults", func(ctx context.Context, conn *pgx.Conn) error {
		if err := w.load(faultShape)(ctx, conn); err != nil {
			return err
		}
		if _, err := conn.Exec(ctx, faultsQueries.Get("Members"), faultShape.tenants, faultMembers); err != nil {
			return err
		}
		if _, err := conn.Exec(ctx, restQueries.Get("Prompts"), faultShape.tenants, restRows); err != nil {
			return err
		}
		for _, name := range []string{"Function", "FunctionRevoke", "FunctionGrant"} {
			if _, err := conn.Exec(ctx, faultsQueries.Get(name)); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	})
}
