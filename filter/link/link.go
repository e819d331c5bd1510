// Package link holds the signals that a message's links give: where they lead, and what they pretend (X.1245 section
// 7.3, content). A signal is a pure function of one message; its doc comment says what it speaks for and the unit and
// range of its value. Nothing is fetched and nothing asked. All functions are safe for use from several goroutines.
package link

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"rempart/filter/content"
	"rempart/message"
	wire "rempart/message/link"
)

const maxArgument = 60

func quote(s string) string {
	if len(s) > maxArgument {
		s = s[:maxArgument] + "…"
	}
	return strings.ToValidUTF8(s, "")
}

// RawAddress speaks against a link to a numeric address instead of a name (RFC 3986 section 3.2.2), also one written in
// decimal, octal or hexadecimal as browsers understand it. Value: 1, or 2 for an unusual notation. Argument: the host.
func RawAddress(m *message.Message) message.Result {
	for i := range m.Facts.Guise.Hosts {
		switch host := m.Facts.Guise.Hosts[i].Name; numeric(host) {
		case plainNotation:
			return message.Present(1, quote(host))
		case oddNotation:
			return message.Present(2, quote(host))
		}
	}
	return message.Absent
}

type notation uint8

const (
	noAddress notation = iota
	plainNotation
	oddNotation
)

// numeric tells whether host is an address: of one to four numbers (WHATWG URL section 3.5), or IPv6 in brackets.
func numeric(host string) notation {
	if strings.HasPrefix(host, "[") {
		return plainNotation
	}
	if c := host[len(host)-1]; (c < '0' || c > '9') && !strings.Contains(host, "0x") {
		return noAddress // a name never ends in a number
	}
	parts, odd := 0, false
	for part := range strings.SplitSeq(host, ".") {
		parts++
		base := 10
		digits := part
		if after, ok := strings.CutPrefix(part, "0x"); ok {
			base, digits, odd = 16, after, true
		} else if len(part) > 1 && part[0] == '0' {
			base, odd = 8, true
		}
		if _, err := strconv.ParseUint(digits, base, 32); err != nil || parts > 4 {
			return noAddress
		}
	}
	if odd || parts < 4 {
		return oddNotation
	}
	return plainNotation
}

// LookalikeHost speaks against a host that imitates another: an internationalised name (RFC 5890) with letters of
// alphabets that look alike in one label (UTS 39 section 5.1), or one that folds to plain Latin letters whole. Value: 1.
// Arguments: the host, what it looks like.
func LookalikeHost(m *message.Message) message.Result {
	for i := range m.Facts.Guise.Hosts {
		host := m.Facts.Guise.Hosts[i].Name
		if len(host) > 253 || !strings.Contains(host, "xn--") && ascii(host) {
			continue
		}
		shown, err := idna.Punycode.ToUnicode(host)
		if err != nil || ascii(shown) {
			continue
		}
		for label := range strings.SplitSeq(shown, ".") {
			if imitates(label) {
				return message.Present(1, quote(shown), quote(string(content.Fold(nil, shown))))
			}
		}
	}
	return message.Absent
}

// imitates reports a label of which each letter beyond ASCII stands for a Latin one; accents are not meant.
func imitates(label string) bool {
	other := false
	for _, r := range label {
		if r < utf8.RuneSelf {
			continue
		}
		if r < 0x250 || r >= 0x1e00 && r < 0x1f00 { // Latin with accents
			continue
		}
		var buf [8]byte
		if to := content.Fold(buf[:0], string(r)); len(to) != 1 {
			return false
		}
		other = true
	}
	return other
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// OtherHost speaks against a link whose text names another host than the one it leads to. Hosts of one organisation
// (public suffix list) are one. A newsletter (List-Unsubscribe, RFC 2369) is honest that names its author's own site, or
// counts all its clicks at one other host. Value: log2 of their number, 1 to 4. Arguments: shown host, true host.
func OtherHost(m *message.Message) message.Result {
	n := 0
	var shown, truth string
	author, tracker := "", ""
	if m.Header.Count("List-Unsubscribe") > 0 {
		author, tracker = wire.Organisation(m.From.Domain), commonHost(m)
	}
	for i := range m.Links {
		l := &m.Links[i]
		if l.Kind != message.LinkHref || l.Host == "" || len(l.Text) < 4 || len(l.Text) > 300 {
			continue
		}
		host := namedHost(l.Text)
		if host == "" || wire.Organisation(host) == wire.Organisation(l.Host) || wire.Organisation(host) == author || l.Host == tracker {
			continue
		}
		if n++; n == 1 {
			shown, truth = host, l.Host
		}
	}
	if n == 0 {
		return message.Absent
	}
	return message.Present(count(n), quote(shown), quote(truth))
}

// commonHost is the host that most links lead to, if they are five or more.
func commonHost(m *message.Message) string {
	host, n := "", 0
	for i := range m.Links { // majority vote (Boyer and Moore)
		switch l := &m.Links[i]; {
		case l.Kind != message.LinkHref || l.Host == "":
		case n == 0:
			host, n = l.Host, 1
		case l.Host == host:
			n++
		default:
			n--
		}
	}
	if n = 0; host != "" {
		for i := range m.Links {
			if m.Links[i].Kind == message.LinkHref && m.Links[i].Host == host {
				n++
			}
		}
	}
	if n < 5 {
		return ""
	}
	return host
}

// namedHost is the host that a link's text consists of or begins with; empty if the text is words.
func namedHost(text string) string {
	text = strings.TrimSpace(text)
	rest, scheme := text, false
	if i := strings.Index(text, "://"); i > 0 && i < 6 {
		rest, scheme = text[i+3:], true
	}
	end := 0
	for end < len(rest) && (rest[end] == '.' || rest[end] == '-' || letterDigit(rest[end])) {
		end++
	}
	host := strings.ToLower(strings.Trim(rest[:end], ".-"))
	if !strings.Contains(host, ".") || end < len(rest) && (rest[end] == '@' || rest[end] >= utf8.RuneSelf || !scheme && rest[end] == ' ') {
		return ""
	}
	if _, icann := publicsuffix.PublicSuffix(host); !icann {
		return ""
	}
	if org, err := publicsuffix.EffectiveTLDPlusOne(host); err != nil || org == "" {
		return ""
	}
	return host
}

func letterDigit(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' }

func count(n int) float64 { return min(math.Log2(1+float64(n)), 4) }
