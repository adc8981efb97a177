package coherence

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRegister_Judge(t *testing.T) {
	t.Parallel()
	start := time.Now().Add(-time.Minute)
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	r := &register{name: "r"}
	for range 4 {
		r.begin()
	}
	r.acknowledge(1, 0, at(1), 100)
	r.acknowledge(2, 1, at(2), 200)
	r.acknowledge(4, nobody, at(4), 0) // of 3 nobody knows
	for name, c := range map[string]struct {
		instance  int
		position  uint64
		asked     time.Time
		value     int64
		wrong     string
		staleness time.Duration
	}{
		"the last":                          {0, 0, at(9), 4, "", 0},
		"one of unknown fate":               {2, 0, at(9), 3, "", 5 * time.Second},
		"never begun":                       {2, 0, at(9), 5, "nobody has written", 0},
		"older than others acknowledged":    {2, 0, at(9), 0, "", 8 * time.Second},
		"asked before it was overtaken":     {2, 0, at(0), 0, "", 0},
		"older than it has itself":          {1, 0, at(9), 1, "this instance has acknowledged", 0},
		"as old as it has itself":           {0, 0, at(9), 1, "", 7 * time.Second},
		"older than a token":                {2, 200, at(9), 1, "the token covers", 0},
		"as old as a token":                 {2, 199, at(9), 1, "", 7 * time.Second},
		"a token that covers nothing known": {2, 99, at(9), 0, "", 8 * time.Second},
	} {
		v := r.judge(c.value, r.expect(c.instance, c.position, c.asked))
		if c.wrong == "" {
			require.Empty(t, v.wrong, name)
		} else {
			require.Contains(t, v.wrong, c.wrong, name)
		}
		require.Equal(t, c.staleness, v.stale, name)
	}
	e := r.expect(2, 0, at(9))
	e.raise(2, "which the token came with")
	require.Contains(t, r.judge(1, e).wrong, "the token came with")
}

// Of a register of which only states can be told apart, the newest write that fits is what was shown.
func TestRegister_States(t *testing.T) {
	t.Parallel()
	r := &register{states: 2}
	for n := range int64(3) {
		r.acknowledge(r.begin(), int(n)-1, time.Now().Add(-time.Second), 0)
	}
	require.EqualValues(t, 3, r.number(1))
	require.EqualValues(t, 2, r.number(0))
	require.Empty(t, r.judge(0, r.expect(2, 0, time.Now())).wrong)
	require.Contains(t, r.judge(0, r.expect(1, 0, time.Now())).wrong, "this instance", "it has acknowledged the third itself")
	r.begin()
	require.Empty(t, r.judge(0, r.expect(1, 0, time.Now())).wrong, "the fourth may have been shown")
}

func TestHistogram(t *testing.T) {
	t.Parallel()
	var h, other Histogram
	for n := 1; n <= 100; n++ {
		h.add(time.Duration(n) * time.Millisecond)
	}
	for range 100 {
		other.add(0)
	}
	h.merge(&other)
	require.EqualValues(t, 200, h.Count)
	require.Zero(t, h.Quantile(0.5))
	require.InEpsilon(t, 50*time.Millisecond, h.Quantile(0.75), 0.13)
	require.InEpsilon(t, 50*time.Millisecond, h.StaleQuantile(0.5), 0.13)
	require.Equal(t, 100*time.Millisecond, h.Quantile(1))
	require.Equal(t, 100*time.Millisecond, h.Max)
	for _, d := range []time.Duration{time.Nanosecond, time.Microsecond, 3 * time.Microsecond, time.Second, time.Hour} {
		var one Histogram
		one.add(d)
		require.Equal(t, d, one.Quantile(1), d)
	}
}

func TestScan(t *testing.T) {
	t.Parallel()
	s := &stage{config: Config{Tenants: 2}}
	for n := range 2 {
		s.plays = append(s.plays, &play{number: n, id: named("tenant %d", n)})
	}
	r := &reader{run: &run{stage: s}}
	right := `{"organization":{"id":"` + s.plays[0].id.String() + `","name":"chaos-n-0-7"},"config":{"counter":"chaos-c-0-12","app":"chaos-a-0-3","own":"chaos-o-0-0"},"tenants":["chaos-n-0-7"`
	values, _, wrong := r.scan(s.plays[0], 0, []byte(right+`]}`))
	require.Empty(t, wrong)
	require.Equal(t, [4]int64{12, 7, 3, 0}, values)
	_, guest, wrong := r.scan(s.plays[0], both, []byte(right+`,"chaos-n-1-5"]}`))
	require.Empty(t, wrong)
	require.EqualValues(t, 5, guest)
	for body, want := range map[string]string{
		right + `,"chaos-n-0-8"]}`:   "not of one moment",
		right + `,"chaos-n-1-5"]}`:   "belongs to another tenant",
		right + `,"chaos-c-1-5"]}`:   "belongs to another tenant",
		`{"organization":{"id":"x"}`: "another tenant than asked",
		right[:100] + `"]}`:          "it lacks",
		right + `,"chaos-`:           "belongs to another tenant",
	} {
		_, _, wrong := r.scan(s.plays[0], 0, []byte(body))
		require.Contains(t, wrong, want, body)
	}
}
