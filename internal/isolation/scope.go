package isolation

import (
	"context"
	_ "embed"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
)

//go:embed scope.sql
var queryText string

var queries = database.ParseQueries(queryText)

// Scope says what of a database is looked at, and what tenancy looks like there.
type Scope struct {
	Schemas       []string // whose tables, views and functions requests reach
	TenantColumns []string // columns that name the tenant of a row; of several in a table the first counts
	Roles         []string // that requests run as
	Logins        []string // that requests arrive on
	Vital         bool     // whether VITAL is installed: its own schemas and roles are checked too, its exceptions hold
}

// VitalScope is that of a database VITAL is installed in.
func VitalScope() Scope {
	return Scope{
		Schemas:       []string{"public", "vital"},
		TenantColumns: []string{"tenant_id", "organization_id"},
		Roles:         []string{"anon", "authenticated"},
		Logins:        []string{"vital_api"},
		Vital:         true,
	}
}

// parameters are those of database/lints.sql.
func (s Scope) parameters() []any {
	return []any{s.Schemas, s.TenantColumns, s.Roles, s.Logins, s.excepted()}
}

// excepted are the tables and constraints agreed not to follow the rule of tenancy.
func (s Scope) excepted() []string {
	excepted := []string{}
	if !s.Vital {
		return excepted
	}
	for _, e := range database.TenancyExceptions {
		name := "public." + e.Table
		if e.Constraint != "" {
			name += "." + e.Constraint
		}
		excepted = append(excepted, name)
	}
	return excepted
}

// tenantColumns are names a tenant column commonly goes by, the more telling first.
var tenantColumns = []string{
	"tenant_id", "organization_id", "organisation_id", "org_id", "account_id", "workspace_id", "company_id", "customer_id", "team_id",
	"tenant", "tenantid", "tenantId", "organizationId", "orgId", "accountId", "workspaceId", "companyId", "customerId", "teamId",
}

// FindScope returns that of the database behind conn: VITAL's where it is installed and nothing else was
// asked for, else asked, with what it leaves open guessed from the catalog.
func FindScope(ctx context.Context, conn *pgx.Conn, asked Scope) (Scope, error) {
	var installed bool
	if err := conn.QueryRow(ctx, queries.Get("SchemaExists"), "vital").Scan(&installed); err != nil {
		return Scope{}, fmt.Errorf("look for schema vital: %w", err)
	}
	if installed && len(asked.Schemas)+len(asked.TenantColumns)+len(asked.Roles)+len(asked.Logins) == 0 {
		return VitalScope(), nil
	}
	return GuessScope(ctx, conn, asked)
}

// GuessScope fills what asked leaves open from the catalog. What was asked for and is not there is an
// error, and so is what cannot be guessed: a check that looks at nothing would find nothing.
func GuessScope(ctx context.Context, conn *pgx.Conn, asked Scope) (Scope, error) {
	s := asked
	for _, step := range []struct {
		names       *[]string
		guess       string
		guessArgs   func() []any
		missing     string // "" where nobody can have asked
		missingArgs func() []any
		what, flag  string
		mayBeNobody bool
	}{
		{&s.Schemas, "SchemasGuess", func() []any { return nil },
			"SchemasMissing", func() []any { return []any{s.Schemas} }, "schema with tables", "--schema", false},
		{&s.TenantColumns, "TenantColumnGuess", func() []any { return []any{s.Schemas, tenantColumns} },
			"TenantColumnsMissing", func() []any { return []any{s.Schemas, s.TenantColumns} }, "tenant column", "--tenant-column", false},
		{&s.Roles, "RolesGuess", func() []any { return []any{s.Schemas} },
			"RolesMissing", func() []any { return []any{s.Roles} }, "role that requests run as", "--role", false},
		{&s.Logins, "LoginsGuess", func() []any { return []any{s.Roles} },
			"RolesMissing", func() []any { return []any{s.Logins} }, "login", "--login", true},
	} {
		if len(*step.names) > 0 {
			missing, err := names(ctx, conn, step.missing, step.missingArgs()...)
			if err != nil {
				return Scope{}, err
			}
			if len(missing) > 0 {
				return Scope{}, fault.New(fault.Usage, fmt.Sprintf("This database has no %s %q.", step.what, strings.Join(missing, ", ")),
					"Check "+step.flag+".")
			}
			continue
		}
		found, err := names(ctx, conn, step.guess, step.guessArgs()...)
		if err != nil {
			return Scope{}, err
		}
		if len(found) == 0 && !step.mayBeNobody {
			return Scope{}, fault.New(fault.Usage, fmt.Sprintf("No %s was found in this database.", step.what), "Name it with "+step.flag+".")
		}
		*step.names = append([]string{}, found...)
	}
	return s, nil
}

func names(ctx context.Context, conn *pgx.Conn, query string, args ...any) ([]string, error) {
	rows, err := conn.Query(ctx, queries.Get(query), args...)
	if err != nil {
		return nil, fmt.Errorf("look at the catalog: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("look at the catalog: %w", err)
	}
	return found, nil
}
