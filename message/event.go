package message

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Event is the record that a message was judged and how. It is evidence on the node that saw it, kept for a time; it
// holds the combiner's inputs and coefficients, so that score and decision can be made again from it alone. Subject is
// empty unless the operator keeps subjects. The byte format is in docs/formats.md.
type Event struct {
	ID        string // the message's
	Time      time.Time
	Node      string
	Door      string
	Channel   Channel
	Direction Direction
	Tenant    string
	Account   string
	QueueID   string
	MessageID string
	Source    Source
	MailFrom  string
	From      string // the author as the reader sees it
	Verified  Verified
	Subject   string
	Size      int
	Route     []Hop
	LinkHosts []string
	Digest    []byte // near-copy digest of the text; empty if there was none
	Campaign  string // of near copies or the same infrastructure; empty if it stands alone
	Incumbent Incumbent
	Key       string // what a lesson on it is known by ([Message.Key]); empty if it cannot be taught from here
	Taught    Label  // what it was taught as later, last; Forget: nothing
	Verdicts  []Verdict
	Outcomes  []Outcome // one a recipient
	Took      time.Duration
}

// Outcome is what was decided for one recipient.
type Outcome struct {
	Recipient string
	Verdict   int // index in Verdicts
	Decision  Decision
}

// Worst is the outcome whose verdict has the highest probability; nil if there is none.
func (e *Event) Worst() *Outcome {
	var worst *Outcome
	for i := range e.Outcomes {
		o := &e.Outcomes[i]
		if worst == nil || e.Verdicts[o.Verdict].Probability > e.Verdicts[worst.Verdict].Probability {
			worst = o
		}
	}
	return worst
}

// Saw reports whether a signal of that name was present for one of the recipients.
func (e *Event) Saw(signal string) bool {
	return slices.ContainsFunc(e.Verdicts, func(v Verdict) bool {
		return slices.ContainsFunc(v.Contributions, func(c Contribution) bool { return c.Name == signal && c.State == StatePresent })
	})
}

// NewEvent records a judged message; decisions and j's verdicts are in the order of its recipients.
func NewEvent(m *Message, j Judgement, decisions []Decision) *Event {
	e := &Event{
		ID: m.ID, Time: m.Arrived, Door: m.Door, Channel: m.Channel, Direction: m.Direction,
		Tenant: m.Tenant, Account: m.Account, QueueID: m.QueueID, MessageID: m.MessageID, Source: m.Source,
		MailFrom: m.MailFrom, From: m.From.String(), Size: m.Size, Route: m.Route, Digest: m.Facts.Digest,
		Incumbent: m.Incumbent,
	}
	for _, l := range m.Links {
		if l.Host != "" && len(e.LinkHosts) < maxEventHosts && !contains(e.LinkHosts, l.Host) {
			e.LinkHosts = append(e.LinkHosts, l.Host)
		}
	}
	seen := make(map[*Verdict]int, 1)
	for i, v := range j.Verdicts {
		at, ok := seen[v]
		if !ok {
			at = len(e.Verdicts)
			seen[v] = at
			e.Verdicts = append(e.Verdicts, *v)
		}
		o := Outcome{Verdict: at}
		if i < len(m.Recipients) {
			o.Recipient = m.Recipients[i].Address
		}
		if i < len(decisions) {
			o.Decision = decisions[i]
		}
		e.Outcomes = append(e.Outcomes, o)
	}
	e.Verified = m.Facts.Auth.Verified()
	e.own()
	return e
}

// own copies what are parts of the message's own bytes, together: who keeps an event's string, as tallies do for long, must
// not keep the whole message by it.
func (e *Event) own() {
	e.Route = slices.Clone(e.Route)
	parts := make([]*string, 0, 64)
	parts = append(parts, &e.QueueID, &e.MessageID, &e.Source.Name, &e.Source.ID, &e.Source.TLS, &e.MailFrom, &e.From, &e.Account)
	for i := range e.Route {
		parts = append(parts, &e.Route[i].From, &e.Route[i].By, &e.Route[i].With)
	}
	for i := range e.LinkHosts {
		parts = append(parts, &e.LinkHosts[i])
	}
	parts = append(parts, &e.Verified.SPF, &e.Verified.ARC)
	for i := range e.Verified.DKIM {
		parts = append(parts, &e.Verified.DKIM[i])
	}
	for i := range e.Outcomes {
		parts = append(parts, &e.Outcomes[i].Recipient)
	}
	size := 0
	for _, s := range parts {
		size += len(*s)
	}
	var all strings.Builder
	all.Grow(size) // once: what is written does not move
	for _, s := range parts {
		start := all.Len()
		all.WriteString(*s)
		*s = all.String()[start:]
	}
}

// maxEventHosts: search needs the hosts a campaign points at, not a newsletter's hundred image servers.
const maxEventHosts = 16

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// Client is the source's address as text, empty if it is not known.
func (s Source) Client() string {
	if s.Address == (netip.Addr{}) {
		return ""
	}
	return s.Address.String()
}
