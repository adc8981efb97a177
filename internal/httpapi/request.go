package httpapi

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
)

type requestKey struct{}

// request is what is known of the request being served; handlers add to it, the log line reads it.
type request struct {
	id       string
	user     uuid.UUID
	tenant   uuid.UUID
	authTook time.Duration
	err      error
}

func requestOf(ctx context.Context) *request {
	return ctx.Value(requestKey{}).(*request) //nolint:forcetypeassert // set by withRequest around every handler
}

// withRequest gives every request an id, a deadline and a bounded body, survives a panic, and writes
// the one log line and the metrics of it.
func (s *Server) withRequest(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		rq := &request{id: requestID(r.Header.Get("X-Request-Id"))}
		timeout, bodyBytes := s.bounds(r)
		ctx, cancel := context.WithTimeout(postgres.WithRequestID(context.WithValue(r.Context(), requestKey{}, rq), rq.id), timeout)
		defer cancel()
		r = r.WithContext(ctx)
		if r.Body != nil {
			r.Body = http.MaxBytesReader(w, r.Body, bodyBytes)
		}
		out := &response{ResponseWriter: w}
		out.Header().Set("X-Request-Id", rq.id)
		out.Header().Set("X-Content-Type-Options", "nosniff")
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler { //nolint:errorlint // recover gives the very value
					s.record(r, rq, out, time.Since(started))
					panic(p)
				}
				s.writeError(out, r, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
			}
			s.record(r, rq, out, time.Since(started))
		}()
		next.ServeHTTP(out, r)
	})
}

const (
	restTimeout   = time.Minute
	restBodyBytes = 16 << 20
)

// bounds are how long a request may take and how large its body may be: more where data comes and goes.
func (s *Server) bounds(r *http.Request) (timeout time.Duration, bodyBytes int64) {
	if strings.HasPrefix(r.URL.Path, restBase+"/") {
		return max(s.config.RequestTimeout, restTimeout), max(s.config.MaxBodyBytes, restBodyBytes)
	}
	return s.config.RequestTimeout, s.config.MaxBodyBytes
}

// record writes the request's log line and counts it. The query string stays out: it may hold data.
func (s *Server) record(r *http.Request, rq *request, out *response, took time.Duration) {
	status := out.statusOr(http.StatusOK)
	s.config.Metrics.observeRequest(r.Pattern, r.Method, status, took)
	level := slog.LevelInfo
	attrs := []slog.Attr{
		slog.String("request_id", rq.id), slog.String("method", r.Method), slog.String("path", r.URL.Path),
		slog.Int("status", status), slog.Float64("duration_ms", milliseconds(took)), slog.Int64("bytes", out.bytes),
	}
	attrs = appendID(attrs, "user", rq.user)
	attrs = appendID(attrs, "tenant", rq.tenant)
	if rq.err != nil {
		code := fault.CodeOf(rq.err)
		s.config.Metrics.observeError(code)
		attrs = append(attrs, slog.String("code", string(code)))
		if status >= http.StatusInternalServerError {
			level = slog.LevelError
			attrs = append(attrs, slog.String("error", rq.err.Error()))
		}
	}
	s.config.Log.LogAttrs(r.Context(), level, "request", attrs...)
}

func appendID(attrs []slog.Attr, name string, id uuid.UUID) []slog.Attr {
	if id == uuid.Nil {
		return attrs
	}
	return append(attrs, slog.String(name, id.String()))
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1000
}

// requestID keeps the caller's id when it is harmless in a log, else makes one.
func requestID(given string) string {
	if len(given) > 0 && len(given) <= 64 {
		harmless := true
		for _, c := range []byte(given) {
			harmless = harmless && (c == '-' || c == '_' || c == '.' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z')
		}
		if harmless {
			return given
		}
	}
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	return hex.EncodeToString(random[:])
}

// response remembers what was sent.
type response struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *response) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(b []byte) (int, error) {
	w.status = w.statusOr(http.StatusOK)
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

func (w *response) statusOr(status int) int {
	if w.status != 0 {
		return w.status
	}
	return status
}

// Unwrap lets http.ResponseController reach the connection.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }
