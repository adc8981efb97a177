package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) migrateBackupCommand() *cobra.Command {
	var flags backupFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use: "backup", Short: "Make a backup, as `vital migrate up` makes one, and see that it can be restored", Args: noArguments,
		Long: "Makes a backup with pg_dump, restores it into a server that is made for it and thrown away, counts there what has\n" +
			"arrived, and keeps the newest: one that is not whole is not kept, and is an error. Nothing of the database is changed or\n" +
			"locked. It takes PostgreSQL's programs, initdb and postgres among them, of the database's version or newer. Prints the\n" +
			"file, and nothing else; `vital migrate restore` takes it. What is in a backup is all of the database's rows: keep it as\n" +
			"closed as that, and a copy elsewhere.",
		Example: "  vital migrate backup --backup-dir /var/backups/vital --keep 14",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := flags.check("--keep counts from 1."); err != nil {
				return err
			}
			return a.withTargetAsItIs(cmd.Context(), func(t *target) error {
				made, err := flags.of(a, t).Make(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return a.printJSON(made)
				}
				fmt.Fprintln(a.streams.Out, made.File)
				return nil
			})
		},
	}
	flags.registerKeep(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what it is as JSON")
	return cmd
}
