package email

import (
	"strings"

	"rempart/message"
)

// content is what the header of an entity says of its body.
type content struct {
	media    string // type/subtype, lower case; empty if not declared
	charset  string
	boundary string
	name     string // of the file
	transfer string // Content-Transfer-Encoding, lower case
	attached bool   // Content-Disposition: attachment
	inline   bool   // Content-Disposition: inline, or a Content-ID
	pos      int    // where the body begins
}

// header reads the message's own header into m.Header.
func (p *parser) header(src string) content {
	s := source{text: src}
	n := 0
	for i := 0; i < len(src) && n < maxFields; n++ { // size once: lines until the empty one that are no folds
		i = s.folds(s.nextLine(i))
		if i >= len(src) || src[i] == '\n' || src[i] == '\r' {
			p.arena.Grow(min(i, maxText))
			n++
			break
		}
	}
	p.m.Header = make(message.Header, 0, n)
	var c content
	for first := true; ; first = false {
		name, raw, ok := s.field(p, first)
		if !ok {
			break
		}
		if len(p.m.Header) >= maxFields {
			p.note(CutFields, "")
			continue
		}
		p.m.Header = append(p.m.Header, message.Field{Name: name, Value: p.value(raw), Raw: raw})
		p.contentField(&c, name, raw)
	}
	c.pos = s.pos
	return c
}

// partHeader reads the header of a MIME part.
func (p *parser) partHeader(s *source) content {
	var c content
	for n := 0; ; n++ {
		name, raw, ok := s.field(p, false)
		if !ok {
			break
		}
		if n >= maxFields {
			p.note(CutFields, "")
			continue
		}
		p.contentField(&c, name, raw)
	}
	c.pos = s.pos
	return c
}

func (p *parser) contentField(c *content, name, raw string) {
	if len(name) < 10 || name[7] != '-' || !strings.EqualFold(name[:8], "content-") {
		return
	}
	switch name[8:] {
	case "ID", "Id", "id", "iD":
		c.inline = true
		return
	}
	switch {
	case strings.EqualFold(name, "Content-Type"):
		if c.media == "" {
			p.contentType(c, unfold(raw))
		}
	case strings.EqualFold(name, "Content-Transfer-Encoding"):
		c.transfer = lowerASCII(firstToken(raw))
	case strings.EqualFold(name, "Content-Disposition"):
		p.disposition(c, unfold(raw))
	}
}

// value decodes a field's value (RFC 2047) and unfolds it.
func (p *parser) value(raw string) string {
	if len(raw) > maxFieldBytes {
		p.note(CutFields, "")
		raw = raw[:maxFieldBytes]
	}
	raw = strings.Trim(raw, " \t\r\n")
	if plain(raw) {
		return raw
	}
	start := p.arena.Len()
	p.appendUnfolded(raw)
	v := p.arena.String()[start:]
	if !ascii(v) {
		v = p.header8Bit(v)
	}
	if strings.Contains(v, "=?") {
		v = p.words(v)
	}
	return v
}

// appendUnfolded writes raw to the arena; a fold becomes one space, NULs go.
func (p *parser) appendUnfolded(raw string) {
	for raw != "" {
		i := strings.IndexAny(raw, "\r\n\x00")
		if i < 0 {
			p.arena.WriteString(raw)
			return
		}
		if raw[i] == 0 {
			p.note(NULs, "")
			p.arena.WriteString(raw[:i])
			raw = raw[i+1:]
			continue
		}
		p.arena.WriteString(strings.TrimRight(raw[:i], " \t"))
		raw = strings.TrimLeft(raw[i:], " \t\r\n")
		p.arena.WriteByte(' ')
	}
}

// header8Bit decodes a value with bytes beyond ASCII: UTF-8 (RFC 6532), or whatever it looks like.
func (p *parser) header8Bit(v string) string {
	if validUTF8(v) {
		return v
	}
	p.note(Header8Bit, v)
	return guess(v)
}

// unfold is raw without folds, for fields that are parsed before they are decoded.
func unfold(raw string) string {
	raw = strings.Trim(raw, " \t\r\n")
	if strings.IndexByte(raw, '\n') < 0 && strings.IndexByte(raw, '\r') < 0 && strings.IndexByte(raw, 0) < 0 {
		return raw
	}
	b := make([]byte, 0, len(raw))
	for i := range len(raw) {
		if c := raw[i]; c != '\r' && c != '\n' && c != 0 {
			b = append(b, c)
		}
	}
	return view(b)
}

// plain reports whether a value means what it says: printable ASCII without an encoded word.
func plain(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c < ' ' && c != '\t' || c >= 0x7f || c == '=' && i+1 < len(s) && s[i+1] == '?' {
			return false
		}
	}
	return true
}

func firstToken(s string) string {
	s = strings.TrimLeft(s, " \t\r\n")
	if i := strings.IndexAny(s, " \t\r\n;("); i >= 0 {
		s = s[:i]
	}
	return strings.Trim(s, `"'`)
}

// lowerASCII is s in lower case, where it is if it already is.
func lowerASCII(s string) string {
	for i := range len(s) {
		if c := s[i]; 'A' <= c && c <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if 'A' <= b[i] && b[i] <= 'Z' {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}
