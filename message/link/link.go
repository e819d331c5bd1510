// Package link finds web addresses in text and takes them apart the way browsers do (WHATWG URL), not the way RFC 3986
// would like them: a reader follows what the browser makes of it. The parsers of text (email, sms, im) share it.
//
// All functions are pure and return views of their input where they can.
package link

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/publicsuffix"
)

// maxHost: RFC 1035 section 2.3.4 ends names at 253 octets; a U-label of the same name may take a few times more.
const maxHost = 1024

// Split returns the scheme of url (lower case, empty if none was written) and its host: lower case, without user info,
// port and trailing dot, percent decoded. Only the schemes that name a host have one. The host stays in the form that
// was written, so that 0x7f.1 can be told from 127.0.0.1.
func Split(url string) (scheme, host string) {
	url = strings.TrimLeft(Clean(url), " ")
	rest := url
	if n := schemeLen(url); n > 0 {
		scheme, rest = Lower(url[:n]), url[n+1:]
	}
	switch scheme {
	case "http", "https", "ftp", "ftps", "ws", "wss":
		return scheme, Host(strings.TrimLeft(rest, `/\`))
	case "":
		if len(rest) > 1 && slash(rest[0]) && slash(rest[1]) {
			return "", Host(strings.TrimLeft(rest, `/\`))
		}
	}
	return scheme, ""
}

// Host returns the host of an authority ("user@host:port/path").
func Host(s string) string {
	if i := strings.IndexAny(s, `/\?#`); i >= 0 {
		s = s[:i]
	}
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		s = s[i+1:]
	}
	if strings.HasPrefix(s, "[") {
		if i := strings.IndexByte(s, ']'); i > 0 {
			return Lower(s[:i+1])
		}
	}
	if i := strings.IndexByte(s, ':'); i >= 0 {
		s = s[:i]
	}
	if strings.IndexByte(s, '%') >= 0 {
		s = unescape(s)
	}
	s = strings.TrimRight(s, ". ")
	if len(s) > maxHost {
		s = strings.ToValidUTF8(s[:maxHost], "\ufffd")
	}
	return Lower(s)
}

// Clean drops what browsers drop before they read a URL: tab, CR and LF anywhere, other controls at the ends.
func Clean(url string) string {
	url = strings.TrimFunc(url, func(r rune) bool { return r <= ' ' })
	if strings.IndexByte(url, '\n') < 0 && strings.IndexByte(url, '\r') < 0 && strings.IndexByte(url, '\t') < 0 {
		return url
	}
	b := make([]byte, 0, len(url))
	for i := range len(url) {
		if c := url[i]; c != '\n' && c != '\r' && c != '\t' {
			b = append(b, c)
		}
	}
	return string(b)
}

// Lower is strings.ToLower that leaves an ASCII string in lower case where it is.
func Lower(s string) string {
	for i := range len(s) {
		if c := s[i]; 'A' <= c && c <= 'Z' || c >= utf8.RuneSelf {
			return strings.ToLower(s)
		}
	}
	return s
}

func schemeLen(s string) int {
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z':
		case i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'):
		case i > 0 && c == ':':
			return i
		default:
			return 0
		}
	}
	return 0
}

func slash(c byte) bool { return c == '/' || c == '\\' }

func unescape(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			hi, lo := unhex(s[i+1]), unhex(s[i+2])
			if hi < 16 && lo < 16 {
				b = append(b, hi<<4|lo)
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return strings.ToValidUTF8(string(b), "\ufffd")
}

func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 16
}

// KnownSuffix reports whether the last label of host is a top level domain of the root zone.
func KnownSuffix(host string) bool {
	i := strings.LastIndexByte(host, '.')
	if i < 1 || i+2 >= len(host) {
		return false
	}
	_, icann := publicsuffix.PublicSuffix(Lower(host[i+1:]))
	return icann
}

// Random reports a label that looks drawn by lot, of eight letters and digits or more: they change between each other four
// times, or twice with hardly a vowel between, or six consonants follow each other.
func Random(label string) bool {
	if len(label) < 8 || strings.HasPrefix(label, "xn--") {
		return false
	}
	changes, run, longest, letters, vowels := 0, 0, 0, 0, 0
	for i := range len(label) {
		c := label[i]
		if i > 0 && c != '-' && label[i-1] != '-' && digit(c) != digit(label[i-1]) {
			changes++
		}
		switch {
		case c >= utf8.RuneSelf:
			return false
		case c == '-' || digit(c):
			run = 0
			continue
		case strings.IndexByte("aeiou", c) >= 0:
			vowels++
			run = 0
		default:
			run++
			longest = max(longest, run)
		}
		letters++
	}
	bare := vowels*4 < letters
	return changes >= 4 || bare && letters >= 5 && (changes >= 2 || longest >= 7)
}

func digit(c byte) bool { return '0' <= c && c <= '9' }
