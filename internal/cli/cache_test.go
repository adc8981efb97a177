package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/cli"
	"github.com/vital-db/vital/internal/pgtest"
)

// fleet is a database with a tenant of two members, a Redis, and two servers that share it.
type fleet struct {
	*pgtest.Database
	servers     [2]*running
	redis       rueidis.Client
	environment []string
	acme, token string // of olga
}

func startFleet(t *testing.T) *fleet {
	t.Helper()
	f := &fleet{}
	f.Database, _ = operated(t)
	address := pgtest.Redis(t)
	options := rueidis.MustParseURL(address)
	options.DisableCache = true
	var err error
	f.redis, err = rueidis.NewClient(options)
	require.NoError(t, err)
	t.Cleanup(f.redis.Close)
	f.environment = []string{
		"VITAL_DATABASE_URL=" + f.APIURL, "VITAL_REDIS_URL=" + address, "VITAL_JWT_SECRET=a-secret-of-the-tests-of-32-bytes-or-more", "VITAL_LISTEN=127.0.0.1:0",
	}
	ok(t, f.run(t, "tenant", "create", "--name", "Acme", "--slug", "acme", "--type", "system", "--owner", "olga@acme.test"))
	f.Exec(t, `insert into user_tenants (tenant_id, user_id, role) select id, 'a0000000-0000-4000-8000-000000000002', 'member' from organizations where slug = 'acme'`)
	require.NoError(t, f.Connect(t).QueryRow(t.Context(), "select id::text from organizations where slug = 'acme'").Scan(&f.acme))
	f.token = strings.TrimSpace(ok(t, f.run(t, "token", "--user", "olga@acme.test", "--tenant", "acme")))
	for i := range f.servers {
		f.servers[i] = start(t, f.environment, "serve")
	}
	return f
}

func (f *fleet) run(t *testing.T, args ...string) result {
	t.Helper()
	return vital(t, f.environment, args...)
}

// ofServers is run with every server named.
func (f *fleet) ofServers(t *testing.T, args ...string) result {
	t.Helper()
	for _, s := range f.servers {
		args = append(args, "--server", s.address)
	}
	return f.run(t, args...)
}

// theme is what a server answers to olga.
func (f *fleet) theme(t *testing.T, server int) any {
	t.Helper()
	status, body := f.servers[server].get(t, "/v1/context", f.token)
	require.Equal(t, http.StatusOK, status, body)
	return body["config"].(map[string]any)["ui_config"].(map[string]any)["theme"]
}

// setTheme changes the tenant's configuration; behind says that nobody hears of it.
func (f *fleet) setTheme(t testing.TB, theme string, behind bool) {
	t.Helper()
	set := "set session_replication_role = origin; "
	if behind {
		set = "set session_replication_role = replica; "
	}
	f.Exec(t, set+`update tenant_configurations set ui_config = ui_config || '{"theme": "`+theme+`"}' where tenant_id = '`+f.acme+`'; reset session_replication_role`)
}

func (f *fleet) key() string { return "tenant:" + f.acme + ":config" }

func (f *fleet) stored(t *testing.T) string {
	t.Helper()
	text, err := f.redis.Do(t.Context(), f.redis.B().Get().Key(f.key()).Build()).ToString()
	if rueidis.IsRedisNil(err) {
		return ""
	}
	require.NoError(t, err)
	return text
}

func (f *fleet) store(t *testing.T, key, value string) {
	t.Helper()
	require.NoError(t, f.redis.Do(t.Context(), f.redis.B().Set().Key(key).Value(value).Build()).Error())
}

// planted runs check while the tenant's document is value, which is put back as soon as a server drops it.
func (f *fleet) planted(t *testing.T, value string, check func()) {
	t.Helper()
	done, stopped := make(chan struct{}), make(chan struct{})
	f.store(t, f.key(), value)
	go func() {
		defer close(stopped)
		for {
			select {
			case <-done:
				return
			case <-time.After(2 * time.Millisecond):
				_ = f.redis.Do(context.Background(), f.redis.B().Set().Key(f.key()).Value(value).Build()).Error()
			}
		}
	}()
	defer func() { close(done); <-stopped }()
	check()
}

// warm has both servers, and Redis, remember the tenant. A server fills Redis when it reads, unless it looks Redis
// through just then, as it does at its start: after the next change it reads again.
func (f *fleet) warm(t *testing.T) {
	t.Helper()
	for i := range 30 {
		theme := fmt.Sprintf("warm-%d", i)
		f.setTheme(t, theme, false)
		for range 50 {
			if f.theme(t, 0) == theme && f.theme(t, 1) == theme && strings.Contains(f.stored(t), `"`+theme+`"`) {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	t.Fatal("Redis is not filled")
}

type checkedSource struct {
	Source                                                                        string
	Samples, Remembered, Failed, Equal, Moved, Behind, Violations, Garbage, Nines int
	Rate                                                                          float64
	AtLeast                                                                       bool    `json:"at_least"`
	MaxBehindMS                                                                   float64 `json:"max_behind_ms"`
	Examples                                                                      []string
}

// check compares, for longer and longer until that is enough, since a busy machine looks seldom, and returns what each source
// came to: Redis, and then the servers.
func (f *fleet) check(t *testing.T, code int, enough func([]checkedSource) bool, args ...string) []checkedSource {
	t.Helper()
	for lasting := 500 * time.Millisecond; ; lasting *= 2 {
		got := f.ofServers(t, append([]string{"cache", "check", "--json", "--every", "20ms", "--for", lasting.String()}, args...)...)
		var sources []checkedSource
		require.NoError(t, json.Unmarshal([]byte(got.out), &sources), got.out+got.err)
		require.Len(t, sources, 3)
		require.Equal(t, []string{"redis", f.servers[0].address, f.servers[1].address}, []string{sources[0].Source, sources[1].Source, sources[2].Source})
		if got.code == code && enough(sources) {
			return sources
		}
		require.Less(t, lasting, time.Minute, got.out+got.err)
		require.Falsef(t, code == 0 && slices.ContainsFunc(sources, violated), got.out)
	}
}

func violated(s checkedSource) bool { return s.Violations > 0 }

// compared says that there was something to compare from each.
func compared(sources []checkedSource) bool {
	return !slices.ContainsFunc(sources, func(s checkedSource) bool { return s.Equal == 0 })
}

// ofRedis says the same of Redis alone.
func ofRedis(is func(checkedSource) bool) func([]checkedSource) bool {
	return func(sources []checkedSource) bool { return is(sources[0]) }
}

func TestCacheCheck_Equal(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	f.warm(t)
	for _, s := range f.check(t, 0, compared) {
		require.Equal(t, s.Samples, s.Equal, s)
		require.True(t, s.AtLeast)
		require.InDelta(t, 1-3/float64(s.Equal), s.Rate, 1e-9, "the rule of three")
		require.Empty(t, s.Examples)
		if s.Source != "redis" {
			require.Greater(t, s.Remembered, s.Samples/2, "what is compared is what is remembered")
		}
	}
	got := f.ofServers(t, "cache", "check", "--for", "2s")
	require.Regexp(t, `(?m)^redis +\d+ +- .* 0 +at least \d+\.\d\d %, (no|one|two) nines?`, ok(t, got))
	require.Empty(t, got.err, "progress is for terminals")

	done := make(chan struct{})
	go func() { // while much changes, nothing is violated
		defer close(done)
		for i := range 100 {
			_, err := f.redis.Do(context.Background(), f.redis.B().Ping().Build()).ToString()
			if err != nil {
				return
			}
			f.setTheme(t, strings.Repeat("x", i%7), false)
			time.Sleep(10 * time.Millisecond)
		}
	}()
	f.check(t, 0, compared, "--within", "30s")
	<-done
}

// TestCacheCheck_BehindTheTriggers: nobody has heard of the change, and all that is remembered has its version.
func TestCacheCheck_BehindTheTriggers(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	f.warm(t)
	f.setTheme(t, "planted", true)
	require.NotEqual(t, "planted", f.theme(t, 0))
	all := func(sources []checkedSource) bool {
		return !slices.ContainsFunc(sources, func(s checkedSource) bool { return !violated(s) })
	}
	for _, s := range f.check(t, 3, all, "--within", "100ms") {
		require.Less(t, s.Rate, 1.0)
		require.False(t, s.AtLeast)
		require.NotEmpty(t, s.Examples)
		require.Contains(t, s.Examples[0], f.acme)
	}
	got := f.ofServers(t, "cache", "check", "--for", "5s", "--within", "100ms")
	require.Equal(t, 3, got.code)
	require.Contains(t, got.err, "(findings)")
	require.Contains(t, got.out, "violation  redis: tenant "+f.acme+": what Redis has at version")
	require.Contains(t, got.out, "other than the database's at version")

	require.Contains(t, ok(t, f.run(t, "cache", "invalidate", "acme", "--reason", "mended by hand")), "acme is read anew")
	require.Eventually(t, func() bool { return f.theme(t, 0) == "planted" && f.theme(t, 1) == "planted" }, 30*time.Second, 20*time.Millisecond)
	require.Eventually(t, func() bool { f.theme(t, 0); return strings.Contains(f.stored(t), "planted") || f.stored(t) == "" }, 30*time.Second, 20*time.Millisecond)
	f.check(t, 0, compared)
}

func TestCacheCheck_Redis(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	f.warm(t)
	old := f.stored(t)

	f.store(t, f.key(), strings.Replace(old, "Acme", "Evil", 1))
	f.store(t, "tenant:00000000-0000-0000-0000-0000000000ff:config", "what is this")
	redis := f.check(t, 0, ofRedis(func(s checkedSource) bool { return s.Garbage > 0 }))[0]
	require.Equal(t, 2, redis.Garbage, "altered, and foreign")
	require.Zero(t, redis.Violations+redis.Behind+redis.Equal)

	f.warm(t) // by a change
	f.planted(t, old, func() {
		redis = f.check(t, 0, ofRedis(func(s checkedSource) bool { return s.MaxBehindMS > 200 }), "--within", "2m")[0]
		require.Positive(t, redis.Behind, "an old one that was put back")
		redis = f.check(t, 3, ofRedis(violated), "--within", "100ms")[0]
		require.Positive(t, redis.Behind, "until it is too long")
		require.Contains(t, redis.Examples[0], "the database has version")
	})

	f.Exec(t, "delete from tenant_configurations where tenant_id = $1", f.acme)
	require.Eventually(t, func() bool { return f.stored(t) == "" }, 30*time.Second, 10*time.Millisecond)
	f.planted(t, old, func() {
		redis = f.check(t, 3, ofRedis(violated), "--within", "100ms")[0]
		require.Contains(t, redis.Examples[0], "the database has nothing")
	})
}

// TestCacheCheck_Wrong: a server that says what the database does not.
func TestCacheCheck_Wrong(t *testing.T) { //nolint:tparallel // its cases change what the others read
	t.Parallel()
	f := startFleet(t)
	answers := func(status int, body func(real string) string) string {
		wrong := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			request, _ := http.NewRequestWithContext(r.Context(), http.MethodGet, f.servers[0].address+r.URL.Path, nil)
			request.Header = r.Header.Clone()
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				return
			}
			defer response.Body.Close()
			var text strings.Builder
			_ = response.Write(&text)
			_, real, _ := strings.Cut(text.String(), "\r\n\r\n")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body(real)))
		}))
		t.Cleanup(wrong.Close)
		return wrong.URL
	}
	checked := func(address string, code int) (got result) {
		for lasting := 300 * time.Millisecond; got.code != code && lasting < time.Minute; lasting *= 2 { // a busy machine looks seldom
			got = f.run(t, "cache", "check", "--for", lasting.String(), "--every", "10ms", "--within", "50ms", "--server", address)
		}
		return got
	}
	old := make(chan string, 1)
	for name, c := range map[string]struct {
		address, says string
		code          int
	}{
		"another name":   {answers(200, func(real string) string { return strings.Replace(real, "Acme", "Evil", 1) }), "other than the database's at version", 3},
		"a refusal":      {answers(404, func(string) string { return `{"code": "tenant_not_found"}` }), "refused as tenant_not_found, though the database has a context", 3},
		"unwell":         {answers(503, func(string) string { return `{"code": "pool_exhausted"}` }), "answers 503", 1},
		"something else": {answers(200, func(string) string { return "<html>" }), "is no server of VITAL", 1},
		"an old version": {answers(200, func(real string) string {
			select {
			case old <- real:
				f.Exec(t, "update organizations set name = name || '!' where slug = 'acme'")
			default:
			}
			first := <-old
			old <- first
			return first
		}), "older than the database's", 3},
	} {
		t.Run(name, func(t *testing.T) {
			got := checked(c.address, c.code)
			require.Equal(t, c.code, got.code, got.out+got.err)
			require.Contains(t, got.out+got.err, c.says)
		})
	}
}

func TestCacheCheck_Cannot(t *testing.T) { //nolint:tparallel // its steps follow one another
	t.Parallel()
	f := startFleet(t)
	server := "--server=" + f.servers[0].address
	for name, c := range map[string]struct {
		environment []string
		args        []string
		exit        int
		says        []string
	}{
		"no server":        {nil, []string{"--server", "http://127.0.0.1:1"}, 1, []string{"server_unreachable", "http://127.0.0.1:1", "vital serve"}},
		"another secret":   {[]string{"VITAL_JWT_SECRET=another-secret-of-the-tests-of-32-bytes"}, []string{server}, 1, []string{"token_bad_signature", "VITAL_JWT_SECRET"}},
		"no redis":         {[]string{"VITAL_REDIS_URL=unix:///nowhere"}, []string{server}, 1, []string{"server_unreachable", "Redis"}},
		"not an address":   {nil, []string{"--server", "localhost"}, 2, []string{"usage"}},
		"no pause":         {nil, []string{server, "--every", "0s"}, 2, []string{"usage"}},
		"no sample":        {nil, []string{server, "--sample", "0"}, 2, []string{"usage"}},
		"a stray argument": {nil, []string{"acme"}, 2, []string{"usage"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := vital(t, append(f.environment, c.environment...), append([]string{"cache", "check", "--for", "100ms"}, c.args...)...)
			require.Equal(t, c.exit, got.code, got.out+got.err)
			for _, says := range append(c.says, "hint:") {
				require.Contains(t, got.err, says)
			}
			require.Empty(t, got.out)
		})
	}
	f.Exec(t, "set session_replication_role = replica; delete from user_tenants; reset session_replication_role")
	got := f.run(t, "cache", "check", "--for", "100ms", server)
	require.Equal(t, 1, got.code, "what was not compared is no success")
	require.Contains(t, got.err, "Nothing could be compared")
}

// TestCacheCheck_GoesOn: it goes on until it is interrupted, and tells what it has found then.
func TestCacheCheck_GoesOn(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	f.warm(t)
	var out, err *safeBuffer
	code := -1
	for within := 700 * time.Millisecond; code != 0 && within < 20*time.Second; within *= 2 { // a busy machine has compared nothing so soon
		ctx, interrupt := context.WithTimeout(t.Context(), within)
		out, err = &safeBuffer{}, &safeBuffer{}
		code = cli.Run(ctx, []string{"cache", "check", "--for", "0", "--every", "20ms", "--server", f.servers[0].address}, f.environment, cli.Streams{In: strings.NewReader(""), Out: out, Err: err})
		interrupt()
	}
	require.Equal(t, 0, code, err)
	require.Contains(t, out.String(), "at least")
}

func TestCacheInvalidate(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	f.warm(t)
	old := f.stored(t)
	f.setTheme(t, "planted", true)
	require.NotEqual(t, "planted", f.theme(t, 0))
	var before, after int
	rows := "select count(*)::int from vital.versions"
	conn := f.Connect(t)
	require.NoError(t, conn.QueryRow(t.Context(), rows).Scan(&before))
	require.Contains(t, ok(t, f.run(t, "cache", "invalidate", "--all", "--reason", "restored")), "everything is read anew")
	require.NoError(t, conn.QueryRow(t.Context(), rows).Scan(&after))
	require.LessOrEqual(t, after, before+1, "not a row a tenant")
	require.Eventually(t, func() bool { return f.theme(t, 0) == "planted" && f.theme(t, 1) == "planted" }, 30*time.Second, 20*time.Millisecond)
	require.Eventually(t, func() bool { return f.stored(t) != old }, 30*time.Second, 20*time.Millisecond)
	f.check(t, 0, compared)

	ok(t, f.run(t, "cache", "invalidate", f.acme, "--reason", "by id"))
	var actions string
	require.NoError(t, conn.QueryRow(t.Context(), `select string_agg(o.slug || ' ' || action || ' ' || reason, ', ' order by a.created_at)
		from organization_audit_log a join organizations o on o.id = a.organization_id where action like 'cache%'`).Scan(&actions))
	require.Equal(t, "platform caches_invalidated restored, acme cache_invalidated by id", actions)

	for _, c := range []struct {
		args []string
		exit int
		says string
	}{
		{[]string{"nowhere"}, 1, "tenant_not_found"}, {nil, 2, "usage"}, {[]string{"acme", "--all"}, 2, "usage"}, {[]string{"acme", "pharma"}, 2, "usage"},
	} {
		got := f.run(t, append([]string{"cache", "invalidate"}, c.args...)...)
		require.Equal(t, c.exit, got.code, got.err)
		require.Contains(t, got.err, c.says)
		require.Contains(t, got.err, "hint:")
	}
}

func TestCacheStats(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	f.warm(t)
	f.theme(t, 0)
	type stats struct {
		Server   string
		Memory   map[string]map[string]float64
		Changes  map[string]float64
		Redis    map[string]float64
		Replicas map[string]map[string]float64
	}
	var of []stats
	require.Eventually(t, func() bool { // a busy Redis is away for a moment
		of = parsed[[]stats](t, f.ofServers(t, "cache", "stats", "--json"))
		return !slices.ContainsFunc(of, func(s stats) bool { return s.Changes["heard"] != 1 || s.Redis["up"] != 1 })
	}, 30*time.Second, 100*time.Millisecond)
	require.Len(t, of, 2)
	for i, s := range of {
		require.Equal(t, f.servers[i].address, s.Server)
		require.Empty(t, s.Replicas)
		require.Contains(t, s.Memory, "flags")
	}
	contexts := of[0].Memory["contexts"]
	require.Positive(t, contexts["entries"])
	require.Positive(t, contexts["bytes"])
	require.InDelta(t, contexts["hits"]/(contexts["hits"]+contexts["misses"]+contexts["stale"]), contexts["hit_rate"], 1e-9)

	text := ok(t, f.ofServers(t, "cache", "stats"))
	require.Regexp(t, `(?m)^contexts +all +\d+ +\d+ +\d+ +\d+ +\d+ +\d+\.\d %`, text)
	require.Regexp(t, `(?m)^REDIS +UP +HITS`, text)
	require.Regexp(t, `(?m)^http://\S+ +yes`, text)
	require.NotContains(t, text, "REPLICA", "there is none")
	alone := strings.TrimPrefix(f.servers[0].address, "http://")
	require.Contains(t, ok(t, vital(t, []string{"VITAL_LISTEN=" + alone}, "cache", "stats")), f.servers[0].address, "where it serves, without a database")

	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	for address, exit := range map[string]int{"http://127.0.0.1:1": 1, other.URL: 1, "ftp://x": 2} {
		got := f.run(t, "cache", "stats", "--server", address)
		require.Equal(t, exit, got.code, got.err)
		require.Contains(t, got.err, "hint:")
	}
}
