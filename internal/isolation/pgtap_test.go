package isolation_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/pgtest"
)

// tap runs a pgTAP script as its users do, and returns what it printed.
func tap(t *testing.T, d *pgtest.Database, script string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "isolation.sql")
	require.NoError(t, os.WriteFile(file, []byte(script), 0o600))
	var out bytes.Buffer
	cmd := exec.Command("psql", "-X", "-d", d.URL, "-f", file)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	require.NoError(t, err, "psql and the extension pgtap are needed, `make test` installs them: %s", out.String()[max(0, out.Len()-2000):])
	return out.String()
}

var failed = regexp.MustCompile(`(?m)^not ok \d+ - (.*)$`)

// failures are the descriptions of tests that failed and were not expected to.
func failures(output string) []string {
	var names []string
	for _, found := range failed.FindAllStringSubmatch(output, -1) {
		if !strings.Contains(found[1], "# TODO") {
			names = append(names, found[1])
		}
	}
	return names
}

func prove(t *testing.T, d *pgtest.Database) *isolation.Proof {
	t.Helper()
	subject, err := isolation.VitalSubject()
	require.NoError(t, err)
	proof, err := isolation.Prove(context.Background(), d.Connect(t), subject, func(string) {})
	require.NoError(t, err)
	return proof
}

// breaches open a table in each way there is a verb for; roles, which are the whole server's, stay as they are.
const breaches = `
create policy breach_read on public.agents for select to authenticated using (true);
create policy breach_update on public.agents for update to authenticated using (true) with check (true);
create policy breach_insert on public.profiles for insert to authenticated with check (true);
grant insert on public.profiles to authenticated;
alter table public.tenant_apps disable row level security;
grant truncate on public.tenant_configurations to authenticated;
create policy breach_owner on public.users to vital_owner using (true);
create function public.breach(p_user_id uuid) returns setof public.users language sql security definer as $$ select * from public.users where id = p_user_id $$;
alter function public.breach owner to vital_owner;
grant execute on function public.breach to anon;
create unique index breach_slug on public.agents (slug)`

// TestProof_WritePgTAP: a script of the attacks on a sound database passes there, and finds on one that is
// not what the attacks themselves would find.
func TestProof_WritePgTAP(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	sound := prove(t, d)
	var script bytes.Buffer
	require.NoError(t, sound.WritePgTAP(&script))
	require.Contains(t, script.String(), "-- Left out, for it runs in no function: copy_to (")

	output := tap(t, d, script.String())
	require.Regexp(t, `(?m)^1\.\.\d{4,5}$`, output)
	require.NotContains(t, output, "# Looks like")
	require.Empty(t, failures(output))
	require.Equal(t, sound.Count(isolation.AtRisk), strings.Count(output, "\nnot ok "), "what is a risk is expected")
	left := 0
	for _, r := range sound.Results {
		if r.Attack == "copy_to" || r.Attack == "escape_transaction" {
			left++
		}
	}
	require.Equal(t, len(sound.Results)-left, strings.Count(output, "\nok ")+strings.Count(output, "\nnot ok "), "a test for each attack")

	d.Exec(t, breaches)
	open := prove(t, d)
	var leaks []string
	for _, r := range open.Results {
		if r.Outcome == isolation.Leaked && r.Attack != "copy_to" && r.Attack != "escape_transaction" {
			leaks = append(leaks, r.Object+": "+r.Title+" ("+r.Attack+"), as "+r.Caller)
		}
	}
	require.Greater(t, len(leaks), 50)
	require.True(t, slices.ContainsFunc(open.Results, func(r isolation.Result) bool {
		return r.Attack == "copy_to" && r.Object == "public.agents" && r.Outcome == isolation.Leaked
	}), "what COPY writes is looked at")
	found := failures(tap(t, d, script.String()))
	// The attacks on the context are on a table that is closed otherwise: another by now.
	onContext := func(leak string) bool { return strings.HasPrefix(leak, "transaction: ") }
	require.Subset(t, leaks, slices.DeleteFunc(slices.Clone(found), onContext))
	for _, leak := range leaks {
		// A function or a key that is new is attacked by a script that was written after it.
		isNew := strings.HasPrefix(leak, "public.breach(") || strings.Contains(leak, "(unique)") || strings.HasPrefix(leak, "public.profiles")
		require.True(t, isNew || slices.Contains(found, leak), leak)
	}
	script.Reset()
	require.NoError(t, open.WritePgTAP(&script))
	require.ElementsMatch(t, leaks, failures(tap(t, d, script.String())))
}
