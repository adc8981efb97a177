package isolation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
)

// policyOf is a policy as the catalog has it.
type policyOf struct {
	Name, Command                    string
	Permissive                       bool
	Roles                            []string
	ForRole                          bool
	UsingExpression, CheckExpression string
}

// stepOf is one decision that a command takes: the policies of command let the row through by kind.
type stepOf struct{ command, kind, label string }

const (
	using     = "using"
	withCheck = "with check"
)

// steps are those of a command, in the order in which the first refusal is met. To update or delete a row it is
// read first, to find it; the row that an update writes is here the one there is.
func steps(command string) []stepOf {
	own := stepOf{command, using, "to " + command + " the row"}
	read := stepOf{"select", using, "to read the row"}
	switch command {
	case "insert":
		return []stepOf{{command, withCheck, "to insert the row"}}
	case "update":
		return []stepOf{read, own, {command, withCheck, "to keep the row as written"}}
	case "delete":
		return []stepOf{read, own}
	}
	return []stepOf{read}
}

// clause returns the expression by which p decides s; ok is false when p has no say in it.
func (p policyOf) clause(s stepOf) (expression string, ok bool) {
	if p.Command != s.command && p.Command != "all" {
		return "", false
	}
	expression = p.UsingExpression
	if s.kind == withCheck && p.CheckExpression != "" {
		expression = p.CheckExpression
	}
	return expression, expression != ""
}

// why says why p has no say in the command, "" when it has.
func (e *explainer) why(p policyOf) string {
	decides := slices.ContainsFunc(steps(e.q.Command), func(s stepOf) bool { return p.Command == s.command || p.Command == "all" })
	asked := slices.ContainsFunc(steps(e.q.Command), func(s stepOf) bool { _, ok := p.clause(s); return ok })
	switch {
	case !e.out.RowSecurity.Applies:
		return e.out.RowSecurity.Why
	case !decides:
		return fmt.Sprintf("for %s, not %s", p.Command, e.q.Command)
	case !p.ForRole:
		return fmt.Sprintf("for %s, not %s", strings.Join(p.Roles, ", "), e.q.Caller.Role)
	case !asked:
		return "it has no expression"
	}
	return ""
}

func (e *explainer) readPolicies(ctx context.Context) error {
	rows, err := e.tx.Query(ctx, explainQueries.Get("ExplainPolicies"), e.relation.oid, string(e.q.Caller.Role))
	if err == nil {
		e.policies, err = pgx.CollectRows(rows, pgx.RowToStructByName[policyOf])
	}
	if err != nil {
		return fmt.Errorf("read policies: %w", err)
	}
	return nil
}

// probe is an expression to be evaluated on the row, as a function of it.
type probe struct {
	function string
	text     string
	isTerm   bool

	truth  Truth
	values []*string
	err    string
}

// makeProbes makes a function of each expression, of its parts and of what is in them. What cannot stand on its
// own stays unknown.
func (e *explainer) makeProbes(ctx context.Context) error {
	var all []*probe
	for _, p := range e.policies {
		if e.why(p) != "" {
			continue
		}
		for _, s := range steps(e.q.Command) {
			if expression, ok := p.clause(s); ok {
				all = e.collect(all, expression)
			}
		}
	}
	for _, p := range all {
		if err := e.makeProbe(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// collect adds probes of expression and everything in it to all.
func (e *explainer) collect(all []*probe, expression string) []*probe {
	add := func(text string, isTerm bool) bool {
		if e.probes[text] != nil {
			return false
		}
		p := &probe{function: fmt.Sprintf("vital_probe_%d", len(e.probes)), text: text, isTerm: isTerm, truth: Unknown}
		e.probes[text] = p
		all = append(all, p)
		return true
	}
	if expression = strip(expression); !add(expression, false) {
		return all
	}
	_, parts := splitJunction(expression)
	for _, part := range parts {
		all = e.collect(all, part)
	}
	if len(parts) == 0 {
		for _, t := range e.terms(expression) {
			add(t.query, true)
		}
	}
	return all
}

func (e *explainer) terms(expression string) []term {
	columns := make([]string, len(e.columns))
	for i, c := range e.columns {
		columns[i] = quoteName(c.Name)
	}
	return terms(expression, quoteName(e.relation.name), columns)
}

// quoteName quotes a name as quote_ident does, reserved words aside.
func quoteName(name string) string {
	plain := name != "" && !strings.ContainsFunc(name, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	if plain && (name[0] < '0' || name[0] > '9') {
		return name
	}
	return pgx.Identifier{name}.Sanitize()
}

func (e *explainer) makeProbe(ctx context.Context, p *probe) error {
	query := "ExplainProbeStatement"
	if p.isTerm {
		query = "ExplainTermStatement"
	}
	create, err := e.statement(ctx, query, p.function, e.relation.schema, e.relation.name, p.text)
	if err != nil {
		return err
	}
	grant, err := e.statement(ctx, "ExplainGrantStatement", p.function, e.relation.schema, e.relation.name, string(e.q.Caller.Role))
	if err != nil {
		return err
	}
	sp, err := e.tx.Begin(ctx)
	if err != nil {
		return fmt.Errorf("savepoint: %w", err)
	}
	for _, statement := range []string{create, grant} {
		// By the extended protocol, which takes one statement and no second one.
		if err := sp.Conn().PgConn().ExecParams(ctx, statement, nil, nil, nil, nil).Read().Err; err != nil {
			if undo := sp.Rollback(ctx); undo != nil {
				return fmt.Errorf("undo: %w", undo)
			}
			return p.refused(err)
		}
	}
	return sp.Commit(ctx)
}

// refused keeps why p could not be made, unless none can be.
func (p *probe) refused(err error) error {
	var pgErr *pgconn.PgError
	switch {
	case !errors.As(err, &pgErr):
		return fmt.Errorf("make probe: %w", err)
	case pgErr.Code == "25006":
		return fault.Wrap(err, fault.ReadOnly, "This database takes no writes, not even ones that are undone.", "Explain on the primary.")
	case pgErr.Code == "42501" && strings.Contains(pgErr.Message, "temporary"):
		return fault.Wrap(err, fault.PermissionDenied, "This login may not make temporary functions.", "Log in as a superuser, or grant it TEMPORARY on the database.")
	}
	p.err = "cannot be evaluated on its own: " + pgErr.Message
	return nil
}

// askAsCaller becomes the caller and asks everything, also the command itself.
func (e *explainer) askAsCaller(ctx context.Context) error {
	sp, err := e.tx.Begin(ctx)
	if err != nil {
		return fmt.Errorf("savepoint: %w", err)
	}
	defer sp.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // the transaction's own rollback follows
	trial, args, err := e.trialStatement(ctx)     // while still the operator
	if err != nil {
		return err
	}
	tenant := ""
	if e.q.Tenant != [16]byte{} {
		tenant = e.q.Tenant.String()
	}
	if err := postgres.Impersonate(ctx, sp, e.q.Caller, tenant); err != nil {
		return err
	}
	for _, s := range e.q.Settings {
		if _, err := sp.Exec(ctx, explainQueries.Get("ExplainSet"), s.Name, s.Value); err != nil {
			return fault.Wrap(err, fault.Invalid, fmt.Sprintf("%s cannot be set to %q.", s.Name, s.Value), "Settings of one's own have a dot in their name: app.tenant_id=….")
		}
	}
	for _, p := range e.probes {
		if p.err == "" {
			if err := p.ask(ctx, sp, e.row); err != nil {
				return err
			}
		}
	}
	return e.try(ctx, sp, trial, args)
}

// ask evaluates p on row as whoever tx is.
func (p *probe) ask(ctx context.Context, tx pgx.Tx, row string) error {
	sp, err := tx.Begin(ctx)
	if err != nil {
		return fmt.Errorf("savepoint: %w", err)
	}
	answer := sp.QueryRow(ctx, "select pg_temp."+p.function+"($1)", pgx.QueryExecModeDescribeExec, row)
	if p.isTerm {
		err = answer.Scan(&p.values)
	} else {
		var value *bool
		err = answer.Scan(&value)
		p.truth = truthOf(value)
	}
	if undo := sp.Rollback(ctx); undo != nil {
		return fmt.Errorf("undo: %w", undo)
	}
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		p.truth, p.err = Failed, pgErr.Message
		return nil
	}
	return err
}

func truthOf(value *bool) Truth {
	switch {
	case value == nil:
		return Null
	case *value:
		return True
	}
	return False
}

// fillPolicies writes what was found.
func (e *explainer) fillPolicies() {
	e.out.Policies = []ExplainedPolicy{}
	for _, p := range e.policies {
		explained := ExplainedPolicy{Name: p.Name, Command: p.Command, Permissive: p.Permissive, Roles: p.Roles, Why: e.why(p)}
		explained.Applies = explained.Why == ""
		for _, s := range steps(e.q.Command) {
			if expression, ok := p.clause(s); ok && explained.Applies {
				explained.Clauses = append(explained.Clauses, Clause{Kind: s.kind, Step: s.label, ClausePart: e.part(expression)})
			}
		}
		e.out.Policies = append(e.out.Policies, explained)
	}
}

// maxTermValues is how many values of a term are shown.
const maxTermValues = 10

func (e *explainer) part(expression string) ClausePart {
	expression = strip(expression)
	p := e.probes[expression]
	part := ClausePart{Expression: strings.Join(strings.Fields(expression), " "), Value: p.truth, Error: p.err}
	operator, parts := splitJunction(expression)
	part.Operator = operator
	for _, inner := range parts {
		part.Parts = append(part.Parts, e.part(inner))
	}
	if len(parts) > 0 {
		return part
	}
	for _, t := range e.terms(expression) {
		if p := e.probes[t.query]; p.err == "" && p.isTerm {
			part.Terms = append(part.Terms, ClauseTerm{
				Expression: t.label, Values: p.values[:min(len(p.values), maxTermValues)], More: len(p.values) > maxTermValues,
			})
		}
	}
	return part
}
