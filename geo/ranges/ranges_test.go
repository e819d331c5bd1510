package ranges

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// What a table says of any address is what the ranges say: of those that contain it, the one that begins last, and of
// these the shortest, and of equal ones the last. So it does when it has been packed and read again.
func TestFindIsTheInnermost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		check[uint32, uint8](t, rapid.OneOf(rapid.Uint32(), rapid.Uint32Range(0, 40), rapid.Uint32Range(math.MaxUint32-40, math.MaxUint32)), rapid.Uint8Range(0, 3))
		check[uint64, uint32](t, rapid.OneOf(rapid.Uint64(), rapid.Uint64Range(1<<61, 1<<61+40), rapid.Uint64Range(1<<62-20, 1<<62+20)), rapid.Uint32())
	})
}

func check[K Key, V Value](t *rapid.T, keys *rapid.Generator[K], values *rapid.Generator[V]) {
	var list []Range[K, V]
	for range rapid.IntRange(0, 12).Draw(t, "ranges") {
		a, b := keys.Draw(t, "first"), keys.Draw(t, "last")
		// Ranges nest or lie apart, like prefixes.
		r := Range[K, V]{First: min(a, b), Last: max(a, b), Value: values.Draw(t, "value")}
		crosses := false
		for _, o := range list {
			if r.First <= o.Last && o.First <= r.Last && !(r.First >= o.First && r.Last <= o.Last) && !(o.First >= r.First && o.Last <= r.Last) {
				crosses = true
			}
		}
		if !crosses {
			list = append(list, r)
		}
	}
	asked := []K{0, ^K(0)}
	for _, r := range list {
		asked = append(asked, r.First, r.First-1, r.Last, r.Last+1)
	}
	asked = append(asked, rapid.SliceOf(keys).Draw(t, "asked")...)
	innermost := func(k K) (value V) {
		size := ^K(0)
		for _, r := range list {
			if r.First <= k && k <= r.Last && r.Last-r.First <= size {
				size, value = r.Last-r.First, r.Value
			}
		}
		return value
	}
	want := map[K]V{}
	for _, k := range asked {
		want[k] = innermost(k)
	}
	table := Make(list)
	packed := Append([]byte("before"), table)
	again, rest, err := Parse[K, V](append(packed, "after"...)[len("before"):])
	if err != nil || string(rest) != "after" {
		t.Fatalf("%v, rest %q", err, rest)
	}
	for _, k := range asked {
		for _, tab := range []*Table[K, V]{table, again} {
			got := tab.Find(k)
			if got.Value != want[k] || k < got.First || k > got.Last || innermost(got.First) != got.Value || innermost(got.Last) != got.Value {
				t.Fatalf("%v: %+v, want value %v of %+v", k, got, want[k], list)
			}
		}
	}
}

// Any bytes are refused or make a table that can be asked.
func FuzzParse(f *testing.F) {
	f.Add(Append(nil, Make([]Range[uint64, uint32]{{First: 1 << 61, Last: 1<<61 + 9, Value: 64512}, {First: 1 << 62, Last: ^uint64(0), Value: 1}})))
	f.Add([]byte{0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		table, rest, err := Parse[uint64, uint32](b)
		if err != nil {
			return
		}
		for _, k := range []uint64{0, 1 << 61, 1<<62 - 1, 1 << 62, ^uint64(0)} {
			if r := table.Find(k); k < r.First || k > r.Last {
				t.Fatalf("%d is not in %+v", k, r)
			}
		}
		if len(rest) > len(b) || table.Bytes() > 1<<20+16*len(b) {
			t.Fatalf("%d bytes make %d", len(b), table.Bytes())
		}
	})
}
