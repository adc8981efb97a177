package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
)

// replicated is a bundle whose reads a standby may answer.
type replicated struct {
	*bundle
	standby *pgtest.Standby
}

func setupReplica(t *testing.T, config postgres.Config) *replicated {
	t.Helper()
	b := setup(t, postgres.Config{})
	b.exec("alter database " + b.Name + " set synchronous_commit = on") // else what was committed is sent some 200 ms later
	r := &replicated{b, pgtest.NewStandby(t)}
	config.ReplicaURLs = []string{r.standby.URL(b.APIURL)}
	if config.MaxConns == 0 {
		config.MaxConns = 4
	}
	b.db = b.Open(t, config)
	r.await("up", func(s postgres.ReplicaStat) bool { return !s.Down })
	r.await("near", func(s postgres.ReplicaStat) bool { return s.Behind == 0 && s.Position > 0 })
	return r
}

func (r *replicated) stat() postgres.ReplicaStat { return r.db.Replicas()[0] }

func (r *replicated) await(what string, ok func(postgres.ReplicaStat) bool) {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return ok(r.stat()) }, 30*time.Second, 5*time.Millisecond, what)
}

// read asks a replica, or the primary, for text as caller, with what was committed at least shown.
func (r *replicated) read(ctx context.Context, caller identity.Caller, least postgres.LSN, text string) (got []string, seen postgres.Observed, err error) {
	work := &postgres.Work{Name: "Test", Replica: true, Least: least, Observe: true}
	work.Query(text, func(rows pgx.Rows) (err error) {
		got, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	err = r.db.InTenant(ctx, caller, "", work)
	return got, work.Observed, err
}

// write makes Bob's tenant have a prompt of that title, and returns when it was committed.
func (r *replicated) write(title string) postgres.LSN {
	r.t.Helper()
	seen, err := r.observe(bob, &postgres.Work{Writes: true}, "insert into public.prompts (tenant_id, title) values ('"+tenantB+"', '"+title+"')")
	require.NoError(r.t, err)
	require.NotZero(r.t, seen.Position)
	return seen.Position
}

const (
	readPrompts = "select title from public.prompts order by title"
	readWhere   = "select case when pg_catalog.pg_is_in_recovery() then 'replica' else 'primary' end"
)

// where says who answers Bob now.
func (r *replicated) where(least postgres.LSN) string {
	r.t.Helper()
	got, _, err := r.read(context.Background(), bob, least, readWhere)
	require.NoError(r.t, err)
	return got[0]
}

func (r *replicated) awaitReplica() {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return r.where(0) == "replica" }, 2*time.Minute, 20*time.Millisecond)
}

// TestReplica: reads that may be are answered there, sealed and bound as on the primary; all else is not.
func TestReplica(t *testing.T) {
	t.Parallel()
	r := setupReplica(t, postgres.Config{})
	ctx := context.Background()
	r.awaitReplica()
	for range 5 {
		got, seen, err := r.read(ctx, bob, 0, readAgents)
		require.NoError(t, err)
		require.Equal(t, []string{"agent of B"}, got)
		require.NotZero(t, seen.Position)
		require.Empty(t, seen.Raised)
		got, _, err = r.read(ctx, eve, 0, readAgents)
		require.NoError(t, err)
		require.Equal(t, []string{"agent of A"}, got)
		_, _, err = r.read(ctx, identity.Anonymous(), 0, readAgents)
		requireFault(t, err, fault.PermissionDenied)
		got, _, err = r.read(ctx, bob, 0, entered)
		require.NoError(t, err)
		require.Equal(t, []string{"authenticated|pg_catalog, public, pg_temp|on|10s|10s|10s||read committed|" + bobID}, got)
		got, _, err = r.read(ctx, bob, 0, "select (body->'user'->>'id') from vital.caller_context()")
		require.NoError(t, err)
		require.Len(t, got, 1)
	}
	require.NotZero(t, r.stat().Served)
	failed := r.stat().Failed // what was denied, the primary was asked
	for range 3 {
		work := &postgres.Work{Name: "Test", Replica: true, Foreign: true}
		work.Query(readWhere, func(rows pgx.Rows) error {
			got, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
			require.Equal(t, "replica", got)
			return err
		})
		require.NoError(t, r.db.InTenant(ctx, bob, "", work))
	}
	require.Equal(t, failed, r.stat().Failed)
	for why, work := range map[string]*postgres.Work{
		"not allowed":     {},
		"a write":         {Replica: true, Writes: true},
		"of one state":    {Replica: true, Isolation: postgres.RepeatableRead},
		"serializable":    {Replica: true, Isolation: postgres.Serializable},
		"nobody is there": {Replica: true, Least: r.write("fresh") + 1<<40},
	} {
		work.Name = "Test"
		var got []string
		work.Query(readWhere, func(rows pgx.Rows) (err error) {
			got, err = pgx.CollectRows(rows, pgx.RowTo[string])
			return err
		})
		err := r.db.InTenant(ctx, bob, "", work)
		if work.Least > 0 {
			requireFault(t, err, fault.VersionNotReached, why)
			continue
		}
		require.NoError(t, err, why)
		require.Equal(t, []string{"primary"}, got, why)
	}
}

// TestReplica_OwnWrites: who has written through this process reads it back, although the replica lags and they ask
// for nothing.
func TestReplica_OwnWrites(t *testing.T) {
	t.Parallel()
	r := setupReplica(t, postgres.Config{})
	r.awaitReplica()
	r.standby.Pause()
	for i := range 5 {
		title := fmt.Sprintf("own %d", i)
		r.write(title)
		got, _, err := r.read(context.Background(), bob, 0, readPrompts)
		require.NoError(t, err)
		require.Contains(t, got, title)
		title = fmt.Sprintf("step by step %d", i)
		require.NoError(t, r.db.Transact(context.Background(), bob, "", "Test", func(tx *postgres.Tx) error {
			_, err := tx.Exec(context.Background(), "insert into public.prompts (tenant_id, title) values ($1, $2)", tenantB, title)
			return err
		}))
		got, _, err = r.read(context.Background(), bob, 0, readPrompts)
		require.NoError(t, err)
		require.Contains(t, got, title)
	}
}

// TestReplica_MadeUp: who asks for versions that never were keeps nobody else from a replica.
func TestReplica_MadeUp(t *testing.T) {
	t.Parallel()
	r := setupReplica(t, postgres.Config{})
	r.awaitReplica()
	for range 20 {
		for _, least := range []postgres.LSN{r.position() + 1<<30, 1<<64 - 1} {
			started := time.Now()
			_, _, err := r.read(context.Background(), eve, least, readAgents)
			requireFault(t, err, fault.VersionNotReached)
			require.Less(t, time.Since(started), time.Minute)
		}
		require.Equal(t, "replica", r.where(1))
	}
	err := r.db.Run(context.Background(), &postgres.Work{Name: "Test", Least: 1<<64 - 1})
	requireFault(t, err, fault.VersionNotReached)
}

// TestReplica_Hostile: what a forged seal, an injected statement or a lost session may do at a replica is what
// they may do at the primary: nothing.
func TestReplica_Hostile(t *testing.T) {
	t.Parallel()
	r := setupReplica(t, postgres.Config{MaxConns: 1})
	ctx := context.Background()
	r.awaitReplica()
	forged := r.db.Seal(bob, "", time.Now(), 0)
	forged = forged[:len(forged)-64] + "0000000000000000000000000000000000000000000000000000000000000000"
	attack := func(texts ...string) (got []string, err error) {
		work := &postgres.Work{Name: "Attack", Replica: true}
		for _, text := range texts {
			work.Query(text, func(rows pgx.Rows) (err error) {
				got, err = pgx.CollectRows(rows, pgx.RowTo[string])
				return err
			})
		}
		return got, r.db.InTenant(ctx, eve, "", work)
	}
	_, err := attack(become(forged), readAgents)
	requireFault(t, err, fault.SealRejected)
	_, err = attack("insert into public.prompts (tenant_id, title) values ('"+tenantA+"', 'T') returning title", readPrompts)
	requireFault(t, err, fault.ReadOnly)
	_, err = attack("set transaction read write", readAgents)
	require.Error(t, err)
	for _, texts := range leftovers {
		_, _ = attack(append(texts, readAgents)...)
		for range 2 {
			got, _, err := r.read(ctx, bob, 0, "select vital.user_id() || ' ' || name || ' ' || current_setting('search_path') || ' ' || current_setting('TimeZone') from public.agents")
			require.NoError(t, err, texts)
			require.Equal(t, []string{bobID + " agent of B pg_catalog, public, pg_temp UTC"}, got, texts)
		}
	}
	r.exec("insert into vital.revoked_sessions (session_id, expires_at) values ($1, now() + '1 hour')", tenantA)
	caller := bob
	require.NoError(t, caller.SessionID.UnmarshalText([]byte(tenantA)))
	require.Eventually(t, func() bool {
		_, _, err := r.read(ctx, caller, 0, readAgents)
		return fault.CodeOf(err) == fault.SessionRevoked
	}, 30*time.Second, 10*time.Millisecond)
	r.exec("select vital.rotate_seal_key('-1 second')")
	_, _, err = r.read(ctx, bob, 0, readAgents)
	require.NoError(t, err, "a key that is gone there, or not yet there, is the primary's matter")
}

// TestReplica_Lagging: a paused replica never shows less than was asked for, nor anything older than about two
// seconds to who asks for nothing.
func TestReplica_Lagging(t *testing.T) {
	t.Parallel()
	r := setupReplica(t, postgres.Config{})
	ctx := context.Background()
	r.awaitReplica()
	r.standby.Pause()
	least := r.write("one")
	written := time.Now()
	for range 500 {
		got, seen, err := r.read(ctx, bob, least, readPrompts)
		require.NoError(t, err)
		require.Equal(t, []string{"one"}, got)
		require.GreaterOrEqual(t, seen.Position, least)
	}
	refused := r.stat().Refused
	require.NotZero(t, refused)
	require.Less(t, refused, int64(15), "it is not asked for as much again at once")
	require.False(t, r.stat().Down)
	for {
		asked := time.Now()
		got, _, err := r.read(ctx, bob, 0, readPrompts)
		require.NoError(t, err)
		if len(got) == 1 {
			break
		}
		require.Less(t, asked.Sub(written), time.Minute, "a replica that lags is not read from for long")
		time.Sleep(10 * time.Millisecond)
	}
	for range 20 {
		require.Equal(t, "primary", r.where(0))
	}
	r.standby.Resume()
	r.awaitReplica()
	got, _, err := r.read(ctx, bob, 0, readPrompts)
	require.NoError(t, err)
	require.Equal(t, []string{"one"}, got)
}

// TestReplica_LaggingLongPast: asking for what a replica has long since shown does not get anybody what it lacks.
func TestReplica_LaggingLongPast(t *testing.T) {
	t.Parallel()
	r := setupReplica(t, postgres.Config{})
	long := r.write("one")
	r.awaitReplica()
	r.standby.Pause()
	r.write("two")
	// Eve has written nothing here herself.
	require.Eventually(t, func() bool { return r.whereFor(eve, 0) == "primary" }, 30*time.Second, 20*time.Millisecond)
	require.Equal(t, "primary", r.whereFor(eve, long))
	require.Equal(t, "primary", r.whereFor(eve, 1))
}

// whereFor says who answers caller now.
func (r *replicated) whereFor(caller identity.Caller, least postgres.LSN) string {
	r.t.Helper()
	got, _, err := r.read(context.Background(), caller, least, readWhere)
	require.NoError(r.t, err)
	return got[0]
}

// TestReplica_Monotonic: many who write and read at once, while the replica is paused and let go: a read with a
// position shows all that was committed there, whoever answers, and what one read has seen the next sees too.
func TestReplica_Monotonic(t *testing.T) {
	t.Parallel()
	r := setupReplica(t, postgres.Config{MaxConns: 8, AcquireTimeout: time.Minute})
	r.exec("insert into prompts (tenant_id, title) values ('" + tenantA + "', '0'), ('" + tenantB + "', '0')")
	r.awaitReplica()
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Second)
	defer cancel()
	type state struct {
		least postgres.LSN
		count int
		where string
	}
	var newest [2]atomic.Pointer[state]
	callers := [2]identity.Caller{eve, bob}
	failures := make(chan error, 64)
	var wait sync.WaitGroup
	for side := range callers {
		newest[side].Store(&state{})
		wait.Go(func() { // counts up
			for n := 1; ctx.Err() == nil; n++ {
				work := &postgres.Work{Name: "Test", Writes: true, Observe: true}
				work.Query("update public.prompts set title = $1", nil, strconv.Itoa(n))
				if err := r.db.InTenant(context.Background(), callers[side], "", work); err != nil {
					failures <- err
					return
				}
				newest[side].Store(&state{work.Position, n, "own write"})
			}
		})
		for range 4 {
			wait.Go(func() {
				var own state
				for ctx.Err() == nil {
					if said := newest[side].Load(); said.count > own.count {
						own = *said
					}
					got, seen, err := r.read(context.Background(), callers[side], own.least, "select vital.user_id() || ' ' || title || case when pg_is_in_recovery() then ' replica' else ' primary' end from public.prompts")
					if err != nil {
						failures <- err
						return
					}
					var who, where string
					var count int
					_, _ = fmt.Sscan(got[0], &who, &count, &where)
					if len(got) != 1 || count < own.count || who != callers[side].UserID.String() {
						failures <- fmt.Errorf("saw %q, position %s, having seen %d at %s by %s", got, seen.Position, own.count, own.least, own.where)
						return
					}
					own = state{seen.Position, count, where} // what was seen is asked for from now on
				}
			})
		}
	}
	for ctx.Err() == nil {
		r.standby.Pause()
		time.Sleep(50 * time.Millisecond)
		r.standby.Resume()
		time.Sleep(200 * time.Millisecond)
	}
	wait.Wait()
	close(failures)
	for err := range failures {
		require.NoError(t, err)
	}
	s := r.stat()
	t.Logf("served %d, refused %d, failed %d; versions %d and %d", s.Served, s.Refused, s.Failed, newest[0].Load().count, newest[1].Load().count)
	require.NotZero(t, s.Served)
	require.NotZero(t, s.Refused)
}

// readers ask all the time until done is closed, and return the first error and how long the slowest took.
func (r *replicated) readers(n int, done <-chan struct{}) (result func() (time.Duration, error)) {
	var wait sync.WaitGroup
	var slowest atomic.Int64
	failures := make(chan error, n)
	for range n {
		wait.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				started := time.Now()
				got, _, err := r.read(context.Background(), bob, 0, readAgents)
				if took := int64(time.Since(started)); took > slowest.Load() {
					slowest.Store(took)
				}
				if err == nil && (len(got) != 1 || got[0] != "agent of B") {
					err = fmt.Errorf("saw %q", got)
				}
				if err != nil {
					failures <- err
					return
				}
			}
		})
	}
	return func() (time.Duration, error) {
		wait.Wait()
		close(failures)
		var all error
		for err := range failures {
			all = errors.Join(all, err)
		}
		return time.Duration(slowest.Load()), all
	}
}

// TestReplica_Killed: nobody sees an error when a replica dies, or when it comes back, and it is used again.
func TestReplica_Killed(t *testing.T) {
	t.Parallel()
	r := setupReplica(t, postgres.Config{AcquireTimeout: time.Minute})
	r.awaitReplica()
	done := make(chan struct{})
	result := r.readers(4, done)
	for range 2 {
		r.standby.Kill()
		r.await("down", func(s postgres.ReplicaStat) bool { return s.Down })
		require.Equal(t, "primary", r.where(0))
		r.awaitReplica()
	}
	close(done)
	_, err := result()
	require.NoError(t, err)
}

// TestReplica_Frozen: a replica that is there and does not answer holds nobody up for long.
func TestReplica_Frozen(t *testing.T) {
	t.Parallel()
	r := setupReplica(t, postgres.Config{AcquireTimeout: time.Minute})
	r.awaitReplica()
	done := make(chan struct{})
	result := r.readers(4, done)
	r.standby.Freeze()
	r.await("down", func(s postgres.ReplicaStat) bool { return s.Down })
	for range 5 {
		started := time.Now()
		require.Equal(t, "primary", r.where(0))
		require.Less(t, time.Since(started), time.Minute)
	}
	r.standby.Thaw()
	r.awaitReplica()
	close(done)
	slowest, err := result()
	require.NoError(t, err)
	require.Less(t, slowest, time.Minute)
	t.Log("slowest", slowest)
}

// TestOpen_Replicas: one that cannot be reached is looked for later; one that must not be used is an error.
func TestOpen_Replicas(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	standby := pgtest.NewStandby(t)
	ctx := context.Background()
	open := func(urls ...string) (*postgres.DB, error) {
		return postgres.Open(ctx, postgres.Config{URL: b.APIURL, ServiceURL: b.ServiceURL, ReplicaURLs: urls})
	}
	_, err := open("postgres://user:pa ss@%zz")
	requireFault(t, err, fault.ConfigInvalid)
	for _, address := range []string{b.URL, b.ServiceURL} {
		_, err := open(standby.URL(b.APIURL), standby.URL(address))
		requireFault(t, err, fault.UnsafeDatabaseRole, address)
		require.Contains(t, fault.From(err).Hint, "VITAL_REPLICA_URLS")
	}
	other := pgtest.New(t)
	_, err = open(other.APIURL)
	requireFault(t, err, fault.ConfigInvalid, "another database")
	for _, address := range []string{"postgres://vital_api:wrong@127.0.0.1:1/x", b.APIURL} { // nobody there; the primary itself
		db, err := open(address)
		require.NoError(t, err, address)
		require.True(t, db.Replicas()[0].Down, address)
		got := ""
		work := &postgres.Work{Name: "Test", Replica: true}
		work.Query(readWhere, func(rows pgx.Rows) (err error) {
			got, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
			return err
		})
		require.NoError(t, db.InTenant(ctx, bob, "", work))
		require.Equal(t, "primary", got)
		db.Close()
	}
}

// TestReplica_Promoted: what is no standby any more answers nothing, though it is there.
func TestReplica_Promoted(t *testing.T) {
	t.Parallel()
	r := setupReplica(t, postgres.Config{})
	r.awaitReplica()
	r.standby.Promote()
	served := r.stat().Served
	for range 50 {
		require.Equal(t, "primary", r.where(0))
		require.NotZero(t, r.write("after"))
		time.Sleep(time.Millisecond)
	}
	require.Equal(t, served, r.stat().Served)
}
