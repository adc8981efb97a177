package rest_test

import (
	"fmt"
	"regexp"
	"strings"
)

// token is a piece of a statement, as PostgreSQL would cut it.
type token struct {
	kind tokenKind
	text string // of identifiers and literals, without the quotes
}

type tokenKind int

const (
	word tokenKind = iota
	identifier
	literal
	parameter
	number
	symbol
)

var pieces = []struct {
	kind tokenKind
	is   *regexp.Regexp
}{
	{word, regexp.MustCompile(`^[A-Za-z_][A-Za-z_0-9]*`)},
	{parameter, regexp.MustCompile(`^\$[0-9]+`)},
	{number, regexp.MustCompile(`^[0-9]+(\.[0-9]+)?`)},
	{identifier, regexp.MustCompile(`^"(?s:[^"]|"")*"`)},
	{literal, regexp.MustCompile(`^'(?s:[^']|'')*'`)},
	{symbol, regexp.MustCompile(`^(?:::|:=|->>|->|-\|-|[(),.*\[\]<>=@&~!|+-])`)},
}

// lex cuts a statement into tokens. It knows nothing of how the statement came about, and refuses comments,
// semicolons, dollar quotes and everything else the dialect has no use for.
func lex(text string) ([]token, error) {
	var tokens []token
	for rest := text; ; {
		if rest = strings.TrimLeft(rest, " \n\t"); rest == "" {
			return tokens, nil
		}
		if strings.HasPrefix(rest, "--") || strings.HasPrefix(rest, "/*") {
			return nil, fmt.Errorf("a comment: %.40q", rest)
		}
		found := false
		for _, piece := range pieces {
			match := piece.is.FindString(rest)
			if match == "" {
				continue
			}
			rest = rest[len(match):]
			switch piece.kind {
			case identifier:
				match = strings.ReplaceAll(match[1:len(match)-1], `""`, `"`)
			case literal:
				match = strings.ReplaceAll(match[1:len(match)-1], `''`, `'`)
			default:
			}
			tokens, found = append(tokens, token{piece.kind, match}), true
			break
		}
		if !found {
			return nil, fmt.Errorf("nothing the dialect writes: %.40q", rest)
		}
	}
}
