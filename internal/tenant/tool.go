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

//go:embed tool.sql
var toolText string

var toolQueries = database.ParseQueries(toolText)

// platformTenant owns what all tenants share.
var platformTenant = uuid.MustParse("00000000-0000-0000-0000-000000000001")

// maxTools is how many tools one list holds at most.
const maxTools = 1000

// Tool is an entry of the tool registry.
type Tool struct {
	ID          uuid.UUID `json:"id"`
	Tenant      string    `json:"tenant"` // its slug
	Slug        string    `json:"slug"`
	Name        string    `json:"name"`
	Type        string    `json:"tool_type"`
	Active      bool      `json:"is_active"`
	Deprecated  bool      `json:"deprecated"`
	Reason      *string   `json:"deprecated_reason"`
	Replacement *string   `json:"replacement"` // its slug
}

// ListTools returns the tools of a tenant and of the platform, or with nil those of every tenant, at most
// a thousand.
func ListTools(ctx context.Context, tx pgx.Tx, tenantID *uuid.UUID) ([]Tool, error) {
	tools, err := collect[Tool](ctx, tx, toolQueries.Get("ToolList"), tenantID, maxTools)
	if err != nil {
		return nil, fmt.Errorf("list tools: %w", err)
	}
	return tools, nil
}

// DeprecateTool marks a tenant's tool as one to use no longer; tool and replacement ("" for none) are
// named by slug or id.
func DeprecateTool(ctx context.Context, tx pgx.Tx, tenantID uuid.UUID, reference, reason, replacement string) error {
	id, err := findTool(ctx, tx, tenantID, tenantID, reference)
	if err != nil {
		return err
	}
	var by *uuid.UUID
	if replacement != "" {
		found, err := findTool(ctx, tx, tenantID, platformTenant, replacement)
		if err != nil {
			return err
		}
		by = &found
	}
	if _, err := tx.Exec(ctx, toolQueries.Get("ToolDeprecate"), tenantID, id, reason, by); err != nil {
		return fmt.Errorf("deprecate tool: %w", err)
	}
	return nil
}

// findTool looks for a tool of the tenant, else of the other one.
func findTool(ctx context.Context, tx pgx.Tx, tenantID, otherID uuid.UUID, reference string) (id uuid.UUID, err error) {
	err = tx.QueryRow(ctx, toolQueries.Get("ToolByReference"), tenantID, reference, otherID).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return id, fault.New(fault.NotFound, fmt.Sprintf("There is no tool %s.", reference), "Name it by slug or id: see vital tool list.")
	}
	if err != nil {
		return id, fmt.Errorf("find tool: %w", err)
	}
	return id, nil
}

// ToolHealth is how a tool fared in a span of days.
type ToolHealth struct {
	ID            uuid.UUID `json:"tool_id"`
	Name          string    `json:"tool_name"`
	Uses          int64     `json:"total_uses"`
	SuccessRate   *float64  `json:"success_rate"` // percent; nil when unused
	Milliseconds  *float64  `json:"avg_execution_time_ms"`
	UniqueTenants int64     `json:"unique_tenants"`
	Status        string    `json:"health_status"` // UNUSED, HEALTHY, DEGRADED, UNHEALTHY or DEPRECATED
	Deprecated    bool      `json:"deprecated"`
	Replacement   *string   `json:"replacement"` // its slug
}

// ReadToolHealth returns how the tools of a tenant and of the platform fared in the last days by that
// tenant's uses, or with nil all tools by all uses.
func ReadToolHealth(ctx context.Context, tx pgx.Tx, tenantID *uuid.UUID, days int) ([]ToolHealth, error) {
	tools, err := collect[ToolHealth](ctx, tx, toolQueries.Get("ToolHealth"), tenantID, days)
	if err != nil {
		return nil, fmt.Errorf("read tool health: %w", err)
	}
	return tools, nil
}
