package population_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/population"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var shape = population.Shape{Tenants: 300, Members: 2, Apps: 3, Flags: 5, Overrides: 2, Agents: 2, Prompts: 3, Recorded: true, PasswordHash: "$argon2id$none"}

// rows are how many rows every table has, but for those of the platform's own chain and what only counts.
func rows(t *testing.T, d *pgtest.Database) map[string]int {
	t.Helper()
	conn := d.Connect(t)
	found, err := conn.Query(t.Context(), `select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where c.relkind = 'r' and n.nspname in ('public', 'auth', 'vital') order by 1`)
	require.NoError(t, err)
	names, err := pgx.CollectRows(found, pgx.RowTo[string])
	require.NoError(t, err)
	counts := map[string]int{}
	for _, name := range names {
		condition := ""
		if name == "public.organization_audit_log" || name == "vital.audit_heads" {
			condition = " where organization_id <> '00000000-0000-0000-0000-000000000001'"
		}
		var n int
		require.NoError(t, conn.QueryRow(t.Context(), "select count(*) from "+name+condition).Scan(&n))
		counts[name] = n
	}
	return counts
}

// demo is a database with the demo tenants.
func demo(t *testing.T) *pgtest.Database {
	t.Helper()
	d := pgtest.New(t)
	require.NoError(t, pgx.BeginFunc(t.Context(), d.Connect(t), func(tx pgx.Tx) error { return tenant.CreateDemo(t.Context(), tx) }))
	return d
}

// TestLoad_AndRemove loads, looks whether all fits together and answers, writes to it, and takes all of it away again.
func TestLoad_AndRemove(t *testing.T) {
	t.Parallel()
	d := demo(t)
	conn := d.Connect(t)
	before := rows(t, d)
	var told []int
	require.NoError(t, population.Load(t.Context(), conn, shape, func(done int) { told = append(told, done) }))
	require.Equal(t, []int{300}, told)
	after := rows(t, d)
	for name, more := range map[string]int{
		"public.organizations": 300, "public.tenant_configurations": 300, "public.users": 600, "auth.users": 600, "public.profiles": 600, "public.user_tenants": 900,
		"public.tenant_apps": 900, "public.feature_flags": 5, "public.tenant_feature_flags": 600, "public.tenant_feature_flag_versions": 600, "public.agents": 600,
		"public.prompts": 900, "public.organization_audit_log": 300, "vital.audit_heads": 300, "vital.versions": 300 + 2*600,
	} {
		require.Equal(t, before[name]+more, after[name], name)
	}
	require.NoError(t, population.Settle(t.Context(), conn))
	found, err := population.Find(t.Context(), conn)
	require.NoError(t, err)
	require.True(t, found.Whole())
	require.Zero(t, found.Others, "the demo's are not others")
	require.Equal(t, shape.Prompts, found.Shape.Prompts)

	requireConsistent(t, d)
	db := d.Open(t, postgres.Config{})
	for _, n := range []int{1, 150, 300} {
		for k := 1; k <= 2; k++ {
			got, err := tenant.ReadContext(t.Context(), db, identity.Caller{Role: identity.Authenticated, UserID: population.UserID(shape.User(n, k))}, "")
			require.NoError(t, err)
			require.Equal(t, population.TenantID(n), got.TenantID)
		}
	}
	// A user of the demo's joins one of them and makes it their default; what they wrote there goes, and they stay.
	d.Exec(t, `update users set organization_id = $1 where email = 'dana@pharma.vital.test'`, population.TenantID(7))
	d.Exec(t, `insert into prompts (tenant_id, title) values ($1, 'More')`, population.TenantID(7))
	d.Exec(t, `update tenant_configurations set enabled_features = '{}' where tenant_id = $1`, population.TenantID(7))
	requireConsistentAudit(t, d)
	require.NoError(t, population.Remove(t.Context(), conn, found, nil))
	gone := rows(t, d)
	require.Equal(t, before, gone)
	var homeless bool
	require.NoError(t, conn.QueryRow(t.Context(), "select organization_id is null from users where email = 'dana@pharma.vital.test'").Scan(&homeless))
	require.True(t, homeless)
	requireConsistentAudit(t, d)
	require.NoError(t, population.Load(t.Context(), conn, shape, nil), "it can be loaded again")
}

func requireConsistent(t *testing.T, d *pgtest.Database) {
	t.Helper()
	found, err := d.Connect(t).Query(t.Context(), "select check_name || ' ' || message from check_data_consistency() where status <> 'OK'")
	require.NoError(t, err)
	wrong, err := pgx.CollectRows(found, pgx.RowTo[string])
	require.NoError(t, err)
	require.Empty(t, wrong)
	requireConsistentAudit(t, d)
}

// requireConsistentAudit recomputes the chains.
func requireConsistentAudit(t *testing.T, d *pgtest.Database) {
	t.Helper()
	tx, err := d.Connect(t).Begin(t.Context())
	require.NoError(t, err)
	defer tx.Rollback(context.WithoutCancel(t.Context()))
	summary, err := tenant.VerifyAudit(t.Context(), tx, tenant.AuditCheck{Found: func(f tenant.AuditFinding) error { return fmt.Errorf("%+v", f) }})
	require.NoError(t, err)
	require.Positive(t, summary.Chains)
}

// TestLoad_GoesOn where it was broken off, and makes the same.
func TestLoad_GoesOn(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	conn := d.Connect(t)
	large := population.Shape{Tenants: 25_000, Members: 1, Flags: 1}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := population.Load(ctx, conn, large, func(done int) {
		if done == 10_000 {
			cancel()
		}
	})
	require.Error(t, err)
	conn = d.Connect(t)
	found, err := population.Find(t.Context(), conn)
	require.NoError(t, err)
	require.Equal(t, 10_000, found.Generated)
	require.False(t, found.Whole())

	other := large
	other.Members = 2
	requireCode(t, fault.StateConflict, population.Load(t.Context(), conn, other, nil))
	var told []int
	require.NoError(t, population.Load(t.Context(), conn, large, func(done int) { told = append(told, done) }))
	require.Equal(t, []int{20_000, 25_000}, told)
	var members int
	require.NoError(t, conn.QueryRow(t.Context(), "select count(*) from user_tenants").Scan(&members))
	require.Equal(t, 50_000, members)
	require.NoError(t, population.Load(t.Context(), conn, large, nil), "there is nothing left to do")

	found, err = population.Find(t.Context(), conn)
	require.NoError(t, err)
	require.NoError(t, population.Remove(t.Context(), conn, found, nil))
	found, err = population.Find(t.Context(), conn)
	require.NoError(t, err)
	require.Zero(t, found)
}

func TestFind_Others(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, `insert into organizations (name, slug, tenant_type, tenant_key) values ('Acme', 'acme', 'system', 'acme'), ('Looks like it', 'tenant-2', 'system', 'two')`)
	found, err := population.Find(t.Context(), d.Connect(t))
	require.NoError(t, err)
	require.Equal(t, 2, found.Others, "a name is no proof that one was generated")
	require.Nil(t, found.Shape)
	requireCode(t, fault.Conflict, population.Load(t.Context(), d.Connect(t), population.Shape{Tenants: 3, Members: 1}, nil))
	found, err = population.Find(t.Context(), d.Connect(t))
	require.NoError(t, err)
	require.Zero(t, found.Generated, "all of a batch or nothing")
}

func TestLoad_NeedsToTurnTriggersOff(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, "grant service_role to vital_service")
	conn, err := pgx.Connect(t.Context(), d.ServiceURL)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close(context.WithoutCancel(t.Context())) })
	_, err = conn.Exec(t.Context(), "set role service_role")
	require.NoError(t, err)
	requireCode(t, fault.PermissionDenied, population.Load(t.Context(), conn, population.Shape{Tenants: 3, Members: 1}, nil))
}

func requireCode(t *testing.T, want fault.Code, err error) {
	t.Helper()
	var known *fault.Error
	require.True(t, errors.As(err, &known), "%v", err)
	require.Equal(t, want, known.Code)
	require.NotEmpty(t, known.Hint)
}

func TestShape_Check(t *testing.T) {
	t.Parallel()
	for _, bad := range []population.Shape{{}, {Tenants: 1}, {Tenants: 1, Members: -1}, {Tenants: 1, Members: 1, Overrides: 1}, {Tenants: population.MostTenants + 1, Members: 1}} {
		requireCode(t, fault.Usage, bad.Check())
	}
	require.NoError(t, shape.Check())
}
