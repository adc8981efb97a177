package feature

import (
	"strconv"
	"strings"
)

// rule is a node of a compiled rule. It is immutable and may be shared by several flags.
type rule interface {
	// eval gives nil, bool, float64, string, []any or map[string]any.
	eval(m *machine, data any) any
}

// literal is a constant.
type literal struct{ value any }

func (l literal) eval(m *machine, _ any) any {
	m.spend(1)
	return l.value
}

// list is an array with rules in it.
type list []rule

func (l list) eval(m *machine, data any) any {
	m.spend(1)
	values := make([]any, len(l))
	for i, r := range l {
		values[i] = r.eval(m, data)
	}
	return values
}

const (
	flagdRoot    = "$flagd"
	flagKeyName  = "flagKey"
	timestampVar = "timestamp"
	targetingKey = "targetingKey"
)

// variable is {"var": path} with a path that is known; fallback may be nil.
type variable struct {
	path     []string
	fallback rule
}

func (v variable) eval(m *machine, data any) any {
	m.spend(1)
	value, found := m.lookUp(data, v.path)
	if !found && v.fallback != nil {
		return v.fallback.eval(m, data)
	}
	return value
}

// computedVariable is {"var": rule}.
type computedVariable struct{ arguments []rule }

func (v computedVariable) eval(m *machine, data any) any {
	m.spend(1)
	arguments := m.arguments(v.arguments, data)
	defer m.release(arguments)
	value, found := m.lookUp(data, m.path(arguments[0]))
	if !found && len(arguments) > 1 {
		return arguments[1]
	}
	return value
}

// path splits what a rule gave as the name of an attribute.
func (m *machine) path(name any) []string {
	if name == nil || name == "" {
		return nil
	}
	text := m.textOf(name)
	m.spendText(len(text))
	return strings.Split(text, ".")
}

// splitPath splits the name of an attribute. An empty one is the data itself.
func splitPath(name string) []string {
	if name == "" {
		return nil
	}
	return strings.Split(name, ".")
}

// lookUp finds an attribute. A path that leads nowhere is not found, and null.
func (m *machine) lookUp(data any, path []string) (any, bool) {
	m.spend(len(path))
	if len(path) > 0 && path[0] == flagdRoot {
		return m.flagdProperty(path[1:])
	}
	for _, name := range path {
		switch container := data.(type) {
		case map[string]any:
			value, ok := container[name]
			if !ok {
				return nil, false
			}
			data = value
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(container) || strconv.Itoa(i) != name {
				return nil, false
			}
			data = container[i]
		default:
			return nil, false
		}
	}
	return data, true
}

// flagdProperty is what flagd adds to every context. A context cannot hold it: ParseContext drops it.
func (m *machine) flagdProperty(path []string) (any, bool) {
	switch {
	case len(path) == 0:
		return map[string]any{flagKeyName: m.flagKey, timestampVar: float64(m.now)}, true
	case len(path) == 1 && path[0] == flagKeyName:
		return m.flagKey, true
	case len(path) == 1 && path[0] == timestampVar:
		return float64(m.now), true
	}
	return nil, false
}

// branch is "if" (and "?:"): condition, result, condition, result, …, otherwise.
type branch struct {
	arguments []rule
	at        string
}

func (b branch) eval(m *machine, data any) any {
	m.spend(1)
	i := 0
	for ; i+1 < len(b.arguments); i += 2 {
		met := truthy(b.arguments[i].eval(m, data))
		m.trace.condition(b.at, i, met)
		if met {
			return b.arguments[i+1].eval(m, data)
		}
	}
	if i < len(b.arguments) {
		return b.arguments[i].eval(m, data)
	}
	return nil
}

// junction is "and" (until the first false) and "or" (until the first true): it gives the value that
// decided.
type junction struct {
	arguments []rule
	until     bool
	operator  string
	at        string
}

func (j junction) eval(m *machine, data any) any {
	m.spend(1)
	var value any
	for _, r := range j.arguments {
		if value = r.eval(m, data); truthy(value) == j.until {
			break
		}
	}
	m.trace.call(j.at, j.operator, nil, value)
	return value
}

// call is any operator that wants all its arguments evaluated.
type call struct {
	operator  string
	apply     func(m *machine, arguments []any, data any) any
	arguments []rule
	at        string
}

func (c *call) eval(m *machine, data any) any {
	m.spend(1)
	arguments := m.arguments(c.arguments, data)
	value := c.apply(m, arguments, data)
	m.trace.call(c.at, c.operator, arguments, value)
	m.release(arguments)
	return value
}

// iteration is filter, map, all, some and none. Its body sees one element, not the context.
type iteration struct {
	subject, body rule
	each          func(m *machine, elements []any, body rule) any
	operator, at  string
}

func (i *iteration) eval(m *machine, data any) any {
	m.spend(1)
	elements, _ := i.subject.eval(m, data).([]any)
	m.spend(len(elements))
	value := i.each(m, elements, i.body)
	m.trace.call(i.at, i.operator, nil, value)
	return value
}

func filterElements(m *machine, elements []any, body rule) any {
	kept := make([]any, 0, len(elements))
	for _, element := range elements {
		if truthy(body.eval(m, element)) {
			kept = append(kept, element)
		}
	}
	return kept
}

func mapElements(m *machine, elements []any, body rule) any {
	mapped := make([]any, len(elements))
	for i, element := range elements {
		mapped[i] = body.eval(m, element)
	}
	return mapped
}

func anyElement(m *machine, elements []any, body rule) bool {
	for _, element := range elements {
		if truthy(body.eval(m, element)) {
			return true
		}
	}
	return false
}

func someElements(m *machine, elements []any, body rule) any { return anyElement(m, elements, body) }
func noElements(m *machine, elements []any, body rule) any   { return !anyElement(m, elements, body) }

// allElements is false for none at all.
func allElements(m *machine, elements []any, body rule) any {
	for _, element := range elements {
		if !truthy(body.eval(m, element)) {
			return false
		}
	}
	return len(elements) > 0
}

// reduction is "reduce": its body sees {current, accumulator}.
type reduction struct {
	subject, body, initial rule
	at                     string
}

func (r *reduction) eval(m *machine, data any) any {
	m.spend(1)
	elements, _ := r.subject.eval(m, data).([]any)
	m.spend(len(elements))
	accumulator := r.initial.eval(m, data)
	for _, element := range elements {
		accumulator = r.body.eval(m, map[string]any{"current": element, "accumulator": accumulator})
	}
	m.trace.call(r.at, "reduce", nil, accumulator)
	return accumulator
}
