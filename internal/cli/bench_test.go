package cli_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/tenant"
)

const benchSecret = "VITAL_JWT_SECRET=a-secret-of-the-tests-of-32-bytes-or-more"

// TestBench loads tenants beside the demo's, checks them, asks a server for all that users ask for, and takes them away again.
func TestBench(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	require.NoError(t, pgx.BeginFunc(t.Context(), d.Connect(t), func(tx pgx.Tx) error { return tenant.CreateDemo(t.Context(), tx) }))
	operator := []string{"VITAL_DATABASE_URL=" + d.URL, benchSecret}
	run := func(args ...string) result { return vital(t, operator, append([]string{"bench"}, args...)...) }
	counts := func() (n [4]int) {
		require.NoError(t, d.Connect(t).QueryRow(t.Context(), `select (select count(*) from organizations), (select count(*) from auth.users),
			(select count(*) from auth.sessions), (select count(*) from prompts)`).Scan(&n[0], &n[1], &n[2], &n[3]))
		return n
	}
	before := counts()
	got := run("run")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "vital bench load")

	const password = "a password of the tests"
	require.Contains(t, ok(t, run("load", "--tenants", "150", "--password", password)), "150 tenants loaded in ")
	require.Contains(t, ok(t, run("load", "--tenants", "150")), "0 tenants loaded")
	got = run("load", "--tenants", "151")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "another shape")
	for _, check := range []string{"schema", "data"} { // what the others look at is the whole server's, roles of other tests with it
		ok(t, vital(t, []string{"VITAL_DATABASE_URL=" + d.URL}, "check", check))
	}
	require.Equal(t, 0, vital(t, operator, "token", "--user", "user-3@example.test", "--tenant", "tenant-2").code)

	kek := filepath.Join(t.TempDir(), "kek")
	require.NoError(t, os.WriteFile(kek, []byte(base64.StdEncoding.EncodeToString(make([]byte, 32))+"\n"), 0o600))
	server := start(t, []string{"VITAL_DATABASE_URL=" + d.APIURL, benchSecret, "VITAL_LISTEN=127.0.0.1:0", "VITAL_KEK_FILE=" + kek, "VITAL_TRUSTED_PROXIES=127.0.0.0/8"}, "serve")
	kinds := map[string]int64{"context": 0, "unchanged": 0, "list": 0, "single": 0, "insert": 0, "flag": 0, "flags": 0, "signin": 0, "refresh": 0}
	for seconds := 3; slices.Contains(slices.Collect(maps.Values(kinds)), 0); seconds *= 2 {
		require.Less(t, seconds, 60, kinds)
		asked := run("run", "--server", server.address, "--rate", "40", "--duration", strconv.Itoa(seconds)+"s", "--warmup", "0s", "--password", password, "--json",
			"--mix", "context=5,unchanged=5,list=3,single=3,insert=2,flag=3,flags=3,signin=1,refresh=2")
		var report struct {
			All   struct{ Count int }
			Kinds []struct {
				Kind     string
				Answered int64
				Statuses map[string]int64
				P50      float64 `json:"p50_ms"`
			}
		}
		require.NoError(t, json.Unmarshal([]byte(ok(t, asked)), &report))
		require.Equal(t, 40*seconds, report.All.Count)
		for _, k := range report.Kinds {
			require.Contains(t, kinds, k.Kind)
			require.Equal(t, k.Answered > 0, k.P50 > 0, k.Kind)
			if k.Kind == "unchanged" {
				k.Answered = k.Statuses["304"]
			}
			kinds[k.Kind] += k.Answered
		}
	}
	after := counts()
	require.Greater(t, after[2], before[2])
	require.Greater(t, after[3], before[3]+150*5)
	require.Equal(t, 0, server.stop())

	got = run("load", "--remove")
	require.Equal(t, 2, got.code, "nobody is there to ask")
	require.Contains(t, ok(t, run("load", "--remove", "--yes")), "150 tenants taken away in ")
	require.Equal(t, before, counts())
	require.Contains(t, ok(t, run("load", "--remove", "--yes")), "no generated tenants are there")
	for _, check := range []string{"schema", "data"} { // what the others look at is the whole server's, roles of other tests with it
		ok(t, vital(t, []string{"VITAL_DATABASE_URL=" + d.URL}, "check", check))
	}
}

// TestBench_Refuses a database that has tenants of its own, and a server that is elsewhere.
func TestBench_Refuses(t *testing.T) {
	t.Parallel()
	d, _ := operated(t)
	d.Exec(t, `insert into organizations (name, slug, tenant_type, tenant_key) values ('Acme', 'acme', 'system', 'acme')`)
	run := func(args ...string) result {
		return vital(t, []string{"VITAL_DATABASE_URL=" + d.URL, benchSecret}, append([]string{"bench"}, args...)...)
	}
	got := run("load", "--tenants", "10")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "1 tenant of its own")
	require.Contains(t, got.err, "--beside")
	ok(t, run("load", "--tenants", "10", "--beside"))
	for _, bad := range [][]string{
		{"run", "--server", "http://192.0.2.1:8080"}, {"run", "--server", "https://example.test"}, {"run", "--server", "http://localhost.example.test"},
		{"run", "--server", "ftp://127.0.0.1"}, {"run", "--rate", "-1"}, {"run", "--duration", "0s"}, {"run", "--connections", "0"}, {"run", "--mix", "context"},
		{"run", "--mix", "signin=1"}, {"load", "--tenants", "0"}, {"load", "--overrides", "21"}, {"load", "--password", "short"}, {"run", "--zipf", "0"},
	} {
		got := run(bad...)
		require.NotEqual(t, 0, got.code, bad)
		require.Contains(t, got.err, "hint:", bad)
	}
	require.Contains(t, run("run", "--server", "http://192.0.2.1:8080").err, "--yes-this-server")
	got = run("run", "--server", "http://127.0.0.1:9", "--duration", "1s")
	require.Contains(t, got.err, "server_unreachable")
	ok(t, run("load", "--remove", "--yes"))
	got = vital(t, []string{"VITAL_DATABASE_URL=" + d.APIURL}, "bench", "load", "--tenants", "10", "--beside")
	require.Equal(t, 1, got.code)
}
