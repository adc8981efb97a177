package postgres

import (
	"context"
	"errors"
	"strconv"
	"sync"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
)

// Access says that a work reads tenants' data, for the records that reads leave in tenants under HIPAA. Whether the
// tenant is, the database says in the transaction itself, before anything is read. If so, the transaction is one that may
// write, on the primary, and the record is written in it once all is read and before it is committed: what is read and the
// record of it are kept together or not at all. It takes a second round trip; in other tenants it takes none.
type Access struct {
	// Told describes the read, once all readers have been called.
	Told func() Told
	// Tenants are those, by id, that the read is narrowed to, where it runs as the service, which acts in no tenant; nil
	// for any.
	Tenants []string
}

// Told is what a record says of a read. It holds no value of the tenant's but ids.
type Told struct {
	Action   string // read, count, call, insert, update or delete
	Table    string // or function
	Embedded []string
	Filter   []byte // a list in JSON
	Rows     int64  // that were answered
}

// stateRecorded says that the tenant's reads are recorded, and that the transaction cannot write.
const stateRecorded = "VT301"

// mustRecord says that work was refused, before it read anything, because it could not have been recorded.
func mustRecord(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.Code == stateRecorded
}

// writes says that the transaction of w may write: it does itself, or its record is.
func (w *Work) writes() bool { return w.Writes || w.recording }

// requireAccess makes the statement that says in which tenant work reads, and whether that is recorded.
func requireAccess(ctx context.Context, conn *pgx.Conn, t *turn, work *Work) error {
	require, err := backendOf(conn).statement(ctx, conn, queries.Get("RequireAccess"))
	if err != nil {
		return err
	}
	t.addPrepared(require, [][]byte{strconv.AppendBool(nil, work.Member)}, func(answer *pgconn.ResultReader) error {
		for answer.NextRow() {
			values := answer.Values()
			work.Tenant, _ = uuid.ParseBytes(values[0]) // the database wrote it, or null
			work.Recorded = string(values[1]) == "t"
		}
		return nil
	})
	return nil
}

// requireServiceAccess is requireAccess for the service, which acts in no tenant.
func requireServiceAccess(ctx context.Context, conn *pgx.Conn, t *turn, work *Work) error {
	require, err := backendOf(conn).statement(ctx, conn, queries.Get("RequireServiceAccess"))
	if err != nil {
		return err
	}
	return t.addTyped(conn, require, []any{work.Access.Tenants}, func(rows pgx.Rows) error {
		for rows.Next() {
			if err := rows.Scan(&work.Recorded); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// addRecord queues the record of what work has read, as f writes it.
func addRecord(ctx context.Context, conn *pgx.Conn, t *turn, work *Work, f frame) error {
	record, err := backendOf(conn).statement(ctx, conn, queries.Get(f.record))
	if err != nil {
		return err
	}
	told := work.Access.Told()
	return t.addTyped(conn, record, work.recordOf(told, &told.Rows, "", f), func(rows pgx.Rows) error {
		rows.Close()
		return unrecorded(rows.Err())
	})
}

// recordOf are the values of a record. rows is nil where the read failed, with code.
func (w *Work) recordOf(told Told, rows *int64, code string, f frame) []any {
	var failed *string
	if code != "" {
		failed = &code
	}
	embedded := told.Embedded
	if embedded == nil {
		embedded = []string{}
	}
	values := []any{told.Action, told.Table, embedded, told.Filter, rows, failed}
	if f.record == recordService {
		values = append(values, w.Access.Tenants)
	}
	return values
}

// The statements a record is written by.
const (
	recordTenant  = "RecordAccess"
	recordService = "RecordServiceAccess"
)

// unrecorded says that a read is not answered because it could not be recorded. What the database said of that is for the log
// alone: as an error of its own it would be told to the caller, with the record in it.
func unrecorded(err error) error {
	if err == nil {
		return nil
	}
	return fault.Wrap(errors.New(err.Error()), fault.AccessNotRecorded, "This read was not answered: the record of it, which this tenant asks for, could not be kept.",
		"Try again shortly; operators see the cause in the log.")
}

// recordApart records a read whose own transaction was undone: its error may tell of what was read, as a value that is
// no number does. run runs a work as the one who read.
func recordApart(ctx context.Context, work *Work, f frame, failed error, run func(*Work) error) error {
	if !work.Recorded || failed == nil && !work.Rollback || ctx.Err() != nil {
		return failed // which tells nothing, where the caller is gone or has no time left
	}
	told := work.Access.Told()
	rows, code := &told.Rows, ""
	if failed != nil {
		rows, code = nil, failureOf(failed)
	}
	apart := &Work{Name: "AccessRecord", Writes: true}
	apart.Query(queries.Get(f.record), nil, work.recordOf(told, rows, code, f)...)
	if err := run(apart); err != nil {
		return unrecorded(err)
	}
	return failed
}

// failureOf is the code of a failure as the dialect tells it: the SQLSTATE of a statement that was refused.
func failureOf(err error) string {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && ownStates[pgErr.Code] == "" {
		return pgErr.Code
	}
	return string(fault.CodeOf(err))
}

// recorders remembers who was last found to read in a tenant whose reads are recorded, so that their next transaction may
// write from the start. It decides nothing: the database does, each time.
type recorders struct {
	mu    sync.Mutex
	known map[recorder]struct{}
}

// recorder is a tenant by the name it was asked for; by who asked, where they asked for their default.
type recorder struct {
	tenant string
	user   uuid.UUID
}

// maxRecorders bounds what is remembered; whoever is forgotten is refused once more.
const maxRecorders = 10_000

func recorderOf(caller identity.Caller, tenant string) recorder {
	if tenant == "" {
		return recorder{user: caller.UserID}
	}
	return recorder{tenant: tenant}
}

func (r *recorders) has(who recorder) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, known := r.known[who]
	return known
}

func (r *recorders) note(who recorder, recorded bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !recorded {
		delete(r.known, who)
		return
	}
	if r.known == nil || len(r.known) >= maxRecorders {
		r.known = map[recorder]struct{}{}
	}
	r.known[who] = struct{}{}
}
