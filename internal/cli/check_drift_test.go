package cli_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/schema"
)

func TestCheckDrift(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	var kept bool
	require.NoError(t, d.Connect(t).QueryRow(context.Background(), "select current_setting('track_commit_timestamp')::boolean").Scan(&kept))
	if !kept {
		t.Skip("the server that VITAL_TEST_DATABASE_URL names does not say since when")
	}
	check := func(args ...string) result {
		return vital(t, nil, append([]string{"check", "drift", "--database-url", d.URL}, args...)...)
	}
	require.Equal(t, "ok  no drift\n", ok(t, check()), "a database is what the migrations make")

	d.Exec(t, "comment on table agents is 'Mine'")
	require.Contains(t, ok(t, check()), "cosmetic   comment table public.agents: expected ", "which fails nothing")

	d.Exec(t, "alter table agents no force row level security; create index mine on prompts (title)")
	got := check()
	require.Equal(t, 3, got.code, got.err)
	const since = ` \(since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\)\n`
	require.Regexp(t, `(?m)^security   table public\.agents: forced row security: expected forced, is not forced`+since+`           alter table public\.agents force row level security;$`, got.out)
	require.Regexp(t, `(?m)^structure  index public\.mine: unexpected`+since+`           drop index public\.mine;$`, got.out)
	for _, format := range []string{"junit", "sarif", "markdown"} {
		require.Contains(t, check("--format", format).out, "is not forced (since 20", format)
	}
	require.Contains(t, got.err, "2 differences must be mended")
	require.Less(t, len(got.out), 1000)

	other := pgtest.New(t)
	require.Equal(t, 3, check("--against", other.URL).code)
	for _, repair := range []string{"alter table agents force row level security", "drop index mine"} {
		d.Exec(t, repair)
	}
	require.Contains(t, ok(t, check("--against", other.URL, "--format", "markdown")), "Errors: 0. Warnings: 1.")
	one := parsed[[]schema.Drift](t, check("--against", other.URL, "--json"))
	require.Len(t, one, 1)
	require.WithinDuration(t, time.Now(), *one[0].Since, time.Hour)
	d.Exec(t, one[0].Repair)
	require.Empty(t, parsed[[]schema.Drift](t, check("--against", other.URL, "--json")), "the repair undoes it")

	conn := d.Connect(t)
	require.Eventually(t, func() bool { // other tests have shadows too, for a while
		left := -1
		return conn.QueryRow(context.Background(), "select count(*)::int from pg_database where datname like 'vital_shadow_%'").Scan(&left) == nil && left == 0
	}, time.Minute, 50*time.Millisecond, "something is left behind")
	d.Exec(t, "delete from vital.applied_files where path like 'policies/agents%'")
	got = check()
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "(schema_behind)")
	require.Equal(t, 2, check("--format", "xml").code)
	require.Contains(t, check("--against", "postgres://127.0.0.1:1/none").err, "Check --against")
}
