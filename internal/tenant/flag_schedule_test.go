package tenant_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/tenant"
)

// apply makes what is due, and says how many changes were made and how many failed.
func apply(t *testing.T, s stage) string {
	t.Helper()
	got, err := operate[string](s, "select concat(applied, ' ', failed) from vital.apply_due_flag_changes()")
	require.NoError(t, err)
	return got
}

func TestScheduledChanges(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	const (
		schedule         = "select (schedule_feature_flag($1, $2, now() + interval '1 h', $3)).id::text"
		scheduleOverride = "select (schedule_tenant_feature($1, $2, now() + interval '1 h', $3)).id::text"
		due              = "update %s set run_at = now() - interval '1 s' * $1 where id = $2"
	)
	makeDue := func(table, id string, ago int) { s.Exec(t, fmt.Sprintf(due, table), ago, id) }
	for _, user := range notOperators {
		refused(t, s, fault.PermissionDenied, user, schedule, "dark", `{"owner": "x"}`, nil)
	}
	refused(t, s, fault.Invalid, root, schedule, "dark", `{"colour": 1}`, nil)
	refused(t, s, fault.Invalid, root, "select schedule_feature_flag('dark', '{\"owner\": \"x\"}', now() - interval '1 s')")
	refused(t, s, fault.NotFound, root, schedule, "nothing", `{"owner": "x"}`, nil)
	refused(t, s, fault.Invalid, ada, scheduleOverride, "dark", `{"colour": 1}`, nil)

	// In the order of their times; what cannot be made stops nothing.
	later := must[string](t, s, root, "", schedule, "dark", `{"owner": "later"}`, "second")
	sooner := must[string](t, s, root, "", schedule, "dark", `{"owner": "sooner"}`, "first")
	broken := must[string](t, s, root, "", schedule, "dark", `{"default_variant": "nope"}`, nil)
	override := must[string](t, s, ada, "", scheduleOverride, "dark", `{"enabled": true}`, "launch")
	waiting := must[string](t, s, root, "", schedule, "dark", `{"owner": "never"}`, nil)
	require.Equal(t, "0 0", apply(t, s), "nothing is due yet")
	makeDue("feature_flag_changes", later, 1)
	makeDue("feature_flag_changes", broken, 2)
	makeDue("feature_flag_changes", sooner, 3)
	makeDue("tenant_feature_flag_changes", override, 2)
	rows := audited(t, s, func() { require.Equal(t, "3 1", apply(t, s)) })
	require.Equal(t, "0 0", apply(t, s), "each is made once")
	require.Equal(t, []string{"sooner first " + root, "later second " + root}, peek[[]string](t, s,
		"select array_agg(concat_ws(' ', config ->> 'owner', reason, created_by) order by version) from feature_flag_versions where version in (2, 3) and config ->> 'flag_key' = 'dark'"))
	require.Equal(t, "1 launch "+ada, peek[string](t, s, "select concat_ws(' ', version, reason, created_by) from tenant_feature_flag_versions where tenant_id = $1", acme))
	require.Equal(t, "failed default_variant must be one of the variants.", peek[string](t, s, "select status || ' ' || error from feature_flag_changes where id = $1", broken))
	for _, row := range rows {
		want := map[string]string{"tenant_feature_flags": ada, "tenant_feature_flag_changes": ada, "feature_flags": root, "feature_flag_changes": root}[row.Entity]
		if row.Entity == "feature_flag_changes" && row.New["status"] == "failed" {
			want = ""
		}
		require.Equal(t, want, row.Actor, "%s %v", row.Entity, row.New)
	}

	// Cancelling.
	const cancel, cancelOverride = "select (cancel_feature_flag_change($1)).status", "select (cancel_tenant_feature_change($1)).status"
	refused(t, s, fault.PermissionDenied, ada, cancel, waiting)
	require.Equal(t, "cancelled", must[string](t, s, root, "", cancel, waiting))
	makeDue("feature_flag_changes", waiting, 1)
	require.Equal(t, "0 0", apply(t, s))
	refused(t, s, fault.StateConflict, root, cancel, waiting)
	refused(t, s, fault.StateConflict, root, cancel, sooner)
	refused(t, s, fault.NotFound, root, cancel, uuid.NewString())
	mine := must[string](t, s, ada, "", scheduleOverride, "dark", `{"enabled": false}`, nil)
	refused(t, s, fault.NotFound, cyd, cancelOverride, mine)
	_, err := as[any](s, both, acme, "select vital.schedule_tenant_feature($1, 'dark', null, now() + interval '1 h')", bolt)
	require.Equal(t, fault.TenantNotFound, fault.CodeOf(err))
	require.Equal(t, 0, must[int](t, s, cyd, "", "select count(*)::int from tenant_feature_flag_changes"))
	require.Equal(t, 0, must[int](t, s, ben, "", "select count(*)::int from tenant_feature_flag_changes"))
	require.Equal(t, 2, must[int](t, s, both, acme, "select count(*)::int from tenant_feature_flag_changes"))
	require.Equal(t, "cancelled", must[string](t, s, both, "", cancelOverride, mine), "any admin of the tenant may")
}

// TestScheduledChanges_AuthorsWhoMayNoLonger: who scheduled a change must have the right when its time comes.
func TestScheduledChanges_AuthorsWhoMayNoLonger(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	const scheduleOverride = "select (schedule_tenant_feature('dark', '{\"enabled\": true}', now() + interval '1 h')).id::text"
	for name, c := range map[string]struct{ user, change, undo string }{
		"RemovedAdmin":     {ada, "delete from user_tenants where user_id = '" + ada + "'", "insert into user_tenants (tenant_id, user_id, role) values ('" + acme + "', '" + ada + "', 'admin')"},
		"LowerRole":        {ada, "update user_tenants set role = 'member' where user_id = '" + ada + "'", "update user_tenants set role = 'admin' where user_id = '" + ada + "'"},
		"SuspendedMember":  {ada, "update user_tenants set status = 'suspended' where user_id = '" + ada + "'", "update user_tenants set status = 'active' where user_id = '" + ada + "'"},
		"SuspendedTenant":  {ada, "update organizations set lifecycle_state = 'suspended' where id = '" + acme + "'", "update organizations set lifecycle_state = 'active' where id = '" + acme + "'"},
		"SuperAdminNoMore": {root, "update profiles set role = 'user' where id = '" + root + "'", "update profiles set role = 'super_admin' where id = '" + root + "'"},
	} {
		tenantID := ""
		if c.user == root {
			tenantID = acme
		}
		id := must[string](t, s, c.user, tenantID, scheduleOverride)
		s.Exec(t, "update tenant_feature_flag_changes set run_at = now() - interval '1 s' where id = $1", id)
		s.Exec(t, c.change)
		require.Equal(t, "0 1", apply(t, s), name)
		require.Equal(t, "Whoever scheduled this change may no longer make it.", peek[string](t, s, "select error from tenant_feature_flag_changes where id = $1", id), name)
		s.Exec(t, c.undo)
	}
	id := must[string](t, s, root, "", "select (schedule_feature_flag('dark', '{\"owner\": \"x\"}', now() + interval '1 h')).id::text")
	s.Exec(t, "update feature_flag_changes set run_at = now() - interval '1 s' where id = $1", id)
	s.Exec(t, "update profiles set role = 'user' where id = $1", root)
	require.Equal(t, "0 1", apply(t, s))
	require.Equal(t, 0, peek[int](t, s, "select count(*)::int from tenant_feature_flags"))
	require.Equal(t, 1, peek[int](t, s, newest, "dark"))

	// An operator's own session stays one.
	_, err := operate[any](s, "select vital.schedule_tenant_feature($1, 'dark', '{\"enabled\": true}', now() + interval '1 h')", bolt)
	require.NoError(t, err)
	s.Exec(t, "update tenant_feature_flag_changes set run_at = now() - interval '1 s' where tenant_id = $1", bolt)
	require.Equal(t, "1 0", apply(t, s))
	// Who a session acts for is an operator's to say.
	const author = "with s as (select set_config('vital.author', $1, true) as said) select coalesce(case when said <> '' then vital.author_id() end::text, '') from s"
	require.Equal(t, nina, must[string](t, s, nina, "", author, ada))
	forOthers, err := operate[string](s, author, ada)
	require.NoError(t, err)
	require.Equal(t, ada, forOthers)
}

func TestScheduledChanges_Many(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	const most = 100
	schedule := func(int) error {
		_, err := as[any](s, ada, "", "select schedule_tenant_feature('dark', '{\"enabled\": true}', now() + interval '1 h')")
		return err
	}
	s.Exec(t, `insert into tenant_feature_flag_changes (tenant_id, feature_flag_id, changes, run_at)
		select $1, id, jsonb_build_object('config', jsonb_build_object('n', n)), now() + interval '1 h'
		from feature_flags, generate_series(1, $2::int) n where flag_key = 'dark'`, acme, most-2)
	well, codes := atOnce(5, schedule)
	require.Equal(t, 2, well)
	require.Equal(t, map[fault.Code]int{fault.LimitExceeded: 3}, codes)

	// Several servers at once make each once.
	s.Exec(t, "update tenant_feature_flag_changes set changes = jsonb_build_object('config', jsonb_build_object('id', id)), run_at = now() - interval '1 s'")
	total := 0
	for total < most {
		made := make(chan int, 4)
		_, codes = atOnce(4, func(int) error {
			return s.db.AsService(context.Background(), "Test", func(tx pgx.Tx) error {
				applied, failed, err := tenant.ApplyDueFlagChanges(context.Background(), tx, 10)
				made <- applied + 1000*failed
				return err
			})
		})
		require.Empty(t, codes)
		close(made)
		for n := range made {
			total += n
		}
	}
	require.Equal(t, most, total)
	require.Equal(t, most, peek[int](t, s, "select count(*)::int from tenant_feature_flag_versions where tenant_id = $1", acme))
	plan := strings.Join(peek[[]string](t, s, "select array_agg(indexdef) from pg_indexes where indexname like '%changes_due'"), "\n")
	require.Equal(t, 2, strings.Count(plan, "WHERE (status = 'pending'::text)"), "what is looked for is what waits")
}

// TestScheduledChanges_HeldUp: a tenant that keeps its own rows locked holds up nobody else.
func TestScheduledChanges_HeldUp(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	const due = "insert into tenant_feature_flag_changes (tenant_id, feature_flag_id, changes, run_at) select $1, id, $2, now() - interval '1 s' from feature_flags where flag_key = 'dark'"
	must[int](t, s, ada, "", setOverride, "dark", `{"config": {"n": 0}}`, nil, nil)
	holder := s.Connect(t)
	for name, hold := range map[string]string{
		"Override":  "update tenant_feature_flags set reason = 'mine' where tenant_id = '" + acme + "'",
		"AuditHead": "update vital.audit_heads set changed_at = now() where organization_id = '" + acme + "'",
		"Version":   "update vital.versions set changed_at = now() where scope = 'tenant' and key = '" + acme + "'",
	} {
		s.Exec(t, "delete from tenant_feature_flag_changes; delete from tenant_feature_flags where tenant_id = '"+bolt+"'")
		for i := range 5 {
			s.Exec(t, due, acme, fmt.Sprintf(`{"config": {"%s": %d}}`, name, i))
		}
		s.Exec(t, due, acme, `{"variant": "nope"}`) // to be marked as failed, with an audit row
		s.Exec(t, due, bolt, `{"enabled": true}`)
		_, err := holder.Exec(context.Background(), "begin; "+hold)
		require.NoError(t, err)
		require.Equal(t, "1 0", apply(t, s), name)
		require.Equal(t, 1, peek[int](t, s, "select count(*)::int from tenant_feature_flags where tenant_id = $1", bolt), name)
		require.Equal(t, 6, peek[int](t, s, "select count(*)::int from tenant_feature_flag_changes where status = 'pending' and run_at > now()"), name)
		_, err = holder.Exec(context.Background(), "rollback")
		require.NoError(t, err)
		require.Equal(t, "0 0", apply(t, s), name)
		s.Exec(t, "update tenant_feature_flag_changes set run_at = now() - interval '1 s' where status = 'pending'")
		require.Equal(t, "5 1", apply(t, s), name)
	}
}
