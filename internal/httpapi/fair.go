package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/vital-db/vital/internal/fair"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/tenant"
)

const (
	// partiesKept is about how many tenants, callers and meanings of names are remembered of each.
	partiesKept = 1 << 17
	// limitsGather is for how long tenants gather whose limits are read together, limitsAtOnce how many. Nobody waits for them: until
	// they are known the last ones hold.
	limitsGather   = 20 * time.Millisecond
	limitsAtOnce   = 1024
	limitsReadTime = 5 * time.Second
)

// fairness shares the server between tenants.
type fairness struct {
	directory *fair.Directory
	throttles *tenant.Throttles
	rate      int // of whoever has no limit of their own; zero is any

	mu      sync.Mutex
	unread  []*fair.Party // whose limits are to be read
	reading bool
}

func newFairness(throttles *tenant.Throttles, rate int) *fairness {
	if throttles == nil {
		return nil
	}
	return &fairness{directory: fair.NewDirectory(partiesKept), throttles: throttles, rate: rate}
}

// counted is whom a request counts to.
type counted struct {
	asks   fair.Caller // nobody, where an address is all that is known
	party  *fair.Party // nil where nobody counts
	atOnce int
}

// claim is what the request takes its turns at the database with.
func (c *counted) claim() fair.Claim {
	return fair.Claim{Party: c.party, Member: c.asks.Who, AtOnce: c.atOnce}
}

// admit counts the request of caller, who names a tenant or "" for their token's or their default, or refuses it: before
// anything is read of it or for it, since refusing must cost less than answering. Operators' keys are not counted.
func (s *Server) admit(r *http.Request, caller identity.Caller, named string) error {
	f := s.fair
	if f == nil || caller.Role == identity.ServiceRole {
		return nil
	}
	rq, now := requestOf(r.Context()), time.Now()
	c := &rq.counted
	switch {
	case caller.UserID != uuid.Nil:
		c.asks = fair.Caller{Who: caller.UserID, Tenant: nameOf(caller, named)}
	case caller.Rights != 0: // a tenant's key
		c.asks = fair.Caller{Who: caller.SessionID, Tenant: nameOf(caller, named)}
	default: // one key is in all of a site's pages
		c.party = f.directory.FindAddress(s.address(r))
		return f.take(c.party, now, f.rate)
	}
	c.party = f.directory.Find(c.asks)
	limits := f.limitsOf(c.party, now)
	c.atOnce = limits.AtOnce
	if limits.PerSecond == 0 {
		limits.PerSecond = f.rate
	}
	return f.take(c.party, now, limits.PerSecond)
}

// nameOf is the tenant that is named, in one spelling: an id may be written in any case.
func nameOf(caller identity.Caller, named string) string {
	if named == "" {
		named = caller.Tenant
	}
	if len(named) == 36 {
		return strings.ToLower(named)
	}
	return named
}

func (f *fairness) take(party *fair.Party, now time.Time, rate int) error {
	err := party.Take(now, rate)
	if err == nil {
		return nil
	}
	message := "You ask more often than you may."
	if party.Tenant != uuid.Nil {
		message = "This tenant asks more often than it may."
	}
	return fault.Wrap(err, fault.TenantOverLimit, message,
		fmt.Sprintf("Wait as long as Retry-After says: %d requests a second are answered (limits.requests_per_second), which the operator can change.", rate))
}

// limitsOf returns what party may take as it was last known, and has it read where that may have changed.
func (f *fairness) limitsOf(party *fair.Party, now time.Time) fair.Limits {
	if party.Tenant == uuid.Nil {
		return fair.Limits{}
	}
	if limits, current := f.throttles.Recall(party.Tenant); current {
		return limits
	}
	if party.MayAsk(now) {
		f.read(party)
	}
	last, _ := party.Limits()
	return last
}

// read has what party may take read, with that of others, unless enough of them wait for it; whoever asks next tries again.
func (f *fairness) read(party *fair.Party) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.unread) == limitsAtOnce {
		return
	}
	f.unread = append(f.unread, party)
	if !f.reading {
		f.reading = true
		go f.readLimits()
	}
}

// readLimits reads the limits of those who gather, until there are none.
func (f *fairness) readLimits() {
	for {
		time.Sleep(limitsGather)
		f.mu.Lock()
		parties := f.unread
		f.unread, f.reading = nil, len(parties) > 0
		f.mu.Unlock()
		if len(parties) == 0 {
			return
		}
		f.setLimits(parties)
	}
}

// setLimits has the limits that the database has for parties hold from now on; where it does not say, the last ones do.
func (f *fairness) setLimits(parties []*fair.Party) {
	ids := make([]uuid.UUID, len(parties))
	for i, party := range parties {
		ids[i] = party.Tenant
	}
	ctx, cancel := context.WithTimeout(context.Background(), limitsReadTime)
	defer cancel()
	limits, err := f.throttles.Read(ctx, ids)
	if err != nil {
		return
	}
	for _, party := range parties {
		party.SetLimits(limits[party.Tenant])
	}
}

// learn remembers what the database has said of a request that is over: which tenant the name meant, or that it means none
// to who asked.
func (f *fairness) learn(rq *request) {
	if f == nil || rq.counted.party == nil || rq.counted.asks.Who == uuid.Nil || rq.tenant == rq.counted.party.Tenant {
		return
	}
	if rq.tenant != uuid.Nil || rq.err == nil || barred[fault.CodeOf(rq.err)] {
		f.directory.Learn(rq.counted.asks, rq.tenant)
	}
}

// barred are the errors of those who may not act in the tenant they name: what they do does not count to it.
var barred = map[fault.Code]bool{
	fault.TenantNotFound: true, fault.MembershipMissing: true, fault.UserUnknown: true, fault.UserWithoutProfile: true,
	fault.UserWithoutOrganization: true, fault.SessionRevoked: true, fault.APIKeyInvalid: true,
}

// asTenant returns ctx with the claim of the tenant that a request turned out to be of, for what goes on after its answer began.
func (s *Server) asTenant(ctx context.Context, rq *request) context.Context {
	s.fair.learn(rq)
	if s.fair == nil || rq.counted.party == nil || rq.counted.asks.Who == uuid.Nil {
		return ctx
	}
	now := rq.counted
	now.party = s.fair.directory.Find(now.asks)
	return context.WithValue(ctx, fair.ClaimKey{}, now.claim())
}

// tellWhenToRetry says after how many seconds to try again, where that is all that is wrong.
func tellWhenToRetry(header http.Header, status int, err error) {
	seconds := 1
	var rejected *fair.RejectedError
	switch {
	case status == http.StatusTooManyRequests && errors.As(err, &rejected):
		seconds = max(1, int((rejected.After+time.Second-1)/time.Second))
	case status != http.StatusServiceUnavailable:
		return
	}
	header.Set("Retry-After", strconv.Itoa(seconds))
}
