package isolation_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// many are tenants and users enough that reading all of them is the wrong plan. Triggers and keys are
// off meanwhile: only the rows matter.
const many = `
set session_replication_role = replica;
insert into organizations (id, name, slug, tenant_type, tenant_key)
select ('a0000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, 'T' || n, 't' || n, 'digital_health', 't' || n from generate_series(1, 20000) n;
insert into users (id, organization_id, email)
select ('b0000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, ('a0000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, n || '@y.test'
from generate_series(1, 20000) n;
insert into profiles (id, email) select id, email from users on conflict do nothing;
insert into user_tenants (tenant_id, user_id) select organization_id, id from users where email like '%@y.test';
insert into agents (tenant_id, name, slug) select id, 'N', 'n' from organizations where slug like 't%';
insert into tenant_configurations (tenant_id) select id from organizations where slug like 't%' on conflict do nothing;
insert into tenant_apps (tenant_id, app_key, app_name, app_route) select id, 'n', 'N', '/n' from organizations where slug like 't%';
insert into tenant_feature_flags (tenant_id, feature_flag_id) select id, gen_random_uuid() from organizations where slug like 't%';
insert into organization_audit_log (organization_id, action, seq, commitment, previous_hash, hash) select id, 'created', 1, '', '', '' from organizations where slug like 't%';
insert into query_performance (tenant_id, user_id) select organization_id, id from users where email like '%@y.test';
reset session_replication_role;
vacuum analyze`

// TestPlans_NoSequentialScan: no policy makes a member's query read other tenants' rows to throw them
// away, though several policies decide together on some of these tables.
func TestPlans_NoSequentialScan(t *testing.T) {
	t.Parallel()
	b := setup(t, "")
	for statement := range strings.SplitSeq(many, ";\n") { // VACUUM runs in no transaction
		_, err := b.super.Exec(context.Background(), statement)
		require.NoError(t, err, statement)
	}
	for _, name := range []string{"member", "admin"} {
		for _, relation := range []string{
			"user_tenants", "organizations", "users", "profiles", "agents", "tenant_configurations",
			"organization_audit_log", "query_performance", "tenant_full_config",
		} {
			plan := strings.Join(b.plan(t, actor{name, tenantA}, "select * from public."+relation), "\n")
			require.NotRegexp(t, `Seq Scan on (`+relation+`|organizations|tenant_configurations|tenant_apps|tenant_feature_flags|query_performance_default)\b`, plan, "%s reads %s", name, relation)
			require.Contains(t, plan, "Index", "%s reads %s", name, relation)
		}
	}
	// The same test finds the plan it is there to prevent.
	b.Exec(t, "create policy agents_select_slow on public.agents for select to authenticated using ((select public.is_super_admin()))")
	require.Contains(t, strings.Join(b.plan(t, actor{"member", tenantA}, "select * from public.agents"), "\n"), "Seq Scan on agents")
}

// plan returns the lines of EXPLAIN, in the server's order.
func (b *bundle) plan(t *testing.T, a actor, text string) []string {
	t.Helper()
	got := b.try(a, "explain (costs off) "+text)
	require.NoError(t, got.err, text)
	require.NotEmpty(t, got.keys)
	return got.keys
}
