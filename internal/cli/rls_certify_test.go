package cli_test

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
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

// shop makes a stranger's schema of what VITAL has in a database: orders of accounts, which have members.
const shop = `drop schema vital, auth, public cascade; create schema public; grant usage on schema public to authenticated;
	create table public.accounts (id uuid primary key default gen_random_uuid(), name text not null);
	create table public.members (account_id uuid not null references public.accounts, user_id uuid not null, primary key (account_id, user_id));
	create table public.orders (id uuid primary key default gen_random_uuid(), account_id uuid not null references public.accounts, note text);
	create function public.asked(claim text) returns uuid language sql stable as
		$$ select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> claim)::uuid $$;
	do $$ declare name text; begin
		foreach name in array array['accounts', 'members', 'orders'] loop
			execute format('alter table public.%1$I enable row level security; alter table public.%1$I force row level security; grant select on public.%1$I to authenticated', name);
		end loop;
	end $$;
	create policy own on public.members to authenticated using (user_id = (select public.asked('sub')));
	create policy kept on public.accounts to authenticated using (id = (select public.asked('tenant_id'))
		and id in (select m.account_id from public.members m where m.user_id = (select public.asked('sub'))));
	create policy kept on public.orders to authenticated using (account_id = (select public.asked('tenant_id'))
		and account_id in (select m.account_id from public.members m where m.user_id = (select public.asked('sub'))))`

// openShop is a leak in it.
const openShop = "create policy open on public.orders for select to authenticated using (true)"

func TestRLSCertify(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, shop)
	at := []string{"VITAL_DATABASE_URL=" + d.URL}
	key, dir := keyFile(t), t.TempDir()
	certify := func(args ...string) result {
		return vital(t, at, append([]string{"rls", "certify", "--tenant-column", "account_id"}, args...)...)
	}
	text := ok(t, certify("--key", key, "--out", dir))
	require.Regexp(t, `(?m)^verdict  isolated: None of \d+ attacks by \d kinds of caller got through\.$`, text)
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
	refused(certify("--out", dir), 1, "There is no key to sign with. (config_invalid)")
	refused(certify("--key", key), 2, "(usage)")
	refused(certify("--key", public, "--out", dir), 1, "not an Ed25519 private key")
	refused(certify("--key", key, "--out", filepath.Join(file, "below")), 2, "(usage)")

	// The schema drifts, and leaks.
	d.Exec(t, openShop)
	refused(verify(file, "--database-url", d.URL), 3, "The schema has drifted")
	leaking := filepath.Join(dir, "leaking.json")
	got = certify("--key", key, "--out", leaking)
	refused(got, 3, "attacks got through. (findings)")
	require.Regexp(t, `(?m)^leak +public.orders: read the whole relation and \d+ more, as `, got.out)
	refused(verify(leaking), 3, "The certificate is genuine, and says: ")
}

// TestRLSCertify_PrivateServer: of VITAL's own schema, under a key that the server keeps, the same each time.
func TestRLSCertify_PrivateServer(t *testing.T) {
	t.Parallel()
	dir, certificate := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "certificate.json")
	at := []string{"VITAL_DATA_DIR=" + dir}
	text := ok(t, vital(t, at, "rls", "certify", "--out", certificate))
	require.Regexp(t, `(?m)^verdict  isolated: None of \d+,\d{3} attacks by 9 kinds of caller got through\.$`, text)
	require.Contains(t, text, "120 proved, 0 tested, 0 unknown, 0 leaked")
	require.Contains(t, vital(t, at, "rls", "verify", certificate, "--live").err, "still the one that was certified")

	seed, err := os.ReadFile(filepath.Join(dir, "secrets", "certificate"))
	require.NoError(t, err)
	private, err := base64.RawURLEncoding.DecodeString(strings.TrimSpace(string(seed)))
	require.NoError(t, err)
	public, err := x509.MarshalPKIXPublicKey(ed25519.NewKeyFromSeed(private).Public())
	require.NoError(t, err)
	shown, err := os.ReadFile(strings.TrimSuffix(certificate, ".json") + ".pem")
	require.NoError(t, err)
	require.Equal(t, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})), string(shown))
}

func TestRLSProve_Formats(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, shop+"; "+openShop)
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
