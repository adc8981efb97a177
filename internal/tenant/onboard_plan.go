package tenant

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"

	"github.com/google/uuid"
)

// Onboarding is what a file of tenants changes, or would.
type Onboarding struct {
	Tenants   []OnboardedTenant `json:"tenants"` // those that are made or changed
	Made      int               `json:"made"`
	Changed   int               `json:"changed"`
	Unchanged int               `json:"unchanged"`
	// Invitations are the new ones. Their tokens are kept nowhere else.
	Invitations []TenantInvitation `json:"invitations"`
}

// OnboardedTenant is a tenant that is made or changed, and what of it.
type OnboardedTenant struct {
	Key      string         `json:"tenant_key"`
	ID       uuid.UUID      `json:"id"`
	Made     bool           `json:"made"`
	Name     string         `json:"name"`
	Slug     string         `json:"slug"`
	Type     string         `json:"tenant_type"`
	Tier     string         `json:"subscription_tier"`
	State    string         `json:"lifecycle_state"`
	Parent   *string        `json:"parent"` // tenant_key
	Template string         `json:"template,omitempty"`
	Changes  []TenantChange `json:"changes"`
}

// TenantChange is one thing that is added (+), changed (~) or taken away (-).
type TenantChange struct {
	Action string `json:"action"`
	Object string `json:"object"` // organization, owner, member, invitation, configuration, app, flag or agent
	Name   string `json:"name,omitempty"`
	Path   string `json:"path,omitempty"`
	Before any    `json:"before"`
	After  any    `json:"after"`
}

// TenantInvitation is a new invitation to a tenant.
type TenantInvitation struct {
	Tenant string `json:"tenant_key"`
	Invitation
}

// target is one tenant on its way to what the file says.
type target struct {
	spec     *tenantSpec
	known    *knownOrganization // nil for one to make
	wanted   knownOrganization
	parentID *uuid.UUID
	template string
	depth    int
	state    *tenantState
	final    map[string]any // configuration
	changes  []TenantChange
}

func (t *target) note(action, object, name, path string, before, after any) {
	t.changes = append(t.changes, TenantChange{action, object, name, path, before, after})
}

// plan is what a file comes to: the report of it, and the rows to write for each step.
type plan struct {
	world   *world
	faults  *TenantFileError
	targets map[string]*target
	order   []*target
	rows    map[string][]any // by step
	homes   map[uuid.UUID]bool
	invited []plannedInvitation
	options OnboardOptions
}

// planTenants compares the file to what is there. Nothing is written; what is wrong is among the faults.
func planTenants(w *world, file *TenantFile, options OnboardOptions) (*plan, error) {
	p := &plan{world: w, faults: &TenantFileError{}, targets: map[string]*target{}, rows: map[string][]any{}, homes: map[uuid.UUID]bool{}, options: options}
	for _, spec := range file.tenants {
		t := p.organization(spec)
		p.targets[spec.Organization.Key] = t
		p.order = append(p.order, t)
	}
	p.checkSlugs()
	p.parents()
	for i, t := range p.order {
		p.writeOrganization(t)
		if t.known == nil {
			template, found := w.templates[t.template]
			if !found {
				continue // said already
			}
			var err error
			if t.state, err = template.stateOf(t.wanted.ID); err != nil {
				return nil, fmt.Errorf("read template %s: %w", t.template, err)
			}
		} else {
			t.state = w.tenants[t.wanted.ID]
		}
		p.configuration(t)
		p.apps(t)
		if err := p.flags(t); err != nil {
			return nil, err
		}
		p.agents(t)
		p.people(t)
		options.progress("comparing", i+1, len(p.order))
	}
	return p, nil
}

// organization is the tenant itself as it should be.
func (p *plan) organization(spec *tenantSpec) *target {
	o := spec.Organization
	t := &target{spec: spec}
	if spec.Template != "" {
		if _, found := p.world.templates[spec.Template]; !found {
			p.faults.add(spec, "/template", "there is no template %s", spec.Template)
		}
	}
	if known, found := p.world.organizations[o.Key]; found {
		t.known, t.wanted = &known, known
		if known.State == "archived" {
			p.faults.add(spec, "/organization/tenant_key", "is archived: nothing of it changes any more")
		}
	} else {
		t.wanted = knownOrganization{Key: o.Key, ID: uuid.New(), Slug: o.Key, Tier: "standard", State: "active"}
		if o.Pending {
			t.wanted.State = "pending"
		}
		p.checkNew(spec)
	}
	for _, field := range []struct {
		into *string
		said *string
	}{{&t.wanted.Name, o.Name}, {&t.wanted.Slug, o.Slug}, {&t.wanted.Type, o.Type}, {&t.wanted.Tier, o.Tier}} {
		if field.said != nil {
			*field.into = *field.said
		}
	}
	if o.Parent.Said {
		t.wanted.Parent = o.Parent.Value
	}
	if t.known == nil {
		t.template = spec.Template
		if t.template == "" {
			t.template = defaultTemplate
			if _, found := p.world.templates[t.wanted.Type]; found {
				t.template = t.wanted.Type
			}
		}
	}
	return t
}

var (
	slugForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	idForm   = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

// checkNew refuses a new tenant that does not say what it takes.
func (p *plan) checkNew(spec *tenantSpec) {
	o := spec.Organization
	if o.Name == nil {
		p.faults.add(spec, "/organization/name", "is required: there is no tenant of this tenant_key yet, and a new one takes a name")
	}
	if o.Type == nil {
		p.faults.add(spec, "/organization/tenant_type", "is required of a new tenant")
	}
	if o.Slug == nil && !slugForm.MatchString(o.Key) {
		p.faults.add(spec, "/organization/slug", "is required: this tenant_key is no slug")
	}
	if spec.Owner == "" {
		p.faults.add(spec, "/owner", "is required of a new tenant")
	}
}

// checkSlugs refuses slugs that are another's, now or in the file.
func (p *plan) checkSlugs() {
	seen := map[string]*target{}
	for _, t := range p.order {
		slug := t.wanted.Slug
		if other, twice := seen[slug]; twice {
			p.faults.add(t.spec, "/organization/slug", "%s is that of %s, too", slug, other.wanted.Key)
			continue
		}
		seen[slug] = t
		if owner, taken := p.world.slugs[slug]; taken && owner != t.wanted.Key {
			p.faults.add(t.spec, "/organization/slug", "%s is that of %s", slug, owner)
		}
		if idForm.MatchString(slug) {
			p.faults.add(t.spec, "/organization/slug", "must not look like an id")
		}
	}
}

// writeOrganization notes what of the organization changes, and its row.
func (p *plan) writeOrganization(t *target) {
	row := map[string]any{
		"id": t.wanted.ID, "name": t.wanted.Name, "slug": t.wanted.Slug, "tenant_type": t.wanted.Type, "tenant_key": t.wanted.Key,
		"subscription_tier": t.wanted.Tier, "parent_id": t.parentID, "state": t.wanted.State,
	}
	if t.known == nil {
		p.add(stepMake+strconv.Itoa(t.depth)+"/"+t.template, row)
		return
	}
	for _, field := range []struct{ path, before, after string }{
		{"name", t.known.Name, t.wanted.Name}, {"slug", t.known.Slug, t.wanted.Slug}, {"tenant_type", t.known.Type, t.wanted.Type},
		{"subscription_tier", t.known.Tier, t.wanted.Tier},
	} {
		if field.before != field.after {
			t.note("~", "organization", "", field.path, field.before, field.after)
		}
	}
	if !samePointer(t.known.Parent, t.wanted.Parent) {
		t.note("~", "organization", "", "parent", t.known.Parent, t.wanted.Parent)
	}
	if len(t.changes) > 0 {
		p.add(stepChange+strconv.Itoa(t.depth), row)
	}
}

func (p *plan) add(step string, row any) { p.rows[step] = append(p.rows[step], row) }

func samePointer[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }

func sameValue(a, b any) bool { return reflect.DeepEqual(a, b) }

// configuration merges what the file says into what is there, and holds the whole to its schema.
func (p *plan) configuration(t *target) {
	before := t.state.configuration
	t.final = before
	if before == nil {
		p.faults.add(t.spec, "", "has no configuration; `vital fix data` restores it")
		return
	}
	if len(t.spec.Configuration) > 0 {
		after, _ := mergePatch(before, t.spec.Configuration).(map[string]any) // objects both
		if !sameValue(before, after) {
			for _, wrong := range schemaFaults("tenant_configuration", after) {
				p.faults.add(t.spec, "/configuration"+wrong.Path, "%s", wrong.Message)
			}
			t.noteLeaves("", before, after)
			row := maps.Clone(after)
			row["tenant_id"] = t.wanted.ID
			p.add(stepConfigurations, row)
		}
		t.final = after
	}
	p.checkEnabledApps(t)
}

// noteLeaves notes where two configurations differ. Lists are told whole.
func (t *target) noteLeaves(path string, before, after any) {
	left, isLeft := before.(map[string]any)
	right, isRight := after.(map[string]any)
	if !isLeft || !isRight {
		if !sameValue(before, after) {
			t.note(signOf(before, after), "configuration", "", path, before, after)
		}
		return
	}
	names := maps.Clone(left)
	maps.Copy(names, right)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		was, had := left[name]
		is, has := right[name]
		step := path + pointer([]string{name})
		switch {
		case had && has:
			t.noteLeaves(step, was, is)
		case has:
			t.note("+", "configuration", "", step, nil, is)
		default:
			t.note("-", "configuration", "", step, was, nil)
		}
	}
}

func signOf(before, after any) string {
	switch {
	case before == nil:
		return "+"
	case after == nil:
		return "-"
	default:
		return "~"
	}
}

// checkEnabledApps refuses keys of apps that the tenant will not have.
func (p *plan) checkEnabledApps(t *target) {
	if _, said := t.spec.Configuration["enabled_apps"]; !said {
		return
	}
	own := map[string]bool{}
	for _, a := range t.spec.Apps {
		own[a.Key] = true
	}
	enabled, _ := t.final["enabled_apps"].([]any)
	for i, value := range enabled {
		key, _ := value.(string)
		if _, has := t.state.apps[key]; !has && !own[key] {
			p.faults.add(t.spec, fmt.Sprintf("/configuration/enabled_apps/%d", i), "there is no app %s", key)
		}
	}
}
