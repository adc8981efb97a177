package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vital-db/vital/internal/cache"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
	"github.com/vital-db/vital/internal/traffic"
)

const (
	cachingTenants = 10_000
	zipfExponent   = 1.1
	zipfReads      = 2000 // a second, of all clients together
	zipfWrites     = 20   // a second
	zipfClients    = 16
	zipfTime       = 10 * time.Second
	// amply is room for every context of the scenario, and tightly for about one in five documents.
	amply, tightly = 512 << 20, 16 << 20
)

func (w *world) manyDatabase(ctx context.Context) (*target, error) {
	many := contextShape
	many.tenants = cachingTenants
	return w.database(ctx, "bench_caching", w.load(many))
}

// measureCachingScale asks what ten thousand tenants' contexts take, and how many reads memory answers.
func measureCachingScale(ctx context.Context, w *world) (*result, error) {
	d, err := w.manyDatabase(ctx)
	if err != nil {
		return nil, err
	}
	r := &result{}
	if err := r.weighContexts(ctx, d); err != nil {
		return nil, err
	}
	for _, size := range []int{amply, tightly} {
		if err := r.shareOfHits(ctx, w, d, size); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// weighContexts remembers one context of each tenant in this process, as the server does, and weighs them.
func (r *result) weighContexts(ctx context.Context, d *target) error {
	db, err := postgres.Open(ctx, postgres.Config{URL: d.apiURL, ServiceURL: d.serviceURL})
	if err != nil {
		return err
	}
	defer db.Close()
	follower := tenant.Follow(db, cache.Source{})
	following, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { follower.Run(following) })
	defer running.Wait()
	defer stop()
	for !follower.Whole() {
		time.Sleep(time.Millisecond)
	}
	contexts := tenant.NewContexts(db, follower, amply, nil)
	if _, _, err := contexts.Read(ctx, admin(cachingTenants), "", tenant.Version{}); err != nil { // connects and prepares
		return err
	}
	before, documents := liveBytes(), 0
	for n := 1; n < cachingTenants; n++ {
		read, _, err := contexts.Read(ctx, admin(n), "", tenant.Version{})
		if err != nil {
			return err
		}
		documents += read.Len()
	}
	grown := float64(liveBytes() - before)
	stat := contexts.Stat()
	if stat.Documents.Entries != cachingTenants || stat.Callers.Entries != cachingTenants {
		return fmt.Errorf("not all contexts are remembered: %+v", stat)
	}
	each := grown / (cachingTenants - 1)
	r.note("A context has %d bytes and takes %.0f, with one user of %s tenants remembered.", documents/(cachingTenants-1), each, thousands(cachingTenants))
	r.ratio("memory of a remembered context over its bytes", atMost, 1.5, grown/float64(documents))
	r.ratio("what is accounted for over what is taken", information, 0, float64(stat.Documents.Bytes+stat.Callers.Bytes)/grown)
	runtime.KeepAlive(contexts)
	return nil
}

// liveBytes is what the heap holds that is still needed.
func liveBytes() uint64 {
	runtime.GC()
	runtime.GC() // what the first one let go of has been swept
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// readers are two users of each tenant: whose default it is, and a member from elsewhere who names it.
type readers struct {
	address string
	of      [][2][]byte // requests, by tenant
}

func (w *world) readers(address string) (*readers, error) {
	all := &readers{address: address, of: make([][2][]byte, cachingTenants+1)}
	for n := range cachingTenants {
		token, err := w.token(n + 1)
		if err != nil {
			return nil, err
		}
		request := traffic.Get(address, "/v1/context", token)
		other := n%cachingTenants + 2 // the tenant they are a member of besides, as load.sql has it
		if other > cachingTenants {
			other = 1
		}
		all.of[n+1][0] = request
		all.of[other][1] = traffic.WithHeader(request, "Vital-Tenant", tenantID(other).String())
	}
	return all, nil
}

// visit has every reader ask once.
func (all *readers) visit() error {
	var next atomic.Int64
	failed := make([]error, zipfClients)
	var running sync.WaitGroup
	for i := range failed {
		running.Go(func() {
			c, err := traffic.Dial(all.address, nil)
			if err != nil {
				failed[i] = err
				return
			}
			defer c.Close()
			for n := next.Add(1); n <= cachingTenants && failed[i] == nil; n = next.Add(1) {
				for _, c.Request = range all.of[n] {
					failed[i] = errors.Join(failed[i], c.Do())
				}
			}
		})
	}
	running.Wait()
	return errors.Join(failed...)
}

// paced is a worker of so many operations a second.
func paced(perSecond float64, do func() error) worker {
	due := time.Now().Add(time.Duration(rand.Float64() * float64(time.Second) / perSecond))
	return worker{do: func() error {
		time.Sleep(time.Until(due))
		due = due.Add(time.Duration(float64(time.Second) / perSecond))
		return do()
	}}
}

// shareOfHits reads as many users do, writes a little meanwhile, and counts what memory answered.
func (r *result) shareOfHits(ctx context.Context, w *world, d *target, size int) (err error) {
	server, err := w.serve(ctx, d, fmt.Sprintf("VITAL_CACHE_BYTES=%d", 2*size)) // half is for flags
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	all, err := w.readers(server.address)
	if err != nil {
		return err
	}
	empty, err := server.resident()
	if err != nil {
		return err
	}
	if err := all.visit(); err != nil {
		return err
	}
	full, err := server.resident()
	if err != nil {
		return err
	}
	reads, writes, hits, err := w.readAndWrite(ctx, server.address, all)
	if err != nil {
		return err
	}
	r.note("%d MiB for contexts: %.0f reads and %.0f writes a second; %.4f of the reads answered from memory. "+
		"The server took %.0f MB when it had started and %.0f when two users of each of the %s tenants had asked.",
		size>>20, reads.PerSecond, writes.PerSecond, hits, empty/1e6, full/1e6, thousands(cachingTenants))
	figure := fmt.Sprintf("share of reads answered from memory, %d MiB for contexts", size>>20)
	if size == amply {
		r.ratio(figure, atLeast, 0.95, hits)
	} else {
		r.ratio(figure, information, 0, hits)
	}
	return nil
}

// readAndWrite lets readers and a writer go on side by side.
func (w *world) readAndWrite(ctx context.Context, address string, all *readers) (reads, writes sample, hits float64, err error) {
	chosen := traffic.NewZipf(cachingTenants, zipfExponent)
	var remembered atomic.Int64
	var writing sync.WaitGroup
	var wrong error
	writing.Go(func() {
		writes, wrong = closedLoop(ctx, 1, zipfTime, func(int) (worker, error) {
			random := rand.New(rand.NewPCG(1, 2))
			c, err := traffic.Dial(address, nil)
			if err != nil {
				return worker{}, err
			}
			write := paced(zipfWrites, func() (err error) {
				c.Request, err = w.repaint(address, chosen.Draw(random))
				return errors.Join(err, c.Do())
			})
			write.done = func() { c.Close() }
			return write, nil
		})
	})
	reads, err = closedLoop(ctx, zipfClients, zipfTime, func(client int) (worker, error) {
		random := rand.New(rand.NewPCG(3, uint64(client)))
		c, err := traffic.Dial(address, nil)
		if err != nil {
			return worker{}, err
		}
		read := paced(zipfReads/zipfClients, func() error {
			c.Request = all.of[chosen.Draw(random)][random.IntN(2)]
			err := c.Do()
			if c.Remembered {
				remembered.Add(1)
			}
			return err
		})
		read.done = func() { c.Close() }
		return read, nil
	})
	writing.Wait()
	return reads, writes, float64(remembered.Load()) / float64(max(1, reads.Count)), errors.Join(err, wrong)
}

// repaint is a request of tenant n's admin that changes their configuration.
func (w *world) repaint(address string, n int) ([]byte, error) {
	token, err := w.token(n)
	body := fmt.Sprintf(`{"ui_config":{"primary_color":"%s"}}`, colour())
	request := slices.Concat([]byte("PATCH"), traffic.Post(address, fmt.Sprintf("/api/tenants/%s/config", tenantID(n)), token, body)[len("POST"):])
	return request, err
}
