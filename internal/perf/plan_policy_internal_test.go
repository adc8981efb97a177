package perf

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestConjuncts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want []string
	}{
		{"(a.x = 1)", []string{"(a.x = 1)"}},
		{"a.is_active", []string{"a.is_active"}},
		{"((a.x = 1) AND (a.y = ' AND '::text))", []string{"(a.x = 1)", "(a.y = ' AND '::text)"}},
		{"((a.x = 1) OR ((a.y = 2) AND (a.z = 3)))", []string{"((a.x = 1) OR ((a.y = 2) AND (a.z = 3)))"}},
		{`((a."o'"" (" = 1) AND (a.y = ANY ('{")"}'::text[])))`, []string{`(a."o'"" (" = 1)`, `(a.y = ANY ('{")"}'::text[]))`}},
		{"(a.x) AND (a.y)", []string{"(a.x)", "(a.y)"}},
		{"((a.w = 'it''s (') AND b.v)", []string{"(a.w = 'it''s (')", "b.v"}},
	} {
		require.Equal(t, c.want, conjuncts(c.text))
	}
}

func TestLikeness(t *testing.T) {
	t.Parallel()
	require.Equal(t, likeness("(a.id = b.id)"), likeness("(b.id = a.id)"), "either way round")
	require.Equal(t, likeness("(a.t = ANY ($0))"), likeness("(a.t = ANY ($3))"), "sub plans are numbered by each plan")
	require.NotEqual(t, likeness("(a.id = b.id)"), likeness("(a.id = c.id)"))
}

func TestMasked(t *testing.T) {
	t.Parallel()
	mac := "cec24430b473bbc0298b016427607ebbee6fad6322695671048bce14884cb059"
	require.Equal(t, "'1.k.u.t.r.s.1796065142.30838.…'", string(masked([]byte("'1.k.u.t.r.s.1796065142.30838."+mac+"'"))))
	require.Equal(t, "'{1,k,1796065142,30838,…}'", string(masked([]byte("'{1,k,1796065142,30838,"+mac+"}'"))))
}

func TestInitPlanIsPaidByWhoAsks(t *testing.T) {
	t.Parallel()
	sub := &Node{Type: "Result", Label: "InitPlan 1 (returns $0)", relationship: "InitPlan", TotalMS: 6, Loops: 1}
	scan := &Node{Type: "Seq Scan", TotalMS: 9, Conditions: []Condition{{Kind: "filter", Parts: []Part{{Text: "(a.x = $0)"}}}}}
	root := &Node{Type: "Sort", TotalMS: 10, Steps: []*Node{sub, scan}}
	root.shareTime(false)
	require.InDelta(t, 1, root.SelfMS, 1e-9)
	require.InDelta(t, 3, scan.SelfMS, 1e-9)
	require.InDelta(t, 6, sub.SelfMS, 1e-9)
}
