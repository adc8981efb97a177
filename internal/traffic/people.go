package traffic

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/population"
)

// Crowd says who asks.
type Crowd struct {
	// Shape is what was loaded.
	Shape population.Shape
	// Users bounds how many different ones ask. Defaults to all there are.
	Users int
	// Exponent is that of Zipf's law, by which tenants are drawn. Defaults to 1.1.
	Exponent float64
	// Mix is what they ask for. Defaults to Usual.
	Mix Mix
	// Address stands in their requests.
	Address string
	// Issue makes an access token of user n.
	Issue func(n int) (string, error)
	// Password is that of every user; "" is none, and nobody signs in.
	Password string
}

// tokenUse is how long a token is used; it must be good for longer.
const tokenUse = 30 * time.Minute

// TokenTTL is how long the tokens of Issue must be good.
const TokenTTL = 2 * tokenUse

// mostSessions is how many sessions are kept to be refreshed.
const mostSessions = 100_000

// People are the users of a running server, with what each of them has.
type People struct {
	Crowd

	tenants  Zipf
	people   []atomic.Pointer[person]
	sessions chan string // refresh tokens
}

// person is one user.
type person struct {
	token   string
	until   time.Time
	context atomic.Pointer[string] // what they know their context by
	flags   atomic.Pointer[string]
}

// NewPeople prepares a crowd. What it cannot ask for without a password is left out of Usual, and refused in a mix of one's own.
func NewPeople(crowd Crowd) (*People, error) {
	if crowd.Exponent == 0 {
		crowd.Exponent = 1.1
	}
	if crowd.Mix == nil {
		crowd.Mix = Usual
		if crowd.Password == "" {
			crowd.Mix = crowd.Mix.Without(KindSignIn, KindRefresh)
		}
		if crowd.Shape.Flags == 0 {
			crowd.Mix = crowd.Mix.Without(KindFlag, KindFlags)
		}
		if crowd.Shape.Prompts == 0 {
			crowd.Mix = crowd.Mix.Without(KindSingle)
		}
	}
	if crowd.Password == "" && crowd.Mix.Has(KindSignIn, KindRefresh) {
		return nil, fault.New(fault.Usage, "Signing in takes the password the users were loaded with.", "Name it, or leave signin and refresh out of the mix.")
	}
	all := crowd.Shape.Tenants * crowd.Shape.Members
	if crowd.Users <= 0 || crowd.Users > all {
		crowd.Users = all
	}
	tenants := (crowd.Users + crowd.Shape.Members - 1) / crowd.Shape.Members
	return &People{
		Crowd: crowd, tenants: NewZipf(tenants, crowd.Exponent), people: make([]atomic.Pointer[person], crowd.Users+1),
		sessions: make(chan string, mostSessions),
	}, nil
}

// Next is what somebody asks for next.
func (p *People) Next(random *rand.Rand) (Order, error) {
	tenant := p.tenants.Draw(random)
	user := min(p.Shape.User(tenant, random.IntN(p.Shape.Members)+1), p.Users)
	return p.order(p.Mix.draw(random), tenant, user, random)
}

func (p *People) order(kind string, tenant, user int, random *rand.Rand) (Order, error) {
	if kind == KindSignIn || kind == KindRefresh {
		return p.session(kind, user), nil
	}
	who, err := p.person(user)
	if err != nil {
		return Order{}, err
	}
	o := Order{Kind: kind}
	get := func(path string) []byte { return Get(p.Address, path, who.token) }
	switch kind {
	case KindContext:
		o.Bytes, o.Got = get("/v1/context"), keep(&who.context)
	case KindUnchanged:
		o.Bytes, o.Got = known(get("/v1/context"), &who.context), keep(&who.context)
	case KindList:
		o.Bytes = get("/rest/v1/prompts?select=id,title,description,category,version,status,updated_at&order=title&limit=20")
	case KindSingle:
		o.Bytes = get("/rest/v1/prompts?select=*&id=eq." + population.PromptID(tenant, random.IntN(max(1, p.Shape.Prompts))+1).String())
	case KindInsert:
		o.Bytes = Post(p.Address, "/rest/v1/prompts", who.token, fmt.Sprintf(`{"title":"Load %d","body":"Written by a measurement.","tenant_id":"%s"}`, random.Uint64(), population.TenantID(tenant)))
	case KindFlag:
		o.Bytes = Post(p.Address, "/ofrep/v1/evaluate/flags/"+population.FlagKey(random.IntN(max(1, p.Shape.Flags))+1), who.token, evaluation(user))
	case KindFlags:
		o.Bytes, o.Got = known(Post(p.Address, "/ofrep/v1/evaluate/flags", who.token, evaluation(user)), &who.flags), keep(&who.flags)
	}
	return o, nil
}

func evaluation(user int) string {
	return fmt.Sprintf(`{"context":{"targetingKey":"user-%d"}}`, user)
}

// keep remembers what an answer is known by.
func keep(in *atomic.Pointer[string]) func(Reply, []byte) {
	return func(r Reply, _ []byte) {
		if had := in.Load(); r.Validator != "" && (had == nil || *had != r.Validator) {
			in.Store(&r.Validator)
		}
	}
}

// known is request by a client that has an answer, where it does.
func known(request []byte, by *atomic.Pointer[string]) []byte {
	if validator := by.Load(); validator != nil {
		return WithHeader(request, "If-None-Match", *validator)
	}
	return request
}

// person is user n with a token that is good.
func (p *People) person(n int) (*person, error) {
	now := time.Now()
	who := p.people[n].Load()
	if who != nil && now.Before(who.until) {
		return who, nil
	}
	token, err := p.Issue(n)
	if err != nil {
		return nil, err
	}
	fresh := &person{token: token, until: now.Add(tokenUse)}
	if who != nil {
		fresh.context.Store(who.context.Load())
		fresh.flags.Store(who.flags.Load())
	}
	p.people[n].Store(fresh)
	return fresh, nil
}

// AddressOf is the address user n comes from, as a proxy would name it: a server that trusts this machine to be one counts their attempts apart.
func AddressOf(n int) string { return fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255) }

// session signs in, or refreshes a session that is there; each can be refreshed once until its answer is here.
func (p *People) session(kind string, user int) Order {
	path, body := "/auth/v1/token?grant_type=password", map[string]string{"email": population.Email(user), "password": p.Password}
	if kind == KindRefresh {
		select {
		case token := <-p.sessions:
			path, body = "/auth/v1/token?grant_type=refresh_token", map[string]string{"refresh_token": token}
		default:
			kind = KindSignIn // there is none yet
		}
	}
	text, _ := json.Marshal(body) // never fails
	request := WithHeader(Post(p.Address, path, "", string(text)), "X-Forwarded-For", AddressOf(user))
	return Order{Kind: kind, Bytes: request, Reads: true, Got: func(r Reply, answer []byte) {
		var session struct {
			RefreshToken string `json:"refresh_token"`
		}
		if r.Status != 200 || json.Unmarshal(answer, &session) != nil || session.RefreshToken == "" {
			return
		}
		select {
		case p.sessions <- session.RefreshToken:
		default: // enough are kept
		}
	}}
}
