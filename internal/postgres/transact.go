package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vital-db/vital/internal/fault"
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
	name, err := tx.back.statement(ctx, tx.conn, text)
	if err != nil {
		return nil, err
	}
	return tx.conn.Query(ctx, name, args...)
}

// QueryRow runs a statement that answers with one row.
func (tx *Tx) QueryRow(ctx context.Context, text string, args ...any) pgx.Row {
	rows, err := tx.Query(ctx, text, args...)
	return row{rows, err}
}

// Exec runs a statement and returns how many rows it touched.
func (tx *Tx) Exec(ctx context.Context, text string, args ...any) (int64, error) {
	name, err := tx.back.statement(ctx, tx.conn, text)
	if err != nil {
		return 0, err
	}
	tag, err := tx.conn.Exec(ctx, name, args...)
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
	err := db.transactOnce(ctx, caller, tenant, fn)
	if err != nil && db.worthRetrying(ctx, &Work{Writes: true}, err) {
		err = db.transactOnce(ctx, caller, tenant, fn)
	}
	err = translate(ctx, err)
	record := Query{Name: name, UserID: caller.UserID, Duration: time.Since(started), Err: err}
	record.Tenant, _ = uuid.Parse(tenant) // a slug is not known by its id here
	db.config.OnQuery(ctx, record)
	return err
}

func (db *DB) transactOnce(ctx context.Context, caller identity.Caller, tenant string, fn func(*Tx) error) (err error) {
	conn, err := db.acquire(ctx)
	if err != nil {
		return err
	}
	finished := false
	defer func() {
		switch {
		case !finished || ctx.Err() != nil || isStale(err):
			discard(conn) // a panic in fn comes this way too
		case err != nil:
			go restore(conn, false)
		default:
			conn.Release()
		}
	}()
	tx := &Tx{conn: conn.Conn(), back: backendOf(conn.Conn())}
	enter := &pgx.Batch{}
	enter.Queue(queries.Get("Begin"))
	db.queueEnter(ctx, enter, tx.back, caller, tenant)
	if err = tx.conn.SendBatch(ctx, enter).Close(); err == nil {
		err = fn(tx)
	}
	if err == nil {
		err = commit(ctx, tx.conn)
	}
	finished = true
	return err
}

// commit ends the transaction and makes sure that it was kept.
func commit(ctx context.Context, conn *pgx.Conn) error {
	tag, err := conn.Exec(ctx, queries.Get("Commit"))
	if err != nil {
		return err
	}
	return requireCommit(tag)
}

func requireCommit(tag pgconn.CommandTag) error {
	if tag.String() != "COMMIT" {
		return fault.Wrap(errors.New("commit answered "+tag.String()), fault.Conflict,
			"The transaction was rolled back instead of committed.", "Try again.")
	}
	return nil
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
