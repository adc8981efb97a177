package report_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/report"
)

var issued = time.Date(2026, 5, 20, 10, 30, 0, 0, time.UTC)

func proof(change func(*isolation.Proof)) *isolation.Proof {
	p := &isolation.Proof{
		Database: "shop<1>", Server: "15.17 (Debian)", Fingerprint: strings.Repeat("ab", 32), Seconds: 2,
		Subject: &isolation.Subject{Schemas: []string{"public"}, TenantColumn: "account_id"}, Callers: []string{"anonymous", "member"},
		Verbs: map[string]int{"select": 2}, Statements: 3,
		Results: []isolation.Result{
			{Attack: "select_all", Verb: "select", Title: "read it", Object: "public.orders", Caller: "anonymous", Outcome: isolation.Blocked},
			{Attack: "select_all", Verb: "select", Title: "read it", Object: "public.orders", Caller: "member", Outcome: isolation.Blocked},
		},
		Standings: []isolation.Standing{
			{Relation: "public.orders", Command: "select", Level: isolation.Proved, Reason: "the policy says so"},
			{Relation: "public.orders", Command: "insert", Level: isolation.Proved, Reason: "the policy says so"},
			{Relation: "public.orders", Command: "update", Level: isolation.Tested, Reason: "3 attacks"},
			{Relation: "public.orders", Command: "delete", Level: isolation.Proved, Reason: "the policy says so"},
		},
		Findings: []isolation.Finding{},
	}
	change(p)
	return p
}

func certificate(t *testing.T, change func(*isolation.Proof)) *report.Certificate {
	t.Helper()
	m := &isolation.Matrix{Figures: isolation.Figures{Total: isolation.SchemaFigures{Tables: 1, RowSecurity: 1}}}
	c, err := report.NewCertificate(proof(change), m, report.Build{Version: "v1.2.3", Commit: "0123456789abcdef"}, issued.Add(time.Millisecond))
	require.NoError(t, err)
	return c
}

func leak(p *isolation.Proof) {
	for i := range p.Results {
		p.Results[i].Outcome, p.Results[i].Evidence, p.Results[i].Script = isolation.Leaked, "it came <back>", "begin;"
	}
}

func TestNewCertificate_Verdict(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		verdict report.Verdict
		says    string
		change  func(*isolation.Proof)
	}{
		{report.Isolated, "None of 2 attacks by 2 kinds of caller got through.", func(*isolation.Proof) {}},
		{report.Leaking, "2 of 2 attacks by 2 kinds of caller got through.", leak},
		{report.Flawed, "None of 2 attacks by 2 kinds of caller got through, and 1 lint finding must be mended.", func(p *isolation.Proof) {
			p.Findings = []isolation.Finding{{Check: "a", Level: isolation.Error}, {Check: "b", Level: isolation.Warning}}
		}},
		{report.Isolated, "None of 2 attacks by 2 kinds of caller got through.", func(p *isolation.Proof) {
			p.Findings = []isolation.Finding{{Check: "b", Level: isolation.Risk}}
		}},
		{report.Incomplete, "None of 2 attacks by 2 kinds of caller got through; 1 of 4 pairs of table and command are unknown.", func(p *isolation.Proof) {
			p.Standings[0].Level = isolation.Untested
		}},
		{report.Incomplete, "None of 1 attack by 2 kinds of caller got through; 0 of 4 pairs of table and command are unknown.", func(p *isolation.Proof) {
			p.Results[0].Outcome = isolation.Untried
		}},
	} {
		got := certificate(t, c.change)
		require.Equal(t, c.verdict, got.Verdict)
		require.Equal(t, c.says, got.Summary)
	}
	leaking := certificate(t, leak)
	require.Equal(t, []report.Breach{{Attack: "select_all", Title: "read it", Object: "public.orders", Callers: []string{"anonymous", "member"}, Evidence: "it came <back>", Script: "begin;"}}, leaking.Leaks)
	require.Equal(t, report.Outcomes{Leaked: 2}, leaking.Attacks.Verbs["select"])
	require.Equal(t, issued, leaking.Issued)
	require.Equal(t, issued.AddDate(0, 0, 30), leaking.Expires)
	require.Len(t, leaking.Database.CVEs, 4)
}

func TestCertificate_Sign(t *testing.T) {
	t.Parallel()
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	stranger, other, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	c := certificate(t, leak)
	file, err := c.Sign(private)
	require.NoError(t, err)
	for _, trusted := range []ed25519.PublicKey{nil, public} {
		got, err := report.OpenCertificate(file, trusted)
		require.NoError(t, err)
		require.Equal(t, c, got)
	}
	invalid := func(file []byte, trusted ed25519.PublicKey, says string) {
		_, err := report.OpenCertificate(file, trusted)
		require.ErrorContains(t, err, says)
		require.Equal(t, fault.CertificateInvalid, fault.From(err).Code)
	}
	invalid(file, stranger, "not with "+report.KeyID(stranger)[:16])
	invalid([]byte("{}"), nil, "not a certificate")
	invalid(append(bytes.Clone(file), file...), nil, "not a certificate")
	invalid(file[:len(file)/2], nil, "not a certificate")

	// A changed bit is found out, or changes nothing that is read: the case of a field's name, white space.
	found := 0
	for i := range file {
		changed := bytes.Clone(file)
		changed[i] ^= 0x20
		got, err := report.OpenCertificate(changed, public)
		if err != nil {
			found++
			require.Equal(t, fault.CertificateInvalid, fault.From(err).Code)
			continue
		}
		require.Equal(t, c, got, "byte %d", i)
	}
	require.Greater(t, found, len(file)*9/10)

	// What another signs with a payload that names the first is not the first's.
	var envelope map[string]any
	require.NoError(t, json.Unmarshal(file, &envelope))
	forged, err := certificate(t, func(*isolation.Proof) {}).Sign(other)
	require.NoError(t, err)
	var theirs map[string]any
	require.NoError(t, json.Unmarshal(forged, &theirs))
	envelope["signatures"] = theirs["signatures"]
	mixed, err := json.Marshal(envelope)
	require.NoError(t, err)
	invalid(mixed, nil, "signature is not good")
	envelope["signatures"] = []any{}
	mixed, err = json.Marshal(envelope)
	require.NoError(t, err)
	invalid(mixed, nil, "not a certificate")
}

func TestParseKeys(t *testing.T) {
	t.Parallel()
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	key, err := report.ParseSigningKey(text)
	require.NoError(t, err)
	require.Equal(t, private, key)
	shown, err := report.FormatPublicKey(public)
	require.NoError(t, err)
	got, err := report.ParsePublicKey(shown)
	require.NoError(t, err)
	require.Equal(t, public, got)
	for _, bad := range [][]byte{nil, []byte("hello"), shown, text[:60]} {
		_, err := report.ParseSigningKey(bad)
		require.Equal(t, fault.ConfigInvalid, fault.From(err).Code)
	}
	for _, bad := range [][]byte{nil, text} {
		_, err := report.ParsePublicKey(bad)
		require.Equal(t, fault.ConfigInvalid, fault.From(err).Code)
	}
}

func TestWriteCertificateHTML(t *testing.T) {
	t.Parallel()
	show := func(c *report.Certificate) string {
		var b strings.Builder
		require.NoError(t, report.WriteCertificateHTML(&b, c))
		return b.String()
	}
	text := show(certificate(t, func(*isolation.Proof) {}))
	for _, want := range []string{
		"report, not signed", "Tenants are kept apart", "shop&lt;1&gt;", "vital v1.2.3", "commit 0123456789ab", "20 May 2026, 10:30 UTC", "look again by 19 June 2026",
		`<i class="tile good" title="select: proved, the policy says so">s</i>`, `<i class="tile none" title="update: tested, 3 attacks">u</i>`,
		`<b>select, insert, delete</b> proved`, "CVE-2026-6473", "fixed in 15.18", "not run", `title="2 blocked, 0 at risk, 0 leaked"`,
	} {
		require.Contains(t, text, want)
	}
	require.NotRegexp(t, `(?i)<script|src="|@import|<link`, text, "the page loads nothing and runs nothing")
	require.NotContains(t, text, "<h2>Leaks")

	c := certificate(t, leak)
	c.Mutants = &report.Mutants{Made: 40, Killed: 38}
	_, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	_, err = c.Sign(private)
	require.NoError(t, err)
	text = show(c)
	for _, want := range []string{"Tenants are not kept apart", "isolation certificate<", "it came &lt;back&gt;", "<pre>begin;</pre>", report.KeyID(c.PublicKey), "95%", "38 of 40 deliberate faults found out"} {
		require.Contains(t, text, want)
	}
}
