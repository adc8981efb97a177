package schema

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// yieldTime is how long an attempt waits for a table while it holds others. It is less than the second (deadlock_timeout) after which a
// request that waits for us looks for a circle, and would be the one that PostgreSQL ends.
const yieldTime = 600 * time.Millisecond

// yield is yieldTime, or less where that is asked for.
func (m *Migrator) yield() time.Duration { return min(yieldTime, m.config.LockTimeout) }

// pauseTime is how long requests have for themselves between two attempts.
const pauseTime = 150 * time.Millisecond

// taking is what the attempts of one migration learn of the order in which requests take tables.
type taking struct {
	first []string // what an attempt did not get, the latest at the front
}

// sort puts first what was not to be had before: requests held it, and waited for what we had taken by then.
func (t *taking) sort(relations []string) {
	place := func(relation string) int {
		if i := slices.Index(t.first, relation); i >= 0 {
			return i
		}
		return len(t.first)
	}
	slices.SortStableFunc(relations, func(a, b string) int { return cmp.Compare(place(a), place(b)) })
}

func (t *taking) missed(relation string) {
	t.first = append([]string{relation}, slices.DeleteFunc(t.first, func(r string) bool { return r == relation })...)
}

// take locks the tables and views that the objects are about, before anything is changed. Taken one by one, between what is done to
// each, they would be held against requests that hold the next one: a circle, in which a request is what PostgreSQL may end.
func (m *Migrator) take(ctx context.Context, tx pgx.Tx, objects []object, order *taking) error {
	if _, err := tx.Exec(ctx, sql("CirclesLookedForFirst")); err != nil {
		return fmt.Errorf("look for circles first: %w", err)
	}
	var names []string
	for _, o := range objects {
		if slices.Contains([]string{"views", "triggers", "policies"}, o.Kind) && !slices.Contains(names, o.Name) {
			names = append(names, o.Name)
		}
	}
	rows, err := tx.Query(ctx, sql("RelationsToTake"), names)
	if err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	relations, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	if len(relations) == 0 {
		return nil
	}
	if err := actAs(ctx, tx, "vital_owner"); err != nil {
		return err
	}
	order.sort(relations)
	deadline := time.Now().Add(m.yield())
	for _, relation := range relations {
		left := max(time.Until(deadline), time.Millisecond).Milliseconds()
		if _, err := tx.Exec(ctx, sql("LockTimeout"), fmt.Sprint(left)); err != nil {
			return fmt.Errorf("set lock timeout: %w", err)
		}
		if _, err := tx.Exec(ctx, strings.ReplaceAll(sql("RelationTake"), "{relation}", relation)); err != nil {
			order.missed(relation)
			return fmt.Errorf("take %s: %w", relation, err)
		}
	}
	if _, err := tx.Exec(ctx, sql("ActAsOperator")); err != nil {
		return fmt.Errorf("act as operator: %w", err)
	}
	return nil
}
