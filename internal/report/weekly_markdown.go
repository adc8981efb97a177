package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
)

// WriteWeeklyMarkdown writes w in the form of section 10.3 of the assessment.
func WriteWeeklyMarkdown(out io.Writer, w *Weekly) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# VITAL Data Strategy - Weekly Status Report\n**Week:** %s\n**Phase:** %d, %s\n**Status:** %s\n", w.Week, w.Phase.Phase, w.Phase.Name, w.Status)
	section := func(title string, lines []string, none string) {
		fmt.Fprintf(&b, "\n## %s\n", title)
		for _, line := range lines {
			fmt.Fprintf(&b, "- %s\n", line)
		}
		if len(lines) == 0 {
			fmt.Fprintf(&b, "- %s\n", none)
		}
	}
	section("Accomplishments", escaped(w.Accomplishments), "None measured")
	var metrics, blocked, mitigated []string
	for _, m := range w.Metrics {
		metrics = append(metrics, fmt.Sprintf("%s: %s (Target: %s)%s", m.Name, m.shown(), m.Target, m.trendShown()))
	}
	for _, k := range w.Blockers {
		blocked = append(blocked, fmt.Sprintf("%s: %s. Next: %s", k.What, k.Evidence, k.Next))
	}
	for _, r := range w.Risks {
		mitigated = append(mitigated, fmt.Sprintf("%s (likelihood %s, impact %s): %s. Mitigation: %s%s", r.Risk, strings.ToLower(r.Likelihood), strings.ToLower(r.Impact), r.Mitigation,
			strings.ToUpper(string(r.Status)), parenthesis(r.Evidence)))
	}
	section("Key Metrics", escaped(metrics), "None")
	section("Blockers", escaped(blocked), "None")
	section("Next Week Plan", escaped(w.Plan), "Nothing is due")
	section("Risks & Mitigation", escaped(mitigated), "None")
	_, err := out.Write(b.Bytes())
	return err
}

// escaped keeps names that people gave from being read as Markdown.
func escaped(lines []string) []string {
	escape := strings.NewReplacer("\n", " ", "\r", " ", "<", "&lt;", "[", "\\[", "|", "\\|", "`", "\\`", "*", "\\*", "_", "\\_")
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = escape.Replace(line)
	}
	return out
}

func parenthesis(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

// shown is the figure as the form has it: checks say PASS or FAIL.
func (m Metric) shown() string {
	switch {
	case m.Value == nil:
		return "not measured"
	case m.Gate == "schema_validation" || m.Gate == "data_consistency":
		return strings.ToUpper(string(m.Status)) + parenthesis(figure(*m.Value)+" "+m.Unit)
	case m.Gate == "rls_policies":
		return figure(*m.Value) + "/30"
	}
	return figure(*m.Value) + " " + m.Unit
}

// trendShown is the change against the week before, "" where that is not known.
func (m Metric) trendShown() string {
	trend := m.Trend()
	switch {
	case math.IsNaN(trend):
		return ""
	case math.Abs(trend) < 0.005:
		return ", as the week before"
	case trend > 0:
		return fmt.Sprintf(", ↑ %.0f %% against the week before", 100*trend)
	}
	return fmt.Sprintf(", ↓ %.0f %% against the week before", -100*trend)
}

// WriteWeeklyJSON writes w as it is kept.
func WriteWeeklyJSON(out io.Writer, w *Weekly) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(w)
}
