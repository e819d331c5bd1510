package message

// Channel is the medium a message came by. Stored as its number; the numbers never change.
type Channel uint8

// The four channels of Resolution 52: e-mail, SMS and IP multimedia (calls, instant messages).
const (
	Email Channel = iota + 1
	SMS
	Call
	IM
)

var channelNames = names{"", "email", "sms", "call", "im"}

func (c Channel) String() string               { return channelNames.of(uint8(c)) }
func (c Channel) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
func (c *Channel) UnmarshalText(b []byte) error {
	return channelNames.parse("channel", b, (*uint8)(c))
}

// Direction says on which side of the operator's edge a message was born (X.1245: RASF judges what comes in, SASF what
// goes out).
type Direction uint8

// Directions as seen from the operator.
const (
	In Direction = iota + 1
	Out
	Internal
)

var directionNames = names{"", "in", "out", "internal"}

func (d Direction) String() string               { return directionNames.of(uint8(d)) }
func (d Direction) MarshalText() ([]byte, error) { return []byte(d.String()), nil }
func (d *Direction) UnmarshalText(b []byte) error {
	return directionNames.parse("direction", b, (*uint8)(d))
}

// Category is what a spam is for. Categories, not the word spam, make figures of different definitions comparable.
type Category uint8

// Categories; [CategoryUnknown] is spam whose purpose could not be told, [CategoryNone] is no spam.
const (
	CategoryNone Category = iota
	CategoryUnknown
	Commercial
	Phishing
	Malware
	Scam
	Adult
	OtherSpam
)

var categoryNames = names{"none", "unknown", "commercial", "phishing", "malware", "scam", "adult", "other"}

func (c Category) String() string               { return categoryNames.of(uint8(c)) }
func (c Category) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
func (c *Category) UnmarshalText(b []byte) error {
	return categoryNames.parse("category", b, (*uint8)(c))
}
