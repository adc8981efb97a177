package coherence

import (
	"sync"
	"sync/atomic"
	"time"
)

// instances is how many servers answer at once.
const instances = 3

// nobody acknowledges what is written in the database itself.
const nobody = -1

// register is a value that one writer counts up, so that its history is a number: whatever anybody reads of it says
// how much of the history they were shown.
type register struct {
	name string
	// states is how many values a reader can tell apart: of a role or a membership only the number modulo that many.
	// Zero is all of them.
	states int64

	started      atomic.Int64            // the last write that was begun
	acknowledged atomic.Int64            // the last one that is known to be kept
	by           [instances]atomic.Int64 // the last one that this instance has acknowledged

	mu     sync.Mutex
	recent [256]acknowledgement // a ring of the last ones
	count  int
}

// acknowledgement is that a write is known to be kept.
type acknowledgement struct {
	value    int64
	at       time.Time
	position uint64 // of the log, behind the commit; 0 where it is not known
}

// begin names the next write, before it is sent.
func (r *register) begin() int64 { return r.started.Add(1) }

// acknowledge takes note that value is kept, before anybody is told.
func (r *register) acknowledge(value int64, by int, at time.Time, position uint64) {
	r.mu.Lock()
	r.recent[r.count%len(r.recent)] = acknowledgement{value, at, position}
	r.count++
	r.mu.Unlock()
	r.acknowledged.Store(value)
	if by != nobody {
		r.by[by].Store(value)
	}
}

// covered is the last acknowledged write that whoever has seen position of the log must be shown.
func (r *register) covered(position uint64) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	for n := r.count - 1; n >= max(0, r.count-len(r.recent)); n-- {
		if a := &r.recent[n%len(r.recent)]; a.position != 0 && a.position <= position {
			return a.value
		}
	}
	return 0
}

// expectation is what a read must show, as it is known when it is sent.
type expectation struct {
	least int64
	why   string
	asked time.Time
}

// expect says what a read must show that is about to be sent to an instance, with a token of a position, 0 for none.
func (r *register) expect(instance int, position uint64, now time.Time) expectation {
	e := expectation{least: r.by[instance].Load(), why: "which this instance has acknowledged", asked: now}
	if position != 0 {
		if covered := r.covered(position); covered > e.least {
			e.least, e.why = covered, "which the token covers"
		}
	}
	return e
}

// raise asks for value besides.
func (e *expectation) raise(value int64, why string) {
	if value > e.least {
		e.least, e.why = value, why
	}
}

// number is the newest write that may have been shown, where a reader could tell only its state.
func (r *register) number(shown int64) int64 {
	if r.states == 0 {
		return shown
	}
	last := r.started.Load()
	return last - ((last-shown)%r.states+r.states)%r.states
}

// verdict is what a value that was read says.
type verdict struct {
	wrong string        // what it breaks; "" for nothing
	stale time.Duration // since when something newer had been acknowledged, when it was asked for
}

// judge holds a value that was read against what it must be.
func (r *register) judge(shown int64, e expectation) verdict {
	value := r.number(shown)
	switch {
	case value > r.started.Load():
		return verdict{wrong: "shows what nobody has written"}
	case value < e.least:
		return verdict{wrong: "does not show a write " + e.why}
	case value >= r.acknowledged.Load():
		return verdict{}
	}
	return verdict{stale: max(0, e.asked.Sub(r.overtaken(value)))}
}

// overtaken is when the first write after value was acknowledged; as far back as is remembered.
func (r *register) overtaken(value int64) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := time.Now()
	for n := r.count - 1; n >= max(0, r.count-len(r.recent)); n-- {
		a := &r.recent[n%len(r.recent)]
		if a.value <= value {
			break
		}
		first = a.at
	}
	return first
}
