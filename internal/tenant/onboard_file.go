package tenant

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/vital-db/vital/internal/fault"
)

// TenantFile is a file of tenants as they should be (database/schemas/tenant_onboarding.json).
type TenantFile struct {
	tenants []*tenantSpec
}

// Len is how many tenants the file has.
func (f *TenantFile) Len() int { return len(f.tenants) }

// tenantSpec is one tenant of a file. What it does not say is left as it is.
type tenantSpec struct {
	Organization  organizationSpec     `json:"organization"`
	Template      string               `json:"template"`
	Owner         string               `json:"owner"`
	Members       []memberSpec         `json:"members"`
	Configuration map[string]any       `json:"configuration"`
	Apps          []appSpec            `json:"apps"`
	Flags         map[string]*flagSpec `json:"flags"` // nil takes an override away
	Agents        []agentSpec          `json:"agents"`

	source node
}

type organizationSpec struct {
	Key     string         `json:"tenant_key"`
	Name    *string        `json:"name"`
	Slug    *string        `json:"slug"`
	Type    *string        `json:"tenant_type"`
	Tier    *string        `json:"subscription_tier"`
	Parent  stated[string] `json:"parent"`
	Pending bool           `json:"pending"`
}

type memberSpec struct {
	Email string `json:"email"`
	Role  string `json:"role"`
}

type appSpec struct {
	Key     string         `json:"key"`
	Name    *string        `json:"name"`
	Route   *string        `json:"route"`
	Icon    stated[string] `json:"icon"`
	Visible *bool          `json:"visible"`
	Enabled *bool          `json:"enabled"`
	Order   *int           `json:"order"`
	Config  map[string]any `json:"config"`
}

type flagSpec struct {
	Enabled   stated[bool]           `json:"enabled"`
	Variant   stated[string]         `json:"variant"`
	Config    stated[map[string]any] `json:"config"`
	ExpiresAt stated[time.Time]      `json:"expires_at"`
}

type agentSpec struct {
	Agent   string         `json:"agent"`
	Enabled *bool          `json:"enabled"`
	Config  map[string]any `json:"config"`
}

// stated is a field that may be left out, be null, or hold a value.
type stated[T any] struct {
	Said  bool
	Value *T
}

// UnmarshalJSON is called for null, too.
func (s *stated[T]) UnmarshalJSON(text []byte) error {
	s.Said = true
	return unmarshal(text, &s.Value)
}

// UnmarshalJSON takes true, false and the name of a variant for an object of the one field.
func (f *flagSpec) UnmarshalJSON(text []byte) error {
	switch text[0] {
	case 't', 'f':
		return f.Enabled.UnmarshalJSON(text)
	case '"':
		return f.Variant.UnmarshalJSON(text)
	}
	type whole flagSpec
	return unmarshal(text, (*whole)(f))
}

// UnmarshalJSON takes a slug for an object of the one field.
func (a *agentSpec) UnmarshalJSON(text []byte) error {
	if text[0] == '"' {
		return unmarshal(text, &a.Agent)
	}
	type whole agentSpec
	return unmarshal(text, (*whole)(a))
}

// unmarshal is json.Unmarshal that keeps numbers as they are written.
func unmarshal(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode(into)
}

// TenantFault is one mistake of a file of tenants.
type TenantFault struct {
	Tenant  string // its tenant_key, or which it is
	Line    int
	Path    string // JSON pointer within the tenant
	Message string
}

// TenantFileError are the first mistakes of a file, and how many there are in all.
type TenantFileError struct {
	First []TenantFault
	Total int
}

// mostFaults is how many mistakes are told at once.
const mostFaults = 50

func (f *TenantFileError) add(t *tenantSpec, path, format string, args ...any) {
	f.record(TenantFault{Tenant: t.Organization.Key, Line: t.source.lineOf(path), Path: path, Message: fmt.Sprintf(format, args...)})
}

func (f *TenantFileError) record(one TenantFault) {
	if f.Total++; len(f.First) < mostFaults {
		f.First = append(f.First, one)
	}
}

// Error is one mistake a line.
func (f *TenantFileError) Error() string {
	lines := make([]string, 0, len(f.First)+1)
	for _, one := range f.First {
		where := one.Tenant
		if one.Path != "" {
			where += " " + one.Path
		}
		lines = append(lines, fmt.Sprintf("line %d: %s: %s", one.Line, where, one.Message))
	}
	if more := f.Total - len(f.First); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "\n")
}

// err is nil where nothing is wrong.
func (f *TenantFileError) err() error {
	if f.Total == 0 {
		return nil
	}
	count := "a mistake"
	if f.Total > 1 {
		count = fmt.Sprintf("%d mistakes", f.Total)
	}
	invalid := fault.Wrap(f, fault.Invalid, fmt.Sprintf("There is %s in the file; nothing was changed.", count),
		"Mend each; database/schemas/tenant_onboarding.json says what belongs where, docs/how-to/onboard.md what it means.")
	if f.Total > 1 {
		invalid.Message = fmt.Sprintf("There are %s in the file; nothing was changed.", count)
	}
	invalid.Detail = f.Error()
	return invalid
}

// ReadTenants reads a file of tenants: one, a list under tenants, or several of either one after the other. It is strict, and
// what is wrong is an invalid fault whose cause is TenantFileError.
func ReadTenants(text []byte, format FileFormat) (*TenantFile, error) {
	documents, err := parseDocuments(text, format)
	if err != nil {
		return nil, err
	}
	faults := &TenantFileError{}
	file := &TenantFile{}
	number := 0
	for _, document := range documents {
		for _, one := range tenantsOf(document, faults) {
			number++
			if t := readTenant(one, number, faults); t != nil {
				file.tenants = append(file.tenants, t)
			}
		}
	}
	if number == 0 && faults.Total == 0 {
		return nil, fault.New(fault.Invalid, "There is no tenant in the file.", "Write one, or a list of them under tenants; docs/how-to/onboard.md has an example.")
	}
	file.check(faults)
	return file, faults.err()
}

// tenantsOf are the tenants of one document.
func tenantsOf(document node, faults *TenantFileError) []node {
	list, isListed := document.child("tenants")
	if document.kind != isObject || !isListed {
		return []node{document}
	}
	for _, f := range document.fields {
		if f.name != "tenants" {
			faults.record(TenantFault{"the file", f.value.line, "/" + f.name, "stands beside tenants; it belongs into one of them"})
		}
	}
	if list.kind != isList || len(list.items) == 0 {
		faults.record(TenantFault{"the file", list.line, "/tenants", "must be a list of tenants, and not empty"})
	}
	return list.items
}

// readTenant reads one tenant, or nil where it is not what the schema asks for.
func readTenant(source node, number int, faults *TenantFileError) *tenantSpec {
	plain := source.plain()
	if wrong := schemaFaults(schemaOfTenant, plain); len(wrong) > 0 {
		name := fmt.Sprintf("tenant %d", number)
		if organization, ok := source.child("organization"); ok {
			if key, ok := organization.child("tenant_key"); ok && key.kind == isScalar {
				if text, ok := key.scalar.(string); ok && len(text) <= 100 {
					name = text
				}
			}
		}
		for _, w := range wrong {
			faults.record(TenantFault{name, source.lineOf(w.Path), w.Path, w.Message})
		}
		return nil
	}
	t := &tenantSpec{source: source}
	text, err := json.Marshal(plain)
	if err == nil {
		err = unmarshal(text, t)
	}
	if err != nil {
		faults.record(TenantFault{fmt.Sprintf("tenant %d", number), source.line, "", "cannot be read: " + err.Error()})
		return nil
	}
	t.Owner = strings.ToLower(t.Owner)
	for i := range t.Members {
		t.Members[i].Email = strings.ToLower(t.Members[i].Email)
		if t.Members[i].Role == "" {
			t.Members[i].Role = "member"
		}
	}
	return t
}

// check finds what can be known to be wrong from the file alone: what is said twice.
func (f *TenantFile) check(faults *TenantFileError) {
	keys, slugs := map[string]*tenantSpec{}, map[string]*tenantSpec{}
	for _, t := range f.tenants {
		if other, twice := keys[t.Organization.Key]; twice {
			faults.add(t, "/organization/tenant_key", "is that of the tenant of line %d, too", other.source.line)
			continue
		}
		keys[t.Organization.Key] = t
		if slug := t.Organization.Slug; slug != nil {
			if other, twice := slugs[*slug]; twice {
				faults.add(t, "/organization/slug", "%s is that of %s, too", *slug, other.Organization.Key)
			} else {
				slugs[*slug] = t
			}
		}
		t.checkLists(faults)
	}
}

func (t *tenantSpec) checkLists(faults *TenantFileError) {
	members := map[string]bool{}
	if t.Owner != "" {
		members[t.Owner] = true
	}
	for i, m := range t.Members {
		switch path := fmt.Sprintf("/members/%d/email", i); {
		case m.Email == t.Owner:
			faults.add(t, path, "%s is the owner already", m.Email)
		case members[m.Email]:
			faults.add(t, path, "%s is named twice", m.Email)
		}
		members[m.Email] = true
	}
	apps := map[string]bool{}
	for i, a := range t.Apps {
		if apps[a.Key] {
			faults.add(t, fmt.Sprintf("/apps/%d/key", i), "%s is named twice", a.Key)
		}
		apps[a.Key] = true
	}
	agents := map[string]bool{}
	for i, a := range t.Agents {
		if agents[a.Agent] {
			faults.add(t, fmt.Sprintf("/agents/%d", i), "%s is named twice", a.Agent)
		}
		agents[a.Agent] = true
	}
}
