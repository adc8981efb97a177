package jobs

import (
	"bytes"
	"context"
	"log/slog"
	"testing"

	"github.com/riverqueue/river"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
)

// TestRetainer: the job lets go what is kept no longer, and says what went and what could not.
func TestRetainer(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, `insert into organizations (id, name, slug, tenant_type, tenant_key) values
			('aaaaaaaa-0000-4000-8000-000000000000', 'Acme', 'acme', 'clinic', 'acme'), ('bbbbbbbb-0000-4000-8000-000000000000', 'Bolt', 'bolt', 'clinic', 'bolt');
		create table notes (tenant_id uuid not null, id int, at date, primary key (tenant_id, id)); grant select, update, delete on notes to service_role;
		create table closed (tenant_id uuid not null, id int, at date, primary key (tenant_id, id)); revoke all on closed from service_role;
		insert into notes select id, n, current_date - n * 10 from organizations, generate_series(1, 9) n where slug <> 'platform';
		insert into closed select tenant_id, id, at from notes;
		select vital.set_retention('aaaaaaaa-0000-4000-8000-000000000000', 'public', 'notes', 'at', '45 days', 'plan');
		select vital.set_retention(null, 'public', 'closed', 'at', '45 days', 'plan')`)
	var log bytes.Buffer
	db := d.Open(t, postgres.Config{})
	worker := &retainer{service: db.Service, log: slog.New(slog.NewTextHandler(&log, nil))}
	require.NoError(t, worker.Work(context.Background(), &river.Job[letGo]{}))
	var left string
	require.NoError(t, d.Connect(t).QueryRow(context.Background(),
		"select string_agg(n::text, ' ') from (select count(*) as n from notes group by tenant_id order by tenant_id) x").Scan(&left))
	require.Equal(t, "4 9", left, "of acme alone")
	require.Contains(t, log.String(), "table=public.notes rows=5")
	require.Contains(t, log.String(), "grant service_role select")
}
