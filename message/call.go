package message

import "time"

// CallInfo is what only calls have: what the set-up of the call said (SIP INVITE, RFC 3261). The caller's number is the
// message's Source.ID, the called one its recipient, the display name the Name of From, the Call-ID its MessageID.
type CallInfo struct {
	Asserted  string     // number or URI of P-Asserted-Identity (RFC 3325); empty if there is none
	Diverted  string     // who passed the call on: Diversion (RFC 5806) or History-Info (RFC 7044)
	UserAgent string     // User-Agent of the set-up
	Identity  []PASSporT // Identity fields (RFC 8224)
}

// PASSporT is what an Identity field claims (RFC 8225, RFC 8588). No signature has been verified: it may tell a lie from
// the call it came with, and proves nothing.
type PASSporT struct {
	Attestation string // "A", "B" or "C"; empty outside of SHAKEN
	Orig        string // telephone number or URI of the caller
	Dest        []string
	IssuedAt    time.Time
	OrigID      string
	Certificate string // URL (x5u)
}

// CallRecord is how one call ended, as a call-detail record says it.
type CallRecord struct {
	CallID   string // SIP Call-ID, if known
	Caller   string // number
	Callee   string
	Begun    time.Time
	Answered bool
	Duration time.Duration // from the answer to the end; 0 if it was not answered
	HungUp   Party         // who ended it
}

// Party is one end of a call.
type Party uint8

// Parties.
const (
	PartyUnknown Party = iota
	Caller
	Callee
)

var partyNames = names{"unknown", "caller", "callee"}

func (p Party) String() string               { return partyNames.of(uint8(p)) }
func (p Party) MarshalText() ([]byte, error) { return []byte(p.String()), nil }
func (p *Party) UnmarshalText(b []byte) error {
	return partyNames.parse("party", b, (*uint8)(p))
}

// Number is a telephone number as the numbering plan reads it (ITU-T E.164).
type Number struct {
	E164    string   // with +; empty if it could not be read as one (a short code, a name)
	Country string   // ISO 3166-1 alpha-2; empty for numbers of no country (+800, +883)
	Line    LineType // what the number's range is for
	Valid   bool     // it lies in a range that the plan has in use
}

// LineType is what a range of numbers is for. Stored as its number.
type LineType uint8

// Types of lines, those of libphonenumber.
const (
	LineUnknown LineType = iota
	FixedLine
	Mobile
	FixedOrMobile // the plan does not tell them apart
	TollFree
	Premium
	SharedCost
	VoIP
	PersonalNumber
	Pager
	UAN
	Voicemail
)

var lineNames = names{"unknown", "fixed", "mobile", "fixed_or_mobile", "toll_free", "premium", "shared_cost", "voip", "personal",
	"pager", "uan", "voicemail"}

func (l LineType) String() string               { return lineNames.of(uint8(l)) }
func (l LineType) MarshalText() ([]byte, error) { return []byte(l.String()), nil }
func (l *LineType) UnmarshalText(b []byte) error {
	return lineNames.parse("line type", b, (*uint8)(l))
}

// Calling is what a caller did before this call, as far as the node saw it or was told by call records.
type Calling struct {
	Known        bool   // false: nobody counts
	Minute       uint32 // calls begun within the last minute, this one included
	Hour         uint32 // calls begun within the last hour, this one included
	Callees      uint32 // about how many unlike numbers they went to
	Ended        uint32 // calls whose end is known, older ones counting less
	Answered     uint32 // of those
	Short        uint32 // answered, and over within a few seconds
	CalleeHungUp uint32 // answered, and ended by who was called
}
