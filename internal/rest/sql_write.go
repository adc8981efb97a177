package rest

import (
	"encoding/hex"
	"encoding/json"
)

// bodyName is what the payload's rows are called in a statement.
const bodyName = "pgrst_body"

// insertedSetting counts, within a transaction, how many rows an upsert has inserted and not updated.
const insertedSetting = "pgrst.inserted"

func (w *sqlWriter) body() { w.name(bodyName) }

// mutate writes the change, without what is returned of it.
func (w *sqlWriter) mutate(m *mutatePlan) {
	switch m.action {
	case createRows, upsertRow:
		w.insert(m)
	case updateRows:
		w.update(m)
	default:
		w.text("DELETE FROM ")
		w.qualified(m.table.Name)
		w.mutateWhere(func() { w.qualified(m.table.Name) }, m.where)
	}
}

// changesNothing says that there is no column to change.
func (m *mutatePlan) changesNothing() bool { return m.action == updateRows && len(m.columns) == 0 }

func (w *sqlWriter) insert(m *mutatePlan) {
	w.text("INSERT INTO ")
	w.qualified(m.table.Name)
	if len(m.columns) > 0 {
		w.text("(")
		list(w, ", ", m.columns, func(c column) { w.name(c.name) })
		w.text(")")
	}
	w.text(" SELECT ")
	list(w, ", ", m.columns, func(c column) {
		if c.transform != "" {
			w.text(c.transform, "(")
		}
		w.member(w.body, c.name)
		if c.transform != "" {
			w.text(")")
		}
	})
	w.text(" FROM ")
	w.payloadRows(m)
	counted := m.resolution == "merge-duplicates" && len(m.conflict) > 0
	if counted {
		w.text(" WHERE ", tally("+"))
		for i := range m.where {
			w.text(" AND ")
			w.condition(w.body, &m.where[i], w.embedExists)
		}
	}
	if m.resolution == "" || len(m.conflict) == 0 {
		return
	}
	w.text(" ON CONFLICT (")
	list(w, ", ", m.conflict, w.name)
	w.text(") DO ")
	if m.resolution == "ignore-duplicates" || len(m.columns) == 0 {
		w.text("NOTHING")
		return
	}
	w.text("UPDATE SET ")
	list(w, ", ", m.columns, func(c column) {
		w.name(c.name)
		w.text(" = EXCLUDED.")
		w.name(c.name)
	})
	w.text(" WHERE ", tally("-"))
}

// tally is a condition that is always true and counts as it is looked at: one up for each row that is to be
// inserted, one down for each that turns out to be updated.
func tally(sign string) string {
	return "set_config('" + insertedSetting + "', (coalesce(nullif(current_setting('" + insertedSetting + "', true), '')::int, 0) " +
		sign + " 1)::text, true) <> ''"
}

func (w *sqlWriter) update(m *mutatePlan) {
	if m.changesNothing() {
		w.text("SELECT ")
		w.returned(func() { w.name(m.table.Name.Name) }, m.returning)
		w.text(" FROM ")
		w.qualified(m.table.Name)
		w.text(" WHERE false")
		return
	}
	w.text("UPDATE ")
	w.qualified(m.table.Name)
	w.text(" SET ")
	list(w, ", ", m.columns, func(c column) {
		w.name(c.name)
		w.text(" = ")
		if c.transform != "" {
			w.text(c.transform, "(")
		}
		w.member(w.body, c.name)
		if c.transform != "" {
			w.text(")")
		}
	})
	w.text(" FROM ")
	w.payloadRows(m)
	w.mutateWhere(func() { w.qualified(m.table.Name) }, m.where)
}

func (w *sqlWriter) mutateWhere(qualifier func(), where []logic) {
	for i := range where {
		if i == 0 {
			w.text(" WHERE ")
		} else {
			w.text(" AND ")
		}
		w.condition(qualifier, &where[i], w.embedExists)
	}
}

// payloadRows writes the payload as rows of the columns' types.
func (w *sqlWriter) payloadRows(m *mutatePlan) {
	object := m.payload.isObject()
	switch {
	case len(m.columns) > 0:
		w.records(m, object)
		w.text(" AS ")
		w.body()
		w.text("(")
		list(w, ", ", m.columns, func(c column) {
			w.name(c.name)
			w.text(" ", c.nominal)
		})
		w.text(")")
	case object:
		w.text("(VALUES (1)) AS ")
		w.body()
	default:
		w.text("json_array_elements(")
		w.bytes(m.payload.body)
		w.text("::json) AS ")
		w.body()
	}
}

func (w *sqlWriter) records(m *mutatePlan, object bool) {
	function := "to_recordset("
	if object {
		function = "to_record("
	}
	if !m.defaults {
		w.text("json_", function)
		w.bytes(m.payload.body)
		w.text("::json)")
		return
	}
	w.text("jsonb_", function)
	if object {
		w.fallbacks(m.columns)
		w.text(" || ")
		w.bytes(m.payload.body)
		w.text("::jsonb)")
		return
	}
	w.text("(SELECT jsonb_agg(")
	w.fallbacks(m.columns)
	w.text(" || given) FROM jsonb_array_elements(")
	w.bytes(m.payload.body)
	w.text("::jsonb) AS given))")
}

// fallbacks writes what columns get that a row leaves out. The expressions are the catalog's own.
func (w *sqlWriter) fallbacks(columns []column) {
	w.text("jsonb_build_object(")
	separate := separator(w)
	for _, c := range columns {
		if c.fallback != nil {
			separate()
			w.value(c.name)
			w.text("::text, ", *c.fallback)
		}
	}
	w.text(")")
}

func (w *sqlWriter) returned(qualifier func(), names []string) {
	if len(names) == 0 {
		w.text("NULL")
		return
	}
	list(w, ", ", names, func(name string) { w.member(qualifier, name) })
}

// call writes a query with what the function returns, under pgrst_scalar where that is no row.
func (w *sqlWriter) call(c *callPlan) {
	const calledName = "pgrst_call"
	called := func() { w.name(calledName) }
	scalar := c.routine.returnsScalar() || c.routine.returnsSetOfScalar()
	w.text("SELECT ")
	switch {
	case scalar:
		w.member(called, scalarName)
	case c.returning == nil:
		w.member(called, "*")
	default:
		w.returned(called, c.returning)
	}
	w.text(" FROM ")
	if len(c.params) > 0 && c.direct == nil {
		w.argumentRow(c)
		w.text(", LATERAL ")
	}
	if scalar {
		w.text("(SELECT ")
		w.invocation(c)
		w.as(scalarName)
		w.text(")")
	} else {
		w.invocation(c)
	}
	w.as(calledName)
}

// scalarName is the column of what a function returns that is no row.
const scalarName = "pgrst_scalar"

// argumentRow writes the arguments of a JSON body as one row.
func (w *sqlWriter) argumentRow(c *callPlan) {
	types := func() {
		w.text("(")
		list(w, ", ", c.params, func(p RoutineParam) {
			w.name(p.Name)
			w.text(" ", p.Castable)
		})
		w.text(")")
	}
	if c.payload.isObject() {
		w.text("json_to_record(")
		w.bytes(c.payload.body)
		w.text("::json) AS ")
		w.body()
		types()
		return
	}
	w.text("(SELECT * FROM json_to_recordset(")
	w.bytes(c.payload.body)
	w.text("::json) AS _")
	types()
	w.text(" LIMIT 1) AS ")
	w.body()
}

func (w *sqlWriter) invocation(c *callPlan) {
	w.qualified(c.routine.Name)
	w.text("(")
	if len(c.routine.Params) == 1 && c.routine.Params[0].Name == "" {
		w.wholeBody(c)
	}
	list(w, ", ", c.params, func(p RoutineParam) {
		if p.Variadic {
			w.text("VARIADIC ")
		}
		w.name(p.Name)
		w.text(" := ")
		if c.direct == nil {
			w.member(w.body, p.Name)
			return
		}
		switch values := c.direct[p.Name]; {
		case p.Variadic:
			w.value(arrayLiteral(values))
		default:
			w.value(values[0])
		}
		w.text("::", p.Castable)
	})
	w.text(")")
}

// wholeBody writes the body as the one argument; a call by GET has its parameters for a body.
func (w *sqlWriter) wholeBody(c *callPlan) {
	body := c.payload.body
	if c.direct != nil {
		object := map[string]string{}
		for name, values := range c.direct {
			object[name] = values[len(values)-1]
		}
		body, _ = json.Marshal(object) // strings always can be
	}
	if c.routine.Params[0].Type == "bytea" {
		body = append([]byte(`\x`), hex.AppendEncode(nil, body)...)
	}
	w.bytes(body)
	w.text("::", c.routine.Params[0].Type)
}
