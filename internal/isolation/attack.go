package isolation

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Attack is one thing a hostile tenant tries, as database/attacks has it.
type Attack struct {
	Name, Family, Title, Verb, Reference string

	leak       string // rows, success or difference: what of its result is a leak by itself
	each       string // foreign, unique, privileged role or materialized view: runs once for each of these
	risk       string // why its success is a risk that is known, and not a leak
	unsealed   string // the same where identities are not sealed
	sealedOnly bool   // about what VITAL takes away, and nobody else does
	before     string // run by another before the attacker
	asOther    bool   // before is run by the other tenant, else by the operator
	text       string
	control    string // the same about what does not exist
}

// writes reports whether a may change what is looked at afterwards.
func (a Attack) writes() bool {
	return a.Family != "read" && (a.leak != "difference" || a.Family == "function")
}

// known says why the success of a is a risk that is known of s, and not a leak.
func (a Attack) known(s *Subject) string {
	if !s.Sealed {
		return cmp.Or(a.risk, a.unsealed)
	}
	return a.risk
}

// split fills a's statements: those that prepare, and the last, whose result counts.
func (a Attack) split(fill fills) (lead, last string) {
	text := strings.TrimSuffix(a.text, ";")
	at := strings.LastIndex(text, ";\n") + 1
	lead, _ = fill.render(strings.TrimSuffix(text[:at], ";")) // nothing lacks: all of it was filled before
	last, _ = fill.render(strings.TrimSpace(text[at:]))
	return lead, last
}

// placeholder is what an attack has filled in.
var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

// LoadAttacks reads the attacks of files, by family and in their order.
func LoadAttacks(files fs.FS) ([]Attack, error) {
	names, err := fs.Glob(files, "attacks/*.sql")
	if err != nil {
		return nil, fmt.Errorf("list attacks: %w", err)
	}
	var attacks []Attack
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read attacks: %w", err)
		}
		family := strings.TrimSuffix(path.Base(name), ".sql")
		for _, block := range strings.Split("\n"+string(text), "\n-- attack: ")[1:] {
			a, err := parseAttack(family, block)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			if slices.ContainsFunc(attacks, func(b Attack) bool { return b.Name == a.Name }) {
				return nil, fmt.Errorf("%s: two attacks are called %s", name, a.Name)
			}
			attacks = append(attacks, a)
		}
	}
	return attacks, nil
}

func parseAttack(family, block string) (Attack, error) {
	name, rest, _ := strings.Cut(block, "\n")
	a := Attack{Name: strings.TrimSpace(name), Family: family}
	rest, a.control, _ = strings.Cut(rest, "\n-- control:\n")
	var body []string
	for line := range strings.Lines(rest) {
		comment, isComment := strings.CutPrefix(line, "-- ")
		if !isComment {
			body = append(body, line)
			continue
		}
		key, value, _ := strings.Cut(strings.TrimSpace(comment), ": ")
		switch key {
		case "title":
			a.Title = value
		case "verb":
			a.Verb = value
		case "reference":
			a.Reference = value
		case "leak":
			a.leak = value
		case "for":
			a.each = value
		case "unsealed":
			a.unsealed = value
		case "risk":
			a.risk = value
		case "sealed only":
			a.sealedOnly = value == "true"
		case "before":
			a.before, a.asOther = strings.CutPrefix(value, "as other: ")
		default:
			return a, fmt.Errorf("attack %s has a line %q", a.Name, key)
		}
	}
	a.text, a.control = strings.TrimSpace(strings.Join(body, "")), strings.TrimSpace(a.control)
	switch {
	case a.Title == "" || a.Verb == "" || a.text == "":
		return a, fmt.Errorf("attack %s lacks a title, a verb or its SQL", a.Name)
	case !slices.Contains([]string{"", "rows", "success", "difference"}, a.leak):
		return a, fmt.Errorf("attack %s knows a leak %q", a.Name, a.leak)
	case (a.leak == "difference") != (a.control != ""):
		return a, fmt.Errorf("attack %s: a difference takes a control, and nothing else does", a.Name)
	}
	return a, nil
}

// fills are the values of placeholders; one that is missing makes an attack not apply.
type fills map[string]string

// render fills text, or reports that it does not apply.
func (f fills) render(text string) (string, bool) {
	applies := true
	filled := placeholder.ReplaceAllStringFunc(text, func(name string) string {
		value, ok := f[strings.Trim(name, "{}")]
		applies = applies && ok
		return value
	})
	return filled, applies
}
