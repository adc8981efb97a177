package schema

import (
	"regexp"
	"slices"
	"strings"

	"github.com/vital-db/vital/database"
)

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

// WithDeclaredRoles is the inventory with the roles, their memberships and settings that roles.sql declares in place of those of the
// server it was read from, which are the same for all its databases.
func (i *Inventory) WithDeclaredRoles() *Inventory {
	expected := newInventory()
	for _, f := range i.facts {
		if !slices.Contains([]string{"role", "membership", "setting", "parameter privilege"}, f.kind) {
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
