package schema

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	ast "github.com/pganalyze/pg_query_go/v6"
	pgquery "github.com/wasilibs/go-pgquery"
)

var allowance = regexp.MustCompile(`(?m)^-- lint: allow ([a-z_, ]+)$`)

// upward is a migration without what takes it back. Lines keep their numbers.
func upward(text string) string {
	before, _, _ := strings.Cut(text, "-- +goose Down")
	return before
}

// read looks at the statements of one file.
func (l *linter) read(file, text string) {
	l.file, l.allowed = file, map[string]bool{}
	for _, match := range allowance.FindAllStringSubmatch(text, -1) {
		for _, name := range strings.Split(match[1], ",") {
			l.allowed[strings.TrimSpace(name)] = true
		}
	}
	if err := l.within(1, text, l.statement); err != nil {
		l.passage = passage{text: text}
		l.report("unreadable", err.Error()+".")
	}
}

// passage is where the linter reads: a text, and the statement in it.
type passage struct {
	text       string
	at, length int // of the statement, in bytes; a length of 0 reaches to the end
}

// statementText is the statement as it stands there.
func (p passage) statementText() string {
	if p.length == 0 {
		return p.text[p.at:]
	}
	return p.text[p.at : p.at+p.length]
}

// within visits the statements of text, which begins on a line of the file, and returns to where it was.
func (l *linter) within(line int, text string, visit func(*ast.Node)) error {
	tree, err := parse(text)
	if err != nil {
		return err
	}
	outer := l.passage
	defer func() { l.passage = outer }()
	above := strings.Repeat("\n", line-1)
	for _, statement := range tree.GetStmts() {
		l.passage = passage{text: above + text, at: len(above) + int(statement.GetStmtLocation()), length: int(statement.GetStmtLen())}
		visit(statement.GetStmt())
	}
	return nil
}

// reportAt reports on a line within the statement.
func (l *linter) reportAt(line int, lint, detail string) {
	outer := l.passage
	defer func() { l.passage = outer }()
	l.goTo(place{l.file, line, l.allowed})
	l.report(lint, detail)
}

// lineOf is the line that part of the statement, as it stands there, begins on. What does not stand there, because it was quoted, begins
// with the statement.
func (l *linter) lineOf(part string) int {
	if i := strings.Index(l.statementText(), part); i >= 0 {
		return strings.Count(l.text[:l.at+i], "\n") + 1
	}
	return l.line()
}

// parse runs PostgreSQL's own parser.
func parse(text string) (*ast.ParseResult, error) { return guarded(pgquery.Parse, text) }

// parsing is held while a parser of PostgreSQL's runs, whose memory is shared.
var parsing sync.Mutex

// guarded runs one, whose traps are panics.
func guarded[T any](read func(string) (T, error), text string) (result T, err error) {
	parsing.Lock()
	defer parsing.Unlock()
	defer func() {
		if trap := recover(); trap != nil {
			err = fmt.Errorf("the parser gave up: %v", trap)
		}
	}()
	return read(text)
}

func (l *linter) report(lint, detail string) {
	if l.allowed[lint] {
		return
	}
	level := LintError
	if slices.Contains(warnings, lint) {
		level = LintWarning
	}
	l.problems = append(l.problems, Problem{Level: level, Lint: lint, File: l.file, Line: l.line(), Detail: detail, Hint: lintHints[lint]})
}

// line is where the statement begins, behind blanks and comments.
func (l *linter) line() int {
	at := min(l.at, len(l.text))
	rest := l.text[at:]
	for {
		trimmed := strings.TrimLeft(rest, " \t\r\n;")
		if strings.HasPrefix(trimmed, "--") {
			_, trimmed, _ = strings.Cut(trimmed, "\n")
		}
		if len(trimmed) == len(rest) {
			break
		}
		rest = trimmed
	}
	return strings.Count(l.text[:len(l.text)-len(rest)], "\n") + 1
}

// place is where something is said that is judged once everything is read.
type place struct {
	file    string
	line    int
	allowed map[string]bool // by the file
}

func (l *linter) place() place { return place{l.file, l.line(), l.allowed} }

// goTo makes p what is reported on.
func (l *linter) goTo(p place) {
	above := strings.Repeat("\n", p.line-1)
	l.file, l.allowed, l.passage = p.file, p.allowed, passage{text: above, at: len(above)}
}
