package feature

import (
	"encoding/json"
	"slices"
)

// Source is everything flags are made of.
type Source struct {
	Definitions []Definition
	Evaluators  map[string]json.RawMessage // rules shared under a name
	Metadata    json.RawMessage            // of the whole set; a flag's own has precedence
}

// Set is a compiled Source. It is never changed.
type Set struct {
	flags      []*flag // by key
	index      map[string]int
	linked     map[int]Problems // of prerequisites, by flag
	unlinked   map[int]string   // flags whose prerequisites cannot be, and why
	evaluators map[string]*evaluator
	shared     Problems // of evaluators and metadata
	metadata   members
	encoded    json.RawMessage // metadata
}

// Compile decodes and checks everything once. It always gives a Set; Problems says what is wrong with it.
// Of two definitions of a key the later one counts.
func Compile(source Source) *Set {
	c := newCompiler(source.Evaluators)
	c.compileEvaluators()
	s := &Set{evaluators: c.evaluators}
	s.metadata = scalars(source.Metadata, "/metadata", &c.problems)
	s.encoded = s.metadata.encode()
	s.shared = c.problems
	return s.With(source.Definitions...)
}

// With gives the set with flags added or replaced. Evaluators and the set's metadata stay: when they
// change, Compile anew.
func (s *Set) With(definitions ...Definition) *Set {
	next := *s
	next.flags = slices.Clone(s.flags)
	var added []*flag
	for _, d := range definitions {
		f := s.compile(d)
		if i, has := s.index[d.Key]; has {
			next.flags[i] = f
		} else {
			added = append(added, f)
		}
	}
	if len(added) > 0 {
		next.flags = byKey(append(next.flags, added...))
		next.index = indexOf(next.flags)
	}
	next.link()
	return &next
}

// Without gives the set without some flags.
func (s *Set) Without(keys ...string) *Set {
	next := *s
	next.flags = slices.DeleteFunc(slices.Clone(s.flags), func(f *flag) bool { return slices.Contains(keys, f.key) })
	next.index = indexOf(next.flags)
	next.link()
	return &next
}

// Problems are all that is wrong, of evaluators and flags.
func (s *Set) Problems() Problems {
	problems := slices.Clone(s.shared)
	for i, f := range s.flags {
		problems = append(append(problems, f.problems...), s.linked[i]...)
	}
	return problems.sorted()
}

// Keys are the keys of all flags, in order.
func (s *Set) Keys() []string {
	keys := make([]string, len(s.flags))
	for i, f := range s.flags {
		keys[i] = f.key
	}
	return keys
}

// TypeOf is the type of a flag.
func (s *Set) TypeOf(key string) (Type, bool) {
	i, has := s.index[key]
	if !has {
		return "", false
	}
	return s.flags[i].valueType, true
}
