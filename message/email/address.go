package email

import (
	"strings"

	"rempart/message"
)

// addresses reads an address list (RFC 5322 section 3.4) as mail programs do: groups, comments, source routes and
// missing quotes are understood, what has no address is passed over. v is unfolded, not decoded: an encoded word cannot
// smuggle in a second address.
func (p *parser) addresses(list []message.Address, v string) []message.Address {
	if !ascii(v) {
		v = p.header8Bit(v)
	}
	family := "" // of "Family, Given <local@domain>" without the quotes it needs
	for v != "" {
		var one string
		one, v = cutAddress(v)
		if len(list) >= maxAddresses {
			p.note(CutAddresses, "")
			break
		}
		if strings.IndexByte(one, '@') < 0 && strings.IndexByte(one, '<') < 0 && strings.IndexByte(v, '<') > 0 {
			family = strings.TrimSpace(one)
			continue
		}
		if a, ok := p.address(one); ok {
			if family != "" && a.Name != "" && a.Domain != "" {
				a.Name = p.phrase(family) + ", " + a.Name
			}
			family = ""
			if list == nil {
				list = make([]message.Address, 0, 1+min(strings.Count(v, ","), 30))
			}
			list = append(list, a)
		}
	}
	return list
}

// cutAddress cuts the text before the next comma or semicolon that is not quoted; the colon of a group ends its name.
func cutAddress(v string) (one, rest string) {
	angle := false
	for i := 0; i < len(v); i++ {
		switch v[i] {
		case '"':
			if n := skipQuoted(v[i:]); n > 0 {
				i += n - 1
			}
		case '(':
			if n := skipComment(v[i:]); n > 0 {
				i += n - 1
			}
		case '<':
			angle = true
		case '>':
			angle = false
		case ',', ';':
			if !angle || strings.IndexByte(v[i:], '>') < 0 {
				return v[:i], v[i+1:]
			}
		case ':':
			if !angle && strings.IndexByte(v[:i], '@') < 0 {
				return "", v[i+1:]
			}
		}
	}
	return v, ""
}

// address reads one mailbox: "Name <local@domain>", "local@domain (Name)", or a name alone.
func (p *parser) address(s string) (a message.Address, ok bool) {
	s = strings.TrimSpace(s)
	if s == "" {
		return a, false
	}
	if open := angleOpen(s); open >= 0 {
		spec := s[open+1:]
		if end := strings.IndexByte(spec, '>'); end >= 0 {
			spec = spec[:end]
		}
		if strings.HasPrefix(spec, "@") { // obsolete route (RFC 5322 section 4.4)
			if _, after, ok := strings.Cut(spec, ":"); ok {
				spec = after
			}
		}
		a.Name = p.phrase(s[:open])
		splitSpec(&a, spec)
		return a, true
	}
	spec, comment := s, ""
	if i := strings.IndexByte(s, '('); i >= 0 && !strings.HasPrefix(s, `"`) {
		n := skipComment(s[i:])
		if n == 0 {
			n = len(s) - i
		}
		comment = strings.Trim(s[i:i+n], "()")
		spec = s[:i] + s[i+n:]
	}
	spec = strings.TrimSpace(spec)
	if strings.IndexByte(spec, '@') < 0 && strings.ContainsAny(spec, ` "`) { // a name without an address
		a.Name = p.phrase(spec)
		return a, a.Name != ""
	}
	a.Name = p.phrase(comment)
	splitSpec(&a, spec)
	return a, a.Local != "" || a.Domain != ""
}

// angleOpen is the position of the "<" that opens the address, or -1: the last one outside quotes.
func angleOpen(s string) int {
	open := -1
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			if n := skipQuoted(s[i:]); n > 0 {
				i += n - 1
			}
		case '<':
			open = i
		}
	}
	return open
}

func splitSpec(a *message.Address, spec string) {
	spec = strings.Trim(spec, " \t<>")
	at := strings.LastIndexByte(spec, '@')
	if at < 0 {
		a.Local = clean(spec)
		return
	}
	local := strings.TrimSpace(spec[:at])
	if strings.HasPrefix(local, `"`) {
		local, _ = quoted(local)
	}
	a.Local = clean(local)
	a.Domain = strings.TrimRight(strings.ToLower(strings.TrimSpace(clean(spec[at+1:]))), ".")
}

// phrase decodes a display name: quotes away, encoded words decoded.
func (p *parser) phrase(s string) string {
	s = strings.TrimSpace(s)
	if strings.IndexByte(s, '"') >= 0 || strings.IndexByte(s, '\\') >= 0 {
		b := make([]byte, 0, len(s))
		for i := 0; i < len(s); i++ {
			switch {
			case s[i] == '"':
				continue
			case s[i] == '\\' && i+1 < len(s):
				i++
			}
			b = append(b, s[i])
		}
		s = strings.TrimSpace(view(b))
	}
	if strings.Contains(s, "=?") {
		s = strings.TrimSpace(p.words(s))
	}
	return clean(s)
}

// skipQuoted is the length of the quoted string s begins with; 0 if it is not closed.
func skipQuoted(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// skipComment is the length of the comment s begins with, comments inside included; 0 if it is not closed.
func skipComment(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}
