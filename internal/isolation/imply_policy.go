package isolation

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
)

// GuardPolicy is one policy of a relation.
type GuardPolicy struct {
	Name       string
	Command    string // select, insert, update, delete or all
	Permissive bool
	Roles      []string
	Using      string // "" where there is none
	Check      string
}

// Guard is what stands between one role and the rows of a relation.
type Guard struct {
	Relation string // schema.name
	// Applies says that row-level security is on, and that the role neither bypasses it nor owns a
	// relation that does not force it.
	Applies  bool
	Policies []GuardPolicy // those for the role, as itself or as a member of another
}

// Proves says whether no command, of select, insert, update and delete, reaches through g a row but the
// caller's own: what it finds, and what it leaves.
func (g Guard) Proves(command string, ground Ground) (Implication, error) {
	if !g.Applies {
		return unproved("row-level security does not apply"), nil
	}
	if command != "select" {
		ground = ground.forWrites()
	}
	reasons := []string{}
	for _, side := range sides[command] {
		verdict, err := g.provesSide(command, side, ground)
		if err != nil || !verdict.Proved {
			return verdict, err
		}
		reasons = append(reasons, verdict.Reason)
	}
	if len(reasons) == 0 {
		return Implication{}, fmt.Errorf("prove %q: no such command", command)
	}
	return proved(joined(reasons)), nil
}

// side picks the expression that decides about the rows a command finds, or about those it leaves.
type side func(GuardPolicy) string

func foundBy(p GuardPolicy) string { return p.Using }

// leftBy is WITH CHECK, for which USING stands in.
func leftBy(p GuardPolicy) string {
	if p.Check == "" {
		return p.Using
	}
	return p.Check
}

var sides = map[string][]side{
	"select": {foundBy}, "insert": {leftBy}, "update": {foundBy, leftBy}, "delete": {foundBy},
}

// provesSide combines policies as PostgreSQL does: one permissive policy must let a row pass, and every
// restrictive one.
func (g Guard) provesSide(command string, of side, ground Ground) (Implication, error) {
	var reasons []string
	var failed *Implication
	for _, p := range g.Policies {
		if p.Command != command && p.Command != "all" {
			continue
		}
		expression := of(p)
		verdict := unproved("policy " + p.Name + " lets every row pass")
		if expression != "" {
			found, err := Implies(expression, ground)
			if err != nil {
				return Implication{}, fmt.Errorf("read policy %s of %s: %w", p.Name, g.Relation, err)
			}
			verdict = Implication{found.Proved, "policy " + p.Name + ": " + found.Reason}
		}
		switch {
		case verdict.Proved && !p.Permissive:
			return verdict, nil
		case verdict.Proved:
			reasons = append(reasons, verdict.Reason)
		case p.Permissive && failed == nil:
			failed = &verdict
		}
	}
	if failed != nil {
		return *failed, nil
	}
	if len(reasons) == 0 {
		return proved("no policy lets a row pass"), nil
	}
	return proved(joined(reasons)), nil
}

var (
	//go:embed imply.sql
	implyText    string
	implyQueries = database.ParseQueries(implyText)
)

// ReadGuards reads what stands between role and each table of schemas, under an empty search path, so
// that whatever is not pg_catalog's has its schema in front.
func ReadGuards(ctx context.Context, conn *pgx.Conn, role string, schemas []string) ([]Guard, error) {
	var guards []Guard
	err := underEmptyPath(ctx, conn, func(tx pgx.Tx) (err error) {
		guards, err = collect[Guard](ctx, tx, "Guards", role, schemas)
		return err
	})
	return guards, err
}

// underEmptyPath reads the catalog in one transaction.
func underEmptyPath(ctx context.Context, conn *pgx.Conn, read func(pgx.Tx) error) error {
	return pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, implyQueries.Get("PinSearchPath")); err != nil {
			return fmt.Errorf("pin search path: %w", err)
		}
		return read(tx)
	})
}

// collect reads what a query of imply.sql returns.
func collect[T any](ctx context.Context, tx pgx.Tx, name string, args ...any) ([]T, error) {
	rows, err := tx.Query(ctx, implyQueries.Get(name), args...)
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", name, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[T])
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", name, err)
	}
	return found, nil
}
