package feature_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/vital-db/vital/internal/feature"
)

func Example() {
	set := feature.Compile(feature.Source{
		Definitions: []feature.Definition{{
			Key: "checkout", Type: feature.Boolean, Active: true,
			Targeting: json.RawMessage(`{"if":[{"$ref":"enterprise"},"on",{"fractional":[["on",5],["off",95]]}]}`),
		}},
		Evaluators: map[string]json.RawMessage{"enterprise": json.RawMessage(`{"==":[{"var":"tenant.tier"},"enterprise"]}`)},
	})
	context, err := feature.ParseContext([]byte(`{"targetingKey":"u1"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	context = context.With("tenant", map[string]any{"id": "t1", "tier": "enterprise"})
	result := set.Evaluate("checkout", nil, context, time.Now())
	fmt.Println(string(result.AppendJSON(nil)))
	// Output: {"key":"checkout","value":true,"variant":"on","reason":"TARGETING_MATCH"}
}
