package cache

// Subscription tells of changes of some scopes.
type Subscription struct {
	// C receives after one or more changes, and after everything had to be forgotten. It holds one signal: whoever is
	// slow hears of all that happened meanwhile at once.
	C <-chan struct{}

	f      *Follower
	c      chan struct{}
	scopes []Scope
	seen   map[Scope]int64
}

// Subscribe tells of changes of scopes beyond the versions given.
func (f *Follower) Subscribe(known ...Change) *Subscription {
	s := &Subscription{f: f, c: make(chan struct{}, 1), seen: make(map[Scope]int64, len(known))}
	s.C = s.c
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, k := range known {
		s.scopes, s.seen[k.Scope] = append(s.scopes, k.Scope), k.Version
		if f.subscribers[k.Scope] == nil {
			f.subscribers[k.Scope] = map[*Subscription]struct{}{}
		}
		f.subscribers[k.Scope][s] = struct{}{}
		if _, ok := f.pending[k.Scope]; !ok {
			f.pending[k.Scope] = false // it may have risen since it was read
		}
	}
	f.awake()
	return s
}

// Close ends it.
func (s *Subscription) Close() {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	for _, scope := range s.scopes {
		delete(s.f.subscribers[scope], s)
		if len(s.f.subscribers[scope]) == 0 {
			delete(s.f.subscribers, scope)
		}
	}
}

func (s *Subscription) signal() {
	select {
	case s.c <- struct{}{}:
	default:
	}
}
