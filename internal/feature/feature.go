package feature

import (
	"encoding/json"
	"time"
)

// Type is the type of a flag's value.
type Type string

// The types of flagd's flags.
const (
	Boolean Type = "boolean"
	String  Type = "string"
	Number  Type = "number"
	Object  Type = "object"
)

// Reason says what decided, in OpenFeature's words and one of our own, PrerequisiteFailed.
type Reason string

// The reasons of a Result.
const (
	ReasonStatic             Reason = "STATIC"
	ReasonDefault            Reason = "DEFAULT"
	ReasonTargetingMatch     Reason = "TARGETING_MATCH"
	ReasonDisabled           Reason = "DISABLED"
	ReasonPrerequisiteFailed Reason = "PREREQUISITE_FAILED"
	ReasonError              Reason = "ERROR"
)

// ErrorCode is OpenFeature's word for what went wrong.
type ErrorCode string

// The error codes of a Result. A context that cannot be read has no Result: ParseContext returns the
// error, and its caller answers InvalidContext.
const (
	FlagNotFound   ErrorCode = "FLAG_NOT_FOUND"
	ParseError     ErrorCode = "PARSE_ERROR"
	TypeMismatch   ErrorCode = "TYPE_MISMATCH"
	InvalidContext ErrorCode = "INVALID_CONTEXT"
	General        ErrorCode = "GENERAL"
)

// Definition is a flag as it is stored. Its JSON names are the columns of feature_flags.
type Definition struct {
	Key            string          `json:"flag_key"`
	Name           string          `json:"name,omitempty"`
	Description    string          `json:"description,omitempty"`
	Type           Type            `json:"flag_type"`
	Active         bool            `json:"is_active"`
	DefaultEnabled bool            `json:"default_enabled"`
	Variants       json.RawMessage `json:"variants,omitempty"`        // an object of values by name
	DefaultVariant string          `json:"default_variant,omitempty"` // empty: none
	Targeting      json.RawMessage `json:"targeting,omitempty"`
	Prerequisites  json.RawMessage `json:"prerequisites,omitempty"` // an array of Prerequisite
	Metadata       json.RawMessage `json:"metadata,omitempty"`
	Category       string          `json:"category,omitempty"`
	Owner          string          `json:"owner,omitempty"`
	Tags           []string        `json:"tags,omitempty"`
	ExpiresAt      *time.Time      `json:"expires_at,omitempty"`
	Version        int             `json:"version,omitempty"`
}

// Prerequisite asks that another flag evaluates to one of some variants, in the same tenant and context.
type Prerequisite struct {
	FlagKey  string   `json:"flag_key"`
	Variants []string `json:"variants"`
}

// Override is what a tenant has instead of a flag's rules and default.
type Override struct {
	Enabled   *bool           `json:"enabled,omitempty"`
	Variant   string          `json:"variant,omitempty"`
	Config    json.RawMessage `json:"config,omitempty"` // its scalars are added to the flag's metadata
	ExpiresAt *time.Time      `json:"expires_at,omitempty"`
}

// Overrides are the overrides of one tenant by flag key. Nil means none.
type Overrides map[string]Override

// Result is the value of a flag and why it has it. Value and Metadata are JSON that was encoded when the
// flag was compiled; they are shared and must not be changed. No Value means the caller's own default.
type Result struct {
	Key          string          `json:"key"`
	Value        json.RawMessage `json:"value,omitempty"`
	Variant      string          `json:"variant,omitempty"`
	Reason       Reason          `json:"reason"`
	ErrorCode    ErrorCode       `json:"errorCode,omitempty"`
	ErrorDetails string          `json:"errorDetails,omitempty"`
	Metadata     json.RawMessage `json:"metadata,omitempty"`
}
