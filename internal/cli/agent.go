package cli

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/tenant"
)

func (a *app) agentCommand() *cobra.Command {
	var named string
	cmd := group("agent", "List and assign a tenant's agents, as an operator",
		a.agentListCommand(&named),
		a.agentChangeCommand(&named, "assign", "Assign an agent: the tenant's own, else the platform's", "is assigned to", tenant.AssignAgentTo),
		a.agentChangeCommand(&named, "unassign", "Take an agent from those assigned", "is no longer assigned to", tenant.UnassignAgentFrom))
	cmd.PersistentFlags().StringVar(&named, "tenant", "", "the tenant, by slug or id")
	return cmd
}

func (a *app) agentListCommand(named *string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list --tenant TENANT", Short: "List the agents a tenant has and may assign", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var agents []tenant.Agent
			err := a.inTenant(cmd.Context(), "AgentList", *named, func(tx pgx.Tx, id uuid.UUID) (err error) {
				agents, err = tenant.ListAgents(cmd.Context(), tx, id)
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(agents)
			}
			rows := make([][]string, len(agents))
			for i, g := range agents {
				rows[i] = []string{g.Slug, g.Name, agentOwner(g), fmt.Sprint(g.Tier), g.Status, a.paintWord(assignment(g))}
			}
			a.printTable([]string{"slug", "name", "owner", "tier", "status", "assignment"}, rows)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func agentOwner(g tenant.Agent) string {
	if g.Platform {
		return "platform"
	}
	return "own"
}

// assignment says in a word whether a tenant has an agent.
func assignment(g tenant.Agent) string {
	switch {
	case g.Enabled != nil && *g.Enabled:
		return "assigned"
	case g.Enabled != nil:
		return "off"
	case !g.TierEnabled:
		return "tier not enabled"
	default:
		return "-"
	}
}

func (a *app) agentChangeCommand(named *string, use, short, done string, change func(context.Context, pgx.Tx, uuid.UUID, string) error) *cobra.Command {
	return &cobra.Command{
		Use: use + " AGENT --tenant TENANT", Short: short, Args: exactly("an agent's slug or id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			err := a.inTenant(cmd.Context(), "AgentChange", *named, func(tx pgx.Tx, id uuid.UUID) error {
				return change(cmd.Context(), tx, id, args[0])
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(a.streams.Out, "%s %s %s\n", args[0], done, *named)
			return nil
		},
	}
}
