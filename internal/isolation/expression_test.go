package isolation_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/pgtest"
)

func TestSplitJunction(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string][]string{
		"((a = 1) AND (b = 2))":                 {"and", "a = 1", "b = 2"},
		"((a = 1) OR ((b = 2) AND (c = 3)))":    {"or", "a = 1", "(b = 2) AND (c = 3)"},
		"(a AND b AND c)":                       {"and", "a", "b", "c"},
		"(a = 'x AND y'::text)":                 {""},
		"((a = 'it''s) AND ('::text) AND b)":    {"and", "a = 'it''s) AND ('::text", "b"},
		`(("a AND b" = 1) OR c)`:                {"or", `"a AND b" = 1`, "c"},
		"(NOT (a AND b))":                       {""},
		"( SELECT (a AND b))":                   {""},
		"(EXISTS ( SELECT 1 WHERE (a AND b)))":  {""},
		"CASE WHEN (a AND b) THEN c ELSE d END": {""},
		"(a AND b) OR (c":/* does not match */ {""},
		"a AND b OR c":/* not pg_get_expr's way */ {""},
		" AND b": {""},
		"true":   {""},
		"":       {""},
	} {
		operator, parts := isolation.SplitJunction(expression)
		require.Equal(t, want, append([]string{operator}, parts...), expression)
	}
}

func TestTerms(t *testing.T) {
	t.Parallel()
	columns := []string{"id", "tenant_id", `"Group"`, "body"}
	for expression, want := range map[string]map[string]string{
		"tenant_id = ANY (ARRAY( SELECT vital.readable() AS readable))": {"tenant_id": "SELECT docs.tenant_id", "vital.readable()": " SELECT vital.readable() AS readable"},
		"docs.id = (NULLIF(current_setting('app.x'::text, true), ''::text))::uuid": {
			"id": "SELECT docs.id", "NULLIF(current_setting('app.x'::text, true), ''::text)": "SELECT NULLIF(current_setting('app.x'::text, true), ''::text)"},
		"EXISTS ( SELECT 1 FROM m WHERE (m.id = docs.id))":         {},
		`("Group" = 'body id f(x)'::text) IS NOT TRUE`:             {`"Group"`: `SELECT docs."Group"`},
		"(id)::text = CURRENT_USER":                                {"id": "SELECT docs.id", "CURRENT_USER": "SELECT CURRENT_USER"},
		"id = ( SELECT m.id FROM m WHERE (m.body = docs.body))":    {"id": "SELECT docs.id", "(SELECT m.id FROM m WHERE (m.body = docs.body))": " SELECT m.id FROM m WHERE (m.body = docs.body)"},
		"((body)::character varying(20))::text ~~ 'x'::text":       {"body": "SELECT docs.body", "varying(20)": "SELECT varying(20)"}, // makes no function, and is left out
		"(((auth.jwt() ->> 'org'::text))::uuid = other.tenant_id)": {"auth.jwt()": "SELECT auth.jwt()"},
	} {
		require.Equal(t, want, isolation.Terms(expression, "docs", columns), expression)
	}
}

// FuzzSplitJunction: parts are of the expression, in order, each with its quotes and parentheses whole, so that
// none says something else than it did where it stood.
func FuzzSplitJunction(f *testing.F) {
	for _, seed := range []string{"((a = 1) AND (b = 'x'))", "(a OR (b AND c))", `("a(" OR 'b)''' OR c[1])`, "((( SELECT a AND b)) OR d)", "(a) AND (b)"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		operator, parts := isolation.SplitJunction(expression)
		isolation.Terms(expression, "docs", []string{"id"})
		require.Equal(t, operator == "", len(parts) == 0)
		rest := expression
		for i, part := range parts {
			require.NotEmpty(t, part)
			if joint := " " + strings.ToUpper(operator) + " "; i > 0 {
				_, after, joined := strings.Cut(rest, joint)
				require.True(t, joined)
				rest = after
			}
			at := strings.Index(rest, part)
			require.GreaterOrEqual(t, at, 0)
			rest = rest[at+len(part):]
			deep := 0
			unquoted := quotes(part)
			for _, c := range unquoted {
				switch c {
				case '(', '[':
					deep++
				case ')', ']':
					deep--
				}
				require.GreaterOrEqual(t, deep, 0, part)
			}
			require.Zero(t, deep, part)
		}
	})
}

// quotes takes what stands in quotes out of text, by a reading of its own.
func quotes(text string) string {
	var bare strings.Builder
	var in rune
	for _, c := range text {
		switch {
		case in == 0 && (c == '\'' || c == '"'):
			in = c
		case in == 0:
			bare.WriteRune(c)
		case c == in:
			in = 0
		}
	}
	return bare.String()
}

// TestSplitJunction_Database: what the database itself makes of an expression comes apart into parts that mean
// the same when they are put together again.
func TestSplitJunction_Database(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Connect(t)
	ctx := context.Background()
	_, err := conn.Exec(ctx, `create table public.docs (a boolean, b boolean, c text, "D (" int); set search_path = ''`)
	require.NoError(t, err)
	for _, expression := range []string{
		"a and b", "a or b and c = ')'", "a and (b or c = 'x''y' or c = E'\\\\ AND \\'')", `"D (" between 1 and 5 or a`, "not (a and b)",
		"case when a and b then a else b end and c is not null", "a and exists (select 1 from public.docs x where x.a and docs.b)",
		`(select a and b) or c like '% OR %'`, "a is not true and b is distinct from a", "(a, b) = (b, a) or c in ('x', 'y and z')",
	} {
		_, err := conn.Exec(ctx, "drop policy if exists p on public.docs")
		require.NoError(t, err)
		_, err = conn.Exec(ctx, "create policy p on public.docs using ("+expression+")")
		require.NoError(t, err, expression)
		whole := deparse(t, conn)
		operator, parts := isolation.SplitJunction(whole)
		if operator == "" {
			continue
		}
		_, err = conn.Exec(ctx, "alter policy p on public.docs using (("+strings.Join(parts, ") "+operator+" (")+"))")
		require.NoError(t, err, parts)
		require.Equal(t, whole, deparse(t, conn), parts)
	}
}

func deparse(t *testing.T, conn *pgx.Conn) string {
	t.Helper()
	return list(t, conn, "select pg_catalog.pg_get_expr(polqual, polrelid) from pg_catalog.pg_policy where polname = 'p'")[0]
}
