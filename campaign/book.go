package campaign

import (
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
	bands   bands
}

// Capacity is the number of digests kept, about 25 MB.
const Capacity = 200_000

type entry struct {
	digest Digest
	order  uint64
	tenant string
	id     string        // campaign: the key of the first taught message of the kind
	label  message.Label // message.Forget: it was taken back, and is nobody's copy
	// what a spam was taught to be for
	category message.Category
}

// NewBook returns an empty book.
func NewBook() *Book { return &Book{bands: newBands()} }

// Nearest finds the nearest taught digest within [Near] bits that the operator or this tenant taught. Of equally near
// ones the last taught counts: a correction wins.
func (b *Book) Nearest(d Digest, tenant string) message.Near {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if e, distance := b.nearest(d, tenant); e != nil {
		return message.Near{State: message.StatePresent, Label: e.label, Category: e.category, Distance: distance, Campaign: e.id}
	}
	return message.Near{}
}

func (b *Book) nearest(d Digest, tenant string) (*entry, int) {
	var best *entry
	distance := Near + 1
	for _, bucket := range b.bands.buckets(d) {
		for _, i := range bucket {
			e := &b.entries[i]
			if e.label == message.Forget || e.tenant != "" && e.tenant != tenant {
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
func (b *Book) Teach(d Digest, tenant, id string, label message.Label, category message.Category) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if near, distance := b.nearest(d, tenant); near != nil {
		if distance == 0 && near.tenant == tenant {
			near.label, near.category, near.order = label, category, b.taught
			b.taught++
			return
		}
		id = near.id
	}
	b.link(entry{digest: d, order: b.taught, tenant: tenant, id: id, label: label, category: category})
	b.taught++
}

// Forget takes back that this tenant taught the very text with that label.
func (b *Book) Forget(d Digest, tenant string, label message.Label) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e, distance := b.nearest(d, tenant); e != nil && distance == 0 && e.tenant == tenant && e.label == label {
		e.label = message.Forget
	}
}

// link puts an entry in, in place of the oldest if the book is full.
func (b *Book) link(e entry) {
	at := uint32(len(b.entries))
	if len(b.entries) < Capacity {
		b.entries = append(b.entries, e)
	} else {
		at = uint32(b.oldest)
		b.oldest = (b.oldest + 1) % Capacity
		b.bands.remove(b.entries[at].digest, at)
		b.entries[at] = e
	}
	b.bands.add(e.digest, at)
}

// Len is the number of digests held.
func (b *Book) Len() int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return len(b.entries)
}
