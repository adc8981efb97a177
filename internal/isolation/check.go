// Package isolation is about whether tenants are kept apart: what in the database would let one see
// another, found from the catalog.
package isolation

import (
	"bufio"
	"context"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
)

// Level says what a finding asks for.
type Level string

const (
	// Error is something that must be mended: a check that finds one fails.
	Error Level = "error"
	// Risk is something the platform does not let us close; it is named, and does not fail a check.
	Risk Level = "risk"
)

// Finding is one thing a lint found.
type Finding struct {
	Check  string `json:"check"`
	Level  Level  `json:"level"`
	Title  string `json:"title"`
	Object string `json:"object"`
	Detail string `json:"detail"`
	Hint   string `json:"hint"`
}

// lint is one file of database/lints.
type lint struct {
	name, title, hint string
	level             Level
	query             string
}

// Check runs every lint on conn, an operator's connection, and returns what they found; none is good.
func Check(ctx context.Context, conn *pgx.Conn) ([]Finding, error) {
	lints, err := loadLints(database.Lints)
	if err != nil {
		return nil, err
	}
	findings := []Finding{}
	for _, l := range lints {
		rows, err := conn.Query(ctx, l.query)
		if err != nil {
			return nil, fmt.Errorf("run lint %s: %w", l.name, err)
		}
		f := Finding{Check: l.name, Level: l.level, Title: l.title, Hint: l.hint}
		_, err = pgx.ForEachRow(rows, []any{&f.Object, &f.Detail}, func() error {
			findings = append(findings, f)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("run lint %s: %w", l.name, err)
		}
	}
	return findings, nil
}

// loadLints reads the lints in the order of their names.
func loadLints(files fs.FS) ([]lint, error) {
	names, err := fs.Glob(files, "lints/*.sql")
	if err != nil {
		return nil, fmt.Errorf("list lints: %w", err)
	}
	var lints []lint
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		l := parseLint(strings.TrimSuffix(path.Base(name), ".sql"), string(text))
		if l.title == "" || l.hint == "" || (l.level != Error && l.level != Risk) {
			return nil, fmt.Errorf("%s: lacks a title, level or hint", name)
		}
		lints = append(lints, l)
	}
	return lints, nil
}

func parseLint(name, text string) lint {
	l := lint{name: name, query: text}
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		comment, isComment := strings.CutPrefix(lines.Text(), "-- ")
		if !isComment {
			break
		}
		key, value, _ := strings.Cut(comment, ":")
		switch value = strings.TrimSpace(value); key {
		case "title":
			l.title = value
		case "level":
			l.level = Level(value)
		case "hint":
			l.hint = value
		}
	}
	return l
}
