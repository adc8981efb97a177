package cli

import (
	"context"
	"io"
	"log/slog"

	"github.com/google/uuid"

	"github.com/vital-db/vital/internal/httpapi"
	"github.com/vital-db/vital/internal/postgres"
)

// newLog writes lines a person reads on a terminal, and JSON anywhere else. Flush the returned writer
// before the program ends.
func newLog(w io.Writer, level slog.Level) (*slog.Logger, *logWriter) {
	options := &slog.HandlerOptions{Level: level}
	writer := newLogWriter(w)
	if isTerminal(w) {
		return slog.New(promptly{slog.NewTextHandler(writer, options), writer}), writer
	}
	return slog.New(promptly{slog.NewJSONHandler(writer, options), writer}), writer
}

// logQuery writes the one line of a database transaction: who, in which tenant, how long. Slow and
// failed ones stand out; the text of the statement and its values stay out.
func (a *app) logQuery(ctx context.Context, q postgres.Query) {
	level := slog.LevelInfo
	id := httpapi.RequestID(ctx)
	if id == "" {
		level = slog.LevelDebug // every few seconds, asked for by nobody
	}
	attrs := []slog.Attr{
		slog.String("name", q.Name),
		slog.Float64("duration_ms", float64(q.Duration.Microseconds())/1000),
		slog.Int64("rows", q.Rows),
	}
	if id != "" {
		attrs = append(attrs, slog.String("request_id", id))
	}
	if q.UserID != uuid.Nil {
		attrs = append(attrs, slog.String("user", q.UserID.String()))
	}
	if q.Tenant != uuid.Nil {
		attrs = append(attrs, slog.String("tenant", q.Tenant.String()))
	}
	if q.Duration > a.config.SlowQuery {
		level = slog.LevelWarn
		attrs = append(attrs, slog.Bool("slow", true))
	}
	if q.Err != nil {
		level = slog.LevelWarn
		attrs = append(attrs, slog.String("code", q.Code()))
	}
	a.log.LogAttrs(ctx, level, "query", attrs...)
}
