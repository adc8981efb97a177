package isolation

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/vital-db/vital/internal/fault"
)

//go:embed pgtap.sql
var tapPrelude string

var (
	// givesRows is what an attack's last statement begins with, or has, when it has a result.
	givesRows = regexp.MustCompile(`^(select|with|fetch|execute|explain)\b|\breturning\b`)
	// notInFunction is what PostgreSQL runs at the top level alone.
	notInFunction = regexp.MustCompile(`(?m)^(copy|savepoint)\b`)
)

// replay is what callers met.
func (t *suite) replay(callers []caller) replay {
	again := replay{entering: map[string][]string{}, other: t.s.enter(t.otherCaller(callers[0])), canaries: t.canaries, state: t.fingerprint}
	for _, who := range callers {
		again.entering[who.name] = t.s.enter(who)
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
	return again
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
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "-- The attacks of `vital rls prove` on database %s, schema %s, as pgTAP tests.\n", oneLine(p.Database), p.Fingerprint)
	fmt.Fprintf(out, "-- pg_prove -d DATABASE FILE, or psql -X -f FILE; as a superuser, where the extension pgtap can be made.\n")
	left := map[string]int{}
	for _, r := range unfit {
		left[r.Attack]++
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		fmt.Fprintf(out, "-- Left out, for it runs in no function: %s (%d).\n", name, left[name])
	}
	fmt.Fprintf(out, "%s\n", tapPrelude)
	p.replay.write(out)
	fmt.Fprintf(out, "select plan(%d);\n", len(tests))
	for _, r := range tests {
		p.writeTest(out, r)
	}
	fmt.Fprint(out, "select * from finish();\nrollback;\n")
	return out.Flush()
}

// write makes the rows as they stood, whatever triggers would make of them, and what the tests look up.
func (r replay) write(out *bufio.Writer) {
	fmt.Fprint(out, "set local session_replication_role = replica;\n")
	for _, made := range r.rows {
		fmt.Fprintf(out, "%s;\n", made.statement())
	}
	fmt.Fprint(out, "set local session_replication_role = origin;\n\n")
	entering := maps.Clone(r.entering)
	entering["other"] = r.other
	for _, name := range slices.Sorted(maps.Keys(entering)) {
		fmt.Fprintf(out, "insert into pg_temp.attack_caller values (%s, %s);\n", literal(name), literal(strings.Join(entering[name], ";\n")))
	}
	for _, canary := range r.canaries {
		fmt.Fprintf(out, "insert into pg_temp.attack_canary values (%s);\n", literal(canary))
	}
	fmt.Fprintf(out, "insert into pg_temp.attack_state values (%s);\nupdate pg_temp.attack_state set before = pg_temp.attack_state();\n\n", literal(r.state))
}

func (p *Proof) writeTest(out *bufio.Writer, r Result) {
	name := literal(oneLine(fmt.Sprintf("%s: %s (%s), as %s", r.Object, r.Title, r.Attack, r.Caller)))
	if r.sent == nil {
		fmt.Fprintf(out, "select skip(%s, 1);\n", literal(oneLine(r.Object+", as "+r.Caller+": "+r.Evidence)))
		return
	}
	a := r.sent.attack
	if known := a.known(p.Subject); known != "" {
		fmt.Fprintf(out, "select * from todo(1, %s);\n", literal(oneLine(known)))
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
	fmt.Fprintf(out, "select is(pg_temp.attack(%s), null, %s);\n", strings.Join(arguments, ", "), name)
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
