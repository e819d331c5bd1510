package smpp

import (
	"container/list"
	"sync"
	"time"
)

// assembly remembers the parts of long texts seen so far, so that each is judged with what came before it. It answers at
// once and never waits for a part. It is bounded by count, bytes and time; what is forgotten is judged alone.
type assembly struct {
	mu    sync.Mutex
	texts map[partKey]*list.Element // of *partial
	order list.List                 // oldest first
	bytes int
}

// partKey tells long texts apart (TS 23.040 section 9.2.3.24.1: reference, and both addresses), within one bind's
// system_id.
type partKey struct {
	system, source, dest string
	reference            uint16
	total                uint8
}

type partial struct {
	key   partKey
	since time.Time
	parts map[uint8]string
	bytes int
}

const (
	maxPartials     = 10_000
	maxPartialBytes = 8 << 20
	partialFor      = 5 * time.Minute // the longest that phones keep waiting
)

func newAssembly() *assembly { return &assembly{texts: make(map[partKey]*list.Element)} }

// add notes part number n of the text and returns what is known of the whole, parts in their order, and how many they
// are. conflict reports that this part came before with another content: a way to show a filter one text and a reader
// another; then both are in what is returned.
func (a *assembly) add(key partKey, n uint8, text string, now time.Time) (whole string, seen int, conflict bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.expire(now)
	e := a.texts[key]
	if e == nil {
		e = a.order.PushBack(&partial{key: key, since: now, parts: make(map[uint8]string, key.total)})
		a.texts[key] = e
	}
	p := e.Value.(*partial)
	was, twice := p.parts[n]
	conflict = twice && was != text
	p.parts[n] = text
	p.bytes += len(text) - len(was)
	a.bytes += len(text) - len(was)
	for i := 1; i <= int(key.total); i++ {
		if conflict && uint8(i) == n {
			whole += was
		}
		whole += p.parts[uint8(i)]
	}
	seen = len(p.parts)
	if seen == int(key.total) && !conflict {
		a.drop(e) // the reference may be used again
	}
	return whole, seen, conflict
}

// expire makes room.
func (a *assembly) expire(now time.Time) {
	for e := a.order.Front(); e != nil; e = a.order.Front() {
		p := e.Value.(*partial)
		if now.Sub(p.since) < partialFor && len(a.texts) < maxPartials && a.bytes < maxPartialBytes {
			return
		}
		a.drop(e)
	}
}

func (a *assembly) drop(e *list.Element) {
	p := a.order.Remove(e).(*partial)
	delete(a.texts, p.key)
	a.bytes -= p.bytes
}
