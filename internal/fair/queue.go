package fair

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// ErrSaturated says that all turns were taken for too long, and not by whoever asked.
var ErrSaturated = errors.New("no turn came in time")

const (
	// neighbourly is for how long after another tenant was here a tenant leaves room for it.
	neighbourly = 10 * time.Second
	// firstGuess is how long a turn is taken to be before there was one.
	firstGuess = time.Millisecond
	// mostDebt is how much more than its share a party may have held, and be served after others for.
	mostDebt = 2 * time.Second
	// waitingPerTurn is how many requests of a tenant may wait for each turn there is at one time, and waitingOfOne how many
	// of one caller whose tenant is not known.
	waitingPerTurn, waitingOfOne = 16, 16
)

// Queue gives turns at something of which there are only so many at one time. While others are about, a party may take another
// turn only while it has fewer of them than are free: one that takes all it can get leaves half to the others, two that do leave
// a third, and whoever comes finds a turn free at once. Nothing could take a turn back that was given. A party that is alone may
// have all of them. Those who must wait are served by how long they have held their turns, the least first.
//
// A rush that passes is waited out. Where somebody has waited all the time for half as long as anybody would, it does not pass: more
// is asked for than there is, and to wait longer makes all late and nobody served who would not be. From then on those who have waited
// for a quarter of what they would are refused when their turn comes, and it goes to one who came later.
type Queue struct {
	size int

	mu      sync.Mutex
	free    int
	holding int           // how many lines have turns
	level   time.Duration // how long a party has held turns that had its share all the time
	lines   map[*Party]*line
	waiting []*line   // those in which somebody waits
	crowded time.Time // since when somebody does, all the time
	swept   time.Time
	// The tenant that was here last, when, and when the last other one was: enough to say when a tenant was alone.
	last, other struct {
		line *line
		at   time.Time
	}
	stat QueueStat
}

// QueueStat is a moment of a queue.
type QueueStat struct {
	Waiting  int           // requests
	Waits    int64         // requests that had to wait, since the start
	HeldBack int64         // of these, those for which a turn was free, and kept for others
	WaitTime time.Duration // of all of them
}

// line is one party at the queue.
type line struct {
	party   *Party
	held    int
	atOnce  int
	used    time.Duration // how long it has held turns, or the level at which it came, whichever is more
	typical time.Duration // how long one of its turns is
	seen    time.Time
	waiting int
	turns   []*member // who has somebody waiting, in the order they are served
	members map[memberID]*member
}

// memberID tells members apart: of a tenant, or of a crowd, which has many parties.
type memberID struct {
	party *Party
	id    uuid.UUID
}

// member is one of a party, with their requests in order.
type member struct {
	id      memberID
	waiting []*waiter
}

type waiter struct {
	came     time.Time
	patience time.Duration
	turn     *Turn         // once it is given
	late     bool          // there is to be none any more, and it has left the queue
	ready    chan struct{} // closed with either
}

// Turn is one that was given. It ends with Done.
type Turn struct {
	queue   *Queue
	line    *line
	began   time.Time
	charged time.Duration
}

// NewQueue gives size turns at one time.
func NewQueue(size int) *Queue {
	return &Queue{size: size, free: size, lines: map[*Party]*line{}}
}

// Take waits for a turn, no longer than patience. It returns a RejectedError where the party's own requests are what it would
// wait for, or has waited for; ErrSaturated where those of others are; the error of ctx when that ends.
func (q *Queue) Take(ctx context.Context, claim Claim, patience time.Duration) (*Turn, error) {
	q.mu.Lock()
	now := time.Now()
	l := q.lineOf(claim, now)
	if len(q.waiting) == 0 && q.mayHave(l, now) {
		turn := q.give(l, now)
		q.mu.Unlock()
		return turn, nil
	}
	id := memberID{claim.Party, claim.Member}
	if l.isFull(id, q.size) {
		err := &RejectedError{Reason: TooMany, After: l.patienceNeeded()}
		q.mu.Unlock()
		return nil, err
	}
	w := &waiter{came: now, patience: patience, ready: make(chan struct{})}
	q.enter(l, id, w)
	heldBack := q.free > 0
	q.serve(now)
	if w.turn != nil { // those who wait may have none of what is free
		q.mu.Unlock()
		return w.turn, nil
	}
	q.stat.Waits++
	if heldBack {
		q.stat.HeldBack++
	}
	q.mu.Unlock()
	return q.await(ctx, l, id, w)
}

// await waits for the turn of w.
func (q *Queue) await(ctx context.Context, l *line, id memberID, w *waiter) (*Turn, error) {
	timer := time.NewTimer(w.patience)
	defer timer.Stop()
	var ended error
	select {
	case <-w.ready:
	case <-ctx.Done():
		ended = ctx.Err()
	case <-timer.C:
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	q.stat.WaitTime += now.Sub(w.came)
	switch {
	case w.turn != nil && ended != nil:
		q.end(w.turn, now)
		return nil, ended
	case w.turn != nil:
		return w.turn, nil
	}
	if !w.late {
		q.leave(l, id, w)
	}
	if ended != nil {
		return nil, ended
	}
	if l.isTenant() && l.held > 0 && (q.hasCompany(l, now) || l.atOnce > 0 && l.held >= l.atOnce) {
		return nil, &RejectedError{Reason: TooLong, After: l.patienceNeeded()}
	}
	return nil, ErrSaturated
}

// Done ends a turn.
func (t *Turn) Done() {
	q := t.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	q.end(t, time.Now())
}

// Stat returns how the queue stands now.
func (q *Queue) Stat() QueueStat {
	q.mu.Lock()
	defer q.mu.Unlock()
	stat := q.stat
	for _, l := range q.waiting {
		stat.Waiting += l.waiting
	}
	return stat
}

// lineOf returns the line of who claims. One that was away has earned nothing by it.
func (q *Queue) lineOf(claim Claim, now time.Time) *line {
	q.sweep(now)
	var crowd *Party
	if claim.Party != nil {
		crowd = claim.Party.crowd
	}
	l := q.lines[crowd]
	if l == nil {
		l = &line{party: crowd, typical: firstGuess, members: map[memberID]*member{}}
		q.lines[crowd] = l
	}
	if l.held == 0 && l.waiting == 0 {
		l.used = max(l.used, q.level)
	}
	l.atOnce = claim.AtOnce
	q.see(l, now)
	return l
}

// mayHave says whether l may take one more turn.
func (q *Queue) mayHave(l *line, now time.Time) bool {
	return q.free > 0 && (l.atOnce == 0 || l.held < l.atOnce) && (l.held < q.free || !q.hasCompany(l, now))
}

// hasCompany says whether anybody else is about: has a turn, waits for one, or is a tenant that was here a moment ago.
func (q *Queue) hasCompany(l *line, now time.Time) bool {
	if q.size-q.free > l.held || len(q.waiting) > 1 || len(q.waiting) == 1 && q.waiting[0] != l {
		return true
	}
	others := q.last
	if others.line == l {
		others = q.other
	}
	return others.line != nil && now.Sub(others.at) < neighbourly
}

// see takes note that l was here. Those whose tenant is not known pass by: the next time they are seen it is as their tenant.
func (q *Queue) see(l *line, now time.Time) {
	l.seen = now
	if !l.isTenant() {
		return
	}
	if q.last.line != l {
		q.other = q.last
	}
	q.last.line, q.last.at = l, now
}

func (q *Queue) give(l *line, now time.Time) *Turn {
	q.free--
	if l.held++; l.held == 1 {
		q.holding++
	}
	turn := &Turn{queue: q, line: l, began: now, charged: l.typical}
	l.used += turn.charged
	return turn
}

// end takes a turn back, puts what it has taken in place of what it was thought to, and gives it to the next.
func (q *Queue) end(t *Turn, now time.Time) {
	took := now.Sub(t.began)
	l := t.line
	q.level += took / time.Duration(max(q.holding, len(q.waiting)))
	l.used = min(l.used+took-t.charged, q.level+mostDebt)
	q.free++
	if l.held--; l.held == 0 {
		q.holding--
	}
	l.typical += (took - l.typical) / 8
	q.see(l, now)
	q.serve(now)
}

// enter puts a request at the end of its member's.
func (q *Queue) enter(l *line, id memberID, w *waiter) {
	if len(q.waiting) == 0 {
		q.crowded = w.came
	}
	m := l.members[id]
	if m == nil {
		m = &member{id: id}
		l.members[id] = m
		l.turns = append(l.turns, m)
	}
	m.waiting = append(m.waiting, w)
	if l.waiting++; l.waiting == 1 {
		q.waiting = append(q.waiting, l)
	}
}

// serve gives turns to those who wait, for as long as any of them may have one.
func (q *Queue) serve(now time.Time) {
	for q.free > 0 {
		var next *line
		for _, l := range q.waiting {
			if (next == nil || l.used < next.used) && q.mayHave(l, now) {
				next = l
			}
		}
		if next == nil {
			return
		}
		m := next.turns[0]
		w := m.waiting[0]
		if w.late = q.tooLate(next, w, now); !w.late {
			w.turn = q.give(next, now)
		}
		close(w.ready)
		q.leave(next, m.id, w)
		if !w.late && len(m.waiting) > 0 { // the others of the party first
			next.turns = append(next.turns[1:], m)
		}
	}
}

// tooLate says whether w has waited for so long that whoever came later is served instead.
func (q *Queue) tooLate(l *line, w *waiter, now time.Time) bool {
	return now.Sub(q.crowded) >= w.patience/2 && now.Sub(w.came) >= max(w.patience/4, 4*l.typical)
}

// leave takes a request out of the queue.
func (q *Queue) leave(l *line, id memberID, w *waiter) {
	m := l.members[id]
	at := slices.Index(m.waiting, w)
	m.waiting = slices.Delete(m.waiting, at, at+1)
	if len(m.waiting) == 0 {
		delete(l.members, id)
		l.turns = slices.DeleteFunc(l.turns, func(other *member) bool { return other == m })
	}
	if l.waiting--; l.waiting == 0 {
		q.waiting = slices.DeleteFunc(q.waiting, func(other *line) bool { return other == l })
	}
}

// sweep forgets who was not here for a while.
func (q *Queue) sweep(now time.Time) {
	if now.Sub(q.swept) < neighbourly {
		return
	}
	q.swept = now
	for party, l := range q.lines {
		if l.held == 0 && l.waiting == 0 && now.Sub(l.seen) >= neighbourly {
			delete(q.lines, party)
		}
	}
}

func (l *line) isTenant() bool { return l.party != nil && l.party.Tenant != uuid.Nil }

// isFull says whether no more requests of a member may wait. In a crowd nobody answers for what the others do; and what is
// nobody's is the server's own.
func (l *line) isFull(id memberID, size int) bool {
	switch {
	case l.isTenant():
		return l.waiting >= waitingPerTurn*size
	case l.party == nil || l.members[id] == nil:
		return false
	}
	return len(l.members[id].waiting) >= waitingOfOne
}

// patienceNeeded is about how long those who wait in l will take.
func (l *line) patienceNeeded() time.Duration {
	return min(time.Duration(l.waiting+1)*l.typical/time.Duration(max(1, l.held)), 10*time.Second)
}
