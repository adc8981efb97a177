package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
)

//go:embed lifecycle.sql
var lifecycleText string

var lifecycleQueries = database.ParseQueries(lifecycleText)

// lifecycleShape is 1,000 tenants of some 380 rows each, members and prompts included.
var lifecycleShape = shape{tenants: 1000, flags: 50, apps: 10, overrides: 10, agents: 100}

const (
	lifeMembers  = 3   // of each tenant, who are in no other
	lifePrompts  = 250 // of each tenant
	lifeBusy     = 200 // tenants, the first ones, that ask for something all the time
	lifeClients  = 16  // their connections
	lifeRate     = 160 // requests a second, of all of them
	lifeRestored = 500 // whose rows are damaged and put back
	lifeErased   = 801 // the first one that is erased; the others follow two by two, so that each has a member who stays
	lifeOwner    = 700 // user who owns what is onboarded
	lifeFile     = 100 // tenants that are onboarded at a time
)

const (
	nameLifeAlone     = "others, nothing else going on"
	nameLifeStarted   = "others, while a command only starts"
	nameLifeComputing = "others, while one connection only computes"
	nameLifeExported  = "others, while a tenant is taken out"
	nameLifeRestored  = "others, while one is damaged, compared, put back"
	nameLifeErased    = "others, while tenants are erased"
	nameLifeOnboarded = "others, while tenants are onboarded"
)

// lifeSteps are the variants in which something happens to a tenant, and what it is called.
var lifeSteps = []struct {
	name, short string
	do          func(*lifecycleStage, context.Context) error
}{
	{nameLifeExported, "an export", (*lifecycleStage).export},
	{nameLifeRestored, "damage, diff, restore and diff", (*lifecycleStage).restore},
	{nameLifeErased, "an erasure, from suspended to certified", (*lifecycleStage).erase},
	{nameLifeOnboarded, fmt.Sprintf("onboarding %d tenants", lifeFile), (*lifecycleStage).onboard},
}

// lifeControls are what takes as much of the machine and touches nothing.
var lifeControls = []struct {
	name string
	do   func(*lifecycleStage, context.Context) error
}{{nameLifeStarted, (*lifecycleStage).start}, {nameLifeComputing, (*lifecycleStage).compute}}

// measureLifecycle asks what tenants notice while others are taken out, put back, erased and onboarded. Whether those are as they should be,
// and everybody else as they were, decides over the run; what it takes does not.
func measureLifecycle(ctx context.Context, w *world) (_ *result, err error) {
	d, err := w.database(ctx, "bench_lifecycle", w.loadLifecycle)
	if err != nil {
		return nil, err
	}
	s, err := w.openLifecycle(ctx, d)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	variants := []variant{{nameLifeAlone, lifeClients, true, s.beside(nil)}}
	for _, control := range lifeControls {
		variants = append(variants, variant{control.name, lifeClients, true, s.beside(func(ctx context.Context) error { return control.do(s, ctx) })})
	}
	for _, step := range lifeSteps {
		variants = append(variants, variant{step.name, lifeClients, false, s.beside(func(ctx context.Context) error {
			began := time.Now()
			err := step.do(s, ctx)
			s.took[step.name] = append(s.took[step.name], time.Since(began))
			if err != nil {
				return fmt.Errorf("%s: %w", step.short, err)
			}
			return nil
		})})
	}
	all, err := interleave(ctx, w, variants)
	if err != nil {
		return nil, err
	}
	checked, wrong, err := s.others(ctx)
	if err != nil {
		return nil, err
	}
	r := lifecycleResult(all, s, checked, len(wrong))
	if len(wrong) > 0 {
		return r, fmt.Errorf("what nobody should have touched is not as it was: %s", wrong)
	}
	return r, nil
}

// loadLifecycle fills the database.
func (w *world) loadLifecycle(ctx context.Context, conn *pgx.Conn) error {
	if err := w.load(lifecycleShape)(ctx, conn); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, restQueries.Get("Prompts"), lifecycleShape.tenants, lifePrompts); err != nil {
		return err
	}
	for _, name := range []string{"Members", "MemberAccounts", "MemberProfiles", "MemberMemberships"} {
		if _, err := conn.Exec(ctx, lifecycleQueries.Get(name), lifecycleShape.tenants, lifeMembers); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if _, err := conn.Exec(ctx, lifecycleQueries.Get("Operator")); err != nil {
		return err
	}
	// The secret is hexadecimal, so it needs no quoting.
	_, err := conn.Exec(ctx, "alter role bench_operator password '"+w.secret+"'")
	return err
}

func lifecycleResult(all []*series, s *lifecycleStage, checked, wrong int) *result {
	r := &result{Series: all}
	r.note("%s tenants; %d of them ask %d times a second in all: contexts, lists of %d prompts, and writes to agents, which are audited.",
		thousands(lifecycleShape.tenants), lifeBusy, lifeRate, lifeList)
	r.note("The operator's commands run where nothing else wants the machine (SCHED_IDLE), as if it were another's; what they have the database do does not.")
	for _, step := range lifeSteps {
		took := summarize(s.took[step.name], time.Second)
		r.note("%s: %d times, p50 %s s, with the start of each command", step.short, took.Count, number(took.P50/1000))
	}
	r.ratio(fmt.Sprintf("sums over rows of others that are not as they were, of %s", thousands(checked)), exactly, 0, float64(wrong))
	alone := r.find(nameLifeAlone, lifeClients).Median
	for _, control := range lifeControls {
		r.ratio("p99 of "+control.name+", over alone", information, 0, r.find(control.name, lifeClients).Median.P99/alone.P99)
	}
	for _, step := range lifeSteps {
		with := r.find(step.name, lifeClients).Median
		r.ratio("p99 of "+step.name+", over alone", atMost, 1.25, with.P99/alone.P99)
		r.ratio("p50 of "+step.name+", over alone", information, 0, with.P50/alone.P50)
	}
	r.plots = []plot{
		{Title: "p99 of others", Unit: "ms", Bars: r.bars(lifeClients, func(s sample) float64 { return s.P99 })},
		{Title: "p50 of others", Unit: "ms", Bars: r.bars(lifeClients, sample.typical)},
	}
	return r
}
