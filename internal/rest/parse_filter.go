package rest

import "strings"

// quantified are the operators that take (any) or (all); plain the others with one value. A longer name
// stands before its prefix.
var (
	quantified = [...]string{"eq", "gte", "gt", "lte", "lt", "like", "ilike", "match", "imatch"}
	plain      = [...]string{"neq", "cs", "cd", "ov", "sl", "sr", "nxr", "nxl", "adj"}
	fullText   = [...]string{"fts", "plfts", "phfts", "wfts"}
	isValues   = [...]string{"null", "not_null", "true", "false", "unknown"}
)

const operatorExpected = "operator (eq, gt, ...)"

// condition reads [not.]operator.value; value reads the value. Where it fails before anything was an
// operator, pos is where it was.
func (s *scanner) condition(value func(*scanner) (string, error)) (f Filter, err error) {
	start := s.pos
	f.Negated = s.accept("not.")
	switch {
	case s.accept("in."):
		f.Op = "in"
		f.Values, err = s.list()
		return f, err
	case s.accept("isdistinct."):
		f.Op = "isdistinct"
		f.Value, err = value(s)
		return f, err
	case s.accept("is."):
		f.Op = "is"
		f.Value, err = s.isValue()
		return f, err
	}
	if s.operator(&f) {
		f.Value, err = value(s)
		return f, err
	}
	if f.Negated {
		return f, s.fail(operatorExpected)
	}
	s.pos = start
	return f, s.fail(`"not" or ` + operatorExpected)
}

// operator reads the name of an operator, what it takes in parentheses, and the dot.
func (s *scanner) operator(f *Filter) bool {
	start := s.pos
	for _, name := range fullText {
		if s.accept(name) {
			if s.accept("(") {
				var err error
				if f.Language, err = s.identifier(); err != nil || !s.accept(")") {
					break
				}
			}
			if f.Op = name; s.accept(".") {
				return true
			}
			break
		}
	}
	s.pos, f.Language = start, ""
	for _, name := range plain {
		if s.accept(name + ".") {
			f.Op = name
			return true
		}
	}
	for _, name := range quantified {
		if !s.accept(name) {
			continue
		}
		switch {
		case s.accept("(any)"):
			f.Quantifier = "any"
		case s.accept("(all)"):
			f.Quantifier = "all"
		}
		if s.accept(".") {
			f.Op = name
			return true
		}
		s.pos, f.Quantifier = start, ""
	}
	return false
}

func (s *scanner) isValue() (string, error) {
	for _, value := range isValues {
		if len(s.text)-s.pos >= len(value) && strings.EqualFold(s.text[s.pos:s.pos+len(value)], value) {
			s.pos += len(value)
			return value, nil
		}
	}
	return "", s.fail("isVal: (null, not_null, true, false, unknown)")
}

// singleValue is all the rest.
func singleValue(s *scanner) (string, error) {
	value := s.text[s.pos:]
	s.pos = len(s.text)
	return value, nil
}

// listedValue is a value among others in parentheses: quoted, an array in braces, or up to the next comma or
// parenthesis.
func listedValue(s *scanner) (string, error) {
	start := s.pos
	if s.peek() == '"' {
		if value, err := s.quoted(); err == nil && (s.atEnd() || s.peek() == ',' || s.peek() == ')') {
			return value, nil
		}
		s.pos = start
	}
	if s.accept("{") {
		s.run(func(r rune) bool { return r != '{' && r != '}' })
		if s.accept("}") {
			return s.text[start:s.pos], nil
		}
		s.pos = start
	}
	return s.run(func(r rune) bool { return r != ',' && r != ')' }), nil
}

// list reads (a,"b",c).
func (s *scanner) list() ([]string, error) {
	s.spaces()
	if !s.accept("(") {
		return nil, s.fail(`"("`)
	}
	s.spaces()
	var values []string
	for {
		start := s.pos
		if s.peek() == '"' {
			if value, err := s.quoted(); err == nil && (s.atEnd() || s.peek() == ',' || s.peek() == ')') {
				values = append(values, value)
			} else {
				s.pos = start
				values = append(values, s.run(func(r rune) bool { return r != ',' && r != ')' }))
			}
		} else {
			values = append(values, s.run(func(r rune) bool { return r != ',' && r != ')' }))
		}
		if !s.accept(",") {
			break
		}
	}
	if !s.accept(")") {
		return nil, s.fail(`"," or ")"`)
	}
	s.spaces()
	return values, nil
}

// parseLogic parses the value of and= and or=; operator is that name, with not. before it.
func parseLogic(operator, value string) (Logic, error) {
	s := &scanner{what: "failed to parse logic tree (" + value + ")", text: operator + value}
	tree, err := s.logic()
	if err != nil {
		return Logic{}, err
	}
	if !s.atEnd() && s.peek() != ')' { // a parenthesis too many is passed over, as PostgREST does
		return Logic{}, s.trailing("end of input")
	}
	return tree, nil
}

// logic reads field.operator.value, or [not.]and|or(…).
func (s *scanner) logic() (Logic, error) {
	start := s.pos
	if f, deep, err := s.logicFilter(); err == nil {
		return Logic{Filter: &f}, nil
	} else if deep && !s.isLogicOperator(start) {
		return Logic{}, err
	}
	s.pos = start
	tree := Logic{Negated: s.accept("not.")}
	switch {
	case s.accept("and"):
	case s.accept("or"):
		tree.Or = true
	case tree.Negated:
		return tree, s.fail("logic operator (and, or)")
	default:
		return tree, s.fail(fieldNameExpected + ", negation operator (not) or logic operator (and, or)")
	}
	if s.spaces(); !s.accept("(") {
		return tree, s.fail(`"("`)
	}
	if err := s.enter(); err != nil {
		return tree, err
	}
	defer s.leave()
	for {
		s.spaces()
		term, err := s.logic()
		if err != nil {
			return tree, err
		}
		tree.Terms = append(tree.Terms, term)
		if s.spaces(); !s.accept(",") {
			break
		}
	}
	if !s.accept(")") {
		return tree, s.fail(`"," or ")"`)
	}
	s.spaces()
	return tree, nil
}

// logicFilter reads a filter; deep says that what failed was recognisably one.
func (s *scanner) logicFilter() (f Filter, deep bool, err error) {
	field, err := s.field()
	if err != nil {
		return f, false, err
	}
	if !s.accept(".") {
		return f, false, s.fail("delimiter (.)")
	}
	start := s.pos
	f, err = s.condition(listedValue)
	f.Field = field
	return f, s.pos > start || err == nil, err
}

func (s *scanner) isLogicOperator(pos int) bool {
	rest := strings.TrimPrefix(s.text[pos:], "not.")
	return strings.HasPrefix(rest, "and") || strings.HasPrefix(rest, "or")
}
