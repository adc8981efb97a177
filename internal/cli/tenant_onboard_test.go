package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/tenant"
)

// onboardingDemo is a database with the demo tenants, and the program on it as an operator runs it.
func onboardingDemo(t *testing.T) (*pgtest.Database, func(args ...string) result) {
	t.Helper()
	d := pgtest.New(t)
	require.NoError(t, pgx.BeginFunc(t.Context(), d.Connect(t), func(tx pgx.Tx) error { return tenant.CreateDemo(t.Context(), tx) }))
	return d, func(args ...string) result { return vital(t, []string{"VITAL_DATABASE_URL=" + d.APIURL}, args...) }
}

// TestTenantCreate_FromExample applies the example of docs/how-to/onboard.md.
func TestTenantCreate_FromExample(t *testing.T) {
	t.Parallel()
	d, run := onboardingDemo(t)
	const example = "../../docs/how-to/onboard.example.yaml"
	audited := func() (n int) {
		require.NoError(t, d.Connect(t).QueryRow(t.Context(), "select count(*) from organization_audit_log").Scan(&n))
		return n
	}
	before := audited()
	shown := ok(t, run("tenant", "create", "--from", example, "--dry-run"))
	require.Contains(t, shown, "2 tenants would be made, 0 changed, 0 are as the file says; nothing was changed")
	require.NotContains(t, shown, "TOKEN")
	doc, err := os.ReadFile("../../docs/how-to/onboard.md")
	require.NoError(t, err)
	_, told, _ := strings.Cut(string(doc), "--dry-run\n")
	told, _, _ = strings.Cut(told, "    …\n")
	require.Contains(t, shown, told, "the page shows what is shown")
	require.Equal(t, before, audited())

	tokens := filepath.Join(t.TempDir(), "invitations.jsonl")
	applied := ok(t, run("tenant", "create", "--from", example, "--invitations", tokens))
	require.Contains(t, applied, "2 tenants made, 0 changed, 0 as they are; invitations, if any, are in "+tokens)
	info, err := os.Stat(tokens)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	text, err := os.ReadFile(tokens)
	require.NoError(t, err)
	var invitation tenant.TenantInvitation
	require.NoError(t, json.Unmarshal(text, &invitation))
	require.Equal(t, "northwind erin@northwind.example viewer", invitation.Tenant+" "+invitation.Email+" "+invitation.Role)
	require.NotContains(t, applied, invitation.Token)
	for _, one := range []string{"northwind", "northwind-oslo"} {
		require.Contains(t, ok(t, vital(t, []string{"VITAL_DATABASE_URL=" + d.URL}, "tenant", "missing", one)), "visible_apps")
	}

	after := audited()
	other := filepath.Join(t.TempDir(), "none.jsonl")
	require.Contains(t, ok(t, run("tenant", "create", "--from", example, "--invitations", other)), "nothing to change: 2 tenants as the file says")
	require.NoFileExists(t, other)
	require.Equal(t, after, audited())

	ok(t, run("tenant", "approve", "northwind-oslo", "--reason", "contract", "--by", "admin@platform.vital.test"))
	require.Contains(t, ok(t, run("tenant", "show", "northwind-oslo")), "by admin@platform.vital.test: contract")
	require.Equal(t, 1, run("tenant", "suspend", "northwind-oslo", "--reason", "x", "--by", "ada@digital-health.vital.test").code)
}

// TestTenantCreate_From: flags that do not go together, files that are not what they must be, and what is printed.
func TestTenantCreate_From(t *testing.T) {
	t.Parallel()
	d, run := onboardingDemo(t)
	file := filepath.Join(t.TempDir(), "tenants.json")
	write := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }
	write(`{"organization": {"tenant_key": "one", "name": "One", "tenant_type": "clinic"}, "owner": "ada@digital-health.vital.test", "members": [{"email": "new@one.test"}]}`)
	for _, args := range [][]string{
		{"--from", file, "--name", "X"}, {"--dry-run"}, {"--json"}, {"--invitations", "x"}, {"--from", filepath.Join(t.TempDir(), "nothing")},
		{"--from", file, "--invitations", file}, {"--from", file, "--template", "default"},
	} {
		got := run(append([]string{"tenant", "create"}, args...)...)
		require.Equal(t, 2, got.code, "%v: %s", args, got.err)
		require.Contains(t, got.err, "hint:")
	}

	type report struct {
		Applied     bool
		Made        int
		Tenants     []map[string]any
		Invitations []map[string]any
	}
	dry := parsed[report](t, run("tenant", "create", "--from", file, "--dry-run", "--json"))
	require.False(t, dry.Applied)
	require.Equal(t, 1, dry.Made)
	require.Empty(t, dry.Invitations)
	shown := ok(t, run("tenant", "create", "--from", file))
	require.Contains(t, shown, "SHOWN THIS ONCE")
	require.Contains(t, shown, "\none     new@one.test  member")
	var reason string
	require.NoError(t, d.Connect(t).QueryRow(t.Context(), "select distinct reason from organization_audit_log l join organizations o on o.id = l.organization_id where o.slug = 'one'").Scan(&reason))
	require.Equal(t, "onboarded from tenants.json", reason)

	tokens := filepath.Join(t.TempDir(), "tokens")
	write(`{"organization": {"tenant_key": "two", "name": "Two", "tenant_type": "clinic"}, "owner": "ada@digital-health.vital.test", "members": [{"email": "new@two.test"}], "flags": {"nope": true}}`)
	got := run("tenant", "create", "--from", file, "--invitations", tokens)
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "There is a mistake in the file; nothing was changed. (invalid)\n       line 1: two /flags/nope: there is no such active flag\n")
	require.NoFileExists(t, tokens)

	// Templates come back as they are printed.
	template := filepath.Join(t.TempDir(), "clinic.yaml")
	printed := ok(t, run("tenant", "template", "show", "pharmaceuticals"))
	require.NoError(t, os.WriteFile(template, []byte(printed), 0o600))
	require.Contains(t, ok(t, run("tenant", "template", "set", template, "--reason", "none")), "is so already")
	require.NoError(t, os.WriteFile(template, []byte(strings.Replace(printed, "name: pharmaceuticals", "name: clinic", 1)), 0o600))
	require.Equal(t, 2, run("tenant", "template", "set", template).code, "no reason")
	require.Contains(t, ok(t, run("tenant", "template", "set", template, "--reason", "under HIPAA")), "template clinic: new")
	require.Contains(t, ok(t, run("tenant", "template", "list")), "clinic")
	require.Equal(t, 1, run("tenant", "template", "show", "nothing").code)
	ok(t, run("tenant", "create", "--name", "Three", "--slug", "three", "--type", "other", "--template", "clinic", "--owner", "ada@digital-health.vital.test"))
	require.Contains(t, ok(t, run("tenant", "show", "three")), `"hipaa_enabled":true`)
	require.Equal(t, 1, run("tenant", "create", "--name", "Four", "--slug", "four", "--type", "other", "--template", "nothing", "--owner", "ada@digital-health.vital.test").code)
}
