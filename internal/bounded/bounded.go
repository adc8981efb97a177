// Package bounded keeps values in memory, as many as there is room for: those that are asked for most.
//
// It is otter behind an interface, so that it is compiled where a Map is made and nowhere else: a package that only names a struct with one
// of otter's generic types in it would be built with all of otter once more for each, thousands of functions.
package bounded

import "github.com/maypok86/otter/v2"

// Map is a map of bounded size. It is safe for concurrent use. What was set may be gone at any time.
type Map[K comparable, V any] interface {
	// Get returns the value of key where it is kept.
	Get(key K) (V, bool)
	Set(key K, value V)
	Delete(key K)
	Size() Size
}

// Size is about what a Map holds.
type Size struct {
	Entries       int
	Weight, Bound uint64 // of all, and the most there may be
}

// New returns a Map of at most entries, which must be positive.
func New[K comparable, V any](entries int) Map[K, V] {
	return kept[K, V]{otter.Must(&otter.Options[K, V]{MaximumSize: entries})}
}

// Weighed returns a Map of at most so much weight, which must be positive. gone is told of each value that is no longer kept, and whether it made room for others.
func Weighed[K comparable, V any](most uint64, weigh func(V) uint32, gone func(value V, evicted bool)) Map[K, V] {
	return kept[K, V]{otter.Must(&otter.Options[K, V]{
		MaximumWeight: most,
		Weigher:       func(_ K, value V) uint32 { return weigh(value) },
		OnDeletion:    func(e otter.DeletionEvent[K, V]) { gone(e.Value, e.WasEvicted()) },
	})}
}

type kept[K comparable, V any] struct{ cache *otter.Cache[K, V] }

func (k kept[K, V]) Get(key K) (V, bool) { return k.cache.GetIfPresent(key) }
func (k kept[K, V]) Set(key K, value V)  { k.cache.Set(key, value) }
func (k kept[K, V]) Delete(key K)        { k.cache.Invalidate(key) }
func (k kept[K, V]) Size() Size {
	return Size{k.cache.EstimatedSize(), k.cache.WeightedSize(), k.cache.GetMaximum()}
}
