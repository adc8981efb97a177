package tracing_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/vital-db/vital/internal/cache"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tracing"
)

func open(t *testing.T, config tracing.Config) *tracing.Tracer {
	t.Helper()
	tracer, err := tracing.Open(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { tracer.Close(context.Background()) })
	return tracer
}

func ask(traceparent ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/v1/context?q=query-secret", nil)
	r.Header["Traceparent"] = traceparent
	return r
}

const (
	traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
	spanID  = "00f067aa0ba902b7"
	sampled = "00-" + traceID + "-" + spanID + "-01"
)

func TestNil_TracesNothing(t *testing.T) {
	t.Parallel()
	var tracer *tracing.Tracer
	ctx, span := tracer.Request(t.Context(), ask(sampled))
	require.Equal(t, t.Context(), ctx)
	require.Nil(t, span)
	span.End(tracing.Answered{})
	tracer.Query(ctx, postgres.Query{})
	tracer.Script(ctx, cache.Script{})
	require.Equal(t, http.DefaultTransport, tracer.Transport(http.DefaultTransport))
	require.Zero(t, tracer.Stat())
	tracer.Close(ctx)
}

// TestSpans: what a request's trace looks like, and whose it goes on.
func TestSpans(t *testing.T) {
	t.Parallel()
	collector := pgtest.NewCollector(t)
	tracer := open(t, tracing.Config{Endpoint: collector.URL + "/v1/traces"})
	tenant, user := uuid.New(), uuid.New()

	ctx, span := tracer.Request(t.Context(), ask(sampled))
	gotTrace, gotSpan := span.Sampled()
	require.Equal(t, traceID, gotTrace)
	tracer.Script(ctx, cache.Script{Name: "read", Duration: time.Millisecond, Code: "timeout"})
	tracer.Query(ctx, postgres.Query{
		Name: "ContextRead", Tenant: tenant, Duration: 20 * time.Millisecond, Waited: 5 * time.Millisecond, Rows: 3,
		Server: postgres.Server{Host: "db.test", Port: 5433, Database: "vital"},
	})
	tracer.Query(ctx, postgres.Query{Name: "MemberAdd", Tenant: uuid.New(), Err: fault.New(fault.Conflict, "text-secret", "hint")})
	span.End(tracing.Answered{ID: "r-1", Method: "GET", Route: "/v1/context", Status: 200, Tenant: tenant, User: user, Loads: true})

	brew := ask()
	brew.Method = "BREW"
	_, failed := tracer.Request(t.Context(), brew)
	failed.End(tracing.Answered{ID: "r-2", Method: "BREW", Status: 500, Code: fault.Internal})
	tracer.Query(t.Context(), postgres.Query{Name: "AskedForByNobody"})
	tracer.Close(t.Context())

	spans := byName(collector.Spans())
	require.Len(t, spans, 5)
	server := spans["GET /v1/context"]
	require.Equal(t, tracepb.Span_SPAN_KIND_SERVER, server.Kind)
	require.Equal(t, spanID, hex.EncodeToString(server.ParentSpanId))
	require.Equal(t, gotSpan, hex.EncodeToString(server.SpanId))
	require.Equal(t, map[string]any{
		"http.request.method": "GET", "http.route": "/v1/context", "http.response.status_code": int64(200),
		"vital.request.id": "r-1", "vital.tenant.id": tenant.String(), "vital.user.id": user.String(), "vital.cache.hit": false,
	}, pgtest.Attributes(server))
	for _, name := range []string{"ContextRead", "MemberAdd", "EVALSHA read"} {
		require.Equal(t, tracepb.Span_SPAN_KIND_CLIENT, spans[name].Kind)
		require.Equal(t, server.SpanId, spans[name].ParentSpanId, name)
		require.Equal(t, traceID, hex.EncodeToString(spans[name].TraceId))
	}
	read := spans["ContextRead"]
	require.Equal(t, map[string]any{
		"db.system.name": "postgresql", "db.namespace": "vital", "db.operation.name": "ContextRead", "server.address": "db.test", "server.port": int64(5433),
		"db.response.returned_rows": int64(3), "vital.db.wait_time": 0.005, "vital.tenant.id": tenant.String(),
	}, pgtest.Attributes(read))
	require.InDelta(t, 20*time.Millisecond, read.EndTimeUnixNano-read.StartTimeUnixNano, float64(time.Microsecond))
	refused := pgtest.Attributes(spans["MemberAdd"])
	require.Equal(t, string(fault.Conflict), refused["error.type"])
	require.NotContains(t, refused, "vital.tenant.id", "it may be one that was only asked for")
	require.Equal(t, tracepb.Status_STATUS_CODE_ERROR, spans["MemberAdd"].Status.Code)
	require.Equal(t, map[string]any{
		"db.system.name": "redis", "db.operation.name": "EVALSHA", "db.stored_procedure.name": "read", "error.type": "timeout",
	}, pgtest.Attributes(spans["EVALSHA read"]))
	other := spans["HTTP"]
	require.Equal(t, "_OTHER", pgtest.Attributes(other)["http.request.method"])
	require.Equal(t, tracepb.Status_STATUS_CODE_ERROR, other.Status.Code)
	require.Empty(t, other.ParentSpanId)
	require.NotEqual(t, traceID, hex.EncodeToString(other.TraceId))
	for _, secret := range []string{"query-secret", "text-secret"} {
		require.NotContains(t, collector.Raw(), secret)
	}
	require.Equal(t, tracing.Stat{Sent: 5}, tracer.Stat())
}

func byName(spans []*tracepb.Span) map[string]*tracepb.Span {
	names := map[string]*tracepb.Span{}
	for _, s := range spans {
		names[s.Name] = s
	}
	return names
}

// TestTraceparent: which headers are gone on with.
func TestTraceparent(t *testing.T) {
	t.Parallel()
	tracer := open(t, tracing.Config{Endpoint: pgtest.NewCollector(t).URL})
	for name, c := range map[string]struct {
		headers   []string
		continues bool
		kept      bool
	}{
		"sampled":           {[]string{sampled}, true, true},
		"not sampled":       {[]string{strings.TrimSuffix(sampled, "1") + "0"}, true, false},
		"none":              {nil, false, true},
		"two":               {[]string{sampled, sampled}, false, true},
		"no trace id":       {[]string{"00-00000000000000000000000000000000-" + spanID + "-01"}, false, true},
		"no span id":        {[]string{"00-" + traceID + "-0000000000000000-01"}, false, true},
		"upper case":        {[]string{strings.ToUpper(sampled)}, false, true},
		"forbidden version": {[]string{"ff" + sampled[2:]}, false, true},
		"long":              {[]string{sampled + strings.Repeat("x", 1<<16)}, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, span := tracer.Request(t.Context(), ask(c.headers...))
			id, _ := span.Sampled()
			require.Equal(t, c.kept, id != "")
			if c.kept {
				require.Equal(t, c.continues, id == traceID)
			}
		})
	}
}

// TestSampler_CallersCannotForce: a caller who flags every request, or chooses ids that a ratio keeps, has no more kept
// than the share and what may come at once.
func TestSampler_CallersCannotForce(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"parentbased_traceidratio", "traceidratio"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tracer := open(t, tracing.Config{Endpoint: pgtest.NewCollector(t).URL, Sampler: name, Ratio: 0.1})
			kept := 0
			const asked = 5000
			for i := range asked {
				id := fmt.Sprintf("%016x%016x", i+1, 0) // a low end is what a ratio keeps
				ctx, span := tracer.Request(t.Context(), ask("00-"+id+"-"+spanID+"-01"))
				if of, _ := span.Sampled(); of != "" {
					kept++
					require.Equal(t, id, of)
				}
				tracer.Query(ctx, postgres.Query{Name: "Below"}) // decided as the request was
				span.End(tracing.Answered{})
			}
			require.InDelta(t, asked/10+100, kept, 2)
		})
	}
}

func TestSampler_HonestCallersAreFollowed(t *testing.T) {
	t.Parallel()
	tracer := open(t, tracing.Config{Endpoint: pgtest.NewCollector(t).URL, Sampler: "parentbased_traceidratio", Ratio: 0.1})
	for i := range 2000 {
		flag := "00"
		if i%10 == 0 {
			flag = "01"
		}
		_, span := tracer.Request(t.Context(), ask("00-"+traceID+"-"+spanID+"-"+flag))
		id, _ := span.Sampled()
		require.Equal(t, flag == "01", id != "", "request %d", i)
	}
}

func TestSampler_Names(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ alone, flagged bool }{
		"":                         {true, true},
		"parentbased_always_on":    {true, true},
		"parentbased_always_off":   {false, true},
		"parentbased_traceidratio": {false, false},
		"always_on":                {true, true},
		"always_off":               {false, false},
		"traceidratio":             {false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tracer := open(t, tracing.Config{Endpoint: pgtest.NewCollector(t).URL, Sampler: name})
			_, span := tracer.Request(t.Context(), ask())
			id, _ := span.Sampled()
			require.Equal(t, c.alone, id != "")
			_, span = tracer.Request(t.Context(), ask(sampled))
			id, _ = span.Sampled()
			require.Equal(t, c.flagged, id != "")
		})
	}
}

func TestOpen_Refuses(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]tracing.Config{
		"no endpoint":       {},
		"no host":           {Endpoint: "http:///v1/traces"},
		"another scheme":    {Endpoint: "grpc://127.0.0.1:4317"},
		"a password":        {Endpoint: "http://user:s3cret@127.0.0.1:4318"},
		"a query string":    {Endpoint: "http://127.0.0.1:4318/?key=s3cret"},
		"unknown sampler":   {Endpoint: "http://127.0.0.1:4318", Sampler: "jaeger_remote"},
		"more than all":     {Endpoint: "http://127.0.0.1:4318", Ratio: 1.5},
		"less than nothing": {Endpoint: "http://127.0.0.1:4318", Ratio: -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := tracing.Open(t.Context(), config)
			require.Error(t, err)
			require.NotContains(t, err.Error(), "s3cret")
		})
	}
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// TestCollector_Down: every span is counted as lost, the log says so once and without the address, which may hold a key.
func TestCollector_Down(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close()) // nobody listens there now
	var log safeBuffer
	tracer := open(t, tracing.Config{
		Endpoint: "http://" + listener.Addr().String() + "/key-in-path", Every: time.Millisecond, Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	for i := range 20 {
		_, span := tracer.Request(t.Context(), ask())
		span.End(tracing.Answered{})
		require.Eventually(t, func() bool { return tracer.Stat().Dropped == int64(i+1) }, 30*time.Second, time.Millisecond)
	}
	require.Equal(t, 1, strings.Count(log.String(), "\n"), log.String())
	require.Contains(t, log.String(), "spans are lost")
	require.NotContains(t, log.String(), "key-in-path")
}

// TestCollector_Hangs: whoever makes spans waits for nothing, what there is no room for is counted, and the end comes
// when it is due.
func TestCollector_Hangs(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(hanging.Close)
	t.Cleanup(func() { close(release) })
	tracer := open(t, tracing.Config{Endpoint: hanging.URL, Every: time.Millisecond})
	started := time.Now()
	const made = 5000
	for range made {
		_, span := tracer.Request(t.Context(), ask())
		span.End(tracing.Answered{})
	}
	require.Less(t, time.Since(started), time.Minute)
	require.EqualValues(t, made-2048, tracer.Stat().Dropped)
	started = time.Now()
	tracer.Close(t.Context())
	require.GreaterOrEqual(t, time.Since(started), 2*time.Second)
	require.Less(t, time.Since(started), time.Minute)
}

// TestTransport: a fetch for a request that is traced carries the trace on, and nothing else that the caller brought.
func TestTransport(t *testing.T) {
	t.Parallel()
	collector := pgtest.NewCollector(t)
	tracer := open(t, tracing.Config{Endpoint: collector.URL})
	var heard http.Header
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		heard = r.Header
		w.WriteHeader(http.StatusTeapot)
	}))
	t.Cleanup(issuer.Close)
	client := http.Client{Transport: tracer.Transport(http.DefaultTransport)}
	fetch := func(ctx context.Context, url string) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/keys?apikey=s3cret", nil)
		require.NoError(t, err)
		response, err := client.Do(r)
		if err == nil {
			err = response.Body.Close()
		}
		return err
	}
	require.NoError(t, fetch(t.Context(), issuer.URL))
	require.NotContains(t, heard, "Traceparent", "nobody asked for it")

	r := ask(sampled)
	r.Header.Set("Tracestate", "vendor=state-of-the-caller")
	r.Header.Set("Baggage", "user=ada")
	ctx, span := tracer.Request(t.Context(), r)
	require.NoError(t, fetch(ctx, issuer.URL))
	require.True(t, strings.HasPrefix(heard.Get("Traceparent"), "00-"+traceID+"-"), heard)
	require.NotContains(t, heard, "Tracestate")
	require.NotContains(t, heard, "Baggage")
	issuer.Close()
	require.Error(t, fetch(ctx, issuer.URL))
	span.End(tracing.Answered{})
	tracer.Close(t.Context())

	spans := collector.Spans()
	require.Len(t, spans, 3)
	answered := pgtest.Attributes(spans[0])
	require.Equal(t, heard.Get("Traceparent"), "00-"+traceID+"-"+hex.EncodeToString(spans[0].SpanId)+"-01")
	require.Equal(t, spans[2].SpanId, spans[0].ParentSpanId)
	require.EqualValues(t, 418, answered["http.response.status_code"])
	require.Equal(t, "127.0.0.1", answered["server.address"])
	require.Equal(t, "connection_failed", pgtest.Attributes(spans[1])["error.type"])
	require.NotContains(t, collector.Raw(), "s3cret")
	require.NotContains(t, collector.Raw(), "baggage")
}

func TestResource(t *testing.T) {
	t.Parallel()
	collector := pgtest.NewCollector(t)
	tracer := open(t, tracing.Config{Endpoint: collector.URL, Resource: map[string]string{"service.name": "here"}, Headers: map[string]string{"api-key": "k"}})
	_, span := tracer.Request(t.Context(), ask())
	span.End(tracing.Answered{})
	tracer.Close(t.Context())
	resource := collector.Resource(t)
	require.Equal(t, "here", resource["service.name"])
	require.Equal(t, "opentelemetry", resource["telemetry.sdk.name"])
	require.Len(t, resource, 4, "nothing of the machine, its user or the command line: %v", resource)
	require.Equal(t, "k", collector.Requests()[0].Header.Get("api-key"))
}
