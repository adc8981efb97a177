package schema

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// Severity is how much a difference matters.
type Severity string

// Severities, the worst first: security can show one tenant what is another's, or lets somebody change who may; structure
// can make the product fail; cosmetic does neither.
const (
	Security  Severity = "security"
	Structure Severity = "structure"
	Cosmetic  Severity = "cosmetic"
)

var severities = []Severity{Security, Structure, Cosmetic}

// Drift is one difference between a database and what it should be.
type Drift struct {
	Severity Severity `json:"severity"`
	Kind     string   `json:"kind"`
	Object   string   `json:"object"`
	Aspect   string   `json:"aspect,omitempty"` // of the object; "" is that it is there
	Expected string   `json:"expected,omitempty"`
	Actual   string   `json:"actual,omitempty"`
	Repair   string   `json:"repair,omitempty"` // SQL that would undo it; never run by VITAL
	Hazard   string   `json:"hazard,omitempty"` // what running Repair may cost
	// Since is when the server last wrote what differs: the difference is at least as old. Nil where the server does not know, and of what is
	// missing.
	Since *time.Time `json:"since,omitempty"`
}

// Detail says what differs, and since when.
func (d Drift) Detail() string {
	what := ""
	if d.Aspect != "" {
		what = d.Aspect + ": "
	}
	switch {
	case d.Actual == "":
		what += "missing" + quotedUnlessPlain(d.Expected)
	case d.Expected == "":
		what += "unexpected" + quotedUnlessPlain(d.Actual)
	default:
		what += "expected " + oneLine(d.Expected) + ", is " + oneLine(d.Actual)
	}
	if d.Since != nil {
		what += " (since " + d.Since.Format(time.RFC3339) + ")"
	}
	return what
}

// quotedUnlessPlain is a value behind what is said of it, where it says more than that something is there.
func quotedUnlessPlain(value string) string {
	if value == "exists" || value == "granted" || value == "member" {
		return ""
	}
	return ": " + oneLine(value)
}

// detailLength bounds what is printed of a value.
const detailLength = 120

func oneLine(value string) string {
	line := []rune(strings.Join(strings.Fields(value), " "))
	if len(line) > detailLength {
		return string(line[:detailLength]) + "…"
	}
	return string(line)
}

// Compare returns how actual differs from expected, the worst first. Of an object that only one of them has, and of all that is
// part of it, that alone is said.
func Compare(expected, actual *Inventory) []Drift {
	expected = expected.withPartitions(actual)
	keys := maps.Clone(expected.facts)
	maps.Copy(keys, actual.facts)
	drifts := []Drift{}
	for key, about := range keys {
		want, wanted := expected.facts[key]
		is, there := actual.facts[key]
		if want.value == is.value && wanted == there || impliedDrift(expected, actual, about) {
			continue
		}
		d := Drift{Severity: about.severity, Kind: about.kind, Object: about.object, Aspect: about.aspect, Expected: want.value, Actual: is.value, Repair: repair(want, is, wanted, there)}
		d.Hazard = hazard(d)
		if since := actual.since(key); !since.IsZero() {
			d.Since = &since
		}
		drifts = append(drifts, d)
	}
	slices.SortFunc(drifts, func(a, b Drift) int {
		return cmp.Or(cmp.Compare(slices.Index(severities, a.Severity), slices.Index(severities, b.Severity)),
			cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Object, b.Object), cmp.Compare(a.Aspect, b.Aspect))
	})
	return drifts
}

// repair is the SQL that makes of what is what is wanted.
func repair(want, is fact, wanted, there bool) string {
	switch {
	case !wanted:
		return is.unmake
	case there && want.aspect == "" && want.kind != "comment" && is.unmake != "" && want.make != "": // what is granted, or a rule: given anew
		return is.unmake + "; " + want.make
	default:
		return want.make
	}
}

// hazard is what running the repair of d may cost.
func hazard(d Drift) string {
	switch {
	case d.Repair == "":
		return ""
	case d.Expected == "" && d.Aspect == "" && (d.Kind == "table" || d.Kind == "column" || d.Kind == "materialized view"):
		return "deletes data"
	case d.Expected == "" && d.Aspect == "" && (d.Kind == "user mapping" || d.Kind == "foreign server" || d.Kind == "subscription"):
		return "loses what it was told to connect with, which is shown nowhere"
	case d.Kind == "column" && (d.Aspect == "type" || d.Aspect == "collation" || d.Aspect == "identity"), d.Aspect == "access method":
		return "rewrites the table, which is locked meanwhile"
	case d.Kind == "index" && d.Aspect != "valid" && d.Expected != "", d.Kind == "constraint" && d.Expected != "", d.Kind == "column" && d.Aspect == "not null" && d.Expected == "not null":
		return "reads the whole table, which is locked meanwhile"
	default:
		return ""
	}
}

// impliedDrift reports whether a difference about that follows from another: the object, or what it is part of, is there in one of
// the two only; or what it was given away with went to the new owner.
func impliedDrift(expected, actual *Inventory, about fact) bool {
	self := about.kind + " " + about.object
	if about.aspect != "" && expected.has(self) != actual.has(self) {
		return true
	}
	if about.parent != self && expected.has(about.parent) != actual.has(about.parent) {
		return true
	}
	before, after := expected.owners[about.parent], actual.owners[about.parent]
	return about.kind == "privilege" && before != after &&
		(strings.HasSuffix(about.object, " to "+before) || strings.HasSuffix(about.object, " to "+after))
}
