package isolation

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
)

// ScalePage is the page about all lints of scale.
const ScalePage = "docs/reference/scale.md"

// Place is where a table lies once tenants' data is distributed over servers.
type Place string

const (
	Distributed Place = "distributed" // by tenant: all rows of one on one server
	Coordinator Place = "coordinator" // on one server
	Reference   Place = "reference"   // a copy on every server
)

// Places are all of them.
var Places = []Place{Coordinator, Distributed, Reference}

// Placed is a table and its place.
type Placed struct {
	Table string `json:"table"`
	Place Place  `json:"place"`
}

// Scale is what keeps a database from growing: where its tables would lie, and what stands in the way.
type Scale struct {
	Tables   []Placed  `json:"tables"`
	Findings []Finding `json:"findings"`
}

// ScaleLints returns those of scale that scope is checked with, in the order of their names.
func ScaleLints() ([]Lint, error) {
	lints, err := loadLints(database.Scale, "scale", database.LintTerms+database.ScaleTerms)
	for i := range lints {
		lints[i].Page = ScalePage + "#" + lints[i].Name
	}
	return lints, err
}

// CheckScale runs the lints of scale on conn, an operator's connection. It reads the catalog and the statistics alone.
func CheckScale(ctx context.Context, conn *pgx.Conn, scope Scope) (Scale, error) {
	lints, err := ScaleLints()
	if err != nil {
		return Scale{}, err
	}
	var found Scale
	err = withoutPath(ctx, conn, func() (err error) {
		if found.Tables, err = scope.places(ctx, conn); err != nil {
			return fmt.Errorf("place tables: %w", err)
		}
		found.Findings, err = runAll(ctx, conn, scope, lints, scope.placement()...)
		return err
	})
	return found, err
}

func (s Scope) places(ctx context.Context, conn *pgx.Conn) ([]Placed, error) {
	statement := strings.NewReplacer("{terms}\n", database.LintTerms+database.ScaleTerms).Replace(queries.Get("Placed"))
	rows, err := conn.Query(ctx, statement, append(s.parameters(), s.placement()...)...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Placed])
}

// placement are the parameters of database/scale.sql beside those of lints.sql.
func (s Scope) placement() []any {
	tables, schemas := []string{}, []string{}
	if s.Vital {
		for _, name := range database.OnCoordinator {
			tables = append(tables, "public."+name)
		}
		schemas = append(schemas, "vital")
	}
	return []any{tables, schemas}
}
