// Package report writes what checks and measurements found for people and for other programs.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/isolation"
)

// Findings are what a check looked for and what it found.
type Findings struct {
	Command  string // whose they are: check rls
	Version  string // of the program
	Lints    []isolation.Lint
	Findings []isolation.Finding
}

// FindingsFormats are those of WriteFindings.
var FindingsFormats = []string{"json", "junit", "markdown", "sarif"}

// WriteFindings writes f to w in one of FindingsFormats.
func WriteFindings(w io.Writer, format string, f Findings) error {
	switch format {
	case "json":
		return writeJSON(w, append([]isolation.Finding{}, f.Findings...))
	case "junit":
		return writeJUnit(w, f)
	case "markdown":
		return writeMarkdown(w, f)
	case "sarif":
		return writeJSON(w, sarifLog(f))
	default:
		return fault.New(fault.Usage, fmt.Sprintf("There is no format %q.", format), "Choose "+strings.Join(FindingsFormats, ", ")+".")
	}
}

func writeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// count returns how many findings have level.
func (f Findings) count(level isolation.Level) int {
	n := 0
	for _, finding := range f.Findings {
		if finding.Level == level {
			n++
		}
	}
	return n
}

// of returns the findings of lint.
func (f Findings) of(lint string) []isolation.Finding {
	var found []isolation.Finding
	for _, finding := range f.Findings {
		if finding.Check == lint {
			found = append(found, finding)
		}
	}
	return found
}

// docRoot is where the pages of the lints are read.
const docRoot = "https://github.com/vital-db/vital/blob/main/"
