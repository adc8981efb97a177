package feature

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// compiler turns the rules of a Source into trees. Shared evaluators are compiled once, when first
// referred to, and their trees are shared: references to references cannot make a rule grow.
type compiler struct {
	evaluators map[string]*evaluator
	problems   Problems
	chain      []string // evaluators being compiled, to find circles
}

type evaluator struct {
	raw      json.RawMessage
	rule     rule
	height   int
	compiled bool
	broken   bool
}

func newCompiler(evaluators map[string]json.RawMessage) *compiler {
	c := &compiler{evaluators: make(map[string]*evaluator, len(evaluators))}
	for name, raw := range evaluators {
		c.evaluators[name] = &evaluator{raw: raw}
	}
	return c
}

// compileEvaluators compiles them all, so that one nobody refers to is checked too.
func (c *compiler) compileEvaluators() {
	names := make([]string, 0, len(c.evaluators))
	for name := range c.evaluators {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		c.evaluator(name, c.evaluators[name])
	}
}

func (c *compiler) evaluator(name string, e *evaluator) {
	if e.compiled {
		return
	}
	e.compiled = true
	c.chain = append(c.chain, name)
	e.rule, e.height, e.broken = c.root(e.raw, pointer("/$evaluators", name))
	c.chain = c.chain[:len(c.chain)-1]
}

// root compiles a whole rule.
func (c *compiler) root(raw json.RawMessage, at string) (r rule, height int, broken bool) {
	before := len(c.problems.Errors())
	if deeper(raw, 4*maxRuleDepth) {
		c.problems.fail(at, "nested deeper than %d", maxRuleDepth)
		return nil, 0, true
	}
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		c.problems.fail(at, "not JSON: %v", err)
		return nil, 0, true
	}
	r, height = c.compile(value, at)
	if height > maxRuleDepth {
		c.problems.fail(at, "nested deeper than %d, with the shared evaluators it refers to", maxRuleDepth)
	}
	return r, height, len(c.problems.Errors()) > before
}

// compile gives a rule and how deep it nests.
func (c *compiler) compile(value any, at string) (rule, int) {
	switch v := value.(type) {
	case []any:
		return c.list(v, at)
	case map[string]any:
		if len(v) == 1 {
			for name, operand := range v {
				return c.operation(name, operand, at)
			}
		}
		c.problems.warn(at, "an object of %d members is a value, not a rule", len(v))
	}
	return literal{value}, 1
}

func (c *compiler) list(values []any, at string) (rule, int) {
	rules, height := c.all(values, at)
	for _, r := range rules {
		if _, constant := r.(literal); !constant {
			return list(rules), height + 1
		}
	}
	return literal{values}, 1
}

func (c *compiler) all(values []any, at string) (rules []rule, height int) {
	rules = make([]rule, len(values))
	for i, value := range values {
		var h int
		rules[i], h = c.compile(value, fmt.Sprintf("%s/%d", at, i))
		height = max(height, h)
	}
	return rules, height
}

// operation compiles {name: operand}. An operand that is no array is the only argument.
func (c *compiler) operation(name string, operand any, at string) (rule, int) {
	at = pointer(at, name)
	if name == "$ref" {
		return c.reference(operand, at)
	}
	values, isArray := operand.([]any)
	if !isArray {
		values = []any{operand}
	}
	if name == "fractional" {
		return c.fractional(values, at)
	}
	arguments, height := c.all(values, at)
	c.lint(name, values, arguments, at)
	if r := c.construct(name, arguments, at); r != nil {
		return r, height + 1
	}
	c.problems.fail(at, "%q is not an operator", name)
	return literal{}, height + 1
}

// construct gives the node of an operator, nil if there is none of that name.
func (c *compiler) construct(name string, arguments []rule, at string) rule {
	argument := func(i int) rule {
		if i < len(arguments) {
			return arguments[i]
		}
		return literal{}
	}
	iterate := func(each func(m *machine, elements []any, body rule) any) rule {
		return &iteration{subject: argument(0), body: argument(1), each: each, operator: name, at: at}
	}
	switch name {
	case "var":
		return c.variable(arguments)
	case "if", "?:":
		return branch{arguments, at}
	case "and", "or":
		return junction{arguments, name == "or", name, at}
	case "filter":
		return iterate(filterElements)
	case "map":
		return iterate(mapElements)
	case "all":
		return iterate(allElements)
	case "some":
		return iterate(someElements)
	case "none":
		return iterate(noElements)
	case "reduce":
		return &reduction{subject: argument(0), body: argument(1), initial: argument(2), at: at}
	}
	if o, known := operators[name]; known {
		return &call{operator: name, apply: o.apply, arguments: arguments, at: at}
	}
	return nil
}

func (c *compiler) variable(arguments []rule) rule {
	if len(arguments) == 0 {
		return variable{}
	}
	var path []string
	name, constant := arguments[0].(literal)
	switch v := name.value.(type) {
	case string:
		path = splitPath(v)
	case float64:
		path = splitPath(numberText(v))
	case nil:
	default:
		constant = false
	}
	switch {
	case !constant:
		return computedVariable{arguments}
	case len(arguments) > 1:
		return variable{path, arguments[1]}
	}
	return variable{path, nil}
}

func (c *compiler) reference(operand any, at string) (rule, int) {
	name, ok := operand.(string)
	e := c.evaluators[name]
	switch {
	case !ok || e == nil:
		c.problems.fail(at, "there is no shared evaluator %v", quoted(operand))
		c.problems[len(c.problems)-1].Unresolved = ok
		return literal{}, 1
	case slices.Contains(c.chain, name):
		circle := append(c.chain[slices.Index(c.chain, name):], name)
		c.problems.fail(at, "shared evaluators refer to each other in a circle: %s", strings.Join(circle, " → "))
		return literal{}, 1
	}
	c.evaluator(name, e)
	if e.broken {
		c.problems.fail(at, "the shared evaluator %q cannot be used: see /$evaluators", name)
		return literal{}, 1
	}
	return e.rule, e.height
}

// quoted is a value as JSON, legible: < and > stay what they are.
func quoted(value any) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "null"
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (c *compiler) fractional(values []any, at string) (rule, int) {
	f := &fractional{at: at}
	height := 0
	c.lintFractional(values, at)
	for i, value := range values {
		elementAt := fmt.Sprintf("%s/%d", at, i)
		elements, isBucket := value.([]any)
		var h int
		switch {
		case !isBucket && i == 0:
			f.key, h = c.compile(value, elementAt)
		case !isBucket:
			var whole rule
			whole, h = c.compile(value, elementAt)
			f.buckets = append(f.buckets, bucket{whole: whole})
		default:
			var parts []rule
			parts, h = c.all(elements, elementAt)
			f.buckets = append(f.buckets, newBucket(parts))
		}
		height = max(height, h+1)
	}
	return f, height + 1
}

// newBucket makes a bucket of [result] or [result, weight]; an empty one has no share and fails.
func newBucket(parts []rule) bucket {
	switch len(parts) {
	case 0:
		return bucket{whole: literal{}}
	case 1:
		return bucket{result: parts[0]}
	}
	return bucket{result: parts[0], weight: parts[1]}
}
