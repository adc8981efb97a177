package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/schema"
)

const (
	schemaPage = "docs/reference/schema.md"
	schemaHint = "`vital check drift` shows the SQL that would undo it."
)

// schemaLints are the statuses of validate_schema() as lints, for the formats of findings.
var schemaLints = []isolation.Lint{
	schemaLint("MISSING", "A column the product relies on is missing"),
	schemaLint("TYPE_MISMATCH", "A column has another type"),
	schemaLint("NULLABLE_MISMATCH", "A column may be null, or may not"),
	schemaLint("DEFAULT_MISMATCH", "A column has lost its default"),
	schemaLint("KEY_MISMATCH", "A column has lost its key"),
	schemaLint("INDEX_MISMATCH", "A column has lost its index"),
	schemaLint("RLS_MISMATCH", "A table has lost row-level security"),
}

func schemaLint(status, title string) isolation.Lint {
	return isolation.Lint{
		Name: "schema_" + strings.ToLower(status), Level: isolation.Error, Title: title, Kind: "column",
		Hint: schemaHint, Page: schemaPage,
	}
}

func (a *app) checkSchemaCommand() *cobra.Command {
	var output findingsFlags
	cmd := &cobra.Command{
		Use: "schema", Short: "Hold the columns the product relies on against their rules", Args: noArguments,
		Long: "Asks validate_schema(): each column that schema_validation_rules names must exist, with its type, nullability, default,\n" +
			"keys and index, and its table with row-level security. The rules come with the migrations; an operator may add rows.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := output.validate(cmd); err != nil {
				return err
			}
			return a.withTarget(cmd.Context(), func(t *target) error {
				found, err := a.findSchema(cmd.Context(), t)
				if err != nil {
					return err
				}
				if err := a.reportOutcome("check schema", output.format, found); err != nil {
					return err
				}
				return found.fault(schemaHint)
			})
		},
	}
	output.register(cmd)
	return cmd
}

// findSchema holds the schema against its rules.
func (a *app) findSchema(ctx context.Context, t *target) (outcome, error) {
	conn, err := connectOperator(ctx, t)
	if err != nil {
		return outcome{}, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	columns, err := schema.Validate(ctx, conn)
	if err != nil {
		return outcome{}, err
	}
	result := outcome{lints: schemaLints, looked: plural(len(columns), "column") + " as the rules have them"}
	for _, c := range columns {
		if c.OK() {
			continue
		}
		lint := schemaLints[slices.IndexFunc(schemaLints, func(l isolation.Lint) bool { return l.Name == "schema_"+strings.ToLower(c.Status) })]
		result.findings = append(result.findings, isolation.Finding{
			Check: lint.Name, Level: lint.Level, Title: lint.Title, Kind: lint.Kind, Object: fmt.Sprintf("public.%s.%s", c.Table, c.Column),
			Detail: c.Issue, Hint: lint.Hint, Doc: schemaPage,
		})
	}
	return result, nil
}
