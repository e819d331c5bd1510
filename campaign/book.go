package campaign

import (
	"slices"
	"sync"

	"rempart/message"
)

// Book holds the digests of taught messages and finds the nearest to a new one. It is bounded: beyond [Capacity] the
// oldest is forgotten. Its content depends only on the order of [Book.Teach], so replay makes it again.
type Book struct {
	mu      sync.RWMutex
	entries []entry // ring once it is full
	oldest  int     // of a full ring
	taught  uint64  // in all
	bands   [bandCount]map[uint16][]uint32
}

// Capacity is the number of digests kept, about 25 MB.
const Capacity = 200_000

// Digests are looked up by bands of bits: near copies agree in at least one of 21 bands of 12 bits with a probability of
// 95 % at [Near] bits of distance and 99.9 % at half of it, and a band has few strangers.
const (
	bandBits  = 12
	bandCount = 256 / bandBits
	maxBucket = 256 // entries looked at in one band: a flood of unrelated texts must not cost more
)

type entry struct {
	digest Digest
	order  uint64
	tenant string
	id     string // campaign: the key of the first taught message of the kind
	label  message.Label
}

// NewBook returns an empty book.
func NewBook() *Book {
	b := &Book{}
	for i := range b.bands {
		b.bands[i] = map[uint16][]uint32{}
	}
	return b
}

// Nearest finds the nearest taught digest within [Near] bits that the operator or this tenant taught. Of equally near
// ones the last taught counts: a correction wins.
func (b *Book) Nearest(d Digest, tenant string) message.Near {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if e, distance := b.nearest(d, tenant); e != nil {
		return message.Near{State: message.StatePresent, Label: e.label, Distance: distance, Campaign: e.id}
	}
	return message.Near{}
}

func (b *Book) nearest(d Digest, tenant string) (*entry, int) {
	var best *entry
	distance := Near + 1
	for band := range b.bands {
		bucket := b.bands[band][d.band(band)]
		for _, i := range bucket[max(0, len(bucket)-maxBucket):] {
			e := &b.entries[i]
			if e.tenant != "" && e.tenant != tenant {
				continue
			}
			if n := e.digest.Distance(d); n < distance || n == distance && best != nil && e.order > best.order {
				best, distance = e, n
			}
		}
	}
	return best, distance
}

// Teach puts a taught digest in. The same text taught again by the same tenant takes over the new label; a near copy joins
// the campaign of the first.
func (b *Book) Teach(d Digest, tenant, id string, label message.Label) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if near, distance := b.nearest(d, tenant); near != nil {
		if distance == 0 && near.tenant == tenant {
			near.label, near.order = label, b.taught
			b.taught++
			return
		}
		id = near.id
	}
	b.link(entry{digest: d, order: b.taught, tenant: tenant, id: id, label: label})
	b.taught++
}

// link puts an entry in, in place of the oldest if the book is full.
func (b *Book) link(e entry) {
	at := uint32(len(b.entries))
	if len(b.entries) < Capacity {
		b.entries = append(b.entries, e)
	} else {
		at = uint32(b.oldest)
		b.oldest = (b.oldest + 1) % Capacity
		b.unlink(at)
		b.entries[at] = e
	}
	for band := range b.bands {
		key := e.digest.band(band)
		b.bands[band][key] = append(b.bands[band][key], at)
	}
}

func (b *Book) unlink(at uint32) {
	old := b.entries[at].digest
	for band := range b.bands {
		key := old.band(band)
		bucket := slices.DeleteFunc(b.bands[band][key], func(i uint32) bool { return i == at })
		if len(bucket) == 0 {
			delete(b.bands[band], key)
			continue
		}
		b.bands[band][key] = bucket
	}
}

// Len is the number of digests held.
func (b *Book) Len() int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return len(b.entries)
}

// band returns the band's bits.
func (d Digest) band(i int) uint16 {
	at := i * bandBits
	word, shift := at/64, at%64
	v := d[word] >> shift
	if shift > 64-bandBits && word < 3 {
		v |= d[word+1] << (64 - shift)
	}
	return uint16(v & (1<<bandBits - 1))
}
