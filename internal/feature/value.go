package feature

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// The conversions of JSON logic are those of ECMAScript, as its reference implementation has them; only
// the empty array counts as false besides.

func truthy(value any) bool {
	switch v := value.(type) {
	case bool:
		return v
	case float64:
		return v != 0 && !math.IsNaN(v)
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	case map[string]any:
		return true
	}
	return false
}

// number converts as Number() does.
func (m *machine) number(value any) float64 {
	switch v := value.(type) {
	case nil:
		return 0
	case bool:
		if v {
			return 1
		}
		return 0
	case float64:
		return v
	case string:
		m.spendText(len(v))
		text := strings.TrimSpace(v)
		if text == "" {
			return 0
		}
		if n, length := leadingNumber(text); length == len(text) {
			return n
		}
	case []any:
		return m.number(m.textOf(v))
	}
	return math.NaN()
}

// parseNumber converts as parseFloat() does: the number a text starts with.
func (m *machine) parseNumber(value any) float64 {
	if n, ok := value.(float64); ok {
		return n
	}
	text := m.textOf(value)
	m.spendText(len(text))
	n, length := leadingNumber(strings.TrimLeft(text, " \t\r\n"))
	if length == 0 {
		return math.NaN()
	}
	return n
}

// leadingNumber reads the decimal number at the start of a text and how long it is.
func leadingNumber(text string) (float64, int) {
	end := digits(text, sign(text))
	if end < len(text) && text[end] == '.' {
		if fraction := digits(text, end+1); fraction > end+1 || end > sign(text) {
			end = fraction
		}
	}
	if end == sign(text) {
		return infinity(text)
	}
	if end < len(text) && (text[end] == 'e' || text[end] == 'E') {
		start := end + 1 + sign(text[end+1:])
		if exponent := digits(text, start); exponent > start {
			end = exponent
		}
	}
	n, _ := strconv.ParseFloat(text[:end], 64) // out of range gives an infinity, as it should
	return n, end
}

func infinity(text string) (float64, int) {
	start := sign(text)
	if !strings.HasPrefix(text[start:], "Infinity") {
		return 0, 0
	}
	if text[0] == '-' {
		return math.Inf(-1), start + len("Infinity")
	}
	return math.Inf(1), start + len("Infinity")
}

func sign(text string) int {
	if text != "" && (text[0] == '-' || text[0] == '+') {
		return 1
	}
	return 0
}

func digits(text string, from int) int {
	for from < len(text) && text[from] >= '0' && text[from] <= '9' {
		from++
	}
	return from
}

// textOf converts as String() does.
func (m *machine) textOf(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case undefined:
		return "undefined"
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return numberText(v)
	case string:
		return v
	case []any:
		return string(m.join(nil, v, ",", 0))
	}
	return "[object Object]"
}

func numberText(n float64) string {
	switch {
	case math.IsNaN(n):
		return "NaN"
	case math.IsInf(n, 1):
		return "Infinity"
	case math.IsInf(n, -1):
		return "-Infinity"
	case n == 0:
		return "0" // of minus zero too
	}
	text, err := json.Marshal(n) // writes numbers as ECMAScript does
	if err != nil {
		return "NaN"
	}
	return string(text)
}

// join appends the elements as Array.prototype.join does: null is nothing.
func (m *machine) join(text []byte, values []any, glue string, depth int) []byte {
	if depth > maxJoinDepth {
		panic(errDepth)
	}
	m.spend(len(values))
	for i, value := range values {
		if i > 0 {
			text = append(text, glue...)
		}
		switch v := value.(type) {
		case nil, undefined:
		case []any:
			text = m.join(text, v, ",", depth+1)
		default:
			part := m.textOf(v)
			m.spendText(len(part))
			text = append(text, part...)
		}
	}
	return text
}

// looselyEqual is ==.
func (m *machine) looselyEqual(a, b any) bool {
	a, b = defined(a), defined(b)
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if kind(a) == kind(b) {
		return m.strictlyEqual(a, b)
	}
	a, b = m.primitive(a), m.primitive(b)
	if kind(a) == kindText && kind(b) == kindText {
		return m.strictlyEqual(a, b)
	}
	return m.number(a) == m.number(b)
}

// strictlyEqual is ===. Two arrays and two objects are never the same one.
func (m *machine) strictlyEqual(a, b any) bool {
	switch a := a.(type) {
	case nil:
		return b == nil
	case undefined:
		return b == undefined{}
	case bool:
		b, ok := b.(bool)
		return ok && a == b
	case float64:
		b, ok := b.(float64)
		return ok && a == b
	case string:
		b, ok := b.(string)
		if ok && len(a) == len(b) {
			m.spendText(len(a))
			return a == b
		}
	}
	return false
}

func defined(value any) any {
	if value == (undefined{}) {
		return nil
	}
	return value
}

// less is <, and whether the two can be ordered at all.
func (m *machine) compare(a, b any) (less, equal bool) {
	a, b = m.primitive(a), m.primitive(b)
	x, isText := a.(string)
	if y, both := b.(string); isText && both {
		m.spendText(min(len(x), len(y)))
		return x < y, x == y
	}
	n, o := m.number(a), m.number(b)
	return n < o, n == o
}

// primitive converts arrays and objects to text, as ECMAScript does before it compares.
func (m *machine) primitive(value any) any {
	if k := kind(value); k == kindArray || k == kindObject {
		return m.textOf(value)
	}
	return value
}

type valueKind int

const (
	kindNull valueKind = iota
	kindBoolean
	kindNumber
	kindText
	kindArray
	kindObject
)

func kind(value any) valueKind {
	switch value.(type) {
	case bool:
		return kindBoolean
	case float64:
		return kindNumber
	case string:
		return kindText
	case []any:
		return kindArray
	case map[string]any:
		return kindObject
	}
	return kindNull
}
