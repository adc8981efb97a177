package schema_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/schema"
)

var inventoried = []string{"public", "vital", "auth"}

// madeDrift is one of testdata/drift.sql.
type madeDrift struct {
	name, ddl string
	finds     []string
}

func madeDrifts(t *testing.T) []madeDrift {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "drift.sql"))
	require.NoError(t, err)
	var made []madeDrift
	for _, block := range strings.Split(string(text), "\n-- drift: ")[1:] {
		lines := strings.Split(block, "\n")
		d := madeDrift{name: lines[0]}
		for _, line := range lines[1:] {
			if finds, ok := strings.CutPrefix(line, "-- finds: "); ok {
				d.finds = append(d.finds, strings.TrimSpace(finds))
			} else {
				d.ddl += line + "\n"
			}
		}
		require.NotEmpty(t, d.finds, d.name)
		made = append(made, d)
	}
	return made
}

// TestCompare_MadeDrifts makes one drift after the other, each in a transaction of its own: it is found by name, and nothing
// else is, and the repair that is proposed undoes it.
func TestCompare_MadeDrifts(t *testing.T) { //nolint:tparallel // its cases share a database
	t.Parallel()
	ctx := context.Background()
	conn := pgtest.New(t).Connect(t)
	found, err := schema.ReadInventory(ctx, conn, inventoried)
	require.NoError(t, err)
	expected := found.WithDeclaredRoles()
	require.Empty(t, schema.Compare(expected, found), "an undrifted database has no drift")
	tx, err := conn.Begin(ctx)
	require.NoError(t, err)
	_, err = tx.Exec(ctx, "create role operator; grant vital_owner, vital_definer, vital_sealer to operator; set local role operator")
	require.NoError(t, err)
	operated, err := schema.ReadInventory(ctx, tx, inventoried)
	require.NoError(t, err)
	require.NoError(t, tx.Rollback(ctx))
	require.Empty(t, schema.Compare(expected, operated), "nor has one that somebody who is no superuser operates")
	made := madeDrifts(t)
	require.Greater(t, len(made), 60)
	for _, d := range made {
		t.Run(d.name, func(t *testing.T) {
			tx, err := conn.Begin(ctx)
			require.NoError(t, err)
			defer func() { require.NoError(t, tx.Rollback(ctx)) }()
			_, err = tx.Exec(ctx, d.ddl)
			require.NoError(t, err)
			actual, err := schema.ReadInventory(ctx, tx, inventoried)
			require.NoError(t, err)
			var finds, repairs []string
			for _, drift := range schema.Compare(expected, actual) {
				finds = append(finds, strings.TrimSpace(strings.Join([]string{string(drift.Severity), drift.Kind, drift.Object, drift.Aspect}, " | ")))
				repairs = append(repairs, drift.Repair)
			}
			require.ElementsMatch(t, d.finds, finds)
			if slices.ContainsFunc(repairs, func(repair string) bool { return repair == "" || strings.Contains(repair, "concurrently") }) {
				return // there is none, or it runs in no transaction
			}
			require.Empty(t, repaired(t, tx, expected), repairs)
		})
	}
}

// repaired runs the repairs of what differs until nothing does, and returns what is left. One may rest on another, and what was
// granted on an object shows once it is its owner's again.
func repaired(t *testing.T, tx pgx.Tx, expected *schema.Inventory) (left []schema.Drift) {
	t.Helper()
	for range 4 {
		actual, err := schema.ReadInventory(t.Context(), tx, inventoried)
		require.NoError(t, err)
		left = schema.Compare(expected, actual)
		for _, d := range left {
			step, err := tx.Begin(t.Context())
			require.NoError(t, err)
			if _, err = step.Exec(t.Context(), d.Repair); err == nil {
				err = step.Commit(t.Context())
			} else {
				err = step.Rollback(t.Context())
			}
			require.NoError(t, err)
		}
		if len(left) == 0 {
			break
		}
	}
	return left
}
