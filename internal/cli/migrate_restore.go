package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/schema"
	"github.com/vital-db/vital/internal/tenant"
)

func (a *app) migrateRestoreCommand() *cobra.Command {
	var flags backupFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use: "restore [FILE]", Short: "Put a backup in the place of the database; without a file, list backups", Args: atMost("the file of a backup"),
		Long: "Restores a backup beside the database, compares the rows of every table with what was counted when it was made, and\n" +
			"gives it the database's name. The database that was there is kept under another name, closed to connections, and\n" +
			"said; drop it once it is no longer needed. Open sessions are ended; servers come back by themselves and read everything\n" +
			"anew. Tenants' keys are taken over from the database that is replaced: one that was destroyed since the backup was made stays\n" +
			"destroyed. It takes a login that may create databases and rename this one.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withTargetAsItIs(cmd.Context(), func(t *target) error {
				backups := flags.of(a, t)
				if len(args) == 0 {
					return a.listBackups(backups, asJSON)
				}
				return a.restore(cmd.Context(), t, backups, args[0])
			})
		},
	}
	flags.register(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the list as JSON")
	return cmd
}

func (a *app) listBackups(backups *schema.Backups, asJSON bool) error {
	found, err := backups.List()
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(found)
	}
	if len(found) == 0 {
		fmt.Fprintf(a.streams.Out, "no backups in %s\n", backups.Dir)
		return nil
	}
	rows := make([][]string, len(found))
	for i, b := range found {
		rows[i] = []string{b.MadeAt.Format(time.DateTime), b.Database, fmt.Sprint(b.Version), fmt.Sprint(b.Rows()), fmt.Sprintf("%d kB", (b.Bytes+1023)/1024), b.File}
	}
	a.printTable([]string{"made (UTC)", "database", "schema version", "rows", "size", "file"}, rows)
	return nil
}

func (a *app) restore(ctx context.Context, t *target, backups *schema.Backups, file string) error {
	backup, err := schema.ReadBackup(file)
	if err != nil {
		return err
	}
	backups.Carry = func(ctx context.Context, former, restored string) error {
		return a.carryKeys(ctx, former, restored, backups.Dir, backup)
	}
	kept, err := backups.Restore(ctx, backup)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.streams.Out, "restored %s: schema version %d, %s\n", backup.File, backup.Version, plural(int(backup.Rows()), "row"))
	fmt.Fprintf(a.streams.Out, "kept     the database that was there, as %s\n", kept)
	a.forgetRestored(ctx, t, backup)
	return nil
}

// forgetRestored makes servers that run read everything anew, which has become older than what they remember.
func (a *app) forgetRestored(ctx context.Context, t *target, backup schema.Backup) {
	err := withOperator(ctx, t, func(tx pgx.Tx) error {
		return tenant.InvalidateAll(ctx, tx, "restored from a backup of "+backup.MadeAt.Format(time.RFC3339))
	})
	if err != nil { // an older schema may not know how
		a.note("servers that run may remember what is no longer so: restart them, or run `vital cache invalidate --all`")
		a.log.Warn("remembered contexts were not invalidated", "error", err)
	}
}
