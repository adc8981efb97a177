// Package rest is the PostgREST dialect: it turns a request's URL into a tree, the tree into a plan against
// the database's catalog, and the plan into one SQL statement whose values are parameters. The database
// builds the JSON, row by row; it is handed on as it arrives. Of HTTP it knows what the dialect is made of:
// methods, headers and statuses.
package rest

import (
	"context"
	"io"
	"log/slog"
	"net/textproto"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/postgres"
)

// Config says what is served and how. Schemas and ReadCatalog are required.
type Config struct {
	// Schemas are exposed; the first is that of requests which name none.
	Schemas []string
	// SearchPath are further schemas that names are looked up in. Defaults to none.
	SearchPath []string
	// Aggregates allows sum(), avg(), max(), min() and count() in select. Defaults to not.
	Aggregates bool
	// Plans answers application/vnd.pgrst.plan with how the database would go about it. Plans tell of data
	// their reader may not see. Defaults to not.
	Plans bool
	// TxOverride lets Prefer: tx=commit and tx=rollback say how a transaction ends. Defaults to not.
	TxOverride bool
	// RollbackAll rolls every transaction back unless it is overridden: for trying out. Defaults to not.
	RollbackAll bool
	// MaxRows bounds the rows of every level of an answer. Defaults to no bound.
	MaxRows int64
	// MaxBodyBytes bounds the body of a request. Defaults to 8 MiB.
	MaxBodyBytes int64
	// SpoolBytes is how much of an answer is kept in memory before it is streamed, or, where it may not go
	// out before the transaction has ended, written to a file. Defaults to 1 MiB.
	SpoolBytes int
	// PreRequest is a function called at the start of every transaction. Defaults to none.
	PreRequest Name
	// RootFunction answers at the root instead of the description. Defaults to none.
	RootFunction string
	// Timing sends Server-Timing. Defaults to not.
	Timing bool
	// ShowCredentials leaves Authorization and apikey among the headers that functions of the database can
	// read, as PostgREST does. Defaults to not.
	ShowCredentials bool
	// ReadCatalog runs read in a transaction that may see the whole catalog.
	ReadCatalog func(ctx context.Context, read func(pgx.Tx) error) error
	// Log is told when the catalog changes or cannot be read. Defaults to nothing.
	Log *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.MaxBodyBytes == 0 {
		c.MaxBodyBytes = 8 << 20
	}
	if c.SpoolBytes == 0 {
		c.SpoolBytes = 1 << 20
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Engine answers requests. It is safe for concurrent use.
type Engine struct {
	config  Config
	catalog atomic.Pointer[Catalog]
	reload  chan struct{}
}

// New returns an engine that knows no database yet: see Load.
func New(config Config) *Engine {
	return &Engine{config: config.withDefaults(), reload: make(chan struct{}, 1)}
}

// Session is how the work of one request reaches the database, and as whom.
type Session struct {
	// Run runs work in one transaction of the caller's.
	Run func(ctx context.Context, work *postgres.Work) error
	// Role is the database role the caller has.
	Role string
	// Authenticated says that the caller has said who they are: what they may not do is forbidden to them,
	// and not just unauthorized.
	Authenticated bool
	// Sealed says that Run is postgres.InTenant. The planner's estimates, which know the rows of all tenants,
	// are then never told: counts are exact. Only functions that are not VITAL's are told of the request.
	Sealed bool
	// Recorded says that the database is VITAL's, where reads in some tenants leave records.
	Recorded bool
}

// Responder sends an answer: Begin once, then the body. Stream is Begin where the rest of the body is still on
// its way from the database, which a slow client must not hold up.
type Responder interface {
	Begin(status int, header textproto.MIMEHeader) io.Writer
	Stream(status int, header textproto.MIMEHeader) io.Writer
}

// Load reads the catalog. Requests that are under way go on with the one they began with.
func (e *Engine) Load(ctx context.Context) error {
	started := time.Now()
	var loaded *Catalog
	err := e.config.ReadCatalog(ctx, func(tx pgx.Tx) (err error) {
		loaded, err = loadCatalog(ctx, tx, e.config.Schemas, e.config.SearchPath)
		return err
	})
	if err != nil {
		return err
	}
	e.catalog.Store(loaded)
	e.config.Log.InfoContext(ctx, "catalog loaded", "took", time.Since(started), "holds", loaded.Summary())
	return nil
}

// timing is how long the parts of a request took.
type timing struct{ parse, plan, transaction time.Duration }

// Serve answers a request. An error is an *Error in the dialect's shape, or a fault of what lies below; when
// it comes after Begin, the answer is incomplete and the connection must be cut.
func (e *Engine) Serve(ctx context.Context, in *Request, session Session, out Responder) error {
	catalog := e.catalog.Load()
	if catalog == nil {
		return newError(503, "PGRST002", "Could not query the database for the schema cache. Retrying.")
	}
	if !session.Sealed && !catalog.roles[session.Role] {
		return newError(401, "22023", `role "`+session.Role+`" does not exist`)
	}
	var took timing
	started := time.Now()
	key := planKey(in, session.Sealed)
	if p, ok := catalog.remembered(key, in); ok {
		took.plan = time.Since(started)
		return e.run(ctx, catalog, p, session, took, out)
	}
	r, err := e.config.read(in)
	if err != nil {
		return err
	}
	took.parse = time.Since(started)
	switch r.action {
	case describeSchema:
		return e.describe(ctx, catalog, r, session, out)
	case optionsOfRelation, optionsOfRoutine, optionsOfSchema:
		return respondOptions(catalog, r, out)
	default:
	}
	started = time.Now()
	p, err := e.plan(catalog, r, session)
	if err != nil {
		return err
	}
	p.statement()
	catalog.remember(key, p)
	took.plan = time.Since(started)
	return e.run(ctx, catalog, p, session, took, out)
}

// run answers with a plan, and turns what goes wrong into the dialect's errors.
func (e *Engine) run(ctx context.Context, catalog *Catalog, p *plan, session Session, took timing, out Responder) error {
	err := e.answer(ctx, catalog, p, session, took, out)
	e.reloadAfter(err)
	return databaseError(err, session.Authenticated)
}

// plan turns a request into what is to be run for it.
func (e *Engine) plan(catalog *Catalog, r *request, session Session) (*plan, error) {
	planner := &planner{catalog: catalog, config: &e.config, request: r}
	p := &plan{request: r, relation: r.target}
	var routine *Routine
	var table *Table
	var err error
	keys := r.payload.columns
	if r.action == callRoutine {
		if r.reading {
			keys = paramNames(r.query.Params)
		}
		if routine, err = catalog.routine(r.target, keys, r.content.kind, !r.reading); err != nil {
			return nil, err
		}
		p.relation = routine.relation()
	} else if table, err = catalog.table(r.target); err != nil {
		return nil, err
	}
	if p.read, err = planner.readPlan(p.relation); err != nil {
		return nil, err
	}
	if routine != nil {
		p.call = planner.callPlan(routine, keys, p.read)
	} else if r.action.mutates() {
		if p.mutate, err = planner.mutatePlan(table, p.read); err != nil {
			return nil, err
		}
	}
	p.grouping = planner.aggregates
	if err := r.prefer.checkStrict(); err != nil {
		return nil, err
	}
	if p.handler, err = catalog.negotiate(r.accept, p.relation, p.read.isWholeRow(), e.config.Plans && !session.Sealed); err != nil {
		return nil, err
	}
	if p.mutate != nil && r.prefer.representation == "headers-only" && p.handler.kind != asObject {
		p.handler.kind = asArray // only where the row is goes out
	}
	p.counted = r.prefer.counts() && (p.read.window != everything) && p.mutate == nil
	if session.Sealed {
		p.counted = r.prefer.count != "" && p.read.window != everything && p.mutate == nil
	}
	p.foreign = p.usesForeign(table, routine)
	p.columns = p.outputColumns()
	return p, p.checkCall()
}

func paramNames(params []Param) []string {
	seen := map[string]bool{}
	var names []string
	for _, p := range params {
		if !seen[p.Name] {
			names = append(names, p.Name)
		}
		seen[p.Name] = true
	}
	return names
}

// isWholeRow says that the select list is a lone *.
func (p *readPlan) isWholeRow() bool {
	return len(p.fields) == 1 && len(p.children) == 0 && p.fields[0].column.name == "*"
}

// checkCall refuses a bound of rows for what returns one value.
func (p *plan) checkCall() error {
	if p.call != nil && p.request.prefer.maxAffected != nil && p.request.prefer.handling == "strict" && !p.call.routine.setOf {
		return newError(400, "PGRST128", "Function must return SETOF or TABLE when max-affected preference is used with handling=strict")
	}
	return nil
}

// usesForeign says whether a function that is not VITAL's may run: the one called, a computed field or
// relationship, a trigger, a view's.
func (p *plan) usesForeign(table *Table, routine *Routine) bool {
	if routine != nil && routine.foreign || table != nil && table.foreign || p.handler.kind == byFunction {
		return true
	}
	return p.read.usesForeign()
}

func (p *readPlan) usesForeign() bool {
	if p.toParent != nil && p.toParent.foreign || p.table != nil && p.table.foreign {
		return true
	}
	computes := func(c *column) bool {
		known := p.table.field(c.name)
		return c.transform != "" || c.name != "*" && (known == nil || known.foreign)
	}
	for i := range p.fields {
		if computes(&p.fields[i].column) {
			return true
		}
	}
	for i := range p.order {
		if p.order[i].relation == "" && computes(&p.order[i].column) {
			return true
		}
	}
	for _, child := range p.children {
		if child.usesForeign() {
			return true
		}
	}
	return anyCondition(p.where, computes)
}

func anyCondition(conditions []logic, holds func(*column) bool) bool {
	for i := range conditions {
		l := &conditions[i]
		if l.filter != nil && holds(&l.filter.column) || anyCondition(l.terms, holds) {
			return true
		}
	}
	return false
}
