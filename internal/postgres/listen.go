package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
)

const (
	// listenAgain is the pause before a connection that was lost is made anew.
	listenAgain = 500 * time.Millisecond
	// tryEvery is how often the connection is tried, and answerTime how long that may take.
	tryEvery, answerTime = 250 * time.Millisecond, time.Second
	// proofChannel is where a listener hears that it hears.
	proofChannel = "vital_listening"
)

var errDeaf = errors.New("nothing is heard on this connection: it leads through a pooler in transaction mode")

// Listen hears what is notified on channel until ctx ends, on a connection of its own. Anybody may notify:
// what is heard is a hint and nothing to believe. heard is called with "" once it listens,
// and each time it listens again, since something may have been missed. current is called, a few times a second, with a
// time before which nothing was committed whose notification has not been heard. lost is called when it listens no
// more: within seconds, also where the server is there and does not answer. None is called while another is running.
func (db *DB) Listen(ctx context.Context, channel string, heard func(payload string), current func(at time.Time), lost func()) {
	db.looks.pool.listen(ctx, channel, heard, current, lost)
}

func (p *pool) listen(ctx context.Context, channel string, heard func(payload string), current func(at time.Time), lost func()) {
	for ctx.Err() == nil {
		_ = p.listenOnce(ctx, channel, heard, current) // what ended it does not matter: it is begun again
		lost()
		select {
		case <-ctx.Done():
		case <-time.After(listenAgain):
		}
	}
}

func (p *pool) listenOnce(ctx context.Context, channel string, heard func(payload string), current func(at time.Time)) error {
	listening, proven, proof := false, false, rand.Text()
	config := p.Config().ConnConfig.Copy()
	// A wait for notifications that is over is no statement to cancel: the pool's handler would ask the server to, and
	// end the wait two seconds late, when nothing is trusted any more.
	config.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler { return &pgconn.DeadlineContextWatcherHandler{Conn: c.Conn()} }
	config.OnNotification = func(_ *pgconn.PgConn, n *pgconn.Notification) { // as it is read: what was sent before an answer is heard before it
		switch {
		case n.Channel == proofChannel:
			proven = proven || n.Payload == proof
		case listening:
			heard(n.Payload)
		}
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTime)
		defer cancel()
		_ = conn.Close(closing) // it may be lost already
	}()
	listen := "listen " + pgx.Identifier{channel}.Sanitize()
	if _, err := conn.Exec(ctx, listen); err != nil {
		return err
	}
	if err := p.prove(ctx, conn, proof, &proven); err != nil {
		return err
	}
	heard("") // what changed before is heard of by looking
	listening = true
	for {
		// A server tells what was notified before it answers: whoever is woken after a long sleep finds that out by the
		// answer, and not by what has been lying there.
		asked := time.Now()
		if err := try(ctx, conn, listen); err != nil {
			return err
		}
		current(asked)
		if err := hear(ctx, conn, asked.Add(tryEvery)); err != nil {
			return err
		}
	}
}

// prove finds out whether conn hears what is notified on another connection. A pooler in transaction mode takes a LISTEN,
// and answers every question, and hands on nothing.
func (p *pool) prove(ctx context.Context, conn *pgx.Conn, proof string, proven *bool) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	if _, err := conn.Exec(ctx, "listen "+proofChannel); err != nil {
		return err
	}
	if _, err := p.Exec(ctx, "select pg_catalog.pg_notify($1, $2)", proofChannel, proof); err != nil {
		return err
	}
	for !*proven {
		if err := conn.PgConn().WaitForNotification(ctx); err != nil {
			return errors.Join(errDeaf, err)
		}
	}
	_, err := conn.Exec(ctx, "unlisten "+proofChannel)
	return err
}

// hear waits for notifications until a time.
func hear(ctx context.Context, conn *pgx.Conn, until time.Time) error {
	waiting, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	for {
		switch err := conn.PgConn().WaitForNotification(waiting); {
		case err == nil:
		case ctx.Err() != nil:
			return ctx.Err()
		case pgconn.Timeout(err):
			return nil
		default:
			return err
		}
	}
}

// try tries whether the server is still there, by what changes nothing.
func try(ctx context.Context, conn *pgx.Conn, listen string) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	_, err := conn.Exec(ctx, listen)
	return err
}
