package feature

import (
	"fmt"
	"slices"
	"strings"
)

// Severity says what a Problem does.
type Severity string

// An error keeps the flag from being evaluated. A warning is what flagd's JSON Schema refuses, or what
// can never have an effect, although the flag evaluates.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Problem is something wrong in a definition or file. Path is a JSON pointer into flagd's format.
type Problem struct {
	Path     string   `json:"path"`
	Severity Severity `json:"severity"`
	Message  string   `json:"message"`
	// Unresolved says that only a shared evaluator is missing, which may still come.
	Unresolved bool `json:"unresolved,omitempty"`
}

// Problems are ordered by path.
type Problems []Problem

// InvalidError is the error of input that has problems.
type InvalidError struct{ Problems Problems }

func (e *InvalidError) Error() string { return e.Problems.String() }

// Err is an InvalidError of the problems that keep a flag from being evaluated, nil if there are none.
func (p Problems) Err() error {
	if errors := p.Errors(); len(errors) > 0 {
		return &InvalidError{errors}
	}
	return nil
}

// String has a line for each.
func (p Problems) String() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = fmt.Sprintf("%s: %s", problem.Path, problem.Message)
	}
	return strings.Join(lines, "\n")
}

// Errors are the problems that keep a flag from being evaluated; nil when there are none.
func (p Problems) Errors() Problems {
	return p.of(SeverityError)
}

// Warnings are the others.
func (p Problems) Warnings() Problems {
	return p.of(SeverityWarning)
}

func (p Problems) of(severity Severity) Problems {
	var found Problems
	for _, problem := range p {
		if problem.Severity == severity {
			found = append(found, problem)
		}
	}
	return found
}

func (p *Problems) fail(path, format string, args ...any) {
	*p = append(*p, Problem{Path: path, Severity: SeverityError, Message: fmt.Sprintf(format, args...)})
}

func (p *Problems) warn(path, format string, args ...any) {
	*p = append(*p, Problem{Path: path, Severity: SeverityWarning, Message: fmt.Sprintf(format, args...)})
}

func (p Problems) sorted() Problems {
	slices.SortStableFunc(p, func(a, b Problem) int { return strings.Compare(a.Path, b.Path) })
	return p
}

// pointer appends segments to a JSON pointer (RFC 6901).
func pointer(base string, segments ...string) string {
	for _, s := range segments {
		base += "/" + strings.ReplaceAll(strings.ReplaceAll(s, "~", "~0"), "/", "~1")
	}
	return base
}
