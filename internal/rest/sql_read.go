package rest

import "slices"

// qualifier writes what columns of p are qualified with.
func (w *sqlWriter) qualifierOf(p *readPlan) func() {
	return func() {
		if p.as != "" {
			w.name(p.as)
		} else {
			w.qualified(p.source)
		}
	}
}

// read writes the query of one level and everything below it.
func (w *sqlWriter) read(p *readPlan, grouping bool) {
	qualifier := w.qualifierOf(p)
	w.text("SELECT ")
	separate := separator(w)
	if len(p.fields) == 0 && len(p.children) == 0 {
		separate() // nothing is shown of it, but it is there
		w.member(qualifier, "*")
	}
	for i := range p.fields {
		separate()
		w.selected(qualifier, &p.fields[i])
	}
	for i := range p.extras {
		separate()
		from := qualifier
		if relation := p.extras[i].relation; relation != "" {
			from = func() { w.name(relation) }
		}
		w.selected(from, &p.extras[i].selected)
	}
	for _, e := range p.embeds {
		w.embedSelected(e, grouping, separate)
	}
	w.from(p)
	for _, e := range p.embeds {
		w.embedJoin(e, grouping)
	}
	w.where(p, w.embedExists, nil)
	w.group(p)
	w.order(qualifier, p.order)
	w.window(p.window)
}

// isSingle says that at most one row of a child belongs to each of its parent.
func (p *readPlan) isSingle() bool {
	return p.spread == spreadOne || p.spread == notSpread && p.toParent.toOne()
}

// separator returns a function that writes a comma before all but the first.
func separator(w *sqlWriter) func() {
	first := true
	return func() {
		if !first {
			w.text(", ")
		}
		first = false
	}
}

func (w *sqlWriter) from(p *readPlan) {
	w.text(" FROM ")
	r := p.toParent
	if r != nil && r.cardinality == computed {
		w.qualified(r.function)
		w.text("(")
		w.text("(")
		w.member(func() { w.name(p.parentAs()) }, "*") // and not its bare name, which a column could carry too
		w.text(")::")
		w.qualified(r.table)
		w.text(")")
	} else {
		w.qualified(p.source)
	}
	w.as(p.as)
	if r != nil && r.junction != nil {
		w.text(", ")
		w.qualified(r.junction.table)
		w.as(p.junctionAs())
	}
}

func (p *readPlan) junctionAs() string { return p.embedAs + "_through" }

// parentAs is the name by which the level above is known here.
func (p *readPlan) parentAs() string {
	if p.parent.as != "" {
		return p.parent.as
	}
	return p.parent.source.Name
}

// where writes the conditions of p, how it hangs on its parent, and what further is given.
func (w *sqlWriter) where(p *readPlan, embedded func(*logic), further []func()) {
	conditions := further
	for i := range p.where {
		conditions = append(conditions, func() { w.condition(w.qualifierOf(p), &p.where[i], embedded) })
	}
	own := func() { w.name(p.as) }
	through := func() { w.name(p.junctionAs()) }
	equal := func(a func(), column string, b func(), other string) {
		conditions = append(conditions, func() {
			w.member(a, column)
			w.text(" = ")
			w.member(b, other)
		})
	}
	switch r := p.toParent; {
	case r == nil || r.cardinality == computed:
	case r.junction != nil:
		for _, pair := range r.junction.targetColumns {
			equal(own, pair[0], through, pair[1])
		}
		for _, pair := range r.junction.sourceColumns {
			equal(through, pair[1], w.qualifierOf(p.parent), pair[0])
		}
	default:
		for _, pair := range r.columns {
			equal(own, pair[1], w.qualifierOf(p.parent), pair[0])
		}
	}
	if len(conditions) == 0 {
		return
	}
	w.text(" WHERE ")
	list(w, " AND ", conditions, func(write func()) { write() })
}

// embedSelected writes the columns in which a child shows. What is grouped by needs a type with equality,
// which json has not.
func (w *sqlWriter) embedSelected(e *embed, grouping bool, separate func()) {
	as := e.child.embedAs
	switch {
	case e.child.spread != notSpread:
		for _, c := range e.spread {
			separate()
			if c.aggregateCast != "" {
				w.text("CAST(")
			}
			if c.aggregate != "" {
				w.text(c.aggregate, "(")
			}
			w.member(func() { w.name(as) }, c.name)
			if c.aggregate != "" {
				w.text(")")
			}
			if c.aggregateCast != "" {
				w.text(" AS ", c.aggregateCast, ")")
			}
			w.as(c.alias)
		}
		return
	case e.empty:
		return
	case e.object:
		separate()
		w.text("row_to_json(")
		w.member(func() { w.name(as) }, "*")
		w.text(")")
	default:
		separate()
		w.text("COALESCE(")
		w.member(func() { w.name(as) }, as)
		w.text(", '[]')")
	}
	if grouping {
		w.text("::jsonb")
	}
	w.as(e.child.shownAs())
}

// embedJoin joins a child: for each row of the parent the rows that belong to it.
func (w *sqlWriter) embedJoin(e *embed, grouping bool) {
	child, inner := e.child, e.child.join == "inner"
	if inner {
		w.text(" INNER JOIN LATERAL (")
	} else {
		w.text(" LEFT JOIN LATERAL (")
	}
	single := child.isSingle()
	if single {
		w.read(child, grouping)
	} else {
		w.text("SELECT ")
		w.aggregated(e, grouping)
		w.text(" FROM (")
		w.read(child, grouping)
		w.text(") AS ")
		w.name(child.embedAs)
	}
	w.text(") AS ")
	w.name(child.embedAs)
	if inner && !single {
		w.text(" ON ")
		w.embedded(child)
		w.text(" IS NOT NULL")
	} else {
		w.text(" ON TRUE")
	}
}

// aggregated writes the rows of a child as one list, or as a list for each of its columns; the first column
// carries the child's own name and is null when there are no rows.
func (w *sqlWriter) aggregated(e *embed, grouping bool) {
	as := e.child.embedAs
	if e.child.spread == notSpread {
		w.text("json_agg(")
		w.member(func() { w.name(as) }, "*")
		w.text(")")
		if grouping {
			w.text("::jsonb")
		}
		w.as(as)
		return
	}
	w.text("nullif(count(*), 0)")
	w.as(as)
	for _, c := range e.spread {
		w.text(", COALESCE(json_agg(")
		w.member(func() { w.name(as) }, c.name)
		w.order(func() { w.name(as) }, e.child.spreadOrder)
		w.text("), '[]')")
		if grouping {
			w.text("::jsonb")
		}
		w.as(c.shownAs())
	}
}

func (c *spreadColumn) shownAs() string {
	if c.alias != "" {
		return c.alias
	}
	return c.name
}

// group writes what rows are grouped by, where there are aggregates: everything else that is selected.
func (w *sqlWriter) group(p *readPlan) {
	if !p.isAggregated() {
		return
	}
	var terms []func()
	for i := range p.fields {
		s := &p.fields[i]
		switch {
		case s.aggregate != "":
		case s.alias != "":
			terms = append(terms, func() { w.name(s.alias) })
		default:
			terms = append(terms, func() { w.column(w.qualifierOf(p), &s.column) })
		}
	}
	for _, e := range p.embeds {
		if e.child.spread == notSpread {
			if !e.empty {
				terms = append(terms, func() { w.name(e.child.shownAs()) })
			}
			continue
		}
		for _, c := range e.spread {
			if c.aggregate == "" {
				terms = append(terms, func() { w.member(func() { w.name(e.child.embedAs) }, c.shownAs()) })
			}
		}
	}
	if len(terms) == 0 {
		return
	}
	w.text(" GROUP BY ")
	list(w, ", ", terms, func(write func()) { write() })
}

// isAggregated says that rows of this level are grouped: something of it is aggregated, or something of what
// is spread into it.
func (p *readPlan) isAggregated() bool {
	return slices.ContainsFunc(p.fields, func(s selected) bool { return s.aggregate != "" }) ||
		slices.ContainsFunc(p.embeds, func(e *embed) bool {
			return slices.ContainsFunc(e.spread, func(c spreadColumn) bool { return c.aggregate != "" })
		})
}

// count writes a query with a row for each that read would return if it had no bounds. Inner joins narrow the
// parents down, so they become conditions here; the others don't matter.
func (w *sqlWriter) count(p *readPlan) {
	w.text("SELECT 1")
	w.from(p)
	var further []func()
	for _, child := range p.children {
		if child.join == "inner" {
			further = append(further, func() {
				w.text("EXISTS (")
				w.count(child)
				w.text(")")
			})
		}
	}
	w.where(p, func(l *logic) {
		if !l.negated {
			w.text("NOT ")
		}
		w.text("EXISTS (")
		w.count(l.embedded)
		w.text(")")
	}, further)
}
