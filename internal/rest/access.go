package rest

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/vital-db/vital/internal/postgres"
)

// This file says what a plan reads, for the records that reads leave in tenants under HIPAA. A record is kept for
// years and read by others than what it speaks of, so it holds no value of a filter but ids: these say whose row was
// looked at and tell nothing by themselves. Any other may be a patient's name or number; a hash of it would be no
// better, since there are few enough of those to try them all.

// Bounds of one record.
const (
	maxTold  = 100 // filters, and ids of all of them together
	idLength = 36
)

// toldFilter is how a record tells of a condition.
type toldFilter struct {
	Column   string   `json:"column"` // embedded.column below the root; the parameter of a function
	Operator string   `json:"operator"`
	Values   []string `json:"values,omitempty"`  // that are ids
	Omitted  int      `json:"omitted,omitempty"` // ids there was no room for
}

// access says what p reads; nil where it shows nothing of what there is. o is asked once all is read.
func (p *plan) access(o *outcome, sealed bool) *postgres.Access {
	switch {
	case p.call != nil && p.call.routine.returnsVoid():
		return nil
	case p.mutate != nil && !p.showsBody() && p.request.prefer.count == "":
		return nil // nobody is told which rows there were, nor how many
	}
	access := &postgres.Access{Told: func() postgres.Told {
		return postgres.Told{
			Action: p.accessName(), Table: cutName(p.request.target.Name), Embedded: p.read.embedded(nil), Filter: p.request.toldFilters(), Rows: o.rows,
		}
	}}
	if !sealed {
		access.Tenants = p.request.namedTenants()
	}
	return access
}

func (p *plan) accessName() string {
	if p.request.action == readRows && p.request.headOnly {
		return "count"
	}
	return map[action]string{
		readRows: "read", createRows: "insert", updateRows: "update", upsertRow: "update", deleteRows: "delete", callRoutine: "call",
	}[p.request.action]
}

// embedded adds the relations below p, each once, those that only lead to another included.
func (p *readPlan) embedded(names []string) []string {
	add := func(name string) {
		if name = cutName(name); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, child := range p.children {
		if through := child.toParent.junction; through != nil {
			add(through.table.Name)
		}
		add(child.source.Name)
		names = child.embedded(names)
	}
	return names
}

// toldFilters are the conditions of a request, and the arguments of a function.
func (r *request) toldFilters() []byte {
	told, ids := []toldFilter{}, maxTold
	add := func(path Path, f *Filter) {
		if len(told) == maxTold {
			return
		}
		t := toldFilter{Column: f.Field.Name, Operator: f.Op}
		for i := len(path) - 1; i >= 0; i-- {
			t.Column = path[i] + "." + t.Column
		}
		t.Column = cutName(t.Column)
		if f.Negated {
			t.Operator = "not." + t.Operator
		}
		values := f.Values
		if f.Op == "eq" || f.Op == "neq" {
			values = []string{f.Value}
		}
		for _, value := range values {
			switch id, err := uuid.Parse(value); {
			case err != nil || len(value) != idLength: // a long number would be read as one
			case ids == 0:
				t.Omitted++
			default:
				t.Values = append(t.Values, id.String())
				ids--
			}
		}
		told = append(told, t)
	}
	for i := range r.query.Filters {
		add(r.query.Filters[i].Path, &r.query.Filters[i].Filter)
	}
	for i := range r.query.Logic {
		r.query.Logic[i].Tree.each(func(f *Filter) { add(r.query.Logic[i].Path, f) })
	}
	for _, argument := range r.arguments() {
		add(nil, &Filter{Field: Field{Name: argument.Name}, Op: "eq", Value: argument.Value})
	}
	text, _ := json.Marshal(told) // strings and numbers always can be
	return text
}

// each calls fn with the leaves of l.
func (l *Logic) each(fn func(*Filter)) {
	if l.Filter != nil {
		fn(l.Filter)
	}
	for i := range l.Terms {
		l.Terms[i].each(fn)
	}
}

// arguments are what a function is called with; values that are no text are left out.
func (r *request) arguments() []Param {
	if r.action != callRoutine {
		return nil
	}
	if r.reading {
		return r.query.Params
	}
	if r.payload.form != nil {
		return r.payload.form
	}
	var values map[string]any
	_ = json.Unmarshal(r.payload.body, &values) // what is no object has no names
	var arguments []Param
	for _, name := range r.payload.columns {
		text, _ := values[name].(string)
		arguments = append(arguments, Param{name, text})
	}
	return arguments
}

// namedTenants are the tenants whose rows alone a request asks for, nil for any: what a condition of the rows themselves
// says, that holds whatever else is asked for.
func (r *request) namedTenants() []string {
	for i := range r.query.Filters {
		f := &r.query.Filters[i]
		if len(f.Path) > 0 || f.Filter.Negated || f.Filter.Field.Name != "tenant_id" || len(f.Filter.Field.JSON) > 0 || f.Filter.Quantifier != "" {
			continue
		}
		values := f.Filter.Values
		if f.Filter.Op == "eq" {
			values = []string{f.Filter.Value}
		}
		var tenants []string
		for _, value := range values {
			id, err := uuid.Parse(value)
			if err != nil {
				return nil // the database will say so
			}
			tenants = append(tenants, id.String())
		}
		if len(tenants) > 0 {
			return tenants
		}
	}
	return nil
}

// cutName is name as a record can hold it: whoever asks for what there is not may call it anything.
func cutName(name string) string {
	return strings.ToValidUTF8(untilZero(name[:min(len(name), maxIdentifier)]), "")
}
