package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/identity"
)

// Tx is one transaction of a tenant whose next statement may depend on the last answer. It can only
// query: it begins and ends in Transact.
type Tx struct {
	conn *pgx.Conn
	back *backend
}

// Query runs a statement and returns its rows; text is a constant with schema-qualified names.
func (tx *Tx) Query(ctx context.Context, text string, args ...any) (pgx.Rows, error) {
	prepared, err := tx.back.statement(ctx, tx.conn, text)
	if err != nil {
		return nil, err
	}
	return tx.conn.Query(ctx, prepared.Name, args...)
}

// QueryRow runs a statement that answers with one row.
func (tx *Tx) QueryRow(ctx context.Context, text string, args ...any) pgx.Row {
	rows, err := tx.Query(ctx, text, args...)
	return row{rows, err}
}

// Exec runs a statement and returns how many rows it touched.
func (tx *Tx) Exec(ctx context.Context, text string, args ...any) (int64, error) {
	prepared, err := tx.back.statement(ctx, tx.conn, text)
	if err != nil {
		return 0, err
	}
	tag, err := tx.conn.Exec(ctx, prepared.Name, args...)
	return tag.RowsAffected(), err
}

// row is the first of rows; pgx.ErrNoRows when there is none.
type row struct {
	rows pgx.Rows
	err  error
}

func (r row) Scan(into ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	if err := r.rows.Scan(into...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}

// Transact runs fn in one writing transaction as caller, acting in tenant, and commits it unless fn
// returns an error. It is InTenant for a write whose next step depends on the last: one round trip to
// enter, one for each statement, one to commit. fn may run a second time, on another connection, when
// the first was dead or its seal outdated before anything was done.
func (db *DB) Transact(ctx context.Context, caller identity.Caller, tenant, name string, fn func(*Tx) error) error {
	started := time.Now()
	run, err := db.transactOnce(ctx, caller, tenant, fn)
	if err != nil && db.tenants.worthRetrying(ctx, true, frame{refresh: db.loadKey}, run, err) {
		run, err = db.transactOnce(ctx, caller, tenant, fn)
	}
	if run.sent && connectionLost(err) && !errors.Is(context.Cause(ctx), context.Canceled) {
		err = unsettled(err)
	}
	err = translate(ctx, err)
	record := Query{Name: name, UserID: caller.UserID, Duration: time.Since(started), Err: err}
	record.Tenant, _ = uuid.Parse(tenant) // a slug is not known by its id here
	db.config.OnQuery(ctx, record)
	return err
}

func (db *DB) transactOnce(ctx context.Context, caller identity.Caller, tenant string, fn func(*Tx) error) (run attempted, err error) {
	conn, err := db.tenants.acquire(ctx)
	if err != nil {
		return run, err
	}
	returned := false
	defer func() {
		if !returned { // fn panicked
			discard(conn)
		}
	}()
	err = db.transactOn(ctx, conn.Conn(), caller, tenant, fn, &run)
	returned = true
	db.tenants.giveBack(ctx, conn, err, run.scrubbed, false)
	return run, err
}

func (db *DB) transactOn(ctx context.Context, conn *pgx.Conn, caller identity.Caller, tenant string, fn func(*Tx) error, run *attempted) error {
	tx := &Tx{conn: conn, back: backendOf(conn)}
	entering := &turn{}
	if err := begin(ctx, conn, entering, ReadCommitted, true, run); err != nil {
		return err
	}
	if err := db.enter(ctx, conn, entering, caller, tenant, 0); err != nil {
		return err
	}
	if err := entering.exchange(ctx, conn); err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return err
	}
	run.sent = true // from here on it may have been kept
	ending := &turn{}
	if err := end(ctx, conn, ending, false, true, run); err != nil {
		return err
	}
	err := ending.exchange(ctx, conn)
	if run.ended {
		return nil // it is kept, whatever became of the scrubbing
	}
	return err
}

type requestIDKey struct{}

// WithRequestID makes transactions begun with the returned context carry id, for the audit log.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}
