package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
)

func (a *app) auditSealCommand() *cobra.Command {
	var name string
	var after time.Duration
	cmd := &cobra.Command{
		Use: "seal", Short: "Seal changes and reasons of older audit rows with their tenant's key", Args: noArguments,
		Long: "Seals changes, reason and salt of audit rows with a key of their tenant's, which is made where there is none. Where the keyring\n" +
			"is, vital audit opens them; elsewhere they show no contents, and whether they are as written is still in the chain. The\n" +
			"server does the same every hour with what is older than VITAL_AUDIT_SEAL_AFTER. docs/reference/keys.md.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("older-than") {
				after = a.config.AuditSealAfter
			}
			if after < 0 {
				return fault.New(fault.Usage, "--older-than is negative.", "Give how old rows are that are sealed, as 720h; 0s for all.")
			}
			return a.withTarget(cmd.Context(), func(t *target) error { return a.sealOlder(cmd.Context(), t, name, after) })
		},
	}
	cmd.Flags().StringVar(&name, "tenant", "", "only this tenant, by slug or id")
	cmd.Flags().DurationVar(&after, "older-than", 0, "how old rows are that are sealed (VITAL_AUDIT_SEAL_AFTER)")
	return cmd
}

func (a *app) sealOlder(ctx context.Context, t *target, name string, after time.Duration) error {
	_, ring, err := a.needKeyring(t)
	if err != nil {
		return err
	}
	seal := tenant.AuditSeal{Ring: ring, Before: time.Now().Add(-after)}
	if err := a.onService(ctx, t, "TenantFind", func(tx pgx.Tx) (err error) {
		seal.Tenant, err = namedTenant(ctx, tx, name)
		return err
	}); err != nil {
		return err
	}
	sealed, err := a.sealAudit(ctx, t, seal)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.streams.Out, "%s sealed\n", plural(int(sealed.Rows), "audit row"))
	if sealed.Skipped > 0 {
		return fault.Wrap(sealed.Err, fault.CodeOf(sealed.Err), fmt.Sprintf("Rows of %s stay in clear. The first: %s", plural(sealed.Skipped, "tenant"), fault.From(sealed.Err).Message),
			fault.From(sealed.Err).Hint)
	}
	return nil
}

func (a *app) sealAudit(ctx context.Context, t *target, seal tenant.AuditSeal) (sealed tenant.SealedAudit, err error) {
	service, err := postgres.OpenService(ctx, postgres.Config{ServiceURL: t.serviceURL})
	if err != nil {
		return sealed, err
	}
	defer service.Close()
	progress := a.progress("sealing")
	seal.Progress = func(n int64) { progress(fmt.Sprintf("audit rows, %d so far", n)) }
	defer a.clearProgress()
	return tenant.SealAudit(ctx, service, seal)
}
