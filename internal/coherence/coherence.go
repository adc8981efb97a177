// Package coherence holds the caches to their word while everything around them breaks: writers count, readers ask
// several servers of ours, and what each is shown must follow from what had been acknowledged. It is for tests and
// measurements only.
package coherence

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Config is what is played with. All of it is required but Faults.
type Config struct {
	Binary                       string // vital, built
	Dir                          string // for logs
	DataDir                      string // of the private database server, which is killed and restarts by itself
	SuperURL, APIURL, ServiceURL string // of a migrated, empty database on it
	Secret                       string // at least 32 bytes
	Tenants, Readers, Writers    int
	WritePause                   time.Duration // of each writer, between two writes
	Lasting                      time.Duration // at least; a fault that has begun ends
	Hold                         time.Duration // how long what freezes is frozen
	Seed                         uint64
	Faults                       []string // by name, in this order, instead of all of them in an order of the seed's
	Log                          io.Writer
}

// run is one of them.
type run struct {
	config Config
	stage  *stage
	began  time.Time

	windows atomic.Pointer[[]int] // the faults going on, by number

	mu         sync.Mutex
	violations []string
	tell       int // how many of them, one by one
	violated   int
	failures   map[string]int64
	examples   map[string]string
	within     map[string]map[string]int64 // failures by fault

	tokensMu sync.Mutex
	tokens   [64]handed // the last ones
	given    int
}

// maxViolations are told one by one.
const maxViolations = 20

// Run plays until the time is over and returns what was seen. That something was wrong is no error.
func Run(ctx context.Context, config Config) (_ *Report, err error) {
	r := &run{config: config, tell: maxViolations, failures: map[string]int64{}, examples: map[string]string{}, within: map[string]map[string]int64{}, began: time.Now()}
	r.windows.Store(&[]int{})
	if r.stage, err = open(ctx, config); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.stage.close()) }()
	r.began = time.Now()

	playing, stop := context.WithCancel(ctx)
	defer stop()
	var readers, writers sync.WaitGroup
	asked, wrote := r.readers(), r.writers()
	reading, stopReading := context.WithCancel(ctx)
	defer stopReading()
	for _, reader := range asked {
		readers.Go(func() { reader.loop(reading) })
	}
	for _, writer := range wrote {
		writers.Go(func() { writer.loop(playing) })
	}
	happened, broken := r.breakThings(ctx)
	stop()
	writers.Wait()
	r.quiesce(ctx)
	stopReading()
	readers.Wait()
	if broken != nil {
		return nil, broken
	}
	return r.report(asked, wrote, happened), ctx.Err()
}

func (r *run) readers() []*reader {
	all := make([]*reader, r.config.Readers)
	for n := range all {
		all[n] = &reader{run: r, random: rand.New(rand.NewPCG(r.config.Seed, uint64(n))), seen: map[[2]int]*memory{}, stats: newStats()} //nolint:gosec // it need not be secret
	}
	return all
}

// writers share the tenants among them, so that each register has one writer.
func (r *run) writers() []*writer {
	all := make([]*writer, r.config.Writers)
	for n := range all {
		all[n] = &writer{run: r, random: rand.New(rand.NewPCG(r.config.Seed, 1<<32+uint64(n)))} //nolint:gosec // it need not be secret
		for i := range all[n].clients {
			all[n].clients[i] = &client{}
		}
	}
	for n, p := range r.stage.plays {
		w := all[n%len(all)]
		w.plays = append(w.plays, p)
	}
	all[0].still = r.stage.still
	return all
}

func (r *run) clock(at time.Time) string { return fmt.Sprintf("%.3f s", at.Sub(r.began).Seconds()) }

func (r *run) progress(format string, args ...any) {
	fmt.Fprintf(r.config.Log, "  %8s  %s\n", r.clock(time.Now()), fmt.Sprintf(format, args...))
}

// violate takes note of what must never be.
func (r *run) violate(reg *register, value int64, format string, args ...any) {
	going := ""
	for _, n := range *r.windows.Load() {
		going += ", during " + faults[n].name
	}
	text := fmt.Sprintf("%s%s: %s = %d: %s", r.clock(time.Now()), going, reg.name, value, fmt.Sprintf(format, args...))
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.violated++; len(r.violations) < r.tell {
		r.violations = append(r.violations, text)
		fmt.Fprintf(r.config.Log, "  VIOLATION  %s\n", text)
	}
}

// fail counts a request that was not answered, which is no lie.
func (r *run) fail(what, example string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures[what]++
	if _, known := r.examples[what]; !known && example != "" {
		r.examples[what] = example
	}
	going := *r.windows.Load()
	if len(going) == 0 {
		r.count("none", what)
	}
	for _, n := range going {
		r.count(faults[n].name, what)
	}
}

func (r *run) count(fault, what string) {
	if r.within[fault] == nil {
		r.within[fault] = map[string]int64{}
	}
	r.within[fault][what]++
}

// hand gives readers a writer's token.
func (r *run) hand(token handed) {
	r.tokensMu.Lock()
	defer r.tokensMu.Unlock()
	r.tokens[r.given%len(r.tokens)] = token
	r.given++
}

// handed is one of the last tokens that writers gave out, the newest above all, if it says anything in a tenant: the
// counters of one mean nothing in another.
func (r *run) handed(random *rand.Rand, tenant int) handed {
	r.tokensMu.Lock()
	defer r.tokensMu.Unlock()
	if r.given == 0 {
		return handed{}
	}
	back := 1
	if random.IntN(3) == 0 {
		back += random.IntN(min(r.given, len(r.tokens)))
	}
	if token := r.tokens[(r.given-back)%len(r.tokens)]; token.tenant == tenant || strings.HasPrefix(token.version, "0.0.0.0.") {
		return token
	}
	return handed{}
}

// quietTime is how long all servers may take to show the last of everything, once nothing is written any more.
const quietTime = 10 * time.Second

// quiesce asks every server for every register until it shows the last write, or that time is over.
func (r *run) quiesce(ctx context.Context) {
	last := &reader{run: r, random: rand.New(rand.NewPCG(1, 1)), seen: map[[2]int]*memory{}, stats: newStats()} //nolint:gosec // it need not be secret
	for n := range last.clients {
		last.clients[n] = &client{}
		defer last.clients[n].close()
	}
	until := time.Now().Add(quietTime)
	for instance := range instances {
		for _, p := range r.stage.plays {
			for {
				late := last.late(p, instance)
				if late == "" || ctx.Err() != nil {
					break
				}
				if time.Now().After(until) {
					r.violate(p.registers[configRegister], 0, "instance %d, at the end: %s", instance, late)
					break
				}
				sleep(ctx, 20*time.Millisecond)
			}
		}
	}
}

// late says what an instance does not show of a tenant that it should.
func (r *reader) late(p *play, instance int) string {
	r.request = append(r.request[:0], get("/v1/context", p.members[0])...)
	a, ok := r.ask("at the end", instance)
	if !ok || a.status != 200 {
		return fmt.Sprintf("answered %d %s", a.status, a.body)
	}
	values, _, wrong := r.scan(p, 0, a.body)
	if wrong != "" {
		return wrong
	}
	for i := range shown {
		reg := p.registers[shown[i]]
		if values[i] < reg.acknowledged.Load() || values[i] > reg.started.Load() {
			return fmt.Sprintf("%s is %d; begun %d, acknowledged %d", reg.name, values[i], reg.started.Load(), reg.acknowledged.Load())
		}
	}
	r.request = append(r.request[:0], get("/rest/v1/agents?slug=eq.counter&select=tenant_id,description", p.members[0])...)
	reg := p.registers[agentRegister]
	if a, ok = r.ask("at the end", instance); !ok {
		return "no answer"
	}
	if _, value, _ := find(a.body, agentRegister); value < reg.acknowledged.Load() || value > reg.started.Load() {
		return fmt.Sprintf("%s is %d; begun %d, acknowledged %d", reg.name, value, reg.started.Load(), reg.acknowledged.Load())
	}
	return ""
}
