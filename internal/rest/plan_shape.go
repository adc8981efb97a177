package rest

import (
	"slices"
	"strconv"
	"strings"
)

// This file holds the stages that give the levels of a readPlan their final shape, once all of the request
// is in them.

// expandStars turns * into the table's columns where that matters: for grouping, for spreading lists, and
// where a column is shown through a function.
func (p *planner) expandStars(plan *readPlan, grouped bool) {
	grouped = grouped || plan.spread == spreadMany ||
		slices.ContainsFunc(plan.fields, func(s selected) bool { return s.aggregate != "" })
	represented := plan.table != nil && slices.ContainsFunc(plan.table.Columns, func(c *Column) bool {
		return p.catalog.representations[[2]string{c.Nominal, "json"}] != ""
	})
	if grouped || represented {
		var fields []selected
		for _, s := range plan.fields {
			switch {
			case s.column.name != "*" || len(s.column.json) > 0:
				fields = append(fields, s)
			case s.aggregate == "" && plan.table != nil:
				for _, c := range plan.table.Columns {
					s.column = p.output(plan.table, Field{Name: c.Name})
					fields = append(fields, s)
				}
			case s.aggregate == "count" && plan.spread != notSpread:
				s.column.wholeRow = true // so that it does not count the rows around it
				fields = append(fields, s)
			default:
				fields = append(fields, s)
			}
		}
		plan.fields = fields
	}
	for _, child := range plan.children {
		p.expandStars(child, grouped)
	}
}

// nameFields gives fields the names they are shown under where the database would choose others.
func nameFields(plan *readPlan) {
	for i := range plan.fields {
		s := &plan.fields[i]
		switch {
		case s.alias != "":
		case s.aggregate != "":
			if plan.spread != notSpread {
				s.alias = s.aggregate
			}
		case len(s.column.json) > 0:
			s.alias = s.column.lastKey()
		case s.column.transform != "":
			s.alias = s.column.name
		}
	}
	for _, child := range plan.children {
		nameFields(child)
	}
}

// lastKey is the last key on the way into a column's JSON, or the column's name.
func (c *column) lastKey() string {
	for _, step := range slices.Backward(c.json) {
		if !step.IsIndex {
			key, _, _ := strings.Cut(step.Operand, "\x00") // PostgreSQL's text ends there
			return key
		}
	}
	return c.name
}

// orderByEmbeds finds the children that orderings name; only what is there at most once can be ordered by.
func orderByEmbeds(plan *readPlan) error {
	for i := range plan.order {
		o := &plan.order[i]
		if o.relation == "" {
			continue
		}
		at := slices.IndexFunc(plan.children, func(c *readPlan) bool { return c.shownAs() == o.relation })
		if at < 0 {
			return notEmbedded(o.relation)
		}
		child := plan.children[at]
		if !child.toParent.toOne() {
			e := newError(400, "PGRST118", "A related order on '"+child.shownAs()+"' is not possible")
			e.Details = "'" + plan.relationName() + "' and '" + child.shownAs() + "' do not form a many-to-one or one-to-one relationship"
			return e
		}
		o.relation = child.embedAs
	}
	for _, child := range plan.children {
		if err := orderByEmbeds(child); err != nil {
			return err
		}
	}
	return nil
}

func (p *readPlan) relationName() string {
	if p.toParent == nil {
		return p.name
	}
	return p.source.Name
}

// askForEmbeds turns clients=is.null, where clients is embedded, into the question whether there is one.
func askForEmbeds(plan *readPlan) error {
	var ask func([]logic)
	ask = func(conditions []logic) {
		for i := range conditions {
			l := &conditions[i]
			ask(l.terms)
			if l.filter == nil || len(l.filter.column.json) > 0 || l.filter.Op != "is" || l.filter.Value != "null" {
				continue
			}
			at := slices.IndexFunc(plan.children, func(c *readPlan) bool { return c.shownAs() == l.filter.column.name })
			if at >= 0 {
				*l = logic{embedded: plan.children[at], negated: l.filter.Negated}
			}
		}
	}
	ask(plan.where)
	for _, child := range plan.children {
		if err := askForEmbeds(child); err != nil {
			return err
		}
	}
	return nil
}

// selectEmbeds says how each child shows in its parent, the innermost first.
func selectEmbeds(plan *readPlan) {
	for _, child := range plan.children {
		selectEmbeds(child)
		e := &embed{child: child}
		if child.spread != notSpread {
			e.spread = child.spreadColumns()
		} else {
			e.object = child.toParent.toOne()
			e.empty = child.selectsNothing()
		}
		plan.embeds = append(plan.embeds, e)
	}
}

func (p *readPlan) selectsNothing() bool {
	return len(p.fields) == 0 && !slices.ContainsFunc(p.children, func(c *readPlan) bool { return !c.selectsNothing() })
}

// spreadColumns are what a level shows, by name: its fields and what is embedded into it.
func (p *readPlan) spreadColumns() []spreadColumn {
	var columns []spreadColumn
	for _, s := range p.fields {
		name := s.alias
		if name == "" {
			name = s.column.name
		}
		columns = append(columns, spreadColumn{name: name})
	}
	for _, e := range p.embeds {
		if e.child.spread != notSpread {
			columns = append(columns, e.spread...)
		} else {
			columns = append(columns, spreadColumn{name: e.child.shownAs()})
		}
	}
	return columns
}

// hoisted is an aggregate that belongs to a level further up.
type hoisted struct {
	from, name             string
	aggregate, cast, alias string
}

// hoistAggregates moves the aggregates of a spread level to where it is spread: there the rows are that they
// are to aggregate.
func hoistAggregates(plan *readPlan) []hoisted {
	var below []hoisted
	for _, child := range plan.children {
		below = append(below, hoistAggregates(child)...)
	}
	if plan.spread != spreadOne {
		for _, e := range plan.embeds {
			for i := range e.spread {
				e.spread[i].take(e.child.embedAs, below)
			}
		}
		return nil
	}
	var up []hoisted
	for i := range plan.fields {
		s := &plan.fields[i]
		if s.aggregate == "" {
			continue
		}
		name := s.alias
		if name == "" {
			name = s.column.name
		}
		up = append(up, hoisted{plan.embedAs, name, s.aggregate, s.aggregateCast, s.alias})
		s.aggregate, s.aggregateCast = "", ""
	}
	for _, h := range below {
		h.from = plan.embedAs
		up = append(up, h)
	}
	return up
}

func (c *spreadColumn) take(from string, below []hoisted) {
	for _, h := range below {
		if h.from == from && h.name == c.name {
			c.aggregate, c.aggregateCast, c.alias = h.aggregate, h.cast, h.alias
			return
		}
	}
}

// orderSpreads lets the lists of a spread be ordered: what is ordered by is selected under a name of its own
// and the lists are aggregated in that order.
func orderSpreads(plan *readPlan) error {
	if plan.spread == spreadMany {
		if plan.isAggregated() {
			e := newError(400, "PGRST127", "Feature not implemented")
			e.Details = "Aggregates are not implemented for one-to-many or many-to-many spreads."
			return e
		}
		for i, o := range plan.order {
			name := plan.embedAs + "_order_" + strconv.Itoa(i+1)
			plan.extras = append(plan.extras, extraSelected{o.relation, selected{column: o.column, alias: name}})
			plan.spreadOrder = append(plan.spreadOrder, ordering{column: column{name: name}, direction: o.direction, nulls: o.nulls})
		}
		plan.order = nil
	}
	for _, child := range plan.children {
		if err := orderSpreads(child); err != nil {
			return err
		}
	}
	return nil
}
