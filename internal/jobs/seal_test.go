package jobs_test

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/envelope"
	"github.com/vital-db/vital/internal/jobs"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
)

// A server that has a keyring seals what is old enough, and says whose keys it cannot open.
func TestRun_SealsAudit(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, `insert into organizations (name, slug, tenant_type, tenant_key) values ('A', 'a-co', 'digital_health', 'a'), ('B', 'b-co', 'digital_health', 'b');
		insert into vital.tenant_keys (tenant_id, key_id, kek_id, wrapped) select id, gen_random_uuid(), 'gone', decode(repeat('00', 61), 'hex') from organizations where slug = 'b-co'`)
	var log logged
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	ring := envelope.NewRing(time.Now())
	service := d.Open(t, postgres.Config{}).Service
	go func() {
		done <- jobs.Run(ctx, jobs.Config{
			ServiceURL: d.ServiceURL, Service: service, SealAfter: time.Nanosecond, Log: slog.New(slog.NewTextHandler(&log, nil)),
			Ring: func(context.Context) (*envelope.Ring, error) { return ring, nil },
		})
	}()
	conn := d.Connect(t)
	require.Eventually(t, func() bool {
		return value[int](t, conn, "select count(*)::int from organization_audit_log a join organizations o on o.id = a.organization_id where o.slug <> 'b-co' and a.changes is not null") == 0 &&
			value[int](t, conn, "select count(*)::int from vital.river_job where kind = 'audit_seal' and state = 'completed'") == 1
	}, time.Minute, 50*time.Millisecond)
	stop()
	require.NoError(t, <-done)
	require.NotZero(t, value[int](t, conn, "select count(*)::int from organization_audit_log where sealed_key is not null"))
	require.NotZero(t, value[int](t, conn, "select count(*)::int from organization_audit_log where changes is not null"), "B's stay as they are")
	log.mu.Lock()
	defer log.mu.Unlock()
	require.Equal(t, 1, bytes.Count(log.Bytes(), []byte("audit rows stay in clear")), log.String())
}
