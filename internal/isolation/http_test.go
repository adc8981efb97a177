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
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/httpapi"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/rest"
	"github.com/vital-db/vital/internal/schema"
	"github.com/vital-db/vital/internal/signin"
)

// overHTTP serves d, behind what front puts before the handler, and attacks it, in some parts where any are named.
func overHTTP(t *testing.T, d *pgtest.Database, front func(http.Handler, isolation.HTTPServer) http.Handler, relation string, parts ...string) *isolation.Proof {
	t.Helper()
	ctx := t.Context()
	log := slog.New(slog.DiscardHandler)
	db := d.Open(t, postgres.Config{MaxConns: 3})
	server := isolation.HTTPServer{Secret: make([]byte, 32), Issuer: "vital", Audience: "authenticated"}
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
	handler := httpapi.New(httpapi.Config{
		DB: db, Verifier: verifier, Rest: engine, Metrics: httpapi.NewMetrics("test"), Log: log, SchemaVersion: schema.LatestVersion(), SignIn: signIn,
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
		"write", "elevate", "function", "account", "cache", "origin", "replay", "time", "concurrency"} {
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
