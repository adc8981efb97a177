package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
)

const bobsPrompt = "insert into public.prompts (tenant_id, title) values ('" + tenantB + "', 'T')"

// prompts counts what was kept.
func (b *bundle) prompts() int {
	b.t.Helper()
	return one[int](b, "select count(*)::int from prompts")
}

// requireIdle wants every connection back in the pool.
func (b *bundle) requireIdle() {
	b.t.Helper()
	require.Eventually(b.t, func() bool { return b.db.Stat().Acquired == 0 }, 30*time.Second, time.Millisecond)
}

func TestInTenant_StatementError(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	for _, fails := range []string{"select 1/0", "select nothing", "no statement", "select 'x'::uuid", "insert into public.prompts (tenant_id, title) values ('" + tenantA + "', 'T')"} {
		_, err := b.run(bob, bobsPrompt, fails, bobsPrompt, "select 'done'")
		require.Error(t, err, fails)
		require.Zero(t, b.prompts(), fails)
		b.requireBob()
	}
	b.requireIdle()
}

// TestInTenant_ReaderError: a reader that refuses what it reads undoes the write behind it.
func TestInTenant_ReaderError(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	refusal := fault.New(fault.NotFound, "Nothing matched.", "")
	for _, position := range []int{0, 1, 2} {
		work := &postgres.Work{Name: "Test", Writes: true}
		for i := range 3 {
			work.Query(bobsPrompt+" returning title", func(rows pgx.Rows) error {
				if i == position {
					return refusal
				}
				return collect(rows)
			})
		}
		err := b.db.InTenant(context.Background(), bob, "", work)
		require.ErrorIs(t, err, refusal)
		require.Zero(t, b.prompts())
		b.requireBob()
	}
	b.requireIdle()
}

// TestInTenant_ReaderPanic: a panic passes through, undoes the write, and costs no connection.
func TestInTenant_ReaderPanic(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	for range 3 {
		work := &postgres.Work{Name: "Test", Writes: true}
		work.Query(bobsPrompt+" returning title", func(pgx.Rows) error { panic("reader") })
		require.PanicsWithValue(t, "reader", func() { _ = b.db.InTenant(context.Background(), bob, "", work) })
		b.requireBob()
		require.Zero(t, b.prompts())
	}
	b.requireIdle()
}

// TestInTenant_Cancelled: a caller who goes away ends their statement, and neither their state nor the
// late request to cancel it reaches who comes next.
func TestInTenant_Cancelled(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	for i := range 30 {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() {
			_, err := b.runIn(ctx, eve, &postgres.Work{Name: "Test", Writes: true}, "set timezone = 'Asia/Kathmandu'", "select pg_sleep(60)::text")
			done <- err
		}()
		if i%3 > 0 { // some before the statement runs, some while
			require.Eventually(t, func() bool {
				return one[int](b, "select count(*)::int from pg_stat_activity where datname = current_database() and query like '%pg_sleep(60)%' and state = 'active' and pid <> pg_backend_pid()") == 1
			}, 30*time.Second, time.Millisecond)
		}
		cancel()
		requireFault(t, <-done, fault.RequestCancelled)
		for range 3 {
			b.requireBob()
		}
		got, err := b.run(bob, "select current_setting('timezone')")
		require.NoError(t, err)
		require.NotEqual(t, []string{"Asia/Kathmandu"}, got)
	}
	b.requireIdle()
}

func TestInTenant_Deadline(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := b.runIn(ctx, eve, &postgres.Work{Name: "Test"}, "select pg_sleep(60)::text")
	requireFault(t, err, fault.RequestTimeout)
	b.requireBob()
}

func TestInTenant_StatementTimeout(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{StatementTimeout: 100 * time.Millisecond})
	_, err := b.run(eve, "select pg_sleep(60)::text")
	requireFault(t, err, fault.StatementTimeout)
	b.requireBob()
}

// TestInTenant_Savepoint: what a transaction is allowed comes from its seal, whichever subtransaction it
// was put into or taken out of.
func TestInTenant_Savepoint(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	forged := become(b.bobsPayload() + ".0")
	got, err := b.run(eve, "savepoint s", forged, "rollback to s", readAgents)
	require.NoError(t, err)
	require.Equal(t, []string{"agent of A"}, got)
	_, err = b.run(eve, "savepoint s", forged, "release s", readAgents)
	requireFault(t, err, fault.SealRejected)
	got, err = b.run(eve, "savepoint s", become(""), "release s", readAgents)
	require.NoError(t, err)
	require.Empty(t, got)
	_, err = b.run(eve, "savepoint s", "set local role none", "rollback to s", "set local role none", readAgents)
	requireFault(t, err, fault.PermissionDenied)
	b.requireBob()
	b.requireAnonymous()
}

func TestInTenant_PoolExhausted(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{AcquireTimeout: 20 * time.Millisecond})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		_, err := b.runIn(ctx, eve, &postgres.Work{Name: "Test"}, "select pg_sleep(60)::text")
		done <- err
	}()
	require.Eventually(t, func() bool { return b.db.Stat().Acquired == 1 }, 30*time.Second, time.Millisecond)
	_, err := b.run(bob, readAgents)
	requireFault(t, err, fault.PoolExhausted)
	cancel()
	require.Error(t, <-done)
	require.Eventually(t, func() bool { // a new connection may take longer than such a short patience
		_, err := b.run(bob, readAgents)
		return err == nil
	}, 30*time.Second, 10*time.Millisecond)
}

func TestInTenant_ReadOnly(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	for _, prelude := range [][]string{{}, {"savepoint s"}, {"select set_config('transaction_read_only', 'off', true)"}, {"set transaction read write"}} {
		_, err := b.runIn(context.Background(), bob, &postgres.Work{Name: "Test"}, append(prelude, bobsPrompt)...)
		require.Error(t, err, prelude)
		if len(prelude) == 0 {
			requireFault(t, err, fault.ReadOnly)
		}
	}
	require.Zero(t, b.prompts())
	b.requireBob()
}

// TestInTenant_BackendsTerminated: after the server was restarted every idle connection is dead. Nobody
// notices, writers neither, for nothing of theirs had begun.
func TestInTenant_BackendsTerminated(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{MaxConns: 8})
	fill := func() {
		done := make(chan error, 8)
		for range 8 {
			go func() {
				_, err := b.runIn(context.Background(), bob, &postgres.Work{Name: "Test"}, "select pg_sleep(0.3)::text")
				done <- err
			}()
		}
		for range 8 {
			require.NoError(t, <-done)
		}
		b.requireIdle()
		require.EqualValues(t, 8, b.db.Stat().Idle)
	}
	kill := func() {
		fill()
		n := one[int](b, "select count(pg_terminate_backend(pid, 10000))::int from pg_stat_activity where usename = 'vital_api' and datname = current_database()")
		require.GreaterOrEqual(t, n, 8)
	}
	kill()
	b.requireBob()
	b.requireBob()
	kill()
	require.NoError(t, b.db.InTenant(context.Background(), bob, "", write()))
	require.Equal(t, 1, b.prompts())
	b.requireIdle()
}

// write is a work of one write that nobody reads from.
func write() *postgres.Work {
	work := &postgres.Work{Name: "Test", Writes: true}
	work.Query(bobsPrompt, nil)
	return work
}

// TestInTenant_TerminatedWhileRunning: a read that loses its server is run again, once.
func TestInTenant_TerminatedWhileRunning(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	b.exec("create table public.tries (n int); grant all on public.tries to authenticated")
	done := make(chan error, 1)
	go func() {
		_, err := b.runIn(context.Background(), bob, &postgres.Work{Name: "Test"}, "select pg_sleep(case when pg_try then 0 else 60 end)::text from (select exists (select from public.tries) as pg_try) t")
		done <- err
	}()
	var pid int
	require.Eventually(t, func() bool {
		err := b.super.QueryRow(context.Background(), "select pid from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'").Scan(&pid)
		return err == nil
	}, 30*time.Second, time.Millisecond)
	b.exec("insert into tries values (1)")
	b.exec("select pg_terminate_backend($1::int)", pid)
	require.NoError(t, <-done)
	b.requireBob()
}

// TestInTenant_LostAtCommit: a connection that breaks between a write's commit and its answer leaves
// open what became of it. That is said, and the write is not done again.
func TestInTenant_LostAtCommit(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	p, address := newProxy(t, b.APIURL)
	db := b.Open(t, postgres.Config{URL: address, MaxConns: 1})
	held := write()
	held.Query("select 'read'", collect)
	for i, work := range []*postgres.Work{write(), held} {
		require.NoError(t, db.InTenant(context.Background(), bob, "", write()))
		b.exec("delete from prompts")
		p.breakBehind("commit\x00")
		err := db.InTenant(context.Background(), bob, "", work)
		requireFault(t, err, fault.DatabaseUnavailable)
		require.Contains(t, fault.From(err).Message, "while the change was being stored", i)
		require.Eventually(t, func() bool { return b.prompts() > 0 }, 30*time.Second, time.Millisecond)
		require.Equal(t, 1, b.prompts())
	}
	// A read has nothing to lose and is run again.
	p.breakBehind("commit\x00")
	work := &postgres.Work{Name: "Test"}
	work.Query(readAgents, collect)
	require.NoError(t, db.InTenant(context.Background(), bob, "", work))
}

// TestInTenant_SilentAtCommit: a deadline that passes while a commit is not answered leaves as open what
// became of it: nobody is told to just try again.
func TestInTenant_SilentAtCommit(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	p, address := newProxy(t, b.APIURL)
	db := b.Open(t, postgres.Config{URL: address, MaxConns: 1})
	require.NoError(t, db.InTenant(context.Background(), bob, "", write()))
	b.exec("delete from prompts")
	p.muteBehind("commit\x00")
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	err := db.InTenant(ctx, bob, "", write())
	requireFault(t, err, fault.DatabaseUnavailable)
	require.Contains(t, fault.From(err).Message, "while the change was being stored")
	require.Eventually(t, func() bool { return b.prompts() == 1 }, 30*time.Second, time.Millisecond)
	p.hangUp()
}

func TestInTenant_DatabaseGone(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	p, address := newProxy(t, b.APIURL)
	db := b.Open(t, postgres.Config{URL: address, MaxConns: 4})
	require.NoError(t, db.InTenant(context.Background(), bob, "", write()))
	p.down()
	for _, work := range []*postgres.Work{write(), {Name: "Test"}} {
		requireFault(t, db.InTenant(context.Background(), bob, "", work), fault.DatabaseUnavailable)
	}
	require.Equal(t, 1, b.prompts())
}

// TestInTenant_Reported: every transaction is told of once, with who and how it ended.
func TestInTenant_Reported(t *testing.T) {
	t.Parallel()
	var told []postgres.Query
	b := setup(t, postgres.Config{OnQuery: func(_ context.Context, q postgres.Query) { told = append(told, q) }})
	_, err := b.run(bob, readAgents)
	require.NoError(t, err)
	_, err = b.run(eve, "select 1/0")
	require.Error(t, err)
	require.Len(t, told, 2)
	require.Equal(t, bob.UserID, told[0].UserID)
	require.EqualValues(t, 1, told[0].Rows)
	require.NoError(t, told[0].Err)
	require.True(t, errors.Is(told[1].Err, err))
}

// TestReported_Server: whichever way a transaction is run, it is told which server it was on and how long it waited for it.
func TestReported_Server(t *testing.T) {
	t.Parallel()
	var told []postgres.Query
	b := setup(t, postgres.Config{OnQuery: func(_ context.Context, q postgres.Query) { told = append(told, q) }})
	_, err := b.run(bob, readAgents)
	require.NoError(t, err)
	require.NoError(t, b.db.Transact(t.Context(), bob, "", "Test", func(*postgres.Tx) error { return nil }))
	require.NoError(t, b.db.AsService(t.Context(), "Test", func(pgx.Tx) error { return nil }))
	require.NoError(t, b.db.Run(t.Context(), &postgres.Work{Name: "Test"}))
	config, err := pgx.ParseConfig(b.APIURL)
	require.NoError(t, err)
	require.Len(t, told, 4)
	for _, q := range told {
		require.Equal(t, postgres.Server{Host: config.Host, Port: config.Port, Database: config.Database}, q.Server)
		require.Positive(t, q.Waited)
		require.Less(t, q.Waited, q.Duration)
	}
}

// TestInTenant_LostAmongRows: a database that goes away while rows are read is said to be away.
func TestInTenant_LostAmongRows(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	p, address := newProxy(t, b.APIURL)
	b.db = b.Open(t, postgres.Config{URL: address, MaxConns: 1})
	work := &postgres.Work{Name: "Test"}
	work.Query("select repeat('x', 100000) from generate_series(1, 1000)", func(rows pgx.Rows) error {
		for rows.Next() {
			p.hangUp()
		}
		return rows.Err()
	})
	requireFault(t, b.db.InTenant(context.Background(), bob, "", work), fault.DatabaseUnavailable)
	b.requireBob()
}
