// Package cache is what is remembered of the database, and how it stays true. Whatever is remembered carries the
// versions of the scopes it was made of; a writer raises them in its own transaction, and a Follower hears of it.
// Nothing is served from memory while nothing could be heard.
package cache

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Source is where changes are heard and looked up.
type Source struct {
	// Listen hears notifications until ctx ends: heard is called with "" whenever it begins to listen, and with each
	// payload then; current, again and again, with a time before which nothing was committed that has not been heard;
	// lost when it hears nothing any more.
	Listen func(ctx context.Context, heard func(payload string), current func(at time.Time), lost func())
	// Versions reads the versions that scopes have, or 0, and how far the log is; it fails where that is less than least.
	Versions func(ctx context.Context, scopes []Scope, least int64) (versions []Change, position int64, err error)
	// Risen is told of the versions of tenants and of Global once they have been looked up, also of tenants of whom
	// nothing is remembered here, and nil where anything may have changed. It must not block. May be nil.
	Risen func([]Change)
	// Followed is told how long after the beginning of the transaction that changed a scope this process followed. May be nil.
	Followed func(delay time.Duration)
	Log      *slog.Logger
}

const (
	// remembered is how many hints a load may span. One that spans more is not kept.
	remembered = 4096
	// between is the pause between two looks at versions, in which hints gather.
	between = 2 * time.Millisecond
	// lookTime bounds one look.
	lookTime = 5 * time.Second
	// lookAtOnce bounds the scopes of one look.
	lookAtOnce = 4096
	// lookAllAgain is the pause between two looks at everything.
	lookAllAgain = time.Second
	// coverAgain is the pause between two looks for the position alone.
	coverAgain = 250 * time.Millisecond
	// beginTime bounds the look at where the log is.
	beginTime = time.Second
	// notJustNow is how long ago a change is that somebody has told of who did not make it.
	notJustNow = 30 * time.Second
	// trusted is how long what is remembered is served after the last moment of which every change is known. A process
	// that was stopped meanwhile finds that it was by the clock, before it has read a word of what it missed.
	trusted = 1750 * time.Millisecond
)

// Follower follows the versions of a database. A notification is a hint that anybody could forge: what it names is
// looked up before anything is dropped for it, and only where somebody would want to know.
type Follower struct {
	source Source
	start  time.Time
	whole  atomic.Bool
	known  atomic.Int64 // up to when every change has been heard of and looked at, since start
	epoch  atomic.Int64 // counts how often everything had to be forgotten
	wake   chan struct{}

	mu          sync.Mutex
	states      map[Scope]*state
	subscribers map[Scope]map[*Subscription]struct{}
	hints       [remembered]Change // the last ones, by number
	heard       int64              // how many there were
	covered     int64              // how many of them lie before position
	coveredAt   time.Time          // when that was last looked for
	pending     map[Scope]bool     // to look at; true for what was heard of
	pendingAll  bool               // look at everything there is a state or a subscriber of
	lookedAll   time.Time
	heardTo     time.Duration // up to when every change has been heard of, since start
	looking     bool

	hinted, looked, forgotten atomic.Int64
	position                  atomic.Int64 // changes with covered
}

// Position is how far the database's log was at the last look: whoever has read it that far shows every change that
// was looked at.
func (f *Follower) Position() int64 { return f.position.Load() }

// FollowerStat counts what a Follower did.
type FollowerStat struct {
	Hints     int64 // notifications heard
	Looks     int64 // at versions
	Forgotten int64 // how often all that was remembered had to be forgotten
}

// Stat returns what f did so far.
func (f *Follower) Stat() FollowerStat {
	return FollowerStat{Hints: f.hinted.Load(), Looks: f.looked.Load(), Forgotten: f.forgotten.Load()}
}

// state is the version a scope is known to have reached, for the entries made of it.
type state struct {
	version atomic.Int64
	uses    int
}

// NewFollower returns one that follows nothing until Run.
func NewFollower(source Source) *Follower {
	if source.Log == nil {
		source.Log = slog.New(slog.DiscardHandler)
	}
	return &Follower{
		source: source, wake: make(chan struct{}, 1), start: time.Now(),
		states: map[Scope]*state{}, subscribers: map[Scope]map[*Subscription]struct{}{}, pending: map[Scope]bool{},
	}
}

// Run follows until ctx ends.
func (f *Follower) Run(ctx context.Context) {
	var looking sync.WaitGroup
	looking.Go(func() { f.look(ctx) })
	f.source.Listen(ctx, f.hear, func(at time.Time) { f.current(ctx, at) }, f.lose)
	looking.Wait()
	f.whole.Store(false)
}

// Whole reports whether every change is heard of.
func (f *Follower) Whole() bool {
	return f.whole.Load() && time.Since(f.start)-time.Duration(f.known.Load()) < trusted
}

// current takes note that whatever was committed before at has been heard of.
func (f *Follower) current(ctx context.Context, at time.Time) {
	if !f.whole.Load() {
		f.begin(ctx)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.heardTo = at.Sub(f.start)
	if len(f.pending) == 0 && !f.pendingAll && !f.looking {
		f.known.Store(int64(f.heardTo))
	}
	if f.lags() {
		f.awake()
	}
}

// lags reports whether it is time to find out how far the log is although nothing rests on what was heard: a load must
// show, or be held against, each hint behind that.
func (f *Follower) lags() bool {
	return f.heard-f.covered > remembered/2 || f.heard > f.covered && time.Since(f.coveredAt) > coverAgain
}

// begin begins to trust what is heard. A server that was restarted, or another, may not have come as far in its log as
// the last one said; a replica must have come to where this one is, or what it shows may lack what was notified before.
func (f *Follower) begin(ctx context.Context) {
	within, cancel := context.WithTimeout(ctx, beginTime)
	defer cancel()
	at := time.Since(f.start)
	heard, _, _ := f.began()
	_, position, err := f.source.Versions(within, []Scope{Global}, 0)
	if err != nil {
		return // the next time
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forgetAll()
	f.position.Store(position)
	f.covered, f.coveredAt = heard, time.Now()
	f.heardTo = at // whatever is remembered from now on is read later
	f.known.Store(int64(at))
	f.whole.Store(true)
}

// Settle takes note of what this process itself has committed, before anybody is told of the commit: hints as they are
// notified, "*" for very many. They are looked up, like all others.
func (f *Follower) Settle(ctx context.Context, hints []string) {
	if len(hints) == 0 {
		return
	}
	var scopes []Scope
	heardOf := map[Scope]bool{}
	f.mu.Lock()
	for _, hint := range hints {
		if hint == everything {
			f.heard += remembered + 1 // nothing that may have been read before is kept
			f.forgetAll()
			f.mu.Unlock()
			f.awake()
			return
		}
		if c, ok := parseChange(hint); ok {
			f.note(c)
			scopes, heardOf[c.Scope] = append(scopes, c.Scope), true
		}
	}
	f.mu.Unlock()
	if f.whole.Load() { // else nothing is remembered; and no load that began before is shared any more
		f.learn(context.WithoutCancel(ctx), scopes, heardOf) // whoever wrote may be gone
	}
}

// everything is the hint of a transaction that has changed very many scopes.
const everything = "*"

// hear takes a notification: "kind:key:version" as vital.settle_versions writes it, or everything; "" when it begins.
func (f *Follower) hear(payload string) {
	if payload == "" { // something may have been missed; whole once it is known how far the log is
		f.whole.Store(false)
		return
	}
	f.hinted.Add(1)
	f.mu.Lock()
	if payload == everything {
		f.noteAll()
	} else if c, ok := parseChange(payload); ok { // else it is forged
		f.note(c)
		if f.wants(c.Scope) {
			f.pending[c.Scope] = true
		}
		if len(f.pending) > lookAtOnce {
			f.noteAll()
		}
	}
	f.mu.Unlock()
	f.awake()
}

// wants reports whether anything rests on scope.
func (f *Follower) wants(scope Scope) bool {
	return f.states[scope] != nil || f.subscribers[scope] != nil || f.source.Risen != nil && rises(scope)
}

// rises reports whether Risen is told of scope.
func rises(scope Scope) bool { return scope.Kind == Tenant || scope == Global }

// noteAll takes note that anything may have changed: no load that is under way is kept, and everything is looked at.
func (f *Follower) noteAll() {
	f.heard += remembered + 1
	clear(f.pending)
	f.pendingAll = true
}

func (f *Follower) awake() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

func (f *Follower) lose() {
	if f.whole.Swap(false) {
		f.source.Log.Warn("changes are not heard: nothing is served from memory until they are")
	}
}

// forget drops everything that is remembered, and tells every subscriber to look again.
func (f *Follower) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forgetAll()
}

// forgetAll is forget where the mutex is held.
func (f *Follower) forgetAll() {
	if f.source.Risen != nil {
		defer f.source.Risen(nil)
	}
	f.epoch.Add(1)
	f.forgotten.Add(1)
	clear(f.pending)
	for _, subscribers := range f.subscribers {
		for s := range subscribers {
			s.signal()
		}
	}
}

// look looks up what was hinted at, many at once.
func (f *Follower) look(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.wake:
		}
		pending, heardOf, heardTo := f.takePending()
		for scopes := range slices.Chunk(pending, lookAtOnce) {
			f.learn(ctx, scopes, heardOf)
		}
		if len(pending) == 0 && f.lagging() {
			_, _ = f.lookAt(ctx, []Scope{Global}, 0) // or a little later
		}
		f.lookedAt(heardTo)
		select {
		case <-ctx.Done():
			return
		case <-time.After(between):
		}
	}
}

// lookedAt takes note that whatever was heard of up to a time has been looked at.
func (f *Follower) lookedAt(heardTo time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looking = false
	f.known.Store(max(f.known.Load(), int64(heardTo)))
}

// takePending is what to look at now, and up to when that was heard of. Everything is looked at once in lookAllAgain,
// however often that is asked for.
func (f *Follower) takePending() (scopes []Scope, heardOf map[Scope]bool, heardTo time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	heardTo = f.heardTo
	if f.pendingAll {
		if wait := lookAllAgain - time.Since(f.lookedAll); wait > 0 {
			time.AfterFunc(wait, f.awake)
			heardTo = time.Duration(f.known.Load()) // and not all of what was heard
		} else {
			f.pendingAll, f.lookedAll = false, time.Now()
			if f.source.Risen != nil {
				defer f.source.Risen(nil)
			}
			for s := range f.states {
				f.pending[s] = false // Risen has been told of all
			}
			for s := range f.subscribers {
				f.pending[s] = false
			}
		}
	}
	heardOf, f.pending = f.pending, map[Scope]bool{}
	f.looking = true
	return slices.Collect(maps.Keys(heardOf)), heardOf, heardTo
}

// lagging is lags, which it takes note of.
func (f *Follower) lagging() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.lags() {
		return false
	}
	f.coveredAt = time.Now()
	return true
}

// lookAt reads the versions of scopes, where the log has come to least, and drops what is older.
func (f *Follower) lookAt(ctx context.Context, scopes []Scope, least int64) ([]Change, error) {
	within, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	f.looked.Add(1)
	heard, _, epoch := f.began()
	changes, position, err := f.source.Versions(within, scopes, least)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	if f.epoch.Load() == epoch { // else it may be that of a server that is gone
		f.position.Store(max(f.position.Load(), position))
		f.covered, f.coveredAt = max(f.covered, heard), time.Now()
	}
	for _, c := range changes {
		f.apply(c)
	}
	f.mu.Unlock()
	return changes, nil
}

// learn looks at scopes that may have changed, and tells Risen of those that were heard of. Where it cannot, nothing
// that is remembered can be trusted.
func (f *Follower) learn(ctx context.Context, scopes []Scope, heardOf map[Scope]bool) {
	if len(scopes) == 0 {
		return
	}
	changes, err := f.lookAt(ctx, scopes, 0)
	if err != nil {
		if ctx.Err() == nil {
			f.source.Log.Warn("versions cannot be read: forgetting what is remembered", "error", err)
		}
		f.forget()
		return
	}
	if f.source.Followed != nil {
		for _, c := range changes {
			if heardOf[c.Scope] && 0 < c.Age && c.Age < notJustNow {
				f.source.Followed(c.Age)
			}
		}
	}
	if f.source.Risen == nil {
		return
	}
	risen := slices.DeleteFunc(changes, func(c Change) bool { return !heardOf[c.Scope] || !rises(c.Scope) })
	if len(risen) > 0 {
		f.source.Risen(risen)
	}
}

// Confirm asks the database whether its log has come to least and versions are still the last ones. If so, what was
// made of them shows all that anybody can have seen before, on any server that had come to least.
func (f *Follower) Confirm(ctx context.Context, versions []Change, least int64) bool {
	scopes := make([]Scope, len(versions))
	for i, v := range versions {
		scopes[i] = v.Scope
	}
	now, err := f.lookAt(ctx, scopes, least)
	last := make(map[Scope]int64, len(now))
	for _, c := range now {
		last[c.Scope] = c.Version
	}
	return err == nil && !slices.ContainsFunc(versions, func(v Change) bool { return last[v.Scope] != v.Version })
}

// note keeps a hint for the loads that are under way.
func (f *Follower) note(c Change) {
	f.hints[f.heard%remembered] = c
	f.heard++
}

// apply makes what is older than c invalid, and wakes who waits for it.
func (f *Follower) apply(c Change) {
	if s := f.states[c.Scope]; s != nil && s.version.Load() < c.Version {
		s.version.Store(c.Version)
	}
	for s := range f.subscribers[c.Scope] {
		if s.seen[c.Scope] < c.Version {
			s.seen[c.Scope] = c.Version
			s.signal()
		}
	}
}

// began marks the beginning of a load: what is heard from now on may be missing in it, and so may what lies behind
// covered, where a replica answers that has come to Position and no further.
func (f *Follower) began() (heard, covered, epoch int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.heard, f.covered, f.epoch.Load()
}

// hold returns the states of versions for an entry whose load shows the hints before covered, or false where something
// was heard since that the load may not have seen.
func (f *Follower) hold(versions []Change, covered, epoch int64) ([]*state, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.whole.Load() || f.epoch.Load() != epoch || f.heard-covered > remembered {
		return nil, false
	}
	for n := covered; n < f.heard; n++ {
		hint := &f.hints[n%remembered]
		for _, v := range versions {
			if hint.Scope == v.Scope && hint.Version > v.Version {
				return nil, false
			}
		}
	}
	states := make([]*state, len(versions))
	for i, v := range versions {
		s := f.states[v.Scope]
		if s == nil {
			s = &state{}
			f.states[v.Scope] = s
		}
		s.uses++
		states[i] = s
	}
	return states, true
}

// release gives back what an entry held.
func (f *Follower) release(versions []Change, states []*state) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, s := range states {
		if s.uses--; s.uses == 0 && f.states[versions[i].Scope] == s {
			delete(f.states, versions[i].Scope)
		}
	}
}
