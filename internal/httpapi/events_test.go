package httpapi_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/httpapi"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
)

const contextEvents = "/v1/context/events"

// listen opens a stream with headers given in pairs and returns its lines; closed when it ends.
func (b *bundle) listen(uri string, headers ...string) <-chan string {
	b.t.Helper()
	status, lines := b.tryListen(uri, headers...)
	require.Equal(b.t, 200, status, uri)
	return lines
}

// tryListen is listen where it may be refused.
func (b *bundle) tryListen(uri string, headers ...string) (status int, lines <-chan string) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.server.URL+uri, nil)
	require.NoError(b.t, err)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := b.server.Client().Do(request) //nolint:bodyclose // whoever reads it closes it
	require.NoError(b.t, err)
	if response.StatusCode != http.StatusOK {
		cancel()
		require.NoError(b.t, response.Body.Close())
		return response.StatusCode, nil
	}
	require.Equal(b.t, "text/event-stream", response.Header.Get("Content-Type"))
	require.Equal(b.t, "no-store", response.Header.Get("Cache-Control"))
	come, done := make(chan string, 1000), make(chan struct{})
	go func() {
		defer close(done)
		defer close(come)
		defer response.Body.Close()
		for in := bufio.NewScanner(response.Body); in.Scan(); {
			come <- in.Text()
		}
	}()
	b.t.Cleanup(func() { cancel(); <-done })
	return 200, come
}

// addressOf is where an EventSource finds the stream of a caller's context.
func (b *bundle) addressOf(credential ...string) string {
	b.t.Helper()
	got := b.do(http.MethodPost, contextEvents, credential...)
	require.Equal(b.t, 200, got.status, got.body)
	var address struct {
		URL       string    `json:"url"`
		ExpiresAt time.Time `json:"expires_at"`
	}
	require.NoError(b.t, json.Unmarshal([]byte(got.body), &address))
	require.True(b.t, strings.HasPrefix(address.URL, contextEvents+"?token="), address.URL)
	require.WithinRange(b.t, address.ExpiresAt, time.Now(), time.Now().Add(11*time.Minute))
	return address.URL
}

// begun reads the beginning of a stream, to the id of the state it begins with.
func begun(t *testing.T, lines <-chan string) (id string) {
	t.Helper()
	waitFor(t, lines, "retry:")
	return strings.TrimPrefix(waitFor(t, lines, "id: "), "id: ")
}

// told waits for the next event and returns its id and version.
func told(t *testing.T, lines <-chan string) (id, version string) {
	t.Helper()
	id = strings.TrimPrefix(waitFor(t, lines, "id: "), "id: ")
	require.Equal(t, "event: context", <-lines)
	var data struct{ Version string }
	require.NoError(t, json.Unmarshal([]byte(strings.TrimPrefix(<-lines, "data: ")), &data))
	return id, data.Version
}

// known is begun where the client knows the state there is: nothing is told.
func (b *bundle) known(t *testing.T, uri string, headers ...string) <-chan string {
	t.Helper()
	lines := b.listen(uri, headers...)
	begun(t, lines)
	quiet(t, lines)
	return lines
}

func TestContextEvents_EveryChange(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]string{
		"the tenant's name":               "update organizations set name = 'changed' where slug = 'acme'",
		"the configuration":               `update tenant_configurations set ui_config = '{"theme":"changed"}' where tenant_id = '` + tenantA + `'`,
		"an app":                          "insert into tenant_apps (tenant_id, app_key, app_name, app_route) values ('" + tenantA + "', 'changed', 'x', '/x')",
		"a flag's definition":             "insert into feature_flags (flag_key) values ('changed')",
		"an override":                     "insert into tenant_feature_flags (tenant_id, feature_flag_id, config) select '" + tenantA + "', id, '{\"changed\":1}' from feature_flags where flag_key = 'one'",
		"the user's profile":              "update profiles set full_name = 'changed' where id = '" + dana + "'",
		"the membership":                  "update user_tenants set role = 'admin' where user_id = '" + dana + "' and tenant_id = '" + tenantA + "'",
		"another tenant's name in a list": "update organizations set name = 'changed' where slug = 'bolt'",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			asDana, _ := b.session(dana)
			before := b.warm(asDana)
			byHeader, byAddress := b.listen(contextEvents, asDana...), b.known(t, b.addressOf(asDana...))
			first, version := told(t, byHeader) // who names no state is told of the one there is
			require.Equal(t, counters(before), version)
			quiet(t, byHeader)
			b.db.Exec(t, change)
			id, version := told(t, byHeader)
			require.NotEqual(t, first, id)
			same, _ := told(t, byAddress)
			require.Equal(t, id, same)
			after := b.get("/v1/context", with(asDana, "If-None-Match", before.header.Get("ETag"), "Vital-Min-Version", version)...)
			require.Equal(t, 200, after.status)
			require.Contains(t, after.body, map[bool]string{true: `"admin"`, false: "changed"}[name == "the membership"])
			require.Equal(t, version, counters(after))
			quiet(t, byHeader)
			quiet(t, byAddress)
		})
	}
}

func TestContextEvents_NotOfOthers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	asAda, _ := b.session(ada)
	lines := b.known(t, b.addressOf(asAda...))
	b.db.Exec(t, "update organizations set name = 'changed' where slug = 'bolt'")
	b.db.Exec(t, `update tenant_configurations set ui_config = '{"theme":"changed"}' where tenant_id = '`+tenantB+`'`)
	b.db.Exec(t, "update tenant_feature_flags set enabled = false where tenant_id = '"+tenantB+"'")
	b.db.Exec(t, "update profiles set full_name = 'changed' where id = '"+bob+"'")
	b.db.Exec(t, "update profiles set full_name = 'changed' where id = '"+dana+"'") // a colleague
	b.db.Exec(t, "update user_tenants set role = 'admin' where user_id = '"+dana+"' and tenant_id = '"+tenantA+"'")
	b.db.Exec(t, "insert into vital.revoked_sessions (session_id, expires_at) values (gen_random_uuid(), now() + interval '1 hour')")
	b.db.Exec(t, "select pg_notify('vital_change', 'tenant:"+tenantA+":999999')") // anybody could send that
	quiet(t, lines)
	b.db.Exec(t, "update organizations set name = 'changed' where slug = 'acme'")
	told(t, lines)
}

func TestContextEvents_Resumed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	asAda, _ := b.session(ada)
	asBob, _ := b.session(bob)
	old, _ := told(t, b.listen(contextEvents, asAda...))
	ofBob, _ := told(t, b.listen(contextEvents, asBob...))
	address := b.addressOf(asAda...)
	b.known(t, contextEvents, with(asAda, "Last-Event-ID", old)...)
	b.known(t, contextEvents+"?since="+old, asAda...)
	b.db.Exec(t, "update organizations set name = 'changed' where slug = 'acme'")
	require.Eventually(t, func() bool { return strings.Contains(b.get("/v1/context", asAda...).body, "changed") }, 30*time.Second, time.Millisecond)

	now, version := told(t, b.listen(contextEvents, with(asAda, "Last-Event-ID", old)...))
	require.NotEqual(t, old, now)
	for name, lines := range map[string]<-chan string{
		"an address from before": b.listen(address), "since": b.listen(contextEvents+"?since="+old, asAda...),
		"somebody else's": b.listen(contextEvents, with(asAda, "Last-Event-ID", ofBob)...),
		"made up":         b.listen(contextEvents, with(asAda, "Last-Event-ID", "9999.9999.9999.9999-ffffffff")...),
		"not one":         b.listen(contextEvents, with(asAda, "Last-Event-ID", "data: {\"version\": 1}")...),
	} {
		id, is := told(t, lines)
		require.Equal(t, []string{now, version}, []string{id, is}, "%s: the caller's own, and nothing else", name)
		quiet(t, lines)
	}
	b.known(t, address, "Last-Event-ID", now) // an EventSource that comes back names it, and its address has another
}

// TestContextEvents_End: a stream goes on for as long as its caller may have the context, however it was opened.
func TestContextEvents_End(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]string{
		"the membership ends":      "delete from user_tenants where user_id = '" + dana + "' and tenant_id = '" + tenantA + "'",
		"the membership is paused": "update user_tenants set status = 'suspended' where user_id = '" + dana + "' and tenant_id = '" + tenantA + "'",
		"the tenant is suspended":  "update organizations set lifecycle_state = 'suspended' where slug = 'acme'",
		"the session is revoked":   "insert into vital.revoked_sessions (session_id, expires_at) values ('SESSION', now() + interval '1 hour')",
		"the profile is deleted":   "delete from profiles where id = '" + dana + "'",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			asDana, session := b.session(dana)
			address := b.addressOf(asDana...)
			byHeader, byAddress := b.listen(contextEvents, asDana...), b.known(t, address)
			b.db.Exec(t, strings.ReplaceAll(end, "SESSION", session.String()))
			waitFor(t, byHeader, "")
			waitFor(t, byAddress, "")
			for _, try := range [][]string{append([]string{contextEvents}, asDana...), {address}, {address, "Last-Event-ID", "1.1.1.1-x"}} {
				status, _ := b.tryListen(try[0], try[1:]...)
				require.GreaterOrEqual(t, status, 400)
			}
			require.GreaterOrEqual(t, b.do(http.MethodPost, contextEvents, asDana...).status, 400)
		})
	}
	t.Run("signing out", func(t *testing.T) {
		t.Parallel()
		b := setupSignIn(t)
		token := b.signedIn(t, "dana@acme.test")
		other := b.signedIn(t, "dana@acme.test")
		byHeader, byAddress := b.listen(contextEvents, bearer(token)...), b.known(t, b.addressOf(bearer(token)...))
		goesOn := b.known(t, b.addressOf(bearer(other)...))
		require.Equal(t, 204, b.auth(http.MethodPost, "/auth/v1/logout?scope=local", "", bearer(token)...).status)
		waitFor(t, byHeader, "")
		waitFor(t, byAddress, "")
		quiet(t, goesOn)
	})
	t.Run("the token expires", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		token, err := b.issuer.Issue(identity.Grant{UserID: uuid.MustParse(dana), Role: identity.Authenticated, SessionID: uuid.New(), TTL: 3 * time.Second})
		require.NoError(t, err)
		address := b.addressOf(bearer(token)...)
		byHeader, byAddress := b.listen(contextEvents, bearer(token)...), b.listen(address)
		waitFor(t, byHeader, "")
		waitFor(t, byAddress, "")
		require.Eventually(t, func() bool { status, _ := b.tryListen(address); return status == 401 }, 30*time.Second, 50*time.Millisecond, "nor can it be opened again")
	})
}

// signedIn is the access token of a sign-in.
func (b *bundle) signedIn(t *testing.T, email string) string {
	t.Helper()
	got := b.auth(http.MethodPost, "/auth/v1/token?grant_type=password", map[string]string{"email": email, "password": password})
	require.Equal(t, 200, got.status, got.body)
	return got.decode(t)["access_token"].(string)
}

// TestContextEvents_Address: what stands in an address opens one stream of one caller, and is good for nothing else.
func TestContextEvents_Address(t *testing.T) {
	t.Parallel()
	b := setup(t)
	asAda, _ := b.session(ada)
	asDana, _ := b.session(dana)
	address := b.addressOf(asAda...)
	_, rest, _ := strings.Cut(address, "token=")
	token, _, _ := strings.Cut(rest, "&")
	payload, signature, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(payload)
	require.NoError(t, err)
	altered := func(from, to string) string {
		require.Contains(t, string(text), from)
		return base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(text), from, to, 1))) + "." + signature
	}
	parts := strings.Split(string(text), ".")
	flags := b.streamOf(asAda...)
	_, ofFlags, _ := strings.Cut(flags, "token=")
	ofFlags, _, _ = strings.Cut(ofFlags, "&")
	for name, try := range map[string]string{
		"no token": contextEvents, "an empty one": contextEvents + "?token=", "garbage": contextEvents + "?token=a.b",
		"another tenant":       contextEvents + "?token=" + altered(tenantA, tenantB),
		"another user":         contextEvents + "?token=" + altered(ada, bob),
		"another role":         contextEvents + "?token=" + altered("authenticated", "service_role"),
		"a later expiry":       contextEvents + "?token=" + altered(parts[6], parts[6]+"9"),
		"no signature":         contextEvents + "?token=" + payload + ".",
		"another signature":    contextEvents + "?token=" + payload + "." + strings.Repeat("A", 43),
		"an access token":      contextEvents + "?token=" + strings.TrimPrefix(asAda[1], "Bearer "),
		"of the flags' stream": contextEvents + "?token=" + ofFlags,
		"at the flags' stream": "/ofrep/v1/events?token=" + token,
	} {
		for _, headers := range [][]string{nil, asDana} { // a token in the address outranks the header
			if headers != nil && name == "no token" {
				continue
			}
			got := b.get(try, headers...)
			require.Equal(t, 401, got.status, name)
			require.NotContains(t, got.body, tenantB, name)
			require.NotContains(t, got.body, token, name)
		}
	}
	for _, path := range []string{"/v1/context?token=" + token, "/rest/v1/organizations?token=" + token} {
		got := b.get(path)
		require.NotContains(t, got.body, "Acme", path)
	}
	require.Equal(t, 401, b.get("/v1/context", "Authorization", "Bearer "+token).status)
	require.NotContains(t, b.log.String(), token, "an address is a secret, and not for the log")

	// The tenant is the address's, whatever the header says.
	lines := b.known(t, address, "Vital-Tenant", "bolt")
	b.db.Exec(t, "update organizations set name = 'changed' where slug = 'bolt'")
	quiet(t, lines)
	for name, try := range map[string]struct {
		status  int
		headers []string
	}{
		"a foreign tenant":      {404, with(asAda, "Vital-Tenant", "bolt")},
		"no tenant":             {404, with(asAda, "Vital-Tenant", "nowhere")},
		"not a tenant":          {400, with(asAda, "Vital-Tenant", "a b")},
		"anonymous":             {401, nil},
		"an altered credential": {401, []string{"Authorization", asAda[1] + "x"}},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			got := b.do(method, contextEvents, try.headers...)
			require.Equal(t, try.status, got.status, "%s %s: %s", method, name, got.body)
			require.Equal(t, "application/problem+json", got.header.Get("Content-Type"))
		}
	}
	inBolt := b.addressOf(with(asDana, "Vital-Tenant", "bolt")...)
	told(t, b.listen(contextEvents, with(asDana, "Vital-Tenant", "bolt")...))
	bolt := b.known(t, inBolt)
	b.db.Exec(t, `update tenant_configurations set ui_config = '{"theme":"changed"}' where tenant_id = '`+tenantB+`'`)
	told(t, bolt)
}

// TestContextEvents_Heartbeat: a quiet stream is not taken for a dead one.
func TestContextEvents_Heartbeat(t *testing.T) {
	t.Parallel()
	b := setup(t)
	asAda, _ := b.session(ada)
	lines := b.known(t, b.addressOf(asAda...))
	deadline := time.After(30 * time.Second)
	for {
		select {
		case line, open := <-lines:
			require.True(t, open)
			if line == ":" {
				return
			}
			require.Empty(t, line)
		case <-deadline:
			t.Fatal("no sign of life")
		}
	}
}

// TestContextEvents_RunsOut: an override that runs out by itself is a change, too.
func TestContextEvents_RunsOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.db.Exec(t, "insert into tenant_feature_flags (tenant_id, feature_flag_id, expires_at) select '"+tenantA+"', id, now() + interval '3 seconds' from feature_flags where flag_key = 'one'")
	asAda, _ := b.session(ada)
	lines := b.listen(contextEvents, asAda...)
	before := begun(t, lines)
	waitFor(t, lines, "data:")
	for deadline := time.After(40 * time.Second); ; { // it is found out with the next sign of life
		select {
		case line, open := <-lines:
			require.True(t, open)
			if after, isID := strings.CutPrefix(line, "id: "); isID {
				require.NotEqual(t, before, after)
				return
			}
		case <-deadline:
			t.Fatal("nothing is told")
		}
	}
}

// TestContextEvents_Busy: a stream that cannot look at what has changed, since every connection is taken, goes on and tells
// of it later.
func TestContextEvents_Busy(t *testing.T) {
	t.Parallel()
	b := setup(t, func(_ *httpapi.Config, c *postgres.Config) { c.MaxConns, c.AcquireTimeout = 1, 50*time.Millisecond })
	asAda, _ := b.session(ada)
	lines := b.listen(contextEvents, asAda...)
	begun(t, lines)
	waitFor(t, lines, "data:")
	release := b.hold()
	b.db.Exec(t, `update organizations set name = 'changed' where slug = 'acme'`)
	quiet(t, lines)
	release()
	told(t, lines)
}

// TestContextEvents_SlowClient: who does not read is dropped, and nothing is kept for them.
func TestContextEvents_SlowClient(t *testing.T) {
	t.Parallel()
	b := setup(t)
	asAda, _ := b.session(ada)
	b.warm(asAda)
	server := httptest.NewUnstartedServer(b.server.Config.Handler)
	server.Listener = smallBuffers{server.Listener}
	server.Start()
	t.Cleanup(server.Close)
	dialer := net.Dialer{}
	conn, err := dialer.DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.(*net.TCPConn).SetReadBuffer(2048))
	_, err = io.WriteString(conn, "GET "+contextEvents+" HTTP/1.1\r\nHost: x\r\n"+asAda[0]+": "+asAda[1]+"\r\n\r\n")
	require.NoError(t, err)

	other := b.known(t, b.addressOf(asAda...))
	heard := make(chan int, 1)
	go func() { // the same changes reach whoever reads
		n := 0
		for line := range other {
			if strings.HasPrefix(line, "data:") {
				n++
			}
		}
		heard <- n
	}()
	super := b.db.Connect(t)
	began := time.Now()
	changes := 0
	for time.Since(began) < 14*time.Second { // longer than a client has to take an event
		_, err := super.Exec(t.Context(), "update organizations set name = name || 'x' where slug = 'acme'; update organizations set name = 'Acme' where length(name) > 60")
		require.NoError(t, err)
		changes++
	}
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	text, err := io.ReadAll(conn)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the stream goes on")
	told := strings.Count(string(text), "event: context")
	b.server.CloseClientConnections()
	read := <-heard
	require.Greater(t, changes, 500)
	require.Greater(t, read, told*2, "%d changes, %d told to who reads, %d to who does not", changes, read, told)
	require.Less(t, len(text), 64<<10)
}

// smallBuffers has the kernel keep little of what a client does not read.
type smallBuffers struct{ net.Listener }

func (l smallBuffers) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		err = conn.(*net.TCPConn).SetWriteBuffer(2048)
	}
	return conn, err
}

// TestContextEvents_PlacesOfOne: nobody takes the places of all others.
func TestContextEvents_PlacesOfOne(t *testing.T) {
	t.Parallel()
	b := setup(t)
	greedy := uuid.NewString() // places are counted for the process, which the tests share
	b.db.Exec(t, `insert into users (id, organization_id, email) values ('`+greedy+`', '`+tenantA+`', 'greedy@acme.test')`)
	b.db.Exec(t, `insert into profiles (id, email) values ('`+greedy+`', 'greedy@acme.test')`)
	b.db.Exec(t, `insert into user_tenants (tenant_id, user_id, role) values ('`+tenantA+`', '`+greedy+`', 'member')`)
	asGreedy, _ := b.session(greedy)
	address := b.addressOf(asGreedy...)
	ctx, cancel := context.WithCancel(t.Context())
	open := func() (status int, retry string) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.server.URL+address, nil)
		require.NoError(t, err)
		response, err := b.server.Client().Do(request)
		require.NoError(t, err)
		t.Cleanup(func() { _ = response.Body.Close() })
		return response.StatusCode, response.Header.Get("Retry-After")
	}
	for range 500 {
		status, _ := open()
		require.Equal(t, 200, status)
	}
	status, retry := open()
	require.Equal(t, 503, status)
	require.NotEmpty(t, retry)
	asAda, _ := b.session(ada)
	b.known(t, b.addressOf(asAda...))
	cancel()
	require.Eventually(t, func() bool {
		status, _ := b.tryListen(address)
		return status == 200
	}, 30*time.Second, 20*time.Millisecond, "places that were left are free")
}
