package behaviour

import (
	"cmp"
	"hash/maphash"
	"maps"
	"math"
	"math/bits"
	"slices"
	"strings"
	"sync"
	"time"

	"rempart/message"
)

// Callers remembers what each caller did of late: how many calls, to how many unlike numbers, and, from call records, how
// they ended (X.1246: calls recorded and analysed by the network). It is bounded: callers of whom nothing was heard for
// longest are forgotten first. It is safe for concurrent use; nothing of it outlives the process.
type Callers struct {
	seed   maphash.Seed
	shards [callerShards]callerShard
}

// Callers are kept in two generations a shard: when the young one is full it becomes the old one, and who calls again
// moves to the young one. So at most so many are known at a time, and the busy stay.
const (
	callerShards     = 64
	callerGeneration = 512
	// CallerCapacity is the most callers known at one time, some 14 MB.
	CallerCapacity = callerShards * callerGeneration * 2
)

type callerShard struct {
	mu         sync.Mutex
	young, old map[string]*caller
}

// caller is one number's account. Windows slide: what was counted in the last whole minute or hour counts by the part of it
// that is not over yet.
type caller struct {
	minute, hour window
	callees      [2]bitmap // of this hour and the one before
	ended        uint32
	answered     uint32
	short        uint32
	calleeHungUp uint32
}

// window counts events of a sliding span by two fixed ones.
type window struct {
	span      int64 // number of the running span since 1970
	now, last uint32
}

// bitmap counts unlike things by the bits that their hashes set (linear counting, Whang and others 1990): within a tenth
// up to some seven hundred.
type bitmap [4]uint64

// NewCallers returns a table that knows nobody.
func NewCallers() *Callers { return &Callers{seed: maphash.MakeSeed()} }

// Begin notes a call that is being set up.
func (c *Callers) Begin(from, to string, at time.Time) {
	if from == "" {
		return
	}
	callee := maphash.String(c.seed, to)
	s := c.shardOf(from)
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(from)
	a.minute.add(at.Unix(), 60)
	if crossed := a.hour.add(at.Unix(), 3600); crossed > 0 {
		a.callees[1] = a.callees[0]
		a.callees[0] = bitmap{}
		if crossed > 1 {
			a.callees[1] = bitmap{}
		}
	}
	a.callees[0].set(callee)
}

// Of is what a caller did until at.
func (c *Callers) Of(from string, at time.Time) message.Calling {
	s := c.shardOf(from)
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.young[from]
	if a == nil {
		a = s.old[from]
	}
	if a == nil {
		return message.Calling{Known: true}
	}
	return a.calling(at)
}

// End notes how a call ended.
func (c *Callers) End(r *message.CallRecord) {
	if r.Caller == "" {
		return
	}
	s := c.shardOf(r.Caller)
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(r.Caller)
	if a.ended >= maxEnded { // older calls count less
		a.ended, a.answered, a.short, a.calleeHungUp = a.ended/2, a.answered/2, a.short/2, a.calleeHungUp/2
	}
	a.ended++
	if !r.Answered {
		return
	}
	a.answered++
	if r.Duration < ShortCall {
		a.short++
	}
	if r.HungUp == message.Callee {
		a.calleeHungUp++
	}
}

// Forget drops the accounts of callers.
func (c *Callers) Forget(isCaller func(number string) bool) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		for _, generation := range []map[string]*caller{s.young, s.old} {
			maps.DeleteFunc(generation, func(number string, _ *caller) bool { return isCaller(number) })
		}
		s.mu.Unlock()
	}
}

const (
	// ShortCall is less than it takes to say who is there and to be answered.
	ShortCall = 10 * time.Second
	// maxEnded: a number that changes hands must not carry its past for ever.
	maxEnded = 200
)

func (c *Callers) shardOf(number string) *callerShard {
	return &c.shards[maphash.String(c.seed, number)%callerShards]
}

// account finds or opens the account of a number; s.mu is held.
func (s *callerShard) account(number string) *caller {
	if a := s.young[number]; a != nil {
		return a
	}
	a := s.old[number]
	if a == nil {
		a = new(caller)
	}
	if s.young == nil || len(s.young) >= callerGeneration {
		s.old, s.young = s.young, make(map[string]*caller, callerGeneration)
	}
	s.young[number] = a
	return a
}

func (a *caller) calling(at time.Time) message.Calling {
	var seen bitmap
	switch ahead := at.Unix()/3600 - a.hour.span; {
	case ahead <= 0:
		seen = a.callees[0]
		for i, w := range a.callees[1] {
			seen[i] |= w
		}
	case ahead == 1:
		seen = a.callees[0]
	}
	return message.Calling{Known: true, Minute: a.minute.count(at.Unix(), 60), Hour: a.hour.count(at.Unix(), 3600),
		Callees: seen.estimate(), Ended: a.ended, Answered: a.answered, Short: a.short, CalleeHungUp: a.calleeHungUp}
}

// add counts one event and says how many spans began since the one before. An event of a span that is over counts in the
// running one.
func (w *window) add(at, length int64) (crossed int64) { return w.addN(at, length, 1) }

func (w *window) addN(at, length int64, n uint32) (crossed int64) {
	if span := at / length; span > w.span {
		crossed = span - w.span
		w.last = w.now
		if crossed > 1 {
			w.last = 0
		}
		w.span, w.now = span, 0
	}
	w.now += n
	return crossed
}

// count is about how many events were in the span of that length that ends at at.
func (w *window) count(at, length int64) uint32 {
	left := 1 - float64(at%length)/float64(length)
	switch ahead := at/length - w.span; {
	case ahead <= 0:
		return w.now + uint32(float64(w.last)*left)
	case ahead == 1:
		return uint32(float64(w.now) * left)
	}
	return 0
}

func (b *bitmap) set(hash uint64) {
	const size = 64 * uint64(len(bitmap{}))
	b[hash%size/64] |= 1 << (hash % 64)
}

func (b *bitmap) estimate() uint32 {
	const size = 64 * len(bitmap{})
	free := size
	for _, w := range b {
		free -= bits.OnesCount64(w)
	}
	return uint32(math.Round(-float64(size) * math.Log(float64(max(free, 1))/float64(size))))
}

// Busiest are the callers who began most calls within the hour before at, at most n.
func (c *Callers) Busiest(at time.Time, n int) []BusyCaller {
	var all []BusyCaller
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		for number, a := range s.old {
			if s.young[number] == nil {
				all = append(all, BusyCaller{number, a.calling(at)})
			}
		}
		for number, a := range s.young {
			all = append(all, BusyCaller{number, a.calling(at)})
		}
		s.mu.Unlock()
	}
	all = slices.DeleteFunc(all, func(b BusyCaller) bool { return b.Hour == 0 })
	slices.SortFunc(all, func(a, b BusyCaller) int {
		return cmp.Or(cmp.Compare(b.Hour, a.Hour), strings.Compare(a.Number, b.Number))
	})
	return all[:min(n, len(all))]
}

// BusyCaller is a caller and what it did.
type BusyCaller struct {
	Number string
	message.Calling
}
