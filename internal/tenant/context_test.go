package tenant_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/cache"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
)

func TestReadContext_OK(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, `
		insert into organizations (id, name, slug, tenant_type, tenant_key) values ('00000000-0000-0000-0000-00000000000a', 'A', 'a-co', 'digital_health', 'a');
		insert into users (id, organization_id, email) values ('10000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0000-00000000000a', 'a@x');
		insert into profiles (id, email, full_name) select id, email, email from users;
		insert into user_tenants (tenant_id, user_id, role) select organization_id, id, 'admin' from users`)
	db := d.Open(t, postgres.Config{})
	caller := identity.Caller{Role: identity.Authenticated, UserID: uuid.MustParse("10000000-0000-0000-0000-00000000000a")}
	for range 3 {
		got, err := tenant.ReadContext(context.Background(), db, caller, "")
		require.NoError(t, err)
		require.Equal(t, "00000000-0000-0000-0000-00000000000a", got.TenantID.String())
		var body bytes.Buffer
		_, err = got.WriteTo(&body)
		require.NoError(t, err)
		require.Equal(t, got.Len(), body.Len())
		require.True(t, json.Valid(body.Bytes()), body.String())
	}
}

// deaf is a follower that hears of nothing, and does not know it: as one whose notifications are on their way.
func deaf(t *testing.T, db *postgres.DB) *cache.Follower {
	t.Helper()
	source := cache.Source{Versions: tenant.Versions(db)}
	source.Listen = func(ctx context.Context, heard func(string), current func(time.Time), _ func()) {
		heard("")
		for ctx.Err() == nil {
			current(time.Now())
			time.Sleep(10 * time.Millisecond)
		}
	}
	f := cache.NewFollower(source)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { f.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	require.Eventually(t, f.Whole, 30*time.Second, time.Millisecond)
	return f
}

// A read learns where the log is after it has read: what was committed meanwhile lies before that, and is not shown.
// Whoever brings the position of such a commit must see it, from memory and from a load that others have begun.
func TestContexts_CommittedWhileItWasRead(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	// A read that takes its time behind its snapshot.
	s.Exec(t, `
		alter function vital.context_version(uuid, uuid) rename to prompt_version;
		create function vital.context_version(p_tenant_id uuid, p_user_id uuid) returns text language plpgsql stable as $$
		begin
			perform pg_catalog.pg_sleep(0.5);
			return vital.prompt_version(p_tenant_id, p_user_id);
		end $$;
		grant execute on function vital.context_version(uuid, uuid) to vital_definer`)
	contexts := tenant.NewContexts(s.db, deaf(t, s.db), 1<<20, nil)
	caller := identity.Caller{Role: identity.Authenticated, UserID: uuid.MustParse(ben)}
	read := func(least tenant.Version) (string, bool) {
		got, hit, err := contexts.Read(t.Context(), caller, "", least)
		require.NoError(t, err)
		var body bytes.Buffer
		_, err = got.WriteTo(&body)
		require.NoError(t, err)
		return body.String(), hit
	}
	first := make(chan string)
	go func() {
		body, _ := read(tenant.Version{})
		first <- body
	}()
	time.Sleep(200 * time.Millisecond) // it has begun
	s.Exec(t, "update public.organizations set name = 'Later' where id = '"+acme+"'")
	var position int64
	require.NoError(t, s.super.QueryRow(t.Context(), "select pg_current_wal_insert_lsn() - '0/0'").Scan(&position))
	token := tenant.Version{}.At(postgres.LSN(position))

	shared, _ := read(token)
	require.Contains(t, shared, `"Later"`, "a load that has begun before is not shared")
	require.NotContains(t, <-first, `"Later"`, "what it is about")

	again, _ := read(tenant.Version{}) // what is remembered now may be either
	if !strings.Contains(again, `"Later"`) {
		again, _ = read(token)
		require.Contains(t, again, `"Later"`)
	}
}

// The same from memory: the read is over, and remembered, before the commit is heard of.
func TestContexts_CommittedWhileItWasRead_Remembered(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	contexts := tenant.NewContexts(s.db, deaf(t, s.db), 1<<20, nil)
	caller := identity.Caller{Role: identity.Authenticated, UserID: uuid.MustParse(ben)}
	read := func(least tenant.Version) (tenant.Context, string, bool) {
		got, hit, err := contexts.Read(t.Context(), caller, "", least)
		require.NoError(t, err)
		var body bytes.Buffer
		_, err = got.WriteTo(&body)
		require.NoError(t, err)
		return got, body.String(), hit
	}
	answer, _, _ := read(tenant.Version{})
	_, body, hit := read(answer.Version)
	require.True(t, hit, "what it has said itself it says again")
	require.NotContains(t, body, `"Later"`)
	s.Exec(t, "update public.organizations set name = 'Later' where id = '"+acme+"'")
	_, body, _ = read(tenant.Version{}.At(answer.Version.Position()))
	require.Contains(t, body, `"Later"`, "somebody else's token of the same position may be of a commit that it does not show")
}

// A server that crashed has not come as far in its log as it had said: whoever asks for nothing is answered.
func TestContexts_ShorterLog(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	versions := tenant.Versions(s.db)
	source := cache.Source{
		Listen: func(ctx context.Context, heard func(string), current func(time.Time), _ func()) {
			heard("")
			current(time.Now())
			<-ctx.Done()
		},
		Versions: func(ctx context.Context, scopes []cache.Scope, least int64) ([]cache.Change, int64, error) {
			found, position, err := versions(ctx, scopes, least)
			return found, position + 1<<30, err
		},
	}
	f := cache.NewFollower(source)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { f.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	require.Eventually(t, f.Whole, 30*time.Second, time.Millisecond)
	contexts := tenant.NewContexts(s.db, f, 1<<20, nil)
	caller := identity.Caller{Role: identity.Authenticated, UserID: uuid.MustParse(ben)}
	answer, _, err := contexts.Read(t.Context(), caller, "", tenant.Version{})
	require.NoError(t, err)
	require.Equal(t, acme, answer.TenantID.String())
}
