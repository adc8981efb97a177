package isolation

import (
	"bufio"
	"context"
	_ "embed"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
)

//go:embed pgtap.psql
var tapText string

var (
	tapParts = database.ParseQueries(tapText)
	// givesRows is what an attack's last statement begins with, or has, when it has a result.
	givesRows = regexp.MustCompile(`^(select|with|fetch|execute|explain)\b|\breturning\b`)
	// notInFunction is what PostgreSQL runs at the top level alone.
	notInFunction = regexp.MustCompile(`(?m)^(copy|savepoint)\b`)
)

// replay is what callers met.
func (t *suite) replay(ctx context.Context, callers []caller) (replay, error) {
	again := replay{callers: append(slices.Clone(callers), t.otherCaller(callers[0])), canaries: t.canaries, others: t.others}
	for _, who := range again.callers {
		again.entering = append(again.entering, t.s.enter(who))
	}
	seen := map[*relation]map[string]bool{}
	add := func(made madeRow) {
		if seen[made.r] == nil {
			seen[made.r] = map[string]bool{}
		}
		if key := keyOf(made.r, made.row, ""); made.r.isTable() && !seen[made.r][key] {
			seen[made.r][key] = true
			again.rows = append(again.rows, made)
		}
	}
	for _, made := range t.builder.made {
		add(made)
	}
	for _, w := range []*world{t.mine, t.other} { // and what triggers made
		for _, r := range t.c.relations {
			if row := w.rows[r]; row != nil {
				add(madeRow{r, row})
			}
		}
	}
	for _, r := range t.c.relations {
		rows, err := t.rowsOfBoth(ctx, r)
		if err != nil {
			return again, err
		}
		for _, row := range rows {
			add(madeRow{r, row})
		}
	}
	return again, nil
}

// rowsOfBoth are the rows of a table that are either tenant's, whoever made them.
func (t *suite) rowsOfBoth(ctx context.Context, r *relation) ([]values, error) {
	name := t.s.tenantColumn(r)
	if !r.isTable() || r.partition || !t.s.exposes(r) || name == "" {
		return nil, nil
	}
	results, err := t.exec(ctx, "select * from "+r.quoted()+" where "+equals(name, &t.mine.tenant)+" or "+equals(name, &t.other.tenant))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", r.label(), err)
	}
	var rows []values
	for _, cells := range results[0].Rows {
		row := values{}
		for i, field := range results[0].FieldDescriptions {
			row[field.Name] = nil
			if cells[i] != nil {
				value := string(cells[i])
				row[field.Name] = &value
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// WritePgTAP writes the attacks of p to w as a pgTAP script, a test for each. psql runs it, as a superuser,
// in one transaction that is rolled back.
func (p *Proof) WritePgTAP(w io.Writer) error {
	var tests, unfit []Result
	for _, r := range p.Results {
		switch {
		case r.sent != nil && notInFunction.MatchString(r.sent.attack.text):
			unfit = append(unfit, r)
		case r.sent != nil || r.Outcome == Untried:
			tests = append(tests, r)
		}
	}
	if len(tests) == 0 {
		return fault.New(fault.ConfigInvalid, "There is no attack to write.", "Prove a database first.")
	}
	out := &tapWriter{bufio.NewWriter(w)}
	fmt.Fprintf(out, "-- The attacks of `vital rls prove` on database %s, schema %s, as pgTAP tests.\n", oneLine(p.Database), p.Fingerprint)
	fmt.Fprintf(out, "-- pg_prove -d DATABASE FILE, or psql -X -f FILE; as a superuser, where the extension pgtap can be made.\n")
	left := map[string]int{}
	for _, r := range unfit {
		left[r.Attack]++
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		fmt.Fprintf(out, "-- Left out, for it runs in no function: %s (%d).\n", name, left[name])
	}
	out.part("Begin", nil)
	p.replay.write(out)
	out.part("Plan", fills{"tests": fmt.Sprint(len(tests))})
	for _, r := range tests {
		p.writeTest(out, r)
	}
	out.part("Finish", nil)
	return out.Flush()
}

// tapWriter writes the parts of a script; what goes wrong is told by Flush.
type tapWriter struct{ *bufio.Writer }

func (w *tapWriter) part(name string, fill fills) {
	text, _ := fill.render(tapParts.Get(name))
	fmt.Fprintf(w, "%s;\n", text)
}

// write makes the rows as they stood, whatever triggers would make of them, and what the tests look up.
func (r replay) write(out *tapWriter) {
	var rows strings.Builder
	for _, made := range r.rows {
		rows.WriteString(made.statement() + ";\n")
	}
	out.part("Rows", fills{"rows": rows.String()})
	for i, who := range r.callers {
		out.part("Caller", fills{
			"name": literal(who.name), "entering": literal(strings.Join(r.entering[i], ";\n")), "own": literal(who.user + " " + who.tenant),
		})
	}
	for _, canary := range r.canaries {
		out.part("Canary", fills{"value": literal(canary)})
	}
	for _, o := range r.others {
		out.part("State", fills{"relation": literal(o.relation.quoted()), "query": literal(o.query)})
	}
	out.part("Note", nil)
}

func (p *Proof) writeTest(out *tapWriter, r Result) {
	name := literal(oneLine(fmt.Sprintf("%s: %s (%s), as %s", r.Object, r.Title, r.Attack, r.Caller)))
	if r.sent == nil {
		out.part("Skip", fills{"why": literal(oneLine(r.Object + ", as " + r.Caller + ": " + r.Evidence))})
		return
	}
	a := r.sent.attack
	if known := a.known(p.Subject); known != "" {
		out.part("Todo", fills{"why": literal(oneLine(known))})
	}
	arguments := []string{literal(r.Caller), literal(a.leak), literal(strings.TrimSuffix(r.sent.last, ";"))}
	for _, more := range []struct{ name, value string }{{"lead", r.sent.lead}, {"before", r.sent.before}, {"control", strings.TrimSuffix(r.sent.control, ";")}} {
		if more.value != "" {
			arguments = append(arguments, more.name+" => "+literal(more.value))
		}
	}
	if a.asOther {
		arguments = append(arguments, "preparer => 'other'")
	}
	if !r.sent.givesRows() {
		arguments = append(arguments, "has_rows => false")
	}
	if !a.writes() {
		arguments = append(arguments, "look => false")
	}
	out.part("Test", fills{"arguments": strings.Join(arguments, ", "), "name": name})
}

// givesRows looks at what the attack's author wrote, not at values that were filled in.
func (s *sent) givesRows() bool {
	if s.attack.text == "" { // the call of a function or a procedure
		return strings.HasPrefix(s.last, "select ")
	}
	_, last := s.attack.split(nil)
	return givesRows.MatchString(last)
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
