package feature

import (
	"math"
	"strings"

	"github.com/twmb/murmur3"
	"golang.org/x/mod/semver"
)

// affix is starts_with and ends_with: null unless both arguments are text.
func affix(has func(text, part string) bool) func(m *machine, arguments []any, data any) any {
	return func(m *machine, arguments []any, _ any) any {
		text, isText := at(arguments, 0).(string)
		part, both := at(arguments, 1).(string)
		if len(arguments) != 2 || !isText || !both {
			return nil
		}
		m.spendText(len(part))
		return has(text, part)
	}
}

// semanticVersion compares two versions: null unless both are versions and the operator is one.
func semanticVersion(m *machine, arguments []any, _ any) any {
	if len(arguments) != 3 {
		return nil
	}
	a, b := m.version(arguments[0]), m.version(arguments[2])
	if a == "" || b == "" {
		return nil
	}
	order := semver.Compare(a, b)
	switch arguments[1] {
	case "=":
		return order == 0
	case "!=":
		return order != 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	case "^":
		return semver.Major(a) == semver.Major(b)
	case "~":
		return semver.MajorMinor(a) == semver.MajorMinor(b)
	}
	return nil
}

// version is a version as package semver reads it: with a v, minor and patch optional. A number counts as
// its text. What is none is empty.
func (m *machine) version(value any) string {
	var text string
	switch v := value.(type) {
	case string:
		text = v
	case float64:
		text = numberText(v)
	}
	m.spendText(len(text))
	if text != "" && (text[0] == 'v' || text[0] == 'V') {
		text = text[1:]
	}
	text = "v" + text
	if !semver.IsValid(text) {
		return ""
	}
	return text
}

// maxWeight is the most the weights of a fractional may add up to, in every implementation of flagd.
const maxWeight = math.MaxInt32

// fractional assigns a key to one of some weighted buckets, always the same one: the key's murmur3 hash,
// as a fraction of 2^32, times the sum of the weights says which.
type fractional struct {
	key     rule // nil: flag key and targeting key
	buckets []bucket
	at      string
}

// bucket is [result, weight]. A bucket may itself be a rule that gives such an array.
type bucket struct {
	result rule
	weight rule // nil: 1
	whole  rule
}

// share is a bucket in one evaluation; its result is evaluated only if it is chosen.
type share struct {
	weight uint64
	rule   rule
	value  any
}

func (s share) result(m *machine, data any) any {
	if s.rule != nil {
		return s.rule.eval(m, data)
	}
	return s.value
}

func (f *fractional) eval(m *machine, data any) any {
	m.spend(1 + len(f.buckets))
	base := len(m.shares)
	key, source, problem := f.assignBy(m, data)
	for i := 0; i < len(f.buckets) && problem == ""; i++ {
		problem = m.addShare(f.buckets[i], data)
	}
	total := uint64(0)
	for _, s := range m.shares[base:] {
		total += s.weight
	}
	if problem == "" && (total == 0 || total > maxWeight) {
		problem = "the weights add up to 0 or to more than 2147483647"
	}
	var value any
	if problem != "" {
		m.trace.unassigned(f.at, problem)
	} else {
		value = f.choose(m, data, base, total, key, source)
	}
	m.shares = m.shares[:base]
	return value
}

const (
	keyFromExpression = "expression"
	notABucket        = "a bucket is not [variant, whole number]"
)

// assignBy finds what is hashed: what the first argument gives, if that is a text, else flag key and
// targeting key. A first argument that gives an array was a bucket.
func (f *fractional) assignBy(m *machine, data any) (key, source, problem string) {
	if f.key != nil {
		switch v := f.key.eval(m, data).(type) {
		case string:
			return v, keyFromExpression, ""
		case []any:
			if problem = m.addValues(v); problem != "" {
				return "", "", problem
			}
		}
	}
	given, _ := m.context[targetingKey].(string)
	if given == "" {
		return "", "", "the context has no targetingKey"
	}
	flagKey, _ := m.flagKey.(string)
	return flagKey + given, targetingKey, ""
}

// choose evaluates the result of the bucket that the key falls into.
func (f *fractional) choose(m *machine, data any, base int, total uint64, key, source string) any {
	m.spendText(len(key))
	hash := murmur3.StringSum32(key)
	position := uint64(hash) * total >> 32
	end := uint64(0)
	for i := base; i < len(m.shares); i++ {
		if end += m.shares[i].weight; position < end {
			value := m.shares[i].result(m, data)
			m.trace.assigned(f.at, Assignment{Key: key, KeyFrom: source, Hash: hash, Position: position, Total: total, Bucket: i - base}, value)
			return value
		}
	}
	return nil
}

func (m *machine) addShare(b bucket, data any) (problem string) {
	if b.whole != nil {
		values, _ := b.whole.eval(m, data).([]any)
		return m.addValues(values)
	}
	weight := uint64(1)
	if b.weight != nil {
		var ok bool
		if weight, ok = weightOf(b.weight.eval(m, data)); !ok {
			return notABucket
		}
	}
	m.shares = append(m.shares, share{weight: weight, rule: b.result})
	return ""
}

// addValues adds a bucket that a rule gave.
func (m *machine) addValues(values []any) (problem string) {
	weight, ok := uint64(1), len(values) > 0
	if len(values) > 1 {
		weight, ok = weightOf(values[1])
	}
	if !ok {
		return notABucket
	}
	m.shares = append(m.shares, share{weight: weight, value: values[0]})
	return ""
}

// weightOf takes a whole number; a negative one, as a rollout that has not begun computes, counts as 0.
func weightOf(value any) (uint64, bool) {
	n, ok := value.(float64)
	if !ok || n != math.Trunc(n) || n > maxWeight {
		return 0, false
	}
	return uint64(math.Max(0, n)), true
}

// isVersion is whether flagd's JSON Schema takes a text for a version: all of it, and no v.
func isVersion(text string) bool {
	core, _, _ := strings.Cut(text, "+")
	core, _, _ = strings.Cut(core, "-")
	return semver.IsValid("v"+text) && strings.Count(core, ".") == 2
}
