// Package sip reads SIP messages (RFC 3261): start line, fields, addresses, Via and the route they tell. What the
// content means is for message/call and message/im, what to answer for gateway/sip.
//
// [Message.Read] takes any text. What breaks the rules leaves an anomaly of the list below, and the rest is read all the
// same, so that a malformed request can still be answered: [Message.Fault] names the first anomaly for which a request is
// refused. Strings are views of what was read; who keeps one beyond it clones it. A Message may be read into again and
// again. Everything else is pure.
package sip

import (
	"errors"
	"iter"
	"strconv"
	"strings"

	"rempart/message"
)

// Caps of one message.
const (
	MaxBytes  = 64<<10 - 1 // of a datagram; a stream has no use for more
	maxFields = 256        // an INVITE has 15 to 30; RFC 4475's longest has 50
)

// Anomalies of a SIP message. The list is closed: rules, signals and the catalogue of sentences use these names.
const (
	StartLine     = "sip_start_line"     // white space where none may be
	Version       = "sip_version"        // not SIP/2.0
	RequestURI    = "sip_request_uri"    // cannot be read, or carries fields
	Scheme        = "sip_scheme"         // neither sip, sips nor tel
	Missing       = "sip_missing"        // a field that every message has
	Duplicate     = "sip_duplicate"      // a field that may come but once
	CSeqBad       = "sip_cseq"           // no number below 2^31, or of another method
	MaxForwardBad = "sip_max_forwards"   // not 0 to 255
	ViaBad        = "sip_via"            // the topmost Via cannot be read
	AddressBad    = "sip_address"        // From or To cannot be read
	AddressSpace  = "sip_address_space"  // white space or commas in From or To where none may be
	LengthBad     = "sip_content_length" // no number, or more than there is
	DateBad       = "sip_date"           // not in GMT
	FieldBad      = "sip_field"          // a line that is no field
	CutFields     = "sip_cut_fields"     // more fields than are read
)

// Anomalies lists every name a SIP message can have. Those for which a request is refused come first.
var Anomalies = []string{StartLine, Version, RequestURI, Scheme, Missing, Duplicate, CSeqBad, MaxForwardBad, ViaBad, AddressBad,
	LengthBad, AddressSpace, DateBad, FieldBad, CutFields}

// fatal is how many of Anomalies refuse a request.
const fatal = 11

// ErrNotSIP is the error of a text whose first line is none of SIP.
var ErrNotSIP = errors.New("no SIP start line")

// Message is one request or response. Its zero value is ready to read.
type Message struct {
	Raw     string // all of it, without what lies beyond its Content-Length
	Method  string // as written; empty in a response
	URI     string // the Request-URI
	Version string // "SIP/2.0"
	Status  int    // of a response; 0 in a request
	Fields  []Field
	Head    int // bytes of start line and header, the empty line included
	Body    string

	// Of a request whose fields could be read.
	Top         Via    // topmost Via
	Sequence    uint32 // of CSeq
	MaxForwards int    // -1 if there is none

	Anomalies []message.Anomaly
	Fault     string // the first anomaly for which a request is refused; empty if there is none

	first [kindCount]int16 // of Fields, counted from 1; 0 if there is none
}

// Field is one header field. Value is unfolded, without white space around it.
type Field struct {
	Kind       Kind
	Name       string // as written
	Value      string
	Start, End int // of Raw, the line's end included
}

// Read takes one message from the start of s: a datagram, or what a stream's Content-Length bounds. The only error is
// [ErrNotSIP].
func (m *Message) Read(s string) error {
	*m = Message{Fields: m.Fields[:0], Anomalies: m.Anomalies[:0], MaxForwards: -1}
	s = strings.TrimLeft(s, "\r\n") // keep-alives before a message (section 7.5)
	line, next := cutLine(s, 0)
	if err := m.startLine(line); err != nil {
		return err
	}
	m.Head = m.fields(s, next)
	m.body(s)
	if m.Status == 0 {
		m.check()
	}
	return nil
}

// cutLine returns the line at pos without its end, and where the next one begins.
func cutLine(s string, pos int) (line string, next int) {
	i := strings.IndexByte(s[pos:], '\n')
	if i < 0 {
		return s[pos:], len(s)
	}
	return strings.TrimSuffix(s[pos:pos+i], "\r"), pos + i + 1
}

func (m *Message) startLine(line string) error {
	if len(line) > 4 && strings.EqualFold(line[:4], "SIP/") {
		version, rest, _ := strings.Cut(line, " ")
		code, _, _ := strings.Cut(rest, " ")
		n, err := strconv.Atoi(code)
		if err != nil || n < 100 || n > 699 {
			return ErrNotSIP
		}
		m.Version, m.Status = version, n
		return nil
	}
	whole := strings.TrimRight(line, lws)
	space := strings.LastIndexAny(whole, lws)
	method, rest, ok := strings.Cut(whole, " ")
	if !ok || space < len(method) || method == "" || len(whole)-space < 5 || !strings.EqualFold(whole[space+1:space+5], "SIP/") {
		return ErrNotSIP
	}
	m.Method, m.Version = method, whole[space+1:]
	m.URI = strings.Trim(rest[:max(0, len(rest)-len(m.Version)-1)], lws)
	if len(line) != len(method)+len(m.URI)+len(m.Version)+2 || strings.ContainsAny(m.URI, lws) {
		m.note(StartLine, "")
	}
	if !strings.EqualFold(m.Version, "SIP/2.0") {
		m.note(Version, clip(m.Version))
	}
	return nil
}

const lws = " \t\r\n"

// fields reads the header from pos on and returns where the body begins.
func (m *Message) fields(s string, pos int) int {
	for pos < len(s) {
		start := pos
		line, next := cutLine(s, pos)
		if line == "" {
			return next
		}
		folded := false
		for next < len(s) && (s[next] == ' ' || s[next] == '\t') {
			_, next = cutLine(s, next)
			folded = true
		}
		pos = next
		if len(m.Fields) >= maxFields {
			m.note(CutFields, "")
			continue
		}
		if folded {
			line = strings.TrimRight(s[start:next], "\r\n")
		}
		name, value, ok := strings.Cut(line, ":")
		name = strings.TrimRight(name, " \t")
		if !ok || name == "" || strings.ContainsAny(name, lws) {
			m.note(FieldBad, clip(name))
			continue
		}
		if value = strings.Trim(value, lws); folded {
			value = unfold(value)
		}
		kind := kindOf(name)
		m.Fields = append(m.Fields, Field{kind, name, value, start, next})
		if m.first[kind] == 0 {
			m.first[kind] = int16(len(m.Fields))
		}
	}
	return pos
}

// unfold makes each fold one space (section 7.3.1).
func unfold(v string) string {
	var b strings.Builder
	for v != "" {
		line, next := cutLine(v, 0)
		if b.Len() > 0 {
			b.WriteByte(' ')
			line = strings.TrimLeft(line, " \t")
		}
		b.WriteString(strings.TrimRight(line, " \t"))
		v = v[next:]
	}
	return b.String()
}

// body takes what Content-Length says; without one, all of the datagram (section 18.3).
func (m *Message) body(s string) {
	size, given := len(s)-m.Head, false
	for f := range m.all(ContentLength) {
		n, err := strconv.ParseUint(f, 10, 31)
		switch {
		case err != nil:
			m.note(LengthBad, clip(f))
		case given && int(n) != size:
			m.note(Duplicate, "Content-Length")
		case int(n) > len(s)-m.Head:
			m.note(LengthBad, f)
		default:
			size, given = int(n), true
		}
	}
	m.Body, m.Raw = s[m.Head:m.Head+size], s[:m.Head+size]
}

// once are the fields that a request has and has once (section 8.1.1).
var once = []Kind{From, To, CallID, CSeq}

// check reads what every request must have, for its answer.
func (m *Message) check() {
	if !m.Has(ViaField) {
		m.note(Missing, "Via")
	}
	for _, k := range once {
		if !m.Has(k) {
			m.note(Missing, k.String())
		}
	}
	seen := [kindCount]bool{}
	for i := range m.Fields {
		k := m.Fields[i].Kind
		if seen[k] && (k == From || k == To || k == CallID || k == CSeq || k == MaxForwards) {
			m.note(Duplicate, k.String())
		}
		seen[k] = true
	}
	m.sequence()
	if v := m.Get(MaxForwards); v != "" {
		n, err := strconv.Atoi(v)
		if m.MaxForwards = n; err != nil || n < 0 || n > 255 {
			m.MaxForwards = -1
			m.note(MaxForwardBad, clip(v))
		}
	}
	for via := range m.Each(ViaField) {
		var ok bool
		if m.Top, ok = ReadVia(via); !ok {
			m.note(ViaBad, clip(via))
		}
		break
	}
	m.addresses()
	if v := m.Get(Date); v != "" && !strings.HasSuffix(v, "GMT") {
		m.note(DateBad, clip(v))
	}
}

func (m *Message) sequence() {
	v := m.Get(CSeq)
	if v == "" {
		return
	}
	number, method, _ := strings.Cut(v, " ")
	n, err := strconv.ParseUint(number, 10, 31)
	m.Sequence = uint32(n)
	if err != nil || strings.TrimLeft(method, " \t") != m.Method {
		m.note(CSeqBad, clip(v))
	}
}

func (m *Message) addresses() {
	switch u, ok := ReadURI(m.URI); {
	case !ok && u.Scheme != "" && !u.known():
		m.note(Scheme, clip(u.Scheme))
	case !ok || u.Headers:
		m.note(RequestURI, clip(m.URI))
	}
	for _, k := range []Kind{From, To} {
		if v := m.Get(k); v != "" {
			a, ok := ReadAddress(v)
			if !ok {
				m.note(AddressBad, k.String())
			} else if a.loose {
				m.note(AddressSpace, k.String())
			}
		}
	}
}

// Has reports whether there is a field of that kind.
func (m *Message) Has(k Kind) bool { return m.first[k] != 0 }

// Get returns the value of the first field of that kind.
func (m *Message) Get(k Kind) string {
	if i := m.first[k]; i != 0 {
		return m.Fields[i-1].Value
	}
	return ""
}

// all yields the values of the fields of one kind as they stand.
func (m *Message) all(k Kind) iter.Seq[string] {
	return func(yield func(string) bool) {
		if m.first[k] == 0 {
			return
		}
		for i := int(m.first[k]) - 1; i < len(m.Fields); i++ {
			if m.Fields[i].Kind == k && !yield(m.Fields[i].Value) {
				return
			}
		}
	}
}

// Each yields the values of the fields of one kind, those that stand in one field separated by commas included.
func (m *Message) Each(k Kind) iter.Seq[string] {
	return func(yield func(string) bool) {
		for v := range m.all(k) {
			for v != "" {
				var one string
				if one, v = cutComma(v); one != "" && !yield(one) {
					return
				}
			}
		}
	}
}

func (m *Message) note(name, detail string) {
	m.Anomalies = append(m.Anomalies, message.Anomaly{Name: name, Detail: detail})
	if m.Fault != "" {
		return
	}
	for _, n := range Anomalies[:fatal] {
		if n == name {
			m.Fault = name
		}
	}
}

// maxDetail bounds what an anomaly shows.
const maxDetail = 60

func clip(s string) string {
	return strings.Clone(strings.ToValidUTF8(s[:min(len(s), maxDetail)], "\ufffd"))
}
