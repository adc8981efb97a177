package main

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/postgres"
)

//go:embed assessment.sql
var assessmentText string

var assessmentQueries = database.ParseQueries(assessmentText)

// assessmentSizes are those the assessment's view is measured at; ours goes on to the sizes of scale.
var assessmentSizes = []int{1000, 20_000}

// fewest is where ours begins.
const fewest = 100

// addAssessment builds the assessment's view in p.
func (p *populated) addAssessment(ctx context.Context) error {
	for _, statement := range []string{"create schema bench", "grant usage on schema bench to service_role"} {
		if _, err := p.wal.Exec(ctx, statement); err != nil {
			return err
		}
	}
	for _, name := range []string{"Table", "Rows", "View", "Index", "Function", "Trigger", "Grant"} {
		if _, err := p.wal.Exec(ctx, assessmentQueries.Get(name)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	_, err := p.wal.Exec(ctx, "analyze")
	return err
}

func writeWithRefresh(ctx context.Context, db *postgres.DB, n int) error {
	return db.AsService(ctx, "BenchRefresh", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, assessmentQueries.Get("Write"), tenantID(n), colour())
		if err == nil && tag.RowsAffected() != 1 {
			return pgx.ErrNoRows
		}
		return err
	})
}

// measureAssessmentView sets no goal: it shows why the view is not how ours works.
func measureAssessmentView(ctx context.Context, w *world) (*result, error) {
	ours := line{Name: "VITAL", Ours: true}
	theirs := line{Name: "materialized view, as designed in the assessment"}
	var variants []variant
	for _, size := range []int{fewest, assessmentSizes[0], assessmentSizes[1], lots} {
		if size == lots && w.made[fmt.Sprintf("bench_%d", lots)] == nil {
			continue // loading it takes longer than this scenario; the run of scale has it
		}
		p, err := w.populate(ctx, size)
		if err != nil {
			return nil, err
		}
		defer p.close()
		if size == assessmentSizes[0] || size == assessmentSizes[1] {
			if err := p.addAssessment(ctx); err != nil {
				return nil, err
			}
			variants = append(variants, variant{theirs.at(size), 1, true, p.as(writeWithRefresh, size)})
		}
		variants = append(variants, variant{ours.at(size), 1, false, p.as(writeAsService, size)})
	}
	measured, err := interleave(ctx, w, variants)
	if err != nil {
		return nil, err
	}
	r := &result{Series: measured}
	r.note("The cost of one configuration write by service_role until it is committed, one client. The view follows writes to one of its five tables only.")
	for _, size := range []int{fewest, assessmentSizes[0], assessmentSizes[1], lots} {
		ours.take(r, size)
		theirs.take(r, size)
	}
	r.ratio("view over ours at 1,000 tenants", information, 0, theirs.Points[0].Y/r.find(ours.at(1000), 1).Median.typical())
	r.ratio("view over ours at 20,000 tenants", information, 0, theirs.Points[1].Y/r.find(ours.at(20_000), 1).Median.typical())
	r.plots = []plot{{Title: "Cost of one configuration write", Unit: "ms", Across: "tenants", Lines: []line{ours, theirs}}}
	return r, nil
}
