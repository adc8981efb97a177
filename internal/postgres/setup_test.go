package postgres_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
)

// Eve, an admin of tenant A, controls the SQL of her requests; Bob of tenant B is who she is after.
const (
	tenantA = "00000000-0000-0000-0000-00000000000a"
	tenantB = "00000000-0000-0000-0000-00000000000b"
	eveID   = "10000000-0000-0000-0000-00000000000a"
	bobID   = "10000000-0000-0000-0000-00000000000b"
)

var (
	eve = identity.Caller{Role: identity.Authenticated, UserID: uuid.MustParse(eveID)}
	bob = identity.Caller{Role: identity.Authenticated, UserID: uuid.MustParse(bobID)}
)

const twoTenants = `
insert into organizations (id, name, slug, tenant_type, tenant_key) values
  ('00000000-0000-0000-0000-00000000000a', 'A', 'a', 'digital_health', 'a'),
  ('00000000-0000-0000-0000-00000000000b', 'B', 'b', 'digital_health', 'b');
insert into users (id, organization_id, email) values
  ('10000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0000-00000000000a', 'eve@a.test'),
  ('10000000-0000-0000-0000-00000000000b', '00000000-0000-0000-0000-00000000000b', 'bob@b.test');
insert into profiles (id, email) select id, email from users;
insert into user_tenants (tenant_id, user_id, role) select organization_id, id, 'admin' from users;
insert into agents (tenant_id, name, slug) select id, 'agent of ' || name, 'agent' from organizations where slug in ('a', 'b')`

// bundle is a database with Eve's and Bob's tenants and a server's pools.
type bundle struct {
	*pgtest.Database
	t     *testing.T
	db    *postgres.DB
	super *pgx.Conn
}

// setup gives the server one connection to tenants, so that whatever Eve leaves behind meets Bob, unless
// config asks for more.
func setup(t *testing.T, config postgres.Config) *bundle {
	t.Helper()
	d := pgtest.New(t)
	b := &bundle{Database: d, t: t, super: d.Connect(t)}
	b.exec(twoTenants)
	if config.MaxConns == 0 {
		config.MaxConns = 1
	}
	b.db = d.Open(t, config)
	return b
}

// exec runs statements as superuser.
func (b *bundle) exec(text string, args ...any) {
	b.t.Helper()
	_, err := b.super.Exec(context.Background(), text, args...)
	require.NoError(b.t, err, text)
}

// one reads one value as superuser.
func one[T any](b *bundle, text string, args ...any) T {
	b.t.Helper()
	rows, err := b.super.Query(context.Background(), text, args...)
	require.NoError(b.t, err, text)
	got, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	require.NoError(b.t, err, text)
	return got
}

// run queues texts in one transaction of caller and returns what the last one answered, as text.
func (b *bundle) run(caller identity.Caller, texts ...string) ([]string, error) {
	return b.runIn(context.Background(), caller, &postgres.Work{Name: "Test", Writes: true}, texts...)
}

func (b *bundle) runIn(ctx context.Context, caller identity.Caller, work *postgres.Work, texts ...string) ([]string, error) {
	var got []string
	for i, text := range texts {
		var read func(pgx.Rows) error
		if i == len(texts)-1 {
			read = func(rows pgx.Rows) (err error) {
				got, err = pgx.CollectRows(rows, pgx.RowTo[string])
				return err
			}
		}
		work.Query(text, read)
	}
	err := b.db.InTenant(ctx, caller, "", work)
	return got, err
}

// readAgents is what every caller sees of a table they all may ask.
const readAgents = "select name from public.agents order by name"

// requireBob wants Bob's requests to be as if nobody else existed.
func (b *bundle) requireBob() {
	b.t.Helper()
	got, err := b.run(bob, readAgents)
	require.NoError(b.t, err)
	require.Equal(b.t, []string{"agent of B"}, got)
}

// requireAnonymous wants a request without a user to be nobody.
func (b *bundle) requireAnonymous() {
	b.t.Helper()
	_, err := b.run(identity.Anonymous(), readAgents)
	requireFault(b.t, err, fault.PermissionDenied)
	got, err := b.run(identity.Anonymous(), "select concat_ws('/', current_user, vital.user_id(), public.get_user_tenant_id(), current_setting('vital.context', true))")
	require.NoError(b.t, err)
	require.Equal(b.t, []string{"anon/"}, got)
}

// raw opens a connection as the server's login and enters role with seal, both for the session: what SQL
// could do that had the connection for itself.
func (b *bundle) raw(role, seal string) *pgx.Conn {
	b.t.Helper()
	conn := b.ConnectAPI(b.t)
	_, err := conn.Exec(context.Background(), "select set_config('role', $1, false), set_config('vital.context', $2, false)", role, seal)
	require.NoError(b.t, err)
	return conn
}

func requireFault(t *testing.T, err error, code fault.Code, args ...any) {
	t.Helper()
	require.Error(t, err, args...)
	require.Equal(t, code, fault.CodeOf(err), "%v %v", err, args)
}

func requireState(t *testing.T, err error, state string, args ...any) {
	t.Helper()
	var pgErr *pgconn.PgError
	require.Error(t, err, args...)
	require.True(t, errors.As(err, &pgErr), "%v %v", err, args)
	require.Equal(t, state, pgErr.Code, "%v %v", err, args)
}
