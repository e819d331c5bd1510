package measure

import (
	"cmp"
	"slices"
)

// counter is one item of a [summary]: the item was seen at most Count and at least Count-Error times.
type counter[K comparable] struct {
	key   K
	count uint64
	err   uint64
}

// summary finds the most frequent items of a stream in bounded memory (Space-Saving, Metwally and others 2005). With k
// counters over n items every item seen more than n/k times is in it, and no count is wrong by more than n/k. The bound
// holds under [mergeSummaries] (Agarwal and others 2012).
type summary[K comparable] struct {
	limit int
	total uint64       // items seen
	floor uint64       // an item that is not in it was seen at most so often
	heap  []counter[K] // least count first
	at    map[K]int32  // item -> place in heap; nil while there are few
}

// fewCounters are looked through faster than a map is, which takes more memory than they: most summaries stay that small.
const fewCounters = 8

func newSummary[K comparable](limit int) *summary[K] {
	return &summary[K]{limit: limit}
}

// add counts one item.
func (s *summary[K]) add(key K) {
	s.total++
	if i := s.find(key); i >= 0 {
		s.heap[i].count++
		s.down(i)
		return
	}
	if len(s.heap) < s.limit {
		s.heap = append(s.heap, counter[K]{key, 1, 0})
		s.put(len(s.heap) - 1)
		s.up(len(s.heap) - 1)
		return
	}
	least := &s.heap[0]
	delete(s.at, least.key)
	s.floor = max(s.floor, least.count)
	*least = counter[K]{key, least.count + 1, least.count}
	s.put(0)
	s.down(0)
}

// find is the item's place in the heap; -1 if it is not there.
func (s *summary[K]) find(key K) int {
	if s.at == nil {
		return slices.IndexFunc(s.heap, func(c counter[K]) bool { return c.key == key })
	}
	if i, ok := s.at[key]; ok {
		return int(i)
	}
	return -1
}

// put notes where the item at a place of the heap is.
func (s *summary[K]) put(i int) {
	if s.at != nil {
		s.at[s.heap[i].key] = int32(i)
	} else if len(s.heap) > fewCounters {
		s.note()
	}
}

// note notes where all items are.
func (s *summary[K]) note() {
	s.at = make(map[K]int32, len(s.heap))
	for i := range s.heap {
		s.at[s.heap[i].key] = int32(i)
	}
}

func (s *summary[K]) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if s.heap[parent].count <= s.heap[i].count {
			return
		}
		s.swap(i, parent)
		i = parent
	}
}

func (s *summary[K]) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(s.heap) {
			return
		}
		if child+1 < len(s.heap) && s.heap[child+1].count < s.heap[child].count {
			child++
		}
		if s.heap[i].count <= s.heap[child].count {
			return
		}
		s.swap(i, child)
		i = child
	}
}

func (s *summary[K]) swap(i, j int) {
	s.heap[i], s.heap[j] = s.heap[j], s.heap[i]
	if s.at != nil {
		s.at[s.heap[i].key], s.at[s.heap[j].key] = int32(i), int32(j)
	}
}

// sorted are the counters, most frequent first, equal ones by key: the form that is stored and shown.
func (s *summary[K]) sorted(less func(a, b K) int) []counter[K] {
	out := slices.Clone(s.heap)
	slices.SortFunc(out, func(a, b counter[K]) int {
		return cmp.Or(cmp.Compare(b.count, a.count), less(a.key, b.key))
	})
	return out
}

// mergeSummaries adds summaries and truncates once. An item that one of them does not hold may have been seen there up to
// its floor: that is added to count and error. The result depends on the set of summaries only, not on their order.
func mergeSummaries[K comparable](limit int, less func(a, b K) int, parts ...*summary[K]) *summary[K] {
	merged := newSummary[K](limit)
	type sum struct{ count, err, floors uint64 }
	sums := map[K]sum{}
	var floors uint64
	for _, p := range parts {
		merged.total += p.total
		floors += p.floor
		for _, c := range p.heap {
			s := sums[c.key]
			sums[c.key] = sum{s.count + c.count, s.err + c.err, s.floors + p.floor}
		}
	}
	all := make([]counter[K], 0, len(sums))
	for key, s := range sums {
		missing := floors - s.floors // of the parts that do not hold it
		all = append(all, counter[K]{key, s.count + missing, s.err + missing})
	}
	slices.SortFunc(all, func(a, b counter[K]) int {
		return cmp.Or(cmp.Compare(b.count, a.count), less(a.key, b.key))
	})
	merged.floor = floors
	if len(all) > limit {
		merged.floor = max(floors, all[limit].count)
		all = all[:limit]
	}
	merged.load(all)
	return merged
}

// load fills an empty summary from sorted counters.
func (s *summary[K]) load(sorted []counter[K]) {
	s.heap = slices.Clone(sorted)
	slices.Reverse(s.heap) // ascending is a heap
	if len(s.heap) > fewCounters {
		s.note()
	}
}
