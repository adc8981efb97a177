package tenant

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/cache"
)

//go:embed coherence.sql
var coherenceText string

var coherenceQueries = database.ParseQueries(coherenceText)

// Coherence counts what comparing something that is remembered with the database came to.
type Coherence struct {
	Equal int `json:"equal"`
	// Moved changed while it was looked at.
	Moved int `json:"moved"`
	// Behind were older than the database, and no longer than they may be.
	Behind int `json:"behind"`
	// MaxBehind is how long one was seen to be older than the database, whether it may or not.
	MaxBehind time.Duration `json:"-"`
	// Violations were older for longer than they may be, or other than the database at the same version.
	Violations int `json:"violations"`
	// Garbage are the keys in Redis with what no server of this database has put there; no server uses it.
	Garbage int `json:"garbage"`
	// Examples are the first violations, in words.
	Examples []string `json:"examples"`
}

const maxExamples = 10

// Violated counts a violation.
func (c *Coherence) Violated(format string, args ...any) {
	c.Violations++
	if len(c.Examples) < maxExamples {
		c.Examples = append(c.Examples, fmt.Sprintf(format, args...))
	}
}

// Late counts something that has been older than the database for a while.
func (c *Coherence) Late(since time.Duration) {
	c.MaxBehind = max(c.MaxBehind, since)
}

// Judged is how many comparisons say something: all but those of what moved.
func (c *Coherence) Judged() int { return c.Equal + c.Behind + c.Violations }

// SharedCheck compares what Redis has with the database, again and again.
type SharedCheck struct {
	Coherence

	shared *Shared
	within time.Duration
	sample int
	behind map[string]staleDocument
	known  map[string]struct{} // garbage that was counted
}

// staleDocument is a document in Redis that was older than the database when it was last looked at.
type staleDocument struct {
	stamp string
	since time.Time // the database had another by then
}

// Check compares at most sample documents at a time; one may be older than the database for within, at most. It changes
// nothing of what is shared.
func (s *Shared) Check(sample int, within time.Duration) *SharedCheck {
	return &SharedCheck{shared: s, within: within, sample: sample, behind: map[string]staleDocument{}, known: map[string]struct{}{}}
}

// maxGarbage bounds the garbage that is told apart.
const maxGarbage = 10_000

func (c *SharedCheck) count(garbage []string) {
	for _, key := range garbage {
		if _, ok := c.known[key]; !ok && len(c.known) < maxGarbage {
			c.known[key] = struct{}{}
			c.Garbage++
		}
	}
}

// Look compares some of what there is, and what was behind the last time.
func (c *SharedCheck) Look(ctx context.Context) error {
	keys, err := c.draw(ctx)
	if err != nil {
		return err
	}
	found, garbage, err := c.shared.redis.Look(ctx, keys)
	if err != nil {
		return err
	}
	c.count(garbage)
	known := make(map[uuid.UUID]string, len(found))
	for key := range found {
		if id, err := parseSharedKey(key); err == nil {
			known[id] = "" // to be read whole
		}
	}
	now := make(map[uuid.UUID]*document, len(known))
	if err := c.shared.read(ctx, known, func(id uuid.UUID, read cache.Loaded[*document]) { now[id] = read.Value }); err != nil {
		return err
	}
	read := time.Now()
	var suspects []string
	for id := range known {
		key := sharedKey(id)
		has, is := found[key].Value, now[id]
		switch {
		case is == nil || is.stamp != has.stamp:
			suspects = append(suspects, key)
			continue
		case bytes.Equal(is.body, has.body):
			c.Equal++
		default:
			c.Violated("tenant %s: what Redis has at %s is not what the database has at the same", id, stampVersion(is.stamp))
		}
		delete(c.behind, key)
	}
	for key := range c.behind {
		if _, ok := found[key]; !ok {
			delete(c.behind, key) // it was dropped
		}
	}
	return c.suspect(ctx, suspects, found, now, read)
}

// suspect looks at documents a second time that were not the database's, which read them after Redis: one that is still
// there is older, and not only read before.
func (c *SharedCheck) suspect(ctx context.Context, keys []string, before map[string]cache.Loaded[*document], now map[uuid.UUID]*document, read time.Time) error {
	again, _, err := c.shared.redis.Look(ctx, keys)
	if err != nil {
		return err
	}
	for _, key := range keys {
		stamp := before[key].Value.stamp
		if still := again[key].Value; still == nil || still.stamp != stamp {
			delete(c.behind, key)
			c.Moved++
			continue
		}
		if c.behind[key].stamp != stamp {
			c.behind[key] = staleDocument{stamp, read}
		}
		late := time.Since(c.behind[key].since)
		c.Late(late)
		if late <= c.within {
			c.Behind++
			continue
		}
		id, _ := parseSharedKey(key)
		has := "nothing"
		if now[id] != nil {
			has = stampVersion(now[id].stamp)
		}
		c.Violated("tenant %s: Redis has had %s for %d ms, the database has %s", id, stampVersion(stamp), late.Milliseconds(), has)
	}
	return nil
}

// stampVersion is what of a stamp a person reads: the versions.
func stampVersion(stamp string) string {
	if at := strings.LastIndexByte(stamp, '.'); at > 0 {
		return "version " + stamp[:at]
	}
	return stamp
}

// draw picks keys, each as likely as any other, and those that were behind.
func (c *SharedCheck) draw(ctx context.Context) ([]string, error) {
	var drawn []string
	seen := 0
	err := c.shared.redis.Keys(ctx, func(keys []string) error {
		for _, key := range keys {
			seen++
			if _, ok := c.behind[key]; ok {
				continue
			}
			if len(drawn) < c.sample {
				drawn = append(drawn, key)
			} else if at := rand.IntN(seen); at < c.sample { //nolint:gosec // no secret
				drawn[at] = key
			}
		}
		return nil
	})
	for key := range c.behind {
		drawn = append(drawn, key)
	}
	return drawn, err
}

// SampledMember is somebody whose context can be asked for.
type SampledMember struct {
	TenantID, UserID uuid.UUID
	Email            string
}

// SampleMembers draws up to n memberships from all over the table, at a cost that does not grow with it.
func SampleMembers(ctx context.Context, tx pgx.Tx, n int) ([]SampledMember, error) {
	var rows float64
	if err := tx.QueryRow(ctx, coherenceQueries.Get("MemberEstimate")).Scan(&rows); err != nil {
		return nil, fmt.Errorf("estimate members: %w", err)
	}
	percent := 100.0
	if enough := 100 * float64(n); rows > enough { // pages are drawn, with all that is on them
		percent = math.Min(100, 100*enough/rows)
	}
	members, err := collect[SampledMember](ctx, tx, coherenceQueries.Get("Members"), percent, n)
	if err != nil {
		return nil, fmt.Errorf("sample members: %w", err)
	}
	return members, nil
}

// BuildContext reads the context of a user in a tenant from the database itself, for an operator.
func BuildContext(ctx context.Context, tx pgx.Tx, userID, tenantID uuid.UUID) (version Version, body []byte, err error) {
	var text string
	if err = tx.QueryRow(ctx, coherenceQueries.Get("ContextBuild"), userID, tenantID.String()).Scan(&text, &body); err != nil {
		return version, nil, err
	}
	version, err = ParseCounters(text)
	return version, body, err
}
