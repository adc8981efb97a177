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

	"github.com/vital-db/vital/database"
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

func prove(t *testing.T, d *pgtest.Database, subject *isolation.Subject) *isolation.Proof {
	t.Helper()
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

// TestProof_WritePgTAP: a script of the attacks on a database that is sound finds, once it is not, what the attacks
// themselves would find. Only tables that the breaches open are attacked.
func TestProof_WritePgTAP(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	subject, err := isolation.VitalSubject()
	require.NoError(t, err)
	for _, owned := range database.Owned {
		if table := owned.Table; !strings.Contains(breaches, "public."+table+" ") {
			rule := subject.Tables["public."+table]
			rule.Ignore = "no breach opens it"
			subject.Tables["public."+table] = rule
		}
	}
	var script bytes.Buffer
	require.NoError(t, prove(t, d, subject).WritePgTAP(&script))

	d.Exec(t, breaches)
	open := prove(t, d, subject)
	var leaks []string
	for _, r := range open.Results {
		if r.Outcome == isolation.Leaked && !noFunction(r) {
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
