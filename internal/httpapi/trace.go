package httpapi

import (
	"context"
	"net/http"
	"strings"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/tracing"
)

// trace begins the request's span, where requests are traced, and returns the context that what is done for it goes by.
func (s *Server) trace(r *http.Request, rq *request) context.Context {
	if s.config.Tracer == nil {
		return r.Context()
	}
	switch r.URL.Path {
	case "/healthz", "/readyz", "/metrics": // every few seconds, and nobody looks for them
		return r.Context()
	}
	ctx, span := s.config.Tracer.Request(r.Context(), r)
	rq.span = span
	return ctx
}

// endTrace ends the request's span, and returns the ids it is found by; "" where it is not kept. The path stays out: it
// holds what the caller wrote.
func (s *Server) endTrace(r *http.Request, rq *request, status int) (traceID, spanID string) {
	if rq.span == nil {
		return "", ""
	}
	answered := tracing.Answered{
		ID: rq.id, Method: r.Method, Route: routeOf(r.Pattern), Status: status, Tenant: rq.tenant, User: rq.user,
		Loads: rq.load.kind != "", CacheHit: rq.load.hit && rq.err == nil,
	}
	if rq.err != nil {
		answered.Code = fault.CodeOf(rq.err)
	}
	rq.span.End(answered)
	return rq.span.Sampled()
}

// routeOf is a pattern of the route table without its method; "" for that of what stands in no table.
func routeOf(pattern string) string {
	_, path, found := strings.Cut(pattern, " ")
	if !found {
		path = pattern
	}
	if path == "/" {
		return ""
	}
	return path
}
