package postgres

import (
	"sync"
	"time"

	"github.com/google/uuid"
)

// writtenFor is how long a caller's own writes are remembered: longer than a replica that answers may lag.
const writtenFor = replicaLook + 4*lookTime

// written is how far the log was when callers last wrote through this process, so that their reads show it although
// they do not ask for it. Whoever has no user shares what nobody's writes have come to.
type written struct {
	mu     sync.Mutex
	by     map[uuid.UUID]known
	pruned time.Time
}

func (w *written) note(user uuid.UUID, position LSN) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.by == nil {
		w.by = map[uuid.UUID]known{}
	}
	if now.Sub(w.pruned) > writtenFor {
		for user, k := range w.by {
			if now.Sub(k.at) > writtenFor {
				delete(w.by, user)
			}
		}
		w.pruned = now
	}
	w.by[user] = known{max(position, w.by[user].position), now}
}

func (w *written) least(user uuid.UUID) LSN {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.by[user].position
}
