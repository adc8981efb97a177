package schema

import (
	"fmt"
	"slices"
	"strings"

	ast "github.com/pganalyze/pg_query_go/v6"
	"google.golang.org/protobuf/reflect/protoreflect"
)

func (l *linter) policy(s *ast.CreatePolicyStmt) {
	name := relationName(s.GetTable())
	if made := l.made[name]; made != nil {
		made.policies++
	}
	for _, expression := range []*ast.Node{s.GetQual(), s.GetWithCheck()} {
		if function := calledForEachRow(expression); function != "" {
			l.report("policy_calls_for_each_row", fmt.Sprintf("%s on %s calls %s for each row.", s.GetPolicyName(), name, function))
			return
		}
	}
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
}

func (l *linter) grant(s *ast.GrantStmt) {
	public := slices.ContainsFunc(s.GetGrantees(), func(n *ast.Node) bool { return n.GetRoleSpec().GetRoletype() == ast.RoleSpecType_ROLESPEC_PUBLIC })
	if s.GetIsGrant() && public {
		l.report("granted_to_public", "A privilege is granted to everybody, roles to come included.")
	}
}
