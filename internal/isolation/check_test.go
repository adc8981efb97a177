package isolation_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/pgtest"
)

// What each lint must find, made by hand on a clean database. Roles belong to the cluster, so what
// changes one is undone.
var planted = map[string]struct{ plant, object, undo string }{
	"rls_not_forced":          {plant: `alter table public.agents no force row level security`, object: "agents"},
	"table_without_policy":    {plant: `create table public.loose (); alter table public.loose enable row level security, force row level security`, object: "loose"},
	"policy_for_everybody":    {plant: `create policy open on public.agents for select using (true)`, object: "agents"},
	"view_without_invoker":    {plant: `create view public.peek as select * from public.agents`, object: "peek"},
	"definer_function_unsafe": {plant: `create function public.peek() returns bigint language sql security definer as 'select count(*) from public.agents'; revoke execute on function public.peek() from public`, object: "peek()"},
	"function_for_everybody":  {plant: `create function public.open() returns int language sql as 'select 1'; grant execute on function public.open() to public`, object: "open()"},
	"login_setting":           {plant: `do $$ begin execute format('alter role vital_api in database %I set search_path = evil', current_database()); end $$`, object: "vital_api"},
	"login_privilege":         {plant: `grant select on public.agents to vital_api`, object: "agents"},
	"exposed_to_everybody":    {plant: `grant execute on function pg_catalog.pg_advisory_lock(bigint) to public`, object: "pg_advisory_lock(bigint)"},
	"claims_unsealed":         {plant: `update vital.settings set accept_jwt_claims = true`, object: "vital.settings"},
	"login_attribute":         {plant: `alter role vital_api createdb`, object: "vital_api", undo: `alter role vital_api nocreatedb`},
}

func TestCheck_CleanInstall(t *testing.T) {
	t.Parallel()
	findings, err := isolation.Check(context.Background(), pgtest.New(t).Connect(t))
	require.NoError(t, err)
	for _, f := range findings {
		// The lint that looks at the role itself may see what another test has planted there.
		require.Equal(t, "login_attribute", f.Check, "%+v", f)
	}
}

func TestCheck_FindsWhatIsPlanted(t *testing.T) {
	t.Parallel()
	for name, c := range planted {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := pgtest.New(t)
			if c.undo != "" {
				t.Cleanup(func() { d.Exec(t, c.undo) })
			}
			d.Exec(t, c.plant)
			findings, err := isolation.Check(context.Background(), d.Connect(t))
			require.NoError(t, err)
			var found []string
			for _, f := range findings {
				if f.Check == name {
					found = append(found, f.Object)
					require.NotEmpty(t, f.Title)
					require.NotEmpty(t, f.Hint)
					require.NotEmpty(t, f.Detail)
				}
			}
			require.Equal(t, []string{c.object}, found)
		})
	}
}

// Each lint has a case above and a row in docs/reference/checks.md.
func TestCheck_Documented(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../database/lints/*.sql")
	require.NoError(t, err)
	text, err := os.ReadFile("../../docs/reference/checks.md")
	require.NoError(t, err)
	var lints, documented []string
	for _, file := range files {
		lints = append(lints, strings.TrimSuffix(filepath.Base(file), ".sql"))
		require.Contains(t, planted, lints[len(lints)-1], "a lint without a case that it must find")
	}
	for _, found := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (error|risk)").FindAllStringSubmatch(string(text), -1) {
		documented = append(documented, found[1])
	}
	require.ElementsMatch(t, lints, documented)
}
