package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/schema"
	"github.com/vital-db/vital/internal/tenant"
)

func (a *app) keysExportCommand() *cobra.Command {
	return &cobra.Command{
		Use: "export FILE", Short: "Write all tenants' keys, wrapped as they are, and which were destroyed, to a file", Args: exactly("a file to make"),
		Long: "Writes vital.tenant_keys and vital.retired_keks as JSON Lines, for a database that is restored elsewhere from a backup: what was\n" +
			"destroyed since must not come back with it. Keys are wrapped: the file is worth nothing without the keyring, and as much\n" +
			"as a backup with it.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withTarget(cmd.Context(), func(t *target) error {
				file, err := os.OpenFile(args[0], os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
				if err != nil {
					return fault.Wrap(err, fault.Usage, fmt.Sprintf("The file %s cannot be made.", args[0]), "It must not exist yet.")
				}
				var keys int64
				err = withOperator(cmd.Context(), t, func(tx pgx.Tx) (err error) {
					keys, err = tenant.ExportKeys(cmd.Context(), tx, file)
					return err
				})
				if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
					return err
				}
				fmt.Fprintf(a.streams.Out, "%s in %s\n", plural(int(keys), "key"), args[0])
				return nil
			})
		},
	}
}

func (a *app) keysImportCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "import FILE", Short: "Take over keys from another copy of this database; what was destroyed there is destroyed here", Args: exactly("a file of vital keys export"),
		Long: "Takes over what `vital keys export` wrote of another copy of this database: keys that were destroyed there are destroyed here, and\n" +
			"recorded; of two that are wrapped the newer counts; those that are missing are added. A key that is destroyed here stays so.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needReason(reason); err != nil {
				return err
			}
			file, err := os.Open(args[0])
			if err != nil {
				return fault.Wrap(err, fault.Usage, fmt.Sprintf("The file %s cannot be read.", args[0]), "Name one that `vital keys export` has written.")
			}
			defer file.Close()
			return a.withTarget(cmd.Context(), func(t *target) error {
				var done tenant.Carried
				err := withOperator(cmd.Context(), t, func(tx pgx.Tx) (err error) {
					if _, err := tx.Exec(cmd.Context(), queries.Get("GiveReason"), reason); err != nil {
						return err
					}
					done, err = tenant.CarryKeys(cmd.Context(), tx, file)
					return err
				})
				if err != nil {
					return err
				}
				a.printCarried(done)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit logs of tenants whose key is destroyed by it")
	return cmd
}

func (a *app) printCarried(done tenant.Carried) {
	fmt.Fprintf(a.streams.Out, "%s destroyed, %d wrapped newer, %d added\n", plural(int(done.Destroyed), "key"), done.Rewrapped, done.Added)
	if done.LeftOut > 0 {
		a.note(fmt.Sprintf("%s left out: their tenants have other keys here", plural(int(done.LeftOut), "key")))
	}
}

// carryKeys takes keys over from the database that a backup takes the place of, so that what was destroyed since the backup was made does not
// come back with it. Where the backup is too old to have keys, they are kept in a file beside the backups, and what is to be done is said.
func (a *app) carryKeys(ctx context.Context, former, restored, dir string, backup schema.Backup) error {
	var keys bytes.Buffer
	var have bool
	err := withOperator(ctx, &target{operatorURL: former}, func(tx pgx.Tx) (err error) {
		if have, err = tenant.HaveKeys(ctx, tx); err == nil && have {
			_, err = tenant.ExportKeys(ctx, tx, &keys)
		}
		return err
	})
	if err != nil || keys.Len() == 0 {
		return err
	}
	return withOperator(ctx, &target{operatorURL: restored}, func(tx pgx.Tx) error {
		if have, err = tenant.HaveKeys(ctx, tx); err != nil {
			return err
		}
		if !have {
			return a.keepKeys(keys.Bytes(), dir)
		}
		if _, err := tx.Exec(ctx, queries.Get("GiveReason"), "restored from a backup of "+backup.MadeAt.Format(time.RFC3339)); err != nil {
			return err
		}
		done, err := tenant.CarryKeys(ctx, tx, &keys)
		if err == nil && done != (tenant.Carried{}) {
			a.printCarried(done)
		}
		return err
	})
}

// keepKeys keeps exported keys for a database that has no place for them yet.
func (a *app) keepKeys(keys []byte, dir string) error {
	file := filepath.Join(dir, "keys-"+time.Now().UTC().Format("20060102t150405")+".jsonl")
	if err := writeSynced(file, keys, os.O_EXCL, 0o600); err != nil {
		return fault.Wrap(err, fault.BackupFailed, "Tenants' keys cannot be kept in "+file+".", "See that there is room and that you may write there.")
	}
	a.note("the backup is of a version without keys of tenants: once it is migrated, take them over with `vital keys import " + file + " --reason …`, before anything else")
	return nil
}
