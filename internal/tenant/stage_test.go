package tenant_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
)

// Tenants and users of the stage.
const (
	platformID = "00000000-0000-0000-0000-000000000001"
	acme       = "00000000-0000-0000-0000-0000000000a1"
	bolt       = "00000000-0000-0000-0000-0000000000b1"
	idle       = "00000000-0000-0000-0000-0000000000c1" // suspended

	olga = "10000000-0000-0000-0000-000000000001" // owner of acme
	owen = "10000000-0000-0000-0000-000000000002" // owner of acme too
	ada  = "10000000-0000-0000-0000-000000000003" // admin of acme
	ben  = "10000000-0000-0000-0000-000000000004" // member of acme
	vic  = "10000000-0000-0000-0000-000000000005" // viewer of acme
	cyd  = "10000000-0000-0000-0000-000000000006" // owner of bolt
	sue  = "10000000-0000-0000-0000-000000000007" // owner of idle
	nina = "10000000-0000-0000-0000-000000000008" // member of nothing
	root = "10000000-0000-0000-0000-000000000009" // super admin, member of nothing
	both = "10000000-0000-0000-0000-00000000000a" // admin of acme and of bolt
)

// stage is a database with three tenants and everybody a write may come from.
type stage struct {
	*pgtest.Database
	super *pgx.Conn // a superuser's, to look behind the policies
	db    *postgres.DB
}

func setUp(t *testing.T) stage {
	t.Helper()
	d := pgtest.New(t)
	d.Exec(t, `
		insert into organizations (id, name, slug, tenant_type, tenant_key) values
			('`+acme+`', 'Acme', 'acme', 'digital_health', 'acme'), ('`+bolt+`', 'Bolt', 'bolt', 'pharmaceuticals', 'bolt');
		insert into organizations (id, name, slug, tenant_type, tenant_key, lifecycle_state) values
			('`+idle+`', 'Idle', 'idle', 'digital_health', 'idle', 'suspended');
		insert into users (id, organization_id, email) values
			('`+olga+`', '`+acme+`', 'olga@acme.test'), ('`+owen+`', '`+acme+`', 'owen@acme.test'), ('`+ada+`', '`+acme+`', 'ada@acme.test'),
			('`+ben+`', '`+acme+`', 'ben@acme.test'), ('`+vic+`', '`+acme+`', 'vic@acme.test'), ('`+cyd+`', '`+bolt+`', 'cyd@bolt.test'),
			('`+sue+`', '`+idle+`', 'sue@idle.test'), ('`+nina+`', null, 'Nina@Away.test'), ('`+root+`', '`+platformID+`', 'root@platform.test'),
			('`+both+`', '`+acme+`', 'both@away.test');
		insert into profiles (id, email) select id, email from users;
		update profiles set role = 'super_admin' where id = '`+root+`';
		insert into user_tenants (tenant_id, user_id, role) values
			('`+acme+`', '`+olga+`', 'owner'), ('`+acme+`', '`+owen+`', 'owner'), ('`+acme+`', '`+ada+`', 'admin'), ('`+acme+`', '`+ben+`', 'member'),
			('`+acme+`', '`+vic+`', 'viewer'), ('`+bolt+`', '`+cyd+`', 'owner'), ('`+idle+`', '`+sue+`', 'owner'),
			('`+acme+`', '`+both+`', 'admin'), ('`+bolt+`', '`+both+`', 'admin');
		insert into feature_flags (flag_key, default_enabled) values ('dark', false), ('gone', true);
		update feature_flags set is_active = false where flag_key = 'gone'`)
	return stage{Database: d, super: d.Connect(t), db: d.Open(t, postgres.Config{MaxConns: 12})}
}

// as runs a query of one value as user acting in tenant ("" for their default), as the server does.
func as[T any](s stage, user, tenant, text string, args ...any) (got T, err error) {
	work := &postgres.Work{Name: "Test", Writes: true}
	work.Query(text, func(rows pgx.Rows) error {
		values, err := pgx.CollectRows(rows, pgx.RowTo[T])
		if err == nil && len(values) > 0 {
			got = values[0]
		}
		return err
	}, args...)
	caller := identity.Caller{Role: identity.Authenticated, UserID: uuid.MustParse(user)}
	err = s.db.InTenant(context.Background(), caller, tenant, work)
	return got, err
}

// must is as where an error fails the test.
func must[T any](t *testing.T, s stage, user, tenant, text string, args ...any) T {
	t.Helper()
	got, err := as[T](s, user, tenant, text, args...)
	require.NoError(t, err, text)
	return got
}

// refused says that text, as user in their default tenant, ends with code.
func refused(t *testing.T, s stage, code fault.Code, user, text string, args ...any) {
	t.Helper()
	_, err := as[any](s, user, "", text, args...)
	require.Equal(t, code, fault.CodeOf(err), "%s as %s: %v", text, user, err)
}

// operate runs a query of one value as service_role.
func operate[T any](s stage, text string, args ...any) (got T, err error) {
	err = s.db.AsService(context.Background(), "Test", func(tx pgx.Tx) error {
		err := tx.QueryRow(context.Background(), text, args...).Scan(&got)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
	return got, err
}

// peek reads one value behind the policies.
func peek[T any](t *testing.T, s stage, text string, args ...any) T {
	t.Helper()
	rows, err := s.super.Query(context.Background(), text, args...)
	require.NoError(t, err, text)
	value, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	require.NoError(t, err, text)
	return value
}

// auditRow is what an audit log holds of one change.
type auditRow struct {
	Tenant, Entity, Action, Actor, Role, Reason string
	Old, New                                    map[string]any
}

// audited runs fn and returns the audit rows it left.
func audited(t *testing.T, s stage, fn func()) []auditRow {
	t.Helper()
	before := peek[[]uuid.UUID](t, s, "select coalesce(array_agg(id), '{}') from organization_audit_log")
	fn()
	rows, err := s.super.Query(context.Background(), `
		select organization_id::text, entity, action, coalesce(actor_id::text, ''), actor_role, coalesce(reason, ''), changes -> 'old', changes -> 'new'
		from organization_audit_log where id <> all ($1) order by created_at, entity`, before)
	require.NoError(t, err)
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (auditRow, error) {
		var r auditRow
		return r, row.Scan(&r.Tenant, &r.Entity, &r.Action, &r.Actor, &r.Role, &r.Reason, &r.Old, &r.New)
	})
	require.NoError(t, err)
	rows.Close()
	return found
}

// atOnce runs fn n times at once and returns how often it went well, and the codes of the others.
func atOnce(n int, fn func(i int) error) (int, map[fault.Code]int) {
	var mu sync.Mutex
	var group sync.WaitGroup
	well, codes := 0, map[fault.Code]int{}
	for i := range n {
		group.Go(func() {
			err := fn(i)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				well++
			} else {
				codes[fault.CodeOf(err)]++
			}
		})
	}
	group.Wait()
	return well, codes
}

// agent makes an agent and returns its id.
func (s stage) agent(t *testing.T, tenant string, tier int) string {
	t.Helper()
	return peek[string](t, s, "insert into agents (tenant_id, name, slug, tier) values ($1, 'A', 'a-' || substr(gen_random_uuid()::text, 1, 8), $2) returning id::text", tenant, tier)
}

// tool makes a tool and returns its id.
func (s stage) tool(t *testing.T, tenant, slug string) string {
	t.Helper()
	return peek[string](t, s, "insert into tools (tenant_id, name, slug) values ($1, $2, $2) returning id::text", tenant, slug)
}

// notAdmins are those who may not do what an admin of their tenant may, each with the error they get.
var notAdmins = map[string]fault.Code{
	ben: fault.PermissionDenied, vic: fault.PermissionDenied, nina: fault.TenantNotFound, sue: fault.TenantSuspended,
}

func describe(rows []auditRow) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = fmt.Sprintf("%s %s", r.Entity, r.Action)
	}
	return out
}
