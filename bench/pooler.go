package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/traffic"
)

const (
	poolerTenants = 200
	poolerConns   = 8 // of the pooler to the database, for each login

	pooledRead  = "/rest/v1/prompts?select=tenant_id,title&order=title"
	pooledWrite = "/rest/v1/prompts?title=eq.Prompt%200001&select=tenant_id,title,body"
)

var poolerClients = []int{1, 16, 64}

func (w *world) poolerDatabase(ctx context.Context) (*target, error) {
	return w.database(ctx, "bench_pooler", func(ctx context.Context, conn *pgx.Conn) error {
		if err := w.load(shape{tenants: poolerTenants, flags: 20, apps: 4, overrides: 3})(ctx, conn); err != nil {
			return err
		}
		_, err := conn.Exec(ctx, restQueries.Get("Prompts"), poolerTenants, restRows)
		return err
	})
}

// pooledStage is two servers of one database, of which one reaches it for tenants' requests by way of PgBouncer.
type pooledStage struct {
	direct, pooled *process
	tokens         []string
	end            func() ([]byte, error) // of PgBouncer
	next, checked  atomic.Int64
}

func (s *pooledStage) close() error {
	var all []error
	for _, p := range []*process{s.direct, s.pooled} {
		if p != nil {
			all = append(all, p.stop())
		}
	}
	if s.end != nil {
		_, err := s.end()
		all = append(all, err)
	}
	return errors.Join(all...)
}

func (w *world) setPooled(ctx context.Context, d *target) (_ *pooledStage, err error) {
	s := &pooledStage{tokens: make([]string, poolerTenants)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	for n := range s.tokens {
		if s.tokens[n], err = w.token(n + 1); err != nil {
			return nil, err
		}
	}
	address, end, err := pgtest.StartPooler(w.pg.SuperuserURL("postgres"), map[string]string{"vital_api": w.secret}, poolerConns)
	if err != nil {
		return nil, err
	}
	s.end = end
	if s.direct, err = w.serve(ctx, d); err != nil {
		return nil, err
	}
	detour := *d
	detour.apiURL = d.through(address).apiURL // what listens goes to the server itself
	s.pooled, err = w.serve(ctx, &detour)
	return s, err
}

// asking is a variant's run: clients that ask address for something of one tenant after the other.
func (s *pooledStage) asking(address string, once func(c *traffic.Client, tenant int) error) func(context.Context, int, time.Duration) (sample, error) {
	return func(ctx context.Context, clients int, slice time.Duration) (sample, error) {
		return closedLoop(ctx, clients, slice, func(int) (worker, error) {
			c, err := traffic.Dial(address, nil)
			if err != nil {
				return worker{}, err
			}
			do := func() error { return once(c, int(s.next.Add(1)%poolerTenants)) }
			return worker{do: do, done: func() { c.Close() }}, nil
		})
	}
}

func (s *pooledStage) readRows(c *traffic.Client, tenant int) error {
	c.Request = traffic.Get(c.Address, pooledRead, s.tokens[tenant])
	return s.answered(c, tenant, restRows, "")
}

func (s *pooledStage) writeRow(c *traffic.Client, tenant int) error {
	text := strconv.FormatInt(s.next.Add(1), 10)
	c.Request = traffic.Patch(c.Address, pooledWrite, s.tokens[tenant], `{"body":"`+text+`"}`)
	return s.answered(c, tenant, 1, text)
}

// answered reads so many rows that are all of the tenant, and has its text in the first.
func (s *pooledStage) answered(c *traffic.Client, tenant, want int, text string) error {
	body, err := c.Body()
	if err != nil {
		return err
	}
	var rows []struct {
		Tenant uuid.UUID `json:"tenant_id"`
		Body   string
	}
	if err := json.Unmarshal(body, &rows); err != nil {
		return err
	}
	s.checked.Add(1)
	for _, row := range rows {
		if row.Tenant != tenantID(tenant+1) || row.Body != text {
			return fmt.Errorf("WRONG: tenant %d is answered %.200s", tenant+1, body)
		}
	}
	if len(rows) != want {
		return fmt.Errorf("WRONG: %d rows and not %d: %.200s", len(rows), want, body)
	}
	return nil
}

// rowSize is how many bytes a prompt takes on disk.
func rowSize(ctx context.Context, d *target) (bytes float64, err error) {
	conn, err := pgx.Connect(ctx, d.superURL)
	if err != nil {
		return 0, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	err = conn.QueryRow(ctx, restQueries.Get("RowSize")).Scan(&bytes)
	return bytes, err
}

// measurePooler asks what PgBouncer costs a request, and holds every answer against the tenant that asked.
func measurePooler(ctx context.Context, w *world) (_ *result, err error) {
	d, err := w.poolerDatabase(ctx)
	if err != nil {
		return nil, err
	}
	bytes, err := rowSize(ctx, d)
	if err != nil {
		return nil, err
	}
	s, err := w.setPooled(ctx, d)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	const rows, write = "48 rows, ", "a write and its row back, "
	var variants []variant
	for _, clients := range poolerClients {
		for _, v := range []struct {
			name     string
			server   *process
			baseline bool
		}{{"direct", s.direct, true}, {"through PgBouncer", s.pooled, false}} {
			variants = append(variants,
				variant{rows + v.name, clients, v.baseline, w.accounted(v.server.cmd.Process.Pid, s.asking(v.server.address, s.readRows))},
				variant{write + v.name, clients, v.baseline, w.accounted(v.server.cmd.Process.Pid, s.asking(v.server.address, s.writeRow))})
		}
	}
	all, err := interleave(ctx, w, variants)
	if err != nil {
		return nil, err
	}
	r := &result{Series: all}
	r.note("Each request is of another of %d tenants. PgBouncer in transaction mode has %d connections to the database; the server has 16 to it, or to PgBouncer. It listens on a connection of its own.", poolerTenants, poolerConns)
	r.note("A prompt takes %.0f bytes on disk, indexes included.", bytes)
	r.ratio("answers that were not the tenant's, of "+thousands(int(s.checked.Load())), exactly, 0, 0) // else the run has failed
	for _, clients := range poolerClients {
		for _, what := range []string{rows, write} {
			rate := func(name string) float64 { return r.find(what+name, clients).Median.PerSecond }
			r.ratio(fmt.Sprintf("%sthrough PgBouncer over direct, clients: %d", what, clients), information, 0, rate("through PgBouncer")/rate("direct"))
		}
	}
	r.plots = []plot{{Title: "Requests a second, 16 clients", Unit: "per second", Bars: r.bars(16, sample.rate)}}
	return r, nil
}
