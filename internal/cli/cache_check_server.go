package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
)

const (
	// comparers is how many contexts of a server are compared beside each other.
	comparers = 4
	// drawEvery is how often other members are drawn. Between, the same are asked for, so that they are remembered.
	drawEvery = 10 * time.Second
	// tokenTime is how long a token of the check is good.
	tokenTime = time.Minute
)

// serverSource is a running server, whose contexts are compared.
type serverSource struct {
	address string
	service *postgres.Service
	issuer  *identity.TokenIssuer
	members *memberPool
	client  *http.Client
	sample  int
	within  time.Duration
	session uuid.UUID

	mu    sync.Mutex
	found checked
}

func newServerSource(address string, service *postgres.Service, issuer *identity.TokenIssuer, members *memberPool, flags cacheCheckFlags) *serverSource {
	return &serverSource{
		address: address, service: service, issuer: issuer, members: members, client: serverClient(), sample: flags.sample, within: flags.late,
		session: uuid.New(), found: checked{Source: address},
	}
}

// shown is a context as somebody has it, or why there is none.
type shown struct {
	version tenant.Version
	body    []byte
	refusal fault.Code
}

func (s shown) equal(o shown) bool { return s.refusal == o.refusal && bytes.Equal(s.body, o.body) }

// refusals are the answers that there is no context; all other errors say that nothing was answered.
var refusals = map[fault.Code]bool{
	fault.UserUnknown: true, fault.UserWithoutProfile: true, fault.UserWithoutOrganization: true, fault.MembershipMissing: true, fault.TenantNotFound: true,
	fault.TenantPending: true, fault.TenantSuspended: true, fault.TenantArchived: true, fault.TenantUnconfigured: true,
}

func (s *serverSource) result() checked {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.found
	c.Examples = append([]string(nil), c.Examples...)
	c.Samples = c.Judged() + c.Moved + c.Failed
	return c
}

// meet finds out whether the server is there and takes the tokens of this command.
func (s *serverSource) meet(ctx context.Context) error {
	members, err := s.members.draw(ctx, 1)
	if err != nil {
		return err
	}
	member := tenant.SampledMember{TenantID: uuid.New(), UserID: uuid.New(), Email: "nobody@vital.test"} // refused, which is an answer
	if len(members) > 0 {
		member = members[0]
	}
	_, err = s.ask(ctx, member)
	return err
}

func (s *serverSource) round(ctx context.Context) error {
	members, err := s.members.draw(ctx, s.sample)
	if err != nil {
		return err
	}
	work := make(chan tenant.SampledMember)
	failed := make([]error, comparers)
	var running sync.WaitGroup
	for i := range comparers {
		running.Go(func() {
			for member := range work {
				if err := s.compare(ctx, member); err != nil && failed[i] == nil {
					failed[i] = err
				}
			}
		})
	}
	for _, member := range members {
		work <- member
	}
	close(work)
	running.Wait()
	return errors.Join(failed...)
}

// compare asks for one context until it is the database's, or has been another for too long.
func (s *serverSource) compare(ctx context.Context, member tenant.SampledMember) error {
	var missing shown // what the database has had
	var since time.Time
	var late time.Duration
	for tries := 0; ctx.Err() == nil; tries++ {
		before, err := s.read(ctx, member)
		if err != nil {
			return err
		}
		sent := time.Now()
		got, err := s.ask(ctx, member)
		if err != nil {
			s.count(func(c *checked) { c.Failed++ })
			return nil //nolint:nilerr // that one is not answered is counted, and the rest goes on
		}
		after, err := s.read(ctx, member)
		switch {
		case err != nil:
			return err
		case got.equal(before) || got.equal(after):
			s.count(func(c *checked) { c.shown(late, since) })
			return nil
		case !older(got, before) && !before.equal(after):
			if tries < 10 { // it changes faster than it can be read
				continue
			}
			s.count(func(c *checked) { c.Moved++ })
			return nil
		}
		if since.IsZero() || reached(got, missing) {
			missing, since = before, sent // the database had it before this was sent
		}
		if late = max(late, sent.Sub(since)); sent.Sub(since) > s.within {
			s.count(func(c *checked) {
				c.Late(late)
				c.Violated("%s in tenant %s: %s for %d ms", member.Email, member.TenantID, difference(got, missing), late.Milliseconds())
			})
			return nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
	return ctx.Err()
}

// shown counts a context that is the database's, and was behind for late before if since is set.
func (c *checked) shown(late time.Duration, since time.Time) {
	if since.IsZero() {
		c.Equal++
		return
	}
	c.Late(late)
	c.Behind++
}

// older reports whether got is older than what the database has, by the versions.
func older(got, has shown) bool {
	return got.refusal == "" && has.refusal == "" && !has.version.ReachedBy(got.version)
}

// reached reports whether got shows what was missing, or what came after it.
func reached(got, missing shown) bool {
	return got.equal(missing) || got.refusal == "" && missing.refusal == "" && missing.version != got.version && missing.version.ReachedBy(got.version)
}

// difference says how got is not what the database has.
func difference(got, has shown) string {
	switch {
	case got.refusal != "" && has.refusal != "":
		return fmt.Sprintf("refused as %s, not as %s,", got.refusal, has.refusal)
	case got.refusal != "":
		return fmt.Sprintf("refused as %s, though the database has a context,", got.refusal)
	case has.refusal != "":
		return fmt.Sprintf("answered, though the database refuses it as %s,", has.refusal)
	case older(got, has):
		return fmt.Sprintf("version %s, older than the database's %s,", got.version.Counters(), has.version.Counters())
	default:
		return fmt.Sprintf("other than the database's at version %s", has.version.Counters())
	}
}

func (s *serverSource) count(add func(*checked)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	add(&s.found)
}

// read is the context as the database has it.
func (s *serverSource) read(ctx context.Context, member tenant.SampledMember) (has shown, err error) {
	err = s.service.AsService(ctx, "ContextBuild", func(tx pgx.Tx) (err error) {
		has.version, has.body, err = tenant.BuildContext(ctx, tx, member.UserID, member.TenantID)
		return err
	})
	if code := fault.CodeOf(err); refusals[code] {
		return shown{refusal: code}, nil
	}
	return has, err
}

// ask is the context as the server answers it.
func (s *serverSource) ask(ctx context.Context, member tenant.SampledMember) (got shown, err error) {
	token, err := s.issuer.Issue(identity.Grant{
		UserID: member.UserID, Email: member.Email, Role: identity.Authenticated, SessionID: s.session, Tenant: member.TenantID.String(), TTL: tokenTime,
	})
	if err != nil {
		return got, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.address+"/v1/context", nil)
	if err != nil {
		return got, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := s.client.Do(request)
	if err != nil {
		return got, errServer(err, s.address)
	}
	defer response.Body.Close() //nolint:errcheck // it was read
	body, err := io.ReadAll(io.LimitReader(response.Body, 64<<20))
	if err != nil {
		return got, errServer(err, s.address)
	}
	var says struct {
		Code    fault.Code `json:"code"`
		Version string     `json:"version"`
	}
	_ = json.Unmarshal(body, &says) // what it says then is nothing
	switch {
	case response.StatusCode == http.StatusOK && says.Version != "":
		if strings.Contains(response.Header.Get("Server-Timing"), "cache;") {
			s.count(func(c *checked) { c.Remembered++ })
		}
		got.body = body
		got.version, err = tenant.ParseCounters(says.Version)
		return got, err
	case refusals[says.Code]:
		return shown{refusal: says.Code}, nil
	case response.StatusCode == http.StatusUnauthorized && says.Code != "":
		return got, fault.New(says.Code, fmt.Sprintf("The server at %s does not take the tokens of this command.", s.address),
			"Give this command the server's settings: VITAL_JWT_SECRET, VITAL_JWT_ISSUER and VITAL_JWT_AUDIENCE, or the data directory.")
	case says.Code != "":
		return got, fault.New(says.Code, fmt.Sprintf("The server at %s answers %s.", s.address, response.Status), "Its log says why.")
	default:
		return got, errNoVital(nil, s.address)
	}
}

// memberPool are the members whose contexts are asked for.
type memberPool struct {
	service *postgres.Service
	size    int

	mu      sync.Mutex
	members []tenant.SampledMember
	drawn   time.Time
}

// draw returns up to n of them.
func (p *memberPool) draw(ctx context.Context, n int) ([]tenant.SampledMember, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.drawn) > drawEvery {
		err := p.service.AsService(ctx, "MembersSample", func(tx pgx.Tx) (err error) {
			p.members, err = tenant.SampleMembers(ctx, tx, p.size)
			return err
		})
		if err != nil {
			return nil, err
		}
		p.drawn = time.Now()
	}
	some := make([]tenant.SampledMember, 0, n)
	for range min(n, n*len(p.members)) { // one may be asked for twice at once, too
		some = append(some, p.members[rand.IntN(len(p.members))]) //nolint:gosec // no secret
	}
	return some, nil
}
