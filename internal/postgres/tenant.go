package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
)

// Work is what runs in one transaction of a tenant. All of it goes out in one network round trip, so
// no statement can depend on the answer to another. It may be run a second time when the connection
// turns out to be dead or the seal key was rotated; readers must start afresh then.
type Work struct {
	// Name says what it is, in logs and metrics: ContextRead.
	Name string
	// Writes lifts the transaction from read only.
	Writes bool
	// Foreign says that a function VITAL does not own may run; the connection is scrubbed behind it.
	Foreign bool
	// Tenant is the tenant it turned out to run in, for the log; a reader sets it when it learns it.
	Tenant uuid.UUID

	statements []statement
}

type statement struct {
	text string
	args []any
	read func(pgx.Rows) error
}

// Query adds a statement. text is a constant with schema-qualified names; values go into args. read
// is handed the rows and may be nil.
func (w *Work) Query(text string, read func(pgx.Rows) error, args ...any) {
	w.statements = append(w.statements, statement{text, args, read})
}

// Query is the record of one transaction: who asked for what, how long it took, how it ended.
type Query struct {
	Name     string
	UserID   uuid.UUID
	Tenant   uuid.UUID // zero when it never came to be known
	Duration time.Duration
	Rows     int64
	Err      error
}

// InTenant runs work as caller, acting in tenant (an id, a slug, or "" for their default), and commits
// it. Role, identity, search path and timeouts are set for this transaction alone, in the round trip
// that carries the statements; behind the commit the session is scrubbed, so whatever SQL ran here, the
// connection holds nothing of the caller. Any error means that nothing was kept, except a connection
// lost while committing a write, which is reported as such. For that a write with readers takes a second
// round trip: it is committed when they have all accepted what they read.
func (db *DB) InTenant(ctx context.Context, caller identity.Caller, tenant string, work *Work) error {
	started := time.Now()
	run, err := db.attempt(ctx, caller, tenant, work)
	if err != nil && db.worthRetrying(ctx, work, run, err) {
		run, err = db.attempt(ctx, caller, tenant, work)
	}
	if work.Writes && run.sent && connectionLost(err) && context.Cause(ctx) == nil {
		err = unsettled(err)
	}
	err = translate(ctx, err)
	db.config.OnQuery(ctx, Query{
		Name: work.Name, UserID: caller.UserID, Tenant: work.Tenant,
		Duration: time.Since(started), Rows: run.rows, Err: err,
	})
	return err
}

// attempted is how far one attempt came.
type attempted struct {
	rows      int64
	sent      bool // statements may have reached the server
	begun     bool // the server has answered BEGIN
	committed bool
	scrubbed  bool // the session is known to be as new
}

// attempt runs work once on one connection and decides what becomes of that connection.
func (db *DB) attempt(ctx context.Context, caller identity.Caller, tenant string, work *Work) (run attempted, err error) {
	conn, err := db.acquire(ctx)
	if err != nil {
		return run, err
	}
	returned := false
	defer func() {
		if !returned { // a reader panicked, half-way through the answers
			discard(conn)
		}
	}()
	err = db.send(ctx, conn.Conn(), caller, tenant, work, &run)
	returned = true
	switch {
	case ctx.Err() != nil || isStale(err) || connectionLost(err):
		// A cancel request may still be on its way and would hit whoever came next; a statement that was
		// replaced or dropped says that somebody tampered. Such a connection is not handed on.
		discard(conn)
	case err != nil || !run.scrubbed || work.Foreign:
		go restore(conn, work.Foreign)
	default:
		conn.Release()
	}
	return run, err
}

// send writes begin, enter, the statements, commit and scrub in one go and reads the answers. Where a
// reader may still refuse a write, commit and scrub follow by themselves.
func (db *DB) send(ctx context.Context, conn *pgx.Conn, caller identity.Caller, tenant string, work *Work, run *attempted) error {
	back := backendOf(conn)
	batch := &pgx.Batch{}
	begin := queries.Get("BeginReadOnly")
	if work.Writes {
		begin = queries.Get("Begin")
	}
	batch.Queue(begin).Exec(func(pgconn.CommandTag) error {
		run.begun = true
		return nil
	})
	if err := db.queueEnter(ctx, conn, batch, back, caller, tenant); err != nil {
		return err
	}
	mayRefuse := false
	for _, s := range work.statements {
		name, err := back.statement(ctx, conn, s.text)
		if err != nil {
			return err
		}
		mayRefuse = mayRefuse || s.read != nil
		batch.Queue(name, s.args...).Query(func(rows pgx.Rows) error {
			if s.read != nil {
				if err := s.read(rows); err != nil {
					return err
				}
			}
			rows.Close()
			run.rows += rows.CommandTag().RowsAffected()
			return rows.Err()
		})
	}
	run.sent = true
	if work.Writes && mayRefuse {
		if err := exchange(ctx, conn, batch); err != nil {
			return err
		}
		batch = &pgx.Batch{}
	}
	queueCommit(batch, run)
	err := exchange(ctx, conn, batch)
	if run.committed {
		return nil // it is kept, whatever became of the scrubbing
	}
	return err
}

// exchange sends batch and reads all its answers. When ctx ends first, the server is asked to stop what it
// is doing, and the connection must not be handed on: that request may arrive late. The driver would
// start a goroutine for every exchange to watch ctx; this costs nothing until ctx ends.
func exchange(ctx context.Context, conn *pgx.Conn, batch *pgx.Batch) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	stopped := make(chan struct{})
	unwatch := context.AfterFunc(ctx, func() {
		defer close(stopped)
		const patience = 2 * time.Second
		_ = conn.PgConn().Conn().SetDeadline(time.Now().Add(patience)) // in case the server does not answer
		asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		_ = conn.PgConn().CancelRequest(asking) // or the deadline ends it
	})
	err := conn.SendBatch(context.WithoutCancel(ctx), batch).Close()
	if !unwatch() {
		<-stopped
	}
	return err
}

// queueCommit adds the commit and, behind it, what takes back everything a statement may have left in
// the session: SET without LOCAL, a cursor WITH HOLD, LISTEN, a role taken on after a COMMIT of its own.
func queueCommit(batch *pgx.Batch, run *attempted) {
	batch.Queue(queries.Get("Commit")).Exec(func(tag pgconn.CommandTag) error {
		if tag.String() != "COMMIT" {
			return fault.New(fault.Conflict, "The transaction was rolled back instead of committed.", "Try again.")
		}
		run.committed = true
		return nil
	})
	batch.Queue(queries.Get("ScrubRole"))
	batch.Queue(queries.Get("ScrubCursors"))
	batch.Queue(queries.Get("ScrubChannels"))
	batch.Queue(queries.Get("ScrubSettings")).Exec(func(pgconn.CommandTag) error {
		run.scrubbed = true
		return nil
	})
}

// queueEnter adds the statement that makes the transaction the caller's. It is prepared like any other:
// parsing and planning it anew would cost more than all the rest of the frame.
func (db *DB) queueEnter(ctx context.Context, conn *pgx.Conn, batch *pgx.Batch, back *backend, caller identity.Caller, tenant string) error {
	enter, err := back.statement(ctx, conn, queries.Get("Enter"))
	if err != nil {
		return err
	}
	seal := ""
	if caller.UserID != uuid.Nil {
		seal = db.sealer.seal(caller, tenant, time.Now().Add(back.clock), back.pid)
	}
	batch.Queue(enter, string(caller.Role), seal, db.timeout, requestID(ctx))
	return nil
}

// acquire takes a connection, waiting no longer than AcquireTimeout.
func (db *DB) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	waiting, cancel := context.WithTimeout(ctx, db.config.AcquireTimeout)
	defer cancel()
	conn, err := db.tenants.Acquire(waiting)
	if err == nil || ctx.Err() != nil {
		return conn, err
	}
	var connectErr *pgconn.ConnectError
	if waiting.Err() != nil && !errors.As(err, &connectErr) {
		return nil, fault.Wrap(err, fault.PoolExhausted, "All database connections are busy.",
			"Try again shortly; if it stays, operators raise the pool's size or find what holds it.")
	}
	return nil, unavailable(err)
}

// worthRetrying says whether a second attempt on another connection is safe and can succeed. It is
// safe when the transaction was certainly aborted, or only read.
func (db *DB) worthRetrying(ctx context.Context, work *Work, run attempted, err error) bool {
	var known *fault.Error
	if ctx.Err() != nil || errors.As(err, &known) {
		return false
	}
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && (pgErr.Code == "VT001" || pgErr.Code == "VT002") {
		// The key was rotated, or the clock moved since the connection was made.
		return db.loadKey(ctx) == nil
	}
	if !connectionLost(err) {
		return isStale(err) || pgconn.SafeToRetry(err)
	}
	if !run.begun {
		db.tenants.Reset() // found dead: the idle ones beside it died of the same
	}
	// A server that says goodbye before it answers BEGIN has run nothing; one that is just gone may have.
	return !work.Writes || !run.sent || (pgErr != nil && !run.begun)
}

// isStale says whether err means that this connection's view of things is outdated: a prepared
// statement gone or no longer fitting, a seal refused.
func isStale(err error) bool {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return false
	}
	switch pgErr.Code {
	case "26000", "0A000", "42P05", "VT001", "VT002":
		return true
	}
	return false
}

// connectionLost says whether the server ended the connection or stopped answering on it.
func connectionLost(err error) bool {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return pgErr.SeverityUnlocalized == "FATAL" || pgErr.SeverityUnlocalized == "PANIC"
	}
	var netErr *net.OpError
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) ||
		errors.Is(err, pgconn.ErrConnClosed) || errors.As(err, &netErr)
}

// discard closes the connection for good and gives its place back to the pool.
func discard(conn *pgxpool.Conn) {
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = conn.Conn().Close(ctx) // it is given up either way
		conn.Release()
	}()
}

// restore ends a failed transaction, takes back what it left in the session (everything, where a foreign
// function ran), and gives the connection back. The pool drops it by itself when any of this fails.
func restore(conn *pgxpool.Conn, foreign bool) {
	defer conn.Release()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err := conn.Conn().Exec(ctx, queries.Get("Restore"))
	if err == nil && foreign {
		err = backendOf(conn.Conn()).forget(ctx, conn.Conn())
	}
	if err != nil {
		_ = conn.Conn().Close(ctx) // it is given up either way
	}
}
