package ranges

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"
)

// ErrPacked means that bytes are no packed table.
var ErrPacked = errors.New("not a packed table of ranges")

// maxEntries bounds a packed table: twice the prefixes that are announced today.
const maxEntries = 1 << 22

// Append appends the packed form of a table. Columns of like bytes compress well:
//
//	uvarint  number of entries n
//	uvarint  number of values, then each value as uvarint, the most frequent first
//	n bytes  how often two divides the distance from the entry before
//	n        the distances, so divided, as uvarint
//	n        the values, as uvarint: index in the list of values
func Append[K Key, V Value](b []byte, t *Table[K, V]) []byte {
	counts := map[V]int{}
	for _, v := range t.value {
		counts[v]++
	}
	values := make([]V, 0, len(counts))
	for v := range counts {
		values = append(values, v)
	}
	slices.SortFunc(values, func(a, b V) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) })
	rank := map[V]uint64{}
	b = binary.AppendUvarint(b, uint64(len(t.first)))
	b = binary.AppendUvarint(b, uint64(len(values)))
	for i, v := range values {
		rank[v] = uint64(i)
		b = binary.AppendUvarint(b, uint64(v))
	}
	distance := func(i int) uint64 {
		if i == 0 {
			return uint64(t.first[0])
		}
		return uint64(t.first[i] - t.first[i-1])
	}
	for i := range t.first {
		b = append(b, byte(bits.TrailingZeros64(distance(i))&63)) // of the first entry the distance may be 0
	}
	for i := range t.first {
		d := distance(i)
		b = binary.AppendUvarint(b, d>>(bits.TrailingZeros64(d)&63))
	}
	for _, v := range t.value {
		b = binary.AppendUvarint(b, rank[v])
	}
	return b
}

// Parse reads a packed table, and answers the bytes behind it.
func Parse[K Key, V Value](b []byte) (t *Table[K, V], rest []byte, err error) {
	r := reader{b: b}
	var k K
	n := r.uvarint(maxEntries)
	values := make([]V, 0, min(r.uvarint(maxEntries), uint64(len(r.b))))
	for range cap(values) {
		values = append(values, V(r.uvarint(uint64(^V(0)))))
	}
	if uint64(len(r.b)) < n {
		return nil, nil, ErrPacked
	}
	shifts := r.b[:n]
	r.b = r.b[n:]
	t = &Table[K, V]{first: make([]K, n), value: make([]V, n)}
	for i := range t.first {
		d := K(r.uvarint(uint64(^K(0))) << (shifts[i] & 63))
		if k += d; i > 0 && k <= t.first[i-1] {
			return nil, nil, ErrPacked
		}
		t.first[i] = k
	}
	for i := range t.value {
		at := r.uvarint(1 << 32)
		if at >= uint64(len(values)) {
			return nil, nil, ErrPacked
		}
		t.value[i] = values[at]
	}
	if r.bad {
		return nil, nil, ErrPacked
	}
	t.index()
	return t, r.b, nil
}

// reader reads varints; bad says whether one was missing or over its limit.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) uvarint(most uint64) uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > most {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[n:]
	return v
}
