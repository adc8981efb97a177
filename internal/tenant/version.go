package tenant

import (
	"math"
	"strconv"
	"strings"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
)

// Version names a state that somebody has seen, as Vital-Version carries it: `global.tenant.membership.self.position`.
// The first four count the changes of what a context is made of; position is a place in the database's log, sealed,
// since how fast that grows tells what all tenants write. Whoever sends it back, as Vital-Min-Version, sees nothing
// older. The zero one was reached by all.
type Version struct {
	counters [4]int64
	position postgres.LSN
	// newest says that it carries a position nobody can read any more, since the key was rotated: only what is true
	// now is surely no older.
	newest bool
}

// unknown is a counter of what a state says nothing of: it counts as far as it can.
const unknown = math.MaxInt64

// ParseVersion reads a version, "" as the zero one. One without a position is good, too.
func ParseVersion(db *postgres.DB, text string) (v Version, err error) {
	if text == "" {
		return v, nil
	}
	if strings.Count(text, ".") == len(v.counters) {
		at := strings.LastIndexByte(text, '.')
		position, readable, ok := db.OpenPosition(text[at+1:])
		if !ok {
			return v, errVersion()
		}
		v.position, v.newest = position, !readable
		text = text[:at]
	}
	counters, err := ParseCounters(text)
	v.counters = counters.counters
	return v, err
}

// ParseCounters reads a version that has no position, as the field version of a context.
func ParseCounters(text string) (v Version, err error) {
	parts := strings.Split(text, ".")
	if len(parts) != len(v.counters) {
		return v, errVersion()
	}
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 63)
		if err != nil {
			return Version{}, errVersion()
		}
		v.counters[i] = int64(n)
	}
	return v, nil
}

func errVersion() error {
	return fault.New(fault.Invalid, "Vital-Min-Version is not a version.", "Send back what Vital-Version said.")
}

func errVersionNotReached() error {
	return fault.New(fault.VersionNotReached, "The version that Vital-Min-Version asks for has not been reached.",
		"It is a version as Vital-Version gave it; leave it out to get what there is.")
}

// At is v at a position of the log.
func (v Version) At(position postgres.LSN) Version {
	v.position = position
	return v
}

// Position is the position of the log in v, zero for none.
func (v Version) Position() postgres.LSN { return v.position }

// Counters are the four counters, as the field version of a context has them.
func (v Version) Counters() string { return string(v.appendCounters(make([]byte, 0, 32))) }

func (v Version) appendCounters(b []byte) []byte {
	for i, n := range v.counters {
		if i > 0 {
			b = append(b, '.')
		}
		if n == unknown {
			n = 0
		}
		b = strconv.AppendInt(b, n, 10)
	}
	return b
}

// Text is v as ParseVersion reads it, with its position sealed by db.
func (v Version) Text(db *postgres.DB) string {
	b := v.appendCounters(make([]byte, 0, 64))
	if v.position != 0 {
		b = append(append(b, '.'), db.SealPosition(v.position)...)
	}
	return string(b)
}

// countersReachedBy says whether r counts at least as many changes as v.
func (v Version) countersReachedBy(r Version) bool {
	for i, n := range v.counters {
		if r.counters[i] < n {
			return false
		}
	}
	return true
}

// ReachedBy says whether whoever has seen v sees nothing older in r, as far as they tell.
func (v Version) ReachedBy(r Version) bool {
	return v.countersReachedBy(r) && v.position <= r.position && !v.newest
}

// Bound has work show nothing older than v. A replica may answer a read of whoever has seen nothing, or a position
// that can be told before anything is read.
func (v Version) Bound(work *postgres.Work) {
	work.Least = v.position
	work.Replica = !work.Writes && (v.position != 0 || v == Version{})
}
