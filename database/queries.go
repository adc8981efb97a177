package database

import (
	"fmt"
	"strings"
)

// Queries are the named statements of one .sql file: static SQL that stands beside the Go file that
// runs it, each under a line `-- name: Name`.
type Queries map[string]string

// ParseQueries splits text at its `-- name:` lines. It panics on a doubled or missing name, which a
// test of any package that embeds such a file meets at once.
func ParseQueries(text string) Queries {
	queries := Queries{}
	for i, block := range strings.Split("\n"+text, "\n-- name:") {
		if i == 0 {
			continue // what stands before the first name is prose
		}
		name, body, _ := strings.Cut(block, "\n")
		name, body = strings.TrimSpace(name), strings.TrimSuffix(strings.TrimSpace(body), ";")
		if _, twice := queries[name]; twice || name == "" || body == "" {
			panic(fmt.Sprintf("query %q is empty, unnamed or named twice", name))
		}
		queries[name] = body
	}
	return queries
}

// Get returns the statement called name and panics if there is none: names are constants.
func (q Queries) Get(name string) string {
	statement, ok := q[name]
	if !ok {
		panic(fmt.Sprintf("no query is named %q", name))
	}
	return statement
}
