package postgres_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/postgres"
)

const bobsClaims = `{"sub": "` + bobID + `", "role": "authenticated", "session_id": "` + tenantA + `", "app_metadata": {"tenant_id": "` + tenantB + `"}}`

// authenticator opens a connection as PostgREST's login. The role is the whole cluster's and stays; no
// two tests make it at once because each asks first and takes the other's for its own.
func (b *bundle) authenticator() *pgx.Conn {
	b.t.Helper()
	b.exec(`do $$
		begin
			perform pg_advisory_xact_lock(7165473121);
			if not exists (select from pg_roles where rolname = 'authenticator') then
				create role authenticator login noinherit password 'p';
				grant anon, authenticated to authenticator;
			end if;
		exception when duplicate_object or unique_violation then null;
		end $$`)
	u, err := url.Parse(b.APIURL)
	require.NoError(b.t, err)
	u.User = url.UserPassword("authenticator", "p")
	conn, err := pgx.Connect(context.Background(), u.String())
	require.NoError(b.t, err)
	b.t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// asPostgREST asks who a request is whose claims stand in request.jwt.claims, and beside them a seal.
func asPostgREST(t *testing.T, conn *pgx.Conn, claims, seal string) (who string, err error) {
	t.Helper()
	ctx := context.Background()
	return who, pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true), set_config('vital.context', $2, true)", claims, seal)
		require.NoError(t, err)
		return tx.QueryRow(ctx, "select concat_ws('/', vital.user_id(), public.get_user_tenant_id(), auth.uid(), (select string_agg(name, ',') from public.agents))").Scan(&who)
	})
}

// TestClaims_IgnoredByDefault: nobody is believed about unsealed claims unless the operator said so.
func TestClaims_IgnoredByDefault(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	for _, conn := range []*pgx.Conn{b.authenticator(), b.ConnectAPI(t)} {
		who, err := asPostgREST(t, conn, bobsClaims, "")
		require.NoError(t, err)
		require.Empty(t, who)
	}
}

func TestClaims_AcceptedOfAuthenticatorOnly(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	b.exec("update vital.settings set accept_jwt_claims = true")
	conn := b.authenticator()
	who, err := asPostgREST(t, conn, bobsClaims, "")
	require.NoError(t, err)
	require.Equal(t, bobID+"/"+tenantB+"/"+bobID+"/agent of B", who)
	for _, claims := range []string{"", "{}", "null", `{"sub": null}`, `{"role": "service_role"}`, `{"user_metadata": {"tenant_id": "` + tenantB + `"}}`} {
		who, err := asPostgREST(t, conn, claims, "")
		require.NoError(t, err, claims)
		require.Empty(t, who, claims)
	}
	_, err = asPostgREST(t, conn, "no json", "")
	require.Error(t, err, "claims that are none are an error, not nobody")
	_, err = asPostgREST(t, conn, `{"sub": "bob"}`, "")
	require.Error(t, err)

	// The server's own login never is, whatever its SQL says about itself.
	who, err = asPostgREST(t, b.ConnectAPI(t), bobsClaims, "")
	require.NoError(t, err)
	require.Empty(t, who)
	got, err := b.run(eve, "select set_config('request.jwt.claims', '"+bobsClaims+"', true)", become(""), "select coalesce(vital.user_id()::text, 'nobody')")
	require.NoError(t, err)
	require.Equal(t, []string{"nobody"}, got)
	_, err = b.run(eve, "set session authorization authenticator", readAgents)
	requireState(t, err, "42501")
	b.requireBob()
}

// TestClaims_SealOutranks: where both are there the seal decides, also when it is wrong.
func TestClaims_SealOutranks(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	b.exec("update vital.settings set accept_jwt_claims = true")
	conn := b.authenticator()
	who, err := asPostgREST(t, conn, bobsClaims, b.db.Seal(eve, "", time.Now(), conn.PgConn().PID()))
	require.NoError(t, err)
	require.Equal(t, eveID+"/"+tenantA+"/"+eveID+"/agent of A", who)
	_, err = asPostgREST(t, conn, bobsClaims, strings.Repeat(".", 8))
	requireState(t, err, "VT001")
}

// TestClaims_SettingOutOfReach: no request can make the decision, nor SQL by any setting.
func TestClaims_SettingOutOfReach(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	for _, text := range []string{"update vital.settings set accept_jwt_claims = true", "delete from vital.settings", "select accept_jwt_claims::text from vital.settings", "insert into vital.settings default values"} {
		_, err := b.run(eve, text)
		requireState(t, err, "42501", text)
		err = b.db.AsService(context.Background(), "Test", func(tx pgx.Tx) error {
			_, err := tx.Exec(context.Background(), text)
			return err
		})
		if strings.HasPrefix(text, "select ") {
			require.NoError(t, err, "the daily checks ask for it as service_role")
			continue
		}
		requireState(t, err, "42501", text)
	}
}
