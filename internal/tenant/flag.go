package tenant

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/feature"
)

//go:embed flag.sql
var flagText string

var flagQueries = database.ParseQueries(flagText)

// Flags are all flag definitions and evaluators of the platform.
type Flags struct {
	Version int64 // of the scope global: it rises with each change of what is below
	Source  feature.Source
}

// LoadFlags returns all flag definitions and evaluators, with the version they belong to: one statement, one
// snapshot.
func LoadFlags(ctx context.Context, tx pgx.Tx) (Flags, error) {
	var flags Flags
	err := tx.QueryRow(ctx, flagQueries.Get("FlagDefinitions")).Scan(&flags.Version, &flags.Source.Definitions, &flags.Source.Evaluators)
	if err != nil {
		return Flags{}, fmt.Errorf("load flags: %w", err)
	}
	return flags, nil
}

// TenantFlags are what a tenant has of its own.
type TenantFlags struct {
	Version int64 // of the scope tenant
	// Tenant is what rules may ask of it: {id, slug, type, tier, parent_id, key}.
	Tenant json.RawMessage
	// Overrides by flag key; one that has run out is among them, with its end.
	Overrides feature.Overrides
}

// LoadOverrides returns a tenant's overrides, with the version they belong to: one statement, one snapshot.
// It is tenant_not_found when there is no such tenant.
func LoadOverrides(ctx context.Context, tx pgx.Tx, tenantID uuid.UUID) (TenantFlags, error) {
	var flags TenantFlags
	var overrides []struct {
		Key string `json:"flag_key"`
		feature.Override
	}
	err := tx.QueryRow(ctx, flagQueries.Get("FlagOverrides"), tenantID).Scan(&flags.Version, &flags.Tenant, &overrides)
	if errors.Is(err, pgx.ErrNoRows) {
		return TenantFlags{}, fault.New(fault.TenantNotFound, "There is no such tenant.", "Name it by its id, as in the table organizations.")
	}
	if err != nil {
		return TenantFlags{}, fmt.Errorf("load overrides: %w", err)
	}
	flags.Overrides = make(feature.Overrides, len(overrides))
	for _, o := range overrides {
		flags.Overrides[o.Key] = o.Override
	}
	return flags, nil
}

// Evaluations are how often a flag came to a variant in a tenant, as a server has counted them.
type Evaluations struct {
	TenantID uuid.UUID `json:"tenant_id"`
	FlagKey  string    `json:"flag_key"`
	Variant  string    `json:"variant"` // "" for none
	Count    int64     `json:"evaluations"`
	Last     time.Time `json:"last_evaluated_at"`
}

// CountEvaluations adds evaluations to the usage of flags, in one statement. Flags and tenants that are no
// longer there are left out. It returns how many rows of usage were written.
func CountEvaluations(ctx context.Context, tx pgx.Tx, batch []Evaluations) (written int, err error) {
	if len(batch) == 0 {
		return 0, nil
	}
	text, err := json.Marshal(batch)
	if err != nil {
		return 0, fmt.Errorf("encode evaluations: %w", err)
	}
	if err := tx.QueryRow(ctx, flagQueries.Get("FlagEvaluationsCount"), string(text)).Scan(&written); err != nil {
		return 0, fmt.Errorf("count evaluations: %w", err)
	}
	return written, nil
}

// ForgetFlagUsage deletes at most limit counts of evaluations that are older than they are kept.
func ForgetFlagUsage(ctx context.Context, tx pgx.Tx, limit int) (forgotten int, err error) {
	if err := tx.QueryRow(ctx, flagQueries.Get("FlagUsageForget"), limit).Scan(&forgotten); err != nil {
		return 0, fmt.Errorf("forget flag usage: %w", err)
	}
	return forgotten, nil
}

// ApplyDueFlagChanges makes at most limit scheduled changes whose time has come, and says how many were made
// and how many could not be.
func ApplyDueFlagChanges(ctx context.Context, tx pgx.Tx, limit int) (applied, failed int, err error) {
	if err := tx.QueryRow(ctx, flagQueries.Get("FlagChangesApply"), limit).Scan(&applied, &failed); err != nil {
		return 0, 0, fmt.Errorf("apply flag changes: %w", err)
	}
	return applied, failed, nil
}

// Flag is a definition as lists show it.
type Flag struct {
	Key            string     `json:"flag_key"`
	Type           string     `json:"flag_type"`
	Active         bool       `json:"is_active"`
	DefaultVariant *string    `json:"default_variant"` // on or off for a boolean flag without variants
	Owner          *string    `json:"owner"`
	ExpiresAt      *time.Time `json:"expires_at"`
	Version        int        `json:"version"`
	UpdatedAt      time.Time  `json:"updated_at"`
	Description    *string    `json:"description"`
}

// ListFlags returns all definitions by key.
func ListFlags(ctx context.Context, tx pgx.Tx) ([]Flag, error) {
	flags, err := collect[Flag](ctx, tx, flagQueries.Get("FlagList"))
	if err != nil {
		return nil, fmt.Errorf("list flags: %w", err)
	}
	return flags, nil
}

// FlagOverride is a tenant's override as lists show it.
type FlagOverride struct {
	Key       string          `json:"flag_key"`
	Type      string          `json:"flag_type"`
	Active    bool            `json:"is_active"` // of the flag
	Enabled   *bool           `json:"enabled"`
	Variant   *string         `json:"variant"`
	Config    json.RawMessage `json:"config"`
	ExpiresAt *time.Time      `json:"expires_at"`
	Reason    *string         `json:"reason"`
	Version   int             `json:"version"`
	UpdatedAt time.Time       `json:"updated_at"`
}

// ListFlagOverrides returns a tenant's overrides by flag key.
func ListFlagOverrides(ctx context.Context, tx pgx.Tx, tenantID uuid.UUID) ([]FlagOverride, error) {
	overrides, err := collect[FlagOverride](ctx, tx, flagQueries.Get("FlagOverrideList"), tenantID)
	if err != nil {
		return nil, fmt.Errorf("list overrides: %w", err)
	}
	return overrides, nil
}

// StaleFlag is a flag to look at in the monthly review.
type StaleFlag struct {
	Key           string     `json:"flag_key"`
	Reasons       []string   `json:"reasons"` // never_evaluated, one_value, inactive, expired, no_owner
	Owner         *string    `json:"owner"`
	ExpiresAt     *time.Time `json:"expires_at"`
	LastEvaluated *time.Time `json:"last_evaluated_on"`
	Variant       *string    `json:"variant"` // the one value, where that is the reason; "" for none
	UpdatedAt     time.Time  `json:"updated_at"`
}

// ListStaleFlags returns the flags to look at, judged by the last days.
func ListStaleFlags(ctx context.Context, tx pgx.Tx, days int) ([]StaleFlag, error) {
	flags, err := collect[StaleFlag](ctx, tx, flagQueries.Get("FlagsStale"), days)
	if err != nil {
		return nil, fmt.Errorf("list stale flags: %w", err)
	}
	return flags, nil
}
