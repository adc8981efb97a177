// Package erasure erases one tenant or one user for good, looks for what is left of them, and certifies what came of it.
//
// Who may have whom erased is decided in the database (vital.erasures and its functions); here is the work: rows go in batches, each a short
// transaction of its own, so that nobody waits and a run that is killed goes on where it was. What is a tenant's is found in the catalog.
// docs/reference/erasure.md has the whole of it.
package erasure

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
)

//go:embed erase.sql
var eraseText string

//go:embed scan.sql
var scanText string

//go:embed request.sql
var requestText string

var (
	queries        = database.ParseQueries(eraseText)
	scanQueries    = database.ParseQueries(scanText)
	requestQueries = database.ParseQueries(requestText)
)

// Erasure is one that runs.
type Erasure struct {
	ID          uuid.UUID
	Subject     string // tenant or user
	SubjectID   uuid.UUID
	People      []uuid.UUID // users who are erased
	Addresses   []string    // addresses that are looked for
	RequestedBy string
	RequestedAt time.Time
	NotBefore   time.Time
	ApprovedBy  string
	ApprovedAt  time.Time
	StartedAt   time.Time
	Chain       Chain
	Erased      map[string]int64 // rows by table
	// KeyDestroyedAt is when the tenant's key was destroyed; nil where it had none.
	KeyDestroyedAt *time.Time
}

// Chain is where a tenant's audit chain ended, which is gone.
type Chain struct {
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"`
}

// Config says how erasing goes about it.
type Config struct {
	// Batch is how many rows go in one transaction. Defaults to 5000.
	Batch int
	// Progress is told of each batch: what it was in, and how many rows went there so far. Defaults to nothing.
	Progress func(what string, rows int64)
	// Evict drops what is kept of a tenant outside of the database; nil where there is nothing.
	Evict func(ctx context.Context, tenant uuid.UUID) (int64, error)
}

const (
	defaultBatch = 5000
	// people are few in a batch: each takes memberships and conversations along.
	peopleBatch = 100
	// namingBatch bounds rows of audit chains, each of which gets a row more.
	namingBatch = 500
	// blocks is how much of a table one look for users' ids takes in, 16 MiB.
	blocks = 2000
	// mostPasses bounds how often tables are gone through: triggers write versions of what goes.
	mostPasses = 5
	// lockTries is how often a batch is tried that others hold up, each after 2 s of waiting.
	lockTries = 5
)

// Running is an erasure, and the connection it runs on.
type running struct {
	Config
	*Erasure
	conn  *pgx.Conn
	match matcher
}

// Run begins an erasure that was approved and whose time has come, or goes on with one that was broken off, and erases everything. What is
// left to do is to look for what is left, and to certify it: Certify. conn is an operator's, whom no policy binds, and rests as its Pace says. Errors: StateConflict,
// PermissionDenied, Conflict.
func Run(ctx context.Context, conn *pgx.Conn, id uuid.UUID, config Config) (*Erasure, error) {
	if config.Batch == 0 {
		config.Batch = defaultBatch
	}
	if config.Progress == nil {
		config.Progress = func(string, int64) {}
	}
	var free bool
	if err := conn.QueryRow(ctx, queries.Get("Lock"), id.String()).Scan(&free); err != nil {
		return nil, fmt.Errorf("lock erasure: %w", err)
	}
	if !free {
		return nil, fault.New(fault.StateConflict, "This erasure is being run by somebody else at the moment.", "Wait for it: `vital erasure list`.")
	}
	defer conn.Exec(context.WithoutCancel(ctx), queries.Get("Unlock"), id.String()) //nolint:errcheck // it ends with the connection anyway
	if err := gently(ctx, conn); err != nil {
		return nil, err
	}
	erasure, err := begin(ctx, conn, id)
	if err != nil {
		return nil, err
	}
	r := &running{Config: config, Erasure: erasure, conn: conn, match: newMatcher(erasure.ids(), erasure.Addresses)}
	steps := []func(context.Context) error{r.accounts, r.naming, r.rows, r.persons, r.people, r.chain, r.key, r.last}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return nil, explain(ctx, err)
		}
	}
	return r.Erasure, nil
}

func begin(ctx context.Context, conn *pgx.Conn, id uuid.UUID) (*Erasure, error) {
	e := &Erasure{}
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, queries.Get("Begin"), id).Scan(&e.ID, &e.Subject, &e.SubjectID, &e.People, &e.Addresses, &e.RequestedBy, &e.RequestedAt,
			&e.NotBefore, &e.ApprovedBy, &e.ApprovedAt, &e.StartedAt, &e.Chain.Seq, &e.Chain.Hash, &e.Erased, &e.KeyDestroyedAt)
	})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// isTenant says whether it is a tenant's.
func (e *Erasure) isTenant() bool { return e.Subject == "tenant" }

// ids are those that nothing may hold any more.
func (e *Erasure) ids() []uuid.UUID {
	ids := slices.Clone(e.People)
	if e.isTenant() {
		ids = append(ids, e.SubjectID)
	}
	return ids
}

// batch runs fn in a short transaction of the erasure, and counts what goes in it. A lock that is not to be had is tried for again.
func (r *running) batch(ctx context.Context, what string, fn func(tx pgx.Tx) (int64, error)) (gone int64, err error) {
	for try := 1; ; try++ {
		err = pgx.BeginFunc(ctx, r.conn, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, queries.Get("Enter"), r.ID.String()); err != nil {
				return fmt.Errorf("enter: %w", err)
			}
			if gone, err = fn(tx); err != nil || gone == 0 || what == "" {
				return err
			}
			_, err := tx.Exec(ctx, queries.Get("Count"), r.ID, what, gone)
			return err
		})
		if !isState(err, "55P03", "40P01", "40001") || try == lockTries {
			break
		}
	}
	if err != nil {
		return 0, fmt.Errorf("erase from %s: %w", what, err)
	}
	if gone > 0 && what != "" {
		r.Erased[what] += gone
		r.Progress(what, r.Erased[what])
	}
	return gone, nil
}

// gently has a connection take no more of the machine than it must.
func gently(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, queries.Get("Gently")); err != nil {
		return fmt.Errorf("go gently: %w", err)
	}
	return nil
}

// drain runs a statement, whose last value is the size of a batch, until nothing goes any more.
func (r *running) drain(ctx context.Context, what, statement string, size int, args ...any) error {
	args = append(slices.Clone(args), size)
	for {
		gone, err := r.batch(ctx, what, func(tx pgx.Tx) (int64, error) {
			tag, err := tx.Exec(ctx, statement, args...)
			return tag.RowsAffected(), err
		})
		if err != nil || gone == 0 {
			return err
		}
	}
}

func isState(err error, states ...string) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && slices.Contains(states, pgErr.Code)
}

// explain says what stands in the way of an erasure, and that it can go on.
func explain(ctx context.Context, err error) error {
	var pgErr *pgconn.PgError
	if ctx.Err() != nil || !errors.As(err, &pgErr) || strings.HasPrefix(pgErr.Code, "VT") {
		return err
	}
	table := strings.TrimPrefix(pgErr.SchemaName+"."+pgErr.TableName, ".")
	again := " Then run it again: it goes on from here."
	switch pgErr.Code {
	case "23503":
		return fault.Wrap(err, fault.Conflict, fmt.Sprintf("Rows of %s refer to what is to be erased, and do not say whose they are.", table), "Delete them, or give the table a tenant_id."+again)
	case "42501":
		return fault.Wrap(err, fault.PermissionDenied, "This login may not erase everything.", "Log in as a superuser, or with BYPASSRLS and the privileges of vital_owner."+again)
	case "53100":
		return fault.Wrap(err, fault.DatabaseFull, "The database has no room left on its disk.", "Make room where it is."+again)
	case "55P03", "40P01":
		return fault.Wrap(err, fault.Conflict, "Somebody holds a lock on what is to be erased.", "Look for a transaction that stays open: pg_stat_activity."+again)
	}
	return err
}

// refresh reads how many rows went, runs before included.
func refresh(ctx context.Context, conn *pgx.Conn, e *Erasure) error {
	var text []byte
	if err := conn.QueryRow(ctx, queries.Get("Erased"), e.ID).Scan(&text); err != nil {
		return fmt.Errorf("read counts: %w", err)
	}
	return json.Unmarshal(text, &e.Erased)
}
