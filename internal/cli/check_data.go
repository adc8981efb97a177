package cli

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/consistency"
	"github.com/vital-db/vital/internal/isolation"
)

const (
	dataPage = "docs/reference/data.md"
	dataHint = "`vital fix data` shows what would mend it, and writes nothing."
)

func (a *app) checkDataCommand() *cobra.Command {
	var output findingsFlags
	cmd := &cobra.Command{
		Use: "data", Short: "Look for data of tenants that does not fit together", Args: noArguments,
		Long: "Runs check_data_consistency(): organizations without configuration, apps or admin, users without organization or\n" +
			"profile, overrides of what a flag no longer has, limits, gaps in the audit log, and more. Rows are counted, over all\n" +
			"tenants, and none is shown. A FAIL makes the exit code 3; a WARNING harms nobody yet.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := output.validate(cmd); err != nil {
				return err
			}
			return a.withTarget(cmd.Context(), func(t *target) error {
				results, err := a.checkData(cmd.Context(), t)
				if err != nil {
					return err
				}
				found := dataOutcome(results)
				switch output.format {
				case "text":
					a.printDataResults(results)
				case "json":
					err = a.printJSON(results)
				default:
					err = a.reportOutcome("check data", output.format, found)
				}
				if err != nil {
					return err
				}
				return found.fault(dataHint)
			})
		},
	}
	output.register(cmd)
	return cmd
}

func (a *app) checkData(ctx context.Context, t *target) (results []consistency.Result, err error) {
	err = withOperator(ctx, t, func(tx pgx.Tx) (err error) {
		results, err = consistency.Check(ctx, tx)
		return err
	})
	return results, err
}

// withOperator runs fn in a transaction of the operator's, and commits it where fn returns nil.
func withOperator(ctx context.Context, t *target, fn func(pgx.Tx) error) error {
	conn, err := connectOperator(ctx, t)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return pgx.BeginFunc(ctx, conn, fn)
}

// dataOutcome are results as findings.
func dataOutcome(results []consistency.Result) outcome {
	found := outcome{looked: plural(len(results), "check") + " of data, nothing found"}
	for _, r := range results {
		lint := isolation.Lint{Name: "data_" + r.Check, Level: isolation.Error, Title: "Data of tenants does not fit together", Kind: "check", Hint: dataHint, Page: dataPage}
		if r.Status == consistency.Warning {
			lint.Level = isolation.Warning
		}
		if !slices.Contains(consistency.Repairs, r.Check) {
			lint.Hint = dataPage + " says what to look at."
		}
		found.lints = append(found.lints, lint)
		if r.Status != consistency.OK {
			found.findings = append(found.findings, isolation.Finding{
				Check: lint.Name, Level: lint.Level, Title: lint.Title, Kind: lint.Kind, Object: r.Check, Detail: r.Message, Hint: lint.Hint, Doc: dataPage,
			})
		}
	}
	return found
}

func (a *app) printDataResults(results []consistency.Result) {
	colours := map[consistency.Status]string{consistency.OK: green, consistency.Warning: amber, consistency.Fail: red}
	rows := make([][]string, len(results))
	for i, r := range results {
		rows[i] = []string{paint(a.streams.Out, colours[r.Status], string(r.Status)), r.Check, r.Message}
	}
	a.printTable([]string{"status", "check", "message"}, rows)
}
