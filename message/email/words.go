package email

import "strings"

// words decodes the encoded words (RFC 2047) of an unfolded value. Neighbours in one charset are joined before they are
// decoded, since some programs split in the middle of a character; white space between two words is dropped.
func (p *parser) words(v string) string {
	var out strings.Builder
	out.Grow(len(v))
	var pending []byte // decoded bytes of the word before
	charset, open := "", false
	flush := func() {
		if open {
			out.WriteString(p.decode(view(pending), charset, ""))
			pending, open = nil, false
		}
	}
	for v != "" {
		start := strings.Index(v, "=?")
		if start < 0 {
			break
		}
		w, ok := cutWord(v[start:])
		if !ok {
			flush()
			p.note(WordBroken, v[start:])
			out.WriteString(v[:start+2])
			v = v[start+2:]
			continue
		}
		if !open || !blank(v[:start]) {
			flush()
			out.WriteString(v[:start])
		}
		if w.space {
			p.note(WordSpace, v[start:])
		}
		if open && !strings.EqualFold(w.charset, charset) {
			flush()
		}
		charset, open = w.charset, true
		switch w.encoding {
		case 'b', 'B':
			var d base64Decoder
			pending = d.flush(d.append(pending, w.text))
			if d.broken {
				p.note(WordBroken, w.text)
			}
		default:
			pending = appendQ(pending, w.text)
		}
		v = v[start+w.size:]
	}
	flush()
	out.WriteString(v)
	return clean(out.String())
}

// word is one encoded word as written.
type word struct {
	charset  string
	encoding byte
	text     string
	size     int
	space    bool // white space inside
}

// cutWord reads the encoded word that s begins with. A missing "?=" is forgiven at the end of s.
func cutWord(s string) (w word, ok bool) {
	end := strings.IndexByte(s[2:], '?')
	if end < 1 || end > maxCharsetName || len(s) < end+5 || s[end+4] != '?' {
		return w, false
	}
	w.charset, _, _ = strings.Cut(s[2:2+end], "*") // RFC 2231 section 5: a language follows
	w.encoding = s[end+3]
	if c := w.encoding | 0x20; c != 'b' && c != 'q' {
		return w, false
	}
	rest := s[end+5:]
	n := strings.Index(rest, "?=")
	if n < 0 {
		if strings.Contains(rest, "=?") {
			return w, false
		}
		w.text, w.size = rest, len(s)
	} else {
		w.text, w.size = rest[:n], end+5+n+2
		// "?=41" inside Q text: a question mark written as itself before an escape
		if w.encoding|0x20 == 'q' && n+3 < len(rest) && unhex(rest[n+2]) < 16 && unhex(rest[n+3]) < 16 {
			if m := strings.Index(rest[n+2:], "?="); m >= 0 && !strings.ContainsAny(rest[n+2:n+2+m], " ?") {
				w.text, w.size = rest[:n+2+m], end+5+n+2+m+2
			}
		}
	}
	w.space = strings.IndexByte(w.text, ' ') >= 0
	return w, true
}

const maxCharsetName = 40 // the longest registered name, "Extended_UNIX_Code_Fixed_Width_for_Japanese", is never used

func appendQ(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '_':
			b = append(b, ' ')
		case c == '=' && i+2 < len(s) && unhex(s[i+1]) < 16 && unhex(s[i+2]) < 16:
			b = append(b, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		default:
			b = append(b, c)
		}
	}
	return b
}

func blank(s string) bool {
	return strings.Trim(s, " \t\r\n") == ""
}
