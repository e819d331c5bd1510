package link

import (
	"strings"
	"unicode/utf8"
)

// Scanner finds the addresses that a mail program or phone makes clickable in plain text: http, https and ftp URLs,
// hosts that begin with "www.", and a bare domain of a known top level domain followed by a path ("bit.ly/x").
type Scanner struct {
	text   string
	pos    int
	dot    int // next full stop, at or after pos; len(text) if none
	scheme int // next "://"
}

// NewScanner scans text.
func NewScanner(text string) Scanner {
	s := Scanner{text: text, dot: -1, scheme: -1}
	s.advance(0)
	return s
}

// Next returns the next address as text[start:end] and its parts; ok is false at the end of the text. Scheme is empty
// for a bare host.
func (s *Scanner) Next() (start, end int, scheme, host string, ok bool) {
	for s.dot < len(s.text) || s.scheme < len(s.text) {
		if s.scheme < s.dot {
			at := s.scheme
			if start, end, ok = s.full(at); ok {
				s.advance(end)
				scheme, host = Split(s.text[start:end])
				return start, end, scheme, host, true
			}
			s.advance(at + 3)
			continue
		}
		at := s.dot
		if start, end, ok = s.bare(at); ok {
			s.advance(end)
			return start, end, "", Host(s.text[start:end]), true
		}
		s.dot = next(s.text, max(at+1, end), ".")
	}
	return 0, 0, "", "", false
}

func (s *Scanner) advance(pos int) {
	s.pos = pos
	if s.dot < pos {
		s.dot = next(s.text, pos, ".")
	}
	if s.scheme < pos {
		s.scheme = next(s.text, pos, "://")
	}
}

func next(text string, from int, what string) int {
	if from >= len(text) {
		return len(text)
	}
	if i := strings.Index(text[from:], what); i >= 0 {
		return from + i
	}
	return len(text)
}

// full reads the URL around the "://" at position at.
func (s *Scanner) full(at int) (start, end int, ok bool) {
	start = at
	for start > s.pos && at-start < 5 && 'a' <= s.text[start-1]|0x20 && s.text[start-1]|0x20 <= 'z' {
		start--
	}
	switch name := s.text[start:at]; {
	case suffixFold(name, "https"):
		start = at - 5
	case suffixFold(name, "http"):
		start = at - 4
	case suffixFold(name, "ftp"):
		start = at - 3
	default:
		return 0, 0, false
	}
	host := at + 3
	hostEnd := s.hostEnd(host)
	if hostEnd == host && (host >= len(s.text) || s.text[host] != '[') {
		return 0, 0, false
	}
	return start, s.end(host, hostEnd), true
}

// bare reads the host around the full stop at position at. If it is none, end is where to go on.
func (s *Scanner) bare(at int) (start, end int, ok bool) {
	if at+1 >= len(s.text) || at == s.pos || !hostByte(s.text[at+1]) || !hostByte(s.text[at-1]) {
		return 0, 0, false
	}
	start = at
	for start > s.pos && hostByte(s.text[start-1]) && at-start < maxHost {
		start--
	}
	if at-start >= maxHost {
		return 0, s.hostEnd(at), false
	}
	if start > 0 && strings.IndexByte("@/\\=&%:", s.text[start-1]) >= 0 { // an address, or inside another URL
		return 0, s.hostEnd(at), false
	}
	hostEnd := s.hostEnd(start)
	www := at-start == 3 && suffixFold(s.text[start:at], "www")
	if !www {
		after := hostEnd
		if after < len(s.text) && s.text[after] == ':' {
			for after++; after < len(s.text) && '0' <= s.text[after] && s.text[after] <= '9'; {
				after++
			}
		}
		if after >= len(s.text)-1 || s.text[after] != '/' || s.text[after+1] <= ' ' || !KnownSuffix(s.text[start:hostEnd]) {
			return 0, hostEnd, false
		}
	} else if hostEnd <= at+1 || strings.IndexByte(s.text[at+1:hostEnd], '.') <= 0 {
		return 0, hostEnd, false
	}
	return start, s.end(start, hostEnd), true
}

// hostEnd is where the host beginning at from ends. Letters of other scripts belong to it, unless they follow a known
// top level domain at once, as in texts written without spaces.
func (s *Scanner) hostEnd(from int) int {
	i := from
	for i < len(s.text) && i-from < maxHost && hostByte(s.text[i]) {
		i++
	}
	for i > from && !utf8.RuneStart(s.text[i-1]) && i < len(s.text) && !utf8.RuneStart(s.text[i]) {
		i--
	}
	host := strings.TrimRight(s.text[from:i], ".-")
	label := host[strings.LastIndexByte(host, '.')+1:]
	for j := range len(label) {
		if label[j] >= utf8.RuneSelf {
			if cut := len(host) - len(label) + j; j > 0 && KnownSuffix(host[:cut]) {
				return from + cut
			}
			break
		}
	}
	return from + len(host)
}

// end extends an address from the end of its host over port, path and query.
func (s *Scanner) end(start, i int) int {
	if i < len(s.text) && i-start < maxHost && strings.IndexByte("/?#:@[\\", s.text[i]) < 0 {
		return i
	}
	parens := 0 // open ones; a closing one without partner ends no URL
	for i < len(s.text) {
		c := s.text[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte("<>\"`{}|", c) >= 0 {
			break
		}
		switch c {
		case '(':
			parens++
		case ')':
			parens--
		}
		i++
	}
	for i > start {
		c := s.text[i-1]
		if strings.IndexByte(".,;:!?')]*_", c) < 0 || c == ')' && parens >= 0 {
			break
		}
		if c == ')' {
			parens++
		}
		i--
	}
	return i
}

func hostByte(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' || c >= utf8.RuneSelf
}

func suffixFold(s, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}
