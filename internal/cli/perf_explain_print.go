package cli

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/vital-db/vital/internal/perf"
)

// printQueryPlan prints what was explained for a person.
func (a *app) printQueryPlan(e *perf.Explanation, flags perfExplainFlags, inner bool) {
	line := a.explainLine
	line("statement", "%s", inBrief(e.Statement, 300))
	who := flags.as
	if who == "" {
		who = "role " + string(e.Role)
	} else {
		who += ", role " + string(e.Role)
	}
	if flags.tenant != "" {
		who += ", in tenant " + flags.tenant
	}
	line("as", "%s", who)
	line("took", "%s planning, %s execution, %s %s; rolled back", milliseconds(e.Plan.PlanningMS), milliseconds(e.Plan.ExecutionMS),
		count(e.Plan.Rows), rowsWord(e.Plan.Rows))
	for _, r := range e.Relations {
		if r.Bound {
			policies := "no policy: no row"
			if len(r.Policies) > 0 {
				policies = "policies for this role: " + strings.Join(r.Policies, ", ")
			}
			line("bound", "%s  %s", r.Full(), paint(a.streams.Out, dim, policies))
		}
	}
	if !e.Policies.Known {
		line("policies", "which conditions are theirs is not known: %s", e.Policies.Why)
	}
	fmt.Fprintln(a.streams.Out)
	a.printSteps(e.Plan.Root)
	for _, t := range e.Plan.Triggers {
		fmt.Fprintf(a.streams.Out, "trigger %s on %s: %s, %s\n", t.Name, t.Relation, plural(int(t.Calls), "call"), milliseconds(t.MS))
	}
	a.printInner(e.Inner, inner || flags.inner)
	fmt.Fprintln(a.streams.Out)
	a.printComparison(e)
	a.printWarnings(e.Warnings)
}

func (a *app) printComparison(e *perf.Explanation) {
	c := e.Comparison
	if !c.Made {
		a.explainLine("compared", "not with the same without policies: %s", c.Why)
		return
	}
	colour := green
	if c.Ratio >= 2 {
		colour = amber
	}
	a.explainLine("compared", "%s  %s under policies, %s %s; %s without, %s %s",
		paint(a.streams.Out, colour, fmt.Sprintf("%.2f times", c.Ratio)),
		milliseconds(c.With.TotalMS), count(c.With.Rows), rowsWord(c.With.Rows),
		milliseconds(c.Without.TotalMS), count(c.Without.Rows), rowsWord(c.Without.Rows))
	about := fmt.Sprintf("the same statement and identity, as %s, whom no policy binds; planning and execution, median of %s each", c.As, plural(c.Runs, "run"))
	if c.With.Rows != c.Without.Rows {
		about += "; other rows are other work"
	}
	if !slices.ContainsFunc(e.Relations, func(r perf.Relation) bool { return r.Bound }) {
		about += "; no table of this plan is bound by policies, and functions that run as their owner may read past them"
	}
	a.explainLine("", "%s", paint(a.streams.Out, dim, about))
}

func (a *app) printWarnings(warnings []perf.Warning) {
	for _, w := range warnings {
		where := w.Step
		if w.In != "" {
			where += ", in " + w.In
		}
		a.explainLine("warning", "%s: %s %s", paint(a.streams.Out, amber, w.Code), w.Message, paint(a.streams.Out, dim, "("+where+")"))
		a.explainLine("", "%s", w.Hint)
	}
	if len(warnings) == 0 {
		a.explainLine("warnings", "none")
	}
}

// printInner prints the statements within functions, with their plans where those are wanted.
func (a *app) printInner(inner perf.Inner, plans bool) {
	out := a.streams.Out
	if inner.Why != "" {
		fmt.Fprintf(out, "\nwithin functions: %s\n", inner.Why)
	}
	if len(inner.Statements) == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s\n", paint(out, bold, "within functions"))
	for _, s := range inner.Statements {
		place := s.Function
		if s.Line > 0 {
			place += fmt.Sprintf(" line %d", s.Line)
		}
		fmt.Fprintf(out, "%s %s  %s  %s\n", fmt.Sprintf("%10s", milliseconds(s.TotalMS)), paint(out, dim, plural(s.Calls, "call")), place, paint(out, dim, inBrief(s.Text, 80)))
		if plans {
			a.printSteps(s.Plan.Root)
			fmt.Fprintln(out)
		}
	}
	if !plans {
		fmt.Fprintln(out, paint(out, dim, "           --inner shows their plans"))
	}
}

// stepLine is a line of a plan: figures, where it is a step's, and text.
type stepLine struct {
	figures []figure
	text    string
}

type figure struct{ text, colour string }

var stepHeader = []string{"TOTAL", "SELF", "", "ROWS", "ESTIMATED", "LOOPS", "HIT", "READ", "STEP"}

// printSteps prints a plan as a tree, its figures in columns before it.
func (a *app) printSteps(root *perf.Node) {
	lines := a.stepLines(root, "", "")
	widths := make([]int, len(stepHeader)-1)
	for i := range widths {
		widths[i] = len(stepHeader[i])
		for _, l := range lines {
			if l.figures != nil {
				widths[i] = max(widths[i], utf8.RuneCountInString(l.figures[i].text))
			}
		}
	}
	cells := make([]string, len(widths))
	for i, w := range widths {
		cells[i] = fmt.Sprintf("%*s", w, stepHeader[i])
	}
	out := a.streams.Out
	fmt.Fprintln(out, paint(out, dim, strings.Join(cells, "  ")+"  STEP"))
	for _, l := range lines {
		for i, w := range widths {
			cell := figure{}
			if l.figures != nil {
				cell = l.figures[i]
			}
			cell.text = strings.Repeat(" ", w-utf8.RuneCountInString(cell.text)) + cell.text
			if cell.colour != "" {
				cell.text = paint(out, cell.colour, cell.text)
			}
			cells[i] = cell.text
		}
		fmt.Fprintln(out, strings.TrimRight(strings.Join(cells, "  ")+"  "+l.text, " "))
	}
}

// stepLines are those of n and what is below it. lead stands before its name, rest before everything after.
func (a *app) stepLines(n *perf.Node, lead, rest string) []stepLine {
	name := paint(a.streams.Out, bold, n.Name())
	if n.Label != "" {
		name = n.Label + ": " + name
	}
	if n.FromPolicy {
		name += " " + paint(a.streams.Out, amber, "← policy")
	}
	lines := []stepLine{{figuresOf(n), lead + name}}
	below := "   "
	if len(n.Steps) > 0 {
		below = "│  "
	}
	detail := func(format string, args ...any) {
		lines = append(lines, stepLine{nil, rest + below + fmt.Sprintf(format, args...)})
	}
	for _, c := range n.Conditions {
		for i, p := range c.Parts {
			joint := fmt.Sprintf("%-8s", c.Kind)
			if i > 0 {
				joint = fmt.Sprintf("%8s", "and ")
			}
			text := paint(a.streams.Out, dim, joint) + p.Text
			if p.Policy {
				text += " " + paint(a.streams.Out, amber, "← policy")
			}
			detail("%s", text)
		}
		if c.Removed > 0 {
			detail("        %s", paint(a.streams.Out, dim, fmt.Sprintf("%s %s removed", count(c.Removed), rowsWord(c.Removed))))
		}
	}
	for _, note := range n.Notes {
		detail("%s", paint(a.streams.Out, dim, note))
	}
	for i, s := range n.Steps {
		if i == len(n.Steps)-1 {
			lines = append(lines, a.stepLines(s, rest+"└─ ", rest+"   ")...)
		} else {
			lines = append(lines, a.stepLines(s, rest+"├─ ", rest+"│  ")...)
		}
	}
	return lines
}

func figuresOf(n *perf.Node) []figure {
	if n.Loops == 0 {
		return []figure{{"never run", dim}, {}, {}, {}, {count(n.Estimated), dim}, {}, {}, {}}
	}
	estimated := figure{text: count(n.Estimated)}
	if n.Misestimate > 0 {
		estimated = figure{fmt.Sprintf("%s (×%s off)", estimated.text, count(math.Round(n.Misestimate))), red}
	}
	share := figure{text: bar(n.SelfShare)}
	if n.SelfShare >= 0.5 {
		share.colour = red
	} else if n.SelfShare >= 0.2 {
		share.colour = amber
	}
	return []figure{
		{text: milliseconds(n.TotalMS)}, {text: fmt.Sprintf("%.0f%%", 100*n.SelfShare)}, share,
		{text: count(n.Rows)}, estimated, {text: count(n.Loops)}, {text: fmt.Sprint(n.Hit)}, {text: fmt.Sprint(n.Read)},
	}
}

// barWidth is how many characters the whole is.
const barWidth = 8

func bar(share float64) string {
	full := int(math.Round(share * barWidth))
	return strings.Repeat("▇", full) + strings.Repeat("·", barWidth-full)
}

func milliseconds(ms float64) string {
	switch {
	case ms >= 1000:
		return fmt.Sprintf("%.2f s", ms/1000)
	case ms >= 10:
		return fmt.Sprintf("%.1f ms", ms)
	}
	return fmt.Sprintf("%.3f ms", ms)
}

// count is a number of rows, which from PostgreSQL 18 on may be a mean.
func count(n float64) string {
	if n == math.Trunc(n) {
		return fmt.Sprintf("%.0f", n)
	}
	return fmt.Sprintf("%.2f", n)
}

func rowsWord(n float64) string {
	if n == 1 {
		return "row"
	}
	return "rows"
}

// inBrief is text on one line, cut where it is longer than limit.
func inBrief(text string, limit int) string {
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return text
}
