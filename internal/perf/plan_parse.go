package perf

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	ast "github.com/pganalyze/pg_query_go/v6"
	pgquery "github.com/wasilibs/go-pgquery"
	"github.com/wasilibs/go-pgquery/parser"

	"github.com/vital-db/vital/internal/fault"
)

// maxStatement bounds what is parsed.
const maxStatement = 64 << 10

// parsing is held while PostgreSQL's own parser runs, whose memory is shared.
var parsing sync.Mutex

// guarded runs the parser, whose traps are panics.
func guarded[T any](run func() (T, error)) (result T, err error) {
	parsing.Lock()
	defer parsing.Unlock()
	defer func() {
		if trap := recover(); trap != nil {
			err = fmt.Errorf("the parser gave up: %v", trap)
		}
	}()
	return run()
}

// ParseStatement returns the command of text, which must be one statement that reads or writes rows. Anything else
// cannot be explained, or is nothing that requests run.
func ParseStatement(text string) (command string, err error) {
	if strings.TrimSpace(text) == "" {
		return "", fault.New(fault.Usage, "There is no statement.", "Give one SELECT, INSERT, UPDATE or DELETE, - for standard input, or the word context.")
	}
	if len(text) > maxStatement || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return "", fault.New(fault.Usage, "The statement is too long, or is not UTF-8 text.", fmt.Sprintf("At most %d KiB are explained.", maxStatement>>10))
	}
	tree, err := guarded(func() (*ast.ParseResult, error) { return pgquery.Parse(text) })
	if err != nil {
		return "", unreadable(text, err)
	}
	if n := len(tree.GetStmts()); n != 1 {
		return "", fault.New(fault.Usage, fmt.Sprintf("These are %d statements.", n), "One is explained at a time.")
	}
	command = commandOf(tree.GetStmts()[0].GetStmt())
	if command == "" {
		return "", fault.New(fault.Usage, "Only a SELECT, INSERT, UPDATE, DELETE or MERGE is explained.",
			"A definition, a setting or a transaction has no plan; what defines something is checked by `vital migrate plan`.")
	}
	return command, nil
}

func commandOf(statement *ast.Node) string {
	switch {
	case statement.GetSelectStmt() != nil && statement.GetSelectStmt().GetIntoClause() == nil:
		return "select"
	case statement.GetInsertStmt() != nil:
		return "insert"
	case statement.GetUpdateStmt() != nil:
		return "update"
	case statement.GetDeleteStmt() != nil:
		return "delete"
	case statement.GetMergeStmt() != nil:
		return "merge"
	}
	return ""
}

// unreadable says what the parser said, and where.
func unreadable(text string, err error) error {
	f := fault.Wrap(err, fault.Invalid, sentence(err.Error()), "The statement is read by PostgreSQL's own parser; nothing was run.")
	var said *parser.Error
	if errors.As(err, &said) && said.Cursorpos > 0 {
		f.Detail = pointAt(text, said.Cursorpos)
	}
	return f
}
