package tenant

import "strings"

// deepestFamily is how many levels of organizations there are at most; vital.guard_parent holds it.
const deepestFamily = 5

// family is who is part of whom once the file is applied, by tenant_key.
type family struct {
	parent   map[string]string
	children map[string][]string
}

// parents finds the parents that the file names, refuses circles and families that are too deep, and puts each tenant at its depth:
// whoever is higher up is written first.
func (p *plan) parents() {
	f := family{parent: map[string]string{}, children: map[string][]string{}}
	for key, r := range p.world.family {
		if r.Parent != nil {
			f.parent[key] = *r.Parent
		}
	}
	for _, t := range p.order {
		p.parentOf(t)
		delete(f.parent, t.wanted.Key)
		if t.wanted.Parent != nil {
			f.parent[t.wanted.Key] = *t.wanted.Parent
		}
	}
	for child, parent := range f.parent {
		f.children[parent] = append(f.children[parent], child)
	}
	for _, t := range p.order {
		above := f.above(t.wanted.Key)
		t.depth = len(above)
		if !t.spec.Organization.Parent.Said || t.wanted.Parent == nil {
			continue
		}
		if last := above[len(above)-1]; f.parent[last] != "" { // whose parent is in the chain already
			p.faults.add(t.spec, "/organization/parent", "is part of itself: %s", strings.Join(append(above, f.parent[last]), " in "))
		} else if levels := len(above) + f.below(t.wanted.Key, 0); levels > deepestFamily {
			p.faults.add(t.spec, "/organization/parent", "organizations nest at most %d levels deep; this makes %d", deepestFamily, levels)
		}
	}
}

// parentOf finds the id of the tenant's parent.
func (p *plan) parentOf(t *target) {
	if t.known != nil && samePointer(t.known.Parent, t.wanted.Parent) {
		t.parentID = t.known.ParentID
		return
	}
	if t.wanted.Parent == nil {
		return
	}
	key := *t.wanted.Parent
	if other, inFile := p.targets[key]; inFile {
		t.parentID = &other.wanted.ID
		return
	}
	switch r, there := p.world.family[key]; {
	case !there:
		p.faults.add(t.spec, "/organization/parent", "there is no tenant with the tenant_key %s, here or in the file", key)
	case r.State == "archived":
		p.faults.add(t.spec, "/organization/parent", "%s is archived", key)
	default:
		t.parentID = &r.ID
	}
}

// above is the organization and those it is part of, from the inside out; a circle is walked once.
func (f family) above(key string) []string {
	chain := []string{key}
	seen := map[string]bool{key: true}
	for {
		next := f.parent[chain[len(chain)-1]]
		if next == "" || seen[next] {
			return chain
		}
		seen[next] = true
		chain = append(chain, next)
	}
}

// below is how many levels there are under the organization.
func (f family) below(key string, depth int) int {
	levels := 0
	if depth > 2*deepestFamily {
		return levels
	}
	for _, child := range f.children[key] {
		levels = max(levels, 1+f.below(child, depth+1))
	}
	return levels
}
