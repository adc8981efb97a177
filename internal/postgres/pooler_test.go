package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
)

// setupPooled is setup with the tenants' connections going through a pooler that shares a few processes among
// them, transaction by transaction.
func setupPooled(t *testing.T, serverConns int, config postgres.Config) (*bundle, *pgtest.Pooler) {
	t.Helper()
	b := setup(t, postgres.Config{})
	pooler := pgtest.NewPooler(t, serverConns)
	config.URL = pooler.URL(b.APIURL)
	if config.MaxConns == 0 {
		config.MaxConns = 1
	}
	b.db = b.Open(t, config)
	return b, pooler
}

// TestPooler: behind a pooler in transaction mode everything works as before it, and the seal names no process.
func TestPooler(t *testing.T) {
	t.Parallel()
	b, _ := setupPooled(t, 2, postgres.Config{})
	ctx := context.Background()
	for range 3 {
		b.requireBob()
		b.requireAnonymous()
		got, err := b.run(bob, "select 'once'", entered)
		require.NoError(t, err)
		require.Equal(t, []string{"authenticated|pg_catalog, public, pg_temp|on|10s|10s|10s||read committed|" + bobID}, got)
		got, err = b.run(bob, "select split_part(current_setting('vital.context'), '.', 8)")
		require.NoError(t, err)
		require.Equal(t, []string{"0"}, got)
	}
	for _, isolation := range []postgres.Isolation{postgres.ReadCommitted, postgres.RepeatableRead, postgres.Serializable} {
		for _, writes := range []bool{false, true} {
			got, err := b.runIn(ctx, bob, &postgres.Work{Name: "Test", Isolation: isolation, Writes: writes},
				"select current_setting('transaction_isolation') || ' ' || current_setting('transaction_read_only') || ' ' || current_setting('transaction_deferrable')")
			require.NoError(t, err)
			require.Equal(t, []string{[...]string{"read committed", "repeatable read", "serializable"}[isolation] + " " + map[bool]string{true: "off", false: "on"}[writes] + " off"}, got)
		}
	}
	before := b.position()
	seen, err := b.observe(bob, &postgres.Work{Writes: true}, changeTenantB)
	require.NoError(t, err)
	require.Equal(t, b.told("tenant:"+tenantB), seen.Raised)
	require.Greater(t, seen.Position, before)
	seen, err = b.observe(bob, &postgres.Work{Writes: true, Foreign: true, Confirm: true}, changeBob)
	require.NoError(t, err)
	require.Equal(t, b.told("self:"+bobID), seen.Raised)

	require.NoError(t, b.db.Transact(ctx, bob, "", "Test", func(tx *postgres.Tx) error {
		tx.Observe(&seen)
		var title string
		if err := tx.QueryRow(ctx, "insert into public.prompts (tenant_id, title, tags) values ($1, $2, $3) returning title", tenantB, "T", []string{"a", "b"}).Scan(&title); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, "update public.prompts set metadata = $1 where title = $2", []byte(`{"n": 1}`), title)
		if n != 1 {
			return errors.Join(err, fmt.Errorf("%d rows", n))
		}
		return err
	}))
	require.NotZero(t, seen.Position)
	require.Equal(t, "{a,b} {\"n\": 1}", one[string](b, "select tags::text || ' ' || metadata::text from prompts"))
	work := &postgres.Work{Name: "Test", Writes: true}
	work.Query("update public.prompts set metadata = $1, updated_at = $2", nil, map[string]int{"n": 2}, time.Unix(1, 0))
	work.Generated("select title from public.prompts where title = $1 and tags @> $2", [][]byte{[]byte("T"), []byte("{a}")}, nil)
	require.NoError(t, b.db.InTenant(ctx, bob, "", work))
	require.Equal(t, `{"n": 2}`, one[string](b, "select metadata::text from prompts"))
	require.NoError(t, err)
}

// TestPooler_OneRoundTrip: it stays one turn, and nothing is named.
func TestPooler_OneRoundTrip(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	p, address := newProxy(t, pgtest.NewPooler(t, 2).URL(b.APIURL))
	b.db = b.Open(t, postgres.Config{URL: address, MaxConns: 1})
	b.requireBob()
	for range 3 {
		p.reset()
		_, err := b.observe(bob, &postgres.Work{}, readAgents)
		require.NoError(t, err)
		got := p.heard(t)
		require.LessOrEqual(t, got.turns, 4, "warms up")
	}
	p.reset()
	_, err := b.observe(bob, &postgres.Work{}, readAgents)
	require.NoError(t, err)
	require.Equal(t, 1, p.heard(t).turns)
	require.Equal(t, 1, p.heard(t).synced)
	names, err := b.db.StatementNames(context.Background())
	require.NoError(t, err)
	for _, name := range names {
		require.Empty(t, name)
	}
}

// TestPooler_Leftovers: whatever a request leaves on a process, through us or by other means, does not reach the
// request that meets the process next. There is one, so it is always met.
func TestPooler_Leftovers(t *testing.T) {
	t.Parallel()
	b, pooler := setupPooled(t, 1, postgres.Config{MaxConns: 3})
	clean, err := b.run(bob, trace)
	require.NoError(t, err)
	more := map[string][]string{
		"kept by a commit that nobody sees": {"commit", "set timezone = 'Asia/Kathmandu'", "set role anon", "commit", "select 1/0"},
		"own seal":                          {"select set_config('test.marker', current_setting('vital.context'), false)", "commit", "select set_config('vital.context', current_setting('test.marker'), false)", "commit", "select 1/0"},
		"serializable":                      {"commit", "set default_transaction_isolation = serializable", "set default_transaction_read_only = on", "set default_transaction_deferrable = on", "commit", "select 1/0"},
		"cursor":                            {"declare kept cursor with hold for select * from public.agents", "commit", "listen mine", "commit", "select 1/0"},
		"semantics":                         {"commit", "set transform_null_equals = on", "set search_path = ''", "set statement_timeout = 1000", "commit", "select 1/0"},
		"raised":                            {forgeRaised, "commit", "select 1/0"},
	}
	for name, texts := range leftovers {
		more["also "+name] = texts
	}
	for name, texts := range more {
		for _, foreign := range []bool{false, true} {
			_, _ = b.runIn(context.Background(), eve, &postgres.Work{Name: "Attack", Writes: true, Foreign: foreign}, texts...)
			got, err := b.run(bob, trace)
			require.NoError(t, err, name)
			require.Equal(t, clean, got, name)
			b.requireAnonymous()
			seen, err := b.observe(bob, &postgres.Work{Writes: true, Isolation: postgres.RepeatableRead}, insertPrompt)
			require.NoError(t, err, name)
			require.Empty(t, seen.Raised, name)
		}
	}
	other := pooler.Connect(b.APIURL) // another program on the same processes
	for _, text := range []string{"set role authenticated", "set timezone = 'Asia/Kathmandu'", "set default_transaction_isolation = serializable", "set vital.context = 'x'", "listen mine", "set vital.raised = 'x'"} {
		_, err := other.Exec(context.Background(), text)
		require.NoError(t, err, text)
	}
	got, err := b.run(bob, trace)
	require.NoError(t, err)
	require.Equal(t, clean, got)
}

// TestPooler_FirstUse: what a statement means is not asked of a process as somebody else left it.
func TestPooler_FirstUse(t *testing.T) {
	t.Parallel()
	b, pooler := setupPooled(t, 1, postgres.Config{})
	other := pooler.Connect(b.APIURL)
	for i, left := range []string{"set search_path = ''", "set search_path = vital", "set role anon", "set default_transaction_read_only = on"} {
		_, err := other.Exec(context.Background(), left)
		require.NoError(t, err)
		got, err := b.run(bob, fmt.Sprintf("select name from agents where %[1]d = %[1]d", i))
		require.NoError(t, err, left)
		require.Equal(t, []string{"agent of B"}, got, left)
	}
}

// TestPooler_ForeignSession: what a function VITAL does not own leaves is discarded in the turn it ran in.
func TestPooler_ForeignSession(t *testing.T) {
	t.Parallel()
	b, _ := setupPooled(t, 1, postgres.Config{})
	b.exec("grant temporary on database " + pgx.Identifier{b.Name}.Sanitize() + " to authenticated")
	work := &postgres.Work{Name: "Test", Writes: true, Foreign: true, Observe: true}
	work.Query("create temporary table left_here (n int)", nil)
	require.NoError(t, b.db.InTenant(context.Background(), bob, "", work))
	require.NotZero(t, work.Position)
	got, err := b.run(bob, "select coalesce(to_regclass('pg_temp.left_here')::text, 'gone') || (select count(*) from pg_prepared_statements)")
	if err == nil { // the view may be closed to tenants
		require.Equal(t, []string{"gone0"}, got)
	} else {
		got, err = b.run(bob, "select coalesce(to_regclass('pg_temp.left_here')::text, 'gone')")
		require.NoError(t, err)
		require.Equal(t, []string{"gone"}, got)
	}
}

// TestPooler_Concurrency is TestInTenant_Concurrency with many more connections than processes.
func TestPooler_Concurrency(t *testing.T) {
	t.Parallel()
	b, _ := setupPooled(t, 2, postgres.Config{MaxConns: 40, AcquireTimeout: time.Minute, StatementTimeout: time.Minute})
	b.requireCrowdApart(30)
}

// TestPooler_Many: two hundred at once on two processes, without an error and without a word of the other tenant.
func TestPooler_Many(t *testing.T) {
	t.Parallel()
	b, _ := setupPooled(t, 2, postgres.Config{MaxConns: 200, AcquireTimeout: time.Minute, StatementTimeout: time.Minute})
	var wait sync.WaitGroup
	failures := make(chan error, 200)
	for n := range 200 {
		wait.Go(func() {
			caller, agent := eve, "agent of A"
			if n%2 == 1 {
				caller, agent = bob, "agent of B"
			}
			for i := range 10 {
				title := fmt.Sprintf("%s %d %d", agent, n, i)
				work := &postgres.Work{Name: "Test", Writes: i%5 == 0, Observe: true}
				if work.Writes {
					work.Query("insert into public.prompts (tenant_id, title) select id, $1 from public.organizations", nil, title)
				}
				work.Query("select name from public.agents", func(rows pgx.Rows) error {
					got, err := pgx.CollectRows(rows, pgx.RowTo[string])
					if err == nil && strings.Join(got, ",") != agent {
						err = fmt.Errorf("saw %q", got)
					}
					return err
				})
				if err := b.db.InTenant(context.Background(), caller, "", work); err != nil {
					failures <- err
					return
				}
			}
		})
	}
	wait.Wait()
	close(failures)
	for err := range failures {
		require.NoError(t, err)
	}
	require.Equal(t, 400, one[int](b, "select count(*)::int from prompts"))
	require.Zero(t, one[int](b, "select count(*)::int from prompts where title like 'agent of A%' and tenant_id <> $1", tenantA))
	require.LessOrEqual(t, one[int](b, "select count(*)::int from pg_stat_get_activity(null) a join pg_database d on d.oid = a.datid where d.datname = current_database() and a.application_name <> '' and a.usesysid = 'vital_api'::regrole"), 2+1,
		"two of the pooler's, one of the first server's own")
}

// TestPooler_Hostile: a seal is good on any process there, and still for nobody else, and no longer.
func TestPooler_Hostile(t *testing.T) {
	t.Parallel()
	b, _ := setupPooled(t, 2, postgres.Config{MaxConns: 2})
	seal := b.db.Seal(bob, "", time.Now(), 0)
	for i, forged := range []string{seal[:len(seal)-1] + "x", strings.Replace(seal, bobID, eveID, 1), b.db.Seal(bob, "", time.Now().Add(-time.Hour), 0)} {
		code := fault.SealRejected
		if i == 2 {
			code = fault.SealExpired
		}
		_, err := b.run(eve, become(forged), readAgents)
		requireFault(t, err, code)
		b.requireBob()
	}
	b.exec("select vital.rotate_seal_key('-1 second')")
	b.requireBob()
	_, err := b.run(identity.Anonymous(), "reset role", readAgents)
	requireFault(t, err, fault.PermissionDenied)
}

// TestPooler_Service: operators' connections work through it, and it is said that nothing is heard on them.
func TestPooler_Service(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	pooler := pgtest.NewPooler(t, 2)
	for address, want := range map[string]bool{b.ServiceURL: false, pooler.URL(b.ServiceURL): true} {
		var log bytes.Buffer
		db, err := postgres.Open(context.Background(), postgres.Config{
			URL: pooler.URL(b.APIURL), ServiceURL: address, Log: slog.New(slog.NewTextHandler(&log, nil)),
		})
		require.NoError(t, err)
		work := &postgres.Work{Name: "Test", Writes: true, Observe: true}
		work.Query("update public.tenant_configurations set limits = '{}' where tenant_id = $1", nil, tenantB)
		require.NoError(t, db.Run(context.Background(), work))
		require.Equal(t, b.told("tenant:"+tenantB), work.Raised)
		require.NoError(t, db.AsService(context.Background(), "Test", func(tx pgx.Tx) error {
			_, err := tx.Exec(context.Background(), "update public.tenant_configurations set limits = '{}' where tenant_id = $1", tenantB)
			return err
		}))
		db.Close()
		require.Equal(t, want, strings.Contains(log.String(), "VITAL_SERVICE_DATABASE_URL"), log.String())
	}
}

// TestPooler_Listen: through a pooler in transaction mode nothing is heard of what changes, and it is not taken for silence.
func TestPooler_Listen(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	db, err := postgres.Open(context.Background(), postgres.Config{URL: b.APIURL, ServiceURL: pgtest.NewPooler(t, 2).URL(b.ServiceURL)})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	var heard, current, lost int
	db.Listen(ctx, "vital_change", func(string) { heard++ }, func(time.Time) { current++ }, func() { lost++ })
	require.Zero(t, heard)
	require.Zero(t, current)
	require.NotZero(t, lost)
}
