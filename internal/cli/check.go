package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/report"
)

// findingsFlags say how findings are printed.
type findingsFlags struct {
	format string
	asJSON bool
}

func (f *findingsFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.format, "format", "text", "text, "+strings.Join(report.FindingsFormats, ", "))
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON, as --format json")
}

// checkFlags say what is looked at, and how findings are printed.
type checkFlags struct {
	findingsFlags
	scope isolation.Scope
}

func (f *checkFlags) register(cmd *cobra.Command) {
	f.findingsFlags.register(cmd)
	cmd.Flags().StringArrayVar(&f.scope.Schemas, "schema", nil, "schema whose tables requests reach; may be repeated")
	cmd.Flags().StringArrayVar(&f.scope.TenantColumns, "tenant-column", nil, "column that names a row's tenant; may be repeated")
	cmd.Flags().StringArrayVar(&f.scope.Roles, "role", nil, "role that requests run as; may be repeated")
	cmd.Flags().StringArrayVar(&f.scope.Logins, "login", nil, "login that requests arrive on; may be repeated")
}

func (f *findingsFlags) validate(cmd *cobra.Command) error {
	if f.asJSON {
		if cmd.Flags().Changed("format") && f.format != "json" {
			return fault.New(fault.Usage, fmt.Sprintf("--json and --format %s contradict each other.", f.format), "Leave one of them out.")
		}
		f.format = "json"
	}
	if f.format != "text" && !slices.Contains(report.FindingsFormats, f.format) {
		return fault.New(fault.Usage, fmt.Sprintf("There is no format %q.", f.format), "Choose text, "+strings.Join(report.FindingsFormats, ", ")+".")
	}
	return nil
}

// outcome is what a check looked at and what it found.
type outcome struct {
	lints    []isolation.Lint // what it can find
	looked   string           // what is so where it finds nothing: "nothing found by 37 lints"
	findings []isolation.Finding
}

// failed is how many findings must be mended.
func (c outcome) failed() int {
	return len(slices.DeleteFunc(slices.Clone(c.findings), func(f isolation.Finding) bool { return f.Level != isolation.Error }))
}

// fault is the error of a check that found what must be mended, or nil.
func (c outcome) fault(hint string) error {
	if failed := c.failed(); failed > 0 {
		return fault.New(fault.FindingsFound, plural(failed, "finding")+" must be mended.", hint)
	}
	return nil
}

func (a *app) checkCommand() *cobra.Command {
	const aboutScope = "It works on any PostgreSQL from 15 on. Where VITAL is installed it knows what to look at. Elsewhere schemas, tenant\n" +
		"column, roles and logins are guessed from the catalog, and said; name them to be sure."
	return group("check", "Check everything that must hold; exit code 3 when it does not",
		a.checkSchemaCommand(),
		a.checkDriftCommand(),
		a.checkOne(&cobra.Command{
			Use: "rls", Short: "Look for what in the database would let one tenant see another", Args: noArguments,
			Long: "Looks in the catalog for what would let one tenant see another: tables without row-level security, policies,\n" +
				"views and functions that open more than they should, keys that reach across tenants, roles no policy binds. Each\n" +
				"lint has a page in docs/reference/lints. An error must be mended and makes the exit code 3. A warning costs speed or\n" +
				"clarity. A risk is something a platform does not let one close, or its operator must judge. Neither fails the check.\n\n" + aboutScope,
		}, a.checkRLS),
		a.checkDataCommand(),
		a.checkOne(&cobra.Command{
			Use: "scale", Short: "Look for what keeps the database from growing over one server", Args: noArguments,
			Long: "Says where each table would lie once tenants' data is distributed by tenant (Citus): on the coordinator, distributed,\n" +
				"or copied to every server; and names every key, foreign key, policy, trigger, number and function in the way, and what\n" +
				"grows with the number of tenants, each with the statement that would change it. A key that does not say whose row it\n" +
				"is makes an error, and the exit code 3; a warning slows down what grows; a notice closes a road that nobody need take.\n" +
				"Nothing is changed, and none of it is part of check all.\n\n" + aboutScope,
		}, a.checkScale),
		a.checkOne(&cobra.Command{
			Use: "all", Short: "Run every check of what must hold", Args: noArguments,
			Long: "Runs every check of what must hold: schema, drift, rls and data. In a database without VITAL that is rls alone.\n" +
				"scale is not among them: it is about what a database may become.\n\n" + aboutScope,
		}, a.checkAll))
}

// checkOne makes cmd run a check that takes a scope.
func (a *app) checkOne(cmd *cobra.Command, run func(context.Context, *target, checkFlags) error) *cobra.Command {
	var flags checkFlags
	flags.register(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := flags.validate(cmd); err != nil {
			return err
		}
		return a.withTarget(cmd.Context(), func(t *target) error { return run(cmd.Context(), t, flags) })
	}
	return cmd
}

const lintsHint = "docs/reference/lints has a page for each, with a good and a bad case."

func (a *app) checkRLS(ctx context.Context, t *target, flags checkFlags) error {
	found, err := a.findRLS(ctx, t, flags.scope)
	if err != nil {
		return err
	}
	if err := a.reportOutcome("check rls", flags.format, found); err != nil {
		return err
	}
	return found.fault(lintsHint)
}

// findRLS runs the lints of scope, and of what is guessed of it.
func (a *app) findRLS(ctx context.Context, t *target, asked isolation.Scope) (found outcome, err error) {
	err = a.withScope(ctx, t, asked, func(conn *pgx.Conn, scope isolation.Scope) error {
		lints, err := isolation.Lints(scope)
		if err != nil {
			return err
		}
		findings, err := isolation.Check(ctx, conn, scope)
		found = outcome{lints: lints, looked: "nothing found by " + plural(len(lints), "lint"), findings: findings}
		return err
	})
	return found, err
}

// withScope runs fn with an operator's connection and what is to be looked at there, which is said where it was guessed.
func (a *app) withScope(ctx context.Context, t *target, asked isolation.Scope, fn func(*pgx.Conn, isolation.Scope) error) error {
	conn, err := connectOperator(ctx, t)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	scope, err := isolation.FindScope(ctx, conn, asked)
	if err != nil {
		return err
	}
	if !scope.Vital {
		fmt.Fprintf(a.streams.Err, "%s  schemas: %s · tenant columns: %s · roles of requests: %s · logins: %s\n", paint(a.streams.Err, dim, "scope"),
			strings.Join(scope.Schemas, ", "), strings.Join(scope.TenantColumns, ", "), strings.Join(scope.Roles, ", "), strings.Join(scope.Logins, ", "))
	}
	return fn(conn, scope)
}

// reportOutcome prints what a check found in one of the formats.
func (a *app) reportOutcome(command, format string, found outcome) error {
	if format != "text" {
		return report.WriteFindings(a.streams.Out, format, report.Findings{Command: command, Version: version(), Lints: found.lints, Findings: found.findings})
	}
	if len(found.findings) == 0 {
		fmt.Fprintf(a.streams.Out, "%s  %s\n", paint(a.streams.Out, green, "ok"), found.looked)
	}
	a.printFindings(found.findings)
	return nil
}

func (a *app) printFindings(findings []isolation.Finding) {
	out := a.streams.Out
	last := ""
	for _, f := range findings {
		if f.Check != last {
			colour := amber
			if f.Level == isolation.Error {
				colour = red
			}
			fmt.Fprintf(out, "%s  %s: %s\n", paint(out, colour, string(f.Level)), f.Check, f.Title)
			fmt.Fprintf(out, "       %s\n", paint(out, dim, f.Hint))
			last = f.Check
		}
		fmt.Fprintf(out, "       - %s: %s\n", f.Object, f.Detail)
	}
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
