package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/schema"
)

func (a *app) migrateCommand() *cobra.Command {
	return group("migrate", "Bring a database up to what this binary expects",
		a.migrateUpCommand(), a.migratePlanCommand(), a.migrateStatusCommand(), a.migrateBackupCommand(), a.migrateRestoreCommand(),
		&cobra.Command{
			Use: "roles", Short: "Print the step that may take a superuser, for psql", Args: noArguments,
			RunE: func(*cobra.Command, []string) error {
				_, err := fmt.Fprint(a.streams.Out, schema.RolesScript())
				return err
			},
		},
	)
}

// backupFlags say where backups are and how many are kept.
type backupFlags struct {
	dir  string
	keep int
}

func (f *backupFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.dir, "backup-dir", "", "directory of backups (default backups in VITAL_DATA_DIR)")
}

// registerKeep is register where backups are made, and the oldest dropped.
func (f *backupFlags) registerKeep(cmd *cobra.Command) {
	f.register(cmd)
	cmd.Flags().IntVar(&f.keep, "keep", 5, "backups to keep, the newest")
}

// check refuses to keep none: the one just made would be dropped, too.
func (f *backupFlags) check(hint string) error {
	if f.keep < 1 {
		return fault.New(fault.Usage, "At least one backup is kept.", hint)
	}
	return nil
}

func (f *backupFlags) of(a *app, t *target) *schema.Backups {
	b := a.backups(t)
	b.Keep = f.keep
	if f.dir != "" {
		b.Dir = f.dir
	}
	return b
}

func (a *app) migrateUpCommand() *cobra.Command {
	var flags backupFlags
	var none bool
	cmd := &cobra.Command{
		Use: "up", Short: "Apply roles, pending migrations and changed objects", Args: noArguments,
		Long: "Applies what is missing, in one transaction: the database is as before or as after. Connects as an operator: a\n" +
			"superuser, or a member of vital_owner, vital_definer and vital_sealer. The logins vital_api and vital_service are made\n" +
			"without a password; set one with psql's \\password before `vital serve`.\n\n" +
			"In a database that was migrated before, it first looks for what stands in the way (pre_migration_check) and at\n" +
			"what the pending SQL would do, and makes a backup, which is restored into a server that is thrown away, and counted;\n" +
			"before it commits, it looks at what the schema has come to (post_migration_check).",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := flags.check("--keep counts from 1; --no-backup makes none."); err != nil {
				return err
			}
			return a.withTargetAsItIs(cmd.Context(), func(t *target) error {
				backups := flags.of(a, t)
				if none {
					backups = nil
				}
				result, err := a.migrateUp(cmd.Context(), t, backups)
				if err != nil {
					return err
				}
				fmt.Fprintf(a.streams.Out, "schema version %d: %s and %s applied\n",
					result.Version, plural(len(result.Migrations), "migration"), plural(len(result.Objects), "object"))
				if t.private == nil || !t.private.Owned() {
					return nil
				}
				return a.setPasswords(cmd.Context(), t)
			})
		},
	}
	flags.registerKeep(cmd)
	cmd.Flags().BoolVar(&none, "no-backup", false, "make no backup")
	return cmd
}

func (a *app) migrateStatusCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "status", Short: "List migrations and objects and whether the database has them", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withTargetAsItIs(cmd.Context(), func(t *target) error {
				migrator, err := schema.NewMigrator(schema.Config{DatabaseURL: t.operatorURL, Log: a.log})
				if err != nil {
					return err
				}
				entries, err := migrator.Status(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return a.printJSON(entries)
				}
				rows := make([][]string, len(entries))
				for i, e := range entries {
					rows[i] = []string{e.Path, a.paintStatus(e.Status)}
				}
				a.printTable([]string{"FILE", "STATUS"}, rows)
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) paintStatus(status string) string {
	switch status {
	case "applied":
		return paint(a.streams.Out, green, status)
	case "pending":
		return paint(a.streams.Out, amber, status)
	default:
		return paint(a.streams.Out, red, status)
	}
}
