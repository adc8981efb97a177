package schema_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/cli"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/schema"
)

// TestUp_WhileServing: a server of this version goes on while the next one migrates and applies every object anew, and afterwards. No
// request fails, it stays ready, and clients see at once what has come to be.
func TestUp_WhileServing(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	s := serveUpgraded(t, d)
	var asked, failed atomic.Int64
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for _, request := range []func() (int, string){s.context, s.read, s.write} {
		clients.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				asked.Add(1)
				if status, body := request(); status/100 != 2 {
					failed.Add(1)
					t.Errorf("status %d: %s", status, body)
				}
			}
		})
	}
	end := sync.OnceFunc(func() { close(stop); clients.Wait() })
	defer end()
	served := func(more int64) func() bool {
		least := asked.Load() + more
		return func() bool { return asked.Load() >= least }
	}
	require.Eventually(t, served(100), time.Minute, 10*time.Millisecond)

	// The next version: a column, and a new text of every function, view, trigger and policy.
	objects := copyFS(t, database.Objects)
	for name, file := range objects {
		objects[name] = &fstest.MapFile{Data: append(file.Data, "\n-- of the next version\n"...)}
	}
	migrations := copyFS(t, database.Migrations)
	migrations[fmt.Sprintf("migrations/%04d_next.sql", len(migrations)+1)] = &fstest.MapFile{Data: []byte(
		"-- +goose Up\n-- +goose StatementBegin\nalter table public.agents add column next_note text;\n-- +goose StatementEnd\n")}
	m, err := schema.NewMigratorFrom(schema.Config{DatabaseURL: d.URL}, migrations, objects)
	require.NoError(t, err)
	result, err := m.Up(context.Background())
	require.NoError(t, err)
	require.Len(t, result.Migrations, 1)
	require.Greater(t, len(result.Objects), 200)
	require.Eventually(t, served(100), time.Minute, 10*time.Millisecond)
	end()
	require.Zero(t, failed.Load(), "of %d requests", asked.Load())

	status, body := s.get("/readyz", "")
	require.Equal(t, http.StatusOK, status, body)
	require.Contains(t, body, fmt.Sprintf(`"schema_version":%d`, schema.LatestVersion()+1))
	require.Eventually(t, func() bool {
		status, _ := s.get("/rest/v1/agents?select=next_note", s.token)
		return status == http.StatusOK
	}, 30*time.Second, 50*time.Millisecond, "the older server serves the new column")
}

// upgraded is a server of this version, and a tenant whose owner has a token.
type upgraded struct {
	t             *testing.T
	address       string
	tenant, token string
	themes        atomic.Int64
	client        http.Client
	environment   []string
}

func serveUpgraded(t *testing.T, d *pgtest.Database) *upgraded {
	t.Helper()
	d.Exec(t, `
		insert into users (id, email) values ('a0000000-0000-4000-8000-000000000001', 'olga@acme.test');
		insert into profiles (id, email, full_name) select id, email, 'Olga' from users`)
	s := &upgraded{t: t, client: http.Client{Timeout: 30 * time.Second}, environment: []string{
		"VITAL_DATABASE_URL=" + d.APIURL, "VITAL_JWT_SECRET=a-secret-of-the-tests-of-32-bytes-or-more", "HOME=" + t.TempDir(),
	}}
	s.vital("tenant", "create", "--name", "Acme", "--slug", "acme", "--type", "system", "--owner", "olga@acme.test")
	s.token = s.vital("token", "--user", "olga@acme.test")
	require.NoError(t, d.Connect(t).QueryRow(t.Context(), "select id::text from organizations where slug = 'acme'").Scan(&s.tenant))

	ctx, cancel := context.WithCancel(context.Background())
	out, said := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- cli.Run(ctx, []string{"serve", "--listen", "127.0.0.1:0"}, s.environment, cli.Streams{In: strings.NewReader(""), Out: said, Err: io.Discard})
		_ = said.Close()
	}()
	t.Cleanup(func() { cancel(); <-ended })
	_, err := fmt.Fscanf(out, "ready %s\n", &s.address)
	require.NoError(t, err, "it does not serve")
	go io.Copy(io.Discard, out) // it ends with the server
	return s
}

func (s *upgraded) vital(args ...string) string {
	s.t.Helper()
	var out, err strings.Builder
	code := cli.Run(s.t.Context(), args, s.environment, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &err})
	require.Zero(s.t, code, err.String())
	return strings.TrimSpace(out.String())
}

func (s *upgraded) context() (int, string) { return s.get("/v1/context", s.token) }
func (s *upgraded) read() (int, string)    { return s.get("/rest/v1/organizations?select=slug", s.token) }

// write is another theme each time, so that each is a change.
func (s *upgraded) write() (int, string) {
	body := fmt.Sprintf(`{"ui_config": {"theme": "theme-%d"}}`, s.themes.Add(1))
	return s.send(http.MethodPatch, "/api/tenants/"+s.tenant+"/config", s.token, body)
}

func (s *upgraded) get(path, token string) (int, string) {
	return s.send(http.MethodGet, path, token, "")
}

func (s *upgraded) send(method, path, token, body string) (int, string) {
	request, err := http.NewRequestWithContext(context.Background(), method, s.address+path, strings.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := s.client.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(text)
}
