package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/traffic"
)

//go:embed rest.sql
var restText string

var restQueries = database.ParseQueries(restText)

// restShape is a platform whose tenants have 48 prompts each, but for one that has many, and one that is
// written to.
var restShape = shape{tenants: 1000}

const (
	restRows      = 48
	restManyRows  = 1000
	restCollector = 500
	restWriter    = 600
	restQuery     = "select=id,title,body,description,category,version,status,updated_at&order=title"
	restPath      = "/rest/v1/prompts?" + restQuery
	plainSchema   = "plain"
	plainPath     = "/prompts?" + restQuery
)

// restSetUp is the order in which the copy for servers that know nothing of VITAL is made.
var restSetUp = []string{"Schema", "Login", "Table", "Rows", "Enable", "Policy", "SchemaGrant", "TableGrant"}

func (w *world) restDatabase(ctx context.Context) (*target, error) {
	return w.database(ctx, "bench_rest", func(ctx context.Context, conn *pgx.Conn) error {
		if err := w.load(restShape)(ctx, conn); err != nil {
			return err
		}
		if _, err := conn.Exec(ctx, restQueries.Get("Prompts"), restShape.tenants, restRows); err != nil {
			return err
		}
		if _, err := conn.Exec(ctx, restQueries.Get("MorePrompts"), restCollector, restRows+1, restManyRows); err != nil {
			return err
		}
		for _, name := range restSetUp {
			if _, err := conn.Exec(ctx, restQueries.Get(name)); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		// The secret is hexadecimal, so it needs no quoting.
		_, err := conn.Exec(ctx, "alter role plain_api password '"+w.secret+"'")
		return err
	})
}

// plainURL logs in as servers that know nothing of VITAL do.
func (w *world) plainURL(d *target) string { return w.pg.URL("plain_api", w.secret, d.name) }

// plainToken is a token of tenant n's for the plain policy.
func (w *world) plainToken(n int) (string, error) {
	return jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"role": "authenticated", "sub": userID(n), "tenant": tenantID(n), "aud": "authenticated",
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}).SignedString([]byte(w.secret))
}

// serveDialect starts the real binary's dialect alone, over the plain copy.
func (w *world) serveDialect(ctx context.Context, d *target) (*process, error) {
	cmd := exec.CommandContext(ctx, w.binary, "rest", "--database-url", w.plainURL(d), "--schemas", plainSchema, "--extra-search-path", "public",
		"--anon-role", "anon", "--listen", "127.0.0.1:0")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "VITAL_JWT_SECRET=" + w.secret, "VITAL_LOG_LEVEL=info"}
	return w.start(cmd, "rest")
}

// restStage is the servers of the scenario, and what is asked of them.
type restStage struct {
	sealed, plain, bare  *process
	peers                []*peer
	token, collector     string
	writer, plainToken   string
	answer, manyAnswer   []byte
	direct, inOneGo      func(context.Context, int, time.Duration) (sample, error)
	statement, insertion string
}

func (s *restStage) close() error {
	var all []error
	for _, p := range []*process{s.sealed, s.plain, s.bare} {
		if p != nil {
			all = append(all, p.stop())
		}
	}
	for _, p := range s.peers {
		all = append(all, p.stop())
	}
	return errors.Join(all...)
}

// setRest starts the servers and checks that they answer what the scenario is about.
func (w *world) setRest(ctx context.Context, d *target) (_ *restStage, err error) {
	s := &restStage{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if err := s.issue(w); err != nil {
		return nil, err
	}
	if err := s.copyTransaction(ctx, w, d); err != nil {
		return nil, err
	}
	if s.sealed, err = w.serve(ctx, d); err != nil {
		return nil, err
	}
	if s.plain, err = w.serveDialect(ctx, d); err != nil {
		return nil, err
	}
	if s.answer, err = readRows(s.sealed.address, restPath, s.token, restRows); err != nil {
		return nil, err
	}
	if s.manyAnswer, err = readRows(s.sealed.address, restPath, s.collector, restManyRows); err != nil {
		return nil, err
	}
	if _, err = readRows(s.plain.address, plainPath, s.plainToken, restRows); err != nil {
		return nil, err
	}
	if s.bare, err = w.bare(ctx, s.answer); err != nil {
		return nil, err
	}
	for _, asked := range w.peers {
		p, err := w.startPeer(ctx, asked, d, s.plainToken)
		if err != nil {
			return nil, err
		}
		s.peers = append(s.peers, p)
	}
	return s, nil
}

// issue makes the tokens, and the row that is written.
func (s *restStage) issue(w *world) error {
	var failed [4]error
	s.token, failed[0] = w.token(someone)
	s.collector, failed[1] = w.token(restCollector)
	s.writer, failed[2] = w.token(restWriter)
	s.plainToken, failed[3] = w.plainToken(someone)
	s.insertion = fmt.Sprintf(`{"tenant_id":"%s","title":"Prompt","body":"Summarise the report in two sentences.","category":"general"}`, tenantID(restWriter))
	return errors.Join(failed[:]...)
}

// readRows asks once and checks how many rows come.
func readRows(address, path, token string, want int) ([]byte, error) {
	body, err := traffic.Ask(address, traffic.Get(address, path, token))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var rows []map[string]any
	if err := json.Unmarshal(body, &rows); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(rows) != want || len(rows[0]) != 8 {
		return nil, fmt.Errorf("%s: %d rows are not the %d to measure", path, len(rows), want)
	}
	return body, nil
}

const (
	nameRest     = "GET /rest/v1/prompts"
	nameDialect  = "vital rest, plain policy"
	nameSame     = "pgbench, the same transaction"
	nameInOneGo  = "pgbench, the same in one round trip"
	nameRestBare = "bare net/http, same bytes"
	nameRestMany = "GET /rest/v1/prompts, 1,000 rows"
	nameRestPost = "POST /rest/v1/prompts, the row back"
)

var restClients = []int{1, 16}

func measureRest(ctx context.Context, w *world) (_ *result, err error) {
	d, err := w.restDatabase(ctx)
	if err != nil {
		return nil, err
	}
	s, err := w.setRest(ctx, d)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	kinds, err := s.kinds()
	if err != nil {
		return nil, err
	}
	sealed, plain, bare := s.sealed.cmd.Process.Pid, s.plain.cmd.Process.Pid, s.bare.cmd.Process.Pid
	var variants []variant
	for _, clients := range restClients {
		variants = append(variants,
			variant{nameRest, clients, false, w.accounted(sealed, overHTTP(s.sealed.address, restPath, s.token))},
			variant{nameSame, clients, true, s.direct},
			variant{nameInOneGo, clients, true, s.inOneGo},
			variant{nameDialect, clients, false, w.accounted(plain, overHTTP(s.plain.address, plainPath, s.plainToken))})
		for _, p := range s.peers {
			variants = append(variants, variant{p.name, clients, true, w.accounted(p.cmd.Process.Pid, overHTTP(p.address, p.path, s.plainToken))})
		}
		variants = append(variants,
			variant{nameRestBare, clients, true, w.accounted(bare, overHTTP(s.bare.address, "/", ""))})
		for _, k := range kinds {
			variants = append(variants, variant{k.name, clients, false, w.accounted(sealed, sending(s.sealed.address, k.request))})
		}
	}
	all, err := interleave(ctx, w, variants)
	if err != nil {
		return nil, err
	}
	r := restResult(all, s.peers)
	r.note("The answer has %d bytes, that of 1,000 rows %d.", len(s.answer), len(s.manyAnswer))
	r.note("%s", s.statement)
	for _, p := range s.peers {
		r.note("%s: %s, %d bytes", p.name, p.path, p.bytes)
	}
	return r, nil
}

func restResult(all []*series, peers []*peer) *result {
	r := &result{Series: all}
	r.note("%s tenants have %d prompts each; the transaction of a pgbench client has the same statements, sealed once for the whole run.",
		thousands(restShape.tenants), restRows)
	r.note("us: CPU time in microseconds that the server and Postgres took for each; the load generator's comes on top.")
	r.note("%s and the peers read the same rows under one plain policy on request.jwt.claims; nothing is sealed there.", nameDialect)
	for _, clients := range restClients {
		rate := func(name string) float64 { return r.find(name, clients).Median.PerSecond }
		over := func(ours, theirs, want string, limit float64) {
			r.ratio(fmt.Sprintf("%s over %s, clients: %d", ours, theirs, clients), want, limit, rate(ours)/rate(theirs))
		}
		over(nameRest, nameSame, atLeast, 0.6)
		over(nameRest, nameInOneGo, information, 0)
		over(nameRest, nameRestBare, information, 0)
		for _, p := range peers {
			over(nameDialect, p.name, atLeast, 1.5)
			over(nameRest, p.name, atLeast, 1.5)
			if ours := r.find(nameDialect, clients).Median.cpu(); ours > 0 {
				r.ratio(fmt.Sprintf("CPU time of %s over %s, clients: %d", p.name, nameDialect, clients), information, 0,
					r.find(p.name, clients).Median.cpu()/ours)
			}
		}
	}
	r.plots = []plot{
		{Title: "Requests a second, 16 clients", Unit: "per second, logarithmic", Log: true, Bars: r.bars(16, sample.rate)},
		{Title: "Latency, 1 client", Unit: "ms, logarithmic", Log: true, Bars: r.bars(1, sample.typical)},
	}
	return r
}
