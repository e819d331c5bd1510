package campaign

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"rempart/message"
	"rempart/message/link"
)

// Watch gathers what is judged into campaigns: near copies of a text, and spam that leads to the same places or comes from
// the same numbers, whatever the channel. It is bounded: beyond [WatchCapacity] what stands alone, then what is oldest, is
// forgotten. It depends only on the order of [Watch.Add], and is safe for concurrent use.
type Watch struct {
	mu       sync.Mutex
	accounts map[string]*account // by id; after a merge under all its ids
	live     []*account          // each once
	places   []placed            // digests by place
	free     []uint32            // places of digests that were forgotten
	bands    bands
	infra    map[string]*infrastructure
}

type placed struct {
	digest Digest
	owner  *account
}

// infrastructure is a host or number that spam names.
type infrastructure struct {
	owner     *account
	spam, ham uint32
	merged    int // campaigns of unlike texts that it brought together
}

const (
	// WatchCapacity is the most campaigns known at one time, single messages counted too; some 20 MB.
	WatchCapacity = 8192
	// A host that mostly honest messages name (spam that was not recognised is among them), or that has brought many unlike
	// texts together already, belongs to no campaign: everybody uses it.
	maxMerged  = 12
	hamToSpam  = 4
	sureSpam   = 5 // from so many on, and more spam than honest messages, a host is known for spam
	watchHosts = 8 // of one message
)

// NewWatch returns a watch that has seen nothing.
func NewWatch() *Watch {
	w := &Watch{}
	w.Clear()
	return w
}

// Clear forgets everything.
func (w *Watch) Clear() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.accounts, w.live, w.places, w.free = map[string]*account{}, nil, nil, nil
	w.bands, w.infra = newBands(), map[string]*infrastructure{}
}

// seen is what of an event campaigns are made by.
type seen struct {
	spam     bool
	stopped  bool
	category message.Category
	digest   Digest
	text     bool // there is a digest
	hosts    []string
	numbers  []string
}

func look(e *message.Event) (s seen, ok bool) {
	worst := e.Worst()
	if worst == nil {
		return s, false
	}
	v := &e.Verdicts[worst.Verdict]
	s.spam, s.category = v.Category != message.CategoryNone, v.Category
	s.stopped = worst.Decision.Action != message.Accept
	s.digest, s.text = FromBytes(e.Digest)
	for _, h := range e.LinkHosts {
		if h = link.Organisation(h); len(s.hosts) < watchHosts && !slices.Contains(s.hosts, h) {
			s.hosts = append(s.hosts, h)
		}
	}
	if (e.Channel == message.SMS || e.Channel == message.Call) && strings.HasPrefix(e.Source.ID, "+") && s.spam {
		s.numbers = append(s.numbers, e.Source.ID)
	}
	return s, true
}

// keys are what its infrastructure is known by.
func (s *seen) keys() []string {
	keys := make([]string, 0, len(s.hosts)+len(s.numbers))
	keys = append(keys, s.hosts...)
	return append(keys, s.numbers...)
}

// Add enters a judged message and returns the id of its campaign; empty if there is nothing to know one by. An event that
// bears the id of a campaign already, as one that is read from the index does, goes to it.
func (w *Watch) Add(e *message.Event) string {
	s, ok := look(e)
	if !ok || !s.text && len(s.hosts) == 0 && len(s.numbers) == 0 {
		return ""
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	a := w.find(e, &s)
	if a == nil {
		a = newAccount(cmp.Or(e.Campaign, e.ID), e.Time)
		w.accounts[a.id] = a
		w.live = append(w.live, a)
		w.shrink()
	}
	a.count(e, &s)
	w.remember(a, &s)
	return a.id
}

// find is the campaign of what was seen; several that it belongs to become one.
func (w *Watch) find(e *message.Event, s *seen) *account {
	var found *account
	if e.Campaign != "" {
		found = w.accounts[e.Campaign]
	}
	if s.text {
		if a := w.nearest(s.digest); a != nil {
			found = w.unite(found, a)
		}
	}
	if !s.spam {
		if found == nil {
			found = w.led(s.hosts)
		}
		return found
	}
	for _, key := range s.keys() {
		i := w.infra[key]
		if i == nil || i.owner == nil || i.owner == found || i.common() {
			continue
		}
		if found != nil {
			i.merged++
		}
		found = w.unite(found, i.owner)
	}
	return found
}

// led is the campaign of a host that is known for spam, whatever the message was judged to be: a filter that is still learning
// misses much of a campaign, above all what is short.
func (w *Watch) led(hosts []string) *account {
	for _, host := range hosts {
		if i := w.infra[host]; i != nil && i.owner != nil && !i.common() && i.spam >= sureSpam && i.spam > i.ham {
			return i.owner
		}
	}
	return nil
}

func (i *infrastructure) common() bool { return i.merged >= maxMerged || i.ham > hamToSpam*i.spam }

// nearest is the campaign with the nearest digest within [Near].
func (w *Watch) nearest(d Digest) *account {
	var best *account
	distance := Near + 1
	for _, bucket := range w.bands.buckets(d) {
		for _, at := range bucket {
			if n := w.places[at].digest.Distance(d); n < distance {
				best, distance = w.places[at].owner, n
			}
		}
	}
	return best
}

// unite makes one of two campaigns, the older; either may be nil.
func (w *Watch) unite(a, b *account) *account {
	if a == nil || a == b {
		return b
	}
	if b == nil {
		return a
	}
	if b.first.Before(a.first) || b.first.Equal(a.first) && b.id < a.id {
		a, b = b, a
	}
	a.join(b)
	for _, id := range append([]string{b.id}, b.also...) {
		if slices.Contains(a.also, id) {
			w.accounts[id] = a
		} else {
			delete(w.accounts, id)
		}
	}
	for _, at := range b.digests {
		w.places[at].owner = a
	}
	a.digests = append(a.digests, b.digests...)
	for _, key := range b.keys {
		if i := w.infra[key]; i != nil && i.owner == b {
			i.owner = a
		}
	}
	a.keys = append(a.keys, b.keys...)
	w.live = slices.DeleteFunc(w.live, func(x *account) bool { return x == b })
	return a
}

// remember keeps what the next messages of a are known by.
func (w *Watch) remember(a *account, s *seen) {
	if s.text && len(a.digests) < maxDigests && !w.close(a, s.digest) {
		at := uint32(len(w.places))
		if n := len(w.free); n > 0 {
			at, w.free = w.free[n-1], w.free[:n-1]
			w.places[at] = placed{s.digest, a}
		} else {
			w.places = append(w.places, placed{s.digest, a})
		}
		w.bands.add(s.digest, at)
		a.digests = append(a.digests, at)
	}
	for _, key := range s.keys() {
		i := w.infra[key]
		if i == nil {
			i = &infrastructure{}
			w.infra[key] = i
		}
		if !s.spam {
			i.ham++
			continue
		}
		i.spam++
		if i.owner == nil && len(a.keys) < maxKeys {
			i.owner = a
			a.keys = append(a.keys, key)
		}
	}
}

// close reports whether a knows the digest well enough: a text that drifts is followed by new ones.
func (w *Watch) close(a *account, d Digest) bool {
	for _, at := range a.digests {
		if w.places[at].digest.Distance(d) <= Near/2 {
			return true
		}
	}
	return false
}

// shrink forgets a quarter when there is too much: what stands alone first, then what was quiet longest.
func (w *Watch) shrink() {
	if len(w.live) <= WatchCapacity {
		return
	}
	slices.SortStableFunc(w.live, func(a, b *account) int {
		return cmp.Or(-cmp.Compare(min(a.messages, 2), min(b.messages, 2)), b.last.Compare(a.last))
	})
	for _, a := range w.live[WatchCapacity*3/4:] {
		w.forget(a)
	}
	w.live = slices.Clone(w.live[:WatchCapacity*3/4])
	for key, i := range w.infra {
		if i.owner == nil {
			delete(w.infra, key)
		}
	}
}

func (w *Watch) forget(a *account) {
	for _, id := range append([]string{a.id}, a.also...) {
		delete(w.accounts, id)
	}
	for _, at := range a.digests {
		w.bands.remove(w.places[at].digest, at)
		w.places[at] = placed{}
		w.free = append(w.free, at)
	}
	for _, key := range a.keys {
		if i := w.infra[key]; i != nil && i.owner == a {
			i.owner = nil
		}
	}
}

// Get is the campaign of an id, also of one that it had before a merge.
func (w *Watch) Get(id string) (Campaign, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := w.accounts[id]
	if a == nil {
		return Campaign{}, false
	}
	return a.campaign(), true
}

// List are the campaigns of at least least messages that were seen since a time, those with most spam first.
func (w *Watch) List(since time.Time, least uint64, limit int) []Campaign {
	w.mu.Lock()
	defer w.mu.Unlock()
	var chosen []*account
	for _, a := range w.live {
		if a.messages >= least && !a.last.Before(since) {
			chosen = append(chosen, a)
		}
	}
	slices.SortFunc(chosen, func(a, b *account) int {
		return cmp.Or(cmp.Compare(b.spam, a.spam), cmp.Compare(b.messages, a.messages), strings.Compare(a.id, b.id))
	})
	out := make([]Campaign, 0, min(limit, len(chosen)))
	for _, a := range chosen[:min(limit, len(chosen))] {
		out = append(out, a.campaign())
	}
	return out
}
