package feature_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/feature"
)

func numbers(n int) string {
	return "[" + strings.TrimSuffix(strings.Repeat("1,", n), ",") + "]"
}

// TestHostile_RulesEndInTheirBudget holds rules that would take forever, or all memory.
func TestHostile_RulesEndInTheirBudget(t *testing.T) {
	t.Parallel()
	nested := `1`
	for range 8 {
		nested = `{"map":[` + numbers(500) + `,` + nested + `]}`
	}
	doubling := func(operator string) string {
		return `{"reduce":[{"var":"list"},{"` + operator + `":[{"var":"accumulator"},{"var":"accumulator"}]},"xxxxxxxx"]}`
	}
	shared := map[string]json.RawMessage{"e0": json.RawMessage(`{"var":"list"}`)}
	for i := 1; i < 60; i++ {
		shared[fmt.Sprint("e", i)] = json.RawMessage(fmt.Sprintf(`{"+":[{"$ref":"e%d"},{"$ref":"e%d"}]}`, i-1, i-1))
	}
	for name, rule := range map[string]string{
		"maps in maps":              nested,
		"text that doubles":         doubling("cat"),
		"array that doubles":        doubling("merge"),
		"array that nests":          `{"cat":[{"reduce":[{"var":"list"},{"merge":[[[{"var":"accumulator"}]]]},0]}]}`,
		"evaluators that double":    `{"$ref":"e59"}`,
		"long text again and again": `{"map":[{"var":"list"},{"in":["b","` + strings.Repeat("a", 100_000) + `"]}]}`,
		"long text put together":    `{"map":[{"var":"list"},{"cat":["` + strings.Repeat("a", 100_000) + `"]}]}`,
		"long keys":                 `{"map":[{"var":"list"},{"fractional":["` + strings.Repeat("a", 100_000) + `",["x"]]}]}`,
		"long parts":                `{"map":[{"var":"list"},{"substr":["` + strings.Repeat("a", 100_000) + `",1]}]}`,
		"long names":                `{"map":[{"var":"list"},{"var":{"if":[true,"` + strings.Repeat("a", 100_000) + `"]}}]}`,
		"long texts compared":       `{"map":[{"var":"list"},{"==":["` + strings.Repeat("a", 100_000) + `","` + strings.Repeat("a", 100_000) + `"]}]}`,
		"long numbers":              `{"map":[{"var":"list"},{"+":["` + strings.Repeat("1", 100_000) + `"]}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := context(t, `{"list":`+numbers(500)+`}`)
			set := feature.Compile(feature.Source{
				Definitions: []feature.Definition{text("f", rule, "a", "b"), boolean("other")}, Evaluators: shared,
			})
			require.Empty(t, set.Problems().Errors())
			result := set.Evaluate("f", nil, c, noon)
			require.Equal(t, feature.General, result.ErrorCode, "%.200v", result)
			require.Regexp(t, "^the rule (took too many steps|made an array that is nested too deep)", result.ErrorDetails)
			require.Equal(t, feature.ReasonStatic, set.Evaluate("other", nil, c, noon).Reason)
			explained, err := json.Marshal(set.Explain("f", nil, c, noon))
			require.NoError(t, err)
			require.Less(t, len(explained), 1<<20)
		})
	}
}

func TestHostile_BudgetOfAllFlags(t *testing.T) {
	t.Parallel()
	// Each rule takes most of its own budget, and 300 of them more than a request has.
	loop := `{"if":[{"some":[` + numbers(300) + `,{"some":[` + numbers(150) + `,false]}]},"a","b"]}`
	var source feature.Source
	for i := range 300 {
		source.Definitions = append(source.Definitions, text(fmt.Sprintf("f%03d", i), loop, "a", "b"))
	}
	source.Definitions = append(source.Definitions, boolean("z"))
	set := feature.Compile(source)
	results := map[feature.ErrorCode]int{}
	for result := range set.EvaluateAll(nil, feature.Context{}, noon) {
		results[result.ErrorCode]++
		if result.Key == "z" {
			require.Equal(t, feature.ReasonStatic, result.Reason, "a flag without a rule costs nothing")
		}
	}
	require.Greater(t, results[""], 50)
	require.Greater(t, results[feature.General], 50)
	require.Equal(t, "b", set.Evaluate("f299", nil, feature.Context{}, noon).Variant, "alone it is well")
}

// TestHostile_PrerequisitesAreEvaluatedOnce makes a lattice in which paths double with every row.
func TestHostile_PrerequisitesAreEvaluatedOnce(t *testing.T) {
	t.Parallel()
	var source feature.Source
	for row := range 30 {
		for _, side := range []string{"a", "b"} {
			d := change(boolean(fmt.Sprintf("%s%02d", side, row)), func(d *feature.Definition) { d.DefaultEnabled = true })
			if row > 0 {
				d = need(d, fmt.Sprintf(`[{"flag_key":"a%02d","variants":["on"]},{"flag_key":"b%02d","variants":["on"]}]`, row-1, row-1))
			}
			source.Definitions = append(source.Definitions, d)
		}
	}
	require.Equal(t, "on", feature.Compile(source).Evaluate("a29", nil, feature.Context{}, noon).Variant)
}

func TestParseContext(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{``, ` `, `null`, `{}`, `{"a":"[[[["}`, `{"a":"\"[{"}`, `{"a":` + strings.Repeat(`[`, 31) + strings.Repeat(`]`, 31) + `}`} {
		_, err := feature.ParseContext([]byte(raw))
		require.NoError(t, err, raw)
	}
	for _, raw := range []string{`[]`, `"a"`, `{`, `{"a":1}x`, `{"a":` + strings.Repeat(`[`, 32) + strings.Repeat(`]`, 32) + `}`, strings.Repeat(`{"a":`, 1_000_000)} {
		_, err := feature.ParseContext([]byte(raw))
		require.ErrorIs(t, err, fault.New(fault.Invalid, "", ""), "%.100s", raw)
	}
}

func TestParseRequest(t *testing.T) {
	t.Parallel()
	for body, has := range map[string]bool{
		``: false, `{}`: false, `{"context":null}`: false, `{"context":{}}`: false, `{"a":1}`: false, `{"context":{"a":null}}`: true,
		`{"other":5,"context":{"a":{"b":[1]}}}`: true, `{"context":{"a":` + strings.Repeat(`[`, 31) + strings.Repeat(`]`, 31) + `}}`: true,
		`{"context":{"$flagd":{},"a":"\"[{"}}`: true,
	} {
		c, err := feature.ParseRequest([]byte(body))
		require.NoError(t, err, body)
		require.Equal(t, has, c.Has("a"), body)
		require.False(t, c.Has("$flagd"))
	}
	for body, code := range map[string]fault.Code{
		`[]`: fault.BadJSON, `5`: fault.BadJSON, `{`: fault.BadJSON, `{"context":{}}x`: fault.BadJSON, `{"context":{]}`: fault.BadJSON,
		`{"context":[]}`: fault.Invalid, `{"context":"a"}`: fault.Invalid, `{"context":{"a":1e999}}`: fault.Invalid, `{"context":{"a":{"b":[1e999]}}}`: fault.Invalid,
		`{"context":{"a":` + strings.Repeat(`[`, 32) + strings.Repeat(`]`, 32) + `}}`: fault.Invalid, strings.Repeat(`{"context":`, 1_000_000): fault.Invalid,
	} {
		_, err := feature.ParseRequest([]byte(body))
		require.Equal(t, code, fault.CodeOf(err), "%.100s", body)
	}
}

func TestContext_With(t *testing.T) {
	t.Parallel()
	c := context(t, `{"tenant":"forged","a":1}`)
	next := c.With("tenant", map[string]any{"seats": 3, "tags": []string{"x"}}).With("targetingKey", "u")
	set := feature.Compile(feature.Source{Definitions: []feature.Definition{
		text("f", `{"if":[{"and":[{"==":[{"var":"tenant.seats"},3]},{"in":["x",{"var":"tenant.tags"}]},{"var":"a"}]},"yes","no"]}`, "yes", "no"),
	}})
	require.Equal(t, "yes", set.Evaluate("f", nil, next, noon).Variant)
	require.Equal(t, "no", set.Evaluate("f", nil, c, noon).Variant, "the first context stays as it was")
	require.True(t, next.Has("targetingKey"))
	require.False(t, c.Has("targetingKey"))
	require.True(t, c.With("odd", func() {}).Has("odd"), "what has no JSON is null")
}
