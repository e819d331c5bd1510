package learn

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A sparse table finds what halving finds, however uneven its features are.
func TestSparseFind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		feature := rapid.OneOf(rapid.Uint32(), rapid.Uint32Max(30), rapid.Uint32Min(math.MaxUint32-30))
		features := rapid.SliceOfDistinct(feature, rapid.ID[uint32]).Draw(t, "features")
		slices.Sort(features)
		var s sparse
		for _, f := range features {
			s = append(s, weight{feature: f})
		}
		for _, f := range append(features, 0, math.MaxUint32, feature.Draw(t, "another")) {
			at, ok := s.find(f)
			want, there := slices.BinarySearchFunc(s, f, func(w weight, f uint32) int { return cmp.Compare(w.feature, f) })
			if at != want || ok != there {
				t.Fatalf("%d is found at %d, %v; want %d, %v", f, at, ok, want, there)
			}
		}
	})
}
