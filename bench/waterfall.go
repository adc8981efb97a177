package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/traffic"
)

//go:embed waterfall.sql
var waterfallText string

var waterfallQueries = database.ParseQueries(waterfallText)

// step is one of the seven queries: what it asks for, as the picture says it, and by which key.
type step struct {
	query, label string
	key          uuid.UUID
}

func waterfallSteps(user, tenant uuid.UUID) []step {
	return []step{
		{"Session", "session", user}, {"Profile", "profiles", user}, {"User", "users", user}, {"Organization", "organizations", tenant},
		{"Configuration", "tenant_configurations", tenant}, {"Apps", "tenant_apps", tenant}, {"Flags", "feature_flags", tenant},
	}
}

// waterfall is a variant's run of some of the seven queries, one after the other. It is kind to them: a direct
// connection that is kept, prepared statements, no row-level security, no HTTP, and no answer is decoded.
func waterfall(d *target, steps ...step) variantRun {
	return func(ctx context.Context, clients int, slice time.Duration) (sample, error) {
		return closedLoop(ctx, clients, slice, func(int) (worker, error) {
			conn, err := d.asService(ctx)
			if err != nil {
				return worker{}, err
			}
			do := func() error {
				for _, step := range steps {
					if err := readAll(ctx, conn, waterfallQueries.Get(step.query), step.key); err != nil {
						return fmt.Errorf("%s: %w", step.query, err)
					}
				}
				return nil
			}
			return worker{do: do, done: func() { conn.Close(context.WithoutCancel(ctx)) }}, nil
		})
	}
}

// emptyQuery is a variant's run of what a round trip costs by itself.
func emptyQuery(d *target) variantRun {
	return func(ctx context.Context, clients int, slice time.Duration) (sample, error) {
		return closedLoop(ctx, clients, slice, func(int) (worker, error) {
			conn, err := d.asService(ctx)
			if err != nil {
				return worker{}, err
			}
			do := func() error { return readAll(ctx, conn, waterfallQueries.Get("Empty"), true) }
			return worker{do: do, done: func() { conn.Close(context.WithoutCancel(ctx)) }}, nil
		})
	}
}

// asService is a connection that acts as service_role from the start.
func (d *target) asService(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.Connect(ctx, d.serviceURL)
	if err != nil {
		return nil, err
	}
	_, err = conn.Exec(ctx, "set role service_role")
	return conn, err
}

// readAll reads every row and fails when there is none: a query that finds nothing measures nothing.
func readAll(ctx context.Context, conn *pgx.Conn, query string, args ...any) error {
	rows, err := conn.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	count, size := 0, 0
	for rows.Next() {
		count++
		for _, value := range rows.RawValues() {
			size += len(value)
		}
	}
	if rows.Err() == nil && (count == 0 || size == 0) {
		return pgx.ErrNoRows
	}
	return rows.Err()
}

const (
	nameCold = "GET /v1/context, nothing in memory"
	nameHot  = "GET /v1/context, from memory"
	nameNone = "one empty query"
)

// measureWaterfall draws the seven queries beside one request that answers the same, with nothing in memory and with
// everything.
func measureWaterfall(ctx context.Context, w *world) (_ *result, err error) {
	d, err := w.contextDatabase(ctx)
	if err != nil {
		return nil, err
	}
	s, err := w.set(ctx, d)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	r := &result{}
	r.note("The seven queries are made easy: a kept direct connection, prepared statements, no policies, no HTTP, no token, nothing decoded. Ours is the whole request, as its client sees it.")
	if err := r.beside(ctx, w, "database on the same machine", d, overHTTP(s.direct.address, "/v1/context", s.token)); err != nil {
		return nil, err
	}
	return r, r.beside(ctx, w, "database 1 ms away", s.farDatabase, overHTTP(s.far.address, "/v1/context", s.token))
}

// beside measures one panel of the picture: hot is who asks and is answered from memory.
func (r *result) beside(
	ctx context.Context, w *world, where string, d *target, hot variantRun,
) (err error) {
	c, err := w.serveCold(ctx, d)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.server.stop()) }()
	steps := waterfallSteps(userID(someone), tenantID(someone))
	named := func(name string) string { return name + ", " + where }
	variants := []variant{
		{named(nameWaterfall), 1, true, waterfall(d, steps...)},
		{named(nameCold), 1, false, c.contexts},
		{named(nameHot), 1, false, hot},
		{named(nameNone), 1, true, emptyQuery(d)},
	}
	for _, s := range steps {
		variants = append(variants, variant{named(s.query), 1, true, waterfall(d, s)})
	}
	all, err := interleave(ctx, w, variants)
	if err != nil {
		return err
	}
	r.Series = append(r.Series, all...)
	typical := func(name string) float64 { return r.find(named(name), 1).Median.typical() }
	r.note("%s: a round trip takes %.2f ms; %.0f %% of what should not have been in memory was.", where, typical(nameNone), 100*c.remembered())
	r.ratio(named("times faster than seven queries, nothing in memory"), information, 0, typical(nameWaterfall)/typical(nameCold))
	r.ratio(named("times faster than seven queries, from memory"), atLeast, 5, typical(nameWaterfall)/typical(nameHot))
	panel := plot{Title: "Until a client has its tenant's context, " + where, Unit: "ms"}
	alone, at := 0.0, 0.0
	for _, s := range steps {
		alone += typical(s.query)
	}
	for _, s := range steps { // its share of the whole, as it was when measured alone
		took := typical(s.query) / alone * typical(nameWaterfall)
		panel.Spans = append(panel.Spans, span{Label: s.label, From: at, To: at + took})
		at += took
	}
	panel.Spans[len(steps)-1].Note = fmt.Sprintf("seven in a row: %s ms", number(typical(nameWaterfall)))
	panel.Spans = append(panel.Spans,
		span{Label: nameCold, To: typical(nameCold), Note: number(typical(nameCold)) + " ms", Ours: true},
		span{Label: nameHot, To: typical(nameHot), Note: number(typical(nameHot)) + " ms", Ours: true})
	r.plots = append(r.plots, panel)
	return nil
}

// forgetful has room in memory for one of the tenants in ten.
const forgetful = "VITAL_CACHE_BYTES=1048576"

// cold is a server that is asked by so many users in turns that it remembers hardly any.
type cold struct {
	server   *process
	requests [][]byte
	next     atomic.Int64 // of the requests
	known    atomic.Int64 // answered from memory all the same
}

// serveCold starts one.
func (w *world) serveCold(ctx context.Context, d *target) (*cold, error) {
	server, err := w.serve(ctx, d, forgetful)
	if err != nil {
		return nil, err
	}
	c := &cold{server: server, requests: make([][]byte, contextShape.tenants)}
	for i := range c.requests {
		token, err := w.token(i + 1)
		if err != nil {
			return nil, errors.Join(err, server.stop())
		}
		c.requests[i] = traffic.Get(server.address, "/v1/context", token)
	}
	return c, nil
}

// contexts is a variant's run of clients that ask for one user's context after the other, and begin anew behind the last.
func (c *cold) contexts(ctx context.Context, clients int, slice time.Duration) (sample, error) {
	return closedLoop(ctx, clients, slice, func(int) (worker, error) {
		client, err := traffic.Dial(c.server.address, nil)
		if err != nil {
			return worker{}, err
		}
		do := func() error {
			client.Request = c.requests[int(c.next.Add(1))%len(c.requests)]
			err := client.Do()
			if client.Remembered {
				c.known.Add(1)
			}
			return err
		}
		return worker{do: do, done: func() { client.Close() }}, nil
	})
}

// remembered is the share of what was asked that came from memory.
func (c *cold) remembered() float64 {
	return float64(c.known.Load()) / float64(max(1, c.next.Load()))
}
