package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/cli"
	"github.com/vital-db/vital/internal/pgtest"
)

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(runAsProgram())
	}
	pgtest.Main(m)
}

// result is how one run of the program ended.
type result struct {
	code     int
	out, err string
}

// vital runs the program with args, and with environment as NAME=value.
func vital(t testing.TB, environment []string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute) // what hangs ends
	defer cancel()
	var out, err safeBuffer
	code := cli.Run(ctx, args, append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}, environment...),
		cli.Streams{In: strings.NewReader(""), Out: &out, Err: &err})
	return result{code, out.String(), err.String()}
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

// running is a server started by `vital up` or `vital serve` and stopped at the test's end.
type running struct {
	address  string
	out, err *safeBuffer
	stop     func() int
}

func start(t testing.TB, environment []string, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{out: &safeBuffer{}, err: &safeBuffer{}}
	code := make(chan int, 1)
	go func() {
		code <- cli.Run(ctx, args, append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.TempDir()}, environment...),
			cli.Streams{In: strings.NewReader(""), Out: r.out, Err: r.err})
	}()
	r.stop = sync.OnceValue(func() int { cancel(); return <-code })
	t.Cleanup(func() { r.stop() })
	ready := regexp.MustCompile(`(?m)^ready (http://\S+)$`)
	require.Eventually(t, func() bool {
		found := ready.FindStringSubmatch(r.out.String())
		if found != nil {
			r.address = found[1]
		}
		return found != nil
	}, 2*time.Minute, 20*time.Millisecond, "not ready; log:\n%s", r.err)
	return r
}

func (r *running) get(t testing.TB, path, token string, headers ...string) (int, map[string]any) {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, r.address+path, nil)
	require.NoError(t, err)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	body := map[string]any{}
	require.NoError(t, json.Unmarshal(text, &body), "%s", text)
	return response.StatusCode, body
}

func TestUp_DemoTenants(t *testing.T) { //nolint:tparallel // its steps follow one another
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	data := "VITAL_DATA_DIR=" + dir
	server := start(t, []string{data, "VITAL_LISTEN=127.0.0.1:0"}, "up")
	require.Contains(t, server.out.String(), "token --user ada@digital-health.vital.test")

	token := func(args ...string) string {
		got := vital(t, []string{data}, append([]string{"token"}, args...)...)
		require.Equal(t, 0, got.code, got.err)
		require.Regexp(t, `^[\w-]+\.[\w-]+\.[\w-]+\n$`, got.out, "the token, and nothing else")
		return strings.TrimSpace(got.out)
	}
	for _, c := range []struct{ user, tenant, slug, role, member string }{
		{"admin@platform.vital.test", "", "platform", "super_admin", "owner"},
		{"ada@digital-health.vital.test", "", "digital-health", "user", "admin"},
		{"ben@digital-health.vital.test", "", "digital-health", "user", "member"},
		{"cyd@pharma.vital.test", "", "pharma", "user", "admin"},
		{"dana@pharma.vital.test", "", "pharma", "user", "member"},
		{"dana@pharma.vital.test", "digital-health", "digital-health", "user", "member"},
	} {
		args := []string{"--user", c.user}
		if c.tenant != "" {
			args = append(args, "--tenant", c.tenant)
		}
		status, body := server.get(t, "/v1/context", token(args...))
		require.Equal(t, http.StatusOK, status, body)
		require.Equal(t, c.slug, body["organization"].(map[string]any)["slug"])
		require.Equal(t, c.role, body["user"].(map[string]any)["role"])
		require.Equal(t, c.member, body["membership"].(map[string]any)["role"])
		require.Len(t, body["config"].(map[string]any)["features"], 5)
	}
	status, body := server.get(t, "/v1/context", token("--user", "ada@digital-health.vital.test", "--tenant", "pharma"))
	require.Equal(t, http.StatusNotFound, status)
	require.Equal(t, "tenant_not_found", body["code"])

	t.Run("a second up says who holds the directory", func(t *testing.T) {
		got := vital(t, []string{data, "VITAL_LISTEN=127.0.0.1:0"}, "up")
		require.Equal(t, 1, got.code)
		require.Contains(t, got.err, "data_dir_in_use")
	})
	t.Run("a taken address is told at once", func(t *testing.T) {
		got := vital(t, nil, "up", "--data-dir", filepath.Join(t.TempDir(), "other"), "--listen", strings.TrimPrefix(server.address, "http://"))
		require.Equal(t, 1, got.code)
		require.Contains(t, got.err, "listen_failed")
	})
	t.Run("a second server uses the same database", func(t *testing.T) {
		second := start(t, []string{data, "VITAL_LISTEN=127.0.0.1:0"}, "serve")
		status, _ := second.get(t, "/v1/context", token("--user", "cyd@pharma.vital.test"))
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, 0, second.stop())
		status, _ = server.get(t, "/readyz", "")
		require.Equal(t, http.StatusOK, status, "stopping the second leaves the first's Postgres alone")
	})
	t.Run("the seal key can be rotated under load", func(t *testing.T) {
		ada := token("--user", "ada@digital-health.vital.test")
		got := vital(t, []string{data}, "key", "rotate")
		require.Equal(t, 0, got.code, got.err)
		status, body := server.get(t, "/v1/context", ada)
		require.Equal(t, http.StatusOK, status, body)
	})
	require.Equal(t, 0, server.stop(), server.err)

	t.Run("a stopped server is started for a command and stopped after it", func(t *testing.T) {
		require.NotEmpty(t, token("--user", "ben@digital-health.vital.test"))
		again := start(t, []string{data, "VITAL_LISTEN=127.0.0.1:0"}, "up")
		require.NotContains(t, again.err.String(), "initialising")
		require.Equal(t, 0, again.stop())
	})
}

func TestUp_NoDemo(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	server := start(t, nil, "up", "--no-demo", "--data-dir", dir, "--listen", "127.0.0.1:0")
	got := vital(t, nil, "token", "--data-dir", dir, "--user", "ada@digital-health.vital.test")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "user_unknown")
	require.Equal(t, 0, server.stop())
}

func TestServe_NamedDatabase(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, `insert into users (id, organization_id, email) values ('a0000000-0000-4000-8000-000000000001', '00000000-0000-0000-0000-000000000001', 'op@x.test');
		insert into profiles (id, email) select id, email from users;
		insert into user_tenants (tenant_id, user_id, role) select organization_id, id, 'owner' from users`)
	environment := []string{
		"VITAL_DATABASE_URL=" + d.APIURL, "VITAL_LISTEN=127.0.0.1:0",
		"VITAL_JWT_SECRET=a-secret-of-the-tests-of-32-bytes-or-more",
	}
	server := start(t, environment, "serve")
	minted := vital(t, environment, "token", "--user", "op@x.test")
	require.Equal(t, 0, minted.code, minted.err)
	status, body := server.get(t, "/v1/context", strings.TrimSpace(minted.out))
	require.Equal(t, http.StatusOK, status, body)

	for name, c := range map[string]struct {
		environment []string
		code        string
	}{
		"as superuser":  {[]string{"VITAL_DATABASE_URL=" + d.URL, environment[2]}, "unsafe_database_role"},
		"without a key": {environment[:1], "config_invalid"},
		"nowhere":       {[]string{"VITAL_DATABASE_URL=postgres://vital_api:x@127.0.0.1:1/none", environment[2]}, "database_unavailable"},
		"not a URL":     {[]string{"VITAL_DATABASE_URL=:://", environment[2]}, "config_invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := vital(t, c.environment, "serve", "--listen", "127.0.0.1:0")
			require.Equal(t, 1, got.code)
			require.Contains(t, got.err, c.code)
			require.Contains(t, got.err, "hint:")
			require.NotContains(t, got.err, "test-login-password", "an error shows a password")
		})
	}
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	got := vital(t, nil, "migrate", "up", "--database-url", d.URL)
	require.Equal(t, 0, got.code, got.err)
	require.Contains(t, got.out, "0 migrations and 0 objects applied")

	got = vital(t, nil, "migrate", "status", "--json", "--database-url", d.URL)
	require.Equal(t, 0, got.code, got.err)
	var entries []struct{ Path, Status string }
	require.NoError(t, json.Unmarshal([]byte(got.out), &entries))
	require.Greater(t, len(entries), 60)
	for _, e := range entries {
		require.Equal(t, "applied", e.Status, e.Path)
	}
	require.Contains(t, vital(t, nil, "migrate", "status", "--database-url", d.URL).out, "policies/agents.sql")
	require.Contains(t, vital(t, nil, "migrate", "roles").out, "vital_definer")
}

// TestMigrate_Backup: what is made when nothing is to be migrated is what `vital migrate restore` knows and takes.
func TestMigrate_Backup(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	dir := filepath.Join(t.TempDir(), "backups")
	file := strings.TrimSpace(ok(t, vital(t, nil, "migrate", "backup", "--database-url", d.URL, "--backup-dir", dir)))
	require.FileExists(t, file)
	listed := parsed[[]struct{ File, Database string }](t, vital(t, nil, "migrate", "restore", "--json", "--database-url", d.URL, "--backup-dir", dir))
	require.Len(t, listed, 1)
	require.Equal(t, file, listed[0].File)
	require.Equal(t, d.Name, listed[0].Database)

	got := vital(t, nil, "migrate", "backup", "--database-url", d.URL, "--backup-dir", dir, "--keep", "0")
	require.Equal(t, 2, got.code)
	got = vital(t, nil, "migrate", "backup", "--database-url", d.APIURL, "--backup-dir", dir)
	require.Equal(t, 1, got.code, "the server's own login reads nothing that a backup is made of")
	require.NotContains(t, got.err, "test-login-password")
}

func TestHealth(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	server := start(t, []string{"VITAL_DATABASE_URL=" + d.APIURL, "VITAL_JWT_SECRET=a-secret-of-the-tests-of-32-bytes-or-more", "VITAL_LISTEN=127.0.0.1:0"}, "serve")
	listening := strings.TrimPrefix(server.address, "http://")
	require.Contains(t, ok(t, vital(t, []string{"VITAL_LISTEN=" + listening}, "health")), server.address+` {"schema_version":`)

	d.Exec(t, "alter table vital.migrations rename to away")
	got := vital(t, nil, "health", "--server", server.address)
	require.Equal(t, 1, got.code, "alive, and not ready")
	require.Empty(t, got.out)
	d.Exec(t, "alter table vital.away rename to migrations; delete from vital.migrations where version_id = (select max(version_id) from vital.migrations)")
	got = vital(t, nil, "health", "--server", server.address)
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "(schema_behind)", "the server's own words")
	require.Contains(t, got.err, "vital migrate up")

	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	for _, address := range []string{other.URL, "http://127.0.0.1:1"} {
		got = vital(t, nil, "health", "--server", address)
		require.Equal(t, 1, got.code)
		require.Contains(t, got.err, "(server_unreachable)")
	}
}

func TestCheckRLS(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	for _, what := range []string{"rls", "all"} {
		got := vital(t, nil, "check", what, "--database-url", d.URL)
		require.Equal(t, 0, got.code, got.err)
		require.Contains(t, got.out, "nothing found by")
		require.NotContains(t, got.err, "scope", "nothing is guessed where VITAL is installed")
	}

	d.Exec(t, "alter table agents no force row level security; create table public.late (tenant_id uuid); grant select on public.late to anon")
	got := vital(t, nil, "check", "rls", "--database-url", d.URL)
	require.Equal(t, 3, got.code)
	require.Contains(t, got.out, "rls_not_forced")
	require.Contains(t, got.out, "public.late: no row-level security; reachable by anon")

	for _, form := range [][]string{{"--format", "json"}, {"--json"}, {"--json", "--format", "json"}} {
		got = vital(t, nil, append([]string{"check", "rls", "--database-url", d.URL}, form...)...)
		require.Equal(t, 3, got.code)
		var findings []map[string]string
		require.NoError(t, json.Unmarshal([]byte(got.out), &findings))
		require.Equal(t, "nullable_tenant_column", findings[0]["check"])
		require.Equal(t, "public.late", findings[0]["object"])
		require.Equal(t, "docs/reference/lints/nullable_tenant_column.md", findings[0]["doc"])
	}
	for format, start := range map[string]string{"sarif": "{\n  \"$schema\"", "junit": "<?xml", "markdown": "# vital check rls"} {
		got = vital(t, nil, "check", "rls", "--format", format, "--database-url", d.URL)
		require.Equal(t, 3, got.code, format)
		require.True(t, strings.HasPrefix(got.out, start), got.out)
		require.Contains(t, got.out, "rls_disabled")
	}
	require.Equal(t, 2, vital(t, nil, "check", "rls", "--format", "xml", "--database-url", d.URL).code)
	require.Equal(t, 2, vital(t, nil, "check", "rls", "--format", "xml", "--json", "--database-url", d.URL).code)
	require.Equal(t, 2, vital(t, nil, "check", "tables", "--database-url", d.URL).code)
	got = vital(t, nil, "check")
	require.Equal(t, 0, got.code)
	require.Contains(t, got.out, "vital check [command]")
}

// TestCheckRLS_Stranger: a database VITAL was never installed in.
func TestCheckRLS_Stranger(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	name := d.Name + "-stranger"
	d.Exec(t, `create database "`+name+`" template template0`)
	t.Cleanup(func() { d.Exec(t, `drop database "`+name+`" with (force)`) })
	address := pgtest.ServerURL(t, name)

	got := vital(t, nil, "check", "rls", "--database-url", address)
	require.Equal(t, 2, got.code, "there is nothing to look at, which is no success")
	require.Contains(t, got.err, "--schema")

	conn, err := pgx.Connect(t.Context(), address)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	_, err = conn.Exec(t.Context(), `create table docs (org_id uuid not null, body text); grant select on docs to authenticated`)
	require.NoError(t, err)
	got = vital(t, nil, "check", "rls", "--database-url", address)
	require.Equal(t, 3, got.code)
	require.Contains(t, got.err, "schemas: public · tenant columns: org_id · roles of requests: authenticated")
	require.Contains(t, got.out, "public.docs: no row-level security; reachable by authenticated")

	_, err = conn.Exec(t.Context(), `alter table docs enable row level security; create index on docs (org_id);
		create policy docs_select on docs for select to authenticated using (org_id = (select current_setting('app.org', true)::uuid))`)
	require.NoError(t, err)
	got = vital(t, nil, "check", "all", "--database-url", address)
	require.Equal(t, 0, got.code, got.out)
	require.Contains(t, got.out, "risk  policy_setting_unsealed", "a risk is named and does not fail the check")

	got = vital(t, nil, "check", "rls", "--database-url", address, "--role", "anon", "--role", "nobody", "--tenant-column", "org_id", "--schema", "public")
	require.Equal(t, 2, got.code)
	require.Contains(t, got.err, "nobody")
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"unknown command":      {"frobnicate"},
		"unknown flag":         {"serve", "--frobnicate"},
		"unknown sub-command":  {"migrate", "sideways"},
		"stray argument":       {"serve", "now"},
		"missing user":         {"token"},
		"flag without a value": {"serve", "--listen"},
		"short grace":          {"key", "rotate", "--grace", "1s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := vital(t, nil, args...)
			require.Equal(t, 2, got.code, got.err)
			require.Contains(t, got.err, "(usage)")
			require.Contains(t, got.err, "hint:")
			require.Empty(t, got.out)
		})
	}
	require.Equal(t, 0, vital(t, nil).code, "no command shows the help")
	require.Contains(t, vital(t, nil, "--help").out, "migrate")
}

func TestConfig_Precedence(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "vital.env")
	write := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }
	nowhere := func(port string) string { return "postgres://vital_api:x@127.0.0.1:" + port + "/none" }
	// The address that was tried tells which setting won.
	tried := func(environment []string, args ...string) string {
		got := vital(t, append(environment, "VITAL_LOG_LEVEL=debug"), append(args, "migrate", "status", "--config", file)...)
		require.Equal(t, 1, got.code, got.err)
		return got.err
	}
	write("# comment\nVITAL_DATABASE_URL=" + nowhere("1") + "\n")
	require.Contains(t, tried(nil), "127.0.0.1:1")
	require.Contains(t, tried([]string{"VITAL_DATABASE_URL=" + nowhere("2")}), "127.0.0.1:2")
	require.Contains(t, tried([]string{"VITAL_DATABASE_URL=" + nowhere("2")}, "--database-url", nowhere("3")), "127.0.0.1:3")

	for name, text := range map[string]string{
		"a typo":          "VITAL_DATABSE_URL=x\n",
		"not a setting":   "hello\n",
		"a bad number":    "VITAL_DATABASE_CONNS=many-secrets\n",
		"a bad log level": "VITAL_LOG_LEVEL=loud\n",
	} {
		write(text)
		got := vital(t, []string{"VITAL_CONFIG=" + file}, "serve", "--listen", "127.0.0.1:0")
		require.Equal(t, 1, got.code, name)
		require.Contains(t, got.err, "config_invalid", name)
		require.NotContains(t, got.err, "many-secrets", "an error repeats a value")
	}
}
