package tenant_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
)

const (
	chainA = "aaaaaaaa-0000-4000-8000-000000000000"
	chainB = "bbbbbbbb-0000-4000-8000-000000000000"
)

// auditKey signs the checkpoints of these tests.
var auditKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))

// auditStage is a database with two chains of several rows, one row of A erased as it should be, and
// checkpoints in the database and kept outside of it.
type auditStage struct {
	db      *pgtest.Database
	service *postgres.Service
	kept    bytes.Buffer
}

func newAuditStage(t testing.TB) *auditStage {
	t.Helper()
	s := &auditStage{db: pgtest.New(t)}
	s.db.Exec(t, `
		insert into organizations (id, name, slug, tenant_type, tenant_key) values
			('`+chainA+`', 'A', 'a-co', 'digital_health', 'a'), ('`+chainB+`', 'B', 'b-co', 'digital_health', 'b')`)
	for i := range 4 {
		s.db.Exec(t, fmt.Sprintf(`
			begin; select set_config('vital.reason', 'change %d', true);
			update tenant_configurations set limits = '{"max_agents": %d}' where tenant_id in ('%s', '%s'); commit`, i, i, chainA, chainB))
	}
	s.db.Exec(t, `select vital.erase_audit(organization_id, id) from organization_audit_log where organization_id = '`+chainA+`' and seq = 3`)
	service, err := postgres.OpenService(context.Background(), postgres.Config{ServiceURL: s.db.ServiceURL})
	require.NoError(t, err)
	t.Cleanup(service.Close)
	s.service = service
	s.checkpoint(t)
	// Rows after the last checkpoint, so that tampering with both kinds is tried.
	s.db.Exec(t, `update tenant_configurations set limits = '{"max_agents": 77}' where tenant_id = '`+chainA+`'`)
	return s
}

func (s *auditStage) checkpoint(t testing.TB) int {
	t.Helper()
	made, err := tenant.CheckpointAudit(context.Background(), s.service, auditKey, time.Time{}, func(made []tenant.Checkpoint) error {
		for _, c := range made {
			line, _ := json.Marshal(c)
			s.kept.Write(append(line, '\n'))
		}
		return nil
	})
	require.NoError(t, err)
	return made
}

// verify returns the findings as `kind seq`, sorted, each once.
func (s *auditStage) verify(t testing.TB, tx pgx.Tx, kept string, keys ...ed25519.PublicKey) []string {
	t.Helper()
	var found []string
	check := tenant.AuditCheck{Keys: append(keys, auditKey.Public().(ed25519.PublicKey)), Found: func(f tenant.AuditFinding) error {
		require.NotEmpty(t, f.What)
		name := "A"
		if f.Tenant.String() == chainB {
			name = "B"
		}
		found = append(found, fmt.Sprintf("%s %s%d", f.Kind, name, f.Seq))
		return nil
	}}
	if kept != "" {
		check.Kept = strings.NewReader(kept)
	}
	summary, err := tenant.VerifyAudit(context.Background(), tx, check)
	require.NoError(t, err)
	require.Equal(t, len(found), summary.Findings)
	slices.Sort(found)
	return slices.Compact(found)
}

func TestVerifyAudit_Clean(t *testing.T) {
	t.Parallel()
	s := newAuditStage(t)
	err := tenant.LookAtAudit(context.Background(), s.db.Connect(t), func(tx pgx.Tx) error {
		require.Empty(t, s.verify(t, tx, s.kept.String()))
		_, err := tx.Exec(context.Background(), "select vital.erase_audit(organization_id, id) from public.organization_audit_log")
		require.Error(t, err, "it can only look")
		return nil
	})
	require.Error(t, err)
}

// chained makes rows of A from the third on hold together again, after their columns were edited.
const rechain = `
do $$
declare r record; prev bytea := decode(repeat('00', 32), 'hex');
begin
  for r in select * from public.organization_audit_log where organization_id = '` + chainA + `' order by seq loop
    if r.salt is not null then r.commitment := vital.audit_commitment(r.salt, r.changes, r.reason); end if;
    r.hash := vital.audit_hash(prev, r.organization_id, r.seq, r.id, r.action, r.actor_id, r.actor_role, r.database_role,
      r.entity, r.entity_id, r.request_id, r.created_at, r.commitment);
    update public.organization_audit_log set previous_hash = prev, hash = r.hash, commitment = r.commitment
    where organization_id = r.organization_id and id = r.id;
    prev := r.hash;
    update vital.audit_heads set seq = r.seq, hash = r.hash where organization_id = r.organization_id;
  end loop;
end $$;`

// set edits one column of one row of A.
func set(seq int, assignment string) string {
	return fmt.Sprintf("update organization_audit_log set %s where organization_id = '%s' and seq = %d;", assignment, chainA, seq)
}

func TestVerifyAudit_Tampering(t *testing.T) {
	t.Parallel()
	s := newAuditStage(t)
	conn := s.db.Connect(t)
	ctx := context.Background()
	var last int
	require.NoError(t, conn.QueryRow(ctx, "select max(seq) from organization_audit_log where organization_id = $1", chainA).Scan(&last))
	signed := last - 1 // the checkpoint's place
	endOf := func(n int) string { return fmt.Sprintf("A%d", n) }
	forge := func(seq int, action string) string {
		return fmt.Sprintf(`
			insert into organization_audit_log (organization_id, id, seq, action, salt, commitment, previous_hash, hash, created_at, database_role)
			select h.organization_id, n.id, %d, '%s', '\x00', vital.audit_commitment('\x00', null, null), h.hash,
				vital.audit_hash(h.hash, h.organization_id, %d, n.id, '%s', null, null, 'ghost', null, null, null, '2026-01-01', vital.audit_commitment('\x00', null, null)),
				'2026-01-01', 'ghost'
			from vital.audit_heads h, (select gen_random_uuid() as id) n where h.organization_id = '%s';`, seq, action, seq, action, chainA)
	}
	for _, c := range []struct {
		name, tamper string
		want         []string // all of these are found
		outside      bool     // the kept checkpoints are needed
	}{
		{"id", set(2, "id = gen_random_uuid()"), []string{"row_edited A2"}, false},
		{"action", set(2, "action = 'x'"), []string{"row_edited A2"}, false},
		{"actor_id", set(2, "actor_id = gen_random_uuid()"), []string{"row_edited A2"}, false},
		{"actor_role", set(2, "actor_role = 'x'"), []string{"row_edited A2"}, false},
		{"actor_role to null", set(2, "actor_role = null"), []string{"row_edited A2"}, false},
		{"database_role", set(2, "database_role = 'x'"), []string{"row_edited A2"}, false},
		{"entity", set(2, "entity = 'x'"), []string{"row_edited A2"}, false},
		{"entity_id", set(2, "entity_id = gen_random_uuid()"), []string{"row_edited A2"}, false},
		{"request_id", set(2, "request_id = 'x'"), []string{"row_edited A2"}, false},
		{"request_id to empty", set(2, "request_id = ''"), []string{"row_edited A2"}, false},
		{"created_at", set(2, "created_at = created_at + interval '1 microsecond'"), []string{"row_edited A2"}, false},
		{"created_at to infinity", set(2, "created_at = 'infinity'"), []string{"row_edited A2"}, false},
		{"created_at beyond counting", set(2, "created_at = '294276-12-31'"), []string{"row_edited A2"}, false},
		{"changes", set(2, `changes = '{"old": 1}'`), []string{"content_edited A2"}, false},
		{"changes to null", set(2, "changes = null"), []string{"content_edited A2"}, false},
		{"reason", set(4, "reason = 'another'"), []string{"content_edited A4"}, false},
		{"salt", set(2, `salt = '\x01'`), []string{"content_edited A2"}, false},
		{"salt to null", set(2, `salt = null`), []string{"content_edited A2"}, false},
		{"commitment", set(2, `commitment = sha256('x')`), []string{"content_edited A2", "row_edited A2"}, false},
		{"previous_hash", set(2, `previous_hash = sha256('x')`), []string{"row_edited A2", "row_misplaced A2"}, false},
		{"hash", set(2, `hash = sha256('x')`), []string{"row_edited A2", "row_misplaced A3"}, false},
		{"hash of the last row", set(last, `hash = sha256('x')`), []string{"head_broken " + endOf(last), "row_edited " + endOf(last)}, false},
		{"seq", set(2, "seq = 1000"), []string{"rows_missing A2", "row_edited A1000"}, false},
		{"organization_id", set(2, "organization_id = '"+chainB+"', seq = 1000"), []string{"rows_missing A2", "row_edited B1000"}, false},
		{"erased unmarked", set(2, "changes = null, reason = null, salt = null"), []string{"erasure_unmarked A2"}, false},
		{"marked unerased", set(2, "erased_at = now()"), []string{"erasure_unmarked A2"}, false},
		{"erased unrecorded", set(2, "changes = null, reason = null, salt = null, erased_at = now()"), []string{"erasure_unrecorded A2"}, false},
		{"erased written back", set(3, `changes = '{}', erased_at = null, salt = '\x00'`), []string{"content_edited A3"}, false},
		{"first row deleted", "delete from organization_audit_log where organization_id = '" + chainA + "' and seq = 1", []string{"rows_missing A1"}, false},
		{"middle rows deleted", "delete from organization_audit_log where organization_id = '" + chainA + "' and seq in (2, 3)", []string{"rows_missing A2"}, false},
		{"last row deleted", fmt.Sprintf("delete from organization_audit_log where organization_id = '%s' and seq = %d", chainA, last), []string{"rows_missing " + endOf(last)}, false},
		{"last rows deleted, head moved back", fmt.Sprintf(`delete from organization_audit_log where organization_id = '%s' and seq > 2;
			update vital.audit_heads h set seq = 2, hash = a.hash from organization_audit_log a
			where h.organization_id = a.organization_id and a.seq = 2 and a.organization_id = '%[1]s'`, chainA), []string{"checkpoint_broken " + endOf(signed)}, false},
		{"chain deleted", "delete from organization_audit_log where organization_id = '" + chainA + "'", []string{"rows_missing A1"}, false},
		{"chain and head deleted", "delete from organization_audit_log where organization_id = '" + chainA + "'; delete from vital.audit_heads where organization_id = '" + chainA + "'",
			[]string{"chain_missing A1", "checkpoint_broken " + endOf(signed)}, false},
		{"truncated", "truncate organization_audit_log", []string{"rows_missing A1", "rows_missing B1"}, false},
		{"everything emptied", "truncate organization_audit_log; truncate vital.audit_heads; truncate vital.audit_checkpoints",
			[]string{"chain_missing A1", "chain_missing B1", "checkpoint_broken " + endOf(signed)}, true},
		{"forged row at the end", forge(last+1, "approved"), []string{"head_broken " + endOf(last+1)}, false},
		{"forged row in the middle", "update organization_audit_log set seq = seq + 1000 where organization_id = '" + chainA + "' and seq >= 3;" +
			"update organization_audit_log set seq = seq - 999 where organization_id = '" + chainA + "' and seq >= 1000;" + forge(3, "approved"),
			[]string{"row_misplaced A3", "row_edited A4"}, false},
		{"two rows swapped", set(2, "seq = 1000") + set(4, "seq = 2") + set(1000, "seq = 4"), []string{"row_edited A2", "row_edited A4", "row_misplaced A2"}, false},
		{"contents of two rows swapped", `update organization_audit_log a set changes = b.changes, reason = b.reason from organization_audit_log b
			where a.organization_id = '` + chainA + `' and b.organization_id = a.organization_id and a.seq in (4, 5) and b.seq = 9 - a.seq`,
			[]string{"content_edited A4", "content_edited A5"}, false},
		{"renumbered", "update organization_audit_log set seq = seq + 100 where organization_id = '" + chainA + "'", []string{"rows_missing A1", "row_edited A101"}, false},
		{"head's hash", "update vital.audit_heads set hash = sha256('x') where organization_id = '" + chainA + "'", []string{"head_broken " + endOf(last)}, false},
		{"head moved on", "update vital.audit_heads set seq = seq + 5 where organization_id = '" + chainA + "'", []string{"rows_missing " + endOf(last+1)}, false},
		{"head moved back", "update vital.audit_heads set seq = seq - 1 where organization_id = '" + chainA + "'", []string{"head_broken " + endOf(last)}, false},
		{"head deleted", "delete from vital.audit_heads where organization_id = '" + chainA + "'", []string{"head_broken " + endOf(last)}, false},
		{"row of another tenant replayed", fmt.Sprintf(`insert into organization_audit_log
			select (jsonb_populate_record(b, jsonb_build_object('organization_id', '%s', 'seq', %d))).* from organization_audit_log b where organization_id = '%s' and seq = 2`,
			chainA, last+1, chainB), []string{"row_edited " + endOf(last+1), "row_misplaced " + endOf(last+1)}, false},
		{"changes edited, commitment and hash too", set(2, `changes = '{"old": 1}', commitment = vital.audit_commitment(salt, '{"old": 1}', reason)`) +
			set(2, "hash = vital.audit_hash(previous_hash, organization_id, seq, id, action, actor_id, actor_role, database_role, entity, entity_id, request_id, created_at, commitment)"),
			[]string{"row_misplaced A3"}, false},
		{"chain rewritten", set(2, `changes = '{"old": 1}'`) + rechain, []string{"checkpoint_broken " + endOf(signed)}, false},
		{"chain rewritten, checkpoint deleted", set(2, `changes = '{"old": 1}'`) + rechain + "delete from vital.audit_checkpoints",
			[]string{"checkpoint_broken " + endOf(signed)}, true},
		{"chain rewritten, checkpoint moved along", set(2, `changes = '{"old": 1}'`) + rechain + `
			update vital.audit_checkpoints c set hash = a.hash from organization_audit_log a where a.organization_id = c.organization_id and a.seq = c.seq`,
			[]string{"checkpoint_forged " + endOf(signed)}, false},
		{"checkpoint deleted", "delete from vital.audit_checkpoints where organization_id = '" + chainA + "'", []string{"checkpoint_missing " + endOf(signed)}, true},
		{"checkpoint's hash", "update vital.audit_checkpoints set hash = sha256('x') where organization_id = '" + chainA + "'", []string{"checkpoint_forged " + endOf(signed)}, false},
		{"checkpoint's time", "update vital.audit_checkpoints set signed_at = signed_at + interval '1 s' where organization_id = '" + chainA + "'", []string{"checkpoint_forged " + endOf(signed)}, false},
		{"checkpoint's time to infinity", "update vital.audit_checkpoints set signed_at = '-infinity' where organization_id = '" + chainA + "'", []string{"checkpoint_forged " + endOf(signed)}, false},
		{"checkpoint's signature", "update vital.audit_checkpoints set signature = set_byte(signature, 3, 255 - get_byte(signature, 3)) where organization_id = '" + chainA + "'",
			[]string{"checkpoint_forged " + endOf(signed)}, false},
		{"another tenant's checkpoint", "update vital.audit_checkpoints a set hash = b.hash, signature = b.signature from vital.audit_checkpoints b where a.organization_id = '" +
			chainA + "' and b.organization_id = '" + chainB + "'", []string{"checkpoint_forged " + endOf(signed)}, false},
		{"checkpoint moved ahead", "update vital.audit_checkpoints set seq = seq + 100 where organization_id = '" + chainA + "'",
			[]string{"checkpoint_broken " + endOf(signed+100)}, false},
	} {
		tx, err := conn.Begin(ctx)
		require.NoError(t, err)
		_, err = tx.Exec(ctx, "set local session_replication_role = replica; "+c.tamper)
		require.NoError(t, err, c.name)
		kept := ""
		if c.outside {
			require.Subset(t, []string{"chain_missing A1", "chain_missing B1"}, s.verify(t, tx, ""), "%s: without what is kept outside it looks well", c.name)
			kept = s.kept.String()
		}
		require.Subset(t, s.verify(t, tx, kept), c.want, c.name)
		require.NoError(t, tx.Rollback(ctx))
	}
}

// A checkpoint by a key nobody named counts for nothing, wherever it is kept.
func TestVerifyAudit_ForeignKey(t *testing.T) {
	t.Parallel()
	s := newAuditStage(t)
	foreign := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, 32))
	var kept bytes.Buffer
	made, err := tenant.CheckpointAudit(context.Background(), s.service, foreign, time.Time{}, func(made []tenant.Checkpoint) error {
		for _, c := range made {
			require.NoError(t, json.NewEncoder(&kept).Encode(c))
		}
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, 1, made, "only A has moved")
	err = tenant.LookAtAudit(context.Background(), s.db.Connect(t), func(tx pgx.Tx) error {
		found := s.verify(t, tx, kept.String())
		require.Len(t, found, 1)
		require.Contains(t, found[0], "checkpoint_forged A")
		require.Empty(t, s.verify(t, tx, kept.String(), foreign.Public().(ed25519.PublicKey)), "a key that was named counts")
		require.Equal(t, []string{"checkpoint_forged A0"}, s.verify(t, tx, "not a checkpoint\n", foreign.Public().(ed25519.PublicKey)))
		return nil
	})
	require.NoError(t, err)
}

func TestAudit_ConcurrentWriters(t *testing.T) {
	t.Parallel()
	s := newAuditStage(t)
	var group sync.WaitGroup
	failures := make([]error, 8)
	for i := range failures {
		group.Go(func() {
			conn, err := pgx.Connect(context.Background(), s.db.URL)
			if err != nil {
				failures[i] = err
				return
			}
			defer conn.Close(context.Background())
			for n := range 20 {
				// In either order, so that locks taken as the statements go would meet.
				first, second := chainA, chainB
				if (i+n)%2 == 0 {
					first, second = second, first
				}
				end := "commit"
				if n%5 == 4 {
					end = "rollback"
				}
				_, err := conn.Exec(context.Background(), fmt.Sprintf(`begin;
					insert into agents (tenant_id, name, slug) values ('%s', 'x', 'a-%d-%d');
					insert into agents (tenant_id, name, slug) values ('%s', 'x', 'a-%d-%d'); %s`, first, i, n, second, i, n, end))
				if err != nil {
					failures[i] = err
					return
				}
			}
		})
	}
	group.Wait()
	for _, err := range failures {
		require.NoError(t, err)
	}
	conn := s.db.Connect(t)
	var rows, gaps, actors int
	require.NoError(t, conn.QueryRow(context.Background(), `
		select count(*), (select count(*) from (select max(seq) - count(*) as gap from organization_audit_log group by organization_id) g where gap <> 0),
			count(*) filter (where database_role = 'vital_test_superuser' and actor_id is null)
		from organization_audit_log where entity = 'agents'`).Scan(&rows, &gaps, &actors))
	require.Equal(t, 8*16*2, rows, "what was rolled back left nothing")
	require.Zero(t, gaps)
	require.Equal(t, rows, actors, "without a context the database role acted")
	require.NoError(t, tenant.LookAtAudit(context.Background(), conn, func(tx pgx.Tx) error {
		require.Empty(t, s.verify(t, tx, s.kept.String()))
		return nil
	}))
}

// Nobody changes the log, whichever role they take on, except to erase, and only vital_definer does.
func TestAudit_AppendOnly(t *testing.T) {
	t.Parallel()
	s := newAuditStage(t)
	conn := s.db.Connect(t)
	ctx := context.Background()
	refused := map[string]int{}
	for _, role := range []string{"vital_test_superuser", "vital_owner", "vital_definer", "service_role", "authenticated", "anon"} {
		for _, statement := range []string{
			"update organization_audit_log set action = 'x'", "update organization_audit_log set erased_at = now()",
			"update organization_audit_log set changes = null, reason = null, salt = null, action = 'x', erased_at = now()",
			"update organization_audit_log set changes = null, reason = null, salt = null",
			"delete from organization_audit_log", "truncate organization_audit_log", "truncate organization_audit_log cascade",
		} {
			tx, err := conn.Begin(ctx)
			require.NoError(t, err)
			_, err = tx.Exec(ctx, "set local role "+role)
			require.NoError(t, err)
			tag, err := tx.Exec(ctx, statement)
			if err == nil { // policies let vital_owner see no row, so there is none to refuse
				require.Zero(t, tag.RowsAffected(), "%s: %s", role, statement)
			} else {
				var state interface{ SQLState() string }
				require.ErrorAs(t, err, &state)
				require.Contains(t, []string{"VT201", "42501"}, state.SQLState(), "%s: %s", role, statement)
				refused[role+" "+state.SQLState()]++
			}
			require.NoError(t, tx.Rollback(ctx))
		}
	}
	require.Equal(t, 7, refused["vital_test_superuser VT201"], "a superuser is refused by the triggers, every time")
	require.Equal(t, 2, refused["vital_owner VT201"], "the owner may truncate, but for the trigger")
	require.Positive(t, refused["vital_definer VT201"])
}

func TestListAudit(t *testing.T) {
	t.Parallel()
	s := newAuditStage(t)
	id := uuid.MustParse(chainA)
	ago := time.Now().Add(-time.Hour)
	for name, c := range map[string]struct {
		filter tenant.AuditFilter
		some   bool
	}{
		"all":           {tenant.AuditFilter{}, true},
		"tenant":        {tenant.AuditFilter{Tenant: &id}, true},
		"actor":         {tenant.AuditFilter{Actor: "vital_test_superuser"}, true},
		"another actor": {tenant.AuditFilter{Actor: "ada@x.test"}, false},
		"action":        {tenant.AuditFilter{Action: "updated"}, true},
		"entity":        {tenant.AuditFilter{Entity: "tenant_configurations"}, true},
		"since":         {tenant.AuditFilter{Since: &ago}, true},
		"until":         {tenant.AuditFilter{Until: &ago}, false},
	} {
		require.NoError(t, tenant.LookAtAudit(context.Background(), s.db.Connect(t), func(tx pgx.Tx) error {
			c.filter.Limit = 3
			count := 0
			err := tenant.ListAudit(context.Background(), tx, c.filter, func(e tenant.AuditEntry) error {
				count++
				require.False(t, name == "tenant" && e.OrganizationID != id)
				require.False(t, name == "action" && e.Action != "updated")
				require.False(t, name == "entity" && *e.Entity != "tenant_configurations")
				return nil
			})
			if c.some {
				require.Equal(t, 3, count, name)
			} else {
				require.Zero(t, count, name)
			}
			return err
		}))
	}
}

// A transaction of many rows settles once: were it once a row, this one would take minutes.
func TestAudit_ManyRows(t *testing.T) {
	t.Parallel()
	s := newAuditStage(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn := s.db.Connect(t)
	_, err := conn.Exec(ctx, `insert into agents (tenant_id, name, slug) select '`+chainA+`', 'x', 'many-' || n from generate_series(1, 20000) n`)
	require.NoError(t, err)
	require.NoError(t, tenant.LookAtAudit(ctx, conn, func(tx pgx.Tx) error {
		require.Empty(t, s.verify(t, tx, s.kept.String()))
		return nil
	}))
}
