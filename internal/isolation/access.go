package isolation

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Right is what one caller gets of a command, seen by trying it on its own tenant's row.
type Right struct {
	Object  string `json:"object"`
	Command string `json:"command"`
	Caller  string `json:"caller"`
	Answer  string `json:"answer"` // own, none, refused (by a policy), denied, a count, or an error's SQLSTATE; of a function runs or denied
}

func (r Right) String() string { return r.Object + " " + r.Command + " as " + r.Caller }

// ownCommands are what a caller may be able to do with its own row.
var ownCommands = []struct{ command, text string }{
	{"select", "select 1 from {relation} where {own_key}"},
	{"count", "select count(*) from {relation}"},
	{"insert", "insert into {relation} {insert_own}"},
	{"update", "update {relation} set {set} where {own_key}"},
	{"update all", "update {relation} set {any_set}"},
	{"delete", "delete from {relation}"},
	{"truncate", "truncate {relation}"},
}

// rights tries what who may do with its own tenant's row of r.
func (t *suite) rights(ctx context.Context, who caller, r *relation) ([]Right, error) {
	fill := t.fill(r, who)
	if t.mine.rows[r] != nil && r.isTable() {
		fill["insert_own"] = t.insertTail(t.mine, r, nil)
	}
	for _, c := range r.columns {
		if !c.always {
			fill["any_set"] = identifier(c.name) + " = " + identifier(c.name)
			if fill["set"] == "" {
				fill["set"] = fill["any_set"]
			}
			break
		}
	}
	var rights []Right
	for _, own := range ownCommands {
		statement, applies := fills(fill).render(own.text)
		if !applies || own.command == "truncate" && (!r.isTable() || who.owner) {
			continue
		}
		got, err := t.attempt(ctx, who, Attack{Family: "read"}, "", statement)
		if err != nil {
			return nil, err
		}
		rights = append(rights, Right{r.label(), own.command, who.name, got.right(own.command)})
	}
	return rights, nil
}

// right is an answer in a word.
func (a answer) right(command string) string {
	switch code := codeOf(a.err); {
	case code == "42501" && strings.Contains(a.output, "row-level security"):
		return "refused"
	case code == "42501":
		return "denied"
	case code != "":
		return code
	case a.value != "" && command == "count":
		return strings.TrimSpace(a.value)
	case a.reached || strings.HasPrefix(a.tag, "TRUNCATE"):
		return "own"
	default:
		return "none"
	}
}

// compareRights returns what is not as it was expected: rights that changed, came or went.
func compareRights(expected, found []Right) []string {
	was := map[string]string{}
	for _, r := range expected {
		was[r.String()] = r.Answer
	}
	var differences []string
	for _, r := range found {
		if before, known := was[r.String()]; !known || before != r.Answer {
			differences = append(differences, fmt.Sprintf("%s: %s instead of %s", r, r.Answer, orNobody(before)))
		}
	}
	slices.Sort(differences)
	return differences
}

// allRights tries what every caller may do with its own rows and which functions it may call; of one object
// where it is named.
func (t *suite) allRights(ctx context.Context, object string) ([]Right, error) {
	var all []Right
	for _, who := range append(t.callers(), t.operators()...) {
		if err := t.enter(ctx, who); err != nil {
			return nil, err
		}
		rights, err := t.rightsAs(ctx, who, object)
		if err != nil {
			return nil, fmt.Errorf("try the rights of %s: %w", who.name, err)
		}
		all = append(all, rights...)
		if err := t.leave(ctx); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (t *suite) rightsAs(ctx context.Context, who caller, object string) ([]Right, error) {
	var all []Right
	for _, r := range t.c.relations {
		if !t.s.exposes(r) || r.partition || t.s.rule(r).Ignore != "" || object != "" && object != r.label() {
			continue
		}
		rights, err := t.rights(ctx, who, r)
		if err != nil {
			return nil, err
		}
		all = append(all, rights...)
	}
	if who.owner {
		return all, nil
	}
	for i := range t.c.functions {
		f := &t.c.functions[i]
		if object != "" && object != f.signature() {
			continue
		}
		statement, _ := t.call(f, 0, true)
		got, err := t.attempt(ctx, who, Attack{Family: "read"}, "", statement)
		if err != nil {
			return nil, err
		}
		answer := "runs"
		if codeOf(got.err) == "42501" && (strings.Contains(got.output, "permission denied for function "+f.name) || strings.Contains(got.output, "permission denied for schema")) {
			answer = "denied"
		}
		all = append(all, Right{f.signature(), "execute", who.name, answer})
	}
	return all, nil
}
