package perf

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Warning is something in a plan that costs.
type Warning struct {
	Code string `json:"code"`
	// Step is the one it is about, and In the function whose statement it is a step of.
	Step    string `json:"step"`
	In      string `json:"in,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
}

// The codes of warnings.
const (
	SequentialScan    = "sequential_scan"
	PolicyCallPerRow  = "policy_call_per_row"
	PolicyQueryPerRow = "policy_query_per_row"
	SortOnDisk        = "sort_on_disk"
	HashInBatches     = "hash_in_batches"
	Misestimated      = "misestimate"
	MissingIndex      = "missing_index"
)

// Bounds below which nothing is worth a warning.
const (
	manyRows    = 10_000 // that a scan reads
	fewKept     = 0.1    // of those it reads
	someRows    = 100    // that a misestimate is about
	manyQueries = 100    // runs of one sub plan
)

func (e *explainer) warn(ctx context.Context) error {
	e.warnOf(e.out.Plan.Root, "")
	for _, s := range e.out.Inner.Statements {
		e.warnOf(s.Plan.Root, s.Function)
	}
	return e.warnOfCalls(ctx)
}

func (e *explainer) add(in string, n *Node, code, hint, format string, args ...any) {
	e.out.Warnings = append(e.out.Warnings, Warning{Code: code, Step: n.Name(), In: in, Message: fmt.Sprintf(format, args...), Hint: hint})
}

func (e *explainer) warnOf(root *Node, in string) {
	root.each(func(n *Node) {
		if n.sortOnDisk > 0 {
			e.add(in, n, SortOnDisk, "Raise work_mem for this role, or let an index give the order.", "%d kB were sorted on disk", n.sortOnDisk)
		}
		if n.batches > 1 {
			e.add(in, n, HashInBatches, "Raise work_mem, or hash the smaller side.", "the hash table did not fit in memory: %d batches", n.batches)
		}
		if n.Misestimate > 0 && max(n.Rows, n.Estimated) >= someRows && n.Schema != "pg_catalog" { // those are PostgreSQL's to mend
			hint := "ANALYZE the table; where columns depend on each other, CREATE STATISTICS."
			if strings.HasPrefix(n.Type, "Function Scan") || n.Type == "ProjectSet" {
				hint = "State ROWS at the function."
			}
			e.add(in, n, Misestimated, hint, "%.0f rows where %.0f were expected", n.Rows, n.Estimated)
		}
		if strings.HasPrefix(n.Label, "SubPlan") && n.FromPolicy && n.Loops >= manyQueries {
			e.add(in, n, PolicyQueryPerRow, "Write the policy so that its query does not name the row: column = any (array(select …)).",
				"a policy runs this query for each row: %.0f times", n.Loops)
		}
		e.warnOfScan(n, in)
	})
}

// warnOfScan looks at a table that is read from end to end for a few of its rows.
func (e *explainer) warnOfScan(n *Node, in string) {
	if !strings.HasSuffix(n.Type, "Seq Scan") || n.Loops == 0 {
		return
	}
	kept, read := n.Rows*n.Loops, (n.Rows+n.removed())*n.Loops
	if read < manyRows {
		return
	}
	columns := n.equalColumns()
	e.add(in, n, SequentialScan, "Where only some rows are wanted, let an index find them.", "%.0f rows were read for %.0f", read, kept)
	table := e.relation(n)
	if kept > read*fewKept || len(columns) == 0 || table == nil || slices.ContainsFunc(columns, func(c string) bool { return slices.Contains(table.Leading, c) }) {
		return
	}
	e.add(in, n, MissingIndex, fmt.Sprintf("CREATE INDEX CONCURRENTLY ON %s (%s);", table.Quoted, strings.Join(columns, ", ")),
		"no index of %s.%s begins with %s", n.Schema, n.Relation, strings.Join(columns, " or "))
}

func (n *Node) removed() float64 {
	var removed float64
	for _, c := range n.Conditions {
		if c.Kind == "filter" {
			removed += c.Removed
		}
	}
	return removed
}

// relation is the step's table; nil for one that only a function's statement reads.
func (e *explainer) relation(n *Node) *Relation {
	i := slices.IndexFunc(e.out.Relations, func(r Relation) bool { return r.Schema == n.Schema && r.Name == n.Relation })
	if i < 0 {
		return nil
	}
	return &e.out.Relations[i]
}

// equalPattern is a column that is held against something: alias.column = …, as EXPLAIN prints it.
var equalPattern = regexp.MustCompile(`^\(?("(?:[^"]|"")+"|[a-z_][\w$]*)\.("(?:[^"]|"")+"|[a-z_][\w$]*)\)?(?:::\w+)? = `)

// equalColumns are those of n's filter by which an index could find rows, the policies' first: every request has them.
func (n *Node) equalColumns() []string {
	var columns []string
	for _, ofPolicy := range []bool{true, false} {
		for _, c := range n.Conditions {
			for _, p := range c.Parts {
				m := equalPattern.FindStringSubmatch(p.Text)
				if c.Kind == "filter" && p.Policy == ofPolicy && m != nil && strings.Trim(m[1], `"`) == n.Alias && !slices.Contains(columns, m[2]) {
					columns = append(columns, m[2])
				}
			}
		}
	}
	return columns
}

// callPattern is a function that is called, literalPattern what only looks like one.
var (
	callPattern    = regexp.MustCompile(`(?:[a-z_][\w$]*\.)?([a-z_][\w$]*)\(`)
	literalPattern = regexp.MustCompile(`'(?:[^']|'')*'`)
)

// warnOfCalls looks for functions that a policy calls for each row: current_setting, and whatever is not
// PostgreSQL's own.
func (e *explainer) warnOfCalls(ctx context.Context) error {
	type call struct {
		node *Node
		name string
		rows float64
	}
	var calls []call
	names := []string{}
	e.out.Plan.Root.each(func(n *Node) {
		for _, c := range n.Conditions {
			for _, p := range c.Parts {
				if !p.Policy || c.Kind != "filter" && c.Kind != "join" {
					continue
				}
				for _, m := range callPattern.FindAllStringSubmatch(literalPattern.ReplaceAllString(p.Text, "''"), -1) {
					calls = append(calls, call{n, m[1], (n.Rows + c.Removed) * n.Loops})
					names = append(names, m[1])
				}
			}
		}
	})
	if len(calls) == 0 {
		return nil
	}
	rows, err := e.tx.Query(ctx, planQueries.Get("PlanOwnFunctions"), names)
	if err != nil {
		return fmt.Errorf("look up functions: %w", err)
	}
	own, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look up functions: %w", err)
	}
	for _, c := range calls {
		if c.name == "current_setting" || slices.Contains(own, c.name) {
			e.add("", c.node, PolicyCallPerRow, "Write (select "+c.name+"(…)), where it does not depend on the row, so that it runs once a statement.",
				"a policy calls %s for each of %.0f rows", c.name, c.rows)
		}
	}
	return nil
}
