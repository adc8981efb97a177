package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/archive"
	"github.com/vital-db/vital/internal/tenant"
)

func (a *app) tenantExportCommand() *cobra.Command {
	var flags exportFlags
	cmd := &cobra.Command{
		Use: "export TENANT", Short: "Write everything of one tenant to an archive", Args: exactly("a tenant's slug or id"),
		Long: "Writes every row of a tenant, of one snapshot, to a directory: a file of JSON Lines for each table, and a manifest with rows and\n" +
			"SHA-256, signed with the key of VITAL_AUDIT_KEY_FILE or the private server's own. What is the tenant's is found in the\n" +
			"catalog; accounts are in as far as their users are members. The tenant's audit log says who took it out, before the\n" +
			"first row is read. An export that was broken off goes on where the same is asked for again. With --encrypt every file is sealed with\n" +
			"the tenant's key: destroying that erases the archive, too, wherever copies of it are. docs/reference/archive.md.",
		Example: `  vital tenant export acme --out acme-archive --reason "asked for by their owner"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needReason(flags.reason); err != nil {
				return err
			}
			return a.withTarget(cmd.Context(), func(t *target) error { return a.tenantExport(cmd.Context(), t, args[0], flags) })
		},
	}
	cmd.Flags().StringVar(&flags.out, "out", "", "directory to make; the tenant's slug and the day, in this one, where it is not given")
	cmd.Flags().StringVar(&flags.reason, "reason", "", "why, for the tenant's audit log")
	cmd.Flags().BoolVar(&flags.encrypt, "encrypt", false, "seal every file with the tenant's key; it opens only beside this database, with its keyring")
	cmd.Flags().BoolVar(&flags.asJSON, "json", false, "print the manifest as JSON")
	registerNiceRatio(cmd)
	return cmd
}

type exportFlags struct {
	out, reason     string
	encrypt, asJSON bool
}

func (a *app) tenantExport(ctx context.Context, t *target, reference string, flags exportFlags) error {
	signer, err := a.checkpointSigner(t, "")
	if err != nil {
		return err
	}
	export := archive.Export{Dir: flags.out}
	if signer != nil {
		export.Key = signer.key
	}
	progress := a.progress("reading")
	export.Progress = func(table string, number, of int) { progress(fmt.Sprintf("%s, table %d of %d", table, number, of)) }
	if err := recordExport(ctx, t, &export, reference, flags.reason); err != nil {
		return err
	}
	if flags.encrypt {
		if export.Seal, err = a.tenantKey(ctx, t, export.Tenant); err != nil {
			return err
		}
	}
	conn, err := connectOperator(ctx, t)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	manifest, err := export.Run(ctx, conn)
	a.clearProgress()
	if err != nil {
		return err
	}
	if flags.asJSON {
		return a.printJSON(manifest)
	}
	a.printExported(manifest, export.Dir)
	return nil
}

// recordExport finds the tenant and a place for its archive, and notes in its audit log that it is taken out.
func recordExport(ctx context.Context, t *target, export *archive.Export, reference, reason string) error {
	return withOperator(ctx, t, func(tx pgx.Tx) (err error) {
		if export.Tenant, err = tenant.FindTenant(ctx, tx, reference); err != nil {
			return err
		}
		if export.Dir == "" {
			slugs, err := tenant.Slugs(ctx, tx, []uuid.UUID{export.Tenant})
			if err != nil {
				return err
			}
			export.Dir = fmt.Sprintf("%s-%s", slugs[export.Tenant], time.Now().Format("2006-01-02"))
		}
		if err := export.Free(); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, queries.Get("RecordExport"), export.Tenant, reason)
		return err
	})
}

func (a *app) printExported(m *archive.Manifest, dir string) {
	out := a.streams.Out
	var rows [][]string
	for _, file := range m.Tables {
		if file.Rows > 0 {
			rows = append(rows, []string{file.String(), fmt.Sprint(file.Rows), file.SHA256[:12]})
		}
	}
	a.printTable([]string{"table", "rows", "sha-256"}, rows)
	signed := "not signed: there is no key (VITAL_AUDIT_KEY_FILE)"
	if m.PublicKey != nil {
		signed = "signed"
	}
	if m.KeyID != nil {
		signed += ", sealed with the tenant's key " + m.KeyID.String()
	}
	fmt.Fprintf(out, "%s  %s of %s in %s, as of %s, %s\n", paint(out, green, "ok"), plural(int(m.Rows()), "row"), m.Subject(), dir, m.MadeAt.Format("2006-01-02 15:04:05 MST"), signed)
}
