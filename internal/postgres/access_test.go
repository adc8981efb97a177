package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
)

// TestReplica_RecordedReads: a replica answers no read that is to be recorded, and is not blamed for it.
func TestReplica_RecordedReads(t *testing.T) {
	t.Parallel()
	r := setupReplica(t, postgres.Config{})
	r.exec(`update tenant_configurations set compliance_settings = '{"hipaa_enabled": true}' where tenant_id = '` + tenantB + `'`)
	least := r.write("after")
	r.awaitReplica()
	where := func(caller identity.Caller, least postgres.LSN) (answered string) {
		t.Helper()
		work := &postgres.Work{
			Name: "Test", Replica: true, Verify: true, Least: least,
			Access: &postgres.Access{Told: func() postgres.Told { return postgres.Told{Action: "read", Table: "x", Filter: []byte("[]"), Rows: 1} }},
		}
		work.Query(readWhere, func(rows pgx.Rows) (err error) {
			answered, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
			return err
		})
		require.NoError(t, r.db.InTenant(context.Background(), caller, "", work))
		return answered
	}
	for range 3 {
		require.Equal(t, "primary", where(bob, least))
	}
	require.Equal(t, 3, one[int](r.bundle, "select count(*)::int from access_records where tenant_id = $1", tenantB))
	require.Zero(t, r.stat().Failed)
	require.Eventually(t, func() bool { return where(eve, 0) == "replica" }, time.Minute, 20*time.Millisecond)
	require.Equal(t, 3, one[int](r.bundle, "select count(*)::int from access_records"))
}
