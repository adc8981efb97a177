package feature_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/feature"
)

func boolean(key string) feature.Definition {
	return feature.Definition{Key: key, Type: feature.Boolean, Active: true}
}

func change(d feature.Definition, how func(d *feature.Definition)) feature.Definition {
	how(&d)
	return d
}

func need(d feature.Definition, prerequisites string) feature.Definition {
	d.Prerequisites = json.RawMessage(prerequisites)
	return d
}

func ptr[T any](value T) *T { return &value }

const tierRule = `{"if":[{"==":[{"var":"tenant.tier"},"pro"]},"advanced",null]}`

func definitions() []feature.Definition {
	return []feature.Definition{
		boolean("off"),
		change(boolean("on"), func(d *feature.Definition) { d.DefaultEnabled = true }),
		change(boolean("inactive"), func(d *feature.Definition) { d.Active, d.DefaultEnabled = false, true }),
		change(boolean("beta"), func(d *feature.Definition) { d.Targeting = json.RawMessage(`{"in":["beta",{"var":"groups"}]}`) }),
		change(boolean("renamed"), func(d *feature.Definition) {
			d.Variants, d.DefaultVariant = json.RawMessage(`{"yes":true,"no":false}`), "yes"
			d.Targeting = json.RawMessage(`{"ends_with":[{"var":"email"},"@corp.example"]}`)
		}),
		text("tier", tierRule, "advanced", "standard"),
		change(text("open", tierRule, "advanced"), func(d *feature.Definition) { d.DefaultVariant = "" }),
		change(text("plain", "", "a", "b"), func(d *feature.Definition) { d.DefaultVariant = "" }),
		text("wrong", `{"var":"name"}`, "a", "b"),
		text("shared", `{"if":[{"$ref":"pro_in_eu"},"a","b"]}`, "a", "b"),
		{Key: "limit", Type: feature.Number, Active: true, Variants: json.RawMessage(`{"small": 10, "large": 1e2}`), DefaultVariant: "small"},
		{Key: "theme", Type: feature.Object, Active: true, Variants: json.RawMessage(`{"calm": {"radius": 8}}`), DefaultVariant: "calm",
			Metadata: json.RawMessage(`{"team": "web", "level": 2}`)},
		need(change(boolean("needs_on"), func(d *feature.Definition) { d.DefaultEnabled = true }), `[{"flag_key":"on","variants":["on"]}]`),
		need(change(boolean("needs_tier"), func(d *feature.Definition) { d.DefaultEnabled = true }), `[{"flag_key":"needs_on","variants":["on"]},{"flag_key":"tier","variants":["advanced"]}]`),
		need(text("needs_off", `{"if":[true,"a"]}`, "a", "b"), `[{"flag_key":"off","variants":["on"]}]`),
		need(boolean("needs_no_name"), `[{"flag_key":"inactive","variants":["", "on"]}]`),
		need(boolean("needs_inactive"), `[{"flag_key":"inactive","variants":["on"]}]`),
	}
}

func evaluators() map[string]json.RawMessage {
	return map[string]json.RawMessage{
		"pro":       json.RawMessage(`{"==":[{"var":"tenant.tier"},"pro"]}`),
		"pro_in_eu": json.RawMessage(`{"and":[{"$ref":"pro"},{"==":[{"var":"region"},"eu"]}]}`),
	}
}

const pro = `{"tenant":{"tier":"pro"},"region":"eu"}`

func TestEvaluate_Precedence(t *testing.T) {
	t.Parallel()
	set := feature.Compile(feature.Source{Definitions: definitions(), Evaluators: evaluators()})
	require.Empty(t, set.Problems())
	past, future := noon.Add(-time.Second), noon.Add(time.Second)
	type want struct {
		value, variant string
		reason         feature.Reason
	}
	for _, c := range []struct {
		name, key, context string
		override           *feature.Override
		want               want
	}{
		{"a boolean flag is off", "off", `{}`, nil, want{"false", "off", "STATIC"}},
		{"or on by default", "on", `{}`, nil, want{"true", "on", "STATIC"}},
		{"an inactive flag has no value", "inactive", `{}`, nil, want{"", "", "DISABLED"}},
		{"an override does not wake it", "inactive", `{}`, &feature.Override{Enabled: ptr(true)}, want{"", "", "DISABLED"}},
		{"a number keeps its digits", "limit", `{}`, &feature.Override{Variant: "large"}, want{"1e2", "large", "TARGETING_MATCH"}},
		{"an object is compact", "theme", `{}`, nil, want{`{"radius":8}`, "calm", "STATIC"}},

		{"a rule names a variant", "tier", pro, nil, want{`"advanced"`, "advanced", "TARGETING_MATCH"}},
		{"null leaves it to the default", "tier", `{}`, nil, want{`"standard"`, "standard", "DEFAULT"}},
		{"null without a default has no value", "open", `{}`, nil, want{"", "", "DEFAULT"}},
		{"a rule does without a default", "open", pro, nil, want{`"advanced"`, "advanced", "TARGETING_MATCH"}},
		{"neither rule nor default", "plain", `{}`, nil, want{"", "", "DEFAULT"}},
		{"a shared evaluator that refers to another", "shared", pro, nil, want{`"a"`, "a", "TARGETING_MATCH"}},
		{"and does not hold", "shared", `{"tenant":{"tier":"pro"}}`, nil, want{`"b"`, "b", "TARGETING_MATCH"}},

		{"switched on", "off", `{}`, &feature.Override{Enabled: ptr(true)}, want{"true", "on", "TARGETING_MATCH"}},
		{"switched off", "on", `{}`, &feature.Override{Enabled: ptr(false)}, want{"false", "off", "TARGETING_MATCH"}},
		{"switched off finds the variant by its value", "renamed", `{}`, &feature.Override{Enabled: ptr(false)}, want{"false", "no", "TARGETING_MATCH"}},
		{"off outranks a variant", "on", `{}`, &feature.Override{Enabled: ptr(false), Variant: "on"}, want{"false", "off", "TARGETING_MATCH"}},
		{"a variant outranks on", "on", `{}`, &feature.Override{Enabled: ptr(true), Variant: "off"}, want{"false", "off", "TARGETING_MATCH"}},
		{"a variant outranks the rule", "tier", pro, &feature.Override{Variant: "standard"}, want{`"standard"`, "standard", "TARGETING_MATCH"}},
		{"a switched-off text has no value", "tier", pro, &feature.Override{Enabled: ptr(false)}, want{"", "", "DISABLED"}},
		{"a switched-on text is left to its rule", "tier", pro, &feature.Override{Enabled: ptr(true)}, want{`"advanced"`, "advanced", "TARGETING_MATCH"}},
		{"and to its default", "limit", pro, &feature.Override{Enabled: ptr(true)}, want{`10`, "small", "STATIC"}},
		{"an override with nothing to say", "tier", pro, &feature.Override{}, want{`"advanced"`, "advanced", "TARGETING_MATCH"}},
		{"an override that has run out", "off", `{}`, &feature.Override{Enabled: ptr(true), ExpiresAt: &past}, want{"false", "off", "STATIC"}},
		{"an override that runs out now", "off", `{}`, &feature.Override{Enabled: ptr(true), ExpiresAt: ptr(noon)}, want{"false", "off", "STATIC"}},
		{"an override that has not", "off", `{}`, &feature.Override{Enabled: ptr(true), ExpiresAt: &future}, want{"true", "on", "TARGETING_MATCH"}},

		{"a prerequisite that is met", "needs_on", `{}`, nil, want{"true", "on", "STATIC"}},
		{"prerequisites of prerequisites", "needs_tier", pro, nil, want{"true", "on", "STATIC"}},
		{"the second one is not met", "needs_tier", `{}`, nil, want{"false", "off", "PREREQUISITE_FAILED"}},
		{"an override does not outrank it", "needs_tier", `{}`, &feature.Override{Enabled: ptr(true)}, want{"false", "off", "PREREQUISITE_FAILED"}},
		{"a text has its default then", "needs_off", `{}`, nil, want{`"b"`, "b", "PREREQUISITE_FAILED"}},
		{"no variant has no name", "needs_no_name", `{}`, nil, want{"false", "off", "PREREQUISITE_FAILED"}},
		{"an inactive flag is no variant", "needs_inactive", `{}`, nil, want{"false", "off", "PREREQUISITE_FAILED"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var overrides feature.Overrides
			if c.override != nil {
				overrides = feature.Overrides{c.key: *c.override}
			}
			result := set.Evaluate(c.key, overrides, context(t, c.context), noon)
			require.Equal(t, c.want, want{string(result.Value), result.Variant, result.Reason})
			require.Empty(t, result.ErrorCode)
			require.Equal(t, c.key, result.Key)
		})
	}
}

func TestEvaluate_PrerequisitesSeeTheTenantsOverrides(t *testing.T) {
	t.Parallel()
	set := feature.Compile(feature.Source{Definitions: definitions(), Evaluators: evaluators()})
	off := feature.Overrides{"on": {Enabled: ptr(false)}}
	require.Equal(t, feature.ReasonPrerequisiteFailed, set.Evaluate("needs_on", off, feature.Context{}, noon).Reason)
	require.Equal(t, feature.ReasonPrerequisiteFailed, set.Evaluate("needs_tier", off, context(t, pro), noon).Reason)
}

func TestEvaluate_BooleanResults(t *testing.T) {
	t.Parallel()
	flag := change(boolean("f"), func(d *feature.Definition) {
		d.Variants, d.DefaultVariant = json.RawMessage(`{"true":true,"false":false}`), "false"
		d.Targeting = json.RawMessage(`{"ends_with":[{"var":"email"},"@corp.example"]}`)
	})
	set := feature.Compile(feature.Source{Definitions: []feature.Definition{flag}})
	for attributes, want := range map[string]string{
		`{"email":"a@corp.example"}`: "TARGETING_MATCH true true", `{"email":"a@else.example"}`: "TARGETING_MATCH false false", `{}`: "DEFAULT false false",
	} {
		r := set.Evaluate("f", nil, context(t, attributes), noon)
		require.Equal(t, want, string(r.Reason)+" "+r.Variant+" "+string(r.Value))
	}
}

func TestEvaluate_Errors(t *testing.T) {
	t.Parallel()
	broken := text("broken", `{"no_such_operator":[1]}`, "a")
	all := append(definitions(), broken, need(boolean("needs_broken"), `[{"flag_key":"broken","variants":["a"]}]`),
		change(broken, func(d *feature.Definition) { d.Key, d.Active = "broken_inactive", false }))
	set := feature.Compile(feature.Source{Definitions: all, Evaluators: evaluators(), Metadata: json.RawMessage(`{"set":"v"}`)})
	for _, c := range []struct {
		name, key, context string
		overrides          feature.Overrides
		code               feature.ErrorCode
		details            string
	}{
		{"there is no such flag", "nope", `{}`, nil, feature.FlagNotFound, "no such flag"},
		{"a rule that is none", "broken", `{}`, nil, feature.ParseError, `/flags/broken/targeting/no_such_operator: "no_such_operator" is not an operator`},
		{"a name that is no variant", "wrong", `{"name":"c"}`, nil, feature.General, `"c", which is not a variant`},
		{"a number is no variant", "wrong", `{"name":1}`, nil, feature.General, `1, which is not a variant`},
		{"a boolean that no variant is called", "beta", `{"groups":["beta"]}`, nil, feature.General, `true, which is not a variant`},
		{"an array is no variant", "wrong", `{"name":["a"]}`, nil, feature.General, `["a"], which is not a variant`},
		{"an override that names no variant", "tier", `{}`, feature.Overrides{"tier": {Variant: "gold"}}, feature.General, `"gold"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			result := set.Evaluate(c.key, c.overrides, context(t, c.context), noon)
			require.Equal(t, feature.ReasonError, result.Reason)
			require.Equal(t, c.code, result.ErrorCode)
			require.Contains(t, result.ErrorDetails, c.details)
			require.Nil(t, result.Value)
			require.Empty(t, result.Variant)
			require.JSONEq(t, `{"set":"v"}`, string(result.Metadata))
		})
	}
	require.Equal(t, feature.ReasonPrerequisiteFailed, set.Evaluate("needs_broken", nil, feature.Context{}, noon).Reason)
	require.Equal(t, feature.ReasonDisabled, set.Evaluate("broken_inactive", nil, feature.Context{}, noon).Reason)
	require.Equal(t, "true", string(set.Evaluate("on", nil, feature.Context{}, noon).Value), "the other flags are well")
}

func TestEvaluateAs(t *testing.T) {
	t.Parallel()
	set := feature.Compile(feature.Source{Definitions: definitions(), Evaluators: evaluators()})
	require.Equal(t, "10", string(set.EvaluateAs(feature.Number, "limit", nil, feature.Context{}, noon).Value))
	mismatch := set.EvaluateAs(feature.Boolean, "limit", nil, feature.Context{}, noon)
	require.Equal(t, feature.TypeMismatch, mismatch.ErrorCode)
	require.Nil(t, mismatch.Value)
	require.Equal(t, "the flag is of type number, not boolean", mismatch.ErrorDetails)
	require.Equal(t, feature.FlagNotFound, set.EvaluateAs(feature.Boolean, "nope", nil, feature.Context{}, noon).ErrorCode)
	require.Equal(t, feature.ReasonDisabled, set.EvaluateAs(feature.String, "inactive", nil, feature.Context{}, noon).Reason,
		"a flag without a value has no type to mismatch")
}

func TestEvaluate_Metadata(t *testing.T) {
	t.Parallel()
	set := feature.Compile(feature.Source{Definitions: definitions(), Evaluators: evaluators(), Metadata: json.RawMessage(`{"team":"core","set":"eu"}`)})
	require.JSONEq(t, `{"team":"core","set":"eu"}`, string(set.Evaluate("off", nil, feature.Context{}, noon).Metadata))
	require.JSONEq(t, `{"team":"web","level":2,"set":"eu"}`, string(set.Evaluate("theme", nil, feature.Context{}, noon).Metadata))
	with := feature.Overrides{"theme": {Config: json.RawMessage(`{"level": 3, "note": "n", "nested": {"a": 1}, "list": [1], "nothing": null}`)}}
	require.JSONEq(t, `{"team":"web","level":3,"note":"n","set":"eu"}`, string(set.Evaluate("theme", with, feature.Context{}, noon).Metadata))
	none := feature.Compile(feature.Source{Definitions: definitions(), Evaluators: evaluators()})
	require.Nil(t, none.Evaluate("off", nil, feature.Context{}, noon).Metadata)
}

func TestEvaluateAll(t *testing.T) {
	t.Parallel()
	set := feature.Compile(feature.Source{Definitions: definitions(), Evaluators: evaluators()})
	overrides, c := feature.Overrides{"on": {Enabled: ptr(false)}}, context(t, pro)
	var keys []string
	for result := range set.EvaluateAll(overrides, c, noon) {
		keys = append(keys, result.Key)
		require.Equal(t, set.Evaluate(result.Key, overrides, c, noon), result)
	}
	require.Equal(t, set.Keys(), keys)
	for range set.EvaluateAll(nil, c, noon) {
		break // a caller may stop
	}
}

func TestResult_AppendJSON(t *testing.T) {
	t.Parallel()
	for _, r := range []feature.Result{
		{Key: "a", Value: json.RawMessage(`{"x":1}`), Variant: "v", Reason: feature.ReasonStatic, Metadata: json.RawMessage(`{"m":true}`)},
		{Key: "a\"\\\n<ü", Reason: feature.ReasonError, ErrorCode: feature.General, ErrorDetails: "it's <b>\t"},
		{Key: "a", Reason: feature.ReasonDisabled},
	} {
		want, err := json.Marshal(r)
		require.NoError(t, err)
		require.Equal(t, string(want), string(r.AppendJSON(nil)))
	}
}

// Not parallel: allocations are counted for the whole process.
func TestEvaluate_AllocatesNothingWithoutRule(t *testing.T) {
	set := feature.Compile(feature.Source{Definitions: definitions(), Evaluators: evaluators()})
	overrides := feature.Overrides{"on": {Enabled: ptr(false)}}
	for _, key := range []string{"off", "on", "limit", "inactive", "nope"} {
		require.Zero(t, testing.AllocsPerRun(100, func() { set.Evaluate(key, overrides, feature.Context{}, noon) }), key)
	}
}
