package perf_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/perf"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
)

const platform = "00000000-0000-0000-0000-000000000001"

var (
	tenantA = uuid.MustParse("aaaaaaaa-0000-4000-8000-000000000000")
	tenantB = uuid.MustParse("bbbbbbbb-0000-4000-8000-000000000000")
	someone = uuid.MustParse("a0000000-0000-4000-8000-000000000001")
)

// run starts l and returns what ends it.
func run(t *testing.T, l *perf.Log) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { l.Run(ctx) })
	stop = sync.OnceFunc(func() { cancel(); running.Wait() })
	t.Cleanup(stop)
	return stop
}

func rows(t *testing.T, d *pgtest.Database, text string, args ...any) []string {
	t.Helper()
	found, err := d.Connect(t).Query(context.Background(), text, args...)
	require.NoError(t, err)
	got, err := pgx.CollectRows(found, pgx.RowTo[string])
	require.NoError(t, err)
	return got
}

// TestLog_Record writes what is told of loads, and when it is ended all that it still has.
func TestLog_Record(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	l := perf.NewLog(d.Open(t, postgres.Config{}).Service, perf.LogConfig{Rate: 100, Slow: time.Second, Every: time.Hour})
	stop := run(t, l)
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	steps := []perf.Step{{Name: "authenticate", Duration: 30 * time.Microsecond}, {Name: "ContextRead", Duration: 2 * time.Millisecond, Rows: 1, Code: "user_unknown"}}
	for _, load := range []perf.Load{
		{At: at, Type: "tenant_context", Name: "tenant_context", Tenant: tenantA, User: someone, Duration: 1500 * time.Microsecond, Rows: -1, CacheHit: true, RequestID: "r1", Weight: 7, Steps: steps},
		{At: at, Type: "tenant_context", Name: "tenant_context", User: someone, Duration: 3 * time.Millisecond, Rows: 0, Code: "user_unknown", Message: "bad \x00\xff text", RequestID: "r2", Weight: 1, Steps: steps},
		{At: at, Type: "agents", Name: "agents.select", Tenant: tenantB, Duration: 2 * time.Second, Rows: 12, RequestID: "r3", Weight: 1, Steps: steps[:1]},
		{At: at, Type: "job", Name: "job.X", Duration: time.Millisecond, Code: "internal", Message: strings.Repeat("é", 2000), Weight: 1},
	} {
		l.Record(load)
	}
	require.Equal(t, perf.LogStat{Kept: 4, Waiting: 4}, l.Stat())
	stop()
	require.Equal(t, perf.LogStat{Kept: 4, Written: 4}, l.Stat())
	require.Equal(t, []string{
		"aaaaaaaa tenant_context tenant_context a0000000 1 1500 – t t – – r1 7 –",
		`00000000 tenant_context tenant_context a0000000 3 3000 0 f f user_unknown "bad � text" r2 1 [{"step": "authenticate", "duration_us": 30}, {"code": "user_unknown", "rows": 1, "step": "ContextRead", "duration_us": 2000}]`,
		`bbbbbbbb agents agents.select – 2000 2000000 12 f t – – r3 1 [{"step": "authenticate", "duration_us": 30}]`,
		"00000000 job job.X – 1 1000 0 f f internal 251 characters  1 –",
	}, rows(t, d, `
		select concat_ws(' ', left(tenant_id::text, 8), query_type, query_name, coalesce(left(user_id::text, 8), '–'), execution_time_ms, duration_us, coalesce(rows_returned::text, '–'),
			left(cache_hit::text, 1), left(success::text, 1), coalesce(error_code, '–'),
			coalesce(case when length(error_message) > 100 then length(error_message) || ' characters' else '"' || error_message || '"' end, '–'), request_id, weight, coalesce(steps::text, '–'))
		from query_performance where created_at = $1 order by request_id = '', request_id`, at))
}

// TestLog_NoDatabase: recording goes on, and at once, when nothing can be written; what there is no room for is counted, and
// what there was room for is written when the database is back.
func TestLog_NoDatabase(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	db := d.Open(t, postgres.Config{})
	var log bytes.Buffer
	l := perf.NewLog(db.Service, perf.LogConfig{Rate: 100, Slow: time.Second, Every: 5 * time.Millisecond, Log: slog.New(slog.NewTextHandler(&log, nil))})
	d.Exec(t, "alter table query_performance rename to hidden")
	stop := run(t, l)
	const many = 40_000
	var slowest time.Duration
	for range many {
		began := time.Now()
		l.Record(perf.Load{At: began, Type: "agents", Name: "agents.select", Tenant: tenantA, Duration: time.Millisecond, Rows: 1, Weight: 1})
		slowest = max(slowest, time.Since(began))
	}
	require.Less(t, slowest, 10*time.Second, "recording waits for nobody")
	require.Eventually(t, func() bool { return l.Stat().Dropped > 0 }, 30*time.Second, time.Millisecond)
	d.Exec(t, "alter table hidden rename to query_performance")
	require.Eventually(t, func() bool { return l.Stat().Waiting == 0 }, 30*time.Second, 5*time.Millisecond)
	stop()
	stat := l.Stat()
	require.EqualValues(t, many, stat.Written+stat.Dropped)
	require.Equal(t, []string{"true"}, rows(t, d, "select (count(*) = $1)::text from query_performance", stat.Written))
	require.Equal(t, 1, strings.Count(log.String(), "cannot be written"), "it is told once")
	require.Equal(t, 1, strings.Count(log.String(), "are written again"))
}

// TestLog_WritingHangs: while a write waits for a lock, seconds pass all the same, and what failed is kept as ever.
func TestLog_WritingHangs(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	l := perf.NewLog(d.Open(t, postgres.Config{}).Service, perf.LogConfig{Rate: 1, Slow: time.Second, Every: 10 * time.Millisecond})
	lock, err := d.Connect(t).Begin(t.Context())
	require.NoError(t, err)
	_, err = lock.Exec(t.Context(), "lock table query_performance in access exclusive mode")
	require.NoError(t, err)
	stop := run(t, l)
	l.Record(perf.Load{At: time.Now(), Type: "agents", Name: "agents.select", Tenant: tenantA, Weight: 1})
	require.Eventually(t, func() bool {
		return rows(t, d, "select count(*)::text from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")[0] == "1"
	}, 30*time.Second, time.Millisecond, "it is being written")
	require.Equal(t, 1, l.Stat().Waiting, "and is not written yet")
	for range 10 {
		for range 300 {
			require.EqualValues(t, 1, l.Sample(time.Millisecond, true))
		}
		time.Sleep(100 * time.Millisecond)
	}
	for range 20_000 {
		l.Record(perf.Load{At: time.Now(), Type: "agents", Name: "agents.select", Tenant: tenantA, Weight: 1})
	}
	require.Zero(t, l.Stat().Written)
	require.Equal(t, perf.LogStat{Kept: 16_384, Waiting: 16_384, Dropped: 20_001 - 16_384}, l.Stat(), "what is being written takes room")
	require.NoError(t, lock.Rollback(t.Context()))
	require.Eventually(t, func() bool { return l.Stat().Written == 16_384 }, 30*time.Second, 5*time.Millisecond)
	stop()
}

// TestLog_PartitionMade: a record that meets a partition being made, which it was to be beside and is in now, is written at the next try.
func TestLog_PartitionMade(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	var log bytes.Buffer
	l := perf.NewLog(d.Open(t, postgres.Config{}).Service, perf.LogConfig{Rate: 1, Slow: time.Second, Every: 10 * time.Millisecond, Log: slog.New(slog.NewTextHandler(&log, nil))})
	making, err := d.Connect(t).Begin(t.Context())
	require.NoError(t, err)
	_, err = making.Exec(t.Context(), `create table vital.query_performance_met (like query_performance including all);
		alter table query_performance attach partition vital.query_performance_met for values from ('2031-01-01') to ('2031-01-02')`)
	require.NoError(t, err)
	stop := run(t, l)
	l.Record(perf.Load{At: time.Date(2031, 1, 1, 12, 0, 0, 0, time.UTC), Type: "agents", Name: "agents.select", Tenant: tenantA, Weight: 1})
	require.Eventually(t, func() bool {
		return rows(t, d, "select count(*)::text from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")[0] == "1"
	}, 30*time.Second, time.Millisecond)
	require.NoError(t, making.Commit(t.Context()))
	require.Eventually(t, func() bool { return l.Stat().Written == 1 }, 30*time.Second, 5*time.Millisecond)
	stop()
	require.Equal(t, perf.LogStat{Kept: 1, Written: 1}, l.Stat(), log.String())
	require.Contains(t, log.String(), "violates partition constraint", "it was met")
	require.Equal(t, []string{"1"}, rows(t, d, "select count(*)::text from vital.query_performance_met"))
}

// TestLog_StopsUnwritten: what nobody could write until the end is counted.
func TestLog_StopsUnwritten(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	l := perf.NewLog(d.Open(t, postgres.Config{}).Service, perf.LogConfig{Rate: 1, Slow: time.Second, Every: time.Hour})
	d.Exec(t, "alter table query_performance rename to hidden")
	stop := run(t, l)
	l.Record(perf.Load{At: time.Now(), Type: "agents", Name: "agents.select", Tenant: tenantA, Weight: 7})
	stop()
	require.Equal(t, perf.LogStat{Kept: 1, Dropped: 7}, l.Stat())
}

// TestLog_Sample: what failed or was slow is always kept, what is off keeps nothing.
func TestLog_Sample(t *testing.T) {
	t.Parallel()
	l := perf.NewLog(nil, perf.LogConfig{Rate: 10, Slow: time.Second})
	kept := 0
	for range 10_000 {
		if l.Sample(time.Millisecond, false) > 0 {
			kept++
		}
	}
	require.Less(t, kept, 200)
	require.EqualValues(t, 1, l.Sample(time.Millisecond, true))
	require.EqualValues(t, 1, l.Sample(2*time.Second, false))
	require.False(t, l.Slow(time.Second))

	off := perf.NewLog(nil, perf.LogConfig{Slow: time.Second})
	require.Zero(t, off.Sample(2*time.Second, true))
	var none *perf.Log
	require.Zero(t, none.Sample(2*time.Second, true))
}

// TestRoll moves the clock over days: partitions are made ahead, what came before its own is moved there, and those that are
// too old go as a whole.
func TestRoll(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	rolled := func(keep int, now string) []string {
		t.Helper()
		return rows(t, d, "select partition_name || ' ' || done from vital.roll_query_performance($1, 2, $2::timestamptz)", keep, now)
	}
	counts := func() []string {
		t.Helper()
		return rows(t, d, "select tableoid::regclass || ' ' || count(*) from query_performance group by tableoid order by 1")
	}
	record := func(at string) {
		t.Helper()
		d.Exec(t, "insert into query_performance (tenant_id, query_name, created_at) values ($1, 'x', $2::timestamptz)", platform, at)
	}
	record("2026-03-01 12:00Z")
	record("2026-03-02 23:59:59.999999Z")
	record("2026-01-01 00:00Z")
	require.Equal(t, []string{"vital.query_performance_default 3"}, counts())
	require.Equal(t, []string{"query_performance_20260301 made", "query_performance_20260302 made", "query_performance_20260303 made", "query_performance_20260304 made"},
		rolled(30, "2026-03-02 00:00Z"))
	require.Equal(t, []string{"vital.query_performance_20260301 1", "vital.query_performance_20260302 1"}, counts(), "what is too old is gone")
	require.Empty(t, rolled(30, "2026-03-02 23:59Z"), "there is nothing to do twice")
	record("2026-03-03 00:00Z")
	record("2026-03-04 00:00Z")
	require.Equal(t, []string{"query_performance_20260305 made"}, rolled(30, "2026-03-03 00:00Z"))
	require.Equal(t, []string{
		"query_performance_20260401 made", "query_performance_20260402 made", "query_performance_20260403 made", "query_performance_20260301 dropped",
	}, rolled(30, "2026-04-01 01:00Z"))
	require.Equal(t, []string{"vital.query_performance_20260302 1", "vital.query_performance_20260303 1", "vital.query_performance_20260304 1"}, counts())
	require.Equal(t, []string{"query_performance_20260302 dropped", "query_performance_20260303 dropped"}, rolled(28, "2026-04-01 02:00Z"))
	require.Equal(t, []string{"5"}, rows(t, d, "select count(*)::text from pg_index where indrelid = 'vital.query_performance_20260304'::regclass and not indisprimary"), "each has the table's indexes")
	require.Equal(t, []string{"false"}, rows(t, d, "select has_table_privilege('authenticated', 'vital.query_performance_20260304', 'select')::text"))
}

// TestRoll_AsService is how the server does it.
func TestRoll_AsService(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	db := d.Open(t, postgres.Config{})
	var rolled []perf.Rolled
	roll := func(days int) error {
		return db.AsService(context.Background(), "LoadsRoll", func(tx pgx.Tx) (err error) {
			rolled, err = perf.Roll(context.Background(), tx, days)
			return err
		})
	}
	require.NoError(t, roll(30))
	require.Len(t, rolled, 4)
	require.Equal(t, "made", rolled[0].Done)
	require.NoError(t, roll(30))
	require.Empty(t, rolled)
	require.Error(t, roll(0), "nothing may drop what is recorded today")
}

// TestLog_Refused: records that the database can never take are dropped and counted, and those behind them are written.
func TestLog_Refused(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	var log bytes.Buffer
	l := perf.NewLog(d.Open(t, postgres.Config{}).Service, perf.LogConfig{Rate: 100, Slow: time.Second, Every: 5 * time.Millisecond, Log: slog.New(slog.NewTextHandler(&log, nil))})
	stop := run(t, l)
	l.Record(perf.Load{At: time.Now(), Type: "agents", Name: "agents\x00.select", Rows: -1, Weight: 3})
	require.Eventually(t, func() bool { return l.Stat().Dropped == 3 }, 30*time.Second, time.Millisecond)
	l.Record(perf.Load{At: time.Now(), Type: "agents", Name: "agents.select", Rows: -1, Weight: 1})
	require.Eventually(t, func() bool { return l.Stat().Written == 1 }, 30*time.Second, time.Millisecond)
	stop()
	require.Equal(t, []string{"agents.select"}, rows(t, d, "select query_name from query_performance"))
	require.Equal(t, 1, strings.Count(log.String(), "refused by the database and are dropped"))
}
