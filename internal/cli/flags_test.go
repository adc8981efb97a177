package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFlags(t *testing.T) {
	t.Parallel()
	d, run := operated(t)
	require.Contains(t, ok(t, run("flags", "set", "dark", "--create", "owner=web", "--reason", "new")), "flag dark is at version 1")
	require.Contains(t, ok(t, run("flags", "set", "dark", "default_enabled=true", "description=Dark mode", "--expect", "1", "--reason", "ready")), "at version 2")
	require.Contains(t, ok(t, run("flags", "set", "tier", "--create", "flag_type=string", `variants={"a":"x","b":"y"}`, "default_variant=a", "owner=web",
		`targeting={"if":[{"==":[{"var":"tenant.tier"},"free"]},"b"]}`)), "at version 1")
	for _, c := range []struct {
		says string
		code int
		args []string
	}{
		{"(precondition_failed)", 1, []string{"set", "dark", "owner=x", "--expect", "1"}},
		{"(precondition_failed)", 1, []string{"set", "dark", "--create"}},
		{"(not_found)", 1, []string{"set", "nothing", "owner=x"}},
		{"p_changes.colour", 1, []string{"set", "dark", "colour=red"}},
		{"/flags/tier/targeting", 1, []string{"set", "tier", `targeting={"nonsense":[1]}`}},
		{"prerequisite_invalid", 1, []string{"set", "tier", `prerequisites=[{"flag_key":"nothing","variants":["on"]}]`}},
		{"(usage)", 2, []string{"set"}},
		{"(usage)", 2, []string{"set", "dark"}},
		{"(usage)", 2, []string{"set", "dark", "owner"}},
		{"(usage)", 2, []string{"set", "dark", "owner=a", "owner=b"}},
		{"(usage)", 2, []string{"set", "dark", "--remove"}},
		{"(tenant_not_found)", 1, []string{"set", "dark", "enabled=true", "--tenant", "nowhere"}},
		{"(usage)", 2, []string{"rollback", "dark", "1"}},
		{"(usage)", 2, []string{"rollback", "dark", "one", "--reason", "x"}},
		{"(state_conflict)", 1, []string{"rollback", "dark", "2", "--reason", "x"}},
		{"(not_found)", 1, []string{"diff", "dark", "1", "7"}},
		{"(usage)", 2, []string{"schedule", "dark", "owner=x", "--at", "soon"}},
		{"(usage)", 2, []string{"cancel", "x"}},
		{"(usage)", 2, []string{"stale", "--days", "91"}},
		{"(not_found)", 1, []string{"history", "tier", "--tenant", "platform"}},
	} {
		got := run(append([]string{"flags"}, c.args...)...)
		require.Equal(t, c.code, got.code, "%v: %s", c.args, got.err)
		require.Contains(t, got.err, c.says, c.args)
	}
	require.Equal(t, "tier", parsed[[]map[string]any](t, run("flags", "list", "--json"))[1]["flag_key"])
	require.Regexp(t, `dark\s+boolean\s+active\s+on\s+web\s+-\s+2 `, ok(t, run("flags", "list")))
	require.Regexp(t, `2\s.*operator\s+ready`, ok(t, run("flags", "history", "dark")))
	require.Equal(t, []map[string]any{
		{"path": "/default_enabled", "before": false, "after": true}, {"path": "/description", "before": nil, "after": "Dark mode"},
	}, parsed[[]map[string]any](t, run("flags", "diff", "dark", "--json")))
	require.Contains(t, ok(t, run("flags", "rollback", "dark", "1", "--reason", "oops")), "at version 3")

	// A tenant's overrides.
	require.Contains(t, ok(t, run("flags", "set", "tier", "variant=b", "--tenant", "platform", "--reason", "trial")), "the override of flag tier in platform is at version 1")
	require.Contains(t, run("flags", "set", "tier", "variant=c", "--tenant", "platform").err, "variant must be one of the flag's variants")
	require.Equal(t, "b", parsed[[]map[string]any](t, run("flags", "list", "--tenant", "platform", "--json"))[0]["variant"])
	require.Contains(t, ok(t, run("flags", "set", "tier", "--remove", "--tenant", "platform")), "platform has no override of flag tier")
	require.Contains(t, ok(t, run("flags", "history", "tier", "--tenant", "platform")), "removed")
	require.Contains(t, ok(t, run("flags", "rollback", "tier", "1", "--tenant", "platform", "--reason", "back")), "at version 3")
	require.Regexp(t, `/variant\s+-\s+"b"`, ok(t, run("flags", "diff", "tier", "--tenant", "platform")))

	// Scheduled changes.
	require.Contains(t, ok(t, run("flags", "schedule", "dark", "owner=later", "--at", "1h", "--reason", "launch")), "flag dark changes at ")
	require.Contains(t, ok(t, run("flags", "schedule", "tier", "--remove", "--tenant", "platform", "--at", "2999-01-01")), "2999-01-01 00:00 UTC")
	changes := parsed[[]map[string]any](t, run("flags", "changes", "--json"))
	require.Equal(t, []any{"pending", "launch", map[string]any{"owner": "later"}}, []any{changes[0]["status"], changes[0]["reason"], changes[0]["changes"]})
	require.Regexp(t, `tier\s+2999-01-01 00:00\s+pending\s+remove`, ok(t, run("flags", "changes", "--tenant", "platform")))
	id := changes[0]["id"].(string)
	require.Contains(t, ok(t, run("flags", "cancel", id)), "is cancelled")
	require.Equal(t, 1, run("flags", "cancel", id).code)
	require.Empty(t, parsed[[]any](t, run("flags", "changes", "--json")))
	require.Contains(t, ok(t, run("flags", "changes", "--all")), "cancelled")

	// The monthly review.
	require.Equal(t, "[]\n", ok(t, run("flags", "stale", "--json")))
	d.Exec(t, "update feature_flags set owner = null where flag_key = 'dark'")
	got := run("flags", "stale")
	require.Equal(t, 3, got.code)
	require.Regexp(t, `dark\s+no_owner`, got.out)
	require.Contains(t, got.err, "1 flag to look at. (findings)")
}

func TestFlags_Exchange(t *testing.T) {
	t.Parallel()
	d, run := operated(t)
	file := filepath.Join(t.TempDir(), "flags.json")
	write := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }
	write(`{"$evaluators": {"paying": {"!=": [{"var": "tenant.tier"}, "free"]}}, "flags": {
		"dark": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off", "metadata": {"vital.owner": "web"},
			"targeting": {"if": [{"$ref": "paying"}, "on"]}},
		"size": {"state": "DISABLED", "variants": {"s": 1, "l": 2.5}, "defaultVariant": "s"}}}`)
	tried := ok(t, run("flags", "import", file))
	require.Contains(t, tried, "3 would be made or changed, 0 are so already; nothing was changed")
	require.Equal(t, "[]\n", ok(t, run("flags", "list", "--json")))
	require.Contains(t, ok(t, run("flags", "import", file, "--apply", "--reason", "start")), "3 made or changed, 0 as they are")
	require.Regexp(t, `1\s.*start`, ok(t, run("flags", "history", "dark")))

	// What is exported comes back as it was.
	exported := ok(t, run("flags", "export"))
	require.Contains(t, ok(t, run("flags", "export", file)), "2 flags written to")
	again, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, exported, string(again))
	require.Contains(t, ok(t, run("flags", "import", file, "--apply")), "0 made or changed, 3 as they are")
	d.Exec(t, "delete from feature_flag_versions; delete from feature_flags; delete from feature_flag_evaluators")
	ok(t, run("flags", "import", file, "--apply"))
	require.Equal(t, exported, ok(t, run("flags", "export")))

	write(strings.Replace(exported, "2.5", "3", 1))
	var report struct {
		Applied bool
		Flags   []struct {
			Key     string `json:"flag_key"`
			Changes []struct {
				Path  string
				After json.RawMessage
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(ok(t, run("flags", "import", file, "--json"))), &report))
	require.False(t, report.Applied)
	require.Equal(t, "size /variants/l 3", report.Flags[0].Key+" "+report.Flags[0].Changes[0].Path+" "+string(report.Flags[0].Changes[0].After))

	for text, says := range map[string]string{
		`{"flags": {"x": {"state": "ENABLED", "variants": {"a": 1}, "colour": 1}}}`: "/flags/x/colour",
		`{"flags": {}, "colour": 1}`:                                                                    "/colour",
		`{"flags": {"x": {"state": "ON", "variants": {"a": 1}}}}`:                                       "/flags/x/state",
		`{"flags": {"x": {"state": "ENABLED", "variants": {"a": 1}, "targeting": {"iff": [1]}}}}`:       "/flags/x/targeting",
		`{"flags": {"x": {"state": "ENABLED", "variants": {"a": 1, "b": "x"}, "defaultVariant": "a"}}}`: "/flags/x/variants/b",
		`not json`: "",
	} {
		write(text)
		got := run("flags", "import", file, "--apply")
		require.Equal(t, 1, got.code, text)
		require.Contains(t, got.err, "(invalid)", text)
		require.Contains(t, got.err, says, text)
	}
	require.Equal(t, 2, run("flags", "import", "/nowhere/flags.json").code)
	require.Equal(t, exported, ok(t, run("flags", "export")), "nothing of what was wrong was kept")
	write(`{"flags": {"x": {"state": "ENABLED", "variants": {"a": 1}, "targeting": {"if": [{"$ref": "no"}]}}}}`)
	require.Contains(t, ok(t, run("flags", "import", file, "--apply")), `warning  /flags/x/targeting/if/0/$ref: there is no shared evaluator "no"`)
	require.Equal(t, 1, run("flags", "set", "x", `targeting={"$ref": "none"}`).code)
}
