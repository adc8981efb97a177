package perf

import (
	"regexp"
	"slices"
	"strings"
)

// Plan is what the database did, and how long it took.
type Plan struct {
	PlanningMS  float64 `json:"planning_ms"`
	ExecutionMS float64 `json:"execution_ms"`
	// Rows is how many the statement returned, or wrote where it returns none.
	Rows float64 `json:"rows"`
	Root *Node   `json:"root"`
	// Triggers are those that ran, with their time.
	Triggers []Trigger `json:"triggers"`
	// Settings are the planner's that differ from PostgreSQL's defaults.
	Settings map[string]string `json:"settings,omitempty"`
}

// Trigger is a trigger that a write ran.
type Trigger struct {
	Name     string  `json:"name"`
	Relation string  `json:"relation"`
	MS       float64 `json:"ms"`
	Calls    float64 `json:"calls"`
}

// Node is one step of a plan. Times and rows below a Gather are those of one process, as PostgreSQL has them.
type Node struct {
	// Type is PostgreSQL's word for it: Index Scan, Hash Join.
	Type string `json:"type"`
	// Label names a sub plan: InitPlan 1, SubPlan 2, CTE recent.
	Label string `json:"label,omitempty"`
	// FromPolicy says that only a policy asks for it.
	FromPolicy bool   `json:"from_policy"`
	Schema     string `json:"schema,omitempty"`
	Relation   string `json:"relation,omitempty"`
	Alias      string `json:"alias,omitempty"`
	Index      string `json:"index,omitempty"`
	// On is what else it works on: a function, a CTE, the keys of a sort.
	On string `json:"on,omitempty"`
	// Rows and Estimated are a loop's.
	Rows      float64 `json:"rows"`
	Estimated float64 `json:"estimated"`
	Loops     float64 `json:"loops"`
	// Misestimate is how many times more, or fewer, rows came than estimated; 0 below 10.
	Misestimate float64 `json:"misestimate,omitempty"`
	TotalMS     float64 `json:"total_ms"`
	SelfMS      float64 `json:"self_ms"`
	// SelfShare is SelfMS of the whole plan's time, from 0 to 1.
	SelfShare float64 `json:"self_share"`
	// Buffers hit, read and written to temporary files, with those of the steps below.
	Hit         int64 `json:"buffers_hit"`
	Read        int64 `json:"buffers_read"`
	TempWritten int64 `json:"buffers_temp_written,omitempty"`
	// Conditions are what it finds, joins or keeps rows by.
	Conditions []Condition `json:"conditions"`
	// Notes are what else there is to say: how it sorted, in how many batches it hashed.
	Notes []string `json:"notes,omitempty"`
	Steps []*Node  `json:"steps"`

	relationship string // to the step above
	output       string
	sortOnDisk   int64 // KiB
	batches      int
}

// Condition is one of a step, in the parts that AND joins.
type Condition struct {
	// Kind is index, recheck, filter, join, hash, merge, once or conflict.
	Kind  string `json:"kind"`
	Parts []Part `json:"parts"`
	// Removed is how many rows it took away, in a loop.
	Removed float64 `json:"removed,omitempty"`
}

// Part is one of a condition's.
type Part struct {
	Text string `json:"text"`
	// Policy says that it is row-level security's and not the statement's.
	Policy bool `json:"policy"`
}

// Name is the step's type and what it works on, as a person reads it.
func (n *Node) Name() string {
	name := n.Type
	if n.Index != "" {
		name += " using " + n.Index
	}
	if n.Relation != "" {
		name += " on " + n.Schema + "." + n.Relation
		if n.Alias != "" && n.Alias != n.Relation {
			name += " " + n.Alias
		}
	}
	if n.On != "" {
		name += " " + n.On
	}
	return name
}

// each calls fn for n and every step below it, from above.
func (n *Node) each(fn func(*Node)) {
	fn(n)
	for _, s := range n.Steps {
		s.each(fn)
	}
}

// plan is a rawPlan with times and rows worked out. parameters says that conditions may name the statement's own,
// which up to PostgreSQL 16 are written like sub plans: $1.
func (r *rawPlan) plan(parameters bool) Plan {
	p := Plan{PlanningMS: r.PlanningTime, ExecutionMS: r.ExecutionTime, Root: r.Plan.node(1, false), Triggers: []Trigger{}, Settings: r.Settings}
	p.Rows = p.Root.Rows
	if r.Plan.NodeType == "ModifyTable" && p.Rows == 0 { // without RETURNING it hands nothing on
		for _, s := range p.Root.Steps {
			if s.relationship == "Outer" {
				p.Rows = s.Rows * s.Loops
			}
		}
	}
	for _, t := range r.Triggers {
		p.Triggers = append(p.Triggers, Trigger{Name: t.Name, Relation: t.Relation, MS: t.Time, Calls: t.Calls})
	}
	p.Root.shareTime(parameters)
	return p
}

// node makes a step of r. Below a Gather times are a process's and are divided by how many there were, which leaves
// them shares of the time that passed. limited says that a step above may have stopped asking.
func (r *rawNode) node(processes float64, limited bool) *Node {
	n := &Node{
		Type: r.kind(), Label: r.SubplanName, Schema: r.Schema, Relation: r.RelationName, Alias: r.Alias, Index: r.IndexName, On: r.on(),
		Rows: r.ActualRows, Estimated: r.PlanRows, Loops: r.ActualLoops, TotalMS: r.ActualTotalTime * r.ActualLoops / processes,
		Hit: r.SharedHit + r.LocalHit, Read: r.SharedRead + r.LocalRead, TempWritten: r.TempWritten,
		Conditions: r.conditions(), Notes: r.notes(), Steps: []*Node{},
		relationship: r.Relationship, output: strings.Join(r.Output, " "), batches: r.HashBatches,
	}
	if r.SortSpaceType == "Disk" {
		n.sortOnDisk = r.SortSpaceUsed
	}
	few, many := max(1, min(n.Rows, n.Estimated)), max(n.Rows, n.Estimated)
	if factor := many / few; factor >= 10 && n.Loops > 0 && (!limited || n.Rows > n.Estimated) {
		n.Misestimate = factor
	}
	if r.WorkersLaunched > 0 {
		processes *= float64(r.WorkersLaunched + 1)
	}
	for i := range r.Plans {
		below := &r.Plans[i]
		n.Steps = append(n.Steps, below.node(processes, limited && below.Relationship != "InitPlan" || r.NodeType == "Limit"))
	}
	return n
}

// shareTime works out what each step took itself. PostgreSQL hangs an InitPlan or a CTE where the query has it, but
// it runs, and is timed, within the step that first asks for it. Where that cannot be told, it stays where it hangs.
func (n *Node) shareTime(parameters bool) {
	below := map[*Node]float64{}
	n.each(func(s *Node) {
		for _, step := range s.Steps {
			payer := s
			if step.relationship == "InitPlan" && (!parameters || strings.HasPrefix(step.Label, "CTE ")) {
				payer = s.payerOf(step)
			}
			below[payer] += step.TotalMS
		}
	})
	n.each(func(s *Node) {
		s.SelfMS = max(0, s.TotalMS-below[s])
		if n.TotalMS > 0 {
			s.SelfShare = min(1, s.SelfMS/n.TotalMS)
		}
	})
}

// payerOf is the step within n that asks for the sub plan first, n itself where none can be told.
func (n *Node) payerOf(sub *Node) *Node {
	if name, isCTE := strings.CutPrefix(sub.Label, "CTE "); isCTE {
		return n.first(sub, func(s *Node) bool { return s.Type == "CTE Scan" && s.On == name })
	}
	names := references(sub.Label)
	asks := func(text string) bool {
		return slices.ContainsFunc(references(text), func(r string) bool { return slices.Contains(names, r) })
	}
	inConditions := func(s *Node) bool {
		return slices.ContainsFunc(s.Conditions, func(c Condition) bool {
			return slices.ContainsFunc(c.Parts, func(p Part) bool { return asks(p.Text) })
		})
	}
	if inConditions(n) {
		return n
	}
	return n.first(sub, inConditions)
}

// first is the first step below n that matches, but for skip and what is below that; n where there is none.
func (n *Node) first(skip *Node, matches func(*Node) bool) *Node {
	for _, s := range n.Steps {
		if s == skip {
			continue
		}
		if matches(s) {
			return s
		}
		if found := s.first(skip, matches); found != s {
			return found
		}
	}
	return n
}

// referencePattern finds sub plans named in a condition, or in their own label: $0 up to PostgreSQL 16,
// (InitPlan 1).col1 from 17 on, (hashed SubPlan 2).
var referencePattern = regexp.MustCompile(`\$\d+|(?:InitPlan|SubPlan) \d+`)

func references(text string) []string { return referencePattern.FindAllString(text, -1) }
