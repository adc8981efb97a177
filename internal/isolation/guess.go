package isolation

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Describe completes what is known of a subject by what the catalog suggests, and returns the guesses for
// people to correct.
func (s *Subject) Describe(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	assumed := []string{}
	assume := func(format string, args ...any) { assumed = append(assumed, fmt.Sprintf(format, args...)) }
	asked := Scope{Schemas: s.Schemas, TenantColumns: nonEmpty(s.TenantColumn), Roles: nonEmpty(s.Roles.Anonymous, s.Roles.SignedIn), Logins: nonEmpty(s.Roles.Login)}
	scope, err := GuessScope(ctx, conn, asked)
	if err != nil {
		return nil, err
	}
	if len(s.Schemas) == 0 {
		s.Schemas = scope.Schemas
		assume("requests reach the schemas %s", strings.Join(s.Schemas, ", "))
	}
	if s.TenantColumn == "" {
		s.TenantColumn = scope.TenantColumns[0]
		assume("the column of a row's tenant is %s", s.TenantColumn)
	}
	if s.Roles.SignedIn == "" {
		s.guessRoles(scope, assume)
	}
	c, err := readCatalog(ctx, conn, s.Schemas)
	if err != nil {
		return nil, err
	}
	known, err := ReadDatabase(ctx, conn, s.Roles.SignedIn, s.Schemas)
	if err != nil {
		return nil, err
	}
	s.guessTables(c, Infer(known), assume)
	if len(s.Identity) == 0 {
		s.guessIdentity(Infer(known), assume)
	}
	return assumed, s.validate(c)
}

func (s *Subject) guessRoles(scope Scope, assume func(string, ...any)) {
	s.Roles.SignedIn = scope.Roles[0]
	if slices.Contains(scope.Roles, "authenticated") {
		s.Roles.SignedIn = "authenticated"
	}
	if s.Roles.Anonymous == "" && slices.Contains(scope.Roles, "anon") {
		s.Roles.Anonymous = "anon"
	}
	if s.Roles.Login == "" && len(scope.Logins) > 0 {
		s.Roles.Login = scope.Logins[0]
	}
	assume("requests of signed-in users run as %s, of others as %s, on the login %s", s.Roles.SignedIn, orNobody(s.Roles.Anonymous), orNobody(s.Roles.Login))
}

func (s *Subject) guessTables(c *catalog, i Inference, assume func(string, ...any)) {
	if s.Tenants == "" {
		if to := c.referredBy(s, s.TenantColumn); to != nil {
			s.Tenants = to.label()
			assume("tenants are the rows of %s", s.Tenants)
		}
	}
	if s.Memberships.Table == "" && len(i.Memberships) > 0 {
		m := i.Memberships[0]
		s.Memberships.Table, s.Memberships.Tenant, s.Memberships.User = m.Relation, m.Tenant, m.User
		if r := c.find(m.Relation); r != nil && r.column("role") != nil {
			s.Memberships.Role = "role"
			s.Memberships.Roles = rolesOf(r)
		}
		assume("users belong to tenants by %s", m.Relation)
	}
	if s.Users == "" && s.Memberships.User != "" {
		for _, k := range c.find(s.Memberships.Table).foreign {
			if slices.Equal(k.columns, []string{s.Memberships.User}) {
				s.Users = k.to.label()
				assume("users are the rows of %s", s.Users)
			}
		}
	}
}

// rolesOf are the roles a membership's column takes, from its enum or its check.
func rolesOf(r *relation) []string {
	c := r.column("role")
	if len(c.labels) > 0 {
		return c.labels
	}
	for _, k := range r.checks {
		if slices.Equal(k.columns, []string{"role"}) {
			var roles []string
			for _, found := range quotedWord.FindAllStringSubmatch(k.text, -1) {
				roles = append(roles, found[1])
			}
			return roles
		}
	}
	return nil
}

// referredBy is the table that most columns called name refer to.
func (c *catalog) referredBy(s *Subject, name string) *relation {
	votes := map[*relation]int{}
	for _, r := range c.relations {
		for _, k := range r.foreign {
			if s.exposes(r) && slices.Equal(k.columns, []string{name}) {
				votes[k.to]++
			}
		}
	}
	var best *relation
	for r := range maps.Keys(votes) {
		if best == nil || votes[r] > votes[best] || votes[r] == votes[best] && r.label() < best.label() {
			best = r
		}
	}
	return best
}

// guessIdentity takes the settings that the policies read.
func (s *Subject) guessIdentity(i Inference, assume func(string, ...any)) {
	s.Identity = []string{
		"select pg_catalog.set_config('request.jwt.claims', {claims}, true)",
		"select pg_catalog.set_config('request.jwt.claim.sub', {user}, true)",
	}
	for _, name := range slices.Sorted(maps.Keys(i.Settings)) {
		switch i.Settings[name] {
		case MyTenant, MyTenantOrShared:
			s.Identity = append(s.Identity, "select pg_catalog.set_config("+literal(name)+", {tenant}, true)")
			assume("a caller's tenant is the setting %s", name)
		case MyUser:
			s.Identity = append(s.Identity, "select pg_catalog.set_config("+literal(name)+", {user}, true)")
		default:
		}
	}
	assume("a caller is who the settings say; nothing seals them")
}

func nonEmpty(names ...string) []string {
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}

func orNobody(name string) string {
	if name == "" {
		return "nobody"
	}
	return name
}
