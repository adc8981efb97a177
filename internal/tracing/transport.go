package tracing

import (
	"net/http"
	"strconv"

	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Transport is base, with a span for each request that is made for one that is traced, and its traceparent on the way.
// A tracestate is not handed on: it is text of the caller's, which another server has no need to see.
func (t *Tracer) Transport(base http.RoundTripper) http.RoundTripper {
	if t == nil {
		return base
	}
	return transport{t, base}
}

type transport struct {
	tracer *Tracer
	base   http.RoundTripper
}

// RoundTrip asks as base does.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if !trace.SpanContextFromContext(r.Context()).IsSampled() {
		return t.base.RoundTrip(r)
	}
	ctx, span := t.tracer.tracer.Start(r.Context(), method(r.Method), trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(semconv.HTTPRequestMethodKey.String(knownMethod(r.Method)), semconv.ServerAddress(r.URL.Hostname())))
	defer span.End()
	if port, err := strconv.Atoi(r.URL.Port()); err == nil {
		span.SetAttributes(semconv.ServerPort(port))
	}
	r = r.Clone(ctx)
	w3c.Inject(trace.ContextWithSpanContext(ctx, span.SpanContext().WithTraceState(trace.TraceState{})), propagation.HeaderCarrier(r.Header))
	response, err := t.base.RoundTrip(r)
	if err != nil {
		fail(span, "connection_failed")
		return response, err
	}
	span.SetAttributes(semconv.HTTPResponseStatusCode(response.StatusCode))
	if response.StatusCode >= http.StatusBadRequest {
		fail(span, strconv.Itoa(response.StatusCode))
	}
	return response, nil
}
