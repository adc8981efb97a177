// Package isolation is about whether tenants are kept apart: what in the database would let one see
// another, found from the catalog.
package isolation

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Finding is one thing a lint found.
type Finding struct {
	Check  string `json:"check"`
	Level  Level  `json:"level"`
	Title  string `json:"title"`
	Kind   string `json:"kind"` // of Object: table, policy, function, …; a policy's is the table's name
	Object string `json:"object"`
	Detail string `json:"detail"`
	Hint   string `json:"hint"`
	Doc    string `json:"doc"`
}

// Check runs the lints of scope on conn, an operator's connection, and returns what they found; none is
// good. It reads the catalog alone.
func Check(ctx context.Context, conn *pgx.Conn, scope Scope) ([]Finding, error) {
	lints, err := Lints(scope)
	if err != nil {
		return nil, err
	}
	return check(ctx, conn, scope, lints)
}

// CheckFor is Check for the one lint of that name.
func CheckFor(ctx context.Context, conn *pgx.Conn, scope Scope, name string) ([]Finding, error) {
	lints, err := Lints(scope)
	if err != nil {
		return nil, err
	}
	lints = slices.DeleteFunc(lints, func(l Lint) bool { return l.Name != name })
	if len(lints) == 0 {
		return nil, fmt.Errorf("there is no lint %s", name)
	}
	return check(ctx, conn, scope, lints)
}

func check(ctx context.Context, conn *pgx.Conn, scope Scope, lints []Lint) (findings []Finding, err error) {
	err = withoutPath(ctx, conn, func() (err error) {
		findings, err = runAll(ctx, conn, scope, lints)
		return err
	})
	return findings, err
}

// runAll runs lints one after the other; more are parameters beside those of scope.
func runAll(ctx context.Context, conn *pgx.Conn, scope Scope, lints []Lint, more ...any) ([]Finding, error) {
	findings := []Finding{}
	for _, l := range lints {
		found, err := l.run(ctx, conn, scope, more...)
		if err != nil {
			return nil, fmt.Errorf("run lint %s: %w", l.Name, err)
		}
		findings = append(findings, found...)
	}
	return findings, nil
}

// withoutPath runs do with an empty search_path.
func withoutPath(ctx context.Context, conn *pgx.Conn, do func() error) (err error) {
	// Names are printed qualified, and nothing the database brings can stand in for an operator.
	var path string
	if err := conn.QueryRow(ctx, queries.Get("SearchPath")).Scan(&path); err != nil {
		return fmt.Errorf("read search_path: %w", err)
	}
	if _, err := conn.Exec(ctx, queries.Get("SearchPathSet"), ""); err != nil {
		return fmt.Errorf("empty search_path: %w", err)
	}
	defer func() {
		if _, failed := conn.Exec(context.WithoutCancel(ctx), queries.Get("SearchPathSet"), path); err == nil && failed != nil {
			err = fmt.Errorf("restore search_path: %w", failed)
		}
	}()

	return do()
}

func (l Lint) run(ctx context.Context, conn *pgx.Conn, scope Scope, more ...any) ([]Finding, error) {
	rows, err := conn.Query(ctx, l.query, append(scope.parameters(), more...)...)
	if err != nil {
		return nil, err
	}
	var findings []Finding
	f := Finding{Check: l.Name, Level: l.Level, Title: l.Title, Kind: l.Kind, Hint: l.Hint, Doc: l.Doc()}
	_, err = pgx.ForEachRow(rows, []any{&f.Object, &f.Detail}, func() error {
		f.Detail = strings.Join(strings.Fields(f.Detail), " ") // subqueries are printed over many lines
		findings = append(findings, f)
		return nil
	})
	slices.SortFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Object, b.Object), cmp.Compare(a.Detail, b.Detail))
	})
	return findings, err
}
