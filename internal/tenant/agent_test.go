package tenant_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
)

const (
	assign   = "select (assign_agent($1)).agent_tenant_id::text"
	unassign = "select unassign_agent($1)::text"
)

func TestAssignAgent(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	own, shared, other := s.agent(t, acme, 1), s.agent(t, platformID, 2), s.agent(t, bolt, 1)
	for user, code := range notAdmins {
		refused(t, s, code, user, assign, own)
	}
	var rows []auditRow
	rows = audited(t, s, func() { require.Equal(t, acme, must[string](t, s, ada, "", assign, own)) })
	require.Equal(t, []string{"tenant_agents created"}, describe(rows))
	require.Equal(t, []string{acme, ada, own, ada}, []string{rows[0].Tenant, rows[0].Actor, rows[0].New["agent_id"].(string), rows[0].New["assigned_by"].(string)})
	require.Equal(t, platformID, must[string](t, s, ada, "", assign, shared))
	require.Empty(t, audited(t, s, func() { must[string](t, s, ada, "", assign, shared) }), "assigned already")
	require.Equal(t, `{"a": 1}`, must[string](t, s, ada, "", `select (assign_agent($1, $2, '{"a": 1}')).config::text`, shared, platformID))
	require.Equal(t, `{"a": 1}`, must[string](t, s, ada, "", `select (assign_agent($1)).config::text`, shared))

	missing := "99999999-0000-0000-0000-000000000000"
	var texts []string
	for _, text := range []string{
		"select (assign_agent('" + other + "')).id::text", "select (assign_agent('" + missing + "')).id::text",
		"select (assign_agent('" + other + "', '" + bolt + "')).id::text", "select (assign_agent('" + own + "', '" + platformID + "')).id::text",
	} {
		_, err := as[string](s, ada, "", text)
		require.Equal(t, fault.NotFound, fault.CodeOf(err), text)
		texts = append(texts, fault.From(err).Message)
	}
	require.Subset(t, texts[:1], texts, "another tenant's answers like a missing one")
	refused(t, s, fault.Invalid, ada, "select (assign_agent($1, null, '[]')).id::text", own)
	refused(t, s, fault.Invalid, ada, "select (assign_agent(null::uuid, null, '3')).id::text")
	s.Exec(t, "update agents set status = 'retired' where id = $1", other)
	refused(t, s, fault.StateConflict, cyd, assign, other)

	refused(t, s, fault.PermissionDenied, ben, unassign, own)
	rows = audited(t, s, func() { must[any](t, s, ada, "", unassign, own) })
	require.Equal(t, []string{"tenant_agents deleted"}, describe(rows))
	refused(t, s, fault.NotFound, ada, unassign, own)
	refused(t, s, fault.NotFound, cyd, unassign, shared)
	must[any](t, s, root, acme, unassign, shared)

	// Operators name the tenant; tenants have no use of that.
	_, err := operate[string](s, "select (vital.assign_agent($1, $2)).id::text", acme, shared)
	require.NoError(t, err)
	_, err = as[string](s, both, acme, "select (vital.assign_agent($1, $2)).id::text", bolt, shared)
	require.Equal(t, fault.PermissionDenied, fault.CodeOf(err))
	_, err = as[string](s, ada, "", "select (vital.assign_agent($1, $2)).id::text", bolt, shared)
	require.Equal(t, fault.TenantNotFound, fault.CodeOf(err))
	s.Exec(t, "update organizations set lifecycle_state = 'archived' where id = $1", idle)
	_, err = operate[string](s, "select (vital.assign_agent($1, $2)).id::text", idle, shared)
	require.Equal(t, fault.TenantArchived, fault.CodeOf(err))
	_, err = as[string](s, root, idle, assign, shared)
	require.Equal(t, fault.TenantArchived, fault.CodeOf(err), "an archived tenant is read-only, for super admins too")
}

func TestAssignAgent_TiersAndLimits(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	high := s.agent(t, platformID, 4)
	_, err := as[string](s, ada, "", assign, high)
	require.Equal(t, fault.LimitExceeded, fault.CodeOf(err))
	require.Contains(t, fault.From(err).Message, "tier 4")
	require.Contains(t, fault.From(err).Hint, "1, 2, 3")
	for _, text := range []string{
		"insert into public.tenant_agents (tenant_id, agent_tenant_id, agent_id) values ('" + acme + "', '" + platformID + "', '" + high + "')",
		"update public.tenant_agents set agent_id = '" + high + "'",
	} {
		low := s.agent(t, platformID, 1)
		must[string](t, s, ada, "", assign, low)
		refused(t, s, fault.LimitExceeded, ada, text)
		must[any](t, s, ada, "", unassign, low)
	}

	s.Exec(t, `update tenant_configurations set limits = '{"max_agents": 2, "max_conversations": 1}' where tenant_id = $1`, acme)
	a, b, c := s.agent(t, acme, 1), s.agent(t, acme, 1), s.agent(t, acme, 1)
	must[string](t, s, ada, "", assign, a)
	must[string](t, s, ada, "", assign, b)
	must[string](t, s, ada, "", assign, b)
	_, err = as[string](s, ada, "", assign, c)
	require.Equal(t, fault.LimitExceeded, fault.CodeOf(err))
	require.Equal(t, "The limit max_agents of this tenant is 2, and it has 2.", fault.From(err).Message)
	refused(t, s, fault.LimitExceeded, ada, "insert into public.tenant_agents (tenant_id, agent_tenant_id, agent_id) values ($1, $1, $2)", acme, c)
	_, err = operate[string](s, "select (vital.assign_agent($1, $2)).id::text", acme, c)
	require.Equal(t, fault.LimitExceeded, fault.CodeOf(err), "operators too")
	for limits, code := range map[string]fault.Code{`{"max_agents": "many"}`: fault.Invalid, `{"max_agents": null}`: "", `{}`: ""} {
		s.Exec(t, "update tenant_configurations set limits = $2 where tenant_id = $1", acme, limits)
		_, err = as[string](s, ada, "", assign, c)
		require.Equal(t, code, fault.CodeOf(err), limits)
		s.Exec(t, "delete from tenant_agents where agent_id = $1", c)
	}

	s.Exec(t, `update tenant_configurations set limits = '{"max_conversations": 2}' where tenant_id = $1`, acme)
	const talk = "insert into public.chat_sessions (tenant_id, user_id) values ($1, $2)"
	must[any](t, s, ben, "", talk, acme, ben)
	_, err = as[any](s, ben, "", "insert into public.chat_sessions (tenant_id, user_id) values ($1, $2), ($1, $2)", acme, ben)
	require.Equal(t, "The limit max_conversations of this tenant is 2, and it has 1.", fault.From(err).Message)
	must[any](t, s, ada, "", talk, acme, ada)
	refused(t, s, fault.LimitExceeded, ben, talk, acme, ben)
	must[any](t, s, cyd, "", talk, bolt, cyd) // another tenant's limit is its own
}

func TestAssignAgent_FiftyAtOnce(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	s.Exec(t, `update tenant_configurations set limits = '{"max_agents": 7}' where tenant_id = $1`, acme)
	agents := make([]string, 50)
	for i := range agents {
		agents[i] = s.agent(t, []string{acme, platformID}[i%2], 1)
	}
	well, codes := atOnce(50, func(i int) error {
		_, err := as[string](s, []string{ada, both, olga}[i%3], acme, assign, agents[i])
		return err
	})
	require.Equal(t, 7, well, codes)
	require.Equal(t, map[fault.Code]int{fault.LimitExceeded: 43}, codes)
	require.Equal(t, 7, peek[int](t, s, "select count(*)::int from tenant_agents where tenant_id = $1", acme))
	// The same agent many times is one assignment.
	s.Exec(t, "delete from tenant_agents")
	well, codes = atOnce(20, func(int) error {
		_, err := as[string](s, ada, "", assign, agents[0])
		return err
	})
	require.Equal(t, 20, well, codes)
	require.Equal(t, 1, peek[int](t, s, "select count(*)::int from tenant_agents"))
}
