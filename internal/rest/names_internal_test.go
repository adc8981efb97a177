package rest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func planned(t *testing.T, query string) error {
	t.Helper()
	e := New(Config{Schemas: []string{"public"}, Aggregates: true})
	r, err := e.config.read(&Request{Method: "GET", Path: "/prompts", RawQuery: query})
	require.NoError(t, err)
	_, err = e.plan(benchCatalog(), r, Session{Sealed: true})
	return err
}

// The columns every table has tell of rows and transactions nobody asked about, however they are written.
func TestPlan_SystemColumnsAreRefused(t *testing.T) {
	t.Parallel()
	for _, query := range []string{
		"select=xmin", `select="ctid"`, `select="xmin%00"`, `select="ctid%00x"::text`, `select=a:"tableoid%00"`,
		`order="xmax%00".desc`, `"cmin%00"=eq.1`, `or=("cmax%00".eq.1,title.eq.x)`,
	} {
		var refused *Error
		require.ErrorAs(t, planned(t, query), &refused, query)
		require.Equal(t, "42703", refused.Code, query)
	}
	require.NoError(t, planned(t, "select=title"))
}

// An aggregate of PostgreSQL's can be written like a column: prompts.json_agg is json_agg(prompts).
func TestPlan_AggregatesAreNoColumns(t *testing.T) {
	t.Parallel()
	for _, query := range []string{"select=json_agg", "select=a:array_agg::text", `select="jsonb_agg%00"`, "order=json_agg"} {
		var refused *Error
		require.ErrorAs(t, planned(t, query), &refused, query)
		require.Equal(t, "42703", refused.Code, query)
	}
	require.NoError(t, planned(t, "select=count"), "clients count like that")
}

func TestSyntaxError_Column(t *testing.T) {
	t.Parallel()
	_, err := parseSelect("é,b->")
	var syntax *syntaxError
	require.ErrorAs(t, err, &syntax)
	require.Equal(t, 6, syntax.column())
}

func TestClosest_LooksForNoName(t *testing.T) {
	t.Parallel()
	require.Equal(t, "tenants", closest([]string{"users", "tenants"}, "tenant", closeEnough))
	name := strings.Repeat("tenant_", 200)
	require.Empty(t, closest([]string{name + "s"}, name, farthest), "so long that comparing costs too much")
}
