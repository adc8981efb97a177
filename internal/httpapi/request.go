package httpapi

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/vital-db/vital/internal/fair"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tracing"
)

type requestKey struct{}

// request is what is known of the request being served; handlers add to it, the log line reads it.
type request struct {
	id       string
	user     uuid.UUID
	tenant   uuid.UUID
	verified bool // the caller is who they say
	authTook time.Duration
	counted  counted
	load     load
	// routine requests come by the thousands, and are counted elsewhere: a log line only says more where one failed.
	routine bool
	err     error
	span    *tracing.Span // nil where it is not traced
}

func requestOf(ctx context.Context) *request {
	return ctx.Value(requestKey{}).(*request) //nolint:forcetypeassert // set by withRequest around every handler
}

// exchange is one request being served, its context and its answer, in one piece of memory.
type exchange struct {
	request  request
	context  requestContext
	response response
	idHeader [1]string
}

// withRequest gives every request an id, a deadline and a bounded body, survives a panic, and writes
// the one log line and the metrics of it.
func (s *Server) withRequest(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		x := &exchange{request: request{id: requestID(r.Header.Get("X-Request-Id"))}, response: response{ResponseWriter: w, request: r}}
		rq, out := &x.request, &x.response
		timeout, bodyBytes := s.bounds(r)
		x.context.Context, x.context.request = s.trace(r, rq), rq
		if timeout > 0 {
			x.context.deadline = started.Add(timeout)
		}
		defer x.context.end()
		r = r.WithContext(&x.context)
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = http.MaxBytesReader(w, r.Body, bodyBytes)
		}
		x.idHeader[0] = rq.id
		header := w.Header()
		header["X-Request-Id"], header["X-Content-Type-Options"] = x.idHeader[:], noSniff
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler { //nolint:errorlint // recover gives the very value
					s.record(r, rq, out, started)
					panic(p)
				}
				s.writeError(out, r, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
			}
			s.record(r, rq, out, started)
		}()
		next.ServeHTTP(out, r)
	})
}

var noSniff = []string{"nosniff"}

// requestContext is the context of a request, up to its deadline. A timer is set only when somebody waits, which an
// answer from memory never does.
type requestContext struct {
	context.Context // the connection's

	request  *request
	deadline time.Time // zero for none
	waited   sync.Once
	timed    context.Context
	cancel   context.CancelFunc
}

// timer is the context with its deadline.
func (c *requestContext) timer() context.Context {
	c.waited.Do(func() {
		c.timed = c.Context
		if !c.deadline.IsZero() {
			c.timed, c.cancel = context.WithDeadline(c.Context, c.deadline)
		}
	})
	return c.timed
}

// end is when the request is answered.
func (c *requestContext) end() {
	c.waited.Do(func() { c.timed = c.Context }) // nobody has waited
	if c.cancel != nil {
		c.cancel()
	}
}

func (c *requestContext) Deadline() (time.Time, bool) { return c.timer().Deadline() }
func (c *requestContext) Done() <-chan struct{}       { return c.timer().Done() }
func (c *requestContext) Err() error                  { return c.timer().Err() }

func (c *requestContext) Value(key any) any {
	switch key.(type) {
	case requestKey:
		return c.request
	case postgres.RequestIDKey:
		return c.request.id
	case fair.ClaimKey:
		return c.request.counted.claim()
	}
	return c.timer().Value(key)
}

const (
	restTimeout   = time.Minute
	restBodyBytes = 16 << 20
	// ofrepBodyBytes bounds a context, which every rule may look through.
	ofrepBodyBytes = 128 << 10
)

// bounds are how long a request may take, 0 for as long as it likes, and how large its body may be: more where data
// comes and goes.
func (s *Server) bounds(r *http.Request) (timeout time.Duration, bodyBytes int64) {
	switch {
	case r.URL.Path == eventsPath, r.URL.Path == contextEventsPath && r.Method == http.MethodGet:
		return 0, 0
	case strings.HasPrefix(r.URL.Path, "/api/") && strings.HasSuffix(r.URL.Path, "/export"):
		return exportTime, s.config.MaxBodyBytes
	case strings.HasPrefix(r.URL.Path, ofrepBase+"/"): // it waits for nothing but a load, which has a bound of its own
		return 0, min(s.config.MaxBodyBytes, ofrepBodyBytes)
	case strings.HasPrefix(r.URL.Path, restBase+"/"):
		return max(s.config.RequestTimeout, restTimeout), max(s.config.MaxBodyBytes, restBodyBytes)
	}
	return s.config.RequestTimeout, s.config.MaxBodyBytes
}

// record writes the request's log line, counts it and keeps its load. The query string stays out: it may hold data.
func (s *Server) record(r *http.Request, rq *request, out *response, started time.Time) {
	took := time.Since(started)
	status := out.statusOr(http.StatusOK)
	traceID, spanID := s.endTrace(r, rq, status)
	s.config.Metrics.observeRequest(r.Pattern, r.Method, status, took, traceID)
	s.fair.learn(rq)
	s.recordLoad(rq, started, took)
	level := slog.LevelInfo
	if rq.routine && rq.err == nil {
		if level = slog.LevelDebug; !s.config.Log.Enabled(r.Context(), level) {
			return
		}
	}
	attrs := append(make([]slog.Attr, 0, 10),
		slog.String("request_id", rq.id), slog.String("method", r.Method), slog.String("path", r.URL.Path),
		slog.Int("status", status), slog.Float64("duration_ms", milliseconds(took)), slog.Int64("bytes", out.bytes))
	attrs = appendID(attrs, "user", rq.user)
	attrs = appendID(attrs, "tenant", rq.tenant)
	if traceID != "" {
		attrs = append(attrs, slog.String("trace_id", traceID), slog.String("span_id", spanID))
	}
	if rq.load.kind != "" && s.config.Loads.Slow(took) {
		level = slog.LevelWarn
		attrs = append(attrs, slog.Bool("slow", true))
	}
	if rq.err != nil {
		code := fault.CodeOf(rq.err)
		s.config.Metrics.observeError(code)
		s.config.Metrics.observeRejection(rq.err)
		attrs = append(attrs, slog.String("code", string(code)))
		if status >= http.StatusInternalServerError {
			level = slog.LevelError
			attrs = append(attrs, slog.String("error", rq.err.Error()))
		}
	}
	if handler := s.config.Log.Handler(); handler.Enabled(r.Context(), level) {
		line := slog.NewRecord(time.Now(), level, "request", 0) // where in the source is always here
		line.AddAttrs(attrs...)
		_ = handler.Handle(r.Context(), line) // as slog does: there is nowhere else to say it
	}
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
	var text [2 * len(random)]byte
	hex.Encode(text[:], random[:])
	return string(text[:])
}

// response remembers what was sent.
type response struct {
	http.ResponseWriter
	request *http.Request // as net/http gave it
	status  int
	bytes   int64
}

func (w *response) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(b []byte) (int, error) {
	w.status = w.statusOr(http.StatusOK)
	if w.bytes == 0 {
		w.holdHead()
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// holdHead lets the head of an answer wait for the rest of it, where so long a body is promised that net/http certainly
// writes once more.
func (w *response) holdHead() {
	promised := w.Header()["Content-Length"]
	if len(promised) != 1 || w.request.Method == http.MethodHead {
		return
	}
	if length, err := strconv.Atoi(promised[0]); err != nil || length < bufferBytes {
		return
	}
	if c, ours := w.request.Context().Value(connKey{}).(*conn); ours {
		c.holdNext()
	}
}

// boundBuffer keeps the system from holding back more than about bytes of the answer.
func (w *response) boundBuffer(bytes int) {
	if c, ours := w.request.Context().Value(connKey{}).(*conn); ours {
		_ = c.SetWriteBuffer(bytes) // else it holds back what it likes
	}
}

func (w *response) statusOr(status int) int {
	if w.status != 0 {
		return w.status
	}
	return status
}

// Unwrap lets http.ResponseController reach the connection.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }
