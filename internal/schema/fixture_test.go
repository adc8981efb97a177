package schema_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
)

// Tenants and users of the fixture.
var (
	health  = id(0, 10) // digital_health
	pharma  = id(0, 11) // pharmaceuticals
	pending = id(0, 12)

	ada  = id(1, 1) // admin of health
	ben  = id(1, 2) // member of health and of pharma
	cyd  = id(1, 3) // viewer of pharma
	root = id(1, 9) // super admin, member of nothing
)

// installed is a database with the fixture, and the ways into it.
type installed struct {
	*pgtest.Database
	super *pgx.Conn // a superuser's
	db    *postgres.DB
}

func install(t *testing.T) installed {
	t.Helper()
	d := pgtest.New(t)
	conn := d.Connect(t)
	execute(t, conn, `
		begin; set local role service_role;
		insert into organizations (id, name, slug, tenant_type, tenant_key) values
			('`+health+`', 'Health', 'health', 'digital_health', 'health'),
			('`+pharma+`', 'Pharma', 'pharma', 'pharmaceuticals', 'pharma');
		insert into organizations (id, name, slug, tenant_type, tenant_key, lifecycle_state) values
			('`+pending+`', 'Pending', 'pending', 'digital_health', 'pending', 'pending');
		insert into users (id, organization_id, email) values
			('`+ada+`', '`+health+`', 'ada@health.test'), ('`+ben+`', '`+health+`', 'ben@health.test'),
			('`+cyd+`', '`+pharma+`', 'cyd@pharma.test'), ('`+root+`', '`+health+`', 'root@platform.test');
		insert into profiles (id, email, full_name, tenant_id) select id, email, split_part(email, '@', 1), organization_id from users;
		update profiles set role = 'super_admin' where id = '`+root+`';
		insert into user_tenants (tenant_id, user_id, role) values
			('`+health+`', '`+ada+`', 'admin'), ('`+health+`', '`+ben+`', 'member'),
			('`+pharma+`', '`+ben+`', 'member'), ('`+pharma+`', '`+cyd+`', 'viewer');
		commit`)
	return installed{Database: d, super: conn, db: d.Open(t, postgres.Config{})}
}

// as runs a query of one column as user acting in tenant ("" for their default), as the server does.
func as[T any](d installed, user, tenant, text string, args ...any) ([]T, error) {
	var got []T
	work := &postgres.Work{Name: "Test", Writes: true}
	work.Query(text, func(rows pgx.Rows) error {
		var err error
		got, err = pgx.CollectRows(rows, pgx.RowTo[T])
		return err
	}, args...)
	caller := identity.Caller{Role: identity.Authenticated, UserID: uuid.MustParse(user)}
	err := d.db.InTenant(context.Background(), caller, tenant, work)
	return got, err
}

// asService runs a query of one value as service_role.
func asService[T any](d installed, text string, args ...any) (T, error) {
	var got T
	err := d.db.AsService(context.Background(), "Test", func(tx pgx.Tx) error {
		return tx.QueryRow(context.Background(), text, args...).Scan(&got)
	})
	return got, err
}

// mustService is asService where an error fails the test.
func mustService[T any](t *testing.T, d installed, text string, args ...any) T {
	t.Helper()
	got, err := asService[T](d, text, args...)
	require.NoError(t, err, text)
	return got
}
