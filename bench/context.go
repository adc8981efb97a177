package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/traffic"
)

// networkDelay is what the second comparison adds to each round trip to the database: two machines in
// one region.
const networkDelay = time.Millisecond

// contextShape is a platform with 50 flags, of which a tenant overrides 10, and 10 apps a tenant.
var contextShape = shape{tenants: 1000, flags: 50, apps: 10, overrides: 10}

func (w *world) contextDatabase(ctx context.Context) (*target, error) {
	return w.database(ctx, "bench_context", w.load(contextShape))
}

// someone is whose context is read.
const someone = 417

// token is an access token of user n.
func (w *world) token(n int) (string, error) {
	issuer, err := identity.NewTokenIssuer(identity.IssuerConfig{Secret: []byte(w.secret)})
	if err != nil {
		return "", err
	}
	return issuer.Issue(identity.Grant{
		UserID: userID(n), Email: fmt.Sprintf("user-%d@example.test", n), Role: identity.Authenticated, SessionID: userID(-n), TTL: time.Hour,
	})
}

// stage is the servers of the context scenario.
type stage struct {
	direct, far, bare *process
	proxy             *proxy
	farDatabase       *target
	token             string
	bytes             int
}

func (s *stage) close() error {
	var all []error
	for _, p := range []*process{s.direct, s.far, s.bare} {
		if p != nil {
			all = append(all, p.stop())
		}
	}
	if s.proxy != nil {
		all = append(all, s.proxy.stop())
	}
	return errors.Join(all...)
}

// set starts the servers and checks that what they answer is what the scenario is about.
func (w *world) set(ctx context.Context, d *target) (_ *stage, err error) {
	s := &stage{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.token, err = w.token(someone); err != nil {
		return nil, err
	}
	if s.direct, err = w.serve(ctx, d); err != nil {
		return nil, err
	}
	if s.proxy, err = startProxy(net.JoinHostPort("127.0.0.1", strconv.Itoa(w.pg.Port())), networkDelay); err != nil {
		return nil, err
	}
	s.farDatabase = d.through(s.proxy.address())
	if s.far, err = w.serve(ctx, s.farDatabase); err != nil {
		return nil, err
	}
	body, err := readContext(s.direct.address, s.token)
	if err != nil {
		return nil, err
	}
	s.bytes = len(body)
	s.bare, err = w.bare(ctx, body)
	return s, err
}

// readContext asks once and checks the answer's size of things.
func readContext(address, token string) ([]byte, error) {
	body, err := traffic.Ask(address, traffic.Get(address, "/v1/context", token))
	if err != nil {
		return nil, err
	}
	var answer struct {
		Tenants []any `json:"tenants"`
		Config  struct {
			Apps     []any `json:"apps"`
			Features []any `json:"features"`
		} `json:"config"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, err
	}
	if len(answer.Tenants) != 2 || len(answer.Config.Apps) != contextShape.apps || len(answer.Config.Features) != contextShape.flags {
		return nil, fmt.Errorf("the context is not the one to measure: %s", body)
	}
	return body, nil
}

const (
	nameServer    = "GET /v1/context"
	nameFunction  = "pgbench, build_context"
	nameOptimized = "pgbench, get_user_tenant_context_optimized"
	nameBare      = "bare net/http, same bytes"
	nameWaterfall = "seven queries in a row"
	nameServerFar = "GET /v1/context, database 1 ms away"
	nameFallFar   = "seven queries in a row, database 1 ms away"
	nameTrip      = "one empty query, database 1 ms away"
)

// measureContext measures contexts that nothing is remembered of: caching has those from memory.
func measureContext(ctx context.Context, w *world) (_ *result, err error) {
	d, err := w.contextDatabase(ctx)
	if err != nil {
		return nil, err
	}
	s, err := w.set(ctx, d)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	near, err := w.serveCold(ctx, d)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, near.server.stop()) }()
	far, err := w.serveCold(ctx, s.farDatabase)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, far.server.stop()) }()
	variants, err := w.contextVariants(ctx, d, s, near)
	if err != nil {
		return nil, err
	}
	user := userID(someone)
	all, err := interleave(ctx, w, append(variants,
		variant{nameWaterfall, 1, true, waterfall(d, waterfallSteps(user, tenantID(someone))...)},
		variant{nameServerFar, 1, false, far.contexts},
		variant{nameFallFar, 1, true, waterfall(s.farDatabase, waterfallSteps(user, tenantID(someone))...)},
		variant{nameTrip, 1, true, emptyQuery(s.farDatabase)}))
	if err != nil {
		return nil, err
	}
	r := contextResult(all, s.bytes)
	r.note("%.1f %% of what should not have been in memory was.", 100*near.remembered())
	return r, nil
}

// contextVariants are a context over HTTP and what it stands beside, by one client and by many.
func (w *world) contextVariants(ctx context.Context, d *target, s *stage, near *cold) (variants []variant, err error) {
	user := userID(someone)
	function, err := w.pgbench(d.superURL, "function", fmt.Sprintf("select tenant_id, version, body from vital.build_context('%s'::uuid, '');\n", user))
	if err != nil {
		return nil, err
	}
	optimized, err := w.pgbench(d.superURL, "optimized", fmt.Sprintf("select public.get_user_tenant_context_optimized('%s'::uuid);\n", user))
	if err != nil {
		return nil, err
	}
	same, oneGo, err := w.copyContext(ctx, d, s.token)
	if err != nil {
		return nil, err
	}
	bare := overHTTP(s.bare.address, "/", "")
	of := near.server.cmd.Process.Pid
	for _, clients := range []int{1, 16} {
		variants = append(variants,
			variant{nameServer, clients, false, w.accounted(of, near.contexts)},
			variant{nameSame, clients, true, w.accounted(of, same)}, variant{nameInOneGo, clients, true, w.accounted(of, oneGo)},
			variant{nameFunction, clients, true, w.accounted(of, function)}, variant{nameOptimized, clients, true, optimized},
			variant{nameBare, clients, true, bare})
	}
	return variants, nil
}

func contextResult(all []*series, size int) *result {
	r := &result{Series: all}
	r.note("The answer has %d bytes: %d flags, %d overridden, %d apps, 2 memberships.", size, contextShape.flags, contextShape.overrides, contextShape.apps)
	r.note("Each GET is another user's, and so is each of pgbench's copies of its transaction. It scrubs no session and writes no log.")
	r.note("The seven queries pay for no HTTP, no token and no policy.")
	r.note("The network added to the far database is %.2f ms a round trip in fact: timers wake late.", r.find(nameTrip, 1).Median.typical())
	for _, clients := range []int{1, 16} {
		of := func(name string) sample { return r.find(name, clients).Median }
		rate := of(nameServer).PerSecond
		r.ratio(fmt.Sprintf("throughput over pgbench's, the same transaction, clients: %d", clients), atLeast, 0.7, rate/of(nameSame).PerSecond)
		r.ratio(fmt.Sprintf("throughput over pgbench's, the same in one round trip, clients: %d", clients), information, 0, rate/of(nameInOneGo).PerSecond)
		r.ratio(fmt.Sprintf("throughput over the bare function's, clients: %d", clients), information, 0, rate/of(nameFunction).PerSecond)
		if of(nameServer).cpu() > 0 {
			r.ratio(fmt.Sprintf("CPU of Postgres over that of pgbench's one round trip, clients: %d", clients), information, 0, of(nameServer).PostgresCPU/of(nameInOneGo).PostgresCPU)
		}
	}
	r.ratio("times faster than seven queries, same machine", information, 0,
		r.find(nameWaterfall, 1).Median.typical()/r.find(nameServer, 1).Median.typical())
	r.ratio("times faster than seven queries, database 1 ms away", atLeast, 5,
		r.find(nameFallFar, 1).Median.typical()/r.find(nameServerFar, 1).Median.typical())
	r.plots = []plot{
		{Title: "Contexts a second, nothing in memory, 16 clients", Unit: "per second, logarithmic", Log: true, Bars: r.bars(16, sample.rate)},
		{Title: "Latency, nothing in memory, 1 client", Unit: "ms, logarithmic", Log: true, Bars: r.bars(1, sample.typical)},
	}
	return r
}
