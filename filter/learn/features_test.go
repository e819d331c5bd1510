package learn

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSorted(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, fewHashes - 1, fewHashes, digits, maxFeatures} {
		f := &features{}
		for range n {
			f.hashes = append(f.hashes, rng.Uint32()>>(rng.IntN(2)*8)) // half of them small
		}
		want := slices.Clone(f.hashes)
		slices.Sort(want)
		if got := f.sorted(); !slices.Equal(got, want) {
			t.Errorf("%d hashes are not sorted", n)
		}
	}
}

func BenchmarkSorted(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	f := &features{}
	for range 4000 {
		f.hashes = append(f.hashes, rng.Uint32())
	}
	b.ReportAllocs()
	for b.Loop() {
		f.sorted()
	}
}
