package schema_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/pgtest"
)

// dumpedFrom finds the server's major version in the committed dump's header.
var dumpedFrom = regexp.MustCompile(`(?m)^-- PostgreSQL (\d+)$`)

const dumpHeader = `-- The schema of a fresh install, owners and grants included: what migrations and objects add up to.
-- Written by make schema, never by hand; a test compares it with a server of the same major version:
-- PostgreSQL %d

`

// TestSchema_Committed holds database/schema.sql to what a fresh install is.
func TestSchema_Committed(t *testing.T) {
	t.Parallel()
	database := pgtest.New(t)
	major := one[int](t, database.Connect(t), "select current_setting('server_version_num')::int / 10000")
	fresh := fmt.Sprintf(dumpHeader, major) + dump(t, database.URL)
	require.Contains(t, fresh, "CREATE TABLE public.organizations")

	path := filepath.Join(repository(t), "database", "schema.sql")
	if os.Getenv("VITAL_UPDATE") != "" {
		require.NoError(t, os.WriteFile(path, []byte(fresh), 0o644))
	}
	committed, err := os.ReadFile(path)
	require.NoError(t, err, "run make schema")
	header := dumpedFrom.FindStringSubmatch(string(committed))
	require.NotNil(t, header, "the header names no PostgreSQL version: run make schema")
	if header[1] != fmt.Sprint(major) {
		return // another major words its dump differently
	}
	if string(committed) != fresh { // a full diff of this text would bury the reason
		require.Fail(t, "database/schema.sql differs from a fresh install", "run make schema and review its diff\nfirst difference: %s",
			firstDifference(string(committed), fresh))
	}
}
