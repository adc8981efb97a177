package cli

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/isolation"
)

func (a *app) checkCommand() *cobra.Command {
	var format string
	rls := &cobra.Command{
		Use: "rls", Short: "Look for what in the database would let one tenant see another", Args: noArguments,
		Long: "Looks in the catalog for what would let one tenant see another: tables without enforced row-level security,\n" +
			"policies, views and functions that open more than they should, privileges of the server's login. A risk is\n" +
			"something a managed platform does not let VITAL close; it is named and does not fail the check.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if format != "text" && format != "json" {
				return fault.New(fault.Usage, fmt.Sprintf("There is no format %q.", format), "Choose text or json.")
			}
			return a.withTarget(cmd.Context(), func(t *target) error { return a.checkRLS(cmd.Context(), t, format) })
		},
	}
	rls.Flags().StringVar(&format, "format", "text", "text or json")
	return group("check", "Check everything that must hold; exit code 3 when it does not", rls)
}

func (a *app) checkRLS(ctx context.Context, t *target, format string) error {
	conn, err := pgx.Connect(ctx, t.operatorURL)
	if err != nil {
		return fault.Wrap(err, fault.DatabaseUnavailable, "The database cannot be reached.", "Check --database-url.")
	}
	defer conn.Close(context.WithoutCancel(ctx))
	findings, err := isolation.Check(ctx, conn)
	if err != nil {
		return err
	}
	if format == "json" {
		if err := a.printJSON(findings); err != nil {
			return err
		}
	} else {
		a.printFindings(findings)
	}
	failed := 0
	for _, f := range findings {
		if f.Level == isolation.Error {
			failed++
		}
	}
	if failed > 0 {
		return fault.New(fault.FindingsFound, fmt.Sprintf("%d findings must be mended.", failed), "Each names its next step above.")
	}
	return nil
}

func (a *app) printFindings(findings []isolation.Finding) {
	if len(findings) == 0 {
		fmt.Fprintln(a.streams.Out, paint(a.streams.Out, green, "ok")+"  nothing found")
		return
	}
	last := ""
	for _, f := range findings {
		if f.Check != last {
			colour := red
			if f.Level == isolation.Risk {
				colour = amber
			}
			fmt.Fprintf(a.streams.Out, "%s  %s: %s\n", paint(a.streams.Out, colour, string(f.Level)), f.Check, f.Title)
			fmt.Fprintf(a.streams.Out, "       %s\n", paint(a.streams.Out, dim, f.Hint))
			last = f.Check
		}
		fmt.Fprintf(a.streams.Out, "       - %s: %s\n", f.Object, f.Detail)
	}
}
