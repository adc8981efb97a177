package schema_test

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/localpg"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/schema"
)

// driftsOf are the differences of conn's database to what the migrations make, by object and aspect.
func driftsOf(t *testing.T, conn *pgx.Conn, expected *schema.Inventory) map[string]schema.Drift {
	t.Helper()
	actual, err := schema.ReadInventory(t.Context(), conn, inventoried)
	require.NoError(t, err)
	found := map[string]schema.Drift{}
	for _, d := range schema.Compare(expected, actual) {
		found[d.Kind+" "+d.Object+" "+d.Aspect] = d
	}
	return found
}

// TestCompare_Since: a difference says since when, to whoever the server tells, and what is missing or of a role does not.
func TestCompare_Since(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	conn := d.Connect(t)
	if !one[bool](t, conn, "select current_setting('track_commit_timestamp')::boolean") {
		t.Skip("the server that VITAL_TEST_DATABASE_URL names does not keep it")
	}
	execute(t, conn, "create foreign data wrapper outward; create server elsewhere foreign data wrapper outward")
	found, err := schema.ReadInventory(t.Context(), conn, inventoried)
	require.NoError(t, err)
	expected := found.WithDeclaredRoles()
	before := one[time.Time](t, conn, "select clock_timestamp()")
	for _, text := range []string{
		"alter table public.agents no force row level security",
		"create policy everybody on public.agents using (true)",
		"alter policy personas_select_member on public.personas using (true)",
		"create or replace view public.query_performance_log as select * from (" + one[string](t, conn, "select rtrim(pg_get_viewdef('public.query_performance_log'), ';')") + ") q",
		"alter view public.query_performance_log reset (security_invoker)",
		"alter table public.agents alter column tier drop default",
		"alter table public.prompts alter column title set default 'x'",
		"alter sequence vital.river_notification_id_seq increment 5",
		"alter type public.org_lifecycle_state add value 'frozen'",
		"grant select on public.agents to anon",
		"create rule hide as on delete to public.prompts do instead nothing",
		"comment on table public.agents is 'x'",
		"create cast (text as uuid) with inout as assignment",
		"create publication leak for table public.agents",
		"drop index public.idx_users_email",
		"revoke insert on public.agents from authenticated",
		"create user mapping for public server elsewhere",
	} {
		execute(t, conn, text)
	}
	after := one[time.Time](t, conn, "select clock_timestamp()")
	drifts := driftsOf(t, conn, expected)
	unknown := map[string]bool{
		"index public.idx_users_email ": true, "privilege INSERT on table public.agents to authenticated ": true, "user mapping of public on elsewhere ": true,
	}
	require.Len(t, drifts, 17)
	for name, drift := range drifts {
		if unknown[name] {
			require.Nil(t, drift.Since, name)
			continue
		}
		require.NotNil(t, drift.Since, name)
		require.WithinRange(t, *drift.Since, before, after, name)
		require.Equal(t, time.UTC, drift.Since.Location())
		require.Contains(t, drift.Detail(), " (since "+drift.Since.Format("2006-01-02T15:04:05Z")+")")
	}
	require.Contains(t, drifts["user mapping of public on elsewhere "].Hazard, "loses what it was told to connect with")

	execute(t, conn, "begin; create role operator; grant vital_owner to operator; create role passer_by; set local role operator")
	require.NotNil(t, driftsOf(t, conn, expected)["policy everybody on public.agents "].Since, "whoever operates may ask")
	execute(t, conn, "set local role passer_by")
	passed := driftsOf(t, conn, expected)["policy everybody on public.agents "]
	require.Equal(t, "policy", passed.Kind, "found all the same")
	require.Nil(t, passed.Since, "whoever may not ask is told nothing")
	execute(t, conn, "rollback")
}

// TestCompare_SinceWhenKept: nothing is said where the server does not keep it, nor afterwards of what was done while it did not.
func TestCompare_SinceWhenKept(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "vital-since-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	serve := func(settings map[string]string) *localpg.Server {
		settings["fsync"], settings["shared_buffers"] = "off", "32MB"
		server, err := localpg.Open(t.Context(), localpg.Config{DataDir: dir, Log: slog.New(slog.DiscardHandler), Settings: settings})
		require.NoError(t, err)
		return server
	}
	stop := func(server *localpg.Server) {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		require.NoError(t, server.Stop(ctx))
	}
	const unforced, granted = "table public.agents forced row security", "privilege SELECT on table public.agents to anon "

	server := serve(map[string]string{"track_commit_timestamp": "off"})
	conn := connect(t, server.SuperuserURL("postgres"))
	execute(t, conn, "create database kept")
	up(t, server.SuperuserURL("kept"))
	kept := connect(t, server.SuperuserURL("kept"))
	found, err := schema.ReadInventory(t.Context(), kept, inventoried)
	require.NoError(t, err)
	expected := found.WithDeclaredRoles()
	execute(t, kept, "alter table public.agents no force row level security")
	drifts := driftsOf(t, kept, expected)
	require.Contains(t, drifts, unforced)
	require.Nil(t, drifts[unforced].Since)
	require.NotContains(t, drifts[unforced].Detail(), "since")
	stop(server)

	server = serve(map[string]string{}) // the private server keeps it unless told otherwise
	defer stop(server)
	kept = connect(t, server.SuperuserURL("kept"))
	require.Nil(t, driftsOf(t, kept, expected)[unforced].Since, "it was not kept then")
	execute(t, kept, "create policy everybody on public.agents using (true)")
	drifts = driftsOf(t, kept, expected)
	require.Nil(t, drifts[unforced].Since)
	require.NotNil(t, drifts["policy everybody on public.agents "].Since)

	execute(t, kept, "grant select on public.agents to anon")
	require.NotNil(t, driftsOf(t, kept, expected)[granted].Since)
	times, err := schema.CommitTimes(t.Context(), kept, []uint32{1, 2, 3})
	require.NoError(t, err)
	require.Empty(t, times, "neither of what initdb made nor of what is frozen")
}
