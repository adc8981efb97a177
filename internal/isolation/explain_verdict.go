package isolation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Verdict is whether the command reaches the row, and what decided.
type Verdict struct {
	Allowed  bool     `json:"allowed"`
	Decision Decision `json:"decision"`
	// Policy is the one that decided, where one did.
	Policy string `json:"policy,omitempty"`
	Reason string `json:"reason"`
	// Notes are what else a person should know.
	Notes []string `json:"notes,omitempty"`
}

// Decision is the kind of thing that decided.
type Decision string

// The decisions.
const (
	PrivilegeMissing  Decision = "privilege_missing"
	PoliciesNotAsked  Decision = "row_security_not_applied"
	PolicyGranted     Decision = "policy_granted"
	NoPolicy          Decision = "no_policy"
	PoliciesRefused   Decision = "policies_refused"
	RestrictiveRefuse Decision = "restrictive_policy_refused"
	PolicyFailed      Decision = "policy_failed"
	Undecided         Decision = "undecided"
	NotAMember        Decision = "not_a_member"
	MemberSuspended   Decision = "membership_suspended"
	TenantNotActive   Decision = "tenant_not_active"
)

// Trial is what the command itself did on the row as the caller, before it was undone.
type Trial struct {
	// Outcome is allowed, refused, or failed for a reason that says nothing of policies.
	Outcome string `json:"outcome"`
	// Error is what the database said, where it said something.
	Error string `json:"error,omitempty"`
	// Agreement is agrees, disagrees, or inconclusive where the trial cannot tell.
	Agreement string `json:"agreement"`
	// Triggers are those that may change the row before the policies are asked about it.
	Triggers []string `json:"triggers,omitempty"`
}

const (
	allowed      = "allowed"
	refused      = "refused"
	failed       = "failed"
	agrees       = "agrees"
	disagrees    = "disagrees"
	inconclusive = "inconclusive"
)

// trialStatement writes the command on this very row; the row's values reach it as a parameter, so that it
// reads no column but the key.
func (e *explainer) trialStatement(ctx context.Context) (text string, args []any, err error) {
	condition, args, err := e.condition(ctx, e.out.Key)
	if err != nil {
		return "", nil, err
	}
	var columns []string
	for _, c := range e.columns {
		if !c.Generated && (e.q.Command == "insert" || c.Updates) {
			columns = append(columns, c.Name)
		}
	}
	switch e.q.Command {
	case "insert":
		args = []any{e.row}
	case "update":
		if len(columns) == 0 {
			columns = []string{e.columns[0].Name} // to be refused
		}
		columns = columns[len(columns)-1:] // the key's come first, which triggers may keep from being written
		args = append(args, e.row)
	}
	text, err = e.statement(ctx, "ExplainTrialStatement", e.q.Command, e.relation.schema, e.relation.name, condition, columns, len(args))
	return text, args, err
}

// try runs the command as the caller and undoes it.
func (e *explainer) try(ctx context.Context, tx pgx.Tx, text string, args []any) error {
	sp, err := tx.Begin(ctx)
	if err != nil {
		return fmt.Errorf("savepoint: %w", err)
	}
	args = append([]any{pgx.QueryExecModeDescribeExec}, args...)
	var reached int64
	if e.q.Command == "select" {
		err = sp.QueryRow(ctx, text, args...).Scan(&reached)
	} else {
		var tag pgconn.CommandTag
		tag, err = sp.Exec(ctx, text, args...)
		reached = tag.RowsAffected()
	}
	if undo := sp.Rollback(ctx); undo != nil {
		return fmt.Errorf("undo: %w", undo)
	}
	trial := &e.out.Trial
	var pgErr *pgconn.PgError
	switch {
	case err == nil && reached > 0:
		trial.Outcome = allowed
	case err == nil:
		trial.Outcome = refused
	case !errors.As(err, &pgErr):
		return fmt.Errorf("try %s: %w", e.q.Command, err)
	default:
		trial.Outcome, trial.Error = outcomeOf(pgErr), pgErr.Message
	}
	return nil
}

// outcomeOf reads an error of the trial. Policies are asked before any constraint of the row, so a row that met
// one has passed them. That a function or trigger raised 42501 is told by where it comes from, whatever the
// language of messages.
func outcomeOf(err *pgconn.PgError) string {
	switch {
	case err.Code == "42501" && slices.Contains([]string{"ExecWithCheckOptions", "aclcheck_error"}, err.Routine):
		return refused
	case strings.HasPrefix(err.Code, "23") && err.Routine != "exec_stmt_raise":
		return allowed
	}
	return failed
}

// conclude draws the verdict and holds it against the trial.
func (e *explainer) conclude() {
	v := e.decide()
	e.out.Trial.Agreement = inconclusive
	switch outcome := e.out.Trial.Outcome; {
	case v.Decision == PolicyFailed || v.Decision == Undecided:
		// PostgreSQL need not come to every policy, so the trial's word counts.
		v.Allowed = outcome == allowed
		if v.Decision == PolicyFailed && outcome != allowed {
			e.out.Trial.Agreement = agrees
		}
	case outcome == failed:
	case v.Allowed == (outcome == allowed):
		e.out.Trial.Agreement = agrees
	default:
		e.out.Trial.Agreement = disagrees
	}
	e.attribute(&v)
	e.out.Verdict = v
}

func (e *explainer) decide() Verdict {
	if !e.out.Privilege.Granted {
		return Verdict{Decision: PrivilegeMissing, Reason: e.out.Privilege.Missing}
	}
	if !e.out.RowSecurity.Applies {
		return Verdict{Allowed: true, Decision: PoliciesNotAsked, Reason: "no policy is asked: " + e.out.RowSecurity.Why}
	}
	var last Verdict
	for _, s := range steps(e.q.Command) {
		v := e.decideStep(s)
		if !v.Allowed {
			return v
		}
		if s.command == e.q.Command && (s.kind == using || e.q.Command == "insert") {
			last = v
		}
	}
	return last
}

// decideStep judges one step as PostgreSQL does: every restrictive policy and one permissive must be true.
func (e *explainer) decideStep(s stepOf) Verdict {
	var granted, refusing, failing, unknown []string
	for _, p := range e.out.Policies {
		i := slices.IndexFunc(p.Clauses, func(c Clause) bool { return c.Step == s.label })
		if i < 0 {
			continue
		}
		switch value := p.Clauses[i].Value; {
		case value == Failed:
			failing = append(failing, p.Name)
		case value == Unknown:
			unknown = append(unknown, p.Name)
		case !p.Permissive && value != True:
			return Verdict{Decision: RestrictiveRefuse, Policy: p.Name,
				Reason: fmt.Sprintf("the restrictive policy %s is %s, %s", p.Name, value, s.label)}
		case p.Permissive && value == True:
			granted = append(granted, p.Name)
		case p.Permissive:
			refusing = append(refusing, p.Name)
		}
	}
	switch {
	case len(failing) > 0:
		return Verdict{Decision: PolicyFailed, Policy: failing[0], Reason: fmt.Sprintf("the policy %s raises an error, %s", failing[0], s.label)}
	case len(unknown) > 0:
		return Verdict{Decision: Undecided, Policy: unknown[0],
			Reason: fmt.Sprintf("the policy %s cannot be evaluated on its own, %s; what the command itself does is shown", unknown[0], s.label)}
	case len(granted) > 0:
		return Verdict{Allowed: true, Decision: PolicyGranted, Policy: granted[0], Reason: fmt.Sprintf("the policy %s is true, %s", granted[0], s.label)}
	case len(refusing) == 1:
		return Verdict{Decision: PoliciesRefused, Policy: refusing[0],
			Reason: fmt.Sprintf("the policy %s, the only one asked %s, is not true", refusing[0], s.label)}
	case len(refusing) > 1:
		return Verdict{Decision: PoliciesRefused,
			Reason: fmt.Sprintf("none of the %d policies asked %s is true: %s", len(refusing), s.label, strings.Join(refusing, ", "))}
	}
	return Verdict{Decision: NoPolicy, Reason: fmt.Sprintf("no permissive policy is for %s %s", e.q.Caller.Role, s.label)}
}

// attribute names, in a database of ours, what lies behind policies that refuse: what the caller is in the
// tenant they act in. It decides only where the row is that tenant's; else it is worth a note.
func (e *explainer) attribute(v *Verdict) {
	caller, of := e.out.Caller, e.out.RowTenant
	if e.sealed && caller.UserID == nil && caller.Role == "authenticated" && e.out.RowSecurity.Applies {
		v.Notes = append(v.Notes, "no user is named: nobody acts in a tenant")
	}
	if caller.UserID == nil || v.Allowed {
		return
	}
	in := caller.Tenant
	if in == nil {
		v.Notes = append(v.Notes, "the caller has no default tenant and names none")
		return
	}
	decision, reason := e.standing(*in)
	switch {
	case decision != "" && of != nil && of.ID == in.ID.String() && v.Decision == PoliciesRefused:
		v.Decision, v.Reason = decision, reason+"; "+v.Reason
	case decision != "":
		v.Notes = append(v.Notes, reason)
	case of != nil && of.ID != in.ID.String():
		note := fmt.Sprintf("the row belongs to %s; the caller acts in %s", of.Slug, in.Slug)
		if of.CallerIsMember {
			note += fmt.Sprintf(" and is a member of %s too: ask with that tenant", of.Slug)
		}
		v.Notes = append(v.Notes, note)
	}
}

// standing says what keeps the caller from the tenant they act in, nothing when they are a member of an
// active one. A super admin is in any, and writes in any that is not archived.
func (e *explainer) standing(in ActingTenant) (decision Decision, reason string) {
	super := e.out.Caller.SuperAdmin
	switch {
	case in.State != "active" && (!super || in.State == "archived" && e.q.Command != "select"):
		return TenantNotActive, fmt.Sprintf("the tenant %s is %s", in.Slug, in.State)
	case super:
		return "", ""
	case in.Role == "":
		return NotAMember, fmt.Sprintf("the caller is not a member of %s", in.Slug)
	case in.Status != "active":
		return MemberSuspended, fmt.Sprintf("the caller's membership in %s is %s", in.Slug, in.Status)
	}
	return "", ""
}
