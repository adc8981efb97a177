package httpapi_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/httpapi"
	"github.com/vital-db/vital/internal/postgres"
)

// setupFair serves all routes over two tenants and a function that takes its time.
func setupFair(t testing.TB, change ...func(*httpapi.Config, *postgres.Config)) *bundle {
	t.Helper()
	var config *httpapi.Config
	b := setupRest(t, append(change, func(c *httpapi.Config, _ *postgres.Config) { config = c })...)
	b.db.Exec(t, `create function public.nap(seconds float8) returns void language plpgsql volatile as $$ begin perform pg_sleep(seconds); end $$;
		grant execute on function public.nap to authenticated; grant select on prompts to anon`)
	require.NoError(t, config.Rest.Load(t.Context()))
	return b
}

// limit sets what a tenant may take, as an operator does.
func (b *bundle) limit(tenant, limits string) {
	b.t.Helper()
	b.db.Exec(b.t, "update tenant_configurations set limits = limits || $2::jsonb where tenant_id = $1", tenant, limits)
}

// untilRefused asks until the answer is 429.
func untilRefused(t *testing.T, ask func() answer) answer {
	t.Helper()
	var got answer
	require.Eventually(t, func() bool { got = ask(); return got.status == 429 }, 30*time.Second, time.Millisecond)
	seconds, err := strconv.Atoi(got.header.Get("Retry-After"))
	require.NoError(t, err)
	require.Positive(t, seconds)
	require.NotContains(t, got.body, tenantA)
	require.NotContains(t, got.body, tenantB)
	return got
}

func TestFair_Rate(t *testing.T) {
	t.Parallel()
	b := setupFair(t)
	b.limit(tenantB, `{"requests_per_second": 1}`)
	asBob, asAda := b.bearer(bob), b.bearer(ada)
	context := func() answer { return b.get("/v1/context", asBob...) }
	rest := func() answer { return b.get("/rest/v1/prompts?select=title", asBob...) }
	flags := func() answer { return b.evaluate(evaluatePath, "{}", asBob...) }

	requireProblem(t, untilRefused(t, context), 429, "tenant_over_limit")
	requireProblem(t, untilRefused(t, func() answer { return b.send("PATCH", "/api/tenants/bolt/config", bob, "{}") }), 429, "tenant_over_limit")
	got := untilRefused(t, rest)
	require.Equal(t, "tenant_over_limit", got.decode(t)["code"])
	require.Equal(t, "PostgREST; error=tenant_over_limit", got.header.Get("Proxy-Status"))
	got = untilRefused(t, flags)
	require.Equal(t, "GENERAL", got.decode(t)["errorCode"])
	require.Equal(t, "tenant_over_limit", got.decode(t)["code"])
	for range 20 {
		require.Equal(t, 200, b.get("/v1/context", asAda...).status, "another tenant is untouched")
		require.Equal(t, 200, b.get("/rest/v1/prompts?tenant_id=eq."+tenantB, "Authorization", "Bearer "+b.serviceKey()).status, "and so are operators")
	}

	untilRefused(t, context)
	time.Sleep(time.Second)
	require.Equal(t, 200, context().status, "who waits as long as Retry-After says is answered")

	b.limit(tenantB, `{"requests_per_second": 1000}`)
	require.Eventually(t, func() bool {
		for range 10 {
			if context().status != 200 || rest().status != 200 || flags().status != 200 {
				return false
			}
		}
		return true
	}, 30*time.Second, time.Millisecond, "a change is heard of")
	require.Contains(t, b.get("/metrics").body, `vital_fair_rejected_total{reason="rate"}`)
}

// TestFair_OneTenantIsOne: the rate is the tenant's, whoever of it asks, by whatever name.
func TestFair_OneTenantIsOne(t *testing.T) {
	t.Parallel()
	b := setupFair(t)
	b.limit(tenantB, `{"requests_per_second": 1}`)
	asBob, asDana := b.bearer(bob), b.bearer(dana)
	byID, bySlug := with(asDana, "Vital-Tenant", tenantB), with(asDana, "Vital-Tenant", "bolt")
	for _, credential := range [][]string{asBob, byID, bySlug} {
		untilRefused(t, func() answer { return b.get("/v1/context", credential...) })
	}
	untilRefused(t, func() answer { return b.get("/v1/context", asBob...) })
	refused := 0
	for _, credential := range [][]string{byID, bySlug, with(asDana, "Vital-Tenant", strings.ToUpper(tenantB)), asBob} {
		if b.get("/v1/context", credential...).status == 429 {
			refused++
		}
	}
	require.GreaterOrEqual(t, refused, 3, "one may have been earned meanwhile")
	require.Equal(t, 200, b.get("/v1/context", asDana...).status, "in another tenant dana counts to that one")
}

// TestFair_WhoIsBarredDoesNotCount: a former member cannot use up what was their tenant's.
func TestFair_WhoIsBarredDoesNotCount(t *testing.T) {
	t.Parallel()
	b := setupFair(t)
	b.limit(tenantB, `{"requests_per_second": 1}`)
	asBob, asDana := b.bearer(bob), with(b.bearer(dana), "Vital-Tenant", "bolt")
	untilRefused(t, func() answer { return b.get("/v1/context", asDana...) })
	b.db.Exec(t, "delete from user_tenants where user_id = $1 and tenant_id = $2", dana, tenantB)
	for _, path := range []string{"/v1/context", "/rest/v1/prompts"} {
		require.Eventually(t, func() bool { return b.get(path, asDana...).status == 404 }, 30*time.Second, 10*time.Millisecond)
		require.Eventually(t, func() bool { return b.get("/v1/context", asBob...).status == 200 }, 30*time.Second, 10*time.Millisecond)
		time.Sleep(2 * time.Second)
		for range 50 {
			require.Equal(t, 404, b.get(path, asDana...).status)
		}
		require.Equal(t, 200, b.get("/v1/context", asBob...).status)
	}
}

// TestFair_MadeUpTenants bring no budget: they count to who names them.
func TestFair_MadeUpTenants(t *testing.T) {
	t.Parallel()
	b := setupFair(t, func(c *httpapi.Config, _ *postgres.Config) { c.TenantRate = 5 })
	asAda, asBob := b.bearer(ada), b.bearer(bob)
	require.Equal(t, 200, b.get("/v1/context", asBob...).status)
	n, allowed := 0, 0
	started := time.Now()
	untilRefused(t, func() answer {
		n++
		got := b.get("/v1/context", with(asAda, "Vital-Tenant", fmt.Sprint("made-up-", n))...)
		if got.status == 404 {
			allowed++
		}
		return got
	})
	require.LessOrEqual(t, float64(allowed), 10+5*time.Since(started).Seconds()+1)
	require.Equal(t, 200, b.get("/v1/context", asBob...).status)
}

// TestFair_Anonymous: those without a name count by where they come from.
func TestFair_Anonymous(t *testing.T) {
	t.Parallel()
	b := setupFair(t, func(c *httpapi.Config, _ *postgres.Config) { c.TenantRate = 2 })
	asBob := b.bearer(bob)
	got := untilRefused(t, func() answer { return b.get("/rest/v1/prompts") })
	require.Equal(t, "You ask more often than you may.", got.decode(t)["message"])
	require.Equal(t, 200, b.get("/rest/v1/prompts", asBob...).status)
}

// TestFair_OnlyOperatorsSet: a tenant's admins change all limits but what the tenant may take of the server.
func TestFair_OnlyOperatorsSet(t *testing.T) {
	t.Parallel()
	b := setupFair(t)
	const row = "/rest/v1/tenant_configurations?tenant_id=eq." + tenantB
	requireProblem(t, b.send("PATCH", "/api/tenants/bolt/config", bob, `{"limits": {"requests_per_second": 1000}}`), 403, "permission_denied")
	require.Equal(t, 403, b.send("PATCH", row, bob, `{"limits": {"concurrent_requests": 9}}`).status)
	require.Equal(t, 200, b.send("PATCH", "/api/tenants/bolt/config", root, `{"limits": {"requests_per_second": 500, "concurrent_requests": 3}}`).status)
	require.Equal(t, 200, b.send("PATCH", "/api/tenants/bolt/config", bob, `{"limits": {"max_agents": 7}}`).status, "the others are the admin's")
	for name, body := range map[string]string{
		"raised": `{"limits": {"requests_per_second": 501, "concurrent_requests": 3}}`, "lifted": `{"limits": {"max_agents": 7}}`,
		"lifted by null": `{"limits": {"requests_per_second": null, "concurrent_requests": 3}}`, "no object": `{"limits": []}`,
	} {
		require.Equal(t, 403, b.send("PATCH", row, bob, body).status, name)
	}
	requireProblem(t, b.send("PATCH", "/api/tenants/bolt/config", bob, `{"limits": {"requests_per_second": null}}`), 403, "permission_denied")
	b.db.Exec(t, "insert into user_tenants (tenant_id, user_id, role) values ($1, $2, 'admin')", tenantA, bob)
	require.Equal(t, 200, b.send("POST", "/rest/v1/rpc/clone_tenant_settings", bob, `{"p_from": "`+tenantA+`", "p_to": "`+tenantB+`"}`).status)
	require.JSONEq(t, `{"max_agents": 100, "max_conversations": 1000, "requests_per_second": 500, "concurrent_requests": 3}`,
		b.ask("select limits::text from tenant_configurations where tenant_id = $1", tenantB), "a copy of another's settings leaves them")
	for _, wrong := range []string{"0", "1.5", "-1", `"many"`, "1000001"} {
		require.Equal(t, 422, b.send("PATCH", row, root, `{"limits": {"requests_per_second": `+wrong+`}}`, "Vital-Tenant", "bolt").status, wrong)
	}
	require.Equal(t, 422, b.send("PATCH", "/api/tenants/bolt/config", root, `{"limits": {"concurrent_requests": 0}}`).status)
}

// crowd sends n requests at once and counts the answers by status; stop waits for all of them.
func (b *bundle) crowd(n int, path, body string, credential []string) (stop func() map[int]int) {
	var mu sync.Mutex
	var running sync.WaitGroup
	statuses := map[int]int{}
	for range n {
		running.Go(func() {
			got := b.sendWith(http.MethodPost, path, body, credential...)
			mu.Lock()
			statuses[got.status]++
			mu.Unlock()
		})
	}
	return func() map[int]int { running.Wait(); return statuses }
}

// introduce has the server know whose requests these are: by the first it learns the tenant, by the second that it is about.
func (b *bundle) introduce(credentials ...[]string) {
	b.t.Helper()
	for _, credential := range credentials {
		for range 2 {
			require.Equal(b.t, 200, b.get("/rest/v1/prompts?limit=1", credential...).status)
		}
	}
}

// napping is how many naps the database takes now.
func (b *bundle) napping() int {
	return b.number("select count(*)::int from pg_stat_activity where datname = current_database() and state = 'active' and wait_event = 'PgSleep'")
}

// TestFair_Connections: of four connections a tenant that asks for two hundred leaves two, and whoever else asks is
// answered.
func TestFair_Connections(t *testing.T) {
	t.Parallel()
	b := setupFair(t, func(_ *httpapi.Config, pg *postgres.Config) { pg.MaxConns, pg.AcquireTimeout = 4, time.Minute })
	asAda, asBob := b.bearer(ada), b.bearer(bob)
	b.introduce(asAda, asBob)
	stop := b.crowd(200, "/rest/v1/rpc/nap", `{"seconds": 0.1}`, asBob)
	require.Eventually(t, func() bool { return b.napping() == 2 }, 30*time.Second, time.Millisecond)
	for range 20 {
		require.Equal(t, 200, b.get("/rest/v1/prompts", asAda...).status)
		require.LessOrEqual(t, b.napping(), 2)
	}
	statuses := stop()
	require.Equal(t, 200, statuses[204]+statuses[429], statuses)
	require.GreaterOrEqual(t, statuses[204], 64, "as many as may wait are answered")
	require.Positive(t, statuses[429])
	require.Zero(t, b.pool.Stat().Waiting)
	require.Contains(t, b.get("/metrics").body, `vital_fair_rejected_total{reason="queue"}`)
}

// TestFair_ConcurrentRequests bounds a tenant that is alone, too.
func TestFair_ConcurrentRequests(t *testing.T) {
	t.Parallel()
	b := setupFair(t, func(_ *httpapi.Config, pg *postgres.Config) { pg.MaxConns, pg.AcquireTimeout = 4, time.Minute })
	b.limit(tenantB, `{"concurrent_requests": 1}`)
	asBob := b.bearer(bob)
	b.introduce(asBob)
	require.Eventually(t, func() bool { // once it is known
		stop := b.crowd(4, "/rest/v1/rpc/nap", `{"seconds": 0.1}`, asBob)
		most := 0
		for ended := time.Now().Add(300 * time.Millisecond); time.Now().Before(ended); {
			most = max(most, b.napping())
		}
		require.Equal(t, map[int]int{204: 4}, stop())
		return most == 1
	}, 30*time.Second, time.Millisecond)
}

// TestFair_TooLong: who waits for requests of their own tenant is told so, and not that the server is full.
func TestFair_TooLong(t *testing.T) {
	t.Parallel()
	b := setupFair(t, func(_ *httpapi.Config, pg *postgres.Config) {
		pg.MaxConns, pg.AcquireTimeout = 2, time.Second
	})
	asAda, asBob := b.bearer(ada), b.bearer(bob)
	b.introduce(asAda, asBob)
	stop := b.crowd(1, "/rest/v1/rpc/nap", `{"seconds": 4}`, asBob)
	require.Eventually(t, func() bool { return b.napping() == 1 }, 30*time.Second, time.Millisecond)
	got := b.get("/rest/v1/prompts", asBob...)
	require.Equal(t, 429, got.status)
	require.NotEmpty(t, got.header.Get("Retry-After"))
	require.Equal(t, 200, b.get("/rest/v1/prompts", asAda...).status)
	require.Equal(t, map[int]int{204: 1}, stop())
}

// TestFair_GivingUp: requests that are given up while they wait leave nothing behind.
func TestFair_GivingUp(t *testing.T) {
	t.Parallel()
	b := setupFair(t, func(_ *httpapi.Config, pg *postgres.Config) { pg.MaxConns, pg.AcquireTimeout = 2, time.Minute })
	asAda, asBob := b.bearer(ada), b.bearer(bob)
	b.introduce(asAda, asBob)
	var running sync.WaitGroup
	for n := range 30 {
		running.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Duration(10+5*n)*time.Millisecond)
			defer cancel()
			request, err := http.NewRequestWithContext(ctx, http.MethodPost, b.server.URL+"/rest/v1/rpc/nap", strings.NewReader(`{"seconds": 0.02}`))
			if err != nil {
				t.Error(err)
				return
			}
			request.Header.Set(asBob[0], asBob[1])
			request.Header.Set("Content-Type", "application/json")
			if response, err := b.server.Client().Do(request); err == nil {
				response.Body.Close()
			}
		})
	}
	running.Wait()
	require.Eventually(t, func() bool { s := b.pool.Stat(); return s.Waiting == 0 && s.Acquired == 0 }, 30*time.Second, 5*time.Millisecond)
	for range 5 {
		require.Equal(t, 200, b.get("/rest/v1/prompts", asBob...).status)
		require.Equal(t, 200, b.get("/rest/v1/prompts", asAda...).status)
	}
}
