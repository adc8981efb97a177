package isolation

import (
	"strconv"
	"strings"

	ast "github.com/pganalyze/pg_query_go/v6"
)

// text prints node for a reason: as SQL, with … for what does not matter to it.
func text(node *ast.Node) string {
	switch n := node.GetNode().(type) {
	case *ast.Node_ColumnRef:
		return dotted(n.ColumnRef.GetFields())
	case *ast.Node_AConst:
		return constantText(n.AConst)
	case *ast.Node_TypeCast:
		return inParens(n.TypeCast.GetArg()) + "::" + typeText(n.TypeCast.GetTypeName())
	case *ast.Node_FuncCall:
		if n.FuncCall.GetAggStar() {
			return dotted(n.FuncCall.GetFuncname()) + "(*)"
		}
		return dotted(n.FuncCall.GetFuncname()) + "(" + listText(n.FuncCall.GetArgs(), ", ") + ")"
	case *ast.Node_AExpr:
		return operatorText(n.AExpr)
	case *ast.Node_BoolExpr:
		switch n.BoolExpr.GetBoolop() {
		case ast.BoolExprType_AND_EXPR:
			return "(" + listText(n.BoolExpr.GetArgs(), " AND ") + ")"
		case ast.BoolExprType_OR_EXPR:
			return "(" + listText(n.BoolExpr.GetArgs(), " OR ") + ")"
		default:
			return "NOT " + listText(n.BoolExpr.GetArgs(), "")
		}
	case *ast.Node_SubLink:
		return sublinkText(n.SubLink)
	case *ast.Node_CoalesceExpr:
		return "COALESCE(" + listText(n.CoalesceExpr.GetArgs(), ", ") + ")"
	case *ast.Node_AArrayExpr:
		return "ARRAY[" + listText(n.AArrayExpr.GetElements(), ", ") + "]"
	case *ast.Node_List:
		return "(" + listText(n.List.GetItems(), ", ") + ")"
	case *ast.Node_NullTest:
		if n.NullTest.GetNulltesttype() == ast.NullTestType_IS_NULL {
			return text(n.NullTest.GetArg()) + " IS NULL"
		}
		return text(n.NullTest.GetArg()) + " IS NOT NULL"
	case *ast.Node_CaseExpr:
		return "CASE …"
	}
	return "…"
}

func listText(nodes []*ast.Node, separator string) string {
	texts := make([]string, len(nodes))
	for i, node := range nodes {
		texts[i] = text(node)
	}
	return strings.Join(texts, separator)
}

func inParens(node *ast.Node) string {
	if node.GetAExpr() != nil {
		return "(" + text(node) + ")"
	}
	return text(node)
}

func operatorText(e *ast.A_Expr) string {
	left, right, operator := inParens(e.GetLexpr()), inParens(e.GetRexpr()), dotted(e.GetName())
	switch e.GetKind() {
	case ast.A_Expr_Kind_AEXPR_OP:
		if e.GetLexpr() == nil {
			return operator + right
		}
	case ast.A_Expr_Kind_AEXPR_OP_ANY:
		operator += " ANY"
	case ast.A_Expr_Kind_AEXPR_OP_ALL:
		operator += " ALL"
	case ast.A_Expr_Kind_AEXPR_IN:
		operator = map[string]string{"=": "IN", "<>": "NOT IN"}[operator]
	case ast.A_Expr_Kind_AEXPR_DISTINCT:
		operator = "IS DISTINCT FROM"
	case ast.A_Expr_Kind_AEXPR_NOT_DISTINCT:
		operator = "IS NOT DISTINCT FROM"
	case ast.A_Expr_Kind_AEXPR_NULLIF:
		return "NULLIF(" + text(e.GetLexpr()) + ", " + text(e.GetRexpr()) + ")"
	default:
	}
	return left + " " + operator + " " + right
}

func sublinkText(link *ast.SubLink) string {
	s := link.GetSubselect().GetSelectStmt()
	query := "(SELECT …)"
	if target := onlyTarget(s); target != nil && len(s.GetFromClause()) == 0 {
		query = "(SELECT " + text(target.GetVal()) + ")"
	} else if table := s.GetFromClause(); len(table) == 1 && table[0].GetRangeVar() != nil {
		query = "(SELECT … FROM " + table[0].GetRangeVar().GetRelname() + " …)"
	}
	switch link.GetSubLinkType() {
	case ast.SubLinkType_EXISTS_SUBLINK:
		return "EXISTS " + query
	case ast.SubLinkType_ARRAY_SUBLINK:
		return "ARRAY" + query
	case ast.SubLinkType_ANY_SUBLINK:
		return text(link.GetTestexpr()) + " IN " + query
	case ast.SubLinkType_ALL_SUBLINK:
		return text(link.GetTestexpr()) + " ALL " + query
	default:
		return query
	}
}

func constantText(c *ast.A_Const) string {
	switch value := c.GetVal().(type) {
	case *ast.A_Const_Boolval:
		return strconv.FormatBool(value.Boolval.GetBoolval())
	case *ast.A_Const_Ival:
		return strconv.Itoa(int(value.Ival.GetIval()))
	case *ast.A_Const_Fval:
		return value.Fval.GetFval()
	case *ast.A_Const_Sval:
		return "'" + strings.ReplaceAll(value.Sval.GetSval(), "'", "''") + "'"
	}
	return "NULL"
}

func typeText(name *ast.TypeName) string {
	text := strings.TrimPrefix(dotted(name.GetNames()), "pg_catalog.")
	if len(name.GetTypmods()) > 0 {
		text += "(" + listText(name.GetTypmods(), ", ") + ")"
	}
	return text + strings.Repeat("[]", len(name.GetArrayBounds()))
}

func dotted(parts []*ast.Node) string {
	names := make([]string, len(parts))
	for i, part := range parts {
		if names[i] = part.GetString_().GetSval(); names[i] == "" {
			names[i] = "*"
		}
	}
	return strings.Join(names, ".")
}
