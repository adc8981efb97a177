package tenant_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/feature"
	"github.com/vital-db/vital/internal/tenant"
)

func TestImportFlags(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	s.Exec(t, "delete from feature_flag_versions; delete from feature_flags")
	run := func(text string, keep bool) (report *tenant.FlagImport, err error) {
		file, err := feature.ParseFlagd(strings.NewReader(text))
		require.NoError(t, err)
		source, err := file.Source()
		require.NoError(t, err)
		err = inService(t, s, func(ctx context.Context, tx pgx.Tx) (err error) {
			report, err = tenant.ImportFlags(ctx, tx, source, "import")
			if err == nil && !keep {
				return context.Canceled
			}
			return err
		})
		if !keep {
			err = nil
		}
		return report, err
	}
	flag := func(needs string) string {
		text := `{"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off", "metadata": {"own": 1`
		if needs != "" {
			quoted, _ := json.Marshal(fmt.Sprintf(`[{"flag_key": %q, "variants": ["on"]}]`, needs))
			text += `, "vital.prerequisites": ` + string(quoted)
		}
		return text + `}}`
	}
	one := `{"$evaluators": {"vip": {"==": [1, 1]}}, "metadata": {"set": "m", "own": 0}, "flags": {"a": ` + flag("z") + `, "z": ` + flag("") + `}}`
	report, err := run(one, false)
	require.NoError(t, err)
	require.Len(t, report.Flags, 2)
	require.Equal(t, 0, peek[int](t, s, "select count(*)::int from feature_flags"), "tried and undone")
	report, err = run(one, true)
	require.NoError(t, err)
	require.Equal(t, []string{"z", "a"}, []string{report.Flags[0].Key, report.Flags[1].Key}, "what is needed comes first")
	require.JSONEq(t, `{"set": "m", "own": 1}`, peek[string](t, s, "select metadata::text from feature_flags where flag_key = 'a'"))
	report, err = run(one, true)
	require.NoError(t, err)
	require.Empty(t, report.Flags)
	require.Equal(t, 3, report.Unchanged)

	// The other way round: neither state alone is a circle.
	report, err = run(`{"flags": {"z": `+flag("a")+`, "a": `+flag("")+`}}`, true)
	require.NoError(t, err)
	require.Len(t, report.Flags, 2)
	require.Equal(t, "import", peek[string](t, s, "select distinct reason from feature_flag_versions where version = 2"))

	// A variant that another flag needs is renamed for both.
	renamed := strings.NewReplacer(`"on"`, `"yes"`, `\"on\"`, `\"yes\"`).Replace(`{"flags": {"z": ` + flag("a") + `, "a": ` + flag("") + `}}`)
	report, err = run(renamed, true)
	require.NoError(t, err)
	require.Len(t, report.Flags, 2)

	// One that would not evaluate keeps all the others out, and says where.
	_, err = run(`{"flags": {"fine": `+flag("")+`, "worse": {"state": "ENABLED", "variants": {"a": "x"}, "defaultVariant": "a", "targeting": {"nonsense": [1]}}}}`, true)
	require.Equal(t, fault.Invalid, fault.CodeOf(err))
	require.Contains(t, fault.From(err).Detail, "/flags/worse/targeting")
	require.Equal(t, 2, peek[int](t, s, "select count(*)::int from feature_flags"))
}
