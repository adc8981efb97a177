package tenant_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
)

// writers is one call of every function of schema public that writes in the caller's tenant.
var writers = map[string]string{
	"cancel_tenant_feature_change": "select cancel_tenant_feature_change(gen_random_uuid())",
	"rollback_tenant_feature":      "select rollback_tenant_feature('dark', 1)",
	"schedule_tenant_feature":      "select schedule_tenant_feature('dark', '{\"enabled\": true}', now() + interval '1 h')",
	"set_tenant_feature":           "select set_tenant_feature('dark', '{\"enabled\": true}')",
	"assign_agent":                 "select assign_agent(gen_random_uuid())",
	"change_member_role":           "select change_member_role(gen_random_uuid(), 'viewer')",
	"deprecate_tool":               "select deprecate_tool(gen_random_uuid(), 'x')",
	"invite_member":                "select invite_member('x@y.test')",
	"record_tool_usage":            "select record_tool_usage(gen_random_uuid(), true)",
	"register_tool":                "select register_tool('X', 'x')",
	"remove_member":                "select remove_member(gen_random_uuid())",
	"revoke_invitation":            "select revoke_invitation(gen_random_uuid())",
	"toggle_tenant_feature":        "select toggle_tenant_feature('dark', true)",
	"unassign_agent":               "select unassign_agent(gen_random_uuid())",
}

// apart are the writing functions whose caller is judged otherwise; each has its own test.
var apart = []string{
	"accept_invitation", "cancel_feature_flag_change", "change_tenant_state", "cleanup_query_logs", "clone_tenant_settings", "create_tenant", "enter_tenant", "invalidate_cache", "leave_tenant",
	"log_query_performance", "make_weekly_report", "run_check", "request_erasure", "approve_erasure", "cancel_erasure", "set_legal_hold",
	"rollback_feature_flag", "schedule_feature_flag", "set_default_tenant", "set_feature_flag", "set_parent_organization",
}

// TestWriters_Callers calls every writing function as everybody who may not.
func TestWriters_Callers(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	rows, err := s.super.Query(context.Background(), `
		select proname::text from pg_proc
		where pronamespace = 'public'::regnamespace and provolatile = 'v' and prorettype <> 'trigger'::regtype`)
	require.NoError(t, err)
	known, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	listed := append([]string{}, apart...)
	for name := range writers {
		listed = append(listed, name)
	}
	require.ElementsMatch(t, known, listed, "a function that writes has its callers tested")

	for name, text := range writers {
		expect := func(want fault.Code, err error, who string) {
			require.Equal(t, want, fault.CodeOf(err), "%s as %s: %v", name, who, err)
		}
		for _, c := range []struct {
			state string
			code  fault.Code
		}{{"pending", fault.TenantPending}, {"suspended", fault.TenantSuspended}, {"archived", fault.TenantArchived}} {
			s.Exec(t, "update organizations set lifecycle_state = $2::org_lifecycle_state where id = $1", idle, c.state)
			_, err := as[any](s, sue, "", text)
			expect(c.code, err, "owner of a tenant that is "+c.state)
		}
		_, err := as[any](s, root, idle, text)
		expect(fault.TenantArchived, err, "super admin in an archived tenant")
		_, err = as[any](s, nina, acme, text)
		expect(fault.TenantNotFound, err, "a user of no tenant")
		_, err = as[any](s, nina, "", text)
		expect(fault.TenantNotFound, err, "a user without a default tenant")
		_, err = as[any](s, cyd, acme, text)
		expect(fault.TenantNotFound, err, "owner of another tenant")
		_, err = as[any](s, vic, "", text)
		expect(fault.PermissionDenied, err, "a viewer")
		_, err = operate[any](s, text)
		expect(fault.UserRequired, err, "service_role")

		work := &postgres.Work{Name: "Test", Writes: true}
		work.Query(text, nil)
		expect(fault.PermissionDenied, s.db.InTenant(context.Background(), identity.Caller{Role: identity.Anon}, "", work), "anon")
	}
	require.Equal(t, 0, peek[int](t, s, "select count(*)::int from tools"))
}
