package message

import (
	"strings"
	"time"
)

// Label is what a teacher says a message is.
type Label uint8

// Labels. A lesson with Forget, which has no word as it is no label, takes back the one that stands on the message, whichever it
// is, and teaches nothing.
const (
	Forget Label = iota
	Ham
	Spam
)

var labelNames = names{"", "ham", "spam"}

func (l Label) String() string               { return labelNames.of(uint8(l)) }
func (l Label) MarshalText() ([]byte, error) { return []byte(l.String()), nil }
func (l *Label) UnmarshalText(b []byte) error {
	return labelNames.parse("label", b, (*uint8)(l))
}

// Opposite is the other label.
func (l Label) Opposite() Label {
	if l == Spam {
		return Ham
	}
	return Spam
}

// Scope is whose verdicts a lesson speaks for: all of the node's, one tenant's, one domain's or one user's. The narrowest
// named one counts.
type Scope struct {
	Tenant string `json:"tenant,omitempty"`
	Domain string `json:"domain,omitempty"`
	User   string `json:"user,omitempty"`
}

// Narrow reports whether the scope is a domain's or a user's, not a whole tenant's or all of the node's.
func (s Scope) Narrow() bool { return s.Domain != "" || s.User != "" }

// Folded is the scope in lower case: names of tenants, domains and users count in any.
func (s Scope) Folded() Scope {
	return Scope{Tenant: strings.ToLower(s.Tenant), Domain: strings.ToLower(s.Domain), User: strings.ToLower(s.User)}
}

// ScopeOf says for whom a verdict on m is: going out the account that sends, else the recipient, who may be nil. It is
// folded.
func (m *Message) ScopeOf(to *Recipient) Scope {
	s := Scope{Tenant: m.Tenant}
	switch {
	case m.Direction == Out:
		s.User = m.Account
		s.Domain = m.From.Domain
		if _, d, ok := strings.Cut(m.Account, "@"); ok {
			s.Domain = d
		}
	case to != nil:
		if to.Tenant != "" {
			s.Tenant = to.Tenant
		}
		s.Domain, s.User = to.Domain, to.User
		if s.User == "" {
			s.User = to.Address
		}
		if _, d, ok := strings.Cut(to.Address, "@"); ok && s.Domain == "" {
			s.Domain = d
		}
	}
	return s.Folded()
}

// Lesson is a labelled message that someone taught. It holds no text but hashed features and signal values, and is still
// encrypted at rest, because hashes of short texts can be guessed. The byte format is in docs/formats.md.
type Lesson struct {
	ID        string // record id: applied once
	Time      time.Time
	Message   string // what the lesson is about: see [Message.Key]; a second lesson on it takes the first one back
	Channel   Channel
	Direction Direction
	Label     Label
	Category  Category
	Scope     Scope
	Teacher   string // who authenticated; never a header's claim
	Replaces  string // id of the lesson this one takes back
	Source    string // reputation key of the source, if known
	Extractor uint32 // version of the feature extractor
	Base      string // id of the shipped weights it was judged with
	Features  []FeatureSet
	Signals   []SignalValue
	Digest    []byte  // near-copy digest
	Before    float64 // how probably it was spam to those for whom the lesson speaks, before it; 0: not known
}

// FeatureSet is the features that one learner saw: sorted hashes, each once.
type FeatureSet struct {
	Learner string
	Hashes  []uint32
}

// SignalValue is one signal as it stood when the message was taught; absent ones are left out.
type SignalValue struct {
	Name  string
	State State
	Value Fixed
}
