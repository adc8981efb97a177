// Package consistency finds data of tenants that does not fit together, and repairs it. The checks and repairs are functions of the
// database (check_data_consistency, vital.plan_repair); this package asks for them and knows which repairs there are.
package consistency

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
)

//go:embed consistency.sql
var queryText string

var queries = database.ParseQueries(queryText)

// Querier is a connection or transaction of an operator, or of service_role.
type Querier interface {
	Query(ctx context.Context, text string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, text string, args ...any) pgx.Row
}

// Status is what a check came to.
type Status string

// The statuses, the worst last: a warning harms nobody yet.
const (
	OK      Status = "OK"
	Warning Status = "WARNING"
	Fail    Status = "FAIL"
)

// Result is what one check found, over all tenants.
type Result struct {
	Check   string `json:"check_name"`
	Status  Status `json:"status"`
	Count   int    `json:"count"` // of rows that are wrong
	Message string `json:"message"`
}

// Check runs every check.
func Check(ctx context.Context, db Querier) ([]Result, error) {
	return collect[Result](ctx, db, "Check")
}

// Missing is whether a tenant has one kind of what it needs to load.
type Missing struct {
	Tenant string `json:"tenant"` // slug
	Data   string `json:"data_type"`
	Status string `json:"status"` // OK or MISSING
	Count  int    `json:"record_count"`
	Issue  string `json:"issue,omitempty"`
}

// DetectMissing says what each active tenant lacks, or the one that reference, a slug or id, names.
func DetectMissing(ctx context.Context, db Querier, reference string) ([]Missing, error) {
	found, err := collect[Missing](ctx, db, "Missing", reference)
	if err == nil && reference != "" && len(found) == 0 {
		return nil, noTenant(reference)
	}
	return found, err
}

// FindTenant returns the id of the active tenant that reference, a slug or id, names.
func FindTenant(ctx context.Context, db Querier, reference string) (uuid.UUID, error) {
	found, err := collect[struct{ ID uuid.UUID }](ctx, db, "Tenant", reference)
	if err == nil && len(found) == 0 {
		err = noTenant(reference)
	}
	if err != nil {
		return uuid.Nil, err
	}
	return found[0].ID, nil
}

func noTenant(reference string) error {
	return fault.New(fault.TenantNotFound, fmt.Sprintf("There is no active tenant %q.", reference), "`vital tenant list` names them.")
}

// Repairs are the checks that have one, in the order they are applied: a user must be there before what depends on it.
var Repairs = []string{
	"accounts_without_user", "users_outside_org", "users_without_org", "orgs_without_config", "orgs_without_apps", "users_without_profile",
	"profiles_outside_tenant", "overrides_of_unknown_variants", "apps_without_route", "deprecated_tools_assigned", "invitations_expired",
}

// Choose returns the repairs of those checks, of all where none is named, in the order they are applied.
func Choose(checks []string) ([]string, error) {
	for _, name := range checks {
		if !slices.Contains(Repairs, name) {
			return nil, fault.New(fault.Usage, fmt.Sprintf("There is no repair for %q.", name), "There is one for each of "+strings.Join(Repairs, ", ")+".")
		}
	}
	if len(checks) == 0 {
		return Repairs, nil
	}
	return slices.DeleteFunc(slices.Clone(Repairs), func(name string) bool { return !slices.Contains(checks, name) }), nil
}

// Change is one row that a repair writes.
type Change struct {
	Check  string          `json:"check_name"`
	Table  string          `json:"table"`
	Tenant string          `json:"tenant,omitempty"` // slug
	Row    string          `json:"row,omitempty"`    // id; "" where the row is made
	Old    json.RawMessage `json:"old,omitempty"`    // of the columns that change
	New    json.RawMessage `json:"new"`
}

// Plan returns what the repairs of checks would write and writes nothing. Accounts and users of no tenant are given to
// tenant, and left alone without one. Each repair is planned by itself: what another of them will have made is not counted.
func Plan(ctx context.Context, db Querier, checks []string, tenant *uuid.UUID) ([]Change, error) {
	return collect[Change](ctx, db, "Plan", checks, tenant)
}

// Written is how many rows the repair of one check wrote.
type Written struct {
	Check string `json:"check_name"`
	Rows  int64  `json:"rows"`
}

// Apply writes the repairs of checks in the transaction tx, audited under run.
func Apply(ctx context.Context, tx pgx.Tx, run uuid.UUID, checks []string, tenant *uuid.UUID) ([]Written, error) {
	return collect[Written](ctx, tx, "Apply", run, checks, tenant)
}

// Undo takes back in the transaction tx what run wrote, and returns how many rows that were. It fails where one of them was changed
// meanwhile.
func Undo(ctx context.Context, tx pgx.Tx, run uuid.UUID) (rows int64, err error) {
	if err := tx.QueryRow(ctx, queries.Get("Undo"), run).Scan(&rows); err != nil {
		return 0, databaseFault(err)
	}
	return rows, nil
}

func collect[T any](ctx context.Context, db Querier, query string, args ...any) ([]T, error) {
	rows, err := db.Query(ctx, queries.Get(query), args...)
	if err != nil {
		return nil, databaseFault(err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[T])
	if err != nil {
		return nil, databaseFault(err)
	}
	return found, nil
}

// databaseFault is what our own functions say, as they say it.
func databaseFault(err error) error {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) {
		return fmt.Errorf("check data: %w", err)
	}
	codes := map[string]fault.Code{"VT104": fault.TenantNotFound, "VT110": fault.PermissionDenied, "VT203": fault.StateConflict, "VT205": fault.NotFound}
	switch code, ours := codes[refused.Code]; {
	case ours:
		return fault.Wrap(err, code, refused.Message, refused.Hint)
	case refused.Code == "42883", refused.Code == "42P01": // no such function, or table
		return fault.Wrap(err, fault.SchemaBehind, "This database cannot check its data: VITAL is not installed in it, or an older version.", "Run `vital migrate up`.")
	default:
		return fmt.Errorf("check data: %w", err)
	}
}
