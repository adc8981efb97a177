package rest

import (
	"strconv"
	"strings"
)

// plan is everything that is to be run for a request.
type plan struct {
	request  *request
	relation Name // whose rows are answered
	read     *readPlan
	mutate   *mutatePlan
	call     *callPlan
	handler  handler
	grouping bool           // somewhere rows are grouped
	foreign  bool           // a function that is not VITAL's may run
	counted  bool           // the total is asked of the database, and not just the rows that come
	columns  []outputColumn // in which rows come; nil where they come as JSON, or as CSV has them
	// The statement, once it is written.
	text   string
	values [][]byte
}

// rowsName is what the rows to be answered are called.
const rowsName = "_t"

func (w *sqlWriter) rows() { w.name(rowsName) }

// minimal says that nobody reads what a change changed.
func (p *plan) minimal() bool {
	return p.mutate != nil && p.mutate.returning == nil
}

// main writes the statement of a plan. It answers, in this order, with: the total and whether the row is one,
// where that is counted; then the body of each row, or its columns for CSV. HEAD answers with the number of
// rows and the total. A minimal change answers with nothing.
func (w *sqlWriter) main(p *plan) {
	if p.handler.media.kind == mediaPlan {
		w.explain(p.handler.media)
	}
	if p.minimal() && p.handler.media.kind != mediaPlan {
		w.mutate(p.mutate)
		return
	}
	w.source(p)
	w.text("SELECT ")
	switch {
	case p.request.headOnly:
		w.text("(SELECT count(")
		w.member(w.rows, "*")
		w.text(") FROM (")
		w.read(p.read, p.grouping)
		w.text(") AS ")
		w.rows()
		w.text(")")
		if p.counted {
			w.text(", ")
			w.total(p)
		}
	case p.counted:
		// One row at least, so that the total is known when no row follows.
		w.text("_c.n, _r.* FROM (SELECT ")
		w.total(p)
		w.text(" AS n) AS _c LEFT JOIN (SELECT TRUE AS here, ")
		w.answers(p, true)
		w.text(") AS _r ON TRUE")
	default:
		w.answers(p, false)
	}
}

// source writes the part of the statement that changes rows or calls a function.
func (w *sqlWriter) source(p *plan) {
	if p.mutate == nil && p.call == nil {
		return
	}
	w.text("WITH ", sourceName, " AS (")
	if p.call != nil {
		w.call(p.call)
	} else {
		w.mutate(p.mutate)
		if !p.mutate.changesNothing() {
			w.text(" RETURNING ")
			if len(p.mutate.returning) == 0 {
				w.text("1")
			} else {
				w.returned(func() { w.qualified(p.mutate.table.Name) }, p.mutate.returning)
			}
		}
	}
	w.text(") ")
}

func (w *sqlWriter) total(p *plan) {
	w.text("(SELECT count(*) FROM (")
	w.count(p.read)
	w.text(") AS _s)")
}

// answers writes what is selected of each row, and the rows.
func (w *sqlWriter) answers(p *plan, named bool) {
	switch {
	case p.handler.kind == asCSV:
		w.member(w.rows, "*")
	case p.columns != nil:
		w.rowColumns(p.columns)
	default:
		w.rowBody(p)
		if named {
			w.text(" AS body")
		}
	}
	w.text(" FROM (")
	if p.mutate != nil && p.request.prefer.representation == "headers-only" {
		w.text("SELECT * FROM ", sourceName)
	} else {
		w.read(p.read, p.grouping)
	}
	w.text(") AS ")
	w.rows()
}

// rowColumns writes the columns of a row, under names that cannot clash.
func (w *sqlWriter) rowColumns(columns []outputColumn) {
	for i, c := range columns {
		if i > 0 {
			w.text(", ")
		}
		if c.json {
			w.text("to_json(")
		}
		w.member(w.rows, c.name)
		if c.json {
			w.text(")")
		}
		w.as("c" + strconv.Itoa(i+1))
	}
}

// rowBody writes a row as the handler makes it.
func (w *sqlWriter) rowBody(p *plan) {
	scalar := p.call != nil && (p.call.routine.returnsScalar() || p.call.routine.returnsSetOfScalar())
	value := func() {
		if scalar {
			w.member(w.rows, scalarName)
		} else {
			w.member(w.rows, "*") // and not its bare name, which a column could carry too
		}
	}
	h := p.handler
	switch {
	case p.call != nil && p.call.routine.returnsVoid():
		value()
		w.text("::text")
	case h.kind == byFunction && h.cast:
		w.text("CAST(")
		value()
		w.text(" AS ")
		w.qualified(h.function)
		w.text(")")
	case h.kind == byFunction:
		w.qualified(h.function)
		w.text("((")
		value()
		w.text(")")
		if h.target != (Name{}) && !scalar {
			w.text("::")
			w.qualified(h.target)
		}
		w.text(")")
	case h.kind == asGeoJSON:
		w.text("ST_AsGeoJSON(")
		value()
		w.text(")::json")
	default:
		w.rowJSON(value, scalar, h.stripped)
	}
}

func (w *sqlWriter) rowJSON(value func(), scalar, stripped bool) {
	if stripped {
		w.text("json_strip_nulls(")
	}
	if scalar {
		w.text("coalesce(to_json(")
		value()
		w.text("), 'null')")
	} else {
		w.text("row_to_json(")
		value()
		w.text(")")
	}
	if stripped {
		w.text(")")
	}
}

// explain asks for the plan of what follows.
func (w *sqlWriter) explain(m mediaType) {
	format := "TEXT"
	if m.planAsJSON {
		format = "JSON"
	}
	w.text("EXPLAIN (FORMAT ", format)
	for _, option := range m.options {
		w.text(", ", strings.ToUpper(option))
	}
	w.text(") ")
}
