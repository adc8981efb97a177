package httpapi_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/httpapi"
	"github.com/vital-db/vital/internal/perf"
	"github.com/vital-db/vital/internal/postgres"
)

// setupLoads is setupRest with records of loads, written when written is called.
func setupLoads(t *testing.T, recording perf.LogConfig, conns int32) (b *bundle, written func()) {
	t.Helper()
	var config *httpapi.Config
	b = setupRest(t, func(c *httpapi.Config, p *postgres.Config) {
		config, p.MaxConns, p.AcquireTimeout = c, conns, time.Minute
	})
	recording.Every = 10 * time.Millisecond
	config.Loads = perf.NewLog(b.pool.Service, recording)
	b.metrics.WatchLoads(config.Loads)
	b.server = httptest.NewServer(httpapi.New(*config))
	t.Cleanup(b.server.Close)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { config.Loads.Run(ctx) })
	written = sync.OnceFunc(func() { b.server.Close(); cancel(); running.Wait() })
	t.Cleanup(written)
	return b, written
}

// TestLoads asks for data in every way and reads the records of it.
func TestLoads(t *testing.T) {
	t.Parallel()
	b, written := setupLoads(t, perf.LogConfig{Rate: 10_000, Slow: time.Minute}, 4)
	asAda, _ := b.session(ada)
	ask := func(id, method, path, body string, status int, headers ...string) {
		t.Helper()
		got := b.sendWith(method, path, body, append(headers, "X-Request-Id", id)...)
		require.Equal(t, status, got.status, "%s: %s", id, got.body)
	}
	b.warm(asAda)
	ask("hit", "GET", "/v1/context", "", 200, asAda...)
	ask("other-tenant", "GET", "/v1/context", "", 404, with(asAda, "Vital-Tenant", tenantB)...)
	ask("forged", "GET", "/v1/context", "", 401, "Authorization", "Bearer "+b.token(ada, "")+"x")
	ask("nobody", "GET", "/v1/context", "", 403, "Authorization", "Bearer "+b.token(stranger, ""))
	ask("select", "GET", "/rest/v1/organizations?select=name", "", 200, asAda...)
	ask("unknown", "GET", "/rest/v1/no_such_table", "", 404, asAda...)
	ask("update", "PATCH", "/rest/v1/tenant_configurations?tenant_id=eq."+tenantA, `{"ui_config": {}}`, 204, asAda...)
	ask("rpc", "POST", "/rest/v1/rpc/get_user_tenant_id", "{}", 200, asAda...)
	ask("refused", "POST", "/rest/v1/rpc/set_default_tenant", `{"p_tenant_id": "`+tenantB+`"}`, 404, asAda...)
	ask("service", "GET", "/rest/v1/organizations?select=name", "", 200, "Apikey", b.serviceKey())
	ask("bulk", "POST", evaluatePath, "{}", 200, asAda...)
	ask("single", "POST", evaluatePath+"/one", "{}", 200, asAda...)
	ask("write", "PATCH", "/api/tenants/"+tenantA+"/config", `{"ui_config": {"theme": "dark"}}`, 200, asAda...)
	ask("invalid", "PATCH", "/api/tenants/"+tenantA+"/config", `{"nonsense": 1}`, 422, asAda...)
	ask("no-load", "GET", "/healthz", "", 200)
	written()
	got := b.ask(`
		select string_agg(concat_ws(' ', request_id, query_type, query_name, case tenant_id when '` + tenantA + `' then 'A' when '` + tenantB + `' then 'B' else 'platform' end,
			case user_id when '` + ada + `' then 'ada' end, case when cache_hit then 'hit' end, case when success then 'ok' end, error_code, rows_returned || ' rows',
			(select string_agg(concat_ws(':', s ->> 'step', s ->> 'code'), ',') from jsonb_array_elements(steps) s)), e'\n' order by created_at)
		from query_performance where request_id ~ '^[a-z-]+$'`)
	require.Equal(t, strings.Join([]string{
		"hit tenant_context tenant_context A ada hit ok",
		"other-tenant tenant_context tenant_context platform ada tenant_not_found authenticate,ContextRead:tenant_not_found",
		"forged tenant_context tenant_context platform token_bad_signature authenticate:token_bad_signature",
		"nobody tenant_context tenant_context platform user_unknown authenticate,ContextRead:user_unknown",
		"select organizations organizations.select A ada ok 1 rows",
		"unknown rest rest A ada PGRST205 authenticate",
		"update tenant_configurations tenant_configurations.update A ada ok 1 rows",
		"rpc rpc rpc.get_user_tenant_id A ada ok 1 rows",
		"refused rpc rpc.set_default_tenant A ada tenant_not_found 0 rows authenticate,RestCall:tenant_not_found",
		"service organizations organizations.select platform ok 4 rows",
		"bulk feature_flags feature_flags.bulk A ada ok",
		"single feature_flags feature_flags.single A ada hit ok",
		"write write config.patch A ada ok",
		"invalid write config.patch A ada invalid authenticate,ConfigPatch:invalid",
	}, "\n"), got)
}

// TestLoads_Slow: a slow load is kept however many there are, with what took the time, and told in the log.
func TestLoads_Slow(t *testing.T) {
	t.Parallel()
	b, written := setupLoads(t, perf.LogConfig{Rate: 1, Slow: 50 * time.Millisecond}, 1)
	asAda, _ := b.session(ada)
	for range 200 {
		require.Equal(t, http.StatusOK, b.get("/rest/v1/organizations?select=name", asAda...).status)
	}
	release := b.hold()
	go func() { time.Sleep(300 * time.Millisecond); release() }()
	got := b.get("/rest/v1/organizations?select=name", with(asAda, "X-Request-Id", "slow")...)
	require.Equal(t, http.StatusOK, got.status, got.body)
	written()
	require.Equal(t, "t RestRead", b.ask("select string_agg(left((duration_us > 50000)::text, 1) || ' ' || (steps -> 1 ->> 'step'), ',') from query_performance where request_id = 'slow'"))
	require.Contains(t, b.log.String(), `"slow":true`)
	require.Equal(t, "t", b.ask("select left((sum(weight) between 100 and 400)::text, 1) from query_performance where success"), "those kept stand for all")
}

// TestLoads_CancelledClient: a load that goes on when those who waited for it are gone is a step of nobody.
func TestLoads_CancelledClient(t *testing.T) {
	t.Parallel()
	b, written := setupLoads(t, perf.LogConfig{Rate: 10_000, Slow: time.Minute}, 1)
	asAda, _ := b.session(ada)
	release := b.hold()
	var asking sync.WaitGroup
	for range 8 {
		asking.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second) // in which each has come to wait
			defer cancel()
			request, _ := http.NewRequestWithContext(ctx, http.MethodGet, b.server.URL+"/v1/context", nil)
			request.Header.Set(asAda[0], asAda[1])
			if got, err := http.DefaultClient.Do(request); err == nil {
				_ = got.Body.Close()
			}
		})
	}
	asking.Wait()
	release()
	require.Equal(t, http.StatusOK, b.get("/v1/context", asAda...).status)
	written()
	require.Equal(t, "8", b.ask("select count(*)::text from query_performance where error_code = 'request_cancelled' and query_name = 'tenant_context'"))
}

// TestLoads_RecordsLocked: while nothing can be written to query_performance, every request is answered, of memory and of the database; what
// there is no room to keep is counted, and all else is written once the table is free.
func TestLoads_RecordsLocked(t *testing.T) {
	t.Parallel()
	b, written := setupLoads(t, perf.LogConfig{Rate: 1 << 40, Slow: time.Minute}, 4)
	asAda, _ := b.session(ada)
	b.warm(asAda)
	lock, err := b.db.Connect(t).Begin(t.Context())
	require.NoError(t, err)
	_, err = lock.Exec(t.Context(), "lock table query_performance in access exclusive mode")
	require.NoError(t, err)
	ask := func(path string) int {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		request.Header.Set("X-Request-Id", "locked")
		request.Header.Set(asAda[0], asAda[1])
		answer := httptest.NewRecorder()
		b.server.Config.Handler.ServeHTTP(answer, request)
		return answer.Code
	}
	const askers, each = 4, 5_000
	var failed, waited atomic.Int64
	var asking sync.WaitGroup
	for range askers {
		asking.Go(func() {
			for n := range each {
				path := "/v1/context"
				if n%100 == 0 {
					path = "/rest/v1/organizations?select=name"
				}
				began := time.Now()
				if ask(path) != http.StatusOK {
					failed.Add(1)
				}
				if time.Since(began) > 5*time.Second {
					waited.Add(1)
				}
			}
		})
	}
	asking.Wait() // and the table is still locked
	require.Zero(t, failed.Load())
	require.Zero(t, waited.Load())
	dropped := metricValue(t, b, "vital_load_dropped_total")
	require.GreaterOrEqual(t, dropped, float64(askers*each-16_384-100), "what there is no room for")
	require.Equal(t, http.StatusOK, ask("/v1/context"), "it goes on")
	require.NoError(t, lock.Rollback(t.Context()))
	require.Eventually(t, func() bool { return metricValue(t, b, "vital_load_records_waiting") == 0 }, 30*time.Second, 10*time.Millisecond)
	dropped = metricValue(t, b, "vital_load_dropped_total")
	written()
	require.Equal(t, fmt.Sprint(askers*each+1-int(dropped)), b.ask("select sum(weight)::text from query_performance where request_id = 'locked'"), "each is written or counted")
}

// metricValue is what /metrics says of a metric without labels.
func metricValue(t *testing.T, b *bundle, name string) float64 {
	t.Helper()
	for line := range strings.Lines(b.get("/metrics").body) {
		if text, found := strings.CutPrefix(line, name+" "); found {
			value, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
			require.NoError(t, err)
			return value
		}
	}
	require.Fail(t, "there is no metric "+name)
	return 0
}

// TestLoads_Unprintable: a tenant named by bytes that are no text is refused like any other, and keeps no record from being written.
func TestLoads_Unprintable(t *testing.T) {
	t.Parallel()
	b, written := setupLoads(t, perf.LogConfig{Rate: 10_000, Slow: time.Minute}, 4)
	asAda, _ := b.session(ada)
	for i, named := range []string{"caf\xe9", strings.Repeat("x", 5000), "ok"} {
		got := b.get("/v1/context", with(asAda, "Vital-Tenant", named, "X-Request-Id", "named-"+strconv.Itoa(i))...)
		require.GreaterOrEqual(t, got.status, 400, got.body)
	}
	written()
	require.Equal(t, "3", b.ask("select count(*)::text from query_performance where request_id like 'named-%'"))
}
