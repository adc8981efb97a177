package rest_test

import (
	"context"
	_ "embed"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/httpapi"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/rest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const secret = "a-secret-of-the-tests-of-32-bytes-or-more"

//go:embed testdata/fixture.sql
var fixture string

// bundle is one test's server of the dialect on its own database.
type bundle struct {
	t      testing.TB
	db     *pgtest.Database
	plain  *postgres.Plain
	engine *rest.Engine
	server *httptest.Server
	ran    *atomic.Int64 // transactions
}

// setup serves the fixture; change may alter how.
func setup(t testing.TB, change ...func(*rest.Config)) *bundle {
	t.Helper()
	b := &bundle{t: t, db: pgtest.New(t)}
	b.db.Exec(t, fixture)
	return b.serve(t, change...)
}

// serve is another server on the same database.
func (b *bundle) serve(t testing.TB, change ...func(*rest.Config)) *bundle {
	t.Helper()
	b = &bundle{t: t, db: b.db, ran: &atomic.Int64{}}
	b.plain, b.engine = openCounted(t, b.db, b.ran, change...)
	handler := httpapi.NewDialect(httpapi.DialectConfig{
		Engine: b.engine, DB: b.plain, Log: slog.New(slog.DiscardHandler),
		Tokens: rest.NewTokenVerifier([]byte(secret), "films", "anon"),
	})
	b.server = httptest.NewServer(handler)
	b.server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	t.Cleanup(b.server.Close)
	return b
}

func open(t testing.TB, db *pgtest.Database, change ...func(*rest.Config)) (*postgres.Plain, *rest.Engine) {
	t.Helper()
	return openCounted(t, db, &atomic.Int64{}, change...)
}

func openCounted(t testing.TB, db *pgtest.Database, ran *atomic.Int64, change ...func(*rest.Config)) (*postgres.Plain, *rest.Engine) {
	t.Helper()
	plain, err := postgres.OpenPlain(context.Background(), postgres.Config{
		URL: db.APIURL, MaxConns: 4, OnQuery: func(context.Context, postgres.Query) { ran.Add(1) },
	})
	require.NoError(t, err)
	t.Cleanup(plain.Close)
	config := rest.Config{Schemas: []string{"api", "other"}, SearchPath: []string{"public"}, Aggregates: true, ReadCatalog: plain.Read}
	for _, c := range change {
		c(&config)
	}
	engine := rest.New(config)
	require.NoError(t, engine.Load(context.Background()))
	return plain, engine
}

type answer struct {
	status int
	header http.Header
	body   string
}

// object reads an answer that is one JSON object.
func (a answer) object(t testing.TB) map[string]any {
	t.Helper()
	var value map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.body), &value), a.body)
	return value
}

// get asks with headers given in pairs.
func (b *bundle) get(path string, headers ...string) answer {
	b.t.Helper()
	return b.send(http.MethodGet, path, "", headers...)
}

// send asks with a body, JSON unless the headers say otherwise.
func (b *bundle) send(method, path, body string, headers ...string) answer {
	b.t.Helper()
	response, err := b.server.Client().Do(b.request(context.Background(), method, path, body, headers...))
	require.NoError(b.t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(b.t, err)
	return answer{response.StatusCode, response.Header, string(content)}
}

func (b *bundle) request(ctx context.Context, method, path, body string, headers ...string) *http.Request {
	b.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	request, err := http.NewRequestWithContext(ctx, method, b.server.URL+strings.ReplaceAll(path, " ", "%20"), reader)
	require.NoError(b.t, err)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Prefer" {
			request.Header.Add(headers[i], headers[i+1])
		} else {
			request.Header.Set(headers[i], headers[i+1])
		}
	}
	return request
}

// token signs claims.
func (b *bundle) token(claims jwt.MapClaims) string {
	b.t.Helper()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(secret))
	require.NoError(b.t, err)
	return token
}

func (b *bundle) as(role string) []string {
	return []string{"Authorization", "Bearer " + b.token(jwt.MapClaims{"role": role, "exp": time.Now().Add(time.Hour).Unix()})}
}

// one reads one value as superuser.
func one[T any](b *bundle, text string, args ...any) T {
	b.t.Helper()
	conn := b.db.Connect(b.t)
	var value T
	require.NoError(b.t, conn.QueryRow(context.Background(), text, args...).Scan(&value), text)
	return value
}

func with(headers []string, more ...string) []string {
	return append(append([]string{}, headers...), more...)
}

// requireError checks the shape every error has.
func requireError(t testing.TB, got answer, status int, code string) map[string]any {
	t.Helper()
	require.Equal(t, status, got.status, got.body)
	require.Contains(t, got.header.Get("Content-Type"), "application/json")
	body := got.object(t)
	require.Equal(t, code, body["code"], got.body)
	for _, key := range []string{"message", "details", "hint"} {
		require.Contains(t, body, key)
	}
	require.Equal(t, "PostgREST; error="+code, got.header.Get("Proxy-Status"))
	return body
}
