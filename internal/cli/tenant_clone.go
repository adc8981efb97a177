package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/archive"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/tenant"
)

// cloneFlags say what the copy is called, and whose it is.
type cloneFlags struct {
	then                    thenFlags
	as, name, owner, reason string
	asJSON                  bool
}

func (a *app) tenantCloneCommand() *cobra.Command {
	var flags cloneFlags
	cmd := &cobra.Command{
		Use: "clone TENANT --as SLUG --owner EMAIL --reason WHY", Short: "Copy a tenant as a sandbox, with new ids and personal data masked", Args: exactly("a tenant's slug or id"),
		Long: "Makes a new tenant of a tenant's rows as they are, or as they were (--from), in one transaction: every row under a new\n" +
			"id, in whatever column, list or document it is referred to. The owner is its only member, and what referred to a person\n" +
			"refers to them. Personal data is masked by the rules of vital.masking_rules; columns of tables that have none are masked\n" +
			"by their names and types, and e-mail addresses wherever they stand. Records, invitations and scheduled changes are not\n" +
			"copied. What was masked is printed. docs/reference/archive.md.",
		Example: `  vital tenant clone acme --as acme-sandbox --owner ada@acme.test --reason "to try the new flags"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if flags.as == "" || flags.owner == "" {
				return fault.New(fault.Usage, "A copy takes a slug and an owner.", "Give --as and --owner.")
			}
			if err := needReason(flags.reason); err != nil {
				return err
			}
			return a.withTarget(cmd.Context(), func(t *target) error { return a.tenantClone(cmd.Context(), t, args[0], flags) })
		},
	}
	flags.then.register(cmd)
	cmd.Flags().StringVar(&flags.as, "as", "", "slug of the new tenant")
	cmd.Flags().StringVar(&flags.name, "name", "", "its name (default its slug)")
	cmd.Flags().StringVar(&flags.owner, "owner", "", "e-mail address of the user whose it is")
	cmd.Flags().StringVar(&flags.reason, "reason", "", "why, for the audit logs of both")
	cmd.Flags().BoolVar(&flags.asJSON, "json", false, "print what was made as JSON")
	registerNiceRatio(cmd)
	return cmd
}

func (a *app) tenantClone(ctx context.Context, t *target, reference string, flags cloneFlags) error {
	clone := archive.Clone{Slug: flags.as, Name: flags.name, Reason: strings.TrimSpace(flags.reason)}
	err := withOperator(ctx, t, func(tx pgx.Tx) error {
		owner, err := tenant.FindUser(ctx, tx, flags.owner)
		clone.Owner = &owner
		return err
	})
	if err != nil {
		return err
	}
	copied := func(then *archive.Archive) error {
		clone.Archive = then
		return a.makeClone(ctx, t, clone, flags.asJSON)
	}
	if flags.then.from != "" {
		return a.withThen(ctx, t, flags.then, reference, func(then *archive.Archive, id uuid.UUID) error {
			if then.Tenant.ID != id {
				return fault.New(fault.ArchiveMismatch, "This is the archive of another tenant, "+then.Tenant.Slug+".", "Name that one.")
			}
			if err := recordCopy(ctx, t, id, flags.as, clone.Reason); err != nil {
				return err
			}
			return copied(then)
		})
	}
	id, err := findTenant(ctx, t, reference)
	if err != nil {
		return err
	}
	if err := recordCopy(ctx, t, id, flags.as, clone.Reason); err != nil {
		return err
	}
	return a.withExport(ctx, t, id, copied)
}

// recordCopy notes in the log of a tenant, if it is still there, that it is taken out, unless the copy cannot be called so.
func recordCopy(ctx context.Context, t *target, id uuid.UUID, slug, reason string) error {
	return withOperator(ctx, t, func(tx pgx.Tx) error {
		switch _, err := tenant.FindTenant(ctx, tx, slug); {
		case err == nil:
			return fault.New(fault.Conflict, "There is a tenant "+slug+" already.", "Name another slug with --as.")
		case fault.CodeOf(err) != fault.TenantNotFound:
			return err
		}
		switch _, err := tenant.FindTenant(ctx, tx, id.String()); {
		case fault.CodeOf(err) == fault.TenantNotFound:
			return nil
		case err != nil:
			return err
		}
		_, err := tx.Exec(ctx, queries.Get("RecordExport"), id, fmt.Sprintf("copied as %s: %s", slug, reason))
		return err
	})
}

// makeClone makes the new tenant and says what came of it.
func (a *app) makeClone(ctx context.Context, t *target, clone archive.Clone, asJSON bool) error {
	conn, err := connectOperator(ctx, t)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	progress := a.progress("copying")
	clone.Progress = func(table string, number, of int) { progress(fmt.Sprintf("%s, table %d of %d", table, number, of)) }
	made, err := clone.Run(ctx, conn)
	a.clearProgress()
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(made)
	}
	a.printCloned(made)
	return nil
}

func (a *app) printCloned(made *archive.Cloned) {
	out := a.streams.Out
	var rows [][]string
	var total int64
	for _, t := range made.Tables {
		total += t.Rows
		if t.Rows == 0 {
			continue
		}
		var masked []string
		for _, m := range t.Masked {
			masked = append(masked, m.Column+" ("+m.Rule+")")
		}
		rows = append(rows, []string{t.Table, fmt.Sprint(t.Rows), strings.Join(masked, ", ")})
	}
	a.printTable([]string{"table", "rows", "masked"}, rows)
	a.printLeftOut(made.LeftOut, "not copied")
	for _, note := range made.Notes {
		a.note(note)
	}
	fmt.Fprintf(out, "%s  tenant %s made: %s, %s\n", paint(out, green, "ok"), made.Slug, made.Tenant, plural(int(total), "row"))
}
