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
	label  message.Label // of the latest lesson; message.Forget: all were taken back, and only the place in the ring is left
	// what a spam was taught to be for
	category  message.Category
	spam, ham uint32 // lessons on this text that stand, each of another message
}

// lessons are those of a label that stand.
func (e *entry) lessons(label message.Label) *uint32 {
	if label == message.Spam {
		return &e.spam
	}
	return &e.ham
}

func (e *entry) forget(label message.Label) {
	if n := e.lessons(label); *n > 0 {
		*n--
	}
}

// NewBook returns an empty book.
func NewBook() *Book { return &Book{bands: newBands()} }

// Nearest finds the nearest taught digest within [Near] bits that the operator or this tenant taught. Of equally near
// ones the last taught counts: a correction wins.
func (b *Book) Nearest(d Digest, tenant string) message.Near {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if e, distance := b.nearest(d, tenant); e != nil {
		near := message.Near{State: message.StatePresent, Label: e.label, Distance: distance, Campaign: e.id}
		if e.label == message.Spam {
			near.Category = e.category
		}
		return near
	}
	return message.Near{}
}

func (b *Book) nearest(d Digest, tenant string) (*entry, int) {
	var best *entry
	distance := Near + 1
	for _, bucket := range b.bands.buckets(d) {
		for _, i := range bucket {
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

// own finds the entry of the very text that this tenant taught, and its place.
func (b *Book) own(d Digest, tenant string) (e *entry, at uint32) {
	for _, at = range b.bands.shortest(d) {
		if e = &b.entries[at]; e.digest == d && e.tenant == tenant {
			return e, at
		}
	}
	return nil, 0
}

// Teach puts a taught digest in. The same text taught again by the same tenant takes over the new label; a near copy joins
// the campaign of the first. Stood is the label of the lesson that stood on the very message, message.Forget if none did:
// the new one takes its place.
func (b *Book) Teach(d Digest, tenant, id string, label message.Label, category message.Category, stood message.Label) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, _ := b.own(d, tenant)
	if e == nil {
		if near, _ := b.nearest(d, tenant); near != nil {
			id = near.id
		}
		e = b.link(entry{digest: d, tenant: tenant, id: id, label: label})
	} else if stood != message.Forget {
		e.forget(stood)
	}
	*e.lessons(label)++
	e.label, e.order = label, b.taught
	if label == message.Spam {
		e.category = category
	}
	b.taught++
}

// Forget takes back one lesson of that label that this tenant taught on the very text: while others stand, the text is what
// they say, else it is nobody's copy.
func (b *Book) Forget(d Digest, tenant string, label message.Label) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, at := b.own(d, tenant)
	if e == nil || label == message.Forget {
		return
	}
	e.forget(label)
	switch {
	case e.spam == 0 && e.ham == 0:
		b.bands.remove(d, at)
		*e = entry{order: e.order}
	case *e.lessons(e.label) == 0:
		e.label = e.label.Opposite()
	}
}

// link puts an entry in, in place of the oldest if the book is full. One that was forgotten takes its place, but is not found.
func (b *Book) link(e entry) *entry {
	at := uint32(len(b.entries))
	if len(b.entries) < Capacity {
		b.entries = append(b.entries, e)
	} else {
		at = uint32(b.oldest)
		b.oldest = (b.oldest + 1) % Capacity
		b.bands.remove(b.entries[at].digest, at)
		b.entries[at] = e
	}
	if e.label != message.Forget {
		b.bands.add(e.digest, at)
	}
	return &b.entries[at]
}

// Len is the number of digests held, with the places of those that were forgotten.
func (b *Book) Len() int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return len(b.entries)
}
