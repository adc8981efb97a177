package feature

import (
	"math"
	"strings"
)

// operator says what an operator of call does and how many arguments flagd's JSON Schema wants it to
// have; most 0 is any number. An operator itself never fails: what makes no sense gives null or false.
type operator struct {
	apply       func(m *machine, arguments []any, data any) any
	least, most int
}

// operators are those of JSON logic that evaluate all their arguments, and flagd's.
var operators = map[string]operator{
	"==":           {func(m *machine, a []any, _ any) any { return m.looselyEqual(at(a, 0), at(a, 1)) }, 2, 2},
	"!=":           {func(m *machine, a []any, _ any) any { return !m.looselyEqual(at(a, 0), at(a, 1)) }, 2, 2},
	"===":          {func(m *machine, a []any, _ any) any { return m.strictlyEqual(at(a, 0), at(a, 1)) }, 2, 2},
	"!==":          {func(m *machine, a []any, _ any) any { return !m.strictlyEqual(at(a, 0), at(a, 1)) }, 2, 2},
	"<":            {between(false), 2, 3},
	"<=":           {between(true), 2, 3},
	">":            {func(m *machine, a []any, _ any) any { return ordered(m, at(a, 1), at(a, 0), false) }, 2, 2},
	">=":           {func(m *machine, a []any, _ any) any { return ordered(m, at(a, 1), at(a, 0), true) }, 2, 2},
	"!":            {func(_ *machine, a []any, _ any) any { return !truthy(at(a, 0)) }, 1, 1},
	"!!":           {func(_ *machine, a []any, _ any) any { return truthy(at(a, 0)) }, 1, 1},
	"+":            {add, 1, 0},
	"-":            {subtract, 1, 0},
	"*":            {multiply, 2, 0},
	"/":            {func(m *machine, a []any, _ any) any { return m.number(at(a, 0)) / m.number(at(a, 1)) }, 2, 2},
	"%":            {func(m *machine, a []any, _ any) any { return math.Mod(m.number(at(a, 0)), m.number(at(a, 1))) }, 2, 2},
	"min":          {extreme(math.Min, math.Inf(1)), 1, 0},
	"max":          {extreme(math.Max, math.Inf(-1)), 1, 0},
	"cat":          {concatenate, 1, 0},
	"substr":       {substring, 2, 3},
	"in":           {contains, 2, 2},
	"merge":        {merge, 1, 0},
	"missing":      {missing, 0, 0},
	"missing_some": {missingSome, 2, 2},
	"starts_with":  {affix(strings.HasPrefix), 2, 2},
	"ends_with":    {affix(strings.HasSuffix), 2, 2},
	"sem_ver":      {semanticVersion, 3, 3},
}

// at is an argument that may not have been given.
func at(arguments []any, i int) any {
	if i < len(arguments) {
		return arguments[i]
	}
	return undefined{}
}

func ordered(m *machine, a, b any, orEqual bool) bool {
	less, equal := m.compare(a, b)
	return less || orEqual && equal
}

// between compares two values, or asks whether the second of three lies between the others.
func between(orEqual bool) func(m *machine, arguments []any, data any) any {
	return func(m *machine, a []any, _ any) any {
		met := ordered(m, at(a, 0), at(a, 1), orEqual)
		if len(a) > 2 && met {
			met = ordered(m, a[1], a[2], orEqual)
		}
		return met
	}
}

func add(m *machine, arguments []any, _ any) any {
	sum := 0.0
	for _, value := range arguments {
		sum += m.parseNumber(value)
	}
	return sum
}

func subtract(m *machine, arguments []any, _ any) any {
	if len(arguments) < 2 {
		return -m.number(at(arguments, 0))
	}
	return m.number(arguments[0]) - m.number(arguments[1])
}

func multiply(m *machine, arguments []any, _ any) any {
	if len(arguments) == 0 {
		return nil
	}
	if len(arguments) == 1 {
		return arguments[0]
	}
	product := 1.0
	for _, value := range arguments {
		product *= m.parseNumber(value)
	}
	return product
}

func extreme(choose func(a, b float64) float64, none float64) func(m *machine, arguments []any, data any) any {
	return func(m *machine, arguments []any, _ any) any {
		chosen := none
		for _, value := range arguments {
			n := m.number(value)
			if math.IsNaN(n) {
				return n // math.Max prefers an infinity
			}
			chosen = choose(chosen, n)
		}
		return chosen
	}
}

func concatenate(m *machine, arguments []any, _ any) any {
	m.text = m.join(m.text[:0], arguments, "", 0)
	return string(m.text)
}

// substring counts characters. A negative start counts from the end, a negative length leaves off that
// many at the end.
func substring(m *machine, arguments []any, _ any) any {
	source := m.textOf(at(arguments, 0))
	m.spendText(4 * len(source))
	text := []rune(source)
	start := clampIndex(m.number(at(arguments, 1)), len(text))
	end := len(text)
	if len(arguments) > 2 && arguments[2] != nil {
		if length := m.number(arguments[2]); length < 0 {
			end = clampIndex(length, len(text))
		} else {
			end = start + clampIndex(length, len(text)-start)
		}
	} else if len(arguments) > 2 {
		end = start
	}
	if end < start {
		return ""
	}
	return string(text[start:end])
}

// clampIndex makes an index of a number: negative counts from the end, and nothing lies outside.
func clampIndex(n float64, length int) int {
	switch {
	case math.IsNaN(n):
		return 0
	case n < 0:
		n = math.Trunc(n) + float64(length)
	}
	return int(math.Max(0, math.Min(n, float64(length))))
}

// contains looks for a part of a text or an element of an array.
func contains(m *machine, arguments []any, _ any) any {
	switch whole := at(arguments, 1).(type) {
	case string:
		m.spendText(len(whole))
		return whole != "" && strings.Contains(whole, m.textOf(at(arguments, 0)))
	case []any:
		m.spend(len(whole))
		for _, element := range whole {
			if m.strictlyEqual(element, at(arguments, 0)) {
				return true
			}
		}
	}
	return false
}

func merge(m *machine, arguments []any, _ any) any {
	merged := make([]any, 0, len(arguments))
	for _, value := range arguments {
		if elements, ok := value.([]any); ok {
			m.spend(len(elements))
			merged = append(merged, elements...)
		} else {
			merged = append(merged, value)
		}
	}
	return merged
}

// missing lists the attributes that the data has not, or has as null or "". The names are the arguments,
// or the one argument that is an array.
func missing(m *machine, arguments []any, data any) any {
	names := arguments
	if first, ok := at(arguments, 0).([]any); ok {
		names = first
	}
	return m.missing(names, data)
}

func (m *machine) missing(names []any, data any) []any {
	m.spend(len(names))
	absent := []any{}
	for _, name := range names {
		if value, _ := m.lookUp(data, m.path(name)); value == nil || value == "" {
			absent = append(absent, name)
		}
	}
	return absent
}

// missingSome is empty when at least as many of the attributes are there as its first argument says.
func missingSome(m *machine, arguments []any, data any) any {
	names, _ := at(arguments, 1).([]any)
	absent := m.missing(names, data)
	if float64(len(names)-len(absent)) >= m.number(at(arguments, 0)) {
		return []any{}
	}
	return absent
}
