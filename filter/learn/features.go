package learn

import (
	"math/bits"
	"slices"
	"sync"
)

// features gathers the hashed features of one message for one learner, each once. It is reused from a pool: a fresh set
// for every message would cost more than hashing it.
type features struct {
	all    []uint32 // as added
	hashes []uint32 // each once
	slots  []uint32 // open addressing; 0 is free
	shift  uint     // of a hash: its upper bits are the slot where probing begins
	fold   []byte   // scratch of the extractors
}

// maxFeatures bounds what one learner sees of one message, and with it time and memory.
const maxFeatures = 1 << 14

// maxAdded bounds what is looked at to find them; the extractors' own bounds keep mail below it.
const maxAdded = 1 << 16

var pool = sync.Pool{New: func() any { return &features{slots: make([]uint32, 4*maxFeatures)} }}

// start empties the set for about n additions: a short text probes a short table, which stays in the first-level cache.
func (f *features) start(n int) {
	f.shift = 32 - uint(bits.Len(uint(max(32, min(n, maxFeatures))*8/3)))
	f.all = f.all[:0]
}

// add gathers one hash; [features.unique] drops those that were there already.
func (f *features) add(hash uint32) {
	if len(f.all) < maxAdded {
		f.all = append(f.all, hash)
	}
}

// room is space behind what was added for n hashes more, for loops that write each hash and count only the wanted ones: which those
// are no processor can guess.
func (f *features) room(n int) []uint32 {
	f.all = slices.Grow(f.all, n)
	return f.all[len(f.all) : len(f.all)+n]
}

// took adds the first n hashes of the room.
func (f *features) took(n int) { f.all = f.all[:min(len(f.all)+n, maxAdded)] }

// unique makes the set of what was added, in the order of addition, until it is full. One loop over all of them overlaps the
// misses of the cache, where a look for each as it comes waits for each; and whether a hash is new, which no processor can
// guess, is counted and not branched on.
func (f *features) unique() {
	shift := f.shift & 31
	slots := f.slots[:uint32(1)<<(32-shift)]
	clear(slots)
	mask := uint32(len(slots) - 1)
	most := min(maxFeatures, len(slots)*3/8)
	if cap(f.hashes) <= most {
		f.hashes = make([]uint32, most+1)
	}
	set, n := f.hashes[:most+1], 0
	for _, hash := range f.all {
		if hash == 0 {
			hash = 1 // 0 is free: one feature in four thousand millions takes another's place
		}
		i := hash * 0x85ebca6b >> shift // hashes of a kind may have their upper bits in common
		for slots[i&mask] != 0 && slots[i&mask] != hash {
			i++
		}
		slot := &slots[i&mask]
		free := int((uint64(*slot) - 1) >> 63)
		*slot = hash
		set[n] = hash
		if n += free; n > most {
			n = most
			break
		}
	}
	f.hashes = set[:n]
}

// sorted returns a sorted copy for a lesson. Hashes are spread evenly, so three passes by digits of 11 bits sort thousands of
// them in a fraction of what comparing takes.
func (f *features) sorted() []uint32 {
	s := slices.Clone(f.hashes)
	if len(s) < fewHashes {
		slices.Sort(s)
		return s
	}
	f.all = slices.Grow(f.all[:0], len(s))[:len(s)]
	from, to := s, f.all
	var counts [3][digits]uint32
	for _, h := range s {
		for pass := range counts {
			counts[pass][h>>(pass*digitBits)%digits]++
		}
	}
	for pass := range counts {
		at := &counts[pass]
		sum := uint32(0)
		for d, n := range at {
			at[d] = sum
			sum += n
		}
		for _, h := range from {
			d := h >> (pass * digitBits) % digits
			to[at[d]] = h
			at[d]++
		}
		from, to = to, from
	}
	copy(s, from) // the third pass ends in f.all
	return s
}

const (
	fewHashes = 200 // below, comparing is faster
	digitBits = 11
	digits    = 1 << digitBits
)

// Hashes are spread over their upper bits by whoever makes them: slots and weights are found by these.

// mix spreads a hash over all its bits (the finaliser of MurmurHash3).
func mix(h uint32) uint32 {
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	return h ^ h>>16
}
