package cli_test

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/pgtest"
)

// keyFile makes an Ed25519 key as its users do.
func keyFile(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "certificate.key")
	out, err := exec.Command("openssl", "genpkey", "-algorithm", "ed25519", "-out", name).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return name
}

func TestRLSCertify(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	at := []string{"VITAL_DATABASE_URL=" + d.URL}
	key, dir := keyFile(t), t.TempDir()
	text := ok(t, vital(t, at, "rls", "certify", "--key", key, "--out", dir))
	require.Regexp(t, `(?m)^verdict  isolated: None of \d+,\d{3} attacks by 9 kinds of caller got through\.$`, text)
	require.Contains(t, text, "112 proved, 0 tested, 0 unknown, 0 leaked")
	file, public := filepath.Join(dir, "certificate.json"), filepath.Join(dir, "certificate.pem")
	page, err := os.ReadFile(filepath.Join(dir, "certificate.html"))
	require.NoError(t, err)
	require.Contains(t, string(page), "Tenants are kept apart")

	verify := func(args ...string) result { return vital(t, nil, append([]string{"rls", "verify"}, args...)...) }
	got := verify(file)
	require.Contains(t, ok(t, got), "the signature is good\nverdict  isolated")
	require.Contains(t, got.err, "only the certificate itself vouches for its key")
	got = verify(file, "--key", public, "--database-url", d.URL)
	require.Contains(t, ok(t, got), "isolated")
	require.Contains(t, got.err, "the schema is still the one that was certified")
	require.NotContains(t, got.err, "vouches")
	type shown struct {
		Verdict, Summary string
		Mutants          any
		Database         struct{ Name string }
	}
	require.Equal(t, d.Name, parsed[shown](t, verify(file, "--json")).Database.Name)

	refused := func(got result, code int, says string) {
		t.Helper()
		require.Equal(t, code, got.code, got.out+got.err)
		require.Contains(t, got.err, says)
		require.Contains(t, got.err, "hint:")
	}
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	changed := filepath.Join(dir, "changed.json")
	content[len(content)/2] ^= 1
	require.NoError(t, os.WriteFile(changed, content, 0o600))
	refused(verify(changed), 1, "(certificate_invalid)")
	refused(verify(public), 1, "(certificate_invalid)")
	other := filepath.Join(dir, "other.pem")
	out, err := exec.Command("openssl", "pkey", "-in", keyFile(t), "-pubout", "-out", other).CombinedOutput()
	require.NoError(t, err, "%s", out)
	refused(verify(file, "--key", other), 1, "is signed with key")
	refused(verify(file, "--key", key), 1, "The public key is not one of Ed25519. (config_invalid)")
	refused(verify(filepath.Join(dir, "none.json")), 2, "cannot be read. (usage)")
	refused(verify(), 2, "(usage)")
	refused(vital(t, at, "rls", "certify", "--out", dir), 1, "There is no key to sign with. (config_invalid)")
	refused(vital(t, at, "rls", "certify", "--key", key), 2, "(usage)")
	refused(vital(t, at, "rls", "certify", "--key", public, "--out", dir), 1, "not an Ed25519 private key")
	refused(vital(t, at, "rls", "certify", "--key", key, "--out", filepath.Join(file, "below")), 2, "(usage)")

	// The schema drifts, and leaks.
	d.Exec(t, "create policy open on public.agents for select to authenticated using (true)")
	refused(verify(file, "--database-url", d.URL), 3, "The schema has drifted")
	leaking := filepath.Join(dir, "leaking.json")
	got = vital(t, at, "rls", "certify", "--key", key, "--out", leaking)
	refused(got, 3, "attacks got through. (findings)")
	require.Regexp(t, `(?m)^leak +public.agents: read the whole relation and \d+ more, as no identity, viewer`, got.out)
	refused(verify(leaking), 3, "The certificate is genuine, and says: ")
}

// TestRLSCertify_PrivateServer: it has a key of its own, the same each time.
func TestRLSCertify_PrivateServer(t *testing.T) {
	t.Parallel()
	at := []string{"VITAL_DATA_DIR=" + filepath.Join(t.TempDir(), "data")}
	first, second := filepath.Join(t.TempDir(), "first.json"), filepath.Join(t.TempDir(), "second.json")
	ok(t, vital(t, at, "rls", "certify", "--out", first))
	ok(t, vital(t, at, "rls", "certify", "--out", second))
	require.Contains(t, vital(t, at, "rls", "verify", first, "--live", "--key", strings.TrimSuffix(second, ".json")+".pem").err, "still the one that was certified")
}

func TestRLSProve_Formats(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, `drop schema vital, auth, public cascade; create schema public; grant usage on schema public to authenticated;
		create table public.orders (id uuid primary key default gen_random_uuid(), account_id uuid not null, note text);
		alter table public.orders enable row level security; alter table public.orders force row level security;
		grant select on public.orders to authenticated;
		create policy kept on public.orders to authenticated using (account_id = (current_setting('request.jwt.claims', true)::jsonb ->> 'tenant_id')::uuid);
		create policy open on public.orders for select to authenticated using (true)`)
	run := func(code int, args ...string) string {
		t.Helper()
		got := vital(t, nil, append([]string{"rls", "prove", "--database-url", d.URL, "--tenant-column", "account_id"}, args...)...)
		require.Equal(t, code, got.code, got.err)
		return got.out
	}
	tap := filepath.Join(t.TempDir(), "isolation.sql")
	require.Regexp(t, `(?m)^leaked +public.orders: read the whole relation, as`, run(3, "--pgtap", tap))
	script, err := os.ReadFile(tap)
	require.NoError(t, err)
	require.Regexp(t, `(?m)^select plan\(\d{3}\);$`, string(script))

	require.Equal(t, run(3, "--json")[:20], run(3, "--format", "json")[:20])
	require.Contains(t, run(3, "--format", "html"), "report, not signed")
	var suites struct {
		Suites []struct {
			Name  string `xml:"name,attr"`
			Cases []struct {
				Name    string `xml:"name,attr"`
				Failure *struct {
					Text string `xml:",chardata"`
				} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	require.NoError(t, xml.Unmarshal([]byte(run(3, "--format", "junit")), &suites))
	require.Equal(t, "vital rls prove", suites.Suites[0].Name)
	failed := map[string]bool{}
	for _, c := range suites.Suites[0].Cases {
		failed[c.Name] = c.Failure != nil
	}
	require.True(t, failed["select_all"])
	require.False(t, failed["delete_all"])
	require.False(t, failed["explain_analyze"], "a known risk fails nothing")
	require.Contains(t, failed, "rls_disabled", "the lints count too")
	require.Contains(t, failed, "call")

	var log struct {
		Runs []struct {
			Results []struct{ RuleID, Level string }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(run(3, "--format", "sarif")), &log))
	levels := map[string]string{}
	for _, r := range log.Runs[0].Results {
		levels[r.RuleID] = r.Level
	}
	require.Equal(t, "error", levels["select_all"])
	require.Equal(t, "note", levels["explain_analyze"])
	require.Contains(t, run(3, "--format", "markdown"), "docs/reference/isolation.md#prove")
	require.Empty(t, run(2, "--format", "xml"))
	require.Empty(t, run(2, "--format", "html", "--json"))
	require.Empty(t, run(2, "--pgtap", filepath.Join(tap, "below")))
}
