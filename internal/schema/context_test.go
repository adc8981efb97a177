package schema_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
)

const (
	ownContext   = "select public.get_user_tenant_context()::text"
	contextOf    = "select public.get_user_tenant_context($1)::text"
	optimized    = "select public.get_user_tenant_context_optimized($1)::text"
	nobody       = "99999999-9999-9999-9999-999999999999"
	platformSlug = "platform"
)

// object is a JSON object as read.
type object = map[string]any

func decode(t *testing.T, text string) object {
	t.Helper()
	var o object
	require.NoError(t, json.Unmarshal([]byte(text), &o))
	return o
}

func keys(v any) []string {
	o, _ := v.(object)
	return slices.Sorted(maps.Keys(o))
}

func TestUserContext_Shape(t *testing.T) {
	t.Parallel()
	d := install(t)
	execute(t, d.super, "insert into feature_flags (flag_key, default_enabled) values ('chat_streaming', true)")
	got, err := as[string](d, ben, "pharma", ownContext)
	require.NoError(t, err)
	c := decode(t, got[0])
	require.Equal(t, []string{"config", "membership", "organization", "tenants", "user", "version"}, keys(c))
	require.Equal(t, object{"id": ben, "email": "ben@health.test", "full_name": "ben", "role": "user"}, c["user"])
	require.Equal(t, object{
		"id": pharma, "name": "Pharma", "slug": "pharma", "tenant_type": "pharmaceuticals", "tenant_key": "pharma", "is_active": true,
		"lifecycle_state": "active", "subscription_tier": "standard", "parent_organization_id": nil,
	}, c["organization"])
	require.Equal(t, []string{"joined_at", "role"}, keys(c["membership"]))
	require.Equal(t, []any{
		object{"id": health, "name": "Health", "slug": "health", "tenant_type": "digital_health", "lifecycle_state": "active", "role": "member"},
		object{"id": pharma, "name": "Pharma", "slug": "pharma", "tenant_type": "pharmaceuticals", "lifecycle_state": "active", "role": "member"},
	}, c["tenants"])
	require.Equal(t, []string{
		"apps", "compliance_settings", "enabled_agent_tiers", "enabled_apps", "enabled_features", "features", "limits", "ui_config",
	}, keys(c["config"]))
	config := c["config"].(object)
	require.Equal(t, object{"hipaa_enabled": true, "gdpr_enabled": true}, config["compliance_settings"])
	require.Len(t, config["apps"], 4)
	require.Equal(t, []any{object{"flag_key": "chat_streaming", "enabled": true, "config": object{}}}, config["features"])
	require.Regexp(t, `^\d+\.\d+\.\d+\.\d+$`, c["version"])
	require.NotContains(t, fmt.Sprint(config), health)
}

func TestUserContext_VersionFollowsWhatItShows(t *testing.T) {
	t.Parallel()
	d := install(t)
	version := func() string {
		got, err := as[string](d, ada, "", "select public.get_user_tenant_context() ->> 'version'")
		require.NoError(t, err)
		return got[0]
	}
	last := version()
	for _, change := range []string{
		"update organizations set name = 'H' where id = '" + health + "'",
		"update tenant_configurations set enabled_features = '{x}' where tenant_id = '" + health + "'",
		"update tenant_apps set app_name = 'X' where tenant_id = '" + health + "' and app_key = 'chat'",
		"insert into feature_flags (id, flag_key) values ('" + id(5, 1) + "', 'f')",
		"insert into tenant_feature_flags (tenant_id, feature_flag_id, enabled) values ('" + health + "', '" + id(5, 1) + "', true)",
		"delete from tenant_feature_flags where tenant_id = '" + health + "'",
		"update user_tenants set role = 'owner' where user_id = '" + ada + "'",
		"update profiles set full_name = 'Ada' where id = '" + ada + "'",
		"update users set email = 'a@health.test' where id = '" + ada + "'",
	} {
		execute(t, d.super, change)
		now := version()
		require.NotEqual(t, last, now, change)
		last = now
	}
	for _, change := range []string{
		"update organizations set name = 'P' where id = '" + pharma + "'",
		"update tenant_configurations set enabled_features = '{x}' where tenant_id = '" + pharma + "'",
		"update profiles set full_name = 'Ben' where id = '" + ben + "'",
		"insert into agents (tenant_id, name, slug) values ('" + health + "', 'A', 'a')",
	} {
		execute(t, d.super, change)
		require.Equal(t, last, version(), "nothing of this context: %s", change)
	}
	require.Zero(t, one[int](t, d.super, "select count(*) from vital.pending_versions"))
}

func TestUserContext_WhoMayNameWhom(t *testing.T) {
	t.Parallel()
	d := install(t)
	own, err := as[string](d, ben, "", ownContext)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		caller, of string
		code       fault.Code
	}{
		"Self":              {ben, ben, ""},
		"OtherOfSameTenant": {ada, ben, fault.PermissionDenied},
		"OtherTenant":       {cyd, ben, fault.PermissionDenied},
		"Unknown":           {ada, nobody, fault.PermissionDenied},
		"SuperAdmin":        {root, ben, ""},
		"SuperAdminUnknown": {root, nobody, fault.UserUnknown},
	} {
		for _, query := range []string{contextOf, optimized} {
			got, err := as[string](d, c.caller, "", query, c.of)
			require.Equal(t, c.code, fault.CodeOf(err), name)
			if c.code == "" {
				require.Equal(t, own, got, name)
			}
		}
	}
	// An admin elsewhere, whatever tenant they act in, is no super admin.
	_, err = as[string](d, ada, "pharma", contextOf, ben)
	require.Equal(t, fault.PermissionDenied, fault.CodeOf(err))

	for _, query := range []string{contextOf, optimized} {
		require.JSONEq(t, own[0], mustService[string](t, d, query, ben))
		require.JSONEq(t, own[0], one[string](t, d.super, query, ben), "a superuser's own session may too")
	}
	_, err = asService[string](d, ownContext)
	require.Equal(t, fault.UserRequired, fault.CodeOf(err), "service_role stands for nobody")
}

// contextErrors are all the ways a context can fail, each made by one change.
var contextErrors = map[string]struct {
	change, user, tenant string
	code                 fault.Code
	state                string
}{
	"VT101":                {"delete from profiles where id = '" + ada + "'; delete from user_tenants where user_id = '" + ada + "'; delete from users where id = '" + ada + "'", ada, "", fault.UserUnknown, "VT101"},
	"VT102":                {"delete from profiles where id = '" + ada + "'", ada, "", fault.UserWithoutProfile, "VT102"},
	"VT103":                {"update users set organization_id = null where id = '" + ada + "'", ada, "", fault.UserWithoutOrganization, "VT103"},
	"VT104 not a member":   {"select 1", ada, "pharma", fault.TenantNotFound, ""},
	"VT104 no such slug":   {"select 1", ada, "nowhere", fault.TenantNotFound, ""},
	"VT104 no such id":     {"select 1", ada, nobody, fault.TenantNotFound, ""},
	"VT104 super admin":    {"select 1", root, "nowhere", fault.TenantNotFound, ""},
	"VT104 suspended":      {"update user_tenants set status = 'suspended' where tenant_id = '" + pharma + "'", ben, "pharma", fault.TenantNotFound, ""},
	"VT104 hides state":    {"update organizations set is_active = false where id = '" + pharma + "'", ada, "pharma", fault.TenantNotFound, ""},
	"VT105":                {"delete from user_tenants where user_id = '" + ada + "'", ada, "", fault.MembershipMissing, "VT105"},
	"VT105 suspended":      {"update user_tenants set status = 'suspended' where user_id = '" + ada + "'", ada, "", fault.MembershipMissing, "VT105"},
	"VT106":                {"update organizations set lifecycle_state = 'pending' where id = '" + health + "'", ada, "", fault.TenantPending, "VT106"},
	"VT107":                {"update organizations set is_active = false where id = '" + health + "'", ada, "", fault.TenantSuspended, "VT107"},
	"VT108":                {"update organizations set lifecycle_state = 'archived' where id = '" + health + "'", ada, "", fault.TenantArchived, "VT108"},
	"VT109":                {"delete from tenant_configurations where tenant_id = '" + health + "'", ada, "", fault.TenantUnconfigured, "VT109"},
	"VT109 super admin":    {"delete from tenant_configurations where tenant_id = '" + health + "'", root, "", fault.TenantUnconfigured, "VT109"},
	"VT103 other in place": {"update users set organization_id = null where id = '" + ben + "'", ben, "pharma", "", "VT103"},
	"fine suspended super": {"update organizations set is_active = false where id = '" + health + "'", root, "", "", ""},
	"fine other tenant":    {"update organizations set is_active = false where id = '" + health + "'", ben, "pharma", "", "VT107"},
}

func TestUserContext_Errors(t *testing.T) {
	t.Parallel()
	for name, c := range contextErrors {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := install(t)
			execute(t, d.super, c.change)
			for query, args := range map[string][]any{ownContext: nil, contextOf: {c.user}, optimized: {c.user}} {
				got, err := as[string](d, c.user, c.tenant, query, args...)
				require.Equal(t, c.code, fault.CodeOf(err), query)
				if c.code != "" {
					require.NotEmpty(t, fault.From(err).Hint)
				} else {
					require.Len(t, got, 1)
				}
			}
			// service_role is told the same about the user's default tenant.
			var body []byte
			err := d.super.QueryRow(context.Background(), "select public.get_user_tenant_context($1)", c.user).Scan(&body)
			if c.state == "" {
				require.NoError(t, err)
				return
			}
			requireState(t, err, c.state)
		})
	}
}

func TestUserContext_WithoutIdentity(t *testing.T) {
	t.Parallel()
	d := install(t)
	for _, role := range []string{"anon", "authenticated"} {
		for _, query := range []string{ownContext, "select public.get_user_tenant_context('" + ada + "')"} {
			execute(t, d.super, "begin; set local role "+role)
			_, err := d.super.Exec(context.Background(), query)
			requireState(t, err, "VT100")
			execute(t, d.super, "rollback")
		}
		execute(t, d.super, "begin; set local role "+role+"; set local vital.context = '1.k."+ada+"..authenticated..9999999999.0.00'")
		_, err := d.super.Exec(context.Background(), ownContext)
		requireState(t, err, "VT001")
		execute(t, d.super, "rollback")
	}
	got, err := as[string](d, root, platformSlug, "select public.get_user_tenant_context() -> 'organization' ->> 'slug'")
	require.NoError(t, err)
	require.Equal(t, []string{platformSlug}, got, "a super admin acts in any tenant they name")
}
