package isolation

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
)

// Subject is what the attacks must know of a database that its catalog does not say: which column says
// whose a row is, who belongs to whom, and how a request says who it is. docs/reference/isolation.md has
// the file's format; VITAL's own is database/subject.yaml.
type Subject struct {
	// Schemas are those that requests reach.
	Schemas []string `yaml:"schemas" json:"schemas"`
	// TenantColumn is the column that names a row's tenant, wherever a relation has one.
	TenantColumn string `yaml:"tenant_column" json:"tenant_column"`
	// Tenants and Users are the tables of those, "" where there is none.
	Tenants string `yaml:"tenants" json:"tenants,omitempty"`
	Users   string `yaml:"users" json:"users,omitempty"`
	// Memberships says who belongs to which tenant.
	Memberships Memberships `yaml:"memberships" json:"memberships"`
	// Shared are the tenants whose rows everybody may read and nobody may write.
	Shared []string `yaml:"shared_tenants" json:"shared_tenants,omitempty"`
	Roles  Roles    `yaml:"roles" json:"roles"`
	// Identity are statements that make a transaction that of one caller. An operator runs them, before the
	// caller's role is taken on. {user}, {tenant}, {role} and {claims} stand for literals.
	Identity []string `yaml:"identity" json:"identity"`
	// Replays are identities that must count for nothing, such as one that has expired.
	Replays []Replay `yaml:"replays" json:"replays,omitempty"`
	// Operator are statements that make {user} an operator, who sees more than one tenant. Operators attack
	// nobody; what they may do is compared.
	Operator []string `yaml:"operator" json:"operator,omitempty"`
	// Sealed says that a caller's own SQL must not be able to change who it is.
	Sealed bool `yaml:"sealed" json:"sealed"`
	// Tables are what single relations have of their own.
	Tables map[string]TableRule `yaml:"tables" json:"tables,omitempty"`
}

// Replay is an identity that a caller may have come by, and that must count for nothing.
type Replay struct {
	Name    string `yaml:"name" json:"name"`       // ends the sentence: an identity that is …
	Setting string `yaml:"setting" json:"setting"` // the parameter it is kept in
	Value   string `yaml:"value" json:"value"`     // a query for its value, an operator's; {user} and so on as in Identity
}

// Memberships is the table that says which user belongs to which tenant.
type Memberships struct {
	Table  string   `yaml:"table" json:"table,omitempty"`
	Tenant string   `yaml:"tenant" json:"tenant,omitempty"`
	User   string   `yaml:"user" json:"user,omitempty"`
	Role   string   `yaml:"role" json:"role,omitempty"`
	Roles  []string `yaml:"roles" json:"roles,omitempty"` // the least first
}

// Roles are the database's roles that requests have to do with.
type Roles struct {
	Anonymous string `yaml:"anonymous" json:"anonymous,omitempty"`
	SignedIn  string `yaml:"signed_in" json:"signed_in"`
	Login     string `yaml:"login" json:"login,omitempty"` // what RESET ROLE leads back to
}

// TableRule is what one relation has of its own.
type TableRule struct {
	TenantColumn string `yaml:"tenant_column" json:"tenant_column,omitempty"`
	// Global says why the rows are nobody's in particular: read by everybody, written by no tenant.
	Global string `yaml:"global" json:"global,omitempty"`
	// Ignore says why the relation is left out.
	Ignore string `yaml:"ignore" json:"ignore,omitempty"`
	// Values are SQL expressions for columns whose values cannot be guessed.
	Values map[string]string `yaml:"values" json:"values,omitempty"`
}

// VitalSubject is VITAL's own schema.
func VitalSubject() (*Subject, error) { return ParseSubject(strings.NewReader(database.Subject)) }

// ParseSubject reads a subject's YAML. A key it does not know is an error.
func ParseSubject(from io.Reader) (*Subject, error) {
	text, err := io.ReadAll(from)
	if err != nil {
		return nil, fmt.Errorf("read subject: %w", err)
	}
	s := &Subject{}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(s); err != nil && !errors.Is(err, io.EOF) {
		return nil, fault.Wrap(err, fault.ConfigInvalid, "The description of the database cannot be read: "+err.Error(),
			"docs/reference/isolation.md has its format.")
	}
	return s, nil
}

func (s *Subject) validate(c *catalog) error {
	for _, named := range []string{s.Tenants, s.Users, s.Memberships.Table} {
		if named != "" && c.find(named) == nil {
			return fault.New(fault.ConfigInvalid, fmt.Sprintf("There is no table %q.", named), "Name it with its schema, as in public.tenants.")
		}
	}
	for name := range s.Tables {
		if c.find(name) == nil {
			return fault.New(fault.ConfigInvalid, fmt.Sprintf("There is no relation %q to have a rule.", name), "Name it with its schema, as in public.tenants.")
		}
	}
	if !slices.ContainsFunc(c.relations, func(r *relation) bool { return r.isTable() && s.exposes(r) && s.tenantColumn(r) != "" }) {
		return fault.New(fault.ConfigInvalid, fmt.Sprintf("No table of %s has a column %q.", strings.Join(s.Schemas, ", "), s.TenantColumn),
			"Name the column that says which tenant a row belongs to with --tenant-column.")
	}
	return nil
}

func (s *Subject) exposes(r *relation) bool { return slices.Contains(s.Schemas, r.schema) }

func (s *Subject) rule(r *relation) TableRule {
	if rule, ok := s.Tables[r.label()]; ok {
		return rule
	}
	return s.Tables[r.name]
}

// tenantColumn returns the column of r that names its tenant, or "".
func (s *Subject) tenantColumn(r *relation) string {
	rule := s.rule(r)
	switch {
	case rule.Global != "":
		return ""
	case rule.TenantColumn != "":
		return rule.TenantColumn
	case r.column(s.TenantColumn) != nil:
		return s.TenantColumn
	case s.isTable(s.Tenants, r) && len(r.keys) > 0 && len(r.keys[0]) == 1:
		return r.keys[0][0]
	}
	return ""
}

// userColumn returns the column of r that names the one user a row is about, or "".
func (s *Subject) userColumn(r *relation) string {
	switch {
	case s.isTable(s.Memberships.Table, r):
		return s.Memberships.User
	case s.isTable(s.Users, r) && len(r.keys) > 0 && len(r.keys[0]) == 1:
		return r.keys[0][0]
	}
	return ""
}

func (s *Subject) isTable(name string, r *relation) bool {
	return name != "" && (name == r.label() || name == r.name)
}

// enter returns the statements with which an operator's transaction becomes that of caller.
func (s *Subject) enter(c caller) []string {
	var statements []string
	if !c.nameless {
		for _, statement := range s.Identity {
			statements = append(statements, s.identify(statement, c))
		}
	}
	if c.login != "" {
		statements = append(statements, "set local session authorization "+identifier(c.login))
	}
	if c.role != c.login {
		statements = append(statements, "set local role "+identifier(cmp.Or(c.role, "none")))
	}
	return statements
}

// identify fills in who c is.
func (s *Subject) identify(statement string, c caller) string {
	claims := map[string]any{"sub": c.user, "role": c.role, "app_metadata": map[string]string{"tenant_id": c.tenant}, "tenant_id": c.tenant, "org_id": c.tenant}
	text, _ := json.Marshal(claims) // strings only
	fill := strings.NewReplacer("{user}", literal(c.user), "{tenant}", literal(c.tenant), "{role}", literal(c.role), "{claims}", literal(string(text)))
	return fill.Replace(strings.TrimSuffix(strings.TrimSpace(statement), ";"))
}
