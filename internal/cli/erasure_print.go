package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/vital-db/vital/internal/erasure"
)

// next is what comes next in an erasure.
func next(r erasure.Request) string {
	again := fmt.Sprintf("vital %s erase %s", r.Subject, r.ID)
	switch {
	case r.OnHold:
		return "a legal hold stands in its way"
	case r.State == "requested":
		return "another operator: " + again + " --approve"
	case r.State == "approved" && time.Now().Before(r.NotBefore):
		return "from " + r.NotBefore.UTC().Format("2006-01-02 15:04 MST") + ": " + again + " --run"
	case r.State == "approved":
		return again + " --run"
	case r.State == "running":
		return "unless it is being run, go on: " + again + " --run"
	case r.State == "finished" && r.Clean != nil && !*r.Clean:
		return "see what is left: vital erasure scan " + r.ID.String()
	case r.State == "finished":
		return "vital erasure certificate " + r.ID.String()
	}
	return ""
}

// paintErasure is an erasure's state, coloured for its weight.
func (a *app) paintErasure(r erasure.Request) string {
	out := a.streams.Out
	switch {
	case r.State == "finished" && r.Clean != nil && !*r.Clean:
		return paint(out, red, "finished, not clean")
	case r.State == "finished":
		return paint(out, green, "finished")
	case r.State == "cancelled":
		return paint(out, dim, r.State)
	default:
		return paint(out, amber, r.State)
	}
}

// moment is when, to the minute, and - for never.
func moment(at *time.Time) string {
	if at == nil {
		return "-"
	}
	return at.UTC().Format("2006-01-02 15:04 MST")
}

func (a *app) printRequest(r erasure.Request) {
	hold := "no"
	if r.OnHold {
		hold = paint(a.streams.Out, red, "yes")
	}
	approved := "not yet"
	if r.ApprovedAt != nil {
		approved = moment(r.ApprovedAt) + " by " + orDash(r.ApprovedBy)
	}
	facts := [][]string{
		{"id", r.ID.String()}, {"of", r.Subject + " " + r.SubjectID.String()}, {"state", a.paintErasure(r)}, {"reason", r.Reason},
		{"asked for", moment(&r.RequestedAt) + " by " + r.RequestedBy}, {"approved", approved},
		{"not before", moment(&r.NotBefore)}, {"legal hold", hold},
	}
	if r.CancelledAt != nil {
		facts = append(facts, []string{"cancelled", moment(r.CancelledAt) + " by " + orDash(r.CancelledBy)})
	}
	if what := next(r); what != "" {
		facts = append(facts, []string{"next", what})
	}
	a.printTable([]string{"erasure", ""}, facts)
}

// printErasure says what a certificate says.
func (a *app) printErasure(c *erasure.Certificate) {
	out := a.streams.Out
	var rows [][]string
	total := int64(0)
	for _, table := range slices.Sorted(maps.Keys(c.Erased)) {
		rows = append(rows, []string{table, fmt.Sprint(c.Erased[table])})
		total += c.Erased[table]
	}
	a.printTable([]string{"table", "erased"}, rows)
	fmt.Fprintln(out)
	facts := [][]string{
		{"id", c.Erasure.String()}, {"of", c.Subject + " " + c.SubjectID.String()}, {"asked for", moment(&c.RequestedAt) + " by " + c.RequestedBy}, {"approved", moment(&c.ApprovedAt) + " by " + c.ApprovedBy},
		{"begun", moment(&c.StartedAt)}, {"certified", moment(&c.IssuedAt)}, {"users erased", fmt.Sprint(len(c.People))},
	}
	if c.Subject == "tenant" {
		destroyed := "it had none"
		if c.KeyDestroyedAt != nil {
			destroyed = "destroyed " + moment(c.KeyDestroyedAt)
		}
		facts = append(facts, []string{"key", destroyed})
	}
	for _, b := range c.Backups {
		facts = append(facts, []string{"backup", fmt.Sprintf("%s of %s still has it; it goes %s", b.File, moment(&b.MadeAt), b.Goes)})
	}
	a.printTable([]string{"erasure", ""}, facts)
	fmt.Fprintln(out)
	a.printScan(c.Scan)
	fmt.Fprintf(out, "%s erased\n", plural(int(total), "row"))
}

// printScan says what was looked at, and what was found.
func (a *app) printScan(s erasure.Scan) {
	out := a.streams.Out
	if len(s.Left) > 0 || len(s.Kept) > 0 {
		var rows [][]string
		for _, f := range s.Left {
			rows = append(rows, []string{paint(out, red, "left"), f.Kind, f.Where, fmt.Sprint(f.Count)})
		}
		for _, f := range s.Kept {
			rows = append(rows, []string{paint(out, dim, "proof"), f.Kind, f.Where, fmt.Sprint(f.Count)})
		}
		a.printTable([]string{"", "kind", "where", "times"}, rows)
		fmt.Fprintln(out)
	}
	for _, what := range s.NotSearched {
		a.note("not searched: " + what)
	}
	looked := []string{plural(s.Tables, "table"), plural(int(s.Rows), "row"), plural(int(s.Jobs), "job")}
	if s.RedisKeys != nil {
		looked = append(looked, plural(int(*s.RedisKeys), "Redis key"))
	}
	looked = append(looked, plural(len(s.Files), "file"))
	verdict := paint(out, green, "clean")
	if len(s.Left) > 0 {
		verdict = paint(out, red, "not clean")
	}
	fmt.Fprintf(out, "%s  looked at %s\n", verdict, strings.Join(looked, ", "))
}
