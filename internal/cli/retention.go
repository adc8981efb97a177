package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
)

func (a *app) retentionCommand() *cobra.Command {
	return group("retention", "Say how long rows are kept, and let them go",
		a.retentionListCommand(), a.retentionSetCommand(), a.retentionRemoveCommand(), a.retentionRunCommand())
}

// qualified splits a table's name; one without a schema is in public.
func qualified(name string) (schema, table string) {
	if schema, table, found := strings.Cut(name, "."); found {
		return schema, table
	}
	return "public", name
}

func (a *app) retentionListCommand() *cobra.Command {
	var reference string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the rules", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var rules []tenant.RetentionRule
			err := a.asService(cmd.Context(), "RetentionList", func(tx pgx.Tx) error {
				id, err := findNamed(cmd.Context(), tx, reference)
				if err == nil {
					rules, err = tenant.RetentionRules(cmd.Context(), tx, id)
				}
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(append([]tenant.RetentionRule{}, rules...))
			}
			if len(rules) == 0 {
				fmt.Fprintln(a.streams.Out, "no rules: rows are kept until somebody deletes them")
				return nil
			}
			rows := make([][]string, len(rules))
			for i, r := range rules {
				who := "all"
				if r.Tenant != nil {
					who = *r.Tenant
				}
				rows[i] = []string{r.Schema + "." + r.Table, who, r.Keep, r.AgeColumn, r.Reason, r.SetBy, r.SetAt.UTC().Format("2006-01-02")}
			}
			a.printTable([]string{"table", "tenant", "keep", "by", "reason", "set by", "set"}, rows)
			return nil
		},
	}
	cmd.Flags().StringVar(&reference, "tenant", "", "rules that hold for this tenant, by slug or id")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// findNamed is the tenant that is named, nil where none is.
func findNamed(ctx context.Context, tx pgx.Tx, reference string) (*uuid.UUID, error) {
	if reference == "" {
		return nil, nil //nolint:nilnil // no tenant is named
	}
	id, err := tenant.FindTenant(ctx, tx, reference)
	return &id, err
}

func (a *app) retentionSetCommand() *cobra.Command {
	var rule tenant.RetentionRule
	var reference string
	var yes bool
	cmd := &cobra.Command{
		Use: "set TABLE --keep TIME --reason WHY", Short: "Keep rows of a table no longer than that", Args: exactly("a table"),
		Long: "Says how long rows of a table are kept, of all tenants or of one, whose own rule stands in place of the one for all. Servers let older\n" +
			"rows go every six hours, in small batches; a tenant's audit log tells how many. Rows of tenants under a legal hold stay. Of\n" +
			"organization_audit_log the contents are erased and the entries stay, so that the chain verifies; under HIPAA after six years, not sooner.",
		Example: `  vital retention set tool_usage_log --keep "2 years" --reason "data protection plan, section 4"` + "\n" +
			`  vital retention set chat_sessions --tenant acme --keep "90 days" --by updated_at --reason "contract of 2026-03"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needReason(rule.Reason); err != nil {
				return err
			}
			rule.Schema, rule.Table = qualified(args[0])
			return a.retentionSet(cmd.Context(), rule, reference, yes)
		},
	}
	cmd.Flags().StringVar(&reference, "tenant", "", "for this tenant alone, by slug or id")
	cmd.Flags().StringVar(&rule.Keep, "keep", "", "how long, as 90 days, 18 months, 6 years")
	cmd.Flags().StringVar(&rule.AgeColumn, "by", "created_at", "column that says how old a row is")
	cmd.Flags().StringVar(&rule.Reason, "reason", "", "why, for the audit log")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask where rows are older already")
	if err := cmd.MarkFlagRequired("keep"); err != nil {
		panic(err) // it is there
	}
	return cmd
}

// errPreview ends a transaction that was only to show what it would lead to.
var errPreview = errors.New("only a preview")

func (a *app) retentionSet(ctx context.Context, rule tenant.RetentionRule, reference string, yes bool) error {
	var older []tenant.Retained
	set := func(keepIt bool) error {
		err := a.asService(ctx, "RetentionSet", func(tx pgx.Tx) error {
			id, err := findNamed(ctx, tx, reference)
			if err != nil {
				return err
			}
			if err := tenant.SetRetention(ctx, tx, id, rule); err != nil || keepIt {
				return err
			}
			if older, err = tenant.PreviewRetention(ctx, tx, rule.Schema+"."+rule.Table); err != nil {
				return err
			}
			return errPreview
		})
		if errors.Is(err, errPreview) {
			return nil
		}
		return err
	}
	if !yes {
		if err := set(false); err != nil {
			return err
		}
		if rows := countRetained(older); rows > 0 {
			if err := a.confirm(fmt.Sprintf("%s of %s may go then, and cannot be brought back. Set it?", plural(int(rows), "row"), rule.Table)); err != nil {
				return err
			}
		}
	}
	if err := set(true); err != nil {
		return err
	}
	fmt.Fprintf(a.streams.Out, "%s  rows of %s.%s are kept for %s\n", paint(a.streams.Out, green, "ok"), rule.Schema, rule.Table, rule.Keep)
	return nil
}

func countRetained(all []tenant.Retained) (rows int64) {
	for _, r := range all {
		rows += r.Rows
	}
	return rows
}

func (a *app) retentionRemoveCommand() *cobra.Command {
	var reference, reason string
	cmd := &cobra.Command{
		Use: "remove TABLE --reason WHY", Short: "Take a rule back", Args: exactly("a table"),
		Long: "Takes the rule of a table back: that for all tenants, whose rows are then kept until somebody deletes them; or, with --tenant, a\n" +
			"tenant's own, for whom the one for all holds again.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needReason(reason); err != nil {
				return err
			}
			schema, table := qualified(args[0])
			err := a.asService(cmd.Context(), "RetentionRemove", func(tx pgx.Tx) error {
				id, err := findNamed(cmd.Context(), tx, reference)
				if err != nil {
					return err
				}
				return tenant.RemoveRetention(cmd.Context(), tx, id, schema, table, reason)
			})
			if err == nil {
				fmt.Fprintf(a.streams.Out, "%s  the rule of %s.%s is gone\n", paint(a.streams.Out, green, "ok"), schema, table)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&reference, "tenant", "", "the rule of this tenant, by slug or id")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit log")
	return cmd
}

func (a *app) retentionRunCommand() *cobra.Command {
	var dryRun, asJSON bool
	cmd := &cobra.Command{
		Use: "run", Short: "Let go now what is kept no longer", Args: noArguments,
		Long: "Lets go what the rules keep no longer, as servers do every six hours, and says how many rows of which tenant went. --dry-run only\n" +
			"counts them. Exit code 1 where a rule could not be followed.",
		RunE: func(cmd *cobra.Command, _ []string) error { return a.retentionRun(cmd.Context(), dryRun, asJSON) },
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "count, and change nothing")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) retentionRun(ctx context.Context, dryRun, asJSON bool) error {
	var gone []tenant.Retained
	slugs := map[uuid.UUID]string{}
	err := a.withTarget(ctx, func(t *target) error {
		service, err := postgres.OpenService(ctx, postgres.Config{ServiceURL: t.serviceURL})
		if err != nil {
			return err
		}
		defer service.Close()
		if !dryRun {
			progress := a.progress("letting go")
			var went int64
			gone, err = tenant.Retention{Service: service, Progress: func(r tenant.Retained) {
				went += r.Rows
				progress(fmt.Sprintf("%s: %s so far", r.Table, plural(int(went), "row")))
			}}.Run(ctx)
			a.clearProgress()
			if err != nil {
				return err
			}
		}
		return service.AsService(ctx, "RetentionShow", func(tx pgx.Tx) (err error) {
			if dryRun {
				if gone, err = tenant.PreviewRetention(ctx, tx, ""); err != nil {
					return err
				}
			}
			ids := make([]uuid.UUID, len(gone))
			for i, g := range gone {
				ids[i] = g.Tenant
			}
			slugs, err = tenant.Slugs(ctx, tx, ids)
			return err
		})
	})
	if err != nil {
		return err
	}
	if asJSON {
		err = a.printJSON(append([]tenant.Retained{}, gone...))
	} else {
		a.printRetained(gone, slugs, dryRun)
	}
	if err != nil {
		return err
	}
	return tenant.RetentionProblem(gone)
}

func (a *app) printRetained(gone []tenant.Retained, slugs map[uuid.UUID]string, dryRun bool) {
	out := a.streams.Out
	var rows [][]string
	for _, g := range gone {
		if g.Problem != "" {
			rows = append(rows, []string{g.Table, "-", "-", g.Before.UTC().Format("2006-01-02 15:04"), paint(out, red, g.Problem)})
			continue
		}
		who := slugs[g.Tenant]
		if who == "" {
			who = g.Tenant.String()
		}
		rows = append(rows, []string{g.Table, who, fmt.Sprint(g.Rows), g.Before.UTC().Format("2006-01-02 15:04"), ""})
	}
	if len(rows) > 0 {
		a.printTable([]string{"table", "tenant", "rows", "older than (UTC)", "problem"}, rows)
	}
	what := "went"
	if dryRun {
		what = "would go; nothing was changed"
	}
	fmt.Fprintf(out, "%s %s\n", plural(int(countRetained(gone)), "row"), what)
}
