package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/httpapi"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/perf"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/rest"
	"github.com/vital-db/vital/internal/schema"
	"github.com/vital-db/vital/internal/signin"
	"github.com/vital-db/vital/internal/tracing"
)

// drainTime is how long running requests may take to finish once a stop is asked for.
const drainTime = 20 * time.Second

func (a *app) serveCommand() *cobra.Command {
	var listen string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve against VITAL_DATABASE_URL, or the private server",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			listener, err := a.listen(ctx, listen)
			if err != nil {
				return err
			}
			defer listener.Close()
			t, err := a.openTarget(ctx)
			if err != nil {
				return err
			}
			err = a.serve(ctx, t, listener, func(address string) { fmt.Fprintf(a.streams.Out, "ready %s\n", address) })
			return errors.Join(err, t.close(ctx))
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "", "address to serve on (VITAL_LISTEN, default 127.0.0.1:8080)")
	return cmd
}

// listen takes the address before anything slow happens, so that a taken port is told at once.
func (a *app) listen(ctx context.Context, flag string) (net.Listener, error) {
	address := cmp.Or(flag, a.config.Listen)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fault.Wrap(err, fault.ListenFailed, fmt.Sprintf("The address %s cannot be served on: %v.", address, err),
			"Choose another with --listen, as 127.0.0.1:0 for any free port.")
	}
	return listener, nil
}

// serve answers requests until ctx ends, then lets the running ones finish.
func (a *app) serve(ctx context.Context, t *target, listener net.Listener, ready func(address string)) error {
	a.tuneCollector()
	metrics := httpapi.NewMetrics(version())
	metrics.ShowTenants(a.config.MetricsTenants)
	tracer, err := a.openTracing(ctx)
	if err != nil {
		return err
	}
	defer tracer.Close(ctx) // after all that makes spans
	metrics.WatchTraces(tracer)
	db, loads, closeDatabase, err := a.openDatabase(ctx, t, tracer, metrics)
	if err != nil {
		return err
	}
	defer closeDatabase()
	metrics.WatchPool(db)
	metrics.WatchReplicas(db)
	address := "http://" + listener.Addr().String()
	door, err := a.openDoor(ctx, t, db.Service, address, tracer)
	if err != nil {
		return err
	}
	defer door.close()
	stopWorking, err := a.work(ctx, t, db.Service, metrics)
	if err != nil {
		return err
	}
	defer stopWorking()
	engine, stopFollowing, err := a.openRest(ctx, db)
	if err != nil {
		return err
	}
	defer stopFollowing()
	memory, err := a.openMemory(ctx, db, tracer, metrics)
	if err != nil {
		return err
	}
	defer memory.stop()
	metrics.WatchMemory(memory.contexts, memory.flags)
	metrics.WatchChanges(memory.changes)
	metrics.WatchShared(memory.shared)

	signer, err := a.checkpointSigner(t, "")
	if err != nil {
		return err
	}

	closing := make(chan struct{})
	server := httpapi.NewHTTPServer(httpapi.New(httpapi.Config{
		DB: db, Verifier: door.verifier, Rest: engine, Contexts: memory.contexts, Flags: memory.flags, Changes: memory.changes, Loads: loads, Tracer: tracer, Closing: closing, Metrics: metrics, Log: a.log,
		Throttles: memory.throttles, TenantRate: a.config.TenantRate,
		CORSOrigins: a.config.CORSOrigins, SchemaVersion: schema.LatestVersion(),
		SignIn: door.signIn, SignInOff: door.signInOff, ArchiveKey: signer.private(), TrustedProxies: a.config.TrustedProxies,
	}))
	server.RegisterOnShutdown(func() { close(closing) })
	ready(address)
	return a.serveUntilDone(ctx, server, listener)
}

// door is who lets callers in.
type door struct {
	verifier  *identity.Verifier
	signIn    *signin.Service // nil where it is off, and signInOff says why
	signInOff string
}

func (a *app) openDoor(ctx context.Context, t *target, service *postgres.Service, address string, tracer *tracing.Tracer) (d door, err error) {
	if d.signIn, d.signInOff, err = a.signIn(ctx, t, service, address); err != nil {
		return d, err
	}
	d.verifier, err = a.verifier(t, service, d.signIn, tracer)
	if err == nil {
		err = d.verifier.Start(ctx)
	}
	if err != nil {
		d.close()
	}
	return d, err
}

func (d door) close() {
	if d.signIn != nil {
		d.signIn.Close()
	}
}

// openDatabase connects, tells metrics, requests and the log of every transaction, and keeps records of loads until done is called.
func (a *app) openDatabase(ctx context.Context, t *target, tracer *tracing.Tracer, metrics *httpapi.Metrics) (db *postgres.DB, loads *perf.Log, done func(), err error) {
	var recorded atomic.Pointer[perf.Log]
	db, err = postgres.Open(ctx, postgres.Config{
		URL: t.apiURL, ServiceURL: t.serviceURL, ReplicaURLs: a.config.ReplicaURLs, MaxConns: a.config.DatabaseConns, Fair: a.config.Fairness, Log: a.log,
		OnQuery: func(ctx context.Context, q postgres.Query) {
			tracer.Query(ctx, q)
			metrics.ObserveQuery(q)
			httpapi.ObserveQuery(ctx, q)
			recordJob(ctx, recorded.Load(), q)
			a.logQuery(ctx, q)
		},
	})
	if err != nil {
		return nil, nil, nil, err
	}
	loads, stopRecording := a.openLoads(ctx, db.Service, metrics)
	recorded.Store(loads)
	return db, loads, func() { stopRecording(); db.Close() }, nil
}

// work does what goes on beside requests, until stop is called.
func (a *app) work(ctx context.Context, t *target, service *postgres.Service, metrics *httpapi.Metrics) (stop func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	waitCheckpoints, err := a.keepCheckpoints(ctx, t, service)
	if err != nil {
		cancel()
		return nil, err
	}
	waitJobs, err := a.keepJobs(ctx, t, service, metrics)
	if err != nil {
		cancel()
		waitCheckpoints()
		return nil, err
	}
	var showing sync.WaitGroup
	showing.Go(func() { a.showChecks(ctx, service, metrics) })
	return func() { cancel(); waitJobs(); waitCheckpoints(); showing.Wait() }, nil
}

// openRest reads the catalog and keeps it up to date until stop is called.
func (a *app) openRest(ctx context.Context, db *postgres.DB) (engine *rest.Engine, stop func(), err error) {
	engine = rest.New(rest.Config{
		Schemas: a.config.RestSchemas, Aggregates: a.config.RestAggregates, MaxRows: a.config.RestMaxRows, Timing: true, Log: a.log,
		ReadCatalog: func(ctx context.Context, read func(pgx.Tx) error) error {
			return db.AsService(ctx, "CatalogRead", read)
		},
	})
	if err := engine.Load(ctx); err != nil {
		return nil, nil, err
	}
	following, stop := context.WithCancel(ctx)
	go engine.Follow(following)
	go db.Listen(following, reloadChannel, func(string) { engine.Reload() }, func(time.Time) {}, func() {})
	return engine, stop, nil
}

// serveUntilDone serves until ctx ends, then lets the running requests finish.
func (a *app) serveUntilDone(ctx context.Context, server *http.Server, listener net.Listener) error {
	served := make(chan error, 1)
	go func() { served <- httpapi.Serve(server, listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	a.log.Info("stopping: finishing running requests", "at_most", drainTime)
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	if err := server.Shutdown(drain); err != nil {
		return fmt.Errorf("finish running requests: %w", err)
	}
	a.log.Info("stopped")
	return nil
}

// tuneCollector lets the heap grow to five times what is live before it is collected. A server that keeps
// a few megabytes would otherwise collect many times a second; GOGC, where it is set, outranks this.
func (a *app) tuneCollector() {
	if env.ToMap(a.environ)["GOGC"] == "" {
		debug.SetGCPercent(400)
	}
}

// verifier checks tokens with the configured key, or with the private server's own and those of the
// embedded sign-in, and API keys with what the database holds of them.
func (a *app) verifier(t *target, service *postgres.Service, signIn *signin.Service, tracer *tracing.Tracer) (*identity.Verifier, error) {
	config, err := a.tokenConfig(t)
	if err != nil {
		return nil, err
	}
	checks := identity.Config{
		Secret: []byte(config.secret), JWKSURL: a.config.JWKSURL, Issuer: config.issuer, Audience: config.audience, Log: a.log,
		APIKey: signin.FindAPIKey(service), HTTPClient: keyClient(tracer),
	}
	if signIn != nil {
		checks.JWKS, checks.JWKSRefresh = signIn.JWKS, time.Minute
	}
	return identity.NewVerifier(checks)
}

type tokenConfig struct{ secret, issuer, audience string }

// tokenConfig returns what tokens are made and checked with. The private server brings a secret of its
// own where none is set.
func (a *app) tokenConfig(t *target) (tokenConfig, error) {
	config := tokenConfig{a.config.JWTSecret, a.config.JWTIssuer, a.config.JWTAudience}
	if config.secret != "" || a.config.JWKSURL != "" {
		return config, nil
	}
	if t.private == nil {
		kek, err := a.kek(t)
		if kek != nil || err != nil {
			config.issuer = cmp.Or(config.issuer, "vital") // the embedded sign-in signs with its own keys
			return config, err
		}
		return config, fault.New(fault.ConfigInvalid, "There is no key to verify tokens with.",
			"Set VITAL_JWT_SECRET to the issuer's HS256 secret, VITAL_JWKS_URL to its key set, or VITAL_KEK_FILE to a keyring for the embedded sign-in.")
	}
	var err error
	config.secret, err = t.private.Secret("jwt")
	config.issuer = cmp.Or(config.issuer, "vital")
	return config, err
}
