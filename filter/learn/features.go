package learn

import (
	"math/bits"
	"slices"
	"sync"
)

// features gathers the hashed features of one message for one learner, each once. It is reused from a pool: a fresh set
// for every message would cost more than hashing it.
type features struct {
	hashes []uint32
	slots  []uint64 // open addressing: generation<<32 | hash
	gen    uint64
	shift  uint   // of a hash: its upper bits are the slot where probing begins
	fold   []byte // scratch of the extractors
}

// maxFeatures bounds what one learner sees of one message, and with it time and memory.
const maxFeatures = 1 << 14

var pool = sync.Pool{New: func() any { return &features{slots: make([]uint64, 2*maxFeatures)} }}

// start empties the set for about n additions: a short text probes a short table, which stays in the first-level cache.
func (f *features) start(n int) {
	f.shift = 32 - uint(bits.Len(uint(max(32, min(n, maxFeatures))*4/3)))
	f.gen++
	f.hashes = f.hashes[:0]
}

// add puts one hash in, unless it is there or the set is full.
func (f *features) add(hash uint32) {
	want := f.gen<<32 | uint64(hash)
	mask := uint32(1)<<(32-f.shift) - 1
	for i := hash >> f.shift; ; i = (i + 1) & mask {
		slot := f.slots[i]
		if slot == want {
			return
		}
		if slot>>32 != f.gen&0xffffffff {
			if len(f.hashes) >= maxFeatures || len(f.hashes) > int(mask)*3/4 {
				return
			}
			f.slots[i] = want
			f.hashes = append(f.hashes, hash)
			return
		}
	}
}

// sorted returns a sorted copy for a lesson.
func (f *features) sorted() []uint32 {
	s := slices.Clone(f.hashes)
	slices.Sort(s)
	return s
}

// Hashes are spread over their upper bits by whoever makes them: slots and weights are found by these.

// mix spreads a hash over all its bits (the finaliser of MurmurHash3).
func mix(h uint32) uint32 {
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	return h ^ h>>16
}
