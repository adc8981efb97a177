package isolation

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// relationAttacks are tried on every relation that requests reach. {key} finds the other tenant's row by its
// key, {of_tenant} its rows by the tenant, {row} is a new row of the other tenant as a document, {same} the
// one it has.
func relationAttacks() []httpAttack {
	const path = "/rest/v1/{relation}"
	const rows = path + "?select={columns}"
	represented := []string{"Prefer", "return=representation"}
	attacks := []httpAttack{
		{name: "rest-by-key", verb: "read", title: "read the row by its key", method: http.MethodGet, path: rows + "&{key}", due: dueNoRow},
		{name: "rest-by-tenant", verb: "read", title: "read by the tenant", method: http.MethodGet, path: rows + "&{of_tenant}", due: dueNoRow},
		{name: "rest-as-tenant", verb: "impersonate", title: "read while the header names the other tenant", method: http.MethodGet, path: rows + "&limit=1",
			header: []string{"Vital-Tenant", "{tenant}"}, due: dueRefusal, control: "their owner"},
		{name: "rest-or", verb: "read", title: "read by a tree of conditions", method: http.MethodGet, path: rows + "&or=({or_key},{or_tenant})", due: dueNoRow},
		{name: "rest-count", verb: "count", title: "count rows", method: http.MethodHead, path: rows + "&{of_tenant}", header: []string{"Prefer", "count=exact"}, due: dueNothing},
		{name: "rest-planned", verb: "count", title: "have rows estimated", method: http.MethodHead, path: rows + "&{of_tenant}", header: []string{"Prefer", "count=planned"}, due: dueNothing},
		{name: "rest-aggregate", verb: "count", title: "count rows by an aggregate", method: http.MethodGet, path: path + "?select=count()&{of_tenant}", due: dueNothing},
		{name: "rest-csv", verb: "read", title: "read as CSV", method: http.MethodGet, path: rows + "&{key}", header: []string{"Accept", "text/csv"}, due: dueNothing},
		{name: "rest-one", verb: "read", title: "read as one object", method: http.MethodGet, path: rows + "&{key}", header: []string{"Accept", "application/vnd.pgrst.object+json"}, due: dueRefusal},
		{name: "rest-plan", verb: "read", title: "have the query explained", method: http.MethodGet, path: rows + "&{key}", header: []string{"Accept", "application/vnd.pgrst.plan+json; options=analyze"},
			due: dueRefusal, controlHeader: []string{}},
		{name: "rest-error", verb: "error", title: "make an error repeat a value", method: http.MethodGet, path: path + "?select={text_column}::integer&{key}", due: dueNothing, tells: true},
		{name: "rest-match", verb: "read", title: "find rows by a pattern", method: http.MethodGet, path: rows + "&{text_column}=like.vto*", due: dueNothing, control: "service key"},
		{name: "rest-update", verb: "update", title: "change the row", method: http.MethodPatch, path: rows + "&{key}", header: represented, body: "{change}", due: dueNoRow},
		{name: "rest-update-all", verb: "update", title: "change all rows of the tenant", method: http.MethodPatch, path: path + "?{of_tenant}", body: "{change}", due: dueNothing},
		{name: "rest-take", verb: "move", title: "take the row over", method: http.MethodPatch, path: rows + "&{key}", header: represented, body: `{"{tenant_column}": "{own_tenant}"}`, due: dueNoRow},
		{name: "rest-delete", verb: "delete", title: "delete the row", method: http.MethodDelete, path: rows + "&{key}", header: represented, due: dueNoRow},
		{name: "rest-delete-all", verb: "delete", title: "delete all rows of the tenant", method: http.MethodDelete, path: path + "?{of_tenant}", due: dueNothing},
		{name: "rest-insert", verb: "insert", title: "add a row to the other tenant", method: http.MethodPost, path: path, body: "{row}", due: dueRefusal, alone: true},
		{name: "rest-insert-many", verb: "insert", title: "add an own row and one of the other tenant's in one request", method: http.MethodPost, path: path, header: represented,
			body: "[{row},{own_row}]", due: dueRefusal, alone: true, controlBody: "[{row}]"},
		{name: "rest-upsert", verb: "upsert", title: "overwrite the row by an upsert", method: http.MethodPost, path: path, body: "{same}",
			header: []string{"Prefer", "resolution=merge-duplicates"}, due: dueRefusal, alone: true},
		{name: "rest-upsert-ignore", verb: "upsert", title: "find the row out by an upsert that ignores it", method: http.MethodPost, path: path, body: "{same}",
			header: []string{"Prefer", "resolution=ignore-duplicates,return=representation"}, due: dueRefusal, alone: true},
	}
	for i := range attacks {
		attacks[i].as, attacks[i].reference = insiders, objectLevel
	}
	anonymous := attacks[1]
	anonymous.name, anonymous.title, anonymous.as = "rest-anonymous", "read by the tenant without a sign-in", []string{"nobody", "anon key"}
	return append(attacks, anonymous)
}

// attackRelations runs them on each relation, and embeds each relation in each it is joined to.
func (h *httpSuite) attackRelations(ctx context.Context) error {
	attacks := relationAttacks()
	for _, r := range h.c.relations {
		if h.only != "" && h.only != r.label() || !h.s.exposes(r) || r.partition || h.s.rule(r).Ignore != "" {
			continue
		}
		h.whileRunning("/rest/v1/" + r.name)
		theirs, nobodys, err := h.relationFills(ctx, r)
		if err != nil {
			return err
		}
		for _, a := range attacks {
			if !h.possible(r, a) {
				continue
			}
			if err := h.launch(ctx, a, theirs, nobodys); err != nil {
				return err
			}
		}
		for _, k := range r.foreign {
			if k.to == r || !h.s.exposes(k.to) || h.s.tenantColumn(k.to) == "" || h.s.tenantColumn(r) == "" {
				continue
			}
			for from, to := range map[*relation]*relation{r: k.to, k.to: r} {
				embed := httpAttack{name: "rest-embed", verb: "embed", title: "embed " + to.name + " by " + k.name, reference: objectLevel, method: http.MethodGet,
					path: "/rest/v1/" + from.name + "?select=" + strings.Join(h.readable[from], ",") + ",e:" + to.name + "!" + url.QueryEscape(k.name) + "(" + strings.Join(h.readable[to], ",") + ")", as: insiders, due: dueNothing}
				if err := h.launch(ctx, embed, h.theirs, h.nobodys); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// possible reports whether anybody who signs in may do at all what a tries: what nobody may has no control, and
// its refusal is the grants', which SQL's attacks see to.
func (h *httpSuite) possible(r *relation, a httpAttack) bool {
	g := h.grants[r]
	switch a.verb {
	case "update", "move":
		return g.update
	case "delete":
		return g.remove
	case "insert":
		return g.insert
	case "upsert":
		return g.insert && (g.update || a.name == "rest-upsert-ignore")
	}
	return g.read
}

// relationFills has what the places of relation attacks on r stand for.
func (h *httpSuite) relationFills(ctx context.Context, r *relation) (theirs, nobodys fills, err error) {
	theirs, nobodys = maps.Clone(h.theirs), maps.Clone(h.nobodys)
	for _, f := range []fills{theirs, nobodys} {
		f["relation"], f["columns"] = r.name, strings.Join(h.readable[r], ",")
		if c := h.filterColumn(r); c != "" {
			f["text_column"] = c
		}
	}
	if column := h.s.tenantColumn(r); column != "" {
		for _, f := range []fills{theirs, nobodys} {
			f["of_tenant"], f["or_tenant"] = column+"=eq."+f["tenant"], column+".eq."+f["tenant"]
			f["tenant_column"] = column
		}
	}
	row := h.other.rows[r]
	if row == nil || h.s.rule(r).Global != "" {
		return theirs, nobodys, nil
	}
	theirs["key"], theirs["or_key"] = keyQuery(r, row)
	nobodys["key"], nobodys["or_key"] = keyQuery(r, h.unknownKey(r, row))
	if change := h.changeDocument(r); change != "" {
		theirs["change"], nobodys["change"] = change, change
	}
	if !r.isTable() {
		return theirs, nobodys, nil
	}
	for place, w := range map[string]*world{"row": h.other, "own_row": h.mine} {
		if theirs[place], err = h.newRow(ctx, w, r); err != nil {
			return nil, nil, err
		}
	}
	theirs["same"], err = h.document(ctx, r, row)
	return theirs, nobodys, err
}

// filterColumn is a column of text whose values tell whose they are, and that no request sends as part of a key.
func (h *httpSuite) filterColumn(r *relation) string {
	for _, c := range r.columns {
		if len(r.keys) > 0 && slices.Contains(r.keys[0], c.name) {
			continue
		}
		if c.category == "S" && strings.HasPrefix(cellText(h.other.rows[r][c.name]), "vto") {
			return c.name
		}
	}
	return ""
}

// keyQuery finds row among r's by its key, as a query and as a condition of an or-tree.
func keyQuery(r *relation, row values) (query, condition string) {
	columns := []string{}
	if len(r.keys) > 0 {
		columns = r.keys[0]
	}
	for _, c := range r.columns {
		if len(r.keys) == 0 && c.base == "uuid" && row[c.name] != nil {
			columns = append(columns, c.name)
		}
	}
	var filters, conditions []string
	for _, name := range columns {
		value := cellText(row[name])
		filters = append(filters, url.QueryEscape(name)+"=eq."+url.QueryEscape(value))
		conditions = append(conditions, name+`.eq."`+url.QueryEscape(value)+`"`)
	}
	return strings.Join(filters, "&"), "and(" + strings.Join(conditions, ",") + ")"
}

// changeDocument sets a column that requests may set.
func (h *httpSuite) changeDocument(r *relation) string {
	for _, name := range h.writable[h.s.Roles.SignedIn][r.oid] {
		change := h.change(r, name)
		if change == "" {
			continue
		}
		switch c := r.column(name); {
		case c.typ == "text":
			return fmt.Sprintf(`{%q: "attacked"}`, name)
		case c.base == "boolean":
			return fmt.Sprintf(`{%q: false}`, name)
		default:
			return fmt.Sprintf(`{%q: 7}`, name)
		}
	}
	return ""
}

// newRow is a row of w that is not there yet, as a document of columns that requests may set.
func (h *httpSuite) newRow(ctx context.Context, w *world, r *relation) (string, error) {
	p, err := h.builder.plan(ctx, w, r, values{})
	if err != nil {
		return "{}", nil //nolint:nilerr // the control will say that it does not work
	}
	columns, expressions := p.assignments()
	for i := range columns {
		columns[i] = expressions[i] + " as " + columns[i]
	}
	return h.evaluate(ctx, columns)
}

// document is a row that is there.
func (h *httpSuite) document(ctx context.Context, r *relation, row values) (string, error) {
	var columns []string
	for _, c := range r.columns {
		if value, ok := row[c.name]; ok && !c.always {
			columns = append(columns, quoteValue(value)+"::"+c.typ+" as "+identifier(c.name))
		}
	}
	return h.evaluate(ctx, columns)
}

func (h *httpSuite) evaluate(ctx context.Context, columns []string) (string, error) {
	statement, _ := fills{"columns": strings.Join(columns, ", ")}.render(httpQueries.Get("Document"))
	var text string
	if err := h.conn.QueryRow(ctx, statement).Scan(&text); err != nil {
		return "", fmt.Errorf("write a row as JSON: %w", err)
	}
	return text, nil
}

// callBodies are arguments of VITAL's functions that names and types do not tell enough of.
var callBodies = map[string]string{
	"assign_agent":            `{"p_agent_id": "{agent}", "p_agent_tenant_id": "{tenant}"}`,
	"unassign_agent":          `{"p_agent_id": "{agent}", "p_agent_tenant_id": "{tenant}"}`,
	"change_tenant_state":     `{"p_tenant_id": "{tenant}", "p_action": "suspend", "p_reason": "attacked"}`,
	"clone_tenant_settings":   `{"p_from": "{tenant}", "p_to": "{platform}"}`,
	"create_tenant":           `{"p_name": "attacked", "p_slug": "attacked", "p_tenant_type": "digital_health", "p_parent_organization_id": "{tenant}"}`,
	"set_parent_organization": `{"p_tenant_id": "{tenant}", "p_parent_organization_id": null}`,
	"deprecate_tool":          `{"p_tool_id": "{tool}", "p_reason": "attacked"}`,
	"invite_member":           `{"p_email": "{email}", "p_role": "member"}`,
	"change_member_role":      `{"p_user_id": "{their_viewer}", "p_role": "member"}`,
	"remove_member":           `{"p_user_id": "{their_viewer}"}`,
	"request_erasure":         `{"p_subject": "tenant", "p_subject_id": "{tenant}", "p_reason": "attacked"}`,
	"run_check":               `{"p_check": "rls"}`,
	"record_tool_usage":       `{"p_tool_id": "{tool}", "p_success": true}`,

	"cancel_feature_flag_change":   `{"p_id": "{flag_change}"}`,
	"cancel_tenant_feature_change": `{"p_id": "{override_change}"}`,
	"rollback_feature_flag":        `{"p_flag_key": "{flag}", "p_version": {flag_version}}`,
	"rollback_tenant_feature":      `{"p_flag_key": "{flag}", "p_version": {override_version}}`,
	"schedule_feature_flag":        `{"p_flag_key": "{flag}", "p_changes": {"description": "attacked"}, "p_run_at": "2999-01-01"}`,
	"schedule_tenant_feature":      `{"p_flag_key": "{flag}", "p_changes": {"config": {"attacked": true}}, "p_run_at": "2999-01-01"}`,
	"set_feature_flag":             `{"p_flag_key": "{flag}", "p_changes": {"description": "attacked"}}`,
	"set_tenant_feature":           `{"p_flag_key": "{flag}", "p_changes": {"config": {"attacked": true}}}`,
}

// newcomer is an invitation that a control can make: the address is nobody's.
const newcomer = `{"p_email": "newcomer@vital.test", "p_role": "member"}`

// idleFunctions may have nothing to do for whoever may call them: the week is over, nobody asked for an erasure, nobody has entered.
var idleFunctions = []string{"make_weekly_report", "request_erasure", "approve_erasure", "cancel_erasure", "set_legal_hold", "leave_tenant"}

// attackFunctions calls every function that requests may call with the other tenant's ids.
func (h *httpSuite) attackFunctions(ctx context.Context) error {
	for i := range h.c.functions {
		f := &h.c.functions[i]
		if !h.callable[f.oid] || f.kind == "p" || f.name == "accept_invitation" { // attackInvitations has a real one
			continue
		}
		h.whileRunning("/rest/v1/rpc/" + f.name)
		for n := range 2 {
			body, twin, more := h.argumentsOf(f, n)
			if known, ok := callBodies[f.name]; ok {
				body, _ = h.theirs.render(known)
				twin, _ = h.nobodys.render(known)
				more = false
			}
			if n > 0 && !more {
				break
			}
			a := httpAttack{name: "rpc", verb: "function", title: "call it with the other tenant's ids", reference: functionLevel, method: http.MethodPost,
				path: "/rest/v1/rpc/{relation}", body: "{arguments}", as: insiders, due: dueNothing, idle: slices.Contains(idleFunctions, f.name)}
			if f.name == "invite_member" {
				a.controlBody = newcomer
			}
			theirs, nobodys := maps.Clone(h.theirs), maps.Clone(h.nobodys)
			theirs["relation"], nobodys["relation"] = f.name, f.name
			theirs["arguments"], nobodys["arguments"] = body, twin
			if err := h.launch(ctx, a, theirs, nobodys); err != nil {
				return err
			}
			a.name, a.title, a.header, a.due = "rpc-as-tenant", "call it while the header names the other tenant", []string{"Vital-Tenant", "{tenant}"}, dueRefusal
			if err := h.launch(ctx, a, theirs, nobodys); err != nil {
				return err
			}
		}
	}
	return nil
}

// argumentsOf are f's arguments as a document, the nth choice of each, and the same with nobody's ids.
func (h *httpSuite) argumentsOf(f *function, n int) (body, twin string, more bool) {
	theirs, nobodys, unknown := map[string]any{}, map[string]any{}, map[string]string{}
	for i, typ := range f.types {
		if i >= len(f.names) || f.names[i] == "" || i >= len(f.types)-f.defaults && !strings.Contains(f.names[i], "_id") {
			continue
		}
		options := h.arguments(strings.TrimPrefix(f.names[i], "p_"), typ)
		more = more || n < len(options)
		literal := options[n%len(options)]
		var value any = strings.Trim(literal, "'")
		switch {
		case literal == "null":
			value = nil
		case typ == "boolean":
			value = literal == "true"
		case typ == "interval":
			value = "1 day"
		case typ == "jsonb" || typ == "json":
			value = map[string]any{}
		case slices.Contains([]string{"integer", "bigint", "smallint", "numeric"}, typ):
			value = json.Number(strings.Trim(literal, "'"))
		}
		theirs[f.names[i]], nobodys[f.names[i]] = value, value
		if typ == "uuid" {
			if unknown[literal] == "" {
				unknown[literal] = fmt.Sprintf("deadbeef-0000-4000-8000-%012d", len(unknown)) // one for each, as theirs are
			}
			nobodys[f.names[i]] = unknown[literal]
		}
	}
	a, _ := json.Marshal(theirs)  // text, numbers and flags
	b, _ := json.Marshal(nobodys) // likewise
	return string(a), string(b), more
}
