package feature

import "fmt"

// maxRuleSteps is how many steps of a rule are kept: enough to read.
const maxRuleSteps = 200

// RuleStep is an operator that was evaluated: "if" for each condition, fractional with its assignment,
// any other with its arguments.
type RuleStep struct {
	Path      string `json:"path"` // JSON pointer into flagd's format
	Operator  string `json:"operator"`
	Arguments []any  `json:"arguments,omitempty"`
	Result    any    `json:"result"`
	// Note says why fractional assigned no bucket.
	Note       string      `json:"note,omitempty"`
	Assignment *Assignment `json:"assignment,omitempty"`
}

// Assignment is how fractional chose: Position is hash · total / 2^32, Bucket counts from 0.
type Assignment struct {
	Key      string `json:"key"`
	KeyFrom  string `json:"key_from"` // expression or targetingKey
	Hash     uint32 `json:"hash"`
	Position uint64 `json:"position"`
	Total    uint64 `json:"total"`
	Bucket   int    `json:"bucket"`
}

// trace records the evaluation of one rule. A nil trace records nothing.
type trace struct {
	steps     []RuleStep
	truncated bool
}

func (t *trace) add(step RuleStep) {
	if len(t.steps) == maxRuleSteps {
		t.truncated = true
		return
	}
	t.steps = append(t.steps, step)
}

func (t *trace) condition(at string, i int, met bool) {
	if t != nil {
		t.add(RuleStep{Path: fmt.Sprintf("%s/%d", at, i), Operator: "if", Result: met})
	}
}

func (t *trace) call(at, operator string, arguments []any, result any) {
	if t == nil {
		return
	}
	shown := make([]any, 0, len(arguments))
	for _, value := range arguments[:min(len(arguments), maxShown)] {
		shown = append(shown, brief(value))
	}
	t.add(RuleStep{Path: at, Operator: operator, Arguments: shown, Result: brief(result)})
}

func (t *trace) assigned(at string, a Assignment, result any) {
	if t != nil {
		a.Key = shorten(a.Key)
		t.add(RuleStep{Path: at, Operator: "fractional", Result: brief(result), Assignment: &a})
	}
}

func (t *trace) unassigned(at, why string) {
	if t != nil {
		t.add(RuleStep{Path: at, Operator: "fractional", Note: why})
	}
}

const (
	maxShown           = 10  // elements of an array
	maxShownCharacters = 200 // of a text
)

func shorten(text string) string {
	if len(text) <= maxShownCharacters {
		return text
	}
	return fmt.Sprintf("%.*s… (%d bytes)", maxShownCharacters, text, len(text))
}

// brief is a value as a trace shows it: never long, always JSON.
func brief(value any) any {
	switch v := value.(type) {
	case float64:
		if number := numberText(v); number == "NaN" || number == "Infinity" || number == "-Infinity" {
			return number
		}
		return v
	case string:
		return shorten(v)
	case undefined:
		return nil
	case map[string]any:
		return fmt.Sprintf("{…} (%d members)", len(v))
	case []any:
		if len(v) > maxShown {
			return fmt.Sprintf("[…] (%d elements)", len(v))
		}
		shown := make([]any, len(v))
		for i, element := range v {
			if k := kind(element); k == kindArray {
				shown[i] = "[…]"
			} else {
				shown[i] = brief(element)
			}
		}
		return shown
	}
	return value
}
