package tenant

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
)

//go:embed organization.sql
var organizationText string

var organizationQueries = database.ParseQueries(organizationText)

// Organization is a tenant as operators list it.
type Organization struct {
	ID        uuid.UUID `json:"id"`
	Name      string    `json:"name"`
	Slug      string    `json:"slug"`
	Type      string    `json:"tenant_type"`
	Key       string    `json:"tenant_key"`
	State     string    `json:"lifecycle_state"`
	Tier      string    `json:"subscription_tier"`
	Parent    *string   `json:"parent"` // its slug
	Members   int64     `json:"members"`
	CreatedAt time.Time `json:"created_at"`
}

// OrganizationFilter says which tenants to list.
type OrganizationFilter struct {
	Search string // part of name or slug; "" for all
	State  string // lifecycle_state; "" for all
	Limit  int
	Offset int
}

// ListOrganizations returns the tenants of one page by name, and how many there are in all.
func ListOrganizations(ctx context.Context, tx pgx.Tx, filter OrganizationFilter) ([]Organization, int64, error) {
	rows, err := tx.Query(ctx, organizationQueries.Get("OrganizationList"), filter.Search, filter.State, filter.Limit, filter.Offset)
	if err != nil {
		return nil, 0, fmt.Errorf("list tenants: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Organization])
	if err != nil {
		return nil, 0, fmt.Errorf("list tenants: %w", err)
	}
	var total int64
	if err := tx.QueryRow(ctx, organizationQueries.Get("OrganizationCount"), filter.Search, filter.State).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("count tenants: %w", err)
	}
	return list, total, nil
}

// OrganizationDetail is a tenant with what it is set up with.
type OrganizationDetail struct {
	Organization
	Settings *Settings  `json:"configuration"` // nil where the row is missing
	Apps     []App      `json:"apps"`
	Limits   []LimitUse `json:"limits_used"`
	Approval *Approval  `json:"approval"` // nil for one that never awaited approval, or still does
}

// Approval is who let a pending tenant serve its members.
type Approval struct {
	At     time.Time  `json:"approved_at"`
	By     *uuid.UUID `json:"approved_by"` // nil for an operator's own session
	Email  *string    `json:"email"`
	Role   *string    `json:"role"` // as which they acted
	Login  *string    `json:"database_role"`
	Reason *string    `json:"reason"`
}

// Settings are a row of tenant_configurations.
type Settings struct {
	UI         map[string]any `json:"ui_config"`
	Features   []string       `json:"enabled_features"`
	Apps       []string       `json:"enabled_apps"`
	Tiers      []int          `json:"enabled_agent_tiers"`
	Limits     map[string]any `json:"limits"`
	Compliance map[string]any `json:"compliance_settings"`
}

// App is an app of a tenant.
type App struct {
	Key     string `json:"app_key"`
	Name    string `json:"app_name"`
	Route   string `json:"app_route"`
	Visible bool   `json:"is_visible"`
	Enabled bool   `json:"is_enabled"`
}

// LimitUse is a limit of a tenant's configuration and how much of it is used.
type LimitUse struct {
	Name    string  `json:"limit"`
	Allowed *string `json:"allowed"` // nil for unlimited
	Used    *int64  `json:"used"`    // nil where nothing is counted
}

// ShowOrganization returns one tenant with its configuration, apps and the use of its limits.
func ShowOrganization(ctx context.Context, tx pgx.Tx, id uuid.UUID) (OrganizationDetail, error) {
	var detail OrganizationDetail
	organizations, err := collect[Organization](ctx, tx, organizationQueries.Get("OrganizationRead"), id)
	if err != nil || len(organizations) == 0 {
		return detail, fmt.Errorf("read tenant: %w", err)
	}
	detail.Organization = organizations[0]
	settings, err := collect[Settings](ctx, tx, organizationQueries.Get("OrganizationSettings"), id)
	if err != nil {
		return detail, fmt.Errorf("read configuration: %w", err)
	}
	if len(settings) > 0 {
		detail.Settings = &settings[0]
	}
	if detail.Apps, err = collect[App](ctx, tx, organizationQueries.Get("OrganizationApps"), id); err != nil {
		return detail, fmt.Errorf("read apps: %w", err)
	}
	if detail.Limits, err = collect[LimitUse](ctx, tx, organizationQueries.Get("OrganizationLimits"), id); err != nil {
		return detail, fmt.Errorf("read limits: %w", err)
	}
	approvals, err := collect[Approval](ctx, tx, organizationQueries.Get("OrganizationApproval"), id)
	if err != nil {
		return detail, fmt.Errorf("read approval: %w", err)
	}
	if len(approvals) > 0 {
		detail.Approval = &approvals[0]
	}
	return detail, nil
}

// NewOrganization is a tenant to make. Key "" is the slug.
type NewOrganization struct {
	Name, Slug, Type, Key, Tier string
	Owner                       uuid.UUID
	Parent                      *uuid.UUID
	Template                    string // "" for that of its type
	Pending                     bool
	Reason                      string
}

// CreateOrganization makes a tenant with what its template says and its owner, and returns its id.
func CreateOrganization(ctx context.Context, tx pgx.Tx, wanted NewOrganization) (uuid.UUID, error) {
	state := "active"
	if wanted.Pending {
		state = "pending"
	}
	var id uuid.UUID
	if _, err := tx.Exec(ctx, onboardQueries.Get("OnboardTemplate"), wanted.Template); err != nil {
		return id, fmt.Errorf("use template: %w", err)
	}
	err := tx.QueryRow(ctx, organizationQueries.Get("OrganizationCreate"), wanted.Name, wanted.Slug, wanted.Type, orNull(wanted.Key),
		wanted.Owner, wanted.Tier, wanted.Parent, state, orNull(wanted.Reason)).Scan(&id)
	if err != nil {
		return id, fmt.Errorf("create tenant: %w", err)
	}
	return id, nil
}

// ActFor has the rest of an operator's transaction done, and audited, in the name of the super admin whom reference, an address or
// id, names. It is permission_denied for anybody else.
func ActFor(ctx context.Context, tx pgx.Tx, reference string) error {
	user, err := FindUserByReference(ctx, tx, reference)
	if err != nil {
		return err
	}
	var acts bool
	if err := tx.QueryRow(ctx, organizationQueries.Get("ActFor"), user).Scan(&acts); err != nil {
		return fmt.Errorf("act for a user: %w", err)
	}
	if !acts {
		return fault.New(fault.PermissionDenied, fmt.Sprintf("%s is no super admin of the platform.", reference), "Name one who is, or nobody.")
	}
	return nil
}

// ChangeState moves a tenant in its life (approve, activate, suspend, archive) and returns the state it is
// in then.
func ChangeState(ctx context.Context, tx pgx.Tx, id uuid.UUID, action, reason string) (string, error) {
	var state string
	if err := tx.QueryRow(ctx, organizationQueries.Get("OrganizationMove"), id, action, reason).Scan(&state); err != nil {
		return "", fmt.Errorf("%s tenant: %w", action, err)
	}
	return state, nil
}

// collect reads all rows of a query as structs, column by column.
func collect[T any](ctx context.Context, tx pgx.Tx, text string, args ...any) ([]T, error) {
	rows, err := tx.Query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[T])
}

// orNull is what a parameter that was left out is to the database.
func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
