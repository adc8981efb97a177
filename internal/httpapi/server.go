// Package httpapi is VITAL over HTTP: the route table, who may call what, and how errors look. A
// handler decodes, calls one function of a layer below, and encodes; it returns an error and never
// writes one.
package httpapi

import (
	"context"
	"crypto/ed25519"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/rs/cors"

	"github.com/vital-db/vital/console"
	"github.com/vital-db/vital/internal/cache"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/perf"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/rest"
	"github.com/vital-db/vital/internal/signin"
	"github.com/vital-db/vital/internal/tenant"
	"github.com/vital-db/vital/internal/tracing"
)

// Config is what a server needs. DB, Verifier, Rest, Contexts, Flags, Changes, Metrics and Log are required.
type Config struct {
	DB       *postgres.DB
	Verifier *identity.Verifier
	// Rest answers /rest/v1/.
	Rest    *rest.Engine
	Metrics *Metrics
	Log     *slog.Logger
	// Contexts answers /v1/context.
	Contexts *tenant.Contexts
	// Flags answers /ofrep/v1/.
	Flags *tenant.Evaluator
	// Changes are what streams of events wait for.
	Changes *cache.Follower
	// Throttles are what tenants may take of the server, which is shared between them. Nil: it is whoever's asks first.
	Throttles *tenant.Throttles
	// TenantRate is how many requests a second a tenant may make that has no limit of its own, and a caller of whom no tenant
	// is known. Defaults to any number.
	TenantRate int
	// Loads keeps a record of each load of data. Nil keeps none.
	Loads *perf.Log
	// Tracer makes a span of each request. Nil makes none.
	Tracer *tracing.Tracer
	// Closing is closed when event streams must end, so that the server can. Nil is never.
	Closing <-chan struct{}
	// CORSOrigins are the web origins that may call; "*" is any. Defaults to none.
	CORSOrigins []string
	// RequestTimeout bounds one request. Defaults to 15s.
	RequestTimeout time.Duration
	// MaxBodyBytes bounds the body of one request. Defaults to 1 MiB.
	MaxBodyBytes int64
	// SchemaVersion is the version /readyz asks of the database.
	SchemaVersion int64
	// SignIn is the embedded sign-in, nil where it is off; SignInOff then says why.
	SignIn    *signin.Service
	SignInOff string
	// ArchiveKey signs the archives that tenants and people take out. Nil: nobody signs them.
	ArchiveKey ed25519.PrivateKey
	// TrustedProxies are those whose X-Forwarded-For is believed. Defaults to none.
	TrustedProxies []netip.Prefix
}

// Server answers requests. Of state it keeps between them only whose turn it is.
type Server struct {
	config  Config
	fair    *fairness // nil where nothing is shared
	warming chan struct{}
	exports exports
}

// New returns the handler of the whole surface.
func New(config Config) http.Handler {
	if config.RequestTimeout == 0 {
		config.RequestTimeout = 15 * time.Second
	}
	if config.MaxBodyBytes == 0 {
		config.MaxBodyBytes = 1 << 20
	}
	s := &Server{config: config, fair: newFairness(config.Throttles, config.TenantRate), warming: make(chan struct{}, warmers)}
	return s.withRequest(s.withCORS(s.routes()))
}

// routes is the whole table, grouped by who may call. The group, not the handler, decides that. What is
// described in api stands in /openapi.json.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	api := newAPI(mux)

	// Anybody.
	api.describe(healthOperation, s.public(s.healthz))
	api.describe(readyOperation, s.public(s.readyz))
	api.describe(metricsOperation, s.config.Metrics.handler(s.config.Tracer != nil))
	mux.Handle("GET /console/", http.StripPrefix("/console", console.Handler()))
	mux.Handle("GET /{$}", s.public(s.index))

	// Whoever asks, as whom their token or key says; the database decides about each row.
	mux.Handle(restBase+"/", s.loads("rest", "rest", s.rest()))

	// Users, and servers with a tenant's key: what flags are worth there.
	s.ofrepRoutes(mux)

	// Members: a verified token of a user; the database decides about the tenant.
	api.describe(contextOperation, s.loads("tenant_context", "tenant_context", s.member(s.getContext)))
	api.describe(contextEventsOperation, s.member(s.postContextEvents))
	api.describe(contextStreamOperation, s.public(s.stream(s.openContextEvents))) // a token in the address will do, too: an EventSource sends no header

	// Admins of the tenant, and super admins, as each says; the database decides again.
	for _, c := range s.writeRoutes() {
		api.describe(c.operation, s.loads("write", c.name, s.member(s.write(c.work))))
	}

	// Owners of the tenant, and super admins acting for it: everything of it.
	api.describe(exportTenantOperation, s.member(s.postTenantExport))
	// Users: what is theirs as a person.
	api.describe(exportPersonOperation, s.member(s.postPersonExport))

	// The embedded sign-in, under GoTrue's paths; who may call what stands there.
	s.signInRoutes(mux)

	// Anybody: what this table says of itself; last, so that it says all.
	api.describe(schemaOperation, s.public(s.getSchema))
	api.describe(openAPIOperation, s.public(document(api.json, "application/json")))
	api.describe(docsOperation, s.public(document(api.html, "text/html; charset=utf-8")))

	mux.Handle("/", s.public(s.notFound(mux)))
	return mux
}

// handler is a route's work: it writes a success or returns an error, never both.
type handler func(http.ResponseWriter, *http.Request) error

// callerHandler is a route's work for a verified caller.
type callerHandler func(http.ResponseWriter, *http.Request, identity.Caller) error

// public lets anybody call h.
func (s *Server) public(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			s.writeError(w, r, err)
		}
	})
}

// member lets whoever has a valid token call h.
func (s *Server) member(h callerHandler) http.Handler {
	return s.public(func(w http.ResponseWriter, r *http.Request) error {
		// What a caller gets depends on their token, errors included; no shared cache may keep it.
		header := w.Header()
		header["Cache-Control"] = privateNoCache
		if len(header["Vary"]) == 0 {
			header["Vary"] = memberVary
		} else {
			header.Add("Vary", memberVary[0])
		}
		started := time.Now()
		caller, err := s.authenticate(r)
		if err != nil {
			return err
		}
		rq := requestOf(r.Context())
		rq.user, rq.verified, rq.authTook = caller.UserID, true, time.Since(started)
		rq.load.named = caller.Tenant
		named := r.PathValue("id")
		if named == "" {
			named = r.Header.Get("Vital-Tenant")
		}
		if err := s.admit(r, caller, named); err != nil {
			return err
		}
		return h(w, r, caller)
	})
}

var memberVary = []string{"Authorization, Vital-Tenant"}

// withCORS answers browsers of the configured origins.
func (s *Server) withCORS(next http.Handler) http.Handler {
	if len(s.config.CORSOrigins) == 0 {
		return next
	}
	return cors.New(cors.Options{
		AllowedOrigins: s.config.CORSOrigins,
		AllowedMethods: []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete},
		// Any: applications add headers of their own, as the assessment's client adds x-application, and none but
		// Authorization and apikey says who is asking.
		AllowedHeaders: []string{"*"},
		ExposedHeaders: []string{"ETag", "Vital-Version", "Server-Timing", "X-Request-Id", "Retry-After", "Content-Range", "Content-Location", "Content-Profile", "Location", "Preference-Applied", "Idempotent-Replayed",
			"Link", "X-Total-Count", "X-Supabase-Api-Version", "X-Sb-Error-Code"},
		MaxAge: 600,
	}).Handler(next)
}

// NewHTTPServer returns a server of handler with bounds no client may exceed, whatever it does.
func NewHTTPServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      70 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    2 * maxURLBytes, // a URL that is too long is told so
	}
}

// RequestID returns the id of the request ctx belongs to, "" outside of one.
func RequestID(ctx context.Context) string {
	if rq, ok := ctx.Value(requestKey{}).(*request); ok {
		return rq.id
	}
	return ""
}
