package isolation

import (
	ast "github.com/pganalyze/pg_query_go/v6"
)

// What is followed: subqueries within each other, and relations in one.
const (
	maxNesting   = 4
	maxRelations = 8
)

// fromItem is one name that columns are reached by.
type fromItem struct {
	columns map[string]Meaning
	mine    bool // a membership whose user is the caller
	ours    bool // a membership of a tenant of the caller's
}

// scope are the names one SELECT can reach, the nearest first.
type scope struct {
	outer     *scope
	depth     int
	relations map[string]*fromItem
	bare      *fromItem   // whose columns need no name in front
	conjuncts []*ast.Node // what holds of every row it yields
}

// row is the scope of the expression itself: the columns of its relation.
func (p prover) row() *scope {
	columns := map[string]Meaning{}
	if p.ground.UserColumn != "" {
		columns[p.ground.UserColumn] = rowUser
	}
	if p.ground.TenantColumn != "" {
		columns[p.ground.TenantColumn] = rowTenant
	}
	of := &fromItem{columns: columns}
	return &scope{relations: map[string]*fromItem{bareName(p.ground.Relation): of}, bare: of}
}

// column finds the column a reference names: of the nearest relation called so. A column without a name in
// front is looked up in no more than one relation, and only if it is known to have it.
func (s *scope) column(ref *ast.ColumnRef) value {
	fields := ref.GetFields()
	if len(fields) == 0 || len(fields) > 2 {
		return value{}
	}
	name := fields[len(fields)-1].GetString_().GetSval()
	if name == "" { // *
		return value{}
	}
	if len(fields) == 1 {
		if s.bare == nil || s.bare.columns[name] == Meaningless {
			return value{}
		}
		return s.bare.value(name)
	}
	for ; s != nil; s = s.outer {
		if of, found := s.relations[fields[0].GetString_().GetSval()]; found {
			return of.value(name)
		}
	}
	return value{}
}

// value is what a column of r is known to hold.
func (r *fromItem) value(column string) value {
	switch meaning := r.columns[column]; {
	case meaning == memberTenant && (r.mine || r.ours):
		return value{meaning: MyTenant}
	case meaning == memberUser && r.mine:
		return value{meaning: MyUser}
	case meaning == memberUser && r.ours:
		return value{meaning: MyColleague}
	case meaning == memberTenant || meaning == memberUser:
		return value{meaning: meaning, member: r}
	default:
		return value{meaning: meaning}
	}
}

// enter returns the scope within a subquery, or nil and why it is not followed.
func (p prover) enter(s *ast.SelectStmt, outer *scope) (*scope, string) {
	if s == nil || !isBare(s) || outer.depth == maxNesting {
		return nil, "this kind of subquery is not followed"
	}
	inner := &scope{outer: outer, depth: outer.depth + 1, relations: map[string]*fromItem{}}
	for _, item := range s.GetFromClause() {
		if !p.addFrom(inner, item, true) {
			return nil, "what the subquery reads from is not followed"
		}
	}
	switch len(inner.relations) {
	case 0:
		inner.bare = outer.bare
	case 1:
		for _, only := range inner.relations {
			inner.bare = only
		}
	}
	inner.conjuncts = append(inner.conjuncts, conjunctsOf(s.GetWhereClause())...)
	p.establish(inner)
	return inner, ""
}

// addFrom adds what an item of FROM names. Conditions of an inner join hold of every row, those of an
// outer one do not.
func (p prover) addFrom(s *scope, item *ast.Node, everyRow bool) bool {
	if join := item.GetJoinExpr(); join != nil {
		if join.GetAlias() != nil || join.GetJoinUsingAlias() != nil || join.GetIsNatural() || len(join.GetUsingClause()) > 0 {
			return false
		}
		everyRow = everyRow && join.GetJointype() == ast.JoinType_JOIN_INNER
		if everyRow {
			s.conjuncts = append(s.conjuncts, conjunctsOf(join.GetQuals())...)
		}
		return p.addFrom(s, join.GetLarg(), everyRow) && p.addFrom(s, join.GetRarg(), everyRow)
	}
	table := item.GetRangeVar()
	if table == nil || table.GetCatalogname() != "" || len(table.GetAlias().GetColnames()) > 0 {
		return false
	}
	name := table.GetRelname()
	if table.GetAlias() != nil {
		name = table.GetAlias().GetAliasname()
	}
	if _, twice := s.relations[name]; twice || len(s.relations) == maxRelations {
		return false
	}
	added := &fromItem{columns: map[string]Meaning{}}
	for _, m := range p.ground.Memberships {
		if table.GetSchemaname() != "" && m.Relation == table.GetSchemaname()+"."+table.GetRelname() {
			added.columns[m.Tenant], added.columns[m.User] = memberTenant, memberUser
		}
	}
	s.relations[name] = added
	return true
}

// establish finds the memberships that are the caller's or of their tenant, by conditions that hold of
// every row; one may follow from another.
func (p prover) establish(s *scope) {
	for range s.relations {
		for _, conjunct := range s.conjuncts {
			e := conjunct.GetAExpr()
			if e == nil || e.GetLexpr() == nil || !isOperator(e.GetName(), "=") {
				continue
			}
			l, r := p.value(e.GetLexpr(), s), p.value(e.GetRexpr(), s)
			switch e.GetKind() {
			case ast.A_Expr_Kind_AEXPR_OP:
				p.establishOne(s, l, r)
				p.establishOne(s, r, l)
			case ast.A_Expr_Kind_AEXPR_OP_ANY:
				p.establishOne(s, l, r)
			default:
			}
		}
	}
}

// establishOne notes what follows for a membership from its column being mine: for one of this scope, since
// nothing says that this subquery must find a row for the one around it to.
func (p prover) establishOne(s *scope, column, mine value) {
	p.miss(column, mine)
	for _, own := range s.relations {
		if own != column.member {
			continue
		}
		switch {
		case column.meaning == memberUser && mine.meaning == MyUser:
			own.mine = true
		case column.meaning == memberTenant && mine.meaning == MyTenant:
			own.ours = true
		}
	}
}

// conjunctsOf splits a condition at its ANDs.
func conjunctsOf(condition *ast.Node) []*ast.Node {
	if condition == nil {
		return nil
	}
	if e := condition.GetBoolExpr(); e.GetBoolop() == ast.BoolExprType_AND_EXPR {
		var all []*ast.Node
		for _, conjunct := range e.GetArgs() {
			all = append(all, conjunctsOf(conjunct)...)
		}
		return all
	}
	return []*ast.Node{condition}
}

// bareName is the name without its schema.
func bareName(qualified string) string {
	for i := range qualified {
		if qualified[i] == '.' {
			return qualified[i+1:]
		}
	}
	return qualified
}
