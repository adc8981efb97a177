package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// patience is how long a server may take to stop before its connection is given up.
	patience = 2 * time.Second
	// cancelAnswerTime is how long a request to cancel may go unanswered: longer than PgBouncer keeps one
	// (cancel_wait_timeout).
	cancelAnswerTime = 15 * time.Second
	// cancelArrives is how long after the answer the signal may still be on its way to the process.
	cancelArrives = 100 * time.Millisecond
)

// askToCancel asks the server to end what runs on conn; what it returns is closed when that is answered. Nobody
// hangs up before, not even when the statement is over by then, as the driver would: PgBouncer before 1.19.1
// ends with "bad client state" when who asked is gone, and every connection with it.
func askToCancel(conn *pgconn.PgConn) (answered <-chan struct{}) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(context.Background(), cancelAnswerTime)
		defer cancel()
		_ = conn.CancelRequest(ctx) // where it fails, the deadline or the closed connection ends the statement
	}()
	return done
}

// within says whether done is closed in that time.
func within(patience time.Duration, done <-chan struct{}) bool {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// canceller has a statement of the driver's own cancelled when its context ends.
type canceller struct {
	conn     *pgconn.PgConn
	answered <-chan struct{}
}

// HandleCancel asks the server to stop, and gives up on the connection when it does not.
func (c *canceller) HandleCancel(context.Context) {
	_ = c.conn.Conn().SetDeadline(time.Now().Add(patience)) // fails on a line that is closed
	c.answered = askToCancel(c.conn)
}

// HandleUnwatchAfterCancel waits until nothing can hit the connection's next statement any more. Where that takes
// too long the deadline stays, so that there is no next one.
func (c *canceller) HandleUnwatchAfterCancel() {
	if within(patience, c.answered) {
		time.Sleep(cancelArrives)
		_ = c.conn.Conn().SetDeadline(time.Time{}) // fails on a line that is closed
	}
}
