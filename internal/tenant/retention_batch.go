package tenant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vital-db/vital/internal/fault"
)

// batch does one batch of a step, as it stands by now, and says whether there may be more.
func (r Retention) batch(ctx context.Context, step retentionStep) (more bool, gone []Retained, err error) {
	err = r.Service.AsService(ctx, "RetentionBatch", func(tx pgx.Tx) error {
		more, gone = false, nil
		if _, err := tx.Exec(ctx, retentionQueries.Get("RetentionPatience")); err != nil {
			return err
		}
		plan, err := retentionPlan(ctx, tx, &step.rule)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(plan, step.same)
		if at < 0 {
			return nil // the rule was taken back, or the tenant is held
		}
		s := plan[at]
		switch {
		case s.problem != "":
			gone = []Retained{{Table: s.name(), Before: s.before, Problem: s.problem}}
			return nil
		case s.isAudit():
			more, gone, err = r.eraseAudit(ctx, tx, s)
			return err
		}
		if gone, err = dropPartition(ctx, tx, s); err != nil || len(gone) > 0 {
			more = true
			return err
		}
		more, gone, err = r.deleteRows(ctx, tx, s)
		return err
	})
	if err != nil {
		return false, nil, err
	}
	return more, slices.DeleteFunc(gone, func(g Retained) bool { return g.Rows == 0 && g.Problem == "" }), nil
}

func (r Retention) deleteRows(ctx context.Context, tx pgx.Tx, s retentionStep) (more bool, gone []Retained, err error) {
	rows, err := tx.Query(ctx, s.fill("RetentionDelete"), s.before, s.tenant, s.except, r.Batch)
	if err != nil {
		return false, nil, err
	}
	if gone, err = s.collect(rows); err != nil {
		return false, nil, err
	}
	var all int64
	for _, g := range gone {
		all += g.Rows
		if err := recordRetention(ctx, tx, s, g); err != nil {
			return false, nil, err
		}
	}
	return all == int64(r.Batch), gone, nil
}

func recordRetention(ctx context.Context, tx pgx.Tx, s retentionStep, g Retained) error {
	_, err := tx.Exec(ctx, retentionQueries.Get("RetentionRecord"), g.Tenant, s.rule, g.Table, g.Rows, g.Before, s.reason)
	return err
}

// eraseAudit erases what old entries of audit logs hold, the oldest first; they stay, and their chains verify. The erasures are entries of
// their own, so that no further one says how many there were.
func (r Retention) eraseAudit(ctx context.Context, tx pgx.Tx, s retentionStep) (more bool, gone []Retained, err error) {
	rows, err := tx.Query(ctx, retentionQueries.Get("RetentionAuditDue"), s.before, s.tenant, s.except, r.AuditBatch)
	if err != nil {
		return false, nil, err
	}
	due, err := s.collect(rows)
	if err != nil {
		return false, nil, err
	}
	all := 0
	for _, d := range due {
		var erased int
		if err := tx.QueryRow(ctx, retentionQueries.Get("RetentionAuditErase"), d.Tenant, s.before, d.Rows).Scan(&erased); err != nil {
			return false, nil, err
		}
		all += erased
		d.Rows = int64(erased)
		gone = append(gone, d)
	}
	return all == r.AuditBatch, gone, nil
}

// dropPartition drops one partition whose rows may all go, if there is one.
func dropPartition(ctx context.Context, tx pgx.Tx, s retentionStep) (gone []Retained, err error) {
	if s.tenant != nil || len(s.except) > 0 {
		return nil, nil
	}
	rows, err := tx.Query(ctx, retentionQueries.Get("RetentionDropPartition"), s.rule)
	if err != nil {
		return nil, err
	}
	var tenantID *uuid.UUID
	var count int64
	var before time.Time
	_, err = pgx.ForEachRow(rows, []any{&tenantID, &count, &before}, func() error {
		g := Retained{Table: s.name(), Rows: count, Before: before}
		if tenantID != nil {
			g.Tenant = *tenantID
		}
		gone = append(gone, g)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("drop partition of %s: %w", s.name(), err)
	}
	for _, g := range gone {
		if g.Rows == 0 {
			continue
		}
		if err := recordRetention(ctx, tx, s, g); err != nil {
			return nil, err
		}
	}
	return gone, nil
}

// problemOf says why a rule was not followed, without the database's words, which quote rows.
func problemOf(err error) string {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		switch pgErr.Code {
		case "23503":
			return fmt.Sprintf("Rows of %s refer to them (%s).", pgErr.TableName, pgErr.ConstraintName)
		case "42501":
			return "The service login may not delete from the table: grant service_role select, update and delete."
		case "55P03":
			return "Somebody else is at them; they go the next time."
		}
	}
	return fault.From(err).Message
}
