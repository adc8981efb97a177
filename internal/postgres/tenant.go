package postgres

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
)

// Work is what runs in one transaction. All of it goes out in one network round trip, so no statement
// can depend on the answer to another. It may be run a second time when the connection turns out to be
// dead or the seal key was rotated; readers must start afresh then.
type Work struct {
	// Name says what it is, in logs and metrics: ContextRead.
	Name string
	// Subject is what it is about, for the record of it: a relation or function of the catalog.
	Subject string
	// Writes lifts the transaction from read only.
	Writes bool
	// Isolation defaults to ReadCommitted.
	Isolation Isolation
	// Settings hold for the transaction alone. Their names come from code or the catalog.
	Settings []Setting
	// Timeout bounds each statement; zero is the pool's own.
	Timeout time.Duration
	// Confirm makes a write wait for its readers: it is committed, in a second round trip, when they have
	// all accepted what they read. Readers of Query always have that say.
	Confirm bool
	// Rollback ends the transaction without keeping anything, as if it had not been: for trying out.
	Rollback bool
	// Foreign says that a function VITAL does not own may run; the connection is scrubbed behind it.
	Foreign bool
	// Member refuses a caller who is no member of the tenant they act in, before anything else runs: policies
	// alone would show them nothing and not say why.
	Member bool
	// Verify has the identity verified before anything else runs. VITAL's functions ask for it by themselves; a
	// table whose policies do not, or a query that finds no row, would answer a session that has ended.
	Verify bool
	// Replica lets a streaming replica answer, where it only reads, in the default isolation. What is shown is then
	// up to about two seconds old, unless Least asks for more.
	Replica bool
	// Least is a position whose commits are shown at least, whoever answers; it is VersionNotReached where the
	// database itself has not come there.
	Least LSN
	// Observe asks for Observed, in the same round trip, unless the work is rolled back. A reader that learns the position
	// behind what it reads sets it without.
	Observe bool
	// Observed is what the transaction told of itself, where Observe asked for it and it was kept.
	Observed
	// Tenant is the tenant it turned out to run in, for the log; a reader sets it when it learns it.
	Tenant uuid.UUID
	// Access says that it reads tenants' data.
	Access *Access
	// Recorded says, where Access is set, that a record of the read is to be kept; it is known before the first reader is
	// called. Nobody may be told anything of what was read before the work has ended well.
	Recorded bool

	recording  bool // the transaction may write, for the record of it
	statements []statement
}

// Isolation is how much of others' work a transaction sees.
type Isolation int

// The levels, as PostgreSQL has them. RepeatableRead lets several statements see one state.
const (
	ReadCommitted Isolation = iota
	RepeatableRead
	Serializable
)

// Setting is a configuration parameter and its value.
type Setting struct{ Name, Value string }

type statement struct {
	text string
	args []any
	read func(pgx.Rows) error

	generated bool
	values    [][]byte
	readRaw   func(*pgconn.ResultReader) error
}

// Query adds a statement. text is a constant with schema-qualified names; values go into args. read
// is handed the rows and may be nil.
func (w *Work) Query(text string, read func(pgx.Rows) error, args ...any) {
	w.statements = append(w.statements, statement{text: text, args: args, read: read})
}

// Generated adds a statement whose text was put together from the catalog's names. values are in text
// format, nil is NULL; the server infers their types. read is handed the rows as they arrive, in text
// format, and may be nil.
func (w *Work) Generated(text string, values [][]byte, read func(*pgconn.ResultReader) error) {
	w.statements = append(w.statements, statement{text: text, generated: true, values: values, readRaw: read})
}

// Query is the record of one transaction: who asked for what, how long it took, how it ended.
type Query struct {
	Name     string
	UserID   uuid.UUID
	Tenant   uuid.UUID // zero when it never came to be known
	Duration time.Duration
	Waited   time.Duration // of Duration, for a connection, by the attempt that counted
	Server   Server        // the one that answered, or should have
	Rows     int64
	Err      error
}

// Server is a database, as its address names it.
type Server struct {
	Host     string // or the directory of its socket
	Port     uint16
	Database string
}

// Code is how it ended: "" for well, the code of a fault, or the SQLSTATE of a statement that was refused.
func (q Query) Code() string {
	code := fault.CodeOf(q.Err)
	var pgErr *pgconn.PgError
	if code == fault.Internal && errors.As(q.Err, &pgErr) {
		return pgErr.Code
	}
	return string(code)
}

// InTenant runs work as caller, acting in tenant (an id, a slug, or "" for their default), and commits
// it. Role, identity, search path and timeouts are set for this transaction alone, in the round trip
// that carries the statements; behind the commit the session is scrubbed, so whatever SQL ran here, the
// connection holds nothing of the caller. Any error means that nothing was kept, except a connection
// lost while committing a write, which is reported as such.
func (db *DB) InTenant(ctx context.Context, caller identity.Caller, tenant string, work *Work) error {
	if work.Access == nil {
		return db.inTenant(ctx, caller, tenant, work)
	}
	who := recorderOf(caller, tenant)
	work.recording = db.recorders.has(who)
	remembered := work.recording
	err := db.inTenant(ctx, caller, tenant, work)
	if remembered != work.Recorded && (work.Recorded || err == nil) {
		db.recorders.note(who, work.Recorded)
	}
	return recordApart(ctx, work, frame{record: recordTenant}, err, func(apart *Work) error {
		return db.inTenant(ctx, caller, tenant, apart)
	})
}

func (db *DB) inTenant(ctx context.Context, caller identity.Caller, tenant string, work *Work) error {
	started := time.Now()
	r, least := db.replicas.choose(caller.UserID, work)
	if r != nil {
		f := db.frame(caller, tenant, work, reach{least: least, standby: true})
		if run, err, answered := r.answer(ctx, work, f, least); answered {
			return r.conclude(ctx, started, caller.UserID, work, f, run, err)
		}
	}
	work.Observe = work.Observe || work.Writes && len(db.replicas.all) > 0
	err := db.tenants.run(ctx, started, caller.UserID, work, db.frame(caller, tenant, work, db.replicas.primaryReach(work)))
	if err == nil && work.Writes && len(db.replicas.all) > 0 {
		db.replicas.own.note(caller.UserID, work.Position)
	}
	if r != nil && fault.CodeOf(err) == fault.VersionNotReached {
		r.lag.Store(nil) // no replica lags behind what somebody made up
	}
	return err
}

// frame is what stands around work of caller on a server that has come as far as reach.
func (db *DB) frame(caller identity.Caller, tenant string, work *Work, reach reach) frame {
	return frame{
		scrub:    true,
		observer: observeTenant,
		refresh:  db.loadKey,
		record:   recordTenant,
		enter: func(ctx context.Context, conn *pgx.Conn, t *turn) error {
			if err := db.enter(ctx, conn, t, caller, tenant, work.Timeout); err != nil {
				return err
			}
			if err := requirePosition(ctx, conn, t, reach); err != nil {
				return err
			}
			switch {
			case work.Access != nil:
				return requireAccess(ctx, conn, t, work)
			case work.Member:
				return requireMember(ctx, conn, t, work)
			case work.Foreign || work.Verify:
				return requireIdentity(ctx, conn, t, work)
			}
			return nil
		},
	}
}

// reach is how far a server must have come.
type reach struct {
	least   LSN
	standby bool // it must be one
	settle  bool // a standby may have shown what this primary is just about to
}

// requirePosition refuses all that follows where the server has not come that far. What follows takes a snapshot of
// its own, after this one was answered: it shows all that was committed up to there.
func requirePosition(ctx context.Context, conn *pgx.Conn, t *turn, r reach) error {
	back := backendOf(conn)
	if !r.standby && (r.least == 0 || !r.settle && !back.pooled && r.least <= back.reached) {
		return nil // the server behind a direct connection goes back to nothing that it has told there
	}
	require, err := back.statement(ctx, conn, queries.Get("RequirePosition"))
	if err == nil {
		t.addPrepared(require, [][]byte{
			[]byte(r.least.String()), strconv.AppendBool(nil, r.standby), strconv.AppendBool(nil, r.settle),
		}, nil)
	}
	return err
}

// enter adds the statement that makes the transaction the caller's. It is prepared like any other:
// parsing and planning it anew would cost more than all the rest of the frame.
func (db *DB) enter(ctx context.Context, conn *pgx.Conn, t *turn, caller identity.Caller, tenant string, timeout time.Duration) error {
	back := backendOf(conn)
	enter, err := back.statement(ctx, conn, queries.Get("Enter"))
	if err != nil {
		return err
	}
	seal := ""
	if caller.UserID != uuid.Nil || caller.SessionID != uuid.Nil { // an API key stands as a session, to be revoked like one
		seal = db.sealer.seal(caller, tenant, time.Now().Add(back.clock), back.pid)
	}
	t.addPrepared(enter, [][]byte{
		[]byte(caller.Role), []byte(seal), db.tenants.timeoutText(timeout), []byte(requestID(ctx)),
	}, nil)
	return nil
}

func requireMember(ctx context.Context, conn *pgx.Conn, t *turn, work *Work) error {
	return requireTenant(ctx, conn, t, work, "RequireMember")
}

// requireIdentity has the identity verified at once; a function that is not VITAL's may run without ever asking. Where
// there is no tenant, that is no error.
func requireIdentity(ctx context.Context, conn *pgx.Conn, t *turn, work *Work) error {
	return requireTenant(ctx, conn, t, work, "RequireIdentity")
}

func requireTenant(ctx context.Context, conn *pgx.Conn, t *turn, work *Work, query string) error {
	require, err := backendOf(conn).statement(ctx, conn, queries.Get(query))
	if err != nil {
		return err
	}
	t.addPrepared(require, nil, func(answer *pgconn.ResultReader) error {
		for answer.NextRow() {
			work.Tenant, _ = uuid.ParseBytes(answer.Values()[0]) // the database wrote it, or null
		}
		return nil
	})
	return nil
}

// timeoutText is a statement timeout as the server takes it, in milliseconds.
func (p *pool) timeoutText(timeout time.Duration) []byte {
	if timeout == 0 {
		timeout = p.statementTimeout
	}
	return strconv.AppendInt(nil, max(timeout.Milliseconds(), 1), 10) // 0 would be none
}
