package tenant

import (
	"bytes"
	"context"
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/cache"
	"github.com/vital-db/vital/internal/postgres"
)

// Shared are tenants' documents that servers share in Redis, under tenant:<id>:config: JSON that anybody may read there.
// A server that finds one asks the database whether it still holds, so that what stands in Redis is never believed.
type Shared struct {
	db       *postgres.DB
	redis    *cache.Redis[*document]
	log      *slog.Logger
	filling  chan struct{} // bounds how many fill at once
	sweeping sync.Mutex
	swept    atomic.Int64 // sweeps that were asked for
	global   atomic.Int64 // the version that all documents were dropped for
	closed   context.Context
	close    context.CancelFunc
	running  sync.WaitGroup // in the background
}

const (
	// fillers bounds how many documents are put into Redis at once; beyond that the next who reads one does it.
	fillers  = 4
	fillTime = 5 * time.Second
	// sweepTime bounds one look at everything that is shared, and sweepPause is the least between two.
	sweepTime  = 10 * time.Minute
	sweepPause = 10 * time.Second
)

// SharedConfig says which Redis servers share, and who is told.
type SharedConfig struct {
	// URL is the address of the Redis. Required.
	URL string
	// OnScript is told of every script that somebody waited for. Defaults to nothing.
	OnScript func(context.Context, cache.Script)
	Log      *slog.Logger
}

// OpenShared connects to the Redis of config. One that is not reached is no error: it is tried again.
func OpenShared(db *postgres.DB, config SharedConfig) (*Shared, error) {
	s := &Shared{db: db, log: config.Log, filling: make(chan struct{}, fillers)}
	s.closed, s.close = context.WithCancel(context.Background())
	var err error
	s.redis, err = cache.OpenRedis(cache.RedisConfig[*document]{URL: config.URL, Encode: s.encode, Decode: s.decode, OnScript: config.OnScript, Log: config.Log})
	return s, err
}

// Close ends it. No follower may tell it of changes any more.
func (s *Shared) Close() {
	s.close()
	s.running.Wait()
	s.redis.Close()
}

// Stat returns what it did so far.
func (s *Shared) Stat() cache.RedisStat { return s.redis.Stat() }

func sharedKey(tenantID uuid.UUID) string { return "tenant:" + tenantID.String() + ":config" }

func parseSharedKey(key string) (uuid.UUID, error) {
	const before, after = "tenant:", ":config"
	if len(key) != len(before)+36+len(after) {
		return uuid.Nil, errors.New("no tenant's key")
	}
	return uuid.Parse(key[len(before) : len(before)+36])
}

// seal is what a document carries in Redis beside itself, as its last member.
type seal struct {
	Stamp string     `json:"stamp"`
	Until *time.Time `json:"until,omitempty"`
	MAC   string     `json:"mac"`
}

var sealMember = []byte(`,"vital":`)

// sign makes sure that what comes back was put there by a server of this database, for this tenant.
func (s *Shared) sign(tenantID uuid.UUID, body []byte, of seal) string {
	until := ""
	if of.Until != nil {
		until = strconv.FormatInt(of.Until.UnixMicro(), 10)
	}
	mac := s.db.Sign("document of "+tenantID.String(), of.Stamp+" "+until+" "+string(body))
	return base64.RawURLEncoding.EncodeToString(mac[:])
}

func (s *Shared) encode(key string, loaded cache.Loaded[*document]) ([]byte, error) {
	tenantID, err := parseSharedKey(key)
	if err != nil {
		return nil, err
	}
	body := loaded.Value.body
	of := seal{Stamp: loaded.Value.stamp}
	if !loaded.Until.IsZero() {
		of.Until = &loaded.Until
	}
	of.MAC = s.sign(tenantID, body, of)
	member, err := json.Marshal(of)
	if err != nil {
		return nil, fmt.Errorf("encode document: %w", err)
	}
	value := make([]byte, 0, len(body)+len(sealMember)+len(member)+1)
	value = append(append(value, body[:len(body)-1]...), sealMember...)
	return append(append(value, member...), '}'), nil
}

var errNotOurs = errors.New("not a document that a server of this database has put there")

func (s *Shared) decode(key string, value []byte) (loaded cache.Loaded[*document], err error) {
	tenantID, err := parseSharedKey(key)
	if err != nil {
		return loaded, err
	}
	at := bytes.LastIndex(value, sealMember)
	if at < 0 {
		return loaded, errNotOurs
	}
	var of seal
	if err := json.Unmarshal(value[at+len(sealMember):len(value)-1], &of); err != nil {
		return loaded, errNotOurs
	}
	body := append(bytes.Clone(value[:at]), '}')
	if !hmac.Equal([]byte(of.MAC), []byte(s.sign(tenantID, body, of))) {
		return loaded, errNotOurs
	}
	if of.Until != nil {
		loaded.Until = *of.Until
	}
	loaded.Value, loaded.Bytes = newDocument(body, of.Stamp), len(body)
	return loaded, nil
}

// Risen is for a follower: it drops what tenants that have changed share; nil is everybody, perhaps.
func (s *Shared) Risen(changes []cache.Change) {
	if changes == nil {
		s.swept.Add(1)
		s.running.Go(s.sweep)
		return
	}
	keys := make([]string, 0, len(changes))
	for _, c := range changes {
		switch {
		case c.Scope != cache.Global:
			keys = append(keys, sharedKey(c.Key))
		case s.global.Swap(c.Version) != c.Version: // a hint that was forged costs nothing
			s.redis.EvictAll() // every document shows something of it
		}
	}
	s.redis.Evict(keys...)
}

// sweep drops whatever does not hold any more, when nobody may have heard of a change. What is asked for while one goes
// on is done behind it.
func (s *Shared) sweep() {
	s.sweeping.Lock()
	defer s.sweeping.Unlock()
	asked := s.swept.Swap(0)
	if asked == 0 {
		return // the one before has seen to it
	}
	defer func() { // anybody can ask for it
		select {
		case <-s.closed.Done():
		case <-time.After(sweepPause):
		}
	}()
	ctx, cancel := context.WithTimeout(s.closed, sweepTime)
	defer cancel()
	err := s.redis.Sweep(ctx, func(found map[string]cache.Loaded[*document]) (stale []string, err error) {
		known := make(map[uuid.UUID]string, len(found))
		for key, loaded := range found {
			if id, err := parseSharedKey(key); err == nil {
				known[id] = loaded.Value.stamp
			}
		}
		hold := make(map[uuid.UUID]bool, len(known))
		err = s.read(ctx, known, func(id uuid.UUID, now cache.Loaded[*document]) { hold[id] = now.Value == nil })
		for key := range found {
			if id, wrong := parseSharedKey(key); wrong != nil || !hold[id] {
				stale = append(stale, key)
			}
		}
		return stale, err
	})
	if err != nil && s.closed.Err() == nil {
		s.redis.EvictAll() // as soon as Redis is there
		s.log.Warn("what is shared in Redis could not be looked at: it is dropped", "error", err)
	}
}

// read reads the documents of tenants of whom a stamp is known, "" for none: one that still holds comes as nil.
func (s *Shared) read(ctx context.Context, known map[uuid.UUID]string, found func(uuid.UUID, cache.Loaded[*document])) error {
	ids, stamps := make([]string, 0, len(known)), make([]string, 0, len(known))
	for id, stamp := range known {
		ids, stamps = append(ids, id.String()), append(stamps, stamp)
	}
	return s.db.AsService(ctx, "DocumentsRead", func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, contextQueries.Get("Documents"), ids, stamps)
		if err != nil {
			return err
		}
		var id uuid.UUID
		var stamp string
		var body []byte
		var until *time.Time
		_, err = pgx.ForEachRow(rows, []any{&id, &stamp, &body, &until}, func() error {
			var loaded cache.Loaded[*document]
			if body != nil {
				loaded.Value, loaded.Bytes = newDocument(bytes.Clone(body), stamp), len(body)
			}
			if until != nil {
				loaded.Until = *until
			}
			found(id, loaded)
			body, until = nil, nil
			return nil
		})
		return err
	})
}

// with hands load the document of a tenant that is shared, nil for none, and shares the one that load returns.
func (s *Shared) with(ctx context.Context, tenantID uuid.UUID, load func(known *document) (cache.Loaded[*document], error)) error {
	_, err := s.redis.Get(ctx, sharedKey(tenantID), func(_ context.Context, known *cache.Loaded[*document]) (cache.Loaded[*document], bool, error) {
		var have *document
		if known != nil {
			have = known.Value
		}
		loaded, err := load(have)
		return loaded, err == nil && loaded.Value == have, err
	})
	return err
}

// fill puts a tenant's document where all servers find it, unless it is there: in the background, since whoever has
// just read it waits for nothing.
func (s *Shared) fill(tenantID uuid.UUID) {
	select {
	case s.filling <- struct{}{}:
	default:
		return // the next who reads one does it
	}
	s.running.Go(func() {
		defer func() { <-s.filling }()
		ctx, cancel := context.WithTimeout(s.closed, fillTime)
		defer cancel()
		if s.redis.Settle(ctx) != nil { // what is being dropped is left alone, and nobody here reads the document again soon
			return
		}
		_, _ = s.redis.Get(ctx, sharedKey(tenantID), func(ctx context.Context, known *cache.Loaded[*document]) (loaded cache.Loaded[*document], kept bool, err error) {
			stamp := ""
			if known != nil {
				stamp = known.Value.stamp
			}
			err = s.read(ctx, map[uuid.UUID]string{tenantID: stamp}, func(_ uuid.UUID, now cache.Loaded[*document]) { loaded = now })
			switch {
			case err != nil:
			case loaded.Value == nil && known != nil:
				return *known, true, nil
			case loaded.Value == nil:
				err = errNotOurs // the tenant is gone
			}
			return loaded, false, err
		})
	})
}
