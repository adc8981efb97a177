package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// DefaultNiceRatio has work on a whole tenant take a fifth of one connection's time.
const DefaultNiceRatio = 4

const (
	// longestRest bounds for how long others have the database before work goes on.
	longestRest = time.Second
	// leastRest is what is worth a timer; less than that is owed.
	leastRest = time.Millisecond
	// longestStretch is for how long rows are read before a rest.
	longestStretch = 5 * time.Millisecond
)

// Pace has a connection's statements take turns with everybody else's: after each it rests, nice-ratio times as long as the statement took (the
// term is gh-ost's), a second at most. Where a transaction is open it waits for its end, since what is locked would stay locked, unless
// RestInside was called. A nil Pace never rests. Like its connection it is no more than one goroutine's at a time.
type Pace struct {
	ratio  float64
	inside bool
	began  time.Time
	owed   time.Duration
}

// ConnectPaced connects to the database at url, with a Pace of that nice-ratio; 0 rests never.
func ConnectPaced(ctx context.Context, url string, ratio float64) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read the database's address: %w", err)
	}
	if ratio > 0 {
		config.Tracer = &Pace{ratio: ratio}
	}
	return pgx.ConnectConfig(ctx, config)
}

// PaceOf is the connection's, or nil.
func PaceOf(conn *pgx.Conn) *Pace {
	pace, _ := conn.Config().Tracer.(*Pace)
	return pace
}

// RestInside says whether it rests in open transactions, too: those that lock nothing others wait for.
func (p *Pace) RestInside(inside bool) {
	if p != nil {
		p.inside = inside
	}
}

// TraceQueryStart is pgx's, at the beginning of each statement.
func (p *Pace) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	p.began = time.Now()
	return ctx
}

// TraceQueryEnd is pgx's, once a statement's rows are read.
func (p *Pace) TraceQueryEnd(ctx context.Context, conn *pgx.Conn, _ pgx.TraceQueryEndData) {
	p.owe()
	if p.inside || conn.PgConn().TxStatus() == 'I' {
		p.pay(ctx)
	}
}

// Work does what pgx does not trace, and rests.
func (p *Pace) Work(ctx context.Context, fn func()) {
	if p == nil {
		fn()
		return
	}
	p.began = time.Now()
	fn()
	p.owe()
	p.pay(ctx)
}

// Breathe rests where a statement, whose rows are being read, has gone on for long enough. It is cheap enough for each row.
func (p *Pace) Breathe(ctx context.Context) {
	if p == nil || time.Since(p.began) < longestStretch {
		return
	}
	p.owe()
	p.pay(ctx)
	p.began = time.Now()
}

// owe counts what went since work began.
func (p *Pace) owe() { p.owed += time.Duration(float64(time.Since(p.began)) * p.ratio) }

// pay rests for what is owed. Where ctx ends, whatever comes next will say so.
func (p *Pace) pay(ctx context.Context) {
	if p.owed < leastRest {
		return
	}
	rest := time.NewTimer(min(p.owed, longestRest))
	defer rest.Stop()
	select {
	case <-rest.C:
	case <-ctx.Done():
	}
	p.owed = 0
}
