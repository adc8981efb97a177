package isolation

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
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

func (t *suite) textColumn(r *relation) string {
	for _, c := range r.columns {
		if c.category == "S" && c.typ == "text" && c.name != t.s.tenantColumn(r) {
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

// foreignVariants are own rows that point to the other tenant's, and to nobody's, for each foreign key.
func (t *suite) foreignVariants(r *relation, base fills) []fills {
	var variants []fills
	tenant := t.s.tenantColumn(r)
	for _, k := range r.foreign {
		parent := t.other.rows[k.to]
		if parent == nil || t.mine.rows[r] == nil || t.s.rule(k.to).Global != "" {
			continue
		}
		other, unknown := map[string]string{}, map[string]string{}
		for i, name := range k.columns {
			if name == tenant {
				continue
			}
			other[name] = quoteValue(parent[k.references[i]])
			unknown[name] = other[name]
			if k.references[i] != t.s.tenantColumn(k.to) || len(k.columns) == 1 {
				unknown[name] = literal(nobody(r.column(name)))
			}
		}
		if len(other) == 0 {
			continue
		}
		f := maps.Clone(base)
		f["insert_reference_other"], f["insert_reference_unknown"] = t.insertTail(t.mine, r, other), t.insertTail(t.mine, r, unknown)
		if t.s.tenantColumn(k.to) == "" && !slices.ContainsFunc(k.references, func(name string) bool { return k.to.column(name).base != "uuid" }) {
			f["known_risk"] = guessedByNobody
		}
		variants = append(variants, f)
	}
	return variants
}

// guessedByNobody is why a channel about a random id carries nothing.
const guessedByNobody = "it is about a random id, which nobody guesses or meets by chance"

// uniqueVariants are own rows that have the other tenant's values, and free ones, for each unique key that
// the tenant is no part of.
func (t *suite) uniqueVariants(r *relation, base fills) []fills {
	var variants []fills
	row, tenant := t.other.rows[r], t.s.tenantColumn(r)
	if row == nil || t.mine.rows[r] == nil || t.s.rule(r).Global != "" {
		return nil
	}
	for _, key := range r.keys {
		if slices.Contains(key, tenant) {
			continue
		}
		taken := map[string]string{}
		for _, name := range key {
			taken[name] = quoteValue(row[name])
		}
		f := maps.Clone(base)
		f["insert_collision"], f["insert_free"] = t.insertTail(t.mine, r, taken), t.insertTail(t.mine, r, nil)
		if !slices.ContainsFunc(key, func(name string) bool { return r.column(name).base != "uuid" }) {
			f["known_risk"] = guessedByNobody
		}
		variants = append(variants, f)
	}
	return variants
}

// maxCalls bounds how often a function is called by each caller, maxGuesses with values that only fit by type.
const maxCalls, maxGuesses = 40, 6

// callFunctions calls every exposed function with the other tenant's ids.
func (t *suite) callFunctions(ctx context.Context, who caller) error {
	for i := range t.c.functions {
		f := &t.c.functions[i]
		if t.only != "" && t.only != f.signature() {
			continue
		}
		for n := range maxCalls {
			statement, more := t.call(f, n, false)
			if n > 0 && !more {
				break
			}
			result := Result{Attack: "call", Family: "function", Verb: "function", Title: "call it with the other tenant's ids",
				Reference: "OWASP API5:2023 Broken Function Level Authorization", Object: f.signature(), Caller: who.name}
			a := Attack{Name: "call", Family: "function", Verb: "function"}
			control := ""
			if len(f.types) > 0 && !f.volatile {
				control, _ = t.call(f, n, true)
				a.leak = "difference"
			}
			result.sent = &sent{attack: a, last: statement, control: control}
			if err := t.execute(ctx, who, a, "", statement, control, &result); err != nil {
				return err
			}
			t.proof.Results = append(t.proof.Results, result)
			if result.Outcome == Leaked && t.stopAtLeak {
				return errLeak
			}
			if result.SQLState == "42501" && n == 0 { // no right to it, whatever it is called with
				break
			}
		}
	}
	return nil
}

// call is the nth way to call f with what is the other tenant's, or with nobody's ids instead. more says that
// it differs from the ways before.
func (t *suite) call(f *function, n int, unknown bool) (statement string, more bool) {
	var arguments []string
	for i, typ := range f.types {
		name := ""
		if i < len(f.names) {
			name = strings.TrimPrefix(f.names[i], "p_")
		}
		options := t.arguments(name, typ)
		more = more || n < len(options)
		option := options[n%len(options)]
		if unknown && typ == "uuid" && option != "null" {
			option = literal(unknownUUID.String())
		}
		arguments = append(arguments, option+"::"+typ)
	}
	verb := "select * from "
	if f.kind == "p" {
		verb = "call "
	}
	return verb + f.quoted() + "(" + strings.Join(arguments, ", ") + ")", more
}

// arguments are values of the other tenant for an argument, by its name where that tells, else by its type.
func (t *suite) arguments(name, typ string) []string {
	var named, typed []string
	for _, r := range t.c.relations {
		row := t.other.rows[r]
		if row == nil || !t.s.exposes(r) {
			continue
		}
		for _, c := range r.columns {
			value := row[c.name]
			if value == nil || c.base != typ && (c.category != "S" || typ != "text") {
				continue
			}
			subject := strings.TrimSuffix(r.name, "s") + "_" + c.name
			if c.name == name || subject == name {
				named = append(named, literal(*value))
			} else if typ == "uuid" && slices.Contains([]string{"id", "user_id", "tenant_id"}, c.name) {
				typed = append(typed, literal(*value))
			} else if c.category == "S" {
				typed = append(typed, literal(*value))
			}
		}
	}
	switch {
	case name == "tenant_id" || name == "organization_id":
		named = []string{literal(t.other.tenant)}
	case name == "user_id":
		named = nil
		for _, user := range slices.Sorted(maps.Values(t.other.members)) {
			named = append(named, literal(user))
		}
	case typ == "boolean":
		named = []string{"true", "false"}
	case typ == "jsonb" || typ == "json":
		named = []string{"'{}'"}
	case strings.HasPrefix(typ, "timestamp"), typ == "date":
		named = []string{"now()"}
	case slices.Contains([]string{"integer", "bigint", "smallint", "numeric"}, typ):
		named = append(named, strconv.Itoa(24), "1")
	}
	all := slices.Compact(slices.Sorted(slices.Values(named)))
	if len(all) == 0 {
		all = typed[:min(len(typed), maxGuesses)]
	}
	if len(all) == 0 {
		return []string{"null"}
	}
	return all[:min(len(all), maxCalls)]
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
