package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/vital-db/vital/internal/fair"
	"github.com/vital-db/vital/internal/fault"
)

// pool is connections of one login, and the one way work runs on them.
type pool struct {
	*pgxpool.Pool
	queue            *fair.Queue // for its connections; nil: whoever asks first
	acquireTimeout   time.Duration
	statementTimeout time.Duration
	onQuery          func(context.Context, Query)
	server           Server
	onCommit         atomic.Pointer[func(context.Context, Observed)]
}

// frame is what stands around the statements of a transaction: how it becomes the caller's, and whether
// the session is made as new behind it.
type frame struct {
	enter func(context.Context, *pgx.Conn, *turn) error
	scrub bool
	// observer names the statement that takes on the role to observe with.
	observer string
	// refresh renews what enter seals with, after the database refused it. nil where nothing is sealed.
	refresh func(context.Context) error
	// record names the statement that records what a work has read.
	record string
}

// attempted is how far one attempt came.
type attempted struct {
	rows     int64
	waited   time.Duration // for a connection
	sent     bool          // statements may have reached the server
	begun    bool          // the server has answered BEGIN
	ended    bool          // the server has answered COMMIT, or ROLLBACK where that was wanted
	scrubbed bool          // the session is known to be as new
}

// run runs work in one transaction within f.
func (p *pool) run(ctx context.Context, started time.Time, user uuid.UUID, work *Work, f frame) error {
	work.Observe = work.Observe || work.Writes && p.onCommit.Load() != nil
	run, err := p.attempt(ctx, work, f)
	if mustRecord(err) && !work.writes() {
		work.recording = true
		run, err = p.attempt(ctx, work, f)
	}
	if err != nil && p.worthRetrying(ctx, work.Writes, f, run, err) {
		run, err = p.attempt(ctx, work, f)
	}
	if work.Writes && run.sent && (connectionLost(err) || isTooLarge(err)) && !errors.Is(context.Cause(ctx), context.Canceled) {
		err = unsettled(err)
		p.committed(ctx, Observed{Raised: unknownRaised}) // perhaps
	}
	return p.conclude(ctx, started, user, work, f, run, err)
}

// conclude tells of a transaction and returns how it ended, for the caller.
func (p *pool) conclude(ctx context.Context, started time.Time, user uuid.UUID, work *Work, f frame, run attempted, err error) error {
	if err == nil && work.Observe && !work.Rollback && f.observer != "" && work.Position == 0 {
		work.Position = p.observeLate(ctx, f.observer)
	}
	if err == nil && work.Writes {
		p.committed(ctx, work.Observed)
	}
	err = translate(ctx, err)
	p.onQuery(ctx, Query{
		Name: work.Name, UserID: user, Tenant: work.Tenant,
		Duration: time.Since(started), Waited: run.waited, Server: p.server, Rows: run.rows, Err: err,
	})
	return err
}

// attempt runs work once on one connection and decides what becomes of that connection.
func (p *pool) attempt(ctx context.Context, work *Work, f frame) (run attempted, err error) {
	conn, err := p.acquireTimed(ctx, &run)
	if err != nil {
		return run, err
	}
	returned := false
	defer func() {
		if !returned { // a reader panicked, half-way through the answers
			discard(conn)
		}
	}()
	err = send(ctx, conn.Conn(), work, f, &run)
	returned = true
	p.giveBack(ctx, conn, err, run.scrubbed, work.Foreign)
	return run, err
}

// giveBack returns conn to the pool when nothing of its last user can be left on it.
func (p *pool) giveBack(ctx context.Context, conn *lease, err error, scrubbed, foreign bool) {
	var unread unreadError
	switch {
	case ctx.Err() != nil || isStale(err) || connectionLost(err) || errors.As(err, &unread):
		// A cancel request may still be on its way and would hit whoever came next; a statement that was
		// replaced or dropped says that somebody tampered. Such a connection is not handed on.
		discard(conn)
	case err != nil || !scrubbed || foreign && !backendOf(conn.Conn()).pooled:
		go restore(conn, foreign)
	default:
		conn.Release()
	}
}

// send writes begin, enter, the statements, commit and scrub in one go and reads the answers. Where a
// reader may still refuse a write, or what was read is to be recorded, the rest follows by itself.
func send(ctx context.Context, conn *pgx.Conn, work *Work, f frame, run *attempted) error {
	work.Observed, work.Recorded = Observed{}, false
	back := backendOf(conn)
	if err := back.trimShapes(ctx, conn); err != nil {
		return err
	}
	t := &turn{}
	if err := begin(ctx, conn, t, work.Isolation, work.writes(), run); err != nil {
		return err
	}
	if err := f.enter(ctx, conn, t); err != nil {
		return err
	}
	if err := addSettings(ctx, conn, t, work.Settings); err != nil {
		return err
	}
	mayRefuse := work.Confirm || work.Access != nil
	readOnly := work.recording && !work.Writes
	if readOnly {
		if err := addConstants(ctx, conn, t, "ReadOnlyPart", "ReadOnly"); err != nil {
			return err
		}
	}
	for _, s := range work.statements {
		mayRefuse = mayRefuse || s.read != nil
		if err := addStatement(ctx, conn, t, s, run); err != nil {
			return err
		}
	}
	if readOnly {
		if err := addConstants(ctx, conn, t, "ReadOnlyPartEnds"); err != nil {
			return err
		}
	}
	run.sent = true
	if work.writes() && mayRefuse {
		if err := t.exchange(ctx, conn); err != nil {
			return err
		}
		t = &turn{}
	}
	if work.Recorded {
		if err := addRecord(ctx, conn, t, work, f); err != nil {
			return err
		}
	}
	var seen *Observed
	if work.Observe && !work.Rollback && f.observer != "" {
		seen = &work.Observed
	}
	if err := end(ctx, conn, t, ending{rollback: work.Rollback, scrub: f.scrub, writes: work.Writes, foreign: work.Foreign, observed: seen, observer: f.observer}, run); err != nil {
		return err
	}
	err := t.exchange(ctx, conn)
	if run.ended {
		back.reached = max(back.reached, work.Position)
		return nil // it is kept, whatever became of the scrubbing
	}
	return err
}

func begin(ctx context.Context, conn *pgx.Conn, t *turn, isolation Isolation, writes bool, run *attempted) error {
	name := [...]string{"BeginReadOnly", "BeginRepeatableReadOnly", "BeginSerializableReadOnly"}[isolation]
	if writes {
		name = [...]string{"Begin", "BeginRepeatable", "BeginSerializable"}[isolation]
	}
	begun := func(*pgconn.ResultReader) error {
		run.begun = true
		return nil
	}
	if backendOf(conn).pooled {
		addPooledScrub(t)
	}
	return addConstant(ctx, conn, t, name, begun)
}

// addPooledScrub cleans a process that some other transaction may have left things on, which the scrubbing
// behind it did not reach: it failed, and the pooler gave the process away. They are gone only when that is committed.
func addPooledScrub(t *turn) {
	for _, name := range [...]string{"ScrubBegin", "ScrubRole", "ScrubCursors", "ScrubChannels", "ScrubSettings", "Commit"} {
		t.add(queries.Get(name), nil, nil)
	}
}

// addConstant queues a statement of ours that takes no values. Where it can be it is prepared like all else: parsing
// it would cost as much as running it.
func addConstant(ctx context.Context, conn *pgx.Conn, t *turn, name string, read func(*pgconn.ResultReader) error) error {
	if backendOf(conn).pooled {
		t.add(queries.Get(name), nil, read)
		return nil
	}
	prepared, err := backendOf(conn).statement(ctx, conn, queries.Get(name))
	if err == nil {
		t.addPrepared(prepared, nil, read)
	}
	return err
}

func addConstants(ctx context.Context, conn *pgx.Conn, t *turn, names ...string) error {
	for _, name := range names {
		if err := addConstant(ctx, conn, t, name, nil); err != nil {
			return err
		}
	}
	return nil
}

// addSettings queues what holds for this transaction alone.
func addSettings(ctx context.Context, conn *pgx.Conn, t *turn, settings []Setting) error {
	if len(settings) == 0 {
		return nil
	}
	set, err := backendOf(conn).statement(ctx, conn, queries.Get("Set"))
	if err != nil {
		return err
	}
	names, values := make([]string, len(settings)), make([]string, len(settings))
	for i, s := range settings {
		names[i], values[i] = s.Name, s.Value
	}
	return t.addTyped(conn, set, []any{names, values}, nil)
}

func addStatement(ctx context.Context, conn *pgx.Conn, t *turn, s statement, run *attempted) error {
	back := backendOf(conn)
	if s.generated {
		back.addShape(t, s.text, s.values, func(answer *pgconn.ResultReader) error {
			if s.readRaw != nil {
				if err := s.readRaw(answer); err != nil {
					return err
				}
			}
			tag, err := answer.Close()
			run.rows += tag.RowsAffected()
			return err
		})
		return nil
	}
	prepared, err := back.statement(ctx, conn, s.text)
	if err != nil {
		return err
	}
	return t.addTyped(conn, prepared, s.args, func(rows pgx.Rows) error {
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

// ending is how a transaction ends.
type ending struct {
	rollback, scrub, writes, foreign bool
	observed                         *Observed // nil: nobody asks
	observer                         string
}

// end adds the commit (or the rollback that was asked for) and, behind it, what takes back everything a
// statement may have left in the session: SET without LOCAL, a cursor WITH HOLD, LISTEN, a role taken on
// after a COMMIT of its own.
func end(ctx context.Context, conn *pgx.Conn, t *turn, e ending, run *attempted) error {
	name := "Commit"
	if e.rollback {
		t.add(queries.Get("CheckConstraints"), nil, nil) // so that what a commit would find is found
		name = "Rollback"
	}
	if e.observed != nil && !e.writes {
		if err := addPosition(ctx, conn, t, e.observed); err != nil {
			return err
		}
	}
	t.add(queries.Get(name), nil, run.readEnd(e)) // unnamed: nothing that ran before can have dropped it
	if e.observed != nil && e.writes {            // before its answer is scrubbed away
		if err := addObserve(ctx, conn, t, e); err != nil {
			return err
		}
	}
	if !e.scrub {
		run.scrubbed = true
		return nil
	}
	scrubs := []string{"ScrubRole", "ScrubCursors", "ScrubChannels", "ScrubSettings"}
	if backendOf(conn).pooled {
		// Whoever prepares there is not us. What a foreign function left goes now: in the next turn the process is
		// another's. That is refused in a transaction, which these have begun.
		scrubs = append(scrubs, "ScrubStatements")
		if e.foreign {
			scrubs = append(scrubs, "Commit", "ScrubSession")
		}
	}
	if err := addConstants(ctx, conn, t, scrubs[:len(scrubs)-1]...); err != nil {
		return err
	}
	return addConstant(ctx, conn, t, scrubs[len(scrubs)-1], func(*pgconn.ResultReader) error {
		run.scrubbed = true
		return nil
	})
}

// readEnd reads whether the transaction ended as it was to.
func (run *attempted) readEnd(e ending) func(*pgconn.ResultReader) error {
	want := "COMMIT"
	if e.rollback {
		want = "ROLLBACK"
	}
	return func(answer *pgconn.ResultReader) error {
		tag, err := answer.Close()
		if err != nil {
			return err
		}
		if tag.String() != want {
			return fault.New(fault.Conflict, "The transaction was rolled back instead of committed.", "Try again.")
		}
		run.ended = true
		if e.observed != nil && e.writes {
			e.observed.Raised = unknownRaised // until it is told
		}
		return nil
	}
}

// worthRetrying says whether a second attempt on another connection is safe and can succeed. It is
// safe when the transaction was certainly aborted, or only read.
func (p *pool) worthRetrying(ctx context.Context, writes bool, f frame, run attempted, err error) bool {
	var known *fault.Error
	var unread unreadError
	if ctx.Err() != nil || errors.As(err, &known) || errors.As(err, &unread) {
		return false
	}
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && (pgErr.Code == "VT001" || pgErr.Code == "VT002") {
		// The key was rotated, or the clock moved since the connection was made.
		return f.refresh != nil && f.refresh(ctx) == nil
	}
	if !connectionLost(err) {
		return isStale(err) || pgconn.SafeToRetry(err)
	}
	if !run.begun {
		p.Reset() // found dead: the idle ones beside it died of the same
	}
	// A server that says goodbye before it answers BEGIN has run nothing; one that is just gone may have.
	return !writes || !run.sent || (pgErr != nil && !run.begun)
}

// isStale says whether err means that this connection's view of things is outdated: a prepared
// statement gone or no longer fitting, a seal refused.
func isStale(err error) bool {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return false
	}
	switch pgErr.Code {
	case "26000", "42P05", "VT001", "VT002":
		return true
	case "0A000": // a feature that is not supported, or a plan whose columns have changed
		return pgErr.Routine == "RevalidateCachedQuery"
	}
	return false
}

// connectionLost says whether the server ended the connection or stopped answering on it.
func connectionLost(err error) bool {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return pgErr.SeverityUnlocalized == "FATAL" || pgErr.SeverityUnlocalized == "PANIC"
	}
	var unread unreadError
	return !errors.As(err, &unread) && lineLost(err)
}

// lineLost says whether err is of a connection that broke; to whom is not known.
func lineLost(err error) bool {
	var netErr *net.OpError
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) ||
		errors.Is(err, pgconn.ErrConnClosed) || errors.As(err, &netErr)
}

// discard closes the connection for good and gives its place back to the pool.
func discard(conn *lease) {
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = conn.Conn().Close(ctx) // it is given up either way
		conn.Release()
	}()
}

// restore ends a failed transaction, takes back what it left in the session (everything, where a foreign
// function ran), and gives the connection back. The pool drops it by itself when any of this fails.
func restore(conn *lease, foreign bool) {
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
