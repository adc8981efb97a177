package schema_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

const configurationOf = `
	select jsonb_build_array(ui_config, enabled_features, enabled_apps, enabled_agent_tiers, limits, compliance_settings)::text
	from tenant_configurations where tenant_id = $1`

func wantConfiguration(hipaa string) string {
	return `[{"theme": "default", "logo_url": null, "primary_color": "#4F46E5"}, [], ["dashboard", "chat", "agents"], [1, 2, 3], ` +
		`{"max_agents": 100, "max_conversations": 1000}, {"gdpr_enabled": true, "hipaa_enabled": ` + hipaa + `}]`
}

const appsOf = `
	select concat_ws(' ', app_key, app_name, app_route, app_icon, is_visible, is_enabled, display_order)
	from tenant_apps where tenant_id = $1 order by display_order`

var coreApps = []string{
	"dashboard Dashboard /dashboard home t t 1",
	"chat Chat /chat message-circle t t 2",
	"agents Agents /agents users t t 3",
	"knowledge Knowledge /knowledge book t t 4",
}

func TestOrganization_ComesWithConfigurationAndApps(t *testing.T) {
	t.Parallel()
	d := install(t) // makes its organizations as service_role
	for tenant, hipaa := range map[string]string{
		health: "false", pharma: "true", pending: "false", "00000000-0000-0000-0000-000000000001": "false",
	} {
		require.JSONEq(t, wantConfiguration(hipaa), one[string](t, d.super, configurationOf, tenant))
		require.Equal(t, coreApps, column[string](t, d.super, appsOf, tenant))
	}
}

func TestOrganization_StateAndActiveInStep(t *testing.T) {
	t.Parallel()
	d := install(t)
	const read = " returning lifecycle_state || ' ' || is_active"
	for _, c := range []struct{ set, want string }{
		{"is_active = false", "suspended false"},
		{"is_active = true", "active true"},
		{"lifecycle_state = 'suspended'", "suspended false"},
		{"lifecycle_state = 'active'", "active true"},
		{"is_active = true, lifecycle_state = 'suspended'", "suspended false"},
		{"lifecycle_state = 'archived'", "archived false"},
		{"name = 'Other'", "archived false"},
		{"is_active = false", "archived false"},
	} {
		require.Equal(t, c.want, mustService[string](t, d, "update organizations set "+c.set+" where id = $1"+read, health), c.set)
	}
	// What is no move is refused, however it is written; a superuser alone may mend a state.
	for _, c := range []struct{ tenant, set, says string }{
		{health, "is_active = true", "archived; allowed now: nothing"},
		{health, "lifecycle_state = 'active'", "archived; allowed now: nothing"},
		{pending, "is_active = true", "pending; allowed now: approve"},
		{pending, "lifecycle_state = 'suspended'", "pending; allowed now: approve"},
		{pharma, "lifecycle_state = 'archived'", "active; allowed now: suspend"},
		{"00000000-0000-0000-0000-000000000001", "is_active = false", "The platform tenant stays active"},
	} {
		_, err := asService[string](d, "update organizations set "+c.set+" where id = $1"+read, c.tenant)
		requireState(t, err, "VT203")
		require.ErrorContains(t, err, c.says)
	}
	require.Equal(t, "active true", one[string](t, d.super, "update organizations set lifecycle_state = 'active' where id = $1"+read, health))
	insert := "insert into organizations (name, slug, tenant_type, tenant_key, is_active, lifecycle_state) values ('N', $1, 'system', $1, "
	require.Equal(t, "suspended false", mustService[string](t, d, insert+"false, default)"+read, "n1"))
	require.Equal(t, "pending false", mustService[string](t, d, insert+"true, 'pending')"+read, "n2"))
	require.Equal(t, "active true", mustService[string](t, d, insert+"default, default)"+read, "n3"))
}

// runAssessment runs SQL of the assessment's section 7.1 as it stands there, by a superuser.
func runAssessment(t *testing.T, conn *pgx.Conn, name string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "assessment", name))
	require.NoError(t, err)
	_, err = conn.Exec(context.Background(), string(text))
	require.NoError(t, err, name)
}

func TestAssessment_M7_1_Configuration(t *testing.T) {
	t.Parallel()
	d := install(t)
	execute(t, d.super, "delete from tenant_configurations where tenant_id in ($1, $2, $3)", health, pharma, pending)
	execute(t, d.super, "update tenant_configurations set ui_config = '{\"theme\": \"kept\"}'")
	runAssessment(t, d.super, "m7-1.sql")
	require.JSONEq(t, wantConfiguration("false"), one[string](t, d.super, configurationOf, health))
	require.JSONEq(t, wantConfiguration("true"), one[string](t, d.super, configurationOf, pharma))
	require.Empty(t, column[string](t, d.super, configurationOf, pending), "only active tenants are mended")
	require.Equal(t, "kept", one[string](t, d.super, "select ui_config ->> 'theme' from tenant_configurations where tenant_id = '00000000-0000-0000-0000-000000000001'"))
}

func TestAssessment_M7_2_And_3_Accounts(t *testing.T) {
	t.Parallel()
	d := install(t)
	execute(t, d.super, `
		insert into auth.users (id, email, raw_user_meta_data, created_at) values
			('`+id(1, 20)+`', 'new@x.test', '{"full_name": "Newton"}', '2025-01-01'),
			('`+id(1, 21)+`', 'plain@x.test', '{}', '2025-01-02'),
			('`+ada+`', 'ada@elsewhere.test', '{}', '2025-01-03')`)
	runAssessment(t, d.super, "m7-2.sql")
	require.Equal(t, []string{"new@x.test 2025-01-01", "plain@x.test 2025-01-02"}, column[string](t, d.super, `
		select email || ' ' || created_at::date from users where organization_id = '00000000-0000-0000-0000-000000000001' order by 1`))
	require.Equal(t, "ada@health.test", one[string](t, d.super, "select email from users where id = $1", ada))
	runAssessment(t, d.super, "m7-3.sql")
	require.Equal(t, []string{"Newton user new@x.test", "plain user plain@x.test"}, column[string](t, d.super, `
		select concat_ws(' ', full_name, role, email) from profiles
		where tenant_id = '00000000-0000-0000-0000-000000000001' order by 1`))
	require.Equal(t, "ada", one[string](t, d.super, "select full_name from profiles where id = $1", ada))
}

func TestAssessment_M7_4_Apps(t *testing.T) {
	t.Parallel()
	d := install(t)
	execute(t, d.super, "delete from tenant_apps where tenant_id = $1 and app_key in ('chat', 'knowledge')", health)
	execute(t, d.super, "delete from tenant_apps where tenant_id = $1", pending)
	execute(t, d.super, "update tenant_apps set is_visible = false where tenant_id = $1 and app_key = 'agents'", health)
	runAssessment(t, d.super, "m7-4.sql")
	want := append([]string{}, coreApps...)
	want[2] = "agents Agents /agents users f t 3"
	require.Equal(t, want, column[string](t, d.super, appsOf, health))
	require.Empty(t, column[string](t, d.super, appsOf, pending))
}
