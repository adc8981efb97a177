package tenant_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
)

const create = "select (create_tenant($1, $2, $3, p_reason => 'signed')).id::text"

func TestCreateTenant(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	var id string
	rows := audited(t, s, func() { id = must[string](t, s, root, "", create, " New Co ", "new-co", "pharmaceuticals") })
	require.ElementsMatch(t, []string{"organizations created", "tenant_configurations created", "user_tenants created",
		"tenant_apps created", "tenant_apps created", "tenant_apps created", "tenant_apps created"}, describe(rows))
	for _, r := range rows {
		require.Equal(t, []string{id, root, "super_admin", "signed"}, []string{r.Tenant, r.Actor, r.Role, r.Reason})
	}
	require.Equal(t, "New Co new-co new-co standard active t", peek[string](t, s,
		"select concat_ws(' ', name, slug, tenant_key, subscription_tier, lifecycle_state, is_active) from organizations where id = $1", id))
	require.Equal(t, "true true", peek[string](t, s,
		"select concat_ws(' ', compliance_settings ->> 'hipaa_enabled', compliance_settings ->> 'gdpr_enabled') from tenant_configurations where tenant_id = $1", id))
	require.Equal(t, root, peek[string](t, s, "select user_id::text from user_tenants where tenant_id = $1 and role = 'owner'", id))

	// An operator names the owner, whose first tenant becomes their default.
	id, err := operate[string](s, "select (create_tenant('Ops', 'ops', 'digital_health', p_owner_id => $1, p_lifecycle_state => 'pending', p_parent_organization_id => $2, p_subscription_tier => 'enterprise')).id::text", nina, acme)
	require.NoError(t, err)
	require.Equal(t, id, peek[string](t, s, "select organization_id::text from users where id = $1", nina))
	require.Equal(t, "pending "+acme+" enterprise false", peek[string](t, s,
		"select concat_ws(' ', lifecycle_state, parent_organization_id, subscription_tier, (select compliance_settings ->> 'hipaa_enabled' from tenant_configurations where tenant_id = o.id)) from organizations o where id = $1", id))
	refused(t, s, fault.TenantPending, nina, "select 1 from vital.require_member()")

	for _, user := range []string{olga, ada, ben, vic, cyd, sue} {
		refused(t, s, fault.PermissionDenied, user, create, "X", "x", "system")
	}
	for name, c := range map[string]struct {
		text string
		code fault.Code
	}{
		"blank name":    {"create_tenant(' ', 'x', 'system')", fault.Invalid},
		"null name":     {"create_tenant(null, 'x', 'system')", fault.Invalid},
		"bad slug":      {"create_tenant('X', 'X Y', 'system')", fault.Invalid},
		"id for slug":   {"create_tenant('X', '" + acme + "', 'system')", fault.Invalid},
		"bad type":      {"create_tenant('X', 'x', 'No Type')", fault.Invalid},
		"bad tier":      {"create_tenant('X', 'x', 'system', p_subscription_tier => 'gold')", fault.Invalid},
		"archived":      {"create_tenant('X', 'x', 'system', p_lifecycle_state => 'archived')", fault.Invalid},
		"slug taken":    {"create_tenant('X', 'acme', 'system', p_tenant_key => 'other')", fault.StateConflict},
		"key taken":     {"create_tenant('X', 'x', 'system', p_tenant_key => 'acme')", fault.StateConflict},
		"no such owner": {"create_tenant('X', 'x', 'system', p_owner_id => gen_random_uuid())", fault.NotFound},
		"no such parent": {"create_tenant('X', 'x', 'system', p_parent_organization_id => gen_random_uuid())",
			fault.TenantNotFound},
	} {
		_, err := as[string](s, root, "", "select ("+c.text+").id::text")
		require.Equal(t, c.code, fault.CodeOf(err), "%s: %v", name, err)
	}
	_, err = operate[string](s, "select (create_tenant('X', 'x', 'system')).id::text")
	require.Equal(t, fault.Invalid, fault.CodeOf(err), "service_role names the owner")
	require.Equal(t, 0, peek[int](t, s, "select count(*)::int from organizations where slug = 'x'"))
}

func TestChangeTenantState_Walk(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	const move = "select (change_tenant_state($1, $2, $3)).lifecycle_state::text"
	id := must[string](t, s, root, "", "select (create_tenant('Walk', 'walk', 'system', p_lifecycle_state => 'pending', p_owner_id => $1)).id::text", nina)
	actions := []string{"approve", "activate", "suspend", "archive"}
	state := "pending"
	for _, step := range []struct{ action, state, audited string }{
		{"approve", "active", "approved"}, {"suspend", "suspended", "suspended"}, {"activate", "active", "activated"},
		{"suspend", "suspended", "suspended"}, {"archive", "archived", "archived"}, {"", "", ""},
	} {
		allowed := map[string]string{"pending": "approve", "active": "suspend", "suspended": "activate, archive", "archived": "nothing"}[state]
		for _, action := range actions {
			if action == step.action || (state == "suspended" && (action == "activate" || action == "archive")) {
				continue
			}
			require.Empty(t, audited(t, s, func() {
				_, err := as[string](s, root, "", move, id, action, "because")
				require.Equal(t, fault.StateConflict, fault.CodeOf(err), "%s when %s", action, state)
				require.Equal(t, fmt.Sprintf("This tenant is %s; allowed now: %s.", state, allowed), fault.From(err).Message)
			}))
		}
		if step.action == "" {
			break
		}
		was := state
		rows := audited(t, s, func() { state = must[string](t, s, root, "", move, id, step.action, " because ") })
		require.Equal(t, step.state, state)
		require.Len(t, rows, 1)
		require.Equal(t, []string{"organizations", step.audited, root, "super_admin", "because"},
			[]string{rows[0].Entity, rows[0].Action, rows[0].Actor, rows[0].Role, rows[0].Reason})
		require.Equal(t, was, rows[0].Old["lifecycle_state"])
		require.Equal(t, state, rows[0].New["lifecycle_state"])
		require.Len(t, rows[0].Old, 2-map[bool]int{true: 1}[was == "suspended" && state == "archived"], "and is_active where it changed")
	}
}

func TestChangeTenantState_Callers(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	const suspend = "select (change_tenant_state('" + acme + "', 'suspend', 'unpaid')).lifecycle_state::text"
	for _, user := range []string{olga, ada, ben, vic, cyd, sue, nina} {
		refused(t, s, fault.PermissionDenied, user, suspend)
		refused(t, s, fault.PermissionDenied, user, "select (change_tenant_state(gen_random_uuid(), 'suspend', 'x')).lifecycle_state::text")
	}
	refused(t, s, fault.TenantNotFound, root, "select (change_tenant_state(gen_random_uuid(), 'suspend', 'x')).lifecycle_state::text")
	refused(t, s, fault.Invalid, root, "select (change_tenant_state('"+acme+"', 'explode', 'x')).lifecycle_state::text")
	refused(t, s, fault.Invalid, root, "select (change_tenant_state('"+acme+"', 'suspend', ' ')).lifecycle_state::text")
	refused(t, s, fault.Invalid, root, "select (change_tenant_state('"+acme+"', 'suspend', null)).lifecycle_state::text")
	refused(t, s, fault.StateConflict, root, "select (change_tenant_state('"+platformID+"', 'suspend', 'x')).lifecycle_state::text")

	rows := audited(t, s, func() {
		got, err := operate[string](s, suspend)
		require.NoError(t, err)
		require.Equal(t, "suspended", got)
	})
	require.Equal(t, []string{"", "service_role", "unpaid"}, []string{rows[0].Actor, rows[0].Role, rows[0].Reason})
	for _, user := range []string{olga, ben, vic} {
		refused(t, s, fault.TenantSuspended, user, "select get_user_tenant_context()")
		refused(t, s, fault.TenantSuspended, user, "select invite_member('x@y.test')::text")
	}
	// Of many at once, one suspends.
	well, codes := atOnce(8, func(int) error {
		_, err := as[string](s, root, "", "select (change_tenant_state('"+bolt+"', 'suspend', 'x')).lifecycle_state::text")
		return err
	})
	require.Equal(t, 1, well)
	require.Equal(t, map[fault.Code]int{fault.StateConflict: 7}, codes)
}

func TestIsActive_RevivesAndApprovesNobody(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	s.Exec(t, "update organizations set lifecycle_state = 'archived' where id = $1", idle)
	s.Exec(t, "insert into organizations (name, slug, tenant_type, tenant_key, lifecycle_state) values ('P', 'p', 'system', 'p', 'pending')")
	for _, where := range []string{"slug = 'p'", "id = '" + idle + "'"} {
		for _, set := range []string{"is_active = true", "lifecycle_state = 'suspended'", "is_active = true, lifecycle_state = 'suspended'"} {
			_, err := as[any](s, root, "", "update public.organizations set "+set+" where "+where)
			require.Equal(t, fault.StateConflict, fault.CodeOf(err), "%s %s: %v", set, where, err)
		}
	}
	must[any](t, s, root, "", "update public.organizations set is_active = false where id = '"+acme+"'")
	must[any](t, s, root, "", "update public.organizations set is_active = true where id = '"+acme+"'")
	require.Equal(t, "active", peek[string](t, s, "select lifecycle_state::text from organizations where id = $1", acme))
}

func TestSetParentOrganization(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	const set = "select (set_parent_organization($1, $2, 'merger')).parent_organization_id::text"
	for _, user := range []string{olga, ben, cyd, both, nina} {
		refused(t, s, fault.PermissionDenied, user, set, acme, bolt)
	}
	rows := audited(t, s, func() { require.Equal(t, bolt, must[string](t, s, root, "", set, acme, bolt)) })
	require.Len(t, rows, 1)
	require.Equal(t, map[string]any{"parent_organization_id": bolt}, rows[0].New)
	require.Equal(t, "merger", rows[0].Reason)
	require.Empty(t, audited(t, s, func() { must[string](t, s, root, "", set, acme, bolt) }), "nothing changed")

	refused(t, s, fault.StateConflict, root, set, bolt, acme)
	refused(t, s, fault.StateConflict, root, set, acme, acme)
	refused(t, s, fault.StateConflict, root, set, platformID, acme)
	refused(t, s, fault.TenantNotFound, root, set, acme, "99999999-0000-0000-0000-000000000000")
	_, err := operate[string](s, "update organizations set parent_organization_id = $2 where id = $1 returning id::text", bolt, acme)
	require.Equal(t, fault.StateConflict, fault.CodeOf(err), "a direct write as well")
	_, err = operate[*string](s, set, acme, nil)
	require.NoError(t, err)
	s.Exec(t, "update organizations set lifecycle_state = 'archived' where id = $1", idle)
	refused(t, s, fault.TenantArchived, root, set, idle, acme)

	// Five levels, counted from both sides.
	chain := make([]string, 6)
	for i := range chain {
		chain[i] = must[string](t, s, root, "", "select (create_tenant($1, $1, 'system')).id::text", fmt.Sprintf("level-%d", i))
	}
	for _, i := range []int{1, 2, 4, 5} { // 0 < 1 < 2 and 3 < 4 < 5
		must[string](t, s, root, "", set, chain[i], chain[i-1])
	}
	refused(t, s, fault.StateConflict, root, set, chain[3], chain[2])
	must[string](t, s, root, "", set, chain[3], chain[1])
}

func TestSetParentOrganization_CirclesAtOnce(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	const n = 6
	ids := make([]string, n)
	for i := range ids {
		ids[i] = must[string](t, s, root, "", "select (create_tenant($1, $1, 'system')).id::text", fmt.Sprintf("ring-%d", i))
	}
	for range 5 {
		s.Exec(t, "update organizations set parent_organization_id = null")
		_, codes := atOnce(n, func(i int) error {
			_, err := as[string](s, root, "", "select (set_parent_organization($1, $2)).slug", ids[i], ids[(i+1)%n])
			return err
		})
		require.NotZero(t, codes[fault.StateConflict])
		require.Len(t, codes, 1)
		require.Equal(t, 0, peek[int](t, s, `
			with recursive up (start, id, depth) as (
				select id, parent_organization_id, 1 from organizations
				union all select u.start, o.parent_organization_id, u.depth + 1 from up u join organizations o on o.id = u.id where u.depth < 20
			) select count(*)::int from up where start = id or depth > 5`), "no circle, no sixth level")
	}
}

func TestCloneTenantSettings(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	const clone = "select (clone_tenant_settings($1, $2, 'same rules')).limits ->> 'max_agents'"
	s.Exec(t, `update tenant_configurations set limits = '{"max_agents": 7}', ui_config = '{"theme": "acme"}' where tenant_id = '`+acme+`';
		update tenant_apps set display_order = 9 where tenant_id = '`+acme+`' and app_key = 'chat';
		insert into tenant_apps (tenant_id, app_key, app_name, app_route) values ('`+acme+`', 'extra', 'Extra', '/extra'), ('`+bolt+`', 'odd', 'Odd', '/odd');
		insert into tenant_feature_flags (tenant_id, feature_flag_id, enabled, config) select '`+acme+`', id, true, '{"a": 1}' from feature_flags where flag_key = 'dark';
		insert into tenant_feature_flags (tenant_id, feature_flag_id, enabled) select '`+bolt+`', id, true from feature_flags where flag_key = 'gone'`)
	for user, code := range map[string]fault.Code{
		olga: fault.TenantNotFound, cyd: fault.TenantNotFound, ben: fault.PermissionDenied, nina: fault.TenantNotFound, sue: fault.TenantNotFound,
	} {
		refused(t, s, code, user, clone, acme, bolt)
	}
	rows := audited(t, s, func() { require.Equal(t, "7", must[string](t, s, both, "", clone, acme, bolt)) })
	require.ElementsMatch(t, []string{"tenant_configurations updated", "tenant_apps deleted", "tenant_apps updated", "tenant_apps created",
		"tenant_feature_flags deleted", "tenant_feature_flags created"}, describe(rows))
	for _, r := range rows {
		require.Equal(t, []string{bolt, both, "same rules"}, []string{r.Tenant, r.Actor, r.Reason})
	}
	const settings = `select jsonb_build_object('c', (select to_jsonb(c) - '{id,tenant_id,created_at,updated_at}'::text[] from tenant_configurations c where tenant_id = $1),
		'a', (select jsonb_agg(to_jsonb(a) - '{id,tenant_id,created_at,updated_at}'::text[] order by app_key) from tenant_apps a where tenant_id = $1),
		'f', (select jsonb_agg(to_jsonb(f) - '{id,tenant_id,created_at,updated_at,reason,created_by,version}'::text[]) from tenant_feature_flags f where tenant_id = $1))::text`
	require.Equal(t, peek[string](t, s, settings, acme), peek[string](t, s, settings, bolt))
	require.Empty(t, audited(t, s, func() { must[string](t, s, root, "", clone, acme, bolt) }), "the same already")
	_, err := operate[string](s, clone, bolt, acme)
	require.NoError(t, err)
	refused(t, s, fault.Invalid, root, clone, acme, acme)
	refused(t, s, fault.TenantNotFound, root, clone, "99999999-0000-0000-0000-000000000000", acme)
	s.Exec(t, "delete from tenant_configurations where tenant_id = $1", bolt)
	refused(t, s, fault.TenantUnconfigured, root, clone, bolt, acme)
}
