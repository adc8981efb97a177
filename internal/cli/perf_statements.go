package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/perf"
)

// maxStatements bounds --limit: pg_stat_statements keeps 5,000 by default.
const maxStatements = 5000

func (a *app) perfStatementsCommand() *cobra.Command {
	var limit int
	var asJSON bool
	cmd := &cobra.Command{
		Use: "statements", Short: "List the statements that cost the database most, of all tenants together", Args: noArguments,
		Long: "Lists the statements of this database by the time that all their calls took, as pg_stat_statements counts them: no\n" +
			"value is shown, and no tenant. It takes an operator's login. Where the extension is missing it says how to install it.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 1 || limit > maxStatements {
				return fault.New(fault.Usage, fmt.Sprintf("--limit %d is out of range.", limit), fmt.Sprintf("It is 1 to %d.", maxStatements))
			}
			return a.withTarget(cmd.Context(), func(t *target) error { return a.perfStatements(cmd.Context(), t, limit, asJSON) })
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 20, "how many")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) perfStatements(ctx context.Context, t *target, limit int, asJSON bool) error {
	conn, err := connectOperator(ctx, t)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	found, err := perf.Statements(ctx, conn, limit)
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(found)
	}
	rows := make([][]string, len(found))
	for i, s := range found {
		share, hit := "-", "-"
		if s.Share != nil {
			share = fmt.Sprintf("%.0f%%", 100**s.Share)
		}
		if ratio, known := s.HitRatio(); known {
			hit = fmt.Sprintf("%.1f%%", 100*ratio)
		}
		rows[i] = []string{milliseconds(s.TotalMS), share, fmt.Sprint(s.Calls), milliseconds(s.MeanMS), milliseconds(s.MaxMS), fmt.Sprint(s.Rows), hit, s.Role, inBrief(s.Text, 100)}
	}
	a.printTable([]string{"total", "share", "calls", "mean", "max", "rows", "hit", "role", "statement"}, rows)
	return nil
}
