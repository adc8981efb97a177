package report

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"go.yaml.in/yaml/v3"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
)

//go:embed gates.yaml
var gatesText []byte

//go:embed measures.sql
var measuresText string

var measures = database.ParseQueries(measuresText)

// Phase is one of those the work is divided into.
type Phase struct {
	Phase int    `yaml:"phase" json:"phase"`
	Name  string `yaml:"name" json:"name"`
}

// Gate is something that must hold before a phase is over: measured, or signed off by somebody.
type Gate struct {
	Gate    string   `yaml:"gate" json:"gate"`
	Phase   int      `yaml:"phase" json:"phase"`
	Source  string   `yaml:"source" json:"source"` // section of the assessment
	Title   string   `yaml:"title" json:"title"`
	Measure string   `yaml:"measure" json:"measure,omitempty"` // "" where it is signed off
	AtLeast *float64 `yaml:"at_least" json:"at_least,omitempty"`
	AtMost  *float64 `yaml:"at_most" json:"at_most,omitempty"`
	Unit    string   `yaml:"unit" json:"unit,omitempty"`
	Next    string   `yaml:"next" json:"next"` // what to do where it does not hold
}

// GateStatus is how a gate stands.
type GateStatus string

// The statuses. A gate of which nothing is known has not passed.
const (
	Passed  GateStatus = "pass"
	Failed  GateStatus = "fail"
	Unknown GateStatus = "unknown" // there is nothing to measure
	Pending GateStatus = "pending" // nobody has signed it off
)

// Standing is how a gate stands, and on what ground.
type Standing struct {
	Gate
	Status     GateStatus `json:"status"`
	Current    *float64   `json:"current,omitempty"`
	Evidence   string     `json:"evidence,omitempty"`
	ApprovedBy string     `json:"approved_by,omitempty"`
	ApprovedAt *time.Time `json:"approved_at,omitempty"`
}

// Target is what the gate asks for, for reading.
func (g Gate) Target() string {
	switch {
	case g.AtLeast != nil:
		return "≥ " + figure(*g.AtLeast) + " " + g.Unit
	case g.AtMost != nil:
		if *g.AtMost == 0 {
			return "0 " + g.Unit
		}
		return "≤ " + figure(*g.AtMost) + " " + g.Unit
	}
	return "signed off"
}

var plan = readGates()

type gatePlan struct {
	Phases []Phase `yaml:"phases"`
	Gates  []Gate  `yaml:"gates"`
}

// readGates reads what is embedded; a mistake in it is one of this program.
func readGates() (p gatePlan) {
	decoder := yaml.NewDecoder(bytes.NewReader(gatesText))
	decoder.KnownFields(true)
	if err := decoder.Decode(&p); err != nil {
		panic(fmt.Sprintf("gates.yaml: %v", err))
	}
	slices.SortStableFunc(p.Gates, func(a, b Gate) int { return a.Phase - b.Phase })
	return p
}

// Phases are the phases there are.
func Phases() []Phase { return slices.Clone(plan.Phases) }

// Facts are what is known of the program and not of the database.
type Facts struct {
	// WriteRoutes are the routes of its own that write.
	WriteRoutes []string
}

// measured is a figure and what it rests on.
type measured struct {
	Value    *float64
	Evidence *string
}

// measure returns the figure of name between two times.
func measure(ctx context.Context, db pgx.Tx, facts Facts, name string, from, until time.Time) (measured, error) {
	if name == "api_write_routes" {
		value, evidence := float64(len(facts.WriteRoutes)), strings.Join(facts.WriteRoutes, ", ")
		return measured{&value, &evidence}, nil
	}
	rows, err := db.Query(ctx, measures.Get(name), from, until)
	if err != nil {
		return measured{}, fmt.Errorf("measure %s: %w", name, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[measured])
	if err != nil {
		return measured{}, fmt.Errorf("measure %s: %w", name, err)
	}
	if len(found) == 0 {
		return measured{}, nil
	}
	return found[0], nil
}

// Gates returns how every gate stands by what was measured between two times.
func Gates(ctx context.Context, db pgx.Tx, facts Facts, from, until time.Time) ([]Standing, error) {
	signed, err := signOffs(ctx, db, until)
	if err != nil {
		return nil, err
	}
	all := make([]Standing, len(plan.Gates))
	for i, g := range plan.Gates {
		all[i] = Standing{Gate: g, Status: Pending}
		if g.Measure == "" {
			if s, ok := signed[g.Gate]; ok && s.Approved {
				all[i].Status, all[i].ApprovedBy, all[i].ApprovedAt, all[i].Evidence = Passed, s.By, &s.At, s.Note
			}
			continue
		}
		figure, err := measure(ctx, db, facts, g.Measure, from, until)
		if err != nil {
			return nil, err
		}
		all[i].judge(figure)
	}
	return all, nil
}

func (s *Standing) judge(m measured) {
	if m.Evidence != nil {
		s.Evidence = *m.Evidence
	}
	switch s.Current = m.Value; {
	case m.Value == nil:
		s.Status = Unknown
	case s.AtLeast != nil && *m.Value < *s.AtLeast, s.AtMost != nil && *m.Value > *s.AtMost:
		s.Status = Failed
	default:
		s.Status = Passed
	}
}

// CurrentPhase is the first of which a gate has not passed, else the last.
func CurrentPhase(all []Standing) Phase {
	for _, p := range plan.Phases {
		if slices.ContainsFunc(all, func(s Standing) bool { return s.Phase == p.Phase && s.Status != Passed }) {
			return p
		}
	}
	return plan.Phases[len(plan.Phases)-1]
}

// signOff is the latest of a gate.
type signOff struct {
	Gate     string
	Approved bool
	By       string
	Note     string
	At       time.Time
}

func signOffs(ctx context.Context, db pgx.Tx, until time.Time) (map[string]signOff, error) {
	rows, err := db.Query(ctx, queries.Get("Signatures"), until)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[signOff])
	by := make(map[string]signOff, len(found))
	for _, s := range found {
		by[s.Gate] = s
	}
	return by, err
}

// SignGate keeps that somebody signs a gate off, or withdraws that.
func SignGate(ctx context.Context, db pgx.Tx, gate string, approved bool, by, note string) error {
	at := slices.IndexFunc(plan.Gates, func(g Gate) bool { return g.Gate == gate })
	switch {
	case at < 0:
		return fault.New(fault.NotFound, fmt.Sprintf("There is no gate %q.", gate), "`vital report gates` lists them.")
	case plan.Gates[at].Measure != "":
		return fault.New(fault.Invalid, fmt.Sprintf("The gate %s is measured: nobody can sign it off.", gate), "What it asks for next: "+plan.Gates[at].Next+".")
	case strings.TrimSpace(by) == "" || len(by) > 200 || len(note) > 1000:
		return fault.New(fault.Usage, "Who signs is missing or longer than 200 bytes, or the note is longer than 1000.", "Say --by NAME, and --note on what ground.")
	}
	_, err := db.Exec(ctx, queries.Get("Sign"), gate, approved, by, note)
	return err
}

// Now is what is measured, or who signed, for reading.
func (s Standing) Now() string {
	switch {
	case s.Measure != "":
		return currently(s)
	case s.Status == Passed:
		return "by " + s.ApprovedBy + ", " + s.ApprovedAt.UTC().Format("2006-01-02")
	}
	return ""
}
