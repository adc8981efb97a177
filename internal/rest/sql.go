package rest

import (
	"strconv"
	"strings"
)

// sqlWriter puts a statement together. Text is ours or quoted; everything that came with the request and is
// no name is a value, and values only ever become parameters.
type sqlWriter struct {
	strings.Builder
	values [][]byte
}

func (w *sqlWriter) text(parts ...string) {
	for _, part := range parts {
		w.WriteString(part)
	}
}

// name writes an identifier. Quoting makes any text one; the server refuses those it does not know.
func (w *sqlWriter) name(identifier string) {
	w.WriteByte('"')
	w.WriteString(strings.ReplaceAll(untilZero(identifier), `"`, `""`))
	w.WriteByte('"')
}

// untilZero is an identifier as PostgreSQL will know it: its text ends at a zero byte.
func untilZero(identifier string) string {
	before, _, _ := strings.Cut(identifier, "\x00")
	return before
}

func (w *sqlWriter) qualified(n Name) {
	if n.Schema != "" {
		w.name(n.Schema)
		w.WriteByte('.')
	}
	w.name(n.Name)
}

// value writes a parameter whose type the server infers.
func (w *sqlWriter) value(text string) { w.bytes([]byte(text)) }

func (w *sqlWriter) bytes(value []byte) {
	w.values = append(w.values, value)
	w.WriteByte('$')
	w.WriteString(strconv.Itoa(len(w.values)))
}

// list writes items with separator between them.
func list[T any](w *sqlWriter, separator string, items []T, write func(T)) {
	for i, item := range items {
		if i > 0 {
			w.text(separator)
		}
		write(item)
	}
}

// arrayLiteral is a PostgreSQL array of texts.
func arrayLiteral(values []string) string {
	var b strings.Builder
	b.WriteByte('{')
	for i, value := range values {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('"')
		b.WriteString(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value))
		b.WriteByte('"')
	}
	b.WriteByte('}')
	return b.String()
}

// member writes a column of what qualifier names; "" is nothing.
func (w *sqlWriter) member(qualifier func(), name string) {
	qualifier()
	w.WriteByte('.')
	if name == "*" {
		w.WriteByte('*')
		return
	}
	w.name(name)
}

// column writes a column and the steps into its JSON.
func (w *sqlWriter) column(qualifier func(), c *column) {
	switch {
	case c.wholeRow:
		w.text("1") // not null wherever there is a row
	case len(c.json) == 0:
		w.member(qualifier, c.name)
	case c.toJSON:
		w.text("to_jsonb(")
		w.member(qualifier, c.name)
		w.text(")")
	default:
		w.member(qualifier, c.name)
	}
	for _, step := range c.json {
		if step.AsText {
			w.text("->>")
		} else {
			w.text("->")
		}
		w.value(step.Operand)
		if step.IsIndex {
			w.text("::int")
		}
	}
}

func (w *sqlWriter) selected(qualifier func(), s *selected) {
	if s.aggregateCast != "" {
		w.text("CAST(")
	}
	if s.aggregate != "" {
		w.text(s.aggregate, "(")
	}
	if s.cast != "" {
		w.text("CAST(")
	}
	if s.column.transform != "" {
		w.text(s.column.transform, "(")
	}
	w.column(qualifier, &s.column)
	if s.column.transform != "" {
		w.text(")")
	}
	if s.cast != "" {
		w.text(" AS ", s.cast, ")")
	}
	if s.aggregate != "" {
		w.text(")")
	}
	if s.aggregateCast != "" {
		w.text(" AS ", s.aggregateCast, ")")
	}
	w.as(s.alias)
}

func (w *sqlWriter) as(alias string) {
	if alias != "" {
		w.text(" AS ")
		w.name(alias)
	}
}

// operators are the SQL of operators with one value on their right.
var operators = map[string]string{
	"eq": "=", "gte": ">=", "gt": ">", "lte": "<=", "lt": "<", "like": "LIKE", "ilike": "ILIKE", "match": "~", "imatch": "~*",
	"neq": "<>", "cs": "@>", "cd": "<@", "ov": "&&", "sl": "<<", "sr": ">>", "nxr": "&<", "nxl": "&>", "adj": "-|-",
	"isdistinct": "IS DISTINCT FROM",
}

var isOperands = map[string]string{
	"null": "NULL", "not_null": "NOT NULL", "true": "TRUE", "false": "FALSE", "unknown": "UNKNOWN",
}

var textSearch = map[string]string{
	"fts": "to_tsquery", "plfts": "plainto_tsquery", "phfts": "phraseto_tsquery", "wfts": "websearch_to_tsquery",
}

// filter writes a condition.
func (w *sqlWriter) filter(qualifier func(), f *filter) {
	if f.Negated {
		w.text("NOT ")
	}
	if f.column.vector {
		w.text("to_tsvector(")
		w.searchLanguage(f.column.language)
	}
	w.column(qualifier, &f.column)
	if f.column.vector {
		w.text(")")
	}
	w.text(" ")
	switch f.Op {
	case "is":
		w.text("IS ", isOperands[f.Value])
	case "in":
		w.among(f)
	case "fts", "plfts", "phfts", "wfts":
		w.text("@@ ", textSearch[f.Op], "(")
		w.searchLanguage(f.Language)
		w.value(f.Value)
		w.text(")")
	case "isdistinct":
		w.text("IS DISTINCT FROM ")
		w.value(f.Value)
	default:
		w.text(operators[f.Op], " ")
		w.operand(f)
	}
}

func (w *sqlWriter) searchLanguage(language string) {
	if language != "" {
		w.value(language)
		w.text(", ")
	}
}

// operand writes the value, or any or all of the values of an array.
func (w *sqlWriter) operand(f *filter) {
	value, transform := f.Value, f.column.transform
	if f.Op == "like" || f.Op == "ilike" {
		value, transform = strings.ReplaceAll(value, "*", "%"), ""
	}
	if f.Quantifier != "" {
		w.text(strings.ToUpper(f.Quantifier), "(")
	}
	if transform != "" {
		w.text(transform, "(")
	}
	w.value(value)
	if transform != "" {
		w.text(")")
	}
	if f.Quantifier != "" {
		w.text(")")
	}
}

// among writes a test against a list: one parameter, however long it is.
func (w *sqlWriter) among(f *filter) {
	if len(f.Values) == 1 && f.Values[0] == "" {
		w.text("= ANY ('{}')")
		return
	}
	if f.column.transform != "" {
		w.text("= ANY (SELECT ", f.column.transform, "(unnest(")
		w.value(arrayLiteral(f.Values))
		w.text("::text[])))")
		return
	}
	w.text("= ANY (")
	w.value(arrayLiteral(f.Values))
	w.text(")")
}

// condition writes a tree of conditions; embedded writes the question whether there is a child.
func (w *sqlWriter) condition(qualifier func(), l *logic, embedded func(*logic)) {
	switch {
	case l.embedded != nil:
		embedded(l)
	case l.filter != nil:
		w.filter(qualifier, l.filter)
	default:
		if l.negated {
			w.text("NOT ")
		}
		operator := " AND "
		if l.or {
			operator = " OR "
		}
		w.text("(")
		for i := range l.terms {
			if i > 0 {
				w.text(operator)
			}
			w.condition(qualifier, &l.terms[i], embedded)
		}
		w.text(")")
	}
}

// embedExists is a child's null test within the statement that joins it.
func (w *sqlWriter) embedExists(l *logic) {
	w.embedded(l.embedded)
	if l.negated {
		w.text(" IS DISTINCT FROM NULL")
	} else {
		w.text(" IS NOT DISTINCT FROM NULL")
	}
}

// embedded writes what is null exactly when nothing of a child is there: its row, or the column of its list.
// Never its bare name, which a column could carry too.
func (w *sqlWriter) embedded(child *readPlan) {
	column := child.embedAs
	if child.isSingle() {
		column = "*"
	}
	w.member(func() { w.name(child.embedAs) }, column)
}

func (w *sqlWriter) order(qualifier func(), terms []ordering) {
	if len(terms) == 0 {
		return
	}
	w.text(" ORDER BY ")
	list(w, ", ", terms, func(o ordering) {
		if o.relation != "" {
			w.column(func() { w.name(o.relation) }, &o.column)
		} else {
			w.column(qualifier, &o.column)
		}
		if o.direction != "" {
			w.text(" ", strings.ToUpper(o.direction))
		}
		if o.nulls != "" {
			w.text(" NULLS ", strings.ToUpper(o.nulls))
		}
	})
}

func (w *sqlWriter) window(r Range) {
	if r.Limit != Unlimited {
		w.text(" LIMIT ")
		w.value(strconv.FormatInt(r.Limit, 10))
	}
	if r.Offset != 0 {
		w.text(" OFFSET ")
		w.value(strconv.FormatInt(r.Offset, 10))
	}
}
