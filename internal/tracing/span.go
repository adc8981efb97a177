package tracing

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/vital-db/vital/internal/cache"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
)

// Attributes beside those of OpenTelemetry's conventions.
const (
	requestIDKey = attribute.Key("vital.request.id")
	tenantKey    = attribute.Key("vital.tenant.id")
	userKey      = attribute.Key("vital.user.id")
	cacheHitKey  = attribute.Key("vital.cache.hit")
	waitTimeKey  = attribute.Key("vital.db.wait_time") // seconds
)

// Span is that of a request. A nil one is of a request that is not traced.
type Span struct{ span trace.Span }

// Request begins the span of r, in the trace that its headers bring, else in one of its own. What is done with the
// context it returns stands below that span.
func (t *Tracer) Request(ctx context.Context, r *http.Request) (context.Context, *Span) {
	if t == nil {
		return ctx, nil
	}
	if len(r.Header["Traceparent"]) == 1 { // of several, nobody knows which is meant
		ctx = w3c.Extract(ctx, propagation.HeaderCarrier(r.Header))
	}
	ctx, span := t.tracer.Start(ctx, method(r.Method), trace.WithSpanKind(trace.SpanKindServer))
	return ctx, &Span{span}
}

// Sampled returns the ids of a span that is kept; "" of one that is not.
func (s *Span) Sampled() (traceID, spanID string) {
	if s == nil {
		return "", ""
	}
	of := s.span.SpanContext()
	if !of.IsSampled() {
		return "", ""
	}
	return of.TraceID().String(), of.SpanID().String()
}

// Answered is how a request was answered.
type Answered struct {
	ID     string // the request's
	Method string
	Route  string // as the source writes it; "" for none
	Status int
	Tenant uuid.UUID // the one it ran in, as the database said; zero for none
	User   uuid.UUID // zero for nobody
	Code   fault.Code
	// Loads says that the request loads data, and CacheHit that memory had it.
	Loads, CacheHit bool
}

// End ends the span of a request.
func (s *Span) End(a Answered) {
	if s == nil {
		return
	}
	defer s.span.End()
	if !s.span.IsRecording() {
		return
	}
	if a.Route != "" {
		s.span.SetName(method(a.Method) + " " + a.Route)
	}
	attributes := append(make([]attribute.KeyValue, 0, 8),
		semconv.HTTPRequestMethodKey.String(knownMethod(a.Method)), semconv.HTTPResponseStatusCode(a.Status), requestIDKey.String(a.ID))
	if a.Route != "" {
		attributes = append(attributes, semconv.HTTPRoute(a.Route))
	}
	attributes = appendID(attributes, tenantKey, a.Tenant)
	attributes = appendID(attributes, userKey, a.User)
	if a.Loads {
		attributes = append(attributes, cacheHitKey.Bool(a.CacheHit))
	}
	if a.Code != "" {
		attributes = append(attributes, semconv.ErrorTypeKey.String(string(a.Code)))
	}
	if a.Status >= http.StatusInternalServerError { // what a caller does wrong is no error of the server
		s.span.SetStatus(codes.Error, "")
	}
	s.span.SetAttributes(attributes...)
}

// Query adds the transaction that q records to the request that ctx belongs to, if that is traced. It is over: what was
// asked for by nobody has no span.
func (t *Tracer) Query(ctx context.Context, q postgres.Query) {
	if t == nil || !trace.SpanContextFromContext(ctx).IsSampled() {
		return
	}
	attributes := append(make([]attribute.KeyValue, 0, 10),
		semconv.DBSystemNamePostgreSQL, semconv.DBNamespace(q.Server.Database), semconv.DBOperationName(q.Name),
		semconv.ServerAddress(q.Server.Host), semconv.ServerPort(int(q.Server.Port)), waitTimeKey.Float64(q.Waited.Seconds()))
	if q.Err == nil { // else it may be one that was only asked for
		attributes = append(appendID(attributes, tenantKey, q.Tenant), semconv.DBResponseReturnedRows(int(q.Rows)))
	}
	t.past(ctx, q.Name, q.Duration, q.Code(), attributes)
}

// Script adds what Redis was asked to the request that ctx belongs to, if that is traced.
func (t *Tracer) Script(ctx context.Context, s cache.Script) {
	if t == nil || !trace.SpanContextFromContext(ctx).IsSampled() {
		return
	}
	const operation = "EVALSHA"
	t.past(ctx, operation+" "+s.Name, s.Duration, s.Code, []attribute.KeyValue{
		semconv.DBSystemNameRedis, semconv.DBOperationName(operation), semconv.DBStoredProcedureName(s.Name),
	})
}

// past adds a span of something that was asked of another server and has just ended: well where code is "".
func (t *Tracer) past(ctx context.Context, name string, took time.Duration, code string, attributes []attribute.KeyValue) {
	ended := time.Now()
	_, span := t.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(ended.Add(-took)), trace.WithAttributes(attributes...))
	fail(span, code)
	span.End(trace.WithTimestamp(ended))
}

func fail(span trace.Span, code string) {
	if code != "" {
		span.SetAttributes(semconv.ErrorTypeKey.String(code))
		span.SetStatus(codes.Error, "") // an error's text may hold data
	}
}

func appendID(attributes []attribute.KeyValue, key attribute.Key, id uuid.UUID) []attribute.KeyValue {
	if id == uuid.Nil {
		return attributes
	}
	return append(attributes, key.String(id.String()))
}

// method is how a span of a request begins its name.
func method(m string) string {
	if knownMethod(m) == otherMethod {
		return "HTTP"
	}
	return m
}

const otherMethod = "_OTHER"

// knownMethod keeps made-up methods out of what is sent.
func knownMethod(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return otherMethod
}
