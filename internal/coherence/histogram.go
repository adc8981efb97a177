package coherence

import (
	"math"
	"math/bits"
	"time"
)

// Histogram counts durations: eight steps for each doubling, from a microsecond.
type Histogram struct {
	counts [8 * 32]uint32
	Count  int64         // of all
	Zero   int64         // of those that were none
	Max    time.Duration // exact
}

func step(d time.Duration) int {
	us := uint64(max(1, d.Microseconds()))
	octave := bits.Len64(us) - 1
	var within int
	if octave >= 3 {
		within = int(us>>(octave-3)) - 8
	} else {
		within = int(us<<(3-octave)) - 8
	}
	return min(8*octave+within, 8*32-1)
}

func (h *Histogram) add(d time.Duration) {
	h.Count++
	if d <= 0 {
		h.Zero++
		return
	}
	h.counts[step(d)]++
	h.Max = max(h.Max, d)
}

func (h *Histogram) merge(other *Histogram) {
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.Count += other.Count
	h.Zero += other.Zero
	h.Max = max(h.Max, other.Max)
}

// Quantile is at most an eighth too long.
func (h *Histogram) Quantile(q float64) time.Duration {
	return h.after(h.Zero, int64(math.Ceil(q*float64(h.Count))))
}

// StaleQuantile is Quantile of those that were not none.
func (h *Histogram) StaleQuantile(q float64) time.Duration {
	return h.after(0, int64(math.Ceil(q*float64(h.Count-h.Zero))))
}

func (h *Histogram) after(passed, rank int64) time.Duration {
	if rank <= passed {
		return 0
	}
	for i, n := range h.counts {
		if passed += int64(n); passed >= rank {
			upper := math.Exp2(float64(i/8)) * (1 + float64(i%8+1)/8)
			return min(h.Max, time.Duration(upper*float64(time.Microsecond)))
		}
	}
	return h.Max
}
