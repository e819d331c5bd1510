package email

import "strings"

// source is one text being read: the message, or one that was encoded inside it. Its boundaries are those of the open
// multiparts, outermost first.
type source struct {
	text       string
	pos        int
	boundaries []string
}

// delimiter reports which open boundary the line beginning at i is (-1: none) and whether it closes it. The innermost
// wins.
func (s *source) delimiter(i int) (level int, closing bool) {
	if !strings.HasPrefix(s.text[i:], "--") {
		return -1, false
	}
	line := s.text[i+2:]
	for level = len(s.boundaries) - 1; level >= 0; level-- {
		rest, ok := strings.CutPrefix(line, s.boundaries[level])
		if !ok {
			continue
		}
		if after, ok := strings.CutPrefix(rest, "--"); ok && blankLine(after) {
			return level, true
		}
		if blankLine(rest) {
			return level, false
		}
	}
	return -1, false
}

// blankLine reports whether the line that s begins with holds only white space.
func blankLine(s string) bool {
	for i := range len(s) {
		switch s[i] {
		case '\n':
			return true
		case ' ', '\t', '\r':
		default:
			return false
		}
	}
	return true
}

// nextLine is the position after the line at i.
func (s *source) nextLine(i int) int {
	if n := strings.IndexByte(s.text[i:], '\n'); n >= 0 {
		return i + n + 1
	}
	return len(s.text)
}

// field reads one header field at s.pos: its name and its value as received, folds inside, without the last line end.
// ok is false at the header's end, which is passed.
func (s *source) field(p *parser, first bool) (name, raw string, ok bool) {
	for s.pos < len(s.text) {
		start := s.pos
		after := s.nextLine(start)
		line := strings.TrimSuffix(strings.TrimSuffix(s.text[start:after], "\n"), "\r")
		if line == "" {
			s.pos = after
			return "", "", false
		}
		if len(s.boundaries) > 0 && line[0] == '-' {
			if level, _ := s.delimiter(start); level >= 0 {
				return "", "", false
			}
		}
		if first && (strings.HasPrefix(line, "From ") || strings.HasPrefix(line, ">From ")) {
			p.note(MboxFrom, "")
			s.pos = after
			continue
		}
		if line[0] == ' ' || line[0] == '\t' {
			// only before the first field: folds are taken with their field
			if blankLine(line) {
				s.pos = after
				return "", "", false
			}
			p.note(LeadingFold, line)
			trimmed := strings.TrimLeft(line, " \t")
			start += len(line) - len(trimmed)
			line = trimmed
		}
		colon := nameEnd(line)
		if colon < 0 {
			if !fieldLike(s.text[after:]) {
				if first {
					p.note(NoHeader, "")
				} else {
					p.note(NoHeaderEnd, line)
				}
				return "", "", false
			}
			p.note(NoColon, line)
			s.pos = s.folds(after)
			first = false
			continue
		}
		name = line[:colon]
		if n := strings.TrimRight(name, " \t"); len(n) < len(name) {
			p.note(SpaceColon, name)
			name = n
		}
		s.pos = s.folds(after)
		raw = s.text[start+colon+1 : s.pos]
		return name, strings.TrimSuffix(strings.TrimSuffix(raw, "\n"), "\r"), true
	}
	return "", "", false
}

// folds is the position after the continuation lines at i. A line of white space only ends the header if no field
// follows it: some programs separate the body so.
func (s *source) folds(i int) int {
	for i < len(s.text) && (s.text[i] == ' ' || s.text[i] == '\t') {
		after := s.nextLine(i)
		if blankLine(s.text[i:after]) && !fieldLike(s.text[after:]) && !(after < len(s.text) && (s.text[after] == ' ' || s.text[after] == '\t')) {
			return i
		}
		i = after
	}
	return i
}

// nameEnd is the position of the colon after a field name (RFC 5322 section 2.2: printable ASCII without colon), or -1.
func nameEnd(line string) int {
	for i := range len(line) {
		switch c := line[i]; {
		case c == ':':
			if i == 0 {
				return -1
			}
			return i
		case c == ' ' || c == '\t':
			rest := strings.TrimLeft(line[i:], " \t")
			if i > 0 && strings.HasPrefix(rest, ":") {
				return len(line) - len(rest)
			}
			return -1
		case c < '!' || c > '~':
			return -1
		}
	}
	return -1
}

// fieldLike reports whether s begins with a header field.
func fieldLike(s string) bool {
	if i := strings.IndexByte(s[:min(len(s), 1000)], '\n'); i >= 0 {
		s = s[:i]
	}
	return nameEnd(s) > 0
}
