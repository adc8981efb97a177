package tenant

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// apps compares the apps the file names to those the tenant has.
func (p *plan) apps(t *target) {
	for i, said := range t.spec.Apps {
		path := "/apps/" + strconv.Itoa(i)
		before, has := t.state.apps[said.Key]
		if !has && (said.Name == nil || said.Route == nil) {
			p.faults.add(t.spec, path+"/key", "there is no app %s; one of your own takes a name and a route", said.Key)
			continue
		}
		after := before
		if !has {
			after = knownApp{Key: said.Key, Visible: true, Enabled: true, Config: rawObject("{}")}
		}
		after.Tenant = t.wanted.ID
		if err := said.applyTo(&after); err != nil {
			p.faults.add(t.spec, path+"/config", "cannot be read")
			continue
		}
		if has && sameApp(before, after) {
			continue
		}
		if has {
			t.noteApp(before, after)
		} else {
			t.note("+", "app", said.Key, "", nil, map[string]any{"name": after.Name, "route": after.Route, "visible": after.Visible, "enabled": after.Enabled})
		}
		p.add(stepApps, after)
	}
}

func (a appSpec) applyTo(app *knownApp) (err error) {
	setIf(&app.Name, a.Name)
	setIf(&app.Route, a.Route)
	setIf(&app.Visible, a.Visible)
	setIf(&app.Enabled, a.Enabled)
	setIf(&app.Order, a.Order)
	if a.Icon.Said {
		app.Icon = a.Icon.Value
	}
	if a.Config != nil {
		app.Config, err = encodeObject(a.Config)
	}
	return err
}

func setIf[T any](into, value *T) {
	if value != nil {
		*into = *value
	}
}

func sameApp(a, b knownApp) bool {
	return a.Name == b.Name && a.Route == b.Route && samePointer(a.Icon, b.Icon) && a.Visible == b.Visible && a.Enabled == b.Enabled &&
		a.Order == b.Order && sameObject(a.Config, b.Config)
}

func (t *target) noteApp(before, after knownApp) {
	for _, field := range []struct {
		path          string
		before, after any
	}{
		{"name", before.Name, after.Name}, {"route", before.Route, after.Route}, {"icon", valueOf(before.Icon), valueOf(after.Icon)},
		{"visible", before.Visible, after.Visible}, {"enabled", before.Enabled, after.Enabled}, {"order", before.Order, after.Order},
	} {
		if field.before != field.after {
			t.note("~", "app", before.Key, field.path, field.before, field.after)
		}
	}
	if !sameObject(before.Config, after.Config) {
		t.note("~", "app", before.Key, "config", before.Config, after.Config)
	}
}

// valueOf is what a pointer leads to, or nil.
func valueOf[T any](pointer *T) any {
	if pointer == nil {
		return nil
	}
	return *pointer
}

// flags compares the overrides the file names to those the tenant has, as vital.set_tenant_feature would.
func (p *plan) flags(t *target) error {
	for _, key := range slices.Sorted(maps.Keys(t.spec.Flags)) {
		said, path := t.spec.Flags[key], "/flags"+pointer([]string{key})
		flag, found := p.world.flags[key]
		if !found || !flag.Active {
			p.faults.add(t.spec, path, "there is no such active flag")
			continue
		}
		before, has := t.state.overrides[key]
		if said == nil {
			if has {
				t.note("-", "flag", key, "", before.fields(), nil)
				p.add(stepOverridesRemove, map[string]any{"tenant_id": t.wanted.ID, "flag_id": flag.ID})
			}
			continue
		}
		before.Flag = key
		after, err := said.over(before)
		if err != nil {
			return fmt.Errorf("encode override of %s: %w", key, err)
		}
		if has && before.same(after) {
			continue
		}
		p.checkOverride(t, path, flag, before, after)
		t.noteOverride(has, before, after)
		p.add(stepOverrides, map[string]any{
			"tenant_id": t.wanted.ID, "flag_id": flag.ID, "enabled": after.Enabled, "variant": after.Variant, "config": after.Config,
			"expires_at": after.ExpiresAt, "reason": orNull(p.options.Reason),
		})
	}
	return nil
}

// over is the override with what the file says; one that had run out starts afresh.
func (f flagSpec) over(before knownOverride) (after knownOverride, err error) {
	after = before
	if before.RunOut {
		after = knownOverride{Tenant: before.Tenant, Flag: before.Flag}
	}
	if f.Enabled.Said {
		after.Enabled = f.Enabled.Value
	}
	if f.Variant.Said {
		after.Variant = f.Variant.Value
	}
	if f.ExpiresAt.Said {
		after.ExpiresAt = f.ExpiresAt.Value
		if after.ExpiresAt != nil {
			kept := after.ExpiresAt.Round(time.Microsecond) // what the database keeps of it
			after.ExpiresAt = &kept
		}
	}
	if f.Config.Said {
		after.Config = nil
		if f.Config.Value != nil {
			after.Config, err = encodeObject(*f.Config.Value)
		}
	}
	return after, err
}

func (p *plan) checkOverride(t *target, path string, flag knownFlag, before, after knownOverride) {
	if after.Variant != nil && !samePointer(before.Variant, after.Variant) && !flag.has(*after.Variant) {
		p.faults.add(t.spec, path, "the flag has no variant %s", *after.Variant)
	}
	if after.ExpiresAt != nil && !after.ExpiresAt.After(time.Now()) {
		p.faults.add(t.spec, path+"/expires_at", "has passed")
	}
}

func (o knownOverride) same(other knownOverride) bool {
	sameEnd := o.ExpiresAt == nil && other.ExpiresAt == nil || o.ExpiresAt != nil && other.ExpiresAt != nil && o.ExpiresAt.Equal(*other.ExpiresAt)
	return sameEnd && samePointer(o.Enabled, other.Enabled) && samePointer(o.Variant, other.Variant) && sameObject(o.Config, other.Config)
}

// fields are what an override says.
func (o knownOverride) fields() map[string]any {
	fields := map[string]any{}
	if o.Enabled != nil {
		fields["enabled"] = *o.Enabled
	}
	if o.Variant != nil {
		fields["variant"] = *o.Variant
	}
	if o.Config != nil {
		fields["config"] = o.Config
	}
	if o.ExpiresAt != nil {
		fields["expires_at"] = o.ExpiresAt.UTC()
	}
	return fields
}

func (t *target) noteOverride(has bool, before, after knownOverride) {
	if !has {
		t.note("+", "flag", after.Flag, "", nil, after.fields())
		return
	}
	was, is := before.fields(), after.fields()
	for _, field := range []string{"enabled", "variant", "expires_at"} {
		if was[field] != is[field] {
			t.note(signOf(was[field], is[field]), "flag", before.Flag, field, was[field], is[field])
		}
	}
	if !sameObject(before.Config, after.Config) {
		t.note("~", "flag", before.Flag, "config", was["config"], is["config"])
	}
}

// agents compares the agents the file names to those the tenant has assigned, within its tiers and its limit.
func (p *plan) agents(t *target) {
	made, last := 0, ""
	for i, said := range t.spec.Agents {
		path := "/agents/" + strconv.Itoa(i)
		agent, found := p.world.agents[agentName{t.wanted.ID, said.Agent}]
		if !found {
			agent, found = p.world.agents[agentName{platformTenant, said.Agent}]
		}
		if !found {
			p.faults.add(t.spec, path, "there is no agent %s of this tenant or the platform", said.Agent)
			continue
		}
		before, has := t.state.assignments[[2]uuid.UUID{agent.Tenant, agent.ID}]
		after := knownAssignment{t.wanted.ID, agent.Tenant, agent.ID, isTrue(said.Enabled), before.Config}
		if said.Config != nil || !has {
			config, err := encodeObject(said.Config)
			if err != nil {
				p.faults.add(t.spec, path+"/config", "cannot be read")
				continue
			}
			after.Config = config
		}
		if has && before.Enabled == after.Enabled && sameObject(before.Config, after.Config) {
			continue
		}
		if !has {
			p.checkAgent(t, path, agent)
			made, last = made+1, path
			t.note("+", "agent", said.Agent, "", nil, map[string]any{"enabled": after.Enabled, "config": after.Config})
		} else {
			if before.Enabled != after.Enabled {
				t.note("~", "agent", said.Agent, "enabled", before.Enabled, after.Enabled)
			}
			if !sameObject(before.Config, after.Config) {
				t.note("~", "agent", said.Agent, "config", before.Config, after.Config)
			}
		}
		p.add(stepAgents, after)
	}
	if most, bound := t.limit("max_agents"); bound && made > 0 && len(t.state.assignments)+made > most {
		p.faults.add(t.spec, last, "the limit max_agents of this tenant is %d, and it would have %d", most, len(t.state.assignments)+made)
	}
}

// checkAgent refuses an agent that is not to be had, or not of the tenant's tiers.
func (p *plan) checkAgent(t *target, path string, agent knownAgent) {
	if agent.Status != "active" {
		p.faults.add(t.spec, path, "%s is %s; only active agents are assigned", agent.Slug, agent.Status)
	}
	tiers, _ := t.final["enabled_agent_tiers"].([]any)
	if !slices.ContainsFunc(tiers, func(tier any) bool { return tier == json.Number(strconv.Itoa(agent.Tier)) }) {
		p.faults.add(t.spec, path, "%s is of tier %d, which is not among enabled_agent_tiers", agent.Slug, agent.Tier)
	}
}

// limit is a bound of the tenant's configuration as it will be.
func (t *target) limit(name string) (int, bool) {
	limits, _ := t.final["limits"].(map[string]any)
	number, _ := limits[name].(json.Number)
	most, err := strconv.Atoi(string(number))
	return most, err == nil
}
