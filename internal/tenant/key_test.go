package tenant_test

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/envelope"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/tenant"
)

// asService runs fn, and returns its error as callers see it.
func (s *auditStage) asService(fn func(tx pgx.Tx) error) error {
	return s.service.AsService(context.Background(), "test", fn)
}

func (s *auditStage) liveKey(t *testing.T, ring *envelope.Ring, id string) (key *envelope.Key, err error) {
	t.Helper()
	err = s.asService(func(tx pgx.Tx) (err error) {
		key, err = tenant.LiveKey(context.Background(), tx, ring, uuid.MustParse(id))
		return err
	})
	return key, err
}

// A tenant has one key, whoever makes it.
func TestLiveKey(t *testing.T) {
	t.Parallel()
	s := newAuditStage(t)
	ring := envelope.NewRing(time.Now())
	made := make([]*envelope.Key, 6)
	var group sync.WaitGroup
	for i := range made {
		group.Go(func() { made[i], _ = s.liveKey(t, ring, chainA) })
	}
	group.Wait()
	for _, key := range made {
		require.NotNil(t, key)
		require.Equal(t, made[0], key)
	}
	other, err := s.liveKey(t, ring, chainB)
	require.NoError(t, err)
	require.NotEqual(t, made[0].ID, other.ID)
	_, err = s.liveKey(t, envelope.NewRing(time.Now()), chainA)
	require.Equal(t, fault.KeyUnavailable, fault.CodeOf(err))
	_, err = s.liveKey(t, ring, uuid.NewString())
	require.Equal(t, fault.TenantNotFound, fault.CodeOf(err))
}

// Keys are wrapped anew again and again while rows are sealed: in the end all is under the newest, and opens with that alone.
func TestRewrapKeys_WhileSealing(t *testing.T) {
	t.Parallel()
	s := newAuditStage(t)
	ctx := context.Background()
	ring := envelope.NewRing(time.Now())
	first := ring.Current()
	var mu sync.Mutex
	current := func() *envelope.Ring { mu.Lock(); defer mu.Unlock(); return ring }
	stop := make(chan struct{})
	var group sync.WaitGroup
	var failed [2]error
	for i := range failed {
		group.Go(func() {
			for n := 0; failed[i] == nil; n++ {
				select {
				case <-stop:
					return
				default:
				}
				failed[i] = s.asService(func(tx pgx.Tx) error {
					_, err := tx.Exec(ctx, "select vital.give_reason('change')")
					if err == nil {
						_, err = tx.Exec(ctx, "update public.tenant_configurations set limits = pg_catalog.jsonb_build_object('max_agents', $1::int)", 1000*(i+1)+n)
					}
					return err
				})
				if failed[i] == nil {
					_, failed[i] = tenant.SealAudit(ctx, s.service, tenant.AuditSeal{Ring: current(), Before: time.Now().Add(time.Hour)})
				}
			}
		})
	}
	for range 8 {
		mu.Lock()
		ring = ring.Grow(time.Now())
		mu.Unlock()
		done, err := tenant.RewrapKeys(ctx, s.service, ring, func(int64) {})
		require.NoError(t, err)
		require.Zero(t, done.Unopened)
	}
	close(stop)
	group.Wait()
	require.NoError(t, failed[0])
	require.NoError(t, failed[1])
	_, err := tenant.RewrapKeys(ctx, s.service, ring, func(int64) {}) // what was made with a ring of before
	require.NoError(t, err)
	last := ring
	for _, name := range ring.Names() {
		if name != ring.Current() {
			last, err = last.Without(name)
			require.NoError(t, err)
		}
	}
	require.NotContains(t, last.Names(), first)
	found, summary := (&sealStage{s, last}).look(t, last)
	require.Empty(t, found)
	require.Greater(t, summary.Opened, 20)
	require.Zero(t, summary.Closed)
}

// A key-encryption key is thrown away once it wraps nothing, and wraps nothing again, whatever a server remembers.
func TestRetireKEK(t *testing.T) {
	t.Parallel()
	s := newAuditStage(t)
	ctx := context.Background()
	old := envelope.NewRing(time.Now())
	_, err := s.liveKey(t, old, chainA)
	require.NoError(t, err)
	ring := old.Grow(time.Now())
	retire := func(id string) (live int64) {
		require.NoError(t, s.asService(func(tx pgx.Tx) (err error) {
			live, err = tenant.RetireKEK(ctx, tx, id)
			return err
		}))
		return live
	}
	require.Equal(t, int64(1), retire(old.Current()))
	done, err := tenant.RewrapKeys(ctx, s.service, ring, func(int64) {})
	require.NoError(t, err)
	require.Equal(t, int64(1), done.Keys)
	require.Zero(t, retire(old.Current()))
	require.Zero(t, retire(old.Current()), "and once more")

	_, err = s.liveKey(t, old, chainB)
	require.Equal(t, fault.StateConflict, fault.CodeOf(err), "a server with the ring of before")
	done, err = tenant.RewrapKeys(ctx, s.service, old, func(int64) {})
	require.NoError(t, err)
	require.Equal(t, int64(1), done.Unopened, "it cannot open what is wrapped since, and leaves it")
	var uses []tenant.KEKUse
	require.NoError(t, s.asService(func(tx pgx.Tx) (err error) {
		uses, err = tenant.CountKeys(ctx, tx)
		return err
	}))
	require.Len(t, uses, 2)
	for _, use := range uses {
		require.Equal(t, use.ID == old.Current(), use.RetiredAt != nil)
		require.Equal(t, use.ID == ring.Current(), use.Keys == 1)
	}
}

// What a backup is missing is taken over: what was destroyed since stays destroyed, and is recorded there too.
func TestCarryKeys(t *testing.T) {
	t.Parallel()
	s := newSealStage(t)
	ctx := context.Background()
	conn := s.db.Connect(t)
	var backup, later bytes.Buffer
	export := func(into *bytes.Buffer) {
		require.NoError(t, pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			_, err := tenant.ExportKeys(ctx, tx, into)
			return err
		}))
	}
	carry := func(text string) (done tenant.Carried, err error) {
		err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) (err error) {
			done, err = tenant.CarryKeys(ctx, tx, strings.NewReader(text))
			return err
		})
		return done, err
	}
	export(&backup)
	ring := s.ring.Grow(time.Now())
	_, err := tenant.RewrapKeys(ctx, s.service, ring, func(int64) {})
	require.NoError(t, err)
	require.NoError(t, s.asService(func(tx pgx.Tx) error {
		if _, err := tenant.DestroyKeys(ctx, tx, uuid.MustParse(chainA)); err != nil {
			return err
		}
		_, err := tenant.RetireKEK(ctx, tx, s.ring.Current())
		return err
	}))
	export(&later)

	done, err := carry(backup.String())
	require.NoError(t, err)
	require.Equal(t, tenant.Carried{}, done, "what is older brings nothing back")
	done, err = carry(later.String())
	require.NoError(t, err)
	require.Equal(t, tenant.Carried{}, done, "nor does the same twice")

	// The database as the backup has it.
	s.db.Exec(t, `truncate vital.tenant_keys, vital.retired_keks`)
	require.NoError(t, pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		_, err := tenant.CarryKeys(ctx, tx, strings.NewReader(backup.String()))
		return err
	}))
	s.db.Exec(t, `begin; set local session_replication_role = replica; delete from organization_audit_log where action = 'destroyed'; 
		update vital.audit_heads h set (seq, hash) = (select a.seq, a.hash from organization_audit_log a where a.organization_id = h.organization_id order by a.seq desc limit 1); commit`)
	found, _ := s.look(t, s.ring)
	require.Empty(t, found)
	done, err = carry(later.String())
	require.NoError(t, err)
	require.Equal(t, int64(1), done.Destroyed)
	require.Positive(t, done.Rewrapped)
	found, summary := s.look(t, ring)
	require.Empty(t, found, "it is recorded in the chain that was restored")
	require.NotZero(t, summary.ErasedByKey)
	require.NotZero(t, summary.Opened)
	_, err = s.liveKey(t, s.ring, uuid.NewString())
	require.Error(t, err)

	for _, wrong := range []string{"{}", "no key", `{"key_id": "x"}`} {
		_, err := carry(wrong)
		require.Equal(t, fault.Invalid, fault.CodeOf(err), wrong)
	}
}
