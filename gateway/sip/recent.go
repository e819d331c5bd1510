package sip

import (
	"sync"
	"time"

	"rempart/message"
)

// key is the keyed digest of what names a transaction.
type key [16]byte

// verdict is what was decided on a transaction; the answer is made from it again.
type verdict struct {
	action   message.Action // 0: being judged
	permille uint16         // probability of spam
	cancelled
}

// cancelled says that a CANCEL came while the call was being judged.
type cancelled bool

// recent remembers what was decided for the time in which a request may come again: at least 32 s (timer H, RFC 3261
// section 17.2.1) and at most 40 s, less only when more than maxRecent requests come in 8 s. An entry takes about 30
// bytes. A repeated request is neither judged nor counted again.
type recent struct {
	mu    sync.Mutex
	since time.Time          // when the youngest was begun
	maps  [5]map[key]verdict // generations, the youngest first
}

const (
	generation = 8 * time.Second
	maxRecent  = 200_000 // in one generation: 25,000 a second
)

func newRecent() *recent {
	r := &recent{}
	for i := range r.maps {
		r.maps[i] = map[key]verdict{}
	}
	return r
}

// turn forgets the oldest generation when the youngest is full or old. The caller holds the lock.
func (r *recent) turn(now time.Time) {
	for range r.maps {
		age := now.Sub(r.since)
		if age < generation && len(r.maps[0]) < maxRecent {
			return
		}
		oldest := r.maps[len(r.maps)-1]
		copy(r.maps[1:], r.maps[:])
		r.maps[0] = oldest
		clear(oldest)
		if r.since = r.since.Add(generation); age > time.Duration(len(r.maps))*generation || age < generation {
			r.since = now
		}
	}
}

func (r *recent) find(k key) (in map[key]verdict, v verdict) {
	for _, m := range r.maps {
		if v, ok := m[k]; ok {
			return m, v
		}
	}
	return nil, verdict{}
}

// begin returns what is known of a transaction, and marks one of which nothing is as being judged.
func (r *recent) begin(k key, now time.Time) (v verdict, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn(now)
	in, v := r.find(k)
	if in == nil {
		r.maps[0][k] = verdict{}
	}
	return v, in != nil
}

// end notes the verdict on a transaction that begin marked, and returns it, cancelled if it was by then.
func (r *recent) end(k key, v verdict) verdict {
	r.mu.Lock()
	defer r.mu.Unlock()
	in, was := r.find(k)
	if in == nil { // forgotten meanwhile
		in = r.maps[0]
	}
	v.cancelled = was.cancelled
	in[k] = v
	return v
}

// cancel returns what is known of a transaction, and marks it as cancelled if it is still being judged.
func (r *recent) cancel(k key) (v verdict, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	in, v := r.find(k)
	if in != nil && v.action == 0 {
		v.cancelled = true
		in[k] = v
	}
	return v, in != nil
}
