// Package im reads instant messages: SIP MESSAGE (RFC 3428), with the body as MIME or CPIM (RFC 3862) has it, and a JSON
// form.
//
// [Parse] never fails: what breaks the rules leaves an anomaly of package sip's list, of package email's where the body
// is MIME, or of the one below. All functions are pure; nothing keeps a view of its input.
package im

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/netip"
	"strings"
	"time"

	"rempart/message"
	"rempart/message/email"
	"rempart/message/link"
	"rempart/message/sip"
)

// Caps of one message.
const (
	maxBytes     = 64 << 10 // a datagram holds no more; JSON may
	maxLinks     = 100
	maxMessageID = 256
)

// Anomalies of an instant message beside those of packages sip and email. The list is closed: rules, signals and the
// catalogue of sentences use these names.
const (
	CutBytes    = "im_cut_bytes" // longer than what is read
	CutLinks    = "im_cut_links" // more links than are kept
	BodyUnknown = "im_body"      // a body of a kind that is not read, or packed
	CPIMBad     = "im_cpim"      // message/cpim without its two headers
)

// Anomalies lists every name an instant message can have, those of its MIME parts aside.
var Anomalies = append([]string{CutBytes, CutLinks, BodyUnknown, CPIMBad}, sip.Anomalies...)

// Parse makes the message of a SIP MESSAGE. The source's ID is the number or user@host that the reader sees (From), the
// recipient the one it goes to (Request-URI). Route, arrival and front door are the caller's matter.
func Parse(r *sip.Message) *message.Message {
	m := newMessage()
	m.Size = len(r.Raw)
	if a, ok := sip.ReadAddress(r.Get(sip.From)); ok {
		m.Source.ID, m.From = a.Party()
		m.MailFrom = m.Source.ID
	}
	if u, ok := sip.ReadURI(r.URI); ok {
		m.Recipients = []message.Recipient{{Address: u.Number(), Domain: strings.Clone(u.Host)}}
	}
	if a, ok := sip.ReadAddress(r.Get(sip.To)); ok {
		_, to := a.Party()
		m.To = []message.Address{to}
	}
	m.MessageID = clone(r.Get(sip.CallID), maxMessageID)
	m.Subject = clone(r.Get(sip.Subject), maxBytes)
	m.Anomalies = append(m.Anomalies, r.Anomalies...)
	switch {
	case r.Body == "":
	case r.Get(sip.ContentEncoding) != "" && !strings.EqualFold(r.Get(sip.ContentEncoding), "identity"):
		note(m, BodyUnknown, clone(r.Get(sip.ContentEncoding), 60))
	default:
		body(m, r.Get(sip.ContentType), r.Get(sip.ContentTransferEncoding), r.Body)
	}
	return m
}

func newMessage() *message.Message { return &message.Message{Channel: message.IM, Parts: 1} }

func clone(s string, most int) string {
	return strings.Clone(strings.ToValidUTF8(s[:min(len(s), most)], "\ufffd"))
}

// body reads content by its type. Without one it is text, as RFC 3428 section 4 has it.
func body(m *message.Message, contentType, transfer, content string) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil && contentType == "" {
		kind = "text/plain"
	}
	charset := strings.ToLower(params["charset"])
	switch {
	case kind == "text/plain" && transfer == "" && (charset == "" || charset == "utf-8" || charset == "us-ascii"):
		setText(m, content)
	case kind == "message/cpim":
		cpim(m, content)
	case strings.HasPrefix(kind, "text/") || strings.HasPrefix(kind, "multipart/"):
		asMail(m, contentType, transfer, content)
	default:
		note(m, BodyUnknown, clone(kind, 60))
	}
}

// cpim reads the two headers and the content of RFC 3862 section 2: the message's own, an empty line, those of the
// content, an empty line. What it says of sender and recipient is not what a phone shows and is left aside.
func cpim(m *message.Message, content string) {
	content = strings.ReplaceAll(content, "\r\n", "\n")
	_, inner, ok := strings.Cut(content, "\n\n")
	fields, text, ok2 := strings.Cut(inner, "\n\n")
	if !ok || !ok2 {
		note(m, CPIMBad, "")
		setText(m, content)
		return
	}
	contentType, transfer := "", ""
	for line := range strings.SplitSeq(fields, "\n") {
		name, value, _ := strings.Cut(line, ":")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "content-type":
			contentType = strings.TrimSpace(value)
		case "content-transfer-encoding":
			transfer = strings.TrimSpace(value)
		}
	}
	if strings.HasPrefix(strings.ToLower(contentType), "message/cpim") { // one is enough
		note(m, CPIMBad, "nested")
		return
	}
	body(m, contentType, transfer, text)
}

// asMail has the parser of mails read the body, which is MIME in both.
func asMail(m *message.Message, contentType, transfer, content string) {
	raw := "MIME-Version: 1.0\r\nContent-Type: " + contentType + "\r\n"
	if transfer != "" {
		raw += "Content-Transfer-Encoding: " + transfer + "\r\n"
	}
	mail := email.ParseBytes([]byte(raw + "\r\n" + content))
	m.Text, m.HTML, m.HTMLText, m.HiddenText = mail.Text, mail.HTML, mail.HTMLText, mail.HiddenText
	m.Links, m.Attachments, m.Parts = mail.Links, mail.Attachments, max(1, mail.Parts)
	for _, a := range mail.Anomalies {
		note(m, a.Name, a.Detail)
	}
}

func setText(m *message.Message, text string) {
	if len(text) > maxBytes {
		note(m, CutBytes, "")
		text = text[:maxBytes]
	}
	m.Text = strings.Clone(strings.ToValidUTF8(text, "\ufffd"))
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

// JSON is an instant message as the API and files carry it. Only Text is needed.
type JSON struct {
	ID     string    `json:"id,omitempty"`
	From   string    `json:"from,omitempty"` // number, user@host, or the network's own id
	Name   string    `json:"name,omitempty"` // displayed
	To     string    `json:"to,omitempty"`
	Text   string    `json:"text"`
	Client string    `json:"client,omitempty"` // address of who handed it over
	Time   time.Time `json:"time,omitzero"`
}

// Message makes the message of j. The error says which member cannot be read.
func (j JSON) Message() (*message.Message, error) {
	m := newMessage()
	m.ID, m.Arrived, m.Size = j.ID, j.Time, len(j.Text)
	m.Source.ID, m.From = party(j.From)
	m.MailFrom, m.From.Name = m.Source.ID, clone(j.Name, maxMessageID)
	if j.To != "" {
		id, to := party(j.To)
		m.Recipients, m.To = []message.Recipient{{Address: id, Domain: to.Domain}}, []message.Address{to}
	}
	setText(m, j.Text)
	if j.Client != "" {
		addr, err := netip.ParseAddr(strings.Trim(j.Client, "[]"))
		if err != nil {
			return nil, fmt.Errorf("read instant message: client %q is no address: send one like 192.0.2.7", j.Client)
		}
		m.Source.Address = addr.Unmap()
	}
	return m, nil
}

// party reads who an id names. Ids of other networks than SIP ("xmpp:anna@example.com", "@anna:example.org") stay as they
// are written.
func party(id string) (string, message.Address) {
	id = strings.TrimSpace(id)
	uri := id
	if _, ok := sip.ReadURI(uri); !ok && !strings.Contains(id, ":") {
		uri = "sip:" + id
	}
	if u, ok := sip.ReadURI(uri); ok && u.Params == "" && u.Port == "" && (u.User != "" || strings.HasPrefix(uri, "tel:")) {
		return sip.Address{URI: uri}.Party()
	}
	if u, ok := sip.ReadURI("tel:" + id); ok && id != "" && strings.IndexFunc(id, func(r rune) bool { return !strings.ContainsRune("+0123456789-. ()", r) }) < 0 {
		return u.Number(), message.Address{Local: u.Number()}
	}
	id = clone(id, maxMessageID)
	return id, message.Address{Local: id}
}

// ParseJSON reads one object of [JSON]; members it does not know are passed over. The error says what is wrong with b.
func ParseJSON(b []byte) (*message.Message, error) {
	var j struct {
		JSON
		Text *string `json:"text"`
	}
	if err := json.Unmarshal(b, &j); err != nil {
		return nil, fmt.Errorf("read instant message: %w", err)
	}
	if j.Text == nil {
		return nil, fmt.Errorf(`read instant message: no member "text"`)
	}
	j.JSON.Text = *j.Text
	return j.JSON.Message()
}
