package perf

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	ast "github.com/pganalyze/pg_query_go/v6"
	pgquery "github.com/wasilibs/go-pgquery"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
)

//go:embed statement.sql
var statementText string

var statementQueries = database.ParseQueries(statementText)

// Statement is what pg_stat_statements has of one statement, of all tenants together. Its JSON names are stable.
type Statement struct {
	ID   int64  `json:"id"`
	Text string `json:"text"` // without a value
	Role string `json:"role"`

	Calls       int64   `json:"calls"`
	TotalMS     float64 `json:"total_ms"`
	MeanMS      float64 `json:"mean_ms"`
	DeviationMS float64 `json:"deviation_ms"`
	MaxMS       float64 `json:"max_ms"`
	// Share is TotalMS of that of all statements of the database, from 0 to 1.
	Share       *float64 `json:"share"`
	Rows        int64    `json:"rows"`
	Hit         int64    `json:"buffers_hit"`
	Read        int64    `json:"buffers_read"`
	TempWritten int64    `json:"buffers_temp_written"`
}

// HitRatio is how much of what was read lay in memory, from 0 to 1; false where nothing was read.
func (s Statement) HitRatio() (float64, bool) {
	if s.Hit+s.Read == 0 {
		return 0, false
	}
	return float64(s.Hit) / float64(s.Hit+s.Read), true
}

// Statements are the most costly statements of this database, by the time all their calls took, for an operator.
func Statements(ctx context.Context, conn *pgx.Conn, limit int) ([]Statement, error) {
	if err := RequireOperator(ctx, conn); err != nil {
		return nil, err
	}
	var schema string
	var available bool
	if err := conn.QueryRow(ctx, statementQueries.Get("StatementExtension")).Scan(&schema, &available); err != nil {
		return nil, fmt.Errorf("look for pg_stat_statements: %w", err)
	}
	if schema == "" {
		hint := "Set shared_preload_libraries = 'pg_stat_statements', restart PostgreSQL, and run CREATE EXTENSION pg_stat_statements."
		if !available {
			hint = "Install PostgreSQL's contrib package on the server. " + hint
		}
		return nil, fault.New(fault.ExtensionMissing, "The extension pg_stat_statements is not in this database.", hint)
	}
	var text string
	if err := conn.QueryRow(ctx, statementQueries.Get("StatementTopStatement"), schema).Scan(&text); err != nil {
		return nil, fmt.Errorf("write statement: %w", err)
	}
	rows, err := conn.Query(ctx, text, limit)
	if err != nil {
		return nil, unloaded(err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[Statement])
	if err != nil {
		return nil, unloaded(err)
	}
	for i := range found {
		found[i].Text = WithoutValues(found[i].Text)
	}
	return found, nil
}

// unloaded says what to do where the extension is there and its library is not.
func unloaded(err error) error {
	var said *pgconn.PgError
	if errors.As(err, &said) && said.Code == "55000" {
		return fault.Wrap(err, fault.ExtensionMissing, "The library of pg_stat_statements is not loaded.",
			"Set shared_preload_libraries = 'pg_stat_statements' and restart PostgreSQL.")
	}
	return fmt.Errorf("read pg_stat_statements: %w", err)
}

// WithoutValues is a statement with ? for each constant. pg_stat_statements leaves some in: those of utility
// statements, a password among them, and those of a statement that was forgotten while it ran.
func WithoutValues(text string) string {
	scanned, err := guarded(func() (*ast.ScanResult, error) { return pgquery.Scan(text) })
	if err != nil {
		return "(a statement that cannot be shown without its values)"
	}
	var b strings.Builder
	last := 0
	for _, token := range scanned.GetTokens() {
		start, end := int(token.GetStart()), int(token.GetEnd())
		if start < last || end > len(text) {
			return "(a statement that cannot be shown without its values)"
		}
		b.WriteString(text[last:start])
		last = end
		switch token.GetToken() {
		case ast.Token_SCONST, ast.Token_USCONST, ast.Token_ICONST, ast.Token_FCONST, ast.Token_BCONST, ast.Token_XCONST:
			b.WriteString("?")
		case ast.Token_SQL_COMMENT, ast.Token_C_COMMENT:
			b.WriteString(" ") // whatever somebody wrote
		default:
			b.WriteString(text[start:end])
		}
	}
	b.WriteString(text[last:])
	return b.String()
}
