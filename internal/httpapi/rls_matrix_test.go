package httpapi_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRest_RLSMatrix: who can do what is told to super admins and service_role, and to nobody else.
func TestRest_RLSMatrix(t *testing.T) {
	t.Parallel()
	b := setupRest(t)
	b.db.Exec(t, "update user_tenants set role = 'owner' where user_id = $1", ada)
	const path = "/rest/v1/rpc/rls_matrix?p_schemas={public}&p_roles={authenticated}&object=eq.public.agents&select=command,access,policies"
	for name, headers := range map[string][]string{"an owner": bearer(b.token(ada, "")), "a viewer": bearer(b.token(dana, tenantB))} {
		got := b.get(path, headers...)
		requireRestError(t, got, http.StatusForbidden, "permission_denied")
		require.Equal(t, "Ask the operator of the platform.", got.decode(t)["hint"], name)
	}
	require.GreaterOrEqual(t, b.get(path).status, 400, "nobody")
	for name, headers := range map[string][]string{"a super admin": bearer(b.token(root, "")), "service_role": bearer(b.serviceKey())} {
		got := b.get(path, headers...)
		require.Equal(t, http.StatusOK, got.status, "%s: %s", name, got.body)
		rows := rowsOf(t, got)
		require.Len(t, rows, 7, name)
		require.Equal(t, []any{"select", "row-filtered"}, []any{rows[0]["command"], rows[0]["access"]}, name)
		require.Equal(t, "agents_select_member", rows[0]["policies"].([]any)[0].(map[string]any)["name"], name)
		require.Equal(t, []any{"truncate", "denied"}, []any{rows[4]["command"], rows[4]["access"]}, name)
	}
	requireRestError(t, b.get("/rest/v1/rpc/rls_matrix?p_schemas={nowhere}", bearer(b.token(root, ""))...), http.StatusUnprocessableEntity, "invalid")
}
