package feature_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/feature"
)

// FuzzParseFlagd holds that a file that can be read can be written, reads the same again, and compiles
// without a panic.
func FuzzParseFlagd(f *testing.F) {
	golden, err := os.ReadFile("testdata/flags.flagd.json")
	require.NoError(f, err)
	for _, seed := range []string{
		string(golden), `{}`, `{"flags":[]}`, `{"flags":{"a":{"state":"ENABLED","variants":{"":1}}}}`,
		`{"flags":{"a":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":null,"targeting":{"$ref":"a"}}},"$evaluators":{"a":{"$ref":"a"}}}`,
		`{"flags":{"a":{"state":"DISABLED","variants":{"a":{}},"metadata":{"vital.tags":"[]","vital.metadata":"{\"a\":[]}"}}}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file, err := feature.ParseFlagd(strings.NewReader(text))
		if err != nil {
			return
		}
		first, err := file.Marshal()
		if err != nil {
			return
		}
		again, err := feature.ParseFlagd(strings.NewReader(string(first)))
		require.NoError(t, err, "%s", first)
		second, err := again.Marshal()
		require.NoError(t, err)
		require.Equal(t, string(first), string(second))
		source, err := file.Source()
		if err != nil {
			return
		}
		set := feature.Compile(source)
		for result := range set.EvaluateAll(nil, feature.Context{}, noon) {
			require.True(t, json.Valid(result.AppendJSON(nil)), "%+v", result)
		}
	})
}

// FuzzEvaluate holds that no rule and no context panics, takes long or gives what is not JSON, and that
// an explanation has the same result.
func FuzzEvaluate(f *testing.F) {
	for _, seed := range [][2]string{
		{`{"if":[{"in":["x",{"var":"list"}]},"a","b"]}`, `{"list":["x"]}`},
		{`{"fractional":[{"cat":[{"var":"$flagd.flagKey"},{"var":"k"}]},["a",{"var":"w"}],["b"]]}`, `{"k":"u","w":-1}`},
		{`{"sem_ver":[{"var":"v"},"^","1"]}`, `{"v":1.5}`},
		{`{"reduce":[{"var":"l"},{"cat":[{"var":"accumulator"},{"var":"accumulator"}]},"x"]}`, `{"l":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}`},
		{`{"substr":[{"var":"t"},-1e300,1e300]}`, `{"t":"äö"}`},
		{`{"missing_some":[{"$ref":"e"},{"merge":[1,[2]]}]}`, `{"1":1}`},
		{`{"%":[1,{"-":[{"var":["x.0.y","Infinity"]}]}]}`, `{"x":[{"y":null}]}`},
		{`[{"max":[]},{"min":["a"]},{"*":[]},{"!":[]},{"var":[]}]`, `{"$flagd":{"flagKey":"z"}}`},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, rule, attributes string) {
		c, err := feature.ParseContext([]byte(attributes))
		if err != nil {
			return
		}
		set := feature.Compile(feature.Source{
			Definitions: []feature.Definition{text("f", rule, "true", "a", "b")},
			Evaluators:  map[string]json.RawMessage{"e": json.RawMessage(rule)},
		})
		result := set.Evaluate("f", nil, c, noon)
		require.True(t, json.Valid(result.AppendJSON(nil)), "%+v", result)
		require.NotContains(t, result.ErrorDetails, "could not be evaluated", "a panic")
		explanation := set.Explain("f", nil, c, noon)
		require.Equal(t, result, explanation.Result)
		_, err = json.Marshal(explanation)
		require.NoError(t, err)
	})
}
