package cli

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/tenant"
)

func (a *app) toolCommand() *cobra.Command {
	return group("tool", "List, deprecate and watch tools, as an operator", a.toolListCommand(), a.toolDeprecateCommand(), a.toolHealthCommand())
}

// ofTools runs fn with the tenant named, or with nil for all.
func (a *app) ofTools(ctx context.Context, name, reference string, fn func(pgx.Tx, *uuid.UUID) error) error {
	if reference == "" {
		return a.asService(ctx, name, func(tx pgx.Tx) error { return fn(tx, nil) })
	}
	return a.inTenant(ctx, name, reference, func(tx pgx.Tx, id uuid.UUID) error { return fn(tx, &id) })
}

func (a *app) toolListCommand() *cobra.Command {
	var named string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List tools: all, or a tenant's own and the platform's", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var tools []tenant.Tool
			err := a.ofTools(cmd.Context(), "ToolList", named, func(tx pgx.Tx, id *uuid.UUID) (err error) {
				tools, err = tenant.ListTools(cmd.Context(), tx, id)
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(tools)
			}
			rows := make([][]string, len(tools))
			for i, t := range tools {
				state := "active"
				switch {
				case t.Deprecated:
					state = "deprecated"
				case !t.Active:
					state = "inactive"
				}
				rows[i] = []string{t.Slug, t.Name, t.Tenant, t.Type, a.paintWord(state), orDash(t.Replacement)}
			}
			a.printTable([]string{"slug", "name", "tenant", "type", "state", "use instead"}, rows)
			return nil
		},
	}
	cmd.Flags().StringVar(&named, "tenant", "", "the tenant, by slug or id; without it, all")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) toolDeprecateCommand() *cobra.Command {
	var named, reason, replacement string
	cmd := &cobra.Command{
		Use: "deprecate TOOL --tenant TENANT --reason REASON", Short: "Mark a tool as one to use no longer", Args: exactly("a tool's slug or id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needReason(reason); err != nil {
				return err
			}
			err := a.inTenant(cmd.Context(), "ToolDeprecate", named, func(tx pgx.Tx, id uuid.UUID) error {
				return tenant.DeprecateTool(cmd.Context(), tx, id, args[0], reason, replacement)
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(a.streams.Out, "tool %s of %s is deprecated\n", args[0], named)
			return nil
		},
	}
	cmd.Flags().StringVar(&named, "tenant", "", "the tenant whose tool it is, by slug or id")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit log and for who still uses it")
	cmd.Flags().StringVar(&replacement, "replacement", "", "tool to use instead, by slug or id: the tenant's own or the platform's")
	return cmd
}

func (a *app) toolHealthCommand() *cobra.Command {
	var named string
	var days int
	var asJSON bool
	cmd := &cobra.Command{
		Use: "health", Short: "Show how tools fared in the last days", Args: noArguments,
		Long: "Shows how the active tools fared: all by all uses, or with --tenant that tenant's and the platform's by its\n" +
			"uses alone. HEALTHY from 80 % of successes, DEGRADED from 50 %, else UNHEALTHY; UNUSED and DEPRECATED.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if days < 1 || days > 3650 {
				return fault.New(fault.Usage, "That is no span of days.", "--days goes from 1 to 3650.")
			}
			var tools []tenant.ToolHealth
			err := a.ofTools(cmd.Context(), "ToolHealth", named, func(tx pgx.Tx, id *uuid.UUID) (err error) {
				tools, err = tenant.ReadToolHealth(cmd.Context(), tx, id, days)
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(tools)
			}
			rows := make([][]string, len(tools))
			for i, t := range tools {
				rate := "-"
				if t.SuccessRate != nil {
					rate = fmt.Sprintf("%.1f %%", *t.SuccessRate)
				}
				rows[i] = []string{t.Name, a.paintWord(t.Status), fmt.Sprint(t.Uses), rate, orDash(t.Milliseconds), fmt.Sprint(t.UniqueTenants), orDash(t.Replacement)}
			}
			a.printTable([]string{"tool", "health", "uses", "success", "avg ms", "tenants", "use instead"}, rows)
			return nil
		},
	}
	cmd.Flags().StringVar(&named, "tenant", "", "the tenant, by slug or id; without it, all")
	cmd.Flags().IntVar(&days, "days", 30, "how many days back")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
