package schema

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	ast "github.com/pganalyze/pg_query_go/v6"
)

// dynamic is what can be seen of a statement that is put together as it runs.
type dynamic struct {
	text   string // with a name or a literal in place of what cannot be seen
	exact  bool   // nothing stands in for anything
	quoted bool   // what stands in is quoted where it is put in, so that it is one name or one literal
}

// What stands in for a name and for a literal.
var (
	unseen        = dynamic{text: "unseen"}
	unseenName    = dynamic{text: "unseen", quoted: true}
	unseenLiteral = dynamic{text: "'unseen'", quoted: true}
)

func (d dynamic) with(next dynamic) dynamic {
	return dynamic{text: d.text + next.text, exact: d.exact && next.exact, quoted: d.quoted && next.quoted}
}

// readDynamic is what can be seen of the text that an expression comes to.
func readDynamic(expression string) dynamic {
	tree, err := parse("select " + expression)
	if err != nil || len(tree.GetStmts()) != 1 {
		return unseen
	}
	targets := tree.GetStmts()[0].GetStmt().GetSelectStmt().GetTargetList()
	if len(targets) != 1 {
		return unseen
	}
	return fold(targets[0].GetResTarget().GetVal())
}

// selfQuoting are the types whose text is a name in quotes where it needs them, or a number, and can be nothing else.
var selfQuoting = []string{"regclass", "regprocedure", "regproc", "regtype", "regrole", "regnamespace", "regoperator", "regcollation", "int2", "int4", "int8", "bool", "uuid", "oid"}

func fold(node *ast.Node) dynamic {
	switch {
	case node.GetAConst().GetSval() != nil:
		return dynamic{text: node.GetAConst().GetSval().GetSval(), exact: true, quoted: true}
	case node.GetTypeCast() != nil:
		if names := node.GetTypeCast().GetTypeName().GetNames(); slices.Contains(selfQuoting, names[len(names)-1].GetString_().GetSval()) {
			return unseenName
		}
		return fold(node.GetTypeCast().GetArg())
	case node.GetAExpr().GetKind() == ast.A_Expr_Kind_AEXPR_OP && lastName(node.GetAExpr().GetName()) == "||":
		return fold(node.GetAExpr().GetLexpr()).with(fold(node.GetAExpr().GetRexpr()))
	case node.GetFuncCall() != nil:
		return foldCall(node.GetFuncCall())
	default:
		return unseen
	}
}

func foldCall(call *ast.FuncCall) dynamic {
	args := call.GetArgs()
	switch lastName(call.GetFuncname()) {
	case "quote_ident":
		return unseenName
	case "quote_literal", "quote_nullable":
		return unseenLiteral
	case "concat":
		joined := dynamic{exact: true, quoted: true}
		for _, arg := range args {
			joined = joined.with(fold(arg))
		}
		return joined
	case "format":
		if len(args) > 0 && !call.GetFuncVariadic() {
			if pattern := fold(args[0]); pattern.exact {
				return foldFormat(pattern.text, args[1:])
			}
		}
	}
	return unseen
}

// formatPlace is where format() puts an argument in.
var formatPlace = regexp.MustCompile(`%(?:(\d+)\$)?(?:-?\d+)?([sIL%])`)

func foldFormat(pattern string, args []*ast.Node) dynamic {
	folded, at, next := dynamic{exact: true, quoted: true}, 0, 0
	for _, match := range formatPlace.FindAllStringSubmatchIndex(pattern, -1) {
		folded.text += pattern[at:match[0]]
		at = match[1]
		kind := pattern[match[4]:match[5]]
		if kind == "%" {
			folded.text += "%"
			continue
		}
		if match[2] >= 0 {
			next, _ = strconv.Atoi(pattern[match[2]:match[3]])
			next--
		}
		argument := unseen
		if next >= 0 && next < len(args) {
			argument = fold(args[next])
		}
		next++
		folded = folded.with(put(kind, argument))
	}
	folded.text += pattern[at:]
	return folded
}

// put is an argument as format() puts it in.
func put(kind string, argument dynamic) dynamic {
	switch {
	case kind == "I" && argument.exact:
		argument.text = pgx.Identifier{argument.text}.Sanitize()
		return argument
	case kind == "L" && argument.exact:
		argument.text = "'" + strings.ReplaceAll(argument.text, "'", "''") + "'"
		return argument
	case kind == "I":
		return unseenName
	case kind == "L":
		return unseenLiteral
	default:
		return argument
	}
}

func lastName(names []*ast.Node) string {
	if len(names) == 0 {
		return ""
	}
	return names[len(names)-1].GetString_().GetSval()
}
