package cli_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/pgtest"
)

// TestCheckScale: places and notices are shown and fail nothing; a key that does not say whose the row is does.
func TestCheckScale(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	check := func(args ...string) result {
		return vital(t, nil, append([]string{"check", "scale", "--database-url", d.URL}, args...)...)
	}
	text := ok(t, check())
	require.Regexp(t, `(?m)^coordinator  public\.access_records, .*public\.users, vital\.`, text)
	require.Regexp(t, `(?m)^distributed  public\.agents, public\.chat_sessions, public\.jobs_to_be_done, public\.knowledge, public\.personas, public\.prompts, public\.query_performance, public\.tool_usage_log$`, text)
	require.Regexp(t, `(?m)^reference    none$`, text)
	require.Contains(t, text, "notice  scale_trigger: A trigger of a table that would be distributed\n")
	require.NotContains(t, text, "error")
	require.Contains(t, ok(t, check("--format", "markdown")), "Errors: 0. Warnings: 0. Risks: 0. Notices: 31.\n")

	d.Exec(t, "create table public.invoices (tenant_id uuid not null, id uuid primary key, unique (tenant_id, id))")
	failed := check()
	require.Equal(t, 3, failed.code, failed.out+failed.err)
	require.Contains(t, failed.out, "error  scale_primary_key: ")
	require.Contains(t, failed.out, "- public.invoices: invoices_pkey: PRIMARY KEY (id) lacks tenant_id; alter table public.invoices drop constraint invoices_pkey, add primary key (tenant_id, id)\n")
	require.Contains(t, failed.err, "1 finding must be mended")
	require.Contains(t, failed.err, "docs/reference/scale.md")
	var scale isolation.Scale
	require.NoError(t, json.Unmarshal([]byte(check("--json").out), &scale))
	require.Contains(t, scale.Tables, isolation.Placed{Table: "public.invoices", Place: isolation.Distributed})
	require.Len(t, scale.Findings, 32)
	for format, start := range map[string]string{"sarif": "{\n  \"$schema\"", "junit": "<?xml", "markdown": "# vital check scale"} {
		got := check("--format", format)
		require.Equal(t, 3, got.code, format)
		require.True(t, strings.HasPrefix(got.out, start), format)
		require.Contains(t, got.out, "docs/reference/scale.md#scale_primary_key", format)
	}
	require.Contains(t, check("--format", "sarif").out, `"level": "note"`)
	require.Contains(t, check("--format", "junit").out, `failures="1"`)
	require.Equal(t, 2, check("--format", "xml").code)
}
