package message

// Action is what is done with a message for one recipient. Stored as its number; one that this build does not know is
// kept.
type Action uint8

// Actions, mildest first as far as that can be said.
const (
	Accept Action = iota + 1
	Tag
	Rewrite
	Redirect
	Hold // the mail server's own queue
	Quarantine
	Greylist
	Tempfail
	Throttle
	Challenge
	Reject
	Discard
	Remove // this recipient
)

var actionNames = names{"", "accept", "tag", "rewrite", "redirect", "hold", "quarantine", "greylist", "tempfail",
	"throttle", "challenge", "reject", "discard", "remove"}

func (a Action) String() string               { return actionNames.of(uint8(a)) }
func (a Action) MarshalText() ([]byte, error) { return []byte(a.String()), nil }
func (a *Action) UnmarshalText(b []byte) error {
	return actionNames.parse("action", b, (*uint8)(a))
}

// Mode says whether a decision is carried out.
type Mode uint8

// Modes: judge answers and acts; shadow is in the path and answers accept; tap is fed a copy.
const (
	ModeJudge Mode = iota
	ModeShadow
	ModeTap
)

var modeNames = names{"judge", "shadow", "tap"}

func (m Mode) String() string               { return modeNames.of(uint8(m)) }
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }
func (m *Mode) UnmarshalText(b []byte) error {
	return modeNames.parse("mode", b, (*uint8)(m))
}

// Threshold asks for an action from a probability on.
type Threshold struct {
	Action Action  `json:"action"`
	From   float64 `json:"from"`
}

// Decision is policy's answer for one recipient. In shadow and tap Action is what would have been done.
type Decision struct {
	Action     Action
	Rule       string // which rule decided: "threshold", or a rule's name
	Mode       Mode
	Text       string      // of the answer to the sender, if it is refused
	Thresholds []Threshold // those in force, mildest first, so that the decision can be made again
	Matches    []Match     // list entries, operator's rules and limits that fit, in the order asked, for the same reason
	Skipped    []string    // operator's rules that took too long or failed: the decision was made without them
	United     bool        // made with the other recipients': the front door had one answer for all
}

// Match is an entry of an allow or deny list or an operator's rule that fitted a message, or a limit that it is beyond. Only one in mode judge decides; others are on trial.
type Match struct {
	Rule   string
	Action Action
	Mode   Mode
}

// Effective is the action carried out: in shadow and tap the message goes on as it came.
func (d Decision) Effective() Action {
	if d.Mode != ModeJudge {
		return Accept
	}
	return d.Action
}
