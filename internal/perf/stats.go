package perf

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
)

//go:embed stats.sql
var statsQueryText string

var statsQueries = database.ParseQueries(statsQueryText)

// Querier is a transaction of an operator's, as service_role.
type Querier interface {
	Query(ctx context.Context, text string, args ...any) (pgx.Rows, error)
}

// Statistic is how loads with one label fared. Times are in milliseconds, rates in percent.
type Statistic struct {
	Label        string   `json:"label"`
	Tenant       *string  `json:"tenant,omitempty"` // slug, where Label is a tenant's id
	Loads        int64    `json:"loads"`
	Avg          *float64 `json:"avg_ms"`
	Min          *float64 `json:"min_ms"`
	Max          *float64 `json:"max_ms"`
	P50          *float64 `json:"p50_ms"`
	P95          *float64 `json:"p95_ms"`
	P99          *float64 `json:"p99_ms"`
	CacheHitRate float64  `json:"cache_hit_rate"`
	ErrorRate    float64  `json:"error_rate"`
}

// Labels are what loads can be counted by. By query and type background jobs are told, too, under their own.
var Labels = []string{"query", "type", "tenant", "code", "all"}

// Statistics returns how the loads between two times fared, what took the most time in all first.
func Statistics(ctx context.Context, db Querier, from, until time.Time, by string) ([]Statistic, error) {
	if !slices.Contains(Labels, by) {
		return nil, fault.New(fault.Usage, fmt.Sprintf("Loads cannot be counted by %q.", by), "Name one of "+strings.Join(Labels, ", ")+".")
	}
	rows, err := db.Query(ctx, statsQueries.Get("Statistics"), from, until, by)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Statistic])
}

// Record is a load, or what a background job asked for, as it was recorded.
type Record struct {
	At        time.Time       `json:"at"`
	Name      string          `json:"query_name"`
	Tenant    *string         `json:"tenant"` // slug
	User      *string         `json:"user"`   // address
	Duration  *float64        `json:"duration_ms"`
	Rows      *int64          `json:"rows"`
	Code      string          `json:"code,omitempty"`
	RequestID string          `json:"request_id,omitempty"`
	Steps     json.RawMessage `json:"steps,omitempty"`
}

// Which says which records are listed.
type Which struct {
	Tenant *uuid.UUID // of one tenant; nil for all
	Failed bool       // those that failed, the latest first
	Jobs   bool       // what background jobs asked for, in place of loads
	Limit  int
}

// Slowest returns the records since that took longest, or those that failed.
func Slowest(ctx context.Context, db Querier, since time.Time, which Which) ([]Record, error) {
	rows, err := db.Query(ctx, statsQueries.Get("Slowest"), since, which.Tenant, which.Failed, which.Jobs, which.Limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Record])
}
