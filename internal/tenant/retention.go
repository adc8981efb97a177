package tenant

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
)

//go:embed retention.sql
var retentionText string

var retentionQueries = database.ParseQueries(retentionText)

// RetentionRule says how long rows of a table are kept.
type RetentionRule struct {
	Tenant    *string   `json:"tenant"` // nil for all that have none of their own
	Schema    string    `json:"schema"`
	Table     string    `json:"table"`
	AgeColumn string    `json:"age_column"`
	Keep      string    `json:"keep"`
	Reason    string    `json:"reason"`
	SetBy     string    `json:"set_by"`
	SetAt     time.Time `json:"set_at"`
}

// RetentionRules returns the rules, of one tenant and of all where it is named.
func RetentionRules(ctx context.Context, tx pgx.Tx, tenantID *uuid.UUID) ([]RetentionRule, error) {
	rows, err := tx.Query(ctx, retentionQueries.Get("RetentionRules"), tenantID)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[RetentionRule])
}

// SetRetention says how long rows of a table are kept, of one tenant or of all.
func SetRetention(ctx context.Context, tx pgx.Tx, tenantID *uuid.UUID, rule RetentionRule) error {
	_, err := tx.Exec(ctx, retentionQueries.Get("RetentionSet"), tenantID, rule.Schema, rule.Table, rule.AgeColumn, rule.Keep, rule.Reason)
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && strings.HasPrefix(pgErr.Code, "22") {
		return fault.Wrap(err, fault.Invalid, fmt.Sprintf("%q is no length of time.", rule.Keep), "Give it as 90 days, 18 months or 6 years.")
	}
	return err
}

// RemoveRetention takes a rule back. Errors: NotFound where there is none.
func RemoveRetention(ctx context.Context, tx pgx.Tx, tenantID *uuid.UUID, schema, table, reason string) error {
	var removed bool
	err := tx.QueryRow(ctx, retentionQueries.Get("RetentionRemove"), tenantID, schema, table, reason).Scan(&removed)
	if err == nil && !removed {
		return fault.New(fault.NotFound, fmt.Sprintf("There is no such rule of %s.%s.", schema, table), "See `vital retention list`; a tenant's own rule is named with --tenant.")
	}
	return err
}

// retentionStep is whose rows of a table may go, by which rule, and how old they must be.
type retentionStep struct {
	rule                        uuid.UUID
	schema, table, tenantColumn string
	key                         []string
	ageColumn, ageType          string
	tenant                      *uuid.UUID
	except                      []string
	before                      time.Time
	reason, problem             string
}

func (s retentionStep) name() string  { return s.schema + "." + s.table }
func (s retentionStep) isAudit() bool { return s.name() == "public.organization_audit_log" }

// same says that o is the step s was, as it stands by now.
func (s retentionStep) same(o retentionStep) bool {
	return s.rule == o.rule && (s.tenant == nil) == (o.tenant == nil) && (s.tenant == nil || *s.tenant == *o.tenant)
}

func retentionPlan(ctx context.Context, tx pgx.Tx, rule *uuid.UUID) ([]retentionStep, error) {
	rows, err := tx.Query(ctx, retentionQueries.Get("RetentionPlan"), rule)
	if err != nil {
		return nil, fmt.Errorf("plan retention: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (s retentionStep, err error) {
		err = row.Scan(&s.rule, &s.schema, &s.table, &s.tenantColumn, &s.key, &s.ageColumn, &s.ageType, &s.tenant, &s.except, &s.before, &s.reason, &s.problem)
		return s, err
	})
}

// fill writes the step's table and columns into a query.
func (s retentionStep) fill(query string) string {
	quote := func(name string) string { return pgx.Identifier{name}.Sanitize() }
	doomed, same := make([]string, len(s.key)), make([]string, len(s.key))
	for i, column := range s.key {
		doomed[i], same[i] = "t."+quote(column), "t."+quote(column)+" = d."+quote(column)
	}
	before := map[string]string{
		"timestamp with time zone": "$1::timestamptz", "timestamp without time zone": "($1::timestamptz at time zone 'UTC')", "date": "($1::timestamptz at time zone 'UTC')::date",
	}[s.ageType]
	tenant := "t." + quote(s.tenantColumn)
	whose := tenant + " = $2::uuid and $3::text[] is not null"
	if s.tenant == nil {
		whose = "$2::uuid is null and " + tenant + " <> all ($3::text[]::uuid[])"
	}
	return strings.NewReplacer("{table}", pgx.Identifier{s.schema, s.table}.Sanitize(), "{tenant_column}", quote(s.tenantColumn), "{age_column}", quote(s.ageColumn),
		"{doomed}", strings.Join(doomed, ", "), "{same}", strings.Join(same, " and "), "{before}", before, "{whose}", whose).Replace(retentionQueries.Get(query))
}

// Retained is what a rule let go, or would, of one tenant.
type Retained struct {
	Table  string    `json:"table"`
	Tenant uuid.UUID `json:"tenant_id"`
	Rows   int64     `json:"rows"`
	Before time.Time `json:"older_than"`
	// Problem says why a rule could not be followed; there is no tenant then, nor are there rows.
	Problem string `json:"problem,omitempty"`
}

// RetentionProblem is the error of what could not be done, nil where all was. Errors: StateConflict.
func RetentionProblem(gone []Retained) error {
	problems := 0
	for _, g := range gone {
		if g.Problem != "" {
			problems++
		}
	}
	if problems == 0 {
		return nil
	}
	return fault.New(fault.StateConflict, fmt.Sprintf("Rules that could not be followed: %d.", problems), "Mend what stands beside each, or take it back with `vital retention remove`.")
}

// PreviewRetention says what the rules would let go now, those of one table where it is named.
func PreviewRetention(ctx context.Context, tx pgx.Tx, table string) ([]Retained, error) {
	steps, err := retentionPlan(ctx, tx, nil)
	if err != nil {
		return nil, err
	}
	found := []Retained{}
	for _, s := range steps {
		if table != "" && s.name() != table {
			continue
		}
		if s.problem != "" {
			found = append(found, Retained{Table: s.name(), Before: s.before, Problem: s.problem})
			continue
		}
		query := retentionQueries.Get("RetentionAuditCount")
		if !s.isAudit() {
			query = s.fill("RetentionCount")
		}
		rows, err := tx.Query(ctx, query, s.before, s.tenant, s.except)
		if err != nil {
			return nil, fmt.Errorf("count rows of %s: %w", s.name(), err)
		}
		counted, err := s.collect(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, counted...)
	}
	return found, nil
}

func (s retentionStep) collect(rows pgx.Rows) ([]Retained, error) {
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Retained, error) {
		r := Retained{Table: s.name(), Before: s.before}
		return r, row.Scan(&r.Tenant, &r.Rows)
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.name(), err)
	}
	return found, nil
}

// Retention lets rows go.
type Retention struct {
	Service *postgres.Service
	// Batch is how many rows one transaction lets go, AuditBatch how many entries of an audit log it erases: each is a new entry of its chain.
	// Default to 5000 and 500.
	Batch, AuditBatch int
	// Progress is told of each batch. Defaults to nothing.
	Progress func(Retained)
}

// Run lets go what the rules have go, in short transactions, one batch of each rule after the other so that none holds up the others, and returns what
// went, by table and tenant. Each transaction looks at the rules and holds anew, and tells each tenant's audit log how many of their rows went in it.
// A rule that cannot be followed is told of, and the others go on.
func (r Retention) Run(ctx context.Context) ([]Retained, error) {
	if r.Batch == 0 {
		r.Batch = 5000
	}
	if r.AuditBatch == 0 {
		r.AuditBatch = 500
	}
	if r.Progress == nil {
		r.Progress = func(Retained) {}
	}
	var open []retentionStep
	err := r.Service.AsService(ctx, "RetentionPlan", func(tx pgx.Tx) (err error) {
		open, err = retentionPlan(ctx, tx, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	total := tally{}
	for len(open) > 0 {
		var again []retentionStep
		for _, s := range open {
			more, gone, err := r.batch(ctx, s)
			if ctx.Err() != nil {
				return total.all, ctx.Err()
			}
			if err != nil {
				gone, more = []Retained{{Table: s.name(), Before: s.before, Problem: problemOf(err)}}, false
			}
			for _, g := range gone {
				total.add(g)
				r.Progress(g)
			}
			if more {
				again = append(again, s)
			}
		}
		open = again
	}
	return total.all, nil
}

// tally adds up what went, by table and tenant.
type tally struct{ all []Retained }

func (t *tally) add(g Retained) {
	for i, known := range t.all {
		if known.Table == g.Table && known.Tenant == g.Tenant && known.Problem == g.Problem {
			t.all[i].Rows += g.Rows
			return
		}
	}
	t.all = append(t.all, g)
}
