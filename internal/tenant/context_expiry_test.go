package tenant_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/tenant"
)

// An override that runs out by itself raises no version: it is gone from a warm context at its time all the same.
func TestContexts_OverrideRunsOut(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	s.Exec(t, `
		insert into public.feature_flags (flag_key) values ('fleeting');
		insert into public.tenant_feature_flags (tenant_id, feature_flag_id, enabled, config, expires_at)
		select '`+acme+`', id, true, '{"fleeting": 1}', now() + interval '3 seconds' from public.feature_flags where flag_key = 'fleeting'`)
	contexts := tenant.NewContexts(s.db, deaf(t, s.db), 1<<20, nil)
	caller := identity.Caller{Role: identity.Authenticated, UserID: uuid.MustParse(ben)}
	read := func() (string, bool) {
		got, hit, err := contexts.Read(t.Context(), caller, "", tenant.Version{})
		require.NoError(t, err)
		var body bytes.Buffer
		_, err = got.WriteTo(&body)
		require.NoError(t, err)
		return body.String(), hit
	}
	before, _ := read()
	require.Contains(t, before, `"fleeting": 1`)
	_, hit := read()
	require.True(t, hit)
	require.Eventually(t, func() bool {
		after, _ := read()
		return after != before
	}, 30*time.Second, 50*time.Millisecond, "it is served for ever")
}
