package isolation

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
)

//go:embed explain.sql
var explainText string

var explainQueries = database.ParseQueries(explainText)

// Commands are those a policy decides about.
var Commands = []string{"select", "insert", "update", "delete"}

// Question asks why somebody may or may not run a command on a row.
type Question struct {
	// Table is a table's name, with its schema where it is not in public.
	Table string
	// Row is a value of the key's column, or column=value,column=value.
	Row string
	// Command is one of Commands. An insert is that of this very row.
	Command string
	// Caller is who asks; without a user, the role alone.
	Caller identity.Caller
	// Tenant is the one they act in, zero for their default.
	Tenant uuid.UUID
	// Settings hold for the caller, for databases whose policies read them.
	Settings []postgres.Setting
}

// Explanation is the answer. Its JSON names are stable.
type Explanation struct {
	Table       string            `json:"table"`
	Key         []KeyValue        `json:"key"`
	RowTenant   *RowTenant        `json:"row_tenant,omitempty"`
	Command     string            `json:"command"`
	Caller      ExplainedCaller   `json:"caller"`
	Privilege   Privilege         `json:"privilege"`
	RowSecurity RowSecurity       `json:"row_security"`
	Policies    []ExplainedPolicy `json:"policies"`
	Verdict     Verdict           `json:"verdict"`
	Trial       Trial             `json:"trial"`
}

// KeyValue is a column that identifies the row.
type KeyValue struct {
	Column string `json:"column"`
	Value  string `json:"value"`
}

// RowTenant is the tenant a row belongs to, where its table says so.
type RowTenant struct {
	ID             string `json:"id"`
	Slug           string `json:"slug"`
	CallerIsMember bool   `json:"caller_is_member"`
}

// ExplainedCaller is who asks. What concerns tenants is read from VITAL's own tables.
type ExplainedCaller struct {
	Role       identity.Role      `json:"role"`
	UserID     *uuid.UUID         `json:"user_id,omitempty"`
	Email      string             `json:"email,omitempty"`
	SuperAdmin bool               `json:"super_admin"`
	Tenant     *ActingTenant      `json:"tenant,omitempty"`
	Settings   []postgres.Setting `json:"settings,omitempty"`
}

// ActingTenant is the tenant somebody acts in and what they are there; Role is empty without a membership.
type ActingTenant struct {
	ID     uuid.UUID `json:"id"`
	Slug   string    `json:"slug"`
	State  string    `json:"state"`
	Role   string    `json:"role"`
	Status string    `json:"status"`
}

// Privilege is what GRANT says about the command, before any policy is asked.
type Privilege struct {
	Granted bool `json:"granted"`
	// Missing says what is not granted, if Granted is not.
	Missing string `json:"missing,omitempty"`
	// Columns are those the command may name; null where it may name all of them, or none is named.
	Columns []string `json:"columns,omitempty"`
}

// RowSecurity says whether policies are asked at all.
type RowSecurity struct {
	Enabled bool `json:"enabled"`
	Forced  bool `json:"forced"`
	Applies bool `json:"applies"`
	// Why is the reason they are not.
	Why string `json:"why,omitempty"`
}

// ExplainedPolicy is one policy of the table.
type ExplainedPolicy struct {
	Name       string   `json:"name"`
	Command    string   `json:"command"`
	Permissive bool     `json:"permissive"`
	Roles      []string `json:"roles"`
	Applies    bool     `json:"applies"`
	// Why is the reason it does not.
	Why     string   `json:"why,omitempty"`
	Clauses []Clause `json:"clauses,omitempty"`
}

// Clause is USING or WITH CHECK of a policy as it is asked here.
type Clause struct {
	// Kind is using or with check.
	Kind string `json:"kind"`
	// Step is what it decides: reading the row, or the command itself.
	Step string `json:"step"`
	ClausePart
}

// ClausePart is an expression, or a part of one that AND or OR joins, and what it is for this caller and row.
type ClausePart struct {
	Expression string       `json:"expression"`
	Value      Truth        `json:"value"`
	Error      string       `json:"error,omitempty"`
	Operator   string       `json:"operator,omitempty"` // and, or: what joins Parts
	Parts      []ClausePart `json:"parts,omitempty"`
	Terms      []ClauseTerm `json:"terms,omitempty"`
}

// ClauseTerm is a column, a function's answer or a subquery in an expression, and its values.
type ClauseTerm struct {
	Expression string    `json:"expression"`
	Values     []*string `json:"values"`
	// More says that there are further values.
	More bool `json:"more,omitempty"`
}

// Truth is the value of a condition.
type Truth string

// The values. Null refuses like False; Unknown could not be found out on its own.
const (
	True    Truth = "true"
	False   Truth = "false"
	Null    Truth = "null"
	Failed  Truth = "error"
	Unknown Truth = "unknown"
)

// Explain answers q on conn, an operator's connection, in one transaction that is rolled back.
func Explain(ctx context.Context, conn *pgx.Conn, q Question) (*Explanation, error) {
	if !slices.Contains(Commands, q.Command) {
		return nil, fault.New(fault.Usage, fmt.Sprintf("There is no command %q.", q.Command), "It is one of "+strings.Join(Commands, ", ")+".")
	}
	tx, err := conn.Begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // nothing was to be kept
	e := &explainer{q: q, tx: tx, probes: map[string]*probe{}, out: &Explanation{Command: q.Command}}
	for _, step := range []func(context.Context) error{
		e.beOperator, e.findRelation, e.readRole, e.readColumns, e.findRow, e.readAccess, e.readPolicies, e.readStanding, e.makeProbes, e.askAsCaller,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	e.fillPolicies()
	e.conclude()
	return e.out, nil
}

// explainer is one explanation in the making; each of its steps knows what those before it found.
type explainer struct {
	q      Question
	tx     pgx.Tx // the operator's
	sealed bool   // the database verifies VITAL's identities

	relation relationOf
	columns  []columnOf
	row      string // as the row type writes it
	tenant   string // the row's

	superuser, bypasses, owner bool
	policies                   []policyOf
	probes                     map[string]*probe
	out                        *Explanation
}

func (e *explainer) beOperator(ctx context.Context) error {
	if _, err := e.tx.Exec(ctx, explainQueries.Get("ExplainOperator")); err != nil {
		return fmt.Errorf("set up the transaction: %w", err)
	}
	var err error
	e.sealed, err = postgres.VerifiesIdentity(ctx, e.tx)
	return err
}

// readRole reads what the caller's role is in the cluster.
func (e *explainer) readRole(ctx context.Context) error {
	rows, err := e.tx.Query(ctx, explainQueries.Get("ExplainRole"), string(e.q.Caller.Role))
	if err != nil {
		return fmt.Errorf("read role: %w", err)
	}
	found := false
	_, err = pgx.ForEachRow(rows, []any{&e.superuser, &e.bypasses}, func() error { found = true; return nil })
	if err == nil && !found {
		return fault.New(fault.NotFound, fmt.Sprintf("There is no role %s in this database.", e.q.Caller.Role), "Name one with --role.")
	}
	return err
}

// readAccess reads what is granted and whether policies are asked.
func (e *explainer) readAccess(ctx context.Context) error {
	var usage, table bool
	err := e.tx.QueryRow(ctx, explainQueries.Get("ExplainAccess"), e.relation.oid, string(e.q.Caller.Role), e.q.Command).
		Scan(&usage, &table, &e.owner, &e.out.Trial.Triggers)
	if err != nil {
		return fmt.Errorf("read privileges: %w", err)
	}
	e.out.Privilege = e.privilege(usage, table)
	e.out.RowSecurity = e.rowSecurity()
	return nil
}

// privilege compares what is granted with what the command takes: reading the key to find the row, and the
// columns it names. An insert names all there are: it is that of this very row.
func (e *explainer) privilege(usage, table bool) Privilege {
	role := e.q.Caller.Role
	missing := func(format string, args ...any) Privilege { return Privilege{Missing: fmt.Sprintf(format, args...)} }
	var granted, refused []string
	for _, c := range e.columns {
		switch may := c.may(e.q.Command); {
		case c.Generated && e.q.Command != "select":
		case may:
			granted = append(granted, c.Name)
		default:
			refused = append(refused, c.Name)
		}
	}
	upper := strings.ToUpper(e.q.Command)
	switch {
	case !usage:
		return missing("%s has no USAGE on schema %s", role, e.relation.schema)
	case e.q.Command == "delete" && !table:
		return missing("%s has no DELETE on %s", role, e.out.Table)
	case e.q.Command != "delete" && !table && len(granted) == 0:
		return missing("%s has no %s on %s, nor on any column of it", role, upper, e.out.Table)
	case e.q.Command == "insert" && len(refused) > 0:
		return missing("%s has no INSERT on the columns %s of %s", role, strings.Join(refused, ", "), e.out.Table)
	}
	if e.q.Command != "insert" {
		for _, k := range e.out.Key {
			if c := e.column(k.Column); c != nil && !c.Selects {
				return missing("%s has no SELECT on %s of %s, which finding the row takes", role, c.Name, e.out.Table)
			}
		}
	}
	p := Privilege{Granted: true}
	if len(refused) > 0 && e.q.Command != "delete" {
		p.Columns = granted
	}
	return p
}

func (e *explainer) rowSecurity() RowSecurity {
	r := RowSecurity{Enabled: e.relation.enabled, Forced: e.relation.forced}
	switch role := e.q.Caller.Role; {
	case !r.Enabled:
		r.Why = "row-level security is not enabled on " + e.out.Table
	case e.superuser:
		r.Why = fmt.Sprintf("%s is a superuser", role)
	case e.bypasses:
		r.Why = fmt.Sprintf("%s has BYPASSRLS", role)
	case e.owner && !r.Forced:
		r.Why = fmt.Sprintf("%s owns %s, and row-level security is not forced on it", role, e.out.Table)
	default:
		r.Applies = true
	}
	return r
}

// readStanding reads who the caller is to the tenants: in the one they act in, and in the row's.
func (e *explainer) readStanding(ctx context.Context) error {
	caller := &e.out.Caller
	caller.Role, caller.Settings = e.q.Caller.Role, e.q.Settings
	user := e.q.Caller.UserID
	if user != uuid.Nil {
		caller.UserID = &user
	}
	if !e.sealed {
		return nil
	}
	if user != uuid.Nil {
		var named, acting *uuid.UUID
		if e.q.Tenant != uuid.Nil {
			named = &e.q.Tenant
		}
		var in ActingTenant
		err := e.tx.QueryRow(ctx, explainQueries.Get("ExplainStanding"), user, named).
			Scan(&caller.Email, &acting, &in.Slug, &in.State, &in.Role, &in.Status, &caller.SuperAdmin)
		if err != nil {
			return fmt.Errorf("read standing: %w", err)
		}
		if acting != nil {
			in.ID = *acting
			caller.Tenant = &in
		}
	}
	if e.tenant == "" {
		return nil
	}
	of := RowTenant{ID: e.tenant}
	rows, err := e.tx.Query(ctx, explainQueries.Get("ExplainTenant"), e.tenant, user)
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&of.Slug, &of.CallerIsMember}, func() error { return nil })
	}
	if err != nil {
		return fmt.Errorf("read the row's tenant: %w", err)
	}
	e.out.RowTenant = &of
	return nil
}
