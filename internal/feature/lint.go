package feature

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// What follows warns of what flagd's JSON Schema refuses. flagd evaluates such rules, mostly to null, and
// so do we; an importer may want to know. Counts of arguments that are rules by themselves are not
// checked here, but when they are evaluated.

// arities are of the operators that are not in operators.
var arities = map[string][2]int{
	"if": {1, 0}, "and": {1, 0}, "or": {1, 0}, "var": {1, 2},
	"filter": {2, 2}, "map": {2, 2}, "all": {2, 2}, "some": {2, 2}, "none": {2, 2}, "reduce": {3, 3},
}

var versionOperators = []any{"=", "!=", "<", "<=", ">", ">=", "^", "~"}

func (c *compiler) lint(name string, values []any, arguments []rule, at string) {
	c.lintCount(name, len(values), at)
	switch name {
	case "?:":
		c.problems.warn(at, `flagd's schema does not know "?:"; write "if"`)
	case "var":
		c.lintVariable(arguments, at)
	case "starts_with", "ends_with":
		for i, value := range values {
			if _, isText := value.(string); !isText && kind(value) != kindObject {
				c.problems.warn(fmt.Sprintf("%s/%d", at, i), "%s compares texts: anything else gives null", name)
			}
		}
	case "sem_ver":
		c.lintVersions(values, at)
	}
}

func (c *compiler) lintCount(name string, count int, at string) {
	arity, ok := arities[name]
	if o, known := operators[name]; known {
		arity, ok = [2]int{o.least, o.most}, true
	}
	least, most := arity[0], arity[1]
	if !ok || count >= least && (most == 0 || count <= most) {
		return
	}
	switch {
	case least == most:
		c.problems.warn(at, "%s takes %d arguments, not %d", name, least, count)
	case most == 0:
		c.problems.warn(at, "%s takes at least %d arguments, not %d", name, least, count)
	default:
		c.problems.warn(at, "%s takes %d to %d arguments, not %d", name, least, most, count)
	}
}

func (c *compiler) lintVariable(arguments []rule, at string) {
	if len(arguments) == 0 {
		return
	}
	constant, _ := arguments[0].(literal)
	name, _ := constant.value.(string)
	if property, ours := strings.CutPrefix(name, flagdRoot+"."); ours && property != flagKeyName && property != timestampVar {
		c.problems.warn(at, "%s is not known: there are $flagd.flagKey and $flagd.timestamp", name)
	}
}

func (c *compiler) lintVersions(values []any, at string) {
	for i, value := range values {
		text, isText := value.(string)
		switch {
		case i == 1 && !slices.Contains(versionOperators, value):
			c.problems.warn(at+"/1", `the operator is one of =, !=, <, <=, >, >=, ^ and ~`)
		case i != 1 && kind(value) != kindObject && (!isText || !isVersion(text)):
			c.problems.warn(fmt.Sprintf("%s/%d", at, i), "not a version of three numbers, as flagd's schema wants it")
		}
	}
}

func (c *compiler) lintFractional(values []any, at string) {
	total := 0.0
	for i, value := range values {
		elementAt := fmt.Sprintf("%s/%d", at, i)
		elements, isBucket := value.([]any)
		switch {
		case !isBucket && kind(value) != kindObject:
			c.problems.warn(elementAt, "a bucket is an array; what comes before the buckets is a rule")
		case isBucket && (len(elements) < 1 || len(elements) > 2):
			c.problems.warn(elementAt, "a bucket is [variant] or [variant, weight]")
		case isBucket && len(elements) == 2:
			weight, constant := elements[1].(float64)
			if kind(elements[1]) != kindObject && (!constant || weight < 0 || weight != math.Trunc(weight)) {
				c.problems.warn(elementAt+"/1", "a weight is a whole number, 0 or more, or a rule")
			}
			total += weight
		}
	}
	if len(values) == 0 {
		c.problems.warn(at, "fractional has no buckets")
	}
	if total > maxWeight {
		c.problems.warn(at, "the weights add up to more than %d: the rule gives null", maxWeight)
	}
}

// maxResults bounds the search below: shared evaluators can make very many paths.
const maxResults = 1000

// constantResults visits what a rule can give without computing it: the names of variants, as a rule.
func constantResults(r rule, visit func(value any)) {
	left := maxResults
	var walk func(r rule)
	walk = func(r rule) {
		if left--; left < 0 {
			return
		}
		switch r := r.(type) {
		case literal:
			visit(r.value)
		case branch:
			for i := range r.arguments {
				if i%2 == 1 || i == len(r.arguments)-1 {
					walk(r.arguments[i])
				}
			}
		case *fractional:
			for _, b := range r.buckets {
				if b.result != nil {
					walk(b.result)
				}
			}
		}
	}
	walk(r)
}
