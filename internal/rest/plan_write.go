package rest

import (
	"maps"
	"slices"
)

// mutatePlan plans the change a request makes to t; read is what it wants to see of the changed rows.
func (p *planner) mutatePlan(t *Table, read *readPlan) (*mutatePlan, error) {
	r := p.request
	m := &mutatePlan{
		action: r.action, table: t, payload: &r.payload, resolution: r.prefer.resolution,
		defaults: r.prefer.missing == "default", conflict: t.PrimaryKey,
	}
	if r.query.OnConflict != nil {
		m.conflict = r.query.OnConflict
	}
	for _, name := range r.payload.columns {
		c := t.column(name)
		if c == nil || r.action == deleteRows {
			return nil, columnNotFound(t, name)
		}
		m.columns = append(m.columns, p.input(c))
	}
	if r.prefer.representation == "representation" || r.prefer.representation == "headers-only" {
		m.returning = p.needed(read, t.PrimaryKey)
	}
	if err := p.chooseRows(m); err != nil {
		return nil, err
	}
	if r.action == upsertRow {
		m.resolution, m.conflict, m.defaults = "merge-duplicates", t.PrimaryKey, false
		return m, p.checkUpsert(m)
	}
	return m, nil
}

// input is a column as it is written: through the function that reads its type from JSON, if there is one.
func (p *planner) input(c *Column) column {
	in := column{name: c.Name, nominal: c.Nominal, base: c.Type, fallback: c.Default}
	if function := p.catalog.representations[[2]string{"json", c.Nominal}]; function != "" {
		in.nominal, in.transform = "json", function
	}
	return in
}

// chooseRows takes the conditions of the root.
func (p *planner) chooseRows(m *mutatePlan) error {
	for _, f := range p.request.query.Filters {
		if len(f.Path) > 0 {
			continue
		}
		resolved, err := p.filter(m.table, f.Filter)
		if err != nil {
			return err
		}
		m.where = append(m.where, logic{filter: resolved})
	}
	for _, l := range p.request.query.Logic {
		if len(l.Path) > 0 {
			continue
		}
		resolved, err := p.logic(m.table, l.Tree)
		if err != nil {
			return err
		}
		m.where = append(m.where, resolved)
	}
	return nil
}

// checkUpsert makes sure that PUT names one row by its whole primary key and nothing else.
func (p *planner) checkUpsert(m *mutatePlan) error {
	invalid := newError(405, "PGRST105", "Filters must include all and only primary key columns with 'eq' operators")
	q := p.request.query
	if len(q.Logic) > 0 || len(m.table.PrimaryKey) == 0 ||
		!slices.Equal(slices.Sorted(maps.Keys(q.FilterFields)), m.table.PrimaryKey) {
		return invalid
	}
	for _, f := range q.Filters {
		if f.Filter.Op != "eq" || f.Filter.Negated || f.Filter.Quantifier != "" || len(f.Path) > 0 || len(f.Filter.Field.JSON) > 0 {
			return invalid
		}
	}
	return nil
}

// needed are the columns that must come out of a change or a call for read to be answered: what is selected,
// and what embeds are joined by. also are others that are wanted.
func (p *planner) needed(read *readPlan, also []string) []string {
	names := map[string]bool{}
	for _, s := range read.fields {
		if s.column.name == "*" {
			return []string{"*"}
		}
		names[s.column.name] = true
	}
	for _, child := range read.children {
		switch r := child.toParent; {
		case r.cardinality == computed:
			return []string{"*"} // the function gets the row
		case r.junction != nil:
			for _, pair := range r.junction.sourceColumns {
				names[pair[0]] = true
			}
		default:
			for _, pair := range r.columns {
				names[pair[0]] = true
			}
		}
	}
	for _, name := range also {
		names[name] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// callPlan plans the call of routine with the arguments named keys.
func (p *planner) callPlan(routine *Routine, keys []string, read *readPlan) *callPlan {
	c := &callPlan{routine: routine, payload: &p.request.payload}
	for _, param := range routine.Params {
		if param.Name != "" && slices.Contains(keys, param.Name) {
			c.params = append(c.params, param)
		}
	}
	switch {
	case p.request.reading:
		c.direct = arguments(routine, p.request.query.Params)
	case p.request.content.kind == mediaForm:
		c.direct = arguments(routine, p.request.payload.form)
	}
	c.returning = p.needed(read, nil)
	if len(c.returning) == 0 || c.returning[0] == "*" {
		c.returning = nil
		return c
	}
	c.returning = p.needed(read, conditionColumns(read))
	return c
}

// conditionColumns are what the rows of a call are filtered and ordered by.
func conditionColumns(read *readPlan) []string {
	var names []string
	var collect func([]logic)
	collect = func(conditions []logic) {
		for _, l := range conditions {
			if l.filter != nil {
				names = append(names, l.filter.column.name)
			}
			collect(l.terms)
		}
	}
	collect(read.where)
	for _, o := range read.order {
		if o.relation == "" {
			names = append(names, o.column.name)
		}
	}
	return names
}

// arguments collects values by parameter. What is given repeatedly is a list for a variadic parameter;
// elsewhere the last value counts.
func arguments(routine *Routine, given []Param) map[string][]string {
	values := map[string][]string{}
	for _, g := range given {
		variadic := slices.ContainsFunc(routine.Params, func(p RoutineParam) bool { return p.Variadic && p.Name == g.Name })
		if variadic {
			values[g.Name] = append(values[g.Name], g.Value)
		} else {
			values[g.Name] = []string{g.Value}
		}
	}
	return values
}

// routine finds the function that takes arguments named keys, among those of one name.
func (c *Catalog) routine(n Name, keys []string, content mediaKind, post bool) (*Routine, error) {
	var byName, byContent []*Routine
	for _, r := range c.routines[n] {
		switch {
		case r.takes(keys, content, post):
			byName = append(byName, r)
		case post && r.takesWhole(content):
			byContent = append(byContent, r)
		}
	}
	found := byName
	if len(found) == 0 {
		found = byContent
	}
	switch len(found) {
	case 0:
		return nil, c.noRoutine(n, keys, content, post)
	case 1:
		return found[0], nil
	}
	return nil, ambiguousRoutine(found)
}

// takes says whether the arguments fit: all that are required, and none that is unknown.
func (r *Routine) takes(keys []string, content mediaKind, post bool) bool {
	if len(r.Params) == 0 {
		raw := content == mediaOctets || content == mediaText || content == mediaXML
		return len(keys) == 0 && (!post || !raw)
	}
	known := map[string]bool{}
	for _, p := range r.Params {
		known[p.Name] = true
		if p.Required && !slices.Contains(keys, p.Name) {
			return false
		}
	}
	return !slices.ContainsFunc(keys, func(key string) bool { return !known[key] })
}

// takesWhole says whether the function has one unnamed parameter, for a whole body of this kind.
func (r *Routine) takesWhole(content mediaKind) bool {
	if len(r.Params) != 1 || r.Params[0].Name != "" {
		return false
	}
	switch r.Params[0].Type {
	case "json", "jsonb":
		return content == mediaJSON
	case "text":
		return content == mediaText
	case "xml":
		return content == mediaXML
	case "bytea":
		return content == mediaOctets
	}
	return false
}
