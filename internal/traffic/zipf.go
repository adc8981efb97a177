package traffic

import (
	"math"
	"math/rand/v2"
	"sort"
)

// Zipf draws numbers from 1 to n, k as often as k^-exponent: few are asked for often, and many now and then.
type Zipf []float64

// NewZipf prepares drawing from 1 to n.
func NewZipf(n int, exponent float64) Zipf {
	sums, sum := make(Zipf, n), 0.0
	for k := range sums {
		sum += math.Pow(float64(k+1), -exponent)
		sums[k] = sum
	}
	return sums
}

// Draw draws one.
func (z Zipf) Draw(random *rand.Rand) int {
	return sort.SearchFloat64s(z, random.Float64()*z[len(z)-1]) + 1
}
