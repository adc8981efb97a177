package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
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
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/rest"
	"github.com/vital-db/vital/internal/schema"
	"github.com/vital-db/vital/internal/tenant"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const secret = "a-secret-of-the-tests-of-32-bytes-or-more"

// The users and tenants of fixture.
const (
	tenantA = "aaaaaaaa-0000-4000-8000-000000000000"
	tenantB = "bbbbbbbb-0000-4000-8000-000000000000"

	ada      = "a0000000-0000-4000-8000-000000000001" // admin of A
	bob      = "b0000000-0000-4000-8000-000000000001" // admin of B
	dana     = "d0000000-0000-4000-8000-000000000001" // member of A, and of B
	root     = "f0000000-0000-4000-8000-000000000001" // super admin
	stranger = "e0000000-0000-4000-8000-000000000001" // an account unknown here
	homeless = "e0000000-0000-4000-8000-000000000002" // no default tenant
	faceless = "e0000000-0000-4000-8000-000000000003" // no profile
	outsider = "e0000000-0000-4000-8000-000000000004" // default tenant A, no membership
)

const fixture = `
insert into organizations (id, name, slug, tenant_type, tenant_key) values
  ('` + tenantA + `', 'Acme', 'acme', 'digital_health', 'acme'),
  ('` + tenantB + `', 'Bolt', 'bolt', 'pharmaceuticals', 'bolt');
insert into users (id, organization_id, email) values
  ('` + ada + `', '` + tenantA + `', 'ada@acme.test'), ('` + bob + `', '` + tenantB + `', 'bob@bolt.test'),
  ('` + dana + `', '` + tenantA + `', 'dana@acme.test'), ('` + root + `', '00000000-0000-0000-0000-000000000001', 'root@platform.test'),
  ('` + homeless + `', null, 'homeless@x.test'), ('` + faceless + `', '` + tenantA + `', 'faceless@x.test'),
  ('` + outsider + `', '` + tenantA + `', 'outsider@x.test');
insert into profiles (id, email, full_name, role)
  select id, email, initcap(split_part(email, '@', 1)), case email when 'root@platform.test' then 'super_admin' else 'user' end
  from users where id <> '` + faceless + `';
insert into user_tenants (tenant_id, user_id, role) values
  ('` + tenantA + `', '` + ada + `', 'admin'), ('` + tenantB + `', '` + bob + `', 'admin'),
  ('` + tenantA + `', '` + dana + `', 'member'), ('` + tenantB + `', '` + dana + `', 'viewer'),
  ('` + tenantA + `', '` + faceless + `', 'member');
insert into feature_flags (flag_key, default_enabled) values ('one', true), ('two', false);
insert into tenant_feature_flags (tenant_id, feature_flag_id, enabled, config)
  select '` + tenantB + `', id, true, '{"secret_of_b": 1}' from feature_flags where flag_key = 'two';
`

// bundle is one test's server on its own database.
type bundle struct {
	t       testing.TB
	db      *pgtest.Database
	pool    *postgres.DB
	server  *httptest.Server
	issuer  *identity.TokenIssuer
	log     *safeBuffer
	metrics *httpapi.Metrics
	flags   *tenant.Evaluator
	engine  *rest.Engine   // of setupRest
	seen    map[string]int // records of access, by tenant
}

func setup(t testing.TB, change ...func(*httpapi.Config, *postgres.Config)) *bundle {
	t.Helper()
	b := &bundle{t: t, db: pgtest.New(t), log: &safeBuffer{}, metrics: httpapi.NewMetrics("test")}
	b.db.Exec(t, fixture)
	log := slog.New(slog.NewJSONHandler(b.log, nil))
	verifier, err := identity.NewVerifier(identity.Config{Secret: []byte(secret), Issuer: "vital", Audience: "authenticated"})
	require.NoError(t, err)
	b.issuer, err = identity.NewTokenIssuer(identity.IssuerConfig{Secret: []byte(secret), Issuer: "vital", Audience: "authenticated"})
	require.NoError(t, err)
	pg := postgres.Config{Fair: true, OnQuery: func(ctx context.Context, q postgres.Query) { b.metrics.ObserveQuery(q); httpapi.ObserveQuery(ctx, q) }}
	config := httpapi.Config{Verifier: verifier, Metrics: b.metrics, Log: log, SchemaVersion: schema.LatestVersion()}
	for _, c := range change {
		c(&config, &pg)
	}
	b.pool = b.db.Open(t, pg)
	config.DB = b.pool
	remember(t, &config, b.pool)
	b.flags = config.Flags
	b.server = httptest.NewServer(httpapi.New(config))
	t.Cleanup(b.server.Close)
	return b
}

func (b *bundle) token(user, tenant string) string {
	b.t.Helper()
	token, err := b.issuer.Issue(identity.Grant{
		UserID: uuid.MustParse(user), Email: "someone@x.test", Role: identity.Authenticated,
		Tenant: tenant, SessionID: uuid.New(), TTL: time.Hour,
	})
	require.NoError(b.t, err)
	return token
}

type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) decode(t testing.TB) map[string]any {
	t.Helper()
	var value map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.body), &value), a.body)
	return value
}

// get asks with headers given in pairs.
func (b *bundle) get(path string, headers ...string) answer {
	return b.do(http.MethodGet, path, headers...)
}

func (b *bundle) do(method, path string, headers ...string) answer {
	b.t.Helper()
	request, err := http.NewRequest(method, b.server.URL+path, nil)
	require.NoError(b.t, err)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	response, err := b.server.Client().Do(request)
	require.NoError(b.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(b.t, err)
	return answer{response.StatusCode, response.Header, string(body)}
}

// safeBuffer takes log lines from many requests.
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

// admin runs a statement as superuser on another database, where the test's own cannot be reached.
func (b *bundle) admin(text string, args ...any) {
	b.t.Helper()
	conn, err := pgx.Connect(context.Background(), pgtest.ServerURL(b.t, "postgres"))
	require.NoError(b.t, err)
	defer conn.Close(context.Background())
	_, err = conn.Exec(context.Background(), text, args...)
	require.NoError(b.t, err)
}

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

func with(headers []string, more ...string) []string {
	return append(append([]string{}, headers...), more...)
}

// requireProblem checks the shape every error has.
func requireProblem(t testing.TB, got answer, status int, code string) {
	t.Helper()
	require.Equal(t, status, got.status, got.body)
	require.Equal(t, "application/problem+json", got.header.Get("Content-Type"))
	p := got.decode(t)
	require.Equal(t, code, p["code"])
	require.Equal(t, "urn:vital:error:"+code, p["type"])
	require.InDelta(t, status, p["status"], 0)
	require.NotEmpty(t, p["title"])
	require.NotEmpty(t, p["hint"])
	require.Equal(t, got.header.Get("X-Request-Id"), p["request_id"])
	require.False(t, strings.Contains(got.body, "SQLSTATE"), "an error shows the database's own words: %s", got.body)
}
