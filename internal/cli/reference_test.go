package cli_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/cli"
)

const referencePreface = `# Command line

Written from the commands themselves; ` + "`make schema`" + ` writes it anew, and a test fails when it is behind.

Results go to standard output, the log and errors to standard error. Exit codes: 0 ok, 1 failed, 2 usage, 3 findings.
Commands that need the database take ` + "`--database-url`" + `, else ` + "`--data-dir`" + `, else the default private server: a running one is
used, a stopped one is started for the command and stopped after it.
`

func TestReference_CLI(t *testing.T) {
	t.Parallel()
	const path = "../../docs/reference/cli.md"
	want := referencePreface + cli.Reference()
	if os.Getenv("VITAL_UPDATE") != "" {
		require.NoError(t, os.WriteFile(path, []byte(want), 0o600))
	}
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, want, string(got), "docs/reference/cli.md is behind: run `make schema`")
}

func TestReference_Config(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/reference/config.md")
	require.NoError(t, err)
	var documented []string
	for _, found := range regexp.MustCompile("(?m)^\\| `((?:VITAL|OTEL)_[A-Z_]+)`").FindAllStringSubmatch(string(text), -1) {
		documented = append(documented, found[1])
	}
	require.ElementsMatch(t, append(cli.Settings(), "VITAL_CONFIG"), documented, "every setting has one row in docs/reference/config.md")
}
