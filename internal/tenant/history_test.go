package tenant_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/tenant"
)

// rowOf is the target of a row, before its n-th entry, the first being 1.
func rowOf(t *testing.T, s stage, owner, table, id string, before int) tenant.RowTarget {
	t.Helper()
	target := tenant.RowTarget{Tenant: uuid.MustParse(owner), ID: uuid.MustParse(id)}
	require.NoError(t, s.db.AsService(context.Background(), "Test", func(tx pgx.Tx) (err error) {
		target.Table, err = tenant.FindAuditedTable(context.Background(), tx, table)
		return err
	}))
	if before > 0 {
		target.Before = peek[int64](t, s, `select seq from organization_audit_log where organization_id = $1 and entity = $2 and entity_id = $3 order by seq offset $4 limit 1`,
			owner, target.Table.Name, id, before-1)
	}
	return target
}

func planBack(s stage, target tenant.RowTarget) (back *tenant.RowBack, err error) {
	err = s.db.AsService(context.Background(), "Test", func(tx pgx.Tx) (err error) {
		back, err = tenant.PlanRowBack(context.Background(), tx, target)
		return err
	})
	return back, err
}

// bring plans and does it.
func bring(t *testing.T, s stage, target tenant.RowTarget) *tenant.RowBack {
	t.Helper()
	back, err := planBack(s, target)
	require.NoError(t, err)
	require.NoError(t, applyBack(s, back))
	return back
}

func applyBack(s stage, back *tenant.RowBack) error {
	return s.db.AsService(context.Background(), "Test", func(tx pgx.Tx) error { return back.Apply(context.Background(), tx, "by mistake") })
}

func requireRefused(t *testing.T, s stage, target tenant.RowTarget, code fault.Code, says string) {
	t.Helper()
	_, err := planBack(s, target)
	require.Equal(t, code, fault.CodeOf(err), err)
	require.ErrorContains(t, err, says)
}

const nameOf = "select name from agents where tenant_id = $1 and id = $2"

// TestRowBack: a row comes back to before an entry or to a time, by a write like any other, and another tenant's row of the same id stays as it is.
func TestRowBack(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	agent := s.agent(t, acme, 1)
	s.Exec(t, "insert into agents (tenant_id, id, name, slug) values ('"+bolt+"', '"+agent+"', 'Of bolt', 'b')")
	s.Exec(t, "set timezone = 'Asia/Tokyo'; update agents set name = 'B', tags = '{x,y}', metadata = '{\"n\": 1.50}' where tenant_id = '"+acme+"'")
	between := time.Now()
	must[any](t, s, ada, "", "update agents set name = 'C' where id = $1", agent)

	back := bring(t, s, rowOf(t, s, acme, "agents", agent, 3))
	require.Equal(t, "update", back.Do)
	require.Len(t, back.Changes, 1)
	require.Empty(t, back.Kept)
	require.Equal(t, "B", peek[string](t, s, nameOf, acme, agent))
	require.Equal(t, "service_role  by mistake", peek[string](t, s, `select concat_ws(' ', actor_role, coalesce(actor_id::text, ''), reason)
		from organization_audit_log where organization_id = $1 and entity_id = $2 order by seq desc limit 1`, acme, agent))
	require.Zero(t, peek[int](t, s, "select count(*)::int from organization_audit_log where organization_id = $1 and reason is not null", bolt))

	target := rowOf(t, s, acme, "agents", agent, 0)
	target.At = between
	back, err := planBack(s, target)
	require.NoError(t, err)
	require.Empty(t, back.Do, "what was undone is walked back like any change, and it is so already")
	require.Len(t, back.Undone, 2)

	back = bring(t, s, rowOf(t, s, acme, "agents", agent, 2))
	require.Len(t, back.Changes, 3)
	require.Equal(t, "A {} {}", peek[string](t, s, "select concat_ws(' ', name, tags::text, metadata::text) from agents where tenant_id = $1 and id = $2", acme, agent))

	s.Exec(t, "delete from agents where tenant_id = '"+acme+"' and id = '"+agent+"'")
	target.At = between
	back = bring(t, s, target)
	require.Equal(t, "insert", back.Do)
	require.Equal(t, "B {x,y} {\"n\": 1.50}", peek[string](t, s, "select concat_ws(' ', name, tags::text, metadata::text) from agents where tenant_id = $1 and id = $2", acme, agent))

	back = bring(t, s, rowOf(t, s, acme, "agents", agent, 1))
	require.Equal(t, "delete", back.Do)
	require.Zero(t, peek[int](t, s, "select count(*)::int from agents where tenant_id = $1 and id = $2", acme, agent))
	require.Equal(t, "Of bolt", peek[string](t, s, nameOf, bolt, agent))
	require.Equal(t, 1, peek[int](t, s, "select count(*)::int from organization_audit_log where organization_id = $1 and entity = 'agents'", bolt))
}

// TestRowBack_Refused: whatever the log cannot account for stops it, names the column, and leaves everything as it is.
func TestRowBack_Refused(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	agent := s.agent(t, acme, 1)
	s.Exec(t, "update agents set name = 'B' where id = '"+agent+"'")
	first := rowOf(t, s, acme, "agents", agent, 1)

	back, err := planBack(s, rowOf(t, s, acme, "agents", agent, 2))
	require.NoError(t, err)
	s.Exec(t, "update agents set description = 'new' where id = '"+agent+"'")
	require.Equal(t, fault.Conflict, fault.CodeOf(applyBack(s, back)), "changed since it was looked at")
	require.Equal(t, "B", peek[string](t, s, nameOf, acme, agent))

	s.Exec(t, "alter table agents disable trigger agents_audit; update agents set name = 'behind' where id = '"+agent+"'; alter table agents enable trigger agents_audit")
	requireRefused(t, s, first, fault.StateConflict, "Column name: entry")
	s.Exec(t, "alter table agents disable trigger agents_audit; delete from agents where id = '"+agent+"'; alter table agents enable trigger agents_audit")
	requireRefused(t, s, first, fault.StateConflict, "left a row, and there is none now")

	other := first
	other.Tenant = uuid.MustParse(bolt)
	requireRefused(t, s, other, fault.NotFound, "nothing of row")
	other = first
	other.Before += 1000
	requireRefused(t, s, other, fault.NotFound, "is not about this row")

	erased := s.agent(t, acme, 1)
	s.Exec(t, "update agents set name = 'B' where id = '"+erased+"'")
	target := rowOf(t, s, acme, "agents", erased, 2)
	s.Exec(t, "select vital.erase_audit(organization_id, id) from organization_audit_log where organization_id = $1 and seq = $2", acme, target.Before)
	requireRefused(t, s, target, fault.StateConflict, "was erased")

	s.Exec(t, "update profiles set role = 'admin' where id = '"+ben+"'")
	requireRefused(t, s, rowOf(t, s, platformID, "profiles", ben, 1), fault.StateConflict, "does not hold every change")
	require.NoError(t, s.db.AsService(context.Background(), "Test", func(tx pgx.Tx) error {
		_, err := tenant.FindAuditedTable(context.Background(), tx, "prompts")
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
		return nil
	}))
}

// TestRowBack_Deleted: what refers to a row that is gone, what the log does not hold, and what a trigger decides.
func TestRowBack_Deleted(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	agent := s.agent(t, acme, 1)
	assigned := peek[string](t, s, "insert into tenant_agents (tenant_id, agent_tenant_id, agent_id) values ($1, $1, $2) returning id::text", acme, agent)
	s.Exec(t, "delete from tenant_agents where id = '"+assigned+"'; delete from agents where id = '"+agent+"'")
	assignment := rowOf(t, s, acme, "tenant_agents", assigned, 2)
	back, err := planBack(s, assignment)
	require.NoError(t, err)
	err = applyBack(s, back)
	require.Equal(t, fault.StateConflict, fault.CodeOf(err))
	require.ErrorContains(t, err, "is gone")
	bring(t, s, rowOf(t, s, acme, "agents", agent, 2))
	bring(t, s, assignment)
	require.Equal(t, 1, peek[int](t, s, "select count(*)::int from tenant_agents where id = $1 and agent_id = $2", assigned, agent))

	invited := peek[string](t, s, "insert into invitations (tenant_id, email, token_hash) values ($1, 'x@y.test', sha256('x')) returning id::text", acme)
	s.Exec(t, "delete from invitations where id = '"+invited+"'")
	requireRefused(t, s, rowOf(t, s, acme, "invitations", invited, 2), fault.StateConflict, "token_hash")

	flag := peek[string](t, s, "select id::text from feature_flags where flag_key = 'dark'")
	s.Exec(t, "update feature_flags set description = 'B' where id = '"+flag+"'")
	back = bring(t, s, rowOf(t, s, platformID, "feature_flags", flag, 2))
	require.Len(t, back.Kept, 1)
	require.Equal(t, "version", back.Kept[0].Column)
	require.Equal(t, 3, peek[int](t, s, "select version from feature_flags where id = $1", flag), "a version like any other")
	require.Equal(t, fault.NotFound, fault.CodeOf(func() error { _, err := planBack(s, rowOf(t, s, acme, "feature_flags", flag, 0)); return err }()), "it is the platform's")
}

// TestRowHistory: admins read the story of their tenant's rows, and nobody else does.
func TestRowHistory(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	agent := s.agent(t, acme, 1)
	must[any](t, s, ada, "", "update agents set name = 'B' where id = $1", agent)
	const story = "select coalesce(array_agg(concat_ws(' ', action, actor_email, changes -> 'new' ->> 'name') order by seq desc), '{}') from row_history('agents', $1)"
	require.Equal(t, []string{"updated ada@acme.test B", "created A"}, must[[]string](t, s, ada, "", story, agent))
	require.Empty(t, must[[]string](t, s, cyd, "", story, agent), "another tenant's")
	require.Empty(t, must[[]string](t, s, both, bolt, story, agent))
	for user, code := range notAdmins {
		refused(t, s, code, user, story, agent)
	}
}
