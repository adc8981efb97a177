// Package postgres is the only way to the database while serving. A tenant's data is reached through
// InTenant and nothing else; operators and jobs go through AsService.
package postgres

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fair"
	"github.com/vital-db/vital/internal/fault"
)

//go:embed postgres.sql
var queryText string

var queries = database.ParseQueries(queryText)

// Config says how to reach the database. Both logins are made by database/roles.sql.
type Config struct {
	// URL connects as vital_api, which may become only anon and authenticated.
	URL string
	// ServiceURL connects as vital_service, which may become service_role and may read the seal key.
	ServiceURL string
	// ReplicaURLs connect as vital_api to streaming replicas of the same database, which may answer reads. Defaults to none.
	ReplicaURLs []string
	// MaxConns bounds the tenant pool, and that of each replica. Defaults to 16.
	MaxConns int32
	// Fair has tenants take turns at the connections of the tenant pool, and of each replica's: what is done within a context
	// counts to its fair.Claim. Defaults to whoever asks first.
	Fair bool
	// AcquireTimeout is how long a request waits for a connection. Defaults to 2s.
	AcquireTimeout time.Duration
	// StatementTimeout bounds each statement of a tenant. Defaults to 10s.
	StatementTimeout time.Duration
	// KeyRefresh is how often the seal key is looked up. Defaults to 30s.
	KeyRefresh time.Duration
	// OnQuery is told of every transaction, in the goroutine that ran it. Defaults to nothing.
	OnQuery func(context.Context, Query)
	// Log receives what no request can be told. Defaults to nothing.
	Log *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.MaxConns == 0 {
		c.MaxConns = 16
	}
	if c.AcquireTimeout == 0 {
		c.AcquireTimeout = 2 * time.Second
	}
	if c.StatementTimeout == 0 {
		c.StatementTimeout = 10 * time.Second
	}
	if c.KeyRefresh == 0 {
		c.KeyRefresh = 30 * time.Second
	}
	if c.OnQuery == nil {
		c.OnQuery = func(context.Context, Query) {}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// DB holds the pools: tenants for InTenant, Service beside it for AsService, and looks for Look.
type DB struct {
	*Service

	config     Config
	tenants    *pool
	looks      *Service
	replicas   replicas
	recorders  recorders
	sealer     sealer
	background context.Context // ends at Close
	stop       context.CancelFunc
}

// Open connects all pools, refuses logins that would not be bound by row-level security, and reads
// the seal key.
func Open(ctx context.Context, config Config) (*DB, error) {
	config = config.withDefaults()
	db := &DB{config: config}
	var err error
	if db.tenants, err = openPool(ctx, config.URL, config.MaxConns, config); err != nil {
		return nil, err
	}
	if config.Fair {
		db.tenants.queue = fair.NewQueue(int(config.MaxConns))
	}
	if db.Service, err = OpenService(ctx, config); err != nil {
		db.tenants.Close()
		return nil, err
	}
	if db.looks, err = openService(ctx, config, lookConns); err != nil {
		db.tenants.Close()
		db.Service.Close()
		return nil, err
	}
	db.background, db.stop = context.WithCancel(context.WithoutCancel(ctx))
	if err := errors.Join(checkPosture(ctx, db.tenants, "VITAL_DATABASE_URL"), db.loadKey(ctx)); err != nil {
		db.Close()
		return nil, err
	}
	if err := db.warnOfPooler(ctx); err != nil {
		db.Close()
		return nil, err
	}
	if err := db.openReplicas(ctx); err != nil {
		db.Close()
		return nil, err
	}
	go db.refreshKey(db.background)
	return db, nil
}

// Close waits for running work and closes all pools.
func (db *DB) Close() {
	db.stop()
	db.replicas.done.Wait()
	for _, r := range db.replicas.all {
		r.Close()
	}
	db.tenants.Close()
	db.Service.Close()
	db.looks.Close()
}

// maxRowBytes is the longest row that is taken from the server: rows are handed on one after the other, but each
// lies in memory as a whole.
const maxRowBytes = 64 << 20

// openPool connects to url; of settings it takes the bounds of waiting and running, and who is told.
func openPool(ctx context.Context, url string, maxConns int32, settings Config) (*pool, error) {
	p, err := newPool(ctx, url, maxConns, settings)
	if err != nil {
		return nil, err
	}
	if err := p.Ping(ctx); err != nil {
		p.Close()
		return nil, fault.Wrap(err, fault.DatabaseUnavailable, "The database cannot be reached.",
			"Check VITAL_DATABASE_URL: host, port, login, password, database; the login comes from `vital migrate up`.")
	}
	return p, nil
}

// newPool makes a pool that connects when it is asked.
func newPool(ctx context.Context, url string, maxConns int32, settings Config) (*pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		// The parser's text may quote the URL with its password.
		return nil, fault.New(fault.ConfigInvalid, "The database URL cannot be read.",
			"It has the form postgres://user:password@host:port/database.")
	}
	config.MaxConns = maxConns
	config.MaxConnIdleTime = 15 * time.Minute
	config.MaxConnLifetime = time.Hour
	config.MaxConnLifetimeJitter = 10 * time.Minute
	// A dead connection is found by its first use and replaced (see InTenant); a ping would cost every
	// request after a quiet second a round trip.
	config.ShouldPing = func(_ context.Context, p pgxpool.ShouldPingParams) bool { return p.IdleDuration > time.Minute }
	// No statement is cached by the driver: it would name them by the hash of their text, which injected
	// SQL could know and replace. statements.go names them at random.
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.ConnConfig.StatementCacheCapacity = 0
	config.ConnConfig.DescriptionCacheCapacity = 0
	config.ConnConfig.RuntimeParams["application_name"] = "vital"
	config.ConnConfig.ConnectTimeout = 5 * time.Second
	config.ConnConfig.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler { return &canceller{conn: c} }
	// Nobody listens here; the driver would keep what injected SQL listened for until it is asked.
	config.ConnConfig.OnNotification = func(*pgconn.PgConn, *pgconn.Notification) {}
	config.ConnConfig.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		frontend := pgproto3.NewFrontend(r, w)
		frontend.SetMaxBodyLen(maxRowBytes)
		return frontend
	}
	config.AfterConnect = meetBackend
	conns, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open pool: %w", err)
	}
	return &pool{
		Pool: conns, acquireTimeout: settings.AcquireTimeout, statementTimeout: settings.StatementTimeout, onQuery: settings.OnQuery,
		server: Server{Host: config.ConnConfig.Host, Port: config.ConnConfig.Port, Database: config.ConnConfig.Database},
	}, nil
}

// querier is what one row can be asked of.
type querier interface {
	QueryRow(ctx context.Context, text string, args ...any) pgx.Row
}

// checkPosture refuses a login, that of setting, that row-level security would not bind, or that could lift it.
func checkPosture(ctx context.Context, conn querier, setting string) error {
	var name string
	var superuser, bypass, owner, sealer, powers, bound bool
	err := conn.QueryRow(ctx, queries.Get("LoginPosture")).
		Scan(&name, &superuser, &bypass, &owner, &sealer, &powers, &bound)
	if err != nil {
		return translate(ctx, fmt.Errorf("check login: %w", err))
	}
	var why string
	switch {
	case superuser:
		why = "is a superuser"
	case bypass:
		why = "has or can take on BYPASSRLS"
	case owner:
		why = "owns tables of schema public"
	case sealer:
		why = "can read the keys that seal identities"
	case powers:
		why = "can take on roles or powers beyond a tenant's"
	case !bound:
		why = "may not become anon and authenticated"
	default:
		return nil
	}
	return fault.New(fault.UnsafeDatabaseRole,
		fmt.Sprintf("The login %q %s; row-level security would not hold for what runs through it.", name, why),
		"Let "+setting+" log in as vital_api, which `vital migrate up` makes.")
}

// warnOfPooler says so when operators' connections go through a pooler: in transaction mode nothing would be heard
// on them of what changes.
func (db *DB) warnOfPooler(ctx context.Context) error {
	conn, err := db.pool.acquire(ctx)
	if err != nil {
		return translate(ctx, err)
	}
	defer conn.Release()
	if backendOf(conn.Conn()).pooled {
		db.config.Log.Warn("VITAL_SERVICE_DATABASE_URL leads through a pooler; changes are heard only where it keeps sessions: name the server itself")
	}
	return nil
}

// PoolStat is a moment of the tenant pool, for metrics.
type PoolStat struct {
	Acquired, Idle, Max int32
	Waited              int64 // acquisitions that had to wait, since the start
	WaitTime            time.Duration
	HeldBack            int64 // of these, those that a connection was free for, and kept for other tenants
	Waiting             int   // requests that wait now, where tenants take turns
}

// Stat returns how the tenant pool stands now.
func (db *DB) Stat() PoolStat {
	s := db.tenants.Stat()
	stat := PoolStat{
		Acquired: s.AcquiredConns(), Idle: s.IdleConns(), Max: s.MaxConns(),
		Waited: s.EmptyAcquireCount(), WaitTime: s.EmptyAcquireWaitTime(),
	}
	if db.tenants.queue != nil { // whoever has its turn finds a connection
		q := db.tenants.queue.Stat()
		stat.Waited += q.Waits
		stat.WaitTime += q.WaitTime
		stat.HeldBack, stat.Waiting = q.HeldBack, q.Waiting
	}
	return stat
}

// loadKey reads the newest seal key through the service login.
func (db *DB) loadKey(ctx context.Context) error { return db.sealer.load(ctx, db.pool) }

// refreshKey follows rotations. The former key stays good for minutes, so a look now and then suffices.
func (db *DB) refreshKey(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(db.config.KeyRefresh):
		}
		if err := db.loadKey(ctx); err != nil && ctx.Err() == nil {
			db.config.Log.Warn("the seal key could not be looked up; the one at hand is kept", "error", err)
		}
	}
}
