package measure

import (
	"cmp"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

func drawStream(t *rapid.T, name string) []int {
	return rapid.SliceOfN(rapid.OneOf(rapid.IntRange(0, 3), rapid.IntRange(0, 60)), 0, 300).Draw(t, name)
}

func summarise(stream []int, limit int) *summary[int] {
	s := newSummary[int](limit)
	for _, k := range stream {
		s.add(k)
	}
	return s
}

// checkBounds holds the promise of summary against the truth.
func checkBounds(t *rapid.T, s *summary[int], truth map[int]uint64, n, limit int) {
	bound := uint64(n / limit)
	held := map[int]bool{}
	for i, c := range s.heap {
		held[c.key] = true
		if c.count < truth[c.key] || c.count-c.err > truth[c.key] || c.err > bound {
			t.Fatalf("item %d: count %d, error %d, truth %d, bound %d", c.key, c.count, c.err, truth[c.key], bound)
		}
		if i > 0 && s.heap[(i-1)/2].count > c.count {
			t.Fatal("the heap is out of order")
		}
	}
	for k, v := range truth {
		if !held[k] && (v > s.floor || v > bound) {
			t.Fatalf("item %d, seen %d times, is missing; floor %d, bound %d", k, v, s.floor, bound)
		}
	}
}

func TestSummaryBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 20).Draw(t, "limit")
		truth := map[int]uint64{}
		n := 0
		var parts []*summary[int]
		for range rapid.IntRange(1, 4).Draw(t, "parts") {
			stream := drawStream(t, "stream")
			n += len(stream)
			for _, k := range stream {
				truth[k]++
			}
			parts = append(parts, summarise(stream, limit))
		}
		merged := mergeSummaries(limit, cmp.Compare[int], parts...)
		if merged.total != uint64(n) {
			t.Fatalf("total %d of %d", merged.total, n)
		}
		checkBounds(t, merged, truth, n, limit)
		rapid.Permutation(parts).Draw(t, "order")
		again := mergeSummaries(limit, cmp.Compare[int], rapid.Permutation(parts).Draw(t, "order")...)
		if !reflect.DeepEqual(merged.sorted(cmp.Compare[int]), again.sorted(cmp.Compare[int])) || merged.floor != again.floor {
			t.Fatal("the order of merging shows")
		}
	})
}
