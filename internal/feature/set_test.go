package feature_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/feature"
)

func TestCompile_Problems(t *testing.T) {
	t.Parallel()
	rule := func(rule string) feature.Definition { return text("f", rule, "a", "b") }
	for _, c := range []struct {
		name     string
		flag     feature.Definition
		severity feature.Severity
		path     string
		message  string
	}{
		{"no key", boolean(""), "error", "/flags", "no key"},
		{"a type that is none", change(boolean("f"), func(d *feature.Definition) { d.Type = "integer" }), "error", "/flags/f/flag_type", "integer"},
		{"variants that are no object", change(rule(""), func(d *feature.Definition) { d.Variants = json.RawMessage(`[1]`) }), "error", "/flags/f/variants", "object"},
		{"no variants", change(rule(""), func(d *feature.Definition) { d.Variants, d.DefaultVariant = nil, "" }), "error", "/flags/f/variants", "at least one"},
		{"a variant of another type", change(rule(""), func(d *feature.Definition) { d.Variants = json.RawMessage(`{"a":"x","b":1}`) }), "error", "/flags/f/variants/b", "string"},
		{"an array is of no type", change(boolean("f"), func(d *feature.Definition) { d.Type, d.Variants = "object", json.RawMessage(`{"a":[1]}`) }), "error", "/flags/f/variants/a", "object"},
		{"a number out of range", change(boolean("f"), func(d *feature.Definition) { d.Type, d.Variants = "number", json.RawMessage(`{"a":1e999}`) }), "error", "/flags/f/variants/a", "number"},
		{"a default that is no variant", change(rule(""), func(d *feature.Definition) { d.DefaultVariant = "z" }), "error", "/flags/f/defaultVariant", `"z"`},
		{"a name with a slash", change(rule(""), func(d *feature.Definition) { d.Key, d.Variants = "x/y~z", json.RawMessage(`{"a":1,"b":"b"}`) }), "error", "/flags/x~1y~0z/variants/a", "string"},
		{"a rule that is not JSON", rule(`{"if":`), "error", "/flags/f/targeting", "JSON"},
		{"an unknown operator", rule(`{"if":[{"matches":["x"]},"a"]}`), "error", "/flags/f/targeting/if/0/matches", "not an operator"},
		{"log is not one", rule(`{"log":"a"}`), "error", "/flags/f/targeting/log", "not an operator"},
		{"an unknown evaluator", rule(`{"if":[{"$ref":"nope"},"a"]}`), "error", "/flags/f/targeting/if/0/$ref", `"nope"`},
		{"a reference that is no name", rule(`{"$ref":1}`), "error", "/flags/f/targeting/$ref", "1"},
		{"an evaluator that is broken", rule(`{"$ref":"broken"}`), "error", "/flags/f/targeting/$ref", "cannot be used"},
		{"a rule that is too deep", rule(strings.Repeat(`{"!":[`, 65) + `1` + strings.Repeat(`]}`, 65)), "error", "/flags/f/targeting", "deeper"},
		{"prerequisites that are no array", need(boolean("f"), `{"flag_key":"g"}`), "error", "/flags/f/prerequisites", "array"},
		{"a prerequisite that is not there", need(boolean("f"), `[{"flag_key":"nope","variants":["on"]}]`), "error", "/flags/f/prerequisites", `"nope"`},
		{"metadata that is no object", change(boolean("f"), func(d *feature.Definition) { d.Metadata = json.RawMessage(`3`) }), "error", "/flags/f/metadata", "object"},

		{"metadata that is nested", change(boolean("f"), func(d *feature.Definition) { d.Metadata = json.RawMessage(`{"a":{}}`) }), "warning", "/flags/f/metadata/a", "metadata"},
		{"a prerequisite that can never be met", need(boolean("f"), `[{"flag_key":"other","variants":["maybe"]}]`), "warning", "/flags/f/prerequisites", "never"},
		{"a result that is no variant", rule(`{"if":[true,"c",{"fractional":[["a"],["d"]]}]}`), "warning", "/flags/f/targeting", `"c"`},
		{"two operators in one object", rule(`{"if":[{"==":[1,1],"!":[1]},"a"]}`), "warning", "/flags/f/targeting/if/0", "not a rule"},
		{"?: is not flagd's", rule(`{"?:":[true,"a","b"]}`), "warning", "/flags/f/targeting/?:", "if"},
		{"too few arguments", rule(`{"==":[1]}`), "warning", "/flags/f/targeting/==", "2 arguments"},
		{"too many arguments", rule(`{"<":[1,2,3,4]}`), "warning", "/flags/f/targeting/<", "2 to 3"},
		{"at least so many", rule(`{"*":[1]}`), "warning", "/flags/f/targeting/*", "at least 2"},
		{"a number is no text", rule(`{"starts_with":[{"var":"x"},1]}`), "warning", "/flags/f/targeting/starts_with/1", "text"},
		{"an operator of versions", rule(`{"sem_ver":[{"var":"v"},"==","1.0.0"]}`), "warning", "/flags/f/targeting/sem_ver/1", "="},
		{"a partial version", rule(`{"sem_ver":[{"var":"v"},"=","1.0"]}`), "warning", "/flags/f/targeting/sem_ver/2", "three"},
		{"an unknown property", rule(`{"var":"$flagd.now"}`), "warning", "/flags/f/targeting/var", "$flagd.timestamp"},
		{"a weight that is negative", rule(`{"fractional":[["a",-1],["b",2]]}`), "warning", "/flags/f/targeting/fractional/0/1", "whole"},
		{"a weight that is not whole", rule(`{"fractional":[["a",1],["b",2.5]]}`), "warning", "/flags/f/targeting/fractional/1/1", "whole"},
		{"a key that is no rule", rule(`{"fractional":["email",["a",1]]}`), "warning", "/flags/f/targeting/fractional/0", "rule"},
		{"a bucket of three", rule(`{"fractional":[["a",1,2]]}`), "warning", "/flags/f/targeting/fractional/0", "[variant, weight]"},
		{"weights beyond 2^31-1", rule(`{"fractional":[["a",2147483647],["b",1]]}`), "warning", "/flags/f/targeting/fractional", "2147483647"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			set := feature.Compile(feature.Source{
				Definitions: []feature.Definition{c.flag, boolean("other")},
				Evaluators:  map[string]json.RawMessage{"broken": json.RawMessage(`{"nope":1}`)},
			})
			var found bool
			for _, p := range set.Problems() {
				found = found || p.Path == c.path && p.Severity == c.severity && strings.Contains(p.Message, c.message)
			}
			require.True(t, found, "%v", set.Problems())
			if c.severity == feature.SeverityError {
				require.Equal(t, feature.ParseError, set.Evaluate(c.flag.Key, nil, feature.Context{}, noon).ErrorCode)
			} else {
				require.NotEqual(t, feature.ParseError, set.Evaluate(c.flag.Key, nil, feature.Context{}, noon).ErrorCode)
			}
			require.Equal(t, feature.ReasonStatic, set.Evaluate("other", nil, feature.Context{}, noon).Reason)
		})
	}
}

func TestCompile_NoProblem(t *testing.T) {
	t.Parallel()
	for _, rule := range []string{
		``, `null`, `{}`, `"a"`, ` {"var" : ["x", "a"]} `, `{"if":[{"var":"x"},"a"]}`, `{"if":[{"$ref":"ok"},"a","b"]}`,
		`{"fractional":[["a",{"-":[{"var":"$flagd.timestamp"},1740000000]}],["b",100]]}`, `{"fractional":[["a"]]}`,
		`{"sem_ver":[{"var":"v"},"~","1.0.0-rc.1+b"]}`, `{"!":{"var":"x"}}`, `{"missing":[]}`,
	} {
		set := feature.Compile(feature.Source{
			Definitions: []feature.Definition{text("f", rule, "a", "b")}, Evaluators: map[string]json.RawMessage{"ok": json.RawMessage(`true`)},
		})
		require.Empty(t, set.Problems(), rule)
	}
}

func TestCompile_Circles(t *testing.T) {
	t.Parallel()
	needs := func(key, other string) feature.Definition {
		return need(boolean(key), `[{"flag_key":"`+other+`","variants":["on"]}]`)
	}
	set := feature.Compile(feature.Source{
		Definitions: []feature.Definition{needs("a", "b"), needs("b", "c"), needs("c", "a"), needs("d", "a"), needs("self", "self"), text("r", `{"$ref":"x"}`, "v")},
		Evaluators: map[string]json.RawMessage{
			"x": json.RawMessage(`{"!":{"$ref":"y"}}`), "y": json.RawMessage(`{"!":{"$ref":"x"}}`), "me": json.RawMessage(`{"$ref":"me"}`),
		},
	})
	text := set.Problems().String()
	for _, part := range []string{"a → b → c → a", "self → self", "x → y → x", "me → me"} {
		require.Contains(t, text, part)
	}
	for _, key := range []string{"a", "b", "c", "self", "r"} {
		require.Equal(t, feature.ParseError, set.Evaluate(key, nil, feature.Context{}, noon).ErrorCode, key)
	}
	require.Equal(t, feature.ReasonPrerequisiteFailed, set.Evaluate("d", nil, feature.Context{}, noon).Reason, "d needs the circle, but is not in it")

	mended := set.With(boolean("c"))
	require.Equal(t, feature.ReasonPrerequisiteFailed, mended.Evaluate("a", nil, feature.Context{}, noon).Reason)
	require.NoError(t, mended.Problems().Warnings().Err())
	require.NotContains(t, mended.Problems().String(), "/flags/a/")
	on := feature.Overrides{"a": {Enabled: ptr(true)}, "b": {Enabled: ptr(true)}, "c": {Enabled: ptr(true)}}
	require.Equal(t, "on", mended.Evaluate("a", on, feature.Context{}, noon).Variant)
}

func TestCompile_ChainsOfPrerequisites(t *testing.T) {
	t.Parallel()
	chain := func(n int) *feature.Set {
		definitions := []feature.Definition{change(boolean("f000"), func(d *feature.Definition) { d.DefaultEnabled = true })}
		for i := 1; i <= n; i++ {
			definitions = append(definitions, need(change(boolean(fmt.Sprintf("f%03d", i)), func(d *feature.Definition) { d.DefaultEnabled = true }),
				fmt.Sprintf(`[{"flag_key":"f%03d","variants":["on"]}]`, i-1)))
		}
		return feature.Compile(feature.Source{Definitions: definitions})
	}
	require.Equal(t, "on", chain(32).Evaluate("f032", nil, feature.Context{}, noon).Variant)
	require.Equal(t, feature.ParseError, chain(33).Evaluate("f033", nil, feature.Context{}, noon).ErrorCode)
}

// TestSet_SameWhicheverWayItWasMade adds and replaces flags one by one and compares with compiling all.
func TestSet_SameWhicheverWayItWasMade(t *testing.T) {
	t.Parallel()
	all := definitions()
	whole := feature.Compile(feature.Source{Definitions: all, Evaluators: evaluators()})
	grown := feature.Compile(feature.Source{Evaluators: evaluators()})
	for i := range all {
		grown = grown.With(boolean("extra"), all[len(all)-1-i])
	}
	grown = grown.With(change(all[0], func(d *feature.Definition) { d.DefaultEnabled = true })).With(all[0]).Without("extra")
	require.Equal(t, whole.Keys(), grown.Keys())
	require.Equal(t, whole.Problems(), grown.Problems())
	for _, key := range whole.Keys() {
		require.Equal(t, whole.Explain(key, nil, context(t, pro), noon), grown.Explain(key, nil, context(t, pro), noon))
	}
}

func TestSet_IsNotChangedByTheNextOne(t *testing.T) {
	t.Parallel()
	first := feature.Compile(feature.Source{Definitions: []feature.Definition{boolean("a"), boolean("c")}})
	second := first.With(change(boolean("a"), func(d *feature.Definition) { d.DefaultEnabled = true }), boolean("b"))
	third := second.Without("a")
	require.Equal(t, []string{"a", "c"}, first.Keys())
	require.Equal(t, "false", string(first.Evaluate("a", nil, feature.Context{}, noon).Value))
	require.Equal(t, []string{"a", "b", "c"}, second.Keys())
	require.Equal(t, "true", string(second.Evaluate("a", nil, feature.Context{}, noon).Value))
	require.Equal(t, feature.FlagNotFound, third.Evaluate("a", nil, feature.Context{}, noon).ErrorCode)
	require.Equal(t, "c", third.Evaluate("c", nil, feature.Context{}, noon).Key)
	kind, has := second.TypeOf("b")
	require.Equal(t, feature.Boolean, kind)
	require.True(t, has)
}

func TestSet_LaterDefinitionCounts(t *testing.T) {
	t.Parallel()
	on := change(boolean("a"), func(d *feature.Definition) { d.DefaultEnabled = true })
	set := feature.Compile(feature.Source{Definitions: []feature.Definition{boolean("a"), boolean("b"), on}})
	require.Equal(t, []string{"a", "b"}, set.Keys())
	require.Equal(t, "true", string(set.Evaluate("a", nil, feature.Context{}, noon).Value))
}

func TestSet_ManyAtOnce(t *testing.T) {
	t.Parallel()
	set := feature.Compile(feature.Source{Definitions: definitions(), Evaluators: evaluators()})
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			c := feature.Context{}.With("tenant", map[string]any{"tier": []string{"pro", "free"}[i%2]}).With("targetingKey", "u")
			for range 200 {
				next := set.With(boolean("extra"))
				if got := next.Evaluate("tier", nil, c, noon).Variant; got != []string{"advanced", "standard"}[i%2] {
					t.Errorf("another's context: %s", got)
				}
			}
		})
	}
	group.Wait()
}
