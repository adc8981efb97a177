package perf

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// PolicyParts says whether it could be told which conditions of the plan are the policies'.
type PolicyParts struct {
	Known bool `json:"known"`
	// Why is the reason it is not.
	Why string `json:"why,omitempty"`
}

// tellPoliciesApart plans the statement once more, with the same identity in a role that no policy binds, and without
// running it: conditions that are not in that plan are the policies'.
func (e *explainer) tellPoliciesApart(ctx context.Context) error {
	if e.unbound.set == "" {
		e.out.Policies.Why = "this login is bound by policies itself, and may become no role that is not"
		return nil
	}
	err := e.asUnbound(ctx, func(sp pgx.Tx) error {
		bare, err := e.explain(ctx, sp, "PlanOnly")
		if err == nil {
			markPolicies(e.out.Plan.Root, bare.Plan.node(1, false))
		}
		return err
	})
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("plan without policies: %w", err)
		}
		e.out.Policies.Why = fmt.Sprintf("%s cannot plan the statement: %v", e.unbound.name, err)
		return nil
	}
	e.out.Policies.Known = true
	return nil
}

// markPolicies marks what of the plan is not in bare, that of the same statement without policies: parts of
// conditions, and the sub plans which only those ask for.
func markPolicies(root, bare *Node) {
	own, queries := map[string]bool{}, map[string]bool{}
	bare.each(func(n *Node) {
		if n.Label != "" {
			queries[n.Name()] = true
		}
		for _, c := range n.Conditions {
			for _, p := range c.Parts {
				own[likeness(p.Text)] = true
			}
		}
	})
	asked := map[string]bool{} // by conditions of the statement itself
	policies := map[string]bool{}
	root.each(func(n *Node) {
		for i := range n.Conditions {
			for j := range n.Conditions[i].Parts {
				part := &n.Conditions[i].Parts[j]
				part.Policy = !own[likeness(part.Text)]
				by := asked
				if part.Policy {
					by = policies
				}
				for _, r := range references(part.Text) {
					by[r] = true
				}
			}
		}
	})
	root.each(func(n *Node) {
		names := references(n.Label)
		in := func(by map[string]bool) bool { return slices.ContainsFunc(names, func(r string) bool { return by[r] }) }
		// what a policy checks new rows by stands in no condition; it is known by not being in the other plan
		if len(names) > 0 && !in(asked) && (in(policies) || !queries[n.Name()]) {
			n.each(func(below *Node) { below.FromPolicy = true })
		}
	})
}

// likeness is what two plans' texts of one condition have in common: sub plans are numbered as each plan has them,
// and an equality may stand either way round.
func likeness(text string) string {
	text = referencePattern.ReplaceAllString(text, "?")
	inner := unwrapped(text)
	if sides := split(inner, " = "); len(sides) == 2 {
		slices.Sort(sides)
		return strings.Join(sides, " = ")
	}
	return inner
}

// conjuncts are the parts that AND joins at the top of a condition as EXPLAIN prints it.
func conjuncts(text string) []string {
	parts := split(unwrapped(text), " AND ")
	if len(parts) == 1 {
		return []string{text}
	}
	return parts
}

// unwrapped is text without the brackets around all of it.
func unwrapped(text string) string {
	if strings.HasPrefix(text, "(") && closing(text) == len(text)-1 {
		return text[1 : len(text)-1]
	}
	return text
}

// closing is where the bracket that text begins with is closed, -1 where it is not.
func closing(text string) int {
	found := -1
	depths(text, func(at, depth int) bool {
		if depth == 0 && text[at] == ')' {
			found = at
			return false
		}
		return true
	})
	return found
}

// split cuts text at by, where that stands outside of brackets and quotes.
func split(text, by string) []string {
	var parts []string
	start := 0
	depths(text, func(at, depth int) bool {
		if depth == 0 && at >= start && strings.HasPrefix(text[at:], by) {
			parts = append(parts, text[start:at])
			start = at + len(by)
		}
		return true
	})
	return append(parts, text[start:])
}

// depths calls fn for each byte of text outside of quotes, with how many brackets are open behind it, while fn says
// true.
func depths(text string, fn func(at, depth int) bool) {
	depth := 0
	for at := 0; at < len(text); at++ {
		switch c := text[at]; c {
		case '\'', '"':
			for at++; at < len(text) && text[at] != c; at++ { // a doubled quote is two quotes
				continue
			}
			continue
		case '(', '[':
			depth++
		case ')', ']':
			depth--
		}
		if !fn(at, depth) {
			return
		}
	}
}
