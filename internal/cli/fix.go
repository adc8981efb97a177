package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/consistency"
	"github.com/vital-db/vital/internal/fault"
)

// fixFlags say what to repair.
type fixFlags struct {
	tenant, undo  string
	apply, asJSON bool
}

func (a *app) fixCommand() *cobra.Command {
	return group("fix", "Repair what a check found", a.fixDataCommand())
}

func (a *app) fixDataCommand() *cobra.Command {
	var flags fixFlags
	cmd := &cobra.Command{
		Use: "data [CHECK…]", Short: "Repair data that does not fit together; shows what it would do unless --apply",
		Long: "Repairs what `vital check data` found: all that has a repair, or the checks named. Without --apply it shows each row it\n" +
			"would write, and writes none. With it everything is written in one transaction, audited under one id, and --undo ID\n" +
			"takes that back. Accounts and users of no tenant are given to --tenant, and left alone without it. The checks with a\n" +
			"repair: " + strings.Join(consistency.Repairs[:6], ", ") + ",\n" + strings.Join(consistency.Repairs[6:], ", ") + ".",
		RunE: func(cmd *cobra.Command, args []string) error {
			checks, err := consistency.Choose(args)
			if err != nil {
				return err
			}
			if flags.undo != "" {
				if flags.apply || flags.tenant != "" || len(args) > 0 {
					return fault.New(fault.Usage, "--undo takes back a whole repair, and stands alone.", "Leave out what else is named.")
				}
				return a.undoRepairs(cmd.Context(), flags)
			}
			return a.withTarget(cmd.Context(), func(t *target) error { return a.fixData(cmd.Context(), t, checks, flags) })
		},
	}
	cmd.Flags().StringVar(&flags.tenant, "tenant", "", "slug or id of the tenant that accounts and users of no tenant are given to")
	cmd.Flags().BoolVar(&flags.apply, "apply", false, "write it")
	cmd.Flags().StringVar(&flags.undo, "undo", "", "id of a repair to take back")
	cmd.Flags().BoolVar(&flags.asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) fixData(ctx context.Context, t *target, checks []string, flags fixFlags) error {
	if flags.tenant == "" && (slices.Contains(checks, "users_without_org") || slices.Contains(checks, "accounts_without_user")) {
		a.note("accounts and users of no tenant are left alone: --tenant names one to give them to")
	}
	if flags.apply {
		return a.applyRepairs(ctx, t, checks, flags)
	}
	var changes []consistency.Change
	err := withOperator(ctx, t, func(tx pgx.Tx) error {
		given, err := givenTenant(ctx, tx, flags.tenant)
		if err == nil {
			changes, err = consistency.Plan(ctx, tx, checks, given)
		}
		return err
	})
	if err != nil {
		return err
	}
	if flags.asJSON {
		return a.printJSON(changes)
	}
	a.printChanges(changes)
	return nil
}

// givenTenant is the tenant that rows of no tenant go to, or nil.
func givenTenant(ctx context.Context, tx pgx.Tx, reference string) (*uuid.UUID, error) {
	if reference == "" {
		return nil, nil //nolint:nilnil // none is given
	}
	id, err := consistency.FindTenant(ctx, tx, reference)
	return &id, err
}

// shownChanges bounds what is printed one by one.
const shownChanges = 50

func (a *app) printChanges(changes []consistency.Change) {
	out := a.streams.Out
	if len(changes) == 0 {
		fmt.Fprintf(out, "%s  nothing to repair\n", paint(out, green, "ok"))
		return
	}
	rows := make([][]string, 0, min(len(changes), shownChanges))
	for _, c := range changes[:min(len(changes), shownChanges)] {
		rows = append(rows, []string{c.Check, c.Table, orNone(c.Tenant), orNone(c.Row), describeChange(c)})
	}
	a.printTable([]string{"check", "table", "tenant", "row", "change"}, rows)
	if more := len(changes) - shownChanges; more > 0 {
		fmt.Fprintf(out, "and %s; --json shows all\n", plural(more, "more row"))
	}
	fmt.Fprintf(out, "%s would be written; run it with --apply\n", plural(len(changes), "row"))
}

func orNone(value string) string {
	if value == "" {
		return "-"
	}
	return value
}

// describeChange is a change on one line: what is made, or each column with what it was and will be.
func describeChange(c consistency.Change) string {
	var was, will map[string]json.RawMessage
	if json.Unmarshal(c.Old, &was) != nil || json.Unmarshal(c.New, &will) != nil || was == nil {
		return "new: " + shortened(string(c.New))
	}
	var parts []string
	for name := range will {
		parts = append(parts, fmt.Sprintf("%s: %s → %s", name, shortened(string(was[name])), shortened(string(will[name]))))
	}
	return strings.Join(parts, ", ")
}

// shortened bounds a value on one line of a table.
func shortened(text string) string {
	const most = 70
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

func (a *app) applyRepairs(ctx context.Context, t *target, checks []string, flags fixFlags) error {
	run := uuid.New()
	var written []consistency.Written
	err := withOperator(ctx, t, func(tx pgx.Tx) error {
		given, err := givenTenant(ctx, tx, flags.tenant)
		if err == nil {
			written, err = consistency.Apply(ctx, tx, run, checks, given)
		}
		return err
	})
	if err != nil {
		return err
	}
	total := int64(0)
	var rows [][]string
	for _, w := range written {
		if total += w.Rows; w.Rows > 0 {
			rows = append(rows, []string{w.Check, fmt.Sprint(w.Rows)})
		}
	}
	switch {
	case flags.asJSON:
		return a.printJSON(map[string]any{"run": run, "written": written})
	case total == 0:
		a.printChanges(nil)
	default:
		a.printTable([]string{"check", "rows"}, rows)
		fmt.Fprintf(a.streams.Out, "%s written; `vital fix data --undo %s` takes it back\n", plural(int(total), "row"), run)
	}
	return nil
}

func (a *app) undoRepairs(ctx context.Context, flags fixFlags) error {
	run, err := uuid.Parse(flags.undo)
	if err != nil {
		return fault.New(fault.Usage, fmt.Sprintf("%q is not the id of a repair.", flags.undo), "Take the one that --apply printed, or the reason of its rows in `vital audit list`.")
	}
	return a.withTarget(ctx, func(t *target) error {
		var rows int64
		err := withOperator(ctx, t, func(tx pgx.Tx) (err error) {
			rows, err = consistency.Undo(ctx, tx, run)
			return err
		})
		if err != nil {
			return err
		}
		if flags.asJSON {
			return a.printJSON(map[string]any{"run": run, "undone": rows})
		}
		fmt.Fprintf(a.streams.Out, "%s taken back\n", plural(int(rows), "row"))
		return nil
	})
}
