package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/fault"
)

// ReadWeekly returns the report of the week so called: what was kept when it was over, else what is measured now.
func ReadWeekly(ctx context.Context, db pgx.Tx, facts Facts, name string, now time.Time) (*Weekly, error) {
	from, err := weekBegins(name)
	if err != nil {
		return nil, err
	}
	if from.After(now) {
		return nil, fault.New(fault.Usage, fmt.Sprintf("The week %s has not begun.", name), "This week is "+WeekOf(now)+".")
	}
	kept, err := readKept(ctx, db, name)
	if err != nil || kept != nil {
		return kept, err
	}
	return makeWeekly(ctx, db, facts, name, from, now)
}

func readKept(ctx context.Context, db pgx.Tx, name string) (*Weekly, error) {
	var text []byte
	err := db.QueryRow(ctx, queries.Get("Weekly"), name).Scan(&text)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil //nolint:nilnil // there is none, and that is no error
	}
	if err != nil {
		return nil, err
	}
	kept := &Weekly{}
	if err := json.Unmarshal(text, kept); err != nil {
		return nil, fmt.Errorf("read the report of %s: %w", name, err)
	}
	return kept, nil
}

// KeepWeekly makes the reports of weeks that are over by now, and keeps them for good: that of last week, unless nothing was there to
// report on, and of each week of which only how it stood before it was over is kept. It returns those it made.
func KeepWeekly(ctx context.Context, db pgx.Tx, facts Facts, now time.Time) (made []*Weekly, err error) {
	last := WeekOf(now.Add(-week))
	begins, err := weekBegins(last)
	if err != nil {
		return nil, err
	}
	rows, err := db.Query(ctx, queries.Get("Due"), last, begins.Add(week))
	if err != nil {
		return nil, err
	}
	due, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("read which weeks are to be reported on: %w", err)
	}
	for _, name := range due {
		w, err := keep(ctx, db, facts, name, now)
		if err != nil {
			return nil, err
		}
		made = append(made, w)
	}
	return made, nil
}

// KeepPresent makes the report of the present week, so far, and keeps it in place of the one that was made of it before, until
// KeepWeekly makes the one that stays.
func KeepPresent(ctx context.Context, db pgx.Tx, facts Facts, now time.Time) (*Weekly, error) {
	return keep(ctx, db, facts, WeekOf(now), now)
}

// keep makes the report of the week so called and keeps it, unless one of it is kept for good.
func keep(ctx context.Context, db pgx.Tx, facts Facts, name string, now time.Time) (*Weekly, error) {
	from, err := weekBegins(name)
	if err != nil {
		return nil, err
	}
	made, err := makeWeekly(ctx, db, facts, name, from, now)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(made)
	if err != nil {
		return nil, fmt.Errorf("write the report of %s: %w", name, err)
	}
	isOver := !now.Before(from.Add(week))
	_, err = db.Exec(ctx, queries.Get("StoreWeekly"), name, string(made.Status), string(text), isOver)
	return made, err
}
