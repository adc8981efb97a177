package feature

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// flag is a compiled Definition.
type flag struct {
	key            string
	boxedKey       any // the key, for rules
	valueType      Type
	active         bool
	variants       []variant // by name
	defaultVariant *variant
	rule           rule // nil: none
	prerequisites  []Prerequisite
	metadata       json.RawMessage // with the set's
	problems       Problems
	failure        string // the first error; empty if the flag can be evaluated
}

type variant struct {
	name  string
	value json.RawMessage
}

var (
	jsonTrue  = json.RawMessage("true")
	jsonFalse = json.RawMessage("false")
)

func (f *flag) variant(name string) *variant {
	i, found := slices.BinarySearchFunc(f.variants, name, func(v variant, name string) int { return strings.Compare(v.name, name) })
	if !found {
		return nil
	}
	return &f.variants[i]
}

// boolean is the variant that has a boolean value, or the value without a variant.
func (f *flag) boolean(value bool) variant {
	wanted := jsonFalse
	if value {
		wanted = jsonTrue
	}
	for _, v := range f.variants {
		if string(v.value) == string(wanted) {
			return v
		}
	}
	return variant{value: wanted}
}

func (s *Set) compile(d Definition) *flag {
	c := &compiler{evaluators: s.evaluators}
	path := pointer("/flags", d.Key)
	f := &flag{key: d.Key, boxedKey: d.Key, valueType: d.Type, active: d.Active}
	if d.Key == "" {
		c.problems.fail("/flags", "a flag has no key")
	}
	c.variants(f, d, path)
	c.targeting(f, d, path)
	c.prerequisites(f, d, path)
	f.metadata = s.metadata.with(scalars(d.Metadata, path+"/metadata", &c.problems)).encode()
	f.problems = c.problems
	if errors := f.problems.Errors(); len(errors) > 0 {
		f.failure = errors.String()
	}
	return f
}

func (c *compiler) variants(f *flag, d Definition, path string) {
	values, err := object(d.Variants)
	if err != nil {
		c.problems.fail(path+"/variants", "not an object of values by name: %v", err)
		return
	}
	defaultName := d.DefaultVariant
	if len(values) == 0 && d.Type == Boolean {
		values = members{"on": jsonTrue, "off": jsonFalse}
		if defaultName == "" {
			defaultName = impliedDefault(d.DefaultEnabled)
		}
	}
	if len(values) == 0 {
		c.problems.fail(path+"/variants", "a %s flag needs at least one variant", d.Type)
	}
	switch d.Type {
	case Boolean, String, Number, Object:
	default:
		c.problems.fail(path+"/flag_type", "the type is boolean, string, number or object, not %q", d.Type)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if t := typeOf(values[name]); t != d.Type {
			c.problems.fail(pointer(path, "variants", name), "the flag is of type %s, this value is not", d.Type)
		}
		f.variants = append(f.variants, variant{name, compact(values[name])})
	}
	if defaultName == "" {
		return
	}
	if f.defaultVariant = f.variant(defaultName); f.defaultVariant == nil {
		c.problems.fail(path+"/defaultVariant", "there is no variant %q", defaultName)
	}
}

func impliedDefault(enabled bool) string {
	if enabled {
		return "on"
	}
	return "off"
}

// targeting compiles the rule. None, null and the empty object are no rule.
func (c *compiler) targeting(f *flag, d Definition, path string) {
	path += "/targeting"
	if isEmptyObject(d.Targeting) {
		return
	}
	var broken bool
	if f.rule, _, broken = c.root(d.Targeting, path); broken {
		return
	}
	reported := map[string]bool{}
	constantResults(f.rule, func(value any) {
		name, known := variantName(value)
		if value == nil || known && f.variant(name) != nil || reported[quoted(value)] {
			return
		}
		reported[quoted(value)] = true
		c.problems.warn(path, "the rule can give %s, which is not a variant", quoted(value))
	})
}

// variantName is the variant a rule's result names: a text, or true and false.
func variantName(result any) (string, bool) {
	switch v := result.(type) {
	case string:
		return v, true
	case bool:
		if v {
			return "true", true
		}
		return "false", true
	}
	return "", false
}

func (c *compiler) prerequisites(f *flag, d Definition, path string) {
	path += "/prerequisites"
	if len(d.Prerequisites) == 0 {
		return
	}
	if err := json.Unmarshal(d.Prerequisites, &f.prerequisites); err != nil {
		c.problems.fail(path, `not an array of {"flag_key": …, "variants": […]}: %v`, err)
	}
}

// typeOf is the type of a JSON value, empty if no flag can have it.
func typeOf(value json.RawMessage) Type {
	var decoded any
	if json.Unmarshal(value, &decoded) != nil {
		return ""
	}
	switch kind(decoded) {
	case kindBoolean:
		return Boolean
	case kindNumber:
		return Number
	case kindText:
		return String
	case kindObject:
		return Object
	default:
		return ""
	}
}
