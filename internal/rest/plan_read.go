package rest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// sourceName is the name of the statement's part that changes rows or calls a function.
const sourceName = "pgrst_source"

// Bounds of one request: what it embeds is planned and run by the database all at once.
const (
	maxDepth  = 12
	maxEmbeds = 100
)

// maxIdentifier is how many bytes PostgreSQL keeps of a name.
const maxIdentifier = 63

// planner turns one request into plans.
type planner struct {
	catalog    *Catalog
	config     *Config
	request    *request
	embeds     int
	aggregates bool // somewhere in the statement
}

// readPlan plans what is read of relation: the rows themselves, or those that were changed or returned.
func (p *planner) readPlan(relation Name) (*readPlan, error) {
	root := &readPlan{name: relation.Name, source: relation, table: p.catalog.tables[relation], window: everything}
	if p.request.action != readRows {
		root.source, root.as = Name{"", sourceName}, relation.Name
	}
	if err := p.addItems(root, relation.Name, p.request.query.Select); err != nil {
		return nil, err
	}
	for _, stage := range []func(*readPlan) error{
		p.addFilters, p.addLogic, p.addOrders, p.addWindows,
	} {
		if err := stage(root); err != nil {
			return nil, err
		}
	}
	p.expandStars(root, false)
	nameFields(root)
	for _, stage := range []func(*readPlan) error{orderByEmbeds, askForEmbeds} {
		if err := stage(root); err != nil {
			return nil, err
		}
	}
	selectEmbeds(root)
	if p.aggregates && !p.config.Aggregates {
		return nil, newError(400, "PGRST123", "Use of aggregate functions is not allowed")
	}
	hoistAggregates(root)
	return root, orderSpreads(root)
}

// addItems adds the select list to plan; origin is the name of its relation, to find relationships from.
func (p *planner) addItems(plan *readPlan, origin string, items []SelectItem) error {
	for _, item := range items {
		if item.Kind == SelectField {
			field, err := p.selectField(plan, item)
			if err != nil {
				return err
			}
			plan.fields = append(plan.fields, field)
			continue
		}
		child, err := p.embed(plan, origin, item)
		if err != nil {
			return err
		}
		plan.children = append(plan.children, child)
		if err := p.addItems(child, child.toParent.target.Name, item.Items); err != nil {
			return err
		}
	}
	return nil
}

func (p *planner) selectField(plan *readPlan, item SelectItem) (selected, error) {
	s := selected{column: p.output(plan.table, item.Field), aggregate: item.Aggregate, alias: item.Alias}
	p.aggregates = p.aggregates || item.Aggregate != ""
	if err := checkColumn(plan.table, item.Field.Name); err != nil {
		return s, err
	}
	var err error
	if s.cast, err = p.catalog.castType(item.Cast); err != nil {
		return s, err
	}
	s.aggregateCast, err = p.catalog.castType(item.AggregateCast)
	return s, err
}

// checkColumn refuses the columns every table has: they tell of rows and transactions nobody asked about. And
// what PostgreSQL lets be written like a column though it makes one row of all, past every bound of rows.
func checkColumn(t *Table, name string) error {
	switch name = untilZero(name); name {
	case "ctid", "xmin", "cmin", "xmax", "cmax", "tableoid":
		if t.column(name) == nil {
			return newError(400, "42703", "column "+name+" does not exist")
		}
	case "array_agg", "json_agg", "json_agg_strict", "jsonb_agg", "jsonb_agg_strict":
		if t.field(name) == nil {
			return newError(400, "42703", "column "+name+" does not exist")
		}
	}
	return nil
}

func (p *planner) embed(parent *readPlan, origin string, item SelectItem) (*readPlan, error) {
	if p.embeds++; p.embeds > maxEmbeds || parent.depth >= maxDepth {
		e := newError(400, "PGRST100", "The request embeds more than this server answers at once")
		e.Hint = fmt.Sprintf("Embed at most %d relations, at most %d deep; ask for the rest by requests of their own.", maxEmbeds, maxDepth)
		return nil, e
	}
	r, err := p.catalog.findRelationship(p.request.schema, origin, item.Relation, item.Hint)
	if err != nil {
		return nil, err
	}
	child := &readPlan{
		name: item.Relation, alias: item.Alias, hint: item.Hint, join: item.Join, depth: parent.depth + 1,
		source: r.target, table: p.catalog.tables[r.target], parent: parent, toParent: r, window: everything,
		embedAs: "embed_" + strconv.Itoa(p.embeds),
	}
	child.as = r.target.Name + "_" + strconv.Itoa(child.depth)
	if len(child.as) > maxIdentifier { // PostgreSQL would cut it off, at every depth alike
		child.as = child.embedAs + "_row"
	}
	if item.Kind == SelectSpread {
		child.spread = spreadOne
		if !r.toOne() {
			child.spread = spreadMany
		}
	}
	return child, nil
}

// column looks f up; a name the catalog does not have may be a computed field of the database.
func (p *planner) column(t *Table, f Field) column {
	c := column{name: f.Name, json: f.JSON, toJSON: true}
	if known := t.field(f.Name); known != nil {
		c.nominal, c.base, c.fallback = known.Nominal, known.Type, known.Default
		c.toJSON = known.Nominal != "json" && known.Nominal != "jsonb"
	}
	return c
}

// output is a column as it is shown: through the function that represents its type, if there is one.
func (p *planner) output(t *Table, f Field) column {
	c := p.column(t, f)
	c.transform = p.catalog.representations[[2]string{c.nominal, "json"}]
	return c
}

// filter resolves a condition; its value goes through the function that reads the column's type.
func (p *planner) filter(t *Table, f Filter) (*filter, error) {
	if err := checkColumn(t, f.Field.Name); err != nil {
		return nil, err
	}
	c := p.column(t, f.Field)
	c.transform = p.catalog.representations[[2]string{"text", c.nominal}]
	if slices.Contains(fullText[:], f.Op) && c.base != "tsvector" {
		c.vector, c.language = true, f.Language
	}
	return &filter{c, f}, nil
}

func (p *planner) logic(t *Table, tree Logic) (logic, error) {
	if tree.Filter != nil {
		f, err := p.filter(t, *tree.Filter)
		return logic{filter: f}, err
	}
	out := logic{negated: tree.Negated, or: tree.Or}
	for _, term := range tree.Terms {
		resolved, err := p.logic(t, term)
		if err != nil {
			return out, err
		}
		out.terms = append(out.terms, resolved)
	}
	return out, nil
}

// at finds the level path leads to.
func at(root *readPlan, path Path) (*readPlan, error) {
	plan := root
	for _, name := range path {
		i := slices.IndexFunc(plan.children, func(c *readPlan) bool { return c.shownAs() == name })
		if i < 0 {
			i = slices.IndexFunc(plan.children, func(c *readPlan) bool { return c.name == name })
		}
		if i < 0 {
			return nil, notEmbedded(name)
		}
		plan = plan.children[i]
	}
	return plan, nil
}

func notEmbedded(name string) error {
	e := newError(400, "PGRST108", "'"+name+"' is not an embedded resource in this request")
	e.Hint = "Verify that '" + name + "' is included in the 'select' query parameter."
	return e
}

// addFilters puts filters where they apply. Those of the root choose the rows that are changed, where rows
// are.
func (p *planner) addFilters(root *readPlan) error {
	for _, f := range p.request.query.Filters {
		if len(f.Path) == 0 && p.request.action.mutates() {
			continue
		}
		plan, err := at(root, f.Path)
		if err != nil {
			return err
		}
		resolved, err := p.filter(plan.table, f.Filter)
		if err != nil {
			return err
		}
		plan.where = append(plan.where, logic{filter: resolved})
	}
	return nil
}

func (p *planner) addLogic(root *readPlan) error {
	for _, l := range p.request.query.Logic {
		if len(l.Path) == 0 && p.request.action.mutates() {
			continue
		}
		plan, err := at(root, l.Path)
		if err != nil {
			return err
		}
		resolved, err := p.logic(plan.table, l.Tree)
		if err != nil {
			return err
		}
		plan.where = append(plan.where, resolved)
	}
	return nil
}

func (p *planner) addOrders(root *readPlan) error {
	for _, o := range p.request.query.Orders {
		plan, err := at(root, o.Path)
		if err != nil {
			return err
		}
		plan.order = nil
		for _, term := range o.Terms {
			c := p.column(plan.table, term.Field)
			if term.Relation != "" {
				c = column{name: term.Field.Name, json: term.Field.JSON}
			}
			if err := checkColumn(plan.table, c.name); err != nil {
				return err
			}
			plan.order = append(plan.order, ordering{term.Relation, c, term.Direction, term.Nulls})
		}
	}
	return nil
}

// addWindows sets the ranges of rows, of the root that of the whole answer, each within the server's bound.
func (p *planner) addWindows(root *readPlan) error {
	if p.request.action.mutates() {
		return nil
	}
	root.window = p.request.top
	for key, window := range p.request.query.Ranges {
		key = strings.TrimSuffix(strings.TrimSuffix(key, "limit"), ".")
		if key == "" {
			continue
		}
		path, last, err := parsePath(key)
		if err != nil {
			return requestError(err)
		}
		plan, err := at(root, append(path, last.Name))
		if err != nil {
			return err
		}
		plan.window = window
	}
	restrict(root, p.config.MaxRows)
	return nil
}

func restrict(plan *readPlan, most int64) {
	plan.window = plan.window.atMost(most)
	for _, child := range plan.children {
		restrict(child, most)
	}
}
