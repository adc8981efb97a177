package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// LSN is a position in the database's write-ahead log. What was committed at one is seen by whoever has read the
// log that far. Zero is none.
type LSN uint64

// ParseLSN reads a position as the database writes it: 16/B374D848.
func ParseLSN(text string) (LSN, error) {
	high, low, ok := strings.Cut(text, "/")
	upper, errHigh := strconv.ParseUint(high, 16, 32)
	lower, errLow := strconv.ParseUint(low, 16, 32)
	if !ok || errHigh != nil || errLow != nil {
		return 0, fmt.Errorf("parse log position: %q is none", text)
	}
	return LSN(upper<<32 | lower), nil
}

// Scan reads a position that a query has cast to text.
func (l *LSN) Scan(from any) (err error) {
	text, ok := from.(string)
	if !ok {
		return fmt.Errorf("scan log position: %T is none", from)
	}
	*l, err = ParseLSN(text)
	return err
}

func (l LSN) String() string { return fmt.Sprintf("%X/%X", uint64(l)>>32, uint64(l)&0xffffffff) }

// Observed is what a transaction that was kept tells of itself.
type Observed struct {
	// Position is at least that of every commit the transaction could see, and of its own; zero where it
	// could not be learned.
	Position LSN
	// Raised are the versions it raised, "kind:key:version" as they are notified on vital_change; "*" for very many, or
	// where they could not be learned. SQL of the transaction can forge them: they say where to look, and
	// are nothing to believe.
	Raised []string
}

// OnCommit has fn told of every write through db that was kept, before whoever made it is.
func (db *DB) OnCommit(fn func(context.Context, Observed)) {
	db.tenants.onCommit.Store(&fn)
	db.pool.onCommit.Store(&fn)
}

// committed tells of a write that was kept.
func (p *pool) committed(ctx context.Context, seen Observed) {
	if told := p.onCommit.Load(); told != nil && len(seen.Raised) > 0 {
		(*told)(ctx, seen)
	}
}

// readRaised reads what the last transaction on conn has raised, and forgets it. The transaction is kept already: whoever
// made it may be gone, and a server that does not answer any more is not waited for.
func readRaised(ctx context.Context, conn *pgx.Conn) []string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTime)
	defer cancel()
	var text string
	if err := conn.QueryRow(ctx, queries.Get("TakeRaised")).Scan(&text, nil); err != nil {
		return unknownRaised
	}
	return parseRaised(text)
}

// observeTenant names the statement by which a login of tenants takes on a role to observe with.
const observeTenant = "ObserveTenant"

// maxRaised is how many scopes are told one by one.
const maxRaised = 100

// unknownRaised says that anything may have been raised.
var unknownRaised = []string{"*"}

// addPosition queues the question how far the log is, behind all that a transaction reads and before it ends: what it has seen
// was committed before.
func addPosition(ctx context.Context, conn *pgx.Conn, t *turn, seen *Observed) error {
	return addConstant(ctx, conn, t, "Position", func(answer *pgconn.ResultReader) error {
		for answer.NextRow() {
			seen.Position, _ = ParseLSN(string(answer.Values()[0])) // the database wrote it
		}
		return nil
	})
}

// addObserve queues the look at what the transaction before it, a write, was. It takes on a role for it, since the login
// itself may do nothing; the scrubbing behind it takes that back.
func addObserve(ctx context.Context, conn *pgx.Conn, t *turn, e ending) error {
	if err := addConstant(ctx, conn, t, e.observer, nil); err != nil {
		return err
	}
	seen := e.observed
	return addConstant(ctx, conn, t, "Observe", func(answer *pgconn.ResultReader) error {
		for answer.NextRow() {
			values := answer.Values()
			seen.Position, _ = ParseLSN(string(values[0])) // the database wrote it
			seen.Raised = parseRaised(string(values[1]))
		}
		return nil
	})
}

func parseRaised(text string) []string {
	raised := strings.Fields(text)
	if len(raised) > maxRaised {
		return unknownRaised
	}
	return raised
}

// observeLate looks for the position on another connection, where the one that committed did not tell: whatever
// is read now lies behind the commit.
func (p *pool) observeLate(ctx context.Context, observer string) LSN {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	position, err := askPosition(ctx, p, "Position", observer)
	if err != nil {
		return 0
	}
	return position
}

// askPosition runs the query of that name, having taken on a role for its transaction by the statement named role.
func askPosition(ctx context.Context, conn interface {
	Begin(ctx context.Context) (pgx.Tx, error)
}, query, role string,
) (position LSN, err error) {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, tx.Rollback(ctx)) }() // with the role
	if role != "" {
		if _, err := tx.Exec(ctx, queries.Get(role)); err != nil {
			return 0, err
		}
	}
	var text string
	if err := tx.QueryRow(ctx, queries.Get(query)).Scan(&text); err != nil {
		return 0, err
	}
	return ParseLSN(text)
}
