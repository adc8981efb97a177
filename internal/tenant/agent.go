package tenant

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
)

//go:embed agent.sql
var agentText string

var agentQueries = database.ParseQueries(agentText)

// Agent is one a tenant may assign, or has.
type Agent struct {
	ID          uuid.UUID `json:"id"`
	Platform    bool      `json:"platform"` // the platform's, else the tenant's own
	Slug        string    `json:"slug"`
	Name        string    `json:"name"`
	Tier        int       `json:"tier"`
	Status      string    `json:"status"`
	TierEnabled bool      `json:"tier_enabled"`
	Enabled     *bool     `json:"is_enabled"` // nil when it is not assigned
}

// ListAgents returns a tenant's own agents and the platform's, those assigned first.
func ListAgents(ctx context.Context, tx pgx.Tx, tenantID uuid.UUID) ([]Agent, error) {
	agents, err := collect[Agent](ctx, tx, agentQueries.Get("AgentList"), tenantID)
	if err != nil {
		return nil, fmt.Errorf("list agents: %w", err)
	}
	return agents, nil
}

// AssignAgentTo assigns an agent, named by slug or id, to a tenant.
func AssignAgentTo(ctx context.Context, tx pgx.Tx, tenantID uuid.UUID, reference string) error {
	return changeAgent(ctx, tx, "AgentAssignTo", tenantID, reference)
}

// UnassignAgentFrom takes an agent, named by slug or id, from those assigned to a tenant.
func UnassignAgentFrom(ctx context.Context, tx pgx.Tx, tenantID uuid.UUID, reference string) error {
	return changeAgent(ctx, tx, "AgentUnassignFrom", tenantID, reference)
}

func changeAgent(ctx context.Context, tx pgx.Tx, query string, tenantID uuid.UUID, reference string) error {
	var id, owner uuid.UUID
	err := tx.QueryRow(ctx, agentQueries.Get("AgentByReference"), tenantID, reference).Scan(&id, &owner)
	if errors.Is(err, pgx.ErrNoRows) {
		return fault.New(fault.NotFound, fmt.Sprintf("There is no agent %s.", reference), "A tenant has its own agents and those of the platform: see vital agent list.")
	}
	if err != nil {
		return fmt.Errorf("find agent: %w", err)
	}
	if _, err := tx.Exec(ctx, agentQueries.Get(query), tenantID, id, owner); err != nil {
		return fmt.Errorf("change agent: %w", err)
	}
	return nil
}
