package tenant_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/feature"
	"github.com/vital-db/vital/internal/tenant"
)

const (
	setFlag     = "select (set_feature_flag($1, $2, $3, $4)).version"
	setOverride = "select (set_tenant_feature($1, $2, $3, $4)).version"
	newest      = "select coalesce(max(v.version), 0) from feature_flag_versions v join feature_flags f on f.id = v.feature_flag_id where f.flag_key = $1"
)

// notOperators are those who may not touch a definition.
var notOperators = []string{olga, ada, ben, vic, cyd, nina, both}

// inService runs fn in one transaction as service_role.
func inService(t *testing.T, s stage, fn func(context.Context, pgx.Tx) error) error {
	t.Helper()
	ctx := context.Background()
	return s.db.AsService(ctx, "Test", func(tx pgx.Tx) error { return fn(ctx, tx) })
}

func TestSetFeatureFlag(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	for _, user := range notOperators {
		refused(t, s, fault.PermissionDenied, user, setFlag, "dark", `{"default_enabled": true}`, nil, nil)
	}
	before := peek[int64](t, s, "select version from vital.versions where scope = 'global'")
	rows := audited(t, s, func() {
		require.Equal(t, 2, must[int](t, s, root, "", setFlag, "dark", `{"default_enabled": true, "owner": "growth"}`, 1, "ready"))
	})
	require.Equal(t, []string{"feature_flags updated"}, describe(rows))
	require.Equal(t, []any{platformID, root, "ready", false, true, 1., 2.}, []any{rows[0].Tenant, rows[0].Actor, rows[0].Reason,
		rows[0].Old["default_enabled"], rows[0].New["default_enabled"], rows[0].Old["version"], rows[0].New["version"]})
	require.Greater(t, peek[int64](t, s, "select version from vital.versions where scope = 'global'"), before, "contexts learn of it")

	refused(t, s, fault.PreconditionFailed, root, setFlag, "dark", `{"owner": "x"}`, 1, nil)
	refused(t, s, fault.PreconditionFailed, root, setFlag, "dark", `{"owner": "x"}`, 0, nil)
	refused(t, s, fault.NotFound, root, setFlag, "nothing", `{}`, nil, nil)
	refused(t, s, fault.NotFound, root, setFlag, "nothing", `{}`, 3, nil)
	require.Equal(t, 2, must[int](t, s, root, "", setFlag, "dark", `{"owner": "growth"}`, nil, nil), "what changes nothing makes no version")
	require.Equal(t, 1, must[int](t, s, root, "", setFlag, "tier", `{"flag_type": "string", "variants": {"a": "x", "b": "y"}, "default_variant": "a"}`, 0, nil))
	for changes, says := range map[string]string{
		`{"colour": 1}`:     "p_changes.colour",
		`[]`:                "p_changes",
		`{"flag_key": "x"}`: "p_changes.flag_key",
		`{"version": 7}`:    "p_changes.version",
		`{"variants": {"a": 1}, "default_variant": null}`: "variants.a",
		`{"variants": 3}`:          "variants",
		`{"default_variant": "c"}`: "default_variant",
		`{"flag_type": "date"}`:    "flag_type",
		`{"targeting": []}`:        "targeting",
		`{"metadata": 1}`:          "metadata",
		`{"tags": "x"}`:            "",
		`{"expires_at": "soon"}`:   "",
	} {
		_, err := as[any](s, root, "", setFlag, "tier", changes, nil, nil)
		require.Equal(t, fault.Invalid, fault.CodeOf(err), "%s: %v", changes, err)
		require.Contains(t, fault.From(err).Message, says)
	}
	got, err := operate[int](s, setFlag, "tier", `{"variants": null, "default_variant": null, "flag_type": null, "tags": ["x"]}`, 1, nil)
	require.NoError(t, err)
	require.Equal(t, 2, got)
	require.Equal(t, "boolean {} {x}", peek[string](t, s, "select concat_ws(' ', flag_type, variants, tags) from feature_flags where flag_key = 'tier'"), "null puts a field back")
}

// TestFeatureFlag_Versions: the number is the row's own whichever way it is written, and the newest of its
// history.
func TestFeatureFlag_Versions(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	const writers = 12
	well, codes := atOnce(writers, func(i int) error {
		_, err := as[string](s, root, "", "update feature_flags set description = $1 where flag_key = 'dark' returning flag_key", fmt.Sprint(i))
		return err
	})
	require.Equal(t, writers, well, codes)
	require.Equal(t, writers+1, peek[int](t, s, "select version from feature_flags where flag_key = 'dark'"))
	require.Equal(t, writers+1, peek[int](t, s, newest, "dark"))
	require.True(t, peek[bool](t, s, `select bool_and(v.config ->> 'version' = v.version::text) and count(*) = $1
		from feature_flag_versions v join feature_flags f on f.id = v.feature_flag_id where f.flag_key = 'dark'`, writers+1))

	// Optimistic locking without a function: of those who have seen one version, one gets through.
	touched, _ := atOnce(8, func(i int) error {
		key, err := as[string](s, root, "", "update feature_flags set owner = $1 where flag_key = 'dark' and version = $2 returning flag_key", fmt.Sprint(i), writers+1)
		if err == nil && key == "" {
			return fault.New(fault.PreconditionFailed, "", "")
		}
		return err
	})
	require.Equal(t, 1, touched)

	s.Exec(t, "update feature_flags set version = 99, updated_at = '2001-01-01' where flag_key = 'dark'")
	require.Equal(t, writers+2, peek[int](t, s, newest, "dark"), "nobody says the number, and nothing changed")
	require.Equal(t, 1, must[int](t, s, root, "", "insert into feature_flags (flag_key, version) values ('new', 7) returning version"))
	refused(t, s, fault.Conflict, root, "delete from feature_flags where flag_key = 'new' returning flag_key") // it has a history
	_, err := as[any](s, root, "", "insert into feature_flag_versions (feature_flag_id, version, config) select id, 50, '{}' from feature_flags returning id")
	require.Equal(t, fault.PermissionDenied, fault.CodeOf(err))
	require.Equal(t, 0, must[int](t, s, ada, "", "select count(*)::int from feature_flag_versions"))
}

func TestRollbackFeatureFlag(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	const rollback = "select (rollback_feature_flag($1, $2, $3)).version"
	must[int](t, s, root, "", setFlag, "dark", `{"description": "two", "targeting": {"if": [{"==": [1, 1]}, "on", "off"]}}`, nil, "second")
	must[int](t, s, root, "", setFlag, "dark", `{"description": "three"}`, nil, nil)
	for _, user := range notOperators {
		refused(t, s, fault.PermissionDenied, user, rollback, "dark", 1, nil)
		refused(t, s, fault.PermissionDenied, user, "select version from feature_flag_history('dark')")
		refused(t, s, fault.PermissionDenied, user, "select path from diff_feature_flag('dark')")
	}
	refused(t, s, fault.NotFound, root, rollback, "nothing", 1, nil)
	refused(t, s, fault.NotFound, root, rollback, "dark", 9, nil)
	refused(t, s, fault.StateConflict, root, rollback, "dark", 3, nil)
	rows := audited(t, s, func() { require.Equal(t, 4, must[int](t, s, root, "", rollback, "dark", 2, nil)) })
	require.Equal(t, []string{"feature_flags updated"}, describe(rows))
	require.Equal(t, "Back to version 2", rows[0].Reason)
	refused(t, s, fault.StateConflict, root, rollback, "dark", 2, nil)
	require.Equal(t, 4, peek[int](t, s, newest, "dark"), "nothing was made of it")

	require.Equal(t, []string{
		"4 two three Back to version 2 " + root, "3 three two  " + root, "2 two  second " + root, "1    ",
	}, must[[]string](t, s, root, "", `select array_agg(concat_ws(' ', version, coalesce(config ->> 'description', ''), coalesce(previous_config ->> 'description', ''),
		coalesce(reason, ''), coalesce(created_by::text, ''))) from feature_flag_history('dark')`))
	const diff = "select coalesce(array_agg(concat_ws(' ', path, coalesce(before::text, '-'), coalesce(after::text, '-'))), '{}') from diff_feature_flag($1, $2, $3)"
	require.Equal(t, []string{`/description "three" "two"`}, must[[]string](t, s, root, "", diff, "dark", nil, nil))
	require.Equal(t, []string{`/description null "two"`, `/targeting {} -`, `/targeting/if/0/==/0 - 1`, `/targeting/if/0/==/1 - 1`, `/targeting/if/1 - "on"`, `/targeting/if/2 - "off"`},
		must[[]string](t, s, root, "", diff, "dark", 1, nil))
	require.Empty(t, must[[]string](t, s, root, "", diff, "dark", 2, 4))
	require.Len(t, must[[]string](t, s, root, "", diff, "dark", nil, 1), 15, "before the first there is nothing")
	refused(t, s, fault.NotFound, root, diff, "dark", 0, 1)
	refused(t, s, fault.NotFound, root, diff, "dark", 1, 5)
}

func TestFeatureFlag_Prerequisites(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	needs := func(key, other, variant string) error {
		_, err := as[int](s, root, "", setFlag, key, fmt.Sprintf(`{"prerequisites": [{"flag_key": %q, "variants": [%q]}]}`, other, variant), nil, nil)
		return err
	}
	for _, malformed := range []string{
		`[1]`, `[{}]`, `[{"flag_key": "gone"}]`, `[{"flag_key": "gone", "variants": []}]`, `[{"flag_key": "gone", "variants": "on"}]`, `[{"flag_key": "gone", "variants": [1]}]`,
		`[{"flag_key": "gone", "variants": ["on"], "x": 1}]`, `[{"flag_key": "nothing", "variants": ["on"]}]`, `[{"flag_key": "gone", "variants": ["on", "perhaps"]}]`,
		`[{"flag_key": "dark", "variants": ["on"]}]`,
	} {
		_, err := as[any](s, root, "", setFlag, "dark", `{"prerequisites": `+malformed+`}`, nil, nil)
		require.Equal(t, fault.PrerequisiteInvalid, fault.CodeOf(err), "%s: %v", malformed, err)
		_, err = as[any](s, root, "", "update feature_flags set prerequisites = $1 where flag_key = 'dark' returning id", malformed)
		require.Equal(t, fault.PrerequisiteInvalid, fault.CodeOf(err), malformed)
	}
	require.NoError(t, needs("dark", "gone", "on"))
	require.Equal(t, fault.PrerequisiteInvalid, fault.CodeOf(needs("gone", "dark", "off")))
	s.Exec(t, "insert into feature_flags (flag_key) values ('third')")
	require.NoError(t, needs("gone", "third", "on"))
	err := needs("third", "dark", "on")
	require.Contains(t, fault.From(err).Message, "third needs dark needs gone needs third")
	refused(t, s, fault.StateConflict, root, "update feature_flags set flag_key = 'else' where flag_key = 'gone' returning id")
	require.NoError(t, needs("dark", "third", "on"), "another way through the same flags is none")

	// What another flag needs stays, whichever way it is written; both can be changed together.
	refused(t, s, fault.PrerequisiteInvalid, root, setFlag, "third", `{"variants": {"x": true}}`, nil, nil)
	refused(t, s, fault.PrerequisiteInvalid, root, "update feature_flags set variants = '{\"x\": true}' where flag_key = 'third' returning id")
	must[any](t, s, root, "", `with f as (update feature_flags set variants = '{"x": true}' where flag_key = 'third')
		update feature_flags set prerequisites = '[]' where flag_key in ('gone', 'dark')`)
	require.Equal(t, fault.PrerequisiteInvalid, fault.CodeOf(needs("dark", "third", "on")))

	// Two who close a circle at once: one gets through, the other learns of it.
	for i := range 10 {
		pair := []string{fmt.Sprintf("a%d", i), fmt.Sprintf("b%d", i)}
		s.Exec(t, "insert into feature_flags (flag_key) select unnest($1::text[])", pair)
		well, codes := atOnce(2, func(k int) error { return needs(pair[k], pair[1-k], "on") })
		require.Equal(t, 1, well, codes)
		require.Equal(t, map[fault.Code]int{fault.PrerequisiteInvalid: 1}, codes)
	}
}

// TestFeatureFlag_CircleOfAnOldSnapshot: a transaction that cannot see the other's half fails as a conflict.
func TestFeatureFlag_CircleOfAnOldSnapshot(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	first, second := s.Connect(t), s.Connect(t)
	ctx := context.Background()
	exec := func(conn *pgx.Conn, text string, args ...any) error {
		_, err := conn.Exec(ctx, text, args...)
		return err
	}
	for _, conn := range []*pgx.Conn{first, second} {
		require.NoError(t, exec(conn, "begin isolation level repeatable read"))
		require.NoError(t, exec(conn, "select count(*) from feature_flags"))
	}
	const needs = `update feature_flags set prerequisites = jsonb_build_array(jsonb_build_object('flag_key', $2::text, 'variants', '["on"]'::jsonb)) where flag_key = $1`
	require.NoError(t, exec(first, needs, "dark", "gone"))
	require.NoError(t, exec(first, "commit"))
	require.ErrorContains(t, exec(second, needs, "gone", "dark"), "40001")

	// Who may not write definitions keeps nobody out.
	require.NoError(t, exec(first, "begin; set local role authenticated; update public.feature_flags set name = 'x' where false"))
	require.NoError(t, exec(second, "rollback; set lock_timeout = '2s'; update feature_flags set name = 'x' where flag_key = 'dark'"))
}

func TestFeatureFlagEvaluators(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	before := peek[int64](t, s, "select version from vital.versions where scope = 'global'")
	rows := audited(t, s, func() {
		must[string](t, s, root, "", `insert into feature_flag_evaluators (name, rule) values ('vip', '{"==": [{"var": "tenant.tier"}, "enterprise"]}') returning name`)
	})
	require.Equal(t, []string{"feature_flag_evaluators created"}, describe(rows))
	require.Greater(t, peek[int64](t, s, "select version from vital.versions where scope = 'global'"), before)
	must[int](t, s, root, "", setFlag, "dark", `{"targeting": {"if": [{"$ref": "vip"}, "on", "off"]}}`, nil, nil)
	refused(t, s, fault.StateConflict, root, "delete from feature_flag_evaluators where name = 'vip' returning name")
	refused(t, s, fault.StateConflict, root, "update feature_flag_evaluators set name = 'x' returning name")
	must[string](t, s, root, "", `update feature_flag_evaluators set rule = '{"==": [1, 1]}' returning name`)
	must[int](t, s, root, "", setFlag, "dark", `{"targeting": null}`, nil, nil)
	require.Equal(t, "vip", must[string](t, s, vic, "", "select name from feature_flag_evaluators"), "read as flags are")
	require.Empty(t, must[string](t, s, ada, "", "delete from feature_flag_evaluators returning name"))
	require.Equal(t, "vip", must[string](t, s, root, "", "delete from feature_flag_evaluators where name = 'vip' returning name"))
}

func TestSetTenantFeature(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	must[int](t, s, root, "", setFlag, "tier", `{"flag_type": "string", "variants": {"a": "x", "b": "y"}, "default_variant": "a"}`, 0, nil)
	for user, code := range notAdmins {
		refused(t, s, code, user, setOverride, "tier", `{"variant": "b"}`, nil, nil)
	}
	rows := audited(t, s, func() {
		require.Equal(t, 1, must[int](t, s, ada, "", setOverride, "tier", `{"variant": "b", "config": {"x": 1}}`, 0, "trial"))
	})
	require.Equal(t, []string{"tenant_feature_flags created"}, describe(rows))
	require.Equal(t, []string{acme, ada, "trial"}, []string{rows[0].Tenant, rows[0].Actor, rows[0].Reason})
	refused(t, s, fault.PreconditionFailed, both, setOverride, "tier", `{"variant": "a"}`, 0, nil)
	refused(t, s, fault.PreconditionFailed, both, setOverride, "tier", `{"variant": "a"}`, 7, nil)
	require.Equal(t, 1, must[int](t, s, both, "", setOverride, "tier", `{"variant": "b"}`, 1, nil), "what changes nothing makes no version")
	for _, changes := range []string{`{"variant": "c"}`, `{"config": []}`, `{"expires_at": "2001-01-01"}`, `{"reason": "x"}`, `{"tenant_id": "` + bolt + `"}`, `3`} {
		refused(t, s, fault.Invalid, ada, setOverride, "tier", changes, nil, nil)
	}
	refused(t, s, fault.Invalid, ada, setOverride, "dark", `{"variant": "b"}`, nil, nil)
	require.Equal(t, 1, must[int](t, s, ada, "", setOverride, "dark", `{"variant": "on"}`, nil, nil), "a boolean flag has on and off")
	refused(t, s, fault.NotFound, ada, setOverride, "gone", `{"enabled": true}`, nil, nil)

	require.Equal(t, 2, must[int](t, s, ada, "", setOverride, "tier", `{"enabled": false, "expires_at": "2999-01-01"}`, 1, nil))
	s.Exec(t, "update tenant_feature_flags set expires_at = now() - interval '1 s' where variant = 'b'") // version 3
	require.Equal(t, 4, must[int](t, s, ada, "", setOverride, "tier", `{"enabled": true}`, 3, nil))
	require.Equal(t, "t", peek[string](t, s, "select concat_ws(' ', t.enabled, t.variant, t.config, t.expires_at) from tenant_feature_flags t join feature_flags f on f.id = t.feature_flag_id where f.flag_key = 'tier'"),
		"one that ran out starts afresh")
	_, err := as[*int](s, ada, "", setOverride, "tier", nil, 4, "over")
	require.NoError(t, err)
	require.Equal(t, []string{"5 null over", "4 object "}, must[[]string](t, s, ada, "", `select (array_agg(concat_ws(' ', version, jsonb_typeof(config), coalesce(reason, ''))))[1:2] from tenant_feature_history('tier')`))
	require.Equal(t, 6, must[int](t, s, ada, "", setOverride, "tier", `{"enabled": true}`, 0, nil), "its history goes on")

	// Another tenant's is another's.
	require.Equal(t, 1, must[int](t, s, cyd, "", setOverride, "tier", `{"variant": "a"}`, 0, nil))
	require.Empty(t, must[[]string](t, s, cyd, "", "select coalesce(array_agg(reason), '{}') from tenant_feature_history('tier') where version > 1"))
	_, err = as[any](s, both, acme, "select vital.set_tenant_feature($1, 'tier', '{\"variant\": \"b\"}')", bolt)
	require.Equal(t, fault.PermissionDenied, fault.CodeOf(err))
	_, err = as[any](s, ben, "", "select vital.set_tenant_feature($1, 'tier', null)", acme)
	require.NoError(t, err)
	require.Equal(t, 2, peek[int](t, s, "select count(*)::int from tenant_feature_flags t join feature_flags f on f.id = t.feature_flag_id where f.flag_key = 'tier'"), "a member takes nothing away")
	refused(t, s, fault.StateConflict, ada, "update tenant_feature_flags set feature_flag_id = gen_random_uuid() returning id")
}

func TestTenantFeature_Versions(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	history := func() []int32 {
		return peek[[]int32](t, s, "select array_agg(version order by version) from tenant_feature_flag_versions where tenant_id = $1", acme)
	}
	// Of those who make it at once, one does; the others learn of it.
	well, codes := atOnce(6, func(i int) error {
		_, err := as[int](s, ada, "", setOverride, "dark", fmt.Sprintf(`{"config": {"n": %d}}`, i), 0, nil)
		return err
	})
	require.Equal(t, 1, well, codes)
	require.Equal(t, map[fault.Code]int{fault.PreconditionFailed: 5}, codes)
	require.Equal(t, []int32{1}, history())
	// Whoever does not say what they saw changes what is there, one after the other.
	well, codes = atOnce(6, func(i int) error {
		_, err := as[int](s, ada, "", setOverride, "dark", fmt.Sprintf(`{"config": {"n": %d}}`, 100+i), nil, nil)
		return err
	})
	require.Equal(t, 6, well, codes)
	require.Equal(t, []int32{1, 2, 3, 4, 5, 6, 7}, history())
	// Taken away and made again, all at once: whatever happened has a number of its own, without a gap.
	for range 5 {
		_, codes = atOnce(8, func(i int) error {
			var changes any
			if i%2 == 0 {
				changes = fmt.Sprintf(`{"config": {"n": %d}}`, 200+i)
			}
			_, err := as[any](s, ada, "", "select set_tenant_feature('dark', $1)", changes)
			return err
		})
		require.Empty(t, codes)
	}
	for i, version := range history() {
		require.Equal(t, int32(i+1), version)
	}
}

func TestRollbackTenantFeature(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	const rollback = "select (rollback_tenant_feature($1, $2, $3)).version"
	must[int](t, s, ada, "", setOverride, "dark", `{"config": {"n": 1}}`, nil, nil)
	must[int](t, s, ada, "", setOverride, "dark", `{"config": {"n": 2}}`, nil, nil)
	must[int](t, s, cyd, "", setOverride, "dark", `{"config": {"secret": 1}}`, nil, nil)
	must[int](t, s, cyd, "", setOverride, "dark", `{"config": {"secret": 2}}`, nil, nil)
	must[int](t, s, cyd, "", setOverride, "dark", `{"config": {"secret": 3}}`, nil, nil)
	refused(t, s, fault.NotFound, ada, rollback, "dark", 3, nil) // only the other tenant has it
	require.Equal(t, 3, must[int](t, s, ada, "", rollback, "dark", 1, "oops"))
	require.JSONEq(t, `{"n": 1}`, peek[string](t, s, "select config::text from tenant_feature_flags where tenant_id = $1", acme))
	require.JSONEq(t, `{"secret": 3}`, peek[string](t, s, "select config::text from tenant_feature_flags where tenant_id = $1", bolt))
	refused(t, s, fault.StateConflict, ada, rollback, "dark", 1, nil)
	refused(t, s, fault.NotFound, ada, rollback, "gone", 1, nil)
	_, err := as[any](s, ada, "", "select set_tenant_feature('dark', null)") // version 4: none
	require.NoError(t, err)
	require.Equal(t, 5, must[int](t, s, ada, "", rollback, "dark", 2, nil))
	_, err = as[any](s, ada, "", "select rollback_tenant_feature('dark', 4)")
	require.NoError(t, err)
	require.Equal(t, 0, peek[int](t, s, "select count(*)::int from tenant_feature_flags where tenant_id = $1", acme))
	refused(t, s, fault.StateConflict, ada, "select rollback_tenant_feature('dark', 4)")
}

func TestFlagUsage(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	now := time.Now().UTC()
	count := func(batch ...tenant.Evaluations) (written int) {
		require.NoError(t, inService(t, s, func(ctx context.Context, tx pgx.Tx) (err error) {
			written, err = tenant.CountEvaluations(ctx, tx, batch)
			return err
		}))
		return written
	}
	in := func(id, key, variant string, n int64) tenant.Evaluations {
		return tenant.Evaluations{TenantID: uuid.MustParse(id), FlagKey: key, Variant: variant, Count: n, Last: now}
	}
	require.Zero(t, count())
	require.Equal(t, 3, count(in(acme, "dark", "on", 2), in(acme, "dark", "on", 3), in(acme, "gone", "", 1), in(bolt, "dark", "off", 7),
		in(acme, "nothing", "on", 1), in(uuid.NewString(), "dark", "on", 1)))
	count(in(acme, "dark", "on", 5))
	const usage = "select coalesce(array_agg(concat_ws(' ', f.flag_key, u.variant, u.evaluations, u.day) order by f.flag_key), '{}') from tenant_feature_flag_usage u join feature_flags f on f.id = u.feature_flag_id"
	day := now.Format(time.DateOnly)
	require.Equal(t, []string{"dark on 10 " + day}, must[[]string](t, s, ada, "", usage), "an inactive flag is not theirs to see")
	require.Equal(t, []string{"dark off 7 " + day}, must[[]string](t, s, cyd, "", usage))
	for _, user := range []string{ben, vic, nina} {
		require.Empty(t, must[[]string](t, s, user, "", usage))
	}
	require.Len(t, must[[]string](t, s, root, "", usage), 3)
	_, err := as[any](s, root, "", "select vital.count_flag_evaluations('[]')")
	require.Equal(t, fault.PermissionDenied, fault.CodeOf(err))

	// Servers that count the same in opposite orders wait for each other in no circle.
	_, codes := atOnce(8, func(i int) error {
		batch := []tenant.Evaluations{in(acme, "dark", "on", 1), in(bolt, "dark", "off", 1), in(acme, "gone", "", 1)}
		if i%2 == 0 {
			batch[0], batch[2] = batch[2], batch[0]
		}
		return s.db.AsService(context.Background(), "Test", func(tx pgx.Tx) error {
			_, err := tenant.CountEvaluations(context.Background(), tx, batch)
			return err
		})
	})
	require.Empty(t, codes)
	require.Equal(t, int64(18), peek[int64](t, s, "select evaluations from tenant_feature_flag_usage where tenant_id = $1 and variant = 'on'", acme))

	s.Exec(t, "update tenant_feature_flag_usage set day = day - 91 where variant = 'on'; update tenant_feature_flag_usage set day = day - 90 where variant = 'off'")
	require.NoError(t, inService(t, s, func(ctx context.Context, tx pgx.Tx) error {
		forgotten, err := tenant.ForgetFlagUsage(ctx, tx, 100)
		require.Equal(t, 1, forgotten)
		return err
	}))
	require.Equal(t, 2, peek[int](t, s, "select count(*)::int from tenant_feature_flag_usage"))
}

func TestStaleFlags(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	s.Exec(t, "alter table feature_flags disable trigger user")
	s.Exec(t, `insert into feature_flags (flag_key, owner, created_at, updated_at, expires_at, is_active, flag_type, variants) values
		('fine', 'a', now() - interval '40 days', now(), null, true, 'boolean', '{}'),
		('one', 'a', now() - interval '40 days', now(), null, true, 'string', '{"x": "1", "y": "2"}'),
		('never', 'a', now() - interval '40 days', now(), null, true, 'boolean', '{}'),
		('young', 'a', now() - interval '4 days', now(), null, true, 'boolean', '{}'),
		('over', 'a', now(), now(), now() - interval '1 s', true, 'boolean', '{}'),
		('nobody', ' ', now(), now(), null, true, 'boolean', '{}'),
		('idle', 'a', now() - interval '99 days', now() - interval '40 days', null, false, 'boolean', '{}');
		delete from feature_flag_versions; delete from feature_flags where flag_key in ('dark', 'gone');
		insert into tenant_feature_flag_usage (tenant_id, feature_flag_id, variant, day, evaluations, last_evaluated_at)
		select u.tenant_id::uuid, f.id, u.variant, current_date - u.ago, 1, now() from feature_flags f join (values
			('fine', '`+acme+`', 'on', 1), ('fine', '`+bolt+`', 'off', 2), ('one', '`+acme+`', 'x', 3), ('one', '`+bolt+`', 'x', 1), ('one', '`+bolt+`', 'y', 35),
			('never', '`+acme+`', 'on', 33)) u (key, tenant_id, variant, ago) on u.key = f.flag_key`)
	var stale []string
	require.NoError(t, inService(t, s, func(ctx context.Context, tx pgx.Tx) error {
		flags, err := tenant.ListStaleFlags(ctx, tx, 30)
		for _, f := range flags {
			line := f.Key + " " + strings.Join(f.Reasons, ",")
			if f.Variant != nil {
				line += " " + *f.Variant
			}
			stale = append(stale, line)
		}
		return err
	}))
	require.Equal(t, []string{"idle inactive", "never never_evaluated", "nobody no_owner", "one one_value x", "over expired"}, stale)
	for _, user := range notOperators {
		refused(t, s, fault.PermissionDenied, user, "select flag_key from stale_feature_flags()")
	}
	refused(t, s, fault.Invalid, root, "select flag_key from stale_feature_flags(91)")
}

func TestFlagReach(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	s.Exec(t, `
		insert into tenant_feature_flags (tenant_id, feature_flag_id, enabled, expires_at)
		select o.tenant::uuid, f.id, true, now() + o.ends from feature_flags f cross join (values
			('`+acme+`', null::interval), ('`+bolt+`', '1 day'), ('`+idle+`', '-1 s')) o (tenant, ends) where f.flag_key = 'dark';
		insert into tenant_feature_flag_usage (tenant_id, feature_flag_id, variant, day, evaluations, last_evaluated_at)
		select u.tenant::uuid, f.id, u.variant, (now() at time zone 'UTC')::date - u.ago, 1, now() from feature_flags f cross join (values
			('`+acme+`', 'on', 0), ('`+acme+`', 'off', 6), ('`+bolt+`', 'on', 7)) u (tenant, variant, ago) where f.flag_key = 'dark'`)
	reach := "select overriding || ' ' || evaluating from feature_flag_reach('dark', $1)"
	require.Equal(t, "2 1", must[string](t, s, root, "", reach, 7), "what has run out, and what was longer ago, does not count")
	require.Equal(t, "2 2", must[string](t, s, root, "", reach, 8))
	for _, user := range notOperators {
		refused(t, s, fault.PermissionDenied, user, reach, 7)
	}
	refused(t, s, fault.Invalid, root, reach, 91)
	refused(t, s, fault.NotFound, root, "select overriding from feature_flag_reach('none')")
}

func TestLoadFlags(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	must[int](t, s, root, "", setFlag, "dark", `{"name": "Dark", "variants": {"on": true, "off": false}, "default_variant": "off", "tags": ["x"], "expires_at": "2030-01-01",
		"metadata": {"team": "a"}, "prerequisites": [{"flag_key": "gone", "variants": ["on"]}]}`, nil, nil)
	s.Exec(t, `insert into feature_flag_evaluators (name, rule) values ('vip', '{"==": [1, 1]}')`)
	must[int](t, s, ada, "", setOverride, "dark", `{"enabled": false, "config": {"a": 1}, "expires_at": "2999-01-01"}`, nil, nil)
	require.NoError(t, inService(t, s, func(ctx context.Context, tx pgx.Tx) error {
		flags, err := tenant.LoadFlags(ctx, tx)
		require.NoError(t, err)
		require.Equal(t, peek[int64](t, s, "select version from vital.versions where scope = 'global'"), flags.Version)
		require.Len(t, flags.Source.Definitions, 2)
		dark := flags.Source.Definitions[0]
		require.Equal(t, []any{"dark", "Dark", feature.Boolean, true, "off", []string{"x"}, 2}, []any{dark.Key, dark.Name, dark.Type, dark.Active, dark.DefaultVariant, dark.Tags, dark.Version})
		require.Equal(t, time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), dark.ExpiresAt.UTC())
		require.JSONEq(t, `[{"flag_key": "gone", "variants": ["on"]}]`, string(dark.Prerequisites))
		require.False(t, flags.Source.Definitions[1].Active)
		require.JSONEq(t, `{"==": [1, 1]}`, string(flags.Source.Evaluators["vip"]))
		require.Empty(t, feature.Compile(flags.Source).Problems().Errors())

		own, err := tenant.LoadOverrides(ctx, tx, uuid.MustParse(acme))
		require.NoError(t, err)
		require.Equal(t, peek[int64](t, s, "select version from vital.versions where scope = 'tenant' and key = $1", acme), own.Version)
		require.JSONEq(t, `{"id": "`+acme+`", "slug": "acme", "type": "digital_health", "tier": "standard", "parent_id": null, "key": "acme"}`, string(own.Tenant))
		require.False(t, *own.Overrides["dark"].Enabled)
		require.JSONEq(t, `{"a": 1}`, string(own.Overrides["dark"].Config))
		other, err := tenant.LoadOverrides(ctx, tx, uuid.MustParse(bolt))
		require.NoError(t, err)
		require.Empty(t, other.Overrides)
		_, err = tenant.LoadOverrides(ctx, tx, uuid.New())
		require.Equal(t, fault.TenantNotFound, fault.CodeOf(err))
		return nil
	}))
	_, err := as[any](s, root, "", "select version from vital.flag_definitions()")
	require.Equal(t, fault.PermissionDenied, fault.CodeOf(err), "what sees all tenants is for the server")
}
