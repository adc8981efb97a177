package tenant_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/tenant"
)

// TestReadTenants: one, a list, documents and lines are the same tenants.
func TestReadTenants(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"organization: {tenant_key: a}": 1,
		"---\norganization: {tenant_key: a}\n---\n---\norganization: {tenant_key: b}\n": 2,
		"tenants:\n- organization: {tenant_key: a}\n- organization: {tenant_key: b}\n":  2,
		"\ufefforganization: {tenant_key: a}":                                           1,
		`{"organization": {"tenant_key": "a"}}`:                                         1,
		`{"tenants": [{"organization": {"tenant_key": "a"}}]}{"organization": {"tenant_key": "b"}}` + "\n" + `{"organization": {"tenant_key": "c"}}`: 3,
	} {
		file, err := tenant.ReadTenants([]byte(text), tenant.FormatOf("", []byte(text)))
		require.NoError(t, err, text)
		require.Equal(t, want, file.Len(), text)
	}
	for name, want := range map[string]tenant.FileFormat{"a.YAML": tenant.YAML, "a.yml": tenant.YAML, "a.json": tenant.JSON, "a.jsonl": tenant.JSON, "-": tenant.JSON} {
		require.Equal(t, want, tenant.FormatOf(name, []byte(" \n{")), name)
	}
	require.Equal(t, tenant.YAML, tenant.FormatOf("-", []byte("a: 1")))
}

func TestReadTenants_Strict(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 100) + strings.Repeat("]", 100)
	for text, want := range map[string]string{
		"": "There is no tenant in the file.",
		"organization: {tenant_key: a}\norganisation: {}":                           "line 2: a /organisation: is no field of this object",
		"organization:\n  tenant_key: a\n  nome: A":                                 "line 3: a /organization/nome: is no field of this object",
		"organization: {tenant_key: 7}":                                             "line 1: tenant 1 /organization/tenant_key: must be string, is number",
		"organization: {tenant_key: a}\nflags: {x: 1}":                              "line 2: a /flags/x: must be null or boolean or string or object, is number",
		"organization: {tenant_key: a}\nmembers:\n- email: x@y\n  role: king":       `line 4: a /members/0/role: must be one of ["owner","admin","member","viewer"]`,
		"organization: {tenant_key: a, subscription_tier: gold}":                    `must be one of ["free","standard","professional","enterprise"]`,
		"organization: {tenant_key: a}\nconfiguration:\n  limits: {max_agents: -1}": "line 3: a /configuration/limits/max_agents: must be at least 0",
		"tenants: []": "line 1: the file /tenants: must be a list of tenants, and not empty",
		"tenants:\n- organization: {tenant_key: a}\nowner: x@y":                                          "line 3: the file /owner: stands beside tenants; it belongs into one of them",
		"organization: {tenant_key: a}\n---\norganization: {tenant_key: a}":                              "line 3: a /organization/tenant_key: is that of the tenant of line 1, too",
		"organization: {tenant_key: a, slug: s}\n---\norganization: {tenant_key: b, slug: s}":            "line 3: b /organization/slug: s is that of a, too",
		"organization: {tenant_key: a}\nowner: x@y\nmembers: [{email: X@Y}, {email: z@y}, {email: Z@y}]": "line 3: a /members/0/email: x@y is the owner already\nline 3: a /members/2/email: z@y is named twice",
		"organization: {tenant_key: a}\nagents: [x, {agent: x}]\napps: [{key: k}, {key: k}]":             "line 3: a /apps/1/key: k is named twice\nline 2: a /agents/1: x is named twice",
		"organization: {tenant_key: a}\nflags:\n  x: true\n  x: false":                                   `line 4: "x" is named twice`,
		"a: &a {}\nb: *a":       "line 1: anchors and aliases are not taken",
		"a: !!binary aGk=":      "line 1: the tag !!binary is not taken",
		"a: [1, .inf]":          `line 1: ".inf" is no number that can be taken`,
		"{\"a\": 1e999}":        "a number is too large or too long",
		"1: a":                  "names of fields are text",
		"a: \"\\0\"":            "U+0000",
		"a: [\n":                "line",
		"a: \xff":               "The file is not UTF-8.",
		`{"a": ` + deep + `}`:   "values nest deeper than 64",
		"{\n\"a\": \n{\"b\": 1": "line 3: the file ends in the middle of a value",
		"{\"a\": 1,\n\"a\": 2}": `line 2: "a" is named twice`,
		"{\n} x":                "line 2: invalid character 'x'",
		"[1]":                   "tenant 1: must be object, is array",
	} {
		_, err := tenant.ReadTenants([]byte(text), tenant.FormatOf("", []byte(text)))
		require.Equal(t, fault.Invalid, fault.CodeOf(err), "%q: %v", text, err)
		require.Contains(t, fault.From(err).Message+"\n"+fault.From(err).Detail, want, "%q", text)
	}
	// Many are counted, and not all told.
	_, err := tenant.ReadTenants([]byte(strings.Repeat("{\"organization\": {}}\n", 70)), tenant.JSON)
	require.Equal(t, "There are 70 mistakes in the file; nothing was changed.", fault.From(err).Message)
	require.Len(t, strings.Split(fault.From(err).Detail, "\n"), 51)
	require.Contains(t, fault.From(err).Detail, "and 20 more")
}

// TestOnboardingSchema: what a configuration may hold, a file may say.
func TestOnboardingSchema(t *testing.T) {
	t.Parallel()
	var whole, file struct {
		Properties map[string]struct {
			Properties map[string]any `json:"properties"`
		} `json:"properties"`
	}
	var onboarding struct {
		Defs map[string]json.RawMessage `json:"$defs"`
	}
	read := func(name string, into any) {
		text, err := os.ReadFile("../../database/schemas/" + name + ".json")
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, into))
	}
	read("tenant_configuration", &whole)
	read("tenant_onboarding", &onboarding)
	require.NoError(t, json.Unmarshal(onboarding.Defs["configuration"], &file))
	require.Len(t, file.Properties, len(whole.Properties))
	for name, section := range whole.Properties {
		for field := range section.Properties {
			require.Contains(t, file.Properties[name].Properties, field, name)
		}
		require.Len(t, file.Properties[name].Properties, len(section.Properties), name)
	}
	text, err := os.ReadFile("../../docs/how-to/onboard.example.yaml")
	require.NoError(t, err)
	_, err = tenant.ReadTenants(text, tenant.YAML)
	require.NoError(t, err)
}

// FuzzReadTenants holds that no file brings the reader down, and that what is wrong is said with a line.
func FuzzReadTenants(f *testing.F) {
	for _, seed := range []string{
		wholeFile, clinic, "tenants:\n- organization: {tenant_key: a}\n", "a: &a [*a, *a]", "? {a: b}\n: c", "a: !!float 0x1F", "<<: {a: 1}", "- - - -", "%YAML 1.2\n---\n",
		`{"organization": {"tenant_key": "a", "parent": null}, "flags": {"x": null, "y": {"expires_at": "2026-01-01T00:00:00Z"}}}`, `{"a":1e999}`, `{"tenants": {}}`, `{"a":-0.0}`, `[[[[`, "\xef\xbb\xbf{}",
	} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, text string, asJSON bool) {
		format := tenant.YAML
		if asJSON {
			format = tenant.JSON
		}
		file, err := tenant.ReadTenants([]byte(text), format)
		if err == nil {
			require.Positive(t, file.Len())
			return
		}
		require.Equal(t, fault.Invalid, fault.CodeOf(err), "%v", err)
		require.NotContains(t, fault.From(err).Detail, "line 0")
		_, err = tenant.ReadTemplate([]byte(text), format)
		if err != nil {
			require.Equal(t, fault.Invalid, fault.CodeOf(err), "%v", err)
		}
	})
}
