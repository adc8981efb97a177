package coherence

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"time"
)

// reader asks whoever it likes, as whoever it likes, and holds each answer against what it must be.
type reader struct {
	run     *run
	random  *rand.Rand
	clients [instances]*client
	request []byte
	seen    map[[2]int]*memory // by tenant and member
	redis   net.Conn
	redisIn *bufio.Reader
	stats   stats
}

// memory is what a reader was shown last.
type memory struct {
	version, etag string
	values        [len(shown)]int64
	guest         int64 // the other tenant's name
}

func (r *reader) loop(ctx context.Context) {
	for n := range r.clients {
		r.clients[n] = &client{}
	}
	for ctx.Err() == nil {
		p := r.run.stage.plays[r.random.IntN(len(r.run.stage.plays))]
		switch n := r.random.IntN(1000); {
		case n < 880:
			r.context(p, r.random.IntN(len(p.members)), r.random.IntN(instances))
		case n < 920:
			r.flags(p, r.random.IntN(instances))
		case n < 935:
			r.rest(p, r.random.IntN(instances))
		case n < 955:
			r.role(p, r.random.IntN(instances))
		case n < 970:
			r.access(p, r.random.IntN(instances))
		case n < 980:
			r.signedIn(p, r.random.IntN(instances))
		case n < 990:
			r.alive(r.run.stage.still[r.random.IntN(len(r.run.stage.still))], r.random.IntN(instances))
		default:
			r.shared(p)
		}
	}
	for _, c := range r.clients {
		c.close()
	}
	if r.redis != nil {
		_ = r.redis.Close()
	}
}

// ask sends r.request and says whether there is an answer to judge: 200, 304, or a refusal.
func (r *reader) ask(kind string, instance int) (a answer, ok bool) {
	r.request = append(r.request, "\r\n"...)
	return r.askWhole(kind, instance)
}

// askWhole is ask of a request that has a body already.
func (r *reader) askWhole(kind string, instance int) (a answer, ok bool) {
	c := r.clients[instance]
	c.address = r.run.stage.servers[instance].address
	a, err := c.do(r.request)
	switch {
	case err != nil:
		what := "connection lost"
		if errors.As(err, &notSentError{}) {
			what = "no connection"
			time.Sleep(5 * time.Millisecond) // it is down
		}
		r.run.fail("read, "+what, "")
	case a.status == 412:
		r.run.fail("412 to "+kind, string(a.body))
	case a.status >= 500:
		r.run.fail("read, "+strconv.Itoa(a.status), string(a.body))
	default:
		r.stats.kinds[kind]++
		if a.remembered {
			r.stats.remembered++
		}
		return a, true
	}
	return a, false
}

// judge holds a value against its register and counts how old it is.
func (r *reader) judge(reg *register, value int64, e expectation, instance int, what string) {
	v := reg.judge(value, e)
	if v.wrong != "" {
		r.run.violate(reg, value, "instance %d, %s, asked at %s: %s (at least %d; begun %d, acknowledged %d)",
			instance, what, r.run.clock(e.asked), v.wrong, e.least, reg.started.Load(), reg.acknowledged.Load())
		return
	}
	r.stats.stale(r.run, e.asked, v.stale)
}

// token adds a version that must be shown at least, and says its position.
func (r *reader) token(version string) uint64 {
	r.request = append(append(append(r.request, "Vital-Min-Version: "...), version...), "\r\n"...)
	return r.run.stage.position(version)
}

// asking is one question for a context, and what its answer must be.
type asking struct {
	play             *play
	member, instance int
	way              string
	last             *memory // what was shown last, where the question rests on it
	conditional      bool
	expected         [len(shown)]expectation
	guest            expectation // the other tenant's name, as its guest sees it
}

// context reads a context, in one of the ways there are.
func (r *reader) context(p *play, member, instance int) {
	q := asking{play: p, member: member, instance: instance, way: "GET /v1/context", last: r.seen[[2]int{p.number, member}]}
	r.request = append(r.request[:0], get("/v1/context", p.members[member])...)
	var at uint64
	var given handed
	own := false
	switch n := r.random.IntN(100); {
	case n < 15 && q.last != nil:
		own, q.way = true, "GET /v1/context with the last version"
		if at = r.token(q.last.version); at > 0 {
			at-- // a commit that was under way then may be at that position itself
		}
	case n < 22:
		if given = r.run.handed(r.random, p.number); given.version != "" {
			at, q.way = r.token(given.version), "GET /v1/context with a writer's version"
		}
	}
	if q.conditional = q.last != nil && r.random.IntN(12) == 0; q.conditional {
		r.request = append(append(append(r.request, "If-None-Match: "...), q.last.etag...), "\r\n"...)
	}
	q.expect(r.run.stage.neighbour(p).registers[nameRegister], at, given, own)
	if a, ok := r.ask(q.way, instance); ok {
		r.hold(q, a)
	}
}

// expect says what the answer must show, before it is asked for.
func (q *asking) expect(guest *register, at uint64, given handed, own bool) {
	now := time.Now()
	of := func(reg *register, seen func() int64) expectation {
		e := reg.expect(q.instance, at, now)
		if own {
			e.raise(seen(), "which the token came with")
		}
		if given.register == reg {
			e.raise(given.value, "which the token was given for")
		}
		return e
	}
	for i := range shown {
		q.expected[i] = of(q.play.registers[shown[i]], func() int64 { return q.last.values[i] })
	}
	q.guest = of(guest, func() int64 { return q.last.guest })
}

// hold holds a context against what it must show.
func (r *reader) hold(q asking, a answer) {
	p := q.play
	got := memory{version: a.version, etag: a.etag}
	wrong := ""
	switch {
	case a.status == 304 && q.conditional && a.etag == q.last.etag:
		got.values, got.guest = q.last.values, q.last.guest
	case a.status == 200:
		got.values, got.guest, wrong = r.scan(p, q.member, a.body)
	default:
		wrong = "a member is refused"
	}
	if wrong != "" {
		r.run.violate(p.registers[configRegister], 0, "instance %d, %s: %s: %d %s", q.instance, q.way, wrong, a.status, a.body)
		return
	}
	for i := range shown {
		r.judge(p.registers[shown[i]], got.values[i], q.expected[i], q.instance, q.way)
	}
	if q.member == both {
		r.judge(r.run.stage.neighbour(p).registers[nameRegister], got.guest, q.guest, q.instance, q.way+", a guest's")
	}
	r.seen[[2]int{p.number, q.member}] = &got
}

// both is the member who is a guest of the next tenant.
const both = 2

var (
	prefix       = []byte("chaos-")
	organization = []byte(`"organization"`)
)

// scan finds the numbers in a context, and what is wrong with it besides.
func (r *reader) scan(p *play, member int, body []byte) (values [len(shown)]int64, guest int64, wrong string) {
	var found [len(shown)]bool
	at := bytes.Index(body, organization)
	if at < 0 || !bytes.Contains(body[at:min(len(body), at+90)], []byte(p.id.String())) {
		return values, 0, "it is of another tenant than asked"
	}
	neighbour := r.run.stage.neighbour(p).number
	for rest := body; ; {
		at := bytes.Index(rest, prefix)
		if at < 0 {
			break
		}
		rest = rest[at+len(prefix):]
		letter, tenant, value := parseMarker(rest)
		i := strings.IndexByte(shown, letter)
		switch {
		case tenant == p.number && i >= 0:
			if found[i] && values[i] != value {
				return values, guest, "its parts are not of one moment"
			}
			values[i], found[i] = value, true
		case letter == definitionRegister:
		case letter == nameRegister && tenant == neighbour && member == both:
			guest = value
		default:
			return values, guest, "it shows what belongs to another tenant"
		}
	}
	for i := range found {
		if !found[i] {
			return values, guest, "it lacks " + shown[i:i+1]
		}
	}
	return values, guest, ""
}

// parseMarker reads what marker has written, behind its prefix.
func parseMarker(text []byte) (letter byte, tenant int, value int64) {
	if len(text) < 5 {
		return 0, 0, 0
	}
	letter, text = text[0], text[2:]
	for len(text) > 0 && text[0] >= '0' && text[0] <= '9' {
		tenant, text = 10*tenant+int(text[0]-'0'), text[1:]
	}
	if len(text) == 0 {
		return 0, 0, 0
	}
	for text = text[1:]; len(text) > 0 && text[0] >= '0' && text[0] <= '9'; text = text[1:] {
		value = 10*value + int64(text[0]-'0')
	}
	return letter, tenant, value
}

// find is the number of a register in an answer, and whether there is one.
func find(body []byte, letter byte) (tenant int, value int64, ok bool) {
	at := bytes.Index(body, append(bytes.Clone(prefix), letter, '-'))
	if at < 0 {
		return 0, 0, false
	}
	_, tenant, value = parseMarker(body[at+len(prefix):])
	return tenant, value, true
}

// flags evaluates all flags.
func (r *reader) flags(p *play, instance int) {
	const way = "POST /ofrep/v1/evaluate/flags"
	const body = `{"context":{}}`
	r.request = append(r.request[:0], "POST /ofrep/v1/evaluate/flags HTTP/1.1\r\nHost: vital\r\nContent-Type: application/json\r\nContent-Length: "...)
	r.request = append(strconv.AppendInt(r.request, int64(len(body)), 10), "\r\nAuthorization: Bearer "...)
	r.request = append(append(r.request, p.members[0]...), "\r\n"...)
	var at uint64
	if r.random.IntN(4) == 0 {
		if given := r.run.handed(r.random, p.number); given.version != "" {
			at = r.token(given.version)
		}
	}
	reg := r.run.stage.definition
	expected := reg.expect(instance, at, time.Now())
	r.request = append(append(r.request, "\r\n"...), body...)
	a, ok := r.askWhole(way, instance)
	if !ok {
		return
	}
	_, value, found := find(a.body, definitionRegister)
	if a.status != 200 || !found {
		r.run.violate(reg, 0, "instance %d, %s: a member is answered %d %s", instance, way, a.status, a.body)
		return
	}
	r.judge(reg, value, expected, instance, way)
}

// rest reads a row, which nobody remembers: what was acknowledged before it is asked for is shown.
func (r *reader) rest(p *play, instance int) {
	const way = "GET /rest/v1/agents"
	r.request = append(r.request[:0], get("/rest/v1/agents?slug=eq.counter&select=tenant_id,description", p.members[0])...)
	if r.random.IntN(2) == 0 {
		if given := r.run.handed(r.random, p.number); given.version != "" {
			r.token(given.version)
		}
	}
	reg := p.registers[agentRegister]
	expected := reg.expect(instance, 0, time.Now())
	expected.raise(reg.acknowledged.Load(), "which the database has acknowledged")
	a, ok := r.ask(way, instance)
	if !ok {
		return
	}
	tenant, value, found := find(a.body, agentRegister)
	if a.status != 200 || !found || tenant != p.number || !bytes.Contains(a.body, []byte(p.id.String())) {
		r.run.violate(reg, 0, "instance %d, %s: a member is answered %d %s", instance, way, a.status, a.body)
		return
	}
	r.judge(reg, value, expected, instance, way)
}

var membership = []byte(`"membership"`)

// role reads which role a member has.
func (r *reader) role(p *play, instance int) {
	way := "GET /v1/context of one whose role changes"
	r.request = append(r.request[:0], get("/v1/context", p.changing)...)
	expected := p.role.expect(instance, 0, time.Now())
	a, ok := r.ask(way, instance)
	if !ok {
		return
	}
	at := bytes.Index(a.body, membership)
	if a.status != 200 || at < 0 {
		r.run.violate(p.role, 0, "instance %d, %s: a member is answered %d %s", instance, way, a.status, a.body)
		return
	}
	part := a.body[at:]
	part = part[:bytes.IndexByte(part, '}')+1]
	for state, role := range roles {
		if bytes.Contains(part, []byte(`"`+role+`"`)) {
			r.judge(p.role, int64(state), expected, instance, way)
			return
		}
	}
	r.run.violate(p.role, 0, "instance %d, %s: no role: %s", instance, way, part)
}

// access reads as one who is removed and added.
func (r *reader) access(p *play, instance int) {
	r.gate(p.access, p.coming, instance, "GET /v1/context of one who is removed and added", 403, 404)
}

// signedIn reads as one who signs out.
func (r *reader) signedIn(p *play, instance int) {
	s := p.session.Load()
	r.gate(s.ended, s.token, instance, "GET /v1/context of a session that ends", 401, 401)
}

// alive reads in a tenant that is suspended and activated.
func (r *reader) alive(p *play, instance int) {
	r.gate(p.life, p.members[0], instance, "GET /v1/context of a tenant that is suspended", 403, 403)
}

// gate reads a context that is answered at even numbers of a register and refused at odd ones.
func (r *reader) gate(reg *register, token string, instance int, way string, refusals ...int) {
	r.request = append(r.request[:0], get("/v1/context", token)...)
	expected := reg.expect(instance, 0, time.Now())
	a, ok := r.ask(way, instance)
	switch {
	case !ok:
	case a.status == 200:
		r.judge(reg, 0, expected, instance, way)
	case a.status == refusals[0] || a.status == refusals[1%len(refusals)]:
		r.judge(reg, 1, expected, instance, way)
	default:
		r.run.violate(reg, 0, "instance %d, %s: answered %d %s", instance, way, a.status, a.body)
	}
}

// shared reads a tenant's document from Redis itself, as an application of any kind would. How old it is counts apart.
func (r *reader) shared(p *play) {
	if r.redis == nil {
		conn, err := net.DialTimeout("unix", r.run.stage.redis.socket, time.Second) //nolint:noctx // it has a time of its own
		if err != nil {
			r.run.fail("read of Redis", "")
			return
		}
		r.redis, r.redisIn = conn, bufio.NewReader(conn)
	}
	now := time.Now()
	text, err := ask(r.redis, r.redisIn, "GET", "tenant:"+p.id.String()+":config")
	if err != nil {
		_ = r.redis.Close()
		r.redis = nil
		r.run.fail("read of Redis", "")
		return
	}
	r.stats.kinds["GET of Redis"]++
	if text == "" {
		return
	}
	for i := range shown {
		tenant, value, found := find([]byte(text), shown[i])
		reg := p.registers[shown[i]]
		if !found || tenant != p.number || value > reg.started.Load() {
			r.run.violate(reg, value, "Redis holds what nobody has written: %s", text)
			return
		}
		r.stats.staleRedis(r.run, reg.judge(value, expectation{asked: now}).stale)
	}
}
