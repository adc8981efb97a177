package cli_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/pgtest"
)

func TestRLSMatrix(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	run := func(args ...string) result {
		return vital(t, nil, append([]string{"rls", "matrix", "--database-url", d.URL}, args...)...)
	}
	text := ok(t, run())
	for _, want := range []string{
		`(?m)^public.agents +forced +siud +SIUD +---- +----\+TRG +SIUD`,
		`(?m)^public.invitations +forced +s---\* +SIUD`,
		`(?m)^public.invitations +authenticated +select +tenant_id, id, email`,
		`(?m)^public.tenant_full_config +view, invoker +s--- +S---`,
		`(?m)^public.create_tenant\(text, .*… +definer volatile +- +x +x`,
		`(?m)^vital.river_job +off +---- +---- +SIUD`,
		`nothing of these: anon, vital_api, PUBLIC`,
		`asked for 30 policies and row-level security on 20 tables; schema public has \d+ on \d+\.`,
	} {
		require.Regexp(t, want, text)
	}
	require.NotContains(t, text, "\x1b", "a pipe gets no colour")

	type matrix struct {
		Roles   []struct{ Name string }
		Cells   []map[string]any
		Figures map[string]any
	}
	only := parsed[matrix](t, run("--json", "--schema", "vital", "--role", "anon", "--role", "PUBLIC"))
	require.Len(t, only.Roles, 2)
	require.NotContains(t, only.Figures, "assessment")
	for _, cell := range only.Cells {
		require.Contains(t, []any{"anon", "PUBLIC"}, cell["role"])
		require.Regexp(t, `^vital\b`, cell["object"])
	}
	require.Equal(t, only, parsed[matrix](t, run("--format", "json", "--schema", "vital", "--role", "anon", "--role", "PUBLIC")))

	file := filepath.Join(t.TempDir(), "matrix.html")
	require.Empty(t, ok(t, run("--format", "html", "--out", file)))
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(page), "agents_select_member")
	require.Equal(t, string(page), ok(t, run("--format", "html")))

	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{2, "(usage)", []string{"--format", "xml"}},
		{2, "(usage)", []string{"--format", "html", "--json"}},
		{2, "(usage)", []string{"--out", filepath.Join(t.TempDir(), "no", "such", "directory")}},
		{1, "There is no schema nowhere and no role nobody in this database. (not_found)", []string{"--schema", "nowhere", "--role", "nobody"}},
	} {
		got := run(c.args...)
		require.Equal(t, c.code, got.code, got.err)
		require.Contains(t, got.err, c.says)
		require.Contains(t, got.err, "hint:")
	}
}

// TestRLSMatrix_Stranger: a database that knows nothing of VITAL.
func TestRLSMatrix_Stranger(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, `drop schema vital, auth, public cascade; create schema public; create schema shop; create schema hidden;
		create table shop.orders (id int); grant usage on schema shop to authenticated; grant select on shop.orders to authenticated`)
	text := ok(t, vital(t, nil, "rls", "matrix", "--database-url", d.URL))
	require.Regexp(t, `(?m)^shop.orders +off +S--- *$`, text)
	require.NotContains(t, text, "hidden", "nobody may enter it")
	require.NotContains(t, text, "assessment")
}
