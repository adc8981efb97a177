package tenant_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
)

// Whoever makes up a version has the definitions of all flags not read and compiled anew each time.
func TestFlags_VersionMadeUp(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	var reads atomic.Int64
	db := s.Open(t, postgres.Config{OnQuery: func(_ context.Context, q postgres.Query) {
		if q.Name == "FlagDefinitionsRead" {
			reads.Add(1)
		}
	}})
	flags := tenant.NewEvaluator(db, deaf(t, db), 1<<20)
	caller := identity.Caller{Role: identity.Authenticated, UserID: uuid.MustParse(ben)}
	got, err := flags.Flags(t.Context(), caller, "", tenant.Version{})
	require.NoError(t, err)
	require.EqualValues(t, 1, reads.Load())
	madeUp, err := tenant.ParseCounters("999999.0.0.0")
	require.NoError(t, err)
	for range 10 {
		_, err = flags.Flags(t.Context(), caller, "", madeUp)
		require.Equal(t, fault.VersionNotReached, fault.CodeOf(err))
	}
	require.EqualValues(t, 1, reads.Load())
	s.Exec(t, "insert into public.feature_flags (flag_key) values ('later')") // of which nothing is heard
	seen, err := tenant.ParseCounters(got.Version().Counters())
	require.NoError(t, err)
	next, err := tenant.ReadContext(t.Context(), db, caller, "")
	require.NoError(t, err)
	require.NotEqual(t, seen.Counters(), next.Version.Counters())
	after, err := flags.Flags(t.Context(), caller, "", next.Version)
	require.NoError(t, err)
	require.Contains(t, after.Keys(), "later")
}
