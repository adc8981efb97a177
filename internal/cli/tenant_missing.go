package cli

import (
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/consistency"
	"github.com/vital-db/vital/internal/fault"
)

func (a *app) tenantMissingCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "missing [TENANT]", Short: "Say what tenants lack of what they need to load", Args: atMost("a tenant"),
		Long: "Runs detect_missing_tenant_data() for one tenant, or for every active one, which shows those alone that lack something:\n" +
			"configuration, apps, users, members, an admin. Exit code 3 when anything is missing.",
		RunE: func(cmd *cobra.Command, args []string) error {
			reference := ""
			if len(args) > 0 {
				reference = args[0]
			}
			return a.withTarget(cmd.Context(), func(t *target) error {
				var found []consistency.Missing
				err := withOperator(cmd.Context(), t, func(tx pgx.Tx) (err error) {
					found, err = consistency.DetectMissing(cmd.Context(), tx, reference)
					return err
				})
				if err != nil {
					return err
				}
				return a.reportMissing(found, reference == "", asJSON)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) reportMissing(found []consistency.Missing, onlyMissing, asJSON bool) error {
	out := a.streams.Out
	lacking := map[string]bool{}
	var rows [][]string
	for _, m := range found {
		colour := green
		if m.Status != "OK" {
			colour, lacking[m.Tenant] = red, true
		}
		if m.Status != "OK" || !onlyMissing {
			rows = append(rows, []string{m.Tenant, m.Data, paint(out, colour, m.Status), fmt.Sprint(m.Count), m.Issue})
		}
	}
	switch {
	case asJSON:
		if err := a.printJSON(found); err != nil {
			return err
		}
	case len(rows) == 0:
		fmt.Fprintf(out, "%s  no tenant lacks anything\n", paint(out, green, "ok"))
	default:
		a.printTable([]string{"tenant", "data", "status", "records", "issue"}, rows)
	}
	if len(lacking) > 0 {
		return fault.New(fault.FindingsFound, "Something is missing in "+plural(len(lacking), "tenant")+".", "`vital fix data` shows what can be repaired; docs/reference/data.md says what each means.")
	}
	return nil
}
