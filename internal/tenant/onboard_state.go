package tenant

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
)

//go:embed onboard.sql
var onboardText string

var onboardQueries = database.ParseQueries(onboardText)

// knownOrganization is a tenant that is there.
type knownOrganization struct {
	Key      string
	ID       uuid.UUID
	Name     string
	Slug     string
	Type     string
	Tier     string
	Parent   *string // tenant_key
	State    string
	ParentID *uuid.UUID
}

// relative is an ancestor or descendant of a tenant of the file, or the tenant itself.
type relative struct {
	Key    string
	ID     uuid.UUID
	Parent *string // tenant_key
	State  string
}

type knownUser struct {
	Email    string
	ID       uuid.UUID
	Homeless bool // without a default tenant
}

type knownFlag struct {
	Key      string
	ID       uuid.UUID
	Type     string
	Active   bool
	Variants []string
}

// has says whether an override may name the variant; vital.set_tenant_feature says the same.
func (f knownFlag) has(variant string) bool {
	return slices.Contains(f.Variants, variant) || f.Type == "boolean" && len(f.Variants) == 0 && (variant == "on" || variant == "off")
}

type knownAgent struct {
	Tenant uuid.UUID
	Slug   string
	ID     uuid.UUID
	Tier   int
	Status string
}

type knownApp struct {
	Tenant  uuid.UUID `json:"tenant_id"`
	Key     string    `json:"key"`
	Name    string    `json:"name"`
	Route   string    `json:"route"`
	Icon    *string   `json:"icon"`
	Visible bool      `json:"visible"`
	Enabled bool      `json:"enabled"`
	Order   int       `json:"order"`
	Config  rawObject `json:"config"`
}

type knownOverride struct {
	Tenant    uuid.UUID
	Flag      string
	Enabled   *bool
	Variant   *string
	Config    rawObject
	ExpiresAt *time.Time
	RunOut    bool
}

type knownMember struct {
	Tenant uuid.UUID
	User   uuid.UUID
	Email  string
	Role   string
	Active bool
}

type knownInvitation struct {
	Tenant uuid.UUID
	Email  string
	Role   string
}

type knownAssignment struct {
	Tenant  uuid.UUID `json:"tenant_id"`
	Owner   uuid.UUID `json:"agent_tenant_id"`
	Agent   uuid.UUID `json:"agent_id"`
	Enabled bool      `json:"enabled"`
	Config  rawObject `json:"config"`
}

// rawObject is a jsonb object, or nil for null.
type rawObject = json.RawMessage

// tenantState is how one tenant is set up, or how its template will set it up.
type tenantState struct {
	configuration map[string]any // nil where the row is missing
	apps          map[string]knownApp
	overrides     map[string]knownOverride
	members       map[uuid.UUID]knownMember
	invitations   map[string]string // role by address
	assignments   map[[2]uuid.UUID]knownAssignment
}

// world is what of the database a file speaks of.
type world struct {
	organizations map[string]knownOrganization // by tenant_key
	slugs         map[string]string            // tenant_key by slug
	family        map[string]relative
	users         map[string]knownUser
	flags         map[string]knownFlag
	agents        map[agentName]knownAgent
	templates     map[string]Template
	tenants       map[uuid.UUID]*tenantState
}

type agentName struct {
	tenant uuid.UUID
	slug   string
}

// mentioned is what a file names, each once.
type mentioned struct {
	keys, slugs, parents, emails, flags, agents map[string]bool
}

func (f *TenantFile) mentioned() mentioned {
	m := mentioned{map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}}
	for _, t := range f.tenants {
		o := t.Organization
		m.keys[o.Key] = true
		m.slugs[o.Key] = true // what it is where none is said
		if o.Slug != nil {
			m.slugs[*o.Slug] = true
		}
		if o.Parent.Said {
			m.parents[o.Key] = true
			if o.Parent.Value != nil {
				m.parents[*o.Parent.Value] = true
			}
		}
		if t.Owner != "" {
			m.emails[t.Owner] = true
		}
		for _, member := range t.Members {
			m.emails[member.Email] = true
		}
		for key := range t.Flags {
			m.flags[key] = true
		}
		for _, a := range t.Agents {
			m.agents[a.Agent] = true
		}
	}
	return m
}

func listed(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }

// loadWorld reads and locks what is there of what the file speaks of: a query for each kind, however many tenants.
func loadWorld(ctx context.Context, tx pgx.Tx, m mentioned) (*world, error) {
	w := &world{templates: map[string]Template{}, slugs: map[string]string{}}
	organizations, err := ask[knownOrganization](ctx, tx, "OnboardOrganizations", listed(m.keys))
	if err != nil {
		return nil, err
	}
	w.organizations = by(organizations, func(o knownOrganization) string { return o.Key })
	if err := w.loadShared(ctx, tx, m); err != nil {
		return nil, err
	}
	w.tenants = map[uuid.UUID]*tenantState{}
	ids := make([]string, len(organizations))
	for i, o := range organizations {
		ids[i] = o.ID.String()
		w.tenants[o.ID] = newTenantState()
	}
	agents, err := ask[knownAgent](ctx, tx, "OnboardAgents", ids, listed(m.agents))
	if err != nil {
		return nil, err
	}
	w.agents = by(agents, func(a knownAgent) agentName { return agentName{a.Tenant, a.Slug} })
	return w, w.loadTenants(ctx, tx, ids, m)
}

func newTenantState() *tenantState {
	return &tenantState{
		apps: map[string]knownApp{}, overrides: map[string]knownOverride{}, members: map[uuid.UUID]knownMember{},
		invitations: map[string]string{}, assignments: map[[2]uuid.UUID]knownAssignment{},
	}
}

// loadShared reads what belongs to no one tenant.
func (w *world) loadShared(ctx context.Context, tx pgx.Tx, m mentioned) error {
	slugs, err := ask[struct{ Slug, Key string }](ctx, tx, "OnboardSlugs", listed(m.slugs))
	if err != nil {
		return err
	}
	for _, s := range slugs {
		w.slugs[s.Slug] = s.Key
	}
	family, err := ask[relative](ctx, tx, "OnboardFamily", listed(m.parents))
	if err != nil {
		return err
	}
	w.family = by(family, func(r relative) string { return r.Key })
	users, err := ask[knownUser](ctx, tx, "OnboardUsers", listed(m.emails))
	if err != nil {
		return err
	}
	w.users = by(users, func(u knownUser) string { return u.Email })
	if w.flags, err = flagsByKey(ctx, tx, listed(m.flags)); err != nil {
		return err
	}
	templates, err := ListTemplates(ctx, tx)
	w.templates = by(templates, func(t Template) string { return t.Name })
	return err
}

func flagsByKey(ctx context.Context, tx pgx.Tx, keys []string) (map[string]knownFlag, error) {
	flags, err := ask[knownFlag](ctx, tx, "OnboardFlags", keys)
	return by(flags, func(f knownFlag) string { return f.Key }), err
}

// loadTenants reads how the tenants that are there are set up.
func (w *world) loadTenants(ctx context.Context, tx pgx.Tx, ids []string, m mentioned) error {
	configurations, err := ask[struct {
		Tenant        uuid.UUID
		Configuration rawObject
	}](ctx, tx, "OnboardConfigurations", ids)
	if err != nil {
		return err
	}
	for _, c := range configurations {
		if w.tenants[c.Tenant].configuration, err = decodeCanonical(c.Configuration); err != nil {
			return fmt.Errorf("decode configuration: %w", err)
		}
	}
	apps, err := ask[knownApp](ctx, tx, "OnboardApps", ids)
	if err != nil {
		return err
	}
	for _, a := range apps {
		w.tenants[a.Tenant].apps[a.Key] = a
	}
	overrides, err := ask[knownOverride](ctx, tx, "OnboardOverrides", ids, listed(m.flags))
	if err != nil {
		return err
	}
	for _, o := range overrides {
		w.tenants[o.Tenant].overrides[o.Flag] = o
	}
	return w.loadPeople(ctx, tx, ids, m)
}

func (w *world) loadPeople(ctx context.Context, tx pgx.Tx, ids []string, m mentioned) error {
	members, err := ask[knownMember](ctx, tx, "OnboardMembers", ids, listed(m.emails))
	if err != nil {
		return err
	}
	for _, member := range members {
		w.tenants[member.Tenant].members[member.User] = member
	}
	invitations, err := ask[knownInvitation](ctx, tx, "OnboardInvitations", ids, listed(m.emails))
	if err != nil {
		return err
	}
	for _, i := range invitations {
		w.tenants[i.Tenant].invitations[i.Email] = i.Role
	}
	assignments, err := ask[knownAssignment](ctx, tx, "OnboardAssignments", ids)
	if err != nil {
		return err
	}
	for _, a := range assignments {
		w.tenants[a.Tenant].assignments[[2]uuid.UUID{a.Owner, a.Agent}] = a
	}
	return nil
}

func ask[T any](ctx context.Context, tx pgx.Tx, query string, args ...any) ([]T, error) {
	found, err := collect[T](ctx, tx, onboardQueries.Get(query), args...)
	if err != nil {
		return nil, fmt.Errorf("read what is there (%s): %w", query, err)
	}
	return found, nil
}

func by[K comparable, T any](list []T, key func(T) K) map[K]T {
	found := make(map[K]T, len(list))
	for _, one := range list {
		found[key(one)] = one
	}
	return found
}

// stateOf is how the template sets a tenant up; vital.provision_tenant does it.
func (t Template) stateOf(id uuid.UUID) (*tenantState, error) {
	state := newTenantState()
	state.configuration = t.Configuration
	for _, a := range t.Apps {
		config, err := encodeObject(a.Config)
		if err != nil {
			return nil, err
		}
		state.apps[a.Key] = knownApp{id, a.Key, a.Name, a.Route, a.Icon, isTrue(a.Visible), isTrue(a.Enabled), a.Order, config}
	}
	for key, f := range t.Flags {
		override := knownOverride{Tenant: id, Flag: key, Enabled: f.Enabled, Variant: f.Variant}
		if f.Config != nil {
			var err error
			if override.Config, err = encodeObject(f.Config); err != nil {
				return nil, err
			}
		}
		state.overrides[key] = override
	}
	return state, nil
}

func encodeObject(object map[string]any) (rawObject, error) {
	if object == nil {
		return rawObject("{}"), nil
	}
	text, err := json.Marshal(object)
	return text, err
}

// decodeCanonical reads a JSON object, its numbers written in one way.
func decodeCanonical(text []byte) (map[string]any, error) {
	var object map[string]any
	if err := unmarshal(text, &object); err != nil {
		return nil, err
	}
	for name, value := range object {
		object[name] = canonicalValue(value)
	}
	return object, nil
}

func canonicalValue(value any) any {
	switch value := value.(type) {
	case json.Number:
		if number, ok := canonical(value); ok {
			return number
		}
	case []any:
		for i, item := range value {
			value[i] = canonicalValue(item)
		}
	case map[string]any:
		for name, field := range value {
			value[name] = canonicalValue(field)
		}
	}
	return value
}

// sameObject compares two JSON objects by what they say.
func sameObject(a, b rawObject) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	left, errLeft := decodeCanonical(a)
	right, errRight := decodeCanonical(b)
	if errLeft != nil || errRight != nil {
		return bytes.Equal(a, b)
	}
	return sameValue(left, right)
}
