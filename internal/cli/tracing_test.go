package cli_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/vital-db/vital/internal/pgtest"
)

// traced is a database with a tenant, a Redis, and a server that sends its traces to a collector.
type traced struct {
	*pgtest.Database
	collector   *pgtest.Collector
	server      *running
	acme, token string // of olga
}

func startTraced(t *testing.T, environment ...string) *traced {
	t.Helper()
	s := &traced{collector: pgtest.NewCollector(t)}
	s.Database, _ = operated(t)
	environment = append([]string{
		"VITAL_DATABASE_URL=" + s.APIURL, "VITAL_REDIS_URL=" + pgtest.Redis(t), "VITAL_JWT_SECRET=a-secret-of-the-tests-of-32-bytes-or-more", "VITAL_LISTEN=127.0.0.1:0",
		"OTEL_EXPORTER_OTLP_ENDPOINT=" + s.collector.URL,
	}, environment...)
	ok(t, vital(t, environment, "tenant", "create", "--name", "Acme", "--slug", "acme", "--type", "system", "--owner", "olga@acme.test"))
	require.NoError(t, s.Connect(t).QueryRow(t.Context(), "select id::text from organizations where slug = 'acme'").Scan(&s.acme))
	s.token = strings.TrimSpace(ok(t, vital(t, environment, "token", "--user", "olga@acme.test", "--tenant", "acme")))
	s.server = start(t, environment, "serve")
	return s
}

// TestServe_Traces: one request is one trace, the caller's; and nothing in what leaves the server is secret.
func TestServe_Traces(t *testing.T) {
	t.Parallel()
	const (
		traceID  = "4bf92f3577b34da6a3ce929d0e0e4736"
		parentID = "00f067aa0ba902b7"
		stranger = "bbbbbbbb-1111-4111-8111-bbbbbbbbbbbb"
		olga     = "a0000000-0000-4000-8000-000000000001"
	)
	s := startTraced(t, "OTEL_EXPORTER_OTLP_HEADERS=api-key=head%3Der, other = x", "OTEL_SERVICE_NAME=vital-of-acme",
		"OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=test,service.name=outranked")
	ask := func(method, path, id string, status int, headers ...string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, s.server.address+path, strings.NewReader(`{"ui_config": {"theme": "body-secret"}}`))
		require.NoError(t, err)
		for name, value := range map[string]string{
			"Authorization": "Bearer " + s.token, "Content-Type": "application/json", "X-Request-Id": id, "User-Agent": "agent-secret",
			"Baggage": "email=baggage-secret", "Cookie": "c=cookie-secret",
		} {
			request.Header.Set(name, value)
		}
		for i := 0; i < len(headers); i += 2 {
			request.Header.Set(headers[i], headers[i+1])
		}
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, status, response.StatusCode, id)
	}
	ask("GET", "/v1/context?email=query-secret", "cold", 200, "Vital-Tenant", s.acme, "Traceparent", "00-"+traceID+"-"+parentID+"-01")
	ask("PATCH", "/api/tenants/"+s.acme+"/config?note=query-secret", "write", 200)
	ask("GET", "/v1/context", "foreign", 404, "Vital-Tenant", stranger)
	ask("PATCH", "/api/tenants/"+stranger+"/config", "foreign-write", 404)
	ask("GET", "/rest/v1/users?email=eq.olga@acme.test&select=email", "rest", 200)
	ask("GET", "/rest/v1/rpc/query-secret?x=olga@acme.test", "rest-unknown", 404)
	ask("GET", "/no/such/path-secret", "lost", 404)
	ask("GET", "/v1/context", "forged", 401, "Authorization", "Bearer "+s.token+"x")
	ask("GET", "/healthz", "probe", 200)
	started := time.Now()
	require.Equal(t, 0, s.server.stop())
	require.Less(t, time.Since(started), time.Minute)

	spans := s.collector.Spans()
	of := func(id string) (server *tracepb.Span, below []string) {
		t.Helper()
		for _, span := range spans {
			if pgtest.Attributes(span)["vital.request.id"] == id {
				require.Nil(t, server, "two spans of %s", id)
				server = span
			}
		}
		require.NotNil(t, server, id)
		for _, span := range spans {
			if string(span.ParentSpanId) == string(server.SpanId) {
				require.Equal(t, server.TraceId, span.TraceId)
				require.GreaterOrEqual(t, span.StartTimeUnixNano, server.StartTimeUnixNano)
				below = append(below, span.Name)
			}
		}
		slices.Sort(below)
		return server, below
	}
	cold, below := of("cold")
	require.Equal(t, "GET /v1/context", cold.Name)
	require.Equal(t, traceID, hex.EncodeToString(cold.TraceId))
	require.Equal(t, parentID, hex.EncodeToString(cold.ParentSpanId))
	require.Equal(t, []string{"ContextRead", "EVALSHA fill", "EVALSHA read"}, below)
	require.Equal(t, map[string]any{
		"http.request.method": "GET", "http.route": "/v1/context", "http.response.status_code": int64(200),
		"vital.request.id": "cold", "vital.tenant.id": s.acme, "vital.user.id": olga, "vital.cache.hit": false,
	}, pgtest.Attributes(cold))
	write, below := of("write")
	require.Equal(t, "PATCH /api/tenants/{id}/config", write.Name)
	require.Contains(t, below, "ConfigPatch")
	require.NotEqual(t, cold.TraceId, write.TraceId)
	foreign, _ := of("foreign")
	require.Equal(t, "tenant_not_found", pgtest.Attributes(foreign)["error.type"])
	require.Equal(t, tracepb.Status_STATUS_CODE_UNSET, foreign.Status.Code, "it is the caller's")
	foreignWrite, _ := of("foreign-write")
	require.NotContains(t, pgtest.Attributes(foreignWrite), "vital.tenant.id")
	rest, below := of("rest")
	require.Equal(t, "GET /rest/v1/", rest.Name)
	require.Contains(t, below, "RestRead")
	lost, _ := of("lost")
	require.Equal(t, "GET", lost.Name)
	forged, below := of("forged")
	require.Equal(t, "token_bad_signature", pgtest.Attributes(forged)["error.type"])
	require.Empty(t, below)
	for _, span := range spans {
		require.NotEqual(t, "probe", pgtest.Attributes(span)["vital.request.id"])
	}

	raw := s.collector.Raw()
	signature := s.token[strings.LastIndex(s.token, ".")+1:]
	for _, secret := range []string{
		s.token, signature, "query-secret", "body-secret", "agent-secret", "cookie-secret", "baggage-secret", "path-secret",
		"@acme.test", "olga", stranger, "Bearer", "eq.", "select ", "a-secret-of-the-tests", "head=er",
	} {
		require.NotContains(t, raw, secret)
	}
	resource := s.collector.Resource(t)
	require.Equal(t, "vital-of-acme", resource["service.name"])
	require.Equal(t, "test", resource["deployment.environment.name"])
	require.NotEmpty(t, resource["service.instance.id"])
	sent := s.collector.Requests()[0]
	require.Equal(t, "/v1/traces", sent.URL.Path)
	require.Equal(t, "head=er", sent.Header.Get("api-key"))
	require.Equal(t, "x", sent.Header.Get("other"))
	require.NotContains(t, s.server.err.String(), "head=er")
	line := logLine(t, s.server.err.String(), "cold")
	require.Equal(t, traceID, line["trace_id"])
	require.Equal(t, hex.EncodeToString(cold.SpanId), line["span_id"])
	require.NotContains(t, logLine(t, s.server.err.String(), "probe"), "trace_id")
}

// logLine is the log's line of a request.
func logLine(t *testing.T, log, id string) (line map[string]any) {
	t.Helper()
	for text := range strings.Lines(log) {
		line = nil
		require.NoError(t, json.Unmarshal([]byte(text), &line), text)
		if line["msg"] == "request" && line["request_id"] == id {
			return line
		}
	}
	t.Fatalf("no line of %s in %s", id, log)
	return nil
}

// TestServe_TracesKeyFetch: a request that makes the server ask the issuer for its keys carries its trace there.
func TestServe_TracesKeyFetch(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var brought []string
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		brought = append(brought, r.Header.Get("Traceparent"))
		_, _ = io.WriteString(w, `{"keys": []}`)
	}))
	t.Cleanup(issuer.Close)
	s := startTraced(t, "VITAL_JWKS_URL="+issuer.URL+"/keys")
	const traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
	part := base64.RawURLEncoding.EncodeToString
	forged := part([]byte(`{"alg":"ES256","kid":"unknown"}`)) + "." + part([]byte(`{"sub":"a0000000-0000-4000-8000-000000000001"}`)) + "." + part(make([]byte, 64))
	status, _ := s.server.get(t, "/v1/context", forged, "Traceparent", "00-"+traceID+"-00f067aa0ba902b7-01")
	require.Equal(t, 401, status)
	mu.Lock()
	defer mu.Unlock()
	require.Len(t, brought, 2)
	require.Empty(t, brought[0], "at the start nobody asked")
	require.Contains(t, brought[1], traceID)
}

// TestServe_TracesOff: without an endpoint, or turned off, nothing is sent and nothing is said.
func TestServe_TracesOff(t *testing.T) {
	t.Parallel()
	for name, off := range map[string]string{
		"disabled": "OTEL_SDK_DISABLED=TRUE", "no exporter": "OTEL_TRACES_EXPORTER=none", "no endpoint": "OTEL_EXPORTER_OTLP_ENDPOINT=",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startTraced(t, off)
			status, _ := s.server.get(t, "/v1/context", s.token, "Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
			require.Equal(t, 200, status)
			_, metrics := fetch(t, s.server.address+"/metrics", "application/openmetrics-text")
			require.NotContains(t, metrics, "vital_trace_")
			require.NotContains(t, metrics, "# {")
			require.Equal(t, 0, s.server.stop())
			require.Empty(t, s.collector.Spans())
			require.NotContains(t, s.server.err.String(), "trace_id")
		})
	}
}

// TestServe_TracesExemplars: who asks for them gets the trace of a request with its bucket; `vital cache stats` goes on as
// before.
func TestServe_TracesExemplars(t *testing.T) {
	t.Parallel()
	s := startTraced(t)
	const traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
	status, _ := s.server.get(t, "/v1/context", s.token, "Traceparent", "00-"+traceID+"-00f067aa0ba902b7-01")
	require.Equal(t, 200, status)
	kind, metrics := fetch(t, s.server.address+"/metrics", "application/openmetrics-text;version=1.0.0")
	require.Contains(t, kind, "openmetrics-text")
	require.Contains(t, metrics, `# {trace_id="`+traceID+`"}`)
	kind, metrics = fetch(t, s.server.address+"/metrics", "")
	require.Contains(t, kind, "text/plain")
	require.NotContains(t, metrics, traceID)
	require.Contains(t, metrics, "vital_trace_spans_dropped_total 0")
	require.Contains(t, ok(t, vital(t, nil, "cache", "stats", "--server", s.server.address)), "contexts")
}

func fetch(t *testing.T, address, accept string) (contentType, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	if accept != "" {
		request.Header.Set("Accept", accept)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	var text strings.Builder
	_, err = io.Copy(&text, response.Body)
	require.NoError(t, err)
	return response.Header.Get("Content-Type"), text.String()
}

// TestServe_TracesCollectorAway: requests are answered as ever whether the collector is gone or hangs, what is lost is
// counted and told once, and the server ends in time.
func TestServe_TracesCollectorAway(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(func() { close(release); hanging.Close() })
	for name, endpoint := range map[string]string{"gone": "http://127.0.0.1:9/key-in-path", "hangs": hanging.URL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startTraced(t, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="+endpoint)
			for range 50 {
				started := time.Now()
				status, _ := s.server.get(t, "/v1/context", s.token)
				require.Equal(t, 200, status)
				require.Less(t, time.Since(started), time.Minute)
			}
			if name == "gone" {
				require.Eventually(t, func() bool { return strings.Contains(s.server.err.String(), "spans are lost") }, 30*time.Second, 50*time.Millisecond)
				_, metrics := fetch(t, s.server.address+"/metrics", "")
				require.Regexp(t, `(?m)^vital_trace_spans_dropped_total [1-9]`, metrics)
			}
			started := time.Now()
			require.Equal(t, 0, s.server.stop())
			require.Less(t, time.Since(started), time.Minute)
			require.LessOrEqual(t, strings.Count(s.server.err.String(), "spans are lost"), 1)
			require.NotContains(t, s.server.err.String(), "key-in-path")
		})
	}
}

// TestServe_TracesConfig: what cannot be meant is refused, by its name and without its value, which may be a key.
func TestServe_TracesConfig(t *testing.T) {
	t.Parallel()
	d, _ := operated(t)
	for name, c := range map[string]struct{ setting, says string }{
		"protocol":   {"OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "OTEL_EXPORTER_OTLP_PROTOCOL"},
		"exporter":   {"OTEL_TRACES_EXPORTER=zipkin", "OTEL_TRACES_EXPORTER"},
		"sampler":    {"OTEL_TRACES_SAMPLER=jaeger_remote", "jaeger_remote"},
		"no number":  {"OTEL_TRACES_SAMPLER_ARG=s3cret", "OTEL_TRACES_SAMPLER_ARG"},
		"too much":   {"OTEL_TRACES_SAMPLER_ARG=2", "between 0 and 1"},
		"headers":    {"OTEL_EXPORTER_OTLP_HEADERS=s3cret", "OTEL_EXPORTER_OTLP_HEADERS"},
		"attributes": {"OTEL_RESOURCE_ATTRIBUTES=a=%zz-s3cret", "OTEL_RESOURCE_ATTRIBUTES"},
		"address":    {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=127.0.0.1:4318/s3cret", "http://host:4318"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := vital(t, []string{"VITAL_DATABASE_URL=" + d.APIURL, "VITAL_LISTEN=127.0.0.1:0", "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318", c.setting}, "serve")
			require.Equal(t, 1, got.code)
			require.Contains(t, got.err, c.says)
			require.Contains(t, got.err, "config_invalid")
			require.Contains(t, got.err, "hint:")
			require.NotContains(t, got.err, "s3cret")
		})
	}
}
