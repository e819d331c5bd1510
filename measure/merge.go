package measure

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/axiomhq/hyperloglog"
)

// Total is merged leaves.
type Total struct {
	Leaves int
	counts
}

// Merge adds leaves. Of several states of one leaf the latest counts; the result does not depend on their order.
func Merge(leaves []*Leaf) *Total {
	sorted := latestOf(leaves)
	return &Total{len(sorted), mergeCounts(sorted)}
}

// latestOf are the leaves, each in its latest state, sorted.
func latestOf(leaves []*Leaf) []*Leaf {
	latest := map[leafKey]*Leaf{}
	for _, l := range leaves {
		key := leafKey{l.Origin, l.Epoch, l.Hour}
		if old := latest[key]; old == nil || old.Revision < l.Revision {
			latest[key] = l
		}
	}
	return slices.SortedFunc(maps.Values(latest), compareLeaves)
}

func compareLeaves(a, b *Leaf) int {
	return cmp.Or(strings.Compare(a.Origin, b.Origin), cmp.Compare(a.Hour, b.Hour), cmp.Compare(a.Epoch, b.Epoch))
}

func mergeCounts(leaves []*Leaf) counts {
	out := newCounts()
	for _, l := range leaves {
		addVolumes(out.volumes, l.volumes)
		out.complaints += l.complaints
	}
	mergeAll(out.countries, maxCountries, strings.Compare, leaves, func(l *Leaf) map[breakdown]*summary[string] { return l.countries })
	mergeAll(out.networks, maxNetworks, cmp.Compare[uint32], leaves, func(l *Leaf) map[breakdown]*summary[uint32] { return l.networks })
	mergeAll(out.senders, maxSenders, strings.Compare, leaves, func(l *Leaf) map[breakdown]*summary[string] { return l.senders })
	mergeAll(out.edges, maxEdges, compareEdges, leaves, func(l *Leaf) map[breakdown]*summary[Edge] { return l.edges })
	mergeDistinct(out.distinct, leaves)
	return out
}

// mergeAll merges one kind of summary, for each channel and category.
func mergeAll[K comparable](out map[breakdown]*summary[K], limit int, less func(a, b K) int, leaves []*Leaf, of func(*Leaf) map[breakdown]*summary[K]) {
	parts := map[breakdown][]*summary[K]{}
	for _, l := range leaves {
		for b, s := range of(l) {
			parts[b] = append(parts[b], s)
		}
	}
	for b, p := range parts {
		out[b] = mergeSummaries(limit, less, p...)
	}
}

func mergeDistinct(out map[distinctKey]*hyperloglog.Sketch, leaves []*Leaf) {
	for _, l := range leaves {
		for k, d := range l.distinct {
			into := out[k]
			if into == nil {
				into = newSketch()
				out[k] = into
			}
			if err := into.Merge(d); err != nil {
				panic(err) // the precision is the same: the reader of leaves refuses others
			}
		}
	}
}
