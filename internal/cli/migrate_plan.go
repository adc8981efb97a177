package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/schema"
)

// planFlags say how much is shown of a plan.
type planFlags struct {
	sql, noTry, data, asJSON bool
}

func (a *app) migratePlanCommand() *cobra.Command {
	var flags planFlags
	cmd := &cobra.Command{
		Use: "plan", Short: "Show what `vital migrate up` would do, and change nothing", Args: noArguments,
		Long: "Shows the pending files, what stands in the way of them (pre_migration_check), what their SQL would do that harms a\n" +
			"running database, and how it goes on a copy: how long it takes and which tables it locks, with how many rows. The copy\n" +
			"is on a server that is thrown away, and without rows unless --data. Exit code 3 where `vital migrate up` would refuse.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if flags.data && flags.noTry {
				return fault.New(fault.Usage, "--data and --no-try contradict each other.", "Leave one of them out.")
			}
			return a.withTargetAsItIs(cmd.Context(), func(t *target) error {
				plan, err := a.plan(cmd.Context(), t, flags)
				if err != nil {
					return err
				}
				if flags.asJSON {
					err = a.printJSON(plan)
				} else {
					a.printPlan(plan, flags.sql)
				}
				if err != nil {
					return err
				}
				return planFault(plan)
			})
		},
	}
	cmd.Flags().BoolVar(&flags.sql, "sql", false, "print the SQL of pending migrations and objects")
	cmd.Flags().BoolVar(&flags.noTry, "no-try", false, "do not try it on a copy")
	cmd.Flags().BoolVar(&flags.data, "data", false, "copy the rows too: the time it takes is that of the database then")
	cmd.Flags().BoolVar(&flags.asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) plan(ctx context.Context, t *target, flags planFlags) (schema.Plan, error) {
	migrator, err := schema.NewMigrator(schema.Config{DatabaseURL: t.operatorURL, Log: a.log})
	if err != nil {
		return schema.Plan{}, err
	}
	plan, err := migrator.Plan(ctx)
	if err != nil || flags.noTry || plan.Version == 0 || len(plan.Migrations)+len(plan.Objects) == 0 {
		return plan, err
	}
	err = a.backups(t).Shadow(ctx, flags.data, func(address string) error {
		shadow, err := schema.NewMigrator(schema.Config{DatabaseURL: address})
		if err != nil {
			return err
		}
		try, err := shadow.Try(ctx)
		try.Data = flags.data
		plan.Try = &try
		return err
	})
	return plan, err
}

func planFault(p schema.Plan) error {
	refused := len(slices.DeleteFunc(slices.Clone(p.Problems), func(problem schema.Problem) bool { return problem.Level != schema.LintError })) +
		len(slices.DeleteFunc(slices.Clone(p.Checks), func(c schema.GuardCheck) bool { return c.Status != schema.GuardFail }))
	if refused > 0 {
		return fault.New(fault.FindingsFound, "`vital migrate up` would refuse for "+plural(refused, "reason")+".", "Mend them first.")
	}
	return nil
}

func (a *app) printPlan(p schema.Plan, sql bool) {
	out := a.streams.Out
	if len(p.Migrations)+len(p.Objects) == 0 {
		fmt.Fprintf(out, "%s  schema version %d, nothing is pending\n", paint(out, green, "ok"), p.Version)
		return
	}
	fmt.Fprintf(out, "schema version %d → %d: %s, %s\n", p.Version, p.Latest, plural(len(p.Migrations), "migration"), plural(len(p.Objects), "object"))
	for _, file := range slices.Concat(p.Migrations, p.Objects) {
		fmt.Fprintf(out, "  %s\n", file.Path)
		if sql {
			fmt.Fprintf(out, "%s\n", paint(out, dim, "    "+strings.ReplaceAll(strings.TrimSpace(file.SQL), "\n", "\n    ")))
		}
	}
	colours := map[schema.GuardStatus]string{schema.GuardOK: green, schema.GuardInfo: dim, schema.GuardWarning: amber, schema.GuardFail: red}
	var rows [][]string
	for _, c := range p.Checks {
		rows = append(rows, []string{paint(out, colours[c.Status], string(c.Status)), c.Type, c.Message})
	}
	if len(rows) > 0 {
		fmt.Fprintln(out)
		a.printTable([]string{"status", "before it", "message"}, rows)
	}
	levels := map[schema.Level]string{schema.LintError: red, schema.LintWarning: amber}
	for _, problem := range p.Problems {
		fmt.Fprintf(out, "\n%s  %s:%d: %s\n       %s\n       %s\n", paint(out, levels[problem.Level], string(problem.Level)), problem.File, problem.Line, problem.Lint, problem.Detail, paint(out, dim, problem.Hint))
	}
	a.printTry(p.Try)
}

func (a *app) printTry(try *schema.Try) {
	if try == nil {
		return
	}
	out := a.streams.Out
	copied := "a copy without rows"
	if try.Data {
		copied = "a copy with all rows"
	}
	fmt.Fprintf(out, "\nIt took %.2f s on %s. Held until its end:\n", try.Seconds, copied)
	var rows [][]string
	for _, l := range try.Locks {
		rows = append(rows, []string{l.Table, l.Mode, fmt.Sprint(l.Rows), l.Blocks()})
	}
	if len(rows) == 0 {
		fmt.Fprintln(out, "no lock that anybody waits for")
		return
	}
	a.printTable([]string{"table", "lock", "rows", "waits"}, rows)
}
