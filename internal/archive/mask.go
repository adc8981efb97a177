package archive

import (
	"regexp"
	"slices"
	"strings"
)

// personal tells by its name what a column of a table that has no rules may hold of a person, the first that matches.
var personal = []struct {
	name *regexp.Regexp
	rule string // of text; null where it may be
}{
	{regexp.MustCompile(`e_?mail`), "email"},
	{regexp.MustCompile(`(^|_)(user|first|last|full|given|family|sur|middle|maiden|nick|display|contact|customer|patient|client)_?names?($|_)|^names?$|signature`), "name"},
	{regexp.MustCompile(`phone|mobile|(^|_)fax|address|street|(^|_)city|postal|(^|_)zip|(^|_)ip($|_)|birth|(^|_)dob|(^|_)ssn|passport|iban|tax_?id|licen[cs]e|insurance|avatar|photo|picture|latitude|longitude`), "null"},
	{regexp.MustCompile(`note|comment|message|body|description|content|(^|_)text|summary|(^|_)bio($|_)|about|feedback|reason|subject|title|question|answer|diagnosis`), "text"},
}

// masks are the table's columns that are not kept. Keys and references are never masked: they lead to no person but the owner.
func (w *cloning) masks(s *staged) []MaskedColumn {
	rules := w.rules[s.String()]
	masked := []MaskedColumn{}
	for _, column := range s.Columns {
		if !slices.Contains(s.columns, column.Name) || column.Name == s.TenantColumn || slices.Contains(s.Key, column.Name) || w.refers(s, column.Name) {
			continue
		}
		rule, ruled := rules[column.Name]
		if !ruled {
			rule, ruled = rules["*"]
		}
		if !ruled {
			rule = guess(column, slices.Contains(s.neverNull, column.Name))
		}
		if rule != "keep" {
			masked = append(masked, MaskedColumn{column.Name, rule})
		}
	}
	return masked
}

func (w *cloning) refers(s *staged, column string) bool {
	return slices.ContainsFunc(w.refs, func(ref reference) bool { return ref.child == s.String() && slices.Contains(ref.columns, column) })
}

// guess is the rule for a column that has none, by its type and name: rather too much is masked than too little.
func guess(column Column, neverNull bool) string {
	kind, _, _ := strings.Cut(strings.TrimSuffix(column.Type, "[]"), "(")
	switch kind {
	case "json", "jsonb":
		return "empty"
	case "inet", "cidr", "macaddr", "macaddr8", "bytea", "xml", "point":
		if neverNull {
			return "keep"
		}
		return "null"
	}
	isText := kind == "text" || kind == "character varying" || kind == "character" || kind == "public.citext" || kind == "citext"
	name := strings.ToLower(column.Name)
	for _, p := range personal {
		if !p.name.MatchString(name) {
			continue
		}
		switch {
		case p.rule != "null" && isText:
			return p.rule
		case p.rule == "null" && !neverNull:
			return "null"
		case p.rule == "null" && isText:
			return "hash"
		}
	}
	return "keep"
}
