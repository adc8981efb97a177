package isolation_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/cache"
	"github.com/vital-db/vital/internal/httpapi"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/rest"
	"github.com/vital-db/vital/internal/schema"
	"github.com/vital-db/vital/internal/signin"
	"github.com/vital-db/vital/internal/tenant"
)

// overHTTP serves d, behind what front puts before the handler, and attacks it, in some parts where any are named.
func overHTTP(t *testing.T, d *pgtest.Database, front func(http.Handler, isolation.HTTPServer) http.Handler, relation string, parts ...string) *isolation.Proof {
	t.Helper()
	return overHTTPWith(t, d, isolation.RequestThrough(d.Open(t, postgres.Config{MaxConns: 1})), front, relation, parts...)
}

// overHTTPWith is overHTTP with another way to send SQL.
func overHTTPWith(
	t *testing.T, d *pgtest.Database, request func(context.Context, identity.Caller, []string) (string, error),
	front func(http.Handler, isolation.HTTPServer) http.Handler, relation string, parts ...string,
) *isolation.Proof {
	t.Helper()
	ctx := t.Context()
	log := slog.New(slog.DiscardHandler)
	db := d.Open(t, postgres.Config{MaxConns: 3})
	server := isolation.HTTPServer{Secret: make([]byte, 32), Issuer: "vital", Audience: "authenticated", Request: request}
	_, _ = rand.Read(server.Secret)
	signIn, err := signin.New(signin.Config{DB: db.Service, KEK: bytes.Repeat([]byte{1}, 32), Issuer: "vital", PublicURL: "http://vital.test", Log: log})
	require.NoError(t, err)
	require.NoError(t, signIn.Start(ctx))
	t.Cleanup(signIn.Close)
	verifier, err := identity.NewVerifier(identity.Config{
		Secret: server.Secret, JWKS: signIn.JWKS, Issuer: server.Issuer, Audience: server.Audience, APIKey: signin.FindAPIKey(db.Service),
	})
	require.NoError(t, err)
	require.NoError(t, verifier.Start(ctx))
	engine := rest.New(rest.Config{
		Schemas: []string{"public"}, Aggregates: true, Log: log,
		ReadCatalog: func(ctx context.Context, read func(pgx.Tx) error) error {
			return db.AsService(ctx, "CatalogRead", read)
		},
	})
	require.NoError(t, engine.Load(ctx))
	require.NoError(t, db.AsService(ctx, "Keys", func(tx pgx.Tx) error {
		for role, keys := range map[identity.Role][]*string{identity.Anon: {&server.AnonKey}, identity.ServiceRole: {&server.ServiceKey, &server.RevokedKey}} {
			for _, key := range keys {
				made, text, err := signin.CreateAPIKey(ctx, tx, role, "prove", 0)
				if err != nil {
					return err
				}
				*key = text
				if key == &server.RevokedKey {
					if err := signin.RevokeAPIKey(ctx, tx, made.ID); err != nil {
						return err
					}
				}
			}
		}
		return nil
	}))
	follower := tenant.Follow(db, cache.Source{})
	flags := tenant.NewEvaluator(db, follower, 1<<20)
	contexts := tenant.NewContexts(db, follower, 1<<20, nil)
	following, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { follower.Run(following) })
	t.Cleanup(func() { stop(); running.Wait() })
	handler := httpapi.New(httpapi.Config{
		DB: db, Verifier: verifier, Rest: engine, Contexts: contexts, Flags: flags, Changes: follower, Metrics: httpapi.NewMetrics("test"), Log: log, SchemaVersion: schema.LatestVersion(), SignIn: signIn,
		CORSOrigins: []string{"https://app.test"},
	})
	if front != nil {
		handler = front(handler, server)
	}
	listening := httptest.NewServer(handler)
	t.Cleanup(listening.Close)
	server.URL = listening.URL
	subject, err := isolation.VitalSubject()
	require.NoError(t, err)
	proof := &isolation.Proof{Verbs: map[string]int{}}
	require.NoError(t, isolation.AttackHTTPIn(ctx, proof, d.Connect(t), subject, server, relation, parts...))
	return proof
}

// leaked are the names of the attacks that got through.
func leaked(p *isolation.Proof) map[string]string {
	found := map[string]string{}
	for _, r := range p.Results {
		if r.Outcome == isolation.Leaked {
			found[r.Attack] = r.Object + ": " + r.Evidence
		}
	}
	return found
}

func TestAttackHTTP_OwnServer(t *testing.T) {
	t.Parallel()
	proof := overHTTP(t, pgtest.New(t), nil, "")
	require.Empty(t, leaked(proof))
	for _, r := range proof.Results {
		require.NotEqual(t, isolation.Untried, r.Outcome, "%s as %s on %s: %s", r.Attack, r.Caller, r.Object, r.Evidence)
	}
	for _, verb := range []string{"forge", "smuggle", "impersonate", "read", "count", "error", "embed", "insert", "update", "delete", "upsert", "move",
		"write", "elevate", "function", "account", "cache", "listen", "origin", "replay", "time", "concurrency", "setting", "prepare", "temporary", "lock", "notify", "cursor"} {
		require.Positive(t, proof.Verbs[verb], verb)
	}
}

// TestCrowd: many users at once on three connections.
func TestCrowd(t *testing.T) {
	t.Parallel()
	proof := overHTTP(t, pgtest.New(t), nil, "public.agents", "pool", "events")
	require.Empty(t, leaked(proof))
	require.Positive(t, proof.Verbs["concurrency"])
	require.Positive(t, proof.Verbs["listen"])
}

// TestAttackHTTP_Pooler: what a request leaves on a process that a pooler gives to the next transaction does not
// reach it. There is one process, and three clients' connections that take turns on it.
func TestAttackHTTP_Pooler(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	db := d.Open(t, postgres.Config{URL: pgtest.NewPooler(t, 1).URL(d.APIURL), MaxConns: 3})
	proof := overHTTPWith(t, d, isolation.RequestThrough(db), nil, "", "connection")
	require.Empty(t, leaked(proof))
	for _, verb := range []string{"setting", "prepare", "temporary", "lock", "notify", "cursor"} {
		require.Positive(t, proof.Verbs[verb], verb)
	}
}

// weakened is a way to make the database or what stands before the handler let something through, and the
// attacks that must say so.
type weakened struct {
	name     string
	database string
	front    func(http.Handler, isolation.HTTPServer) http.Handler
	relation string
	parts    []string
	found    []string
}

func TestAttackHTTP_Weakened(t *testing.T) {
	t.Parallel()
	for _, w := range []weakened{
		{
			name: "a policy that is true", relation: "public.agents", parts: []string{"relations", "pool"},
			database: `create policy open on agents for all to authenticated using (true) with check (true)`,
			found: []string{"rest-by-key", "rest-by-tenant", "rest-or", "rest-count", "rest-planned", "rest-aggregate", "rest-csv", "rest-one", "rest-error", "rest-match",
				"rest-update", "rest-update-all", "rest-take", "rest-delete", "rest-delete-all", "rest-insert", "rest-insert-many", "rest-upsert", "rest-upsert-ignore", "rest-embed", "crowd"},
		},
		{
			name: "a table for everybody", relation: "public.agents", parts: []string{"relations"},
			database: `grant select on agents to anon; create policy open on agents for select to anon using (true)`,
			found:    []string{"rest-anonymous"},
		},
		{
			name: "a function that asks nobody", relation: "public.none", parts: []string{"functions"},
			database: `create function public.leaky(p_tenant_id uuid) returns setof agents language sql stable security definer set row_security = off
				as $$ select * from public.agents a where a.tenant_id = p_tenant_id $$; alter function public.leaky owner to vital_test_superuser;
				grant execute on function public.leaky to authenticated`,
			found: []string{"rpc"},
		},
		{
			name: "roles that may be given to oneself", parts: []string{"routes"}, relation: "public.none",
			database: `grant update on user_tenants to authenticated; create policy open on user_tenants for update to authenticated using (true) with check (true);
				grant insert on user_tenants to authenticated; create policy open_too on user_tenants for insert to authenticated with check (true);
				grant update on profiles to authenticated; create policy open on profiles for update to authenticated using (true) with check (true)`,
			found: []string{"promote-self", "join", "become-super"},
		},
		{
			name: "any key will do", parts: []string{"routes"}, front: anyKey,
			found: []string{"forged-token-context", "forged-token-rest", "forged-token-api", "forged-token-auth", "two-tokens-swapped-context", "token-behind-key-context", "bad-key"},
		},
		{
			name: "a header that is trusted", parts: []string{"routes", "relations"}, relation: "public.agents", front: trustsHeader,
			found: []string{"context-of-id", "config-by-header", "trusted-headers-context", "rest-as-tenant", "invite-to-other"},
		},
		{
			name: "a cache that is shared", parts: []string{"caches"}, front: sharedCache,
			found: []string{"shared-cache", "foreign-etag", "foreign-origin"},
		},
		{
			name: "sessions that never end", parts: []string{"sessions"}, front: forgetsEnds,
			found: []string{"ended-session", "stolen-session", "suspended"},
		},
		{
			name: "streams that never end", parts: []string{"sessions"}, front: listensOn,
			found: []string{"ended-stream", "suspended-stream"},
		},
		{
			name: "streams for everybody", parts: []string{"events"}, front: believesAddresses,
			found: []string{"foreign-stream", "nobodys-stream"},
		},
		{
			name: "streams that know whose an event was", parts: []string{"events"}, front: knowsEvents,
			found: []string{"foreign-event-id"},
		},
		{
			name: "connections that are mixed up", parts: []string{"pool"}, front: mixesUp,
			found: []string{"crowd"},
		},
	} {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			d := pgtest.New(t)
			if w.database != "" {
				d.Exec(t, w.database)
			}
			proof := overHTTP(t, d, w.front, w.relation, w.parts...)
			for _, r := range proof.Results {
				require.Equal(t, r.Outcome == isolation.Leaked, strings.Contains(r.Script, "\ncurl -i"), r.Attack)
				require.NotContains(t, r.Script, "eyJ", "a script shows a token")
			}
			got := leaked(proof)
			for _, name := range w.found {
				require.Contains(t, got, name)
			}
		})
	}
}

// TestAttackHTTP_Meanwhile: what a server writes of its own accord while an attack is on its way is not the attack's doing;
// what is written at each attack is.
func TestAttackHTTP_Meanwhile(t *testing.T) {
	t.Parallel()
	for name, often := range map[string]int{"once": 1, "at each": 1000} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := pgtest.New(t)
			operator := d.Connect(t)
			var written int
			writes := func(next http.Handler, _ isolation.HTTPServer) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if strings.Contains(r.URL.Path, "//") && written < often {
						written++
						_, err := operator.Exec(r.Context(), "update public.tenant_configurations set updated_at = updated_at + interval '1 hour'")
						assert.NoError(t, err)
					}
					next.ServeHTTP(w, r)
				})
			}
			found := leaked(overHTTP(t, d, writes, "public.none", "routes"))
			require.Positive(t, written)
			require.Equal(t, often > 1, found["path-double"] != "", found)
		})
	}
}

// TestAttackHTTP_Control: an attack that is refused, as everything is, shows nothing.
func TestAttackHTTP_Control(t *testing.T) {
	t.Parallel()
	down := func(next http.Handler, _ isolation.HTTPServer) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/auth/") {
				next.ServeHTTP(w, r)
				return
			}
			http.Error(w, "down", http.StatusServiceUnavailable)
		})
	}
	proof := overHTTP(t, pgtest.New(t), down, "public.agents", "routes", "relations", "functions", "pool")
	for _, r := range proof.Results {
		if !strings.Contains(r.Object, "/auth/") {
			require.Equal(t, isolation.Untried, r.Outcome, "%s on %s", r.Attack, r.Object)
			require.Contains(t, r.Evidence, "the control does not work")
		}
	}
}

// TestAttackHTTP_Clock: what takes longer for the other tenant than for nobody is a risk, and no leak.
func TestAttackHTTP_Clock(t *testing.T) {
	t.Parallel()
	slow := func(next http.Handler, _ isolation.HTTPServer) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && !strings.Contains(r.URL.RawQuery+r.Header.Get("Vital-Tenant"), "deadbeef") {
				time.Sleep(20 * time.Millisecond)
			}
			next.ServeHTTP(w, r)
		})
	}
	proof := overHTTP(t, pgtest.New(t), slow, "", "clock")
	require.Empty(t, leaked(proof))
	for _, r := range proof.Results {
		if r.Attack == "clock-context" || r.Attack == "clock-slug" || r.Attack == "clock-row" {
			require.Equal(t, isolation.AtRisk, r.Outcome, r.Evidence)
			require.Contains(t, r.Evidence, "median")
		}
	}
}

// claimsIn reads the claims of a request's token, whoever signed it.
func claimsIn(r *http.Request) map[string]any {
	_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	parts := strings.Split(token, ".")
	claims := map[string]any{}
	if len(parts) == 3 {
		text, _ := base64.RawURLEncoding.DecodeString(parts[1])
		_ = json.Unmarshal(text, &claims)
	}
	return claims
}

// become gives r a token of user.
func become(r *http.Request, server isolation.HTTPServer, user, tenant string) {
	id, err := uuid.Parse(user)
	if err != nil {
		return
	}
	issuer, err := identity.NewTokenIssuer(identity.IssuerConfig{Secret: server.Secret, Issuer: server.Issuer, Audience: server.Audience})
	if err != nil {
		return
	}
	token, err := issuer.Issue(identity.Grant{UserID: id, Role: identity.Authenticated, Tenant: tenant, SessionID: uuid.New(), TTL: time.Hour})
	if err == nil {
		r.Header["Authorization"] = []string{"Bearer " + token}
	}
}

// anyKey believes every token and every key.
func anyKey(next http.Handler, server isolation.HTTPServer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims := claimsIn(r)
		if sub, _ := claims["sub"].(string); sub != "" && !strings.HasSuffix(r.URL.Path, "/logout") {
			if r.URL.Path == "/auth/v1/user" && r.Method == http.MethodGet {
				_, _ = w.Write([]byte(`{"id": "` + sub + `"}`))
				return
			}
			become(r, server, sub, "")
		} else if identity.IsAPIKey(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")) {
			r.Header.Set("Authorization", "Bearer "+server.ServiceKey)
		}
		next.ServeHTTP(w, r)
	})
}

// trustsHeader makes whoever names a tenant its owner, by the tenant's own list.
func trustsHeader(next http.Handler, server isolation.HTTPServer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tenant := cmp.Or(r.Header.Get("Vital-Tenant"), r.Header.Get("X-Tenant-Id")); uuid.Validate(tenant) == nil {
			ask := httptest.NewRequestWithContext(r.Context(), http.MethodGet, "/rest/v1/user_tenants?select=user_id&role=eq.owner&tenant_id=eq."+tenant, nil)
			ask.Header.Set("Authorization", "Bearer "+server.ServiceKey)
			answer := httptest.NewRecorder()
			next.ServeHTTP(answer, ask)
			var owners []struct {
				User string `json:"user_id"`
			}
			if json.Unmarshal(answer.Body.Bytes(), &owners) == nil && len(owners) > 0 {
				become(r, server, owners[0].User, tenant)
				if strings.HasPrefix(r.URL.Path, "/api/tenants/") {
					parts := strings.Split(r.URL.Path, "/")
					parts[3] = tenant
					r.URL.Path, r.URL.RawPath = strings.Join(parts, "/"), ""
				}
			}
		}
		next.ServeHTTP(w, r)
	})
}

// sharedCache lets everybody keep everything, believes any ETag, and lets every page read.
func sharedCache(next http.Handler, _ isolation.HTTPServer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		if origin := r.Header.Get("Origin"); origin != "" {
			w.Header().Set("Access-Control-Allow-Origin", origin)
		}
		next.ServeHTTP(uncached{w}, r)
	})
}

type uncached struct{ http.ResponseWriter }

func (w uncached) WriteHeader(status int) {
	w.Header().Set("Cache-Control", "public, max-age=60")
	w.ResponseWriter.WriteHeader(status)
}

// forgetsEnds gives everybody a new session with each request, and answers for tenants that are suspended.
func forgetsEnds(next http.Handler, server isolation.HTTPServer) http.Handler {
	last := map[string]*httptest.ResponseRecorder{}
	var mu sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sub, _ := claimsIn(r)["sub"].(string)
		if sub != "" && !strings.HasPrefix(r.URL.Path, "/auth/") {
			become(r, server, sub, "")
		}
		if strings.HasSuffix(r.URL.Path, "/events") { // a recorder would wait for its end
			next.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		mu.Lock()
		defer mu.Unlock()
		key := r.Method + r.URL.String() + sub
		if answer.Code == http.StatusForbidden && last[key] != nil {
			answer = last[key]
		} else if answer.Code == http.StatusOK {
			last[key] = answer
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

// listensOn begins every stream as it should, and goes on with it for ever.
func listensOn(next http.Handler, _ isolation.HTTPServer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r)
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/events") && r.Context().Err() == nil && w.Header().Get("Content-Type") == "text/event-stream" {
			<-r.Context().Done()
		}
	})
}

// believesAddresses opens every stream as the owner of the tenant that is named, whoever asks.
func believesAddresses(next http.Handler, server isolation.HTTPServer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/events") {
			payload, _, _ := strings.Cut(r.URL.Query().Get("token"), ".")
			text, _ := base64.RawURLEncoding.DecodeString(payload)
			parts := strings.Split(string(text), ".")
			named := r.Header.Get("Vital-Tenant")
			if len(parts) == 7 {
				named = parts[3]
			}
			asked := "/rest/v1/user_tenants?select=user_id,tenant_id&role=eq.owner&limit=1"
			if uuid.Validate(named) == nil {
				asked += "&tenant_id=eq." + named
			}
			ask := httptest.NewRequestWithContext(r.Context(), http.MethodGet, asked, nil)
			ask.Header.Set("Authorization", "Bearer "+server.ServiceKey)
			answer := httptest.NewRecorder()
			next.ServeHTTP(answer, ask)
			var owners []struct {
				User   string `json:"user_id"`
				Tenant string `json:"tenant_id"`
			}
			if json.Unmarshal(answer.Body.Bytes(), &owners) == nil && len(owners) > 0 {
				become(r, server, owners[0].User, owners[0].Tenant)
				r.URL.RawQuery = ""
				r.Header.Del("Vital-Tenant")
			}
		}
		next.ServeHTTP(w, r)
	})
}

// knowsEvents answers who names an event that was told to somebody before otherwise than who makes one up.
func knowsEvents(next http.Handler, _ isolation.HTTPServer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id := r.Header.Get("Last-Event-ID"); id != "" && !strings.HasPrefix(id, "0.0.0.0-") {
			_, _ = w.Write([]byte("")) // nothing but its header
			return
		}
		next.ServeHTTP(w, r)
	})
}

// mixesUp now and then gives one caller's answer to the next.
func mixesUp(next http.Handler, _ isolation.HTTPServer) http.Handler {
	var mu sync.Mutex
	var kept *httptest.ResponseRecorder
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		if r.URL.Path == "/v1/context" && answer.Code == http.StatusOK {
			mu.Lock()
			if kept != nil {
				answer, kept = kept, answer
			} else {
				kept = answer
			}
			mu.Unlock()
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

// TestAttackHTTP_Connection: a pool that only ends the transaction of a request leaves the next one what the
// attacks say it does.
func TestAttackHTTP_Connection(t *testing.T) {
	t.Parallel()
	proof := overHTTP(t, pgtest.New(t), nil, "", "connection")
	require.Empty(t, leaked(proof))
	d := pgtest.New(t)
	found := leaked(overHTTPWith(t, d, carelessly(t, d), nil, "", "connection"))
	for _, name := range []string{"leave_search_path", "leave_settings", "leave_timeout", "leave_read_only", "leave_role", "leave_identity_after_commit", "leave_marker",
		"leave_temporary", "leave_advisory_lock", "leave_listen", "leave_cursor", "leave_transaction", "leave_by_error"} {
		require.Contains(t, found, name)
	}
}

// carelessly runs requests on one connection and does nothing between them but end the transaction.
func carelessly(t *testing.T, d *pgtest.Database) func(context.Context, identity.Caller, []string) (string, error) {
	t.Helper()
	conn := d.Connect(t)
	exec := func(ctx context.Context, statement string) (string, error) {
		results, err := conn.PgConn().Exec(ctx, statement).ReadAll()
		if err != nil || len(results) == 0 || len(results[len(results)-1].Rows) == 0 {
			return "", err
		}
		return string(results[len(results)-1].Rows[0][0]), nil
	}
	return func(ctx context.Context, who identity.Caller, statements []string) (last string, err error) {
		enter := "begin; select set_config('vital.context', '1.k." + who.UserID.String() + "', true)"
		for _, statement := range append([]string{enter}, statements...) {
			if last, err = exec(ctx, statement); err != nil {
				break
			}
		}
		if _, end := exec(ctx, map[bool]string{true: "commit", false: "rollback"}[err == nil]); end != nil {
			return "", end
		}
		return last, err
	}
}
