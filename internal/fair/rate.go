package fair

import (
	"sync/atomic"
	"time"
)

// burst is how much of their rate somebody may use at once who has not asked for that long. A bucket that was left alone for it
// is full: to forget it then changes nothing.
const burst = 2 * time.Second

// bucket holds a caller to a rate, by the generic cell rate algorithm: it is one moment, when all that was taken will have been
// earned.
type bucket struct{ earned atomic.Int64 }

// Take counts one request of at most rate a second, zero for any number, or says after what time there will be room for one.
func (p *Party) Take(now time.Time, rate int) error {
	if rate <= 0 {
		return nil
	}
	at, cost := since(now), int64(time.Second)/int64(rate)
	for {
		earned := p.bucket.earned.Load()
		then := max(earned, at) + cost
		if over := then - at - max(int64(burst), cost); over > 0 {
			return &RejectedError{Reason: TooOften, After: time.Duration(over)}
		}
		if p.bucket.earned.CompareAndSwap(earned, then) {
			return nil
		}
	}
}
