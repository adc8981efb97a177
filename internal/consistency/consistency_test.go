package consistency_test

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/consistency"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/pgtest"
)

const (
	platform = "00000000-0000-0000-0000-000000000001"
	acme     = "a0000000-0000-4000-8000-000000000001"
	user     = "a0000000-0000-4000-8000-000000000002"
)

// sound makes a tenant with one user, and nothing wrong; its names stand for ids.
const sound = `
insert into organizations (id, name, slug, tenant_type, tenant_key) values ('ACME', 'Acme', 'acme', 'system', 'acme');
insert into users (id, email, organization_id) values ('USER', 'olga@acme.test', 'ACME');
insert into auth.users (id, email, raw_user_meta_data) values ('USER', 'olga@acme.test', '{"full_name": "Olga O."}');
insert into profiles (id, email, tenant_id) values ('USER', 'olga@acme.test', 'ACME');
insert into user_tenants (tenant_id, user_id, role) values ('ACME', 'USER', 'owner')`

var ids = strings.NewReplacer("'ACME'", "'"+acme+"'", "'USER'", "'"+user+"'", "'PLATFORM'", "'"+platform+"'").Replace

// damages are what makes each check find one row, with the keys away that forbid it. Triggers are off.
var damages = map[string]string{
	"orgs_without_config":           "delete from tenant_configurations where tenant_id = 'ACME'",
	"orgs_without_apps":             "delete from tenant_apps where tenant_id = 'ACME'",
	"users_without_org":             "update users set organization_id = null",
	"users_without_profile":         "delete from profiles",
	"agents_without_tenant":         "alter table agents drop constraint agents_pkey cascade; alter table agents alter tenant_id drop not null; insert into agents (name, slug) values ('A', 'a')",
	"tools_without_tenant":          "alter table tools drop constraint tools_pkey cascade; alter table tools alter tenant_id drop not null; insert into tools (name, slug) values ('T', 't')",
	"accounts_without_user":         "insert into auth.users (id, email) values (gen_random_uuid(), 'new@acme.test')",
	"users_outside_org":             "update users set organization_id = 'PLATFORM'",
	"orphaned_memberships":          "alter table user_tenants drop constraint user_tenants_user_id_fkey; insert into user_tenants (tenant_id, user_id) values ('ACME', gen_random_uuid())",
	"profiles_outside_tenant":       "update profiles set tenant_id = 'PLATFORM'",
	"orgs_without_admin":            "update user_tenants set role = 'viewer'",
	"overrides_of_unknown_flags":    "alter table tenant_feature_flags drop constraint tenant_feature_flags_feature_flag_id_fkey; insert into tenant_feature_flags (tenant_id, feature_flag_id) values ('ACME', gen_random_uuid())",
	"overrides_of_unknown_variants": "with f as (insert into feature_flags (flag_key, flag_type, variants) values ('shade', 'string', '{\"light\": \"l\"}') returning id) insert into tenant_feature_flags (tenant_id, feature_flag_id, variant) select 'ACME', id, 'dark' from f",
	"apps_without_route":            "alter table tenant_apps drop constraint tenant_apps_app_route_check; update tenant_apps set app_route = '' where tenant_id = 'ACME' and app_key = 'chat'",
	"deprecated_tools_assigned":     "insert into tools (tenant_id, name, slug, deprecated, deprecated_at) values ('PLATFORM', 'T', 'old', true, now()); insert into agents (tenant_id, name, slug, capabilities) values ('ACME', 'A', 'a', '{old}')",
	"orgs_over_limits":              "update tenant_configurations set limits = '{\"max_agents\": 0}' where tenant_id = 'ACME'; insert into agents (tenant_id, id, name, slug) values ('ACME', 'ACME', 'A', 'a'); insert into tenant_agents (tenant_id, agent_tenant_id, agent_id) values ('ACME', 'ACME', 'ACME')",
	"audit_gaps":                    "delete from organization_audit_log where organization_id = 'ACME' and seq = 1",
	"invitations_expired":           "insert into invitations (tenant_id, email, token_hash, expires_at) values ('ACME', 'late@acme.test', sha256('x'), now() - interval '1 day')",
}

// damaged runs fn on a database with one check's damage, and takes everything back.
func damaged(t *testing.T, conn *pgx.Conn, check string, fn func(pgx.Tx)) {
	t.Helper()
	ctx := context.Background()
	tx, err := conn.Begin(ctx)
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback(ctx)) }()
	_, err = tx.Exec(ctx, "set local session_replication_role = replica;"+ids(damages[check])+"; set local session_replication_role = origin")
	require.NoError(t, err, check)
	fn(tx)
}

// failing are the checks that are not OK, with how many rows.
func failing(t *testing.T, db consistency.Querier) map[string]int {
	t.Helper()
	results, err := consistency.Check(context.Background(), db)
	require.NoError(t, err)
	require.Len(t, results, len(damages), "every check has its damage here")
	found := map[string]int{}
	for _, r := range results {
		if r.Status != consistency.OK {
			found[r.Check] = r.Count
		}
	}
	return found
}

// TestCheck_Damage: each check is green on sound data, and red, it alone, on its damage; a repair makes it green again.
func TestCheck_Damage(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	d := pgtest.New(t)
	d.Exec(t, ids(sound))
	conn := d.Connect(t)
	require.Empty(t, failing(t, conn))
	tenant := uuid.MustParse(acme)
	for check := range damages {
		damaged(t, conn, check, func(tx pgx.Tx) {
			require.Equal(t, map[string]int{check: 1}, failing(t, tx), check)
			checks, err := consistency.Choose([]string{check})
			if err != nil {
				require.Equal(t, fault.Usage, fault.CodeOf(err), "there is no repair")
				return
			}
			planned, err := consistency.Plan(ctx, tx, checks, &tenant)
			require.NoError(t, err)
			if check == "deprecated_tools_assigned" { // nothing replaces it
				require.Empty(t, planned)
				return
			}
			require.NotEmpty(t, planned, check)
			written, err := consistency.Apply(ctx, tx, uuid.New(), checks, &tenant)
			require.NoError(t, err, check)
			require.EqualValues(t, len(planned), written[0].Rows, check)
			left := failing(t, tx)
			delete(left, "users_without_profile") // of an account that became a user: the next repair's
			delete(left, "audit_gaps")            // what is written now is chained at the commit
			require.Empty(t, left, check)
		})
	}
}

// TestCheck_Profile: a profile is made with the name of the account.
func TestCheck_Profile(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, ids(sound))
	damaged(t, d.Connect(t), "users_without_profile", func(tx pgx.Tx) {
		planned, err := consistency.Plan(context.Background(), tx, []string{"users_without_profile"}, nil)
		require.NoError(t, err)
		require.JSONEq(t, `{"id": "`+user+`", "email": "olga@acme.test", "full_name": "Olga O.", "role": "user", "tenant_id": "`+acme+`"}`, string(planned[0].New))
	})
}

// TestCheck_Callers: operators alone, and nothing of another's rows in what they are told.
func TestCheck_Callers(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	d := pgtest.New(t)
	conn := d.Connect(t)
	_, err := conn.Exec(ctx, "set role authenticated")
	require.NoError(t, err)
	_, err = consistency.Check(ctx, conn)
	require.ErrorContains(t, err, "Only super admins of the platform may do this")
	_, err = consistency.Plan(ctx, conn, consistency.Repairs, nil)
	require.ErrorContains(t, err, "permission denied")
	_, err = conn.Exec(ctx, "set role service_role")
	require.NoError(t, err)
	_, err = consistency.Check(ctx, conn)
	require.NoError(t, err)
	_, err = consistency.DetectMissing(ctx, conn, "nowhere")
	require.Equal(t, fault.TenantNotFound, fault.CodeOf(err))
}

// TestRepairs_Documented holds docs/reference/data.md to the checks and repairs there are.
func TestRepairs_Documented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/reference/data.md")
	require.NoError(t, err)
	documented := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| (`.*?)\\|").FindAllStringSubmatch(string(text), -1) {
		for _, name := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(row[1], -1) {
			documented[name[1]] = true
		}
	}
	for check := range damages {
		require.True(t, documented[check], check)
	}
	require.Len(t, documented, len(damages))
	for _, check := range consistency.Repairs {
		require.Contains(t, damages, check)
	}
}

// TestApply_LetsNobodyIn: who was removed from, or suspended in, their only tenant becomes a member nowhere.
func TestApply_LetsNobodyIn(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, harm := range map[string]string{
		"removed":                  "delete from user_tenants",
		"suspended":                "update user_tenants set status = 'suspended'",
		"suspended, and no tenant": "update user_tenants set status = 'suspended'; update users set organization_id = null",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := pgtest.New(t)
			d.Exec(t, ids(sound)+"; set session_replication_role = replica; "+harm+"; set session_replication_role = origin")
			tenant := uuid.MustParse(acme)
			conn := d.Connect(t)
			require.NoError(t, pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
				_, err := consistency.Apply(ctx, tx, uuid.New(), consistency.Repairs, &tenant)
				return err
			}))
			active := -1
			require.NoError(t, conn.QueryRow(ctx, "select count(*) from user_tenants where status = 'active'").Scan(&active))
			require.Zero(t, active)
		})
	}
}

// TestUndo_Refuses: what somebody has changed since, and what has come to depend on it, is not taken back; nor is what gives itself
// out for a repair.
func TestUndo_Refuses(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, c := range map[string]struct{ damage, check, since string }{
		"a setting was added":     {"delete from tenant_configurations where tenant_id = 'ACME'", "orgs_without_config", "update tenant_configurations set ui_config = ui_config || '{\"custom\": 1}' where tenant_id = 'ACME'"},
		"a feature was enabled":   {"delete from tenant_configurations where tenant_id = 'ACME'", "orgs_without_config", "update tenant_configurations set enabled_features = '{sso}' where tenant_id = 'ACME'"},
		"a preference was made":   {"delete from profiles", "users_without_profile", "update profiles set preferences = '{\"dark\": true}'"},
		"a conversation was held": {"delete from user_tenants; delete from profiles; delete from users", "accounts_without_user", "insert into chat_sessions (tenant_id, user_id) select 'ACME', 'USER'"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := pgtest.New(t)
			d.Exec(t, ids(sound)+"; set session_replication_role = replica; "+ids(c.damage)+"; set session_replication_role = origin")
			conn, run, tenant := d.Connect(t), uuid.New(), uuid.MustParse(acme)
			within := func(fn func(pgx.Tx) error) error { return pgx.BeginFunc(ctx, conn, fn) }
			require.NoError(t, within(func(tx pgx.Tx) error {
				_, err := consistency.Apply(ctx, tx, run, []string{c.check}, &tenant)
				return err
			}))
			d.Exec(t, ids(c.since))
			err := within(func(tx pgx.Tx) error {
				_, err := consistency.Undo(ctx, tx, run)
				return err
			})
			require.Equal(t, fault.StateConflict, fault.CodeOf(err), "%v", err)
		})
	}

	d := pgtest.New(t)
	run := uuid.New()
	d.Exec(t, ids(sound))
	conn := d.Connect(t)
	_, err := conn.Exec(ctx, ids("begin; set local session_replication_role = replica; insert into organization_audit_log (organization_id, seq, action, database_role, entity, entity_id, changes, reason, commitment, previous_hash, hash) "+
		"values ('ACME', 999, 'deleted', 'vital_api', 'user_tenants', gen_random_uuid(), '{}', 'repair "+run.String()+": x', sha256(''), sha256(''), sha256('')); commit"))
	require.NoError(t, err)
	_, err = consistency.Undo(ctx, mustBegin(t, conn), run)
	require.Equal(t, fault.NotFound, fault.CodeOf(err), "a reason that a request gave is not believed: %v", err)
}

func mustBegin(t *testing.T, conn *pgx.Conn) pgx.Tx {
	t.Helper()
	tx, err := conn.Begin(context.Background())
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	return tx
}

// TestApply_SameID: ids are a tenant's own, and another tenant may have chosen the same: its row is neither written nor in the way.
func TestApply_SameID(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	d := pgtest.New(t)
	d.Exec(t, ids(sound)+ids(`; insert into tools (tenant_id, id, name, slug) values ('ACME', 'USER', 'New', 'new');
		insert into tools (tenant_id, name, slug, deprecated, deprecated_at, replacement_tool_tenant_id, replacement_tool_id) values ('ACME', 'Old', 'old', true, now(), 'ACME', 'USER');
		insert into agents (tenant_id, id, name, slug, capabilities) values ('ACME', 'USER', 'A', 'a', '{old}'), ('PLATFORM', 'USER', 'A', 'a', '{old}')`))
	conn, run := d.Connect(t), uuid.New()
	named := func() (names string) {
		require.NoError(t, conn.QueryRow(ctx, "select string_agg(capabilities::text, ' ' order by tenant_id) from agents").Scan(&names))
		return names
	}
	require.NoError(t, pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		_, err := consistency.Apply(ctx, tx, run, []string{"deprecated_tools_assigned"}, nil)
		return err
	}))
	require.Equal(t, "{old} {new}", named())
	require.NoError(t, pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		_, err := consistency.Undo(ctx, tx, run)
		return err
	}))
	require.Equal(t, "{old} {old}", named())
}
