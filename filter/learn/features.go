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
	slots  []uint64 // open addressing: generation<<32 | hash
	gen    uint64
	shift  uint   // of a hash: its upper bits are the slot where probing begins
	fold   []byte // scratch of the extractors
}

// maxFeatures bounds what one learner sees of one message, and with it time and memory.
const maxFeatures = 1 << 14

// maxAdded bounds what is looked at to find them; the extractors' own bounds keep mail below it.
const maxAdded = 1 << 16

var pool = sync.Pool{New: func() any { return &features{slots: make([]uint64, 2*maxFeatures)} }}

// start empties the set for about n additions: a short text probes a short table, which stays in the first-level cache.
func (f *features) start(n int) {
	f.shift = 32 - uint(bits.Len(uint(max(32, min(n, maxFeatures))*4/3)))
	f.gen++
	f.all = f.all[:0]
}

// add gathers one hash; [features.unique] drops those that were there already.
func (f *features) add(hash uint32) {
	if len(f.all) < maxAdded {
		f.all = append(f.all, hash)
	}
}

// unique makes the set of what was added, in the order of addition, until it is full. One loop over all of them overlaps the
// misses of the cache, where a look for each as it comes waits for each.
func (f *features) unique() {
	slots, shift, gen, set := f.slots, f.shift, f.gen&0xffffffff, f.hashes[:0]
	mask := uint32(1)<<(32-shift) - 1
	most := min(maxFeatures, int(mask)*3/4+1)
	for _, hash := range f.all {
		want := gen<<32 | uint64(hash)
		for i := hash >> shift; ; i = (i + 1) & mask {
			slot := slots[i]
			if slot == want {
				break
			}
			if slot>>32 != gen {
				if len(set) < most {
					slots[i] = want
					set = append(set, hash)
				}
				break
			}
		}
	}
	f.hashes = set
}

// sorted returns a sorted copy for a lesson. Hashes are spread evenly, so three passes by digits of 11 bits sort thousands of
// them in a fraction of what comparing takes.
func (f *features) sorted() []uint32 {
	s := slices.Clone(f.hashes)
	if len(s) < digits {
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
