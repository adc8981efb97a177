package rest

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// parseQuery parses a raw query string. Where call is set, a parameter without an operator is an argument
// of the function that is called.
func parseQuery(raw string, call bool) (*Query, error) {
	pairs := splitQuery(raw)
	q := &Query{Canonical: canonicalQuery(pairs), Ranges: map[string]Range{}, FilterFields: map[string]bool{}}
	selected := "*"
	seen := map[string]bool{}
	for _, p := range pairs {
		if !p.assigned { // passed over, it would widen what is read or deleted
			return nil, &syntaxError{"failed to parse parameter (" + p.name + ")", p.name, "end of input", `"="`}
		}
		var err error
		switch last := p.name[strings.LastIndexByte(p.name, '.')+1:]; {
		case seen[p.name] && (p.name == "select" || p.name == "columns" || p.name == "on_conflict"):
		case p.name == "select":
			selected = p.value
		case p.name == "columns":
			q.Columns, err = parseNames("columns", p.value)
		case p.name == "on_conflict":
			q.OnConflict, err = parseNames("on_conflict", p.value)
		case last == "order":
			err = q.addOrder(p.name, p.value)
		case last == "limit" || last == "offset":
			q.addRange(p.name, last, p.value)
		case last == "and" || last == "or":
			err = q.addLogic(p.name, p.value)
		default:
			err = q.addFilter(p.name, p.value, call)
		}
		if err != nil {
			return nil, err
		}
		seen[p.name] = true
	}
	var err error
	q.Select, err = parseSelect(selected)
	return q, err
}

type queryPair struct {
	name, value string
	assigned    bool // has a =
}

func splitQuery(raw string) []queryPair {
	var pairs []queryPair
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, assigned := strings.Cut(part, "=")
		pairs = append(pairs, queryPair{unescape(name), unescape(value), assigned})
	}
	return pairs
}

// unescape takes what is not well escaped as it stands.
func unescape(text string) string {
	text = strings.ReplaceAll(text, "+", " ")
	if !strings.Contains(text, "%") {
		return strings.ToValidUTF8(text, "\uFFFD")
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			if n, err := strconv.ParseUint(text[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return strings.ToValidUTF8(b.String(), "\uFFFD")
}

// canonicalQuery is the query string with its parameters sorted, for Content-Location.
func canonicalQuery(pairs []queryPair) string {
	sorted := slices.Clone(pairs)
	slices.SortStableFunc(sorted, func(a, b queryPair) int { return cmp.Compare(a.name, b.name) })
	var b strings.Builder
	for i, p := range sorted {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(escape(p.name))
		if p.assigned {
			b.WriteByte('=')
			b.WriteString(escape(p.value))
		}
	}
	return b.String()
}

func escape(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}

func parseNames(parameter, value string) ([]string, error) {
	s := &scanner{what: "failed to parse " + parameter + " parameter (" + value + ")", text: value}
	names := []string{}
	for {
		name, err := s.fieldName()
		if err != nil {
			return nil, err
		}
		names = append(names, name)
		s.spaces()
		if !s.accept(",") {
			break
		}
		s.spaces()
	}
	if !s.atEnd() {
		return nil, s.trailing(`"," or end of input`)
	}
	if parameter == "columns" {
		slices.Sort(names)
		names = slices.Compact(names)
	}
	return names, nil
}

// addRange takes limit and offset. What is no number is no bound; a negative limit is for the request to
// refuse.
func (q *Query) addRange(name, kind, value string) {
	n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
	if err != nil {
		return
	}
	key := strings.TrimSuffix(name, kind) + "limit"
	r, ok := q.Ranges[key]
	if !ok {
		r.Limit = Unlimited
	}
	if kind == "limit" {
		r.Limit = max(n, -1) // whatever is negative is refused alike
	} else {
		r.Offset = max(n, 0)
	}
	q.Ranges[key] = r
}

// parsePath parses clients.projects.name->a: the way to a level, and a field there.
func parsePath(key string) (Path, Field, error) {
	s := &scanner{what: "failed to parse tree path (" + key + ")", text: key}
	var names []string
	for {
		name, err := s.fieldName()
		if err != nil {
			return nil, Field{}, err
		}
		names = append(names, name)
		if !s.accept(".") {
			break
		}
	}
	steps, err := s.jsonPath()
	if err != nil {
		return nil, Field{}, err
	}
	last := len(names) - 1
	return names[:last], Field{Name: names[last], JSON: steps}, nil
}

func (q *Query) addOrder(key, value string) error {
	path, _, err := parsePath(key)
	if err != nil {
		return err
	}
	terms, err := parseOrder(value)
	if err != nil {
		return err
	}
	q.Orders = append(q.Orders, OrderAt{path, terms})
	return nil
}

func (q *Query) addFilter(key, value string, call bool) error {
	q.FilterFields[key] = true
	path, field, err := parsePath(key)
	if err != nil {
		return err
	}
	s := &scanner{what: "failed to parse filter (" + value + ")", text: value}
	filter, err := s.condition(singleValue)
	if err != nil {
		if call && s.pos == 0 {
			q.Params = append(q.Params, Param{field.Name, value})
			return nil
		}
		return err
	}
	filter.Field = field
	q.Filters = append(q.Filters, FilterAt{path, filter})
	return nil
}

func (q *Query) addLogic(key, value string) error {
	s := &scanner{what: "failed to parse logic path (" + key + ")", text: key}
	var path Path
	var operator string
	negated := false
	for {
		name, err := s.fieldName()
		if err != nil {
			return err
		}
		if !s.accept(".") {
			operator = name
			break
		}
		if name == "not" {
			negated = true
		} else {
			path = append(path, name)
		}
	}
	if negated {
		operator = "not." + operator
	}
	tree, err := parseLogic(operator, value)
	if err != nil {
		return err
	}
	q.Logic = append(q.Logic, LogicAt{path, tree})
	return nil
}

func parseOrder(value string) ([]OrderTerm, error) {
	s := &scanner{what: "failed to parse order (" + value + ")", text: value}
	var terms []OrderTerm
	for {
		s.spaces()
		term, err := s.orderTerm()
		if err != nil {
			return nil, err
		}
		terms = append(terms, term)
		s.spaces()
		if !s.accept(",") {
			break
		}
	}
	if !s.atEnd() {
		return nil, s.trailing(`"," or end of input`)
	}
	return terms, nil
}

func (s *scanner) orderTerm() (term OrderTerm, err error) {
	start := s.pos
	if name, e := s.fieldName(); e == nil && s.accept("(") {
		if term.Field, err = s.field(); err != nil {
			return term, err
		}
		if !s.accept(")") {
			return term, s.fail(`")"`)
		}
		term.Relation = name
	} else {
		s.pos = start
		if term.Field, err = s.field(); err != nil {
			return term, err
		}
	}
	switch {
	case s.accept(".asc"):
		term.Direction = "asc"
	case s.accept(".desc"):
		term.Direction = "desc"
	}
	switch {
	case s.accept(".nullsfirst"):
		term.Nulls = "first"
	case s.accept(".nullslast"):
		term.Nulls = "last"
	}
	if s.accept(".") {
		if term.Direction != "" {
			return term, s.fail(`"nullsfirst" or "nullslast"`)
		}
		return term, s.fail(`"asc", "desc", "nullsfirst" or "nullslast"`)
	}
	return term, nil
}
