package isolation

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// The levels of a standing, from the best.
const (
	Proved   = "proved"  // every policy implies that the row is the caller's own
	Tested   = "tested"  // attacked, and nothing got through
	Untested = "unknown" // neither
	Open     = "leaked"
)

// verbsOf are the verbs of attacks on each command.
var verbsOf = map[string][]string{
	"insert": {"insert", "upsert"}, "update": {"update", "move", "merge"}, "delete": {"delete"},
}

// judge adds to p what the lints find, and says of each table and command what holds.
func (p *Proof) judge(ctx context.Context, conn *pgx.Conn) error {
	scope, err := FindScope(ctx, conn, Scope{})
	if err == nil && !scope.Vital {
		scope.Schemas, scope.TenantColumns = p.Subject.Schemas, []string{p.Subject.TenantColumn}
	}
	if err != nil {
		return err
	}
	if p.lints, err = Lints(scope); err != nil {
		return err
	}
	if p.Findings, err = Check(ctx, conn, scope); err != nil {
		return err
	}
	role := p.Subject.Roles.SignedIn
	guards, err := ReadGuards(ctx, conn, role, p.Subject.Schemas)
	if err != nil {
		return err
	}
	ground := VitalGround
	if !scope.Vital {
		known, err := ReadDatabase(ctx, conn, role, p.Subject.Schemas)
		if err != nil {
			return err
		}
		ground = Infer(known).Ground
	}
	for _, guard := range guards {
		for _, command := range []string{"select", "insert", "update", "delete"} {
			verdict, err := guard.Proves(command, ground(plainName(guard.Relation, scope.Vital)))
			if err != nil {
				return fmt.Errorf("prove %s on %s: %w", command, guard.Relation, err)
			}
			p.Standings = append(p.Standings, p.standing(guard.Relation, command, verdict))
		}
	}
	return nil
}

// plainName is how VitalGround calls a table.
func plainName(relation string, vital bool) string {
	const schema = "public."
	if vital && len(relation) > len(schema) && relation[:len(schema)] == schema {
		return relation[len(schema):]
	}
	return relation
}

func (p *Proof) standing(relation, command string, verdict Implication) Standing {
	s := Standing{Relation: relation, Command: command, Level: Untested, Reason: "no attack could be made"}
	tried := 0
	for _, r := range p.Results {
		if r.Object != relation || command == "select" && r.Family != "read" || command != "select" && !slices.Contains(verbsOf[command], r.Verb) {
			continue
		}
		switch r.Outcome {
		case Leaked:
			return Standing{relation, command, Open, r.Caller + ": " + r.Title}
		case Blocked:
			tried++
		case AtRisk, Untried:
		}
	}
	switch {
	case verdict.Proved:
		s.Level, s.Reason = Proved, verdict.Reason
	case tried > 0:
		s.Level, s.Reason = Tested, fmt.Sprintf("%d attacks, none got through; not proved: %s", tried, verdict.Reason)
	}
	return s
}
