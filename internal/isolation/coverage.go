package isolation

import (
	"context"
	_ "embed"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
)

//go:embed coverage.sql
var coverageText string

var coverageQueries = database.ParseQueries(coverageText)

// Access is what a role gets of a command.
type Access string

// The answers there are.
const (
	Allowed     Access = "allowed"      // the privilege, and no row filter
	RowFiltered Access = "row-filtered" // the privilege, and row-level security decides on each row
	Denied      Access = "denied"       // no privilege, or row-level security without a policy
)

// Public is the name of everybody among roles.
const Public = "PUBLIC"

// noPolicy is the reason of a cell that row-level security closes because no policy opens it.
const noPolicy = "no policy for this role and command"

// Policy is one policy that has a say in a cell. Of a view's cell it is one of a table the view reaches.
type Policy struct {
	Table      string `json:"table"`
	Name       string `json:"name"`
	Permissive bool   `json:"permissive"`
	Using      string `json:"using,omitempty"`
	Check      string `json:"check,omitempty"` // WITH CHECK, or USING where that stands for it
}

// Cell says what one role may do to one object by one command, and why.
type Cell struct {
	Kind        string   `json:"kind"` // schema, table, partitioned table, view, …, sequence, function, procedure, aggregate
	Object      string   `json:"object"`
	Role        string   `json:"role"`
	Command     string   `json:"command"`
	Access      Access   `json:"access"`
	Reason      string   `json:"reason"`
	Columns     []string `json:"columns,omitempty"` // where the privilege is on these columns alone
	Policies    []Policy `json:"policies"`
	RowSecurity string   `json:"row_security,omitempty"` // of a table: off, enabled or forced
	RunsAs      string   `json:"runs_as,omitempty"`      // of a view or function: invoker or definer
	Owner       string   `json:"owner"`
	Volatility  string   `json:"volatility,omitempty"` // of a function
}

// Role is one column of the matrix.
type Role struct {
	Name      string   `json:"name"`
	Login     bool     `json:"login"`
	Superuser bool     `json:"superuser"`
	BypassRLS bool     `json:"bypass_rls"`
	Inherit   bool     `json:"inherit"`
	MemberOf  []string `json:"member_of"`
}

// Matrix is who can do what in one database.
type Matrix struct {
	Database string  `json:"database"`
	Server   string  `json:"server"` // the version of PostgreSQL
	Roles    []Role  `json:"roles"`
	Cells    []Cell  `json:"cells"`
	Figures  Figures `json:"figures"`
}

// ReadMatrix reads the matrix of schemas and roles in one snapshot of conn's database, VITAL's or any
// other from PostgreSQL 15 on. Without schemas: those anybody but a superuser may enter; without roles:
// whoever holds a privilege there, and PUBLIC. A name that does not exist is an error.
func ReadMatrix(ctx context.Context, conn *pgx.Conn, schemas, roles []string) (*Matrix, error) {
	query, err := matrixQuery()
	if err != nil {
		return nil, err
	}
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, fmt.Errorf("begin reading the matrix: %w", err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // nothing was written
	for _, name := range []string{"Settle", "Uncompiled"} {
		if _, err := tx.Exec(ctx, coverageQueries.Get(name)); err != nil {
			return nil, fmt.Errorf("settle session: %w", err)
		}
	}
	if err := requireNames(ctx, tx, schemas, roles); err != nil {
		return nil, err
	}
	m := &Matrix{}
	rows, err := tx.Query(ctx, query, schemas, roles)
	if err != nil {
		return nil, fmt.Errorf("read matrix: %w", err)
	}
	if m.Cells, err = pgx.CollectRows(rows, scanCell); err != nil {
		return nil, fmt.Errorf("read matrix: %w", err)
	}
	return m, m.describe(ctx, tx)
}

// matrixQuery is the body of vital.rls_matrix: one text for a database that has the function and for one
// that does not.
func matrixQuery() (string, error) {
	text, err := database.Objects.ReadFile("objects/functions/vital_rls_matrix.sql")
	if err != nil {
		return "", fmt.Errorf("read matrix query: %w", err)
	}
	parts := strings.Split(string(text), "\n$$;\n")
	_, body, found := strings.Cut(parts[0], "\nas $$\n")
	if len(parts) != 2 || !found {
		return "", fmt.Errorf("vital_rls_matrix.sql: no body between dollar quotes")
	}
	return body, nil
}

func scanCell(row pgx.CollectableRow) (Cell, error) {
	var c Cell
	err := row.Scan(&c.Kind, &c.Object, &c.Role, &c.Command, &c.Access, &c.Reason, &c.Columns, &c.Policies,
		(*zeronull.Text)(&c.RowSecurity), (*zeronull.Text)(&c.RunsAs), &c.Owner, (*zeronull.Text)(&c.Volatility))
	return c, err
}

func requireNames(ctx context.Context, tx pgx.Tx, schemas, roles []string) error {
	rows, err := tx.Query(ctx, coverageQueries.Get("UnknownNames"), schemas, roles)
	if err != nil {
		return fmt.Errorf("look for names: %w", err)
	}
	unknown, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look for names: %w", err)
	}
	if len(unknown) > 0 {
		return fault.New(fault.NotFound, fmt.Sprintf("There is no %s in this database.", strings.Join(unknown, " and no ")),
			"Without names, every schema and role that counts is shown; everybody is PUBLIC.")
	}
	return nil
}

// describe adds what stands beside the cells.
func (m *Matrix) describe(ctx context.Context, tx pgx.Tx) error {
	var names, schemas []string
	seen := map[string]bool{}
	for i := range m.Cells {
		c := &m.Cells[i]
		if c.Kind == "schema" && !seen["schema "+c.Object] {
			seen["schema "+c.Object] = true
			schemas = append(schemas, c.Object)
		}
		if !seen["role "+c.Role] {
			seen["role "+c.Role] = true
			names = append(names, c.Role)
		}
	}
	rows, err := tx.Query(ctx, coverageQueries.Get("RolesDescribe"), names)
	if err != nil {
		return fmt.Errorf("describe roles: %w", err)
	}
	described, err := pgx.CollectRows(rows, pgx.RowToStructByName[Role])
	if err != nil {
		return fmt.Errorf("describe roles: %w", err)
	}
	for _, name := range names { // in the order of the cells
		role := Role{Name: name, MemberOf: []string{}}
		for _, d := range described {
			if d.Name == name {
				role = d
			}
		}
		m.Roles = append(m.Roles, role)
	}
	var ours bool
	if err := tx.QueryRow(ctx, coverageQueries.Get("DatabaseDescribe"), schemas).Scan(&m.Database, &m.Server, &ours); err != nil {
		return fmt.Errorf("describe database: %w", err)
	}
	rows, err = tx.Query(ctx, coverageQueries.Get("PoliciesCount"), schemas)
	if err != nil {
		return fmt.Errorf("count policies: %w", err)
	}
	counts, err := pgx.CollectRows(rows, pgx.RowToStructByPos[policyCount])
	if err != nil {
		return fmt.Errorf("count policies: %w", err)
	}
	m.Figures = count(m, schemas, counts, ours)
	return nil
}
