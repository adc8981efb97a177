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

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/pflag"
)

// compareCommand sets results beside earlier ones. It fails on nothing: whether a difference means anything a person says.
const compareCommand = "compare"

// compare takes two results, or the two newest of each scenario of a directory.
func compare(args []string, out io.Writer) error {
	set := pflag.NewFlagSet(compareCommand, pflag.ContinueOnError)
	dir := set.String("out", filepath.Join("bench", "results"), "directory of the results")
	benchstat := set.Bool("benchstat", false, "print the rounds of one result as `go test -bench` does, for benchstat")
	set.Usage = func() {
		fmt.Fprintf(os.Stderr, "go run ./bench compare [OLD.json NEW.json]\ngo run ./bench compare --benchstat RESULT.json…\n\n%s", set.FlagUsages())
	}
	if err := set.Parse(args); err != nil {
		return err
	}
	if *benchstat {
		return writeBenchstat(set.Args(), out)
	}
	var pairs [][2]string
	switch set.NArg() {
	case 0:
		var err error
		if pairs, err = newestPairs(*dir); err != nil {
			return err
		}
	case 2:
		pairs = [][2]string{{set.Arg(0), set.Arg(1)}}
	default:
		return fmt.Errorf("compare takes two results, or none for the newest two of each scenario in %s", *dir)
	}
	if len(pairs) == 0 {
		fmt.Fprintf(out, "no scenario has two results in %s\n", *dir)
	}
	for _, pair := range pairs {
		was, err := readResult(pair[0])
		if err != nil {
			return err
		}
		is, err := readResult(pair[1])
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "\n%s: %s, %s, and then %s, %s\n", is.Scenario, filepath.Base(pair[0]), was.Environment.CPU, filepath.Base(pair[1]), is.Environment.CPU)
		fmt.Fprintln(out, comparison(was, is))
	}
	return nil
}

// newestPairs are the two newest results of each scenario that has two: names begin with the day.
func newestPairs(dir string) ([][2]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	last := map[string][]string{}
	for _, file := range files {
		if base := filepath.Base(file); len(base) > len("2006-01-02-.json") {
			name := strings.TrimSuffix(base[len("2006-01-02-"):], ".json")
			last[name] = append(last[name], file)
		}
	}
	var pairs [][2]string
	for _, found := range last {
		if n := len(found); n > 1 {
			pairs = append(pairs, [2]string{found[n-2], found[n-1]})
		}
	}
	slices.SortFunc(pairs, func(a, b [2]string) int { return strings.Compare(a[1], b[1]) })
	return pairs, nil
}

func readResult(file string) (*result, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r := &result{}
	if err := json.Unmarshal(content, r); err != nil {
		return nil, fmt.Errorf("%s is no result of this program: %w", file, err)
	}
	return r, nil
}

// comparison is what both results have, side by side. A difference counts as one where no round of the one is within those of the other.
func comparison(was, is *result) string {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options.DrawBorder = false
	t.Style().Options.SeparateColumns = false
	t.AppendHeader(table.Row{"", "clients", "figure", "was", "is", "difference", ""})
	t.SetColumnConfigs([]table.ColumnConfig{{Number: 2, Align: text.AlignRight}, {Number: 4, Align: text.AlignRight}, {Number: 5, Align: text.AlignRight}, {Number: 6, Align: text.AlignRight}})
	for _, n := range is.Series {
		at := slices.IndexFunc(was.Series, func(s *series) bool { return s.Name == n.Name && s.Clients == n.Clients })
		if at < 0 {
			continue
		}
		o := was.Series[at]
		for _, figure := range []struct {
			name string
			of   func(sample) float64
		}{{"per second", sample.rate}, {"p50 ms", sample.typical}, {"p99 ms", func(s sample) float64 { return s.P99 }}} {
			before, after := figure.of(o.Median), figure.of(n.Median)
			if before == 0 || after == 0 {
				continue
			}
			t.AppendRow(table.Row{n.Name, n.Clients, figure.name, number(before), number(after), fmt.Sprintf("%+.1f %%", 100*(after/before-1)), apart(o.Rounds, n.Rounds, figure.of)})
		}
	}
	for _, g := range is.Goals {
		at := slices.IndexFunc(was.Goals, func(o goal) bool { return o.Figure == g.Figure })
		if at < 0 {
			continue
		}
		difference := "–"
		if before := was.Goals[at].Measured; before != 0 {
			difference = fmt.Sprintf("%+.1f %%", 100*(g.Measured/before-1))
		}
		mark := ""
		if was.Goals[at].Met != g.Met {
			mark = map[bool]string{true: "met now", false: "missed now"}[g.Met]
		}
		t.AppendRow(table.Row{g.Figure, "", "goal", number(was.Goals[at].Measured), number(g.Measured), difference, mark})
	}
	return t.Render()
}

// apart says that the rounds of one lie wholly beside those of the other: nothing that rounds alone would explain.
func apart(was, is []sample, of func(sample) float64) string {
	lowest, highest := spread(was, of)
	low, high := spread(is, of)
	if len(was) < 2 || len(is) < 2 || low <= highest && lowest <= high {
		return "~"
	}
	return "*"
}

// writeBenchstat prints rounds in the format of go test -bench, which golang.org/x/perf/cmd/benchstat reads.
func writeBenchstat(files []string, out io.Writer) error {
	for _, file := range files {
		r, err := readResult(file)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "cpu: %s\n", r.Environment.CPU)
		for _, s := range r.Series {
			name := fmt.Sprintf("Benchmark%s/%s/clients=%d", strings.ReplaceAll(r.Scenario, "-", "_"), strings.NewReplacer(" ", "_", "/", "_").Replace(s.Name), s.Clients)
			for _, round := range s.Rounds {
				fmt.Fprintf(out, "%s %d %.0f ns/op %.2f req/s %.4f p99-ms\n", name, max(1, round.Count), math.Round(round.P50*1e6), round.PerSecond, round.P99)
			}
		}
	}
	return nil
}
