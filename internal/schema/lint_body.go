package schema

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	ast "github.com/pganalyze/pg_query_go/v6"
	pgquery "github.com/wasilibs/go-pgquery"
)

// do looks at a block that runs as part of the migration: at each statement in it as if it stood by itself, whatever it hangs on.
func (l *linter) do(s *ast.DoStmt) {
	language, body := "plpgsql", ""
	for _, arg := range s.GetArgs() {
		switch o := arg.GetDefElem(); o.GetDefname() {
		case "language":
			language = o.GetArg().GetString_().GetSval()
		case "as":
			body = o.GetArg().GetString_().GetSval()
		}
	}
	if language != "plpgsql" {
		l.report("body_unread", "What a block in "+language+" does cannot be seen.")
		return
	}
	l.plpgsql(body, runner{visit: l.statement, runs: true})
}

// calledBody looks at what a function does when it is called: not during the migration, so that locks and rows are nothing to it.
func (l *linter) calledBody(s *ast.CreateFunctionStmt, definer bool) {
	language, body := "", ""
	for _, option := range s.GetOptions() {
		switch o := option.GetDefElem(); o.GetDefname() {
		case "language":
			language = strings.ToLower(o.GetArg().GetString_().GetSval())
		case "as":
			if parts := o.GetArg().GetList().GetItems(); len(parts) == 1 {
				body = parts[0].GetString_().GetSval()
			}
		}
	}
	switch language {
	case "plpgsql":
		l.plpgsql(body, runner{visit: l.called, definer: definer})
	case "sql": // BEGIN ATOMIC and RETURN hold none of the statements that are looked for
		if err := l.within(l.lineOf(body), body, l.called); err != nil {
			l.report("body_unread", fmt.Sprintf("What %s does cannot be seen: %v.", qualified(s.GetFuncname()), err))
		}
	}
}

// called looks at a statement of a function: what it opens, it opens whenever somebody calls it.
func (l *linter) called(node *ast.Node) {
	switch {
	case node.GetGrantStmt() != nil:
		l.grant(node.GetGrantStmt())
	case node.GetAlterDefaultPrivilegesStmt() != nil:
		l.grant(node.GetAlterDefaultPrivilegesStmt().GetAction())
	case node.GetCreatePolicyStmt() != nil:
		l.policy(node.GetCreatePolicyStmt())
	case node.GetAlterPolicyStmt() != nil:
		l.alterPolicy(node.GetAlterPolicyStmt())
	case node.GetCreateFunctionStmt() != nil:
		l.function(node.GetCreateFunctionStmt())
	case node.GetViewStmt() != nil:
		l.view(node.GetViewStmt())
	case node.GetAlterTableStmt() != nil:
		for _, command := range node.GetAlterTableStmt().GetCmds() {
			switch command.GetAlterTableCmd().GetSubtype() { //nolint:exhaustive // the rest opens nothing
			case ast.AlterTableType_AT_DisableRowSecurity, ast.AlterTableType_AT_NoForceRowSecurity:
				l.report("row_security_off", fmt.Sprintf("Whoever calls the function takes row-level security off %s.", relationName(node.GetAlterTableStmt().GetRelation())))
			}
		}
	}
}

// runner is how the statements of a body are looked at.
type runner struct {
	visit   func(*ast.Node)
	runs    bool // during the migration
	definer bool // with its owner's rights
}

func (l *linter) plpgsql(body string, r runner) {
	statements, err := plpgsqlStatements(l.statementText())
	if err != nil {
		l.report("body_unread", fmt.Sprintf("What it does cannot be seen: %v.", err))
		return
	}
	first := l.lineOf(body)
	for _, s := range statements {
		line := first + max(s.line, 1) - 1
		switch {
		case s.ends && r.runs:
			l.reportAt(line, "transaction_ended", "All that is migrated is one transaction, and this is within it.")
		case s.ends:
		case s.dynamic:
			l.execute(line, s.text, r)
		default:
			if err := l.within(line, s.text, r.visit); err != nil {
				l.reportAt(line, "body_unread", fmt.Sprintf("What it does cannot be seen: %v.", err))
			}
		}
	}
}

// execute looks at a statement that is put together while it runs, as far as its text can be seen.
func (l *linter) execute(line int, expression string, r runner) {
	d := readDynamic(expression)
	harmless := true
	err := l.within(line, d.text, func(node *ast.Node) {
		harmless = harmless && changesNoSchema(node)
		r.visit(node)
	})
	switch {
	case d.exact && err != nil:
		l.reportAt(line, "unreadable", err.Error()+".")
	case d.exact:
	case r.runs && (err != nil || !harmless):
		l.reportAt(line, "dynamic_sql", "What EXECUTE runs is put together as it runs, and cannot be seen: "+oneLine(expression))
	case r.definer && !d.quoted:
		l.reportAt(line, "dynamic_sql", "What EXECUTE runs with its owner's rights is put together from what nobody quotes: "+oneLine(expression))
	}
}

// changesNoSchema reports whether a statement is of a kind that no lint looks at, whatever it names.
func changesNoSchema(node *ast.Node) bool {
	return node.GetCommentStmt() != nil || node.GetSelectStmt() != nil || node.GetInsertStmt() != nil || node.GetUpdateStmt() != nil ||
		node.GetDeleteStmt() != nil || node.GetMergeStmt() != nil
}

// bodyStatement is a statement of SQL in a body of PL/pgSQL.
type bodyStatement struct {
	line    int    // of the body
	text    string // of the statement, or of the expression that comes to it
	dynamic bool
	ends    bool // the transaction
}

// unknownField is what the parser says of a field of a variable: it knows no types of the database, so that none has fields for it.
var unknownField = regexp.MustCompile(`^"(\w+)\.\w+" is not a known variable$`)

// plpgsqlStatements are the statements of SQL in a DO block or in CREATE FUNCTION, as PL/pgSQL's own parser finds them. A variable of which fields
// are assigned is shown to it as a record.
func plpgsqlStatements(text string) ([]bodyStatement, error) {
	tree, err := parsePLpgSQL(text)
	for err != nil {
		field := unknownField.FindStringSubmatch(err.Error())
		if field == nil {
			return nil, err
		}
		declared := regexp.MustCompile(`(?i)(\b` + field[1] + `\s+(?:constant\s+)?)[\w"]+(?:\.[\w"]+)*(?:%rowtype)?(\s*(?:[;,)]|:=|=|default|not\s))`)
		at := declared.FindStringSubmatchIndex(text)
		if at == nil || text[at[3]:at[4]] == "record" {
			return nil, err
		}
		text = text[:at[3]] + "record" + text[at[4]:]
		tree, err = parsePLpgSQL(text)
	}
	var read any
	if err := json.Unmarshal([]byte(tree), &read); err != nil {
		return nil, fmt.Errorf("read a body: %w", err)
	}
	statements := bodyStatements(read)
	slices.SortStableFunc(statements, func(a, b bodyStatement) int { return cmp.Compare(a.line, b.line) })
	return statements, nil
}

// parsePLpgSQL runs PL/pgSQL's own parser.
func parsePLpgSQL(text string) (tree string, err error) {
	return guarded(pgquery.ParsePlPgSqlToJSON, text)
}

// bodyStatements finds them anywhere in the parser's tree.
func bodyStatements(tree any) []bodyStatement {
	var found []bodyStatement
	switch node := tree.(type) {
	case []any:
		for _, element := range node {
			found = append(found, bodyStatements(element)...)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(node)) {
			if fields, ok := node[name].(map[string]any); ok {
				found = append(found, asStatement(name, fields)...)
			}
			found = append(found, bodyStatements(node[name])...)
		}
	}
	return found
}

// asStatement is the statement of SQL that a node of the tree is, if it is one.
func asStatement(name string, fields map[string]any) []bodyStatement {
	line, _ := fields["lineno"].(float64)
	s := bodyStatement{line: int(line)}
	switch name {
	case "PLpgSQL_stmt_execsql":
		s.text = expression(fields["sqlstmt"])
	case "PLpgSQL_stmt_dynexecute", "PLpgSQL_stmt_dynfors":
		s.text, s.dynamic = expression(fields["query"]), true
	case "PLpgSQL_stmt_return_query", "PLpgSQL_stmt_open":
		s.text, s.dynamic = expression(fields["dynquery"]), true
	case "PLpgSQL_stmt_commit", "PLpgSQL_stmt_rollback":
		s.ends = true
	}
	if s.text == "" && !s.ends {
		return nil
	}
	return []bodyStatement{s}
}

func expression(field any) string {
	wrapped, _ := field.(map[string]any)
	fields, _ := wrapped["PLpgSQL_expr"].(map[string]any)
	query, _ := fields["query"].(string)
	return query
}
