package postgres_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
)

// become is the injected statement that puts another seal in place of one's own.
func become(seal string) string {
	return "select pg_catalog.set_config('vital.context', '" + strings.ReplaceAll(seal, "'", "''") + "', true)"
}

// requireRefused wants a seal to be good for nothing: an error, not an empty answer, and no state left.
func (b *bundle) requireRefused(seal string, code fault.Code, why string) {
	b.t.Helper()
	for _, after := range []string{readAgents, "select vital.user_id()::text", "select body::text from vital.caller_context()"} {
		got, err := b.run(eve, become(seal), after)
		requireFault(b.t, err, code, why)
		require.Empty(b.t, got, why)
	}
	b.requireBob()
}

// bobsPayload is Bob's identity as it stands in a seal of this server, before the mac.
func (b *bundle) bobsPayload() string {
	seal := b.db.Seal(bob, "", time.Now(), 0)
	return seal[:strings.LastIndexByte(seal, '.')]
}

func TestInTenant_ForgedSeal(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	payload := b.bobsPayload()
	for name, key := range map[string][]byte{
		"guessed key": []byte("guessed"), "empty key": {}, "zero key": make([]byte, 32), "name of the key": []byte(b.db.KeyID()),
	} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(payload))
		b.requireRefused(payload+"."+hex.EncodeToString(mac.Sum(nil)), fault.SealRejected, name)
	}
	plain := sha256.Sum256([]byte(payload))
	b.requireRefused(payload+"."+hex.EncodeToString(plain[:]), fault.SealRejected, "a hash without a key")
	b.requireRefused(payload+".", fault.SealRejected, "no mac")
	b.requireRefused(payload, fault.SealRejected, "payload alone")
}

// TestInTenant_SealedByServer: the refusals of these tests are not for some other reason. Whoever holds
// the key is believed.
func TestInTenant_SealedByServer(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	got, err := b.run(eve, become(b.db.Seal(bob, "", time.Now(), 0)), readAgents)
	require.NoError(t, err)
	require.Equal(t, []string{"agent of B"}, got)
}

func TestInTenant_EditedSeal(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	own, err := b.run(eve, "select current_setting('vital.context')")
	require.NoError(t, err)
	seal := own[0]
	require.Contains(t, seal, eveID, "Eve can read her own seal; it must not help her")
	part := strings.Split(seal, ".")
	require.Len(t, part, 9)
	for i, replacement := range map[int]string{
		0: "2", 1: "other", 2: bobID, 3: tenantB, 4: "service_role", 5: bobID, 6: "99999999999", 7: "0",
	} {
		edited := append([]string{}, part...)
		edited[i] = replacement
		b.requireRefused(strings.Join(edited, "."), fault.SealRejected, fmt.Sprintf("part %d edited", i+1))
	}
	b.requireRefused(strings.ToUpper(seal), fault.SealRejected, "upper case")
	b.requireRefused(seal[:len(seal)-1]+"0"+"0", fault.SealRejected, "longer")
	b.requireRefused(seal[:len(seal)-2], fault.SealRejected, "cut off")
}

func TestInTenant_ExpiredSeal(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	b.requireRefused(b.db.Seal(eve, "", time.Now().Add(-time.Hour), 0), fault.SealExpired, "an hour old")
	b.requireRefused(b.db.Seal(bob, "", time.Now().Add(-postgres.SealTTL-2*time.Second), 0), fault.SealExpired, "just over")
}

// TestInTenant_ReplayedSeal: a seal stays good to the end of the transaction it opened, however long
// that takes, and opens none after its time.
func TestInTenant_ReplayedSeal(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	ctx := context.Background()
	conn := b.raw("authenticated", "")
	var started time.Time
	var who string
	tx, err := conn.Begin(ctx)
	require.NoError(t, err)
	require.NoError(t, tx.QueryRow(ctx, "select now()").Scan(&started))
	// Sealed so long before this transaction that a second is left of it.
	seal := b.db.Seal(eve, "", started.Add(time.Second-postgres.SealTTL), conn.PgConn().PID())
	_, err = tx.Exec(ctx, become(seal))
	require.NoError(t, err)
	_, err = tx.Exec(ctx, "select pg_sleep(2.1)")
	require.NoError(t, err)
	require.NoError(t, tx.QueryRow(ctx, "select vital.user_id()::text").Scan(&who))
	require.Equal(t, eveID, who)
	require.NoError(t, tx.Commit(ctx))

	tx, err = conn.Begin(ctx)
	require.NoError(t, err)
	_, err = tx.Exec(ctx, become(seal))
	require.NoError(t, err)
	requireState(t, tx.QueryRow(ctx, "select vital.user_id()::text").Scan(&who), "VT002")
}

func TestInTenant_OtherBackendsSeal(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	pid, err := b.run(bob, "select pg_backend_pid()::text")
	require.NoError(t, err)
	other := b.ConnectAPI(t).PgConn().PID()
	require.NotEqual(t, pid[0], fmt.Sprint(other))
	b.requireRefused(b.db.Seal(bob, "", time.Now(), other), fault.SealRejected, "made for another connection")

	// The same the other way round: a seal read out of a request and carried to a connection of its own.
	own, err := b.run(eve, "select current_setting('vital.context')")
	require.NoError(t, err)
	requireState(t, b.raw("authenticated", own[0]).QueryRow(context.Background(), readAgents).Scan(new(string)), "VT001")
}

func TestInTenant_MalformedSeal(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	mac := strings.Repeat("0", 64)
	key := b.db.KeyID()
	for name, seal := range map[string]string{
		"blank": " ", "word": "eve", "one part": "1", "null": "null", "json": `{"sub":"` + bobID + `"}`,
		"eight parts": "1." + key + "." + bobID + ".....", "ten parts": "1." + key + "." + bobID + "..authenticated...9999999999.0." + mac,
		"only dots": "........", "empty key": "1.." + bobID + "..authenticated..9999999999.0." + mac,
		"key of another case": "1." + strings.ToUpper(key) + "." + bobID + "..authenticated..9999999999.0." + mac,
		"SQL":                 "1.' or true --." + bobID + "..authenticated..9999999999.0." + mac,
		"SQL for all of it":   "'); set role service_role; --",
		"no number":           "1." + key + "." + bobID + "..authenticated..soon.0." + mac,
		"no id":               "1." + key + ".bob..authenticated..9999999999.0." + mac,
		"very long":           "1." + key + "." + strings.Repeat("x", 1<<20) + "..authenticated..9999999999.0." + mac,
		"very many parts":     strings.Repeat(".", 100_000),
		"unicode":             "1." + key + "." + bobID + "..authenticatéd\u202e..9999999999.0." + mac,
		"unicode mac":         "1." + key + "." + bobID + "..authenticated..9999999999.0." + strings.Repeat("０", 64),
		"line breaks":         "1.\n" + key + "." + bobID + "..authenticated..9999999999.0." + mac,
	} {
		got, err := b.run(eve, become(seal), readAgents)
		requireFault(t, err, fault.SealRejected, name)
		require.Empty(t, got, name)
	}
	b.requireBob()
}

// TestInTenant_TenantWithDots: what names the tenant cannot spill over into the parts beside it.
func TestInTenant_TenantWithDots(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	for _, tenant := range []string{"a.b", tenantA + ".service_role", "." + tenantB + ".", "\x00", "a'b"} {
		work := &postgres.Work{Name: "Test"}
		work.Query(readAgents, nil)
		err := b.db.InTenant(context.Background(), eve, tenant, work)
		if tenant == "a'b" { // a name that no tenant has
			require.NoError(t, err)
			continue
		}
		require.Error(t, err, "%q", tenant)
	}
	b.requireBob()
}

// TestInTenant_NoContext: without an identity there is no row and no error, whichever role asks.
func TestInTenant_NoContext(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	b.requireAnonymous()
	nobody := identity.Caller{Role: identity.Authenticated}
	for _, table := range []string{"organizations", "users", "profiles", "user_tenants", "agents", "tenant_configurations", "tenant_full_config"} {
		got, err := b.run(nobody, "select 'row' from public."+table)
		require.NoError(t, err)
		require.Empty(t, got, table)
	}
	for _, erased := range []string{become(""), "reset vital.context", "set local vital.context to default"} {
		got, err := b.run(eve, erased, "select coalesce(vital.user_id()::text, 'nobody')")
		require.NoError(t, err)
		require.Equal(t, []string{"nobody"}, got, erased)
	}
	_, err := b.run(identity.Caller{Role: identity.ServiceRole}, "select 'row' from public.agents")
	requireFault(t, err, fault.PermissionDenied, "the tenant pool cannot become service_role")
}

// A session that was ended is refused in the next transaction, whatever its token says; another one of the
// same user goes on.
func TestInTenant_RevokedSession(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	ended, going := bob, bob
	ended.SessionID, going.SessionID = uuid.New(), uuid.New()
	_, err := b.run(ended, readAgents)
	require.NoError(t, err)
	b.exec("insert into vital.revoked_sessions (session_id, expires_at) values ($1, now() + interval '1 hour')", ended.SessionID)
	for range 2 {
		_, err = b.run(ended, readAgents)
		requireFault(t, err, fault.SessionRevoked)
		_, err = b.run(going, readAgents)
		require.NoError(t, err)
	}
	b.requireBob()
	_, err = b.run(eve, "select session_id::text from vital.revoked_sessions")
	requireFault(t, err, fault.PermissionDenied)
}
