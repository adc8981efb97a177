package isolation

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// due is what an attack must come to. Whatever is due: an answer that holds a value of the other tenant, a
// change of its rows, and an answer that differs from the one about nobody's are leaks.
type due int

const (
	dueNothing due = iota // any answer will do that holds nothing
	dueRefusal            // a status of 400 or more
	dueNoRow              // a refusal, or a success without a row
)

// httpAttack is a request that a hostile user sends. {tenant}, {slug}, {user} … stand for the other tenant's,
// {own_tenant} … for the attacker's own, {me} for the attacker, {token_…} for credentials. It is sent three
// times: as the control, by whoever may, to show that it works; as the attack; and, where it names anything of
// the other tenant's, as its twin, which names the same of nobody's.
type httpAttack struct {
	name, verb, title, reference string
	method, path                 string
	header                       []string // name, value …
	body                         string
	as                           []string // who attacks
	due                          due
	control                      string // who may
	// What the control has otherwise; "" and nil for the same.
	controlPath, controlBody string
	controlHeader            []string
	// tells says that the control is an error that holds a value.
	tells bool
	// alone says that there is no twin: nobody's would rightly be answered otherwise.
	alone bool
	// idle says that there may be nothing to do for whoever may, who is told so with a conflict, or that there is no such thing.
	idle bool
}

func (a httpAttack) writes() bool { return a.method != http.MethodGet && a.method != http.MethodHead }

// render fills the request in.
func (a httpAttack) render(f fills, who string) (ask, bool) {
	applies := true
	fill := func(text string) string {
		filled, ok := f.render(text)
		applies = applies && ok
		return filled
	}
	made := ask{method: a.method, path: fill(a.path), body: fill(a.body), who: who}
	for _, h := range a.header {
		made.header = append(made.header, fill(h))
	}
	return made, applies
}

// asControl is the request as whoever may would send it.
func (a httpAttack) asControl() httpAttack {
	if a.controlPath != "" {
		a.path = a.controlPath
	}
	if a.controlBody != "" {
		a.body = a.controlBody
	}
	if a.controlHeader != nil {
		a.header = a.controlHeader
	}
	return a
}

// fillsOf are the places of an attack by who: base, and who they are.
func (h *httpSuite) fillsOf(base fills, who string) fills {
	f := maps.Clone(base)
	f["me"] = h.mine.user
	if id := h.mine.members[who]; id != "" {
		f["me"] = id
	}
	f["fresh"] = uuid.NewString()
	for name, token := range h.credentials {
		f["token_"+strings.ReplaceAll(strings.ToLower(name), " ", "_")] = token
	}
	return f
}

// launch sends a as each of its attackers and notes what came of it. theirs and nobodys have the places.
func (h *httpSuite) launch(ctx context.Context, a httpAttack, theirs, nobodys fills) error {
	controlled, broken := false, ""
	for _, who := range a.as {
		attack, applies := a.render(h.fillsOf(theirs, who), who)
		if !applies {
			return nil
		}
		route, _, _ := strings.Cut(a.path, "?")
		result := Result{Attack: a.name, Family: "http", Verb: a.verb, Title: a.title, Reference: a.reference, Caller: "http: " + who,
			Object: a.method + " " + strings.ReplaceAll(route, "{relation}", theirs["relation"]), Outcome: Blocked}
		if !controlled || strings.Contains(a.path+a.body, "{me}") {
			var err error
			if broken, err = h.checkControl(ctx, a, theirs, who); err != nil {
				return err
			}
			controlled = true
		}
		evidence, err := h.carryOut(ctx, a, attack, nobodys)
		if err != nil {
			return err
		}
		h.proof.Verbs[a.verb]++
		switch {
		case evidence != "":
			result.Outcome, result.Evidence = Leaked, evidence
			result.Script = h.showAgain(result, attack)
		case broken != "":
			result.Outcome, result.Evidence = Untried, broken
		}
		h.proof.Results = append(h.proof.Results, result)
	}
	return nil
}

// checkControl shows that the request works for whoever may, or says how it does not.
func (h *httpSuite) checkControl(ctx context.Context, a httpAttack, theirs fills, who string) (string, error) {
	f := h.fillsOf(theirs, who)
	for name := range h.theirs {
		if own, isOwn := strings.CutPrefix(name, "own_"); isOwn {
			f[name] = f[own] // what is the control's own is the other tenant's
		}
	}
	controls := []string{a.control}
	if a.control == "" {
		controls = []string{"their " + h.roleNames()[len(h.roleNames())-1], "super admin", "service key"}
	}
	broken := ""
	for _, by := range controls {
		control, _ := a.asControl().render(f, by)
		got := h.send(ctx, control)
		if a.writes() {
			if err := h.restoreRows(ctx); err != nil {
				return "", err
			}
		}
		switch {
		case a.tells && got.err == nil && h.canaryIn(got.text(), control.sent()) != "":
			return "", nil
		case constrained(got) && !a.tells:
			return "", nil // the policies let it through
		case a.idle && (got.status == http.StatusConflict || got.status == http.StatusNotFound):
			return "", nil // who may not is refused before that is asked
		case got.ok() && !a.tells && (a.due != dueNoRow || !got.empty() || a.method == http.MethodHead):
			return "", nil
		}
		if broken == "" {
			broken = fmt.Sprintf("the control does not work: as %s it is answered with %d %s", by, got.status, firstLine(got.body))
		}
	}
	return broken, ctx.Err()
}

// constrained reports an answer that came from a key, which is checked behind the policies.
func constrained(got reply) bool {
	return got.status == http.StatusConflict && (strings.Contains(got.body, `"23503"`) || strings.Contains(got.body, `"23505"`))
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line[:min(len(line), 160)]
}

// carryOut sends the attack and its twin, and returns what got through.
func (h *httpSuite) carryOut(ctx context.Context, a httpAttack, attack ask, nobodys fills) (evidence string, err error) {
	got, evidence, err := h.sendAndLook(ctx, a, attack)
	if err != nil {
		return "", err
	}
	switch found := h.canaryIn(got.text(), attack.sent()); {
	case evidence != "":
	case found != "":
		evidence = fmt.Sprintf("the other tenant's value %s came back, with status %d", found, got.status)
	case a.due == dueRefusal && got.err == nil && got.status < http.StatusBadRequest:
		evidence = fmt.Sprintf("it was let through, with status %d", got.status)
	case a.due != dueNothing && constrained(got):
		evidence = "the policies let it through, and only a key stopped it"
	case a.due == dueNoRow && got.ok() && !got.empty():
		evidence = fmt.Sprintf("it reached a row, with status %d", got.status)
	}
	twin, applies := a.render(h.fillsOf(nobodys, attack.who), attack.who)
	if evidence != "" || a.alone || !applies || twin.path == attack.path && twin.body == attack.body && slices.Equal(twin.header, attack.header) {
		return evidence, ctx.Err()
	}
	return h.compare(ctx, a, got, attack, twin)
}

// sendAndLook sends an attack and returns how it changed what the other tenant has, again and again.
func (h *httpSuite) sendAndLook(ctx context.Context, a httpAttack, attack ask) (got reply, evidence string, err error) {
	if !a.writes() {
		return h.send(ctx, attack), "", nil
	}
	for range comparisons {
		got = h.send(ctx, attack)
		if untouched, err := h.untouched(ctx); err != nil || untouched {
			return got, "", err
		}
		if evidence, err = h.difference(ctx, h.others); err != nil {
			return got, "", err
		}
		if err := h.restoreRows(ctx); err != nil || evidence == "" {
			return got, "", err
		}
	}
	return got, evidence, nil
}

// comparisons is how often something must be seen before it is said to be the attack's doing. Once may be chance: the
// server was too busy for one of two requests, or wrote in the meantime what it writes of its own accord.
const comparisons = 3

// compare tells the answer to the attack from that to its twin, and returns how they differ again and again.
func (h *httpSuite) compare(ctx context.Context, a httpAttack, got reply, attack, twin ask) (evidence string, err error) {
	for n := range comparisons {
		if n > 0 {
			if got, err = h.sendAndUndo(ctx, a, attack); err != nil {
				return "", err
			}
		}
		about, err := h.sendAndUndo(ctx, a, twin)
		if err != nil {
			return "", err
		}
		theirs, nobody := plainly(got.signature(), attack), plainly(about.signature(), twin)
		if theirs == nobody {
			return "", ctx.Err()
		}
		evidence = fmt.Sprintf("it answers %q where the other tenant has it and %q where nobody has", excerpt(theirs), excerpt(nobody))
	}
	return evidence, ctx.Err()
}

// sendAndUndo sends a request of a and puts back what it wrote.
func (h *httpSuite) sendAndUndo(ctx context.Context, a httpAttack, request ask) (reply, error) {
	got := h.send(ctx, request)
	if a.writes() {
		return got, h.restoreRows(ctx)
	}
	return got, nil
}

// plainly takes from a signature what the request itself named, so that attack and twin can be compared.
func plainly(signature string, a ask) string {
	for _, word := range named.FindAllString(a.sent(), -1) {
		signature = strings.ReplaceAll(signature, word, "…")
	}
	return varying.ReplaceAllString(signature, "…")
}

// varying is what differs between any two answers: ids, moments, sealed positions of the log and tokens that were made for them.
var varying = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\d[T ][0-9:.]+[+-][0-9:]+|\d\.[A-Za-z0-9_-]{22}|[A-Za-z0-9_-]{32,}`)

func excerpt(s string) string { return strings.ReplaceAll(s[:min(len(s), 200)], "\n", " ") }

// launchAll launches attacks that name no relation.
func (h *httpSuite) launchAll(ctx context.Context, attacks []httpAttack) error {
	for _, a := range attacks {
		if err := h.launch(ctx, a, h.theirs, h.nobodys); err != nil {
			return err
		}
	}
	return nil
}

func (h *httpSuite) attackRoutes(ctx context.Context) error {
	return h.launchAll(ctx, slices.Concat(identityAttacks(), tenantAttacks(), signInAttacks()))
}
