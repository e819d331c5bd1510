package message

import "time"

// Label is what a teacher says a message is.
type Label uint8

// Labels.
const (
	Ham Label = iota + 1
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
	Digest    []byte // near-copy digest
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
