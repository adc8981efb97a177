package report

import (
	"crypto/ed25519"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/vital-db/vital/internal/isolation"
)

//go:embed style.html
var styleText string

// newPage is a page that begins its style as all do.
func newPage(name, text string) *template.Template {
	return template.Must(template.Must(template.New(name).Parse(styleText)).Parse(text))
}

//go:embed certificate.html
var certificateText string

var certificateTemplate = newPage("certificate", certificateText)

// WriteCertificateHTML writes c as one page that loads nothing.
func WriteCertificateHTML(w io.Writer, c *Certificate) error {
	return certificateTemplate.Execute(w, newCertificatePage(c))
}

// certificatePage is what the template shows.
type certificatePage struct {
	*Certificate
	Title   string
	Tone    string // good, warn or bad
	Server  string // its version, without who packed it
	KeyID   string // "" where it is not signed
	Cards   []certificateCard
	Rows    []standingRow
	Verbs   []verbBar
	Listed  []breachList
	Errors  int
	Lints   []isolation.Finding
	Methods []method
}

// certificateCard is one figure on top of the page. Share is of 100 and fills its bar.
type certificateCard struct {
	Value, Of, Label, Note, Tone string
	Share                        int
}

// standingRow is one relation and how it stands by command.
type standingRow struct {
	Schema, Name string
	Cells        []standingCell
	Why          []standingWhy
}

type standingCell struct{ Level, Letter, Title string }

// standingWhy is one reason and the commands it is for.
type standingWhy struct{ Commands, Level, Reason string }

// verbBar is one verb and how its attacks ended, in parts of 100 of the longest bar.
type verbBar struct {
	Verb     string
	Executed int
	Outcomes
	BlockedShare, RiskShare, LeakedShare float64
}

type breachList struct {
	Title, Note, Tone string
	Objects           []BreachedObject
}

// method is a level, and what it says.
type method struct{ Level, Says string }

var methods = []method{
	{isolation.Proved, "every policy implies that the row is the caller's own, shown on its parsed expression; and no attack got through"},
	{isolation.Tested, "attacks were run and none got through; the policies could not be shown to imply it"},
	{isolation.Untested, "no attack could be made, and nothing was shown"},
	{isolation.Open, "an attack got through"},
}

func newCertificatePage(c *Certificate) certificatePage {
	page := certificatePage{
		Certificate: c, Methods: methods, Rows: standingRows(c.Standings), Verbs: verbBars(c.Attacks.Verbs), Lints: c.Findings,
		Title: map[Verdict]string{Leaking: "Tenants are not kept apart", Flawed: "Something must be mended", Incomplete: "Not everything is known", Isolated: "Tenants are kept apart"}[c.Verdict],
		Tone:  map[Verdict]string{Leaking: "bad", Flawed: "bad", Incomplete: "warn", Isolated: "good"}[c.Verdict],
		Listed: []breachList{
			{"Leaks", "An attack that got through. The SQL shows it again, as an operator, in a transaction that is rolled back.", "bad", ByObject(c.Leaks)},
			{"Risks", "What succeeds where PostgreSQL, or the design of the database, lets it.", "warn", ByObject(c.Risks)},
			{"Could not be tried", "Nothing is known here: describe the database with --config so that a row can be made.", "warn", ByObject(c.Untried)},
		},
	}
	page.Server, _, _ = strings.Cut(c.Database.Server, " ")
	if len(c.PublicKey) == ed25519.PublicKeySize {
		page.KeyID = KeyID(c.PublicKey)
	}
	for _, f := range c.Findings {
		if f.Level == isolation.Error {
			page.Errors++
		}
	}
	page.Cards = certificateCards(c, page.Errors)
	return page
}

func certificateCards(c *Certificate, errors int) []certificateCard {
	share := func(n, of int) int { return min(100, 100*n/max(of, 1)) }
	tone := func(bad bool, otherwise string) string {
		if bad {
			return "bad"
		}
		return otherwise
	}
	sum := Outcomes{}
	for _, verb := range c.Attacks.Verbs {
		sum.Leaked += verb.Leaked
		sum.Risk += verb.Risk
	}
	proved, tested, unknown, pairs := c.level(isolation.Proved), c.level(isolation.Tested), c.level(isolation.Untested), len(c.Standings)
	standing := certificateCard{
		Value: fmt.Sprint(proved), Of: fmt.Sprintf("of %d", pairs), Label: "proved", Share: share(proved, pairs), Tone: "good",
		Note: fmt.Sprintf("pairs of table and command · tested %d · unknown %d · leaked %d", tested, unknown, c.level(isolation.Open)),
	}
	mutation := certificateCard{Value: "–", Label: "mutation score", Note: "not run", Tone: "none"}
	if c.Mutants != nil {
		mutation = certificateCard{
			Value: fmt.Sprintf("%d%%", share(c.Mutants.Killed, c.Mutants.Made)), Label: "mutation score", Share: share(c.Mutants.Killed, c.Mutants.Made), Tone: "good",
			Note: fmt.Sprintf("%d of %s found out", c.Mutants.Killed, several(c.Mutants.Made, "deliberate fault")),
		}
	}
	return []certificateCard{
		{Value: fmt.Sprint(sum.Leaked), Label: map[bool]string{true: "leak", false: "leaks"}[sum.Leaked == 1], Note: several(len(c.Risks), "known risk"), Share: 100, Tone: tone(sum.Leaked > 0, "good")},
		{Value: counted(c.Attacks.Executed), Label: "attacks executed", Note: fmt.Sprintf("%d verbs · %.0f s", len(c.Attacks.Verbs), c.Attacks.Seconds), Share: 100, Tone: "none"},
		{Value: fmt.Sprint(len(c.Attacks.Callers)), Label: "kinds of caller", Note: strings.Join(c.Attacks.Callers, " · "), Share: 100, Tone: "none"},
		standing,
		{Value: fmt.Sprint(len(c.Findings)), Label: "lint findings", Note: fmt.Sprintf("%d to mend; the others are warnings and named risks", errors), Share: 100, Tone: tone(errors > 0, "good")},
		mutation,
	}
}

func standingRows(standings []isolation.Standing) []standingRow {
	var rows []standingRow
	last := ""
	for _, s := range standings {
		if s.Relation != last || len(rows) == 0 {
			last = s.Relation
			schema, name, found := strings.Cut(s.Relation, ".")
			if !found {
				schema, name = "", s.Relation
			}
			rows = append(rows, standingRow{Schema: schema, Name: name})
		}
		row := &rows[len(rows)-1]
		row.Cells = append(row.Cells, standingCell{s.Level, s.Command[:1], s.Command + ": " + s.Level + ", " + s.Reason})
		at := slices.IndexFunc(row.Why, func(w standingWhy) bool { return w.Level == s.Level && w.Reason == s.Reason })
		if at < 0 {
			row.Why = append(row.Why, standingWhy{s.Command, s.Level, s.Reason})
		} else {
			row.Why[at].Commands += ", " + s.Command
		}
	}
	return rows
}

func verbBars(verbs map[string]Outcomes) []verbBar {
	var bars []verbBar
	most := 1
	for _, verb := range slices.Sorted(maps.Keys(verbs)) {
		if o := verbs[verb]; o.Executed() > 0 {
			most = max(most, o.Executed())
			bars = append(bars, verbBar{Verb: verb, Executed: o.Executed(), Outcomes: o})
		}
	}
	slices.SortStableFunc(bars, func(a, b verbBar) int { return b.Executed - a.Executed })
	for i := range bars {
		b := &bars[i]
		part := func(n int) float64 { return 100 * float64(n) / float64(most) }
		b.BlockedShare, b.RiskShare, b.LeakedShare = part(b.Blocked), part(b.Risk), part(b.Leaked)
	}
	return bars
}
