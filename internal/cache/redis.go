package cache

import (
	"cmp"
	"context"
	"crypto/rand"
	_ "embed"
	"log/slog"
	mathrand "math/rand/v2"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/vital-db/vital/internal/fault"
)

// leaseTime is how long whoever found a key missing may fill it.
const leaseTime = 10 * time.Second

// Each script touches a key and its lease, which are of one slot.
var (
	//go:embed lua/read.lua
	readText   string
	readScript = newScript("read", readText)
	//go:embed lua/fill.lua
	fillText   string
	fillScript = newScript("fill", fillText)
	//go:embed lua/replace.lua
	replaceText   string
	replaceScript = newScript("replace", replaceText)
	//go:embed lua/release.lua
	releaseText   string
	releaseScript = newScript("release", releaseText)
)

// RedisConfig says where Redis is and what is kept there.
type RedisConfig[V any] struct {
	// URL is redis://user:password@host:port/db, rediss:// for TLS or unix:///path; ?addr=host:port names further
	// hosts of a cluster.
	URL string
	// Pattern matches every key, as SCAN understands it. What it matches is VITAL's, and may be dropped at any time.
	// Defaults to tenant:*:config.
	Pattern string
	// TTL is a net, not the means of coherence. Defaults to 5 minutes.
	TTL time.Duration
	// Timeout bounds an operation that somebody waits for. Defaults to 50 ms.
	Timeout time.Duration
	Encode  func(key string, loaded Loaded[V]) ([]byte, error)
	// Decode returns an error for what is not ours or was altered: that is a miss.
	Decode func(key string, value []byte) (Loaded[V], error)
	// OnScript is told of every script that somebody waited for, by them. Defaults to nothing.
	OnScript func(context.Context, Script)
	Log      *slog.Logger
}

// Script is the record of one script that Redis was asked to run.
type Script struct {
	Name     string
	Duration time.Duration
	Code     string // how it ended: "" for well, the first word of what Redis refused it with, or busy, timeout, cancelled, unreachable
}

// Redis shares values between instances. What it says is only ever handed to a load, which asks the database whether
// it still holds; and since others may read the keys directly, a value is no older than the last eviction of its key:
//   - who finds a key missing takes its lease, and then loads: an eviction drops both, and a fill needs the lease;
//   - who finds a value that does not hold any more replaces exactly that one, which an eviction would have dropped.
//
// A load must therefore read no older state of the database than that at its beginning. A Redis that is away, slow,
// empty or wrong costs time only.
type Redis[V any] struct {
	config RedisConfig[V]
	link   *link

	hits, misses, stale, garbage, refused atomic.Int64
}

// RedisStat counts since the start.
type RedisStat struct {
	Hits      int64 `json:"hits"`      // values that still held
	Misses    int64 `json:"misses"`    // keys that were not there
	Stale     int64 `json:"stale"`     // values that did not hold any more
	Garbage   int64 `json:"garbage"`   // values that were not ours, or altered
	Refused   int64 `json:"refused"`   // fills without a lease: another instance fills, or the key was evicted
	Errors    int64 `json:"errors"`    // operations that failed
	Evictions int64 `json:"evictions"` // keys that were dropped
	Pending   int   `json:"pending"`   // evictions that are not done yet
	Down      bool  `json:"down"`
}

// OpenRedis connects. A Redis that is not reached is no error: it is tried again.
func OpenRedis[V any](config RedisConfig[V]) (*Redis[V], error) {
	options, err := redisOptions(config.URL)
	if err != nil {
		return nil, err
	}
	config.TTL = cmp.Or(config.TTL, 5*time.Minute)
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	return &Redis[V]{config: config, link: openLink(options,
		cmp.Or(config.Pattern, "tenant:*:config"), cmp.Or(config.Timeout, 50*time.Millisecond), config.Log, config.OnScript)}, nil
}

// redisOptions reads an address. Its errors quote nothing of it: anything may be part of a password.
func redisOptions(address string) (rueidis.ClientOption, error) {
	options, err := rueidis.ParseURL(address)
	u, _ := url.Parse(address)
	if err != nil || u.Host == "" && (u.Scheme != "unix" || u.Path == "") {
		return options, fault.New(fault.ConfigInvalid, "VITAL_REDIS_URL is not the address of a Redis.",
			"Write redis://user:password@host:6379/0, rediss:// for TLS, or unix:///path/redis.sock; name further hosts of a cluster "+
				"with ?addr=host:port. What is special in a URL is percent-encoded in a password.")
	}
	options.Dialer.Timeout = cmp.Or(options.Dialer.Timeout, patience)
	options.ConnWriteTimeout = cmp.Or(options.ConnWriteTimeout, patience)
	options.AlwaysPipelining = true // else a deadline would close the connection
	options.DisableRetry = true     // here the database is the second try
	options.DisableCache = true     // what Redis could tell of changes, the database does
	return options, nil
}

// claim is what a fill rests on: the value it replaces, or the lease of the missing key.
type claim struct {
	value  string
	found  bool
	token  string
	leased bool
}

// Get returns the value of key. load is handed what Redis has, or nil, and says whether the database keeps that
// (then it returns it); else it returns what there is now, which is stored unless key is evicted meanwhile. Only load's
// errors are returned. A key holds no braces.
func (r *Redis[V]) Get(ctx context.Context, key string, load func(ctx context.Context, known *Loaded[V]) (loaded Loaded[V], kept bool, err error)) (V, error) {
	claimed, ok := r.read(ctx, key)
	if !ok {
		loaded, _, err := load(ctx, nil)
		return loaded.Value, err
	}
	spent := false
	defer func() {
		if !spent { // an error or a panic: somebody else may fill it
			r.release(ctx, key, claimed)
		}
	}()
	known := r.decode(key, claimed)
	loaded, kept, err := load(ctx, known)
	switch {
	case err != nil:
		return loaded.Value, err
	case known != nil && kept:
		r.hits.Add(1)
		return loaded.Value, nil
	case known != nil:
		r.stale.Add(1)
	}
	spent = r.fill(ctx, key, claimed, loaded)
	return loaded.Value, nil
}

// read claims key; false says that Redis must be left out.
func (r *Redis[V]) read(ctx context.Context, key string) (claim, bool) {
	if !r.link.usable(key) {
		return claim{}, false
	}
	token := rand.Text()
	answer, err := r.link.exec(ctx, readScript, key, token, milliseconds(leaseTime))
	if err != nil {
		return claim{}, false
	}
	parts, err := answer.ToArray()
	if err != nil || len(parts) != 2 {
		return claim{}, false
	}
	value, missing := parts[0].ToString()
	taken, _ := parts[1].AsInt64()
	return claim{value: value, found: missing == nil, token: token, leased: missing != nil && taken == 1}, true
}

// decode returns what was found, where it is worth asking the database about.
func (r *Redis[V]) decode(key string, c claim) *Loaded[V] {
	if !c.found {
		r.misses.Add(1)
		return nil
	}
	known, err := r.config.Decode(key, []byte(c.value))
	switch {
	case err != nil:
		r.garbage.Add(1)
	case !known.Until.IsZero() && !time.Now().Before(known.Until):
		r.stale.Add(1)
	default:
		return &known
	}
	return nil
}

// fill stores loaded where the claim still holds, and reports whether it was spent on that.
func (r *Redis[V]) fill(ctx context.Context, key string, c claim, loaded Loaded[V]) bool {
	ttl := r.config.TTL - mathrand.N(r.config.TTL/10+1) //nolint:gosec // no secret: they end not all at once
	if !loaded.Until.IsZero() {
		ttl = min(ttl, time.Until(loaded.Until))
	}
	if ttl < time.Millisecond {
		return false
	}
	if !c.found && !c.leased || !r.link.usable(key) {
		r.refused.Add(1)
		return false
	}
	value, err := r.config.Encode(key, loaded)
	if err != nil {
		r.link.errors.Add(1)
		r.config.Log.Error("a value cannot be written for redis", "key", key, "error", err)
		return false
	}
	run, rests := fillScript, c.token
	if c.found {
		run, rests = replaceScript, c.value
	}
	// Whoever asked may go: the value is there.
	answer, err := r.link.exec(context.WithoutCancel(ctx), run, key, rests, string(value), milliseconds(ttl))
	if err != nil {
		return true // it may have been done
	}
	if done, _ := answer.AsInt64(); done != 1 {
		r.refused.Add(1)
	}
	return true
}

func (r *Redis[V]) release(ctx context.Context, key string, c claim) {
	if c.leased && r.link.usable(key) {
		_, _ = r.link.exec(context.WithoutCancel(ctx), releaseScript, key, c.token) // else it ends by itself
	}
}

// Evict drops keys, soon: it does not wait. Until that is done, and it is tried until it is, this instance leaves what
// Redis has of them alone.
func (r *Redis[V]) Evict(keys ...string) { r.link.evict(keys) }

// EvictAll drops every key: what has changed is not known.
func (r *Redis[V]) EvictAll() { r.link.evictAll() }

// Settle waits until every eviction asked for so far is done.
func (r *Redis[V]) Settle(ctx context.Context) error { return r.link.settle(ctx) }

// Stat counts.
func (r *Redis[V]) Stat() RedisStat {
	return RedisStat{
		Hits: r.hits.Load(), Misses: r.misses.Load(), Stale: r.stale.Load(), Garbage: r.garbage.Load(), Refused: r.refused.Load(),
		Errors: r.link.errors.Load(), Evictions: r.link.evicted.Load(), Pending: r.link.pending(), Down: !r.link.up.Load(),
	}
}

// Close carries out what evictions it still can, and disconnects. A Get goes on without Redis.
func (r *Redis[V]) Close() { r.link.close() }

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
