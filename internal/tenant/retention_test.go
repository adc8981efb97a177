package tenant_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/tenant"
)

// keep sets a rule, of a tenant or "" for all.
func keep(s stage, owner, table, by, long string) error {
	return s.db.AsService(context.Background(), "Test", func(tx pgx.Tx) error {
		var id *uuid.UUID
		if owner != "" {
			parsed := uuid.MustParse(owner)
			id = &parsed
		}
		return tenant.SetRetention(context.Background(), tx, id, tenant.RetentionRule{Schema: "public", Table: table, AgeColumn: by, Keep: long, Reason: "plan"})
	})
}

// retain runs the rules and returns what went, as "table tenant rows".
func retain(t *testing.T, s stage, r tenant.Retention) map[string]int64 {
	t.Helper()
	r.Service = s.db.Service
	var foreseen []tenant.Retained
	require.NoError(t, s.db.AsService(context.Background(), "Test", func(tx pgx.Tx) (err error) {
		foreseen, err = tenant.PreviewRetention(context.Background(), tx, "")
		return err
	}))
	gone, err := r.Run(context.Background())
	require.NoError(t, err)
	add := func(all []tenant.Retained) map[string]int64 {
		sums := map[string]int64{}
		for _, g := range all {
			sums[g.Table+" "+g.Tenant.String()+g.Problem] += g.Rows
		}
		return sums
	}
	require.Equal(t, add(foreseen), add(gone), "what is foreseen is what goes")
	return add(gone)
}

// chats makes n sessions of a user in a tenant, so many days old.
func chats(t *testing.T, s stage, owner, user string, n, days int) {
	t.Helper()
	s.Exec(t, "insert into chat_sessions (tenant_id, user_id, title, created_at) select $1, $2, 'x', now() - make_interval(days => $4) from generate_series(1, $3)", owner, user, n, days)
}

const chatsOf = "select count(*)::int from chat_sessions where tenant_id = $1"

// TestRetention: old rows go in batches, of each tenant by its own rule where it has one; younger ones and those of tenants without a rule stay; each
// tenant is told how many of theirs went, and of no other's.
func TestRetention(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	chats(t, s, acme, ben, 7, 100)
	chats(t, s, acme, ben, 2, 10)
	chats(t, s, bolt, cyd, 3, 100)
	tool := s.tool(t, acme, "t")
	s.Exec(t, "insert into tool_usage_log (tenant_id, tool_tenant_id, tool_id, success, created_at) values ($1, $1, $2, true, now() - interval '3 years')", acme, tool)
	require.NoError(t, keep(s, "", "tool_usage_log", "created_at", "2 years"))
	require.Equal(t, map[string]int64{"public.tool_usage_log " + acme: 1}, retain(t, s, tenant.Retention{}), "of the product's own tables, too")
	require.NoError(t, keep(s, acme, "chat_sessions", "created_at", "30 days"))
	require.Equal(t, map[string]int64{"public.chat_sessions " + acme: 7}, retain(t, s, tenant.Retention{Batch: 3}))
	require.Equal(t, 2, peek[int](t, s, chatsOf, acme))
	require.Equal(t, 3, peek[int](t, s, chatsOf, bolt))
	const told = "select coalesce(sum((changes -> 'old' ->> 'rows')::int), 0)::int from organization_audit_log where organization_id = $1 and changes -> 'old' ->> 'table' = 'public.chat_sessions' and action = 'retained' and reason = 'plan'"
	require.Equal(t, 7, peek[int](t, s, told, acme))
	require.Equal(t, 0, peek[int](t, s, told, bolt))

	require.NoError(t, keep(s, "", "chat_sessions", "created_at", "5 days"))
	require.Equal(t, map[string]int64{"public.chat_sessions " + bolt: 3}, retain(t, s, tenant.Retention{}), "acme has its own")
	require.Equal(t, 2, peek[int](t, s, chatsOf, acme))
	require.Equal(t, 3, peek[int](t, s, told, bolt))
	require.Empty(t, retain(t, s, tenant.Retention{}))

	s.Exec(t, "insert into vital.legal_holds (tenant_id, reason, placed_by) values ('"+acme+"', 'x', 'x')")
	s.Exec(t, "update chat_sessions set created_at = now() - interval '1 year'")
	require.Empty(t, retain(t, s, tenant.Retention{}), "held")
	s.Exec(t, "update vital.legal_holds set released_at = now(), released_by = 'x'")
	require.Equal(t, map[string]int64{"public.chat_sessions " + acme: 2}, retain(t, s, tenant.Retention{}))
}

// TestRetention_Rules: which rules there may be, and who reads them.
func TestRetention_Rules(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	for _, c := range []struct {
		table, by, long string
		code            fault.Code
	}{
		{"nothing", "created_at", "1 year", fault.NotFound}, {"feature_flags", "created_at", "1 year", fault.Invalid}, {"organizations", "created_at", "1 year", fault.Invalid},
		{"user_tenants", "created_at", "1 year", fault.Invalid}, {"tenant_configurations", "created_at", "1 year", fault.Invalid}, {"query_performance", "created_at", "1 year", fault.Invalid}, {"users", "created_at", "1 year", fault.Invalid}, {"chat_sessions", "title", "1 year", fault.Invalid},
		{"chat_sessions", "none", "1 year", fault.Invalid}, {"chat_sessions", "created_at", "soon", fault.Invalid}, {"chat_sessions", "created_at", "3 hours", fault.Invalid},
		{"organization_audit_log", "erased_at", "7 years", fault.Invalid},
	} {
		require.Equal(t, c.code, fault.CodeOf(keep(s, acme, c.table, c.by, c.long)), c)
	}
	require.Zero(t, peek[int](t, s, "select count(*)::int from vital.retention_rules"))
	require.NoError(t, keep(s, "", "chat_sessions", "created_at", "1 year"))
	require.NoError(t, keep(s, "", "chat_sessions", "updated_at", "2 years"), "in place of the one before")
	require.NoError(t, keep(s, bolt, "chat_sessions", "created_at", "30 days"))
	const rules = "select coalesce(array_agg(concat_ws(' ', table_name, age_column, keep, is_own)), '{}') from list_retention()"
	require.Equal(t, []string{"chat_sessions updated_at 2 years f"}, must[[]string](t, s, ada, "", rules))
	require.Equal(t, []string{"chat_sessions created_at 30 days t"}, must[[]string](t, s, cyd, "", rules))
	for user, code := range notAdmins {
		refused(t, s, code, user, rules)
	}
	refused(t, s, fault.PermissionDenied, root, "select vital.set_retention(null, 'public', 'chat_sessions', 'created_at', '1 day', 'x')")
	refused(t, s, fault.PermissionDenied, ada, "select count(*) from vital.retention_rules")
	require.Equal(t, 1, peek[int](t, s, "select count(*)::int from organization_audit_log where organization_id = $1 and action = 'retention_set'", bolt))
	require.NoError(t, s.db.AsService(context.Background(), "Test", func(tx pgx.Tx) error {
		id := uuid.MustParse(bolt)
		require.NoError(t, tenant.RemoveRetention(context.Background(), tx, &id, "public", "chat_sessions", "x"))
		require.Equal(t, fault.NotFound, fault.CodeOf(tenant.RemoveRetention(context.Background(), tx, &id, "public", "chat_sessions", "x")))
		return nil
	}))
}

// TestRetention_Audit: of old entries the contents go and the chain stays good; under HIPAA not before six years, whatever the rule for all says.
func TestRetention_Audit(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	s.Exec(t, `update tenant_configurations set compliance_settings = compliance_settings || '{"hipaa_enabled": true}' where tenant_id = '`+bolt+`';
		update tenant_configurations set compliance_settings = compliance_settings || '{"hipaa_enabled": false}' where tenant_id <> '`+bolt+`'`)
	require.Equal(t, fault.StateConflict, fault.CodeOf(keep(s, bolt, "organization_audit_log", "created_at", "5 years")))
	require.NoError(t, keep(s, bolt, "organization_audit_log", "created_at", "6 years"))
	require.NoError(t, keep(s, "", "organization_audit_log", "created_at", "2 years"))
	require.Empty(t, retain(t, s, tenant.Retention{}))

	// Nobody writes an old entry, and a chain is hashed over its times: only the clock can be turned.
	const contents = "select count(*)::int from organization_audit_log where organization_id = $1 and changes is not null"
	acmeHad, boltHad := peek[int](t, s, contents, acme), peek[int](t, s, contents, bolt)
	require.Positive(t, acmeHad)
	require.Positive(t, boltHad)
	s.Exec(t, "alter table organization_audit_log disable trigger user; update organization_audit_log set created_at = created_at - interval '3 years'; alter table organization_audit_log enable trigger user")
	s.Exec(t, `do $$ declare r record; previous bytea; begin -- the chains anew, as they would have been
		alter table public.organization_audit_log disable trigger user;
		for r in select * from public.organization_audit_log order by organization_id, seq loop
			previous := case when r.seq = 1 then decode(repeat('00', 32), 'hex') else previous end;
			update public.organization_audit_log a set previous_hash = previous, hash = vital.audit_hash(previous, a.organization_id, a.seq, a.id, a.action, a.actor_id, a.actor_role,
				a.database_role, a.entity, a.entity_id, a.request_id, a.created_at, a.commitment) where a.organization_id = r.organization_id and a.id = r.id returning a.hash into previous;
			update vital.audit_heads h set hash = previous where h.organization_id = r.organization_id;
		end loop;
		alter table public.organization_audit_log enable trigger user; end $$`)
	verify := func() {
		t.Helper()
		require.NoError(t, tenant.LookAtAudit(context.Background(), s.Connect(t), func(tx pgx.Tx) error {
			_, err := tenant.VerifyAudit(context.Background(), tx, tenant.AuditCheck{Found: func(f tenant.AuditFinding) error {
				require.Fail(t, f.What)
				return nil
			}})
			return err
		}))
	}
	verify()
	gone := retain(t, s, tenant.Retention{AuditBatch: 4})
	require.Equal(t, int64(acmeHad), gone["public.organization_audit_log "+acme])
	require.NotContains(t, gone, "public.organization_audit_log "+bolt)
	require.Zero(t, peek[int](t, s, contents, acme))
	require.Equal(t, boltHad, peek[int](t, s, contents, bolt))
	verify()
	require.Empty(t, retain(t, s, tenant.Retention{}), "erasures are not erased")
}

// TestRetention_Partitions: where all agree a partition goes as a whole; where one tenant keeps rows longer, row by row.
func TestRetention_Partitions(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	s.Exec(t, `create table visits (tenant_id uuid not null references organizations, id bigint generated always as identity, at timestamptz not null, primary key (tenant_id, id, at)) partition by range (at);
		create table visits_2020 partition of visits for values from ('2020-01-01') to ('2021-01-01');
		create table visits_2021 partition of visits for values from ('2021-01-01') to ('2022-01-01');
		create table visits_now partition of visits default;
		alter table visits owner to vital_owner; alter table visits_2020 owner to vital_owner; alter table visits_2021 owner to vital_owner; alter table visits_now owner to vital_owner;
		grant select, update, delete on visits to service_role;
		insert into visits (tenant_id, at) select o.id, d from organizations o, unnest('{2020-05-05,2020-06-06,2021-05-05}'::timestamptz[] || now()) d where o.slug in ('acme', 'bolt')`)
	require.NoError(t, keep(s, "", "visits", "at", "1 year"))
	require.NoError(t, keep(s, bolt, "visits", "at", "100 years"))
	require.Equal(t, map[string]int64{"public.visits " + acme: 3}, retain(t, s, tenant.Retention{Batch: 2}))
	require.Equal(t, 4, peek[int](t, s, "select count(*)::int from visits where tenant_id = $1", bolt))
	s.Exec(t, "delete from vital.retention_rules where organization_id <> '00000000-0000-0000-0000-000000000001'; insert into visits (tenant_id, at) values ('"+acme+"', '2020-05-05')")
	require.Equal(t, map[string]int64{"public.visits " + acme: 1, "public.visits " + bolt: 3}, retain(t, s, tenant.Retention{}))
	require.Zero(t, peek[int](t, s, "select count(*)::int from pg_class where relname in ('visits_2020', 'visits_2021')"), "as a whole")
	require.Equal(t, 2, peek[int](t, s, "select count(*)::int from visits"))
}

// TestRetention_Problem: a rule that cannot be followed says why, and the others go on.
func TestRetention_Problem(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	s.Exec(t, `create table letters (tenant_id uuid not null, id int, at date, primary key (tenant_id, id));
		create table answers (tenant_id uuid not null, id int, letter int, primary key (tenant_id, id), foreign key (tenant_id, letter) references letters);
		grant select, update, delete on letters to service_role;
		insert into letters values ('`+acme+`', 1, '2020-01-01'), ('`+acme+`', 2, null); insert into answers values ('`+acme+`', 1, 1)`)
	chats(t, s, bolt, cyd, 1, 1000)
	require.NoError(t, keep(s, "", "letters", "at", "1 year"))
	require.NoError(t, keep(s, "", "chat_sessions", "created_at", "1 year"))
	gone, err := tenant.Retention{Service: s.db.Service}.Run(context.Background())
	require.NoError(t, err)
	require.Len(t, gone, 2)
	require.Equal(t, "public.chat_sessions", gone[0].Table)
	require.Contains(t, gone[1].Problem, "refer to them")
	require.Equal(t, fault.StateConflict, fault.CodeOf(tenant.RetentionProblem(gone)))
	s.Exec(t, "drop table answers; alter table letters drop column at")
	gone, err = tenant.Retention{Service: s.db.Service}.Run(context.Background())
	require.NoError(t, err)
	require.Len(t, gone, 1)
	require.Contains(t, gone[0].Problem, "does not say how old")
}
