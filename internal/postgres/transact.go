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
	conn     *pgx.Conn
	back     *backend
	observed *Observed
}

// Observe has what the transaction tells of itself written to into, once it is kept, in the round trip
// that commits it.
func (tx *Tx) Observe(into *Observed) { tx.observed = into }

// Query runs a statement and returns its rows; text is a constant with schema-qualified names.
func (tx *Tx) Query(ctx context.Context, text string, args ...any) (pgx.Rows, error) {
	prepared, err := tx.back.statement(ctx, tx.conn, text)
	if err != nil {
		return nil, err
	}
	if prepared.Name != "" {
		return tx.conn.Query(ctx, prepared.Name, args...)
	}
	var values pgx.ExtendedQueryBuilder
	if err := values.Build(tx.conn.TypeMap(), prepared, args); err != nil {
		return nil, err
	}
	answer := tx.conn.PgConn().ExecParams(ctx, text, values.ParamValues, prepared.ParamOIDs, values.ParamFormats, values.ResultFormats)
	return pgx.RowsFromResultReader(tx.conn.TypeMap(), answer), nil
}

// QueryRow runs a statement that answers with one row.
func (tx *Tx) QueryRow(ctx context.Context, text string, args ...any) pgx.Row {
	rows, err := tx.Query(ctx, text, args...)
	return row{rows, err}
}

// Exec runs a statement and returns how many rows it touched.
func (tx *Tx) Exec(ctx context.Context, text string, args ...any) (int64, error) {
	rows, err := tx.Query(ctx, text, args...)
	if err != nil {
		return 0, err
	}
	rows.Close()
	return rows.CommandTag().RowsAffected(), rows.Err()
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
		db.tenants.committed(ctx, Observed{Raised: unknownRaised}) // perhaps
	}
	err = translate(ctx, err)
	record := Query{Name: name, UserID: caller.UserID, Duration: time.Since(started), Waited: run.waited, Server: db.tenants.server, Err: err}
	record.Tenant, _ = uuid.Parse(tenant) // a slug is not known by its id here
	db.config.OnQuery(ctx, record)
	return err
}

func (db *DB) transactOnce(ctx context.Context, caller identity.Caller, tenant string, fn func(*Tx) error) (run attempted, err error) {
	conn, err := db.tenants.acquireTimed(ctx, &run)
	if err != nil {
		return run, err
	}
	returned := false
	defer func() {
		if !returned { // fn panicked
			discard(conn)
		}
	}()
	tx := &Tx{conn: conn.Conn(), back: backendOf(conn.Conn())}
	if db.tenants.onCommit.Load() != nil || len(db.replicas.all) > 0 {
		tx.observed = &Observed{}
	}
	err = db.transactOn(ctx, tx, caller, tenant, fn, &run)
	returned = true
	db.tenants.giveBack(ctx, conn, err, run.scrubbed, false)
	if err == nil && tx.observed != nil && tx.observed.Position == 0 {
		tx.observed.Position = db.tenants.observeLate(ctx, observeTenant)
	}
	if err == nil && tx.observed != nil {
		db.tenants.committed(ctx, *tx.observed)
		if len(db.replicas.all) > 0 {
			db.replicas.own.note(caller.UserID, tx.observed.Position)
		}
	}
	return run, err
}

func (db *DB) transactOn(ctx context.Context, tx *Tx, caller identity.Caller, tenant string, fn func(*Tx) error, run *attempted) error {
	conn := tx.conn
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
	if tx.observed != nil {
		*tx.observed = Observed{}
	}
	leaving := &turn{}
	if err := end(ctx, conn, leaving, ending{scrub: true, writes: true, observed: tx.observed, observer: observeTenant}, run); err != nil {
		return err
	}
	err := leaving.exchange(ctx, conn)
	if run.ended {
		return nil // it is kept, whatever became of the scrubbing
	}
	return err
}

// RequestIDKey is where a context has the id, a string, that transactions begun with it carry for the audit log.
type RequestIDKey struct{}

func requestID(ctx context.Context) string {
	id, _ := ctx.Value(RequestIDKey{}).(string)
	return id
}
