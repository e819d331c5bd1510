package content

import (
	"strings"

	"rempart/message"
	"rempart/message/link"
)

// ReplyElsewhere speaks against a Reply-To (RFC 5322 section 3.6.2) in another organisation's domain than the author's:
// answers go to somebody else. Organisations are told apart by the public suffix list; a discussion list asks for answers to
// itself (RFC 2369) and is honest. Value: 1. Argument: the address.
func ReplyElsewhere(m *message.Message) message.Result {
	if m.From.Domain == "" || len(m.ReplyTo) == 0 || m.Header.Count("List-Id")+m.Header.Count("List-Post") > 0 {
		return message.Absent
	}
	for _, a := range m.ReplyTo {
		if a.Domain != "" && link.Organisation(a.Domain) != link.Organisation(m.From.Domain) {
			return message.Present(1, quote(a.String()))
		}
	}
	return message.Absent
}

// NameAddress speaks against a display name (RFC 5322 section 3.4) that holds an address of another domain than the
// author's own: most programs show the name alone. Value: 1. Arguments: the name, the true address.
func NameAddress(m *message.Message) message.Result {
	at := strings.IndexByte(m.From.Name, '@')
	if at < 1 || m.From.Domain == "" {
		return message.Absent
	}
	domain := m.From.Name[at+1:]
	end := 0
	for end < len(domain) && (wordByte(domain[end]) || domain[end] == '.' || domain[end] == '-') {
		end++
	}
	domain = strings.ToLower(strings.Trim(domain[:end], "."))
	if !strings.Contains(domain, ".") || link.Organisation(domain) == link.Organisation(m.From.Domain) {
		return message.Absent
	}
	return message.Present(1, quote(m.From.Name), quote(m.From.String()))
}

func wordByte(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9'
}
