package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/postgres"
)

const globalKey = "00000000-0000-0000-0000-000000000000"

// versions returns every version there is, by scope and key.
func (b *bundle) versions() map[string]int64 {
	b.t.Helper()
	rows, err := b.super.Query(context.Background(), "select scope || ':' || key, version from vital.versions")
	require.NoError(b.t, err)
	versions := map[string]int64{}
	var scope string
	var version int64
	_, err = pgx.ForEachRow(rows, []any{&scope, &version}, func() error {
		versions[scope] = version
		return nil
	})
	require.NoError(b.t, err)
	return versions
}

// raised returns by how much which versions differ.
func raised(before, after map[string]int64) map[string]int64 {
	by := map[string]int64{}
	for scope, version := range after {
		if version != before[scope] {
			by[scope] = version - before[scope]
		}
	}
	return by
}

// listener hears vital_change until it has heard what it is asked for.
func (b *bundle) listener() *pgx.Conn {
	b.t.Helper()
	conn := b.Connect(b.t)
	_, err := conn.Exec(context.Background(), "listen vital_change")
	require.NoError(b.t, err)
	return conn
}

// heardUntil returns what a listener has heard before a marker that is sent now. Notifications arrive in
// the order of their commits, so nothing that came before the marker is missed and no time is waited out.
func (b *bundle) heardUntil(conn *pgx.Conn) []string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	b.exec("select pg_notify('vital_change', 'marker')")
	var heard []string
	for {
		n, err := conn.WaitForNotification(ctx)
		require.NoError(b.t, err)
		if n.Payload == "marker" {
			return heard
		}
		heard = append(heard, n.Payload)
	}
}

// TestVersions_OncePerTransaction: however often a transaction touches a scope, its version rises by one
// and one notification tells of it.
func TestVersions_OncePerTransaction(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	conn := b.listener()
	for _, c := range []struct{ text, scope string }{
		{"update organizations set metadata = '{\"n\": 1}' where id = '" + tenantA + "'", "tenant:" + tenantA},
		{"update tenant_configurations set limits = '{}' where tenant_id = '" + tenantA + "'", "tenant:" + tenantA},
		{"update tenant_apps set is_visible = not is_visible where tenant_id = '" + tenantA + "'", "tenant:" + tenantA},
		{"delete from tenant_apps where tenant_id = '" + tenantA + "'", "tenant:" + tenantA},
		{"insert into tenant_apps (tenant_id, app_key, app_name, app_route) values ('" + tenantA + "', 'n', 'N', '/n')", "tenant:" + tenantA},
		{"insert into feature_flags (flag_key) values ('f'), ('g')", "global:" + globalKey},
		{"update feature_flags set is_active = false", "global:" + globalKey},
		{"insert into tenant_feature_flags (tenant_id, feature_flag_id) select '" + tenantA + "', id from feature_flags", "tenant:" + tenantA},
		{"update user_tenants set role = 'member' where user_id = '" + bobID + "'", "membership:" + bobID},
		{"update users set email = 'n@b.test' where id = '" + bobID + "'", "self:" + bobID},
		{"update profiles set full_name = 'Bob' where id = '" + bobID + "'", "self:" + bobID},
	} {
		before := b.versions()
		b.exec("begin; " + strings.Repeat(c.text+" -- again\n;", repeats(c.text)) + " commit")
		after := b.versions()
		require.Equal(t, map[string]int64{c.scope: 1}, raised(before, after), c.text)
		require.Equal(t, []string{fmt.Sprintf("%s:%d", c.scope, after[c.scope])}, b.heardUntil(conn), c.text)
		require.Zero(t, one[int](b, "select count(*)::int from vital.pending_versions"), c.text)
	}
}

// repeats is how often a statement can be run in one transaction.
func repeats(text string) int {
	if strings.HasPrefix(text, "insert") {
		return 1
	}
	return 3
}

// TestVersions_MovedRow: a row that changes hands touches both its owners.
func TestVersions_MovedRow(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	before := b.versions()
	b.exec("insert into tenant_apps (tenant_id, app_key, app_name, app_route) values ('" + tenantA + "', 'n', 'N', '/n')")
	b.exec("update tenant_apps set tenant_id = '" + tenantB + "' where app_key = 'n'")
	require.Equal(t, map[string]int64{"tenant:" + tenantA: 2, "tenant:" + tenantB: 1}, raised(before, b.versions()))
}

// TestVersions_AfterCommitOnly: nothing is heard of a transaction before it commits, and never of one
// that does not, nor of the part of one that was taken back.
func TestVersions_AfterCommitOnly(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	conn, writer := b.listener(), b.Connect(t)
	ctx := context.Background()
	do := func(text string) {
		_, err := writer.Exec(ctx, text)
		require.NoError(t, err, text)
	}
	before := b.versions()
	change := "update tenant_configurations set limits = '{}' where tenant_id = '" + tenantA + "'"
	do("begin; " + change)
	require.Empty(t, b.heardUntil(conn))
	do("rollback")
	require.Empty(t, b.heardUntil(conn))
	do("begin; savepoint s; " + change + "; rollback to s; commit")
	require.Empty(t, b.heardUntil(conn))
	require.Empty(t, raised(before, b.versions()))
	require.Zero(t, one[int](b, "select count(*)::int from vital.pending_versions"))
	do("begin; savepoint s; " + change + "; release s; " + change)
	require.Empty(t, b.heardUntil(conn))
	do("commit")
	require.Len(t, b.heardUntil(conn), 1)
	require.Equal(t, map[string]int64{"tenant:" + tenantA: 1}, raised(before, b.versions()))
}

// TestVersions_OppositeOrder: writers that touch the same tenants in opposite orders do not wait for each
// other in a circle, for the versions are raised at the end and in one order.
func TestVersions_OppositeOrder(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	ctx := context.Background()
	before := b.versions()
	orders := [][]string{{tenantA, tenantB}, {tenantB, tenantA}}
	writers := []*pgx.Conn{b.Connect(t), b.Connect(t)}
	const rounds = 10
	for round := range rounds {
		for step := range 2 { // both have touched both before either commits
			for w, writer := range writers {
				text := "update tenant_apps set config = '{}' where app_key = 'chat' and tenant_id = '" + orders[w][step] + "'"
				if w == 1 {
					text = "update tenant_configurations set limits = '{}' where tenant_id = '" + orders[w][step] + "'"
				}
				if step == 0 {
					text = "begin; " + text
				}
				_, err := writer.Exec(ctx, text)
				require.NoError(t, err, round)
			}
		}
		done := make(chan error, 2)
		for _, writer := range writers {
			go func() {
				_, err := writer.Exec(ctx, "commit")
				done <- err
			}()
		}
		require.NoError(t, <-done)
		require.NoError(t, <-done)
	}
	require.Equal(t, map[string]int64{"tenant:" + tenantA: 2 * rounds, "tenant:" + tenantB: 2 * rounds}, raised(before, b.versions()))
	require.Zero(t, one[int](b, "select count(*)::int from vital.pending_versions"))
}

// TestVersions_RaisedInOrder stops two writers of the same many tenants half-way through raising their
// versions. Had they not one order, each would hold some that the other waits for.
func TestVersions_RaisedInOrder(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	ctx := context.Background()
	b.exec("insert into organizations (name, slug, tenant_type, tenant_key) select 'N', 't' || n, 'digital_health', 't' || n from generate_series(1, 200) n")
	before := b.versions()
	b.exec("begin")
	b.exec("select from vital.versions where scope = 'tenant' order by key offset 100 limit 1 for update")
	done := make(chan error, 2)
	for _, text := range []string{"update tenant_configurations set limits = '{}'", "update tenant_apps set config = '{}' where app_key = 'chat'"} {
		writer := b.Connect(t)
		go func() {
			_, err := writer.Exec(ctx, text)
			done <- err
		}()
	}
	require.Eventually(t, func() bool {
		return one[int](b, "select count(*)::int from pg_locks where not granted and pid in (select pid from pg_stat_get_activity(null) where datid = (select oid from pg_database where datname = current_database()))") == 2
	}, 30*time.Second, time.Millisecond)
	b.exec("commit")
	require.NoError(t, <-done)
	require.NoError(t, <-done)
	by := raised(before, b.versions())
	require.Len(t, by, 203)
	for scope, n := range by {
		require.EqualValues(t, 2, n, scope)
	}
}

// TestVersions_DataTables: what tenants work with raises nothing and tells nobody.
func TestVersions_DataTables(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	conn := b.listener()
	before := b.versions()
	for _, text := range []string{
		"insert into agents (tenant_id, name, slug) values ('" + tenantA + "', 'N', 'n')", "update agents set description = 'N'",
		"insert into prompts (tenant_id, title) values ('" + tenantA + "', 'N')", "insert into knowledge (tenant_id, title) values ('" + tenantA + "', 'N')",
		"insert into personas (tenant_id, name) values ('" + tenantA + "', 'N')", "insert into jobs_to_be_done (tenant_id, title) values ('" + tenantA + "', 'N')",
		"insert into chat_sessions (tenant_id, user_id) values ('" + tenantA + "', '" + eveID + "')", "insert into query_performance (tenant_id) values ('" + tenantA + "')",
		"insert into tools (tenant_id, name, slug) values ('" + tenantA + "', 'N', 'n')",
		"insert into tool_usage_log (tenant_id, tool_tenant_id, tool_id, success) select tenant_id, tenant_id, id, true from tools where slug = 'n'",
		"insert into tool_categories (tenant_id, name, slug) values ('" + tenantA + "', 'N', 'n')",
		"insert into tenant_agents (tenant_id, agent_tenant_id, agent_id) select tenant_id, tenant_id, id from agents where slug = 'n'",
		"delete from tool_usage_log", "delete from prompts",
	} {
		b.exec(text)
	}
	require.Empty(t, b.heardUntil(conn))
	require.Empty(t, raised(before, b.versions()))
}

// TestVersions_ManyAtOnce: a transaction that touches very many says so in one word.
func TestVersions_ManyAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	conn := b.listener()
	b.exec("insert into users (id, email) select gen_random_uuid(), 'n@x.test' from generate_series(1, 500)")
	heard := b.heardUntil(conn)
	require.Len(t, heard, 101)
	require.Equal(t, "*", heard[100])
	require.Zero(t, one[int](b, "select count(*)::int from vital.pending_versions"))
}

// TestVersions_ByMember: a member's write raises the version too, though they can reach neither table.
func TestVersions_ByMember(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	before := b.versions()
	_, err := b.run(bob, "update public.tenant_configurations set limits = '{}'", "select 'done'")
	require.NoError(t, err)
	require.Equal(t, map[string]int64{"tenant:" + tenantB: 1}, raised(before, b.versions()))
	for _, text := range []string{"select 'x' from vital.versions", "update vital.versions set version = 0", "delete from vital.pending_versions", "select vital.raise_versions()::text"} {
		_, err := b.run(bob, text)
		require.Error(t, err, text)
	}
}
