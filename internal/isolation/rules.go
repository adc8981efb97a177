package isolation

import (
	"cmp"
	"slices"
	"strings"

	"github.com/vital-db/vital/database"
)

// proveDoc is the page about attacks.
const proveDoc = "docs/reference/isolation.md#prove"

// Rules says what p was held against and what was found, an attack as a lint of its name: an error where
// it leaked, a risk where its success is a known one. Findings stand in the order of the rules.
func (p *Proof) Rules() ([]Lint, []Finding, error) {
	attacks, err := LoadAttacks(database.Attacks)
	if err != nil {
		return nil, nil, err
	}
	attacks = append(attacks, Attack{Name: "call", Title: "call a function with the other tenant's ids", Verb: "function"})
	rules := slices.Clone(p.lints)
	for _, a := range attacks {
		level, hint := Error, "`vital rls prove --scripts DIR` writes SQL that shows it again; `vital rls explain` says which policy let it."
		if known := a.known(p.Subject); known != "" {
			level, hint = Risk, upperFirst(known)+"."
		}
		rules = append(rules, Lint{Name: a.Name, Level: level, Title: "An attack got through: " + a.Title, Hint: hint, Kind: "relation", Page: proveDoc})
	}
	slices.SortFunc(rules, func(a, b Lint) int { return cmp.Compare(a.Name, b.Name) })

	var findings []Finding
	for _, rule := range rules {
		for _, f := range p.Findings {
			if f.Check == rule.Name {
				findings = append(findings, f)
			}
		}
		for _, r := range p.Results {
			if r.Attack == rule.Name && (r.Outcome == Leaked || r.Outcome == AtRisk) {
				findings = append(findings, Finding{
					Check: rule.Name, Level: rule.Level, Title: rule.Title, Kind: rule.Kind, Object: r.Object,
					Detail: "as " + r.Caller + ": " + r.Evidence, Hint: rule.Hint, Doc: rule.Doc(),
				})
			}
		}
	}
	return rules, findings, nil
}

func upperFirst(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
