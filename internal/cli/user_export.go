package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/archive"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
)

func (a *app) userExportCommand() *cobra.Command {
	var out, reason string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "export EMAIL", Short: "Write what is stored of one person to an archive", Args: exactly("an e-mail address"),
		Long: "Writes what is stored of one person to a directory, in the format of vital tenant export with a manifest of kind person: account,\n" +
			"profile, memberships, sessions, invitations, what they did, and the rows that name them in whichever tenant. The contents of those\n" +
			"rows are in as far as the person may see them; no password, token or hash is. Each tenant they are in is told in its audit log.\n" +
			"Users do the same for themselves with POST /api/me/export. docs/reference/archive.md.",
		Example: `  vital user export ada@acme.test --reason "asked by herself, GDPR article 15"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needReason(reason); err != nil {
				return err
			}
			return a.withTarget(cmd.Context(), func(t *target) error { return a.userExport(cmd.Context(), t, args[0], out, reason, asJSON) })
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "directory to make; the user's id and the day, in this one, where it is not given")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit logs")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the manifest as JSON")
	registerNiceRatio(cmd)
	return cmd
}

func (a *app) userExport(ctx context.Context, t *target, email, out, reason string, asJSON bool) error {
	signer, err := a.checkpointSigner(t, "")
	if err != nil {
		return err
	}
	var user uuid.UUID
	err = withOperator(ctx, t, func(tx pgx.Tx) (err error) {
		if user, err = tenant.FindUser(ctx, tx, email); err != nil {
			return err
		}
		if out == "" {
			out = fmt.Sprintf("person-%s-%s", user, time.Now().Format(time.DateOnly))
		}
		if err := (archive.Export{Dir: out}).Free(); err != nil {
			return err
		}
		return tenant.RecordPersonExport(ctx, tx, user, reason)
	})
	if err != nil {
		return err
	}
	export := archive.PersonExport{User: user, Key: signer.private(), Visible: visibleTo(t, user)}
	conn, err := connectOperator(ctx, t)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var manifest *archive.Manifest
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) (err error) {
		manifest, err = export.Run(ctx, tx, out)
		return err
	})
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(manifest)
	}
	a.printExported(manifest, out)
	return nil
}

// visibleTo runs statements as a user, on a connection of its own, which policies bind then.
func visibleTo(t *target, user uuid.UUID) func(context.Context, uuid.UUID, string, func([]byte) error) error {
	caller := identity.Caller{Role: identity.Authenticated, UserID: user}
	return func(ctx context.Context, tenantID uuid.UUID, statement string, each func([]byte) error) error {
		return withOperator(ctx, t, func(tx pgx.Tx) error {
			if err := postgres.Impersonate(ctx, tx, caller, tenantID.String()); err != nil {
				return err
			}
			rows, err := tx.Query(ctx, statement, user, tenantID)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				if err := each(rows.RawValues()[0]); err != nil {
					return err
				}
			}
			return rows.Err()
		})
	}
}
