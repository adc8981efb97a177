package schema

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vital-db/vital/database"
)

//go:embed drift.sql
var driftText string

var driftQueries = database.ParseQueries(driftText)

// Severity is how much a difference matters.
type Severity string

// Severities, the worst first: security can show one tenant what is another's, or lets somebody change who may; structure
// can make the product fail; cosmetic does neither.
const (
	Security  Severity = "security"
	Structure Severity = "structure"
	Cosmetic  Severity = "cosmetic"
)

var severities = []Severity{Security, Structure, Cosmetic}

// fact is one thing that is so in a database.
type fact struct {
	severity             Severity
	kind, object, parent string // parent is the object it is part of: "table public.agents"
	aspect               string // "" is that the object exists
	value                string
	make, unmake         string // SQL that makes it so, and no longer so; "" where there is none
}

type factKey struct{ kind, object, aspect string }

// Inventory is what a database is: its objects and all that is said of them, as text that two databases can be compared by.
type Inventory struct {
	facts   map[factKey]fact
	objects map[string]bool   // that are there
	owners  map[string]string // of objects
}

func newInventory() *Inventory {
	return &Inventory{facts: map[factKey]fact{}, objects: map[string]bool{}, owners: map[string]string{}}
}

// Drift is one difference between a database and what it should be.
type Drift struct {
	Severity Severity `json:"severity"`
	Kind     string   `json:"kind"`
	Object   string   `json:"object"`
	Aspect   string   `json:"aspect,omitempty"` // of the object; "" is that it is there
	Expected string   `json:"expected,omitempty"`
	Actual   string   `json:"actual,omitempty"`
	Repair   string   `json:"repair,omitempty"` // SQL that would undo it; never run by VITAL
	Hazard   string   `json:"hazard,omitempty"` // what running Repair may cost
}

// Detail says what differs.
func (d Drift) Detail() string {
	what := ""
	if d.Aspect != "" {
		what = d.Aspect + ": "
	}
	switch {
	case d.Actual == "":
		return what + "missing" + quotedUnlessPlain(d.Expected)
	case d.Expected == "":
		return what + "unexpected" + quotedUnlessPlain(d.Actual)
	default:
		return what + "expected " + oneLine(d.Expected) + ", is " + oneLine(d.Actual)
	}
}

// quotedUnlessPlain is a value behind what is said of it, where it says more than that something is there.
func quotedUnlessPlain(value string) string {
	if value == "exists" || value == "granted" || value == "member" {
		return ""
	}
	return ": " + oneLine(value)
}

// detailLength bounds what is printed of a value.
const detailLength = 120

func oneLine(value string) string {
	line := []rune(strings.Join(strings.Fields(value), " "))
	if len(line) > detailLength {
		return string(line[:detailLength]) + "…"
	}
	return string(line)
}

// Inventoried returns the schemas that VITAL makes in the database behind conn. On a Supabase project auth is not
// among them.
func Inventoried(ctx context.Context, conn pgxQuerier) ([]string, error) {
	var schemas []string
	if err := conn.QueryRow(ctx, driftQueries.Get("Inventoried")).Scan(&schemas); err != nil {
		return nil, fmt.Errorf("find schemas: %w", err)
	}
	return schemas, nil
}

// perDatabase are the queries of an inventory that a database answers for itself, perCluster those that it shares with all
// databases of its server.
var (
	perDatabase = []string{
		"Schemas", "Relations", "Columns", "Constraints", "Indexes", "Functions", "Triggers", "Policies", "Rules", "Types", "Privileges",
		"DefaultPrivileges", "Comments", "Extensions", "EventTriggers", "Publications",
	}
	perCluster = []string{"Settings", "Roles", "Memberships"}
)

// ReadInventory reads what the database behind conn is, of the schemas that VITAL makes. It changes nothing, and sees
// what the transaction it runs in has changed.
func ReadInventory(ctx context.Context, conn pgxQuerier, schemas []string) (_ *Inventory, err error) {
	// With it, everything is printed with its schema, and nothing the database brings can stand in for an operator.
	restore, err := setSearchPath(ctx, conn, "pg_catalog")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, restore()) }()
	inventory, declared := newInventory(), declaredRoles()
	for _, name := range slices.Concat(perDatabase, perCluster) {
		args := []any{schemas}
		if slices.Contains(perCluster, name) {
			args = []any{declared.names()}
		}
		if err := inventory.read(ctx, conn, name, args...); err != nil {
			return nil, fmt.Errorf("read inventory (%s): %w", name, err)
		}
	}
	return inventory, nil
}

type pgxQuerier interface {
	Exec(ctx context.Context, text string, args ...any) (pgconn.CommandTag, error)
	QueryRow(ctx context.Context, text string, args ...any) pgx.Row
	Query(ctx context.Context, text string, args ...any) (pgx.Rows, error)
}

// setSearchPath changes the session's search_path and returns what takes that back.
func setSearchPath(ctx context.Context, conn pgxQuerier, path string) (restore func() error, err error) {
	set := func(path string) error {
		if _, err := conn.Exec(context.WithoutCancel(ctx), driftQueries.Get("SearchPathSet"), path); err != nil {
			return fmt.Errorf("set search_path: %w", err)
		}
		return nil
	}
	var before string
	if err := conn.QueryRow(ctx, driftQueries.Get("SearchPath")).Scan(&before); err != nil {
		return nil, fmt.Errorf("read search_path: %w", err)
	}
	return func() error { return set(before) }, set(path)
}

func (i *Inventory) read(ctx context.Context, conn pgxQuerier, name string, args ...any) error {
	rows, err := conn.Query(ctx, driftQueries.Get(name), args...)
	if err != nil {
		return err
	}
	var f fact
	var makes, unmakes *string
	_, err = pgx.ForEachRow(rows, []any{&f.severity, &f.kind, &f.object, &f.parent, &f.aspect, &f.value, &makes, &unmakes}, func() error {
		f.make, f.unmake = deref(makes), deref(unmakes)
		i.add(f)
		return nil
	})
	return err
}

func deref(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

func (i *Inventory) add(f fact) {
	i.facts[factKey{f.kind, f.object, f.aspect}] = f
	switch f.aspect {
	case "":
		i.objects[f.kind+" "+f.object] = true
	case "owner":
		i.owners[f.kind+" "+f.object] = f.value
	}
}

// has reports whether an object is there: "table public.agents". What is part of nothing always is.
func (i *Inventory) has(object string) bool { return object == "" || i.objects[object] }

// WithDeclaredRoles is the inventory with the roles, their memberships and settings that roles.sql declares in place of those of the
// server it was read from, which are the same for all its databases.
func (i *Inventory) WithDeclaredRoles() *Inventory {
	expected := newInventory()
	for _, f := range i.facts {
		if f.kind != "role" && f.kind != "membership" && f.kind != "setting" {
			expected.add(f)
		}
	}
	declared := declaredRoles()
	for _, r := range declared.roles {
		expected.add(fact{severity: Security, kind: "role", object: r.name, value: "exists", make: "create role " + r.name + " " + strings.Join(r.attributes, " ")})
		for aspect, value := range r.aspects() {
			if _, looked := i.facts[factKey{"role", r.name, aspect}]; !looked && i.has("role "+r.name) {
				continue // a platform's role is used as it is
			}
			expected.add(fact{
				severity: Security, kind: "role", object: r.name, parent: "role " + r.name, aspect: aspect, value: value, make: "alter role " + r.name + " " + value,
			})
		}
	}
	for _, m := range declared.memberships {
		expected.add(fact{
			severity: Security, kind: "membership", object: m[1] + " in " + m[0], value: "member",
			make: "grant " + m[0] + " to " + m[1],
		})
	}
	return expected
}

// Compare returns how actual differs from expected, the worst first. Of an object that only one of them has, and of all that is
// part of it, that alone is said.
func Compare(expected, actual *Inventory) []Drift {
	keys := maps.Clone(expected.facts)
	maps.Copy(keys, actual.facts)
	drifts := []Drift{}
	for key, about := range keys {
		want, wanted := expected.facts[key]
		is, there := actual.facts[key]
		if want.value == is.value && wanted == there || impliedDrift(expected, actual, about) {
			continue
		}
		d := Drift{Severity: about.severity, Kind: about.kind, Object: about.object, Aspect: about.aspect, Expected: want.value, Actual: is.value, Repair: repair(want, is, wanted, there)}
		d.Hazard = hazard(d)
		drifts = append(drifts, d)
	}
	slices.SortFunc(drifts, func(a, b Drift) int {
		return cmp.Or(cmp.Compare(slices.Index(severities, a.Severity), slices.Index(severities, b.Severity)),
			cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Object, b.Object), cmp.Compare(a.Aspect, b.Aspect))
	})
	return drifts
}

// repair is the SQL that makes of what is what is wanted.
func repair(want, is fact, wanted, there bool) string {
	switch {
	case !wanted:
		return is.unmake
	case there && want.aspect == "" && want.kind != "comment" && is.unmake != "" && want.make != "": // what is granted, or a rule: given anew
		return is.unmake + "; " + want.make
	default:
		return want.make
	}
}

// hazard is what running the repair of d may cost.
func hazard(d Drift) string {
	switch {
	case d.Repair == "":
		return ""
	case d.Expected == "" && d.Aspect == "" && (d.Kind == "table" || d.Kind == "column" || d.Kind == "materialized view"):
		return "deletes data"
	case d.Kind == "column" && (d.Aspect == "type" || d.Aspect == "collation" || d.Aspect == "identity"):
		return "rewrites the table, which is locked meanwhile"
	case d.Kind == "index" && d.Aspect != "valid" && d.Expected != "", d.Kind == "constraint" && d.Expected != "", d.Kind == "column" && d.Aspect == "not null" && d.Expected == "not null":
		return "reads the whole table, which is locked meanwhile"
	default:
		return ""
	}
}

// impliedDrift reports whether a difference about that follows from another: the object, or what it is part of, is there in one of
// the two only; or what it was given away with went to the new owner.
func impliedDrift(expected, actual *Inventory, about fact) bool {
	self := about.kind + " " + about.object
	if about.aspect != "" && expected.has(self) != actual.has(self) {
		return true
	}
	if about.parent != self && expected.has(about.parent) != actual.has(about.parent) {
		return true
	}
	before, after := expected.owners[about.parent], actual.owners[about.parent]
	return about.kind == "privilege" && before != after &&
		(strings.HasSuffix(about.object, " to "+before) || strings.HasSuffix(about.object, " to "+after))
}

// declaration is what roles.sql says of roles.
type declaration struct {
	roles       []declaredRole
	memberships [][2]string // a role, and who may become it
}

type declaredRole struct {
	name       string
	attributes []string
}

var (
	declaredRoleLine  = regexp.MustCompile(`(?m)^\s*\('(\w+)',\s+'([a-z ]+)',\s+'`)
	declaredGrantLine = regexp.MustCompile(`(?m)^grant ([\w, ]+) to (\w+);$`)
)

// declaredRoles reads roles.sql, so that roles are declared once.
func declaredRoles() declaration {
	var d declaration
	for _, match := range declaredRoleLine.FindAllStringSubmatch(database.Roles, -1) {
		d.roles = append(d.roles, declaredRole{match[1], strings.Fields(match[2])})
	}
	for _, match := range declaredGrantLine.FindAllStringSubmatch(database.Roles, -1) {
		for _, role := range strings.Split(match[1], ", ") {
			d.memberships = append(d.memberships, [2]string{role, match[2]})
		}
	}
	return d
}

func (d declaration) names() []string {
	names := make([]string, len(d.roles))
	for i, r := range d.roles {
		names[i] = r.name
	}
	return names
}

// aspects are the role's attributes, those that roles.sql does not mention as PostgreSQL has them by default.
func (r declaredRole) aspects() map[string]string {
	aspects := map[string]string{
		"superuser": "nosuperuser", "row security": "nobypassrls", "login": "nologin", "inherit": "inherit", "roles": "nocreaterole", "databases": "nocreatedb", "replication": "noreplication",
	}
	for aspect, value := range aspects {
		opposite := "no" + value
		if plain, ok := strings.CutPrefix(value, "no"); ok {
			opposite = plain
		}
		if slices.Contains(r.attributes, opposite) {
			aspects[aspect] = opposite
		}
	}
	return aspects
}
