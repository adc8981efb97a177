package schema_test

import (
	"context"
	"fmt"
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
	name, given, ddl string
	finds            []string
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
			} else if given, ok := strings.CutPrefix(line, "-- given: "); ok {
				d.given = given
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
	require.Greater(t, len(made), 120)
	for _, d := range made {
		t.Run(d.name, func(t *testing.T) {
			tx, err := conn.Begin(ctx)
			require.NoError(t, err)
			defer func() { require.NoError(t, tx.Rollback(ctx)) }()
			expected := expected
			if d.given != "" {
				_, err = tx.Exec(ctx, d.given)
				require.NoError(t, err)
				before, err := schema.ReadInventory(ctx, tx, inventoried)
				require.NoError(t, err)
				expected = before.WithDeclaredRoles()
			}
			_, err = tx.Exec(ctx, d.ddl)
			require.NoError(t, err)
			actual, err := schema.ReadInventory(ctx, tx, inventoried)
			require.NoError(t, err)
			var finds, repairs []string
			drifts := schema.Compare(expected, actual)
			for _, drift := range drifts {
				finds = append(finds, strings.TrimSpace(strings.Join([]string{string(drift.Severity), drift.Kind, drift.Object, drift.Aspect}, " | ")))
				repairs = append(repairs, drift.Repair)
				require.NotContains(t, fmt.Sprintf("%+v", drift), "hunter", "no value of an option that may be a password is said")
				require.Nil(t, drift.Since, "what is not committed is of no time")
			}
			require.ElementsMatch(t, d.finds, finds)
			if slices.ContainsFunc(repairs, func(repair string) bool { return repair == "" || strings.Contains(repair, "concurrently") }) {
				return // there is none, or it runs in no transaction
			}
			require.Empty(t, repaired(t, tx, expected, drifts), repairs)
		})
	}
}

// repaired runs the repairs of the drifts that are left until none is, and returns what is. One may rest on another, and what was
// granted on an object shows once it is its owner's again.
func repaired(t *testing.T, tx pgx.Tx, expected *schema.Inventory, left []schema.Drift) []schema.Drift {
	t.Helper()
	for range 3 {
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
		actual, err := schema.ReadInventory(t.Context(), tx, inventoried)
		require.NoError(t, err)
		if left = schema.Compare(expected, actual); len(left) == 0 {
			break
		}
	}
	return left
}

// TestCompare_DayPartitions: the partitions that servers make day by day are no drift, and what is made of one besides is.
func TestCompare_DayPartitions(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Connect(t)
	found, err := schema.ReadInventory(t.Context(), conn, inventoried)
	require.NoError(t, err)
	expected := found.WithDeclaredRoles()
	drifts := func(ddl string) (finds []string) {
		t.Helper()
		tx, err := conn.Begin(t.Context())
		require.NoError(t, err)
		defer func() { require.NoError(t, tx.Rollback(t.Context())) }()
		_, err = tx.Exec(t.Context(), "set local timezone = 'Asia/Kolkata'; select vital.roll_query_performance(30, 1, '2026-03-01 12:00Z'); "+ddl)
		require.NoError(t, err)
		actual, err := schema.ReadInventory(t.Context(), tx, inventoried)
		require.NoError(t, err)
		for _, d := range schema.Compare(expected, actual) {
			finds = append(finds, strings.TrimSpace(strings.Join([]string{string(d.Severity), d.Kind, d.Object, d.Aspect}, " | ")))
		}
		return finds
	}
	require.Empty(t, drifts(""))
	for ddl, want := range map[string]string{
		"grant select on vital.query_performance_20260301 to authenticated":                                                                      "security | privilege | SELECT on table vital.query_performance_20260301 to authenticated |",
		"alter table vital.query_performance_20260302 owner to postgres_like":                                                                    "security | table | vital.query_performance_20260302 | owner",
		"alter table public.query_performance detach partition vital.query_performance_20260302":                                                 "structure | table | vital.query_performance_20260302 | partition of",
		"create table vital.query_performance_20260230 (x int)":                                                                                  "structure | table | vital.query_performance_20260230 |",
		"create table vital.query_performance_20260401 partition of public.query_performance for values from ('2026-04-01Z') to ('2026-05-01Z')": "structure | table | vital.query_performance_20260401 | partition of",
	} {
		if strings.Contains(ddl, "postgres_like") {
			ddl = "create role postgres_like; grant create on schema vital to postgres_like; " + ddl
		}
		require.Contains(t, drifts(ddl), want, ddl)
	}
}
