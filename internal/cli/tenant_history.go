package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
)

// historyFlags are what `tenant history` is told.
type historyFlags struct {
	table, id, since, back, reason string
	limit                          int
	asJSON, dryRun, yes            bool
}

func (a *app) tenantHistoryCommand() *cobra.Command {
	var flags historyFlags
	cmd := &cobra.Command{
		Use: "history TENANT [--table T [--id X]]", Short: "Tell what was changed of a tenant's rows, and bring a row back", Args: exactly("a tenant's slug or id"),
		Long: "Tells who changed which row when, from what to what, and why, the latest first, from the audit log.\n\n" +
			"With --back it brings one row back to what it was before the entry of that number, or at that time: the log is walked back from\n" +
			"the row as it is, and each step must find what its entry says it left, else nothing is done. What will change is shown first. A\n" +
			"deleted row comes back under its id; one that was made after that is deleted, once that is confirmed. The write is one like any\n" +
			"other, audited with the reason; --dry-run only shows it. docs/reference/history.md.",
		Example: "  vital tenant history acme --table agents --since 24h\n" +
			"  vital tenant history acme --table agents --id 7b0f… --back 42 --reason \"changed by mistake\"",
		RunE: func(cmd *cobra.Command, args []string) error {
			if flags.back != "" {
				return a.rowBack(cmd.Context(), args[0], flags)
			}
			if flags.dryRun || flags.yes || flags.reason != "" {
				return fault.New(fault.Usage, "--dry-run, --yes and --reason go with --back.", "Say how far back with --back SEQ or --back TIME.")
			}
			return a.tenantHistory(cmd.Context(), args[0], flags)
		},
	}
	cmd.Flags().StringVar(&flags.table, "table", "", "audited table, as agents")
	cmd.Flags().StringVar(&flags.id, "id", "", "the row's id")
	cmd.Flags().StringVar(&flags.since, "since", "", "from then on: a time as 2026-01-31T09:00:00Z, a day, or how long ago, as 24h")
	cmd.Flags().IntVar(&flags.limit, "limit", 50, "most entries; 0 is all")
	cmd.Flags().StringVar(&flags.back, "back", "", "bring the row back to before the entry of this number, or to this time (given like --since)")
	cmd.Flags().StringVar(&flags.reason, "reason", "", "why, for the audit log")
	cmd.Flags().BoolVar(&flags.dryRun, "dry-run", false, "show what would change, and change nothing")
	cmd.Flags().BoolVar(&flags.yes, "yes", false, "do not ask before a row is deleted")
	cmd.Flags().BoolVar(&flags.asJSON, "json", false, "print JSON")
	return cmd
}

// historyEntry is an entry of the audit log as a row's story has it.
type historyEntry struct {
	Seq       int64                 `json:"seq"`
	At        time.Time             `json:"at"`
	Actor     string                `json:"actor"`
	Role      *string               `json:"role"`
	Action    string                `json:"action"`
	Table     *string               `json:"table"`
	ID        *uuid.UUID            `json:"id"`
	Changes   []tenant.ColumnChange `json:"changes"`
	Reason    *string               `json:"reason"`
	RequestID *string               `json:"request_id"`
	ErasedAt  *time.Time            `json:"erased_at"`
}

func (a *app) tenantHistory(ctx context.Context, reference string, flags historyFlags) error {
	filter := tenant.AuditFilter{Limit: flags.limit}
	var err error
	if filter.Since, err = parseMoment(flags.since); err != nil {
		return err
	}
	if flags.id != "" {
		if filter.EntityID, err = flags.rowID(); err != nil {
			return err
		}
	}
	entries := []historyEntry{}
	err = a.inTenant(ctx, "TenantHistory", reference, func(tx pgx.Tx, id uuid.UUID) error {
		filter.Tenant = &id
		if flags.table != "" {
			table, err := tenant.FindAuditedTable(ctx, tx, flags.table)
			if err != nil {
				return err
			}
			filter.Entity = table.Name
		}
		return tenant.ListAudit(ctx, tx, filter, func(e tenant.AuditEntry) error {
			entry, err := tellEntry(e)
			entries = append(entries, entry)
			return err
		})
	})
	if err != nil {
		return err
	}
	if len(entries) == 0 && flags.id != "" && flags.since == "" {
		return fault.New(fault.NotFound, fmt.Sprintf("The audit log of %s holds nothing of row %s.", reference, flags.id),
			"See its history without --id; rows of the whole platform are the tenant platform's.")
	}
	if flags.asJSON {
		return a.printJSON(entries)
	}
	a.printHistory(entries)
	if flags.limit > 0 && len(entries) == flags.limit {
		fmt.Fprintln(a.streams.Out, paint(a.streams.Out, dim, fmt.Sprintf("the latest %s; --limit 0 shows all", plural(flags.limit, "change"))))
	}
	return nil
}

func (f historyFlags) rowID() (*uuid.UUID, error) {
	if f.table == "" {
		return nil, fault.New(fault.Usage, "A row is one of a table.", "Name it with --table, as --table agents.")
	}
	id, err := uuid.Parse(f.id)
	if err != nil {
		return nil, fault.New(fault.Usage, fmt.Sprintf("%q is no id of a row.", f.id), "Give it as the table has it, as 7b0f6f0e-3a52-4f0c-9d0e-0a6c2f8f9b11.")
	}
	return &id, nil
}

func tellEntry(e tenant.AuditEntry) (historyEntry, error) {
	entry := historyEntry{
		Seq: e.Seq, At: e.CreatedAt, Actor: e.DatabaseRole, Role: e.ActorRole, Action: e.Action, Table: e.Entity, ID: e.EntityID, Changes: []tenant.ColumnChange{},
		Reason: e.Reason, RequestID: e.RequestID, ErasedAt: e.ErasedAt,
	}
	switch {
	case e.Actor != nil:
		entry.Actor = *e.Actor
	case e.ActorID != nil:
		entry.Actor = e.ActorID.String() // whose account is gone
	}
	var values struct{ Old, New tenant.Fields }
	if len(e.Changes) > 0 {
		if err := json.Unmarshal(e.Changes, &values); err != nil {
			return entry, fmt.Errorf("read changes of entry %d: %w", e.Seq, err)
		}
	}
	for column, value := range values.New {
		entry.Changes = append(entry.Changes, tenant.ColumnChange{Column: column, Old: values.Old[column], New: value})
	}
	for column, value := range values.Old {
		if _, told := values.New[column]; !told {
			entry.Changes = append(entry.Changes, tenant.ColumnChange{Column: column, Old: value})
		}
	}
	slices.SortFunc(entry.Changes, func(x, y tenant.ColumnChange) int { return strings.Compare(x.Column, y.Column) })
	return entry, nil
}

func (a *app) printHistory(entries []historyEntry) {
	out := a.streams.Out
	if len(entries) == 0 {
		fmt.Fprintln(out, "nothing was changed")
		return
	}
	rows := make([][]string, len(entries))
	for i, e := range entries {
		what := tellChanges(e.Changes, mostColumns)
		if e.ErasedAt != nil {
			what = paint(out, amber, "erased "+e.ErasedAt.UTC().Format("2006-01-02"))
		}
		row := orDash(e.Table)
		if e.ID != nil {
			row += "\n" + paint(out, dim, e.ID.String())
		}
		rows[i] = []string{
			strconv.FormatInt(e.Seq, 10), e.At.UTC().Format("2006-01-02 15:04:05"), e.Actor + "\n" + paint(out, dim, orDash(e.Role)), e.Action, row, what, orDash(e.Reason), orDash(e.RequestID),
		}
	}
	a.printTable([]string{"seq", "when (UTC)", "who", "action", "row", "what", "reason", "request"}, rows)
}

const (
	// mostColumns is how many columns of one entry are shown, longestValue how many letters of a value; --json has all.
	mostColumns  = 8
	longestValue = 40
)

func tellChanges(changes []tenant.ColumnChange, most int) string {
	lines := make([]string, 0, most+1)
	for i, c := range changes {
		if i == most {
			lines = append(lines, "… and "+plural(len(changes)-most, "column"))
			break
		}
		lines = append(lines, c.Column+": "+tellChange(c))
	}
	return strings.Join(lines, "\n")
}

func tellChange(c tenant.ColumnChange) string {
	switch {
	case c.Old == nil:
		return tellValue(c.New)
	case c.New == nil:
		return tellValue(c.Old) + " → gone"
	default:
		return tellValue(c.Old) + " → " + tellValue(c.New)
	}
}

func tellValue(value json.RawMessage) string {
	letters := []rune(string(value))
	if len(letters) > longestValue {
		return string(letters[:longestValue-1]) + "…"
	}
	return string(letters)
}

// rowTarget reads how far back which row is to go.
func (f historyFlags) rowTarget() (target tenant.RowTarget, err error) {
	if f.table == "" || f.id == "" {
		return target, fault.New(fault.Usage, "--back brings one row back.", "Name it with --table and --id.")
	}
	id, err := f.rowID()
	if err != nil {
		return target, err
	}
	target.ID = *id
	if seq, err := strconv.ParseInt(f.back, 10, 64); err == nil {
		if seq < 1 {
			return target, fault.New(fault.Usage, fmt.Sprintf("There is no entry %d.", seq), "Take a number that the row's history shows.")
		}
		target.Before = seq
		return target, nil
	}
	at, err := parseMoment(f.back)
	if err != nil {
		return target, err
	}
	if at.After(time.Now()) {
		return target, fault.New(fault.Usage, "That time is still to come.", "Give one that has passed, or an entry's number.")
	}
	target.At = *at
	return target, nil
}

// rowBack brings a row back: what will change is shown, then it is done, if the row is still what was shown.
func (a *app) rowBack(ctx context.Context, reference string, flags historyFlags) error {
	row, err := flags.rowTarget()
	if err != nil {
		return err
	}
	if !flags.dryRun {
		if err := needReason(flags.reason); err != nil {
			return err
		}
	}
	return a.withTarget(ctx, func(t *target) error {
		service, err := postgres.OpenService(ctx, postgres.Config{ServiceURL: t.serviceURL})
		if err != nil {
			return err
		}
		defer service.Close()
		var back *tenant.RowBack
		err = service.AsService(ctx, "RowBackPlan", func(tx pgx.Tx) (err error) {
			if row.Tenant, err = tenant.FindTenant(ctx, tx, reference); err != nil {
				return err
			}
			if row.Table, err = tenant.FindAuditedTable(ctx, tx, flags.table); err != nil {
				return err
			}
			back, err = tenant.PlanRowBack(ctx, tx, row)
			return err
		})
		if err != nil {
			return err
		}
		if !flags.asJSON {
			a.printRowBack(back, flags)
		}
		done := false
		if !flags.dryRun && back.Do != "" {
			if err := a.applyRowBack(ctx, service, back, flags); err != nil {
				return err
			}
			done = true
		}
		return a.printRowDone(back, flags, done)
	})
}

func (a *app) applyRowBack(ctx context.Context, service *postgres.Service, back *tenant.RowBack, flags historyFlags) error {
	if back.Do == "delete" && !flags.yes {
		if err := a.confirm(fmt.Sprintf("There was no such row of %s then. Delete it?", flags.table)); err != nil {
			return err
		}
	}
	return service.AsService(ctx, "RowBackApply", func(tx pgx.Tx) error { return back.Apply(ctx, tx, flags.reason) })
}

func (a *app) printRowBack(back *tenant.RowBack, flags historyFlags) {
	out := a.streams.Out
	if back.Do == "" {
		return
	}
	rows := make([][]string, len(back.Changes))
	for i, c := range back.Changes {
		rows[i] = []string{c.Column, "-", "-"}
		if c.Old != nil {
			rows[i][1] = paint(out, red, tellValue(c.Old))
		}
		if c.New != nil {
			rows[i][2] = paint(out, green, tellValue(c.New))
		}
	}
	a.printTable([]string{"column", "now", "then"}, rows)
	fmt.Fprintf(out, "%s row %s of %s; %s undone\n", back.Do, flags.id, flags.table, plural(len(back.Undone), "change"))
}

// printRowDone says what came of it.
func (a *app) printRowDone(back *tenant.RowBack, flags historyFlags, done bool) error {
	out := a.streams.Out
	if flags.asJSON {
		return a.printJSON(struct {
			*tenant.RowBack
			Applied bool `json:"applied"`
		}{back, done})
	}
	for _, c := range back.Kept {
		fmt.Fprintf(out, "%s  %s is %s and not %s: a trigger of the table decides it\n", paint(out, amber, "kept"), c.Column, tellValue(c.New), tellValue(c.Old))
	}
	switch {
	case back.Do == "":
		fmt.Fprintln(out, "the row is as it was then; nothing to do")
	case done:
		fmt.Fprintf(out, "%s  the row is back\n", paint(out, green, "ok"))
	default:
		fmt.Fprintln(out, paint(out, dim, "dry run: nothing was changed"))
	}
	return nil
}
