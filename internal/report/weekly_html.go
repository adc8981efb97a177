package report

import (
	_ "embed"
	"fmt"
	"io"
	"math"
	"strings"
)

//go:embed weekly.html
var weeklyText string

var weeklyTemplate = newPage("weekly", weeklyText)

// WriteWeeklyHTML writes w as one page that loads nothing.
func WriteWeeklyHTML(out io.Writer, w *Weekly) error {
	return weeklyTemplate.Execute(out, newWeeklyPage(w))
}

// weeklyPage is what the template shows.
type weeklyPage struct {
	*Weekly
	Tone   string // good, warn or bad
	Title  string
	Cards  []weeklyCard
	Charts []chart
	Phases []phaseRow
	Risked []riskRow
}

type weeklyCard struct{ Name, Value, Target, Trend, TrendTone, Tone string }

type riskRow struct {
	Risk
	Tone string
}

// phaseRow is a phase with its gates.
type phaseRow struct {
	Phase
	Passed, Of, Share int
	Gates             []gateRow
}

type gateRow struct {
	Standing
	Tone string
}

// chart is lines over the days of the week, drawn in a box of chartWidth by chartHeight.
type chart struct {
	Title, Unit string
	Lines       []chartLine
	Ticks       []tick
	Days        []tick
	Empty       bool
}

type chartLine struct {
	Name, Class, Path string
	Points            []point
}

type point struct {
	X, Y  float64
	Title string
}

type tick struct {
	At   float64
	Text string
}

const chartWidth, chartHeight, chartLeft, chartTop, chartBottom = 560.0, 200.0, 46.0, 12.0, 26.0

var (
	statusTones = map[Status]string{OnTrack: "good", AtRisk: "warn", Blocked: "bad"}
	statusTitle = map[Status]string{OnTrack: "On track", AtRisk: "At risk", Blocked: "Blocked"}
	gateTones   = map[GateStatus]string{Passed: "good", Failed: "bad", Unknown: "none", Pending: "none"}
)

func newWeeklyPage(w *Weekly) *weeklyPage {
	p := &weeklyPage{Weekly: w, Tone: statusTones[w.Status], Title: statusTitle[w.Status]}
	for _, m := range w.Metrics {
		value, _, _ := strings.Cut(m.shown(), " (")
		card := weeklyCard{Name: m.Name, Value: value, Target: m.Target, Trend: strings.TrimPrefix(m.trendShown(), ", "), Tone: gateTones[m.Status]}
		switch trend := m.Trend(); {
		case m.Worsened():
			card.TrendTone = "bad"
		case math.Abs(trend) >= 0.005 && (trend < 0) == (m.Better == "lower"):
			card.TrendTone = "good"
		}
		p.Cards = append(p.Cards, card)
	}
	for _, phase := range plan.Phases {
		row := phaseRow{Phase: phase}
		for _, g := range w.Gates {
			if g.Phase != phase.Phase {
				continue
			}
			row.Gates = append(row.Gates, gateRow{g, gateTones[g.Status]})
			row.Of++
			if g.Status == Passed {
				row.Passed++
			}
		}
		row.Share = 100 * row.Passed / max(row.Of, 1)
		p.Phases = append(p.Phases, row)
	}
	for _, r := range w.Risks {
		p.Risked = append(p.Risked, riskRow{r, gateTones[r.Status]})
	}
	of := func(name string, value func(Day) *float64) (s series) {
		s.name = name
		for _, d := range w.Days {
			s.values = append(s.values, value(d))
		}
		return s
	}
	p.Charts = []chart{
		drawChart("Time to load a context", "ms", w.Days,
			of("50 of 100", func(d Day) *float64 { return d.P50 }), of("95 of 100", func(d Day) *float64 { return d.P95 }), of("99 of 100", func(d Day) *float64 { return d.P99 })),
		drawChart("Loads a day", "", w.Days, of("loads", func(d Day) *float64 { n := float64(d.Loads); return &n })),
		drawChart("Contexts answered from memory", "%", w.Days, of("from memory", func(d Day) *float64 { return d.Hits })),
		drawChart("Loads that failed", "%", w.Days, of("failed", func(d Day) *float64 { return d.Failed })),
	}
	return p
}

// series is what one line shows: a value a day; a day without one is a gap.
type series struct {
	name   string
	values []*float64
}

// drawChart draws one line for each of lines.
func drawChart(title, unit string, days []Day, lines ...series) chart {
	c := chart{Title: title, Unit: unit, Empty: true}
	most := 0.0
	for _, line := range lines {
		for _, v := range line.values {
			if v != nil {
				c.Empty, most = false, max(most, *v)
			}
		}
	}
	top := roundUp(most)
	if unit == "%" {
		top = min(top, 100)
	}
	x := func(day int) float64 {
		return chartLeft + (chartWidth-chartLeft-14)*float64(day)/float64(max(len(days)-1, 1))
	}
	y := func(v float64) float64 { return chartTop + (chartHeight-chartTop-chartBottom)*(1-v/top) }
	for i := range 3 {
		v := top * float64(i) / 2
		c.Ticks = append(c.Ticks, tick{y(v), figure(v)})
	}
	for i, d := range days {
		c.Days = append(c.Days, tick{x(i), d.Day.Format("Mon 2")})
	}
	for i, line := range lines {
		drawn, pen := chartLine{Name: line.name, Class: fmt.Sprintf("l%d", i+1)}, "M"
		for day, v := range line.values {
			if v == nil {
				pen = "M"
				continue
			}
			drawn.Path += fmt.Sprintf("%s%.1f %.1f", pen, x(day), y(*v))
			drawn.Points = append(drawn.Points, point{x(day), y(*v), c.Days[day].Text + ", " + line.name + ": " + figure(*v) + " " + unit})
			pen = "L"
		}
		c.Lines = append(c.Lines, drawn)
	}
	return c
}

// roundUp is the next number of the form 1, 2 or 5 times a power of ten; 1 for nothing.
func roundUp(v float64) float64 {
	if v <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, step := range []float64{1, 2, 5} {
		if v <= step*power {
			return step * power
		}
	}
	return 10 * power
}
