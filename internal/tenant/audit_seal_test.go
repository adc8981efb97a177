package tenant_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/envelope"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/tenant"
)

// sealStage is auditStage with all rows sealed, but those that say nothing.
type sealStage struct {
	*auditStage
	ring *envelope.Ring
}

func newSealStage(t *testing.T) *sealStage {
	t.Helper()
	s := &sealStage{newAuditStage(t), envelope.NewRing(time.Now())}
	sealed := s.seal(t)
	require.NotZero(t, sealed.Rows)
	require.Zero(t, s.count(t, "changes is not null or reason is not null"))
	return s
}

func (s *sealStage) seal(t *testing.T) tenant.SealedAudit {
	t.Helper()
	sealed, err := tenant.SealAudit(context.Background(), s.service, tenant.AuditSeal{Ring: s.ring, Before: time.Now().Add(time.Hour)})
	require.NoError(t, err)
	require.NoError(t, sealed.Err)
	return sealed
}

func (s *sealStage) count(t *testing.T, where string) (n int) {
	t.Helper()
	require.NoError(t, s.db.Connect(t).QueryRow(context.Background(), "select count(*) from organization_audit_log where "+where).Scan(&n))
	return n
}

// found verifies within tx with a ring, and returns findings as `kind seq` and the summary.
func (s *sealStage) found(t *testing.T, tx pgx.Tx, ring *envelope.Ring) ([]string, tenant.AuditSummary) {
	t.Helper()
	var found []string
	summary, err := tenant.VerifyAudit(context.Background(), tx, tenant.AuditCheck{Ring: ring, Found: func(f tenant.AuditFinding) error {
		if f.Kind != tenant.CheckpointForged { // no key is named here
			found = append(found, fmt.Sprintf("%s %s%d", f.Kind, strings.ToUpper(f.Tenant.String()[:1]), f.Seq))
		}
		return nil
	}})
	require.NoError(t, err)
	slices.Sort(found)
	return found, summary
}

// look is found in a transaction of its own.
func (s *sealStage) look(t *testing.T, ring *envelope.Ring) (found []string, summary tenant.AuditSummary) {
	t.Helper()
	require.NoError(t, tenant.LookAtAudit(context.Background(), s.db.Connect(t), func(tx pgx.Tx) error {
		found, summary = s.found(t, tx, ring)
		return nil
	}))
	return found, summary
}

func (s *sealStage) list(t *testing.T, ring *envelope.Ring) (entries []tenant.AuditEntry) {
	t.Helper()
	require.NoError(t, tenant.LookAtAudit(context.Background(), s.db.Connect(t), func(tx pgx.Tx) error {
		return tenant.ListAudit(context.Background(), tx, tenant.AuditFilter{Ring: ring}, func(e tenant.AuditEntry) error {
			entries = append(entries, e)
			return nil
		})
	}))
	return entries
}

// What was sealed is gone from the table, and is read and verified as it was, with the ring; without, the chain still holds.
func TestSealAudit(t *testing.T) {
	t.Parallel()
	s := &sealStage{newAuditStage(t), envelope.NewRing(time.Now())}
	before := s.list(t, s.ring)
	young, err := tenant.SealAudit(context.Background(), s.service, tenant.AuditSeal{Ring: s.ring, Before: time.Now().Add(-time.Hour)})
	require.NoError(t, err)
	require.Zero(t, young.Rows, "what is young stays in clear")
	a := uuid.MustParse(chainA)
	_, err = tenant.SealAudit(context.Background(), s.service, tenant.AuditSeal{Ring: s.ring, Before: time.Now().Add(time.Hour), Tenant: &a})
	require.NoError(t, err)
	require.Zero(t, s.count(t, "sealed_key is not null and organization_id <> '"+chainA+"'"), "another tenant is left alone")
	s.seal(t)
	require.Zero(t, s.count(t, "changes is not null or reason is not null"))
	require.Equal(t, 1, s.count(t, "erased_at is not null"))
	require.Zero(t, s.seal(t).Rows)

	after := s.list(t, s.ring)
	require.Len(t, after, len(before))
	opened := 0
	for i, was := range before {
		is := after[i]
		if is.SealedKey != nil {
			require.Equal(t, tenant.Opened, is.Sealed)
			require.JSONEq(t, string(was.Changes), string(is.Changes))
			is.Changes, is.SealedKey, is.Sealed = was.Changes, nil, ""
			opened++
		}
		require.Equal(t, was, is)
	}
	found, summary := s.look(t, s.ring)
	require.Empty(t, found)
	require.Equal(t, opened, summary.Opened)
	require.Zero(t, summary.Closed+summary.ErasedByKey)

	for name, ring := range map[string]*envelope.Ring{"none": nil, "another": envelope.NewRing(time.Now())} {
		found, summary = s.look(t, ring)
		require.Empty(t, found, name)
		require.Equal(t, opened, summary.Closed, name)
		for _, e := range s.list(t, ring) {
			if e.SealedKey != nil {
				require.Equal(t, tenant.Closed, e.Sealed)
				require.Nil(t, e.Reason)
			}
		}
	}
}

// A sealed row that is changed behind the triggers is found, as one in clear is.
func TestVerifyAudit_SealedTampering(t *testing.T) {
	t.Parallel()
	s := newSealStage(t)
	conn := s.db.Connect(t)
	ctx := context.Background()
	of := func(alias, chain string, seq int) string {
		return fmt.Sprintf("%s.organization_id = '%s' and %s.seq = %d", alias, chain, alias, seq)
	}
	for _, c := range []struct {
		name, tamper string
		want         []string
	}{
		{"a bit", set(5, "sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1)"), []string{"content_edited A5"}},
		{"cut", set(5, "sealed = substr(sealed, 1, 30)"), []string{"content_edited A5"}},
		{"another version", set(5, "sealed = set_byte(sealed, 0, 2)"), []string{"content_edited A5"}},
		{"garbage", set(5, "sealed = '\\x01'::bytea || decode(repeat('00', 80), 'hex')"), []string{"content_edited A5"}},
		{"of another row", "update organization_audit_log a set sealed = b.sealed from organization_audit_log b where " + of("b", chainA, 6) + " and " + of("a", chainA, 5), []string{"content_edited A5"}},
		{"of another tenant", "update organization_audit_log a set sealed = b.sealed from organization_audit_log b where " + of("b", chainB, 5) + " and " + of("a", chainA, 5), []string{"content_edited A5"}},
		{"of another tenant, with its key", "update organization_audit_log a set sealed = b.sealed, sealed_key = b.sealed_key from organization_audit_log b where " + of("b", chainB, 5) + " and " + of("a", chainA, 5), []string{"erasure_unrecorded A5"}},
		{"half gone", set(5, "sealed = null"), []string{"sealing_broken A5"}},
		{"key's name gone", set(5, "sealed_key = null"), []string{"sealing_broken A5"}},
		{"both gone", set(5, "sealed = null, sealed_key = null"), []string{"erasure_unmarked A5"}},
		{"clear beside", set(5, "reason = 'x'"), []string{"sealing_broken A5"}},
		{"marked erased", set(5, "erased_at = now()"), []string{"sealing_broken A5"}},
		{"commitment", set(5, "commitment = sha256('x')"), []string{"content_edited A5", "row_edited A5"}},
		{"key damaged", "update vital.tenant_keys set wrapped = set_byte(wrapped, 40, get_byte(wrapped, 40) # 1) where tenant_id = '" + chainA + "'", []string{"key_broken A1"}},
		{"keys swapped", "update vital.tenant_keys a set wrapped = b.wrapped from vital.tenant_keys b where a.tenant_id = '" + chainA + "' and b.tenant_id = '" + chainB + "'", []string{"key_broken A1"}},
		{"key destroyed in secret", "update vital.tenant_keys set wrapped = null, destroyed_at = now() where tenant_id = '" + chainA + "'", []string{"erasure_unrecorded A1"}},
		{"key gone", "delete from vital.tenant_keys where tenant_id = '" + chainB + "'", []string{"erasure_unrecorded B1"}},
	} {
		tx, err := conn.Begin(ctx)
		require.NoError(t, err)
		_, err = tx.Exec(ctx, "set local session_replication_role = replica; "+c.tamper)
		require.NoError(t, err, c.name)
		found, _ := s.found(t, tx, s.ring)
		require.Equal(t, c.want, found, c.name)
		require.NoError(t, tx.Rollback(ctx))
	}
}

// A destroyed key takes the contents along, and nothing else: the chain holds, it is recorded, and other tenants are as before.
func TestDestroyKeys(t *testing.T) {
	t.Parallel()
	s := newSealStage(t)
	ctx := context.Background()
	_, whole := s.look(t, s.ring)
	a, b := uuid.MustParse(chainA), uuid.MustParse(chainB)
	var first, again *time.Time
	destroy := func(id uuid.UUID) (at *time.Time) {
		require.NoError(t, s.service.AsService(ctx, "test", func(tx pgx.Tx) (err error) {
			at, err = tenant.DestroyKeys(ctx, tx, id)
			return err
		}))
		return at
	}
	first = destroy(a)
	require.NotNil(t, first)
	again = destroy(a)
	require.Equal(t, first, again, "it is done once")
	require.Nil(t, destroy(uuid.New()), "who never had a key")
	require.Equal(t, 1, s.count(t, "action = 'destroyed' and entity = 'tenant_keys' and organization_id = '"+chainA+"'"))

	found, summary := s.look(t, s.ring)
	require.Empty(t, found)
	require.NotZero(t, summary.ErasedByKey)
	require.NotZero(t, summary.Opened, "of the other tenants")
	require.Equal(t, whole.Opened, summary.Opened+summary.ErasedByKey)
	for _, e := range s.list(t, s.ring) {
		if e.SealedKey == nil {
			continue
		}
		want := tenant.Opened
		if e.OrganizationID == a {
			want = tenant.ErasedByKey
		}
		require.Equal(t, want, e.Sealed)
	}
	var key uuid.UUID
	require.NoError(t, s.db.Connect(t).QueryRow(ctx, "select key_id from vital.tenant_keys where tenant_id = $1 and wrapped is null", a).Scan(&key), "its row stays")
	err := s.service.AsService(ctx, "test", func(tx pgx.Tx) error {
		_, err := tenant.FindKey(ctx, tx, s.ring, a, key)
		return err
	})
	require.Equal(t, fault.KeyDestroyed, fault.CodeOf(err))
	require.ErrorContains(t, err, first.UTC().Format(time.RFC3339))

	// The tenant lives on: what comes later is sealed with a new key.
	s.db.Exec(t, `update tenant_configurations set limits = '{"max_agents": 4321}'`)
	s.seal(t)
	found, _ = s.look(t, s.ring)
	require.Empty(t, found)
	require.Equal(t, 2, len(values[uuid.UUID](t, s, "select key_id from vital.tenant_keys where tenant_id = '"+chainA+"'")))
	require.NoError(t, s.service.AsService(ctx, "test", func(tx pgx.Tx) error {
		_, err := tenant.LiveKey(ctx, tx, s.ring, b)
		return err
	}))
}

func values[T any](t *testing.T, s *sealStage, query string) []T {
	t.Helper()
	rows, err := s.db.Connect(t).Query(context.Background(), query)
	require.NoError(t, err)
	found, err := pgx.CollectRows(rows, pgx.RowTo[T])
	require.NoError(t, err)
	return found
}

// Sealing is the one thing it lets through: no other row, length, key or role, and nothing twice.
func TestSealAudit_Refused(t *testing.T) {
	t.Parallel()
	s := newSealStage(t)
	ctx := context.Background()
	s.db.Exec(t, `update tenant_configurations set limits = '{"max_agents": 1234}'`)
	fresh := fmt.Sprintf("(select a.id from organization_audit_log a where a.organization_id = '%s' and a.sealed_key is null and a.changes is not null)", chainA)
	key := "(select k.key_id from vital.tenant_keys k where k.tenant_id = '" + chainA + "')"
	fit := fmt.Sprintf("(select '\\x01'::bytea || decode(repeat('00', 28), 'hex') || decode(repeat('00', octet_length(a.salt || convert_to("+
		"coalesce(octet_length(convert_to(a.changes::text, 'UTF8')) || ':' || a.changes::text, '-') || ',-,', 'UTF8'))), 'hex') "+
		"from organization_audit_log a where a.id = %s)", fresh)
	call := func(tenant, key, id, sealed string) string {
		return fmt.Sprintf("select vital.seal_audit('%s', %s, array[%s], array[%s])", tenant, key, id, sealed)
	}
	conn := s.db.Connect(t)
	try := func(role, statement string) (n int64, err error) {
		tx, err := conn.Begin(ctx)
		require.NoError(t, err)
		defer tx.Rollback(ctx)
		_, err = tx.Exec(ctx, "set local role "+role)
		require.NoError(t, err)
		return n, tx.QueryRow(ctx, statement).Scan(&n)
	}
	n, err := try("service_role", call(chainA, key, fresh, fit))
	require.NoError(t, err)
	require.Equal(t, int64(1), n, "as it should be")
	for name, statement := range map[string]string{
		"too short": call(chainA, key, fresh, "substr("+fit+", 1, 40)"), "too long": call(chainA, key, fresh, fit+" || '\\x00'"),
		"other version": call(chainA, key, fresh, "set_byte("+fit+", 0, 2)"), "none": call(chainA, key, fresh, "null::bytea"),
		"sealed already": call(chainA, key, "(select id from organization_audit_log where organization_id = '"+chainA+"' and seq = 5)", fit),
		"erased already": call(chainA, key, "(select id from organization_audit_log where organization_id = '"+chainA+"' and seq = 3)", fit),
		"of another":     call(chainA, key, "(select id from organization_audit_log where organization_id = '"+chainB+"' and sealed_key is null limit 1)", fit),
	} {
		n, err := try("service_role", statement)
		require.NoError(t, err, name)
		require.Zero(t, n, name)
	}
	_, err = try("service_role", call(chainB, key, fresh, fit))
	require.ErrorContains(t, err, "VT203", "another tenant's key")
	for _, role := range []string{"authenticated", "anon", "vital_api", "vital_owner"} {
		_, err = try(role, call(chainA, key, fresh, fit))
		require.ErrorContains(t, err, "42501", role)
		_, err = try(role, "select vital.destroy_tenant_key('"+chainA+"')::text::bigint")
		require.ErrorContains(t, err, "42501", role)
	}
	for _, statement := range []string{
		"update organization_audit_log set sealed = sealed || '\\x00' where sealed is not null", "update organization_audit_log set sealed = null, sealed_key = null where sealed is not null",
		"update organization_audit_log set sealed = null, sealed_key = null, reason = 'in clear again' where sealed is not null",
		"update organization_audit_log set sealed_key = gen_random_uuid() where sealed is not null",
		"update organization_audit_log set sealed = '\\x00', sealed_key = gen_random_uuid(), changes = null, reason = null, salt = null, action = 'x' where sealed is null and erased_at is null",
		"update organization_audit_log set sealed = '\\x00', sealed_key = gen_random_uuid() where erased_at is not null",
		"update organization_audit_log set sealed = '\\x00', changes = null, reason = null, salt = null where sealed is null",
	} {
		for _, role := range []string{"vital_definer", "vital_test_superuser"} {
			_, err := try(role, "with done as ("+statement+" returning 1) select count(*) from done")
			require.ErrorContains(t, err, "VT201", "%s: %s", role, statement)
		}
	}
	_, err = s.db.ConnectAPI(t).Exec(ctx, "set role authenticated; select * from vital.tenant_keys")
	require.ErrorContains(t, err, "42501")
}

func FuzzParseAuditContent(f *testing.F) {
	text := func(s string) *string { return &s }
	salt := bytes.Repeat([]byte{1}, 16)
	f.Add(tenant.AuditContent(salt, text(`{"new": null}`), nil))
	f.Add(tenant.AuditContent(salt, nil, text("ü, 5:x,")))
	f.Add([]byte("0123456789abcdef07:x,-,"))
	f.Fuzz(func(t *testing.T, content []byte) {
		salt, changes, reason, err := tenant.ParseAuditContent(content)
		if err == nil {
			require.Equal(t, content, tenant.AuditContent(salt, changes, reason), "there is one way to write it")
		}
	})
}
