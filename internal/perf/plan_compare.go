package perf

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Comparison is the statement's time under policies against that without: the same text, values and identity, in
// turns, in one transaction that may only read. The rows differ where policies keep some back, and different rows are
// different work: what they are is said beside the times.
type Comparison struct {
	Made bool `json:"made"`
	// Why is the reason it was not made.
	Why string `json:"why,omitempty"`
	// As is the role that no policy binds.
	As      string `json:"as,omitempty"`
	Runs    int    `json:"runs,omitempty"`
	With    *Side  `json:"with,omitempty"`
	Without *Side  `json:"without,omitempty"`
	// Ratio is With's planning and execution over Without's.
	Ratio float64 `json:"ratio,omitempty"`
}

// Side is one side of a comparison: medians of its runs.
type Side struct {
	PlanningMS  float64 `json:"planning_ms"`
	ExecutionMS float64 `json:"execution_ms"`
	TotalMS     float64 `json:"total_ms"`
	Rows        float64 `json:"rows"`
}

// compareFor is how long turns go on for; a turn that has begun is ended.
const compareFor = 10 * time.Second

// compare times the statement with and without policies. A write is not run without: it would change, and lock until
// it is undone, the rows of every tenant.
func (e *explainer) compare(ctx context.Context) error {
	c := &e.out.Comparison
	switch {
	case e.out.Command != "select":
		c.Why = "without policies it would write, and lock, rows of other tenants"
		return nil
	case e.unbound.set == "":
		c.Why = e.out.Policies.Why
		return nil
	case e.q.Runs < 1:
		c.Why = "not asked for"
		return nil
	}
	c.As = e.unbound.name
	var with, without []Side
	for began := time.Now(); c.Runs < e.q.Runs && (c.Runs == 0 || time.Since(began) < compareFor); c.Runs++ {
		bound, err := e.timed(ctx, e.asCaller)
		if err != nil {
			return e.notCompared(ctx, err, "as the caller")
		}
		free, err := e.timed(ctx, e.asUnbound)
		if err != nil {
			return e.notCompared(ctx, err, "without policies")
		}
		with, without = append(with, bound), append(without, free)
	}
	one, other := medians(with), medians(without)
	c.Made, c.With, c.Without = true, &one, &other
	if other.TotalMS > 0 {
		c.Ratio = one.TotalMS / other.TotalMS
	}
	return nil
}

// timed runs the statement once, without the clock in every step, which would cost what is to be measured.
func (e *explainer) timed(ctx context.Context, as func(context.Context, func(pgx.Tx) error) error) (s Side, err error) {
	err = as(ctx, func(sp pgx.Tx) error {
		if _, err := sp.Exec(ctx, planQueries.Get("PlanReadOnly")); err != nil {
			return fmt.Errorf("forbid writing: %w", err)
		}
		raw, err := e.explain(ctx, sp, "PlanTime")
		if err == nil {
			s = Side{raw.PlanningTime, raw.ExecutionTime, raw.PlanningTime + raw.ExecutionTime, raw.Plan.ActualRows}
		}
		return err
	})
	return s, err
}

// notCompared says why a comparison was given up. The plan stands without it.
func (e *explainer) notCompared(ctx context.Context, err error, how string) error {
	var said *pgconn.PgError
	if !errors.As(err, &said) || ctx.Err() != nil {
		return fmt.Errorf("compare: %w", err)
	}
	e.out.Comparison = Comparison{As: e.unbound.name, Why: fmt.Sprintf("%s it fails: %s", how, said.Message)}
	switch said.Code {
	case "25006":
		e.out.Comparison.Why = "it writes, or locks rows, and without policies those would be of other tenants too"
	case "57014":
		e.out.Comparison.Why = fmt.Sprintf("%s it takes longer than %s", how, e.q.Timeout)
	}
	return nil
}

func medians(sides []Side) Side {
	median := func(of func(Side) float64) float64 {
		values := make([]float64, len(sides))
		for i, s := range sides {
			values[i] = of(s)
		}
		slices.Sort(values)
		middle := len(values) / 2
		if len(values)%2 == 1 {
			return values[middle]
		}
		return (values[middle-1] + values[middle]) / 2
	}
	return Side{
		PlanningMS:  median(func(s Side) float64 { return s.PlanningMS }),
		ExecutionMS: median(func(s Side) float64 { return s.ExecutionMS }),
		TotalMS:     median(func(s Side) float64 { return s.TotalMS }),
		Rows:        median(func(s Side) float64 { return s.Rows }),
	}
}
