package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/postgres"
)

// TestKey_Rotated: former seals are good for the grace period, and the server takes up the new key by
// itself without a request noticing.
func TestKey_Rotated(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{KeyRefresh: time.Hour})
	former := b.db.KeyID()
	seal := b.db.Seal(bob, "", time.Now(), 0)

	b.exec("select vital.rotate_seal_key('1 hour')")
	require.NotEqual(t, former, one[string](b, "select id from vital.seal_keys where retires_at is null"))
	b.requireBob()
	require.Equal(t, former, b.db.KeyID(), "within the grace period nothing has to change")
	got, err := b.run(eve, become(seal), readAgents)
	require.NoError(t, err)
	require.Equal(t, []string{"agent of B"}, got)

	b.exec("select vital.rotate_seal_key('-1 second')")
	b.requireBob() // the first refusal makes the server look up the key and try again
	require.NotEqual(t, former, b.db.KeyID())
	_, err = b.run(eve, become(seal), readAgents)
	requireState(t, err, "VT001", "a seal of a retired key")
}

// TestKey_RotatedWhileWriting: the second try after a rotation does not write twice.
func TestKey_RotatedWhileWriting(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{KeyRefresh: time.Hour})
	b.requireBob()
	b.exec("select vital.rotate_seal_key('-1 second')")
	_, err := b.run(bob, "insert into public.prompts (tenant_id, title) values ('"+tenantB+"', 'once')", "select 'done'")
	require.NoError(t, err)
	require.Equal(t, 1, one[int](b, "select count(*)::int from prompts where title = 'once'"))
}

// TestKey_TakenUpInTime: the server looks for a new key by itself, before the former one is refused.
func TestKey_TakenUpInTime(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{KeyRefresh: 10 * time.Millisecond})
	former := b.db.KeyID()
	b.exec("select vital.rotate_seal_key('1 hour')")
	require.Eventually(t, func() bool { return b.db.KeyID() != former }, 30*time.Second, 10*time.Millisecond)
	b.requireBob()
}

// TestKey_Unreadable: no role but the sealer reads a key, and one login alone is handed the newest.
func TestKey_Unreadable(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	ctx := context.Background()
	for _, role := range []string{"anon", "authenticated", "service_role", "vital_api", "vital_service", "vital_owner", "vital_definer"} {
		for _, text := range []string{
			"select * from vital.seal_keys", "select count(*) from vital.seal_keys", "table vital.seal_keys",
			"copy vital.seal_keys to stdout", "select k from vital.seal_keys k",
			"update vital.seal_keys set inner_pad = outer_pad", "delete from vital.seal_keys", "truncate vital.seal_keys",
			"insert into vital.seal_keys values ('mine', decode(repeat('00', 64), 'hex'), decode(repeat('00', 64), 'hex'))",
			"create view vital.keys as select * from vital.seal_keys; select * from vital.keys",
			"alter table vital.seal_keys owner to " + role, "grant select on vital.seal_keys to " + role,
			"select vital.seal_key()", "select vital.rotate_seal_key()",
		} {
			if role == "vital_service" && (text == "select vital.seal_key()" || text == "select vital.rotate_seal_key()") {
				continue
			}
			err := pgx.BeginFunc(ctx, b.super, func(tx pgx.Tx) error {
				_, err := tx.Exec(ctx, "set local role "+role)
				require.NoError(t, err)
				_, err = tx.Exec(ctx, text)
				return err
			})
			requireState(t, err, "42501", role, text)
		}
	}
	var id string
	service, err := pgx.Connect(ctx, b.ServiceURL)
	require.NoError(t, err)
	defer service.Close(ctx)
	require.NoError(t, service.QueryRow(ctx, "select id from vital.seal_key()").Scan(&id))
	require.Equal(t, b.db.KeyID(), id)
	requireState(t, service.QueryRow(ctx, "select id from vital.seal_keys").Scan(&id), "42501")
}

// TestKey_TwiceTheSame: two installations never share a key.
func TestKey_TwiceTheSame(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	b.exec("select vital.rotate_seal_key(), vital.rotate_seal_key()")
	require.Equal(t, 3, one[int](b, "select count(distinct inner_pad)::int from vital.seal_keys"))
	require.Equal(t, 0, one[int](b, "select count(*)::int from vital.seal_keys where inner_pad = outer_pad"))
	require.Equal(t, 1, one[int](b, "select count(*)::int from vital.seal_keys where retires_at is null"))
}
