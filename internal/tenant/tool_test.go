package tenant_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
)

func TestRegisterTool(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	const register = "select (register_tool($1, $2, p_category => 'math', p_config => '{\"x\": 1}')).slug"
	rows := audited(t, s, func() { require.Equal(t, "adder", must[string](t, s, ben, "", register, " Adder ", "adder")) })
	require.Equal(t, []string{"tools created"}, describe(rows))
	require.Equal(t, []any{"Adder", acme, ben, "function"}, []any{rows[0].New["name"], rows[0].New["tenant_id"], rows[0].New["owner_id"], rows[0].New["tool_type"]})
	for user, code := range map[string]fault.Code{vic: fault.PermissionDenied, nina: fault.TenantNotFound, sue: fault.TenantSuspended} {
		refused(t, s, code, user, register, "X", "x")
	}
	refused(t, s, fault.StateConflict, ada, register, "Other", "adder")
	require.Equal(t, "adder", must[string](t, s, cyd, "", register, "Adder", "adder"), "a slug is its tenant's own")
	refused(t, s, fault.Invalid, ben, register, " ", "x")
	refused(t, s, fault.Invalid, ben, register, "X", "X Y")
	refused(t, s, fault.Invalid, ben, "select (register_tool('X', 'x', p_input_schema => '3')).slug")
	refused(t, s, fault.Invalid, ben, "select (register_tool('X', 'x', p_config => '[]')).slug")
	require.Equal(t, platformID, must[string](t, s, root, "", "select (register_tool('Shared', 'shared')).tenant_id::text"))
	_, err := operate[string](s, register, "X", "x")
	require.Equal(t, fault.UserRequired, fault.CodeOf(err))
}

func TestDeprecateTool(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	const deprecate = "select (deprecate_tool($1, $2, $3)).replacement_tool_tenant_id::text"
	old, next, shared, other := s.tool(t, acme, "old"), s.tool(t, acme, "next"), s.tool(t, platformID, "shared"), s.tool(t, bolt, "other")
	for user, code := range map[string]fault.Code{vic: fault.PermissionDenied, nina: fault.TenantNotFound, sue: fault.TenantSuspended, cyd: fault.NotFound} {
		refused(t, s, code, user, deprecate, old, "x", nil)
	}
	refused(t, s, fault.Invalid, ada, deprecate, old, " ", nil)
	refused(t, s, fault.Invalid, ada, deprecate, old, "x", old)
	refused(t, s, fault.NotFound, ada, deprecate, old, "x", other)
	refused(t, s, fault.NotFound, ada, deprecate, other, "x", nil)
	refused(t, s, fault.NotFound, ada, deprecate, shared, "x", nil) // the platform's own business

	rows := audited(t, s, func() { require.Equal(t, acme, must[string](t, s, ada, "", deprecate, old, "slow", next)) })
	require.Equal(t, []string{"tools updated"}, describe(rows))
	require.Equal(t, []any{ada, "slow", true, next, nil}, []any{rows[0].Actor, rows[0].Reason, rows[0].New["deprecated"], rows[0].New["replacement_tool_id"], rows[0].Old["replacement_tool_id"]})
	refused(t, s, fault.StateConflict, ada, deprecate, old, "again", nil)
	refused(t, s, fault.StateConflict, ada, deprecate, next, "x", old)
	// A pointer left behind on a tool in use again does not close a circle either.
	s.Exec(t, "update tools set deprecated = false, deprecated_at = null where id = $1", old)
	refused(t, s, fault.StateConflict, ada, deprecate, next, "x", old)
	require.Equal(t, platformID, must[string](t, s, ben, "", deprecate, next, "done", shared))
	_, err := operate[*string](s, "select (vital.deprecate_tool($1, $2, 'x')).slug", platformID, shared)
	require.NoError(t, err)

	// Two tools cannot replace each other at once.
	for i := range 10 {
		pair := []string{s.tool(t, acme, fmt.Sprintf("a%d", i)), s.tool(t, acme, fmt.Sprintf("b%d", i))}
		well, codes := atOnce(2, func(k int) error {
			_, err := as[string](s, ada, "", deprecate, pair[k], "x", pair[1-k])
			return err
		})
		require.Equal(t, 1, well, codes)
		require.Equal(t, map[fault.Code]int{fault.StateConflict: 1}, codes)
	}
}

func TestRecordToolUsage(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	const record = "select record_tool_usage($1, $2, $3, $4, $5)::text"
	own, shared, other := s.tool(t, acme, "own"), s.tool(t, platformID, "shared"), s.tool(t, bolt, "other")
	helper := s.agent(t, platformID, 1)
	id := must[string](t, s, ben, "", record, shared, false, 12, "boom", helper)
	require.Equal(t, fmt.Sprintf("%s %s %s %s %s f boom 12", acme, platformID, shared, ben, platformID), peek[string](t, s,
		"select concat_ws(' ', tenant_id, tool_tenant_id, tool_id, user_id, agent_tenant_id, success, error_message, execution_time_ms) from tool_usage_log where id = $1", id))
	must[string](t, s, ben, "", record, own, true, nil, nil, nil)
	refused(t, s, fault.NotFound, ben, record, other, true, nil, nil, nil)
	refused(t, s, fault.NotFound, ben, record, own, true, nil, nil, s.agent(t, bolt, 1))
	refused(t, s, fault.Invalid, ben, record, own, nil, nil, nil, nil)
	refused(t, s, fault.Invalid, ben, record, own, true, -1, nil, nil)
	for user, code := range map[string]fault.Code{vic: fault.PermissionDenied, nina: fault.TenantNotFound, sue: fault.TenantSuspended} {
		refused(t, s, code, user, record, own, true, nil, nil, nil)
	}
}

// health reads the metrics as "name total rate average tenants status" lines, in their order.
const health = `select array_agg(concat_ws(' ', tool_name, total_uses, coalesce(success_rate::text, '-'), coalesce(avg_execution_time_ms::text, '-'),
	unique_tenants, health_status, deprecated) order by n) from get_tool_health_metrics($1) with ordinality as m
	(tool_id, tool_name, total_uses, success_rate, avg_execution_time_ms, unique_tenants, health_status, deprecated, replacement_tool_id, n)`

func TestToolHealth(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	use := func(tenant, owner, tool string, well, badly int, age string) {
		s.Exec(t, `insert into tool_usage_log (tenant_id, tool_tenant_id, tool_id, success, execution_time_ms, created_at)
			select $1, $2, $3, i <= $4, 10 * i, now() - $6::interval from generate_series(1, $4::int + $5::int) i`, tenant, owner, tool, well, badly, age)
	}
	shared := s.tool(t, platformID, "shared")
	use(acme, acme, s.tool(t, acme, "healthy"), 4, 1, "1 day")    // 80 %
	use(acme, acme, s.tool(t, acme, "degraded"), 2, 2, "29 days") // 50 %
	use(acme, acme, s.tool(t, acme, "unhealthy"), 1, 2, "1 day")  // 33 %
	use(acme, acme, s.tool(t, acme, "unused"), 9, 0, "31 days")   // too long ago
	use(acme, acme, s.tool(t, acme, "deprecated"), 1, 1, "1 day")
	use(bolt, platformID, shared, 3, 7, "1 day")
	use(acme, platformID, shared, 1, 0, "1 day")
	use(bolt, bolt, s.tool(t, bolt, "theirs"), 1, 0, "1 day")
	s.Exec(t, "update tools set is_active = false where slug = $1", "hidden")
	s.Exec(t, `update tools set deprecated = true, deprecated_at = now(), deprecated_reason = 'x', replacement_tool_tenant_id = tenant_id,
		replacement_tool_id = (select id from tools where slug = 'healthy') where slug = 'deprecated'`)
	own := []string{
		"healthy 5 80.00 30.00 1 HEALTHY f", "degraded 4 50.00 25.00 1 DEGRADED f", "unhealthy 3 33.33 20.00 1 UNHEALTHY f",
		"deprecated 2 50.00 15.00 1 DEPRECATED t", "shared 1 100.00 10.00 1 HEALTHY f", "unused 0 - - 0 UNUSED f",
	}
	for _, user := range []string{olga, ada, ben, vic} {
		require.Equal(t, own, must[[]string](t, s, user, "", health, 30), "own and platform tools, by the own tenant's uses")
	}
	all := []string{
		"shared 11 36.36 50.91 2 UNHEALTHY f", "healthy 5 80.00 30.00 1 HEALTHY f", "degraded 4 50.00 25.00 1 DEGRADED f",
		"unhealthy 3 33.33 20.00 1 UNHEALTHY f", "deprecated 2 50.00 15.00 1 DEPRECATED t", "theirs 1 100.00 10.00 1 HEALTHY f", "unused 0 - - 0 UNUSED f",
	}
	got, err := operate[[]string](s, health, 30)
	require.NoError(t, err)
	require.Equal(t, all, got)
	require.Equal(t, all, must[[]string](t, s, root, "", health, 30))
	require.Contains(t, must[[]string](t, s, ada, "", health, 60), "unused 9 100.00 50.00 1 HEALTHY f")
	require.Equal(t, peek[string](t, s, "select id::text from tools where slug = 'healthy'"),
		must[string](t, s, ben, "", "select replacement_tool_id::text from get_tool_health_metrics() where deprecated"))
	for user, code := range map[string]fault.Code{nina: fault.TenantNotFound, sue: fault.TenantSuspended} {
		refused(t, s, code, user, health, 30)
	}
	refused(t, s, fault.Invalid, ben, health, 0)
	_, err = as[any](s, ben, "", "select total_uses from vital.tool_health(null, 30)")
	require.Equal(t, fault.PermissionDenied, fault.CodeOf(err), "what sees all tenants is for operators")
}

// TestListTools lists what a tenant has with how it fared there, and nothing of other tenants' uses.
func TestListTools(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	own, shared, off := s.tool(t, acme, "own"), s.tool(t, platformID, "shared"), s.tool(t, acme, "off")
	s.tool(t, bolt, "theirs")
	s.Exec(t, `
		insert into tool_categories (tenant_id, name, slug) values ($1, 'Maths', 'maths')`, acme)
	s.Exec(t, `update tools set category_tenant_id = $1, category_id = (select id from tool_categories where slug = 'maths'), category = 'old name',
		deprecated = true, deprecated_at = now(), deprecated_reason = 'slow', replacement_tool_tenant_id = $3, replacement_tool_id = $4 where tenant_id = $1 and id = $2`, acme, own, platformID, shared)
	s.Exec(t, "update tools set is_active = false, category = 'misc' where id = $1", off)
	s.Exec(t, `insert into tool_usage_log (tenant_id, tool_tenant_id, tool_id, success, execution_time_ms, created_at) values
		($1, $2, $3, true, 10, now() - interval '2 days'), ($1, $2, $3, false, 20, now() - interval '1 day'), ($4, $2, $3, true, 999, now())`, acme, platformID, shared, bolt)
	const list = `select coalesce(array_agg(concat_ws(' ', slug, coalesce(category, '-'), health_status, total_uses, coalesce(success_rate::text, '-'), coalesce(avg_execution_time_ms::text, '-'),
		coalesce(extract(day from now() - last_used_at)::text, '-'), coalesce(deprecated_reason, '-'), coalesce(replacement_name, '-')) order by n), '{}')
		from (select row_number() over () as n, l.* from list_tools($1) l) l`
	expected := []string{"off misc INACTIVE 0 - - - - -", "own Maths DEPRECATED 0 - - - slow shared", "shared - DEGRADED 2 50.00 15.00 1 - -"}
	for _, user := range []string{olga, ada, ben, vic} {
		require.Equal(t, expected, must[[]string](t, s, user, "", list, 30))
	}
	require.Equal(t, expected, must[[]string](t, s, root, "acme", list, 30), "a super admin sees what the tenant sees")
	require.Equal(t, []string{"shared - HEALTHY 1 100.00 999.00 0 - -", "theirs - UNUSED 0 - - - - -"}, must[[]string](t, s, cyd, "", list, 30))
	for user, code := range map[string]fault.Code{nina: fault.TenantNotFound, sue: fault.TenantSuspended} {
		refused(t, s, code, user, list, 30)
	}
	refused(t, s, fault.Invalid, ben, list, 0)

	s.Exec(t, "insert into tools (tenant_id, id, name, slug) values ($1, $2, 'same id', 'same-id')", acme, shared)
	got := must[[]string](t, s, ben, "", list, 30)
	require.Len(t, got, 4, "a tool with the id of the platform's is another, and there once")
	require.Contains(t, got, "same-id - UNUSED 0 - - - - -")
	require.Contains(t, got, expected[2])
}
