package measure

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/axiomhq/hyperloglog"

	"rempart/message"
)

// Leaf is the counts of one origin for one hour, as one run of its node saw them. Leaves are kept as they are; a merge
// reads them all. The byte format is in docs/formats.md.
type Leaf struct {
	Origin   string // the node
	Epoch    int64  // start of the run, Unix nanoseconds: two runs in one hour are two leaves
	Hour     int64  // hours since 1970, UTC, at the verdict
	Revision uint64 // a later state of the same leaf has a higher one
	counts

	saved  uint64 // revision of the last checkpoint
	shared bool   // somebody reads it without the lock: it is not changed any more
}

func (l *Leaf) clone() *Leaf {
	c := &Leaf{Origin: l.Origin, Epoch: l.Epoch, Hour: l.Hour, Revision: l.Revision, saved: l.saved, counts: counts{
		volumes: maps.Clone(l.volumes), countries: cloneAll(l.countries), networks: cloneAll(l.networks),
		senders: cloneAll(l.senders), edges: cloneAll(l.edges), distinct: make(map[distinctKey]*hyperloglog.Sketch, len(l.distinct)),
		complaints: l.complaints}}
	for k, d := range l.distinct {
		c.distinct[k] = d.Clone()
	}
	return c
}

func cloneAll[K comparable](m map[breakdown]*summary[K]) map[breakdown]*summary[K] {
	out := make(map[breakdown]*summary[K], len(m))
	for b, s := range m {
		out[b] = &summary[K]{limit: s.limit, total: s.total, floor: s.floor, heap: slices.Clone(s.heap), at: maps.Clone(s.at)}
	}
	return out
}

// counts is what is counted, of a leaf or of many.
type counts struct {
	volumes   map[VolumeKey]Volume
	countries map[breakdown]*summary[string]
	networks  map[breakdown]*summary[uint32]
	senders   map[breakdown]*summary[string]
	edges     map[breakdown]*summary[Edge]
	distinct  map[distinctKey]*hyperloglog.Sketch

	complaints uint64
}

// VolumeKey is what volumes are counted by.
type VolumeKey struct {
	Channel   message.Channel
	Direction message.Direction
	Category  message.Category
	Action    message.Action
}

// Volume is messages, and the recipients they had: a message to several counts once as a message, with the action and
// category of the recipient whose verdict was worst.
type Volume struct {
	Messages   uint64
	Recipients uint64
}

// breakdown is what sources and routes are counted by.
type breakdown struct {
	channel  message.Channel
	category message.Category
}

// Edge is one hand-over on a route.
type Edge struct {
	From, By string
	Trusted  bool // recorded by a host of the operator; else it is only claimed
}

// Unknown is the key of what geography or the message does not tell; a key is never empty.
const Unknown = "unknown"

// Counters of one summary. The error of any count is at most the messages of its channel and category over it.
const (
	maxCountries = 300 // more than there are: exact
	maxNetworks  = 512
	maxSenders   = 512
	maxEdges     = 512
)

func newCounts() counts {
	return counts{
		volumes: map[VolumeKey]Volume{}, countries: map[breakdown]*summary[string]{}, networks: map[breakdown]*summary[uint32]{},
		senders: map[breakdown]*summary[string]{}, edges: map[breakdown]*summary[Edge]{}, distinct: map[distinctKey]*hyperloglog.Sketch{},
	}
}

// Time is the beginning of the leaf's hour.
func (l *Leaf) Time() time.Time { return time.Unix(l.Hour*3600, 0).UTC() }

// fold counts one event; source is the hash of who sent it, under the key of that id.
func (c *counts) fold(e *message.Event, source uint64, key string) {
	worst := e.Worst()
	if worst == nil {
		return
	}
	category := e.Verdicts[worst.Verdict].Category
	v := VolumeKey{e.Channel, e.Direction, category, worst.Decision.Action}
	n := c.volumes[v]
	c.volumes[v] = Volume{n.Messages + 1, n.Recipients + uint64(len(e.Outcomes))}

	b := breakdown{e.Channel, category}
	count(c.countries, b, maxCountries, orUnknown(e.Source.Country))
	count(c.networks, b, maxNetworks, e.Source.Network)
	count(c.senders, b, maxSenders, Sender(e))
	for _, edge := range Edges(e) {
		count(c.edges, b, maxEdges, edge)
	}
	dk := distinctKey{b, key}
	d := c.distinct[dk]
	if d == nil {
		d = newSketch()
		c.distinct[dk] = d
	}
	d.InsertHash(source)
}

// count adds to the summary of b, made at its first item.
func count[K comparable](m map[breakdown]*summary[K], b breakdown, limit int, item K) {
	s := m[b]
	if s == nil {
		s = newSummary[K](limit)
		m[b] = s
	}
	s.add(item)
}

func orUnknown(s string) string {
	if s == "" {
		return Unknown
	}
	return s
}

// numberRange is how many digits of a number are counted by: a block of ten thousand in most plans, so that a tally
// names a range and no subscriber.
const numberRange = 7

// Sender is the sender ID of a text, the range of a number, or the domain of a mail.
func Sender(e *message.Event) string {
	s := e.Source.ID
	digits := 0
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			digits++
		} else if i > 0 || s[i] != '+' {
			return s
		}
	}
	if s == "" {
		return Unknown
	}
	if digits > numberRange {
		return s[:len(s)-digits+numberRange] + "…"
	}
	return s
}

func compareEdges(a, b Edge) int {
	trust := func(e Edge) int {
		if e.Trusted {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.By, b.By), cmp.Compare(trust(a), trust(b)))
}
