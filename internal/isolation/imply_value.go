package isolation

import (
	"slices"
	"strings"

	ast "github.com/pganalyze/pg_query_go/v6"
)

// value is what is known of one expression.
type value struct {
	meaning Meaning
	path    []string  // into the claims
	member  *fromItem // of memberTenant and memberUser
	why     string    // why it is unknown, where there is more to say
	source  source    // where it comes from, if the ground knows nothing of that
}

// source is a function, a setting or a claim.
type source struct {
	kind sourceKind
	name string // as in Axioms
}

type sourceKind int

const (
	ofFunction sourceKind = iota + 1
	ofSetting
	ofClaim
)

func (v value) reason(otherwise string) string {
	if v.why != "" {
		return v.why
	}
	return otherwise
}

// isMine says that the meaning holds of each value of a set, and so of a set of them.
func (m Meaning) isMine() bool {
	return m == MyTenant || m == MyTenantOrShared || m == MyUser || m == MyColleague
}

// either is what holds of both.
func either(a, b value) value {
	switch {
	case a.meaning == b.meaning && a.meaning.isMine():
		return value{meaning: a.meaning}
	case a.meaning == Claims && b.meaning == Claims && slices.Equal(a.path, b.path):
		return a
	case a.meaning == MyTenant && b.meaning == MyTenantOrShared, a.meaning == MyTenantOrShared && b.meaning == MyTenant:
		return value{meaning: MyTenantOrShared}
	case a.meaning.isMine():
		return value{why: b.why, source: b.source}
	}
	return value{why: a.why, source: a.source}
}

// value says whose node's values are.
func (p prover) value(node *ast.Node, in *scope) value {
	switch n := node.GetNode().(type) {
	case *ast.Node_ColumnRef:
		return in.column(n.ColumnRef)
	case *ast.Node_AConst:
		if id, isString := stringConstant(node); isString && slices.Contains(p.ground.Shared, id) {
			return value{meaning: MyTenantOrShared}
		}
	case *ast.Node_TypeCast:
		return p.cast(n.TypeCast, in)
	case *ast.Node_FuncCall:
		return p.call(n.FuncCall)
	case *ast.Node_SubLink:
		return p.selected(n.SubLink, in)
	case *ast.Node_AArrayExpr:
		return p.array(n.AArrayExpr.GetElements(), in)
	case *ast.Node_CoalesceExpr:
		return p.array(n.CoalesceExpr.GetArgs(), in)
	case *ast.Node_AExpr:
		switch n.AExpr.GetKind() {
		case ast.A_Expr_Kind_AEXPR_NULLIF:
			return p.value(n.AExpr.GetLexpr(), in) // or null
		case ast.A_Expr_Kind_AEXPR_OP:
			return p.claim(n.AExpr, in)
		default:
		}
	}
	return value{}
}

// array is what holds of every one of nodes; nulls do not count.
func (p prover) array(nodes []*ast.Node, in *scope) value {
	var of []value
	for _, node := range nodes {
		if !isNull(node) {
			of = append(of, p.value(node, in))
		}
	}
	if len(of) == 0 {
		return value{}
	}
	all := of[0]
	for _, v := range of {
		all = either(all, v)
	}
	return all
}

// selected is what a subquery yields as a value: the one of a scalar, each of an array.
func (p prover) selected(link *ast.SubLink, in *scope) value {
	s := link.GetSubselect().GetSelectStmt()
	inner, why := p.enter(s, in)
	target := onlyTarget(s)
	if inner == nil || target == nil {
		return value{why: why}
	}
	switch link.GetSubLinkType() {
	case ast.SubLinkType_EXPR_SUBLINK: // null where it finds no row
		if call := target.GetVal().GetFuncCall(); call != nil && qualified(call.GetFuncname()) == "pg_catalog.array_agg" && len(call.GetArgs()) == 1 {
			return value{}.orMine(p.value(call.GetArgs()[0], inner))
		}
		return p.value(target.GetVal(), inner)
	case ast.SubLinkType_ARRAY_SUBLINK:
		return value{}.orMine(p.value(target.GetVal(), inner))
	default:
		return value{}
	}
}

// orMine is of, where that holds of a set as well as of one: an array of nulls is not null, and no array
// is a column.
func (v value) orMine(of value) value {
	if of.meaning.isMine() {
		return of
	}
	v.why, v.source = of.why, of.source
	return v
}

// call is what a function yields that the ground knows.
func (p prover) call(call *ast.FuncCall) value {
	if call.GetAggFilter() != nil || call.GetOver() != nil || call.GetAggStar() || call.GetAggDistinct() ||
		call.GetAggWithinGroup() || call.GetFuncVariadic() || len(call.GetAggOrder()) > 0 {
		return value{}
	}
	name := qualified(call.GetFuncname())
	if name == "pg_catalog.current_setting" && len(call.GetArgs()) > 0 {
		setting, isString := stringConstant(call.GetArgs()[0])
		if meaning := p.ground.Settings[strings.ToLower(setting)]; isString && meaning != Meaningless {
			return value{meaning: meaning}
		}
		return value{why: "nothing is known of the setting " + setting, source: source{ofSetting, strings.ToLower(setting)}}
	}
	if len(call.GetArgs()) > 0 {
		return value{why: "nothing is known of " + strings.TrimPrefix(name, "pg_catalog.") + " with arguments"}
	}
	if meaning := p.ground.Functions[name]; meaning != Meaningless && !meaning.isColumn() {
		return value{meaning: meaning}
	}
	return value{why: "nothing is known of the function " + strings.TrimPrefix(name, "pg_catalog."), source: source{ofFunction, name}}
}

func (m Meaning) isColumn() bool { return m >= rowTenant }

// claim is what the caller's token says under a path.
func (p prover) claim(e *ast.A_Expr, in *scope) value {
	if e.GetLexpr() == nil || !isOperator(e.GetName(), "->", "->>", "#>", "#>>") {
		return value{}
	}
	of := p.value(e.GetLexpr(), in)
	key, isString := stringConstant(e.GetRexpr())
	if of.meaning != Claims || !isString {
		return value{why: of.why, source: of.source}
	}
	symbol := e.GetName()[len(e.GetName())-1].GetString_().GetSval()
	keys := []string{key}
	if symbol[0] == '#' {
		inner, isPath := strings.CutPrefix(strings.TrimSuffix(key, "}"), "{")
		if !isPath || strings.ContainsAny(inner, `{}"\ `) {
			return value{why: "the path into the token is not followed"}
		}
		keys = strings.Split(inner, ",")
	}
	path := slices.Concat(of.path, keys)
	for _, key := range path {
		if key == "user_metadata" || key == "raw_user_meta_data" {
			return value{why: "users write their user_metadata themselves"}
		}
		if strings.Contains(key, ".") || key == "" {
			return value{why: "the path into the token is not followed"}
		}
	}
	if !strings.HasSuffix(symbol, ">>") {
		return value{meaning: Claims, path: path}
	}
	if meaning := p.ground.Claims[strings.Join(path, ".")]; meaning != Claims && !meaning.isColumn() && meaning != Meaningless {
		return value{meaning: meaning}
	}
	name := strings.Join(path, ".")
	return value{why: "nothing is known of the claim " + name, source: source{ofClaim, name}}
}

// kind is what a cast to a type does to a value.
type kind int

const (
	lossy   kind = iota // two values may become one, or is not known
	textual             // every value becomes a text of its own
	exact               // a tenant's id stays that tenant's id
	boolean
	document // JSON
)

var kinds = map[string]kind{
	"pg_catalog.text": textual, "pg_catalog.varchar": textual,
	"pg_catalog.uuid": exact, "pg_catalog.int2": exact, "pg_catalog.int4": exact, "pg_catalog.int8": exact, "pg_catalog.numeric": exact,
	"pg_catalog.bool": boolean, "pg_catalog.json": document, "pg_catalog.jsonb": document,
}

// kindOf says what a cast to name does. A length cuts off, and so does "char" or name.
func kindOf(name *ast.TypeName) kind {
	if len(name.GetTypmods()) > 0 || name.GetSetof() || name.GetPctType() {
		return lossy
	}
	return kinds[qualified(name.GetNames())]
}

// cast is what remains known of a value that was cast. A column may only become what tells all its
// values apart, or more rows would equal than its own tenant's.
func (p prover) cast(cast *ast.TypeCast, in *scope) value {
	of := p.value(cast.GetArg(), in)
	to := kindOf(cast.GetTypeName())
	isArray := len(cast.GetTypeName().GetArrayBounds()) > 0
	switch {
	case of.meaning.isColumn() && to == textual && !isArray,
		of.meaning.isMine() && (to == textual || to == exact),
		of.meaning == OperatorBound && (to == textual || to == exact) && !isArray,
		of.meaning == Operator && to == boolean && !isArray,
		of.meaning == Claims && (to == document || to == textual && len(of.path) == 0) && !isArray:
		return of
	}
	return value{why: of.why, source: of.source}
}
