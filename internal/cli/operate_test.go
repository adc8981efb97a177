package cli_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/pgtest"
)

// operated is a database with two users, an agent of tier 1, one of tier 9 and a tool, and the program on
// it as an operator runs it.
func operated(t *testing.T) (*pgtest.Database, func(args ...string) result) {
	t.Helper()
	d := pgtest.New(t)
	d.Exec(t, `
		insert into users (id, email) values ('a0000000-0000-4000-8000-000000000001', 'olga@acme.test'), ('a0000000-0000-4000-8000-000000000002', 'ben@acme.test');
		insert into profiles (id, email, full_name) select id, email, 'Name ' || email from users;
		insert into agents (tenant_id, name, slug, tier) values
			('00000000-0000-0000-0000-000000000001', 'Helper', 'helper', 1), ('00000000-0000-0000-0000-000000000001', 'Expert', 'expert', 9);
		insert into tools (tenant_id, name, slug) values ('00000000-0000-0000-0000-000000000001', 'Shared', 'shared')`)
	return d, func(args ...string) result { return vital(t, []string{"VITAL_DATABASE_URL=" + d.APIURL}, args...) }
}

// ok runs a command that must go well and returns what it prints.
func ok(t *testing.T, got result) string {
	t.Helper()
	require.Equal(t, 0, got.code, got.err)
	return got.out
}

// parsed reads what a command prints with --json.
func parsed[T any](t *testing.T, got result) (value T) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(ok(t, got)), &value))
	return value
}

func TestTenant_Life(t *testing.T) {
	t.Parallel()
	_, run := operated(t)
	require.Contains(t, ok(t, run("tenant", "create", "--name", "Acme Health", "--slug", "acme", "--type", "pharmaceuticals", "--owner", "olga@acme.test", "--pending")), "tenant acme made: ")
	require.Contains(t, ok(t, run("tenant", "create", "--name", "Acme Labs", "--slug", "labs", "--type", "system", "--owner", "olga@acme.test", "--parent", "acme")), "labs")

	type page struct {
		Tenants []map[string]any `json:"tenants"`
		Total   int
	}
	list := parsed[page](t, run("tenant", "list", "--json", "--search", "ACME"))
	require.Equal(t, 2, list.Total)
	require.Equal(t, "pending", list.Tenants[0]["lifecycle_state"])
	require.Equal(t, "acme", list.Tenants[1]["parent"])
	require.Len(t, parsed[page](t, run("tenant", "list", "--json", "--state", "pending")).Tenants, 1)
	require.Contains(t, ok(t, run("tenant", "list", "--limit", "2", "--page", "2")), "page 2 of 2, 3 tenants")
	require.Equal(t, 2, run("tenant", "list", "--page", "0").code)

	for _, step := range []struct {
		action, says string
		code         int
	}{
		{"suspend", "This tenant is pending; allowed now: approve. (state_conflict)", 1},
		{"approve", "tenant acme is active", 0},
		{"archive", "Nobody is there to ask.", 2},
		{"suspend", "tenant acme is suspended", 0},
		{"activate", "tenant acme is active", 0},
		{"suspend", "tenant acme is suspended", 0},
	} {
		got := run("tenant", step.action, "acme", "--reason", "test")
		require.Equal(t, step.code, got.code, got.err)
		require.Contains(t, got.out+got.err, step.says)
	}
	require.Contains(t, ok(t, run("tenant", "archive", "acme", "--reason", "gone", "--yes")), "is archived")
	for _, args := range [][]string{{"tenant", "approve", "acme"}, {"tenant", "approve", "--reason", "x"}, {"tenant", "create", "--name", "X"}, {"tenant", "show"}} {
		got := run(args...)
		require.Equal(t, 2, got.code, args)
		require.Contains(t, got.err, "hint:")
	}
	got := run("tenant", "show", "nowhere")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "tenant_not_found")
}

func TestTenant_Show(t *testing.T) {
	t.Parallel()
	d, run := operated(t)
	ok(t, run("tenant", "create", "--name", "Acme", "--slug", "acme", "--type", "pharmaceuticals", "--owner", "olga@acme.test"))
	ok(t, run("agent", "assign", "helper", "--tenant", "acme"))
	text := ok(t, run("tenant", "show", "acme"))
	for _, want := range []string{"Acme  active", "hipaa_enabled", "max_agents         1     100", "/knowledge", "agent tiers"} {
		require.Contains(t, text, want)
	}
	detail := parsed[map[string]any](t, run("tenant", "show", "acme", "--json"))
	require.EqualValues(t, 1, detail["members"])
	require.Equal(t, true, detail["configuration"].(map[string]any)["compliance_settings"].(map[string]any)["hipaa_enabled"])
	require.Len(t, detail["apps"], 4)
	d.Exec(t, "delete from tenant_configurations")
	require.Contains(t, ok(t, run("tenant", "show", "acme")), "missing")
}

func TestMember(t *testing.T) {
	t.Parallel()
	d, run := operated(t)
	ok(t, run("tenant", "create", "--name", "Acme", "--slug", "acme", "--type", "system", "--owner", "olga@acme.test"))
	require.Regexp(t, `(?m)^token [\w-]{43}$`, ok(t, run("member", "invite", "new@acme.test", "--tenant", "acme", "--role", "admin")))
	require.NotEmpty(t, parsed[map[string]any](t, run("member", "invite", "other@acme.test", "--tenant", "acme", "--json"))["token"])
	d.Exec(t, "insert into user_tenants (tenant_id, user_id, role) select id, 'a0000000-0000-4000-8000-000000000002', 'member' from organizations where slug = 'acme'")

	members := parsed[[]map[string]any](t, run("member", "list", "--tenant", "acme", "--json"))
	require.Len(t, members, 4)
	require.Equal(t, "invited", members[3]["status"])
	require.Contains(t, ok(t, run("member", "list", "--tenant", "acme")), "olga@acme.test")

	require.Contains(t, ok(t, run("member", "role", "BEN@acme.test", "owner", "--tenant", "acme", "--reason", "promoted")), "is owner of acme")
	require.Contains(t, ok(t, run("member", "remove", "olga@acme.test", "--tenant", "acme")), "no member of acme any more")
	for _, c := range []struct {
		code string
		args []string
	}{
		{"last_owner", []string{"member", "remove", "ben@acme.test", "--tenant", "acme"}},
		{"last_owner", []string{"member", "role", "ben@acme.test", "viewer", "--tenant", "acme"}},
		{"not_found", []string{"member", "role", "olga@acme.test", "viewer", "--tenant", "acme"}},
		{"invalid", []string{"member", "role", "ben@acme.test", "king", "--tenant", "acme"}},
		{"state_conflict", []string{"member", "invite", "ben@acme.test", "--tenant", "acme"}},
		{"invalid", []string{"member", "invite", "nobody", "--tenant", "acme"}},
		{"tenant_not_found", []string{"member", "list", "--tenant", "nowhere"}},
		{"usage", []string{"member", "list"}},
		{"usage", []string{"member", "role", "ben@acme.test", "--tenant", "acme"}},
	} {
		got := run(c.args...)
		require.NotZero(t, got.code, c.args)
		require.Contains(t, got.err, "("+c.code+")", c.args)
		require.Contains(t, got.err, "hint:", c.args)
	}
}

func TestAgentAndTool(t *testing.T) {
	t.Parallel()
	d, run := operated(t)
	ok(t, run("tenant", "create", "--name", "Acme", "--slug", "acme", "--type", "system", "--owner", "olga@acme.test"))
	require.Contains(t, ok(t, run("agent", "assign", "helper", "--tenant", "acme")), "helper is assigned to acme")
	require.Contains(t, run("agent", "assign", "expert", "--tenant", "acme").err, "Agents of tier 9 are not enabled for this tenant. (limit_exceeded)")
	require.Contains(t, run("agent", "assign", "nobody", "--tenant", "acme").err, "(not_found)")
	agents := parsed[[]map[string]any](t, run("agent", "list", "--tenant", "acme", "--json"))
	require.Equal(t, []any{"helper", true, true}, []any{agents[0]["slug"], agents[0]["platform"], agents[0]["is_enabled"]})
	require.Contains(t, ok(t, run("agent", "list", "--tenant", "acme")), "tier not enabled")
	ok(t, run("agent", "unassign", "helper", "--tenant", "acme"))
	require.Contains(t, run("agent", "unassign", "helper", "--tenant", "acme").err, "(not_found)")

	d.Exec(t, "insert into tools (tenant_id, name, slug) select id, 'Old', 'old' from organizations where slug = 'acme'")
	d.Exec(t, `insert into tool_usage_log (tenant_id, tool_tenant_id, tool_id, success, execution_time_ms)
		select tenant_id, tenant_id, id, true, 5 from tools where slug = 'old'`)
	require.Contains(t, ok(t, run("tool", "health", "--tenant", "acme")), "HEALTHY")
	require.Contains(t, run("tool", "deprecate", "old", "--tenant", "acme").err, "(usage)")
	require.Contains(t, ok(t, run("tool", "deprecate", "old", "--tenant", "acme", "--reason", "slow", "--replacement", "shared")), "tool old of acme is deprecated")
	require.Contains(t, run("tool", "deprecate", "old", "--tenant", "acme", "--reason", "slow").err, "(state_conflict)")
	require.Contains(t, run("tool", "deprecate", "shared", "--tenant", "acme", "--reason", "slow").err, "(not_found)")
	tools := parsed[[]map[string]any](t, run("tool", "list", "--json"))
	require.Equal(t, []any{"old", true, "slow", "shared"}, []any{tools[0]["slug"], tools[0]["deprecated"], tools[0]["deprecated_reason"], tools[0]["replacement"]})
	require.Contains(t, ok(t, run("tool", "list", "--tenant", "acme")), "deprecated")
	health := parsed[[]map[string]any](t, run("tool", "health", "--json"))
	require.Equal(t, []any{"DEPRECATED", 100.0, "shared"}, []any{health[0]["health_status"], health[0]["success_rate"], health[0]["replacement"]})
	require.Equal(t, []any{"UNUSED", nil}, []any{health[1]["health_status"], health[1]["success_rate"]})
	require.Equal(t, 2, run("tool", "health", "--days", "0").code)
}
