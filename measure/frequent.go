package measure

import "strings"

// Frequent finds the most frequent names of a stream in bounded memory, with a bound of each count's error.
type Frequent struct{ names *summary[string] }

// NewFrequent keeps limit names at most: no count is wrong by more than the stream's length over it.
func NewFrequent(limit int) *Frequent { return &Frequent{newSummary[string](limit)} }

// Add counts one name; an empty one is [Unknown].
func (f *Frequent) Add(name string) { f.names.add(orUnknown(name)) }

// Merge adds what another counted; the other stays as it is.
func (f *Frequent) Merge(other *Frequent) {
	f.names = mergeSummaries(f.names.limit, strings.Compare, f.names, other.names)
}

// Top are the n most frequent names.
func (f *Frequent) Top(n int) (out []Count) {
	for _, c := range f.names.sorted(strings.Compare)[:min(n, len(f.names.heap))] {
		out = append(out, Count{c.key, c.count, c.err})
	}
	return out
}
