package cli

import "github.com/spf13/cobra"

func (a *app) perfCommand() *cobra.Command {
	return group("perf", "See how data loads: statistics, what was slow or failed and why, and how the database goes about a query",
		a.perfStatsCommand(), a.perfSlowCommand(), a.perfWhyCommand(), a.perfExplainCommand(), a.perfIndexesCommand(), a.perfStatementsCommand())
}
