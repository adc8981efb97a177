package isolation

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
)

//go:embed mutate.sql
var mutateText string

var mutateQueries = database.ParseQueries(mutateText)

// Mutant is a change that opens the database a little, and what noticed it.
type Mutant struct {
	Kind     string `json:"kind"`
	Object   string `json:"object"` // the relation or function it is about, "" for none
	Name     string `json:"name"`
	DDL      string `json:"ddl"`
	KilledBy string `json:"killed_by"` // attack, right or lint; "" where it survived
	Evidence string `json:"evidence,omitempty"`
}

// Mutation is what became of all mutants of a database.
type Mutation struct {
	Mutants []Mutant `json:"mutants"`
	Failed  []Mutant `json:"failed"` // those that could not be made, with why
	Seconds float64  `json:"seconds"`
}

// Survivors are the mutants that nothing noticed: gaps in the suite.
func (m *Mutation) Survivors() []Mutant {
	var alive []Mutant
	for _, mutant := range m.Mutants {
		if mutant.KilledBy == "" {
			alive = append(alive, mutant)
		}
	}
	return alive
}

// Mutate changes the database behind conn, a copy that nobody else uses, in one way after the other, and
// asks each time whether the suite notices. Everything is rolled back. sample says which of the ways are tried, nil all;
// progress is told how far it is.
func Mutate(ctx context.Context, conn *pgx.Conn, subject *Subject, sample func(Mutant) bool, progress func(done, total int)) (_ *Mutation, err error) {
	started := time.Now()
	if _, err := subject.Describe(ctx, conn); err != nil {
		return nil, err
	}
	scope, err := FindScope(ctx, conn, Scope{})
	if err != nil {
		return nil, err
	}
	attacks, err := LoadAttacks(database.Attacks)
	if err != nil {
		return nil, err
	}
	t := &suite{conn: conn, s: subject, attacks: attacks, proof: newProof(subject), whileRunning: func(string) {}, stopAtLeak: true}
	if err := t.begin(ctx); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.end(ctx)) }()
	m := &mutator{suite: t, scope: scope, result: &Mutation{}}
	if err := m.measure(ctx); err != nil {
		return nil, err
	}
	mutants, err := m.all(ctx)
	if err != nil {
		return nil, err
	}
	if sample != nil {
		mutants = slices.DeleteFunc(mutants, func(mutant Mutant) bool { return !sample(mutant) })
	}
	for i, mutant := range mutants {
		progress(i, len(mutants))
		if err := m.try(ctx, mutant); err != nil {
			return nil, fmt.Errorf("mutant %s, %s: %w", mutant.Kind, mutant.Name, err)
		}
	}
	progress(len(mutants), len(mutants))
	m.result.Seconds = time.Since(started).Seconds()
	return m.result, nil
}

// mutator holds what the suite says of the database as it is.
type mutator struct {
	*suite
	scope    Scope
	rightsOf map[string][]Right // by object
	findings map[string]bool
	known    map[string]bool // leaks there were before
	result   *Mutation
}

// measure learns the rights, leaks and findings of the database before anything is changed.
func (m *mutator) measure(ctx context.Context) error {
	m.rightsOf, m.findings, m.known = map[string][]Right{}, map[string]bool{}, map[string]bool{}
	rights, err := m.allRights(ctx, "")
	if err != nil {
		return err
	}
	for _, r := range rights {
		m.rightsOf[r.Object] = append(m.rightsOf[r.Object], r)
	}
	found, err := m.lint(ctx)
	if err != nil {
		return err
	}
	for _, f := range found {
		m.findings[f.Check+" "+f.Object+" "+f.Detail] = true
	}
	return nil
}

func (m *mutator) lint(ctx context.Context) ([]Finding, error) {
	// Attacks deallocate what they prepared, and with it what the connection keeps for itself.
	if err := m.conn.DeallocateAll(ctx); err != nil {
		return nil, fmt.Errorf("forget prepared statements: %w", err)
	}
	return Check(ctx, m.conn, m.scope)
}

// all are the mutants of this database.
func (m *mutator) all(ctx context.Context) ([]Mutant, error) {
	roles := slices.DeleteFunc([]string{m.s.Roles.Anonymous, m.s.Roles.SignedIn}, func(role string) bool { return role == "" })
	var all []Mutant
	for _, q := range []struct {
		name string
		args []any
	}{
		{"PolicyMutants", []any{m.s.Schemas}}, {"TableMutants", []any{m.s.Schemas}}, {"GrantMutants", []any{m.s.Schemas, roles}}, {"ExecuteMutants", []any{roles}},
	} {
		rows, err := m.conn.Query(ctx, mutateQueries.Get(q.name), q.args...)
		if err != nil {
			return nil, fmt.Errorf("find mutants (%s): %w", q.name, err)
		}
		var mutant Mutant
		if _, err := pgx.ForEachRow(rows, []any{&mutant.Kind, &mutant.Object, &mutant.Name, &mutant.DDL}, func() error {
			all = append(all, mutant)
			return nil
		}); err != nil {
			return nil, fmt.Errorf("find mutants (%s): %w", q.name, err)
		}
	}
	helpers, err := m.weakenedHelpers(ctx)
	if err != nil {
		return nil, err
	}
	schema, err := m.schemaMutants(ctx)
	return slices.Concat(all, helpers, schema), err
}

const helperWeakened = "helper weakened"

// weakenedHelpers replace each function that decides by one that answers for the other tenant.
func (m *mutator) weakenedHelpers(ctx context.Context) ([]Mutant, error) {
	rows, err := m.conn.Query(ctx, mutateQueries.Get("WeakenedHelpers"))
	if err != nil {
		return nil, fmt.Errorf("find helpers: %w", err)
	}
	var mutants []Mutant
	var oid uint32
	var schema, name, arguments, result string
	_, err = pgx.ForEachRow(rows, []any{&oid, &schema, &name, &arguments, &result}, func() error {
		body := m.weakBody(name, result)
		if body == "" {
			return nil
		}
		quoted := pgx.Identifier{schema, name}.Sanitize()
		mutants = append(mutants, Mutant{
			Kind: helperWeakened, Name: schema + "." + name + " answers for the other tenant",
			DDL: "create or replace function " + quoted + "(" + arguments + ") returns " + result +
				" language sql security definer set search_path = pg_catalog, pg_temp as " + literal(body),
		})
		return nil
	})
	return mutants, err
}

// weakBody is a body of a function returning result that lets more through, or "".
func (m *mutator) weakBody(name, result string) string {
	tenant, user := literal(m.other.tenant)+"::uuid", literal(m.other.user)+"::uuid"
	aboutUser := strings.Contains(name, "user_id") || strings.Contains(name, "colleague")
	switch {
	case result == "boolean":
		return "select true"
	case result == "void":
		return "select"
	case result == "uuid" && strings.Contains(name, "floor"):
		return "select '00000000-0000-0000-0000-000000000000'::uuid"
	case result == "uuid" && aboutUser, result == "SETOF uuid" && aboutUser:
		return "select " + user
	case result == "uuid", result == "SETOF uuid":
		return "select " + tenant
	case result == "vital.membership":
		return "select row(" + tenant + ", " + user + ", 'owner', true, 'active')::vital.membership"
	case result == "vital.caller":
		return "select row(" + user + ", " + tenant + ", 'authenticated', null)::vital.caller"
	}
	return ""
}

// schemaMutants add what somebody might add tomorrow.
func (m *mutator) schemaMutants(ctx context.Context) ([]Mutant, error) {
	fill := fills{"signed_in": identifier(m.s.Roles.SignedIn)}
	for _, r := range m.c.relations {
		name := m.s.tenantColumn(r)
		if r.kind != "r" || !m.s.exposes(r) || name == "" || m.other.rows[r] == nil || m.s.isTable(m.s.Tenants, r) || m.s.isTable(m.s.Users, r) {
			continue
		}
		if column := m.textColumn(r); column != "" && fill["some_table"] == "" {
			fill["some_table"], fill["some_column"] = r.quoted(), identifier(column)
		}
		if len(r.keys) > 0 && !slices.Contains(r.keys[0], name) && r.column(name).notNull {
			fill["some_child"], fill["tenant_column"] = r.quoted(), identifier(name)
		}
	}
	rows, err := m.conn.Query(ctx, mutateQueries.Get("SchemaMutants"))
	if err != nil {
		return nil, fmt.Errorf("find mutants: %w", err)
	}
	var mutants []Mutant
	var mutant Mutant
	_, err = pgx.ForEachRow(rows, []any{&mutant.Kind, &mutant.Object, &mutant.Name, &mutant.DDL}, func() error {
		if ddl, applies := fill.render(mutant.DDL); applies {
			mutant.DDL = ddl
			mutants = append(mutants, mutant)
		}
		return nil
	})
	return mutants, err
}

// try makes one mutant, asks the suite, and takes it back.
func (m *mutator) try(ctx context.Context, mutant Mutant) error {
	if _, err := m.exec(ctx, "savepoint mutant"); err != nil {
		return err
	}
	_, err := m.exec(ctx, mutant.DDL)
	if err != nil {
		mutant.Evidence = refusal(err)
		m.result.Failed = append(m.result.Failed, mutant)
	} else {
		if mutant.KilledBy, mutant.Evidence, err = m.kill(ctx, mutant); err != nil {
			return err
		}
		m.result.Mutants = append(m.result.Mutants, mutant)
	}
	_, err = m.exec(context.WithoutCancel(ctx), "rollback to savepoint mutant; release savepoint mutant")
	return err
}

// kill asks first where the mutant is, then everywhere, and last the lints.
func (m *mutator) kill(ctx context.Context, mutant Mutant) (by, evidence string, err error) {
	attack := func(object string) func() (string, string, error) {
		return func() (string, string, error) { return m.byAttack(ctx, object) }
	}
	right := func() (string, string, error) { return m.byRight(ctx, mutant.Object) }
	lint := func() (string, string, error) { return m.byLint(ctx) }
	looks := []func() (string, string, error){attack(mutant.Object), right, lint}
	switch {
	case strings.HasSuffix(mutant.Kind, "granted") || strings.HasSuffix(mutant.Kind, "widened") || strings.HasSuffix(mutant.Kind, "dropped"):
		looks = []func() (string, string, error){right, attack(mutant.Object), lint, attack("")} // the quickest first
	case mutant.Object == "" && mutant.Kind != helperWeakened: // a whole round of attacks takes longest
		looks = []func() (string, string, error){lint, right, attack("")}
	case mutant.Object != "":
		looks = append(looks, attack(""))
	}
	for _, look := range looks {
		if by, evidence, err = look(); err != nil || by != "" {
			return by, evidence, err
		}
	}
	return "", "", nil
}

func (m *mutator) byAttack(ctx context.Context, object string) (by, evidence string, err error) {
	m.only, m.proof = object, newProof(m.s)
	if err := m.attackAll(ctx); err != nil {
		return "", "", err
	}
	for _, r := range m.proof.Results {
		if r.Outcome == Leaked && !m.known[r.Attack+r.Object+r.Caller] {
			return "attack", fmt.Sprintf("%s on %s as %s: %s", r.Attack, r.Object, r.Caller, r.Evidence), nil
		}
	}
	return "", "", nil
}

func (m *mutator) byRight(ctx context.Context, object string) (by, evidence string, err error) {
	found, err := m.allRights(ctx, object)
	if err != nil {
		return "", "", err
	}
	expected := m.rightsOf[object]
	if object == "" {
		for _, rights := range m.rightsOf {
			expected = append(expected, rights...)
		}
	}
	if different := compareRights(expected, found); len(different) > 0 {
		return "right", different[0], nil
	}
	return "", "", nil
}

func (m *mutator) byLint(ctx context.Context) (by, evidence string, err error) {
	found, err := m.lint(ctx)
	if err != nil {
		return "", "", err
	}
	for _, f := range found {
		if !m.findings[f.Check+" "+f.Object+" "+f.Detail] && f.Level == Error {
			return "lint", f.Check + ": " + f.Object + ": " + f.Detail, nil
		}
	}
	return "", "", nil
}
