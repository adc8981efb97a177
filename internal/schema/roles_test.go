package schema_test

import (
	"context"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/schema"
)

// loginAddress is address for another login, whose password is its name.
func loginAddress(t *testing.T, address, login string) string {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	u.User = url.UserPassword(login, login)
	return u.String()
}

func TestUp_LoginThatMayNotMakeRoles(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	server := ownServer(t)
	address := emptyDatabase(t, server)
	conn := connect(t, address)
	execute(t, conn, "create role plain login password 'plain'; create role maker login createrole password 'maker'")
	execute(t, conn, "do $$ begin execute format('grant all on database %I to plain, maker', current_database()); end $$")
	const footprint = "select count(*) from pg_roles where rolname in ('anon', 'service_role', 'vital_owner')"

	for _, login := range []string{"plain", "maker"} {
		_, err := migrator(t, loginAddress(t, address, login)).Up(ctx)
		require.Equal(t, fault.RoleSetup, fault.CodeOf(err), login)
		require.Contains(t, fault.From(err).Hint, "vital migrate roles | psql")
		require.Contains(t, fault.From(err).Detail, "SQLSTATE 42501")
		require.Zero(t, one[int](t, conn, footprint))
		require.False(t, one[bool](t, conn, "select to_regnamespace('vital') is not null"))
	}

	// The step the hint names, and then the login gets by without further help.
	execute(t, conn, schema.RolesScript())
	_, err := migrator(t, loginAddress(t, address, "plain")).Up(ctx)
	require.Equal(t, fault.RoleSetup, fault.CodeOf(err), "the grant is missing still")
	execute(t, conn, "grant vital_owner, vital_definer, vital_sealer to plain")
	byHand := up(t, loginAddress(t, address, "plain"))
	require.NotEmpty(t, byHand.Objects)
	require.Equal(t, schema.Result{Version: byHand.Version}, up(t, loginAddress(t, address, "plain")))

	// What it made is what a superuser makes.
	other := emptyDatabase(t, server)
	up(t, other)
	require.Equal(t, dump(t, other), dump(t, address))

	_, err = migrator(t, loginAddress(t, address, "maker")).Up(ctx)
	require.Equal(t, fault.RoleSetup, fault.CodeOf(err), "an installed database is no business of another login")
	_, err = migrator(t, loginAddress(t, address, "maker")).Status(ctx)
	require.Equal(t, fault.RoleSetup, fault.CodeOf(err))
}

func TestUp_DatabaseOutOfReach(t *testing.T) {
	t.Parallel()
	_, err := migrator(t, "postgres://nobody@127.0.0.1:1/nothing?connect_timeout=2").Up(context.Background())
	require.Equal(t, fault.DatabaseUnavailable, fault.CodeOf(err))
}
