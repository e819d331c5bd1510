package world

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"mime"
	"mime/quotedprintable"
	"net/netip"
	"strings"
	"time"
)

// draft is a mail before it is written out.
type draft struct {
	fromName, from string
	toName, to     string
	cc             *person
	replyTo        string
	subject, body  string
	date           time.Time
	messageID      string // empty: none
	reference      string // the mail it answers
	program        string // a whole header field
	unsubscribe    string // where to leave the list
	html           bool   // with an HTML part
	noPlain        bool   // without a plain one
	base64         bool   // the text is encoded although it need not be
	hidden         string // in the HTML, where no reader sees it
	linkText       string // what the HTML shows instead of the link
	attachment     *attachment
	hops           []hop // nearest first
}

type attachment struct {
	name, kind string
	data       []byte
}

// hop is one Received field.
type hop struct {
	from    string
	name    string // of the address, if it has one
	address netip.Addr
	by      string
	with    string
	at      time.Time
}

const dateLayout = "Mon, 2 Jan 2006 15:04:05 -0700"

// post puts a draft into its envelope.
func (w *World) post(s *Sent, d *draft) {
	s.Mail.Raw = w.write(d)
	s.Truth.Sender = d.from[strings.LastIndexByte(d.from, '@')+1:]
}

// write writes d as RFC 5322 wants it.
func (w *World) write(d *draft) []byte {
	var b bytes.Buffer
	for _, h := range d.hops {
		name := h.name
		if name == "" {
			name = "unknown"
		}
		fmt.Fprintf(&b, "Received: from %s (%s [%s])\r\n\tby %s with %s id %s\r\n\tfor <%s>; %s\r\n", h.from, name, literal(h.address), h.by, h.with,
			strings.ToUpper(w.token(10)), d.to, h.at.Format(dateLayout))
	}
	field := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	field("Date", d.date.Format(dateLayout))
	field("From", mailbox(d.fromName, d.from))
	field("To", mailbox(d.toName, d.to))
	if d.cc != nil {
		field("Cc", mailbox(d.cc.full(), d.cc.address))
	}
	if d.replyTo != "" {
		field("Reply-To", "<"+d.replyTo+">")
	}
	field("Subject", words(d.subject))
	if d.messageID != "" {
		field("Message-ID", "<"+d.messageID+">")
	}
	if d.reference != "" {
		field("In-Reply-To", "<"+d.reference+">")
		field("References", "<"+d.reference+">")
	}
	if d.unsubscribe != "" {
		field("List-Id", mailbox(d.fromName, "news."+d.from[strings.IndexByte(d.from, '@')+1:]))
		field("List-Unsubscribe", "<"+d.unsubscribe+">")
		field("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
	}
	if d.program != "" {
		b.WriteString(d.program + "\r\n")
	}
	field("MIME-Version", "1.0")
	w.content(&b, d)
	return b.Bytes()
}

// content writes the rest of the header and the body.
func (w *World) content(b *bytes.Buffer, d *draft) {
	var parts []func()
	if !d.noPlain || !d.html {
		parts = append(parts, func() { leaf(b, "text/plain", d.body, d.base64) })
	}
	if d.html {
		parts = append(parts, func() { leaf(b, "text/html", d.markup(), d.base64) })
	}
	text := func() { w.multipart(b, "alternative", parts) }
	if d.attachment == nil {
		text()
		return
	}
	w.multipart(b, "mixed", []func(){text, func() {
		a := d.attachment
		fmt.Fprintf(b, "Content-Type: %s; name=%q\r\nContent-Disposition: attachment; filename=%q\r\nContent-Transfer-Encoding: base64\r\n\r\n", a.kind, a.name, a.name)
		lines64(b, a.data)
	}})
}

// multipart writes parts between boundaries; a single one needs none.
func (w *World) multipart(b *bytes.Buffer, kind string, parts []func()) {
	if len(parts) == 1 {
		parts[0]()
		return
	}
	boundary := "=_" + w.token(24)
	fmt.Fprintf(b, "Content-Type: multipart/%s; boundary=%q\r\n\r\n", kind, boundary)
	for _, p := range parts {
		fmt.Fprintf(b, "--%s\r\n", boundary)
		p()
		b.WriteString("\r\n")
	}
	fmt.Fprintf(b, "--%s--\r\n", boundary)
}

// leaf writes one text part: as it is if it is ASCII, else quoted-printable, or base64 where asked for.
func leaf(b *bytes.Buffer, kind, text string, encoded bool) {
	text = strings.ReplaceAll(text, "\n", "\r\n") + "\r\n"
	fmt.Fprintf(b, "Content-Type: %s; charset=utf-8\r\n", kind)
	switch {
	case encoded:
		b.WriteString("Content-Transfer-Encoding: base64\r\n\r\n")
		lines64(b, []byte(text))
	case ascii(text) && longestLine(text) < 900: // RFC 5322 section 2.1.1: at most 998
		b.WriteString("Content-Transfer-Encoding: 7bit\r\n\r\n" + text)
	default:
		b.WriteString("Content-Transfer-Encoding: quoted-printable\r\n\r\n")
		q := quotedprintable.NewWriter(b)
		_, _ = q.Write([]byte(text)) // to memory
		_ = q.Close()
	}
}

func lines64(b *bytes.Buffer, data []byte) {
	s := base64.StdEncoding.EncodeToString(data)
	for len(s) > 76 {
		b.WriteString(s[:76] + "\r\n")
		s = s[76:]
	}
	b.WriteString(s + "\r\n")
}

// markup is the body as HTML: paragraphs, links, and what is hidden.
func (d *draft) markup() string {
	var b strings.Builder
	b.WriteString("<html><body style=\"font-family:sans-serif\">\n")
	for p := range strings.SplitSeq(d.body, "\n\n") {
		b.WriteString("<p>")
		for i, line := range strings.Split(p, "\n") {
			if i > 0 {
				b.WriteString("<br>\n")
			}
			for j, word := range strings.Split(line, " ") {
				if j > 0 {
					b.WriteByte(' ')
				}
				b.WriteString(d.anchor(word))
			}
		}
		b.WriteString("</p>\n")
	}
	if d.hidden != "" {
		fmt.Fprintf(&b, "<div style=\"display:none;font-size:0\">%s</div>\n", html.EscapeString(d.hidden))
	}
	b.WriteString("</body></html>\n")
	return b.String()
}

// anchor makes a link of a word that is one.
func (d *draft) anchor(word string) string {
	if !strings.HasPrefix(word, "http") {
		return html.EscapeString(word)
	}
	shown := word
	if d.linkText != "" {
		shown = d.linkText
	}
	return fmt.Sprintf("<a href=\"%s\">%s</a>", html.EscapeString(word), html.EscapeString(shown))
}

func mailbox(name, address string) string {
	switch {
	case name == "":
		return "<" + address + ">"
	case !ascii(name):
		return mime.QEncoding.Encode("utf-8", name) + " <" + address + ">"
	case strings.ContainsAny(name, `()<>[]:;@\,."&`):
		return `"` + name + `" <` + address + ">"
	}
	return name + " <" + address + ">"
}

// words are RFC 2047's, folded where there are several.
func words(s string) string {
	return strings.ReplaceAll(mime.QEncoding.Encode("utf-8", s), "?= =?", "?=\r\n =?")
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

func longestLine(s string) (n int) {
	for line := range strings.Lines(s) {
		n = max(n, len(line))
	}
	return n
}

// literal is an address as it stands in brackets (RFC 5321 section 4.1.3).
func literal(a netip.Addr) string {
	if a.Is6() {
		return "IPv6:" + a.String()
	}
	return a.String()
}

func (w *World) messageID(domain string) string {
	return w.token(8) + "." + base36(w.number) + "." + w.token(6) + "@" + domain
}

// programID is a Message-ID as a program of people writes them.
func (w *World) programID(program, domain string) string {
	id := w.messageID(domain)
	for _, p := range programs {
		if p.name == program && p.id != nil {
			return p.id(sha256.Sum256([]byte(id))) + "@" + domain
		}
	}
	return id
}

func (w *World) queueID() string { return strings.ToUpper(fmt.Sprintf("%010x", w.rng.Uint64()>>24)) }
