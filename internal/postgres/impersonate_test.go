package postgres_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
)

// whoIsIt is who the transaction is, as the database verifies it.
const whoIsIt = "select concat_ws('|', current_user, (vital.identity()).user_id, public.get_user_tenant_id(), current_setting('search_path'), current_setting('row_security'))"

func TestImpersonate(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	ctx := context.Background()
	tx, err := b.super.Begin(ctx)
	require.NoError(t, err)
	ask := func(tx pgx.Tx) (who string) {
		require.NoError(t, tx.QueryRow(ctx, whoIsIt).Scan(&who))
		return who
	}
	operator := ask(tx)
	for _, c := range []struct {
		caller      identity.Caller
		tenant, who string
	}{
		{eve, "", "authenticated|" + eveID + "|" + tenantA},
		{bob, "b", "authenticated|" + bobID + "|" + tenantB},
		{bob, tenantA, "authenticated|" + bobID}, // no member of it
		{identity.Anonymous(), "", "anon"},
	} {
		sp, err := tx.Begin(ctx)
		require.NoError(t, err)
		require.NoError(t, postgres.Impersonate(ctx, sp, c.caller, c.tenant))
		require.Equal(t, c.who+"|pg_catalog, public, pg_temp|on", ask(sp))
		require.NoError(t, sp.Rollback(ctx))
		require.Equal(t, operator, ask(tx), "the operator again")
	}
	require.NoError(t, postgres.Impersonate(ctx, tx, eve, ""))
	var seal string
	require.NoError(t, tx.QueryRow(ctx, "select current_setting('vital.context')").Scan(&seal))
	require.NoError(t, tx.Rollback(ctx))
	b.requireRefused(seal, fault.SealRejected, "it is bound to the operator's own connection")
}

// TestImpersonate_OtherKey: it seals with the key it reads, and the database believes no other.
func TestImpersonate_OtherKey(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	ctx := context.Background()
	tx, err := b.super.Begin(ctx)
	require.NoError(t, err)
	defer tx.Rollback(ctx)
	require.NoError(t, postgres.Impersonate(ctx, tx, eve, ""))
	_, err = tx.Exec(ctx, "reset role")
	require.NoError(t, err)
	_, err = tx.Exec(ctx, "update vital.seal_keys set outer_pad = sha512(outer_pad)")
	require.NoError(t, err)
	_, err = tx.Exec(ctx, whoIsIt)
	requireState(t, err, "VT001")
}

// TestImpersonate_NoPower: whoever may not read the key or take on the role gets nothing from it.
func TestImpersonate_NoPower(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	ctx := context.Background()
	impersonate := func(address string, caller identity.Caller) error {
		conn, err := pgx.Connect(ctx, address)
		require.NoError(t, err)
		defer conn.Close(ctx)
		tx, err := conn.Begin(ctx)
		require.NoError(t, err)
		return postgres.Impersonate(ctx, tx, caller, "")
	}
	requireFault(t, impersonate(b.APIURL, eve), fault.SealKeyUnavailable)
	requireFault(t, impersonate(b.ServiceURL, eve), fault.PermissionDenied, "it reads the key, and may not become a tenant's role")
	requireFault(t, impersonate(b.APIURL, identity.Caller{Role: identity.ServiceRole}), fault.PermissionDenied)
	requireFault(t, impersonate(b.URL, identity.Caller{Role: "nobody"}), fault.NotFound)
}

func TestVerifiesIdentity(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	ctx := context.Background()
	tx, err := b.super.Begin(ctx)
	require.NoError(t, err)
	defer tx.Rollback(ctx)
	got, err := postgres.VerifiesIdentity(ctx, tx)
	require.NoError(t, err)
	require.True(t, got)
	_, err = tx.Exec(ctx, "alter schema vital rename to other")
	require.NoError(t, err)
	got, err = postgres.VerifiesIdentity(ctx, tx)
	require.NoError(t, err)
	require.False(t, got)
}
