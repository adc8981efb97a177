package schema

import (
	"strings"

	ast "github.com/pganalyze/pg_query_go/v6"
)

func (l *linter) view(s *ast.ViewStmt) {
	if name := relationName(s.GetView()); s.GetView().GetRelpersistence() != "t" {
		l.noteView(name, readsAsInvoker(s.GetOptions()))
	}
}

// viewOptions looks at ALTER … SET and RESET, which change as whom a view reads.
func (l *linter) viewOptions(name string, c *ast.AlterTableCmd) {
	options := c.GetDef().GetList().GetItems()
	for _, option := range options {
		if option.GetDefElem().GetDefname() == "security_invoker" {
			l.noteView(name, c.GetSubtype() == ast.AlterTableType_AT_SetRelOptions && readsAsInvoker(options))
		}
	}
}

func (l *linter) noteView(name string, invoker bool) {
	if invoker {
		delete(l.views, name)
		return
	}
	l.views[name] = l.place()
}

// readsAsInvoker reports whether a view with these options is bound by the policies of whoever reads it.
func readsAsInvoker(options []*ast.Node) bool {
	for _, option := range options {
		if o := option.GetDefElem(); o.GetDefname() == "security_invoker" {
			return o.GetArg() == nil || isTrueWord(o.GetArg())
		}
	}
	return false
}

// isTrueWord reports whether an option is switched on, in one of PostgreSQL's words for it.
func isTrueWord(value *ast.Node) bool {
	word := value.GetString_().GetSval()
	if names := value.GetTypeName().GetNames(); len(names) > 0 { // a word that is no keyword is read as a type's name
		word = names[len(names)-1].GetString_().GetSval()
	}
	switch strings.ToLower(word) {
	case "true", "on", "yes", "t", "y", "1":
		return true
	default:
		return value.GetBoolean().GetBoolval() || value.GetInteger().GetIval() == 1
	}
}
