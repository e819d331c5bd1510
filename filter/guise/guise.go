// Package guise holds the signals of pretence: a message that takes the name of a known brand, of the recipient's own
// organisation or of somebody else, and senders whom nobody answers for (free and disposable mailboxes).
//
// [Gather] notes once what several signals read, in m.Facts.Guise; without it they are absent. Names are compared as a reader
// sees them, by skeletons after UTS 39. The tables (brands, free and disposable mailboxes) are from public knowledge. All
// functions are safe for concurrent use by several goroutines on messages of their own.
package guise

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"rempart/filter/content"
	"rempart/message"
	"rempart/message/link"
)

const (
	maxOwn      = 4   // recipients whose domains are compared
	maxHosts    = 32  // hosts that links lead to
	maxName     = 200 // bytes of a name or subject
	maxOpening  = 600 // bytes of text that say who writes
	maxArgument = 60
)

// Gather fills m.Facts.Guise.
func Gather(m *message.Message) {
	g := message.Guise{Author: organisation(m.From.Domain)}
	if m.Channel == message.Email {
		var buf [2 * maxName]byte
		g.Name = string(appendWords(buf[:0], m.From.Name[:min(len(m.From.Name), maxName)]))
		g.Own = own(m)
	}
	g.Hosts = hosts(m.Links)
	m.Facts.Guise = g
}

func organisation(domain string) string {
	if domain == "" {
		return ""
	}
	return link.Organisation(domain)
}

// own are the domains that the recipients' organisations have to themselves.
func own(m *message.Message) (domains []string) {
	add := func(domain string) {
		if org := OwnDomain(domain); org != "" && (len(domains) == 0 || domains[0] != org) {
			domains = append(domains, org)
		}
	}
	for i := range m.Recipients[:min(len(m.Recipients), maxOwn)] {
		_, domain, _ := strings.Cut(m.Recipients[i].Address, "@")
		add(domain)
	}
	if len(m.Recipients) == 0 {
		for i := range m.To[:min(len(m.To), maxOwn)] {
			add(m.To[i].Domain)
		}
	}
	return domains
}

// hosts are those that the reader can be led to, each once.
func hosts(links []message.Link) (list []message.LinkedHost) {
	last := -1
	for i := range links {
		l := &links[i]
		if l.Host == "" || !l.Kind.Followed() {
			continue
		}
		if last < 0 || list[last].Name != l.Host {
			last = -1
			for j := range list {
				if list[j].Name == l.Host {
					last = j
				}
			}
		}
		if last < 0 {
			if len(list) == maxHosts {
				continue
			}
			if list == nil {
				list = make([]message.LinkedHost, 0, 4)
			}
			last = len(list)
			list = append(list, message.LinkedHost{Name: l.Host, Domain: organisation(l.Host)})
		}
		list[last].Links++
	}
	return list
}

// appendWords appends the words of s, folded ([content.Fold]), with one space between them.
func appendWords(dst []byte, s string) []byte {
	start := len(dst)
	dst = content.Fold(dst, s)
	out, gap := start, false
	for i := start; i < len(dst); {
		c, n := dst[i], 1
		word := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if c >= utf8.RuneSelf {
			var r rune
			r, n = utf8.DecodeRune(dst[i:])
			word = unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
		}
		if !word {
			gap = out > start
			i += n
			continue
		}
		if gap { // its place was passed over: at least one byte was left out before it
			dst[out] = ' '
			out, gap = out+1, false
		}
		out += copy(dst[out:], dst[i:i+n])
		i += n
	}
	return dst[:out]
}

// quote makes an argument of text from a message.
func quote(s string) string {
	if len(s) > maxArgument {
		s = s[:maxArgument] + "…"
	}
	return strings.ToValidUTF8(s, "")
}
