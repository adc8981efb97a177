package perf

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/postgres"
)

//go:embed log.sql
var logQueryText string

var logQueries = database.ParseQueries(logQueryText)

// Load is one load of data: what somebody asked for, and how they fared.
type Load struct {
	At time.Time
	// Type is the kind of load, tenant_context or a relation; Name the query, tenant_context or agents.select.
	Type, Name string
	// Tenant is the one it ran in, zero where it failed before that was known.
	Tenant uuid.UUID
	// Named is the tenant that User has asked for, by id or slug, "" for their default. A load that failed before its tenant was
	// known is that one's, where User is a member of it, and else the platform's.
	Named string
	// User is for whom it ran, zero for nobody.
	User     uuid.UUID
	Duration time.Duration
	// Rows is how many it answered with, negative where nobody counted.
	Rows int64
	// CacheHit says that no query was needed.
	CacheHit bool
	// Code says why it failed, "" where it did not; Message is what the caller was told.
	Code, Message string
	RequestID     string
	// Steps are what was done for it, in order.
	Steps []Step
	// Weight is how many loads it stands for, itself included.
	Weight int64
}

// Step is a part of a load: whether the caller is who they say, a transaction.
type Step struct {
	Name     string        `json:"step"`
	Duration time.Duration `json:"-"`
	Rows     int64         `json:"rows,omitempty"`
	Code     string        `json:"code,omitempty"` // of its error
}

// MarshalJSON writes the duration in microseconds.
func (s Step) MarshalJSON() ([]byte, error) {
	type plain Step
	return json.Marshal(struct {
		plain
		Micros int64 `json:"duration_us"`
	}{plain(s), s.Duration.Microseconds()})
}

// LogConfig says what a Log keeps.
type LogConfig struct {
	// Rate is how many ordinary loads a second are kept; of more, one of so many. Zero keeps nothing at all.
	Rate int64
	// Slow is the duration above which a load is kept however many there are.
	Slow time.Duration
	// Every is how often what is kept is written. Defaults to 1s.
	Every time.Duration
	// Log is told when records cannot be written. Defaults to nothing.
	Log *slog.Logger
}

const (
	// importantRate is how many loads a second that failed or were slow are kept: all, unless somebody makes them fail.
	importantRate = 1000
	// queueRecords bounds what waits to be written; batchRecords is how many go in one COPY.
	queueRecords, batchRecords = 16_384, 4096
	// namedBytes is the longest that may name a tenant.
	namedBytes = 100
	// messageBytes bounds what is kept of what the caller was told.
	messageBytes = 500
)

// Log keeps records of loads and writes them to query_performance. Recording one never waits: what there is no room for is
// counted and forgotten.
type Log struct {
	service             *postgres.Service
	config              LogConfig
	ordinary, important sampler
	full                chan struct{}

	mu      sync.Mutex
	waiting []Load
	writing int // records taken out of waiting that are not written yet

	kept, dropped, written atomic.Int64
	failing                atomic.Bool
}

// NewLog returns a log that writes as service. See Run.
func NewLog(service *postgres.Service, config LogConfig) *Log {
	if config.Every == 0 {
		config.Every = time.Second
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	l := &Log{service: service, config: config, full: make(chan struct{}, 1)}
	l.ordinary.budget, l.important.budget = max(config.Rate, 1), importantRate
	return l
}

// Sample says whether a load that took so long and ended so is to be recorded: as how many, 0 for not at all.
func (l *Log) Sample(took time.Duration, failed bool) int64 {
	switch {
	case l == nil || l.config.Rate == 0:
		return 0
	case failed || l.Slow(took):
		return l.important.sample()
	}
	return l.ordinary.sample()
}

// Slow says that so long is too long.
func (l *Log) Slow(took time.Duration) bool { return l != nil && took > l.config.Slow }

// Record keeps a load that Sample has chosen, to be written soon.
func (l *Log) Record(load Load) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting)+l.writing >= queueRecords {
		l.dropped.Add(load.Weight)
		return
	}
	l.kept.Add(1)
	l.waiting = append(l.waiting, load)
	if len(l.waiting) == queueRecords/2 {
		select {
		case l.full <- struct{}{}:
		default:
		}
	}
}

// Run writes what is recorded until ctx ends, and then what is left.
func (l *Log) Run(ctx context.Context) {
	var renewing sync.WaitGroup
	defer renewing.Wait()
	renewing.Go(func() { l.renew(ctx) })
	tick := time.NewTicker(l.config.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			l.report(ctx, l.flush(last))
			l.abandon()
			return
		case <-tick.C:
		case <-l.full:
		}
		l.report(ctx, l.flush(ctx))
	}
}

// renew begins second after second until ctx ends, whether or not a write hangs.
func (l *Log) renew(ctx context.Context) {
	tick := time.NewTicker(l.config.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.ordinary.renew()
			l.important.renew()
		}
	}
}

// report tells once that records cannot be written, and once that they can again.
func (l *Log) report(ctx context.Context, err error) {
	switch failed := err != nil; {
	case failed && !l.failing.Swap(true):
		l.config.Log.WarnContext(ctx, "records of loads cannot be written; they are kept while there is room", "error", err)
	case !failed && l.failing.Swap(false):
		l.config.Log.InfoContext(ctx, "records of loads are written again", "dropped_so_far", l.dropped.Load())
	}
}

// flush writes what is waiting. What cannot be written waits on.
func (l *Log) flush(ctx context.Context) error {
	l.mu.Lock()
	batch := l.waiting
	l.waiting, l.writing = make([]Load, 0, min(2*len(batch), queueRecords)), len(batch)
	l.mu.Unlock()
	for len(batch) > 0 {
		part := batch[:min(len(batch), batchRecords)]
		err := l.write(ctx, part)
		switch {
		case err == nil:
			l.written.Add(int64(len(part)))
		case refusedForGood(err):
			l.drop(part)
			l.config.Log.ErrorContext(ctx, "records of loads were refused by the database and are dropped", "records", len(part), "error", err)
		default:
			l.putBack(batch)
			return err
		}
		batch = batch[len(part):]
		l.mu.Lock()
		l.writing = len(batch)
		l.mu.Unlock()
	}
	return nil
}

// refusedForGood says that the database will not have records however often it is asked: what they hold is no value of its. A violation
// that names no constraint is that of a partition, which was made while they were on their way to another.
func refusedForGood(err error) bool {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || (refused.Code == "23514" && refused.ConstraintName == "") {
		return false
	}
	return strings.HasPrefix(refused.Code, "22") || strings.HasPrefix(refused.Code, "23")
}

func (l *Log) drop(batch []Load) {
	for _, lost := range batch {
		l.dropped.Add(lost.Weight)
	}
}

// putBack makes what could not be written wait again, before what came meanwhile: Record has left room for it.
func (l *Log) putBack(batch []Load) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting, l.writing = append(batch[:len(batch):len(batch)], l.waiting...), 0
}

// abandon gives up what nobody will write any more, and counts it.
func (l *Log) abandon() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop(l.waiting)
	l.waiting = nil
}

var loadColumns = []string{
	"tenant_id", "query_type", "query_name", "user_id", "execution_time_ms", "duration_us", "rows_returned", "cache_hit", "success",
	"error_code", "error_message", "request_id", "weight", "steps", "created_at",
}

// platform is the tenant that loads without one are booked on: operators alone see them.
var platform = uuid.MustParse("00000000-0000-0000-0000-000000000001")

func (l *Log) write(ctx context.Context, batch []Load) error {
	return l.service.AsService(ctx, "LoadsWrite", func(tx pgx.Tx) error {
		// A record that a crash takes away is one that was not kept; nobody waits for a disk for it.
		if _, err := tx.Exec(ctx, logQueries.Get("LoadsWriteBegin")); err != nil {
			return fmt.Errorf("begin to write: %w", err)
		}
		if err := l.place(ctx, tx, batch); err != nil {
			return fmt.Errorf("find tenants: %w", err)
		}
		_, err := tx.CopyFrom(ctx, pgx.Identifier{"public", "query_performance"}, loadColumns, pgx.CopyFromSlice(len(batch), func(i int) ([]any, error) {
			return l.row(&batch[i])
		}))
		return err
	})
}

// place finds the tenants of loads that failed before theirs was known. Nobody writes into the records of a tenant that they are no
// member of by naming it.
func (l *Log) place(ctx context.Context, tx pgx.Tx, batch []Load) error {
	var users, named []string
	var of []*Load
	for i := range batch {
		load := &batch[i]
		if load.Tenant == uuid.Nil && load.User != uuid.Nil && len(load.Named) <= namedBytes && printable(load.Named) == load.Named {
			users, named, of = append(users, load.User.String()), append(named, load.Named), append(of, load)
		}
	}
	if len(of) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, logQueries.Get("TenantsOf"), users, named)
	if err != nil {
		return err
	}
	var place int
	var tenant uuid.UUID
	_, err = pgx.ForEachRow(rows, []any{&place, &tenant}, func() error {
		of[place-1].Tenant = tenant
		return nil
	})
	return err
}

func (l *Log) row(load *Load) ([]any, error) {
	var rows, code, message, steps any
	if load.Rows >= 0 {
		rows = min(load.Rows, 1<<31-1)
	}
	if load.Code != "" {
		code, message = load.Code, printable(load.Message)
	}
	if len(load.Steps) > 0 && (load.Code != "" || l.Slow(load.Duration)) {
		text, err := json.Marshal(load.Steps)
		if err != nil {
			return nil, err
		}
		steps = text
	}
	tenant, user := load.Tenant, any(load.User)
	if tenant == uuid.Nil {
		tenant = platform
	}
	if load.User == uuid.Nil {
		user = nil
	}
	return []any{
		tenant, load.Type, load.Name, user, min(load.Duration.Milliseconds(), 1<<31-1), load.Duration.Microseconds(), rows, load.CacheHit, load.Code == "",
		code, message, load.RequestID, min(load.Weight, 1<<31-1), steps, load.At,
	}, nil
}

// printable is text as a column takes it: valid, without zero bytes, and not too long.
func printable(text string) string {
	text = strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "�")
	if len(text) <= messageBytes {
		return text
	}
	cut := messageBytes
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// LogStat is what a Log has done so far.
type LogStat struct {
	Kept    int64 // records taken
	Written int64 // records written
	Dropped int64 // loads that were to be recorded and could not
	Waiting int   // records still to be written
}

// Stat returns the counts.
func (l *Log) Stat() LogStat {
	l.mu.Lock()
	waiting := len(l.waiting) + l.writing
	l.mu.Unlock()
	return LogStat{Kept: l.kept.Load(), Written: l.written.Load(), Dropped: l.dropped.Load(), Waiting: waiting}
}
