// Package fair shares a server between tenants: whom a request counts to, how often they may ask, and whose turn it is for
// what there are only so many of. It knows neither HTTP nor a database.
package fair

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// Limits are what a party may take at most, on one server; zero is no limit.
type Limits struct {
	// PerSecond is how many requests it may make a second.
	PerSecond int
	// AtOnce is how many of them may be in the database at one time.
	AtOnce int
}

// Party is whom requests count to: a tenant, or a caller of whom no tenant is known yet.
type Party struct {
	// Tenant is zero while it is not known.
	Tenant uuid.UUID

	crowd  *Party // with whom it takes turns as one; itself for a tenant
	bucket bucket
	limits atomic.Pointer[Limits]
	asked  atomic.Int64 // when its limits were asked for last, as of since
}

func newTenant(id uuid.UUID) *Party {
	p := &Party{Tenant: id}
	p.crowd = p
	return p
}

// Limits are the last that were set.
func (p *Party) Limits() (limits Limits, known bool) {
	if l := p.limits.Load(); l != nil {
		return *l, true
	}
	return limits, false
}

// SetLimits has limits hold from now on.
func (p *Party) SetLimits(limits Limits) { p.limits.Store(&limits) }

// askAgain is how long after limits were asked for they may be asked for again.
const askAgain = 250 * time.Millisecond

// MayAsk says whether it is time to ask for the party's limits, to one of all who want to know.
func (p *Party) MayAsk(now time.Time) bool {
	at, last := since(now), p.asked.Load()
	return (last == 0 || at-last >= int64(askAgain)) && p.asked.CompareAndSwap(last, at)
}

// Claim is what a request asks for a turn with.
type Claim struct {
	Party *Party
	// Member is who of the party it is: members take turns, too.
	Member uuid.UUID
	// AtOnce is how many turns the party may have at one time, zero for any number.
	AtOnce int
}

// ClaimKey is where a context has the Claim of what is done within it.
type ClaimKey struct{}

// ClaimOf returns the claim of ctx; without one it is nobody's, and nothing but the number of turns bounds it.
func ClaimOf(ctx context.Context) Claim {
	claim, _ := ctx.Value(ClaimKey{}).(Claim)
	return claim
}

// Reason is why somebody is turned away.
type Reason string

// The reasons.
const (
	TooOften Reason = "rate"  // they ask more often than they may
	TooMany  Reason = "queue" // too many of theirs are waiting
	TooLong  Reason = "wait"  // theirs have waited too long for others of theirs
)

// RejectedError turns somebody away because of what they take themselves.
type RejectedError struct {
	Reason Reason
	// After is when it is worth to try again.
	After time.Duration
}

func (e *RejectedError) Error() string { return "over the limit: " + string(e.Reason) }

// began is what monotonic times are counted from.
var began = time.Now()

// since is now in nanoseconds, on a clock that nobody sets.
func since(now time.Time) int64 { return int64(now.Sub(began)) }
