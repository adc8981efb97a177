package isolation

import (
	"slices"
	"strings"
)

// An expression of a policy is read as pg_get_expr writes it: AND, OR and NOT always in parentheses of their
// own, keywords in capitals, functions and columns as quote_ident has them.

// quoted marks a byte that stands in quotes, in what nesting returns.
const quoted = -1

// nesting returns how deep in parentheses and brackets each byte of an expression stands, they themselves as
// deep as what is around them; ok is false when they do not match.
func nesting(expression string) (depth []int, ok bool) {
	depth = make([]int, len(expression))
	var open []byte
	for i := 0; i < len(expression); i++ {
		switch c := expression[i]; c {
		case '\'', '"':
			end := strings.IndexByte(expression[i+1:], c) // a doubled quote is the end of one part and the start of the next
			if end < 0 {
				return nil, false
			}
			for j := i; j <= i+1+end; j++ {
				depth[j] = quoted
			}
			i += 1 + end
			continue
		case '(', '[':
			depth[i] = len(open)
			open = append(open, c)
			continue
		case ')', ']':
			if len(open) == 0 || open[len(open)-1] != map[byte]byte{')': '(', ']': '['}[c] {
				return nil, false
			}
			open = open[:len(open)-1]
		}
		depth[i] = len(open)
	}
	return depth, len(open) == 0
}

// strip takes the parentheses away that stand around all of an expression, but not those of a subquery.
func strip(expression string) string {
	for {
		expression = strings.TrimSpace(expression)
		depth, ok := nesting(expression)
		if !ok || !strings.HasPrefix(expression, "(") || closing(depth, 0) != len(expression)-1 {
			return expression
		}
		inner := expression[1 : len(expression)-1]
		if isQuery(inner) || strings.TrimSpace(inner) == "" {
			return expression
		}
		expression = inner
	}
}

// closing returns where the parenthesis at open ends.
func closing(depth []int, open int) int {
	for i := open + 1; i < len(depth); i++ {
		if depth[i] == depth[open] {
			return i
		}
	}
	return len(depth)
}

func isQuery(text string) bool {
	first, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	first, _, _ = strings.Cut(first, "\n")
	return slices.Contains([]string{"SELECT", "WITH", "VALUES"}, first)
}

// splitJunction returns the parts of an expression that AND or OR joins at its top, and which; "" when
// neither does.
func splitJunction(expression string) (operator string, parts []string) {
	expression = strip(expression)
	depth, ok := nesting(expression)
	if !ok {
		return "", nil
	}
	start := 0
	for i := range expression {
		for word, name := range map[string]string{" AND ": "and", " OR ": "or"} {
			if i < start || depth[i] != 0 || !strings.HasPrefix(expression[i:], word) {
				continue
			}
			if operator != "" && operator != name {
				return "", nil // not as pg_get_expr writes it
			}
			operator = name
			parts = append(parts, strip(expression[start:i]))
			start = i + len(word)
		}
	}
	if operator == "" || slices.Contains(parts, "") || strip(expression[start:]) == "" {
		return "", nil
	}
	return operator, append(parts, strip(expression[start:]))
}

// term is something in an expression that has a value of its own: a column, a function's answer, a subquery.
type term struct {
	label string
	query string // of one column, with the table's name in scope
}

// callWords are the keywords that are written like a function and have a value like one, and valueWords those
// that stand alone.
var (
	callWords  = []string{"COALESCE", "NULLIF", "GREATEST", "LEAST", "EXTRACT"}
	valueWords = []string{"CURRENT_USER", "SESSION_USER", "CURRENT_ROLE", "USER", "CURRENT_DATE", "CURRENT_TIMESTAMP"}
)

// terms returns those of an expression over relation; columns are the relation's, as quote_ident has them.
func terms(expression, relation string, columns []string) []term {
	depth, ok := nesting(expression)
	if !ok {
		return nil
	}
	var found []term
	add := func(label, query string) {
		if !slices.ContainsFunc(found, func(t term) bool { return t.label == label }) {
			found = append(found, term{label, query})
		}
	}
	for i := 0; i < len(expression); {
		if expression[i] == '(' && depth[i] != quoted && isQuery(expression[i+1:closing(depth, i)]) {
			end := closing(depth, i)
			if !strings.HasSuffix(strings.TrimSpace(expression[:i]), "EXISTS") { // its value is that of the part it is
				add(queryLabel(expression[i+1:end]), expression[i+1:end])
			}
			i = end + 1
			continue
		}
		if expression[i] == '\'' { // a literal; nesting has seen its end
			i += len("''") + strings.IndexByte(expression[i+1:], '\'')
			continue
		}
		end := nameEnd(expression, i)
		if end == i {
			i++
			continue
		}
		name := expression[i:end]
		switch {
		case strings.HasSuffix(expression[:i], "::"): // a type
		case slices.Contains(valueWords, name):
			add(name, "SELECT "+name)
		case end < len(expression) && expression[end] == '(' && (!isKeyword(name) || slices.Contains(callWords, name)):
			end = closing(depth, end) + 1
			add(expression[i:end], "SELECT "+expression[i:end])
		case slices.Contains(columns, strings.TrimPrefix(name, relation+".")):
			column := strings.TrimPrefix(name, relation+".")
			add(column, "SELECT "+relation+"."+column)
		}
		i = end
	}
	return found
}

// nameEnd returns where the name that begins at i ends, dots and quotes included; i when none begins there.
func nameEnd(expression string, i int) int {
	end := i
	for end < len(expression) {
		switch c := expression[end]; {
		case c == '"':
			next := strings.IndexByte(expression[end+1:], '"')
			if next < 0 {
				return i
			}
			end += next + 2
		case c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80,
			end > i && (c == '.' || c == '$' || c >= '0' && c <= '9'):
			end++
		default:
			return end
		}
	}
	return end
}

// isKeyword tells a keyword from a function or column: those are written in small letters, or in quotes.
func isKeyword(name string) bool {
	return name != "" && !strings.ContainsAny(name, `".`) && strings.ToUpper(name) == name
}

// queryLabel names a subquery for a person: one that only calls a function by the call.
func queryLabel(query string) string {
	query = strings.Join(strings.Fields(query), " ")
	call, isSelect := strings.CutPrefix(query, "SELECT ")
	depth, ok := nesting(call)
	if !isSelect || !ok {
		return "(" + query + ")"
	}
	for i := range call {
		if depth[i] == 0 && strings.HasPrefix(call[i:], " AS ") {
			if name := call[i+len(" AS "):]; nameEnd(name, 0) == len(name) {
				return call[:i]
			}
			break
		}
	}
	return "(" + query + ")"
}
