package guise

import (
	"strings"
	"unicode/utf8"

	"rempart/filter/content"
	"rempart/message"
)

// BrandSubject speaks against a subject that names a known brand in mail that does not come from it. Answers and lists talk of
// brands. Value: 1, or 2 if it is written with letters that only look like its own. Arguments: the brand, the author's domain.
func BrandSubject(m *message.Message) message.Result {
	if m.Subject == "" || m.From.Domain == "" || talks(m) {
		return message.Absent
	}
	var buf [2 * maxName]byte
	c := claimIn(string(appendWords(buf[:0], m.Subject[:min(len(m.Subject), maxName)])), m.Subject)
	if c.brand == nil || speaksFor(c.brand, m) || strings.Contains(m.Facts.Guise.Name, " via ") {
		return message.Absent
	}
	value := 1.0
	if c.disguise {
		value = 2
	}
	return message.Present(value, quote(c.text), quote(m.From.Domain))
}

// talks reports an answer, or mail of a list.
func talks(m *message.Message) bool {
	return m.Header.Count("List-Id") > 0 || content.Answers(m)
}

// BrandText speaks against a text whose opening names a known brand, where none of the links leads to the brand and the
// message does not come from it. Value: 1. Arguments: the brand, the first host.
func BrandText(m *message.Message) message.Result {
	hosts := m.Facts.Guise.Hosts
	if len(hosts) == 0 || m.Channel == message.Email && talks(m) {
		return message.Absent
	}
	text := m.VisibleText()
	text = text[:min(len(text), maxOpening)]
	var buf [2 * maxOpening]byte
	c := claimIn(string(appendOpening(buf[:0], text)), text)
	if c.brand == nil || speaksFor(c.brand, m) {
		return message.Absent
	}
	for _, h := range hosts {
		if c.brand.ownsHost(h.Name, h.Domain) {
			return message.Absent
		}
	}
	return message.Present(1, quote(c.text), quote(hosts[0].Name))
}

// appendOpening appends the words of a text like [appendWords], without the addresses in it.
func appendOpening(dst []byte, text string) []byte {
	from := len(dst) // where the word between spaces began
	address, ascii := false, true
	for i := range len(text) {
		c := text[i]
		switch {
		case 'A' <= c && c <= 'Z':
			dst = append(dst, c+'a'-'A')
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			dst = append(dst, c)
		case c >= utf8.RuneSelf:
			dst = append(dst, c)
			ascii = false
		default:
			if c <= ' ' && address {
				dst = dst[:from]
			}
			if n := len(dst); n > 0 && dst[n-1] != ' ' {
				dst = append(dst, ' ')
			}
			if c <= ' ' {
				from, address = len(dst), false
			} else {
				address = address || c == '@' || c == '/'
			}
		}
	}
	if address {
		dst = dst[:from]
	}
	if ascii {
		return dst
	}
	return appendWords(nil, string(dst))
}

// BrandLink speaks against a link to a host that has a known brand's name in it and is not the brand's
// ("brand.example.net", "brand-login.example"). Value: 1. Arguments: the host, the brand.
func BrandLink(m *message.Message) message.Result {
	for i := range m.Facts.Guise.Hosts {
		h := &m.Facts.Guise.Hosts[i]
		if !strings.Contains(h.Domain, ".") {
			continue
		}
		for label := range strings.SplitSeq(strings.TrimSuffix(h.Name, h.Domain[strings.IndexByte(h.Domain, '.'):]), ".") {
			if len(label) < 5 {
				continue
			}
			if b := imitated(shown(label)); b != nil && !b.ownsHost(h.Name, h.Domain) && !speaksFor(b, m) {
				first, _, _ := strings.Cut(b.spellings, "|")
				return message.Present(1, quote(h.Name), first)
			}
		}
	}
	return message.Absent
}
