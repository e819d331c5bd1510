package campaign

import (
	"slices"
	"time"

	"rempart/measure"
	"rempart/message"
)

// Campaign is what is known of messages that are near copies of each other or lead to the same places, on all channels.
// Names are counted as tallies count them: see package measure.
type Campaign struct {
	ID          string   // that of its first message
	Also        []string // ids that it was known by before campaigns turned out to be one
	First, Last time.Time
	Messages    uint64
	Spam        uint64 // judged to be spam more likely than not
	Stopped     uint64 // not accepted, or would not have been outside of shadow
	Channels    map[message.Channel]uint64
	Categories  map[message.Category]uint64 // of the spam
	Hosts       []measure.Count             // registered domains that its links lead to
	Numbers     []measure.Count             // that its spam called or wrote from, or asks to be called
	Senders     []measure.Count
	Countries   []measure.Count
	Networks    []measure.Count
	Edges       []measure.EdgeCount
	Subject     string // of a mail of it, where subjects are kept
	Sample      string // id of its latest message that was judged to be spam
}

// Name is what people call the campaign by: where it leads to, or who sends it.
func (c *Campaign) Name() string {
	for _, list := range [][]measure.Count{c.Hosts, c.Numbers, c.Senders} {
		if len(list) > 0 && list[0].Name != measure.Unknown {
			return list[0].Name
		}
	}
	return c.ID
}

// Category is what its spam is mostly for; none if it is no spam.
func (c *Campaign) Category() message.Category {
	if 2*c.Spam < c.Messages {
		return message.CategoryNone
	}
	best := message.CategoryUnknown
	for k := range message.OtherSpam + 1 {
		if k > message.CategoryUnknown && c.Categories[k] > 0 && (best == message.CategoryUnknown || c.Categories[k] > c.Categories[best]) {
			best = k
		}
	}
	return best
}

// account is a campaign in the making.
type account struct {
	id          string
	also        []string
	first, last time.Time
	messages    uint64
	spam        uint64
	stopped     uint64
	channels    [message.IM + 1]uint64
	categories  [message.OtherSpam + 1]uint64
	hosts       *measure.Frequent
	numbers     *measure.Frequent
	senders     *measure.Frequent
	countries   *measure.Frequent
	networks    *measure.Frequent
	edges       map[measure.Edge]uint64
	subject     string
	sample      string

	digests []uint32 // places of its digests
	keys    []string // of its infrastructure
}

// What one campaign keeps: what is beyond is counted, but not told apart.
const (
	maxNames   = 64
	maxEdges   = 64
	maxAlso    = 32
	maxDigests = 8
	maxKeys    = 64
)

func newAccount(id string, at time.Time) *account {
	return &account{id: id, first: at, last: at, hosts: measure.NewFrequent(maxNames),
		numbers: measure.NewFrequent(maxNames), senders: measure.NewFrequent(maxNames), countries: measure.NewFrequent(maxNames),
		networks: measure.NewFrequent(maxNames), edges: map[measure.Edge]uint64{}}
}

// count enters one message.
func (a *account) count(e *message.Event, s *seen) {
	a.messages++
	a.first, a.last = earlier(a.first, e.Time), later(a.last, e.Time)
	a.channels[min(e.Channel, message.IM)]++
	if s.spam {
		a.spam++
		a.categories[min(s.category, message.OtherSpam)]++
		a.sample = e.ID
	}
	if s.stopped {
		a.stopped++
	}
	for _, h := range s.hosts {
		a.hosts.Add(h)
	}
	for _, n := range s.numbers {
		a.numbers.Add(n)
	}
	a.senders.Add(measure.Sender(e))
	a.countries.Add(e.Source.Country)
	if e.Channel != message.SMS {
		a.networks.Add(measure.NetworkName(e.Source.Network))
	}
	for _, edge := range measure.Edges(e) {
		if _, known := a.edges[edge]; known || len(a.edges) < maxEdges {
			a.edges[edge]++
		}
	}
	if e.Subject != "" {
		a.subject = e.Subject
	}
}

// join takes over what another campaign is, which then is no more.
func (a *account) join(b *account) {
	a.first, a.last = earlier(a.first, b.first), later(a.last, b.last)
	a.messages, a.spam, a.stopped = a.messages+b.messages, a.spam+b.spam, a.stopped+b.stopped
	for i, n := range b.channels {
		a.channels[i] += n
	}
	for i, n := range b.categories {
		a.categories[i] += n
	}
	for e, n := range b.edges {
		if _, known := a.edges[e]; known || len(a.edges) < maxEdges {
			a.edges[e] += n
		}
	}
	a.hosts.Merge(b.hosts)
	a.numbers.Merge(b.numbers)
	a.senders.Merge(b.senders)
	a.countries.Merge(b.countries)
	a.networks.Merge(b.networks)
	if a.sample == "" || b.last.After(a.last) && b.sample != "" {
		a.sample = b.sample
	}
	if a.subject == "" {
		a.subject = b.subject
	}
	a.also = append(append(a.also, b.id), b.also...)
	a.also = a.also[:min(len(a.also), maxAlso)]
}

// campaign is a copy for readers.
func (a *account) campaign() Campaign {
	c := Campaign{ID: a.id, Also: slices.Clone(a.also), First: a.first, Last: a.last, Messages: a.messages, Spam: a.spam, Stopped: a.stopped,
		Channels: map[message.Channel]uint64{}, Categories: map[message.Category]uint64{},
		Hosts: a.hosts.Top(maxNames), Numbers: a.numbers.Top(maxNames), Senders: a.senders.Top(maxNames),
		Countries: a.countries.Top(maxNames), Networks: a.networks.Top(maxNames), Subject: a.subject, Sample: a.sample}
	for i, n := range a.channels {
		if n > 0 {
			c.Channels[message.Channel(i)] = n
		}
	}
	for i, n := range a.categories {
		if n > 0 {
			c.Categories[message.Category(i)] = n
		}
	}
	for e, n := range a.edges {
		c.Edges = append(c.Edges, measure.EdgeCount{Edge: e, Messages: n})
	}
	measure.SortEdges(c.Edges)
	return c
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
