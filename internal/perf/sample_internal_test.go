package perf

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSampler has loads come at rates that change, and asks that what is kept stands for what there was.
func TestSampler(t *testing.T) {
	t.Parallel()
	s := &sampler{budget: 50}
	for _, perSecond := range []int64{20, 50} {
		for range 3 {
			for range perSecond {
				require.EqualValues(t, 1, s.sample(), "all are kept up to the budget")
			}
			s.renew()
		}
	}
	for _, perSecond := range []int64{30_000, 30_000, 400, 30_000, 1000} {
		var kept, standsFor, exact float64
		for range 20 {
			for range perSecond {
				if n := s.sample(); n > 0 {
					kept++
					standsFor += float64(n)
				}
				exact++
			}
			s.renew()
		}
		require.Less(t, kept/20, 8*50.0, "%d a second", perSecond)
		require.Less(t, math.Abs(standsFor-exact)/exact, 0.2, "%d a second", perSecond)
	}
	for range 2 {
		for range 10 {
			s.sample()
		}
		s.renew()
	}
	require.EqualValues(t, 1, s.sample(), "when it is quiet again, all are kept")
}
