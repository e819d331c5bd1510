// Package ranges holds tables that map ranges of addresses to numbers: an IPv4 address is a uint32, of an IPv6 address the
// upper 64 bits are a uint64. A [Table] is compact, immutable and found into in well under a hundred nanoseconds; [Append]
// and [Parse] are its packed form, meant to be compressed.
package ranges

import (
	"sort"
	"unsafe"
)

// Key is an address, or its upper half.
type Key interface{ uint32 | uint64 }

// Value is what a table says of a range; 0 is nothing.
type Value interface{ uint8 | uint32 }

// Range is what is known of the addresses First to Last.
type Range[K Key, V Value] struct {
	First, Last K
	Value       V
}

// Table maps addresses to values. The zero value knows nothing.
type Table[K Key, V Value] struct {
	first []K // where a value begins to hold, ascending; it holds up to the next
	value []V
	jump  []uint32 // by block: the index of the first entry that begins in it or behind it
}

// With so many bits of an address to jump by, a search begins among a handful of entries; the jumps take 0.5 MB.
const jumpBits = 17

// blockBits are the bits of an address right of its block. The addresses of IPv6 that are in use begin with 001 (RFC 4291
// section 2.4); others are in no block.
func blockBits[K Key](k K) (bits int, first uint64) {
	if unsafe.Sizeof(k) == 8 {
		return 61 - jumpBits, 1 << 61
	}
	return 32 - jumpBits, 0
}

// block is the part of the address space that k lies in.
func block[K Key](k K) (b uint64, ok bool) {
	bits, first := blockBits(k)
	b = (uint64(k) - first) >> bits // of an address before the first a large number
	return b, b < 1<<jumpBits
}

// index makes the jumps of a table whose entries are complete.
func (t *Table[K, V]) index() {
	bits, first := blockBits(K(0))
	t.jump = make([]uint32, 1<<jumpBits+1)
	i := 0
	for b := range t.jump {
		for i < len(t.first) && uint64(t.first[i]) < first+uint64(b)<<bits {
			i++
		}
		t.jump[b] = uint32(i)
	}
}

// Find answers the value of an address and the range that it holds for. Value 0: nothing is known of that range.
func (t *Table[K, V]) Find(k K) Range[K, V] {
	lo, hi := 0, len(t.first)
	if b, ok := block(k); ok && hi > 0 {
		lo, hi = int(t.jump[b]), int(t.jump[b+1])
	}
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if t.first[mid] <= k {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	r := Range[K, V]{Last: ^K(0)}
	if lo > 0 {
		r.First, r.Value = t.first[lo-1], t.value[lo-1]
	}
	if lo < len(t.first) {
		r.Last = t.first[lo] - 1
	}
	return r
}

// Bytes is the memory that the table takes.
func (t *Table[K, V]) Bytes() int {
	var k K
	var v V
	return len(t.first)*int(unsafe.Sizeof(k)) + len(t.value)*int(unsafe.Sizeof(v)) + len(t.jump)*4
}

// Make makes a table. Ranges may come in any order; where they overlap the one that begins later holds, and of two that
// begin together the shorter one.
func Make[K Key, V Value](list []Range[K, V]) *Table[K, V] {
	sort.SliceStable(list, func(i, j int) bool {
		if list[i].First != list[j].First {
			return list[i].First < list[j].First
		}
		return list[i].Last > list[j].Last
	})
	t := &Table[K, V]{}
	var open []Range[K, V] // those that hold here, the innermost last
	end := func(until K) { // closes those that end before until
		for len(open) > 0 && open[len(open)-1].Last < until {
			last := open[len(open)-1].Last
			for len(open) > 0 && open[len(open)-1].Last <= last {
				open = open[:len(open)-1]
			}
			var v V
			if len(open) > 0 {
				v = open[len(open)-1].Value
			}
			t.begin(last+1, v)
		}
	}
	for _, r := range list {
		if r.Last < r.First {
			continue
		}
		end(r.First)
		t.begin(r.First, r.Value)
		open = append(open, r)
	}
	if len(list) > 0 {
		end(^K(0))
	}
	t.index()
	return t
}

// begin lets value hold from k on, which lies behind or at the last beginning.
func (t *Table[K, V]) begin(k K, value V) {
	if n := len(t.first); n > 0 && t.first[n-1] == k {
		t.first, t.value = t.first[:n-1], t.value[:n-1]
	}
	if n := len(t.value); n > 0 && t.value[n-1] == value || n == 0 && value == 0 {
		return
	}
	t.first, t.value = append(t.first, k), append(t.value, value)
}
