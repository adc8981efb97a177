package schema_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// assessmentColumns are those of tenant_full_config in section 3.2, in its order.
var assessmentColumns = []string{
	"tenant_id", "name", "slug", "tenant_type", "tenant_key", "is_active",
	"ui_config", "enabled_features", "enabled_apps", "limits", "compliance_settings", "apps", "features",
}

func TestTenantFullConfig_ColumnsAndRows(t *testing.T) {
	t.Parallel()
	d := install(t)
	got := column[string](t, d.super, "select attname::text from pg_attribute where attrelid = 'tenant_full_config'::regclass and attnum > 0 order by attnum")
	require.Equal(t, append(append([]string{}, assessmentColumns...), "enabled_agent_tiers"), got)
	require.Equal(t, []string{"health", "pharma", "platform"}, column[string](t, d.super, "select slug from tenant_full_config order by slug"))

	// Absent configuration, apps or flags leave the row in place.
	execute(t, d.super, "delete from tenant_configurations where tenant_id = $1", health)
	execute(t, d.super, "delete from tenant_apps where tenant_id = $1", health)
	require.Equal(t, "[] []", one[string](t, d.super, "select concat(apps, ' ', features, ui_config) from tenant_full_config where tenant_id = $1", health))
}

func TestTenantFullConfig_Apps(t *testing.T) {
	t.Parallel()
	d := install(t)
	execute(t, d.super, "update tenant_apps set is_visible = false where tenant_id = $1 and app_key = 'chat'", health)
	execute(t, d.super, "update tenant_apps set is_enabled = false, display_order = 0 where tenant_id = $1 and app_key = 'knowledge'", health)
	require.JSONEq(t, `[
		{"app_key": "knowledge", "app_name": "Knowledge", "app_route": "/knowledge", "app_icon": "book", "is_enabled": false, "display_order": 0},
		{"app_key": "dashboard", "app_name": "Dashboard", "app_route": "/dashboard", "app_icon": "home", "is_enabled": true, "display_order": 1},
		{"app_key": "agents", "app_name": "Agents", "app_route": "/agents", "app_icon": "users", "is_enabled": true, "display_order": 3}
	]`, one[string](t, d.super, "select apps::text from tenant_full_config where tenant_id = $1", health))
}

func TestTenantFullConfig_Features(t *testing.T) {
	t.Parallel()
	d := install(t)
	execute(t, d.super, `
		insert into feature_flags (id, flag_key, default_enabled, is_active) values
			('`+id(5, 1)+`', 'by_default', true, true), ('`+id(5, 2)+`', 'overridden', false, true),
			('`+id(5, 3)+`', 'expired', false, true), ('`+id(5, 4)+`', 'settings_only', true, true), ('`+id(5, 5)+`', 'gone', true, false);
		insert into tenant_feature_flags (tenant_id, feature_flag_id, enabled, config, expires_at) values
			('`+health+`', '`+id(5, 2)+`', true, '{"limit": 3}', now() + interval '1 hour'),
			('`+health+`', '`+id(5, 3)+`', true, '{"limit": 4}', now() - interval '1 second'),
			('`+health+`', '`+id(5, 4)+`', null, '{"limit": 5}', null),
			('`+health+`', '`+id(5, 5)+`', true, null, null)`)
	const features = "select features::text from tenant_full_config where tenant_id = $1"
	require.JSONEq(t, `[
		{"flag_key": "by_default", "enabled": true, "config": {}},
		{"flag_key": "expired", "enabled": false, "config": {}},
		{"flag_key": "overridden", "enabled": true, "config": {"limit": 3}},
		{"flag_key": "settings_only", "enabled": true, "config": {"limit": 5}}
	]`, one[string](t, d.super, features, health))
	require.JSONEq(t, `[
		{"flag_key": "by_default", "enabled": true, "config": {}},
		{"flag_key": "expired", "enabled": false, "config": {}},
		{"flag_key": "overridden", "enabled": false, "config": {}},
		{"flag_key": "settings_only", "enabled": true, "config": {}}
	]`, one[string](t, d.super, features, pharma), "another tenant's overrides are not seen")

	// A member sees what the superuser sees of their tenant.
	member, err := as[string](d, ben, "health", "select features::text from public.tenant_full_config")
	require.NoError(t, err)
	require.Len(t, member, 1)
	require.JSONEq(t, one[string](t, d.super, features, health), member[0])
}

func TestTenantFullConfig_WhoSeesWhat(t *testing.T) {
	t.Parallel()
	d := install(t)
	const slugs = "select slug::text from public.tenant_full_config order by slug"
	for _, c := range []struct {
		name, user, tenant string
		want               []string
	}{
		{"Member", ada, "", []string{"health"}},
		{"MemberOfTwoInDefault", ben, "", []string{"health"}},
		{"MemberOfTwoInOther", ben, "pharma", []string{"pharma"}},
		{"Viewer", cyd, pharma, []string{"pharma"}},
		{"OtherTenantInvisible", ada, "pharma", nil},
		{"NoSuchTenant", ada, "nowhere", nil},
		{"SuperAdminInNamed", root, "pharma", []string{"pharma"}},
	} {
		got, err := as[string](d, c.user, c.tenant, slugs)
		require.NoError(t, err, c.name)
		require.Equal(t, len(c.want), len(got), c.name)
		require.ElementsMatch(t, c.want, got, c.name)
	}
	require.Equal(t, []string{"health", "pharma", "platform"},
		mustService[[]string](t, d, "select array_agg(slug::text order by slug) from public.tenant_full_config"))

	// Nothing in the row is another tenant's, whatever is asked for.
	got, err := as[string](d, ben, "health", "select concat(c.*) from public.tenant_full_config c where c.tenant_id = '"+pharma+"' or true")
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.NotContains(t, got[0], pharma)
	require.True(t, json.Valid([]byte(mustService[string](t, d, "select apps::text from public.tenant_full_config limit 1"))))

	execute(t, d.super, "begin; set local role anon")
	_, err = d.super.Exec(t.Context(), "select * from public.tenant_full_config")
	requireState(t, err, "42501")
}
