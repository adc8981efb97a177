package coherence

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"syscall"
	"time"
)

// fault is something that happens to what runs, and is over when inject returns.
type fault struct {
	name   string
	inject func(context.Context, *run, *rand.Rand) error
	// alone says that no other fault may go on beside it: both would take the same thing in hand.
	of string
}

// faults are all there are; what two of the same kind take in hand is the same.
var faults = []fault{
	{"instance killed", killInstance, "instance"},
	{"instance frozen", freezeInstance, "instance"},
	{"Redis killed, empty again", killRedis, "redis"},
	{"Redis restarted with an old state", rewindRedis, "redis"},
	{"Redis frozen", freezeRedis, "redis"},
	{"Redis flushed", flushRedis, "redis"},
	{"listening connections ended", endListeners, "postgres"},
	{"listening backends frozen", freezeListeners, "postgres"},
	{"Postgres killed", killPostgres, "postgres"},
	{"Postgres stopped at once", stopPostgres, "postgres"},
	{"Postgres frozen", freezePostgres, "postgres"},
	{"WAL writer frozen", freezeWAL, "postgres"},
	{"forged notifications", forge, "forge"},
}

// FaultNames are the names of all faults.
func FaultNames() []string {
	names := make([]string, len(faults))
	for i, f := range faults {
		names[i] = f.name
	}
	return names
}

// Window is when a fault went on. It is over when every server answers again.
type Window struct {
	Fault string  `json:"fault"`
	From  float64 `json:"from_s"`
	To    float64 `json:"to_s"`
	// Back is how long it took every server to answer from memory again after the cause had gone, in seconds.
	Back   float64 `json:"back_s"`
	number int
}

// backTime is how long everything may take to come back by itself.
const backTime = 30 * time.Second

// breakThings injects faults, one after the other and now and then two at once, until the time is over.
func (r *run) breakThings(ctx context.Context) (happened []Window, err error) {
	random := rand.New(rand.NewPCG(r.config.Seed, 1<<40)) //nolint:gosec // it need not be secret
	until := r.began.Add(r.config.Lasting)
	pause := min(2*time.Second, r.config.Lasting/20)
	var order []int
	next := func() int {
		if len(order) == 0 {
			order = r.order(random)
		}
		n := order[0]
		order = order[1:]
		return n
	}
	sleep(ctx, pause)
	for ctx.Err() == nil && time.Now().Before(until) {
		batch := []int{next()}
		if random.IntN(4) == 0 {
			if other := next(); faults[other].of != faults[batch[0]].of {
				batch = append(batch, other)
			} else {
				order = append([]int{other}, order...)
			}
		}
		windows, err := r.batch(ctx, batch, random)
		happened = append(happened, windows...)
		if err != nil {
			return happened, err
		}
		sleep(ctx, pause)
	}
	return happened, nil
}

// order is all faults, as the seed wants it, or those that were asked for.
func (r *run) order(random *rand.Rand) []int {
	if len(r.config.Faults) == 0 {
		return random.Perm(len(faults))
	}
	var order []int
	for _, name := range r.config.Faults {
		order = append(order, slices.IndexFunc(faults, func(f fault) bool { return f.name == name }))
	}
	return order
}

// batch injects faults at once and waits until everything is back.
func (r *run) batch(ctx context.Context, batch []int, random *rand.Rand) ([]Window, error) {
	r.windows.Store(&batch)
	defer r.windows.Store(&[]int{})
	windows := make([]Window, len(batch))
	over := make(chan error, len(batch))
	for i, n := range batch {
		windows[i] = Window{Fault: faults[n].name, From: time.Since(r.began).Seconds(), number: n}
		r.progress("%s", faults[n].name)
		own := rand.New(rand.NewPCG(random.Uint64(), random.Uint64())) //nolint:gosec // it need not be secret
		go func() {
			err := faults[n].inject(ctx, r, own)
			if err != nil {
				err = fmt.Errorf("%s: %w", faults[n].name, err)
			}
			over <- err
		}()
	}
	var all []error
	for range batch {
		all = append(all, <-over)
	}
	if err := errors.Join(all...); err != nil || ctx.Err() != nil {
		return windows, err
	}
	from := time.Now()
	r.awaitBack(ctx)
	for i := range windows {
		windows[i].To, windows[i].Back = time.Since(r.began).Seconds(), time.Since(from).Seconds()
	}
	r.progress("  back after %.2f s", time.Since(from).Seconds())
	return windows, nil
}

// awaitBack waits until every server answers from memory, all that it did before.
func (r *run) awaitBack(ctx context.Context) {
	until := time.Now().Add(backTime)
	for n, server := range r.stage.servers {
		c := &client{address: server.address}
		for remembered := false; !remembered && ctx.Err() == nil; {
			p := r.stage.plays[0]
			a, err := c.do(append(get("/v1/context", p.members[0]), "\r\n"...))
			remembered = err == nil && a.status == 200 && a.remembered
			if time.Now().After(until) {
				r.violate(p.registers[configRegister], 0, "instance %d has not come back after %s: %d %s %v", n, backTime, a.status, a.body, err)
				break
			}
			if !remembered {
				sleep(ctx, 10*time.Millisecond)
			}
		}
		c.close()
	}
}

func (r *run) anyServer(random *rand.Rand) *instance { return r.stage.servers[random.IntN(instances)] }

func killInstance(ctx context.Context, r *run, random *rand.Rand) error {
	server := r.anyServer(random)
	server.kill()
	sleep(ctx, 300*time.Millisecond)
	return server.startAgain(ctx)
}

func freezeInstance(ctx context.Context, r *run, random *rand.Rand) error {
	server := r.anyServer(random)
	if err := server.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	sleep(ctx, r.config.Hold)
	return server.signal(syscall.SIGCONT)
}

func killRedis(ctx context.Context, r *run, _ *rand.Rand) error {
	r.stage.redis.kill()
	if err := os.Remove(r.stage.redis.snapshotFile()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	sleep(ctx, r.config.Hold/3)
	return r.stage.redis.start(ctx)
}

// rewindRedis saves a state, lets the world go on, and starts from that state again.
func rewindRedis(ctx context.Context, r *run, _ *rand.Rand) error {
	redis := r.stage.redis
	if err := redis.do("SAVE"); err != nil {
		return err
	}
	sleep(ctx, r.config.Hold)
	redis.kill()
	sleep(ctx, 200*time.Millisecond)
	err := redis.start(ctx)
	return errors.Join(err, os.Remove(redis.snapshotFile()))
}

func freezeRedis(ctx context.Context, r *run, _ *rand.Rand) error {
	if err := r.stage.redis.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	sleep(ctx, r.config.Hold)
	return r.stage.redis.signal(syscall.SIGCONT)
}

func flushRedis(ctx context.Context, r *run, _ *rand.Rand) error {
	for range 5 {
		if err := r.stage.redis.do("FLUSHALL"); err != nil {
			return err
		}
		sleep(ctx, 100*time.Millisecond)
	}
	return nil
}

func endListeners(ctx context.Context, r *run, _ *rand.Rand) error {
	for range 3 {
		var ended int
		if err := r.stage.look(ctx, &ended, "TerminateListeners"); err != nil {
			return err
		}
		sleep(ctx, r.config.Hold/4)
	}
	return nil
}

func freezeListeners(ctx context.Context, r *run, _ *rand.Rand) error {
	var pids []int
	if err := r.stage.look(ctx, &pids, "Listeners"); err != nil {
		return err
	}
	if len(pids) == 0 {
		return errors.New("nobody listens")
	}
	return freeze(ctx, pids, r.config.Hold)
}

func killPostgres(ctx context.Context, r *run, _ *rand.Rand) error {
	return r.endPostgres(ctx, syscall.SIGKILL)
}

func stopPostgres(ctx context.Context, r *run, _ *rand.Rand) error {
	return r.endPostgres(ctx, syscall.SIGQUIT)
}

// endPostgres ends the server, which is restarted by who watches over it.
func (r *run) endPostgres(ctx context.Context, how syscall.Signal) error {
	pid, err := r.stage.postmaster()
	if err != nil {
		return err
	}
	if err := syscall.Kill(pid, how); err != nil {
		return err
	}
	for until := time.Now().Add(backTime); time.Now().Before(until) && ctx.Err() == nil; sleep(ctx, 50*time.Millisecond) {
		if now, err := r.stage.postmaster(); err != nil || now == pid {
			continue
		}
		var busy int
		if err := r.stage.look(ctx, &busy, "Busy"); err == nil {
			return nil
		}
	}
	return errors.New("it does not come back")
}

func freezePostgres(ctx context.Context, r *run, _ *rand.Rand) error {
	pid, err := r.stage.postmaster()
	if err != nil {
		return err
	}
	pids, err := family(ctx, pid)
	if err != nil {
		return err
	}
	_ = freeze(ctx, pids, r.config.Hold*2/3) // some may have ended
	return nil
}

func freezeWAL(ctx context.Context, r *run, _ *rand.Rand) error {
	var pid int
	if err := r.stage.look(ctx, &pid, "WalWriter"); err != nil {
		return err
	}
	return freeze(ctx, []int{pid}, r.config.Hold)
}

// forge notifies what nobody has changed, and what is no notification at all.
func forge(ctx context.Context, r *run, random *rand.Rand) error {
	for until := time.Now().Add(r.config.Hold); time.Now().Before(until) && ctx.Err() == nil; {
		p := r.stage.plays[random.IntN(len(r.stage.plays))]
		garbage := make([]byte, 8)
		_, _ = io.ReadFull(garbageFrom{random}, garbage) // never fails
		for _, payload := range []string{
			"*", "", "x", fmt.Sprintf("%x", garbage), "tenant:" + p.id.String() + ":9223372036854775807", "tenant:" + p.id.String() + ":-1",
			"global:00000000-0000-0000-0000-000000000000:99999999", "tenant::", "session:" + p.user("one").String() + ":1e9",
		} {
			if _, err := r.stage.exec(ctx, "Notify", payload); err != nil {
				return nil //nolint:nilerr // the server may be down by another fault
			}
		}
	}
	return nil
}

type garbageFrom struct{ *rand.Rand }

func (g garbageFrom) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(g.Uint32())
	}
	return len(p), nil
}
