package schema

import (
	"fmt"
	"slices"
	"strings"

	ast "github.com/pganalyze/pg_query_go/v6"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

func (l *linter) policy(s *ast.CreatePolicyStmt) {
	name := relationName(s.GetTable())
	if made := l.made[name]; made != nil {
		made.policies++
	}
	l.policyExpressions(s.GetPolicyName(), name, s.GetPermissive() && !forOperators(s.GetRoles()), s.GetQual(), s.GetWithCheck())
}

// alterPolicy looks at what a policy becomes. Whether it narrows others is not said again, nor for whom it is where that stays.
func (l *linter) alterPolicy(s *ast.AlterPolicyStmt) {
	l.policyExpressions(s.GetPolicyName(), relationName(s.GetTable()), !forOperators(s.GetRoles()), s.GetQual(), s.GetWithCheck())
}

// policyExpressions looks at USING and WITH CHECK of a policy. One that opens lets rows through, to whoever sends requests.
func (l *linter) policyExpressions(policy, table string, opens bool, expressions ...*ast.Node) {
	for _, expression := range expressions {
		if opens && alwaysTrue(expression) {
			l.report("policy_always_true", fmt.Sprintf("%s lets every row of %s through.", policy, table))
			break
		}
	}
	for _, expression := range expressions {
		if function := calledForEachRow(expression); function != "" {
			l.report("policy_calls_for_each_row", fmt.Sprintf("%s on %s calls %s for each row.", policy, table, function))
			return
		}
	}
}

// forOperators reports whether a policy is for roles alone that no request of a tenant has.
func forOperators(roles []*ast.Node) bool {
	return len(roles) > 0 && !slices.ContainsFunc(roles, func(r *ast.Node) bool {
		return !slices.Contains([]string{"service_role", "vital_service", "vital_owner", "vital_definer", "vital_sealer"}, r.GetRoleSpec().GetRolename())
	})
}

// alwaysTrue reports whether an expression holds for every row, as far as that is plain: it is true, or what is compared with itself.
func alwaysTrue(expression *ast.Node) bool {
	if constant := expression.GetAConst(); constant != nil {
		return constant.GetBoolval().GetBoolval()
	}
	if cast := expression.GetTypeCast(); cast != nil {
		return alwaysTrue(cast.GetArg()) || lastName(cast.GetTypeName().GetNames()) == "bool" && isTrueWord(&ast.Node{Node: &ast.Node_String_{String_: cast.GetArg().GetAConst().GetSval()}})
	}
	if link := expression.GetSubLink(); link.GetSubLinkType() == ast.SubLinkType_EXPR_SUBLINK {
		if targets := link.GetSubselect().GetSelectStmt().GetTargetList(); len(targets) == 1 {
			return alwaysTrue(targets[0].GetResTarget().GetVal())
		}
	}
	if both := expression.GetBoolExpr(); both != nil {
		holds := func(arg *ast.Node) bool { return alwaysTrue(arg) }
		switch both.GetBoolop() { //nolint:exhaustive // NOT of what is plainly false is written by nobody
		case ast.BoolExprType_OR_EXPR:
			return slices.ContainsFunc(both.GetArgs(), holds)
		case ast.BoolExprType_AND_EXPR:
			return !slices.ContainsFunc(both.GetArgs(), func(arg *ast.Node) bool { return !holds(arg) })
		}
	}
	compared := expression.GetAExpr()
	return compared.GetKind() == ast.A_Expr_Kind_AEXPR_OP && slices.Contains([]string{"=", "<=", ">="}, lastName(compared.GetName())) && same(compared.GetLexpr(), compared.GetRexpr())
}

// same reports whether two expressions are written alike.
func same(a, b *ast.Node) bool {
	if a == nil || b == nil {
		return false
	}
	a, b = proto.CloneOf(a), proto.CloneOf(b)
	for _, node := range []*ast.Node{a, b} {
		walk(node.ProtoReflect(), func(m protoreflect.Message) bool {
			if location := m.Descriptor().Fields().ByName("location"); location != nil {
				m.Clear(location)
			}
			return true
		})
	}
	return proto.Equal(a, b)
}

// calledForEachRow is a function without arguments that expression calls outside a subquery, or "": what a row gives it as
// arguments it must be called with each time.
func calledForEachRow(expression *ast.Node) (name string) {
	if expression == nil {
		return ""
	}
	walk(expression.ProtoReflect(), func(m protoreflect.Message) bool {
		switch node := m.Interface().(type) {
		case *ast.SubLink:
			return false
		case *ast.FuncCall:
			if len(node.GetArgs()) == 0 {
				name = strings.TrimPrefix(qualified(node.GetFuncname()), "pg_catalog.")
			}
		}
		return name == ""
	})
	return name
}

// walk visits m and all messages within it, but for those within one that visit returns false of.
func walk(m protoreflect.Message, visit func(protoreflect.Message) bool) {
	if !visit(m) {
		return
	}
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.IsList() && field.Message() != nil:
			for i := range value.List().Len() {
				walk(value.List().Get(i).Message(), visit)
			}
		case field.Message() != nil && !field.IsMap():
			walk(value.Message(), visit)
		}
		return true
	})
}

func (l *linter) function(s *ast.CreateFunctionStmt) {
	definer, pinned := false, false
	for _, option := range s.GetOptions() {
		switch o := option.GetDefElem(); o.GetDefname() {
		case "security":
			definer = o.GetArg().GetBoolean().GetBoolval()
		case "set":
			pinned = pinned || o.GetArg().GetVariableSetStmt().GetName() == "search_path"
		}
	}
	if definer && !pinned {
		l.report("definer_without_search_path", qualified(s.GetFuncname())+" runs with its owner's rights on whatever search_path its caller has.")
	}
	l.calledBody(s, definer)
}

func (l *linter) grant(s *ast.GrantStmt) {
	public := slices.ContainsFunc(s.GetGrantees(), func(n *ast.Node) bool { return n.GetRoleSpec().GetRoletype() == ast.RoleSpecType_ROLESPEC_PUBLIC })
	if s.GetIsGrant() && public {
		l.report("granted_to_public", "A privilege is granted to everybody, roles to come included.")
	}
}
