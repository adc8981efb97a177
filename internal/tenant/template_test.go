package tenant_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/tenant"
)

const clinic = `
name: clinic
description: Clinics
configuration:
  ui_config: {theme: calm}
  enabled_features: [trials]
  enabled_apps: [dashboard, beds]
  enabled_agent_tiers: [1]
  limits: {max_agents: 7, requests_per_second: 50}
  compliance_settings: {hipaa_enabled: true}
apps:
  - {key: dashboard, name: Dashboard, route: /dashboard, order: 1}
  - {key: beds, name: Beds, route: /beds, icon: bed, visible: false, order: 2, config: {floor: 1}}
flags:
  dark: {enabled: true, config: {since: 1}}
`

// setTemplate reads a template and stores it as an operator.
func setTemplate(s stage, text string) (made, changed bool, err error) {
	template, err := tenant.ReadTemplate([]byte(text), tenant.YAML)
	if err != nil {
		return false, false, err
	}
	err = s.db.AsService(context.Background(), "TemplateSet", func(tx pgx.Tx) (err error) {
		made, changed, err = tenant.SetTemplate(context.Background(), tx, template, "clinics")
		return err
	})
	return made, changed, err
}

// setUpOf is how a tenant is set up, by its slug.
func setUpOf(t *testing.T, s stage, slug string) string {
	t.Helper()
	return peek[string](t, s, `select concat_ws(' ', c.ui_config, c.enabled_features, c.enabled_apps, c.enabled_agent_tiers, c.limits, c.compliance_settings,
		(select string_agg(concat_ws('/', a.app_key, a.app_name, a.app_route, coalesce(a.app_icon, '-'), a.is_visible, a.is_enabled, a.display_order, a.config), ' ' order by a.display_order) from tenant_apps a where a.tenant_id = o.id),
		(select string_agg(concat_ws('/', f.flag_key, t.enabled, t.config, t.reason), ' ') from tenant_feature_flags t join feature_flags f on f.id = t.feature_flag_id where t.tenant_id = o.id))
		from organizations o join tenant_configurations c on c.tenant_id = o.id where o.slug = $1`, slug)
}

// TestTemplate: one template for whoever makes a tenant, by its type or by name.
func TestTemplate(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	const asClinic = `{"theme": "calm"} {trials} {dashboard,beds} {1} {"max_agents": 7, "requests_per_second": 50} {"hipaa_enabled": true} ` +
		`dashboard/Dashboard//dashboard/-/t/t/1/{} beds/Beds//beds/bed/f/t/2/{"floor": 1} dark/t/{"since": 1}/template clinic`
	must[string](t, s, root, "", "select (create_tenant('Before', 'before', 'clinic')).id::text")
	rows := audited(t, s, func() {
		made, changed, err := setTemplate(s, clinic)
		require.NoError(t, err)
		require.True(t, made && changed)
		made, changed, err = setTemplate(s, clinic)
		require.NoError(t, err)
		require.False(t, made || changed, "the same again")
	})
	require.Len(t, rows, 1)
	require.Equal(t, []string{platformID, "tenant_templates", "created", "service_role", "clinics"}, []string{rows[0].Tenant, rows[0].Entity, rows[0].Action, rows[0].Role, rows[0].Reason})

	must[string](t, s, root, "", "select (create_tenant('By SQL', 'by-sql', 'clinic')).id::text")
	s.Exec(t, "insert into organizations (name, slug, tenant_type, tenant_key) values ('By hand', 'by-hand', 'clinic', 'by-hand')")
	text := `
tenants:
  - {organization: {tenant_key: by-type, name: By type, tenant_type: clinic}, owner: olga@acme.test}
  - {organization: {tenant_key: by-name, name: By name, tenant_type: trial_site}, template: clinic, owner: olga@acme.test}
  - {organization: {tenant_key: by-default, name: By default, tenant_type: trial_site}, owner: olga@acme.test}
  - {organization: {tenant_key: differs, name: Differs, tenant_type: clinic}, owner: olga@acme.test, configuration: {limits: {max_agents: 8}}, apps: [{key: beds, visible: true}], flags: {dark: {config: {since: 1}}}}
`
	report := onboarded(t, s, text)
	require.Equal(t, []string{
		`by-type + owner olga@acme.test null>"owner"`, `by-name + owner olga@acme.test null>"owner"`, `by-default + owner olga@acme.test null>"owner"`,
		`differs ~ configuration /limits/max_agents 7>8`, `differs ~ app beds visible false>true`, `differs + owner olga@acme.test null>"owner"`,
	}, said(report), "against what the template says")
	for _, slug := range []string{"by-sql", "by-hand", "by-type", "by-name"} {
		require.Equal(t, asClinic, setUpOf(t, s, slug), slug)
	}
	require.Equal(t, setUpOf(t, s, "before"), setUpOf(t, s, "by-default"))
	require.Empty(t, onboarded(t, s, text).Tenants)

	// What is there stays as it is, whatever becomes of the template.
	_, changed, err := setTemplate(s, clinic[:len(clinic)-len("flags:\n  dark: {enabled: true, config: {since: 1}}\n")])
	require.NoError(t, err)
	require.True(t, changed)
	require.Equal(t, asClinic, setUpOf(t, s, "by-type"))
	require.Empty(t, onboarded(t, s, text).Tenants)

	// Repairs use it, too.
	s.Exec(t, "delete from tenant_configurations where tenant_id = (select id from organizations where slug = 'by-hand')")
	require.Equal(t, "calm", peek[string](t, s, "select new -> 'ui_config' ->> 'theme' from vital.plan_repair('orgs_without_config')"))

	// Without any, nobody is made half.
	s.Exec(t, "delete from vital.tenant_templates where name = 'default'")
	_, err = as[string](s, root, "", "select (create_tenant('X', 'x', 'system')).id::text")
	require.Equal(t, fault.NotFound, fault.CodeOf(err))
	require.Equal(t, "There is no template default for tenants.", fault.From(err).Message)
}

// TestTemplate_RoundTrip: what is shown is what is taken.
func TestTemplate_RoundTrip(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	_, _, err := setTemplate(s, clinic)
	require.NoError(t, err)
	require.NoError(t, s.db.AsService(context.Background(), "Test", func(tx pgx.Tx) error {
		templates, err := tenant.ListTemplates(context.Background(), tx)
		require.NoError(t, err)
		require.Len(t, templates, 4)
		for _, template := range templates {
			text, err := json.Marshal(template)
			require.NoError(t, err)
			again, err := tenant.ReadTemplate(text, tenant.JSON)
			require.NoError(t, err, "%s", text)
			_, changed, err := tenant.SetTemplate(context.Background(), tx, again, "")
			require.NoError(t, err)
			require.False(t, changed, template.Name)
		}
		_, err = tenant.ShowTemplate(context.Background(), tx, "nowhere")
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
		return nil
	}))
}

func TestTemplate_Mistakes(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	const head = "name: x\ndescription: X\nconfiguration: {ui_config: {}, enabled_features: [], enabled_agent_tiers: [1], limits: {}, compliance_settings: {}, enabled_apps: "
	const app = "apps: [{key: a, name: A, route: /a"
	for text, want := range map[string]string{
		head + "[]}\napps: []":                                           "line 4: template /apps: must have at least 1 items",
		head + "[b]}\n" + app + "}]":                                     "line 3: template /configuration/enabled_apps/0: there is no app b in apps",
		head + "[]}\n" + app + ", visible: false}]":                      "line 4: template /apps: none is both visible and enabled",
		head + "[]}\n" + app + "}]\nflags: {gone: true, dark: green}":    "/flags/dark: it has no variant green\n/flags/gone: there is no such active flag",
		head + "[]}\n" + app + "}]\nhipaa: true":                         "line 5: template /hipaa: is no field of this object",
		"name: x\ndescription: X\nconfiguration: {}\n" + app + "}]":      "line 3: template /configuration/compliance_settings: is required",
		head + "[]}\n" + app + "}, {key: a, name: A, route: /a}]":        "line 4: template /apps/1/key: a is named twice",
		head + "[]}\n" + app + "}]\n---\n" + head + "[]}\n" + app + "}]": "",
	} {
		_, _, err := setTemplate(s, text)
		require.Equal(t, fault.Invalid, fault.CodeOf(err), text)
		require.Contains(t, fault.From(err).Detail, want)
	}
	require.Equal(t, 3, peek[int](t, s, "select count(*)::int from vital.tenant_templates"))
}

// TestApproval: who approved a tenant and when is kept, and written by nobody else.
func TestApproval(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	const make = "select (create_tenant($1, $1, 'clinic', p_owner_id => '" + nina + "', p_lifecycle_state => $2::text::org_lifecycle_state)).id::text"
	const approvedBy = "select concat_ws(' ', approved_by, approved_at is not null) from organizations where id = $1"
	at, active := must[string](t, s, root, "", make, "awaits", "pending"), must[string](t, s, root, "", make, "serves", "active")
	require.Equal(t, "f", peek[string](t, s, approvedBy, at))
	must[any](t, s, root, "", "update organizations set approved_by = '"+ben+"', approved_at = now() where id = $1", at)
	require.Equal(t, "f", peek[string](t, s, approvedBy, at), "a super admin approves, and does not say who did")
	must[any](t, s, root, "", "select change_tenant_state($1, 'approve', 'paid')", at)
	require.Equal(t, root+" t", peek[string](t, s, approvedBy, at))
	for _, move := range []string{"suspend", "activate"} {
		must[any](t, s, root, "", "select change_tenant_state($1, $2, 'x')", at, move)
		must[any](t, s, root, "", "update organizations set approved_by = null where id = $1", at)
		require.Equal(t, root+" t", peek[string](t, s, approvedBy, at), move)
	}
	require.Equal(t, "f", peek[string](t, s, approvedBy, active))

	// From an operator's session, in somebody's name or in nobody's.
	show := func(id string) (detail tenant.OrganizationDetail) {
		require.NoError(t, s.db.AsService(context.Background(), "Test", func(tx pgx.Tx) (err error) {
			found, err := tenant.FindTenant(context.Background(), tx, id)
			require.NoError(t, err)
			detail, err = tenant.ShowOrganization(context.Background(), tx, found)
			return err
		}))
		return detail
	}
	approve := func(slug, by string) error {
		id := must[string](t, s, root, "", make, slug, "pending")
		return s.db.AsService(context.Background(), "Test", func(tx pgx.Tx) error {
			if by != "" {
				if err := tenant.ActFor(context.Background(), tx, by); err != nil {
					return err
				}
			}
			found, err := tenant.FindTenant(context.Background(), tx, id)
			require.NoError(t, err)
			_, err = tenant.ChangeState(context.Background(), tx, found, "approve", "called")
			return err
		})
	}
	require.NoError(t, approve("for-root", "Root@platform.test"))
	shown := show("for-root").Approval
	require.Equal(t, []string{root, "root@platform.test", "called"}, []string{shown.By.String(), *shown.Email, *shown.Reason})
	require.NoError(t, approve("for-nobody", ""))
	shown = show("for-nobody").Approval
	require.Nil(t, shown.By)
	require.Equal(t, []string{"vital_service", "service_role"}, []string{*shown.Login, *shown.Role})
	require.Equal(t, fault.PermissionDenied, fault.CodeOf(approve("for-olga", olga)))
	require.Nil(t, show("for-olga").Approval)
	require.Nil(t, show("serves").Approval)
	require.Equal(t, "root@platform.test", *show("awaits").Approval.Email)
}
