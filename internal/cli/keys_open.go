package cli

import (
	"context"
	"crypto/ed25519"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/archive"
	"github.com/vital-db/vital/internal/envelope"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/tenant"
)

func (a *app) keysOpenCommand() *cobra.Command {
	var out, reason, trusted string
	cmd := &cobra.Command{
		Use: "open ARCHIVE", Short: "Write a copy in clear of a tenant's archive that was sealed", Args: exactly("the directory of an archive"),
		Long: "Opens an archive of `vital tenant export --encrypt` with the tenant's key and writes a copy in clear, to hand over. Every file is held to\n" +
			"the manifest. Once the tenant's key was destroyed nothing opens it any more. Destroying the key does not reach the copy.",
		Example: `  vital keys open acme-2026-12-01 --out acme --reason "asked for by their owner"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needReason(reason); err != nil {
				return err
			}
			if out == "" {
				return fault.New(fault.Usage, "This takes a directory to make.", "Name one with --out DIR.")
			}
			return a.withTarget(cmd.Context(), func(t *target) error { return a.copyClear(cmd.Context(), t, args[0], out, reason, trusted) })
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "directory to make")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the tenant's audit log")
	cmd.Flags().StringVar(&trusted, "public-key", "", "public key that must have signed it, in base64; else the one it names itself")
	return cmd
}

func (a *app) copyClear(ctx context.Context, t *target, dir, out, reason, trusted string) error {
	var public ed25519.PublicKey
	var err error
	if trusted != "" {
		if public, err = tenant.ParseAuditPublicKey(trusted); err != nil {
			return err
		}
	}
	opened, err := a.openArchive(ctx, t, dir, public)
	if err != nil {
		return err
	}
	if err := (archive.Export{Dir: out}).Free(); err != nil {
		return err
	}
	signer, err := a.checkpointSigner(t, "")
	if err != nil {
		return err
	}
	var key ed25519.PrivateKey
	if signer != nil {
		key = signer.key
	}
	err = a.onService(ctx, t, "ExportRecord", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, queries.Get("RecordExport"), opened.Tenant.ID, reason)
		return err
	})
	if err != nil && fault.CodeOf(err) != fault.TenantNotFound { // of a tenant that is gone there is an archive all the same
		return err
	}
	manifest, err := opened.CopyClear(out, key)
	if err != nil {
		return err
	}
	a.printExported(manifest, out)
	return nil
}

// tenantKey is the key of a tenant, which is made where there is none.
func (a *app) tenantKey(ctx context.Context, t *target, id uuid.UUID) (key *envelope.Key, err error) {
	_, ring, err := a.needKeyring(t)
	if err != nil {
		return nil, err
	}
	err = a.onService(ctx, t, "KeyMake", func(tx pgx.Tx) (err error) {
		key, err = tenant.LiveKey(ctx, tx, ring, id)
		return err
	})
	return key, err
}

// openArchive opens an archive, a sealed one with the key that this database has of its tenant, who need not be there any more. Errors:
// ArchiveInvalid, and of a sealed one KeyUnavailable, KeyDamaged, KeyDestroyed.
func (a *app) openArchive(ctx context.Context, t *target, dir string, trusted ed25519.PublicKey) (*archive.Archive, error) {
	opened, err := archive.Open(dir, trusted)
	if err != nil || !opened.Sealed() {
		return opened, err
	}
	_, ring, err := a.needKeyring(t)
	if err != nil {
		return nil, err
	}
	var key *envelope.Key
	err = a.onService(ctx, t, "KeyFind", func(tx pgx.Tx) (err error) {
		key, err = tenant.FindKey(ctx, tx, ring, opened.Tenant.ID, *opened.KeyID)
		return err
	})
	if err != nil {
		why := fault.From(err)
		return nil, fault.Wrap(err, why.Code, "The archive cannot be opened. "+why.Message, why.Hint)
	}
	return opened, opened.Unlock(key)
}
