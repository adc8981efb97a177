package feature_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/feature"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func context(t testing.TB, raw string) feature.Context {
	t.Helper()
	c, err := feature.ParseContext([]byte(raw))
	require.NoError(t, err)
	return c
}

// ruleResult is the JSON a rule gives: a flag whose variants no rule names says it in its error.
func ruleResult(t testing.TB, rule, attributes string) string {
	t.Helper()
	set := feature.Compile(feature.Source{Definitions: []feature.Definition{{
		Key: "probe", Type: feature.Number, Active: true, Variants: json.RawMessage(`{"~":1}`), Targeting: json.RawMessage(rule),
	}}})
	require.Empty(t, set.Problems().Errors(), rule)
	result := set.Evaluate("probe", nil, context(t, attributes), noon)
	if result.Reason == feature.ReasonDefault {
		return "null"
	}
	value, ok := strings.CutPrefix(result.ErrorDetails, "the rule gave ")
	require.True(t, ok, "%s: %+v", rule, result)
	return strings.TrimSuffix(value, ", which is not a variant")
}

const attributes = `{
	"tier": "pro", "seats": 12, "ratio": 0.5, "beta": true, "gone": null, "empty": "", "text12": "12",
	"roles": ["admin", "member"], "counts": [3, 0, 7], "none": [],
	"tenant": {"id": "t1", "plan": {"name": "scale"}}, "orders": [{"total": 10}, {"total": 90}]
}`

func TestRule_JSONLogic(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, rule, want string }{
		{"var of an attribute", `{"var":"tier"}`, `"pro"`},
		{"var of a path", `{"var":"tenant.plan.name"}`, `"scale"`},
		{"var of an element", `{"var":"roles.1"}`, `"member"`},
		{"var of an array with one argument", `{"var":["tier"]}`, `"pro"`},
		{"var that is missing", `{"var":"nope.deeper"}`, `null`},
		{"var below a text", `{"var":"tier.length"}`, `null`},
		{"var outside an array", `{"var":"roles.9"}`, `null`},
		{"var before an array", `{"var":"roles.-1"}`, `null`},
		{"var with a default", `{"var":["nope",4]}`, `4`},
		{"var that is null has no use for its default", `{"var":["gone",4]}`, `null`},
		{"var named by a rule", `{"var":{"cat":["ti","er"]}}`, `"pro"`},
		{"var named by an empty array", `{"var":{"merge":[]}}`, `null`},
		{"var named by a rule, with a default", `{"var":[{"cat":["no","pe"]},"d"]}`, `"d"`},

		{"equal converts", `{"==":[1,"1"]}`, `true`},
		{"equal converts booleans", `{"==":[true,1]}`, `true`},
		{"null equals only null", `{"==":[{"var":"nope"},false]}`, `false`},
		{"null equals null", `{"==":[{"var":"nope"},{"var":"gone"}]}`, `true`},
		{"identical does not convert", `{"===":[1,"1"]}`, `false`},
		{"unequal", `{"!=":[{"var":"tier"},"free"]}`, `true`},
		{"not identical", `{"!==":[1,"1"]}`, `true`},
		{"texts compare as texts", `{"<":["10","9"]}`, `true`},
		{"a number and a text compare as numbers", `{"<":[{"var":"text12"},9]}`, `false`},
		{"what is no number compares to nothing", `{">=":["abc",0]}`, `false`},
		{"null compares as 0", `{"<":[{"var":"nope"},1]}`, `true`},
		{"between", `{"<":[1,{"var":"seats"},20]}`, `true`},
		{"between inclusive", `{"<=":[12,{"var":"seats"},11]}`, `false`},
		{"greater", `{">":[{"var":"seats"},11]}`, `true`},

		{"and gives the first false", `{"and":[true,{"var":"empty"},1]}`, `""`},
		{"and of a missing attribute is not true", `{"and":[true,{"var":"nope"}]}`, `null`},
		{"and gives the last", `{"and":[1,"x"]}`, `"x"`},
		{"or gives the first true", `{"or":[0,"x",2]}`, `"x"`},
		{"or gives the last", `{"or":[false,0]}`, `0`},
		{"not", `{"!":[{"var":"none"}]}`, `true`},
		{"not without an array", `{"!":{"var":"nope"}}`, `true`},
		{"a text of 0 is true", `{"!!":["0"]}`, `true`},
		{"if", `{"if":[{"var":"beta"},"a","b"]}`, `"a"`},
		{"else if", `{"if":[false,"a",{"var":"beta"},"b","c"]}`, `"b"`},
		{"else", `{"if":[false,"a",0,"b","c"]}`, `"c"`},
		{"if without else", `{"if":[false,"a"]}`, `null`},
		{"only the branch that is taken is evaluated", `{"if":[true,"a",{"reduce":[{"var":"roles"},{"var":"x"},0]}]}`, `"a"`},

		{"sum", `{"+":[1,"2",0.5]}`, `3.5`},
		{"a number of a text", `{"+":"3.14 m"}`, `3.14`},
		{"difference", `{"-":[5,2]}`, `3`},
		{"negative", `{"-":[2]}`, `-2`},
		{"product", `{"*":[2,3,4]}`, `24`},
		{"quotient", `{"/":[1,4]}`, `0.25`},
		{"division by 0", `{"/":[1,0]}`, `"Infinity"`},
		{"remainder", `{"%":[7,4]}`, `3`},
		{"largest", `{"max":[1,{"var":"seats"},3]}`, `12`},
		{"largest with what is no number", `{"max":["x"]}`, `"NaN"`},
		{"smallest", `{"min":[1,{"var":"seats"},3]}`, `1`},

		{"part of a text", `{"in":["ro","pro"]}`, `true`},
		{"element of an array", `{"in":["admin",{"var":"roles"}]}`, `true`},
		{"not in what is missing", `{"in":["admin",{"var":"nope"}]}`, `false`},
		{"concatenation", `{"cat":["a",1,true,{"var":"nope"}," "]}`, `"a1true "`},
		{"large numbers as text", `{"cat":[1e21,"/",0.0000001,"/",100]}`, `"1e+21/1e-7/100"`},
		{"part from", `{"substr":["jsonlogic",4]}`, `"logic"`},
		{"part from the end", `{"substr":["jsonlogic",-5,3]}`, `"log"`},
		{"part up to before the end", `{"substr":["jsonlogic",4,-2]}`, `"log"`},
		{"characters, not bytes", `{"substr":["grün",2,1]}`, `"ü"`},
		{"merge", `{"merge":[[1],2,[[3]]]}`, `[1,2,"[…]"]`},

		{"filter", `{"filter":[{"var":"counts"},{">":[{"var":""},0]}]}`, `[3,7]`},
		{"map", `{"map":[{"var":"orders"},{"var":"total"}]}`, `[10,90]`},
		{"map keeps what is false", `{"map":[{"var":"counts"},{"<":[{"var":""},5]}]}`, `[true,true,false]`},
		{"reduce", `{"reduce":[{"var":"counts"},{"+":[{"var":"current"},{"var":"accumulator"}]},0]}`, `10`},
		{"all", `{"all":[{"var":"counts"},{">=":[{"var":""},0]}]}`, `true`},
		{"all of nothing", `{"all":[{"var":"none"},true]}`, `false`},
		{"some", `{"some":[{"var":"orders"},{">":[{"var":"total"},50]}]}`, `true`},
		{"none", `{"none":[{"var":"orders"},{">":[{"var":"total"},99]}]}`, `true`},
		{"none of nothing", `{"none":[{"var":"nope"},true]}`, `true`},
		{"missing", `{"missing":["tier","nope","empty"]}`, `["nope","empty"]`},
		{"missing of a rule", `{"missing":{"merge":["tier","nope"]}}`, `["nope"]`},
		{"enough is there", `{"missing_some":[1,["tier","nope"]]}`, `[]`},
		{"not enough is there", `{"missing_some":[2,["tier","nope"]]}`, `["nope"]`},

		{"the flag's key", `{"var":"$flagd.flagKey"}`, `"probe"`},
		{"the time in seconds", `{"var":"$flagd.timestamp"}`, `1772366400`},
		{"the time is there inside of arrays too", `{"map":[[0],{"var":"$flagd.timestamp"}]}`, `[1772366400]`},
		{"an object of two members is no rule", `{"if":[true,{"a":1,"b":2}]}`, `"{…} (2 members)"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, ruleResult(t, c.rule, attributes))
		})
	}
}

func TestRule_ClientCannotSetFlagdProperties(t *testing.T) {
	t.Parallel()
	forged := `{"$flagd":{"flagKey":"forged","timestamp":1}}`
	require.Equal(t, `"probe"`, ruleResult(t, `{"var":"$flagd.flagKey"}`, forged))
	require.Equal(t, `"probe"`, ruleResult(t, `{"var":{"cat":["$flagd",".flagKey"]}}`, forged))
	require.Equal(t, `"{…} (0 members)"`, ruleResult(t, `{"var":""}`, forged))
}

func TestRule_TextOperators(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, rule, want string }{
		{"starts with", `{"starts_with":["user@corp.example","user@"]}`, `true`},
		{"does not start with", `{"starts_with":["user@corp.example","corp"]}`, `false`},
		{"ends with", `{"ends_with":["user@corp.example","@corp.example"]}`, `true`},
		{"does not end with", `{"ends_with":["user@corp.example","user"]}`, `false`},
		{"case counts", `{"starts_with":["Abc","a"]}`, `false`},
		{"a number is no text", `{"starts_with":[{"var":"seats"},"1"]}`, `null`},
		{"a missing attribute is no text", `{"ends_with":[{"var":"nope"},"x"]}`, `null`},
		{"one argument", `{"ends_with":["x"]}`, `null`},
		{"three arguments", `{"starts_with":["xyz","x","y"]}`, `null`},
		{"no array", `{"starts_with":"xyz"}`, `null`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, ruleResult(t, c.rule, attributes))
		})
	}
}

func TestRule_SemanticVersions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, version, operator, other, want string }{
		{"equal", `"2.0.0"`, "=", `"2.0.0"`, `true`},
		{"build metadata does not count", `"1.0.0+a"`, "=", `"1.0.0+b"`, `true`},
		{"unequal", `"1.0.1"`, "!=", `"1.0.0"`, `true`},
		{"less", `"1.9.0"`, "<", `"1.10.0"`, `true`},
		{"a pre-release comes before", `"2.0.0-rc.1"`, "<", `"2.0.0"`, `true`},
		{"pre-releases in order", `"1.0.0-rc.2"`, ">", `"1.0.0-rc.1"`, `true`},
		{"at most", `"1.0.0"`, "<=", `"1.0.0"`, `true`},
		{"at least", `"0.9.9"`, ">=", `"1.0.0"`, `false`},
		{"the same major", `"3.9.1"`, "^", `"3.0.0"`, `true`},
		{"another major", `"4.0.0"`, "^", `"3.0.0"`, `false`},
		{"the same minor", `"3.0.7"`, "~", `"3.0.0"`, `true`},
		{"another minor", `"3.1.0"`, "~", `"3.0.0"`, `false`},
		{"a leading v", `"v1.2.3"`, "=", `"V1.2.3"`, `true`},
		{"no patch", `"1.2"`, "=", `"1.2.0"`, `true`},
		{"only a major", `"1"`, "^", `"1.5.0"`, `true`},
		{"a number", `1.2`, ">", `"1.1"`, `true`},
		{"four parts", `"2.0.0.0"`, "=", `"2.0.0"`, `null`},
		{"leading zeros", `"01.0.0"`, "=", `"1.0.0"`, `null`},
		{"no version", `"latest"`, ">", `"1.0.0"`, `null`},
		{"an unknown operator", `"1.0.0"`, "==", `"1.0.0"`, `null`},
		{"null", `null`, "=", `"1.0.0"`, `null`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rule := `{"sem_ver":[{"var":"v"},"` + c.operator + `",` + c.other + `]}`
			require.Equal(t, c.want, ruleResult(t, rule, `{"v":`+c.version+`}`))
		})
	}
}

func TestRule_Fractional(t *testing.T) {
	t.Parallel()
	const who = `{"targetingKey":"jon@company.com","tier":"pro","weight":0,"n":5}`
	for _, c := range []struct{ name, rule, context, want string }{
		// These keys have murmur3 hashes at the ends of the range: 0, 1, 2^31-1, 2^31 and 2^32-1.
		{"hash 0", `{"fractional":[{"var":"k"},["a",50],["b",50]]}`, `{"k":"ejOoVL"}`, `"a"`},
		{"hash 1", `{"fractional":[{"var":"k"},["a",50],["b",50]]}`, `{"k":"bY9fO-"}`, `"a"`},
		{"hash before the middle", `{"fractional":[{"var":"k"},["a",50],["b",50]]}`, `{"k":"SI7p-"}`, `"a"`},
		{"hash at the middle", `{"fractional":[{"var":"k"},["a",50],["b",50]]}`, `{"k":"6LvT0"}`, `"b"`},
		{"hash at the end", `{"fractional":[{"var":"k"},["a",50],["b",50]]}`, `{"k":"ceQdGm"}`, `"b"`},
		{"the last of a million", `{"fractional":[{"var":"k"},["a",1000000],["b",1]]}`, `{"k":"ceQdGm"}`, `"b"`},
		{"the first of a million", `{"fractional":[{"var":"k"},["a",1],["b",1000000]]}`, `{"k":"ejOoVL"}`, `"a"`},

		{"weights need not add up to 100", `{"fractional":[{"var":"targetingKey"},["a",1],["b",1]]}`, who, `"a"`},
		{"a weight is 1", `{"fractional":[{"var":"targetingKey"},["a"],["b"]]}`, who, `"a"`},
		{"a weight of 0 gets nobody", `{"fractional":[{"var":"targetingKey"},["a",0],["b",1]]}`, who, `"b"`},
		{"a negative weight is 0", `{"fractional":[{"var":"targetingKey"},["a",-50],["b",1]]}`, who, `"b"`},
		{"one bucket gets all", `{"fractional":[["a",7]]}`, who, `"a"`},
		{"a key that is a text", `{"fractional":["ceQdGm",["a",1],["b",1]]}`, `{}`, `"b"`},
		{"an empty text is a key", `{"fractional":[{"cat":[]},["a",50],["b",50]]}`, `{}`, `"a"`},
		{"neither key", `{"fractional":[["a",50],["b",50]]}`, `{}`, `null`},
		{"an empty targeting key", `{"fractional":[["a",50],["b",50]]}`, `{"targetingKey":""}`, `null`},
		{"a targeting key that is no text", `{"fractional":[["a",50],["b",50]]}`, `{"targetingKey":7}`, `null`},

		{"a result that is a rule", `{"fractional":[[{"var":"tier"},1]]}`, who, `"pro"`},
		{"a weight that is a rule", `{"fractional":[{"var":"targetingKey"},["a",{"var":"weight"}],["b",1]]}`, who, `"b"`},
		{"a bucket that is a rule", `{"fractional":[{"merge":["a",1]}]}`, who, `"a"`},
		{"a split in a split", `{"fractional":[[{"fractional":[["x",1]]},1]]}`, who, `"x"`},
		{"a result that is a boolean", `{"fractional":[[true,1]]}`, who, `true`},
		{"all weights 0", `{"fractional":[["a",0],["b",0]]}`, who, `null`},
		{"weights beyond 2^31-1", `{"fractional":[["a",2147483647],["b",1]]}`, who, `null`},
		{"the largest weights", `{"fractional":[["a",2147483646],["b",1]]}`, who, `"a"`},
		{"a weight that is not whole", `{"fractional":[["a",0.5],["b",1]]}`, who, `null`},
		{"a weight that is a text", `{"fractional":[["a","50"],["b",1]]}`, who, `null`},
		{"an empty bucket", `{"fractional":[["a",1],[]]}`, who, `null`},
		{"no bucket", `{"fractional":[{"var":"tier"}]}`, who, `null`},
		{"nothing at all", `{"fractional":[]}`, who, `null`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, ruleResult(t, c.rule, c.context))
		})
	}
}

func TestRule_FractionalWithoutKeyHashesFlagKeyAndTargetingKey(t *testing.T) {
	t.Parallel()
	const buckets = `["a",1],["b",1],["c",1],["d",1]`
	bare := 0
	for i := range 40 {
		who := fmt.Sprintf(`{"targetingKey":"user-%d","n":5}`, i)
		want := ruleResult(t, `{"fractional":[{"cat":[{"var":"$flagd.flagKey"},{"var":"targetingKey"}]},`+buckets+`]}`, who)
		for _, key := range []string{``, `{"var":"nope"},`, `{"var":"n"},`, `true,`} {
			require.Equal(t, want, ruleResult(t, `{"fractional":[`+key+buckets+`]}`, who), key)
		}
		if want == ruleResult(t, `{"fractional":[{"var":"targetingKey"},`+buckets+`]}`, who) {
			bare++
		}
	}
	require.Less(t, bare, 20, "the flag key is part of what is hashed")
}

// TestRule_FractionalGoldenVectors holds assignments that every implementation of flagd agrees on: a
// change would move people to other variants.
func TestRule_FractionalGoldenVectors(t *testing.T) {
	t.Parallel()
	set := feature.Compile(feature.Source{Definitions: []feature.Definition{
		text("fractional-flag", `{"fractional":[{"cat":[{"var":"$flagd.flagKey"},{"var":"user.name"}]},["clubs",25],["diamonds",25],["hearts",25],["spades",25]]}`,
			"clubs", "diamonds", "hearts", "spades"),
		text("shared-seed", `{"fractional":[{"cat":["shared-seed",{"var":"user.name"}]},["clubs",25],["diamonds",25],["hearts",25],["spades",25]]}`,
			"clubs", "diamonds", "hearts", "spades"),
		text("fractional-flag-shorthand", `{"fractional":[["heads"],["tails",1]]}`, "heads", "tails"),
	}})
	for _, c := range []struct{ flag, context, want string }{
		{"fractional-flag", `{"user":{"name":"jack"}}`, "hearts"},
		{"fractional-flag", `{"user":{"name":"queen"}}`, "spades"},
		{"fractional-flag", `{"user":{"name":"ten"}}`, "clubs"},
		{"fractional-flag", `{"user":{"name":"nine"}}`, "diamonds"},
		{"fractional-flag", `{"user":{"name":3}}`, "clubs"},
		{"shared-seed", `{"user":{"name":"seven"}}`, "hearts"},
		{"shared-seed", `{"user":{"name":"eight"}}`, "diamonds"},
		{"shared-seed", `{"user":{"name":"nine"}}`, "clubs"},
		{"shared-seed", `{"user":{"name":"two"}}`, "spades"},
		{"fractional-flag-shorthand", `{"targetingKey":"jon@company.com"}`, "heads"},
		{"fractional-flag-shorthand", `{"targetingKey":"jane@company.com"}`, "tails"},
	} {
		require.Equal(t, c.want, set.Evaluate(c.flag, nil, context(t, c.context), noon).Variant, "%s %s", c.flag, c.context)
	}
}

// TestRule_FractionalSplitsAsWeighted draws nothing at random: the keys are numbers.
func TestRule_FractionalSplitsAsWeighted(t *testing.T) {
	t.Parallel()
	set := feature.Compile(feature.Source{Definitions: []feature.Definition{
		text("split", `{"fractional":[["a",10],["b",30],["c",60]]}`, "a", "b", "c"),
	}})
	count := map[string]int{}
	for i := range 20_000 {
		c := feature.Context{}.With("targetingKey", fmt.Sprint("user-", i))
		count[set.Evaluate("split", nil, c, noon).Variant]++
	}
	require.InDelta(t, 2000, count["a"], 200)
	require.InDelta(t, 6000, count["b"], 300)
	require.InDelta(t, 12000, count["c"], 300)
}

// text is a string flag whose variants have their names as values, the last one by default.
func text(key, targeting string, variants ...string) feature.Definition {
	values := map[string]string{}
	for _, v := range variants {
		values[v] = v
	}
	encoded, _ := json.Marshal(values)
	return feature.Definition{
		Key: key, Type: feature.String, Active: true, Variants: encoded,
		DefaultVariant: variants[len(variants)-1], Targeting: json.RawMessage(targeting),
	}
}
