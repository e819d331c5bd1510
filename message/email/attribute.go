package email

import (
	stdhtml "html"
	"strings"
	"unicode/utf8"
)

// attributes are those of one tag that matter here, as written.
type attributes struct {
	href, src, action, content, equiv, alt string
	style, colour, bgcolor, background     string
	class, hidden, selfClosing, tinyFont   bool
}

// attributes reads the attributes of the tag at h.pos and passes its end (WHATWG HTML section 13.2.5.32 on).
func (h *html) attributes(a *attributes) {
	s, i := h.src, h.pos
	for i < len(s) {
		c := s[i]
		if c <= ' ' {
			i++
			continue
		}
		if c == '>' {
			h.pos = i + 1
			return
		}
		if c == '/' {
			a.selfClosing = i+1 < len(s) && s[i+1] == '>'
			i++
			continue
		}
		start := i
		for i++; i < len(s) && s[i] > ' ' && s[i] != '=' && s[i] != '>' && s[i] != '/'; i++ {
		}
		name := s[start:i]
		for i < len(s) && s[i] <= ' ' {
			i++
		}
		value := ""
		if i < len(s) && s[i] == '=' {
			for i++; i < len(s) && s[i] <= ' '; i++ {
			}
			value, i = attributeValue(s, i)
		}
		a.set(name, value)
	}
	h.pos = len(s)
}

// attributeValue reads the value at i and returns where it ends.
func attributeValue(s string, i int) (string, int) {
	if i >= len(s) {
		return "", i
	}
	if q := s[i]; q == '"' || q == '\'' {
		n := strings.IndexByte(s[i+1:], q)
		if n < 0 {
			return s[i+1:], len(s)
		}
		return s[i+1 : i+1+n], i + n + 2
	}
	start := i
	for i < len(s) && s[i] > ' ' && s[i] != '>' {
		i++
	}
	return s[start:i], i
}

func (a *attributes) set(name, value string) {
	switch len(name) {
	case 3:
		switch {
		case is(name, "src"):
			a.src = value
		case is(name, "alt"):
			a.alt = value
		}
	case 4:
		switch {
		case is(name, "href"):
			a.href = value
		case is(name, "data"):
			a.src = value
		case is(name, "text"):
			a.colour = value
		case is(name, "size"):
			a.tinyFont = value == "0" || value == "-7"
		}
	case 5:
		switch {
		case is(name, "style"):
			a.style = value
		case is(name, "class"):
			a.class = value != ""
		case is(name, "color"):
			a.colour = value
		}
	case 6:
		switch {
		case is(name, "hidden"):
			a.hidden = true
		case is(name, "action"):
			a.action = value
		}
	case 7:
		switch {
		case is(name, "bgcolor"):
			a.bgcolor = value
		case is(name, "content"):
			a.content = value
		}
	case 10:
		switch {
		case is(name, "background"):
			a.background = value
		case is(name, "http-equiv"):
			a.equiv = value
		case is(name, "formaction"):
			a.action = value
		}
	}
}

// appendAttribute decodes the entities of an attribute's value.
func appendAttribute(b []byte, s string) []byte {
	for s != "" {
		i := strings.IndexByte(s, '&')
		if i < 0 {
			break
		}
		b = append(b, s[:i]...)
		s = s[i:]
		var n int
		if b, n = appendEntity(b, s, true); n == 0 {
			b = append(b, '&')
			n = 1
		}
		s = s[n:]
	}
	return append(b, s...)
}

// maxEntity is the length of the longest entity that is looked up; the longest name in use has 31 letters.
const maxEntity = 33

// appendEntity decodes the character reference that s begins with and returns its length; 0 if it is none. In an
// attribute one without semicolon before "=" or a letter is text (WHATWG HTML section 13.2.5.73).
func appendEntity(b []byte, s string, attribute bool) ([]byte, int) {
	if len(s) > 2 && s[1] == '#' {
		return appendNumeric(b, s)
	}
	n := 1
	for n < len(s) && n < maxEntity && (letter(s[n]) || digit(s[n])) {
		n++
	}
	if n == 1 {
		return b, 0
	}
	semicolon := n < len(s) && s[n] == ';'
	if semicolon {
		n++
	} else if attribute {
		return b, 0
	}
	switch s[:n] {
	case "&nbsp;":
		return append(b, ' '), n
	case "&amp;":
		return append(b, '&'), n
	case "&lt;":
		return append(b, '<'), n
	case "&gt;":
		return append(b, '>'), n
	case "&quot;":
		return append(b, '"'), n
	case "&zwnj;":
		return append(b, "\u200c"...), n
	}
	out := stdhtml.UnescapeString(s[:n])
	if out == s[:n] {
		return b, 0
	}
	return append(b, out...), n
}

// appendNumeric decodes &#8217; and &#x2019;, with the Windows-1252 meaning of 128 to 159 that browsers give them.
func appendNumeric(b []byte, s string) ([]byte, int) {
	n, v, digits := 2, rune(0), 0
	hex := s[2] == 'x' || s[2] == 'X'
	if hex {
		n++
	}
	for ; n < len(s); n++ {
		d := rune(unhex(s[n]))
		if d > 15 || !hex && d > 9 {
			break
		}
		digits++
		if v > utf8.MaxRune {
			continue
		}
		if hex {
			v = v<<4 | d
		} else {
			v = v*10 + d
		}
	}
	if digits == 0 {
		return b, 0
	}
	if n < len(s) && s[n] == ';' {
		n++
	}
	switch {
	case v == 0xa0:
		return append(b, ' '), n
	case v >= 0x80 && v < 0xa0:
		return append(b, guess(string([]byte{byte(v)}))...), n
	case v == 0 || v > utf8.MaxRune:
		v = utf8.RuneError
	}
	return utf8.AppendRune(b, v), n
}
