package language

import (
	"strings"
)

// Hashes are those of Fowler, Noll and Vo (FNV-1a, 32 bits) over small letters.
const (
	offset = 2166136261
	prime  = 16777619
)

// wordTable finds the languages of a small word by its hash: open addressing. A set has the bit of each language.
type wordTable [1 << tableBits]struct{ hash, languages uint32 }

const tableBits = 11 // some 800 words

var table = func() *wordTable {
	t := new(wordTable)
	for _, row := range words {
		for w := range strings.FieldsSeq(row.words) {
			hash := uint32(offset)
			for _, r := range w {
				hash = (hash ^ uint32(r)) * prime
			}
			e := &t[t.slot(hash)]
			e.hash, e.languages = hash, e.languages|1<<row.language
		}
	}
	return t
}()

// slot is where a hash stands, or would.
func (t *wordTable) slot(hash uint32) uint32 {
	i := hash >> (32 - tableBits)
	for t[i].languages != 0 && t[i].hash != hash {
		i = (i + 1) & (1<<tableBits - 1)
	}
	return i
}

func (t *wordTable) find(hash uint32) uint32 { return t[t.slot(hash)].languages }
