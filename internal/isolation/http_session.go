package isolation

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
)

// endings are how a hostile request ends: well, or with an error of two kinds.
var endings = []string{"select 'done'", "select 1 / 0", "select pg_catalog.set_config('role', 'service_role', true)"}

// attackConnection has a hostile request leave things behind on the one connection there is, and looks at what
// the other tenant, and a caller without a name, find there.
func (h *httpSuite) attackConnection(ctx context.Context) error {
	if h.server.Request == nil {
		return nil
	}
	attacks, err := LoadAttacks(database.Attacks)
	if err != nil {
		return err
	}
	victims, err := h.victims(ctx)
	if err != nil {
		return err
	}
	table := h.closed(caller{})
	fill := fills{"relation": table.quoted(), "relation_name": identifier(table.name)}
	for _, a := range attacks {
		if a.Family != "session" {
			continue
		}
		text, _ := fill.render(a.text)
		statements := strings.Split(strings.TrimSuffix(text, ";"), ";\n")
		result := Result{Attack: a.Name, Family: a.Family, Verb: a.Verb, Title: a.Title, Reference: a.Reference, Object: "connection", Caller: "earlier request", Outcome: Blocked}
		for _, ending := range endings {
			_, _ = h.request(ctx, h.mine, append(statements[:len(statements):len(statements)], ending)) // refused or not: what counts is what is left
			h.proof.Verbs[a.Verb]++
			h.proof.Statements += len(statements) + 1
			if result.Evidence, err = h.leftTo(ctx, victims); err != nil {
				return err
			}
			if result.Evidence != "" {
				result.Outcome = Leaked
				result.Script = fmt.Sprintf("-- %s: %s\n-- %s\n%s;\n%s;\n", result.Object, a.Title, result.Evidence, strings.Join(statements, ";\n"), ending)
				break
			}
		}
		h.proof.Results = append(h.proof.Results, result)
	}
	return ctx.Err()
}

// victim is who asks after the attacker, nobody for a nil world, and what its session looked like before.
type victim struct {
	w    *world
	seen string
}

func (h *httpSuite) victims(ctx context.Context) ([]victim, error) {
	victims := []victim{{w: h.other}, {}}
	for i := range victims {
		seen, err := h.trace(ctx, victims[i].w)
		if err != nil {
			return nil, fmt.Errorf("look at a session: %w", err)
		}
		victims[i].seen = seen
	}
	return victims, nil
}

// leftTo says what a request before has left to victims, or nothing.
func (h *httpSuite) leftTo(ctx context.Context, victims []victim) (string, error) {
	var locks int
	if err := h.conn.QueryRow(ctx, httpQueries.Get("AdvisoryLocks")).Scan(&locks); err != nil {
		return "", fmt.Errorf("look for locks: %w", err)
	}
	if locks > 0 {
		return fmt.Sprintf("%d advisory locks are still held", locks), nil
	}
	for _, v := range victims {
		seen, err := h.trace(ctx, v.w)
		if err != nil { // once may be chance
			seen, err = h.trace(ctx, v.w)
		}
		switch {
		case ctx.Err() != nil:
			return "", ctx.Err()
		case err != nil:
			return "the next request fails: " + err.Error(), nil //nolint:nilerr // that is what was found out
		case seen != v.seen:
			return "the next request finds " + changedLine(v.seen, seen), nil
		}
	}
	return "", nil
}

// changedLine is the first line of is that was otherwise.
func changedLine(was, is string) string {
	before := strings.Split(was, "\n")
	for i, line := range strings.Split(is, "\n") {
		if i >= len(before) || line != before[i] {
			return line
		}
	}
	return "less than before"
}

// trace is everything that a request of w's user, or of nobody, can tell of its session.
func (h *httpSuite) trace(ctx context.Context, w *world) (string, error) {
	return h.request(ctx, w, []string{httpQueries.Get("Trace")})
}

// request sends statements as a request of w's user, or of nobody.
func (h *httpSuite) request(ctx context.Context, w *world, statements []string) (string, error) {
	who := identity.Anonymous()
	if w != nil {
		id, err := uuid.Parse(w.user)
		if err != nil {
			return "", fmt.Errorf("parse a user's id: %w", err)
		}
		who = identity.Caller{Role: identity.Authenticated, UserID: id, Tenant: w.tenant}
	}
	return h.server.Request(ctx, who, statements)
}

// RequestThrough runs statements as the server's requests do, through db. It should have one connection, on which
// what a request leaves behind meets the next.
func RequestThrough(db *postgres.DB) func(context.Context, identity.Caller, []string) (string, error) {
	return func(ctx context.Context, who identity.Caller, statements []string) (last string, err error) {
		work := &postgres.Work{Name: "Prove", Writes: true}
		for i, statement := range statements {
			var read func(pgx.Rows) error
			if i == len(statements)-1 {
				read = func(rows pgx.Rows) (err error) {
					last, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
					return err
				}
			}
			work.Query(statement, read)
		}
		return last, db.InTenant(ctx, who, "", work)
	}
}
