package isolation

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	ast "github.com/pganalyze/pg_query_go/v6"
	pgquery "github.com/wasilibs/go-pgquery"

	"github.com/vital-db/vital/internal/fault"
)

// Bounds of what is parsed; no policy comes near. The parser's stack, of 64 KiB, is not guarded: whatever
// recurses too deep overwrites the parser's own tables, and what it says then is worth nothing.
const (
	maxExpression = 64 << 10
	maxDepth      = 64
)

var errTooDeep = errors.New("it is too long or nested too deep to be followed")

// parser is held while PostgreSQL's own parser runs: it is compiled once, by its first use (about a second,
// then 50 µs an expression), and every caller beside another would compile one more.
var parser struct {
	sync.Mutex
	trapped any // why it can't be relied on any more
}

// guarded runs the parser, whose traps are panics.
func guarded[T any](run func() (T, error)) (result T, err error) {
	parser.Lock()
	defer parser.Unlock()
	defer func() {
		if trap := recover(); trap != nil {
			parser.trapped = trap
		}
		if parser.trapped != nil {
			err = fmt.Errorf("parse: the parser gave up: %v", parser.trapped)
		}
	}()
	return run()
}

// parseStatement parses the one SELECT that text must be.
func parseStatement(text string) (*ast.SelectStmt, error) {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return nil, unreadable(errors.New("it is no UTF-8 text"))
	}
	if len(text) > maxExpression {
		return nil, errTooDeep
	}
	scanned, err := guarded(func() (*ast.ScanResult, error) { return pgquery.Scan(text) })
	if err != nil {
		return nil, unreadable(err)
	}
	if depth(scanned.GetTokens()) > maxDepth {
		return nil, errTooDeep
	}
	tree, err := guarded(func() (*ast.ParseResult, error) { return pgquery.Parse(text) })
	if err != nil {
		return nil, unreadable(err)
	}
	if len(tree.GetStmts()) == 1 {
		if statement := tree.GetStmts()[0].GetStmt().GetSelectStmt(); statement != nil {
			return statement, nil
		}
	}
	return nil, unreadable(errors.New("it is not one SELECT"))
}

// depth bounds from above how deep what the tokens say is nested: everything between a pair of brackets may
// be nested in everything else there, but for names, constants and the chains of AND, OR and commas,
// which are lists.
func depth(tokens []*ast.ScanToken) int {
	type group struct{ own, within int }
	open := []group{{}}
	for _, token := range tokens {
		inmost := &open[len(open)-1]
		switch token.GetToken() {
		case ast.Token_ASCII_40, ast.Token_ASCII_91, ast.Token_CASE: // ( [
			open = append(open, group{own: 1})
		case ast.Token_ASCII_41, ast.Token_ASCII_93, ast.Token_END_P: // ) ]
			if len(open) > 1 {
				open = open[:len(open)-1]
				outer := &open[len(open)-1]
				outer.within = max(outer.within, inmost.own+inmost.within)
			}
		case ast.Token_IDENT, ast.Token_SCONST, ast.Token_ICONST, ast.Token_FCONST, ast.Token_AND, ast.Token_OR,
			ast.Token_ASCII_44, ast.Token_ASCII_46, ast.Token_SQL_COMMENT, ast.Token_C_COMMENT: // , .
		default:
			inmost.own++
		}
	}
	total := 0
	for i := len(open) - 1; i >= 0; i-- { // those never closed are no expression, which the parser will say
		total = open[i].own + max(open[i].within, total)
	}
	return total
}

// parseExpression parses one expression as pg_get_expr prints it.
func parseExpression(expression string) (*ast.Node, error) {
	statement, err := parseStatement("SELECT " + expression)
	if err != nil {
		return nil, err
	}
	target := onlyTarget(statement)
	if target == nil || !isBare(statement) || len(statement.GetFromClause()) > 0 || statement.GetWhereClause() != nil ||
		len(statement.GetSortClause()) > 0 || len(statement.GetDistinctClause()) > 0 ||
		statement.GetLimitCount() != nil || statement.GetLimitOffset() != nil || target.GetName() != "" {
		return nil, unreadable(errors.New("it is not one expression"))
	}
	return target.GetVal(), nil
}

func unreadable(err error) error {
	return fault.Wrap(err, fault.Invalid, "This is no SQL expression that can be read.", "Pass what pg_get_expr prints.")
}

// isBare says that a SELECT has none of the clauses that make rows of their own out of what they read:
// an aggregate without a group, for one, yields a row where there was none.
func isBare(s *ast.SelectStmt) bool {
	return s.GetWithClause() == nil && s.GetIntoClause() == nil && s.GetHavingClause() == nil && !s.GetGroupDistinct() &&
		len(s.GetGroupClause()) == 0 && len(s.GetWindowClause()) == 0 && len(s.GetValuesLists()) == 0 && len(s.GetLockingClause()) == 0 &&
		s.GetOp() == ast.SetOperation_SETOP_NONE && s.GetLarg() == nil && s.GetRarg() == nil
}

// onlyTarget returns the one thing s selects, nil when there are more or none.
func onlyTarget(s *ast.SelectStmt) *ast.ResTarget {
	if len(s.GetTargetList()) != 1 {
		return nil
	}
	target := s.GetTargetList()[0].GetResTarget()
	if target.GetVal() == nil || len(target.GetIndirection()) > 0 {
		return nil
	}
	return target
}

// isRowOnly says that nothing s selects could be an aggregate or a set, so that it yields a row for
// every row it finds and for no other.
func isRowOnly(s *ast.SelectStmt) bool {
	for _, target := range s.GetTargetList() {
		value := target.GetResTarget().GetVal()
		if value.GetAConst() == nil && value.GetColumnRef() == nil {
			return false
		}
	}
	return true
}

// qualified joins the parts of a name. One without a schema is pg_catalog's: expressions are printed
// under an empty search path. It returns "" for what is no plain name.
func qualified(parts []*ast.Node) string {
	names := make([]string, 0, 2)
	for _, part := range parts {
		name := part.GetString_().GetSval()
		if name == "" || strings.Contains(name, ".") && len(parts) > 1 {
			return ""
		}
		names = append(names, name)
	}
	switch len(names) {
	case 1:
		return "pg_catalog." + names[0]
	case 2:
		return names[0] + "." + names[1]
	default:
		return ""
	}
}

// isOperator says whether a name is the operator symbol of pg_catalog and not its namesake elsewhere.
func isOperator(parts []*ast.Node, symbols ...string) bool {
	name := qualified(parts)
	for _, symbol := range symbols {
		if name == "pg_catalog."+symbol {
			return true
		}
	}
	return false
}

// stringConstant returns the text of a string literal, or that of an array of texts.
func stringConstant(node *ast.Node) (string, bool) {
	for node.GetTypeCast() != nil && kindOf(node.GetTypeCast().GetTypeName()) == textual {
		node = node.GetTypeCast().GetArg()
	}
	literal, isString := node.GetAConst().GetVal().(*ast.A_Const_Sval)
	if !isString {
		return "", false
	}
	return literal.Sval.GetSval(), true
}

// isNull says whether node is the literal NULL, whatever it was cast to.
func isNull(node *ast.Node) bool {
	for node.GetTypeCast() != nil {
		node = node.GetTypeCast().GetArg()
	}
	return node.GetAConst().GetIsnull()
}
