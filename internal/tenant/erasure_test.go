package tenant_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
)

// TestErasure_Callers: who operates the platform asks for an erasure, approves what another asked for and holds a tenant; nobody else does.
func TestErasure_Callers(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	s.Exec(t, "update organizations set lifecycle_state = 'suspended' where slug = 'idle'")
	s.Exec(t, "update organizations set lifecycle_state = 'archived' where slug = 'idle'")
	s.Exec(t, "update profiles set role = 'super_admin' where id = $1", nina)
	const ask, hold = "select request_erasure('tenant', $1, 'it is over')", "select set_legal_hold($1, true, 'a court asks')"
	for _, user := range []string{ada, ben, olga, cyd, vic} {
		for _, text := range []string{ask, hold} {
			_, err := as[any](s, user, "", text, idle)
			require.Equal(t, fault.PermissionDenied, fault.CodeOf(err), "%s: %v", user, err)
		}
		for _, text := range []string{"select approve_erasure(gen_random_uuid())", "select cancel_erasure(gen_random_uuid(), 'x')", "select count(*) from list_erasures()", "select count(*) from list_legal_holds()"} {
			_, err := as[any](s, user, "", text)
			require.Equal(t, fault.PermissionDenied, fault.CodeOf(err), "%s: %v", user, err)
		}
	}
	id := must[string](t, s, root, acme, "select request_erasure('tenant', $1, 'it is over')::text", idle)
	_, err := as[any](s, root, acme, "select approve_erasure($1)", id)
	require.Equal(t, fault.PermissionDenied, fault.CodeOf(err), "it takes two")
	must[any](t, s, nina, acme, "select approve_erasure($1)", id)
	require.Equal(t, "approved user:"+root+" user:"+nina, must[string](t, s, root, acme, "select concat_ws(' ', state, requested_by, approved_by) from list_erasures()"))
	const holds = "select coalesce(array_agg(concat_ws(' ', tenant_id, reason, placed_by)), '{}') from list_legal_holds()"
	require.Empty(t, must[[]string](t, s, nina, acme, holds))
	must[any](t, s, root, acme, hold, idle)
	require.Equal(t, []string{idle + " a court asks user:" + root}, must[[]string](t, s, nina, acme, holds))
	must[any](t, s, root, acme, "select set_legal_hold($1, false, 'not any more')", idle)
	require.Empty(t, must[[]string](t, s, nina, acme, holds), "one that was lifted is none")
	must[any](t, s, root, acme, "select cancel_erasure($1, 'not wanted any more')", id)
	require.Equal(t, 3, peek[int](t, s, "select count(*)::int from organization_audit_log where organization_id = '00000000-0000-0000-0000-000000000001' and action like 'erasure%' and entity_id = $1 and actor_id is not null", idle))
	require.Equal(t, 1, peek[int](t, s, "select count(*)::int from organizations where id = $1", idle))
}
