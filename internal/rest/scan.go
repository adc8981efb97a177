package rest

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxNesting bounds how deep parentheses may nest in one parameter.
const maxNesting = 100

// scanner reads one parameter's value. Its errors say where, as PostgREST's do.
type scanner struct {
	what  string // "failed to parse order (id.asc)"
	text  string
	pos   int
	depth int
}

// syntaxError is where a value stopped making sense. Many are made that nobody reads, where something else
// turns out to stand there: so it counts nothing before it is asked.
type syntaxError struct {
	what                  string
	before                string // what made sense
	unexpected, expecting string
}

func (e *syntaxError) Error() string {
	return fmt.Sprintf("%q (line 1, column %d): %s", e.what, e.column(), e.detail())
}

func (e *syntaxError) column() int { return utf8.RuneCountInString(e.before) + 1 }

func (e *syntaxError) detail() string {
	if e.expecting == "" {
		return "unexpected " + e.unexpected
	}
	return "unexpected " + e.unexpected + " expecting " + e.expecting
}

// fail says that what stands at the current position was not expected.
func (s *scanner) fail(expecting string) error {
	unexpected := "end of input"
	if r, size := utf8.DecodeRuneInString(s.text[s.pos:]); size > 0 {
		unexpected = `"` + string(r) + `"`
	}
	return &syntaxError{s.what, s.text[:s.pos], unexpected, expecting}
}

// trailing is fail for what stands behind something complete.
func (s *scanner) trailing(expecting string) error {
	err := s.fail(expecting)
	if e, ok := err.(*syntaxError); ok && e.unexpected != "end of input" { //nolint:errorlint // fail made it
		e.unexpected = "'" + e.unexpected[1:len(e.unexpected)-1] + "'"
	}
	return err
}

func (s *scanner) atEnd() bool { return s.pos >= len(s.text) }

func (s *scanner) peek() byte {
	if s.atEnd() {
		return 0
	}
	return s.text[s.pos]
}

// accept passes over token if it stands here.
func (s *scanner) accept(token string) bool {
	if strings.HasPrefix(s.text[s.pos:], token) {
		s.pos += len(token)
		return true
	}
	return false
}

func (s *scanner) looksAt(token string) bool { return strings.HasPrefix(s.text[s.pos:], token) }

func (s *scanner) spaces() {
	for s.peek() == ' ' || s.peek() == '\t' {
		s.pos++
	}
}

// enter and leave count parentheses.
func (s *scanner) enter() error {
	if s.depth++; s.depth > maxNesting {
		return &syntaxError{s.what, s.text[:s.pos], "nesting deeper than " + fmt.Sprint(maxNesting), ""}
	}
	return nil
}

func (s *scanner) leave() { s.depth-- }

const fieldNameExpected = "field name (* or [a..z0..9_$])"

func isIdentifierRune(r rune) bool {
	return r == '_' || r == ' ' || r == '$' || '0' <= r && r <= '9' || unicode.IsLetter(r)
}

// run returns the longest run of runes that fit.
func (s *scanner) run(fits func(rune) bool) string {
	start := s.pos
	for !s.atEnd() {
		r, size := utf8.DecodeRuneInString(s.text[s.pos:])
		if !fits(r) {
			break
		}
		s.pos += size
	}
	return s.text[start:s.pos]
}

// dashed reads runs joined by dashes, but not by the dash of an arrow.
func (s *scanner) dashed(fits func(rune) bool, expecting string) (string, error) {
	var parts []string
	for {
		part := s.run(fits)
		if part == "" {
			return "", s.fail(expecting)
		}
		parts = append(parts, strings.TrimSpace(part))
		if !s.looksAt("-") || s.looksAt("->") {
			return strings.Join(parts, "-"), nil
		}
		s.pos++
	}
}

// fieldName reads a name, quoted or not.
func (s *scanner) fieldName() (string, error) {
	start, read := s.pos, s.quoted
	if s.peek() != '"' {
		read = func() (string, error) { return s.dashed(isIdentifierRune, fieldNameExpected) }
	}
	name, err := read()
	if err == nil && (name == "" || name[0] == 0) { // what PostgreSQL calls a zero-length identifier
		s.pos = start
		return "", s.fail(fieldNameExpected)
	}
	return name, err
}

// quoted reads "…", in which a backslash takes the next rune as it is.
func (s *scanner) quoted() (string, error) {
	start := s.pos
	s.pos++
	var b strings.Builder
	for !s.atEnd() {
		r, size := utf8.DecodeRuneInString(s.text[s.pos:])
		s.pos += size
		switch r {
		case '"':
			return b.String(), nil
		case '\\':
			r, size = utf8.DecodeRuneInString(s.text[s.pos:])
			s.pos += size
			if size > 0 {
				b.WriteRune(r)
			}
		default:
			b.WriteRune(r)
		}
	}
	err := s.fail(`a closing "`)
	s.pos = start
	return "", err
}

// field reads a column and the steps into its JSON.
func (s *scanner) field() (Field, error) {
	s.spaces()
	name, err := s.fieldName()
	if err != nil {
		return Field{}, err
	}
	steps, err := s.jsonPath()
	s.spaces()
	return Field{Name: name, JSON: steps}, err
}

func (s *scanner) jsonPath() ([]JSONStep, error) {
	var steps []JSONStep
	for {
		step := JSONStep{}
		switch {
		case s.accept("->>"):
			step.AsText = true
		case s.accept("->"):
		default:
			return steps, nil
		}
		var err error
		if step.Operand, step.IsIndex, err = s.jsonOperand(); err != nil {
			return nil, err
		}
		steps = append(steps, step)
	}
}

func (s *scanner) jsonOperand() (operand string, index bool, err error) {
	start := s.pos
	sign := "+"
	if s.accept("-") {
		sign = "-"
	}
	digits := s.run(func(r rune) bool { return '0' <= r && r <= '9' })
	ends := s.atEnd() || s.looksAt("->") || s.looksAt("::") || s.looksAt(".") || s.looksAt(",")
	switch {
	case digits != "" && ends:
		return sign + digits, true, nil
	case sign == "-" && digits == "":
		return "", false, s.fail("digit")
	case sign == "-":
		return "", false, s.trailing(`digit, "->", "::", ".", "," or end of input`)
	}
	s.pos = start
	if s.peek() == '"' {
		operand, err = s.quoted()
		return operand, false, err
	}
	operand, err = s.dashed(func(r rune) bool { return !strings.ContainsRune("(-:.,>)", r) },
		`"-", digit or any non reserved character different from: .,>()`)
	return operand, false, err
}

// identifier reads the bare name of a type or a text search configuration.
func (s *scanner) identifier() (string, error) {
	name := strings.TrimSpace(s.run(isIdentifierRune))
	if name == "" {
		return "", s.fail("letter or digit")
	}
	return name, nil
}
