package httpapi

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/perf"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/rest"
)

// load is what a request loads, for the record of it. Its name is written in the source, or the catalog's.
type load struct {
	kind, name string // "" where it loads no data
	named      string // the tenant asked for, "" for the default
	hit        bool   // no query was needed
	counted    bool   // the last step's rows are what is answered
	steps      steps
}

// steps are the transactions that were run for a request. One that others wait for too may end after the request.
type steps struct {
	mu   sync.Mutex
	all  []perf.Step
	over bool
}

func (s *steps) add(step perf.Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.all = append(s.all, step)
	}
}

// none says that nothing has been asked of the database.
func (s *steps) none() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all) == 0
}

// end returns them; what comes later is not the request's any more.
func (s *steps) end() []perf.Step {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	return s.all
}

// loads says what a route loads.
func (s *Server) loads(kind, name string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l := &requestOf(r.Context()).load
		l.kind, l.name = kind, name
		next.ServeHTTP(w, r)
	})
}

// verbs are the dialect's transactions, as the names of loads have them.
var verbs = map[string]string{
	"RestRead": "select", "RestInsert": "insert", "RestUpdate": "update", "RestUpsert": "upsert", "RestDelete": "delete",
}

// ObserveQuery tells the request that q was run for, if it was for one.
func ObserveQuery(ctx context.Context, q postgres.Query) {
	rq, ok := ctx.Value(requestKey{}).(*request)
	if !ok || rq.load.kind == "" {
		return
	}
	rq.load.steps.add(perf.Step{Name: q.Name, Duration: q.Duration, Rows: q.Rows, Code: q.Code()})
}

// ofDialect says what the dialect's work is about: a relation, or a function.
func (l *load) ofDialect(work *postgres.Work) {
	l.counted = work.Subject != ""
	switch verb := verbs[work.Name]; {
	case work.Subject == "":
	case verb != "":
		l.kind, l.name = work.Subject, work.Subject+"."+verb
	case work.Name == "RestCall":
		l.kind, l.name = "rpc", "rpc."+work.Subject
	}
}

// recordLoad keeps the request's load, if it was one and is chosen.
func (s *Server) recordLoad(rq *request, started time.Time, took time.Duration) {
	l := &rq.load
	if l.kind == "" || fault.CodeOf(rq.err) == fault.TenantOverLimit { // which is counted, and would bury all others
		return
	}
	s.config.Metrics.tenants.count(rq.tenant, started)
	// Whoever is nobody can make as many fail as they like.
	weight := s.config.Loads.Sample(took, rq.err != nil && rq.verified)
	if weight == 0 {
		return
	}
	record := perf.Load{
		At: started, Type: l.kind, Name: l.name, Tenant: rq.tenant, Named: l.named, User: rq.user, Duration: took, Rows: -1, CacheHit: l.hit && rq.err == nil,
		RequestID: rq.id, Weight: weight, Steps: append([]perf.Step{{Name: "authenticate", Duration: rq.authTook}}, l.steps.end()...),
	}
	if rq.err != nil {
		record.Code, record.Message = string(fault.CodeOf(rq.err)), toldOf(rq.err)
		if !rq.verified {
			record.Steps[0].Code = record.Code
		}
	}
	if last := len(record.Steps) - 1; l.counted && last > 0 {
		record.Rows = record.Steps[last].Rows
	}
	s.config.Loads.Record(record)
}

// toldOf is what the caller is told of err.
func toldOf(err error) string {
	var known *rest.Error
	if errors.As(err, &known) {
		return known.Message
	}
	return fault.From(err).Message
}
