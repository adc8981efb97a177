package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/report"
)

// found are a finding of each level, with what each format must escape, and a lint that found nothing.
var found = report.Findings{
	Command: "check rls", Version: "v1.2.3",
	Lints: []isolation.Lint{
		{Name: "login_may_bypass_rls", Level: isolation.Risk, Title: "A login may", Hint: "Revoke it.", Kind: "role"},
		{Name: "nullable_tenant_column", Level: isolation.Error, Title: "Quiet", Hint: "Nothing.", Kind: "column"},
		{Name: "policy_call_per_row", Level: isolation.Warning, Title: "A call", Hint: "Wrap it.", Kind: "policy"},
		{Name: "rls_disabled", Level: isolation.Error, Title: "A table <of> tenants", Hint: "Enable it & see.", Kind: "table"},
	},
	Findings: []isolation.Finding{
		{Check: "login_may_bypass_rls", Level: isolation.Risk, Title: "A login may", Kind: "role", Object: "web", Detail: "member of x", Hint: "Revoke it."},
		{Check: "policy_call_per_row", Level: isolation.Warning, Title: "A call", Kind: "policy", Object: "public.docs", Detail: "f() in using", Hint: "Wrap it."},
		{Check: "rls_disabled", Level: isolation.Error, Title: "A table <of> tenants", Kind: "table", Object: `public."a|b"`, Detail: "x < y && z `q`\n]]>", Hint: "Enable it & see."},
		{Check: "rls_disabled", Level: isolation.Error, Title: "A table <of> tenants", Kind: "table", Object: "public.docs", Detail: "off", Hint: "Enable it & see."},
	},
}

func write(t *testing.T, format string, f report.Findings) []byte {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, report.WriteFindings(&out, format, f))
	return out.Bytes()
}

func TestWriteFindings_JSON(t *testing.T) {
	t.Parallel()
	var got []isolation.Finding
	require.NoError(t, json.Unmarshal(write(t, "json", found), &got))
	require.Equal(t, found.Findings, got)
	require.Equal(t, "[]\n", string(write(t, "json", report.Findings{})), "nothing is an empty list, not null")
}

// TestWriteFindings_SARIF holds what is written against what SARIF 2.1.0 requires: the properties that
// must be there, their types, and that indexes and rules agree.
func TestWriteFindings_SARIF(t *testing.T) {
	t.Parallel()
	var log struct {
		Schema  string `json:"$schema"`
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct {
					Name, Version, InformationURI string
					Rules                         []struct {
						ID                     string
						ShortDescription, Help struct{ Text string }
						HelpURI                string
						DefaultConfiguration   struct{ Level string }
					}
				}
			}
			Results []struct {
				RuleID    string
				RuleIndex *int
				Level     string
				Message   struct{ Text string }
				Locations []struct {
					LogicalLocations []struct{ FullyQualifiedName, Kind string }
				}
				PartialFingerprints map[string]string
			}
		}
	}
	text := write(t, "sarif", found)
	require.NoError(t, json.Unmarshal(text, &log))
	require.Equal(t, "2.1.0", log.Version)
	require.Equal(t, "https://json.schemastore.org/sarif-2.1.0.json", log.Schema)
	require.Len(t, log.Runs, 1)
	driver := log.Runs[0].Tool.Driver
	require.Equal(t, "vital", driver.Name)
	require.Equal(t, "v1.2.3", driver.Version)
	require.Len(t, driver.Rules, len(found.Lints))
	for i, rule := range driver.Rules {
		require.Equal(t, found.Lints[i].Name, rule.ID)
		require.NotEmpty(t, rule.ShortDescription.Text)
		require.NotEmpty(t, rule.Help.Text)
		require.Contains(t, []string{"error", "warning", "note"}, rule.DefaultConfiguration.Level)
		u, err := url.Parse(rule.HelpURI)
		require.NoError(t, err)
		require.True(t, u.IsAbs())
		require.True(t, strings.HasSuffix(u.Path, "/docs/reference/lints/"+rule.ID+".md"), u.Path)
	}
	var levels []string
	seen := map[string]bool{}
	for i, result := range log.Runs[0].Results {
		require.NotNil(t, result.RuleIndex)
		require.Equal(t, result.RuleID, driver.Rules[*result.RuleIndex].ID)
		require.Contains(t, result.Message.Text, found.Findings[i].Object)
		require.Contains(t, result.Message.Text, found.Findings[i].Detail)
		require.Len(t, result.Locations, 1)
		require.Equal(t, found.Findings[i].Object, result.Locations[0].LogicalLocations[0].FullyQualifiedName)
		require.Equal(t, found.Findings[i].Kind, result.Locations[0].LogicalLocations[0].Kind)
		require.False(t, seen[result.PartialFingerprints["finding/v1"]], "two findings with one fingerprint")
		seen[result.PartialFingerprints["finding/v1"]] = true
		levels = append(levels, result.Level)
	}
	require.Equal(t, []string{"note", "warning", "error", "error"}, levels)
	for _, name := range []string{`"ruleIndex": 0`, `"rules": [`, `"informationUri"`, `"helpUri"`, `"fullyQualifiedName"`} {
		require.Contains(t, string(text), name, "decoding forgives the case of a name; SARIF does not")
	}
	require.Contains(t, string(write(t, "sarif", report.Findings{Command: "check rls"})), `"results": []`, "a run that found nothing says so")
}

func TestWriteFindings_JUnit(t *testing.T) {
	t.Parallel()
	var got struct {
		XMLName         xml.Name `xml:"testsuites"`
		Tests, Failures int      `xml:",attr"`
		Suites          []struct {
			Name     string `xml:"name,attr"`
			Tests    int    `xml:"tests,attr"`
			Failures int    `xml:"failures,attr"`
			Cases    []struct {
				Class   string `xml:"classname,attr"`
				Name    string `xml:"name,attr"`
				Out     string `xml:"system-out"`
				Failure *struct {
					Message string `xml:"message,attr"`
					Text    string `xml:",chardata"`
				} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	text := write(t, "junit", found)
	require.True(t, bytes.HasPrefix(text, []byte("<?xml ")))
	require.NoError(t, xml.Unmarshal(text, &got))
	require.Len(t, got.Suites, 1)
	suite := got.Suites[0]
	require.Equal(t, "vital check rls", suite.Name)
	require.Equal(t, 4, suite.Tests)
	require.Equal(t, 1, suite.Failures, "lints fail, however much they found")
	require.Len(t, suite.Cases, 4)
	for i, c := range suite.Cases {
		require.Equal(t, found.Lints[i].Name, c.Name)
		require.Equal(t, "vital.check.rls", c.Class)
		require.Equal(t, c.Name == "rls_disabled", c.Failure != nil, c.Name)
	}
	require.Contains(t, suite.Cases[0].Out, "risk: A login may\nweb: member of x\n")
	require.Empty(t, suite.Cases[1].Out)
	require.Contains(t, suite.Cases[2].Out, "warning: A call")
	require.Equal(t, "A table <of> tenants", suite.Cases[3].Failure.Message)
	require.Contains(t, suite.Cases[3].Failure.Text, "public.\"a|b\": x < y && z `q`\n]]>\npublic.docs: off\nEnable it & see.\n")
	require.Contains(t, suite.Cases[3].Failure.Text, "docs/reference/lints/rls_disabled.md")
}

func TestWriteFindings_Markdown(t *testing.T) {
	t.Parallel()
	text := string(write(t, "markdown", found))
	require.Contains(t, text, "Rules: 4. Errors: 2. Warnings: 1. Risks: 1.")
	require.Less(t, strings.Index(text, "rls_disabled"), strings.Index(text, "policy_call_per_row"), "the worst first")
	require.Less(t, strings.Index(text, "policy_call_per_row"), strings.Index(text, "login_may_bypass_rls"))
	require.Contains(t, text, "\n| public.\"a\\|b\" | x &lt; y && z \\`q\\` ]]> |\n| public.docs | off |\n")
	require.NotContains(t, text, "nullable_tenant_column", "what found nothing is only counted")
}

func TestWriteFindings_UnknownFormat(t *testing.T) {
	t.Parallel()
	err := report.WriteFindings(&bytes.Buffer{}, "yaml", found)
	require.Equal(t, fault.Usage, fault.From(err).Code)
}
