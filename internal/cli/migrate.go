package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/schema"
)

func (a *app) migrateCommand() *cobra.Command {
	return group("migrate", "Bring a database up to what this binary expects",
		a.migrateUpCommand(), a.migrateStatusCommand(),
		&cobra.Command{
			Use: "roles", Short: "Print the step that may take a superuser, for psql", Args: noArguments,
			RunE: func(*cobra.Command, []string) error {
				_, err := fmt.Fprint(a.streams.Out, schema.RolesScript())
				return err
			},
		},
	)
}

func (a *app) migrateUpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "up", Short: "Apply roles, pending migrations and changed objects", Args: noArguments,
		Long: "Applies what is missing. Connects as an operator: a superuser, or a member of vital_owner, vital_definer\n" +
			"and vital_sealer. The logins vital_api and vital_service are made without a password; set one with\n" +
			"psql's \\password before `vital serve`.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withTarget(cmd.Context(), func(t *target) error {
				migrator, err := schema.NewMigrator(schema.Config{DatabaseURL: t.operatorURL, Log: a.log})
				if err != nil {
					return err
				}
				result, err := migrator.Up(cmd.Context())
				if err != nil {
					return err
				}
				fmt.Fprintf(a.streams.Out, "schema version %d: %d migrations and %d objects applied\n",
					result.Version, len(result.Migrations), len(result.Objects))
				return nil
			})
		},
	}
}

func (a *app) migrateStatusCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "status", Short: "List migrations and objects and whether the database has them", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withTarget(cmd.Context(), func(t *target) error {
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
