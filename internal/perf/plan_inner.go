package perf

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Inner are the statements within functions, which EXPLAIN does not show: auto_explain, loaded for this one
// connection, hands out the plan of each as it ends.
type Inner struct {
	Shown bool `json:"shown"`
	// Why is the reason they are not, or not all.
	Why string `json:"why,omitempty"`
	// Statements are in the order in which they ended first.
	Statements []*InnerStatement `json:"statements"`
}

// InnerStatement is one statement of a function.
type InnerStatement struct {
	// Function is the one whose statement it is, Line the line of its body.
	Function string `json:"function"`
	Line     int    `json:"line,omitempty"`
	Text     string `json:"text"`
	Calls    int    `json:"calls"`
	// TotalMS is that of all calls, with the functions they call themselves, and with what measuring costs.
	TotalMS float64 `json:"total_ms"`
	// Plan is that of the slowest call.
	Plan Plan `json:"plan"`

	slowest float64
}

// Bounds of what is kept of inner statements.
const maxInner = 200

// Notices takes the notices of a connection: its Take is the connection's OnNotice.
type Notices struct {
	on    bool
	found map[string]*InnerStatement
	order []*InnerStatement
	more  bool // than maxInner
}

// Take keeps a notice if it is the plan of a statement within a function.
func (n *Notices) Take(_ *pgconn.PgConn, notice *pgconn.Notice) {
	if !n.on || notice.Where == "" { // without a context it is the statement that was sent
		return
	}
	head, body, isPlan := strings.Cut(notice.Message, "plan:\n")
	if !isPlan || !strings.HasPrefix(head, "duration: ") {
		return
	}
	ms, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(strings.TrimPrefix(head, "duration: ")), " ms"), 64)
	if err != nil {
		return
	}
	var raw rawPlan
	if err := json.Unmarshal(masked([]byte(body)), &raw); err != nil {
		return
	}
	n.keep(notice.Where, ms, raw)
}

func (n *Notices) keep(where string, ms float64, raw rawPlan) {
	function, line := placeOf(where)
	key := fmt.Sprintf("%s\n%d\n%s", function, line, raw.QueryText)
	s := n.found[key]
	if s == nil {
		if len(n.found) == maxInner {
			n.more = true
			return
		}
		s = &InnerStatement{Function: function, Line: line, Text: raw.QueryText, slowest: -1}
		n.found[key] = s
		n.order = append(n.order, s)
	}
	s.Calls++
	s.TotalMS += ms
	if ms > s.slowest {
		raw.ExecutionTime = ms
		s.slowest, s.Plan = ms, raw.plan(true)
	}
}

// placePattern is the innermost function of an error's context: the first line that names one.
var placePattern = regexp.MustCompile(`(?m)^(?:PL/pgSQL function (.+?)(?: line (\d+) at .*| during .*)?|SQL function "(.+?)" (?:statement (\d+)|during .*))$`)

func placeOf(where string) (function string, line int) {
	m := placePattern.FindStringSubmatch(where)
	if m == nil {
		return "", 0
	}
	line, _ = strconv.Atoi(cmp.Or(m[2], m[4])) // nothing of it where it is not said
	return cmp.Or(m[1], m[3]), line
}

// lookInside runs the statement once more, as the caller, with auto_explain on.
func (e *explainer) lookInside(ctx context.Context) error {
	inner := &e.out.Inner
	inner.Statements = []*InnerStatement{}
	if e.q.Notices == nil {
		inner.Why = "not asked for"
		return nil
	}
	err := e.undone(ctx, func(sp pgx.Tx) error {
		why, err := e.turnOn(ctx, sp)
		if err != nil || why != "" {
			inner.Why = why
			return err
		}
		if err := e.enter(ctx, sp); err != nil {
			return err
		}
		n := e.q.Notices
		n.on, n.found, n.order, n.more = true, map[string]*InnerStatement{}, nil, false
		defer func() { n.on = false }()
		args := append([]any{pgx.QueryExecModeExec}, e.q.Args...)
		_, err = sp.Exec(ctx, e.q.Text, args...)
		return err
	})
	if inner.Why != "" {
		return nil
	}
	var said *pgconn.PgError
	switch {
	case errors.As(err, &said) && said.Code == "57014" && ctx.Err() == nil:
		inner.Why = fmt.Sprintf("with every statement of every function measured it took longer than %s: these are those until then", e.q.Timeout)
	case err != nil:
		return e.judge(err)
	case e.q.Notices.more:
		inner.Why = fmt.Sprintf("there are more than %d", maxInner)
	}
	inner.Shown = true
	inner.Statements = append(inner.Statements, e.q.Notices.order...)
	return nil
}

// turnOn loads auto_explain and sets it to hand every plan to this client. why says why it cannot.
func (e *explainer) turnOn(ctx context.Context, sp pgx.Tx) (why string, err error) {
	loaded := func(sp pgx.Tx) error {
		_, err := sp.Exec(ctx, planQueries.Get("PlanInnerLoad"), pgx.QueryExecModeSimpleProtocol)
		return err
	}
	refusal := pgx.BeginFunc(ctx, sp, loaded) // it may be there already, for everybody
	var ready bool
	if err := sp.QueryRow(ctx, planQueries.Get("PlanInnerLoaded")).Scan(&ready); err != nil {
		return "", fmt.Errorf("look for auto_explain: %w", err)
	}
	if ready {
		refusal = pgx.BeginFunc(ctx, sp, func(sp pgx.Tx) error {
			_, err := sp.Exec(ctx, planQueries.Get("PlanInnerOn"))
			return err
		})
	}
	var said *pgconn.PgError
	switch {
	case refusal == nil:
		return "", nil
	case !errors.As(refusal, &said):
		return "", fmt.Errorf("turn on auto_explain: %w", refusal)
	case slices.Contains([]string{"58P01", "42704"}, said.Code):
		return "PostgreSQL's module auto_explain is not installed on the server", nil
	}
	return fmt.Sprintf("PostgreSQL's module auto_explain, which shows them, takes a superuser: %s", said.Message), nil
}
