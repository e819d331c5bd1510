package base

import (
	"sync"

	"rempart/message"
)

// features are the hashes of one mail, each once, in three sets: what is many must not drown what is few.
type features struct {
	words, themes, form []uint32

	about []uint32 // numbers of the themes
	fold  []byte   // the text read so far, folded
	spelt []spelt
	slots []uint64 // open addressing: generation<<32 | hash
	gen   uint64
}

// spelt is where in fold a word stands first.
type spelt struct {
	hash     uint32
	from, to int
}

const slotBits = 12

// pool: a fresh set for every mail would cost more than hashing it.
var pool = sync.Pool{New: func() any { return &features{slots: make([]uint64, 1<<slotBits)} }}

// read fills the sets for m.
func (f *features) read(m *message.Message) {
	f.words, f.themes, f.form, f.fold, f.spelt = f.words[:0], f.themes[:0], f.form[:0], f.fold[:0], f.spelt[:0]
	f.about = f.about[:0]
	if f.gen++; f.gen == 1<<32 {
		f.gen = 1
		clear(f.slots)
	}
	f.readWords(m)
	f.readForm(m)
}

// add puts a hash into a set and reports whether it is new. The slots are never full: [maxFeatures] words, [maxThemes],
// a few hundred traits.
func (f *features) add(set *[]uint32, hash uint32) bool {
	want := f.gen<<32 | uint64(hash)
	for i := hash >> (32 - slotBits); ; i = (i + 1) & (1<<slotBits - 1) {
		if f.slots[i] == want {
			return false
		}
		if f.slots[i]>>32 != f.gen {
			f.slots[i] = want
			*set = append(*set, hash)
			return true
		}
	}
}

// hash of a value under the place where it stands (the finaliser of MurmurHash3).
func hash(place, value uint32) uint32 {
	h := value + place*0x9e3779b1
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	return h ^ h>>16
}
