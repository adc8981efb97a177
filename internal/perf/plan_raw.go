package perf

import (
	"cmp"
	"fmt"
	"strings"
)

// rawPlan is EXPLAIN's JSON.
type rawPlan struct {
	QueryText     string            `json:"Query Text"` // auto_explain's
	Plan          rawNode           `json:"Plan"`
	Settings      map[string]string `json:"Settings"`
	PlanningTime  float64           `json:"Planning Time"`
	ExecutionTime float64           `json:"Execution Time"`
	Triggers      []struct {
		Name     string  `json:"Trigger Name"`
		Relation string  `json:"Relation"`
		Time     float64 `json:"Time"`
		Calls    float64 `json:"Calls"`
	} `json:"Triggers"`
}

type rawNode struct {
	NodeType     string `json:"Node Type"`
	Relationship string `json:"Parent Relationship"`
	SubplanName  string `json:"Subplan Name"`
	Strategy     string `json:"Strategy"`
	PartialMode  string `json:"Partial Mode"`
	Parallel     bool   `json:"Parallel Aware"`
	JoinType     string `json:"Join Type"`
	Operation    string `json:"Operation"`
	Command      string `json:"Command"` // of a SetOp

	Schema       string `json:"Schema"`
	RelationName string `json:"Relation Name"`
	Alias        string `json:"Alias"`
	IndexName    string `json:"Index Name"`
	CTEName      string `json:"CTE Name"`
	FunctionName string `json:"Function Name"`

	PlanRows        float64 `json:"Plan Rows"`
	ActualRows      float64 `json:"Actual Rows"`
	ActualLoops     float64 `json:"Actual Loops"`
	ActualTotalTime float64 `json:"Actual Total Time"`
	WorkersLaunched int     `json:"Workers Launched"`

	IndexCond      string  `json:"Index Cond"`
	RecheckCond    string  `json:"Recheck Cond"`
	TIDCond        string  `json:"TID Cond"`
	Filter         string  `json:"Filter"`
	JoinFilter     string  `json:"Join Filter"`
	HashCond       string  `json:"Hash Cond"`
	MergeCond      string  `json:"Merge Cond"`
	OneTimeFilter  string  `json:"One-Time Filter"`
	ConflictFilter string  `json:"Conflict Filter"`
	RemovedFilter  float64 `json:"Rows Removed by Filter"`
	RemovedJoin    float64 `json:"Rows Removed by Join Filter"`
	RemovedRecheck float64 `json:"Rows Removed by Index Recheck"`

	SortKey         []string `json:"Sort Key"`
	GroupKey        []string `json:"Group Key"`
	SortMethod      string   `json:"Sort Method"`
	SortSpaceUsed   int64    `json:"Sort Space Used"`
	SortSpaceType   string   `json:"Sort Space Type"`
	HashBatches     int      `json:"Hash Batches"`
	AggBatches      int      `json:"HashAgg Batches"`
	DiskUsage       int64    `json:"Disk Usage"`
	HeapFetches     *float64 `json:"Heap Fetches"`
	WorkersPlanned  int      `json:"Workers Planned"`
	SubplansRemoved int      `json:"Subplans Removed"`

	SharedHit   int64 `json:"Shared Hit Blocks"`
	SharedRead  int64 `json:"Shared Read Blocks"`
	LocalHit    int64 `json:"Local Hit Blocks"`
	LocalRead   int64 `json:"Local Read Blocks"`
	TempWritten int64 `json:"Temp Written Blocks"`

	Output []string  `json:"Output"`
	Plans  []rawNode `json:"Plans"`
}

// kind is the step's type as EXPLAIN's text has it.
func (r *rawNode) kind() string {
	kind := r.NodeType
	switch r.NodeType {
	case "ModifyTable":
		kind = r.Operation
	case "Aggregate":
		kind = map[string]string{"Sorted": "GroupAggregate", "Hashed": "HashAggregate", "Mixed": "MixedAggregate"}[r.Strategy]
		kind = cmp.Or(kind, "Aggregate")
		if r.PartialMode == "Partial" || r.PartialMode == "Finalize" {
			kind = r.PartialMode + " " + kind
		}
	case "SetOp":
		kind = strings.TrimSpace(map[string]string{"Hashed": "Hash"}[r.Strategy] + "SetOp " + r.Command)
	case "Nested Loop":
		if r.JoinType != "" && r.JoinType != "Inner" {
			kind += " " + r.JoinType + " Join"
		}
	case "Hash Join", "Merge Join":
		if r.JoinType != "" && r.JoinType != "Inner" {
			kind = strings.TrimSuffix(kind, "Join") + r.JoinType + " Join"
		}
	}
	if r.Parallel {
		kind = "Parallel " + kind
	}
	return kind
}

// on is what the step works on where that is no relation.
func (r *rawNode) on() string {
	switch {
	case r.CTEName != "":
		return r.CTEName
	case r.FunctionName != "":
		name := r.FunctionName
		if r.Schema != "" {
			name = r.Schema + "." + name
		}
		return name
	case len(r.SortKey) > 0:
		return "by " + strings.Join(r.SortKey, ", ")
	case len(r.GroupKey) > 0:
		return "by " + strings.Join(r.GroupKey, ", ")
	case r.NodeType == "ProjectSet" || r.NodeType == "Result" && r.RelationName == "" && len(r.Plans) == 0:
		return strings.Join(r.Output, ", ")
	case r.RelationName == "":
		return r.Alias
	}
	return ""
}

func (r *rawNode) conditions() []Condition {
	conditions := []Condition{}
	for _, c := range []struct {
		kind, text string
		removed    float64
	}{
		{"once", r.OneTimeFilter, 0},
		{"index", r.IndexCond, 0},
		{"index", r.TIDCond, 0},
		{"recheck", r.RecheckCond, r.RemovedRecheck},
		{"hash", r.HashCond, 0},
		{"merge", r.MergeCond, 0},
		{"join", r.JoinFilter, r.RemovedJoin},
		{"filter", r.Filter, r.RemovedFilter},
		{"conflict", r.ConflictFilter, 0},
	} {
		if c.text == "" {
			continue
		}
		condition := Condition{Kind: c.kind, Removed: c.removed, Parts: []Part{}}
		for _, text := range conjuncts(c.text) {
			condition.Parts = append(condition.Parts, Part{Text: text})
		}
		conditions = append(conditions, condition)
	}
	return conditions
}

func (r *rawNode) notes() []string {
	var notes []string
	note := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	if r.SortMethod != "" {
		note("%s, %d kB in %s", r.SortMethod, r.SortSpaceUsed, strings.ToLower(r.SortSpaceType))
	}
	if batches := max(r.HashBatches, r.AggBatches); batches > 1 {
		note("in %d batches", batches)
	}
	if r.DiskUsage > 0 {
		note("%d kB on disk", r.DiskUsage)
	}
	if r.HeapFetches != nil && *r.HeapFetches > 0 {
		note("heap fetches: %.0f", *r.HeapFetches)
	}
	if r.WorkersPlanned > 0 {
		note("%d of %d workers", r.WorkersLaunched, r.WorkersPlanned)
	}
	if r.SubplansRemoved > 0 {
		note("%d partitions left out", r.SubplansRemoved)
	}
	return notes
}
