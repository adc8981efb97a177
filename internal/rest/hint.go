package rest

import (
	"slices"
	"strings"
)

// How alike a name must be to one that does not exist to be offered instead.
const (
	closeEnough = 0.75
	farthest    = 0.33
	// maxHinted is the longest name a likeness is looked for: that costs its length times that of all others.
	maxHinted = 1 << 10
)

// closest returns the name most like wanted, if it is at least so alike: 1 is the same.
func closest(names []string, wanted string, least float64) string {
	best := ""
	if len(wanted) > maxHinted {
		return best
	}
	slices.Sort(names) // so that the answer does not depend on the order of a map
	for _, name := range names {
		if alike := similarity(strings.ToLower(name), strings.ToLower(wanted)); alike >= least && (best == "" || alike > least) {
			best, least = name, alike
		}
	}
	return best
}

// similarity is one minus the edit distance in proportion to the longer text; 0 when they share no pair of
// letters.
func similarity(a, b string) float64 {
	x, y := []rune(a), []rune(b)
	longer := max(len(x), len(y))
	if longer == 0 || !sharesPair(x, y) {
		return 0
	}
	before := make([]int, len(y)+1)
	for j := range before {
		before[j] = j
	}
	for i := range x {
		row := make([]int, len(y)+1)
		row[0] = i + 1
		for j := range y {
			change := before[j]
			if x[i] != y[j] {
				change++
			}
			row[j+1] = min(change, before[j+1]+1, row[j]+1)
		}
		before = row
	}
	return 1 - float64(before[len(y)])/float64(longer)
}

func sharesPair(a, b []rune) bool {
	pairs := map[[2]rune]bool{}
	for i := 1; i < len(a); i++ {
		pairs[[2]rune{a[i-1], a[i]}] = true
	}
	for i := 1; i < len(b); i++ {
		if pairs[[2]rune{b[i-1], b[i]}] {
			return true
		}
	}
	return false
}
