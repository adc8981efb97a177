package postgres_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/postgres"
)

// trace is everything of a session that a request before could have changed, as text.
const trace = `select concat_ws(E'\n',
	(select string_agg(name || '=' || setting || ' ' || source, E'\n' order by name) from pg_settings where source in ('session', 'interactive')),
	'user ' || current_user || ' ' || session_user,
	'context ' || split_part(current_setting('vital.context', true), '.', 3),
	'marker ' || nullif(current_setting('test.marker', true), ''),
	'cursors ' || (select count(*) from pg_cursors where is_holdable),
	'channels ' || (select count(*) from pg_listening_channels()),
	'temporary ' || pg_my_temp_schema(),
	'format ' || '2026-01-02 03:04:05.678+00'::timestamptz || ' ' || '1 day 02:03:04'::interval || ' ' || '\xdeadbeef'::bytea
		|| ' ' || 0.1::float8 + 0.2::float8 || ' ' || 'a\b' || ' é ' || array['a', null]::text || xmlcomment('é')::text,
	'path ' || (select 'agents'::regclass) || ' ' || current_schemas(true)::text,
	'transaction ' || current_setting('transaction_isolation') || current_setting('transaction_read_only') || current_setting('transaction_deferrable'))`

// leftovers are what SQL may try to leave behind in the session.
var leftovers = map[string][]string{
	"search_path":             {"set search_path = pg_temp, pg_catalog"},
	"role":                    {"set role anon"},
	"role by set_config":      {"select set_config('role', 'anon', false)"},
	"role after commit":       {"commit", "set role anon"},
	"role none":               {"set role none"},
	"row_security":            {"set row_security = off"},
	"statement_timeout":       {"set statement_timeout = 1"},
	"timeouts":                {"set lock_timeout = 1; ", "set idle_in_transaction_session_timeout = 1", "set idle_session_timeout = 1"},
	"read only":               {"set default_transaction_read_only = on"},
	"isolation":               {"set default_transaction_isolation = serializable", "set default_transaction_deferrable = on"},
	"characteristics":         {"set session characteristics as transaction isolation level serializable, read only"},
	"own seal":                {"select set_config('vital.context', current_setting('vital.context'), false)"},
	"own seal after commit":   {"select set_config('test.marker', current_setting('vital.context'), false)", "commit", "select set_config('vital.context', current_setting('test.marker'), false)"},
	"forged seal":             {"commit", "set vital.context = '1.x." + bobID + "......0'"},
	"claims":                  {"select set_config('request.jwt.claims', '{\"sub\":\"" + bobID + "\"}', false)"},
	"own setting":             {"select set_config('test.marker', 'left by eve', false)"},
	"formats":                 {"set datestyle = 'German, DMY'", "set timezone = 'Asia/Kathmandu'", "set intervalstyle = iso_8601", "set bytea_output = escape", "set extra_float_digits = -15", "set xmlbinary = hex"},
	"strings":                 {"set standard_conforming_strings = off", "set backslash_quote = on", "set escape_string_warning = off"},
	"encoding":                {"set client_encoding = 'LATIN1'"},
	"encoding by name":        {"set names 'SQL_ASCII'"},
	"planner":                 {"set plan_cache_mode = force_generic_plan", "set enable_seqscan = off", "set enable_indexscan = off", "set work_mem = '64kB'", "set gin_fuzzy_search_limit = 1"},
	"semantics":               {"set transform_null_equals = on", "set array_nulls = off", "set default_text_search_config = 'pg_catalog.german'", "set lc_monetary = 'C'", "set synchronous_commit = off"},
	"application_name":        {"set application_name = 'somebody else'"},
	"exit_on_error":           {"set exit_on_error = on"},
	"messages":                {"set client_min_messages = debug5", "set debug_print_plan = on"},
	"listen":                  {"listen vital_change", "listen mine"},
	"listen after commit":     {"listen mine", "commit", "begin"},
	"cursor":                  {"declare kept cursor with hold for select * from public.agents"},
	"cursor after commit":     {"declare kept cursor with hold for select * from public.agents", "commit", "begin"},
	"statements":              {"deallocate all"},
	"prepared by eve":         {"prepare v000000000000000000000000 as select 'eve'", "prepare begin as select 'eve'"},
	"commit":                  {"commit"},
	"rollback":                {"rollback"},
	"commit and chain":        {"commit and chain"},
	"begin again":             {"commit", "begin isolation level serializable read only", "savepoint s"},
	"savepoint":               {"savepoint s", "set timezone = 'Asia/Kathmandu'", "release s"},
	"seed":                    {"select setseed(0)"},
	"constraints":             {"set constraints all immediate"},
	"rolled back by an error": {"commit", "set timezone = 'Asia/Kathmandu'", "set role anon", "begin", "select 1/0"},
	"kept by an error":        {"commit", "set search_path = ''", "select 1/0"},
	"listening by an error":   {"commit", "listen mine", "select 1/0"},
	"slow to clean":           {"commit", "set statement_timeout = 1", "set timezone = 'Asia/Kathmandu'"},
	"nothing at all":          {""},
	"empty statement":         {";"},
	"comment":                 {"-- nothing"},
	"notices":                 {"do $$ begin for i in 1..500 loop raise notice '%', repeat('x', 1000); end loop; end $$"},
	"copy out":                {"copy (select * from public.agents) to stdout"},
	"copy in":                 {"copy public.prompts (tenant_id, title) from stdin"},
	"copy in after commit":    {"commit", "copy public.prompts (tenant_id, title) from stdin"},
	"notify":                  {"listen vital_change", "notify vital_change, 'forged'"},
	"discard":                 {"commit", "discard plans", "discard temp", "discard sequences"},
	"reset":                   {"reset all"},
}

// TestInTenant_Leftovers lets Eve try each of them, once with all going well and once with an error
// behind it, on the one connection there is. Then come a request without a user, and Bob.
func TestInTenant_Leftovers(t *testing.T) {
	t.Parallel()
	for name, hostile := range leftovers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, postgres.Config{})
			b.requireBob()
			want, err := b.run(bob, trace)
			require.NoError(t, err)
			require.Contains(t, want[0], "context "+bobID)
			for i, ending := range [][]string{{}, {"select 1/0"}, {"select pg_catalog.set_config('role', 'service_role', true)"}} {
				_ = b.attack(append(append([]string{}, hostile...), ending...)...) // refused or not: what counts is what is left
				b.requireAnonymous()
				b.requireBob()
				got, err := b.run(bob, trace)
				require.NoError(t, err)
				require.Equal(t, want, got)
				// Not yet prepared here, so parsed in whatever state the session is in.
				got, err = b.run(bob, fmt.Sprintf("%s -- %d", trace, i))
				require.NoError(t, err)
				require.Equal(t, want, got)
				b.requireWriting()
			}
		})
	}
}

// TestInTenant_LeftoversSeen: the trace shows what it is there to show, while Eve's own transaction runs.
func TestInTenant_LeftoversSeen(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	clean, err := b.run(eve, trace)
	require.NoError(t, err)
	for _, name := range []string{"formats", "strings", "planner", "semantics", "listen after commit", "cursor", "own setting", "application_name", "role after commit"} {
		got, err := b.run(eve, append(append([]string{}, leftovers[name]...), trace)...)
		require.NoError(t, err, name)
		require.NotEqual(t, clean, got, name)
	}
}

// requireWriting wants Bob's writes to be stored as he sent them.
func (b *bundle) requireWriting() {
	b.t.Helper()
	work := &postgres.Work{Name: "Test", Writes: true}
	title := "Zoë's \\ „Titel“ " + strings.Repeat("…", 10)
	work.Query("insert into public.prompts (tenant_id, title, created_at) values ($1, $2, '2026-01-02')", nil, tenantB, title)
	require.NoError(b.t, b.db.InTenant(b.t.Context(), bob, "", work))
	require.Equal(b.t, title, one[string](b, "select title from prompts"))
	b.exec("delete from prompts")
}

// TestInTenant_SameConnection: the test above is about one connection. An orderly leftover is cleaned up
// there, and the connection is kept.
func TestInTenant_SameConnection(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	const pid = "select pg_backend_pid()::text"
	before, err := b.run(bob, pid)
	require.NoError(t, err)
	for _, name := range []string{"search_path", "role after commit", "formats", "listen", "cursor", "commit", "kept by an error", "own seal"} {
		_, _ = b.run(eve, append(append([]string{}, leftovers[name]...), "select 'done'")...)
		after, err := b.run(bob, pid)
		require.NoError(t, err)
		require.Equal(t, before, after, name)
	}
}

// TestInTenant_AdvisoryLocks: a lock for the session would outlive the request and stop somebody else.
func TestInTenant_AdvisoryLocks(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	for _, text := range []string{
		"select pg_advisory_lock(1)", "select pg_advisory_lock(1, 2)", "select pg_advisory_xact_lock(1)", "select pg_try_advisory_lock(1)",
		"select pg_advisory_lock_shared(1)", "select pg_try_advisory_xact_lock_shared(1)", "select pg_advisory_unlock_all()",
	} {
		for _, prelude := range [][]string{{}, {"reset role"}, {"commit"}} {
			_, err := b.run(eve, append(prelude, text)...)
			requireState(t, err, "42501", text)
		}
	}
	require.Equal(t, 0, one[int](b, "select count(*)::int from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())"))
}
