package measure

import (
	"cmp"
	"slices"
	"strings"

	"rempart/message"
)

// Select says which messages a question is about.
type Select struct {
	Channel message.Channel // 0: all
	Spam    *bool           // nil: both; a message is spam if its category is not none
}

func (s Select) takes(b breakdown) bool {
	return (s.Channel == 0 || s.Channel == b.channel) && (s.Spam == nil || *s.Spam == (b.category != message.CategoryNone))
}

// VolumeCount is one cell of the volumes.
type VolumeCount struct {
	VolumeKey
	Volume
}

// Volumes are all cells, sorted.
func (t *Total) Volumes() []VolumeCount {
	out := make([]VolumeCount, 0, len(t.volumes))
	for k, v := range t.volumes {
		out = append(out, VolumeCount{k, v})
	}
	slices.SortFunc(out, func(a, b VolumeCount) int { return compareVolumes(a.VolumeKey, b.VolumeKey) })
	return out
}

// Complaints is how many complaints of other receivers came in.
func (t *Total) Complaints() uint64 { return t.complaints }

// Messages is how many messages were counted.
func (t *Total) Messages(s Select) (n uint64) {
	for k, v := range t.volumes {
		if s.takes(breakdown{k.Channel, k.Category}) {
			n += v.Messages
		}
	}
	return n
}

// Count is how often one item was seen: at most Messages, at least Messages-Error.
type Count struct {
	Name     string
	Messages uint64
	Error    uint64
}

// EdgeCount is a Count of one edge of routes.
type EdgeCount struct {
	Edge
	Messages uint64
	Error    uint64
}

// Countries are the most frequent source countries, ISO 3166-1 alpha-2 or [Unknown].
func (t *Total) Countries(s Select, n int) []Count { return top(t.countries, s, n, strings.Compare) }

// Senders are the most frequent sender IDs, number ranges and domains.
func (t *Total) Senders(s Select, n int) []Count { return top(t.senders, s, n, strings.Compare) }

// Networks are the most frequent source networks, as "AS64512" or [Unknown].
func (t *Total) Networks(s Select, n int) (out []Count) {
	for _, c := range choose(t.networks, s, n, cmp.Compare[uint32]) {
		out = append(out, Count{NetworkName(c.key), c.count, c.err})
	}
	return out
}

// Edges are the most frequent hand-overs.
func (t *Total) Edges(s Select, n int) (out []EdgeCount) {
	for _, c := range choose(t.edges, s, n, compareEdges) {
		out = append(out, EdgeCount{c.key, c.count, c.err})
	}
	return out
}

// Sources estimates how many unlike sources there were, with a standard error of 1.6 %. Where sketches were made with
// unlike keys the truth lies between the largest and the sum; else both are the same.
func (t *Total) Sources(s Select) (low, high uint64) {
	byKey := map[string]uint64{}
	for _, k := range sortedDistinct(t.distinct) {
		if !s.takes(k.breakdown) || byKey[k.key] != 0 {
			continue
		}
		union := newSketch()
		for other, d := range t.distinct {
			if other.key == k.key && s.takes(other.breakdown) {
				if err := union.Merge(d); err != nil {
					panic(err) // one precision
				}
			}
		}
		byKey[k.key] = union.Estimate()
	}
	for _, n := range byKey {
		low = max(low, n)
		high += n
	}
	return low, high
}

func top(m map[breakdown]*summary[string], s Select, n int, less func(a, b string) int) (out []Count) {
	for _, c := range choose(m, s, n, less) {
		out = append(out, Count{c.key, c.count, c.err})
	}
	return out
}

// choose merges the summaries that s takes and returns the n most frequent items.
func choose[K comparable](m map[breakdown]*summary[K], s Select, n int, less func(a, b K) int) []counter[K] {
	var parts []*summary[K]
	limit := n
	for b, p := range m {
		if s.takes(b) {
			parts = append(parts, p)
			limit = max(limit, p.limit)
		}
	}
	sorted := mergeSummaries(limit, less, parts...).sorted(less)
	return sorted[:min(n, len(sorted))]
}

// SortEdges orders hand-overs as [Total.Edges] does: most frequent first, then by name.
func SortEdges(list []EdgeCount) {
	slices.SortFunc(list, func(a, b EdgeCount) int {
		return cmp.Or(cmp.Compare(b.Messages, a.Messages), compareEdges(a.Edge, b.Edge))
	})
}
