package feature

import (
	"slices"
	"strings"
)

// maxPrerequisites is how many flags may depend on each other in a row.
const maxPrerequisites = 32

func byKey(flags []*flag) []*flag {
	slices.SortStableFunc(flags, func(a, b *flag) int { return strings.Compare(a.key, b.key) })
	kept := flags[:0]
	for _, f := range flags {
		if len(kept) > 0 && kept[len(kept)-1].key == f.key {
			kept[len(kept)-1] = f
		} else {
			kept = append(kept, f)
		}
	}
	return kept
}

func indexOf(flags []*flag) map[string]int {
	index := make(map[string]int, len(flags))
	for i, f := range flags {
		index[f.key] = i
	}
	return index
}

// link checks the prerequisites of all flags against each other. It looks at all anew, so that a set is
// the same whichever way it was made.
func (s *Set) link() {
	s.linked, s.unlinked = map[int]Problems{}, map[int]string{}
	l := linker{set: s, height: map[int]int{}}
	for i, f := range s.flags {
		if len(f.prerequisites) > 0 {
			l.check(i)
		}
	}
}

// linker walks from flags to their prerequisites.
type linker struct {
	set    *Set
	height map[int]int // how many flags are under a checked one
	chain  []int       // being checked
}

// check gives how many flags follow each other from this one.
func (l *linker) check(i int) int {
	if height, done := l.height[i]; done {
		return height
	}
	f := l.set.flags[i]
	path := pointer("/flags", f.key) + "/prerequisites"
	l.chain = append(l.chain, i)
	height := 0
	for _, p := range f.prerequisites {
		j, has := l.set.index[p.FlagKey]
		if !has {
			l.fail(i, path, "there is no flag %q", p.FlagKey)
			continue
		}
		l.warnOfVariants(i, path, p, l.set.flags[j])
		if at := slices.Index(l.chain, j); at >= 0 {
			l.circle(l.chain[at:])
			continue
		}
		height = max(height, 1+l.check(j))
	}
	l.chain = l.chain[:len(l.chain)-1]
	if height > maxPrerequisites {
		l.fail(i, path, "more than %d flags depend on each other in a row", maxPrerequisites)
	}
	l.height[i] = height
	return height
}

// circle marks every flag of a circle, wherever it was entered.
func (l *linker) circle(flags []int) {
	keys := make([]string, 0, len(flags)+1)
	first := slices.Index(flags, slices.Min(flags))
	for k := range flags {
		keys = append(keys, l.set.flags[flags[(first+k)%len(flags)]].key)
	}
	keys = append(keys, keys[0])
	for _, i := range flags {
		path := pointer("/flags", l.set.flags[i].key) + "/prerequisites"
		l.fail(i, path, "flags need each other in a circle: %s", strings.Join(keys, " → "))
	}
}

func (l *linker) fail(i int, path, format string, args ...any) {
	problems := l.set.linked[i]
	problems.fail(path, format, args...)
	l.set.linked[i] = problems
	l.set.unlinked[i] = problems[len(problems)-1].Message
}

func (l *linker) warnOfVariants(i int, path string, p Prerequisite, needed *flag) {
	known := func(name string) bool { return needed.variant(name) != nil }
	if !slices.ContainsFunc(p.Variants, known) {
		problems := l.set.linked[i]
		problems.warn(path, "it can never be met: %q has none of these variants", p.FlagKey)
		l.set.linked[i] = problems
	}
}
