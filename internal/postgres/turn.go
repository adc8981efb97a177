package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// turn is one network round trip: what is sent together, and who reads each answer.
type turn struct {
	steps []step
}

type step struct {
	statement *pgconn.StatementDescription // as prepared on this connection, or nil:
	text      string                       // then parsed, unnamed or under name
	name      string
	prepared  func(*pgconn.StatementDescription) // where it is not nil: told of what was parsed
	parseOnly bool                               // it is not run
	values    [][]byte                           // nil is NULL; of types the server infers where the statement is not prepared
	formats   []int16
	results   []int16
	read      func(*pgconn.ResultReader) error // may be nil
}

// unreadError marks an error of a reader: the server may still be sending what nobody reads any more.
type unreadError struct {
	err  error
	lost bool // there is nothing to read any more: the connection broke
}

func (e unreadError) Error() string { return e.err.Error() }
func (e unreadError) Unwrap() error { return e.err }

// add queues a statement that is parsed anew, with values in text format.
func (t *turn) add(text string, values [][]byte, read func(*pgconn.ResultReader) error) {
	t.steps = append(t.steps, step{text: text, values: values, read: read})
}

// addPrepared queues a prepared statement, with values in text format.
func (t *turn) addPrepared(statement *pgconn.StatementDescription, values [][]byte, read func(*pgconn.ResultReader) error) {
	t.steps = append(t.steps, step{statement: statement, values: values, read: read})
}

// describe queues a statement that is parsed unnamed and not run.
func (t *turn) describe(text string, described func(*pgconn.StatementDescription)) {
	t.steps = append(t.steps, step{text: text, prepared: described, parseOnly: true})
}

// addTyped queues a prepared statement with Go values, and rows that scan into Go values.
func (t *turn) addTyped(conn *pgx.Conn, statement *pgconn.StatementDescription, args []any, read func(pgx.Rows) error) error {
	var values pgx.ExtendedQueryBuilder
	if err := values.Build(conn.TypeMap(), statement, args); err != nil {
		return err
	}
	t.steps = append(t.steps, step{
		statement: statement, values: values.ParamValues, formats: values.ParamFormats, results: values.ResultFormats,
		read: func(answer *pgconn.ResultReader) error {
			if read == nil {
				return nil
			}
			rows := pgx.RowsFromResultReader(conn.TypeMap(), answer)
			if err := read(rows); err != nil {
				return err
			}
			rows.Close()
			return rows.Err()
		},
	})
	return nil
}

// exchange sends the turn and reads all its answers. When ctx ends first, or a reader gives up, the server
// is asked to stop what it is doing, and the connection must not be handed on: that request may arrive
// late. The driver would start a goroutine for every exchange to watch ctx; this costs nothing until ctx
// ends.
func (t *turn) exchange(ctx context.Context, conn *pgx.Conn) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	stopped := make(chan struct{})
	unwatch := context.AfterFunc(ctx, func() {
		defer close(stopped)
		interrupt(ctx, conn)
	})
	pipeline := conn.PgConn().StartPipeline(context.Background())
	err := t.send(pipeline)
	if err == nil {
		err = t.read(pipeline)
	}
	var unread unreadError
	switch {
	case !errors.As(err, &unread):
	case conn.PgConn().IsClosed(): // by the driver, which found it broken
		err = unreadError{unread.err, true}
	default:
		// Whatever is still on its way will not be read: the server notices a closed connection at its next
		// send, and hears of the cancellation before that.
		askToCancel(conn.PgConn())
		_ = conn.PgConn().Conn().Close() // it is given up either way
	}
	if ended := pipeline.Close(); err == nil {
		err = ended
	}
	if !unwatch() {
		<-stopped
	}
	return err
}

func (t *turn) send(pipeline *pgconn.Pipeline) error {
	for _, s := range t.steps {
		switch {
		case s.statement != nil && s.statement.Name == "":
			pipeline.SendQueryParams(s.statement.SQL, s.values, s.statement.ParamOIDs, s.formats, s.results)
		case s.statement != nil:
			pipeline.SendQueryStatement(s.statement, s.values, s.formats, s.results)
		case s.prepared != nil:
			pipeline.SendPrepare(s.name, s.text, nil)
			if !s.parseOnly {
				pipeline.SendQueryPrepared(s.name, s.values, s.formats, s.results)
			}
		default:
			pipeline.SendQueryParams(s.text, s.values, nil, s.formats, s.results)
		}
	}
	return pipeline.Sync()
}

// read hands each answer to its reader.
func (t *turn) read(pipeline *pgconn.Pipeline) error {
	for _, s := range t.steps {
		if s.prepared != nil {
			result, err := pipeline.GetResults()
			if err != nil {
				return err
			}
			statement, ok := result.(*pgconn.StatementDescription)
			if !ok {
				return fmt.Errorf("read answers: %T where a statement was to be prepared", result)
			}
			statement.Name, statement.SQL = s.name, s.text
			s.prepared(statement)
			if s.parseOnly {
				continue
			}
		}
		result, err := pipeline.GetResults()
		if err != nil {
			return err
		}
		answer, ok := result.(*pgconn.ResultReader)
		if !ok {
			return fmt.Errorf("read answers: %T where a result was due", result)
		}
		if err := s.readAnswer(answer); err != nil {
			return err
		}
	}
	return nil
}

func (s *step) readAnswer(answer *pgconn.ResultReader) error {
	if s.read != nil {
		if err := s.read(answer); err != nil {
			var pgErr *pgconn.PgError
			if errors.As(err, &pgErr) {
				return err
			}
			return unreadError{err: err}
		}
	}
	_, err := answer.Close()
	return err
}

// interrupt asks the server to stop what runs on conn, and stops waiting for it soon.
func interrupt(ctx context.Context, conn *pgx.Conn) {
	if errors.Is(context.Cause(ctx), errReplicaDown) {
		_ = conn.PgConn().Conn().Close() // nobody is there to be asked
		return
	}
	_ = conn.PgConn().Conn().SetDeadline(time.Now().Add(patience)) // in case the server does not answer
	within(patience, askToCancel(conn.PgConn()))
}
