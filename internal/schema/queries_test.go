package schema_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/pgtest"
)

// utility are the first words of statements that PREPARE does not take.
var utility = []string{"begin", "commit", "rollback", "savepoint", "set", "reset", "discard", "create", "alter", "drop", "grant", "revoke", "listen", "notify", "lock", "load"}

// temporaryTable is a statement that makes one.
var temporaryTable = regexp.MustCompile(`(?m)^create temporary table `)

// template is a statement with a name to be filled in, which no parameter can stand for.
var template = regexp.MustCompile(`\{[a-z_]+\}`)

// TestQueries_Prepare parses and type-checks every named statement of the source tree.
func TestQueries_Prepare(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Connect(t)
	var prepared, exempt []string
	root := filepath.Join(repository(t), "internal")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && entry.Name() == "testdata" {
			return fs.SkipDir
		}
		if filepath.Ext(path) != ".sql" {
			return nil
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		queries := database.ParseQueries(string(text))
		tx, err := conn.Begin(context.Background()) // in which the file's own temporary tables are there
		require.NoError(t, err)
		defer func() { require.NoError(t, tx.Rollback(context.Background())) }()
		for _, statement := range queries {
			if temporaryTable.MatchString(statement) && !template.MatchString(statement) {
				_, err := tx.Exec(context.Background(), statement)
				require.NoError(t, err, path)
			}
		}
		for name, statement := range queries {
			label := filepath.Base(filepath.Dir(path)) + "/" + name
			if slices.Contains(utility, firstWord(statement)) || template.MatchString(statement) {
				exempt = append(exempt, label)
				continue
			}
			_, err := conn.Prepare(context.Background(), label, statement)
			require.NoError(t, err, "%s: %s", path, name)
			prepared = append(prepared, label)
		}
		return nil
	})
	require.NoError(t, err)
	require.Contains(t, prepared, "tenant/ContextRead")
	require.Contains(t, prepared, "schema/ObjectRecord")
	require.Contains(t, exempt, "postgres/Commit")
}

// firstWord is the first word of a statement, past the comment lines before it.
func firstWord(statement string) string {
	for line := range strings.Lines(statement) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "--") {
			return strings.ToLower(strings.Trim(strings.Fields(line)[0], ";("))
		}
	}
	return ""
}
