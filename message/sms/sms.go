// Package sms reads short messages: the alphabets of 3GPP TS 23.038, the user data header of TS 23.040, the data_coding
// and addresses of SMPP 3.4, and a JSON form.
//
// [Parse] takes any bytes and never fails: what breaks the standards leaves an anomaly of the list below. One part of a
// long text is one message; putting parts together is the front door's matter. All functions are pure and safe for use
// from several goroutines; nothing keeps a view of its input.
package sms

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"rempart/message"
	"rempart/message/link"
)

// Caps of one message.
const (
	maxBytes = 64 << 10 // message_payload of SMPP 3.4 has a length of 16 bits
	maxLinks = 100
)

// Anomalies of a text. The list is closed: rules, signals and the catalogue of sentences use these names.
const (
	CutBytes        = "cut_bytes"            // longer than what is read
	CutLinks        = "cut_links"            // more links than are kept
	UDHLength       = "udh_length"           // a length in the user data header that does not fit
	Port            = "udh_port"             // addressed to a port: not for the reader's eyes alone (WAP push, SIM)
	PartNumber      = "part_number"          // part 0, or beyond the total, or header and SAR parameters that differ
	NationalUnknown = "national_unknown"     // a national alphabet that this build does not have
	UCS2Odd         = "ucs2_odd"             // UCS-2 of an odd number of bytes
	UCS2Surrogate   = "ucs2_surrogate"       // a surrogate without its partner
	UCS2ForGSM      = "ucs2_for_gsm"         // UCS-2 chosen though every character fits the default alphabet
	GSMHighBit      = "gsm7_high_bit"        // bytes beyond 0x7f in unpacked GSM 03.38
	CodingUnknown   = "data_coding_unknown"  // a data_coding without meaning
	Compressed      = "data_coding_compress" // compressed text (TS 23.042), which nobody sends
)

// Anomalies lists every name a text can have.
var Anomalies = []string{CutBytes, CutLinks, UDHLength, Port, PartNumber, NationalUnknown, UCS2Odd, UCS2Surrogate, UCS2ForGSM,
	GSMHighBit, CodingUnknown, Compressed}

// Input is a short message as SMPP carries it.
type Input struct {
	Source       string
	SourceTON    byte // type of number (SMPP 3.4 section 5.2.5): 1 international, 5 alphanumeric, 6 abbreviated
	SourceNPI    byte
	Destination  string
	DataCoding   byte
	UDHI         bool   // esm_class bit 6: ShortMessage begins with a user data header
	ShortMessage []byte // or message_payload
	SystemID     string // of the bind that submitted it

	// DefaultAlphabet is what data_coding 0 means to the message centre: "gsm7" (also if empty) or "latin1".
	DefaultAlphabet string
	// Packed says that 7-bit text is packed as on the air, not one septet a byte as SMPP wants it.
	Packed bool
	// Reference, Part and Total are the SAR parameters (SMPP 3.4 sections 5.3.2.22 to 24); Total 0 if there are none.
	Reference   uint16
	Part, Total uint8
}

// Parse reads one short message.
func Parse(in Input) *message.Message {
	m := newMessage(in.Source, in.SourceTON, in.Destination)
	m.SMS.SystemID, m.SMS.DataCoding = in.SystemID, in.DataCoding
	m.Size = len(in.ShortMessage)
	body := in.ShortMessage
	if len(body) > maxBytes {
		note(m, CutBytes, "")
		body = body[:maxBytes]
	}
	h := header{}
	if in.UDHI {
		if h = readHeader(body); h.lies {
			note(m, UDHLength, "")
		}
	}
	number(m, h, in)
	text(m, body, h, in)
	links(m)
	return m
}

// New is a text that is known as text already: of a file, of JSON, of a form.
func New(source, destination, text string) *message.Message {
	m := newMessage(source, 0, destination)
	if len(text) > maxBytes {
		note(m, CutBytes, "")
		text = text[:maxBytes]
	}
	m.Size = len(text)
	m.Text = strings.ToValidUTF8(text, "\ufffd")
	m.SMS.Encoding = "gsm7"
	if !FitsGSM(m.Text) {
		m.SMS.Encoding, m.SMS.DataCoding = "ucs2", CodingUCS2
	}
	links(m)
	return m
}

// newMessage allocates the message with what hangs on it in one piece.
func newMessage(source string, ton byte, destination string) *message.Message {
	all := new(struct {
		m          message.Message
		info       message.SMSInfo
		recipients [1]message.Recipient
		to         [1]message.Address
	})
	m := &all.m
	m.Channel, m.SMS, m.Parts = message.SMS, &all.info, 1
	source, destination = address(source), address(destination)
	m.SMS.SenderType = senderType(source, ton)
	if ton == 1 && m.SMS.SenderType == message.SenderNumeric && source[0] != '+' {
		source = "+" + source
	}
	m.MailFrom, m.Source.ID, m.From.Local = source, source, source
	if destination != "" {
		all.recipients[0].Address, all.to[0].Local = destination, destination
		m.Recipients, m.To = all.recipients[:], all.to[:]
	}
	m.SMS.Part, m.SMS.Total = 1, 1
	return m
}

// maxAddress: SMPP ends addresses at 20 octets; JSON and files may say more, which stays bounded.
const maxAddress = 64

func address(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > maxAddress {
		s = s[:maxAddress]
	}
	if !utf8.ValidString(s) {
		s = latin1Text([]byte(s))
	}
	return s
}

// senderType tells the shape of an originating address by its type of number and its characters. Short codes have at
// most six digits wherever they are used.
func senderType(s string, ton byte) message.SenderType {
	if s == "" {
		return message.SenderUnknown
	}
	digits := 0
	for i := range len(s) {
		c := s[i]
		switch {
		case '0' <= c && c <= '9':
			digits++
		case c == '+' && i == 0:
		case c == '-' || c == ' ' || c == '(' || c == ')' || c == '*' || c == '#':
		default:
			return message.SenderAlphanumeric
		}
	}
	switch {
	case digits == 0:
		return message.SenderAlphanumeric
	case s[0] != '+' && ton != 1 && digits <= maxShortCode:
		return message.SenderShortCode
	}
	return message.SenderNumeric
}

const maxShortCode = 6

// number fills reference, part and total, from the user data header or the SAR parameters.
func number(m *message.Message, h header, in Input) {
	reference, part, total := in.Reference, in.Part, in.Total
	if h.concat {
		if total != 0 && (h.part != part || h.total != total) {
			note(m, PartNumber, "header and parameters differ")
		}
		reference, part, total = h.reference, h.part, h.total
	}
	if total == 0 && !h.concat {
		return
	}
	if part == 0 || part > total {
		note(m, PartNumber, strconv.Itoa(int(part))+" of "+strconv.Itoa(int(total)))
	}
	m.SMS.Reference, m.SMS.Part, m.SMS.Total = reference, part, total
}

// text decodes the body after the header by data_coding.
func text(m *message.Message, body []byte, h header, in Input) {
	kind := alphabet(m, in)
	if h.ports {
		note(m, Port, strconv.Itoa(int(h.port)))
		kind = "binary"
	}
	m.SMS.Encoding = kind
	rest := body[h.size:]
	switch kind {
	case "gsm7":
		base, extension := tables(m, h)
		if in.Packed {
			fill := (7 - h.size*8%7) % 7
			var buf [256]byte
			rest = Unpack(buf[:0], rest, -1, fill)
		}
		var high bool
		if m.Text, high = gsmText(rest, base, extension); high {
			note(m, GSMHighBit, "")
		}
	case "ucs2":
		var odd, broken, fits bool
		m.Text, odd, broken, fits = ucs2Text(rest)
		if odd {
			note(m, UCS2Odd, "")
		}
		if broken {
			note(m, UCS2Surrogate, "")
		}
		if fits {
			note(m, UCS2ForGSM, "")
		}
	case "latin1", "ia5":
		m.Text = latin1Text(rest)
	case "cyrillic":
		m.Text = charmapText(rest, charmap.ISO8859_5)
	case "hebrew":
		m.Text = charmapText(rest, charmap.ISO8859_8)
	default:
		m.Text = printable(rest)
	}
}

// alphabet is the encoding that data_coding names. Values from 0x10 on are those of TS 23.038 section 4, which message
// centres pass through.
func alphabet(m *message.Message, in Input) string {
	general := [4]string{"gsm7", "binary", "ucs2", "binary"}
	switch c := in.DataCoding; {
	case c == CodingDefault:
		if in.DefaultAlphabet == "latin1" {
			return "latin1"
		}
		return "gsm7"
	case c == CodingIA5:
		return "ia5"
	case c == CodingLatin1:
		return "latin1"
	case c == CodingBinary2, c == CodingBinary:
		return "binary"
	case c == CodingCyrillic:
		return "cyrillic"
	case c == CodingHebrew:
		return "hebrew"
	case c == CodingUCS2:
		return "ucs2"
	case 0x10 <= c && c < 0x40: // general group with class or compression
		m.SMS.Flash = c&0x13 == 0x10
		if c&0x20 != 0 {
			note(m, Compressed, "")
			return "binary"
		}
		return general[c>>2&3]
	case 0xc0 <= c && c < 0xe0: // message waiting, text in the default alphabet
		return "gsm7"
	case 0xe0 <= c && c < 0xf0:
		return "ucs2"
	case c >= 0xf0: // class, and 8 bits or 7
		m.SMS.Flash = c&3 == 0
		if c&4 != 0 {
			return "binary"
		}
		return "gsm7"
	default:
		note(m, CodingUnknown, strconv.Itoa(int(c)))
		return "binary"
	}
}

// tables are the national alphabets that the header asks for.
func tables(m *message.Message, h header) (base, extension *table) {
	base, extension = defaultTable, extensionTable
	if h.locking != 0 {
		if t := lockingShift[h.locking]; t != nil {
			base = t
		} else {
			note(m, NationalUnknown, strconv.Itoa(int(h.locking)))
		}
	}
	if h.single != 0 {
		if t := singleShift[h.single]; t != nil {
			extension = t
		} else {
			note(m, NationalUnknown, strconv.Itoa(int(h.single)))
		}
	}
	return base, extension
}

func links(m *message.Message) {
	more := false
	if m.Links, more = link.Find(m.Text, maxLinks); more {
		note(m, CutLinks, "")
	}
}

func note(m *message.Message, name, detail string) {
	if !m.HasAnomaly(name) {
		m.Anomalies = append(m.Anomalies, message.Anomaly{Name: name, Detail: detail})
	}
}
