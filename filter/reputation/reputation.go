// Package reputation remembers what was taught of each source: how many of its messages were spam and how many honest.
//
// A source is what a sender cannot change for every message: the network of a mail's client (/24 of IPv4, /64 of IPv6),
// the sender ID or number of a text with the account that submitted it. Of a call it is the network that handed it over,
// since callers borrow numbers and seldom use one twice; where that is not known, its number. A [Table] is bounded and safe
// for concurrent use; its content depends only on the order of lessons, so replay makes it again.
package reputation

import (
	"math"
	"net/netip"
	"sync"

	"rempart/message"
)

// Capacity is the number of sources remembered; beyond it the one first taught longest ago is forgotten.
const Capacity = 500_000

// Table counts lessons by source.
type Table struct {
	mu     sync.RWMutex
	counts map[string]*count
	order  []string // ring
	oldest int
}

type count struct{ spam, ham uint32 }

// New returns an empty table.
func New() *Table { return &Table{counts: map[string]*count{}} }

// Key names the source of m; empty if there is none to hold on to.
func Key(m *message.Message) string {
	switch {
	case m.Source.Trusted:
		return ""
	case m.Channel == message.SMS && m.MailFrom != "":
		key := "sms " + m.MailFrom
		if m.SMS != nil && m.SMS.SystemID != "" {
			key += " " + m.SMS.SystemID
		}
		return key
	case m.Channel == message.Call && m.Source.Address.IsValid():
		return "call " + network(m.Source.Address)
	case m.Channel == message.Call && m.Facts.From.E164 != "":
		return "call " + m.Facts.From.E164
	case m.Source.Address.IsValid():
		return network(m.Source.Address)
	}
	return ""
}

// network is what one holder of addresses usually has.
func network(a netip.Addr) string {
	a = a.Unmap()
	bits := 64
	if a.Is4() {
		bits = 24
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return ""
	}
	return p.String()
}

// Of is what was taught of a source.
func (t *Table) Of(key string) message.Reputation {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if c := t.counts[key]; c != nil && key != "" {
		return message.Reputation{Known: true, Spam: c.spam, Ham: c.ham}
	}
	return message.Reputation{}
}

// Teach counts one lesson; back takes one of the other label off first, for a correction.
func (t *Table) Teach(key string, label message.Label, back bool) {
	if key == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.counts[key]
	if c == nil {
		c = t.add(key)
	}
	mine, other := &c.ham, &c.spam
	if label == message.Spam {
		mine, other = other, mine
	}
	*mine++
	if back && *other > 0 {
		*other--
	}
}

// Forget takes one lesson of that label off.
func (t *Table) Forget(key string, label message.Label) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.counts[key]
	switch {
	case c == nil:
	case label == message.Spam && c.spam > 0:
		c.spam--
	case label == message.Ham && c.ham > 0:
		c.ham--
	}
}

func (t *Table) add(key string) *count {
	if len(t.order) < Capacity {
		t.order = append(t.order, key)
	} else {
		delete(t.counts, t.order[t.oldest])
		t.order[t.oldest] = key
		t.oldest = (t.oldest + 1) % Capacity
	}
	c := &count{}
	t.counts[key] = c
	return c
}

// SourceSpam speaks against a source that sent spam before. Value: natural log-odds of its lessons, 0 to 4. Arguments:
// lessons that were spam, lessons in all.
func SourceSpam(m *message.Message) message.Result { return source(m, +1) }

// SourceHam speaks for a source that sent honest messages before. Value and arguments as for SourceSpam, of honest ones.
func SourceHam(m *message.Message) message.Result { return source(m, -1) }

func source(m *message.Message, sign float64) message.Result {
	r := m.Facts.Reputation
	odds := sign * math.Log((float64(r.Spam)+0.5)/(float64(r.Ham)+0.5))
	if !r.Known || odds <= 0 {
		return message.Absent
	}
	n := r.Spam
	if sign < 0 {
		n = r.Ham
	}
	return message.Present(min(odds, 4), n, r.Spam+r.Ham)
}
