package report

import (
	"context"
	_ "embed"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
)

//go:embed report.sql
var queryText string

var queries = database.ParseQueries(queryText)

// Status is how the work stands in a week.
type Status string

// The statuses, the worst last.
const (
	OnTrack Status = "ON_TRACK"
	AtRisk  Status = "AT_RISK"
	Blocked Status = "BLOCKED"
)

// Weekly is the report of one week, in the form of section 10.3 of the assessment.
type Weekly struct {
	Week            string     `json:"week"` // as 2026-W48, from Monday to Sunday, UTC
	From            time.Time  `json:"from"`
	Until           time.Time  `json:"until"` // its end, or when it was made, where it is not over
	Phase           Phase      `json:"phase"`
	Status          Status     `json:"status"`
	Reasons         []string   `json:"reasons"` // for the status
	Accomplishments []string   `json:"accomplishments"`
	Metrics         []Metric   `json:"metrics"`
	Blockers        []Blocker  `json:"blockers"`
	Plan            []string   `json:"plan"`
	Risks           []Risk     `json:"risks"`
	Days            []Day      `json:"days"`
	Gates           []Standing `json:"gates"`
}

// Metric is a figure beside its target and that of the week before.
type Metric struct {
	Name   string     `json:"name"`
	Gate   string     `json:"gate"`
	Value  *float64   `json:"value"`
	Before *float64   `json:"week_before"`
	Unit   string     `json:"unit"`
	Target string     `json:"target"`
	Status GateStatus `json:"status"`
	// Better says which way is up: lower or higher.
	Better string `json:"better"`
}

// Blocker is something that keeps the phase from being over, and what to do about it.
type Blocker struct {
	Gate     string `json:"gate"`
	What     string `json:"what"`
	Evidence string `json:"evidence"`
	Next     string `json:"next"`
}

// Risk is one of section 11.4, with how its mitigation stands.
type Risk struct {
	Risk       string     `json:"risk"`
	Likelihood string     `json:"likelihood"`
	Impact     string     `json:"impact"`
	Mitigation string     `json:"mitigation"`
	Status     GateStatus `json:"status"`
	Evidence   string     `json:"evidence"`
}

// Day is how the loads of one day fared. Times are of contexts, in milliseconds; null on a day without any.
type Day struct {
	Day    time.Time `json:"day"`
	Loads  int64     `json:"loads"`
	P50    *float64  `json:"p50_ms"`
	P95    *float64  `json:"p95_ms"`
	P99    *float64  `json:"p99_ms"`
	Hits   *float64  `json:"cache_hit_rate"`
	Failed *float64  `json:"error_rate"`
}

const week = 7 * 24 * time.Hour

var weekForm = regexp.MustCompile(`^(\d{4})-W(\d{2})$`)

// WeekOf is the ISO week of at, as 2026-W48.
func WeekOf(at time.Time) string {
	year, number := at.UTC().ISOWeek()
	return fmt.Sprintf("%04d-W%02d", year, number)
}

// weekBegins is when the week so called begins.
func weekBegins(name string) (time.Time, error) {
	parts := weekForm.FindStringSubmatch(name)
	if parts != nil {
		year, _ := strconv.Atoi(parts[1]) // digits
		number, _ := strconv.Atoi(parts[2])
		fourth := time.Date(year, time.January, 4, 0, 0, 0, 0, time.UTC) // is always in the first week
		begins := fourth.AddDate(0, 0, -(int(fourth.Weekday()+6)%7)+7*(number-1))
		if WeekOf(begins) == name {
			return begins, nil
		}
	}
	return time.Time{}, fault.New(fault.Usage, fmt.Sprintf("%q is no week.", name), "Name one as 2026-W48: the ISO week, which begins on Monday.")
}

// makeWeekly measures the week that began at from until its end, or until now where it is not over.
func makeWeekly(ctx context.Context, db pgx.Tx, facts Facts, name string, from, now time.Time) (*Weekly, error) {
	w := &Weekly{Week: name, From: from, Until: from.Add(week)}
	if now.Before(w.Until) {
		w.Until = now
	}
	var err error
	if w.Gates, err = Gates(ctx, db, facts, w.From, w.Until); err != nil {
		return nil, err
	}
	before, err := Gates(ctx, db, facts, from.Add(-week), from)
	if err != nil {
		return nil, err
	}
	rows, err := db.Query(ctx, queries.Get("Days"), w.From, w.Until)
	if err != nil {
		return nil, err
	}
	if w.Days, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Day]); err != nil {
		return nil, fmt.Errorf("read the days: %w", err)
	}
	w.Phase = CurrentPhase(w.Gates)
	w.Metrics = keyMetrics(w.Gates, before)
	w.Blockers = blockers(w.Gates, w.Phase)
	w.Risks = risks(w.Gates, w.Metrics)
	w.Status, w.Reasons = judgeWeek(w)
	if w.Accomplishments, err = accomplishments(ctx, db, w, before); err != nil {
		return nil, err
	}
	w.Plan, err = nextWeek(ctx, db, w)
	return w, err
}

// keyMetrics are those of the assessment's form, and what is measured besides.
func keyMetrics(gates, before []Standing) (all []Metric) {
	for _, m := range []struct{ name, gate, better string }{
		{"Tenant context load time, 95 of 100", "context_p95", "lower"},
		{"Tenant context loads within a second", "context_within_1s", "higher"},
		{"RLS policies deployed", "rls_policies", "higher"},
		{"Schema validation", "schema_validation", "lower"},
		{"Data consistency checks", "data_consistency", "lower"},
		{"Contexts answered from memory", "cache_hit_rate", "higher"},
		{"Loads that failed for a reason of ours", "loading_works", "lower"},
		{"RLS denials", "rls_denials", "lower"},
		{"Loads", "load_log", "higher"},
	} {
		now, then := standing(gates, m.gate), standing(before, m.gate)
		all = append(all, Metric{Name: m.name, Gate: m.gate, Value: now.Current, Before: then.Current, Unit: now.Unit, Target: now.Target(), Status: now.Status, Better: m.better})
	}
	return all
}

func standing(all []Standing, gate string) Standing {
	i := slices.IndexFunc(all, func(s Standing) bool { return s.Gate.Gate == gate })
	return all[i] // gates are named in this program
}

// Trend is by what part the figure changed against the week before, NaN where that is not known.
func (m Metric) Trend() float64 {
	if m.Value == nil || m.Before == nil || *m.Before == 0 {
		return math.NaN()
	}
	return (*m.Value - *m.Before) / *m.Before
}

// worse is by how much a trend is one for the worse before it is a risk.
const worse = 0.2

// Worsened says that the figure became notably worse.
func (m Metric) Worsened() bool {
	trend := m.Trend()
	if m.Better == "higher" {
		trend = -trend
	}
	return trend > worse // which NaN is not
}

func blockers(gates []Standing, phase Phase) (all []Blocker) {
	for _, g := range gates {
		if g.Phase <= phase.Phase && g.Measure != "" && g.Status != Passed {
			all = append(all, Blocker{Gate: g.Gate.Gate, What: g.Title + " (" + g.Target() + ")", Evidence: currently(g), Next: g.Next})
		}
	}
	return all
}

// currently is what is measured now, for reading.
func currently(s Standing) string {
	if s.Current == nil {
		return strings.TrimPrefix(s.Evidence+", nothing to measure by", ", ")
	}
	text := figure(*s.Current) + " " + s.Unit
	if s.Evidence != "" {
		text += " (" + s.Evidence + ")"
	}
	return text
}

// stopping are the gates without which nothing goes on: what keeps tenants apart, and that their data loads.
var stopping = []string{"isolation_checks", "rls_tables", "schema_validation", "loading_works", "tenants_load"}

// judgeWeek decides the status by rule: BLOCKED where a gate fails that everything rests on; AT_RISK where another gate of the
// phase fails, or is not measured, or a key figure became worse by a fifth; ON_TRACK otherwise.
func judgeWeek(w *Weekly) (status Status, reasons []string) {
	status = OnTrack
	for _, b := range w.Blockers {
		failed := standing(w.Gates, b.Gate).Status == Failed
		if failed && slices.Contains(stopping, b.Gate) {
			status = Blocked
		} else if status == OnTrack {
			status = AtRisk
		}
		reasons = append(reasons, b.What+": "+b.Evidence)
	}
	for _, m := range w.Metrics {
		if m.Worsened() && m.Gate != "load_log" {
			if status == OnTrack {
				status = AtRisk
			}
			reasons = append(reasons, fmt.Sprintf("%s: %s where it was %s", m.Name, figure(*m.Value), figure(*m.Before)))
		}
	}
	return status, reasons
}

func accomplishments(ctx context.Context, db pgx.Tx, w *Weekly, before []Standing) (done []string, err error) {
	for _, g := range w.Gates {
		if then := standing(before, g.Gate.Gate); g.Measure != "" && g.Status == Passed && then.Status == Failed {
			done = append(done, g.Title+": "+currently(g))
		}
	}
	rows, err := db.Query(ctx, queries.Get("SignedOff"), w.From, w.Until)
	if err != nil {
		return nil, err
	}
	signed, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct{ Gate, By string }])
	if err != nil {
		return nil, err
	}
	for _, s := range signed {
		if slices.ContainsFunc(w.Gates, func(g Standing) bool { return g.Gate.Gate == s.Gate }) {
			done = append(done, standing(w.Gates, s.Gate).Title+", signed off by "+s.By)
		}
	}
	rows, err = db.Query(ctx, queries.Get("Done"), w.From, w.Until)
	if err != nil {
		return nil, err
	}
	counted, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct {
		N    int64
		What string
	}])
	for _, c := range counted {
		one, many, _ := strings.Cut(c.What, "|")
		if c.N != 1 {
			one = many
		}
		done = append(done, fmt.Sprintf("%d %s", c.N, one))
	}
	return done, err
}

func nextWeek(ctx context.Context, db pgx.Tx, w *Weekly) (plans []string, err error) {
	for _, b := range w.Blockers {
		plans = append(plans, b.What+": "+b.Next)
	}
	for _, g := range w.Gates {
		if g.Phase == w.Phase.Phase && g.Status == Pending {
			plans = append(plans, "Sign off: "+g.Title+" ("+g.Next+")")
		}
	}
	rows, err := db.Query(ctx, queries.Get("Coming"), w.Until, w.Until.Add(week))
	if err != nil {
		return nil, err
	}
	coming, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct {
		At   time.Time
		What string
	}])
	for _, c := range coming {
		plans = append(plans, c.At.UTC().Format("2006-01-02 15:04")+" "+c.What)
	}
	return plans, err
}

// risks are those of section 11.4. A mitigation that is measured stands as its gate does.
func risks(gates []Standing, metrics []Metric) []Risk {
	of := func(gate string) (GateStatus, string) {
		s := standing(gates, gate)
		return s.Status, currently(s)
	}
	all := []Risk{
		{Risk: "Migration breaks existing tenants", Likelihood: "Medium", Impact: "Critical", Mitigation: "A verified backup before each migration, checks before it is committed, vital migrate restore"},
		{Risk: "Performance regression", Likelihood: "Low", Impact: "High", Mitigation: "Loads are measured all the time, benchmarks before a release"},
		{Risk: "RLS policy too restrictive", Likelihood: "Medium", Impact: "High", Mitigation: "Denials are counted and recorded, vital rls explain says which policy decides"},
		{Risk: "Cache invalidation bugs", Likelihood: "Medium", Impact: "Medium", Mitigation: "Versions decide and not time, vital cache check compares, invalidation by hand"},
		{Risk: "Schema drift recurrence", Likelihood: "High", Impact: "Medium", Mitigation: "Validation daily and in CI"},
	}
	all[0].Status, all[0].Evidence = of("migration_check")
	all[1].Status, all[1].Evidence = of("context_p95")
	for _, m := range metrics {
		if m.Gate == "context_p95" && m.Worsened() {
			all[1].Status, all[1].Evidence = Failed, fmt.Sprintf("%s ms where it was %s", figure(*m.Value), figure(*m.Before))
		}
	}
	all[2].Status, all[2].Evidence = of("rls_denials")
	all[3].Status, all[3].Evidence = of("week3_invalidation")
	all[4].Status, all[4].Evidence = of("schema_validation")
	return all
}

// figure is a number as people write it: three digits that count.
func figure(value float64) string {
	switch {
	case value == math.Trunc(value) || math.Abs(value) >= 1000:
		return strconv.FormatFloat(value, 'f', 0, 64)
	case math.Abs(value) >= 100:
		return strconv.FormatFloat(value, 'f', 1, 64)
	}
	return strconv.FormatFloat(value, 'g', 3, 64)
}
