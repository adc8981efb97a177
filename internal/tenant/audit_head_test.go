package tenant_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAuditChainHead tells where a chain ends to those who read the log, and nothing to all others.
func TestAuditChainHead(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	const head = "select coalesce(max(concat_ws(' ', seq, encode(hash, 'hex'))), 'nothing') from audit_chain_head()"
	end := func(tenant string) string {
		return peek[string](t, s, "select concat_ws(' ', seq, encode(hash, 'hex')) from organization_audit_log where organization_id = $1 order by seq desc limit 1", tenant)
	}
	require.NotEqual(t, end(acme), end(bolt))
	for _, user := range []string{olga, ada} {
		require.Equal(t, end(acme), must[string](t, s, user, "", head))
	}
	require.Equal(t, end(bolt), must[string](t, s, cyd, "", head))
	require.Equal(t, end(acme), must[string](t, s, root, "acme", head), "a super admin's is that of the tenant they look at")
	for _, user := range []string{ben, vic, nina, sue} {
		require.Equal(t, "nothing", must[string](t, s, user, "", head), user)
	}
	require.Equal(t, "nothing", must[string](t, s, ada, "bolt", head), "another tenant's head is nobody else's")
}
