package rest

import "strings"

func parseSelect(value string) ([]SelectItem, error) {
	s := &scanner{what: "failed to parse select parameter (" + value + ")", text: value}
	items, err := s.selectList()
	if err != nil {
		return nil, err
	}
	if !s.atEnd() && s.peek() != ')' { // a parenthesis too many is passed over, as PostgREST does
		return nil, s.trailing(`"," or end of input`)
	}
	return items, nil
}

// selectList reads items up to a closing parenthesis or the end; there may be none.
func (s *scanner) selectList() ([]SelectItem, error) {
	var items []SelectItem
	s.spaces()
	if s.atEnd() || s.peek() == ')' {
		return nil, nil
	}
	for {
		s.spaces()
		item, err := s.selectItem()
		if err != nil {
			return nil, err
		}
		items = append(items, item)
		s.spaces()
		if !s.accept(",") {
			return items, nil
		}
	}
}

func (s *scanner) selectItem() (SelectItem, error) {
	start := s.pos
	if item, ok := s.embedding(); ok {
		s.pos++ // the parenthesis that embedding saw
		if err := s.enter(); err != nil {
			return item, err
		}
		defer s.leave()
		var err error
		if item.Items, err = s.selectList(); err != nil {
			return item, err
		}
		if !s.accept(")") {
			return item, s.fail(`"," or ")"`)
		}
		return item, nil
	}
	s.pos = start
	return s.selectField()
}

// embedding reads alias:relation!hint!inner or ...relation!hint up to a parenthesis; ok is false when it is
// something else that stands here.
func (s *scanner) embedding() (item SelectItem, ok bool) {
	item.Kind = SelectRelation
	if s.accept("...") {
		item.Kind = SelectSpread
	} else {
		item.Alias = s.alias()
	}
	name, err := s.fieldName()
	if err != nil || item.Kind == SelectRelation && name == "count" {
		return item, false
	}
	item.Relation = name
	for range 2 {
		if !s.accept("!") {
			break
		}
		switch {
		case item.Join == "" && s.accept("left"):
			item.Join = "left"
		case item.Join == "" && s.accept("inner"):
			item.Join = "inner"
		default:
			hint, err := s.fieldName()
			if err != nil {
				return item, false
			}
			if item.Hint == "" {
				item.Hint = hint
			}
		}
	}
	return item, s.peek() == '('
}

// alias reads name: where it is not the start of a cast, else nothing.
func (s *scanner) alias() string {
	start := s.pos
	if name, err := s.fieldName(); err == nil && s.looksAt(":") && !s.looksAt("::") {
		s.pos++
		return name
	}
	s.pos = start
	return ""
}

func (s *scanner) selectField() (item SelectItem, err error) {
	if s.accept("*") {
		item.Field.Name = "*"
		if s.spaces(); !s.itemEnds() {
			return item, s.trailing(`")", "," or end of input`)
		}
		return item, nil
	}
	item.Alias = s.alias()
	if s.accept("count()") {
		item.Field.Name, item.Aggregate = "*", "count"
	} else {
		if item.Field, err = s.field(); err != nil {
			return item, err
		}
		if s.accept("::") {
			if item.Cast, err = s.identifier(); err != nil {
				return item, err
			}
		}
		item.Aggregate = s.aggregate()
	}
	if s.accept("::") {
		if item.AggregateCast, err = s.identifier(); err != nil {
			return item, err
		}
	}
	if item.Aggregate == "" && item.AggregateCast != "" {
		return item, s.fail(`")", "," or end of input`) // a cast of a cast
	}
	if s.spaces(); !s.itemEnds() {
		return item, s.trailing(`letter, digit, "-", "->>", "->", "::", ".", ")", "," or end of input`)
	}
	return item, nil
}

func (s *scanner) aggregate() string {
	for _, name := range [...]string{"sum", "avg", "count", "max", "min"} {
		if s.accept("." + name + "()") {
			return name
		}
	}
	return ""
}

func (s *scanner) itemEnds() bool { return s.atEnd() || strings.IndexByte("),", s.peek()) >= 0 }
