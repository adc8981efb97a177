// Package perf is about how the data of tenants loads, and why as it does: the log of loads with its statistics, whom else a
// failure concerns and since when, plans of statements as somebody's requests run them, indexes, and the statements that cost the
// most. What it tells is for operators: it is of all tenants.
package perf

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
)

//go:embed plan.sql
var planText string

var planQueries = database.ParseQueries(planText)

// Question asks how a statement is run for somebody.
type Question struct {
	// Text is one statement, which ParseStatement takes.
	Text string
	// Args are its parameters, as the server gives them.
	Args []any
	// Caller is whose statement it is; without a user, the role's.
	Caller identity.Caller
	// Tenant is the one they act in, an id or a slug; "" for their default.
	Tenant string
	// Member refuses a caller who is no member of the tenant they act in: policies alone would show them nothing, and
	// not say why.
	Member bool
	// Settings hold for the caller, for databases whose policies read them.
	Settings []postgres.Setting
	// Timeout bounds each run.
	Timeout time.Duration
	// Runs is how often the statement is timed under policies, and as often without.
	Runs int
	// Notices is what the connection gives its notices to; nil leaves functions shut.
	Notices *Notices
}

// Explanation is the answer. Its JSON names are stable.
type Explanation struct {
	Statement string `json:"statement"`
	// Command is select, insert, update, delete or merge.
	Command string        `json:"command"`
	Role    identity.Role `json:"role"`
	Plan    Plan          `json:"plan"`
	// Relations are those the plan reads or writes.
	Relations []Relation `json:"relations"`
	// Policies says whether the plan's conditions could be told apart: which are the statement's, which the policies'.
	Policies   PolicyParts `json:"policies"`
	Inner      Inner       `json:"inner"`
	Comparison Comparison  `json:"comparison"`
	Warnings   []Warning   `json:"warnings"`
}

// Relation is a table of the plan.
type Relation struct {
	Schema string `json:"schema"`
	Name   string `json:"name"`
	// Bound says that policies decide for the caller's role.
	Bound    bool     `json:"bound"`
	Bytes    int64    `json:"bytes"`
	Policies []string `json:"policies"`
	// Leading are the columns that an index begins with, and Quoted the name as SQL takes it.
	Leading []string `json:"-"`
	Quoted  string   `json:"-"`
}

// Full is the relation's name with its schema.
func (r Relation) Full() string { return r.Schema + "." + r.Name }

// Explain answers q on conn, an operator's connection, in one transaction that is rolled back. What the statement
// writes is undone with it; sequences it draws from are not set back.
func Explain(ctx context.Context, conn *pgx.Conn, q Question) (*Explanation, error) {
	command, err := ParseStatement(q.Text)
	if err != nil {
		return nil, err
	}
	tx, err := conn.Begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // nothing was to be kept
	e := &explainer{q: q, tx: tx, out: &Explanation{Statement: q.Text, Command: command, Role: q.Caller.Role, Warnings: []Warning{}}}
	for _, step := range []func(context.Context) error{
		e.findUnbound, e.warmUp, e.lookInside, e.analyze, e.tellPoliciesApart, e.readRelations, e.compare, e.warn,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return e.out, nil
}

// explainer is one explanation in the making; each of its steps knows what those before it found.
type explainer struct {
	q   Question
	tx  pgx.Tx // the operator's
	out *Explanation

	unbound unboundRole
}

// unboundRole is one that no policy binds: set is what role is set to, "" where this login may become none.
type unboundRole struct{ set, name string }

func (e *explainer) findUnbound(ctx context.Context) error {
	err := e.tx.QueryRow(ctx, planQueries.Get("PlanUnbound")).Scan(&e.unbound.set, &e.unbound.name)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("find a role that no policy binds: %w", err)
	}
	return nil
}

// A server's connections have long read the catalog, and parsed the functions and planned their statements: PL/pgSQL
// plans one anew for each of its first five runs. warmFor is how long that is waited for; a run that has begun is ended.
const (
	warmRuns = 6
	warmFor  = 2 * time.Second
)

// warmUp runs a SELECT before anything is measured. A write is not run more often than it must be; looking inside its
// functions comes first.
func (e *explainer) warmUp(ctx context.Context) error {
	if e.out.Command != "select" {
		return nil
	}
	began := time.Now()
	for run := 0; run < warmRuns && time.Since(began) < warmFor; run++ {
		err := e.asCaller(ctx, func(sp pgx.Tx) error {
			_, err := e.explain(ctx, sp, "PlanTime")
			return err
		})
		if err != nil {
			return e.judge(err)
		}
	}
	return nil
}

// analyze runs the statement as the caller and reads its plan.
func (e *explainer) analyze(ctx context.Context) error {
	err := e.asCaller(ctx, func(sp pgx.Tx) error {
		read, err := e.explain(ctx, sp, "PlanAnalyze")
		if err != nil {
			return err
		}
		e.out.Plan = read.plan(len(e.q.Args) > 0)
		return nil
	})
	return e.judge(err)
}

// asCaller runs fn within the caller's identity, and undoes it.
func (e *explainer) asCaller(ctx context.Context, fn func(pgx.Tx) error) error {
	return e.undone(ctx, func(sp pgx.Tx) error {
		if err := e.enter(ctx, sp); err != nil {
			return err
		}
		return fn(sp)
	})
}

// asUnbound runs fn with the caller's identity, in a role that no policy binds, and undoes it.
func (e *explainer) asUnbound(ctx context.Context, fn func(pgx.Tx) error) error {
	return e.asCaller(ctx, func(sp pgx.Tx) error {
		// reset first: the caller's role may not become another
		if _, err := sp.Exec(ctx, planQueries.Get("PlanRole"), "none"); err != nil {
			return fmt.Errorf("leave the caller's role: %w", err)
		}
		if _, err := sp.Exec(ctx, planQueries.Get("PlanRole"), e.unbound.set); err != nil {
			return fmt.Errorf("become %s: %w", e.unbound.name, err)
		}
		return fn(sp)
	})
}

// undone runs fn in a savepoint and rolls back to it: role, identity and settings are the operator's again.
func (e *explainer) undone(ctx context.Context, fn func(pgx.Tx) error) error {
	sp, err := e.tx.Begin(ctx)
	if err != nil {
		return fmt.Errorf("savepoint: %w", err)
	}
	err = fn(sp)
	if undo := sp.Rollback(context.WithoutCancel(ctx)); undo != nil && err == nil {
		return fmt.Errorf("undo: %w", undo)
	}
	return err
}

func (e *explainer) enter(ctx context.Context, sp pgx.Tx) error {
	if err := postgres.Impersonate(ctx, sp, e.q.Caller, e.q.Tenant); err != nil {
		return err
	}
	if _, err := sp.Exec(ctx, planQueries.Get("PlanTimeout"), strconv.FormatInt(e.q.Timeout.Milliseconds(), 10)); err != nil {
		return fmt.Errorf("set timeouts: %w", err)
	}
	if e.q.Member {
		if err := postgres.RequireMember(ctx, sp); err != nil {
			return err
		}
	}
	for _, s := range e.q.Settings {
		if _, err := sp.Exec(ctx, planQueries.Get("PlanSet"), s.Name, s.Value); err != nil {
			return fault.Wrap(err, fault.Invalid, fmt.Sprintf("The setting %s cannot be set.", s.Name), "A setting of one's own has a dot in its name.")
		}
	}
	return nil
}

// explain has the database explain the statement; how names the form of EXPLAIN. It goes as one statement: the
// protocol itself refuses a second.
func (e *explainer) explain(ctx context.Context, sp pgx.Tx, how string) (*rawPlan, error) {
	var text []byte
	prefix := strings.TrimSuffix(planQueries.Get(how), "{statement}")
	args := append([]any{pgx.QueryExecModeExec}, e.q.Args...)
	if err := sp.QueryRow(ctx, prefix+e.q.Text, args...).Scan(&text); err != nil {
		return nil, e.shift(err, len(prefix))
	}
	var plans []rawPlan
	if err := json.Unmarshal(masked(text), &plans); err != nil || len(plans) == 0 {
		return nil, fmt.Errorf("decode plan: %w", err)
	}
	return &plans[0], nil
}

// sealPattern is the end of a sealed identity, also where it was taken apart: the process and the mac.
var sealPattern = regexp.MustCompile(`([.,]\d+[.,])[0-9a-f]{64}`)

// masked is a plan without the seal that the planner may have put in for current_setting: for some seconds it is the
// caller's identity.
func masked(plan []byte) []byte { return sealPattern.ReplaceAll(plan, []byte("${1}…")) }

// shift makes the position that an error of the database names one in the operator's text.
func (e *explainer) shift(err error, by int) error {
	var said *pgconn.PgError
	if errors.As(err, &said) && said.Position > 0 {
		said.Position = max(0, said.Position-int32(by))
	}
	return err
}

// judge makes what the database said of the statement an error for its operator, who wrote it: they may read it.
func (e *explainer) judge(err error) error {
	var said *pgconn.PgError
	if !errors.As(err, &said) || fault.CodeOf(err) != fault.Internal {
		return err
	}
	if own := postgres.OwnFault(said); own != nil {
		return own
	}
	f := fault.Wrap(err, fault.Invalid, sentence(said.Message), said.Hint)
	switch {
	case said.Code == "57014":
		f = fault.Wrap(err, fault.StatementTimeout, fmt.Sprintf("The statement took longer than %s.", e.q.Timeout), "Give it longer with --timeout, or narrow it.")
	case said.Code == "42501":
		f = fault.Wrap(err, fault.PermissionDenied, sentence(said.Message), "That is what the caller meets too: `vital rls matrix` shows what their role may do.")
	case said.Position > 0:
		f.Detail = pointAt(e.q.Text, int(said.Position))
	}
	if f.Hint == "" {
		f.Hint = "It was run as the caller, with the search path of requests: pg_catalog, public."
	}
	return f
}

// pointAt shows where in text, counted in characters from 1, something is.
func pointAt(text string, position int) string {
	runes := []rune(text)
	at := min(max(position-1, 0), len(runes))
	before := string(runes[:at])
	start := strings.LastIndexByte(before, '\n') + 1
	line, _, _ := strings.Cut(text[start:], "\n")
	return fmt.Sprintf("line %d: %s\n%s^", strings.Count(before, "\n")+1, line,
		strings.Repeat(" ", len(fmt.Sprintf("line %d: ", strings.Count(before, "\n")+1))+utf8.RuneCountInString(before[start:])))
}

func sentence(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return strings.ToUpper(string(first)) + strings.TrimSuffix(text[size:], ".") + "."
}

// readRelations reads what the catalog says of the plan's tables.
func (e *explainer) readRelations(ctx context.Context) error {
	seen := map[string]bool{}
	schemas, names := []string{}, []string{}
	e.out.Plan.Root.each(func(n *Node) {
		if n.Relation != "" && !seen[n.Schema+"."+n.Relation] {
			seen[n.Schema+"."+n.Relation] = true
			schemas, names = append(schemas, n.Schema), append(names, n.Relation)
		}
	})
	rows, err := e.tx.Query(ctx, planQueries.Get("PlanRelations"), schemas, names, string(e.q.Caller.Role), e.out.Command)
	if err != nil {
		return fmt.Errorf("read relations: %w", err)
	}
	if e.out.Relations, err = pgx.CollectRows(rows, pgx.RowToStructByName[Relation]); err != nil {
		return fmt.Errorf("read relations: %w", err)
	}
	return nil
}
