// Package message holds what all channels share: the message under judgement, the signals seen in it, the verdict and
// the decision on it, the event that records both, and the lesson that corrects them.
//
// It does no I/O and knows no protocol; the packages below it (email, sms, call, im) read wire form into a
// [Message]. A Message is filled by its parser, completed by its front door (envelope, source, account) and by the
// filter (Facts), and is not changed after it was judged. It is owned by one goroutine at a time.
package message

import (
	"net/netip"
	"time"
)

// Message is one communication under judgement, on any channel. Strings are UTF-8; what could not be decoded stands as
// U+FFFD and leaves an [Anomaly].
type Message struct {
	ID        string // this node's, from the front door; unique; sorts by time
	Channel   Channel
	Direction Direction
	Tenant    string // empty: the operator itself
	Account   string // who of our own sends it, authenticated; only going out
	Arrived   time.Time
	Door      string // name of the front door
	QueueID   string // the mail server's or SMSC's own id for it, if it told
	Mode      Mode

	Source     Source
	Route      []Hop  // first hop is the one nearest to us
	MailFrom   string // envelope sender (RFC 5321 Return-Path), source address of a text
	Helo       string
	Recipients []Recipient
	Stored     bool // from a mail store: what DNS says now is not what it said then
	OneAnswer  bool // the front door can give but one answer for all recipients
	Handover   bool // the front door can leave the mail to us and still tell its client that it was taken
	Incumbent  Incumbent

	From      Address   // the author the reader sees (RFC 5322 From, SIP From)
	ReplyTo   []Address // RFC 5322 Reply-To
	To        []Address // To and Cc as the reader sees them
	MessageID string    // RFC 5322 Message-ID without brackets; SIP Call-ID
	Date      time.Time // RFC 5322 Date; zero if none could be read
	Subject   string
	Header    Header

	Text        string // what a reader sees of plain text parts; the text of an SMS
	HTML        string // decoded text/html parts, markup kept
	HTMLText    string // what a reader sees of HTML
	HiddenText  string // what HTML hides from the reader but not from a filter
	Links       []Link
	Attachments []Attachment
	Parts       int // MIME parts, or parts of a concatenated SMS
	Anomalies   []Anomaly
	Raw         []byte // as received; DKIM needs it
	Size        int    // bytes received, also when Raw was cut at a cap

	SMS   *SMSInfo  // only on channel sms
	Call  *CallInfo // only on channel call
	Facts Facts
}

// Source is who originated the message, as far as it can be trusted: what spoke to the operator's edge.
type Source struct {
	Address netip.Addr // zero if unknown
	Name    string     // its host name by reverse DNS, if the front door or resolver told
	Country string     // ISO 3166-1 alpha-2, of the address, or of a text's or call's number; empty if unknown
	Network uint32     // autonomous system number; 0 if unknown
	ID      string     // sender ID, number or system id (SMPP) of a text or call; domain of a mail
	Trusted bool       // the operator's own or an authenticated account
	Line    LineType   // of a number
	TLS     string     // version of TLS by which it handed over ("TLSv1.3"); empty if in clear, or not told
}

// Hop is one hand-over on the way of a message (RFC 5321 Received, SMPP bind, SIP Via).
type Hop struct {
	From    string     // name that the giving side claimed (HELO, system_id)
	Address netip.Addr // of the giving side; zero if unknown
	Network uint32     // autonomous system of the address; 0 if unknown
	By      string     // who received
	With    string     // protocol (SMTP, ESMTPS, SMPP, SIP/2.0/UDP)
	At      time.Time
	Trusted bool // written by a host of the operator; the rest is only claimed
}

// Recipient is one for whom a message is judged and decided. Address is normalised by the front door; a table may map
// it to a mailbox's tenant, domain and user.
type Recipient struct {
	Address string `json:"address"`
	Tenant  string `json:"tenant,omitempty"`
	Domain  string `json:"domain,omitempty"`
	User    string `json:"user,omitempty"`
}

// Address is a mailbox of RFC 5322 section 3.4, or a number with a display name.
type Address struct {
	Name   string // decoded display name
	Local  string
	Domain string // lower case, A-label form not enforced
}

func (a Address) String() string {
	if a.Domain == "" {
		return a.Local
	}
	return a.Local + "@" + a.Domain
}

// Field is one header field. Value is decoded (RFC 2047) and unfolded; Raw is the value as received.
type Field struct {
	Name  string // as written
	Value string
	Raw   string
}

// Header is the header fields in the order received.
type Header []Field

// Link is a URL that the reader can follow or that a client fetches.
type Link struct {
	URL    string // as written, entities decoded
	Scheme string // lower case; empty if none was written
	Host   string // lower case, without port and user info; may be an address literal
	Text   string // what the reader sees of it; empty for a bare URL
	Kind   LinkKind
}

// LinkKind says how a link appears.
type LinkKind uint8

// Kinds of links.
const (
	LinkText  LinkKind = iota // bare in text
	LinkHref                  // anchor
	LinkImage                 // fetched when shown
	LinkForm                  // form action
	LinkOther                 // refresh, base, frame, style
	LinkFile                  // in an attached file
	LinkCode                  // in a code that a camera reads
)

// Followed reports links that a reader follows, rather than those that a program fetches.
func (k LinkKind) Followed() bool { return k != LinkImage && k != LinkOther }

// Attachment is one MIME part that is not the text.
type Attachment struct {
	Name     string // decoded file name
	Declared string // media type as declared, lower case
	Detected string // media type by its first bytes
	Size     int    // decoded bytes
	Digest   [32]byte
	Inline   bool
	Inside   *Inside // nil: there was nothing to see
}

// Inside is what a look into a file found, without running it and without unpacking it whole.
type Inside struct {
	Files        []string // names in an archive, such as an office document; what is in an archive inside it follows that one's name and a slash
	Encrypted    bool     // archive or document that asks for a password
	Program      bool     // by its first bytes, in a compressed file
	Disk         bool     // image of a disk
	Macros       bool     // VBA
	Object       bool     // a file or formula embedded in a document
	Template     string   // host that a document loads its template from
	Action       string   // what a PDF does: Launch, JavaScript
	Smuggles     bool     // a page whose script builds what the reader gets
	AsksPassword bool     // a page with a field for a password
	Links        int
}

// Anomaly is something that broke a rule of the format: a name of the closed list of its parser ("mime_no_boundary"),
// and what was seen.
type Anomaly struct {
	Name   string
	Detail string
}

// SMSInfo is what only texts have.
type SMSInfo struct {
	Encoding    string     // gsm7, ucs2, latin1, ia5, binary, cyrillic, hebrew
	DataCoding  byte       // TP-DCS / SMPP data_coding
	SenderType  SenderType // shape of the originating address
	SystemID    string     // who submitted it (SMPP bind)
	Reference   uint16     // of a concatenated text
	Part, Total uint8      // 1 of 1 when it is not concatenated
	Flash       bool       // message class 0
}

// SenderType is the shape of an originating address (TS 23.040 type of number).
type SenderType uint8

// Shapes of sender.
const (
	SenderUnknown SenderType = iota
	SenderNumeric
	SenderAlphanumeric
	SenderShortCode
)

var senderTypeNames = names{"unknown", "numeric", "alphanumeric", "short_code"}

func (t SenderType) String() string               { return senderTypeNames.of(uint8(t)) }
func (t SenderType) MarshalText() ([]byte, error) { return []byte(t.String()), nil }
func (t *SenderType) UnmarshalText(b []byte) error {
	return senderTypeNames.parse("sender type", b, (*uint8)(t))
}

// HasAnomaly reports whether the parser noted the named anomaly.
func (m *Message) HasAnomaly(name string) bool {
	for i := range m.Anomalies {
		if m.Anomalies[i].Name == name {
			return true
		}
	}
	return false
}

// VisibleText is what the reader sees: the plain text, or the rendered HTML where there is no plain text.
func (m *Message) VisibleText() string {
	if m.Text == "" {
		return m.HTMLText
	}
	return m.Text
}
