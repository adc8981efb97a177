package rest

import (
	"slices"
	"strconv"
	"strings"
)

// view is a view with where its columns come from.
type view struct {
	ID           int64
	Schema, Name string
	Definition   string
	Columns      []string
}

// origin is the column of a relation that a view's column shows unchanged.
type origin struct {
	relation int64
	column   int16
}

// views finds the keys of tables again in the views that show them: a view has the primary key of a table all
// of whose key it shows, and a foreign key leads from and to it likewise.
func (l *loader) views(schemas []string) error {
	var found []view
	if err := each(l, "Views", func(v view) { found = append(found, v) }, schemas); err != nil {
		return err
	}
	columns := map[int64]map[origin][]string{} // of each view: what shows a column of a table
	targets := map[int64][]origin{}
	for _, v := range found {
		targets[v.ID] = viewOrigins(v.Definition)
	}
	for _, v := range found {
		columns[v.ID] = map[origin][]string{}
		for i, o := range targets[v.ID] {
			if i < len(v.Columns) {
				showThrough(columns[v.ID], targets, o, v.Columns[i], 0)
			}
		}
	}
	direct := slices.Clone(l.directly)
	for _, k := range l.keyed {
		if k.IsForeign {
			r := direct[slices.IndexFunc(direct, func(r *Relationship) bool { return r.table == k.table() && r.constraint == k.Name })]
			l.directly = append(l.directly, foreignKeysOfViews(found, columns, k, r)...)
			continue
		}
		for _, v := range found {
			t := l.catalog.tables[Name{v.Schema, v.Name}]
			if shown := showing(columns[v.ID], k.TableID, k.ColumnNumbers); t != nil && shown != nil {
				for _, names := range shown {
					t.PrimaryKey = append(t.PrimaryKey, names[0])
				}
			}
		}
	}
	return nil
}

// showThrough notes that column shows o, and what o itself shows where that is a view's.
func showThrough(into map[origin][]string, targets map[int64][]origin, o origin, column string, depth int) {
	const deepest = 100 // views cannot refer to each other in a circle, unless somebody edits the catalog
	if o.relation == 0 || depth > deepest {
		return
	}
	into[o] = append(into[o], column)
	if through := targets[o.relation]; int(o.column) >= 1 && int(o.column) <= len(through) {
		showThrough(into, targets, through[o.column-1], column, depth+1)
	}
}

// showing returns for each of a table's columns those of the view that show it, or nil if one is not shown.
func showing(columns map[origin][]string, table int64, numbers []int16) [][]string {
	var shown [][]string
	for _, number := range numbers {
		names := columns[origin{table, number}]
		if names == nil {
			return nil
		}
		shown = append(shown, names)
	}
	return shown
}

// foreignKeysOfViews lets the foreign key r lead from views of its table, to views of its target, and between
// them.
func foreignKeysOfViews(found []view, columns map[int64]map[origin][]string, k key, r *Relationship) []*Relationship {
	type shown struct {
		view    Name
		columns []string // in the key's order
	}
	var from, to []shown
	for _, v := range found {
		name := Name{v.Schema, v.Name}
		for _, c := range combinations(showing(columns[v.ID], k.TableID, k.ColumnNumbers)) {
			from = append(from, shown{name, c})
		}
		for _, c := range combinations(showing(columns[v.ID], k.TargetID, k.TargetNumbers)) {
			to = append(to, shown{name, c})
		}
	}
	var derived []*Relationship
	derive := func(f, t *shown) {
		d := *r
		d.columns = slices.Clone(r.columns)
		if f != nil {
			d.table, d.tableIsView = f.view, true
			for i, c := range f.columns {
				d.columns[i][0] = c
			}
		}
		if t != nil {
			d.target, d.targetIsView = t.view, true
			for i, c := range t.columns {
				d.columns[i][1] = c
			}
		}
		d.self = f != nil && t != nil && f.view == t.view
		derived = append(derived, &d)
	}
	for _, f := range from {
		derive(&f, nil)
		for _, t := range to {
			derive(&f, &t)
		}
	}
	for _, t := range to {
		derive(nil, &t)
	}
	return derived
}

// combinations picks one of each.
func combinations(choices [][]string) [][]string {
	if choices == nil {
		return nil
	}
	picked := [][]string{{}}
	for _, names := range choices {
		var next [][]string
		for _, p := range picked {
			for _, name := range names {
				next = append(next, append(slices.Clone(p), name))
			}
		}
		picked = next
	}
	return picked
}

// viewOrigins reads where each column of a view comes from out of its stored definition, a list of nodes of
// the form {NAME :field value …}. The target list of the outermost query says it, entry by entry.
func viewOrigins(definition string) []origin {
	const list = " :targetList ("
	start := topLevel(definition, list)
	if start < 0 {
		return nil
	}
	var origins []origin
	for rest := definition[start+len(list):]; strings.HasPrefix(strings.TrimLeft(rest, " "), "{TARGETENTRY"); {
		rest = strings.TrimLeft(rest, " ")
		end := nodeEnd(rest)
		if end < 0 {
			break
		}
		entry := rest[:end]
		if !strings.HasSuffix(strings.TrimRight(entry, "} "), ":resjunk true") {
			table, _ := strconv.ParseInt(lastField(entry, " :resorigtbl "), 10, 64)
			column, _ := strconv.ParseInt(lastField(entry, " :resorigcol "), 10, 16)
			origins = append(origins, origin{table, int16(column)})
		}
		rest = rest[end:]
	}
	return origins
}

// topLevel finds field in the outermost node of a list of nodes.
func topLevel(definition, field string) int {
	depth := 0
	for i := 0; i < len(definition); i++ {
		switch definition[i] {
		case '\\':
			i++
		case '{':
			depth++
		case '}':
			depth--
		case ' ':
			if depth == 1 && strings.HasPrefix(definition[i:], field) {
				return i
			}
		}
	}
	return -1
}

// nodeEnd returns where the node that text begins with ends.
func nodeEnd(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// lastField returns the value of a field of the node itself: it stands behind those of nodes within.
func lastField(node, name string) string {
	at := strings.LastIndex(node, name)
	if at < 0 {
		return ""
	}
	value, _, _ := strings.Cut(node[at+len(name):], " ")
	return strings.TrimRight(value, "}")
}
