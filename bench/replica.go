package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/localpg"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/traffic"
)

//go:embed replica.sql
var replicaText string

var replicaQueries = database.ParseQueries(replicaText)

const (
	replicaTenants = 4
	replicaReaders = 16
	replicaPace    = 20 * time.Millisecond // between two writes of one tenant

	replicaRead  = "/rest/v1/prompts?select=title,body&order=title"
	replicaWrite = "/rest/v1/prompts?title=eq.Prompt%200001&select=body"
)

func (w *world) replicaDatabase(ctx context.Context) (*target, error) {
	return w.database(ctx, "bench_replica", func(ctx context.Context, conn *pgx.Conn) error {
		if err := w.load(shape{tenants: replicaTenants})(ctx, conn); err != nil {
			return err
		}
		_, err := conn.Exec(ctx, restQueries.Get("Prompts"), replicaTenants, restRows)
		return err
	})
}

// acknowledged is what a tenant's first prompt says, a number, and a version from which on it is shown.
type acknowledged struct {
	count   int
	version string
}

// ledger is what has been acknowledged to each tenant's writer. Versions hold on every server of a database.
type ledger struct {
	tokens  [replicaTenants]string
	newest  [replicaTenants]atomic.Pointer[acknowledged]
	written [replicaTenants]int // by the one writer at a time
	checked atomic.Int64
}

// replicaStage is two servers of one database, of which one has a replica to read from.
type replicaStage struct {
	ledger
	alone, split *process
	standby      *localpg.Server
	dir          string // of standby
}

func (s *replicaStage) close() error {
	var all []error
	for _, p := range []*process{s.alone, s.split} {
		if p != nil {
			all = append(all, p.stop())
		}
	}
	if s.standby != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		all = append(all, s.standby.Stop(ctx))
	}
	return errors.Join(append(all, os.RemoveAll(s.dir))...)
}

func (w *world) setReplica(ctx context.Context, d *target) (_ *replicaStage, err error) {
	s := &replicaStage{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	for n := range s.tokens {
		if s.tokens[n], err = w.token(n + 1); err != nil {
			return nil, err
		}
		s.newest[n].Store(&acknowledged{})
	}
	if s.standby, s.dir, err = pgtest.StartStandby(ctx, w.pg.SuperuserURL("postgres"), map[string]string{
		"wal_retrieve_retry_interval": "200ms", // how soon it stops replaying when nothing comes
	}); err != nil {
		return nil, err
	}
	if s.alone, err = w.serve(ctx, d); err != nil {
		return nil, err
	}
	replica, err := url.Parse(d.apiURL)
	if err != nil {
		return nil, err
	}
	replica.Host = "127.0.0.1:" + strconv.Itoa(s.standby.Port())
	if s.split, err = w.serve(ctx, d, "VITAL_REPLICA_URLS="+replica.String()); err != nil {
		return nil, err
	}
	for begun := time.Now(); time.Since(begun) < 20*time.Second; time.Sleep(50 * time.Millisecond) {
		if up, err := s.metric(ctx, "vital_replica_up"); err != nil || up == 1 {
			return s, err
		}
	}
	return nil, errors.New("the replica is not used")
}

// metric is one of the server's that has a replica.
func (s *replicaStage) metric(ctx context.Context, name string) (float64, error) {
	found, err := scrapeMetrics(ctx, s.split.address)
	return found.sum(name, nil), err
}

// replay has the standby go on replaying, or stop, and waits until it has.
func (s *replicaStage) replay(ctx context.Context, on bool) error {
	conn, err := pgx.Connect(ctx, s.standby.SuperuserURL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	query, want := replicaQueries.Get("Pause"), "paused"
	if on {
		query, want = replicaQueries.Get("Resume"), "not paused"
	}
	if _, err := conn.Exec(ctx, query); err != nil {
		return err
	}
	for begun := time.Now(); time.Since(begun) < 10*time.Second; time.Sleep(5 * time.Millisecond) {
		var state string
		if err := conn.QueryRow(ctx, replicaQueries.Get("State")).Scan(&state); err != nil || state == want {
			return err
		}
	}
	return fmt.Errorf("the replica is not %s", want)
}

// share is how many of the reads of a variant the replica has answered, over all rounds.
type share struct{ served, all float64 }

// reading is a variant's run: readers of server, while each tenant's writer writes. Where naming, every read names what
// its reader knows of, their own last answer or a write that was acknowledged to somebody else, and must show it.
func (s *replicaStage) reading(server *process, naming bool, counted *share) func(context.Context, int, time.Duration) (sample, error) {
	return func(ctx context.Context, clients int, slice time.Duration) (_ sample, err error) {
		before, err := s.metric(ctx, "vital_replica_served_total")
		if err != nil {
			return sample{}, err
		}
		stop := s.write(server.address)
		measured, err := closedLoop(ctx, clients, slice, func(client int) (worker, error) {
			c, err := traffic.Dial(server.address, nil)
			if err != nil {
				return worker{}, err
			}
			own := acknowledged{}
			return worker{do: func() error { return s.read(c, client%replicaTenants, naming, &own) }, done: func() { c.Close() }}, nil
		})
		if err := errors.Join(err, stop()); err != nil {
			return sample{}, err
		}
		after, err := s.metric(ctx, "vital_replica_served_total")
		counted.served += after - before
		counted.all += float64(measured.Count)
		return measured, err
	}
}

// read asks once for the tenant's rows, and holds them against what was named.
func (s *replicaStage) read(c *traffic.Client, tenant int, naming bool, own *acknowledged) error {
	if newest := s.newest[tenant].Load(); newest.count > own.count {
		*own = *newest
	}
	c.Request = traffic.Get(c.Address, replicaRead, s.tokens[tenant])
	if naming = naming && own.version != ""; naming { // before the first write there is nothing to name
		c.Request = traffic.WithHeader(c.Request, "Vital-Min-Version", own.version)
	}
	body, err := c.Body()
	if err != nil {
		return err
	}
	var rows []struct{ Title, Body string }
	if err := json.Unmarshal(body, &rows); err != nil {
		return err
	}
	if len(rows) != restRows || rows[0].Title != "Prompt 0001" {
		return fmt.Errorf("%d rows, of which the first is not the one: %.200s", len(rows), body)
	}
	count, _ := strconv.Atoi(rows[0].Body) // it begins as text
	s.checked.Add(1)
	if !naming {
		return nil
	}
	if count < own.count {
		return fmt.Errorf("WRONG: tenant %d: %d is shown to who has named %q and knows of %d", tenant+1, count, own.version, own.count)
	}
	if c.Version == "" {
		return errors.New("an answer to who names a version has none")
	}
	*own = acknowledged{count, c.Version}
	return nil
}

// write has each tenant's writer count on until stop, which says whether all of it was acknowledged.
func (s *replicaStage) write(address string) (stop func() error) {
	done := make(chan struct{})
	failed := make([]error, replicaTenants)
	var running sync.WaitGroup
	for tenant := range replicaTenants {
		running.Go(func() {
			c, err := traffic.Dial(address, nil)
			if err != nil {
				failed[tenant] = err
				return
			}
			defer c.Close()
			for {
				select {
				case <-done:
					return
				case <-time.After(replicaPace):
				}
				s.written[tenant]++
				c.Request = traffic.Patch(address, replicaWrite, s.tokens[tenant], fmt.Sprintf(`{"body":"%d"}`, s.written[tenant]))
				if failed[tenant] = c.Do(); failed[tenant] != nil {
					return
				}
				s.newest[tenant].Store(&acknowledged{s.written[tenant], c.Version})
			}
		})
	}
	return func() error {
		close(done)
		running.Wait()
		return errors.Join(failed...)
	}
}

const (
	nameOneServer      = "one server, a version named"
	nameReplica        = "with a replica, a version named"
	nameOneServerFree  = "one server, nothing named"
	nameReplicaFree    = "with a replica, nothing named"
	nameReplicaStopped = "with a replica that has stopped replaying, a version named"
)

// measureReplica asks what a replica takes off the primary, and whether everybody sees what they have named.
func measureReplica(ctx context.Context, w *world) (_ *result, err error) {
	d, err := w.replicaDatabase(ctx)
	if err != nil {
		return nil, err
	}
	s, err := w.setReplica(ctx, d)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	shares := map[string]*share{nameOneServer: {}, nameReplica: {}, nameOneServerFree: {}, nameReplicaFree: {}, nameReplicaStopped: {}}
	stopped := func(ctx context.Context, clients int, slice time.Duration) (_ sample, err error) {
		if err := s.replay(ctx, false); err != nil {
			return sample{}, err
		}
		defer func() { err = errors.Join(err, s.replay(ctx, true)) }()
		return s.reading(s.split, true, shares[nameReplicaStopped])(ctx, clients, slice)
	}
	all, err := interleave(ctx, w, []variant{
		{nameOneServer, replicaReaders, true, s.reading(s.alone, true, shares[nameOneServer])},
		{nameReplica, replicaReaders, false, s.reading(s.split, true, shares[nameReplica])},
		{nameOneServerFree, replicaReaders, true, s.reading(s.alone, false, shares[nameOneServerFree])},
		{nameReplicaFree, replicaReaders, false, s.reading(s.split, false, shares[nameReplicaFree])},
		{nameReplicaStopped, replicaReaders, false, stopped},
	})
	if err != nil {
		return nil, err
	}
	r := &result{Series: all}
	r.note("%d readers of %d tenants' 48 rows through /rest/v1, while each tenant's writer changes the first row some 50 times a second. Who names a version names the last they saw, or a write that was just acknowledged to the writer.", replicaReaders, replicaTenants)
	r.note("The replica runs on the same cores as the primary, the server and the readers: what is measured is what splitting costs, not what another machine gains.")
	r.ratio(fmt.Sprintf("reads that showed less than they named, of %s", thousands(int(s.checked.Load()))), exactly, 0, 0) // else the run has failed
	rate := func(name string) float64 { return r.find(name, replicaReaders).Median.PerSecond }
	r.ratio("reads a second with a replica over one server, a version named", information, 0, rate(nameReplica)/rate(nameOneServer))
	r.ratio("reads a second with a replica over one server, nothing named", information, 0, rate(nameReplicaFree)/rate(nameOneServerFree))
	for _, name := range []string{nameReplica, nameReplicaFree, nameReplicaStopped} {
		r.ratio("share of reads the replica answered, "+name, information, 0, shares[name].served/shares[name].all)
	}
	r.plots = []plot{{Title: "Reads a second, 16 clients", Unit: "per second", Bars: r.bars(replicaReaders, sample.rate)}}
	return r, nil
}
