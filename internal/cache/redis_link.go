package cache

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

const (
	// beat is how often Redis is looked at, and how long it is left alone when it has failed.
	beat = time.Second
	// patience bounds what nobody waits for.
	patience = time.Second
	// flapping is how soon after coming back a failure is the same outage, for the log.
	flapping = 10 * time.Second
	// atOnce bounds the operations under way: one that hangs keeps its place in a connection's queue.
	atOnce = 512
)

var errBusy = errors.New("too much is under way to redis")

// link is the way to Redis: whether it can be used, and what must still be dropped there (evictions). One goroutine
// keeps it; all others only use it while it is up.
type link struct {
	options rueidis.ClientOption
	pattern string
	timeout time.Duration
	log     *slog.Logger
	told    func(context.Context, Script) // nil for nobody
	client  rueidis.Client                // set by connect before up
	places  chan struct{}
	wake    chan struct{}
	stop    context.CancelFunc
	kept    sync.WaitGroup
	up      atomic.Bool

	errors, evicted atomic.Int64

	mu     sync.Mutex
	outage outage
	known  map[string]struct{} // replication ids of the servers there were
	evictions
}

// outage is what the log says of one.
type outage struct {
	on, quiet bool
	over      time.Time
}

func openLink(options rueidis.ClientOption, pattern string, timeout time.Duration, log *slog.Logger, told func(context.Context, Script)) *link {
	ctx, stop := context.WithCancel(context.Background())
	l := &link{
		options: options, pattern: pattern, timeout: timeout, log: log, told: told, stop: stop,
		places: make(chan struct{}, atOnce), wake: make(chan struct{}, 1), known: map[string]struct{}{},
		evictions: evictions{keys: map[string]asked{}, done: make(chan struct{})},
	}
	l.check(ctx)
	l.kept.Go(func() { l.keep(ctx) })
	return l
}

// keep looks at Redis every beat, and carries out evictions whenever it can.
func (l *link) keep(ctx context.Context) {
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	for was := l.up.Load(); ; {
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		case <-ticker.C:
			l.check(ctx)
		}
		up := l.up.Load()
		if was && !up {
			ticker.Reset(beat) // leave it alone
		}
		was = up
		l.drop(ctx)
	}
}

func (l *link) awake() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// close ends it, and gives what is left to drop a last try.
func (l *link) close() {
	l.stop()
	l.kept.Wait()
	if l.client == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	l.drop(ctx)
	l.up.Store(false)
	l.mu.Lock()
	l.outage = outage{on: true, quiet: true} // what is under way fails now, which is no news
	l.mu.Unlock()
	closed := make(chan struct{})
	go func() { l.client.Close(); close(closed) }()
	select {
	case <-closed:
	case <-ctx.Done(): // it waits for a Redis that hangs
	}
}

// usable reports whether key may be read and filled: Redis is there, and has nothing of it that must be dropped.
func (l *link) usable(key string) bool { return l.up.Load() && !l.evicting(key) }

// script is one of ours.
type script struct {
	name string
	lua  *rueidis.Lua
}

func newScript(name, text string) script { return script{name, rueidis.NewLuaScript(text)} }

// exec runs a script on key and its lease, within the timeout, and tells of it.
func (l *link) exec(ctx context.Context, s script, key string, args ...string) (rueidis.RedisMessage, error) {
	if l.told == nil {
		return l.run(ctx, s, key, args...)
	}
	started := time.Now()
	answer, err := l.run(ctx, s, key, args...)
	l.told(ctx, Script{Name: s.name, Duration: time.Since(started), Code: codeOf(err)})
	return answer, err
}

// codeOf says how a script ended, in a word that holds nothing of what it was about.
func codeOf(err error) string {
	reply, refused := rueidis.IsRedisErr(err)
	switch {
	case err == nil:
		return ""
	case refused:
		code, _, _ := strings.Cut(reply.Error(), " ")
		return code
	case errors.Is(err, errBusy):
		return "busy"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	}
	return "unreachable"
}

func (l *link) run(ctx context.Context, s script, key string, args ...string) (answer rueidis.RedisMessage, err error) {
	select {
	case l.places <- struct{}{}:
	default:
		l.errors.Add(1)
		return answer, errBusy
	}
	within, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	result := make(chan rueidis.RedisResult, 1)
	go func() { // the client may wait longer, for somebody else who connects
		result <- s.lua.Exec(within, l.client, []string{key, leaseOf(key)}, args)
		<-l.places
	}()
	select {
	case r := <-result:
		answer, err = r.ToMessage()
	case <-within.Done():
		err = within.Err()
	}
	if err != nil && ctx.Err() == nil { // if who asked is gone, that says nothing about Redis
		l.errors.Add(1)
		if reply, ok := rueidis.IsRedisErr(err); !ok || !strings.HasPrefix(reply.Error(), "OOM") { // one that is full can be read
			l.fail(err)
		}
	}
	return answer, err
}

// check looks whether Redis is there, and still the one it was. It is back when what was to be dropped is.
func (l *link) check(ctx context.Context) {
	err := l.connect()
	if err == nil {
		var found []rueidis.Client
		if found, err = l.masters(ctx); len(found) > 0 {
			err = nil // one of a cluster that is away is found out by who needs it
		}
	}
	if err == nil && !l.up.Load() {
		err = l.probe(ctx)
		if err == nil {
			err = l.dropKeys(ctx)
		}
	}
	switch {
	case ctx.Err() != nil:
	case err != nil:
		l.errors.Add(1)
		l.fail(err)
	default:
		l.recover()
	}
}

func (l *link) connect() (err error) {
	if l.client == nil {
		l.client, err = rueidis.NewClient(l.options)
		if err != nil {
			l.client = nil // not a nil pointer in an interface
		}
	}
	return err
}

// masters returns the servers that are written to, and an error where not all of them are known. One that was not
// there before has started anew or taken over from another, and may have what was dropped: everything is dropped then.
func (l *link) masters(ctx context.Context) (found []rueidis.Client, err error) {
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var mu sync.Mutex
	var asking sync.WaitGroup
	var ids []string
	for _, node := range l.client.Nodes() {
		asking.Go(func() {
			text, failed := node.Do(within, node.B().Info().Section("replication").Build()).ToString()
			mu.Lock()
			defer mu.Unlock()
			id, master := replication(text)
			if reply, ok := rueidis.IsRedisErr(failed); ok && strings.HasPrefix(reply.Error(), "NOPERM") {
				failed, master = nil, true // who may not ask does without
			}
			switch {
			case failed != nil:
				err = failed
			case master:
				found, ids = append(found, node), append(ids, id)
			}
		})
	}
	asking.Wait()
	if len(found) == 0 && err == nil {
		err = errors.New("no server takes writes")
	}
	if l.meet(ids) {
		l.log.Info("redis has started anew or failed over: dropping what it has of ours")
		l.evictAll()
	}
	return found, err
}

// meet remembers servers, and reports whether one took the place of another.
func (l *link) meet(ids []string) (replaced bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := len(l.known) == 0
	for _, id := range ids {
		if _, ok := l.known[id]; !ok && id != "" {
			l.known[id] = struct{}{}
			replaced = !first
		}
	}
	return replaced
}

// replication reads INFO: the id of the history of writes, which a restart and a failover change.
func replication(text string) (id string, master bool) {
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch name {
		case "role":
			master = value == "master"
		case "master_replid":
			id = value
		}
	}
	return id, master
}

// probe does what will be asked of Redis, on a key nobody has.
func (l *link) probe(ctx context.Context) error {
	key := strings.ReplaceAll(l.pattern, "*", "probe")
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	// The first may have to connect; the next shows how fast it is.
	if err := l.unlink(within, key)[0]; err != nil {
		return err
	}
	brief, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	if err := readScript.lua.Exec(brief, l.client, []string{key, leaseOf(key)}, []string{"probe", "1000"}).Error(); err != nil {
		return err
	}
	return l.unlink(within, key)[0]
}

func (l *link) fail(err error) {
	l.mu.Lock()
	l.up.Store(false)
	news := !l.outage.on
	if news {
		l.outage.on, l.outage.quiet = true, time.Since(l.outage.over) < flapping
	}
	news = news && !l.outage.quiet
	l.mu.Unlock()
	if news {
		l.log.Warn("redis is not reached: the database answers alone until it is", "error", l.redact(err))
	}
	l.awake()
}

func (l *link) recover() {
	l.mu.Lock()
	news := l.outage.on && !l.outage.quiet
	if news {
		l.outage.over = time.Now()
	}
	l.outage.on = false
	l.up.Store(true)
	l.mu.Unlock()
	if news {
		l.log.Info("redis is back")
	}
}

// redact is the text of an error without the password: a server that does not know AUTH quotes what came with it.
func (l *link) redact(err error) string {
	if l.options.Password == "" {
		return err.Error()
	}
	return strings.ReplaceAll(err.Error(), l.options.Password, "…")
}

// leaseOf is the key of a key's lease, in the same slot.
func leaseOf(key string) string { return "{" + key + "}:lease" }

// keyOf is the key that name is, or is the lease of.
func keyOf(name string) string { return strings.TrimSuffix(strings.TrimPrefix(name, "{"), "}:lease") }
