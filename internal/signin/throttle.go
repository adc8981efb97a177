package signin

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/vital-db/vital/internal/bounded"
	"github.com/vital-db/vital/internal/fault"
)

// ThrottledError is the cause of an over_request_rate_limit fault: when to come again.
type ThrottledError struct{ After time.Duration }

func (t ThrottledError) Error() string { return fmt.Sprintf("throttled for %s", t.After) }

func throttled(after time.Duration) error {
	return fault.Wrap(ThrottledError{after}, fault.OverRequestRateLimit, "Request rate limit reached", hints[fault.OverRequestRateLimit])
}

// limits are kept in the memory of each process: behind a load balancer, as many times what is said here
// as there are processes. Each remembers at most maxBuckets of what it counts.
//
// A guesser is stopped by the pair of their address and the account. The account's own limit stops those
// with many addresses, and lets an address through that has signed in to the account before: so nobody can
// lock its owner out.
type limits struct {
	pair    *limiter // sign-in: address and account together
	account *limiter // sign-in: account, from addresses it does not know
	address *limiter // sign-in: address
	signup  *limiter // address
	refresh *limiter // address
	link    *limiter // asking for and opening links: address
	letter  *limiter // sending links: account
}

const maxBuckets = 50_000

func newLimits(now func() time.Time) limits {
	return limits{
		pair:    newLimiter(20, 30*time.Second, now),
		account: newLimiter(100, 10*time.Second, now),
		address: newLimiter(60, time.Second, now),
		signup:  newLimiter(30, 10*time.Second, now),
		refresh: newLimiter(300, 200*time.Millisecond, now),
		link:    newLimiter(30, 5*time.Second, now),
		letter:  newLimiter(2, time.Minute, now),
	}
}

// limiter is a token bucket for each key: burst at once, then one each interval.
type limiter struct {
	burst   float64
	every   time.Duration
	now     func() time.Time
	mu      sync.Mutex
	buckets bounded.Map[string, *bucket]
}

type bucket struct {
	tokens float64
	at     time.Time
}

func newLimiter(burst float64, every time.Duration, now func() time.Time) *limiter {
	return &limiter{burst: burst, every: every, now: now, buckets: bounded.New[string, *bucket](maxBuckets)}
}

// take uses up one of key's tokens before the work is done, so that many attempts at once count as many.
func (l *limiter) take(key string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, known := l.buckets.Get(key)
	now := l.now()
	if !known {
		b = &bucket{tokens: l.burst, at: now}
		l.buckets.Set(key, b)
	}
	if passed := now.Sub(b.at); passed > 0 {
		b.tokens = math.Min(l.burst, b.tokens+float64(passed)/float64(l.every))
		b.at = now
	}
	if b.tokens < 1 {
		return throttled(time.Duration((1 - b.tokens) * float64(l.every)))
	}
	b.tokens--
	return nil
}

// giveBack returns a token: only what fails counts.
func (l *limiter) giveBack(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b, known := l.buckets.Get(key); known {
		b.tokens = math.Min(l.burst, b.tokens+1)
	}
}

// forget makes key as new.
func (l *limiter) forget(key string) { l.buckets.Delete(key) }

// address is what a client counts as: an IPv6 network of 64 bits is one client's.
func (c Client) address() string {
	ip, err := netip.ParseAddr(c.IP)
	if err != nil {
		return "unknown"
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		network, err := ip.Prefix(64)
		if err == nil {
			return network.String()
		}
	}
	return ip.String()
}

func pairKey(c Client, email string) string { return c.address() + " " + strings.ToLower(email) }
