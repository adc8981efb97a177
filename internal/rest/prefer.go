package rest

import (
	"slices"
	"strconv"
	"strings"
)

// preferences are what the Prefer headers ask for (RFC 7240): of each kind the first that is known, "" for
// none.
type preferences struct {
	resolution     string // merge-duplicates, ignore-duplicates
	representation string // representation, minimal, headers-only
	count          string // exact, planned, estimated
	transaction    string // commit, rollback
	missing        string // default, null
	handling       string // strict, lenient
	timezone       string
	maxAffected    *int64
	unknown        []string
}

// preferenceNames are the parameters with a closed set of values, in the order they are acknowledged.
var preferenceNames = []struct {
	name   string
	values []string
	field  func(*preferences) *string
}{
	{"resolution", []string{"merge-duplicates", "ignore-duplicates"}, func(p *preferences) *string { return &p.resolution }},
	{"missing", []string{"default", "null"}, func(p *preferences) *string { return &p.missing }},
	{"return", []string{"representation", "minimal", "headers-only"}, func(p *preferences) *string { return &p.representation }},
	{"count", []string{"exact", "planned", "estimated"}, func(p *preferences) *string { return &p.count }},
	{"tx", []string{"commit", "rollback"}, func(p *preferences) *string { return &p.transaction }},
	{"handling", []string{"strict", "lenient"}, func(p *preferences) *string { return &p.handling }},
}

// parsePreferences reads all Prefer headers; tx is heard only where it may be overridden.
func parsePreferences(headers []string, txOverride bool) preferences {
	var p preferences
	for _, header := range headers {
		for preference := range strings.SplitSeq(header, ",") {
			preference = strings.TrimSpace(preference)
			if !p.take(preference) {
				p.unknown = append(p.unknown, preference)
			}
		}
	}
	if !txOverride {
		p.transaction = ""
	}
	return p
}

func (p *preferences) take(preference string) bool {
	name, value, _ := strings.Cut(preference, "=")
	switch name {
	case "timezone":
		if p.timezone == "" {
			p.timezone = value
		}
		return true
	case "max-affected":
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && p.maxAffected == nil {
			p.maxAffected = &n
		}
		return true
	}
	for _, known := range preferenceNames {
		if known.name == name && slices.Contains(known.values, value) {
			if field := known.field(p); *field == "" {
				*field = value
			}
			return true
		}
	}
	return false
}

// applied is the value of Preference-Applied, "" when nothing was asked for.
func (p preferences) applied() string {
	var parts []string
	for _, known := range preferenceNames {
		if value := *known.field(&p); value != "" {
			parts = append(parts, known.name+"="+value)
		}
	}
	if p.timezone != "" {
		parts = append(parts, "timezone="+p.timezone)
	}
	if p.maxAffected != nil && p.handling == "strict" {
		parts = append(parts, "max-affected="+strconv.FormatInt(*p.maxAffected, 10))
	}
	return strings.Join(parts, ", ")
}

func (p *preferences) counts() bool { return p.count == "exact" || p.count == "estimated" }

// checkStrict refuses preferences nobody knows, where the request asked for that.
func (p *preferences) checkStrict() error {
	if p.handling != "strict" || len(p.unknown) == 0 {
		return nil
	}
	e := newError(400, "PGRST122", "Invalid preferences given with handling=strict")
	e.Details = "Invalid preferences: " + strings.Join(p.unknown, ", ")
	return e
}
