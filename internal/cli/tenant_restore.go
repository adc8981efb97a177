package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/archive"
	"github.com/vital-db/vital/internal/fault"
)

// restoreFlags say what is put back.
type restoreFlags struct {
	then     thenFlags
	tables   []string
	as, name string
	reason   string
	dry, yes bool
	asJSON   bool
}

func (a *app) tenantRestoreCommand() *cobra.Command {
	var flags restoreFlags
	cmd := &cobra.Command{
		Use: "restore TENANT --from ARCHIVE|BACKUP|TIME --reason WHY", Short: "Put one tenant back to what it was, and touch no other", Args: exactly("a tenant's slug or id"),
		Long: "Puts a tenant back to what an archive of it has, or a backup of the whole database, in one transaction: rows that were\n" +
			"changed are as they were, those that are gone come back, those that were not there go. Rows of other tenants are neither\n" +
			"written nor locked. What happened is not made undone: the audit log, versions of flags, usage; invitations and scheduled\n" +
			"changes stay as they are, and so do accounts and the tenant's state. The audit log gets one row, with the reason and the\n" +
			"archive's hash. --dry-run says what would be done. --as makes a new tenant of it, with ids of its own, beside the one\n" +
			"that is there. docs/reference/archive.md.",
		Example: "  vital tenant restore acme --from 2026-11-30T22:00:00Z --dry-run\n  vital tenant restore acme --from acme-2026-11-30 --tables agents,tenant_agents --reason \"deleted by mistake\"",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.check(); err != nil {
				return err
			}
			return a.withTarget(cmd.Context(), func(t *target) error { return a.tenantRestore(cmd.Context(), t, args[0], flags) })
		},
	}
	flags.then.register(cmd)
	cmd.Flags().StringSliceVar(&flags.tables, "tables", nil, "only these tables, as schema.name; public is understood")
	cmd.Flags().StringVar(&flags.as, "as", "", "make a new tenant of this slug instead")
	cmd.Flags().StringVar(&flags.name, "name", "", "name of the new tenant (default its slug)")
	cmd.Flags().StringVar(&flags.reason, "reason", "", "why, for the tenant's audit log")
	cmd.Flags().BoolVar(&flags.dry, "dry-run", false, "say what would be done, and do nothing")
	cmd.Flags().BoolVar(&flags.yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&flags.asJSON, "json", false, "print what was done as JSON")
	registerNiceRatio(cmd)
	return cmd
}

func (f *restoreFlags) check() error {
	if err := f.then.check(); err != nil {
		return err
	}
	switch {
	case f.as != "" && (f.dry || len(f.tables) > 0):
		return fault.New(fault.Usage, "A new tenant is made as a whole.", "Leave out --tables and --dry-run, or --as.")
	case f.as == "" && f.name != "":
		return fault.New(fault.Usage, "--name is that of a new tenant.", "Give --as, too, or leave it out.")
	case f.dry:
		return nil
	}
	return needReason(f.reason)
}

func (a *app) tenantRestore(ctx context.Context, t *target, reference string, flags restoreFlags) error {
	return a.withThen(ctx, t, flags.then, reference, func(then *archive.Archive, id uuid.UUID) error {
		if flags.as != "" {
			if then.Tenant.ID != id {
				return fault.New(fault.ArchiveMismatch, "This is the archive of another tenant, "+then.Tenant.Slug+".", "Name that one.")
			}
			if err := recordCopy(ctx, t, id, flags.as, flags.reason); err != nil {
				return err
			}
			return a.makeClone(ctx, t, archive.Clone{Archive: then, Slug: flags.as, Name: flags.name, Reason: flags.reason}, flags.asJSON)
		}
		if !flags.dry && !flags.yes {
			if err := a.confirm(fmt.Sprintf("Put %s back to what it was at %s?", reference, then.MadeAt.Format("2006-01-02 15:04:05 MST"))); err != nil {
				return err
			}
		}
		conn, err := connectOperator(ctx, t)
		if err != nil {
			return err
		}
		defer conn.Close(context.WithoutCancel(ctx))
		progress := a.progress("restoring")
		done, err := archive.Restoration{
			Archive: then, Tenant: id, Tables: flags.tables, DryRun: flags.dry, Reason: strings.TrimSpace(flags.reason),
			Progress: func(table string, number, of int) { progress(fmt.Sprintf("%s, table %d of %d", table, number, of)) },
		}.Run(ctx, conn)
		a.clearProgress()
		if err != nil {
			return err
		}
		if flags.asJSON {
			return a.printJSON(done)
		}
		a.printRestored(then, done)
		return nil
	})
}

func (a *app) printRestored(then *archive.Archive, done *archive.Restored) {
	out := a.streams.Out
	var rows [][]string
	var total int64
	for _, t := range done.Tables {
		if n := t.Inserted + t.Updated + t.Deleted; n+t.Held > 0 {
			rows = append(rows, []string{t.Table, fmt.Sprint(t.Inserted), fmt.Sprint(t.Updated), fmt.Sprint(t.Deleted), fmt.Sprint(t.Held)})
			total += n
		}
	}
	if len(rows) > 0 {
		header := []string{"table", "inserted", "updated", "deleted", "held"}
		if done.DryRun {
			header = []string{"table", "to insert", "to update", "to delete", "held"}
		}
		a.printTable(header, rows)
	}
	a.printLeftOut(done.LeftOut, "not put back")
	for _, note := range done.Notes {
		a.note(note)
	}
	what := "restored %s to what it was at %s: %s\n"
	if done.DryRun {
		what = "would restore %s to what it was at %s: %s; nothing was changed\n"
	}
	fmt.Fprintf(out, "%s  "+what, paint(out, green, "ok"), then.Tenant.Slug, then.MadeAt.Format("2006-01-02 15:04:05 MST"), plural(int(total), "row"))
}

func (a *app) printLeftOut(left []archive.LeftOut, what string) {
	for _, l := range left {
		if l.Rows > 0 {
			fmt.Fprintln(a.streams.Out, paint(a.streams.Out, dim, fmt.Sprintf("%s: %s, %s: %s", what, l.Table, plural(int(l.Rows), "row"), l.Reason)))
		}
	}
}
