package email

import (
	"slices"
	"strings"
)

// contentType reads "type/subtype; name=value; ..." (RFC 2045 section 5.1).
func (p *parser) contentType(c *content, v string) {
	media, rest, _ := strings.Cut(v, ";")
	media = strings.TrimRight(media, " \t")
	if i := strings.IndexAny(media, " \t("); i >= 0 {
		media = media[:i]
	}
	c.media = lowerASCII(strings.Trim(strings.ToValidUTF8(media, ""), `"'`))
	var pieces parameters
	for rest != "" {
		var name, value string
		name, value, rest = nextParameter(rest)
		switch {
		case strings.EqualFold(name, "charset"):
			c.charset = value
		case strings.EqualFold(name, "boundary"):
			if c.boundary == "" {
				c.boundary = strings.TrimRight(value, " \t")
			}
		case strings.EqualFold(name, "name"):
			c.name = p.parameterText(value)
		default:
			pieces.add(name, value)
		}
	}
	for _, name := range []string{"charset", "boundary", "name"} {
		if v, ok := pieces.join(p, name); ok {
			switch name {
			case "charset":
				c.charset = v
			case "boundary":
				c.boundary = v
			case "name":
				c.name = v
			}
		}
	}
}

// disposition reads Content-Disposition (RFC 2183).
func (p *parser) disposition(c *content, v string) {
	kind, rest, _ := strings.Cut(v, ";")
	switch kind = strings.TrimSpace(kind); {
	case strings.EqualFold(kind, "inline"):
		c.inline = true
	case kind != "":
		c.attached = true // RFC 2183 section 2.8: an unknown disposition is an attachment
	}
	var pieces parameters
	for rest != "" {
		var name, value string
		name, value, rest = nextParameter(rest)
		if strings.EqualFold(name, "filename") {
			c.name = p.parameterText(value)
			continue
		}
		pieces.add(name, value)
	}
	if v, ok := pieces.join(p, "filename"); ok {
		c.name = v
	}
}

// parameterText decodes what should not be encoded there, but is (RFC 2047 section 5 forbids it).
func (p *parser) parameterText(v string) string {
	if !ascii(v) {
		v = p.header8Bit(v)
	}
	if strings.Contains(v, "=?") {
		v = p.words(v)
	}
	return v
}

// nextParameter cuts the first "name=value" off s. Quotes may be missing or unclosed.
func nextParameter(s string) (name, value, rest string) {
	s = strings.TrimLeft(s, "; \t")
	eq := strings.IndexAny(s, "=;")
	if eq < 0 {
		return "", "", ""
	}
	if s[eq] == ';' {
		return "", "", s[eq:]
	}
	name = strings.TrimSpace(s[:eq])
	s = strings.TrimLeft(s[eq+1:], " \t")
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexByte(s, ';')
		if end < 0 {
			end = len(s)
		}
		value = strings.TrimSpace(s[:end])
		if i := strings.IndexAny(value, " \t"); i > 0 && !strings.Contains(value, "=?") && !strings.EqualFold(name, "filename") && !strings.EqualFold(name, "name") {
			value = value[:i]
		}
		return name, value, s[end:]
	}
	value, n := quoted(s)
	return name, value, s[n:]
}

// quoted reads the quoted string (RFC 5322 section 3.2.4) that s begins with and how long it is; an unclosed one ends
// with s.
func quoted(s string) (value string, n int) {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return s[1:i], i + 1
		case '\\':
			b := append(make([]byte, 0, len(s)), s[1:i]...)
			for ; i < len(s); i++ {
				switch {
				case s[i] == '"':
					return string(b), i + 1
				case s[i] == '\\' && i+1 < len(s):
					i++
				}
				b = append(b, s[i])
			}
			return string(b), len(s)
		}
	}
	return strings.TrimPrefix(s, `"`), len(s)
}

// parameters collects the pieces of RFC 2231: name*=, name*0=, name*0*=.
type parameters []piece

type piece struct {
	name    string // lower case
	number  int    // -1: the whole
	encoded bool
	value   string
}

const maxPieces = 64 // of one field's parameters: 64 lines of a file name

func (ps *parameters) add(name, value string) {
	name, rest, ok := strings.Cut(name, "*")
	if !ok || len(*ps) >= maxPieces {
		return
	}
	pc := piece{name: lowerASCII(name), number: -1, value: value}
	if rest == "" {
		pc.encoded = true
	} else {
		pc.encoded = strings.HasSuffix(rest, "*")
		for _, c := range []byte(strings.TrimSuffix(rest, "*")) {
			if c < '0' || c > '9' || pc.number > maxPieces {
				return
			}
			pc.number = max(pc.number, 0)*10 + int(c-'0')
		}
	}
	*ps = append(*ps, pc)
}

// join puts the pieces of one parameter together, in their numbers' order; a gap is noted and passed over.
func (ps parameters) join(p *parser, name string) (string, bool) {
	if len(ps) == 0 {
		return "", false
	}
	slices.SortStableFunc(ps, func(a, b piece) int { return a.number - b.number })
	var out []byte
	charset, found, next := "", false, 0
	for _, pc := range ps {
		if pc.name != name {
			continue
		}
		value := pc.value
		if pc.encoded && !found {
			if c, rest, ok := strings.Cut(value, "'"); ok {
				if _, text, ok := strings.Cut(rest, "'"); ok {
					charset, value = c, text
				}
			} else {
				p.note(ParameterBroken, value)
			}
		}
		if pc.number > next {
			p.note(ParameterBroken, name)
		}
		next = pc.number + 1
		found = true
		if pc.encoded {
			out = appendPercent(out, value)
		} else {
			out = append(out, value...)
		}
	}
	if !found {
		return "", false
	}
	return clean(p.decode(view(out), charset, "")), true
}

func appendPercent(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && unhex(s[i+1]) < 16 && unhex(s[i+2]) < 16 {
			b = append(b, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
			continue
		}
		b = append(b, s[i])
	}
	return b
}
