package report_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/isolation"
	"github.com/vital-db/vital/internal/report"
)

// page is the HTML of a small matrix.
func page(t *testing.T, change func(*isolation.Matrix)) string {
	t.Helper()
	policy := isolation.Policy{Table: "public.agents", Name: "agents_select_member", Permissive: true, Using: "tenant_id = 1 and 'a' < 'b'"}
	m := &isolation.Matrix{
		Database: "vital", Server: "15", Roles: []isolation.Role{{Name: "anon"}, {Name: "authenticated", MemberOf: []string{"staff"}}},
		Cells: []isolation.Cell{
			{Kind: "schema", Object: "public", Role: "anon", Command: "usage", Access: isolation.Allowed, Reason: "privilege"},
			{Kind: "table", Object: "public.agents", Role: "anon", Command: "select", Access: isolation.Denied, Reason: "no privilege", RowSecurity: "forced"},
			{Kind: "table", Object: "public.agents", Role: "authenticated", Command: "select", Access: isolation.RowFiltered, Reason: "row-level security", Columns: []string{"id"}, Policies: []isolation.Policy{policy}, RowSecurity: "forced"},
			{Kind: "table", Object: "public.agents", Role: "authenticated", Command: "truncate", Access: isolation.Allowed, Reason: "privilege", RowSecurity: "forced"},
			{Kind: "function", Object: "public.f()", Role: "anon", Command: "execute", Access: isolation.Allowed, Reason: "privilege", RunsAs: "definer", Owner: "boss", Volatility: "stable"},
		},
		Figures: isolation.Figures{Schemas: []isolation.SchemaFigures{{Schema: "public", Tables: 1}}},
	}
	change(m)
	var b strings.Builder
	require.NoError(t, report.WriteMatrixHTML(&b, m))
	return b.String()
}

func TestWriteMatrixHTML(t *testing.T) {
	t.Parallel()
	text := page(t, func(*isolation.Matrix) {})
	for _, want := range []string{
		`<details data-name="public.agents">`, `rls forced`, `member of staff`, `Runs with the rights of boss`,
		`<i class="tile denied" title="anon: select denied, no privilege">s</i>`,
		`<i class="tile row-filtered part" title="authenticated: select row-filtered, row-level security; on some columns only: id">s</i>`,
		`<span class="beside">+T</span>`,
		`agents_select_member`, `tenant_id = 1 and &#39;a&#39; &lt; &#39;b&#39;`,
	} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, text, "assessment", "only of VITAL's own database")
	require.NotRegexp(t, `(src|href)=|url\(|@import`, text, "the page loads nothing")

	asked := page(t, func(m *isolation.Matrix) {
		m.Figures.Assessment = &isolation.Assessment{Policies: 75, PoliciesWanted: 30, Tables: 24, TablesWanted: 20}
	})
	require.Contains(t, asked, "the assessment asked for 30 on 20")
}

// TestWriteMatrixHTML_Escapes: names are whatever somebody called a table, a role or a column.
func TestWriteMatrixHTML_Escapes(t *testing.T) {
	t.Parallel()
	const evil = `"></style><script>alert(1)</script>`
	text := page(t, func(m *isolation.Matrix) {
		m.Database, m.Roles[0].MemberOf = evil, []string{evil}
		m.Cells[2].Columns = []string{evil}
		m.Cells[2].Policies[0].Name = evil
		for i := range m.Cells[1:] {
			m.Cells[i+1].Object = `public."` + evil + `"`
		}
	})
	require.NotContains(t, text, "<script>alert")
	require.Equal(t, 1, strings.Count(text, "<script>"))
	require.Contains(t, text, "&lt;script&gt;alert(1)")
}
