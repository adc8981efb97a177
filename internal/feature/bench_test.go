package feature_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/vital-db/vital/internal/feature"
)

// many is a source of n flags: half without a rule, a quarter with a condition, a quarter with a split.
func many(n int) feature.Source {
	rules := []string{
		``, ``,
		`{"if":[{"and":[{"==":[{"var":"tenant.tier"},"enterprise"]},{"in":[{"var":"member.role"},["admin","owner"]]}]},"on",null]}`,
		`{"fractional":[{"cat":[{"var":"$flagd.flagKey"},{"var":"tenant.id"}]},["on",10],["off",90]]}`,
	}
	var source feature.Source
	for i := range n {
		source.Definitions = append(source.Definitions, feature.Definition{
			Key: fmt.Sprintf("flag_%05d", i), Type: feature.Boolean, Active: true,
			Targeting: json.RawMessage(rules[i%len(rules)]), Metadata: json.RawMessage(`{"team":"growth"}`),
		})
	}
	return source
}

func benchContext(b *testing.B) feature.Context {
	b.Helper()
	context, err := feature.ParseContext([]byte(`{"targetingKey":"u1","tenant":{"id":"t-42","tier":"enterprise"},"user":{"id":"u1","role":"admin"}}`))
	if err != nil {
		b.Fatal(err)
	}
	return context
}

func BenchmarkEvaluate(b *testing.B) {
	set := feature.Compile(many(10_000))
	context := benchContext(b)
	on := true
	overrides := feature.Overrides{"flag_00004": {Enabled: &on}}
	for _, c := range []struct{ name, key string }{
		{"static", "flag_00000"}, {"override", "flag_00004"}, {"condition", "flag_00002"}, {"fractional", "flag_00003"}, {"unknown", "none"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				set.Evaluate(c.key, overrides, context, time.Time{})
			}
		})
	}
}

func BenchmarkEvaluateAll(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		set, context := feature.Compile(many(n)), benchContext(b)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for range set.EvaluateAll(nil, context, time.Time{}) {
				}
			}
		})
	}
}

func BenchmarkWith(b *testing.B) {
	source := many(10_000)
	set := feature.Compile(source)
	b.Run("replace", func(b *testing.B) {
		for b.Loop() {
			set.With(source.Definitions[7])
		}
	})
	b.Run("add", func(b *testing.B) {
		for b.Loop() {
			set.With(feature.Definition{Key: "new", Type: feature.Boolean, Active: true})
		}
	})
	b.Run("compile", func(b *testing.B) {
		for b.Loop() {
			feature.Compile(source)
		}
	})
}
