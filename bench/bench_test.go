package main

import (
	"bufio"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/localpg"
	"github.com/vital-db/vital/internal/perf"
	"github.com/vital-db/vital/internal/report"
	"github.com/vital-db/vital/internal/traffic"
)

func TestSummarize(t *testing.T) {
	t.Parallel()
	took := []time.Duration{4 * time.Millisecond, time.Millisecond, 3 * time.Millisecond, 2 * time.Millisecond, 10 * time.Millisecond}
	s := summarize(took, time.Second)
	require.InDelta(t, 5, s.PerSecond, 1e-9)
	require.InDelta(t, 4, s.Mean, 1e-9)
	require.InDelta(t, 3, s.P50, 1e-9)
	require.InDelta(t, 4, s.P99, 1e-9) // the last one is above the 99th of 5
}

func TestMedianSample(t *testing.T) {
	t.Parallel()
	s := medianSample([]sample{{PerSecond: 10, Mean: 3}, {PerSecond: 30, Mean: 1}, {PerSecond: 20, Mean: 2}})
	require.InDelta(t, 20, s.PerSecond, 1e-9)
	require.InDelta(t, 2, s.Mean, 1e-9)
	require.InDelta(t, 2.5, median([]float64{1, 2, 3, 4}), 1e-9)
}

func TestPgbench(t *testing.T) {
	t.Parallel()
	rate, err := parsePgbench([]byte("initial connection time = 12.1 ms\ntps = 4584.123 (without initial connection time)\n"))
	require.NoError(t, err)
	require.InDelta(t, 4584.123, rate, 1e-9)
	_, err = parsePgbench([]byte("nothing of the kind"))
	require.Error(t, err)

	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "log.1"), []byte("0 1 1000 0 1795479844 1\n0 2 3000 0 1795479844 2\n0 3"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "log.1.1"), []byte("1 1 2000 0 1795479844 1\n"), 0o600))
	s, err := readPgbenchLogs(dir)
	require.NoError(t, err)
	require.Equal(t, 3, s.Count)
	require.InDelta(t, 2, s.P50, 1e-9)
}

func TestProxy(t *testing.T) {
	t.Parallel()
	const delay = 20 * time.Millisecond
	server, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer server.Close()
	go func() {
		conn, err := server.Accept()
		if err == nil {
			_, _ = io.Copy(conn, conn)
			conn.Close()
		}
	}()
	p, err := startProxy(server.Addr().String(), delay)
	require.NoError(t, err)
	conn, err := net.Dial("tcp", p.address())
	require.NoError(t, err)
	started := time.Now()
	_, err = conn.Write([]byte("echo"))
	require.NoError(t, err)
	answer := make([]byte, 4)
	_, err = io.ReadFull(conn, answer)
	require.NoError(t, err)
	require.Equal(t, "echo", string(answer))
	require.GreaterOrEqual(t, time.Since(started), delay)
	require.NoError(t, conn.Close())
	require.NoError(t, p.stop())
}

func TestDraw_IsWellFormed(t *testing.T) {
	t.Parallel()
	ours := line{Name: "ours & more", Ours: true, Points: []point{{100, 1, .9, 1.2}, {1000, 1.1, 1, 1.3}}}
	for _, p := range []plot{
		{Title: "a < b", Unit: "ms", Bars: []bar{{"x", 3, 2, 4, true}, {"y", 1, 1, 1, false}}},
		{Title: "log", Unit: "ms", Log: true, Bars: []bar{{"x", 300, 200, 400, true}, {"y", 1, 1, 1, false}}},
		{Title: "line", Unit: "ms", Across: "tenants", Lines: []line{ours}},
		{Title: "spans", Unit: "ms", Spans: []span{{"x", 0, 3, "3 ms & more", true}, {"y", 3, 3.001, "", false}}},
	} {
		picture := string(draw("Title", "caption", []plot{p}))
		require.NotContains(t, picture, "NaN")
		require.NotContains(t, picture, "Inf")
		decoder := xml.NewDecoder(strings.NewReader(picture))
		var err error
		for err == nil {
			_, err = decoder.Token()
		}
		require.True(t, errors.Is(err, io.EOF), "%v", err)
	}
}

func TestRoundStep(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]float64{0.7: 1, 1: 1, 1.1: 2, 3: 5, 60: 100, 0.012: 0.02} {
		require.InDelta(t, want, roundStep(v), 1e-9, v)
	}
}

func TestZipf(t *testing.T) {
	t.Parallel()
	chosen, random := traffic.NewZipf(1000, zipfExponent), rand.New(rand.NewPCG(1, 1))
	counts := map[int]int{}
	for range 100_000 {
		n := chosen.Draw(random)
		require.True(t, 1 <= n && n <= 1000, n)
		counts[n]++
	}
	require.InDelta(t, math.Pow(2, zipfExponent), float64(counts[1])/float64(counts[2]), 0.1)
}

func TestListener(t *testing.T) {
	t.Parallel()
	server, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer server.Close()
	go func() {
		for _, answer := range []string{"HTTP/1.1 200 OK\r\n\r\nretry: 1\ndata: {}\n\nid: 2\ndata: {}\n\n", "HTTP/1.1 401 Unauthorized\r\n\r\n"} {
			conn, err := server.Accept()
			if err != nil {
				return
			}
			_, _ = bufio.NewReader(conn).ReadString('\n')
			_, _ = io.WriteString(conn, answer)
			conn.Close()
		}
	}()
	l, err := listen(server.Addr().String(), []byte("GET / HTTP/1.1\r\n\r\n"))
	require.NoError(t, err)
	_, err = l.event()
	require.NoError(t, err)
	_, err = l.event()
	require.ErrorIs(t, err, io.EOF)
	_, err = listen(server.Addr().String(), []byte("GET / HTTP/1.1\r\n\r\n"))
	require.ErrorContains(t, err, "401")
}

func TestStatementsResult(t *testing.T) {
	t.Parallel()
	r := statementsResult([]string{
		"x LOG:  execute <unnamed>: begin isolation level read committed read only",
		"x LOG:  execute <unnamed>: select pg_catalog.set_config('role', $1, true)",
		"x LOG:  execute v1: select c.body from vital.caller_context() c",
		"x LOG:  execute <unnamed>: commit",
	})
	require.InDelta(t, 1, r.Goals[0].Measured, 1e-9)
	require.True(t, r.Goals[0].Met)
}

func TestParse(t *testing.T) {
	t.Parallel()
	o, err := parse([]string{"context", "--rounds", "2", "rls", "--seconds", "0.5"})
	require.NoError(t, err)
	require.Equal(t, []string{"context", "rls"}, o.scenarios)
	require.Equal(t, 500*time.Millisecond, o.slice)
	_, err = parse([]string{"nothing"})
	require.ErrorContains(t, err, "nothing")
}

func TestParse_Peers(t *testing.T) {
	t.Parallel()
	o, err := parse([]string{"rest", "--peer", "a=serve -p {port} -d {url}", "--peer", "b=x=y", "--peer-path", "b=/api?{query}"})
	require.NoError(t, err)
	require.Equal(t, []peerSpec{{"a", "serve -p {port} -d {url}", "/prompts?{query}"}, {"b", "x=y", "/api?{query}"}}, o.peers)
	for _, wrong := range [][]string{
		{"--peer", "nothing"}, {"--peer", "a=x", "--peer", "a=y"}, {"--peer-path", "a=/x"}, {"--peer", "a=x", "--peer-path", "a=x"},
	} {
		_, err := parse(wrong)
		require.ErrorContains(t, err, "NAME=", "%v", wrong)
	}
}

func TestPeer(t *testing.T) {
	t.Parallel()
	w := &world{dir: t.TempDir(), pg: new(localpg.Server)}
	d := &target{name: "d"}
	_, err := w.startPeer(t.Context(), peerSpec{"broken", "echo {database} {schema}; exit 3", "/"}, d, "")
	require.ErrorContains(t, err, "peer broken")
	require.ErrorContains(t, err, "d plain") // what it said
}

func TestTransactionOf(t *testing.T) {
	t.Parallel()
	const stamp = "2026-11-25 02:00:00.000 UTC [1] vital_api@d LOG:  "
	lines := []string{
		stamp + "execute <unnamed>: begin isolation level read committed read only",
		stamp + "execute v1: select pg_catalog.set_config('role', $1, true), pg_catalog.set_config('vital.context', $2, true)",
		stamp + "execute v2: select (vital.identity()).user_id",
		stamp + "execute v3: SELECT row_to_json(\"_t\") FROM \"public\".\"prompts\" AS \"_t\"",
		stamp + "execute <unnamed>: commit",
		stamp + "execute <unnamed>: reset role",
	}
	statements, err := transactionOf(lines)
	require.NoError(t, err)
	require.Equal(t, []string{
		"begin isolation level read committed read only",
		"select pg_catalog.set_config('role', :p1, true), pg_catalog.set_config('vital.context', :p2, true)",
		"select (vital.identity()).user_id",
		`SELECT row_to_json("_t") FROM "public"."prompts" AS "_t"`,
		"commit",
	}, statements)
	_, err = transactionOf(lines[1:])
	require.Error(t, err)
}

func TestRestResult(t *testing.T) {
	t.Parallel()
	var all []*series
	for _, clients := range restClients {
		for name, rate := range map[string]float64{nameRest: 6, nameSame: 10, nameInOneGo: 12, nameDialect: 8, nameRestBare: 60, "peer": 5} {
			s := sample{PerSecond: rate, P50: 1 / rate, ServerCPU: 10 / rate, PostgresCPU: 30 / rate}
			all = append(all, &series{Name: name, Clients: clients, Median: s, Rounds: []sample{s}})
		}
	}
	r := restResult(all, []*peer{{name: "peer"}})
	require.Len(t, r.Goals, 12)
	require.Equal(t, goal{nameRest + " over " + nameSame + ", clients: 1", atLeast, 0.6, 0.6, true}, r.Goals[0])
	require.Equal(t, goal{nameDialect + " over peer, clients: 1", atLeast, 1.5, 1.6, true}, r.Goals[3])
	require.Equal(t, goal{nameRest + " over peer, clients: 1", atLeast, 1.5, 1.2, false}, r.Goals[4])
	require.Equal(t, goal{"CPU time of peer over " + nameDialect + ", clients: 1", information, 0, 1.6, true}, r.Goals[5])
	require.Contains(t, r.table(), "US OF POSTGRES")
}

func TestProcessTable(t *testing.T) {
	t.Parallel()
	pid, parent, used, ok := parseStat([]byte("12 (post) gres: a) S 3 12 12 0 -1 4194304 500 0 0 0 7 5 2 1 20 0 1 0 100 1 1"))
	require.True(t, ok)
	require.Equal(t, []int{12, 3}, []int{pid, parent})
	require.Equal(t, 150*time.Millisecond, used)
	_, _, _, ok = parseStat(nil)
	require.False(t, ok)
	table := processTable{1: {3: time.Second}, 3: {12: used, 13: time.Millisecond}, 12: {14: time.Minute}}
	require.Equal(t, time.Minute+time.Second+151*time.Millisecond, table.used(3))
}

// TestFaults_Questions: what is asked for is there to be asked, and nothing is named where nothing happened.
func TestFaults_Questions(t *testing.T) {
	t.Parallel()
	alerts, err := os.ReadFile(filepath.Join("..", "deploy", "prometheus", "alerts.yaml"))
	require.NoError(t, err)
	panels, err := readPanels(filepath.Join("..", "deploy", "grafana", "vital.json"))
	require.NoError(t, err)
	shownBy := map[string]bool{}
	for _, p := range panels {
		require.NotContains(t, p.text, "$", p.title)
		shownBy[p.title] = true
	}
	quiet := quietSight()
	for _, fault := range faultsPlanted {
		for _, q := range fault.questions {
			name := fault.name + ": " + q.of
			if named, ok := strings.CutPrefix(q.of, "alert "); ok {
				require.Contains(t, string(alerts), "- alert: "+named+"\n", name)
			}
			if title, ok := strings.CutPrefix(q.of, "panel "); ok {
				require.True(t, shownBy[title], name)
			}
			require.Equal(t, strings.HasPrefix(q.of, "no "), q.named(quiet, quiet), name)
		}
	}
}

// quietSight is what is told while nothing is wrong.
func quietSight() *sight {
	well := 2.0
	s := &sight{
		byQuery: map[string]perf.Statistic{"rpc.prompt_summary": {Loads: 10, P99: &well}}, byTenant: map[string]perf.Statistic{unluckySlug: {Loads: 10}}, most: "rpc.prompt_summary",
		slowest: []perf.Record{{Name: "prompts.select", Duration: &well}}, failed: []perf.Record{{Name: "tenant_context", Code: "token_expired", Duration: &well}},
		cache: []struct{ Redis map[string]float64 }{{map[string]float64{"up": 1}}},
	}
	for _, gate := range []string{"tenants_load", "loading_works", "rls_denials"} {
		s.gates = append(s.gates, report.Standing{Gate: report.Gate{Gate: gate}, Status: report.Passed})
	}
	return s
}

// TestFaults_Explains: a lineage names a fault by how far it reaches and since when, both.
func TestFaults_Explains(t *testing.T) {
	t.Parallel()
	began := time.Now()
	s := &sight{window: window{from: began}}
	line := func(scope string, since time.Time) *perf.Lineage {
		return &perf.Lineage{Verdict: "failed", Scope: scope, Since: &since}
	}
	require.True(t, s.explains(line("tenant", began.Add(time.Second)), "failed", "tenant"))
	require.False(t, s.explains(line("user", began.Add(time.Second)), "failed", "tenant"))
	require.False(t, s.explains(line("tenant", began.Add(-time.Minute)), "failed", "tenant"))
	require.False(t, s.explains(line("tenant", began), "slow", "tenant"))
	require.False(t, s.explains(nil, "failed", "tenant"))
}

func TestFaults_Risen(t *testing.T) {
	t.Parallel()
	before := map[string]perf.Statistic{"a": {Loads: 100, ErrorRate: 10}, "b": {Loads: 100}}
	now := map[string]perf.Statistic{"a": {Loads: 1000, ErrorRate: 1}, "b": {Loads: 1000, ErrorRate: 5}, "c": {Loads: 10, ErrorRate: 50}, "platform": {Loads: 10, ErrorRate: 50}}
	worse := risen(before, now)
	require.ElementsMatch(t, []string{"b", "c"}, worse, "nobody's loads are the platform's")
}

func TestMetrics_Sum(t *testing.T) {
	t.Parallel()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	found, err := parser.TextToMetricFamilies(strings.NewReader(`# TYPE took histogram
took_bucket{name="a",le="1"} 4
took_bucket{name="a",le="+Inf"} 7
took_sum{name="a"} 9
took_count{name="a"} 7
# TYPE errors counter
errors{code="x"} 2
errors{code="y"} 3
`))
	require.NoError(t, err)
	m := metrics(found)
	require.InDelta(t, 3, m.sum("took", map[string]string{"name": "a"}), 0, "those that took more than a second")
	require.InDelta(t, 5, m.sum("errors", nil), 0)
	require.InDelta(t, 3, m.sum("errors", map[string]string{"code": "y"}), 0)
	require.Zero(t, m.sum("none", nil))
}

func TestCompare(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(day string, rates ...float64) string {
		s := &series{Name: "GET /x", Clients: 16}
		for _, rate := range rates {
			s.Rounds = append(s.Rounds, sample{PerSecond: rate, P50: 1000 / rate, P99: 2000 / rate, Count: 10})
		}
		s.Median = medianSample(s.Rounds)
		r := &result{Scenario: "speed", Series: []*series{s}}
		r.ratio("ours over theirs", atLeast, 0.5, rates[0]/1000)
		at, err := time.Parse(time.DateOnly, day)
		require.NoError(t, err)
		require.NoError(t, r.save(dir, at))
		return filepath.Join(dir, day+"-speed.json")
	}
	oldest := write("2026-01-01", 900, 910)
	old := write("2026-02-01", 600, 610, 620)
	fresh := write("2026-03-01", 300, 310, 320)
	var out strings.Builder
	require.NoError(t, compare([]string{"--out", dir}, &out))
	require.Contains(t, out.String(), filepath.Base(old))
	require.NotContains(t, out.String(), filepath.Base(oldest))
	require.Regexp(t, `GET /x +16 +per second +610 +310 +-49\.2 % +\*`, out.String())
	require.Regexp(t, `ours over theirs .* 0\.600 +0\.300 +-50\.0 % +missed now`, out.String())
	out.Reset()
	require.NoError(t, compare([]string{fresh, fresh}, &out))
	require.Regexp(t, `per second +310 +310 +\+0\.0 % +~`, out.String())
	out.Reset()
	require.NoError(t, compare([]string{"--benchstat", fresh}, &out))
	require.Contains(t, out.String(), "Benchmarkspeed/GET__x/clients=16 10 3333333 ns/op 300.00 req/s 6.6667 p99-ms\n")
	require.Error(t, compare([]string{fresh}, &out))
	require.Error(t, compare([]string{fresh, filepath.Join(dir, "none.json")}, &out))
}

func TestRecovered(t *testing.T) {
	t.Parallel()
	fast, slow := []time.Duration{time.Millisecond}, []time.Duration{time.Second}
	require.Zero(t, recovered([][]time.Duration{fast, fast}, 10))
	require.Equal(t, 2*saturationWindow, recovered([][]time.Duration{fast, slow, fast}, 10), "it has to stay")
	require.Negative(t, recovered([][]time.Duration{fast, slow}, 10))
}
