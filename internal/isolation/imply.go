package isolation

import (
	"errors"
	"slices"
	"strings"

	ast "github.com/pganalyze/pg_query_go/v6"
)

// Meaning says whose the values are that a function, a setting or a claim yields, whether it yields one,
// a set or an array of them; null is anybody's.
type Meaning int

const (
	// Meaningless is a value nothing follows from.
	Meaningless Meaning = iota
	// MyTenant is a tenant of the caller's.
	MyTenant
	// MyTenantOrShared is a tenant of the caller's or one whose rows everybody reads.
	MyTenantOrShared
	// MyUser is the caller.
	MyUser
	// MyColleague is a user of a tenant of the caller's.
	MyColleague
	// Operator is a boolean that is true for the platform's operators alone.
	Operator
	// OperatorBound is null for everybody but the platform's operators.
	OperatorBound
	// Claims is the JSON of the caller's verified token; Axioms.Claims says what is in it.
	Claims

	// What the columns in reach of an expression are: of the row itself, and of a membership.
	rowTenant
	rowUser
	memberTenant
	memberUser
)

// Axioms are what the check takes for granted about a database. It is as true as they are: the attacks
// test them.
type Axioms struct {
	Functions   map[string]Meaning // schema.name of functions called without arguments
	Settings    map[string]Meaning // what current_setting reads, in lower case
	Claims      map[string]Meaning // a path into the token's JSON: app_metadata.tenant_id
	Memberships []Membership
	Shared      []string // ids of the tenants whose rows everybody reads
}

// Membership is a relation that says which user belongs to which tenant.
type Membership struct {
	Relation string // schema.name
	Tenant   string // its columns
	User     string
}

// Ground is what the check takes for granted about one relation.
type Ground struct {
	Axioms
	Relation     string // schema.name
	TenantColumn string // holds the tenant a row belongs to; "" where rows belong to none
	UserColumn   string // holds the one user a row is about, whose own it is as well
	Colleagues   bool   // rows about the users of my tenant are mine as well
	Global       string // why the rows are no tenant's and everybody may read them; "" where they are not
}

// forWrites is the ground for what a caller may write: what everybody reads is no longer theirs, and a
// row about themself is not, where it also belongs to a tenant they could give it to.
func (g Ground) forWrites() Ground {
	g.Global, g.Shared, g.Colleagues = "", nil, false
	if g.TenantColumn != "" {
		g.UserColumn = ""
	}
	return g
}

// Implication is what the check found. Not proved is not refuted: it was not understood.
type Implication struct {
	Proved bool   `json:"proved"`
	Reason string `json:"reason"` // the rule that proves it, or the part that could not be shown
}

func proved(reason string) Implication   { return Implication{Proved: true, Reason: reason} }
func unproved(reason string) Implication { return Implication{Reason: reason} }

// Implies says whether expression, as pg_get_expr prints it under an empty search path, is true for no
// row but the caller's own as ground has it: of their tenant, about themself, shared, or any row where
// they are an operator. It is conservative: what it does not understand is not proved. Tenants are told
// apart as the equality of the tenant column does.
func Implies(expression string, ground Ground) (Implication, error) {
	node, err := parseExpression(expression)
	switch {
	case errors.Is(err, errTooDeep):
		return unproved(errTooDeep.Error()), nil
	case err != nil:
		return Implication{}, err
	}
	p := prover{ground: ground}
	verdict := p.prove(node, p.row())
	if !verdict.Proved && ground.Global != "" {
		return proved("every row is for everybody: " + strings.TrimSuffix(ground.Global, ".")), nil
	}
	return verdict, nil
}

// prover follows one expression.
type prover struct {
	ground Ground
	// missed, if set, is told which source a column of the row or a membership was compared with that
	// nothing is known of.
	missed func(column Meaning, of source)
}

// prove says whether node, a boolean, is true for the caller's rows alone. False and null both refuse.
func (p prover) prove(node *ast.Node, in *scope) Implication {
	switch n := node.GetNode().(type) {
	case *ast.Node_BoolExpr:
		return p.proveLogic(node, in)
	case *ast.Node_AConst:
		if value, isBool := n.AConst.GetVal().(*ast.A_Const_Boolval); n.AConst.GetIsnull() || isBool && !value.Boolval.GetBoolval() {
			return proved("it is never true")
		}
	case *ast.Node_TypeCast:
		if kindOf(n.TypeCast.GetTypeName()) == boolean && (isNull(node) || n.TypeCast.GetArg().GetAConst().GetBoolval() != nil) {
			return p.prove(n.TypeCast.GetArg(), in)
		}
	case *ast.Node_AExpr:
		return p.proveOperator(node, in)
	case *ast.Node_SubLink:
		return p.proveSublink(node, in)
	case *ast.Node_CoalesceExpr: // true only where one of them is
		return p.proveAll(n.CoalesceExpr.GetArgs(), in)
	case *ast.Node_CaseExpr:
		return p.proveCase(n.CaseExpr, in)
	case *ast.Node_BooleanTest:
		if n.BooleanTest.GetBooltesttype() == ast.BoolTestType_IS_TRUE {
			return p.prove(n.BooleanTest.GetArg(), in)
		}
	case *ast.Node_NullTest:
		if n.NullTest.GetNulltesttype() == ast.NullTestType_IS_NOT_NULL && p.value(n.NullTest.GetArg(), in).meaning == OperatorBound {
			return proved(text(node) + ": for operators alone")
		}
	}
	return p.proveValue(node, in)
}

// proveValue proves a boolean by what it is known to be.
func (p prover) proveValue(node *ast.Node, in *scope) Implication {
	v := p.value(node, in)
	if v.meaning == Operator {
		return proved(text(node) + ": for operators alone")
	}
	return unproved(text(node) + ": " + v.reason("it says nothing of whose row it is"))
}

func (p prover) proveLogic(node *ast.Node, in *scope) Implication {
	switch e := node.GetBoolExpr(); e.GetBoolop() {
	case ast.BoolExprType_AND_EXPR:
		failed := Implication{}
		for _, conjunct := range e.GetArgs() {
			verdict := p.prove(conjunct, in)
			if verdict.Proved {
				return verdict
			}
			if failed.Reason == "" {
				failed = verdict
			}
		}
		return failed
	case ast.BoolExprType_OR_EXPR:
		return p.proveAll(e.GetArgs(), in)
	default:
		return unproved(text(node) + ": a negation is not followed")
	}
}

// proveAll proves what is true only where one of the nodes is.
func (p prover) proveAll(nodes []*ast.Node, in *scope) Implication {
	var reasons []string
	for _, node := range nodes {
		verdict := p.prove(node, in)
		if !verdict.Proved {
			return verdict
		}
		reasons = append(reasons, verdict.Reason)
	}
	return proved(joined(reasons))
}

// joined lists reasons, each once.
func joined(reasons []string) string {
	var once []string
	for _, reason := range reasons {
		if !slices.Contains(once, reason) {
			once = append(once, reason)
		}
	}
	return strings.Join(once, "; ")
}

// proveCase proves every result, or the condition under which it is chosen.
func (p prover) proveCase(e *ast.CaseExpr, in *scope) Implication {
	var reasons []string
	for _, branch := range e.GetArgs() {
		when := branch.GetCaseWhen()
		verdict := p.prove(when.GetResult(), in)
		if !verdict.Proved && e.GetArg() == nil {
			if condition := p.prove(when.GetExpr(), in); condition.Proved {
				verdict = condition
			}
		}
		if !verdict.Proved {
			return verdict
		}
		reasons = append(reasons, verdict.Reason)
	}
	if e.GetDefresult() != nil { // null otherwise
		verdict := p.prove(e.GetDefresult(), in)
		if !verdict.Proved {
			return verdict
		}
		reasons = append(reasons, verdict.Reason)
	}
	return proved(joined(reasons))
}

func (p prover) proveOperator(node *ast.Node, in *scope) Implication {
	e := node.GetAExpr()
	left, right := e.GetLexpr(), e.GetRexpr()
	switch e.GetKind() {
	case ast.A_Expr_Kind_AEXPR_OP:
		if left == nil || !isOperator(e.GetName(), "=", "<>", "<", "<=", ">", ">=") {
			break
		}
		l, r := p.value(left, in), p.value(right, in)
		if l.meaning == OperatorBound || r.meaning == OperatorBound { // null, and so is the comparison
			return proved(text(node) + ": for operators alone")
		}
		if !isOperator(e.GetName(), "=") {
			return unproved(text(node) + ": only equality binds a row to its tenant")
		}
		return p.proveEqual(node, l, r)
	case ast.A_Expr_Kind_AEXPR_OP_ANY:
		if isOperator(e.GetName(), "=") {
			return p.proveElement(node, p.value(left, in), p.value(right, in))
		}
	case ast.A_Expr_Kind_AEXPR_IN:
		if isOperator(e.GetName(), "=") { // <> is NOT IN
			return p.proveElement(node, p.value(left, in), p.array(right.GetList().GetItems(), in))
		}
	case ast.A_Expr_Kind_AEXPR_BETWEEN:
		for _, operand := range append([]*ast.Node{left}, right.GetList().GetItems()...) {
			if p.value(operand, in).meaning == OperatorBound {
				return proved(text(node) + ": for operators alone")
			}
		}
	case ast.A_Expr_Kind_AEXPR_NOT_DISTINCT:
		return unproved(text(node) + ": it is true of two nulls as well")
	case ast.A_Expr_Kind_AEXPR_NULLIF:
		return p.prove(left, in) // left, or null
	default:
	}
	return p.proveValue(node, in)
}

// proveEqual proves an equality of two values, in either order.
func (p prover) proveEqual(node *ast.Node, l, r value) Implication {
	found := p.proveElement(node, l, r)
	if turned := p.proveElement(node, r, l); turned.Proved || !found.Proved && !l.meaning.isColumn() {
		return turned
	}
	return found
}

// proveElement proves that column, if it is the row's, is one of the caller's.
func (p prover) proveElement(node *ast.Node, column, mine value) Implication {
	switch {
	case column.meaning == rowTenant && mine.meaning == MyTenant:
		return proved(text(node) + ": the row's tenant is the caller's")
	case column.meaning == rowTenant && mine.meaning == MyTenantOrShared && len(p.ground.Shared) > 0:
		return proved(text(node) + ": the row's tenant is the caller's or shared with everybody")
	case column.meaning == rowUser && mine.meaning == MyUser:
		return proved(text(node) + ": the row is about the caller")
	case column.meaning == rowUser && (mine.meaning == MyColleague || mine.meaning == MyUser) && p.ground.Colleagues:
		return proved(text(node) + ": the row is about a user of the caller's tenant")
	}
	p.miss(column, mine)
	why := "neither side is the row's tenant"
	switch {
	case column.meaning == rowTenant && mine.meaning == MyTenantOrShared:
		why = "what everybody reads is not theirs to write"
	case column.meaning == rowTenant || column.meaning == rowUser:
		why = mine.reason("it does not follow that the other side is the caller's")
	}
	return unproved(text(node) + ": " + why)
}

func (p prover) miss(column, mine value) {
	if p.missed != nil && column.meaning.isColumn() && mine.source.kind != 0 {
		p.missed(column.meaning, mine.source)
	}
}

func (p prover) proveSublink(node *ast.Node, in *scope) Implication {
	link := node.GetSubLink()
	s := link.GetSubselect().GetSelectStmt()
	inner, why := p.enter(s, in)
	if inner == nil {
		return unproved(text(node) + ": " + why)
	}
	switch link.GetSubLinkType() {
	case ast.SubLinkType_EXISTS_SUBLINK:
		return p.proveFound(node, s, inner)
	case ast.SubLinkType_ANY_SUBLINK:
		if len(link.GetOperName()) > 0 && !isOperator(link.GetOperName(), "=") {
			return unproved(text(node) + ": only equality binds a row to its tenant")
		}
		if target := onlyTarget(s); target != nil {
			verdict := p.proveElement(node, p.value(link.GetTestexpr(), in), p.value(target.GetVal(), inner))
			if verdict.Proved {
				return verdict
			}
		}
		return p.proveFound(node, s, inner)
	case ast.SubLinkType_EXPR_SUBLINK:
		target := onlyTarget(s)
		if target == nil {
			break
		}
		if verdict := p.prove(target.GetVal(), inner); verdict.Proved || s.GetWhereClause() == nil {
			return verdict
		}
		return p.proveFound(node, s, inner)
	default:
	}
	return unproved(text(node) + ": this kind of subquery is not followed")
}

// proveFound proves what is true only where a subquery finds a row, by what holds of such a row.
func (p prover) proveFound(node *ast.Node, s *ast.SelectStmt, inner *scope) Implication {
	if !isRowOnly(s) {
		return unproved(text(node) + ": what the subquery selects may yield a row where it finds none")
	}
	failed := unproved(text(node) + ": nothing ties what the subquery finds to the row and the caller")
	for _, conjunct := range inner.conjuncts {
		if verdict := p.prove(conjunct, inner); verdict.Proved {
			return verdict
		}
	}
	return failed
}
