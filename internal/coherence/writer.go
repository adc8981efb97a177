package coherence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// handed is a token that a writer hands over to readers of its tenant, or of any where it names nothing but a position.
type handed struct {
	version  string
	tenant   int
	register *register
	value    int64
}

// writer is the only one who writes the registers of its tenants.
type writer struct {
	run     *run
	plays   []*play
	still   []*play
	random  *rand.Rand
	clients [instances]*client
	count   int64
	unknown int64 // of which nobody knows whether they were kept
}

// roles are the values of a member's role.
var roles = [...]string{"viewer", "member", "admin"}

// loop writes one after the other until ctx ends.
func (w *writer) loop(ctx context.Context) {
	for ctx.Err() == nil {
		w.one(ctx)
		sleep(ctx, time.Duration(float64(w.run.config.WritePause)*(0.5+w.random.Float64())))
	}
	for _, c := range w.clients {
		c.close()
	}
}

func (w *writer) one(ctx context.Context) {
	p := w.plays[w.random.IntN(len(w.plays))]
	switch n := w.random.IntN(100); {
	case n < 76:
		letters := []byte("cnaog")
		w.number(ctx, p, letters[w.random.IntN(len(letters))])
	case n < 83:
		w.state(ctx, p, p.role, func(value int64) ([]byte, string, []any) {
			role := roles[value%3]
			return send("POST", "/rest/v1/rpc/change_member_role", p.owner, fmt.Sprintf(`{"p_user_id":"%s","p_role":"%s"}`, p.user("role"), role)),
				"WriteRole", []any{p.id, p.user("role"), role}
		}, func(ctx context.Context) (int64, error) {
			var role string
			err := w.run.stage.look(ctx, &role, "Role", p.id, p.user("role"))
			return int64(max(0, strings.Index("viewer member admin", role)/7)), err
		})
	case n < 90:
		w.state(ctx, p, p.access, func(value int64) ([]byte, string, []any) {
			if value%2 == 0 {
				return nil, "AddMember", []any{p.id, p.user("access")}
			}
			return send("POST", "/rest/v1/rpc/remove_member", p.owner, fmt.Sprintf(`{"p_user_id":"%s"}`, p.user("access"))),
				"RemoveMember", []any{p.id, p.user("access")}
		}, func(ctx context.Context) (int64, error) {
			var role string
			err := w.run.stage.look(ctx, &role, "Role", p.id, p.user("access"))
			return choose(role == "none"), err
		})
	case n < 93:
		w.signOut(ctx, p)
	case n < 98 && len(w.still) > 0:
		p := w.still[w.random.IntN(len(w.still))]
		w.state(ctx, p, p.life, func(value int64) ([]byte, string, []any) {
			action, state := "activate", "active"
			if value%2 == 1 {
				action, state = "suspend", "suspended"
			}
			return send("POST", "/api/tenants/"+p.id.String()+"/lifecycle", w.run.stage.operator, `{"action":"`+action+`","reason":"chaos"}`),
				"MoveTenant", []any{p.id, state}
		}, func(ctx context.Context) (int64, error) {
			var state string
			err := w.run.stage.look(ctx, &state, "Tenant", p.id, p.id)
			return choose(state == "suspended"), err
		})
	case len(w.still) > 0: // one writer has those, and the definition
		w.definition(ctx)
	}
}

func choose(one bool) int64 {
	if one {
		return 1
	}
	return 0
}

// number writes the next number into a register.
func (w *writer) number(ctx context.Context, p *play, letter byte) {
	r := p.registers[letter]
	value := r.begin()
	text := marker(letter, p.number, value)
	tenant := p.id.String()
	const representation = "Prefer: return=representation"
	var request []byte
	var statement string
	switch letter {
	case configRegister:
		request, statement = send("PATCH", "/api/tenants/"+tenant+"/config", p.owner, `{"ui_config":{"custom":{"counter":"`+text+`"}}}`), "WriteConfig"
	case nameRegister:
		request, statement = send("PATCH", "/rest/v1/organizations?id=eq."+tenant, w.run.stage.operator, `{"name":"`+text+`"}`, representation), "WriteName"
	case appRegister:
		request, statement = send("PATCH", "/rest/v1/tenant_apps?app_key=eq.counter", p.owner, `{"app_name":"`+text+`"}`, representation), "WriteApp"
	case overrideRegister:
		request, statement = send("POST", "/api/tenants/"+tenant+"/features/toggle", p.owner, `{"flag_key":"own","enabled":true,"config":{"counter":"`+text+`"}}`), "WriteOverride"
	case agentRegister:
		request, statement = send("PATCH", "/rest/v1/agents?slug=eq.counter", p.owner, `{"description":"`+text+`"}`, representation), "WriteAgent"
	}
	if w.random.IntN(4) == 0 {
		w.direct(ctx, r, value, statement, p.id, text)
		return
	}
	by := w.random.IntN(instances)
	a, err := w.ask(by, request)
	if err == nil && a.status/100 == 2 && !bytes.Contains(a.body, []byte(text)) {
		w.run.violate(r, value, "instance %d has acknowledged a write and answers without it: %s", by, a.body)
		return
	}
	w.settle(p, r, value, by, a, err)
}

func (w *writer) definition(ctx context.Context) {
	r := w.run.stage.definition
	value := r.begin()
	w.direct(ctx, r, value, "WriteDefinition", w.plays[0].id, marker(definitionRegister, 0, value))
}

// direct writes in the database.
func (w *writer) direct(ctx context.Context, r *register, value int64, statement string, args ...any) {
	position, err := w.run.stage.exec(context.WithoutCancel(ctx), statement, args...)
	if err != nil {
		w.unknown++
		w.run.fail("write in the database", "")
		return
	}
	w.count++
	r.acknowledge(value, nobody, time.Now(), position)
}

// ask sends a write to an instance.
func (w *writer) ask(by int, request []byte) (answer, error) {
	if w.clients[by] == nil {
		w.clients[by] = &client{}
	}
	w.clients[by].address = w.run.stage.servers[by].address
	return w.clients[by].do(request)
}

// settle takes note of what an instance said of a write.
func (w *writer) settle(p *play, r *register, value int64, by int, a answer, err error) {
	switch {
	case err == nil && a.status/100 == 2:
		w.count++
		r.acknowledge(value, by, time.Now(), w.run.stage.position(a.version))
		if a.version != "" {
			w.run.hand(handed{a.version, p.number, r, value})
		}
	case err != nil && !errors.As(err, &notSentError{}):
		w.unknown++
		w.run.fail("write, connection lost", "")
	case err != nil:
		w.run.fail("write, no connection", "")
	default:
		if a.status >= 500 {
			w.unknown++
		}
		w.run.fail("write, "+strconv.Itoa(a.status), string(a.body))
	}
}

// state moves a register of which readers can tell only some states apart. Where nobody knows what became of the last
// write, it is looked for once nothing is under way any more, so that none comes late.
func (w *writer) state(ctx context.Context, p *play, r *register,
	write func(value int64) (request []byte, statement string, args []any), look func(context.Context) (int64, error),
) {
	value, again := r.started.Load(), true
	if r.acknowledged.Load() == value {
		value, again = r.begin(), false
	} else {
		state, err := w.quiet(ctx, look)
		if err != nil {
			return
		}
		if state == value%r.states {
			r.acknowledge(value, nobody, time.Now(), 0)
			return
		}
	}
	by := w.random.IntN(instances)
	request, statement, args := write(value)
	if request == nil || again || w.random.IntN(4) == 0 {
		w.direct(ctx, r, value, statement, args...)
		return
	}
	a, err := w.ask(by, request)
	w.settle(p, r, value, by, a, err)
}

// quiet waits until no statement runs, and looks then.
func (w *writer) quiet(ctx context.Context, look func(context.Context) (int64, error)) (int64, error) {
	for still := 0; still < 2; {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		var busy int
		if err := w.run.stage.look(ctx, &busy, "Busy"); err != nil {
			return 0, err
		}
		still++
		if busy > 0 {
			still = 0
		}
		sleep(ctx, 100*time.Millisecond)
	}
	return look(ctx)
}

// signOut ends a tenant's session that can be ended, and begins another a while later.
func (w *writer) signOut(ctx context.Context, p *play) {
	s := p.session.Load()
	if s.ended.acknowledged.Load() == 1 {
		if s.ended.overtaken(0).Before(time.Now().Add(-3 * time.Second)) {
			_ = w.run.stage.signIn(context.WithoutCancel(ctx), p) // another time, then
		}
		return
	}
	again := s.ended.started.Load() == 1
	if !again {
		s.ended.begin()
	}
	if again || w.random.IntN(4) == 0 {
		w.direct(ctx, s.ended, 1, "EndSession", s.id)
		return
	}
	by := w.random.IntN(instances)
	a, err := w.ask(by, send("POST", "/auth/v1/logout?scope=local", s.token, ""))
	w.settle(p, s.ended, 1, by, a, err)
}

// marker is a number as it stands in answers.
func marker(letter byte, tenant int, value int64) string {
	return fmt.Sprintf("chaos-%c-%d-%d", letter, tenant, value)
}

// position is that of the log in a token, which only a server of the database can read; 0 where it says none.
func (s *stage) position(version string) uint64 {
	if strings.Count(version, ".") != 4 {
		return 0
	}
	text := version[strings.LastIndexByte(version, '.')+1:]
	if s.db == nil { // a stand-in's, which seals nothing
		position, _ := strconv.ParseUint(text, 10, 64)
		return position
	}
	position, _, _ := s.db.OpenPosition(text) // zero where it is not readable
	return uint64(position)
}
