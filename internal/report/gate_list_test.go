package report_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/report"
)

// TestListGates: the database says of every gate what the latest report measured, and who signed since.
func TestListGates(t *testing.T) {
	t.Parallel()
	asService(t, func(_ *pgtest.Database, service func(func(pgx.Tx))) {
		list := func() (gates []report.Standing, weeks []string) {
			service(func(tx pgx.Tx) {
				rows, err := tx.Query(context.Background(), `select jsonb_strip_nulls(jsonb_build_object('gate', g.gate, 'phase', g.phase, 'title', g.title, 'source', g.source, 'unit', g.unit, 'status', g.status,
					'current', g.value, 'at_least', g.at_least, 'at_most', g.at_most, 'evidence', g.evidence, 'next', g.next, 'approved_by', g.approved_by, 'approved_at', g.approved_at)), g.week
					from public.list_gates() g`)
				require.NoError(t, err)
				_, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (struct{}, error) {
					var text []byte
					var week string
					var one report.Standing
					err := row.Scan(&text, &week)
					require.NoError(t, err)
					require.NoError(t, json.Unmarshal(text, &one))
					gates, weeks = append(gates, one), append(weeks, week)
					return struct{}{}, nil
				})
				require.NoError(t, err)
			})
			return gates, weeks
		}
		gates, _ := list()
		require.Empty(t, gates, "nothing is known before the first report")

		var kept *report.Weekly
		service(func(tx pgx.Tx) {
			var err error
			_, err = report.KeepWeekly(context.Background(), tx, facts, time.Date(2026, 3, 9, 0, 30, 0, 0, time.UTC))
			require.NoError(t, err)
			kept, err = report.ReadWeekly(context.Background(), tx, facts, "2026-W10", thursday.Add(30*24*time.Hour))
			require.NoError(t, err)
		})
		comparable := func(all []report.Standing) []report.Standing {
			for i := range all {
				all[i].Measure = "" // is not told: what there is to know is whether it is measured
				if at := all[i].ApprovedAt; at != nil {
					utc := at.UTC()
					all[i].ApprovedAt = &utc
				}
			}
			return all
		}
		gates, weeks := list()
		require.Equal(t, comparable(kept.Gates), comparable(gates))
		require.Equal(t, "2026-W10", weeks[0])

		standing := func(name string) report.Standing {
			gates, _ := list()
			for _, g := range gates {
				if g.Gate.Gate == name {
					return g
				}
			}
			return report.Standing{}
		}
		sign := func(approved bool, by string) {
			service(func(tx pgx.Tx) {
				require.NoError(t, report.SignGate(context.Background(), tx, "week1_backup", approved, by, "because"))
			})
		}
		require.Equal(t, "Ada", standing("week1_backup").ApprovedBy)
		sign(false, "Bo")
		withdrawn := standing("week1_backup")
		require.Equal(t, report.Pending, withdrawn.Status, "what was signed or withdrawn after the report counts")
		require.Empty(t, withdrawn.ApprovedBy+withdrawn.Evidence)
		sign(true, "Cy")
		require.Equal(t, report.Passed, standing("week1_backup").Status)
		require.Equal(t, "Cy", standing("week1_backup").ApprovedBy)
		require.Equal(t, "because", standing("week1_backup").Evidence)

		service(func(tx pgx.Tx) {
			var status string
			var text []byte
			require.NoError(t, tx.QueryRow(context.Background(), "select status, report from public.list_weekly_reports() where week = '2026-W10'").Scan(&status, &text))
			var back report.Weekly
			require.NoError(t, json.Unmarshal(text, &back))
			back.Gates, kept.Gates = comparable(back.Gates), comparable(kept.Gates)
			require.Equal(t, *kept, back)
			require.Equal(t, string(kept.Status), status)
		})
	})
}
