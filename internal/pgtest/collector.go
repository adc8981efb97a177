package pgtest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Collector takes traces as a collector of OpenTelemetry does, and keeps them.
type Collector struct {
	URL string // without a path

	mu       sync.Mutex
	requests []*http.Request
	taken    []*tracepb.ResourceSpans
	raw      bytes.Buffer
}

// NewCollector starts one, and ends it with t.
func NewCollector(t testing.TB) *Collector {
	t.Helper()
	c := &Collector{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var traces tracepb.TracesData // on the wire it is what a collector is sent
		if err != nil || proto.Unmarshal(body, &traces) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.requests = append(c.requests, r)
		c.taken = append(c.taken, traces.ResourceSpans...)
		c.raw.Write(body)
	}))
	t.Cleanup(server.Close)
	c.URL = server.URL
	return c
}

// Requests are those that brought spans.
func (c *Collector) Requests() []*http.Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*http.Request(nil), c.requests...)
}

// Raw is all that was brought, byte by byte, for looking whether something is nowhere in it.
func (c *Collector) Raw() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.raw.String()
}

// Resource are the attributes of whoever sent spans first.
func (c *Collector) Resource(t testing.TB) map[string]string {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	require.NotEmpty(t, c.taken)
	attributes := map[string]string{}
	for _, a := range c.taken[0].Resource.Attributes {
		attributes[a.Key] = a.Value.GetStringValue()
	}
	return attributes
}

// Spans are all that were brought.
func (c *Collector) Spans() []*tracepb.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	var spans []*tracepb.Span
	for _, r := range c.taken {
		for _, s := range r.ScopeSpans {
			spans = append(spans, s.Spans...)
		}
	}
	return spans
}

// Attributes are those of a span, as Go has them.
func Attributes(span *tracepb.Span) map[string]any {
	attributes := map[string]any{}
	for _, a := range span.Attributes {
		switch value := a.Value.Value.(type) {
		case *commonpb.AnyValue_IntValue:
			attributes[a.Key] = value.IntValue
		case *commonpb.AnyValue_DoubleValue:
			attributes[a.Key] = value.DoubleValue
		case *commonpb.AnyValue_BoolValue:
			attributes[a.Key] = value.BoolValue
		default:
			attributes[a.Key] = a.Value.GetStringValue()
		}
	}
	return attributes
}
