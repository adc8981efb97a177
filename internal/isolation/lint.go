package isolation

import (
	"bufio"
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/vital-db/vital/database"
)

// Level says what a finding asks for.
type Level string

const (
	// Error is something that must be mended: a check that finds one fails.
	Error Level = "error"
	// Warning is something that costs speed or clarity and lets nobody see more; it does not fail a check.
	Warning Level = "warning"
	// Risk is something the platform does not let us close, or only its operator can judge; it is named,
	// and does not fail a check.
	Risk Level = "risk"
	// Notice is something that closes a road nobody has taken yet; nothing is wrong today.
	Notice Level = "notice"
)

// Levels are all of them, the worst first.
var Levels = []Level{Error, Warning, Risk, Notice}

// Lint is one question asked of the catalog: a file of database/lints and its page.
type Lint struct {
	Name  string
	Level Level
	Title string
	Hint  string
	Kind  string // of the objects it names: table, policy, function, …
	Page  string // from the root of the repository, where it has none of its own

	vital bool // about VITAL's own schemas and roles, which other databases do not have
	query string
}

// Doc is the page about l, from the root of the repository.
func (l Lint) Doc() string { return cmp.Or(l.Page, "docs/reference/lints/"+l.Name+".md") }

// Lints returns those that scope is checked with, in the order of their names.
func Lints(scope Scope) ([]Lint, error) {
	all, err := loadLints(database.Lints, "lints", database.LintTerms)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(l Lint) bool { return l.vital && !scope.Vital }), nil
}

// loadLints reads the lints of dir, which run behind terms, in the order of their names.
func loadLints(files fs.FS, dir, terms string) ([]Lint, error) {
	names, err := fs.Glob(files, dir+"/*.sql")
	if err != nil {
		return nil, fmt.Errorf("list lints: %w", err)
	}
	var lints []Lint
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		l, err := parseLint(strings.TrimSuffix(path.Base(name), ".sql"), string(text), terms)
		if err != nil {
			return nil, err
		}
		lints = append(lints, l)
	}
	return lints, nil
}

func parseLint(name, text, terms string) (Lint, error) {
	header := map[string]string{}
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		comment, isComment := strings.CutPrefix(lines.Text(), "-- ")
		if !isComment {
			break
		}
		key, value, _ := strings.Cut(comment, ":")
		header[key] = strings.TrimSpace(value)
	}
	for _, key := range []string{"title", "level", "scope", "kind", "hint"} {
		if header[key] == "" {
			return Lint{}, fmt.Errorf("lint %s: lacks its %s", name, key)
		}
	}
	l := Lint{
		Name: name, Level: Level(header["level"]), Title: header["title"], Hint: header["hint"], Kind: header["kind"],
		vital: header["scope"] == "vital", query: terms + text,
	}
	if !slices.Contains(Levels, l.Level) {
		return Lint{}, fmt.Errorf("lint %s: there is no level %q", name, l.Level)
	}
	if !l.vital && header["scope"] != "any" {
		return Lint{}, fmt.Errorf("lint %s: there is no scope %q", name, header["scope"])
	}
	return l, nil
}
