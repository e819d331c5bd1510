package email

import (
	"crypto/sha256"
	"strings"

	"github.com/gabriel-vasile/mimetype"

	"rempart/message"
	"rempart/message/file"
	"rempart/message/link"
)

// entity reads the body of one MIME entity (RFC 2046) whose header said c, from c.pos to the next delimiter of an open
// multipart, where it leaves s.pos.
func (p *parser) entity(s *source, c content, depth int) {
	s.pos = c.pos
	if p.m.Parts >= maxParts {
		p.note(CutParts, "")
		p.tooMany = true
		s.pos = len(s.text)
	}
	if p.tooMany {
		return
	}
	p.m.Parts++
	multipart := strings.HasPrefix(c.media, "multipart/")
	nested := c.media == "message/rfc822" || c.media == "message/global"
	if (multipart || nested) && depth >= maxDepth {
		p.note(CutDepth, "")
		s.skip()
		return
	}
	encoded := c.transfer == "base64" || c.transfer == "quoted-printable"
	switch {
	case multipart && encoded && !strings.HasPrefix(firstLine(s.text[s.pos:]), "--"):
		p.note(EncodedMultipart, c.transfer)
		inner := source{text: clean(p.decodeTransfer(s.skip(), c.transfer))}
		c.transfer, c.pos = "", 0
		p.m.Parts--
		p.entity(&inner, c, depth+1)
	case multipart:
		if encoded {
			p.note(EncodedMultipart, c.transfer)
		}
		p.multipart(s, c, depth)
	case nested && p.part != nil:
		p.part(c, s.skip())
	case nested && encoded:
		inner := source{text: clean(p.decodeTransfer(s.skip(), c.transfer))}
		p.entity(&inner, p.partHeader(&inner), depth+1)
	case nested:
		p.entity(s, p.partHeader(s), depth+1)
	default:
		p.leaf(c, s.skip())
	}
}

// multipart reads the parts of a multipart body.
func (p *parser) multipart(s *source, c content, depth int) {
	if c.boundary == "" || !s.occurs(c.boundary) {
		name := BoundaryMissing
		if c.boundary == "" {
			name = NoBoundary
		}
		p.note(name, c.boundary)
		c.boundary = s.likelyBoundary()
		if c.boundary == "" { // then it is text
			c.media = ""
			p.leaf(c, s.skip())
			return
		}
	}
	own := len(s.boundaries)
	s.boundaries = append(s.boundaries, c.boundary)
	defer func() { s.boundaries = s.boundaries[:own] }()
	s.skip() // the preamble is for programs without MIME
	for s.pos < len(s.text) && !p.tooMany {
		level, closing := s.delimiter(s.pos)
		if level < own {
			p.note(Unclosed, c.boundary)
			return
		}
		s.pos = s.nextLine(s.pos)
		if closing {
			s.boundaries = s.boundaries[:own]
			s.skip() // the epilogue
			return
		}
		if s.pos < len(s.text) {
			p.entity(s, p.partHeader(s), depth+1)
		}
	}
	if !p.tooMany {
		p.note(Unclosed, c.boundary)
	}
}

// skip moves to the next delimiter of an open multipart and returns what it passed, without the line end that belongs
// to the delimiter.
func (s *source) skip() string {
	start := s.pos
	if len(s.boundaries) == 0 {
		s.pos = len(s.text)
		return s.text[start:]
	}
	for i := start; ; {
		if level, _ := s.delimiter(i); level >= 0 {
			s.pos = i
			if i <= start {
				return ""
			}
			return strings.TrimSuffix(s.text[start:i-1], "\r")
		}
		n := strings.Index(s.text[i:], "\n--")
		if n < 0 {
			s.pos = len(s.text)
			return s.text[start:]
		}
		i += n + 1
	}
}

// maxPreamble bounds how far the first delimiter of a multipart is looked for.
const maxPreamble = 256 << 10

// occurs reports whether a delimiter line of boundary follows soon.
func (s *source) occurs(boundary string) bool {
	probe := source{text: s.text[:min(len(s.text), s.pos+maxPreamble)], pos: s.pos, boundaries: []string{boundary}}
	probe.skip()
	return probe.pos < len(probe.text)
}

// likelyBoundary guesses the boundary from the body: a line that begins with "--" and is followed by a Content field.
func (s *source) likelyBoundary() string {
	at := s.pos
	for range 100 { // lines of preamble
		if at >= len(s.text) {
			break
		}
		after := s.nextLine(at)
		line := strings.TrimRight(s.text[at:after], " \t\r\n")
		if level, _ := s.delimiter(at); level >= 0 {
			break
		}
		if len(line) > 4 && len(line) < 200 && strings.HasPrefix(line, "--") && len(s.text)-after > 8 &&
			strings.EqualFold(s.text[after:after+8], "content-") {
			return line[2:]
		}
		at = after
	}
	return ""
}

func firstLine(s string) string {
	s = strings.TrimLeft(s, " \t\r\n")
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// leaf reads a part that holds no parts.
func (p *parser) leaf(c content, body string) {
	if p.part != nil {
		p.part(c, body)
		return
	}
	text := c.media == "" || strings.HasPrefix(c.media, "text/") || c.media == "message/delivery-status" ||
		!strings.Contains(c.media, "/")
	if !text || c.attached {
		p.attachment(c, body)
		return
	}
	if c.name != "" && c.media != "text/plain" && c.media != "text/html" && c.media != "" {
		p.attachment(c, body) // a calendar or a card, shown by its name
		return
	}
	if p.textLeft <= 0 {
		p.note(CutText, "")
		return
	}
	s := p.text(c, body)
	if len(s) > p.textLeft {
		p.note(CutText, "")
		s = strings.ToValidUTF8(s[:p.textLeft], "")
	}
	p.textLeft -= len(s)
	if strings.HasPrefix(c.media, "text/html") || c.media == "text/xhtml" {
		if p.htmls == nil {
			p.htmls = p.htmlBuf[:0]
		}
		p.htmls = append(p.htmls, s)
		return
	}
	if s == "" {
		return
	}
	if p.texts == nil {
		p.texts = p.textBuf[:0]
	}
	p.texts = append(p.texts, s)
}

// text decodes transfer encoding and charset of a text part.
func (p *parser) text(c content, body string) string {
	body = p.decodeTransfer(cut(p, body), c.transfer)
	if strings.IndexByte(body, 0) >= 0 && !stateful(lowerASCII(c.charset)) {
		p.note(NULs, "")
	}
	markup := ""
	if strings.HasPrefix(c.media, "text/html") {
		markup = body
	}
	return clean(p.decode(body, c.charset, markup))
}

// cut bounds what is decoded: base64 takes four bytes for three, an escape three for one.
func cut(p *parser, body string) string {
	if limit := 3*p.textLeft + 1024; len(body) > limit {
		p.note(CutText, "")
		return body[:limit]
	}
	return body
}

// decodeTransfer undoes a Content-Transfer-Encoding (RFC 2045 section 6).
func (p *parser) decodeTransfer(body, encoding string) string {
	switch encoding {
	case "", "7bit", "8bit", "binary", "7-bit", "8-bit":
	case "quoted-printable":
		b, broken := appendQuoted(make([]byte, 0, len(body)), body)
		if broken {
			p.note(QuotedBroken, "")
		}
		return view(b)
	case "base64":
		var d base64Decoder
		b := d.append(make([]byte, 0, len(body)/4*3+3), body)
		if b = d.flush(b); d.broken {
			p.note(Base64Broken, "")
		}
		return view(b)
	default:
		p.note(TransferUnknown, encoding)
	}
	return body
}

// detectBytes is how much of a file its type is told from; mimetype reads no more.
const detectBytes = 3072

// attachment notes one file: its digest is of the decoded bytes, its type by the first of them.
func (p *parser) attachment(c content, body string) {
	if len(p.m.Attachments) >= maxAttachments {
		p.note(CutAttachments, "")
		return
	}
	a := message.Attachment{Name: c.name, Declared: clean(c.media), Inline: c.inline && !c.attached}
	h := sha256.New()
	var head []byte // and more of it if there may be something inside
	keep, worth := detectBytes, false
	write := func(b []byte) {
		if a.Size == 0 && file.Worth(a.Name, a.Declared, b) {
			keep, worth = max(detectBytes, min(file.MaxBytes, p.inspectLeft)), true
		}
		a.Size += len(b)
		if n := keep - len(head); n > 0 {
			head = append(head, b[:min(n, len(b))]...)
		}
		h.Write(b)
	}
	if c.transfer == "base64" {
		var d base64Decoder
		buf := make([]byte, 0, min(len(body), attachmentChunk)+3)
		for i := 0; i < len(body); i += attachmentChunk {
			buf = d.append(buf[:0], body[i:min(i+attachmentChunk, len(body))])
			write(buf)
		}
		if write(d.flush(nil)); d.broken {
			p.note(Base64Broken, c.name)
		}
	} else {
		write([]byte(p.decodeTransfer(body, c.transfer)))
	}
	h.Sum(a.Digest[:0])
	a.Detected, _, _ = strings.Cut(mimetype.Detect(head[:min(len(head), detectBytes)]).String(), ";")
	if worth {
		p.inspect(&a, head[:min(len(head), p.inspectLeft)])
	}
	switch a.Detected {
	case "image/png", "image/jpeg", "image/gif":
		p.picture(body, c.transfer, a.Size)
	}
	p.m.Attachments = append(p.m.Attachments, a)
}

// picture keeps where a picture stands, until it is known whether the text is short. There are at most [maxAttachments].
func (p *parser) picture(body, transfer string, size int) {
	if size <= file.MaxPicture && (transfer == "base64" || transfer == "") {
		p.pictures = append(p.pictures, picture{body, transfer})
	}
}

// picture is one not yet decoded.
type picture struct{ body, transfer string }

// readCodes adds the links of codes in pictures, where the text is so short that the picture may be what it is about. The first
// [maxPictures] that can hold a code are read: icons and lines do not count.
func (p *parser) readCodes() {
	if len(p.m.VisibleText()) > maxCodeText {
		return
	}
	for i := range p.m.Links { // in the markup itself (RFC 2397)
		l := &p.m.Links[i]
		if l.Kind != message.LinkImage || l.Scheme != "data" {
			continue
		}
		if head, data, ok := strings.Cut(l.URL, ","); ok && strings.HasSuffix(head, ";base64") && len(data) <= 2*file.MaxPicture {
			p.pictures = append(p.pictures, picture{data, "base64"})
		}
	}
	left := maxPictures
	for _, pic := range p.pictures {
		text, looked := file.Code([]byte(p.decodeTransfer(pic.body, pic.transfer)))
		if text != "" {
			p.codeLink(text)
		}
		if looked {
			left--
		}
		if left == 0 {
			return
		}
	}
}

// codeLink adds what a code says, if it is an address in the web.
func (p *parser) codeLink(text string) {
	l := message.Link{URL: text, Kind: message.LinkCode}
	if l.Scheme, l.Host = link.Split(text); l.Host == "" && l.Scheme == "" {
		l.Host = link.Host(text)
	}
	if strings.Contains(l.Host, ".") {
		p.addLink(l)
	}
}

// inspect looks into a file, of which there is b, and adds its links.
func (p *parser) inspect(a *message.Attachment, b []byte) {
	if len(b) < a.Size {
		p.note(CutFiles, a.Name)
	}
	p.inspectLeft -= len(b)
	var links []string
	a.Inside, links = file.Inspect(a.Name, a.Declared, b)
	for _, url := range links {
		l := message.Link{URL: url, Kind: message.LinkFile}
		if l.Scheme, l.Host = link.Split(url); l.Host != "" {
			p.fileLinks = append(p.fileLinks, l)
		}
	}
}

// attachmentChunk bounds the memory of one attachment.
const attachmentChunk = 32 << 10
