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

// assessmentSizes are those the assessment's design is measured at; ours goes on to the sizes of scale.
var assessmentSizes = []int{100, few, 10_000, 100_000}

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

// readInSeven is the assessment's way to a context, made as easy for it as in waterfall.
func (p *populated) readInSeven(ctx context.Context, _ *postgres.DB, n int) error {
	conn, err := p.wal.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	for _, step := range waterfallSteps(userID(n), tenantID(n)) {
		if err := readAll(ctx, conn.Conn(), waterfallQueries.Get(step.query), step.key); err != nil {
			return fmt.Errorf("%s: %w", step.query, err)
		}
	}
	return nil
}

// size is how many bytes p takes on disk.
func (p *populated) size(ctx context.Context) (bytes int64, err error) {
	err = p.wal.QueryRow(ctx, assessmentQueries.Get("Size")).Scan(&bytes)
	return bytes, err
}

// assessmentLines are what is measured at every size: a write and a read, ours and the assessment's.
type assessmentLines struct{ write, refresh, read, seven line }

// measureAssessmentView sets no goal: it shows how both designs grow.
func measureAssessmentView(ctx context.Context, w *world) (*result, error) {
	lines := assessmentLines{
		write: line{Name: "VITAL, write", Ours: true}, refresh: line{Name: "materialized view, as designed in the assessment"},
		read: line{Name: "VITAL, read past every memory", Ours: true}, seven: line{Name: "seven queries, as designed in the assessment"},
	}
	sizes := assessmentSizes
	if w.made[fmt.Sprintf("bench_%d", lots)] != nil {
		sizes = append(sizes[:len(sizes):len(sizes)], lots) // loading it takes longer than this scenario; the run of scale has it
	}
	var variants []variant
	bytes := map[int]int64{}
	for _, size := range sizes {
		p, err := w.populate(ctx, size)
		if err != nil {
			return nil, err
		}
		defer p.close()
		if bytes[size], err = p.size(ctx); err != nil {
			return nil, err
		}
		variants = append(variants,
			variant{lines.write.at(size), 1, false, p.as(writeAsService, size)},
			variant{lines.read.at(size), 1, false, p.as(readAsAdmin, size)},
			variant{lines.seven.at(size), 1, true, p.as(p.readInSeven, size)})
		if size == lots {
			continue // one refresh there takes longer than a round
		}
		if err := p.addAssessment(ctx); err != nil {
			return nil, err
		}
		variants = append(variants, variant{lines.refresh.at(size), 1, true, p.as(writeWithRefresh, size)})
	}
	measured, err := interleave(ctx, w, variants)
	if err != nil {
		return nil, err
	}
	r := &result{Series: measured}
	r.note("The cost of one configuration write by service_role until it is committed, and of one context from the database, one client. The view follows writes to one of its five tables only; the seven queries pay for no policy.")
	least, most := sizes[0], sizes[len(sizes)-1]
	r.note("A tenant takes %.1f kB on disk, indexes included: %s have %d MB, %s have %d (20 flags, 3 overridden, 4 apps, one admin of two tenants; no data of its own).",
		float64(bytes[most]-bytes[least])/float64(most-least)/1000, thousands(least), bytes[least]/1e6, thousands(most), bytes[most]/1e6)
	lines.take(r, sizes)
	return r, nil
}

// take draws the lines and says how far they are apart.
func (l *assessmentLines) take(r *result, sizes []int) {
	for _, each := range []*line{&l.write, &l.refresh, &l.read, &l.seven} {
		for _, size := range sizes {
			each.take(r, size)
		}
	}
	for i, at := range l.refresh.Points {
		r.ratio("view over ours at "+thousands(int(at.X))+" tenants", information, 0, at.Y/l.write.Points[i].Y)
	}
	r.plots = []plot{
		{Title: "Cost of one configuration write", Unit: "ms", Across: "tenants", Lines: []line{l.write, l.refresh}},
		{Title: "Cost of one context, nothing in memory, database on the same machine", Unit: "ms", Across: "tenants", Lines: []line{l.read, l.seven}},
	}
}
