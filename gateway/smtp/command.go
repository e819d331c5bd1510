package smtp

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxLine bounds a command line: 512 bytes (RFC 5321 section 4.5.3.1.4), and what SIZE, BODY, SMTPUTF8, DSN (RFC 3461
// section 5.4: 500 for ORCPT) and XFORWARD add.
const maxLine = 2048

// splitVerb cuts a command line into its verb, in upper case, and the rest.
func splitVerb(line string) (verb, arg string) {
	verb, arg, _ = strings.Cut(line, " ")
	return strings.ToUpper(verb), strings.Trim(arg, " ")
}

// path is a MAIL or RCPT command taken apart.
type path struct {
	written string // "<a@example.com>"
	address string // without brackets and source route (RFC 5321 appendix C)
	params  []param
}

type param struct{ key, value, written string }

var (
	errPath   = errors.New("501 5.5.4 write the address as <user@example.com>")
	errParams = errors.New("501 5.5.4 a parameter is written as KEY=value")
)

// parsePath reads what stands after MAIL or RCPT; prefix is "FROM:" or "TO:". Spaces after the colon are tolerated.
func parsePath(arg, prefix string) (p path, err error) {
	if len(arg) < len(prefix) || !strings.EqualFold(arg[:len(prefix)], prefix) {
		return p, fmt.Errorf("501 5.5.4 write %s<address>", prefix)
	}
	arg = strings.TrimLeft(arg[len(prefix):], " ")
	end := pathEnd(arg)
	if end < 0 {
		return p, errPath
	}
	p.written, arg = arg[:end], arg[end:]
	p.address = p.written[1 : end-1]
	if strings.HasPrefix(p.address, "@") {
		if _, rest, ok := strings.Cut(p.address, ":"); ok {
			p.address = rest
		}
	}
	if arg != "" && arg[0] != ' ' {
		return p, errParams
	}
	for _, f := range strings.Fields(arg) {
		key, value, _ := strings.Cut(f, "=")
		if key == "" {
			return p, errParams
		}
		p.params = append(p.params, param{strings.ToUpper(key), value, f})
	}
	return p, nil
}

// pathEnd is where a path that stands first ends; -1 if none does. A quoted local part may hold anything (section 4.1.2).
func pathEnd(s string) int {
	if s == "" || s[0] != '<' {
		return -1
	}
	quoted := false
	for i := 1; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case quoted:
		case s[i] == '>':
			return i + 1
		case s[i] == ' ', s[i] == '<':
			return -1
		}
	}
	return -1
}

// mailParams checks the parameters of MAIL against what was offered and returns those to relay, and whether addresses may be
// UTF-8.
func mailParams(p *path, told offers, maxSize int) (relay string, utf8 bool, fault reply) {
	for _, q := range p.params {
		switch {
		case q.key == "SIZE" && told.size:
			if !digits(q.value) || len(q.value) > 20 { // RFC 1870 section 3
				return "", false, say(501, "5.5.4 SIZE is a number")
			}
			if n, err := strconv.ParseUint(q.value, 10, 64); err != nil || n > uint64(maxSize) {
				return "", false, tooLarge
			}
			if !told.hopSize {
				continue
			}
		case q.key == "BODY" && told.eightBit && (strings.EqualFold(q.value, "7BIT") || strings.EqualFold(q.value, "8BITMIME")):
		case q.key == "SMTPUTF8" && told.utf8 && q.value == "":
			utf8 = true
		case (q.key == "RET" || q.key == "ENVID") && told.dsn && q.value != "":
		default:
			return "", false, say(555, "5.5.4 the parameter "+ascii(q.key)+" is not known here")
		}
		relay += " " + q.written
	}
	return relay, utf8, checkUTF8(p, utf8)
}

// rcptParams does the same for RCPT.
func rcptParams(p *path, told offers, utf8 bool) (relay string, fault reply) {
	for _, q := range p.params {
		if !told.dsn || q.key != "NOTIFY" && q.key != "ORCPT" || q.value == "" {
			return "", say(555, "5.5.4 the parameter "+ascii(q.key)+" is not known here")
		}
		relay += " " + q.written
	}
	return relay, checkUTF8(p, utf8)
}

// checkUTF8 refuses addresses beyond ASCII unless the client asked for them (RFC 6531 section 3.5).
func checkUTF8(p *path, asked bool) reply {
	all := p.written
	for _, q := range p.params {
		all += q.written
	}
	switch {
	case ascii(all) == all:
		return reply{}
	case !asked:
		return say(553, "5.6.7 addresses beyond ASCII need SMTPUTF8")
	case !utf8.ValidString(all):
		return say(501, "5.5.2 this is not UTF-8")
	}
	return reply{}
}

// ascii is s with what is beyond ASCII replaced.
func ascii(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= utf8.RuneSelf {
			return '?'
		}
		return r
	}, s)
}
