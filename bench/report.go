package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// result is what a scenario found.
type result struct {
	Scenario    string      `json:"scenario"`
	Asks        string      `json:"asks"`
	Environment environment `json:"environment"`
	Goals       []goal      `json:"goals"`
	Notes       []string    `json:"notes"`
	Series      []*series   `json:"series"`
	Coherence   any         `json:"coherence,omitempty"`

	plots   []plot
	caption string // instead of that of rounds
}

// goal is a figure beside what we want of it. It never fails a run: a machine is not a verdict.
type goal struct {
	Figure   string  `json:"figure"`
	Want     string  `json:"want"`
	Limit    float64 `json:"limit"`
	Measured float64 `json:"measured"`
	Met      bool    `json:"met"`
}

// Which way a goal points.
const (
	atLeast     = ">="
	atMost      = "<="
	exactly     = "="
	information = ""
)

func (r *result) ratio(figure, want string, limit, measured float64) {
	met := true
	switch want {
	case atLeast:
		met = measured >= limit
	case atMost:
		met = measured <= limit
	case exactly:
		met = measured == limit
	}
	r.Goals = append(r.Goals, goal{Figure: figure, Want: want, Limit: limit, Measured: math.Round(measured*1000) / 1000, Met: met})
}

func (r *result) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// find returns a series that the scenario is known to have.
func (r *result) find(name string, clients int) *series {
	for _, s := range r.Series {
		if s.Name == name && s.Clients == clients {
			return s
		}
	}
	panic(fmt.Sprintf("no series %q with %d clients", name, clients))
}

func (g goal) String() string {
	if g.Want == information {
		return fmt.Sprintf("%s: %.3g", g.Figure, g.Measured)
	}
	verdict := "met"
	if !g.Met {
		verdict = "missed"
	}
	return fmt.Sprintf("%s: goal %s %g, measured %.3g (%s)", g.Figure, g.Want, g.Limit, g.Measured, verdict)
}

func (r *result) print(out io.Writer) {
	if len(r.Series) > 0 {
		fmt.Fprintln(out, r.table())
	}
	for _, note := range r.Notes {
		fmt.Fprintf(out, "  %s\n", note)
	}
	for _, g := range r.Goals {
		fmt.Fprintf(out, "* %s\n", g)
	}
}

// table shows medians over the rounds, and how far the rounds lie apart.
func (r *result) table() string {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options.DrawBorder = false
	t.Style().Options.SeparateColumns = false
	header := table.Row{"", "clients", "per second", "mean ms", "p50 ms", "p99 ms", "rounds differ"}
	accounted := slices.ContainsFunc(r.Series, func(s *series) bool { return s.Median.cpu() > 0 })
	if accounted {
		header = append(header, "us of server", "us of postgres")
	}
	t.AppendHeader(header)
	var right []table.ColumnConfig
	for column := 2; column <= len(header); column++ {
		right = append(right, table.ColumnConfig{Number: column, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(right)
	for _, s := range r.Series {
		low, high := spread(s.Rounds, sample.rate)
		row := table.Row{s.Name, s.Clients, "", number(s.Median.Mean), number(s.Median.P50), number(s.Median.P99), ""}
		if s.Median.PerSecond > 0 { // else it is a latency of something that has no rate
			row[2], row[6] = number(s.Median.PerSecond), fmt.Sprintf("±%.0f %%", 50*(high-low)/s.Median.PerSecond)
		}
		if accounted && s.Median.cpu() > 0 {
			row = append(row, number(s.Median.ServerCPU), number(s.Median.PostgresCPU))
		}
		t.AppendRow(row)
	}
	return t.Render()
}

// number writes three significant digits, without an exponent.
func number(v float64) string {
	if v == 0 {
		return "0"
	}
	digits := max(0, 2-int(math.Floor(math.Log10(math.Abs(v)))))
	return fmt.Sprintf("%.*f", digits, v)
}

func spread(rounds []sample, of func(sample) float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, s := range rounds {
		low, high = min(low, of(s)), max(high, of(s))
	}
	return low, high
}

// save writes the figures as JSON, and the plots as one picture.
func (r *result) save(dir string, day time.Time) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	base := filepath.Join(dir, day.UTC().Format(time.DateOnly)+"-"+r.Scenario)
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(base+".json", append(content, '\n'), 0o644); err != nil {
		return err
	}
	if len(r.plots) == 0 {
		return nil
	}
	e := r.Environment
	caption := fmt.Sprintf("%s. %s, %d cores, PostgreSQL %s, %s. Medians of %d rounds",
		strings.SplitN(e.Date, "T", 2)[0], e.CPU, e.Cores, e.Postgres, e.Go, e.Rounds)
	if r.plots[0].Spans == nil {
		caption += "; whiskers: slowest and fastest round"
	}
	caption += "."
	if r.caption != "" {
		caption = fmt.Sprintf("%s. %s, %d cores, PostgreSQL %s, %s. %s", strings.SplitN(e.Date, "T", 2)[0], e.CPU, e.Cores, e.Postgres, e.Go, r.caption)
	}
	return os.WriteFile(base+".svg", draw(r.Asks, caption, r.plots), 0o644)
}
