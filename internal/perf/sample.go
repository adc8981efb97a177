package perf

import (
	"math/rand/v2"
	"sync/atomic"
)

// sampler chooses about budget of what comes in a second, each as likely as any other, so that what is chosen, counted as
// often as it stands for, comes to what there was.
type sampler struct {
	budget int64
	seen   atomic.Int64 // since it was renewed
	oneOf  atomic.Int64 // of how many one is chosen; 0 is as 1
}

// sample says as how many the next one counts, 0 where it is not chosen.
func (s *sampler) sample() int64 {
	n := s.oneOf.Load()
	if over := s.seen.Add(1) / s.budget; over > n { // more than there were in the second before
		s.oneOf.CompareAndSwap(n, over)
		n = over
	}
	if n <= 1 {
		return 1
	}
	if rand.Int64N(n) != 0 { //nolint:gosec // what is chosen is no secret
		return 0
	}
	return n
}

// renew begins a second, in which as many are expected as in the one before.
func (s *sampler) renew() {
	s.oneOf.Store(max(1, s.seen.Swap(0)/s.budget))
}
