package feature_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/feature"
)

func explain(t *testing.T, set *feature.Set, key string, overrides feature.Overrides, attributes string) string {
	t.Helper()
	e := set.Explain(key, overrides, context(t, attributes), noon)
	require.Equal(t, set.Evaluate(key, overrides, context(t, attributes), noon), e.Result)
	raw, err := json.Marshal(e)
	require.NoError(t, err)
	return string(raw)
}

func TestExplain(t *testing.T) {
	t.Parallel()
	past := noon.AddDate(0, 0, -1)
	all := append(definitions(), text("split", `{"if":[{"$ref":"pro"},{"fractional":[["a",10],["b",90]]}]}`, "a", "b"))
	set := feature.Compile(feature.Source{Definitions: all, Evaluators: evaluators()})
	for _, c := range []struct {
		name, key, context string
		overrides          feature.Overrides
		want               string
	}{
		{"there is no such flag", "nope", `{}`, nil,
			`{"key":"nope","reason":"ERROR","errorCode":"FLAG_NOT_FOUND","errorDetails":"there is no such flag",
			"steps":[{"step":"definition","outcome":"decided","detail":"there is no such flag"}]}`},
		{"inactive", "inactive", `{}`, nil,
			`{"key":"inactive","reason":"DISABLED","steps":[{"step":"active","outcome":"decided","detail":"the flag is inactive"}]}`},
		{"by default", "on", `{}`, feature.Overrides{"on": {Enabled: ptr(false), ExpiresAt: &past}},
			`{"key":"on","value":true,"variant":"on","reason":"STATIC","steps":[
			{"step":"active","outcome":"passed","detail":"the flag is active"},
			{"step":"override","outcome":"skipped","detail":"it has run out"},
			{"step":"targeting","outcome":"skipped","detail":"the flag has no rule"},
			{"step":"default","outcome":"decided","detail":"the flag's default variant: on"}]}`},
		{"by override", "on", `{}`, feature.Overrides{"on": {Enabled: ptr(false)}},
			`{"key":"on","value":false,"variant":"off","reason":"TARGETING_MATCH","steps":[
			{"step":"active","outcome":"passed","detail":"the flag is active"},
			{"step":"override","outcome":"decided","detail":"the tenant switched it off"}]}`},
		{"by prerequisites", "needs_tier", `{}`, nil,
			`{"key":"needs_tier","value":false,"variant":"off","reason":"PREREQUISITE_FAILED","steps":[
			{"step":"active","outcome":"passed","detail":"the flag is active"},
			{"step":"prerequisites","outcome":"decided","detail":"not met","prerequisites":[
				{"flag_key":"needs_on","needs":["on"],"variant":"on","reason":"STATIC","met":true},
				{"flag_key":"tier","needs":["advanced"],"variant":"standard","reason":"DEFAULT","met":false}]}]}`},
		{"by rule", "split", `{"targetingKey":"u1","tenant":{"tier":"pro"}}`, feature.Overrides{"split": {Enabled: ptr(true)}},
			`{"key":"split","value":"b","variant":"b","reason":"TARGETING_MATCH","steps":[
			{"step":"active","outcome":"passed","detail":"the flag is active"},
			{"step":"override","outcome":"passed","detail":"it leaves the decision to the rule and the default"},
			{"step":"targeting","outcome":"decided","detail":"the rule gave the variant b","rule":[
				{"path":"/$evaluators/pro/==","operator":"==","arguments":["pro","pro"],"result":true},
				{"path":"/flags/split/targeting/if/0","operator":"if","result":true},
				{"path":"/flags/split/targeting/if/1/fractional","operator":"fractional","result":"b",
				 "assignment":{"key":"splitu1","key_from":"targetingKey","hash":764174977,"position":17,"total":100,"bucket":1}}]}]}`},
		{"by rule that gives null", "split", `{}`, nil,
			`{"key":"split","value":"b","variant":"b","reason":"DEFAULT","steps":[
			{"step":"active","outcome":"passed","detail":"the flag is active"},
			{"step":"override","outcome":"skipped","detail":"the tenant has none"},
			{"step":"targeting","outcome":"passed","detail":"the rule gave null","rule":[
				{"path":"/$evaluators/pro/==","operator":"==","arguments":[null,"pro"],"result":false},
				{"path":"/flags/split/targeting/if/0","operator":"if","result":false}]},
			{"step":"default","outcome":"decided","detail":"the flag's default variant: b"}]}`},
		{"no bucket", "split", `{"tenant":{"tier":"pro"}}`, feature.Overrides{"split": {Variant: ""}},
			`{"key":"split","value":"b","variant":"b","reason":"DEFAULT","steps":[
			{"step":"active","outcome":"passed","detail":"the flag is active"},
			{"step":"override","outcome":"passed","detail":"it leaves the decision to the rule and the default"},
			{"step":"targeting","outcome":"passed","detail":"the rule gave null","rule":[
				{"path":"/$evaluators/pro/==","operator":"==","arguments":["pro","pro"],"result":true},
				{"path":"/flags/split/targeting/if/0","operator":"if","result":true},
				{"path":"/flags/split/targeting/if/1/fractional","operator":"fractional","result":null,"note":"the context has no targetingKey"}]},
			{"step":"default","outcome":"decided","detail":"the flag's default variant: b"}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.JSONEq(t, c.want, explain(t, set, c.key, c.overrides, c.context))
		})
	}
}

func TestExplain_IsNeverLong(t *testing.T) {
	t.Parallel()
	set := feature.Compile(feature.Source{Definitions: []feature.Definition{
		text("f", `{"if":[{"some":[`+numbers(1000)+`,{"==":[{"var":""},2]}]},"a"]}`, "a", "b"),
	}})
	e := set.Explain("f", nil, feature.Context{}, noon)
	step := e.Steps[2]
	require.Len(t, step.Rule, 200)
	require.True(t, step.Truncated)
}

func TestDiff(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, before, after, want string }{
		{"the same", `{"a":1,"b":[1,{"c":null}]}`, `{"b":[1,{"c":null}],"a":1.0}`, `null`},
		{"a member", `{"a":1,"b":2}`, `{"a":1,"b":"2"}`, `[{"path":"/b","before":2,"after":"2"}]`},
		{"members added and removed", `{"a":1}`, `{"b":{"c":1}}`, `[{"path":"/a","before":1},{"path":"/b","after":{"c":1}}]`},
		{"null is not nothing", `{"a":null}`, `{}`, `[{"path":"/a","before":null}]`},
		{"deep in a rule", `{"t":{"if":[{"==":[{"var":"x"},"a"]},"on"]}}`, `{"t":{"if":[{"==":[{"var":"x"},"b"]},"on","off"]}}`,
			`[{"path":"/t/if/0/==/1","before":"a","after":"b"},{"path":"/t/if/2","after":"off"}]`},
		{"an array that is shorter", `[1,2,3]`, `[1]`, `[{"path":"/1","before":2},{"path":"/2","before":3}]`},
		{"another kind", `{"a":[1]}`, `{"a":{"0":1}}`, `[{"path":"/a","before":[1],"after":{"0":1}}]`},
		{"names with slashes", `{"a/b":1}`, `{"a~b":1}`, `[{"path":"/a~0b","after":1},{"path":"/a~1b","before":1}]`},
		{"created", ``, `{"a":1}`, `[{"path":"","after":{"a":1}}]`},
		{"large numbers", `[9007199254740993]`, `[9007199254740992]`, `[{"path":"/0","before":9007199254740993,"after":9007199254740992}]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			changes, err := feature.Diff(json.RawMessage(c.before), json.RawMessage(c.after))
			require.NoError(t, err)
			raw, err := json.Marshal(changes)
			require.NoError(t, err)
			require.JSONEq(t, c.want, string(raw))
		})
	}
	_, err := feature.Diff(json.RawMessage(`{`), nil)
	require.Error(t, err)
	_, err = feature.Diff(nil, json.RawMessage(`{`))
	require.Error(t, err)
}
