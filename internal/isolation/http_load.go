package isolation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

func decode(got reply, into any) error {
	return errors.Join(got.err, json.Unmarshal([]byte(got.body), into))
}

// samples is how often each of two requests is timed; they take turns, so that what else goes on meets both.
const samples = 60

// attackClock times what the other tenant has against what nobody has. How long an answer takes is a figure and
// at most a risk: what else runs on the machine has a say in it.
func (h *httpSuite) attackClock(ctx context.Context) error {
	for _, a := range []httpAttack{
		{name: "clock-context", title: "time a tenant that is there against one that is not", method: http.MethodGet, path: "/v1/context", header: []string{"Vital-Tenant", "{tenant}"}},
		{name: "clock-slug", title: "time a slug that is there against one that is not", method: http.MethodGet, path: "/v1/context", header: []string{"Vital-Tenant", "{slug}"}},
		{name: "clock-row", title: "time a row that is there against one that is not", method: http.MethodGet, path: "/rest/v1/agents?id=eq.{agent}"},
		{name: "clock-write", title: "time a write to a tenant that is there against one that is not", method: http.MethodPatch, path: "/api/tenants/{tenant}/config", body: "{}"},
		{name: "clock-invitation", title: "time an invitation that is there against one that is not", method: http.MethodPost, path: "/rest/v1/rpc/revoke_invitation", body: `{"p_invitation_id": "{invitation}"}`},
	} {
		there, _ := a.render(h.fillsOf(h.theirs, "owner"), "owner")
		missing, _ := a.render(h.fillsOf(h.nobodys, "owner"), "owner")
		var took [2][]time.Duration
		var status [2]int
		for range samples {
			for i, request := range []ask{there, missing} {
				started := time.Now()
				status[i] = h.send(ctx, request).status
				took[i] = append(took[i], time.Since(started))
			}
		}
		evidence, apart := compareTimes(took[0], took[1])
		evidence = fmt.Sprintf("status %d and %d; %s", status[0], status[1], evidence)
		outcome := Blocked
		if apart {
			outcome = AtRisk
		}
		h.note(a.name, "time", a.title, objectLevel, a.method+" "+a.path, "owner", evidence, outcome, there)
	}
	return ctx.Err()
}

// compareTimes says how the medians differ, and whether they do by more than the samples scatter.
func compareTimes(there, missing []time.Duration) (figure string, apart bool) {
	slices.Sort(there)
	slices.Sort(missing)
	median := func(d []time.Duration) time.Duration { return d[len(d)/2] }
	spread := func(d []time.Duration) time.Duration { return d[len(d)*3/4] - d[len(d)/4] }
	between := (median(there) - median(missing)).Abs()
	apart = between > max(spread(there), spread(missing), median(missing)/5)
	return fmt.Sprintf("median %.2f ms where the other tenant has it, %.2f ms where nobody has, over %d requests each (middle half within %.2f and %.2f ms)",
		ms(median(there)), ms(median(missing)), len(there), ms(spread(there)), ms(spread(missing))), apart
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// rounds is how many requests each of the crowd sends.
const rounds = 12

// attackPool lets users of both tenants ask at once, more than there are connections, some of them wrongly and
// some hanging up: every answer must be its caller's.
func (h *httpSuite) attackPool(ctx context.Context) error {
	var mu sync.Mutex
	var crowd sync.WaitGroup
	answered, evidence := map[*world]int{}, ""
	var shows ask
	for n, m := range h.crowd {
		crowd.Go(func() {
			foreign := h.canaries
			if m.w == h.other {
				foreign = h.mineCanaries
			}
			for round := range rounds {
				a := crowdAsk(m, n+round)
				within, cancel := ctx, context.CancelFunc(func() {})
				if round%3 == 2 { // and hangs up, sooner or later
					within, cancel = context.WithTimeout(ctx, time.Duration((n*rounds+round)*131%4000)*time.Microsecond)
				}
				got := h.sendUncounted(within, a)
				cancel()
				why := wrongAnswer(got, m, foreign, a)
				mu.Lock()
				h.proof.Statements++
				if got.ok() && strings.Contains(got.body, m.w.tenant) {
					answered[m.w]++
				}
				if why != "" && evidence == "" {
					evidence, shows = why, a
				}
				mu.Unlock()
			}
		})
	}
	crowd.Wait()
	outcome := Blocked
	switch {
	case evidence != "":
		outcome = Leaked
	case answered[h.mine] == 0 || answered[h.other] == 0:
		outcome, evidence = Untried, "the control does not work: no request of one tenant was answered"
	default:
		evidence = fmt.Sprintf("%d and %d answers held their own tenant", answered[h.mine], answered[h.other])
	}
	shows.header = []string{"Authorization", "Bearer <token: any of them>"}
	h.note("crowd", "concurrency", fmt.Sprintf("ask as %d users of two tenants at once, some wrongly, some hanging up", len(h.crowd)), consumption, "every route", "everybody", evidence, outcome, shows)
	return ctx.Err()
}

// crowdAsk is the nth thing that m sends.
func crowdAsk(m member, n int) ask {
	requests := []ask{
		{method: http.MethodGet, path: "/v1/context"},
		{method: http.MethodGet, path: "/rest/v1/organizations?select=id,name,slug"},
		{method: http.MethodGet, path: "/rest/v1/agents?select=*,tenant_agents(*)"},
		{method: http.MethodGet, path: "/rest/v1/agents?select=name::integer"},
		{method: http.MethodPost, path: "/rest/v1/rpc/get_user_tenant_id", body: "{}"},
		{method: http.MethodPost, path: "/rest/v1/rpc/change_member_role", body: `{"p_user_id": "` + m.id + `", "p_role": "owner"}`},
		{method: http.MethodGet, path: "/rest/v1/user_tenants?select=tenant_id,user_id,role"},
	}
	a := requests[n%len(requests)]
	a.header, a.who = []string{"Authorization", "Bearer " + m.token}, "nobody"
	return a
}

// wrongAnswer says what is wrong with an answer that m got.
func wrongAnswer(got reply, m member, foreign []string, a ask) string {
	text, sent := got.text(), a.sent()
	for _, canary := range foreign {
		if strings.Contains(text, canary) && !strings.Contains(sent, canary) {
			at := strings.Index(text, canary)
			return fmt.Sprintf("%s gave a user of the one tenant the other's value: %s", a.path, text[max(0, at-80):min(len(text), at+40)])
		}
	}
	var who struct {
		User struct {
			ID string `json:"id"`
		} `json:"user"`
	}
	if a.path == "/v1/context" && got.ok() && json.Unmarshal([]byte(got.body), &who) == nil && who.User.ID != m.id {
		return "a user was given the context of another"
	}
	return ""
}
