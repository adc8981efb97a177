package isolation

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// fill has what the placeholders of an attack on r stand for.
func (t *suite) fill(r *relation, who caller) fills {
	tenant := t.s.tenantColumn(r)
	f := fills{
		"relation": r.quoted(), "relation_name": literal(r.name), "schema_name": literal(r.schema),
		"claims_other": literal(`{"sub": "` + t.other.user + `", "role": "` + t.s.Roles.SignedIn + `", "app_metadata": {"tenant_id": "` + t.other.tenant + `"}, "tenant_id": "` + t.other.tenant + `"}`),
	}
	other := t.otherCaller(who)
	other.login, other.role = "", ""
	var identity []string
	for _, statement := range t.s.enter(other) {
		if !strings.HasPrefix(statement, "set local role") {
			identity = append(identity, statement)
		}
	}
	f["identity_other"] = strings.Join(identity, ";\n")
	if tenant != "" {
		f["tenant"], f["own"], f["other"] = identifier(tenant), literal(t.mine.tenant), literal(t.other.tenant)
		var shared []string
		for _, s := range slices.Concat(t.memberOf, t.s.Shared) {
			shared = append(shared, literal(s))
		}
		f["shared"] = strings.Join(shared, ", ")
	}
	if shadow := t.membershipShadow(who); shadow != "" {
		f["membership_shadow"] = shadow
	}
	if c := t.textColumn(r); c != "" {
		f["text_column"] = identifier(c)
	}
	if row := t.other.rows[r]; row != nil && t.s.rule(r).Global == "" {
		f["other_key"], f["other_key_r"] = keyOf(r, row, ""), keyOf(r, row, "r")
		f["unknown_key"] = keyOf(r, t.unknownKey(r, row), "")
	}
	if row := t.mine.rows[r]; row != nil {
		f["own_key"] = keyOf(r, row, "")
	}
	t.fillWrites(f, r, who)
	return f
}

func (t *suite) fillWrites(f fills, r *relation, who caller) {
	if set := t.writable[who.role][r.oid]; len(set) > 0 {
		f["set"] = identifier(set[0]) + " = " + identifier(set[0])
		f["set_excluded"] = identifier(set[0]) + " = excluded." + identifier(set[0])
		for _, name := range set {
			if change := t.change(r, name); change != "" {
				f["change"] = change
				break
			}
		}
	}
	if !r.isTable() || t.other.rows[r] == nil {
		return
	}
	f["insert_other"] = t.insertTail(t.other, r, nil)
	if t.s.isTable(t.s.Memberships.Table, r) {
		t.fillMembership(f, r, who)
	}
	if t.mine.rows[r] != nil && t.s.tenantColumn(r) != "" {
		f["insert_own"] = t.insertTail(t.mine, r, nil)
	}
	if name := t.s.tenantColumn(r); name != "" && !r.column(name).notNull {
		f["insert_nobody"] = t.insertTail(t.mine, r, map[string]string{name: "null"})
	}
	if len(r.keys) > 0 && t.s.rule(r).Global == "" {
		same, target := map[string]string{}, []string{}
		for _, name := range r.keys[0] {
			same[name] = quoteValue(t.other.rows[r][name])
			target = append(target, identifier(name))
		}
		f["insert_same_key"], f["key_target"] = t.insertTail(t.mine, r, same), "("+strings.Join(target, ", ")+")"
	}
}

// fillMembership has what makes who a member of the other tenant, and the least of the own one its first.
func (t *suite) fillMembership(f fills, r *relation, who caller) {
	m, roles := t.s.Memberships, t.roleNames()
	if who.user == "" {
		return
	}
	highest := roles[len(roles)-1]
	joining := map[string]string{m.User: literal(who.user)}
	if m.Role != "" {
		joining[m.Role] = literal(highest)
	}
	if who.tenant != t.other.tenant || !slices.Contains(slices.Collect(maps.Values(t.other.members)), who.user) {
		f["insert_membership"] = t.insertTail(t.other, r, joining)
	}
	if m.Role != "" && len(roles) > 1 && who.user == t.mine.members[roles[0]] {
		f["promotion"] = identifier(m.Role) + " = " + literal(highest)
		f["own_membership"] = equals(m.User, &who.user)
	}
}

// membershipShadow is a temporary table that says who is a member of the other tenant.
func (t *suite) membershipShadow(who caller) string {
	table, m := t.c.find(t.s.Memberships.Table), t.s.Memberships
	if table == nil || t.mine.rows[table] == nil || who.user == "" {
		return ""
	}
	row := maps.Clone(t.mine.rows[table])
	row[m.User], row[m.Tenant] = &who.user, &t.other.tenant
	var columns []string
	for _, c := range table.columns {
		columns = append(columns, quoteValue(row[c.name])+"::"+c.typ+" as "+identifier(c.name))
	}
	return identifier(table.name) + " on commit drop as select " + strings.Join(columns, ", ")
}

// change is an assignment that makes a row another, to a column that nothing else depends on.
func (t *suite) change(r *relation, name string) string {
	c := r.column(name)
	busy := func(columns []string) bool { return slices.Contains(columns, name) }
	if name == t.s.tenantColumn(r) || slices.ContainsFunc(r.keys, busy) ||
		slices.ContainsFunc(r.checks, func(k rowCheck) bool { return busy(k.columns) }) ||
		slices.ContainsFunc(r.foreign, func(k foreignKey) bool { return busy(k.columns) }) {
		return ""
	}
	switch {
	case c.typ == "text":
		return identifier(name) + " = 'attacked'"
	case c.base == "boolean":
		return identifier(name) + " = not coalesce(" + identifier(name) + ", false)"
	case c.base == "integer", c.base == "bigint":
		return identifier(name) + " = coalesce(" + identifier(name) + ", 0) + 1"
	}
	return ""
}

// textColumn is one whose value an attack by key does not bring along.
func (t *suite) textColumn(r *relation) string {
	for _, c := range r.columns {
		inKey := len(r.keys) > 0 && slices.Contains(r.keys[0], c.name)
		if c.category == "S" && c.typ == "text" && c.name != t.s.tenantColumn(r) && !inKey {
			return c.name
		}
	}
	return ""
}

// unknownKey is the key of a row beside row that nobody has.
func (t *suite) unknownKey(r *relation, row values) values {
	unknown := maps.Clone(row)
	if len(r.keys) == 0 {
		return unknown
	}
	names := slices.DeleteFunc(slices.Clone(r.keys[0]), func(name string) bool { return name == t.s.tenantColumn(r) })
	if len(names) == 0 {
		names = r.keys[0]
	}
	for _, name := range names {
		value := nobody(r.column(name))
		unknown[name] = &value
	}
	return unknown
}

// nobody is a value of c that no row has.
func nobody(c *column) string {
	switch {
	case c.base == "uuid":
		return unknownUUID.String()
	case c.category == "N":
		return "699999999"
	case c.category == "D":
		return "1901-01-01"
	case len(c.labels) > 0:
		return c.labels[0]
	default:
		return "nobody"
	}
}

// insertTail is what stands behind INSERT INTO for a new row of w, with some columns given.
func (t *suite) insertTail(w *world, r *relation, given map[string]string) string {
	p, err := t.builder.plan(context.Background(), w, r, values{})
	if err != nil {
		return "default values"
	}
	maps.Copy(p.fixed, given)
	return p.tail()
}

// script is SQL that shows a leak again: an operator's, in a transaction that is rolled back.
func (t *suite) script(who caller, before, statement string, result *Result) string {
	needed := map[*relation]bool{}
	var need func(*relation)
	need = func(r *relation) {
		if r == nil || needed[r] {
			return
		}
		needed[r] = true
		for _, k := range r.foreign {
			need(k.to)
		}
	}
	for _, name := range []string{t.s.Tenants, t.s.Users, t.s.Memberships.Table, result.Object} {
		if name != "" {
			need(t.c.find(name))
		}
	}
	if result.Family == "function" {
		for r := range t.other.rows {
			need(r)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "-- %s: %s, as %s\n-- %s\nbegin;\n", result.Object, result.Title, result.Caller, result.Evidence)
	for _, made := range t.builder.made {
		if needed[made.r] {
			b.WriteString(made.statement() + ";\n")
		}
	}
	if before != "" {
		b.WriteString(before + ";\n")
	}
	b.WriteString(strings.Join(t.s.enter(who), ";\n") + ";\n" + strings.TrimSuffix(statement, ";") + ";\nrollback;\n")
	return b.String()
}

// madeRow is a row as it stood after it was made.
type madeRow struct {
	r   *relation
	row values
}

func (m madeRow) statement() string {
	var names, expressions []string
	for _, c := range m.r.columns {
		if value, ok := m.row[c.name]; ok && !c.always {
			names, expressions = append(names, identifier(c.name)), append(expressions, quoteValue(value))
		}
	}
	return "insert into " + m.r.quoted() + " (" + strings.Join(names, ", ") + ") values (" + strings.Join(expressions, ", ") + ") on conflict do nothing"
}
