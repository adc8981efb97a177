package httpapi_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// entryRequired serves two tenants into which super admins need an entry.
func entryRequired(t *testing.T) *bundle {
	t.Helper()
	b := setupRest(t)
	b.db.Exec(t, "update vital.settings set break_glass_required = true, break_glass_longest = '2 hours'")
	return b
}

// enter asks for an entry of root into tenant A.
func (b *bundle) enter(body string) answer {
	b.t.Helper()
	return b.send("POST", "/rest/v1/rpc/enter_tenant", root, body)
}

// agentsSeen is how many agents of A root sees there, and what root is told.
func (b *bundle) agentsSeen() (int, answer) {
	b.t.Helper()
	got := b.get("/rest/v1/agents?tenant_id=eq."+tenantA, bearer(b.token(root, tenantA))...)
	if got.status != 200 {
		return 0, got
	}
	return len(rowsOf(b.t, got)), got
}

// TestBreakGlass_Enter: without an entry a super admin sees no data of a tenant; an entry takes a reason and an end, and lets into one tenant.
func TestBreakGlass_Enter(t *testing.T) {
	t.Parallel()
	b := entryRequired(t)
	asRoot := bearer(b.token(root, ""))
	refused := func() {
		t.Helper()
		n, _ := b.agentsSeen()
		require.Zero(t, n)
		requireProblem(t, b.get("/v1/context", with(asRoot, "Vital-Tenant", "acme")...), 403, "entry_required")
		requireRestError(t, b.get("/rest/v1/agents", with(asRoot, "Vital-Tenant", "acme")...), 403, "entry_required")
	}
	refused()
	require.Len(t, rowsOf(t, b.get("/rest/v1/organizations?slug=in.(acme,bolt)", asRoot...)), 2, "which tenants there are is for operation")
	for body, code := range map[string]string{
		`{"p_tenant_id": "` + tenantA + `", "p_reason": " "}`:                            "invalid",
		`{"p_tenant_id": "` + tenantA + `", "p_reason": "x", "p_duration": "3 hours"}`:   "invalid",
		`{"p_tenant_id": "` + tenantA + `", "p_reason": "x", "p_duration": "-1 minute"}`: "invalid",
		`{"p_tenant_id": "` + stranger + `", "p_reason": "x"}`:                           "tenant_not_found",
	} {
		got := b.enter(body)
		require.Equal(t, code, got.decode(t)["code"], got.body)
	}
	for _, user := range []string{ada, bob, dana} {
		requireRestError(t, b.send("POST", "/rest/v1/rpc/enter_tenant", user, `{"p_tenant_id": "`+tenantA+`", "p_reason": "x"}`), 403, "permission_denied")
	}
	refused()

	require.Equal(t, 200, b.enter(`{"p_tenant_id": "`+tenantA+`", "p_reason": "ticket 7"}`).status)
	n, got := b.agentsSeen()
	require.Equal(t, 1, n, got.body)
	require.Equal(t, 200, b.get("/v1/context", with(asRoot, "Vital-Tenant", "acme")...).status)
	requireProblem(t, b.get("/v1/context", with(asRoot, "Vital-Tenant", "bolt")...), 403, "entry_required")
	require.JSONEq(t, `[{"action": "entered", "reason": "ticket 7", "actor_id": "`+root+`"}]`,
		b.get("/rest/v1/organization_audit_log?select=action,reason,actor_id&entity=eq.break_glass", bearer(b.token(ada, ""))...).body)
	require.JSONEq(t, `[{"user_id": "`+root+`", "reason": "ticket 7"}]`, b.get("/rest/v1/break_glass?select=user_id,reason", bearer(b.token(ada, ""))...).body)
	require.JSONEq(t, `[]`, b.get("/rest/v1/break_glass", bearer(b.token(bob, ""))...).body)
	require.JSONEq(t, `[]`, b.get("/rest/v1/break_glass", bearer(b.token(vic, ""))...).body)

	b.hipaa(tenantA, true)
	b.agentsSeen()
	require.Equal(t, 1, b.number("select count(*)::int from access_records r join break_glass e on e.id = r.break_glass_id where r.tenant_id = $1", tenantA))
}

// TestBreakGlass_Ends: at its time, or when an admin of the tenant ends it, with the reads, contexts and streams that were warm.
func TestBreakGlass_Ends(t *testing.T) {
	t.Parallel()
	b := entryRequired(t)
	asRoot := with(bearer(b.token(root, "")), "Vital-Tenant", "acme")
	in := func() (stream <-chan string) {
		t.Helper()
		got := b.enter(`{"p_tenant_id": "` + tenantA + `", "p_reason": "ticket 8"}`)
		require.Equal(t, 200, got.status, got.body)
		require.Equal(t, 200, b.warm(asRoot).status)
		stream = b.listen("/v1/context/events", asRoot...)
		waitFor(t, stream, "retry:")
		return stream
	}
	out := func(stream <-chan string) {
		t.Helper()
		require.Eventually(t, func() bool { return b.get("/v1/context", asRoot...).status == 403 }, 30*time.Second, 20*time.Millisecond)
		requireRestError(t, b.get("/rest/v1/agents", asRoot...), 403, "entry_required")
		waitFor(t, stream, "")
	}
	stream := in()
	requireRestError(t, b.send("POST", "/rest/v1/rpc/leave_tenant", bob, `{"p_tenant_id": "`+tenantA+`", "p_user_id": "`+root+`"}`), 404, "tenant_not_found")
	requireRestError(t, b.send("POST", "/rest/v1/rpc/leave_tenant", vic, `{"p_tenant_id": "`+tenantA+`", "p_user_id": "`+root+`"}`), 403, "permission_denied")
	got := b.send("POST", "/rest/v1/rpc/leave_tenant?select=ended_by", ada, `{"p_tenant_id": "`+tenantA+`", "p_user_id": "`+root+`", "p_reason": "enough"}`)
	require.JSONEq(t, `{"ended_by": "`+ada+`"}`, got.body)
	out(stream)
	require.JSONEq(t, `[{"action": "left", "reason": "enough", "actor_id": "`+ada+`"}, {"action": "entered", "reason": "ticket 8", "actor_id": "`+root+`"}]`,
		b.get("/rest/v1/organization_audit_log?select=action,reason,actor_id&entity=eq.break_glass&order=seq.desc", bearer(b.token(ada, ""))...).body)

	b.db.Exec(t, "create function public.shorten() returns trigger language plpgsql as $$ begin new.until := clock_timestamp() + interval '1.5 seconds'; return new; end $$")
	b.db.Exec(t, "create trigger shorten before insert on break_glass for each row execute function public.shorten()")
	started := time.Now()
	stream = in()
	if time.Since(started) < time.Second { // else the machine was too slow to see it
		n, _ := b.agentsSeen()
		require.Equal(t, 1, n)
	}
	out(stream)
	require.JSONEq(t, `[]`, b.get("/rest/v1/break_glass?ended_at=is.null&until=gt.now", bearer(b.token(ada, ""))...).body)
}

// TestBreakGlass_NotRequired: as it is unless somebody turns it on, super admins act in every tenant, and members never need an entry.
func TestBreakGlass_NotRequired(t *testing.T) {
	t.Parallel()
	b := setupRest(t)
	n, _ := b.agentsSeen()
	require.Equal(t, 1, n)
	asRoot := with(bearer(b.token(root, "")), "Vital-Tenant", "acme")
	require.Equal(t, 200, b.warm(asRoot).status)
	b.db.Exec(t, "update vital.settings set break_glass_required = true")
	require.Eventually(t, func() bool { return b.get("/v1/context", asRoot...).status == 403 }, 30*time.Second, 20*time.Millisecond, "a warm context outlives the decision")
	b.db.Exec(t, "insert into user_tenants (tenant_id, user_id, role) values ('"+tenantA+"', '"+root+"', 'viewer')")
	n, _ = b.agentsSeen()
	require.Equal(t, 1, n, "a member needs no entry")
	got := b.send("PATCH", "/rest/v1/agents?id=eq."+agentA, root, `{"name": "x"}`, "Vital-Tenant", "acme", "Prefer", "return=representation")
	require.Equal(t, 200, got.status, got.body)
	require.JSONEq(t, `[]`, got.body, "a viewer writes nothing, super admin or not")
}
