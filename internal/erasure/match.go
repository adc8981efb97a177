package erasure

import (
	"bytes"
	"net/url"
	"regexp"
	"strings"

	"github.com/google/uuid"
)

// fewNeedles is up to how many are looked for as they stand anywhere; of more only whole ids and addresses are, by their looks.
const fewNeedles = 100

// wordPattern is what ids and addresses look like, to PostgreSQL and to Go.
const wordPattern = `[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}|[a-z0-9.!#$%&*+/=?^_{|}~-]+@[a-z0-9.-]+`

var word = regexp.MustCompile(wordPattern)

// matcher looks for ids and addresses in text that is in lower case.
type matcher struct {
	needles []string        // anywhere
	words   map[string]bool // as whole words
}

func newMatcher(ids []uuid.UUID, addresses []string) matcher {
	var forms []string
	for _, id := range ids {
		text := id.String()
		forms = append(forms, text, strings.ReplaceAll(text, "-", ""))
	}
	for _, address := range addresses {
		address = strings.ToLower(strings.TrimSpace(address))
		forms = append(forms, address)
		if escaped := strings.ToLower(url.QueryEscape(address)); escaped != address {
			forms = append(forms, escaped)
		}
	}
	if len(forms) <= fewNeedles {
		return matcher{needles: forms}
	}
	m := matcher{words: make(map[string]bool, len(forms))}
	for _, form := range forms {
		m.words[form] = true
	}
	return m
}

// parameters are the patterns and the words that statements take.
func (m matcher) parameters() (patterns, words []string) {
	patterns, words = []string{}, []string{}
	escape := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)
	for _, needle := range m.needles {
		patterns = append(patterns, "%"+escape.Replace(needle)+"%")
	}
	for w := range m.words {
		words = append(words, w)
	}
	return patterns, words
}

// expand puts the condition where a statement says {match}: that h.hay holds what is looked for.
func (m matcher) expand(statement string) string { return m.expandFor(statement, "h.hay") }

// expandFor is expand for another expression.
func (m matcher) expandFor(statement, expression string) string {
	condition := strings.NewReplacer("{x}", expression, "{token}", wordPattern).Replace(scanQueries.Get("Match"))
	return strings.ReplaceAll(statement, "{match}", condition)
}

// find is where the first of what is looked for stands in text, which need not be in lower case; -1 for nowhere.
func (m matcher) find(text []byte) (at, count int) {
	text, at = lower(text), -1
	first := func(i int) {
		if count++; at < 0 || i < at {
			at = i
		}
	}
	for _, needle := range m.needles {
		for from := 0; ; {
			i := bytes.Index(text[from:], []byte(needle))
			if i < 0 {
				break
			}
			first(from + i)
			from += i + len(needle)
		}
	}
	if len(m.words) > 0 {
		for _, found := range word.FindAllIndex(text, -1) {
			if m.words[string(text[found[0]:found[1]])] {
				first(found[0])
			}
		}
	}
	return at, count
}

// mask is text with what is looked for taken out, to be shown.
func (m matcher) mask(text string) string {
	for {
		at, _ := m.find([]byte(text))
		if at < 0 {
			return text
		}
		text = text[:at] + "…" + text[at+m.length([]byte(text[at:])):]
	}
}

// length is that of what is looked for at the beginning of text.
func (m matcher) length(text []byte) (longest int) {
	text = lower(text)
	for _, needle := range m.needles {
		if bytes.HasPrefix(text, []byte(needle)) {
			longest = max(longest, len(needle))
		}
	}
	if found := word.FindIndex(text); found != nil && found[0] == 0 && m.words[string(text[:found[1]])] {
		longest = max(longest, found[1])
	}
	return max(longest, 1)
}

// lower is text in lower case, of the same length: what is looked for is ASCII but for rare addresses.
func lower(text []byte) []byte {
	lowered := bytes.Clone(text)
	for i, c := range lowered {
		if 'A' <= c && c <= 'Z' {
			lowered[i] = c + ('a' - 'A')
		}
	}
	return lowered
}
