package schema

import (
	"context"
	stdsql "database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/vital-db/vital/internal/fault"
)

// session is the operator's one connection, for pgx and, by way of asDB, for goose.
type session struct {
	*pgx.Conn
	shared *stdlib.Conn // the same
}

// connect opens the operator's connection and refuses a server that is too old.
func (m *Migrator) connect(ctx context.Context) (*session, error) {
	config, err := pgx.ParseConfig(m.config.DatabaseURL)
	if err != nil {
		return nil, unreachable(err)
	}
	opened, err := stdlib.GetConnector(*config).Connect(ctx)
	if err != nil {
		return nil, unreachable(err)
	}
	shared, ok := opened.(*stdlib.Conn)
	if !ok {
		return nil, errors.New("the driver is not pgx")
	}
	s := &session{Conn: shared.Conn(), shared: shared}
	var version int
	if err := s.QueryRow(ctx, sql("ServerVersion")).Scan(&version); err != nil {
		s.Close(ctx)
		return nil, fmt.Errorf("read server version: %w", err)
	}
	if version < 150000 {
		s.Close(ctx)
		return nil, fault.New(fault.UnsupportedPostgres,
			fmt.Sprintf("This server is PostgreSQL %d; VITAL needs 15 or newer.", version/10000),
			"Views that apply the caller's policies exist only since PostgreSQL 15. Upgrade the server.")
	}
	return s, nil
}

func unreachable(err error) error {
	return fault.Wrap(err, fault.DatabaseUnavailable, "The database cannot be reached.",
		"Check --database-url: host, port, user, password and database name.")
}

// asDB is the session as database/sql has it, within a transaction that was begun on it: what is a transaction there is a
// savepoint here, so that all that goose commits is kept or lost with the rest. Closing it leaves the session open.
func (s *session) asDB() *stdsql.DB {
	db := stdsql.OpenDB(within{s.shared})
	db.SetMaxOpenConns(1)
	return db
}

// within is a connection that never ends, and its own connector.
type within struct{ *stdlib.Conn }

func (w within) Connect(context.Context) (driver.Conn, error) { return w, nil }
func (w within) Driver() driver.Driver                        { return stdlib.GetDefaultDriver() }
func (w within) Close() error                                 { return nil }
func (w within) ResetSession(context.Context) error           { return nil }

func (w within) Begin() (driver.Tx, error) {
	return w.BeginTx(context.Background(), driver.TxOptions{})
}

func (w within) BeginTx(ctx context.Context, _ driver.TxOptions) (driver.Tx, error) {
	_, err := w.Conn.Conn().Exec(ctx, sql("SavepointMake"))
	return savepoint{ctx, w.Conn.Conn()}, err
}

// savepoint is a transaction of goose's.
type savepoint struct {
	ctx  context.Context //nolint:containedctx // driver.Tx has no place for one
	conn *pgx.Conn
}

func (s savepoint) Commit() error {
	_, err := s.conn.Exec(s.ctx, sql("SavepointKeep"))
	return err
}

func (s savepoint) Rollback() error {
	_, err := s.conn.Exec(context.WithoutCancel(s.ctx), sql("SavepointUndo"))
	return err
}
