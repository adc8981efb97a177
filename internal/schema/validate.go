package schema

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
)

//go:embed validate.sql
var validateText string

var validateQueries = database.ParseQueries(validateText)

// Column is what validate_schema() says of one column that the product relies on.
type Column struct {
	Table        string `json:"table_name"`
	Column       string `json:"column_name"`
	ExpectedType string `json:"expected_type"`
	ActualType   string `json:"actual_type,omitempty"` // "" where there is no such column
	Status       string `json:"status"`
	Issue        string `json:"issue,omitempty"`
}

// OK reports a column that is as its rule has it.
func (c Column) OK() bool { return c.Status == "OK" }

// Validate holds the schema against schema_validation_rules, a row for each rule.
func Validate(ctx context.Context, conn pgxQuerier) ([]Column, error) {
	rows, err := conn.Query(ctx, validateQueries.Get("Validate"))
	if err != nil {
		return nil, validateFault(err)
	}
	columns, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Column])
	if err != nil {
		return nil, validateFault(err)
	}
	return columns, nil
}

func validateFault(err error) error {
	var refused *pgconn.PgError
	switch {
	case errors.As(err, &refused) && refused.Code == "42883": // there is no such function
		return fault.Wrap(err, fault.SchemaBehind, "This database cannot validate its schema: VITAL is not installed in it, or an older version.", "Run `vital migrate up`.")
	case errors.As(err, &refused) && refused.Code == "VT205":
		return fault.Wrap(err, fault.NotFound, refused.Message, refused.Hint)
	default:
		return fmt.Errorf("validate schema: %w", err)
	}
}
