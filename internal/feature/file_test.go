package feature_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/feature"
)

func parse(t testing.TB, text string) *feature.File {
	t.Helper()
	file, err := feature.ParseFlagd(strings.NewReader(text))
	require.NoError(t, err)
	return file
}

func marshal(t testing.TB, file *feature.File) string {
	t.Helper()
	raw, err := file.Marshal()
	require.NoError(t, err)
	return string(raw)
}

// TestFile_Golden reads a file with everything in it and writes it as it was. The file is in the form
// that WriteTo gives.
func TestFile_Golden(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("testdata/flags.flagd.json")
	require.NoError(t, err)
	file := parse(t, string(want))
	require.Equal(t, string(want), marshal(t, file))

	source, err := file.Source()
	require.NoError(t, err)
	require.Empty(t, feature.Compile(source).Problems())
	exported, err := feature.NewFile(source)
	require.NoError(t, err)
	exported.Schema, exported.Extra = file.Schema, file.Extra
	require.Equal(t, string(want), marshal(t, exported), "through definitions and back")

	var out bytes.Buffer
	n, err := file.WriteTo(&out)
	require.NoError(t, err)
	require.Equal(t, int64(len(want)), n)
	require.Equal(t, string(want), out.String())
}

// TestFile_KeepsWhatItDoesNotKnow reads a file in another form and compares it as JSON.
func TestFile_KeepsWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	text := `{"title":"ours","flags":{"b":{"variants":{"x":1.0,"y":1e3},"state":"ENABLED","owner":{"team":["a"]},"targeting":{},"defaultVariant":"y"},
		"a":{"state":"DISABLED","variants":{"on":true}}},"$evaluators":{"e":[1,{"var":"<&>"}]},"metadata":{"v":2}}`
	written := marshal(t, parse(t, text))
	require.JSONEq(t, text, written)
	require.Contains(t, written, "1.0", "numbers keep their digits")
	require.Contains(t, written, `"<&>"`)
	require.Equal(t, written, marshal(t, parse(t, written)), "once written, always the same")
}

func TestFile_ArrayOfFlags(t *testing.T) {
	t.Parallel()
	file := parse(t, `{"flags":[{"key":"b","state":"ENABLED","variants":{"on":true}},{"key":"a","state":"ENABLED","variants":{"on":true}}]}`)
	require.JSONEq(t, `{"flags":{"a":{"state":"ENABLED","variants":{"on":true}},"b":{"state":"ENABLED","variants":{"on":true}}}}`, marshal(t, file))
}

func TestParseFlagd_Problems(t *testing.T) {
	t.Parallel()
	flag := func(members string) string { return `{"flags":{"a/b":{` + members + `}}}` }
	for _, c := range []struct{ name, text, path, message string }{
		{"nothing", ``, "", "JSON"},
		{"not JSON", `{"flags":`, "", "JSON"},
		{"not an object", `[]`, "", "object"},
		{"more than one value", `{"flags":{}} {}`, "", "follows"},
		{"no flags", `{}`, "/flags", "no flags"},
		{"flags that are a text", `{"flags":"x"}`, "/flags", "object"},
		{"a flag that is none", `{"flags":{"a/b":1}}`, "/flags/a~1b", "object"},
		{"no state", flag(`"variants":{"on":true}`), "/flags/a~1b/state", "ENABLED"},
		{"another state", flag(`"state":"ON","variants":{"on":true}`), "/flags/a~1b/state", "ENABLED"},
		{"no variants", flag(`"state":"ENABLED"`), "/flags/a~1b/variants", "variants"},
		{"empty variants", flag(`"state":"ENABLED","variants":{}`), "/flags/a~1b/variants", "at least one"},
		{"a default that is no text", flag(`"state":"ENABLED","variants":{"on":true},"defaultVariant":1`), "/flags/a~1b/defaultVariant", "text"},
		{"a flag twice", `{"flags":{"a":{"state":"ENABLED","variants":{"on":true}},"a":{"state":"ENABLED","variants":{"on":true}}}}`, "/flags/a", "once"},
		{"a variant twice", flag(`"state":"ENABLED","variants":{"on":true,"on":false}`), "/flags/a~1b/variants/on", "once"},
		{"an evaluator twice", `{"flags":{},"$evaluators":{"e":1,"e":2}}`, "/$evaluators/e", "once"},
		{"a flag of an array twice", `{"flags":[{"key":"a","state":"ENABLED","variants":{"on":true}},{"key":"a","state":"ENABLED","variants":{"on":true}}]}`, "/flags/a", "two"},
		{"a flag of an array without key", `{"flags":[{"state":"ENABLED","variants":{"on":true}}]}`, "/flags/0/key", "key"},
		{"metadata that is no object", `{"flags":{},"metadata":[]}`, "/metadata", "object"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := feature.ParseFlagd(strings.NewReader(c.text))
			var invalid *feature.InvalidError
			require.ErrorAs(t, err, &invalid)
			var found bool
			for _, p := range invalid.Problems {
				found = found || p.Path == c.path && strings.Contains(p.Message, c.message)
			}
			require.True(t, found, "%v", invalid)
		})
	}
	_, err := feature.ParseFlagd(strings.NewReader(`{"flags":{"a":{},"b":{"state":"x","variants":{}}}}`))
	require.ErrorContains(t, err, "/flags/a/state")
	require.ErrorContains(t, err, "/flags/b/variants", "all problems at once")
}

func TestFile_DefinitionsAndBack(t *testing.T) {
	t.Parallel()
	expires := time.Date(2027, 1, 2, 3, 4, 5, 678_000_000, time.UTC)
	full := feature.Definition{
		Key: "full", Name: "Full", Description: "Has \"everything\".", Type: feature.String, Active: true, DefaultEnabled: true,
		Variants: json.RawMessage(`{"a":"x","b":"y"}`), DefaultVariant: "a", Targeting: json.RawMessage(`{"var":"v"}`),
		Prerequisites: json.RawMessage(`[{"flag_key":"implied","variants":["on"]}]`),
		Metadata:      json.RawMessage(`{"links":["u"],"team":"web"}`),
		Category:      "billing", Owner: "team-a", Tags: []string{"x", "y,z"}, ExpiresAt: &expires,
	}
	for _, d := range []feature.Definition{
		full,
		boolean("implied"),
		change(boolean("implied_on"), func(d *feature.Definition) { d.DefaultEnabled = true }),
		change(boolean("inactive"), func(d *feature.Definition) { d.Active = false }),
		change(boolean("named"), func(d *feature.Definition) {
			d.Variants, d.DefaultVariant, d.DefaultEnabled = json.RawMessage(`{"no":false,"yes":true}`), "yes", true
		}),
		change(boolean("odd"), func(d *feature.Definition) {
			d.Variants, d.DefaultVariant, d.DefaultEnabled = json.RawMessage(`{"no":false,"yes":true}`), "yes", false
		}),
		change(boolean("without_default"), func(d *feature.Definition) { d.Variants = json.RawMessage(`{"off":false,"on":true}`) }),
		change(boolean("never"), func(d *feature.Definition) {
			d.Variants, d.DefaultVariant = json.RawMessage(`{"off":false,"on":false}`), "off"
		}),
		{Key: "number", Type: feature.Number, Active: true, DefaultEnabled: true, Variants: json.RawMessage(`{"a":1.50}`), DefaultVariant: "a"},
		{Key: "object", Type: feature.Object, Active: true, Variants: json.RawMessage(`{"a":{"b":[1]}}`)},
	} {
		t.Run(d.Key, func(t *testing.T) {
			t.Parallel()
			file, err := feature.NewFile(feature.Source{Definitions: []feature.Definition{d}})
			require.NoError(t, err)
			source, err := parse(t, marshal(t, file)).Source()
			require.NoError(t, err)
			require.Equal(t, []feature.Definition{d}, source.Definitions)
		})
	}
}

// TestFile_ExportIsFlagds checks that what flagd has no word for is flat metadata.
func TestFile_ExportIsFlagds(t *testing.T) {
	t.Parallel()
	file, err := feature.NewFile(feature.Source{Definitions: []feature.Definition{{
		Key: "f", Type: feature.Boolean, Active: true, Tags: []string{"x"}, Metadata: json.RawMessage(`{"deep":{"a":1}}`),
		Prerequisites: json.RawMessage(`[{"flag_key": "g", "variants": ["on"]}]`),
	}}})
	require.NoError(t, err)
	require.JSONEq(t, `{"$schema":"https://flagd.dev/schema/v0/flags.json","flags":{"f":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off",
		"metadata":{"vital.metadata":"{\"deep\":{\"a\":1}}","vital.prerequisites":"[{\"flag_key\":\"g\",\"variants\":[\"on\"]}]","vital.tags":"[\"x\"]"}}}}`, marshal(t, file))
}

func TestFile_SourceProblems(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{
		"vital.tags": `"x,y"`, "vital.owner": `5`, "vital.expires_at": `"tomorrow"`, "vital.default_enabled": `"yes"`,
		"vital.prerequisites": `"["`, "vital.metadata": `"[]"`,
	} {
		_, err := parse(t, `{"flags":{"f":{"state":"ENABLED","variants":{"on":true},"metadata":{"`+name+`":`+value+`}}}}`).Source()
		var invalid *feature.InvalidError
		require.ErrorAs(t, err, &invalid, name)
		require.Equal(t, "/flags/f/metadata/"+name, invalid.Problems[0].Path)
	}
	_, err := feature.NewFile(feature.Source{Definitions: []feature.Definition{{Key: "f", Variants: json.RawMessage(`[`)}}})
	require.Error(t, err)
}
