package isolation

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// AttackHTTPIn is AttackHTTP in some of its parts alone, and on one relation where only names it.
func AttackHTTPIn(ctx context.Context, p *Proof, conn *pgx.Conn, s *Subject, server HTTPServer, only string, parts ...string) error {
	return p.attackHTTP(ctx, conn, s, server, func(string) {}, only, parts...)
}

// SplitJunction and Terms are what Explain reads expressions with; Terms returns labels and queries.
var SplitJunction = splitJunction

func Terms(expression, relation string, columns []string) map[string]string {
	found := map[string]string{}
	for _, t := range terms(expression, relation, columns) {
		found[t.label] = t.query
	}
	return found
}

// CheckOne is Check with one lint.
func CheckOne(ctx context.Context, conn *pgx.Conn, scope Scope, lint Lint) ([]Finding, error) {
	return check(ctx, conn, scope, []Lint{lint})
}
