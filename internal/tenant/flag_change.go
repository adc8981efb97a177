package tenant

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/fault"
)

// FlagTarget is what a change of a flag concerns: its definition, or one tenant's override of it.
type FlagTarget struct {
	Key    string
	Tenant *uuid.UUID // nil for the definition
}

// scalar runs the query of the definition, or that of the override with the tenant in front.
func scalar[T any](ctx context.Context, tx pgx.Tx, target FlagTarget, definition, override string, args ...any) (value T, err error) {
	text := flagQueries.Get(definition)
	args = append([]any{target.Key}, args...)
	if target.Tenant != nil {
		text, args = flagQueries.Get(override), append([]any{*target.Tenant}, args...)
	}
	err = tx.QueryRow(ctx, text, args...).Scan(&value)
	return value, err
}

// ChangeFlag changes fields of a definition or override and returns the version it is at now; 0 where an
// override was taken away, which nil changes do. expected is the version the writer has seen, nil for
// whichever: another one is precondition_failed.
func ChangeFlag(ctx context.Context, tx pgx.Tx, target FlagTarget, changes json.RawMessage, expected *int, reason string) (int, error) {
	version, err := scalar[*int](ctx, tx, target, "FlagSet", "FlagOverrideSet", jsonText(changes), expected, orNull(reason))
	if err != nil {
		return 0, fmt.Errorf("change flag: %w", err)
	}
	if version == nil {
		return 0, nil
	}
	return *version, nil
}

// RollbackFlag makes a definition or override what it was at an earlier version, and returns the new one; 0
// where there was no override.
func RollbackFlag(ctx context.Context, tx pgx.Tx, target FlagTarget, to int, reason string) (int, error) {
	version, err := scalar[*int](ctx, tx, target, "FlagRollback", "FlagOverrideRollback", to, orNull(reason))
	if err != nil {
		return 0, fmt.Errorf("roll flag back: %w", err)
	}
	if version == nil {
		return 0, nil
	}
	return *version, nil
}

// ScheduleFlag has a definition or override changed at a time and returns the id of the change. nil changes
// take an override away.
func ScheduleFlag(ctx context.Context, tx pgx.Tx, target FlagTarget, changes json.RawMessage, at time.Time, reason string) (uuid.UUID, error) {
	id, err := scalar[uuid.UUID](ctx, tx, target, "FlagSchedule", "FlagOverrideSchedule", jsonText(changes), at, orNull(reason))
	if err != nil {
		return uuid.Nil, fmt.Errorf("schedule flag change: %w", err)
	}
	return id, nil
}

// CancelFlagChange cancels a scheduled change of a definition, or of a tenant's override.
func CancelFlagChange(ctx context.Context, tx pgx.Tx, tenantID *uuid.UUID, id uuid.UUID, reason string) error {
	text, args := flagQueries.Get("FlagChangeCancel"), []any{id, orNull(reason)}
	if tenantID != nil {
		text, args = flagQueries.Get("FlagOverrideChangeCancel"), []any{*tenantID, id, orNull(reason)}
	}
	if _, err := tx.Exec(ctx, text, args...); err != nil {
		return fmt.Errorf("cancel flag change: %w", err)
	}
	return nil
}

// jsonText is JSON as a parameter; nil is NULL.
func jsonText(raw json.RawMessage) *string {
	if raw == nil {
		return nil
	}
	text := string(raw)
	return &text
}

// FlagVersion is one state a definition or override has had.
type FlagVersion struct {
	Version        int             `json:"version"`
	Config         json.RawMessage `json:"config"`          // null where an override was taken away
	PreviousConfig json.RawMessage `json:"previous_config"` // null before the first
	Reason         *string         `json:"reason"`
	CreatedBy      *uuid.UUID      `json:"created_by"`
	Author         *string         `json:"author"` // their address
	CreatedAt      time.Time       `json:"created_at"`
}

// FlagHistory returns every version of a definition or override, the newest first.
func FlagHistory(ctx context.Context, tx pgx.Tx, target FlagTarget) (versions []FlagVersion, err error) {
	if target.Tenant == nil {
		versions, err = collect[FlagVersion](ctx, tx, flagQueries.Get("FlagHistory"), target.Key)
	} else {
		versions, err = collect[FlagVersion](ctx, tx, flagQueries.Get("FlagOverrideHistory"), *target.Tenant, target.Key)
	}
	if err != nil {
		return nil, fmt.Errorf("read flag history: %w", err)
	}
	if len(versions) == 0 {
		return nil, fault.New(fault.NotFound, fmt.Sprintf("This tenant never had an override of %s.", target.Key), "See vital flags list.")
	}
	return versions, nil
}

// Difference is where two versions differ: a JSON pointer, and what is there in the one and in the other.
type Difference struct {
	Path   string          `json:"path"`
	Before json.RawMessage `json:"before"` // nil where nothing was
	After  json.RawMessage `json:"after"`
}

// DiffFlag returns where two versions of a definition or override differ: to is the newest when nil, from the
// one before to.
func DiffFlag(ctx context.Context, tx pgx.Tx, target FlagTarget, from, to *int) (differences []Difference, err error) {
	if target.Tenant == nil {
		differences, err = collect[Difference](ctx, tx, flagQueries.Get("FlagDiff"), target.Key, from, to)
	} else {
		differences, err = diffOverride(ctx, tx, target, from, to)
	}
	if err != nil {
		return nil, fmt.Errorf("diff flag: %w", err)
	}
	return differences, nil
}

func diffOverride(ctx context.Context, tx pgx.Tx, target FlagTarget, from, to *int) ([]Difference, error) {
	versions, err := FlagHistory(ctx, tx, target)
	if err != nil {
		return nil, err
	}
	if to == nil {
		to = &versions[0].Version
	}
	if from == nil {
		before := *to - 1
		from = &before
	}
	configs := map[int]json.RawMessage{0: json.RawMessage("{}")} // before the first there was none
	for _, v := range versions {
		if configs[v.Version], err = overrideFields(v.Config); err != nil {
			return nil, err
		}
	}
	for _, version := range []int{*from, *to} {
		if _, known := configs[version]; !known {
			return nil, fault.New(fault.NotFound, fmt.Sprintf("There is no version %d of this tenant's override of %s.", version, target.Key),
				fmt.Sprintf("Its newest is %d.", versions[0].Version))
		}
	}
	return collect[Difference](ctx, tx, flagQueries.Get("JSONDiff"), string(configs[*from]), string(configs[*to]))
}

// overrideFields are what an override, given as the row it was or null, says of the flag.
func overrideFields(config json.RawMessage) (json.RawMessage, error) {
	var fields struct {
		Enabled   *bool           `json:"enabled,omitempty"`
		Variant   *string         `json:"variant,omitempty"`
		Config    json.RawMessage `json:"config,omitempty"`
		ExpiresAt *time.Time      `json:"expires_at,omitempty"`
	}
	if err := json.Unmarshal(config, &fields); err != nil {
		return nil, fmt.Errorf("decode override: %w", err)
	}
	if string(fields.Config) == "null" {
		fields.Config = nil
	}
	return json.Marshal(fields)
}

// FlagChange is a scheduled change.
type FlagChange struct {
	ID        uuid.UUID       `json:"id"`
	Key       string          `json:"flag_key"`
	Changes   json.RawMessage `json:"changes"` // null takes an override away
	RunAt     time.Time       `json:"run_at"`
	Status    string          `json:"status"` // pending, applied, failed or cancelled
	Reason    *string         `json:"reason"`
	Author    *string         `json:"author"` // their address
	AppliedAt *time.Time      `json:"applied_at"`
	Error     *string         `json:"error"`
}

// ListFlagChanges returns scheduled changes of definitions, or of a tenant's overrides, by time: those that
// are pending, or with all the others too; at most a thousand.
func ListFlagChanges(ctx context.Context, tx pgx.Tx, tenantID *uuid.UUID, all bool) (changes []FlagChange, err error) {
	if tenantID == nil {
		changes, err = collect[FlagChange](ctx, tx, flagQueries.Get("FlagChangeList"), all)
	} else {
		changes, err = collect[FlagChange](ctx, tx, flagQueries.Get("FlagOverrideChangeList"), all, *tenantID)
	}
	if err != nil {
		return nil, fmt.Errorf("list flag changes: %w", err)
	}
	return changes, nil
}
